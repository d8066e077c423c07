"""The factor models of a run: the plan's, one after each recorded decision, and those that a researcher added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.models import Decision, OwnModel
from analysis.plan.plans import PlanRules, model_syntax
from analysis.plan.scales import final_scales
from analysis.psychometrics import AnalysisInputError, fit
from analysis.psychometrics.entry.discriminant import distinguish
from analysis.psychometrics.ml.result import FitResult, plain
from analysis.runs.names import FINAL, NO_SOLUTION, OWN, REFUSED, THEORETICAL
from analysis.runs.staging import Rows, as_json, rows

#: The column of the teams in the data that the engine gets; no item code begins with an underscore.
TEAM = "_team"
#: Modification indices kept per model, the largest first: a model of 36 items has some 600.
MODIFICATION_INDICES = 30
#: Samples of teams behind the interval of a heterotrait-monotrait ratio.
REPLICATES = 500
#: Standard normal quantile at .975.
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class FactorModel:
    """A model to fit by an estimator. ``factors`` is empty for a text of a researcher's own."""

    name: str
    syntax: str
    estimator: str
    factors: tuple[str, ...] = ()

    @property
    def key(self) -> list[object]:
        """What its result depends on beside the data: not its name, which the same model may have changed."""
        return [self.syntax, self.estimator, self.factors]


def models_of(plan: PlanRules, decisions: Sequence[Decision], own: Iterable[OwnModel] = ()) -> list[FactorModel]:
    """The plan's model, the ones on the way (``after_1``, ``after_2``, …) and the final one, without repetition, by each
    estimator of the plan; then the researcher's own."""
    path = [(THEORETICAL, plan.scales)]
    for n_taken in range(1, len(decisions) + 1):
        scales = final_scales(plan, decisions[:n_taken])
        if scales != path[-1][1]:
            path.append((f"after_{n_taken}", scales))
    if len(path) > 1:
        path[-1] = (FINAL, path[-1][1])
    models = [
        FactorModel(name, model_syntax(scales), estimator, tuple(scale.code for scale in scales))
        for name, scales in path
        for estimator in plan.estimators
    ]
    return models + [FactorModel(f"{OWN}{row.pk}", row.syntax, row.estimator) for row in own]


def fit_model(model: FactorModel, items: pd.DataFrame, teams: npt.NDArray[np.intp]) -> Rows:
    """Fit a model, errors robust to teams for MLR, FIML and WLSMV; all but FIML use who answered all its items.

    Beside MLR stands whether each pair of scales can be told apart.
    A model that cannot be fitted is a result too: not converged, with the sentence that says why.
    """
    data = items.assign(**{TEAM: teams})
    robust = model.estimator in ("MLR", "FIML", "WLSMV")
    try:
        result = fit(
            model.syntax,
            data,
            estimator="MLR" if model.estimator == "FIML" else model.estimator,
            missing="fiml" if model.estimator == "FIML" else "listwise",
            cluster=TEAM if robust else None,
            # robust errors leave the estimates, so also these indices, as they are
            modification=model.estimator == "ML" or not model.factors,
        )
    except (AnalysisInputError, np.linalg.LinAlgError) as error:
        code = REFUSED if isinstance(error, AnalysisInputError) else NO_SOLUTION
        problem = {"code": code, "subject": "", "sentence": str(error)}
        return _row(model, converged=False, fit={}, content={"problems": [problem], "scales": list(model.factors)})
    content = result.to_dict()
    factors = {parameter.lhs for parameter in result.parameters if parameter.op == "=~"}
    converged, correlations = result.converged, _correlations(result)
    del result  # it holds the cases it was fitted to, for difference tests
    if model.estimator == "MLR" and converged and len(factors) > 1:
        try:
            distinguished = distinguish(model.syntax, data, cluster=TEAM, n_replicates=REPLICATES)
            content["distinguish"] = distinguished.to_dict()
        except (AnalysisInputError, np.linalg.LinAlgError):
            pass  # a text of a researcher's own that allows no such test: the page has no table of it then
    indices = sorted(content["modification_indices"], key=lambda index: -(index["mi"] or 0))
    fit_measures = content.pop("fit")
    content |= {
        "scales": list(model.factors),
        "correlations": correlations,
        "modification_indices": indices[:MODIFICATION_INDICES],
        "modification_indices_n": len(indices),
    }
    return _row(model, converged=converged, fit=fit_measures, content=content)


def _correlations(result: FitResult) -> list[dict[str, Any]]:
    """Correlations of factors with 95 % Wald intervals of the standardised estimates."""
    factors = {parameter.lhs for parameter in result.parameters if parameter.op == "=~"}
    correlations = []
    for parameter in result.parameters:
        if parameter.op == "~~" and parameter.lhs != parameter.rhs and {parameter.lhs, parameter.rhs} <= factors:
            r, half = parameter.std_all, Z95 * parameter.std_all_se
            ends = {"r": r, "low": r - half, "high": r + half}
            correlations.append(
                {"first": parameter.lhs, "second": parameter.rhs} | {k: plain(v) for k, v in ends.items()}
            )
    return correlations


def _row(model: FactorModel, *, converged: bool, fit: dict[str, Any], content: dict[str, Any]) -> Rows:
    return rows(
        "factormodelresult",
        1,
        name=model.name,
        syntax=model.syntax,
        estimator=model.estimator,
        converged=np.array([converged]),
        fit=as_json([fit]),
        content=as_json([content]),
    )
