"""Who did not answer: return rates of groups of teams, respondents beside a known composition, rates beside scores.

Teachers sit in teams and answer alike, also in whether they answer. So return rates have intervals that know the teams, and the
chi-square test of a composition is corrected for them (Rao and Scott 1981): without it, teams that differ would look like a
difference between respondents and population. None of this proves that nonresponse did no harm.

Bonett, D. G. & Wright, T. A. (2000). Sample size requirements for estimating Pearson, Kendall and Spearman correlations.
Psychometrika, 65, 23-28.
Cochran, W. G. (1977). Sampling techniques (3rd ed.). Wiley.
Cohen, J. (1988). Statistical power analysis for the behavioral sciences (2nd ed.). Erlbaum.
Fisher, R. A. (1921). On the "probable error" of a coefficient of correlation. Metron, 1, 3-32.
Rao, J. N. K. & Scott, A. J. (1981). The analysis of categorical data from complex sample surveys: chi-squared tests for
goodness of fit and independence in two-way tables. Journal of the American Statistical Association, 76, 221-230.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from ..problems import (
    EMPTY_CATEGORY,
    NO_VARIANCE,
    TOO_FEW_OBSERVATIONS,
    TOO_FEW_TEAMS,
    Problem,
)
from .icc import Teams

FloatArray = npt.NDArray[np.float64]
_NAN = float("nan")
#: A chi-square is not to be trusted with an expected count below this.
FEWEST_EXPECTED = 5.0
#: Values that are equal to so many decimals share a rank.
TIE_DECIMALS = 10


@dataclass(frozen=True, slots=True)
class CorrelationResult:
    """A correlation over ``n`` pairs with its confidence interval and two-sided p."""

    n: int
    r: float
    ci_lower: float
    ci_upper: float
    p: float
    problems: tuple[Problem, ...] = ()


def correlation(
    x: FloatArray, y: FloatArray, method: Literal["pearson", "spearman"] = "pearson", *, level: float = 0.95
) -> CorrelationResult:
    """Return the correlation of two variables (cases,), every case with the same weight; cases with a NaN are left out.

    The interval is tanh(atanh r ± z·se), se = √(1/(n − 3)) for Pearson's r (Fisher 1921) and √((1 + r²/2)/(n − 3)) for
    Spearman's (Bonett and Wright 2000); p from t on n − 2 degrees of freedom. Below 4 cases, or without variance: a problem.
    """
    both = ~np.isnan(x) & ~np.isnan(y)
    first, second, n = x[both], y[both], int(both.sum())
    if n < 4:
        problem = Problem(TOO_FEW_OBSERVATIONS, "", f"{n} cases: at least 4 are needed for an interval.")
        return CorrelationResult(n, _NAN, _NAN, _NAN, _NAN, (problem,))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        problem = Problem(NO_VARIANCE, "", "One of the two variables does not vary.")
        return CorrelationResult(n, _NAN, _NAN, _NAN, _NAN, (problem,))
    if method == "spearman":  # equal means of other sums differ in their last digits: they are ties all the same
        ranked = stats.spearmanr(first.round(TIE_DECIMALS), second.round(TIE_DECIMALS))
        r, p = float(ranked.statistic), float(ranked.pvalue)
    else:
        linear = stats.pearsonr(first, second)
        r, p = float(linear.statistic), float(linear.pvalue)
    r = min(1.0, max(-1.0, r))
    if abs(r) == 1:
        return CorrelationResult(n, r, r, r, p)
    spread = math.sqrt((1 + (r * r / 2 if method == "spearman" else 0)) / (n - 3))
    half = float(stats.norm.ppf(0.5 + level / 2)) * spread
    return CorrelationResult(n, r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half), p)


@dataclass(frozen=True, slots=True)
class RateResult:
    """The return rate of a group of teams with its interval, NaN for a group of one team."""

    n_teams: int
    rate: float
    ci_lower: float
    ci_upper: float


def return_rate(returned: FloatArray, approached: FloatArray, *, level: float = 0.95) -> RateResult:
    """Return Σ returned / Σ approached over teams (both (teams,)), with the interval of a ratio of team sums.

    se² = G/(G − 1) · Σ_g (returned_g − rate · approached_g)² / (Σ approached)², t(G − 1), cut at 0 and 1 (Cochran 1977,
    § 11.8). Teams count for as many as were approached.
    """
    whole, n_teams = float(approached.sum()), len(approached)
    if whole <= 0:
        return RateResult(n_teams, _NAN, _NAN, _NAN)
    rate = float(returned.sum()) / whole
    if n_teams < 2:
        return RateResult(n_teams, rate, _NAN, _NAN)
    rest = returned - rate * approached
    half = (
        math.sqrt(n_teams / (n_teams - 1) * float(rest @ rest))
        / whole
        * float(stats.t.ppf(0.5 + level / 2, n_teams - 1))
    )
    return RateResult(n_teams, rate, max(0.0, rate - half), min(1.0, rate + half))


@dataclass(frozen=True, slots=True)
class CompositionResult:
    """Respondents beside known shares of a population.

    ``counts`` and ``shares`` per category of the ``n`` respondents, ``known`` the population's shares. ``chisq`` is Pearson's
    statistic; ``p`` comes from it divided by ``scale``, on ``df`` degrees of freedom (Rao and Scott's second-order correction
    for teams). ``w`` is Cohen's effect size, ``few_expected`` whether a category would be expected fewer than 5 times.
    """

    n: int
    counts: tuple[int, ...]
    shares: tuple[float, ...]
    known: tuple[float, ...]
    chisq: float
    scale: float
    df: float
    p: float
    w: float
    few_expected: bool
    problems: tuple[Problem, ...] = ()


def composition(category: npt.NDArray[np.intp], teams: Teams, known: Sequence[float]) -> CompositionResult:
    """Compare the categories (0 … J−1, −1 for none) of respondents with the counts or shares ``known`` of J categories.

    X² = n Σ (p_j − π_j)²/π_j. With V the cluster-robust covariance matrix of the shares p, G/(G − 1) Σ_g t_g t_g'/n², and δ the
    eigenvalues of n·diag(1/π)·V, X²/a has about a chi-square distribution with (Σδ)²/Σδ² degrees of freedom, a = Σδ²/Σδ (Rao
    and Scott 1981, § 3.2). w = √(X²/n) (Cohen 1988, eq. 7.2.1). Fewer than two teams or categories, or a category that the
    population does not have and a respondent chose: a problem, and no test.
    """
    shares_known = np.asarray(known, dtype=np.float64)
    shares_known = shares_known / shares_known.sum()
    size = len(shares_known)
    rows = (category >= 0) & (teams.codes >= 0)
    n = int(rows.sum())
    counts = np.bincount(category[rows], minlength=size)
    shares = counts / max(n, 1)
    described = (n, tuple(counts.tolist()), tuple(shares.tolist()), tuple(shares_known.tolist()))
    n_teams = int((teams.counts(rows) > 0).sum())
    if n_teams < 2 or size < 2:
        problem = Problem(TOO_FEW_TEAMS, "", f"{n_teams} teams and {size} categories: at least 2 of each are needed.")
        return CompositionResult(*described, _NAN, _NAN, _NAN, _NAN, _NAN, False, (problem,))
    if bool(((shares_known == 0) & (counts > 0)).any()):
        problem = Problem(EMPTY_CATEGORY, "", "Respondents chose a category that the population does not have.")
        return CompositionResult(*described, _NAN, _NAN, _NAN, _NAN, _NAN, False, (problem,))
    there = shares_known > 0
    pi, p = shares_known[there], shares[there]
    chisq = n * float(((p - pi) ** 2 / pi).sum())
    cells = np.bincount(teams.codes[rows] * size + category[rows], minlength=teams.n_teams * size)
    cells = cells.reshape(teams.n_teams, size)[:, there]
    rest = cells - cells.sum(axis=1, keepdims=True) * p
    scaled = rest / np.sqrt(pi)
    # eigenvalues of n · diag(1/π) V are those of the symmetric n · diag(π^-½) V diag(π^-½)
    delta = scaled.T @ scaled * (n_teams / (n_teams - 1) / n)
    total, squares = float(np.trace(delta)), float((delta * delta).sum())
    if total <= 0:
        problem = Problem(NO_VARIANCE, "", "All respondents are in one category.")
        return CompositionResult(*described, chisq, _NAN, _NAN, _NAN, math.sqrt(chisq / n), False, (problem,))
    scale, df = squares / total, total**2 / squares
    few = bool((n * pi < FEWEST_EXPECTED).any())
    p_value = float(stats.chi2.sf(chisq / scale, df))
    return CompositionResult(*described, chisq, scale, df, p_value, math.sqrt(chisq / n), few)
