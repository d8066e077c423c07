"""The form for a release of rows. It checks; exports/releases.py judges and records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.data import bands
from analysis.data.coarsening import band_column_of
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import NUMBER, Question
from teams.base.written import Written

#: The field with a number's bands: this and the question's code.
LIMITS = "limits_"


class SmallTeamsForm(Written):
    """What the figures of very small teams are for."""

    prefix = "small"
    purpose = forms.CharField(
        label=gettext_lazy("What are the figures of very small teams for?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One sentence. It is kept in the register."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True


class ReleaseForm(Written):
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

    def __init__(self, *args: Any, questions: Sequence[Question], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.numbers = [question for question in questions if question.type == NUMBER]
        names = {question.code: in_language(dict(question.text)) for question in questions}
        self.fields["background"].choices = list(names.items())  # type: ignore[attr-defined]
        if not questions:
            del self.fields["background"]
        for question in self.numbers:
            self.fields[LIMITS + question.code] = forms.CharField(
                label=_("Bands of “%(question)s”") % {"question": names[question.code]},
                required=False,
                initial=bands.written(bands.offered(question)),
                max_length=200,
                help_text=_(
                    "The lowest number of every band but the first, for instance 30, 40, 50. Empty: the numbers themselves."
                ),
            )
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean(self) -> dict[str, Any]:
        """``background`` becomes the columns asked for: numbers in their bands."""
        cleaned = {"background": [], **super().clean()}
        limits: dict[str, bands.Limits] = {}
        for question in self.numbers:
            if question.code not in cleaned["background"]:
                continue
            try:
                limits[question.code] = bands.read_limits(cleaned.get(LIMITS + question.code, ""), question)
            except bands.LimitsRefused as refusal:
                self.add_error(LIMITS + question.code, str(refusal))
        cleaned["background"] = [band_column_of(code, limits.get(code, ())) for code in cleaned["background"]]
        return cleaned

    @property
    def again(self) -> list[tuple[str, str]]:
        """What was filled in, for another form with the same answers."""
        given = [("purpose", self["purpose"].value() or "")]
        if self["with_team"].value():
            given.append(("with_team", "on"))
        if "background" in self.fields:
            given += [("background", code) for code in self["background"].value() or []]
        return given + [(name, self[name].value() or "") for name in self.fields if name.startswith(LIMITS)]
