"""Item and score statistics: means, spread, skewness, kurtosis, distributions.

Skewness and kurtosis come in the three types of Joanes and Gill (1998): type 1 the moment ratios g1 and g2, type 2 the
adjusted G1 and G2 of SPSS and SAS, type 3 b1 and b2 of Minitab and psych. Kurtosis is always the excess over the normal
distribution's 3.

Joanes, D. N. & Gill, C. A. (1998). Comparing measures of sample skewness and kurtosis. The Statistician, 47(1), 183-189.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..problems import NO_VARIANCE, TOO_FEW_OBSERVATIONS, Problem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: The statistics of :func:`describe`, in the order of its columns.
STATISTICS = (
    "n",
    "n_missing",
    "mean",
    "sd",
    "median",
    "min",
    "max",
    "se_mean",
    "skew_type1",
    "skew_type2",
    "skew_type3",
    "kurtosis_type1",
    "kurtosis_type2",
    "kurtosis_type3",
)


def describe(values: pd.DataFrame) -> pd.DataFrame:
    """Return :data:`STATISTICS` for every column of ``values`` (respondents × items or scores, NaN for gaps).

    One row per variable. ``sd`` uses n - 1; ``se_mean`` is ``sd/sqrt(n)``; ``median`` of the answers given. A statistic
    that its n or a zero variance does not allow is NaN.
    """
    x = values.to_numpy(dtype=np.float64)
    answered = ~np.isnan(x)
    n = answered.sum(axis=0)
    divisor = np.maximum(n, 1)
    mean = np.where(answered, x, 0.0).sum(axis=0) / divisor
    centred = np.where(answered, x - mean, 0.0)
    square = centred * centred
    m2 = square.sum(axis=0) / divisor
    m3 = (square * centred).sum(axis=0) / divisor
    m4 = (square * square).sum(axis=0) / divisor
    nan = np.full(len(n), np.nan)
    some = n > 0
    sd = np.where(n > 1, np.sqrt(m2 * n / np.maximum(n - 1, 1)), np.nan)
    lowest = np.where(answered, x, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(answered, x, -np.inf).max(axis=0, initial=-np.inf)
    varies = some & (highest > lowest)
    g1, g2 = nan.copy(), nan.copy()
    np.divide(m3, m2**1.5, out=g1, where=varies)
    np.divide(m4, m2**2, out=g2, where=varies)
    g2 -= 3
    with np.errstate(invalid="ignore", divide="ignore"):
        skew2 = np.where(n > 2, g1 * np.sqrt(n * np.maximum(n - 1, 0)) / (n - 2), np.nan)
        kurtosis2 = np.where(n > 3, ((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3)), np.nan)
        shrink = (divisor - 1) / divisor
    statistics = {
        "n": n,
        "n_missing": len(x) - n,
        "mean": np.where(some, mean, np.nan),
        "sd": sd,
        "median": _medians(x, answered),
        "min": np.where(some, lowest, np.nan),
        "max": np.where(some, highest, np.nan),
        "se_mean": sd / np.sqrt(divisor),
        "skew_type1": g1,
        "skew_type2": skew2,
        "skew_type3": g1 * shrink**1.5,
        "kurtosis_type1": g2,
        "kurtosis_type2": kurtosis2,
        "kurtosis_type3": (g2 + 3) * shrink**2 - 3,
    }
    return pd.DataFrame(statistics, index=values.columns)


def of_counts(counts: npt.NDArray[np.integer]) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return n, mean and sd (n - 1) per row of ``counts`` (groups × categories): how often 1, 2, … was answered.

    Sums of whole numbers are exact, so they are the same in whatever order respondents stand. A mean of nobody and a spread
    of fewer than two are NaN.
    """
    answers = np.arange(1, counts.shape[1] + 1)
    n = counts.sum(axis=1)
    mean = np.where(n > 0, counts @ answers / np.maximum(n, 1), np.nan)
    squares = (counts * (answers - mean[:, None]) ** 2).sum(axis=1)
    return n, mean, np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)


def description_problems(values: pd.DataFrame) -> tuple[Problem, ...]:
    """Name the variables whose statistics are not defined: without answers, or all answers equal."""
    table = describe(values)
    problems = []
    for name, n, lowest, highest in zip(values.columns, table["n"], table["min"], table["max"], strict=True):
        if n < 2:
            problems.append(Problem(TOO_FEW_OBSERVATIONS, str(name), f"{name} has {n} answers: at least 2 are needed."))
        elif lowest == highest:
            problems.append(Problem(NO_VARIANCE, str(name), f"All answers to {name} are the same."))
    return tuple(problems)


def frequencies(values: pd.Series[float]) -> dict[float, int]:
    """Return how often each answer was given, in rising order of the answer."""
    answers, counts = np.unique(values.dropna().to_numpy(dtype=np.float64), return_counts=True)
    return dict(zip(answers.tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class DistributionResult:
    """Answers per category of every item: ``counts`` and ``shares`` (of the answers given) are items × categories.

    ``unanswered`` is the number of respondents without an answer per item, ``outside`` the number of answers that are no
    category.
    """

    counts: pd.DataFrame
    shares: pd.DataFrame
    unanswered: pd.Series[int]
    outside: pd.Series[int]


def distributions(items: pd.DataFrame, categories: Sequence[float]) -> DistributionResult:
    """Count the answers of every item in each of ``categories`` (e.g. 1, 2, 3, 4); empty categories count 0."""
    x = items.to_numpy(dtype=np.float64)
    answered = ~np.isnan(x)
    counts = np.column_stack([(x == category).sum(axis=0) for category in categories])
    given = answered.sum(axis=0)
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, given[:, None], out=shares, where=given[:, None] > 0)
    columns = list(categories)
    return DistributionResult(
        counts=pd.DataFrame(counts, index=items.columns, columns=columns),
        shares=pd.DataFrame(shares, index=items.columns, columns=columns),
        unanswered=pd.Series(len(x) - given, index=items.columns),
        outside=pd.Series(given - counts.sum(axis=1), index=items.columns),
    )


def description_to_dict(values: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return :func:`describe` with frequencies, per variable, under the key names of the oracle files."""
    rows = describe(values).to_dict(orient="records")
    result: dict[str, dict[str, object]] = {}
    for name, statistics in zip(values.columns, rows, strict=True):
        row: dict[str, object] = {str(key): value for key, value in statistics.items()}
        row["freq"] = {f"{answer:.15g}": count for answer, count in frequencies(values[name]).items()}
        result[str(name)] = row
    return result


def _medians(x: FloatArray, answered: npt.NDArray[np.bool_]) -> FloatArray:
    """Column medians of the answers given; NaN where there are none (numpy's own would warn)."""
    return np.array(
        [np.median(x[answered[:, item], item]) if answered[:, item].any() else np.nan for item in range(x.shape[1])],
        dtype=np.float64,
    )
