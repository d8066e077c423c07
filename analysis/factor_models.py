"""The factor models of a run: the plan's, then one after each recorded decision, so that the path can be read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.models import Decision
from analysis.plan import PlanRules, ScalePlan, model_syntax
from analysis.scales import final_scales

#: The model of the plan: every scale of the theory is one factor.
THEORETICAL = "theoretical"
#: The model after all decisions that stand.
FINAL = "final"


@dataclass(frozen=True, slots=True)
class FactorModel:
    name: str
    scales: tuple[ScalePlan, ...]

    @property
    def syntax(self) -> str:
        return model_syntax(self.scales)


def models_of(plan: PlanRules, decisions: Sequence[Decision]) -> list[FactorModel]:
    """The plan's model, the ones on the way (``after_1``, ``after_2``, …) and the final one, without repetition."""
    models = [FactorModel(THEORETICAL, plan.scales)]
    for number in range(1, len(decisions) + 1):
        scales = final_scales(plan, decisions[:number])
        if scales != models[-1].scales:
            models.append(FactorModel(f"after_{number}", scales))
    if len(models) > 1:
        models[-1] = FactorModel(FINAL, models[-1].scales)
    return models
