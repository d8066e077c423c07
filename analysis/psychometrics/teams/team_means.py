"""Means with intervals: of each team, over respondents, over teams, and shrunken ones for comparing teams.

Snijders, T. A. B. & Bosker, R. J. (2012). Multilevel analysis (2nd ed.). Sage, sections 3.8 and 4.8.
Goldstein, H. & Spiegelhalter, D. J. (1996). League tables and their limitations. Journal of the Royal Statistical Society
A, 159, 385-443. Cameron, A. C. & Miller, D. L. (2015). A practitioner's guide to cluster-robust inference. Journal of
Human Resources, 50, 317-372.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from ..problems import TOO_FEW_OBSERVATIONS, TOO_FEW_TEAMS, Problem
from ..scales.scoring import score_vector
from .icc import Teams, nesting, teams_of

FloatArray = npt.NDArray[np.float64]
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class MeanResult:
    """A mean with its interval, in score units; ``df`` are the degrees of freedom of t."""

    n: int
    n_teams: int
    mean: float
    sd: float
    se: float
    df: int
    ci_lower: float
    ci_upper: float
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the fields as a dictionary."""
        return asdict(self)


def team_statistics(
    score: pd.Series | FloatArray,
    team: pd.Series | Teams,
    *,
    level: float = 0.95,
    scale_ends: tuple[float, float] | None = (1.0, 4.0),
) -> pd.DataFrame:
    """Return one row per team: n, mean, sd (n - 1), min, max, ci_lower, ci_upper of its members' scores.

    The interval is mean ± t(n - 1) · sd/√n, cut at ``scale_ends`` (None: not cut), without finite population correction:
    it speaks about the answers the team could have given, not about the members who happened to be absent. Rows without a
    score or a team do not count; sd needs two respondents, and so does the interval (NaN).
    """
    y = score_vector(score)
    teams = team if isinstance(team, Teams) else teams_of(team)
    rows = ~np.isnan(y) & (teams.codes >= 0)
    codes, values = teams.codes[rows], y[rows]
    n = teams.counts(rows)
    mean = teams.means(y, rows)
    squares = np.bincount(codes, weights=(values - mean[codes]) ** 2, minlength=teams.n_teams)
    sd = np.where(n >= 2, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
    lowest, highest = np.full(teams.n_teams, np.nan), np.full(teams.n_teams, np.nan)
    if len(values):
        if (codes[1:] < codes[:-1]).any():
            order = np.argsort(codes, kind="stable")
            codes, values = codes[order], values[order]
        starts = np.searchsorted(codes, np.flatnonzero(n > 0))
        lowest[n > 0] = np.minimum.reduceat(values, starts)
        highest[n > 0] = np.maximum.reduceat(values, starts)
    sizes, of_size = np.unique(n, return_inverse=True)  # thousands of teams have a few sizes
    quantile = np.asarray(stats.t.ppf(0.5 + level / 2, np.maximum(sizes - 1, 1)))[of_size]
    half = quantile * sd / np.sqrt(np.maximum(n, 1))
    lower, upper = mean - half, mean + half
    if scale_ends is not None:
        lower, upper = np.maximum(lower, scale_ends[0]), np.minimum(upper, scale_ends[1])
    return pd.DataFrame(
        {"n": n, "mean": mean, "sd": sd, "min": lowest, "max": highest, "ci_lower": lower, "ci_upper": upper},
        index=pd.Index(teams.names, name="team"),
    )


def mean_over_respondents(score: pd.Series | FloatArray, team: pd.Series | Teams, *, level: float = 0.95) -> MeanResult:
    """Return the mean over respondents with an interval that knows they sit in teams.

    Cluster-robust: se² = G/(G - 1) · Σ_g (Σ_i∈g (y - ȳ))² / N², with t(G - 1) (Cameron and Miller 2015, eqs. 11 and 12).
    A naive interval would be about a third too narrow at the design effects found here. Fewer than two teams: a problem.
    """
    y = score_vector(score)
    teams = team if isinstance(team, Teams) else teams_of(team)
    rows = ~np.isnan(y) & (teams.codes >= 0)
    n, n_teams = int(rows.sum()), int((teams.counts(rows) > 0).sum())
    mean = float(y[rows].mean()) if n else _NAN
    sd = float(y[rows].std(ddof=1)) if n > 1 else _NAN
    if n_teams < 2:
        problem = Problem(TOO_FEW_TEAMS, "", f"{n_teams} team: an interval over respondents needs at least 2.")
        return MeanResult(n, n_teams, mean, sd, _NAN, 0, _NAN, _NAN, (problem,))
    totals = teams.sums(y - mean, rows)
    se = float(np.sqrt(n_teams / (n_teams - 1) * (totals @ totals)) / n)
    half = float(stats.t.ppf(0.5 + level / 2, n_teams - 1)) * se
    return MeanResult(n, n_teams, mean, sd, se, n_teams - 1, mean - half, mean + half)


def mean_over_teams(score: pd.Series | FloatArray, team: pd.Series | Teams, *, level: float = 0.95) -> MeanResult:
    """Return the unweighted mean of the team means ± t(G - 1) · sd/√G, sd between team means.

    Every team counts once, whatever its size. Fewer than two teams: a problem.
    """
    y = score_vector(score)
    teams = team if isinstance(team, Teams) else teams_of(team)
    rows = ~np.isnan(y) & (teams.codes >= 0)
    means = teams.means(y, rows)
    means = means[~np.isnan(means)]
    n, n_teams = int(rows.sum()), len(means)
    mean = float(means.mean()) if n_teams else _NAN
    if n_teams < 2:
        problem = Problem(TOO_FEW_TEAMS, "", f"{n_teams} team: an interval over teams needs at least 2.")
        return MeanResult(n, n_teams, mean, _NAN, _NAN, 0, _NAN, _NAN, (problem,))
    sd = float(means.std(ddof=1))
    se = float(sd / np.sqrt(n_teams))
    half = float(stats.t.ppf(0.5 + level / 2, n_teams - 1)) * se
    return MeanResult(n, n_teams, mean, sd, se, n_teams - 1, mean - half, mean + half)


@dataclass(frozen=True, slots=True)
class ShrunkenMeansResult:
    """Empirical-Bayes team means.

    ``table`` has one row per team with a score: n, mean, reliability (0 to 1), eb_mean, eb_se, ci_lower, ci_upper,
    rank_lower, rank_upper (1 = highest). ``grand_mean`` is the generalised least squares mean, the variances are REML,
    ``icc2`` the reliability of the team means from the analysis of variance.
    """

    table: pd.DataFrame
    grand_mean: float
    var_between: float
    var_within: float
    icc2: float
    problems: tuple[Problem, ...] = ()


def shrunken_team_means(
    score: pd.Series | FloatArray,
    team: pd.Series | Teams,
    *,
    level: float = 0.95,
    n_draws: int = 2000,
    seed: int = 20260476,
) -> ShrunkenMeansResult:
    """Return empirical-Bayes team means with intervals and rank intervals.

    ``eb = λ·mean + (1 - λ)·grand``, λ = τ²/(τ² + σ²/n) (Snijders and Bosker 2012, eq. 4.10); its prediction variance
    τ²(1 - λ) + (1 - λ)²·var(grand) is that of the best linear unbiased predictor. Rank intervals are percentiles of the
    ranks in ``n_draws`` draws of all teams from their posteriors (Goldstein and Spiegelhalter 1996), seeded, so the same
    data give the same ranks. Where no variance between teams is found every rank is possible for every team.
    """
    y = score_vector(score)
    teams = team if isinstance(team, Teams) else teams_of(team)
    result = nesting(y, teams)
    rows = ~np.isnan(y) & (teams.codes >= 0)
    sizes = teams.counts(rows)
    present = sizes > 0
    n = sizes[present].astype(np.float64)
    mean = teams.means(y, rows)[present]
    names = [name for name, shown in zip(teams.names, present, strict=True) if shown]
    between, within = result.var_between_reml, result.var_within_reml
    index = pd.Index(names, name="team")
    if np.isnan(between):
        nothing = dict.fromkeys(_EB_COLUMNS, _NAN)
        table = pd.DataFrame({"n": n.astype(np.int64), "mean": mean}, index=index).assign(**nothing)
        return ShrunkenMeansResult(table, _NAN, _NAN, _NAN, _NAN, result.problems)
    sampling = within / n
    total = between + sampling
    # A team without any sampling variance (all answers equal everywhere) knows its mean: weight it as such.
    precision = 1 / np.maximum(total, np.finfo(float).tiny ** 0.5)
    grand = float(precision @ mean / precision.sum())
    shrink = np.where(total > 0, between / np.maximum(total, np.finfo(float).tiny), 0.0)
    eb = shrink * mean + (1 - shrink) * grand
    posterior = between * (1 - shrink)
    se = np.sqrt(posterior + (1 - shrink) ** 2 / precision.sum())
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    if between > 0:
        rank_lower, rank_upper = _rank_interval(eb, np.sqrt(posterior), level, n_draws, seed)
    else:
        rank_lower, rank_upper = np.ones(len(n), dtype=np.int64), np.full(len(n), len(n), dtype=np.int64)
    table = pd.DataFrame(
        {
            "n": n.astype(np.int64),
            "mean": mean,
            "reliability": shrink,
            "eb_mean": eb,
            "eb_se": se,
            "ci_lower": eb - half,
            "ci_upper": eb + half,
            "rank_lower": rank_lower,
            "rank_upper": rank_upper,
        },
        index=index,
    )
    return ShrunkenMeansResult(table, grand, between, within, result.icc2, result.problems)


def team_problems(table: pd.DataFrame) -> tuple[Problem, ...]:
    """Name the teams of :func:`team_statistics` without an interval: fewer than two respondents with a score."""
    return tuple(
        Problem(
            TOO_FEW_OBSERVATIONS, str(name), f"Team {name} has {n} respondents with a score: at least 2 are needed."
        )
        for name, n in table["n"].items()
        if n < 2
    )


_EB_COLUMNS = ("reliability", "eb_mean", "eb_se", "ci_lower", "ci_upper", "rank_lower", "rank_upper")


def _rank_interval(
    mean: FloatArray, sd: FloatArray, level: float, n_draws: int, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Percentiles of each team's rank over draws of all teams; ranks are kept as 32-bit numbers for 20,000 teams."""
    generator = np.random.default_rng(seed)
    n_teams = len(mean)
    ranks = np.empty((n_draws, n_teams), dtype=np.int32)
    positions = np.arange(1, n_teams + 1, dtype=np.int32)
    for draw in range(n_draws):
        order = np.argsort(-(mean + sd * generator.standard_normal(n_teams)))
        ranks[draw, order] = positions
    ranks.sort(axis=0)
    low = int(np.floor((1 - level) / 2 * (n_draws - 1)))
    return ranks[low].astype(np.int64), ranks[n_draws - 1 - low].astype(np.int64)
