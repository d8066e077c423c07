"""Reliability of a scale: Cronbach's alpha with intervals, lambda 6, omega total, and what each item adds.

Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika, 16, 297-334.
Guttman, L. (1945). A basis for analyzing test-retest reliability. Psychometrika, 10, 255-282.
Feldt, L. S., Woodruff, D. J. & Salih, F. A. (1987). Statistical inference for coefficient alpha. Applied Psychological
Measurement, 11, 93-103.
Duhachek, A. & Iacobucci, D. (2004). Alpha's standard error (ASE). Journal of Applied Psychology, 89, 792-808.
McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from ..problems import (
    NO_VARIANCE,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_ITEMS,
    TOO_FEW_OBSERVATIONS,
    Problem,
)
from .correlations import Missing, correlation_from_covariance, covariance_matrix, squared_multiple_correlations
from .one_factor import OneFactorResult, fit_one_factor
from .scoring import answer_matrix, check_items

FloatArray = npt.NDArray[np.float64]
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ReliabilityResult:
    """Reliability of one scale, and of the scale without each item; all coefficients without unit.

    ``n`` rows; ``alpha_raw`` from the covariances, ``alpha_std`` from the correlations; ``lambda6`` Guttman's lambda 6;
    ``average_r`` the mean inter-item correlation; ``ase`` Duhachek's standard error of alpha; the intervals at
    ``level``. Per item (items,): ``alpha_if_deleted``, ``alpha_std_if_deleted``, ``item_rest_r`` (with the sum of the other
    items), ``item_total_r`` (uncorrected, with the mean of the items answered), ``item_total_r_smc`` (corrected for
    overlap by the squared multiple correlation).
    """

    items: tuple[str, ...]
    n: int
    level: float
    alpha_raw: float
    alpha_std: float
    lambda6: float
    average_r: float
    ase: float
    feldt_lower: float
    feldt_upper: float
    duhachek_lower: float
    duhachek_upper: float
    alpha_if_deleted: dict[str, float]
    alpha_std_if_deleted: dict[str, float]
    item_rest_r: dict[str, float]
    item_total_r: dict[str, float]
    item_total_r_smc: dict[str, float]
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the numbers under the key names of the oracle files (``ci95`` where the level is .95)."""
        ci = f"ci{100 * self.level:g}"
        return {
            "n": self.n,
            "alpha_raw": self.alpha_raw,
            "alpha_std": self.alpha_std,
            "guttman_lambda6_smc": self.lambda6,
            "average_r": self.average_r,
            "alpha_ase_duhachek_psych": self.ase,
            f"alpha_{ci}_feldt_lower": self.feldt_lower,
            f"alpha_{ci}_feldt_upper": self.feldt_upper,
            f"alpha_{ci}_duhachek_lower": self.duhachek_lower,
            f"alpha_{ci}_duhachek_upper": self.duhachek_upper,
            "alpha_if_deleted": dict(self.alpha_if_deleted),
            "alpha_std_if_deleted": dict(self.alpha_std_if_deleted),
            "item_rest_r": dict(self.item_rest_r),
            "item_total_r_raw": dict(self.item_total_r),
            "item_total_r_corrected_smc": dict(self.item_total_r_smc),
            "problems": [problem.to_dict() for problem in self.problems],
        }


def cronbach_alpha(covariance: FloatArray) -> float:
    """Return ``p/(p-1) · (1 - trace(C)/sum(C))`` (Cronbach 1951, eq. 2); NaN below two items or for a zero total."""
    p, total = len(covariance), float(covariance.sum())
    if p < 2 or not total > 0:
        return _NAN
    return float(p / (p - 1) * (1 - np.trace(covariance) / total))


def feldt_interval(alpha: float, n: int, n_items: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Feldt's interval for alpha: ``1 - (1 - alpha)·F`` on n-1 and (n-1)(p-1) degrees of freedom.

    Feldt, Woodruff and Salih (1987, eqs. 6 and 7). NaN below two respondents or items.
    """
    if n < 2 or n_items < 2 or not np.isfinite(alpha):
        return _NAN, _NAN
    tail = (1 - level) / 2
    df1, df2 = n - 1, (n - 1) * (n_items - 1)
    lower = 1 - (1 - alpha) * stats.f.ppf(1 - tail, df1, df2)
    upper = 1 - (1 - alpha) * stats.f.ppf(tail, df1, df2)
    return float(lower), float(upper)


def alpha_standard_error(covariance: FloatArray, n: int) -> float:
    """Return Duhachek and Iacobucci's (2004, eq. 2) standard error of alpha from a covariance matrix of n rows."""
    p, total = len(covariance), float(covariance.sum())
    if p < 2 or n < 1 or not total > 0:
        return _NAN
    trace, square = np.trace(covariance), covariance @ covariance
    q = 2 * p**2 / ((p - 1) ** 2 * total**3) * (total * (np.trace(square) + trace**2) - 2 * trace * square.sum())
    return float(np.sqrt(max(q, 0.0) / n))


def reliability(items: pd.DataFrame, *, missing: Missing = "listwise", level: float = 0.95) -> ReliabilityResult:
    """Compute alpha and its companions for the items of one scale (respondents × items, reverse-keyed, NaN for gaps).

    ``missing="listwise"`` uses the rows without gaps; ``"pairwise"`` the pairwise covariances of all rows, with n the
    number of rows (what psych does by default: its intervals are then too narrow by the share of gaps).
    """
    names = tuple(str(name) for name in items.columns)
    p = len(names)
    covariance, rows = covariance_matrix(items, missing=missing)
    n = len(items) if missing == "pairwise" or not p else int(rows[0, 0])
    problems = _problems(covariance, names, n)
    if problems and problems[0].code != NO_VARIANCE:
        return _empty(names, n, level, problems)
    correlation = correlation_from_covariance(covariance)
    alpha, ase = cronbach_alpha(covariance), alpha_standard_error(covariance, n)
    lower, upper = feldt_interval(alpha, n, p, level=level)
    z = 1.96 if level == 0.95 else float(stats.norm.ppf(0.5 + level / 2))  # 1.96: as psych prints it
    smc = squared_multiple_correlations(correlation)
    if np.isnan(smc).any() and not problems:
        problems = (Problem(NOT_POSITIVE_DEFINITE, "", "The items' correlation matrix cannot be inverted."),)
    overlap = correlation.copy()
    np.fill_diagonal(overlap, smc)
    with np.errstate(invalid="ignore", divide="ignore"):
        total_smc = overlap.sum(axis=0) / np.sqrt(overlap.sum())
    return ReliabilityResult(
        items=names,
        n=n,
        level=level,
        alpha_raw=alpha,
        alpha_std=cronbach_alpha(correlation),
        lambda6=float(1 - (p - smc.sum()) / correlation.sum()),
        average_r=float((correlation.sum() - p) / (p * (p - 1))),
        ase=ase,
        feldt_lower=lower,
        feldt_upper=upper,
        duhachek_lower=alpha - z * ase,
        duhachek_upper=alpha + z * ase,
        alpha_if_deleted=_named(names, _alpha_without_each(covariance)),
        alpha_std_if_deleted=_named(names, _alpha_without_each(correlation)),
        item_rest_r=_named(names, item_rest_correlations(covariance)),
        item_total_r=_named(
            names, _item_total(answer_matrix(items)) if missing == "pairwise" else _item_total_of(covariance)
        ),
        item_total_r_smc=_named(names, total_smc),
        problems=problems,
    )


def item_rest_correlations(covariance: FloatArray) -> FloatArray:
    """Return every item's correlation with the sum of the other items, shape (items,), NaN where one does not vary."""
    variance = np.diag(covariance)
    with_total = covariance.sum(axis=0)
    rest_variance = covariance.sum() - 2 * with_total + variance
    product = variance * rest_variance
    r = np.full(len(variance), np.nan)
    np.divide(with_total - variance, np.sqrt(np.where(product > 0, product, 1.0)), out=r, where=product > 0)
    return r


def omega_total(items: pd.DataFrame) -> tuple[OneFactorResult, int]:
    """Return the one-factor ML solution with McDonald's omega on the rows without gaps, and their number."""
    names = tuple(str(name) for name in items.columns)
    covariance, rows = covariance_matrix(items)
    n = int(rows[0, 0]) if names else len(items)
    if n < 2:
        problem = Problem(TOO_FEW_OBSERVATIONS, "", f"Only {n} respondents answered all items: at least 2 are needed.")
        nothing = np.full(len(names), np.nan)
        return OneFactorResult(nothing, nothing.copy(), _NAN, _NAN, False, (problem,)), n
    return fit_one_factor(covariance * ((n - 1) / n), names=names), n


def omega_to_dict(result: OneFactorResult, names: Sequence[str], n: int) -> dict[str, object]:
    """Return an omega result under the key names of the oracle files."""
    return {
        "loadings_stdlv": _named(tuple(names), result.loadings),
        "residual_var": _named(tuple(names), result.residual_variances),
        "omega_model": result.omega_model,
        "omega_observed_total": result.omega_observed_total,
        "n": n,
        "problems": [problem.to_dict() for problem in result.problems],
    }


def reliability_of_scales(
    items: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, missing: Missing = "listwise", level: float = 0.95
) -> dict[str, ReliabilityResult]:
    """Return :func:`reliability` for every scale. Raises ``KeyError`` for an item that is not in the data."""
    results = {}
    for scale, names in scales.items():
        check_items(items, names, scale)
        results[scale] = reliability(items[list(names)], missing=missing, level=level)
    return results


def _alpha_without_each(covariance: FloatArray) -> FloatArray:
    """Alpha of the other items, for each item: the sums of the reduced matrix need no reduced matrix."""
    p = len(covariance)
    variance = np.diag(covariance)
    total = covariance.sum() - 2 * covariance.sum(axis=0) + variance
    trace = variance.sum() - variance
    alpha = np.full(p, np.nan)
    if p > 2:
        np.divide(total - trace, total, out=alpha, where=total > 0)
        alpha *= (p - 1) / (p - 2)
    return alpha


def _item_total_of(covariance: FloatArray) -> FloatArray:
    """Correlations with the mean of all items where all are answered: the covariances say it."""
    product = np.diag(covariance) * covariance.sum()
    r = np.full(len(covariance), np.nan)
    np.divide(covariance.sum(axis=0), np.sqrt(np.where(product > 0, product, 1.0)), out=r, where=product > 0)
    return r


def _item_total(values: FloatArray) -> FloatArray:
    """Correlations with the mean of the answered items, over the rows where the item is answered."""
    answered = ~np.isnan(values)
    n_answered = answered.sum(axis=1)
    mean = np.where(answered, values, 0.0).sum(axis=1) / np.maximum(n_answered, 1)
    r = np.full(values.shape[1], np.nan)
    for item in range(values.shape[1]):
        rows = answered[:, item]
        x, y = values[rows, item], mean[rows]
        if len(x) < 2:
            continue
        x, y = x - x.mean(), y - y.mean()
        spread = float((x @ x) * (y @ y))
        if spread > 0:
            r[item] = float(x @ y) / np.sqrt(spread)
    return r


def _problems(covariance: FloatArray, names: tuple[str, ...], n: int) -> tuple[Problem, ...]:
    p = len(names)
    if p < 2:
        return (Problem(TOO_FEW_ITEMS, "", f"Reliability needs at least 2 items, not {p}."),)
    if n < 2 or np.isnan(covariance).any():
        return (
            Problem(
                TOO_FEW_OBSERVATIONS, "", "Two items (or more) were answered together by fewer than 2 respondents."
            ),
        )
    return tuple(
        Problem(NO_VARIANCE, name, f"All answers to {name} are the same.")
        for name, variance in zip(names, np.diag(covariance), strict=True)
        if not variance > 0
    )


def _named(names: tuple[str, ...], values: FloatArray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _empty(names: tuple[str, ...], n: int, level: float, problems: tuple[Problem, ...]) -> ReliabilityResult:
    nothing = dict.fromkeys(names, _NAN)
    return ReliabilityResult(
        names, n, level, *(_NAN,) * 9, nothing, dict(nothing), dict(nothing), dict(nothing), dict(nothing), problems
    )
