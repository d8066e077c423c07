"""Null distributions of rwg(j): the variance that answers would have if the members of a team agreed on nothing.

The uniform one by James, Demaree & Wolf (1984), eq. 1. The others are the variances of LeBreton, J. M. & Senter, J. L.
(2008), Answers to 20 questions about interrater reliability and interrater agreement, Organizational Research Methods, 11,
815-852, table 2, with two decimals as printed there; the first author's R code for rwg(j) has the same numbers. The paper
gives them for 5 to 11 points: for fewer there is none but the uniform and what a researcher writes as a distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

UNIFORM = "uniform"
SLIGHT_SKEW = "slight_skew"
#: The names of the published nulls beside the uniform, in the order of the table.
PUBLISHED = (SLIGHT_SKEW, "moderate_skew", "heavy_skew", "triangular", "normal")
#: Points → variances, in the order of :data:`PUBLISHED`.
VARIANCES = {
    5: (1.34, 0.90, 0.44, 1.32, 1.04),
    6: (1.85, 1.26, 0.69, 1.45, 1.25),
    7: (2.90, 2.14, 1.39, 2.10, 1.40),
    8: (3.47, 2.79, 2.35, 2.81, 1.73),
    9: (5.66, 4.73, 3.16, 3.00, 1.58),
    10: (6.30, 5.09, 3.46, 2.89, 1.45),
    11: (7.31, 6.32, 4.02, 3.32, 1.40),
}
#: A skewed distribution over four points: its variance is 0.89.
SKEWED_NULL_4 = (0.10, 0.20, 0.40, 0.30)


def uniform_null_variance(n_categories: int) -> float:
    """Return the variance of a uniform answer over ``n_categories`` points, (A² - 1)/12 (James et al. 1984, eq. 1)."""
    if n_categories < 2:
        raise ValueError(f"A response scale needs at least 2 categories, not {n_categories}.")
    return (n_categories**2 - 1) / 12


def published_null_variance(name: str, n_categories: int) -> float:
    """Return the variance of a null of :data:`PUBLISHED`; ``ValueError`` where the table has none."""
    if name not in PUBLISHED or n_categories not in VARIANCES:
        raise ValueError(f"No variance is published for the null {name!r} over {n_categories} points.")
    return VARIANCES[n_categories][PUBLISHED.index(name)]


def null_variance(probabilities: Sequence[float]) -> float:
    """Return the variance of answers 1, 2, …, A drawn with ``probabilities`` (a null distribution of one's own).

    Raises ``ValueError`` unless these are at least two numbers from 0 to 1 with sum 1, and a variance over 0.
    """
    shares = [float(share) for share in probabilities]
    if len(shares) < 2 or not all(share >= 0 for share in shares) or not abs(math.fsum(shares) - 1) <= 1e-9:
        raise ValueError("A null distribution is a list of at least two probabilities with sum 1.")
    mean = math.fsum(share * answer for answer, share in enumerate(shares, start=1))
    variance = math.fsum(share * (answer - mean) ** 2 for answer, share in enumerate(shares, start=1))
    if not variance > 0:
        raise ValueError("A null distribution must leave room for disagreement: its variance is 0.")
    return variance


def default_nulls(n_categories: int) -> dict[str, float]:
    """Return the uniform null and one that expects less: the slight skew for 5 to 11 points, ``skewed`` for 4.

    For 2, 3 and more than 11 points there is none, and the uniform stands alone.
    """
    nulls = {UNIFORM: uniform_null_variance(n_categories)}
    if n_categories in VARIANCES:
        nulls[SLIGHT_SKEW] = published_null_variance(SLIGHT_SKEW, n_categories)
    elif n_categories == len(SKEWED_NULL_4):
        nulls["skewed"] = null_variance(SKEWED_NULL_4)
    return nulls
