"""The heterotrait-monotrait ratio of correlations, with an interval by resampling teams.

HTMT of two scales is the mean correlation between their items over the geometric mean of the mean correlations within
each (Henseler et al. 2015, eq. 6): an estimate of the correlation of the two constructs when items of a scale are
parallel. Teams, not respondents, are drawn with replacement, since answers within a team are alike.

Henseler, J., Ringle, C. M. & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in variance-based
structural equation modeling. Journal of the Academy of Marketing Science, 43, 115-135. Field, C. A. & Welsh, A. H. (2007).
Bootstrapping clustered data. Journal of the Royal Statistical Society B, 69, 369-390.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..ordinal.polychoric import ordinal_data, polychoric
from ..problems import NO_VARIANCE, TOO_FEW_ITEMS, TOO_FEW_OBSERVATIONS, TOO_FEW_TEAMS, Problem
from ..scales.correlations import complete_means, correlation_matrix, covariance_matrix
from ..scales.scoring import answer_blocks, answer_matrix, check_items
from ..teams.icc import teams_of

FloatArray = npt.NDArray[np.float64]
_NAN = float("nan")
#: Units that respondents without teams are put into: each holds a matrix of items by items.
MOST_UNITS = 5_000
#: Replicates worked on at once: each needs a matrix of all items by all items.
_REPLICATES_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class HtmtResult:
    """HTMT of two scales with a percentile interval; ``n_undefined`` replicates had no value and are left out."""

    first: str
    second: str
    htmt: float
    ci_lower: float
    ci_upper: float
    n_undefined: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return the fields as a dictionary."""
        return {
            "first": self.first,
            "second": self.second,
            "htmt": self.htmt,
            "ci_lower": self.ci_lower,
            "ci_upper": self.ci_upper,
            "n_undefined": self.n_undefined,
        }


@dataclass(frozen=True, slots=True)
class HtmtTable:
    """HTMT of all pairs of scales: ``pairs`` in the order of the scales, ``n`` respondents in ``n_units`` teams."""

    pairs: tuple[HtmtResult, ...]
    n: int
    n_units: int
    n_replicates: int
    problems: tuple[Problem, ...] = ()

    def pair(self, first: str, second: str) -> HtmtResult:
        """Return the pair of two scales, in either order. Raises KeyError where there is none."""
        for result in self.pairs:
            if {result.first, result.second} == {first, second}:
                return result
        raise KeyError(f"{first}, {second}")


def htmt(
    items: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    team: pd.Series | None = None,
    *,
    correlation: Literal["pearson", "polychoric"] = "pearson",
    level: float = 0.95,
    n_replicates: int = 1000,
    seed: int = 20260476,
) -> HtmtTable:
    """Compute HTMT for all pairs of ``scales`` (two items or more each) on the rows of ``items`` without gaps.

    ``team`` (respondents,) gives the units that are drawn; without it respondents are, above :data:`MOST_UNITS` in random
    groups of equal size, which are as alike as respondents drawn one by one. With ``polychoric`` a replicate's correlations are the estimates moved by the influence of the
    teams drawn (one step of the estimator instead of a new one). Percentile interval at ``level``; the same seed gives the
    same interval. A mean correlation within a scale that is not positive leaves HTMT undefined (NaN).
    """
    names: list[str] = []
    for scale, members in scales.items():
        check_items(items, members, scale)
        names += [name for name in members if name not in names]
    short = [scale for scale, members in scales.items() if len(members) < 2]
    if short:
        return _undefined(scales, 0, Problem(TOO_FEW_ITEMS, short[0], f"HTMT needs two items or more in {short[0]}."))
    keep = np.ones(len(items), dtype=np.bool_) if team is None else team.notna().to_numpy(copy=True)
    for some, values in answer_blocks(items[names]):
        keep[some] &= ~np.isnan(values).any(axis=1)
    answers, n = items.loc[keep, names], int(keep.sum())
    if n < 3:
        return _undefined(scales, n, Problem(TOO_FEW_OBSERVATIONS, "", f"{n} complete observations are too few."))
    flat = [name for name in names if answers[name].min() == answers[name].max()]
    if flat:
        name = flat[0]
        return _undefined(scales, n, Problem(NO_VARIANCE, name, f"All answers to {name} are the same."))
    if team is not None:
        units = teams_of(team[keep]).codes
    else:
        units = np.arange(n) if n <= MOST_UNITS else np.random.default_rng(seed).permutation(n) % MOST_UNITS
    n_units = int(units.max()) + 1
    members_at = {scale: np.array([names.index(name) for name in members]) for scale, members in scales.items()}
    replicate: _Pearson | _Influence
    if correlation == "pearson":
        matrix, replicate = correlation_matrix(answers), _Pearson(answers, units, n_units)
    else:
        matrix, replicate = _polychoric(answers.astype(np.float64), units, n_units)
    del answers  # what is drawn are teams
    estimates = _ratios(matrix[None], members_at)[0]
    problems: tuple[Problem, ...] = ()
    if n_units < 2:
        problems = (Problem(TOO_FEW_TEAMS, "", "One team: an interval by resampling teams needs at least 2."),)
        drawn = np.full((1, len(estimates)), np.nan)
    else:
        drawn = _draw(replicate, n_units, n_replicates, seed, members_at)
    pairs = []
    for number, (first, second) in enumerate(combinations(scales, 2)):
        known = drawn[np.isfinite(drawn[:, number]), number]
        tails = [(1 - level) / 2, (1 + level) / 2]
        lower, upper = np.quantile(known, tails) if len(known) else (_NAN, _NAN)
        undefined = 0 if n_units < 2 else len(drawn) - len(known)
        pairs.append(HtmtResult(first, second, float(estimates[number]), float(lower), float(upper), undefined))
    return HtmtTable(tuple(pairs), n, n_units, 0 if n_units < 2 else n_replicates, problems)


class _Pearson:
    """Correlations of resampled teams from sums and cross products per team: no replicate sees the respondents."""

    def __init__(self, answers: pd.DataFrame, units: npt.NDArray[np.intp], n_units: int) -> None:
        self.p = answers.shape[1]
        self.n = np.bincount(units, minlength=n_units).astype(np.float64)
        self.sums = np.empty((n_units, self.p))
        # a product stands once, not twice
        self.half = np.triu_indices(self.p)
        self.products = np.empty((n_units, len(self.half[0])))
        centre, spread = complete_means(answers)[0], np.sqrt(np.diag(covariance_matrix(answers)[0]))
        values = answers.to_numpy() if (answers.dtypes == np.float32).all() else answer_matrix(answers)
        order = np.argsort(units, kind="stable")
        ends = np.cumsum(self.n).astype(np.intp)
        for unit, end in enumerate(ends.tolist()):
            z = (values[order[ends[unit - 1] if unit else 0 : end]] - centre) / spread
            self.sums[unit] = z.sum(axis=0)
            self.products[unit] = (z.T @ z)[self.half]

    def __call__(self, counts: FloatArray) -> FloatArray:
        n = counts @ self.n
        mean = counts @ self.sums / n[:, None]
        covariance = np.empty((len(counts), self.p, self.p))
        covariance[:, self.half[0], self.half[1]] = covariance[:, self.half[1], self.half[0]] = counts @ self.products
        covariance /= n[:, None, None]
        covariance -= mean[:, :, None] * mean[:, None, :]
        variance = np.diagonal(covariance, axis1=1, axis2=2)
        sd = np.sqrt(np.where(variance > 1e-12, variance, np.nan))
        return np.asarray(covariance / (sd[:, :, None] * sd[:, None, :]), dtype=np.float64)


class _Influence:
    """Polychoric correlations of resampled teams: estimates plus the influence of the teams drawn beyond once."""

    def __init__(self, matrix: FloatArray, pairs: npt.NDArray[np.intp], by_unit: FloatArray) -> None:
        self.matrix, self.pairs, self.by_unit = matrix, pairs, by_unit

    def __call__(self, counts: FloatArray) -> FloatArray:
        moved = self.matrix[self.pairs[0], self.pairs[1]] + (counts - 1.0) @ self.by_unit
        matrices = np.repeat(np.eye(len(self.matrix))[None], len(counts), axis=0)
        matrices[:, self.pairs[0], self.pairs[1]] = moved
        matrices[:, self.pairs[1], self.pairs[0]] = moved
        return matrices


def _polychoric(answers: pd.DataFrame, units: npt.NDArray[np.intp], n_units: int) -> tuple[FloatArray, _Influence]:
    result = polychoric(ordinal_data(answers), units=units)
    # there is influence wherever there are correlations, and items that do not vary were refused before
    by_unit = np.zeros((n_units, result.pairs.shape[1])) if result.influence is None else result.influence.correlations
    return result.correlation, _Influence(result.correlation, result.pairs, by_unit)


def _draw(
    replicate: _Pearson | _Influence,
    n_units: int,
    n_replicates: int,
    seed: int,
    members_at: Mapping[str, npt.NDArray[np.intp]],
) -> FloatArray:
    """HTMT (replicates × pairs) of teams drawn with replacement."""
    generator = np.random.default_rng(seed)
    drawn = []
    for start in range(0, n_replicates, _REPLICATES_AT_ONCE):
        size = min(_REPLICATES_AT_ONCE, n_replicates - start)
        counts = generator.multinomial(n_units, np.full(n_units, 1.0 / n_units), size=size).astype(np.float64)
        drawn.append(_ratios(replicate(counts), members_at))
    return np.concatenate(drawn)


def _ratios(matrices: FloatArray, members_at: Mapping[str, npt.NDArray[np.intp]]) -> FloatArray:
    """HTMT of all pairs from correlation matrices (replicates × items × items): (replicates × pairs)."""
    within = {}
    for scale, at in members_at.items():
        block = matrices[:, at[:, None], at[None, :]]
        k = len(at)
        within[scale] = (block.sum(axis=(1, 2)) - k) / (k * (k - 1))
    columns = []
    for first, second in combinations(members_at, 2):
        between = matrices[:, members_at[first][:, None], members_at[second][None, :]].mean(axis=(1, 2))
        product = within[first] * within[second]
        defined = (within[first] > 0) & (within[second] > 0)
        columns.append(np.where(defined, between / np.sqrt(np.where(defined, product, 1.0)), np.nan))
    if not columns:
        return np.empty((len(matrices), 0))
    return np.column_stack(columns)


def _undefined(scales: Mapping[str, Sequence[str]], n: int, problem: Problem) -> HtmtTable:
    pairs = tuple(HtmtResult(first, second, _NAN, _NAN, _NAN) for first, second in combinations(scales, 2))
    return HtmtTable(pairs, n, 0, 0, (problem,))
