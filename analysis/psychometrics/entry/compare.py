r"""Difference tests of nested models, plain and scaled.

X_0 on d_0 belongs to the model with more degrees of freedom (more restricted), X_1 on d_1 to the other.

* plain: X_0 - X_1 on d_0 - d_1;
* ``satorra.bentler.2001`` (MLM, MLR): (X_0 - X_1) / c_d with c_d = (d_0 c_0 - d_1 c_1) / (d_0 - d_1), c the scaling
  factors of the two tests. Satorra and Bentler (2001), Psychometrika 66, eq. 8; c_d below zero is a named problem;
* ``satorra.2000`` (MLMV, WLSMV): with P the information and M the meat of model 1 and H the restriction of model 0 in
  the parameters of model 1 (A H' = 0 for the tangents Delta_1^+ Delta_0), U Gamma has the traces of
  K M, K = P^-1 A'(A P^-1 A')^-1 A P^-1; the difference is scaled and shifted to mean and variance of a chi-square.
  Satorra (2000), in Heijmans et al. (eds.), Innovations in multivariate statistical analysis, pp. 233-247;
  Asparouhov and Muthen (2010).

The table shows the plain chi-square of every model, as lavaan's does: a scaled difference is a function of those.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import AnalysisInputError
from ..ml.cfa import MaximumLikelihood, maximum_likelihood_parts
from ..ml.fit import upper_tail
from ..ml.result import FitResult, FloatArray, plain
from ..ordinal.wlsmv import WlsmvSolution
from ..problems import NOT_COMPARABLE, Problem

METHODS = ("standard", "satorra.bentler.2001", "satorra.2000")


@dataclass(frozen=True)
class DifferenceTest:
    """One row of a comparison: a model, and its difference to the model above it (NaN in the first row)."""

    model: str
    df: int
    aic: float
    bic: float
    chisq: float
    chisq_diff: float = math.nan
    rmsea: float = math.nan
    df_diff: int | None = None
    pvalue: float = math.nan

    def to_dict(self) -> dict[str, Any]:
        """The row under lavaan's column names; None where undefined."""
        return {
            "model": self.model,
            "Df": self.df,
            "AIC": plain(self.aic),
            "BIC": plain(self.bic),
            "Chisq": plain(self.chisq),
            "Chisq diff": plain(self.chisq_diff),
            "RMSEA": plain(self.rmsea),
            "Df diff": self.df_diff,
            "Pr(>Chisq)": plain(self.pvalue),
        }


@dataclass(frozen=True)
class ComparisonResult:
    """Models in order of their degrees of freedom, each tested against the one before it."""

    method: str
    rows: tuple[DifferenceTest, ...]
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """``method``, ``table`` and ``warnings``, ready for JSON."""
        return {
            "method": self.method,
            "table": [row.to_dict() for row in self.rows],
            "warnings": [problem.sentence for problem in self.problems],
            "problems": [problem.to_dict() for problem in self.problems],
        }


@dataclass(frozen=True)
class DifferenceParts:
    """What Satorra's (2000) test needs of a fit.

    ``bread`` (q, q) the inverse of J'VJ, ``meat`` (q, q) J'V Gamma V J, ``jacobian`` (moments, q) of the implied moments
    of all groups, in an order that is the same for both models.
    """

    bread: FloatArray
    meat: FloatArray
    jacobian: FloatArray


@dataclass(frozen=True)
class _Difference:
    """A difference test and the constants that its RMSEA needs: mean of the plain difference is ``c * df``."""

    chisq: float
    plain: float
    df: int
    c: float


def compare(fits: Mapping[str, FitResult], method: str | None = None) -> ComparisonResult:
    """Test nested models against each other.

    ``fits`` maps names to fits of the same data with the same estimator. ``method`` is ``standard``,
    ``satorra.bentler.2001`` or ``satorra.2000``; by default the one that fits the estimator. That the models are nested is
    for the caller to know; equal degrees of freedom and a negative scaling factor are reported as problems.

    Raises :class:`AnalysisInputError` where a fit has no chi-square, or data or estimators differ.
    """
    if method is not None and method not in METHODS:
        raise AnalysisInputError(f"unknown difference test {method!r}: choose {', '.join(METHODS)}")
    ordered = sorted(fits.items(), key=lambda item: item[1].fit.get("df", math.inf))
    _check_comparable(ordered)
    first = ordered[0][1]
    method = method or _default_method(first)
    rows = [_row(*ordered[0])]
    problems: list[Problem] = []
    for (name_1, fit_1), (name_0, fit_0) in pairwise(ordered):
        difference = _difference(fit_1, fit_0, method)
        if isinstance(difference, str):
            problems.append(Problem(NOT_COMPARABLE, name_0, f"{name_0} and {name_1}: {difference}"))
            rows.append(replace(_row(name_0, fit_0), df_diff=int(fit_0.fit["df"] - fit_1.fit["df"])))
        else:
            rows.append(_row(name_0, fit_0, difference))
    return ComparisonResult(method, tuple(rows), tuple(problems))


def _check_comparable(fits: Sequence[tuple[str, FitResult]]) -> None:
    if len(fits) < 2:
        raise AnalysisInputError("a comparison needs at least two models")
    first = fits[0][1]
    for name, fit in fits:
        if "chisq" not in fit.fit:
            reason = f": {fit.problems[-1].sentence}" if fit.problems else ""
            raise AnalysisInputError(f"model {name} has no chi-square to compare{reason}")
        if fit.n_obs != first.n_obs or (fit.table and first.table and set(fit.table.observed) != set(
            first.table.observed
        )):  # fmt: skip
            raise AnalysisInputError(
                f"models {fits[0][0]} and {name} are not fitted to the same items and cases: they cannot be nested"
            )
        if (fit.estimator, fit.missing) != (first.estimator, first.missing):
            raise AnalysisInputError(f"models {fits[0][0]} and {name} are not fitted by the same estimator")


def _default_method(fit: FitResult) -> str:
    if "chisq.scaled" not in fit.fit:
        return "standard"
    return "satorra.2000" if fit.estimator in ("MLMV", "WLSMV", "ULSMV") else "satorra.bentler.2001"


def _row(name: str, fit: FitResult, difference: _Difference | None = None) -> DifferenceTest:
    values = fit.fit
    plain_row = DifferenceTest(
        name, int(values["df"]), values.get("aic", math.nan), values.get("bic", math.nan), values["chisq"]
    )
    if difference is None:
        return plain_row
    df = difference.df
    excess = (difference.plain - difference.c * df) / (fit.n_obs * df)
    n_groups = len(fit.group_labels) or 1
    return DifferenceTest(
        plain_row.model, plain_row.df, plain_row.aic, plain_row.bic, plain_row.chisq,
        chisq_diff=difference.chisq,
        rmsea=math.sqrt(max(excess, 0.0) * n_groups),
        df_diff=df,
        pvalue=upper_tail(difference.chisq, df),
    )  # fmt: skip


def _difference(fit_1: FitResult, fit_0: FitResult, method: str) -> _Difference | str:
    """The difference test of two fits, or the reason why there is none."""
    df = int(fit_0.fit["df"] - fit_1.fit["df"])
    if df == 0:
        return "they have the same degrees of freedom, so neither is a restriction of the other."
    plain_difference = fit_0.fit["chisq"] - fit_1.fit["chisq"]
    if method == "standard":
        return _Difference(plain_difference, plain_difference, df, 1.0)
    if method == "satorra.bentler.2001":
        return _satorra_bentler(fit_1, fit_0, plain_difference, df)
    parts_1, parts_0 = _parts(fit_1), _parts(fit_0)
    if parts_1 is None or parts_0 is None:
        return "this estimator has no test of this kind."
    a, shift = satorra_2000(parts_1, parts_0, df)
    return _Difference(a * plain_difference + shift, plain_difference, df, 1.0)


def _satorra_bentler(fit_1: FitResult, fit_0: FitResult, plain_difference: float, df: int) -> _Difference | str:
    factors = [fit.fit.get("chisq.scaling.factor", math.nan) for fit in (fit_1, fit_0)]
    # a saturated model has no factor of its own, and none is needed: it counts with 0 degrees of freedom
    products = [
        fit.fit["df"] * c if fit.fit["df"] else 0.0 for fit, c in zip((fit_1, fit_0), factors, strict=True)
    ]  # fmt: skip
    c = (products[1] - products[0]) / df
    if math.isnan(c):
        return "their tests are not scaled."
    if c <= 0:
        return "the scaling factor of their difference is not positive, so the scaled difference test is not defined."
    return _Difference(plain_difference / c, plain_difference, df, c)


def satorra_2000(parts_1: DifferenceParts, parts_0: DifferenceParts, df: int) -> tuple[float, float]:
    """Factor and shift of the scaled and shifted difference test: a (X_0 - X_1) + b."""
    tangents = np.linalg.lstsq(parts_1.jacobian, parts_0.jacobian, rcond=None)[0]
    left, _, _ = np.linalg.svd(tangents, full_matrices=True)
    a = left[:, left.shape[1] - df :].T  # directions of model 1 that model 0 does not have
    bread_a = parts_1.bread @ a.T
    k = bread_a @ np.linalg.solve(a @ bread_a, bread_a.T)
    product = k @ parts_1.meat
    first, second = float(np.trace(product)), float(np.vdot(product, product.T))
    factor = math.sqrt(df / second)
    return factor, df - factor * first


def _parts(fit: FitResult) -> DifferenceParts | None:
    if isinstance(ml := fit.internals.get("ml"), MaximumLikelihood):
        return DifferenceParts(*maximum_likelihood_parts(ml, fit.estimator))
    if isinstance(solution := fit.internals.get("wlsmv"), WlsmvSolution):
        return _wlsmv_parts(solution)
    return None


def _wlsmv_parts(solution: WlsmvSolution) -> DifferenceParts:
    meat = np.zeros_like(solution.information)
    for group, jacobian in zip(solution.groups, solution.jacobians, strict=True):
        along = (group.root * group.weight) @ jacobian
        meat += along.T @ along
    bread = np.asarray(np.linalg.inv(solution.information), dtype=np.float64)
    return DifferenceParts(bread, meat, np.concatenate(solution.jacobians))
