"""Do groups of teams differ? A random-intercept model with the group as predictor, by REML.

    y_ij = γ_group(j) + u_j + e_ij,   u_j ~ N(0, τ²), e_ij ~ N(0, σ²)

Teachers of one team answer alike, so a t-test over teachers finds differences that are not there. The group is a property of
the team; with V_j = σ²I + τ²11' everything rests on each team's size, mean and sum of squares, so a million respondents cost
no more than their teams. The likelihood is profiled over σ² and γ and maximised over the ratio λ = τ²/σ².

Snijders, T. A. B. & Bosker, R. J. (2012). Multilevel analysis (2nd ed.). Sage, sections 4.7 and 6.1. Pinheiro, J. C. & Bates,
D. M. (2000). Mixed-effects models in S and S-PLUS. Springer, section 2.4 (degrees of freedom: teams - groups).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats

from ..problems import NO_VARIANCE, TOO_FEW_OBSERVATIONS, TOO_FEW_TEAMS, Problem
from ..scales.scoring import score_vector
from .icc import Teams

FloatArray = npt.NDArray[np.float64]
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class GroupMean:
    """A group's estimated mean with its interval, and the numbers behind it."""

    group: str
    n: int
    n_teams: int
    mean: float
    se: float
    ci_lower: float
    ci_upper: float


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """Second group minus first, with its standard error, interval, t and two-sided p."""

    first: str
    second: str
    difference: float
    se: float
    ci_lower: float
    ci_upper: float
    t: float
    p: float


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """Groups of teams compared on one score.

    ``f``, ``df1``, ``df2``, ``p``: Wald F of all differences together. ``var_between`` and ``var_within`` are τ² and σ².
    """

    groups: tuple[GroupMean, ...]
    differences: tuple[GroupDifference, ...]
    f: float
    df1: int
    df2: int
    p: float
    var_between: float
    var_within: float
    problems: tuple[Problem, ...] = ()


def compare_groups(
    score: pd.Series | FloatArray, teams: Teams, group_of_team: Sequence[str], *, level: float = 0.95
) -> GroupComparison:
    """Fit the model to ``score`` (respondents,) with the group of each of ``teams.names``; "" leaves a team out.

    Differences are those of every group from the first (in sorted order) and between all pairs. t and F have
    teams - groups degrees of freedom. Fewer than two groups with a score, or no more teams than groups: a problem.
    """
    y = score_vector(score)
    group = np.array(group_of_team, dtype=object)
    rows = ~np.isnan(y) & (teams.codes >= 0)
    rows &= group[np.maximum(teams.codes, 0)] != ""
    n = teams.counts(rows).astype(np.float64)
    present = n > 0
    names = sorted(set(group[present].tolist()))
    n_teams, n_groups = int(present.sum()), len(names)
    if n_groups < 2:
        return _none(Problem(TOO_FEW_OBSERVATIONS, "", "Fewer than two groups have answers."))
    if n_teams <= n_groups:
        return _none(Problem(TOO_FEW_TEAMS, "", f"{n_teams} teams in {n_groups} groups: too few teams to compare."))
    means = teams.means(y, rows)
    within = float(((y[rows] - means[teams.codes[rows]]) ** 2).sum())
    mean, size = means[present], n[present]
    member = (group[present][:, None] == np.array(names, dtype=object)[None, :]).astype(np.float64)
    n_all = float(size.sum())
    if within <= 0:
        return _none(Problem(NO_VARIANCE, "", "Within teams all scores are equal."))

    def parts(ratio: float) -> tuple[FloatArray, FloatArray, float]:
        """Per group the weight and the mean, and the residual sum of squares in units of V/σ²."""
        weight = size / (1 + ratio * size)
        information = member.T @ weight
        estimate = (member.T @ (weight * mean)) / information
        return information, estimate, within + float(weight @ (mean - member @ estimate) ** 2)

    def deviance(log_ratio: float) -> float:
        """-2 times the restricted log likelihood, profiled over σ², up to a constant."""
        ratio = float(np.exp(log_ratio))
        information, _, residual = parts(ratio)
        return float(np.log1p(ratio * size).sum() + np.log(information).sum() + (n_all - n_groups) * np.log(residual))

    minimum = optimize.minimize_scalar(deviance, bounds=(-16.0, 6.0), method="bounded", options={"xatol": 1e-10})
    ratio = float(np.exp(minimum.x))
    if deviance(-40.0) <= float(minimum.fun) + 1e-10:
        ratio = 0.0  # the maximum is at the border: teams do not differ beyond their groups
    information, estimate, residual = parts(ratio)
    var_within = residual / (n_all - n_groups)
    variance = var_within / information
    df2 = n_teams - n_groups
    t = float(stats.t.ppf(0.5 + level / 2, df2))
    se = np.sqrt(variance)
    groups = tuple(
        GroupMean(
            name,
            int(size[member[:, column] == 1].sum()),
            int(member[:, column].sum()),
            float(estimate[column]),
            float(se[column]),
            float(estimate[column] - t * se[column]),
            float(estimate[column] + t * se[column]),
        )
        for column, name in enumerate(names)
    )
    differences = tuple(
        _difference(names[i], names[j], float(estimate[j] - estimate[i]), float(variance[i] + variance[j]), t, df2)
        for i in range(n_groups)
        for j in range(i + 1, n_groups)
    )
    # Wald F: the group means are independent given the variances, so their weighted spread is the quadratic form
    grand = float((estimate / variance).sum() / (1 / variance).sum())
    f = float((((estimate - grand) ** 2) / variance).sum() / (n_groups - 1))
    return GroupComparison(
        groups,
        differences,
        f,
        n_groups - 1,
        df2,
        float(stats.f.sf(f, n_groups - 1, df2)),
        ratio * var_within,
        var_within,
    )


def _difference(first: str, second: str, difference: float, variance: float, t: float, df: int) -> GroupDifference:
    se = float(np.sqrt(variance))
    ratio = difference / se
    p = float(2 * stats.t.sf(abs(ratio), df))
    return GroupDifference(first, second, difference, se, difference - t * se, difference + t * se, ratio, p)


def _none(problem: Problem) -> GroupComparison:
    return GroupComparison((), (), _NAN, 0, 0, _NAN, _NAN, _NAN, (problem,))
