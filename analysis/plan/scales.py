"""The scales that remain of a plan after the recorded decisions. Pure: reads nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from analysis.models import AnalysisPlan, Decision
from analysis.plan.plans import PlanRules, ScalePlan, rules


class DecisionRefused(Exception):
    """A decision that cannot be taken or undone, in a sentence for the researcher."""


def check(scales: Sequence[ScalePlan], kind: str, subject: str, target: str) -> None:
    """Raise :class:`DecisionRefused` where a decision makes no sense for the scales that stand."""
    codes = [scale.code for scale in scales]
    if kind == Decision.Kind.DROP:
        scale = next((scale for scale in scales if subject in scale.items), None)
        if scale is None:
            raise DecisionRefused(_("%(code)s is not an item of these scales.") % {"code": subject})
        if len(scale.items) < 3:
            raise DecisionRefused(_("A scale needs at least two items."))
    elif subject not in codes:
        raise DecisionRefused(_("%(code)s is not one of the remaining scales.") % {"code": subject})
    elif kind == Decision.Kind.MERGE:
        if target not in codes or target == subject:
            raise DecisionRefused(_("Choose another scale that takes the items."))
    elif len(codes) < 2:
        raise DecisionRefused(_("At least one scale must remain."))


def final_scales(plan: AnalysisPlan | PlanRules, decisions: Iterable[Decision]) -> tuple[ScalePlan, ...]:
    """The scales that remain of a plan after the decisions, applied in order.

    A merged scale keeps the target's code and place, its own items first; the minimum answered follows the plan's rule
    for the new number of items (12 → 8). A decision about what an amended plan no longer holds has nothing to do.
    """
    plan_rules = plan if isinstance(plan, PlanRules) else rules(plan.content)
    scales = plan_rules.scales
    for decision in decisions:
        scales = _apply(plan_rules, scales, decision)
    return scales


def _apply(plan: PlanRules, scales: tuple[ScalePlan, ...], decision: Decision) -> tuple[ScalePlan, ...]:
    try:
        check(scales, decision.kind, decision.subject, decision.target)
    except DecisionRefused:
        return scales
    if decision.kind == Decision.Kind.SET_ASIDE:
        return tuple(scale for scale in scales if scale.code != decision.subject)
    if decision.kind == Decision.Kind.DROP:
        return tuple(_with_items(plan, scale, [i for i in scale.items if i != decision.subject]) for scale in scales)
    by_code = {scale.code: scale for scale in scales}
    source, target = by_code[decision.subject], by_code[decision.target]
    merged = ScalePlan(
        target.code,
        target.items + source.items,
        target.reverse_keyed + source.reverse_keyed,
        plan.minimum_answered(len(target.items) + len(source.items)),
    )
    return tuple(merged if scale is target else scale for scale in scales if scale is not source)


def _with_items(plan: PlanRules, scale: ScalePlan, items: list[str]) -> ScalePlan:
    if len(items) == len(scale.items):
        return scale
    return ScalePlan(
        scale.code,
        tuple(items),
        tuple(item for item in scale.reverse_keyed if item in items),
        plan.minimum_answered(len(items)),
    )


def check_in_order(plan: AnalysisPlan, decisions: Iterable[Decision]) -> None:
    plan_rules = rules(plan.content)
    scales = plan_rules.scales
    for decision in decisions:
        try:
            check(scales, decision.kind, decision.subject, decision.target)
        except DecisionRefused as error:
            raise DecisionRefused(_("A later decision builds on this one: undo that one first.")) from error
        scales = _apply(plan_rules, scales, decision)
