"""The form for a release of rows. It checks; exporting/releases.py judges and records."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy


class ReleaseForm(forms.Form):
    """What for, and which columns beside the answers."""

    purpose = forms.CharField(
        label=gettext_lazy("What are the data for?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One sentence. It is kept in the register."),
    )
    with_team = forms.BooleanField(
        label=gettext_lazy("With the code of the team"),
        required=False,
        initial=True,
        help_text=gettext_lazy("A random code. Without it, errors that are robust to teams cannot be computed."),
    )
    background = forms.MultipleChoiceField(
        label=gettext_lazy("Background questions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Each one makes it easier to recognise someone. Leave out what you do not need."),
    )

    def __init__(self, *args: Any, questions: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["background"].choices = list(questions.items())  # type: ignore[attr-defined]
        if not questions:
            del self.fields["background"]
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        return {"background": [], **cleaned}
