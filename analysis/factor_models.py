"""The factor models of a run: the plan's, then one after each recorded decision, so that the path can be read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.models import Decision, FactorModelResult
from analysis.plan import PlanRules, ScalePlan, model_syntax
from analysis.psychometrics import AnalysisInputError, fit
from analysis.psychometrics.distinguish import distinguish
from analysis.scales import final_scales

#: The model of the plan: every scale of the theory is one factor.
THEORETICAL = "theoretical"
#: The model after all decisions that stand.
FINAL = "final"
#: The column of the teams in the data that the engine gets; no item code begins with an underscore.
TEAM = "_team"
#: Modification indices kept per model, the largest first: a model of 36 items has some 600.
MODIFICATION_INDICES = 30
#: Samples of teams behind the interval of a heterotrait-monotrait ratio.
REPLICATES = 500


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


def fit_model(
    model: FactorModel, estimator: str, items: pd.DataFrame, teams: npt.NDArray[np.intp]
) -> FactorModelResult:
    """Fit a model to the analysed respondents who answered all its items, errors robust to teams for MLR.

    Beside MLR stands whether each pair of scales can be told apart.
    A model that cannot be fitted is a result too: not converged, with the sentence that says why.
    """
    data = items.assign(**{TEAM: teams})
    row = FactorModelResult(name=model.name, syntax=model.syntax, estimator=estimator, converged=False)
    scales = [scale.code for scale in model.scales]
    try:
        result = fit(
            model.syntax,
            data,
            estimator=estimator,
            cluster=TEAM if estimator == "MLR" else None,
            modification=estimator == "ML",  # robust errors leave the estimates, so also these indices, as they are
        )
    except AnalysisInputError as error:
        row.content = {"warnings": [str(error)], "scales": scales}
        return row
    content = result.to_dict()
    if estimator == "MLR" and result.converged and len(scales) > 1:
        content["distinguish"] = distinguish(model.syntax, data, cluster=TEAM, n_replicates=REPLICATES).to_dict()
    indices = sorted(content["modification_indices"], key=lambda index: -(index["mi"] or 0))
    row.converged = result.converged
    row.fit = content.pop("fit")
    row.content = {
        **content,
        "scales": scales,
        "modification_indices": indices[:MODIFICATION_INDICES],
        "modification_indices_n": len(indices),
    }
    return row
