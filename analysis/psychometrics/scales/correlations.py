"""Covariances and correlations of items or scores, listwise or pairwise, and whether a matrix can be factored.

All matrices are (variables × variables) and use the n - 1 denominator. "Listwise" keeps the rows without a gap,
"pairwise" uses for every pair the rows where both are answered, with the means of those rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
from .scoring import answer_blocks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Missing = Literal["listwise", "pairwise"]


def covariance_matrix(x: pd.DataFrame | FloatArray, *, missing: Missing = "listwise") -> tuple[FloatArray, IntArray]:
    """Return the covariance matrix and the number of rows behind each of its cells, both (variables × variables).

    ``x`` is (respondents × variables) with NaN for gaps. Cells resting on fewer than two rows are NaN. A pairwise matrix
    need not be positive definite.
    """
    if missing == "pairwise":
        together = _together(x)
        if together is not None:
            return together.covariance, together.n
    mean, n_complete = complete_means(x)
    p = len(mean)
    n = np.full((p, p), n_complete, dtype=np.int64)
    if n_complete < 2:
        return np.full((p, p), np.nan), n
    products = np.zeros((p, p))
    for _, values in answer_blocks(x):
        centred = _complete(values) - mean
        products += centred.T @ centred
    return products / (n_complete - 1), n


def correlation_matrix(x: pd.DataFrame | FloatArray, *, missing: Missing = "listwise") -> FloatArray:
    """Return Pearson correlations (variables × variables), NaN where a variable does not vary.

    Pairwise, the standard deviations too are those of the rows where both variables are answered, so every cell is a
    correlation in the strict sense (as R's ``cor(use = "pairwise")``).
    """
    together = _together(x) if missing == "pairwise" else None
    if together is None:
        covariance, _ = covariance_matrix(x, missing="listwise")
        return correlation_from_covariance(covariance)
    covariance, variances = together.covariance, together.variances
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance / np.sqrt(variances * variances.T)
    np.fill_diagonal(correlation, np.where(np.diag(covariance) > 0, 1.0, np.nan))
    return np.asarray(np.where(together.n >= 2, correlation, np.nan), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Together:
    """Of every pair of variables, over the rows where both are answered: how many these are, the covariance, and
    ``variances[i, j]``, the variance of i over them. NaN below two rows."""

    n: IntArray
    covariance: FloatArray
    variances: FloatArray


def _together(x: pd.DataFrame | FloatArray) -> _Together | None:
    """Sums over the rows where both of a pair are answered, some rows at a time; None where there is no gap."""
    n_rows, p = x.shape
    count, total = np.zeros(p, dtype=np.int64), np.zeros(p)
    for _, values in answer_blocks(x):
        answered = ~np.isnan(values)
        count += answered.sum(axis=0)
        total += np.where(answered, values, 0.0).sum(axis=0)
    if (count == n_rows).all():
        return None
    # Centring at the available means first keeps the sums of products small: no cancellation for large offsets.
    offset = total / np.maximum(count, 1)
    both, sums, squares, products = (np.zeros((p, p)) for _ in range(4))
    for _, values in answer_blocks(x):
        answered = ~np.isnan(values)
        seen = answered.astype(np.float64)
        z = np.where(answered, values - offset, 0.0)
        both += seen.T @ seen
        sums += z.T @ seen  # sums[i, j]: sum of variable i over the rows where both i and j are answered
        squares += (z * z).T @ seen
        products += z.T @ z
    n = np.rint(both).astype(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = (products - sums * sums.T / n) / (n - 1)
        variances = (squares - sums**2 / n) / (n - 1)
    return _Together(n, np.where(n >= 2, covariance, np.nan), np.where(n >= 2, variances, np.nan))


def complete_means(x: pd.DataFrame | FloatArray) -> tuple[FloatArray, int]:
    """The means over the rows without a gap, and how many these are."""
    n, total = 0, np.zeros(x.shape[1])
    for _, values in answer_blocks(x):
        complete = _complete(values)
        n += len(complete)
        total += complete.sum(axis=0)
    return total / max(n, 1), n


def _complete(values: FloatArray) -> FloatArray:
    """The rows without a gap."""
    there = ~np.isnan(values).any(axis=1)
    return values if there.all() else values[there]


def correlation_from_covariance(covariance: FloatArray) -> FloatArray:
    """Return the correlations of a covariance matrix, NaN where a variance is not positive."""
    variance = np.diag(covariance)
    sd = np.sqrt(np.where(variance > 0, variance, np.nan))
    correlation = covariance / np.outer(sd, sd)
    np.fill_diagonal(correlation, np.where(variance > 0, 1.0, np.nan))
    return np.asarray(correlation, dtype=np.float64)


def squared_multiple_correlations(correlation: FloatArray) -> FloatArray:
    """Return each variable's squared multiple correlation with the others, ``1 - 1/diag(inv(R))``, shape (variables,).

    All NaN where R cannot be inverted.
    """
    inverse = _inverse(correlation)
    if inverse is None:
        return np.full(len(correlation), np.nan)
    return 1.0 - 1.0 / np.diag(inverse)


@dataclass(frozen=True, slots=True)
class FactorabilityResult:
    """Whether a correlation matrix holds enough in common to be factored (all on complete rows).

    ``bartlett_*`` is Bartlett's (1951) test that R is an identity matrix; ``kmo_overall`` and ``kmo_items`` the
    Kaiser-Meyer-Olkin measure of sampling adequacy (Kaiser 1974), 0 to 1; ``eigenvalues`` those of R, falling.
    """

    n: int
    items: tuple[str, ...]
    bartlett_chisq: float
    bartlett_df: int
    bartlett_p: float
    kmo_overall: float
    kmo_items: dict[str, float]
    eigenvalues: tuple[float, ...]
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the numbers under the key names of the oracle files."""
        return {
            "n": self.n,
            "bartlett_chisq": self.bartlett_chisq,
            "bartlett_df": self.bartlett_df,
            "bartlett_p": self.bartlett_p,
            "kmo_overall": self.kmo_overall,
            "kmo_items": dict(self.kmo_items),
            "eigenvalues": list(self.eigenvalues),
            "problems": [problem.to_dict() for problem in self.problems],
        }


def factorability(items: pd.DataFrame) -> FactorabilityResult:
    """Compute Bartlett's test, KMO and eigenvalues on the rows of ``items`` without gaps.

    Bartlett: ``-(n - 1 - (2p + 5)/6) · ln|R|`` on p(p-1)/2 degrees of freedom. KMO: sum of squared correlations over
    that sum plus the sum of squared anti-image correlations. An item without variance, or an R that cannot be inverted,
    is a problem and the numbers are NaN.

    Bartlett, M. S. (1951). The effect of standardization on a chi-square approximation in factor analysis. Biometrika,
    38, 337-344. Kaiser, H. F. (1974). An index of factorial simplicity. Psychometrika, 39, 31-36.
    """
    names = tuple(str(name) for name in items.columns)
    values = items.to_numpy(dtype=np.float64)
    values = values[~np.isnan(values).any(axis=1)]
    n, p = values.shape
    problems = list(_variance_problems(values, names))
    r = np.eye(p) if problems else correlation_matrix(values)
    inverse = None if problems else _inverse(r)
    if inverse is None:
        if not problems:
            problems.append(
                Problem(NOT_POSITIVE_DEFINITE, "", "The correlation matrix of these items cannot be inverted.")
            )
        nan = float("nan")
        return FactorabilityResult(
            n, names, nan, p * (p - 1) // 2, nan, nan, dict.fromkeys(names, nan), (nan,) * p, tuple(problems)
        )
    sign, log_det = np.linalg.slogdet(r)
    chisq = float(-(n - 1 - (2 * p + 5) / 6) * log_det) if sign > 0 else float("nan")
    df = p * (p - 1) // 2
    anti_image = correlation_from_covariance(inverse) ** 2
    squared = r**2
    np.fill_diagonal(anti_image, 0.0)
    np.fill_diagonal(squared, 0.0)
    kmo_items = squared.sum(axis=0) / (squared.sum(axis=0) + anti_image.sum(axis=0))
    return FactorabilityResult(
        n=n,
        items=names,
        bartlett_chisq=chisq,
        bartlett_df=df,
        bartlett_p=float(stats.chi2.sf(chisq, df)),
        kmo_overall=float(squared.sum() / (squared.sum() + anti_image.sum())),
        kmo_items=dict(zip(names, kmo_items.tolist(), strict=True)),
        eigenvalues=tuple(np.linalg.eigvalsh(r)[::-1].tolist()),
    )


@dataclass(frozen=True, slots=True)
class MardiaResult:
    """Mardia's (1970) multivariate skewness and kurtosis with their tests."""

    n: int
    b1p: float
    b2p: float
    skew_stat: float
    p_skew: float
    kurtosis_z: float
    p_kurt: float
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the numbers under the key names of the oracle files."""
        return {
            "n": self.n,
            "b1p": self.b1p,
            "b2p": self.b2p,
            "skew_stat": self.skew_stat,
            "p_skew": self.p_skew,
            "kurtosis_z": self.kurtosis_z,
            "p_kurt": self.p_kurt,
            "problems": [problem.to_dict() for problem in self.problems],
        }


def mardia(items: pd.DataFrame) -> MardiaResult:
    """Compute Mardia's skewness b1p and kurtosis b2p on the rows without gaps (covariance with n - 1).

    ``skew_stat = n · b1p / 6`` on p(p+1)(p+2)/6 degrees of freedom, ``kurtosis_z = (b2p - p(p+2)) / sqrt(8p(p+2)/n)``
    (Mardia 1970, eqs. 2.26 and 3.12), p-values one- and two-sided.

    Mardia, K. V. (1970). Measures of multivariate skewness and kurtosis with applications. Biometrika, 57, 519-530.
    """
    names = tuple(str(name) for name in items.columns)
    values = items.to_numpy(dtype=np.float64)
    values = values[~np.isnan(values).any(axis=1)]
    n, p = values.shape
    problems = list(_variance_problems(values, names))
    nan = float("nan")
    try:
        root = None if problems else np.linalg.cholesky(covariance_matrix(values)[0])
    except np.linalg.LinAlgError:
        root = None
        problems.append(Problem(NOT_POSITIVE_DEFINITE, "", "The covariance matrix of these items cannot be inverted."))
    if root is None:
        return MardiaResult(n, nan, nan, nan, nan, nan, nan, tuple(problems))
    white = np.linalg.solve(root, (values - values.mean(axis=0)).T).T
    b2p = float(((white**2).sum(axis=1) ** 2).mean())
    if n <= p * p:
        b1p = float(((white @ white.T) ** 3).sum() / n**2)
    else:
        # sum over i, j of (z_i'z_j)³ is the squared norm of the third-moment tensor: p³ numbers instead of n².
        b1p = sum(float((((white * white[:, [k]]).T @ white / n) ** 2).sum()) for k in range(p))
    skew_stat = n * b1p / 6
    kurtosis_z = (b2p - p * (p + 2)) * np.sqrt(n / (8 * p * (p + 2)))
    return MardiaResult(
        n=n,
        b1p=b1p,
        b2p=b2p,
        skew_stat=skew_stat,
        p_skew=float(stats.chi2.sf(skew_stat, p * (p + 1) * (p + 2) / 6)),
        kurtosis_z=float(kurtosis_z),
        p_kurt=float(2 * stats.norm.sf(abs(kurtosis_z))),
    )


def _variance_problems(values: FloatArray, names: tuple[str, ...]) -> list[Problem]:
    n = len(values)
    if len(names) < 2:
        return [Problem(TOO_FEW_ITEMS, "", f"At least 2 items are needed, not {len(names)}.")]
    if n < 2:
        return [Problem(TOO_FEW_OBSERVATIONS, "", f"Only {n} respondents answered all items: at least 2 are needed.")]
    flat = np.ptp(values, axis=0) == 0
    return [
        Problem(NO_VARIANCE, name, f"All answers to {name} are the same.")
        for name, is_flat in zip(names, flat, strict=True)
        if is_flat
    ]


def _inverse(matrix: FloatArray) -> FloatArray | None:
    """The inverse, or None where the matrix is not numerically of full rank."""
    if not np.isfinite(matrix).all() or np.linalg.cond(matrix) > 1e14:
        return None
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
