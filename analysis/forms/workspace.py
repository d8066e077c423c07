"""Forms of the workspace: a model of one's own, an outside criterion, notes of a case. They check; step modules write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.choices.own_models import ModelRefused, check_model, syntax_of
from analysis.plan.plans import ScalePlan
from teams.base.written import Written
from teams.forms.filled import Filled
from teams.forms.table_field import TableField

TICK = "tick_"


class OwnModelForm(Written):
    """A factor model by ticking questions to scales, or as text."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=30)
    estimator = forms.ChoiceField(
        label=gettext_lazy("Estimator"),
        choices=[
            ("MLR", gettext_lazy("MLR: robust to teachers sharing a team")),
            ("ML", gettext_lazy("ML: normal theory, with modification indices")),
            ("MLM", gettext_lazy("MLM: robust to skewed answers")),
            ("FIML", gettext_lazy("FIML: including people who left questions unanswered")),
            ("WLSMV", gettext_lazy("WLSMV: answers as ordered categories")),
        ],
    )
    syntax = forms.CharField(
        label=gettext_lazy("Model as text (lavaan's syntax)"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "font-monospace", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "For instance: ER =~ ER1 + ER2 + ER3. What is written here takes precedence over the ticks."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why this model?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("It is not in the plan, so it is marked as exploratory wherever it is shown."),
    )

    def __init__(self, *args: Any, scales: Sequence[ScalePlan], items: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scales, self.items = tuple(scales), tuple(items)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    @property
    def ticked(self) -> dict[str, list[str]]:
        """Per scale the questions ticked; before the form is sent those of the scale."""
        if not self.is_bound:
            return {scale.code: list(scale.items) for scale in self.scales}
        chosen = {scale.code: set(self.data.getlist(TICK + scale.code)) for scale in self.scales}  # type: ignore[attr-defined]
        return {code: [item for item in self.items if item in of_scale] for code, of_scale in chosen.items()}

    @property
    def grid(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """Per question its boxes: name of the field, scale, ticked."""
        ticked = self.ticked
        return [
            (item, [(TICK + scale.code, scale.code, item in ticked[scale.code]) for scale in self.scales])
            for item in self.items
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        syntax = cleaned.get("syntax", "").strip() or syntax_of(self.ticked)
        if not syntax:
            raise ValidationError(_("Tick questions, or write the model as text."))
        try:
            check_model(syntax, self.items)
        except ModelRefused as refusal:
            raise ValidationError(str(refusal)) from refusal
        cleaned["syntax"] = syntax
        return cleaned


class CriterionForm(Written):
    """A figure per team from outside the study."""

    name = forms.CharField(label=gettext_lazy("What it is"), max_length=120)
    source = forms.CharField(label=gettext_lazy("Where it comes from"), max_length=300)
    file = TableField(
        label=gettext_lazy("File with a figure per team"), help_text=gettext_lazy("CSV or XLSX, one row for each team.")
    )
    team_column = forms.CharField(label=gettext_lazy("Column with the team"), max_length=200, initial="team")
    value_column = forms.CharField(label=gettext_lazy("Column with the figure"), max_length=200, initial="value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True


class NotesForm(Filled):
    """What interviews found, a field per phase."""

    def __init__(self, *args: Any, scales: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, name in scales:
            self.fields[code] = forms.CharField(
                label=f"{code} · {name}", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4})
            )
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
