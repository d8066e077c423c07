"""Teachers in teams: analysis of variance, intraclass correlations, design effects, within- and between-team correlations.

Everything here works on sums per team (``numpy.bincount``), so its cost is one pass over the respondents, whatever the
number of teams.

Bliese, P. D. (2000). Within-group agreement, non-independence, and reliability. In K. J. Klein & S. W. J. Kozlowski
(Eds.), Multilevel theory, research, and methods in organizations (pp. 349-381). Jossey-Bass.
Shrout, P. E. & Fleiss, J. L. (1979). Intraclass correlations. Psychological Bulletin, 86, 420-428.
Kish, L. (1965). Survey sampling. Wiley.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats

from ..problems import NO_VARIANCE, TOO_FEW_OBSERVATIONS, TOO_FEW_TEAMS, Problem
from ..scales.correlations import correlation_matrix
from ..scales.scoring import score_vector

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Teams:
    """Team membership: ``codes`` (respondents,) 0 to G-1, -1 for no team; ``names`` (G,) in sorted order."""

    codes: IntArray
    names: tuple[object, ...]

    @property
    def n_teams(self) -> int:
        """Number of teams, those without a usable answer included."""
        return len(self.names)

    def sums(self, values: FloatArray, rows: npt.NDArray[np.bool_]) -> FloatArray:
        """Return the sums of ``values[rows]`` per team, shape (G,)."""
        total = np.bincount(self.codes[rows], weights=values[rows], minlength=self.n_teams)
        return np.asarray(total, dtype=np.float64)

    def counts(self, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return the number of ``rows`` per team, shape (G,)."""
        return np.bincount(self.codes[rows], minlength=self.n_teams).astype(np.int64)

    def means(self, values: FloatArray, rows: npt.NDArray[np.bool_]) -> FloatArray:
        """Return the means of ``values[rows]`` per team, shape (G,), NaN for a team without such a row.

        The grand mean is taken off before summing and added again after, so that large values with a small spread keep
        their digits.
        """
        n = self.counts(rows)
        offset = float(values[rows].mean()) if rows.any() else 0.0
        total = self.sums(values - offset, rows)
        return np.where(n > 0, offset + total / np.maximum(n, 1), np.nan)


def teams_of(team: pd.Series | npt.NDArray[np.object_]) -> Teams:
    """Number the teams of a column of team names (respondents,), sorted; a missing name is no team."""
    codes, names = pd.factorize(pd.Series(team).reset_index(drop=True), sort=True)
    return Teams(np.asarray(codes, dtype=np.intp), tuple(names.tolist()))


@dataclass(frozen=True, slots=True)
class NestingResult:
    """One-way analysis of variance of a score over teams, with intraclass correlations and design effects.

    ``icc1`` = (MSB - MSW) / (MSB + (k - 1) MSW) with k the arithmetic mean team size (Bliese 2000, eq. 8.1);
    ``icc1_n0`` the same with n0 = (N - Σn²/N)/(G - 1) (Shrout and Fleiss); ``icc2`` = (MSB - MSW)/MSB, the reliability of
    the team means; ``icc1_reml`` and ``icc1_ml`` from the random-intercept model, whose variances are not below 0;
    ``design_effect`` = 1 + (k - 1) icc1 and its size-weighted form 1 + (Σn²/N - 1) icc1 (Kish 1965); ``effective_n`` =
    n / design_effect. Variances in squared score units. Only rows with a score and a team count.
    """

    n: int
    n_groups: int
    mean_group_size: float
    n0_unbalanced: float
    group_size_min: int
    group_size_max: int
    df_between: int
    df_within: int
    ss_between: float
    ss_within: float
    ms_between: float
    ms_within: float
    F: float
    p_value: float
    eta_squared: float
    icc1: float
    icc2: float
    icc1_n0: float
    icc1_reml: float
    var_between_reml: float
    var_within_reml: float
    icc1_ml: float
    var_between_ml: float
    var_within_ml: float
    design_effect: float
    design_effect_kish_sizeweighted: float
    effective_n: float
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the numbers under the key names of the oracle files."""
        return asdict(self)


def nesting(score: pd.Series | FloatArray, team: pd.Series | Teams) -> NestingResult:
    """Compute :class:`NestingResult` for scores (respondents,) with NaN for gaps and their teams.

    Fewer than two teams, no team of two, or scores that are all equal are problems; what is not defined is NaN.
    """
    y = score_vector(score)
    teams = team if isinstance(team, Teams) else teams_of(team)
    rows = ~np.isnan(y) & (teams.codes >= 0)
    sizes = teams.counts(rows)
    present = sizes > 0
    size = sizes[present].astype(np.float64)
    n, n_groups = int(size.sum()), int(present.sum())
    if n_groups < 2:
        return _no_nesting(n, n_groups, size, Problem(TOO_FEW_TEAMS, "", f"{n_groups} team: at least 2 are needed."))
    if n == n_groups:
        sentence = "No team has two respondents with a score: nothing can be said about differences within teams."
        return _no_nesting(n, n_groups, size, Problem(TOO_FEW_OBSERVATIONS, "", sentence))
    means_all = teams.means(y, rows)
    means = means_all[present]
    within = y[rows] - means_all[teams.codes[rows]]
    ss_within = float(within @ within)
    grand = float(size @ means / n)
    ss_between = float(size @ (means - grand) ** 2)
    if np.ptp(y[rows]) == 0:
        return _no_nesting(n, n_groups, size, Problem(NO_VARIANCE, "", "All scores are the same."))
    df_between, df_within = n_groups - 1, n - n_groups
    ms_between, ms_within = ss_between / df_between, ss_within / df_within
    k, squares = n / n_groups, float(size @ size)
    n0 = (n - squares / n) / (n_groups - 1)
    icc1 = (ms_between - ms_within) / (ms_between + (k - 1) * ms_within)
    f = ms_between / ms_within if ms_within > 0 else float("inf")
    between_reml, within_reml = variance_components(means, size, ss_within, restricted=True)
    between_ml, within_ml = variance_components(means, size, ss_within, restricted=False)
    design_effect = 1 + (k - 1) * icc1
    return NestingResult(
        n=n,
        n_groups=n_groups,
        mean_group_size=k,
        n0_unbalanced=n0,
        group_size_min=int(size.min()),
        group_size_max=int(size.max()),
        df_between=df_between,
        df_within=df_within,
        ss_between=ss_between,
        ss_within=ss_within,
        ms_between=ms_between,
        ms_within=ms_within,
        F=f,
        p_value=float(stats.f.sf(f, df_between, df_within)),
        eta_squared=ss_between / (ss_between + ss_within),
        icc1=icc1,
        # equal team means differ by rounding: their reliability is then not a number, and not minus 1e31
        icc2=(ms_between - ms_within) / ms_between if ms_between > 1e-12 * ms_within else _NAN,
        icc1_n0=(ms_between - ms_within) / (ms_between + (n0 - 1) * ms_within),
        icc1_reml=between_reml / (between_reml + within_reml),
        var_between_reml=between_reml,
        var_within_reml=within_reml,
        icc1_ml=between_ml / (between_ml + within_ml),
        var_between_ml=between_ml,
        var_within_ml=within_ml,
        design_effect=design_effect,
        design_effect_kish_sizeweighted=1 + (squares / n - 1) * icc1,
        effective_n=n / design_effect if design_effect > 0 else _NAN,
    )


def variance_components(
    means: FloatArray, sizes: FloatArray, ss_within: float, *, restricted: bool = True
) -> tuple[float, float]:
    """Return the between- and within-team variance of the random-intercept model, by REML or ML.

    ``means`` and ``sizes`` (G,) of the teams, ``ss_within`` the pooled sum of squares. The likelihood is profiled over
    the ratio of the two variances (Bates et al. 2015, eqs. 35 and 42, with one random intercept), which leaves one
    equation in one unknown; a ratio that would be negative is 0. Of several maxima the highest is taken.

    Bates, D., Mächler, M., Bolker, B. & Walker, S. (2015). Fitting linear mixed-effects models using lme4. Journal of
    Statistical Software, 67(1).
    """
    n = float(sizes.sum())
    degrees = n - 1 if restricted else n
    if ss_within <= 1e-24 * n * float(np.ptp(means)) ** 2:
        # full agreement in every team: what is left are the team means, whose likelihood has no maximum inside
        return float(np.var(means, ddof=1 if restricted else 0)), 0.0

    def pieces(ratio: float) -> tuple[FloatArray, float, float]:
        weight = sizes / (1 + sizes * ratio)
        grand = float(weight @ means / weight.sum())
        between = float(weight**2 @ (means - grand) ** 2)
        total = ss_within + float(weight @ (means - grand) ** 2)
        return weight, between, total

    def slope(ratio: float) -> float:
        """Derivative of the profiled deviance; the grand mean needs none, being its own optimum."""
        weight, between, total = pieces(ratio)
        correction = float(weight @ weight / weight.sum()) if restricted else 0.0
        return -degrees * between / total + float(weight.sum()) - correction

    def deviance(ratio: float) -> float:
        weight, _, total = pieces(ratio)
        determinant = float(np.log1p(sizes * ratio).sum()) + (math.log(weight.sum()) if restricted else 0.0)
        return degrees * math.log(total) + determinant

    # With few and uneven teams the likelihood can have a maximum at 0 and another inside: all are found and compared.
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e12, 73)])
    slopes = [slope(float(ratio)) for ratio in grid]
    minima = [0.0, *(
        float(optimize.brentq(slope, grid[i], grid[i + 1], xtol=1e-14, rtol=8.9e-16))
        for i in range(len(grid) - 1)
        if slopes[i] < 0 <= slopes[i + 1]
    )]  # fmt: skip
    ratio = min(minima, key=deviance)
    within = pieces(ratio)[2] / degrees
    return ratio * within, within


@dataclass(frozen=True, slots=True)
class LevelCorrelations:
    """Correlations of scale scores within and between teams (scales × scales), and each scale's ICC(1) and ICC(2)."""

    within: pd.DataFrame
    between: pd.DataFrame
    icc1: dict[str, float]
    icc2: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        """Return the numbers under the key names of the oracle files."""
        names = list(self.within.columns)
        return {
            "pooled_within_r": {
                "rows": [f"{name}.wg" for name in names],
                "cols": [f"{name}.wg" for name in names],
                "values": self.within.to_numpy().tolist(),
            },
            "between_r_weighted": {
                "rows": [f"{name}.bg" for name in names],
                "cols": [f"{name}.bg" for name in names],
                "values": self.between.to_numpy().tolist(),
            },
            "icc1": dict(self.icc1),
            "icc2": dict(self.icc2),
        }


def level_correlations(scores: pd.DataFrame, team: pd.Series | Teams) -> LevelCorrelations:
    """Correlate scale scores (respondents × scales) pooled within teams and between team means.

    Within: deviations from the team means, pairwise. Between: team means, each weighted by the team's number of rows
    (with or without a score), as psych::statsBy does.
    """
    teams = team if isinstance(team, Teams) else teams_of(team)
    x = scores.to_numpy(dtype=np.float64)
    member = teams.codes >= 0
    means = np.column_stack([teams.means(x[:, j], ~np.isnan(x[:, j]) & member) for j in range(x.shape[1])])
    expanded = np.full(x.shape, np.nan)
    expanded[member] = means[teams.codes[member]]
    names = [str(name) for name in scores.columns]
    results = [nesting(x[:, j], teams) for j in range(x.shape[1])]
    return LevelCorrelations(
        within=pd.DataFrame(correlation_matrix(x - expanded, missing="pairwise"), index=names, columns=names),
        between=pd.DataFrame(correlation_matrix(expanded[member], missing="pairwise"), index=names, columns=names),
        icc1={name: result.icc1 for name, result in zip(names, results, strict=True)},
        icc2={name: result.icc2 for name, result in zip(names, results, strict=True)},
    )


def _no_nesting(n: int, n_groups: int, size: FloatArray, problem: Problem) -> NestingResult:
    mean_size = n / n_groups if n_groups else _NAN
    smallest, largest = (int(size.min()), int(size.max())) if len(size) else (0, 0)
    return NestingResult(
        n, n_groups, mean_size, _NAN, smallest, largest, max(n_groups - 1, 0), n - n_groups, *(_NAN,) * 19, (problem,)
    )
