"""The scales and factor models of a finished run, as the scripts for other programs need them."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.models import AnalysisRun
from analysis.models.results import FactorModelResult, ReliabilityResult, ScaleSet
from analysis.plan.plans import ScalePlan, rules
from analysis.runs.names import OWN
from surveys.questionnaires.publishing import definition_of


@dataclass(frozen=True, slots=True)
class RunScales:
    """The scales of one set, as the run scored them."""

    scale_set: str
    scales: tuple[ScalePlan, ...]


def scales_of(run: AnalysisRun) -> list[RunScales]:
    """The scale sets of a run, read from its rows: decisions taken since do not count."""
    plan = rules(run.plan.content)
    planned = {scale.code: scale for scale in plan.scales}
    order = definition_of(run.survey.version).item_codes
    by_set: dict[str, list[ScalePlan]] = {ScaleSet.THEORETICAL.value: [], ScaleSet.FINAL.value: []}
    for row in ReliabilityResult.objects.filter(run=run).order_by("pk"):
        items = tuple(item for item in order if item in row.items)
        before = planned.get(row.scale)
        same = before is not None and set(before.items) == set(items)
        minimum = before.minimum_answered if before is not None and same else plan.minimum_answered(len(items))
        reverse = tuple(item for item in items if item in plan.reverse_keyed)
        by_set[row.scale_set].append(ScalePlan(row.scale, items, reverse, minimum))
    return [RunScales(name, tuple(scales)) for name, scales in by_set.items()]


def fitted_models(run: AnalysisRun) -> list[FactorModelResult]:
    """The run's models of the path that converged, in its order; models that a researcher added stay on their page."""
    path = FactorModelResult.objects.filter(run=run, converged=True).exclude(name__startswith=OWN)
    return list(path.order_by("pk"))
