"""The form for the composition of the population by one background question. It checks; choices/population.py writes."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.data import bands
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import NUMBER, Question
from teams.base.written import Written
from teams.forms.filled import Filled

#: Fields of the counts: this and the place of the answer.
COUNT = "count_"
MOST_PEOPLE = 100_000_000


class LimitsForm(Written):
    """Which bands of a number the counts are for."""

    limits = forms.CharField(
        label=gettext_lazy("Bands"),
        max_length=200,
        help_text=gettext_lazy("The lowest number of every band but the first, for instance 30, 40, 50."),
    )

    def __init__(self, *args: Any, question: Question, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.question = question
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean_limits(self) -> bands.Limits:
        try:
            limits = bands.read_limits(self.cleaned_data["limits"], self.question)
        except bands.LimitsRefused as refusal:
            raise ValidationError(str(refusal)) from refusal
        if not limits:
            raise ValidationError(_("Write numbers with commas between them, for instance 30, 40, 50."))
        return limits


class CompositionForm(Filled):
    """A count for each answer or band, and where the counts come from."""

    source = forms.CharField(
        label=gettext_lazy("Where the numbers come from"),
        max_length=300,
        help_text=gettext_lazy("For instance: personnel records of the academies, 1 October 2026."),
    )

    def __init__(self, *args: Any, question: Question, limits: bands.Limits = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answers = bands.choices(question, limits) if question.type == NUMBER else question.choices
        self.names = [f"{COUNT}{place}" for place in range(len(answers))]
        for name, answer in zip(self.names, answers, strict=True):
            self.fields[name] = forms.IntegerField(
                label=in_language(dict(answer.text)), min_value=0, max_value=MOST_PEOPLE
            )
        self.order_fields([*self.names, "source"])
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    @property
    def counts(self) -> list[int]:
        return [self.cleaned_data[name] for name in self.names]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not any(cleaned[name] for name in self.names):
            raise ValidationError(_("Give at least one number above 0."))
        return cleaned
