"""Forms of a report's readers: what a team wants to reach, and for how long a link opens. They check and never save."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from analysis.publication.links import DAYS
from teams.base.written import Written
from teams.forms.filled import Filled


class GoalForm(Filled):
    """A target on one subject, and the next steps."""

    target = forms.DecimalField()  # made for the number of points of the scale
    next_steps = forms.CharField(
        label=gettext_lazy("Our next steps"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Who does what, and when do you look back?"),
    )

    def __init__(self, *args: Any, n_points: int, own_words: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        """:param own_words: the fields in which stands what the page that sends it wrote itself"""
        super().__init__(*args, **kwargs)
        self.own_words = own_words
        self.fields["target"] = forms.DecimalField(
            label=gettext_lazy("The score we want to reach next time"),
            required=False,
            max_digits=3,
            decimal_places=1,
            min_value=Decimal(1),
            max_value=Decimal(n_points),
            widget=forms.NumberInput(attrs={"step": "0.1", "inputmode": "decimal"}),
        )


class ShareForm(Written):
    """For how long a link opens."""

    days = forms.TypedChoiceField(
        label=gettext_lazy("The link works for"),
        coerce=int,
        choices=[
            (DAYS[0], gettext_lazy("two weeks")),
            (DAYS[1], gettext_lazy("a month")),
            (DAYS[2], gettext_lazy("three months")),
            (DAYS[3], gettext_lazy("half a year")),
        ],
        initial=DAYS[1],
    )
