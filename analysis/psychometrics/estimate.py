"""The one entrance to factor models: which estimator, which cases, which module does the work."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from analysis.psychometrics import cfa
from analysis.psychometrics.fiml_fit import fit_fiml
from analysis.psychometrics.model import build_table
from analysis.psychometrics.result import AnalysisInputError, FitFailure, FitResult
from analysis.psychometrics.sample import draw_sample
from analysis.psychometrics.syntax import parse_model
from analysis.psychometrics.twolevel_fit import fit_two_level

ESTIMATORS = (*cfa.ESTIMATORS, "WLSMV")


def fit(
    model: str,
    data: pd.DataFrame,
    *,
    estimator: str = "ML",
    cluster: str | None = None,
    missing: str = "listwise",
    group: str | None = None,
    ordered: Sequence[str] | bool | None = None,
    std_lv: bool = False,
    mean_structure: bool = False,
    group_equal: Collection[str] = (),
    modification: bool = True,
) -> FitResult:
    """Fit a factor model in lavaan's syntax.

    ``data`` has one row per respondent and a column per item. ``estimator`` is ML, MLM, MLMV, MLR or WLSMV.
    ``cluster`` names the column of the teams: errors are then cluster-robust (MLR, the only likelihood estimator with
    clusters; WLSMV), or the model has ``level:`` blocks and is two-level. ``missing`` is ``listwise`` or ``fiml``.
    ``group`` names the column of a multi-group model, ``group_equal`` what is equal over groups (loadings, intercepts,
    residuals, means). ``std_lv`` fixes factor variances at 1 instead of a first loading.

    Returns a :class:`FitResult`; whatever the data do not allow is a named problem in it. Raises
    :class:`AnalysisInputError` for a model that cannot be read, an unknown column or option, or text in an item.
    """
    estimator = estimator.upper()
    _check_options(estimator, cluster, missing, group, ordered)
    syntax = parse_model(model)
    if syntax.two_level and cluster is None:
        raise AnalysisInputError("a model with 'level:' blocks needs the column of the clusters")
    if syntax.two_level and missing == "fiml":
        raise AnalysisInputError("a model with 'level:' blocks is fitted to complete cases: choose missing listwise")
    try:
        plain = build_table(syntax, std_lv=std_lv)
        sample = draw_sample(data, plain.observed, group=group, cluster=cluster, keep_missing=missing == "fiml")
        table = build_table(
            syntax,
            n_groups=len(sample.groups),
            mean_structure=mean_structure or missing == "fiml" or (cluster is not None and estimator == "MLR"),
            std_lv=std_lv,
            group_equal=group_equal,
        )
        if table.two_level:
            return fit_two_level(table, sample, estimator)
        if missing == "fiml":
            return fit_fiml(table, sample, estimator, modification=modification)
        return cfa.fit_maximum_likelihood(table, sample, estimator, modification=modification)
    except FitFailure as failure:
        return FitResult.failed(failure.problem, estimator=estimator, missing=missing, n_obs=len(data))


def _check_options(
    estimator: str, cluster: str | None, missing: str, group: str | None, ordered: Sequence[str] | bool | None
) -> None:
    if estimator not in ESTIMATORS:
        raise AnalysisInputError(f"unknown estimator {estimator!r}: choose {', '.join(ESTIMATORS)}")
    if missing not in ("listwise", "fiml"):
        raise AnalysisInputError(f"unknown treatment of missing answers {missing!r}: choose listwise or fiml")
    if missing == "fiml" and estimator not in ("ML", "MLR"):
        raise AnalysisInputError("full-information maximum likelihood (fiml) goes with estimator ML or MLR")
    if group is not None and group == cluster:
        raise AnalysisInputError("the group and the cluster must be two different columns")
    if ordered and estimator != "WLSMV":
        raise AnalysisInputError("ordered items go with estimator WLSMV")
