"""Forms about whole questionnaires: a new one, a file, a template, freezing. They validate and never save."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from surveys.questionnaires.checking import SLUG
from teams.base.written import Written
from teams.forms.studies import one_of
from teams.models import ResearchGroup
from teams.models.languages import language_codes, language_names


class NewForm(Written):
    group = forms.ModelChoiceField(label=gettext_lazy("Research group"), queryset=ResearchGroup.objects.none())
    code = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=50,
        validators=[
            RegexValidator(rf"^(?:{SLUG.pattern})\Z", gettext_lazy("Use lower-case letters, digits and hyphens.")),
        ],
        help_text=gettext_lazy(
            "Lower-case letters, digits and hyphens, such as team-learning. It cannot be changed later."
        ),
    )

    def __init__(self, *args: Any, groups: QuerySet[ResearchGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        one_of(self, "group", groups)
        for code, language in language_names().items():
            label = _("Title (%(language)s)") % {"language": language}
            self.fields[f"title_{code}"] = forms.CharField(label=label, max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean() or self.cleaned_data
        if not any(cleaned_data.get(f"title_{code}") for code in language_codes()):
            self.add_error(f"title_{language_codes()[0]}", _("Give the title in at least one language."))
        return cleaned_data

    def title(self) -> dict[str, str]:
        """The title, by language."""
        return {code: self.cleaned_data[f"title_{code}"] for code in language_codes()}


class PublishForm(Written):
    edit = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label=gettext_lazy("What changed and why"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("In your own words, for anyone who compares versions later."),
    )


class ImportForm(Written):
    """A file; on the second round the questionnaire that was read from it, as YAML."""

    group = forms.ModelChoiceField(label=gettext_lazy("Research group"), queryset=ResearchGroup.objects.none())
    file = forms.FileField(label=gettext_lazy("File (YAML, or XLSForm as XLSX)"), required=False)
    document = forms.CharField(required=False, widget=forms.HiddenInput, max_length=1_000_000)

    def __init__(self, *args: Any, groups: QuerySet[ResearchGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        one_of(self, "group", groups)

    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean() or self.cleaned_data
        if not cleaned_data.get("file") and not cleaned_data.get("document"):
            self.add_error("file", _("Choose a file."))
        return cleaned_data


class TemplateForm(Written):
    """A template to copy: one that comes with the product (its name) or that a group offers (its primary key)."""

    template = forms.CharField(label=gettext_lazy("Which template?"), max_length=60)
    group = forms.ModelChoiceField(label=gettext_lazy("Research group"), queryset=ResearchGroup.objects.none())

    def __init__(self, *args: Any, groups: QuerySet[ResearchGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        one_of(self, "group", groups)
