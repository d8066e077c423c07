"""The form that changes a locked plan. It checks; analysis/plan.py writes."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.plan import ESTIMATORS, Content, changed, rules

MINIMUM = "minimum_"
#: How far the parts of a distribution may be from 1 together.
ROUNDING = 1e-5


class AmendmentForm(forms.Form):
    """The rules that can be changed afterwards, as they stand, and the reason for the change."""

    not_eligible = forms.BooleanField(
        label=gettext_lazy("Set aside who says that questions about the team cannot be answered"), required=False
    )
    unanswered_over = forms.FloatField(
        label=gettext_lazy("Set aside who left more than this percentage of the questions unanswered"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=gettext_lazy("Leave empty if nobody is set aside for this."),
    )
    skewed_null = forms.CharField(
        label=gettext_lazy("Skewed null of rwg(j)"),
        max_length=200,
        help_text=gettext_lazy("One share per answer, lowest answer first, with blanks between them; together 1."),
    )
    estimators = forms.MultipleChoiceField(
        label=gettext_lazy("Estimators of the factor models"),
        choices=[(name, name) for name in ESTIMATORS],
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Say also whether you had seen results. It stands beside every result of this plan."),
    )

    def __init__(self, *args: Any, content: Content, names: dict[str, str], **kwargs: Any) -> None:
        plan = rules(content)
        kwargs["initial"] = {
            "not_eligible": plan.set_aside_not_eligible,
            "unanswered_over": None if plan.most_unanswered is None else round(100 * plan.most_unanswered, 6),
            "skewed_null": " ".join(str(share) for share in plan.skewed_null),
            "estimators": list(plan.estimators),
        }
        super().__init__(*args, **kwargs)
        self.content, self.plan = content, plan
        reason = self.fields.pop("reason")
        for scale in plan.scales:
            self.fields[MINIMUM + scale.code] = forms.IntegerField(
                label=_("%(scale)s: answered at least") % {"scale": names.get(scale.code, scale.code)},
                min_value=1,
                max_value=len(scale.items),
                initial=scale.minimum_answered,
                help_text=_("of %(n)s questions") % {"n": len(scale.items)},
            )
        self.fields["reason"] = reason
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean_skewed_null(self) -> list[float]:
        """The distribution."""
        try:
            null = [float(part) for part in self.cleaned_data["skewed_null"].replace(",", ".").split()]
        except ValueError as error:
            raise ValidationError(_("Write numbers with blanks between them, for instance 0.1 0.2 0.4 0.3.")) from error
        if len(null) != self.plan.n_points:
            raise ValidationError(_("There must be %(n)s shares, one per answer.") % {"n": self.plan.n_points})
        if min(null) < 0 or not abs(sum(null) - 1) < ROUNDING:
            raise ValidationError(_("The shares must be 0 or more and make 1 together."))
        return null

    @property
    def amended(self) -> Content:
        """The content of the plan as changed."""
        cleaned = self.cleaned_data
        share = cleaned["unanswered_over"]
        return changed(
            self.content,
            screening={
                "not_eligible": cleaned["not_eligible"],
                "unanswered_over": None if share is None else round(share / 100, 8),
            },
            minimums={scale.code: cleaned[MINIMUM + scale.code] for scale in self.plan.scales},
            null=cleaned["skewed_null"],
            estimators=[name for name in ESTIMATORS if name in cleaned["estimators"]],
        )
