"""The one entrance to factor models: which estimator, which cases, which module does the work."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from ..errors import AnalysisInputError, FitFailure
from ..fiml.fit import fit_fiml
from ..ml import cfa
from ..ml.result import FitResult
from ..ml.sample import draw_sample
from ..ordinal.ordinal import ESTIMATORS as ORDINAL_ESTIMATORS
from ..ordinal.ordinal import fit_ordinal
from ..syntax.model import build_table, observed_names
from ..syntax.parsing import ModelSyntax, parse_model
from ..twolevel.fit import fit_two_level

ESTIMATORS = (*cfa.ESTIMATORS, *ORDINAL_ESTIMATORS)
MISSING = ("listwise", "fiml", "pairwise")


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

    ``data`` has one row per respondent and a column per item. ``estimator`` is ML, MLM, MLMV, MLR, or for ordinal items
    WLSMV (DWLS, ULSMV). ``cluster`` names the column of the teams: errors and chi-square are then cluster-robust (ML
    becomes MLR; WLSMV), or the model has ``level:`` blocks and is two-level (ML, MLR). ``missing`` is ``listwise``,
    ``fiml`` (ML, MLR) or ``pairwise`` (WLSMV). ``group`` names the column of a multi-group model, ``group_equal`` what
    is equal over groups (loadings, intercepts, residuals, means). ``std_lv`` fixes factor variances at 1 instead of a
    first loading. ``ordered`` names the ordinal items; with WLSMV all are. Without ``modification`` no modification
    indices are computed.

    Returns a :class:`FitResult`; whatever the data do not allow is a named problem in it. Raises
    :class:`AnalysisInputError` for a model that cannot be read, an unknown column or option, or text in an item.
    """
    estimator = estimator.upper()
    syntax = parse_model(model)
    _check_options(estimator, cluster, missing, group, ordered, syntax)
    if estimator in ORDINAL_ESTIMATORS:
        return fit_ordinal(
            syntax, data, estimator=estimator, ordered=True if ordered is None else ordered,
            missing=missing, group=group, cluster=cluster, std_lv=std_lv, group_equal=tuple(group_equal),
        )  # fmt: skip
    clustered = cluster is not None and not syntax.two_level
    if clustered and estimator == "ML":
        estimator = "MLR"  # as in lavaan: clusters ask for robust errors
    items = observed_names(syntax)
    sample = draw_sample(data, items, group=group, cluster=cluster, keep_missing=missing == "fiml")
    table = build_table(
        syntax,
        n_groups=len(sample.groups),
        mean_structure=mean_structure or missing == "fiml" or clustered,
        std_lv=std_lv,
        group_equal=group_equal,
    )
    try:
        if syntax.two_level:
            return fit_two_level(table, sample, estimator, modification=modification)
        if missing == "fiml":
            return fit_fiml(table, sample, estimator, modification=modification)
        return cfa.fit_maximum_likelihood(table, sample, estimator, modification=modification)
    except FitFailure as failure:
        return FitResult.failed(
            failure.problem, estimator=estimator, missing=missing, n_obs=sample.n_obs, n_free=table.n_free
        )


def _check_options(
    estimator: str,
    cluster: str | None,
    missing: str,
    group: str | None,
    ordered: Sequence[str] | bool | None,
    syntax: ModelSyntax,
) -> None:
    if estimator not in ESTIMATORS:
        raise AnalysisInputError(f"unknown estimator {estimator!r}: choose {', '.join(ESTIMATORS)}")
    if missing not in MISSING:
        raise AnalysisInputError(f"unknown treatment of missing answers {missing!r}: choose {', '.join(MISSING)}")
    if missing == "fiml" and estimator not in ("ML", "MLR"):
        raise AnalysisInputError("full-information maximum likelihood (fiml) goes with estimator ML or MLR")
    if missing == "pairwise" and estimator not in ORDINAL_ESTIMATORS:
        raise AnalysisInputError("pairwise treatment of missing answers goes with estimator WLSMV")
    if group is not None and group == cluster:
        raise AnalysisInputError("the group and the cluster must be two different columns")
    if ordered and estimator not in ORDINAL_ESTIMATORS:
        raise AnalysisInputError("ordered items go with estimator WLSMV")
    if syntax.two_level:
        if cluster is None:
            raise AnalysisInputError("a model with 'level:' blocks needs the column of the clusters")
        if missing == "fiml":
            raise AnalysisInputError("a two-level model takes complete cases: missing answers 'listwise', not 'fiml'")
    elif cluster is not None and estimator in ("MLM", "MLMV"):
        raise AnalysisInputError(f"estimator {estimator} has no cluster-robust errors: choose MLR")
