"""The forms that lock a plan and change a locked one. They check; analysis/plan/plans.py writes."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.validators import MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.forms.nulls import chosen_nulls, null_fields
from analysis.plan.plans import ESTIMATORS, Content, changed, rules
from teams.base.written import Written
from teams.forms.filled import Filled

MINIMUM, ITEMS = "minimum_", "items_"


class OpenForm(Written):
    """What is chosen when the plan is locked. ``content`` is the plan to begin with."""

    mirror = forms.BooleanField(
        label=gettext_lazy("Teams that meet can see their own figures in the meeting"),
        required=False,
        help_text=gettext_lazy(
            "Whoever leads the meeting can then close it for good once everybody has handed in, and the figures of that team "
            "appear on the screen. Teachers read this before they begin. It makes teams less comparable: people who have seen "
            "the figures of their team may talk about them with people who have not answered yet. You cannot change this "
            "after the questionnaire has opened."
        ),
    )

    def __init__(self, *args: Any, content: Content, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.content, self.plan = content, rules(content)
        self.fields |= null_fields(self.plan.nulls, self.plan.n_points)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.agreement = chosen_nulls(self, self.plan.nulls, self.plan.n_points)
        return cleaned

    @property
    def chosen(self) -> Content:
        """The content of the plan as chosen."""
        return {**self.content, "agreement": self.agreement}


class AmendmentForm(Filled):
    """The rules that can be changed afterwards, as they stand, and the reason for the change."""

    not_eligible = forms.BooleanField(
        label=gettext_lazy("Set aside anyone who says that they cannot answer questions about the team"), required=False
    )
    unanswered_over = forms.FloatField(
        label=gettext_lazy("Set aside anyone who left more than this percentage of the questions unanswered"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=gettext_lazy("Leave empty if this is no reason to set anyone aside."),
    )
    k = forms.IntegerField(
        label=gettext_lazy("Smallest group shown (k)"),
        help_text=gettext_lazy("It can only become larger: teachers answered on that promise."),
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
        help_text=gettext_lazy(
            "Also say whether you had already seen results. The reason is shown with every result of this plan."
        ),
    )

    def __init__(self, *args: Any, content: Content, names: dict[str, str], **kwargs: Any) -> None:
        plan = rules(content)
        kwargs["initial"] = {
            "not_eligible": plan.set_aside_not_eligible,
            "unanswered_over": None if plan.most_unanswered is None else round(100 * plan.most_unanswered, 6),
            "estimators": list(plan.estimators),
            "k": plan.k,
            "reverse_keyed": list(plan.reverse_keyed),
        }
        super().__init__(*args, **kwargs)
        self.content, self.plan = content, plan
        estimators, reason = self.fields.pop("estimators"), self.fields.pop("reason")
        self.fields |= {**null_fields(plan.nulls, plan.n_points), "estimators": estimators}
        self.fields["k"].min_value = plan.k  # type: ignore[attr-defined]
        self.fields["k"].validators.append(MinValueValidator(plan.k))
        choices = [(item, item) for item in plan.items]
        for scale in plan.scales:
            self.fields[ITEMS + scale.code] = forms.MultipleChoiceField(
                label=_("%(scale)s: questions") % {"scale": names.get(scale.code, scale.code)},
                choices=[(item, item) for item in scale.items],
                initial=list(scale.items),
                widget=forms.CheckboxSelectMultiple,
            )
            self.fields[MINIMUM + scale.code] = forms.IntegerField(
                label=_("%(scale)s: answered at least") % {"scale": names.get(scale.code, scale.code)},
                min_value=1,
                max_value=len(scale.items),
                initial=scale.minimum_answered,
                help_text=_("of %(n)s questions") % {"n": len(scale.items)},
            )
        self.fields["reverse_keyed"] = forms.MultipleChoiceField(
            label=_("Reverse-keyed questions"), choices=choices, widget=forms.CheckboxSelectMultiple, required=False
        )
        self.fields["reason"] = reason
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.agreement = chosen_nulls(self, self.plan.nulls, self.plan.n_points)
        for scale in self.plan.scales:
            items, minimum = cleaned.get(ITEMS + scale.code), cleaned.get(MINIMUM + scale.code)
            if items is not None and len(items) < 2:
                self.add_error(ITEMS + scale.code, _("A scale needs at least two items."))
            elif items and minimum and minimum > len(items):
                self.add_error(
                    MINIMUM + scale.code,
                    _("Only %(n)s questions are left: give that number or a lower one.") % {"n": len(items)},
                )
        return cleaned

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
            agreement=self.agreement,
            items={
                scale.code: [item for item in scale.items if item in cleaned[ITEMS + scale.code]]
                for scale in self.plan.scales
            },
            reverse_keyed=cleaned["reverse_keyed"],
            k=cleaned["k"],
            estimators=[name for name in ESTIMATORS if name in cleaned["estimators"]],
        )
