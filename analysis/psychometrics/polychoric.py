"""Thresholds and polychoric correlations of ordinal items in two steps, with their joint sampling distribution.

Step one: thresholds of each item from its own shares. Step two: each pair's correlation by maximum likelihood with those
thresholds held (Olsson 1979, two-step). Their asymptotic covariance matrix follows from the casewise scores of both steps
(Muthén 1984). All pairs are solved together: the work is in a few arrays of (pairs × categories × categories).

Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika, 49, 115-132. Olsson, U. (1979). Maximum likelihood estimation of the polychoric
correlation coefficient. Psychometrika, 44, 443-460.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from analysis.psychometrics.bivariate_normal import (
    INFINITE_THRESHOLD,
    density,
    distribution,
    log_density_slope,
    threshold_slope,
)
from analysis.psychometrics.problems import (
    CORRELATION_AT_OR_OVER_ONE,
    EMPTY_CATEGORY,
    NO_VARIANCE,
    NOT_CONVERGED,
    TOO_FEW_OBSERVATIONS,
    Problem,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Correlations are sought inside these limits; a table without discordant answers has none inside.
_LIMIT = 0.99999
#: Cell probabilities below this are rounding error of the distribution function and are set to it.
_SMALLEST_CELL = 1.4901161193847656e-08
_MAX_ITERATIONS = 60
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class OrdinalData:
    """Answers as category numbers: ``codes`` (respondents × items) from 0, -1 for no answer; ``categories`` per item."""

    names: tuple[str, ...]
    codes: IntArray
    categories: tuple[tuple[float, ...], ...]

    @property
    def n_categories(self) -> IntArray:
        """Number of categories per item."""
        return np.array([len(values) for values in self.categories], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class PolychoricResult:
    """Thresholds, polychoric correlations and the influence of every respondent on both.

    ``thresholds`` one array per item (categories - 1,); ``correlation`` (items × items); ``pairs`` (2, n_pairs) the item
    numbers of each correlation, in the order of the columns of ``correlation_influence``. ``threshold_influence`` is
    (respondents × thresholds), ``correlation_influence`` (respondents × n_pairs): statistic = true value + Σ influence, so
    their joint sampling covariance is the cross product of these columns.
    """

    names: tuple[str, ...]
    n_obs: int
    thresholds: tuple[FloatArray, ...]
    correlation: FloatArray
    pairs: IntArray
    threshold_influence: FloatArray
    correlation_influence: FloatArray
    problems: tuple[Problem, ...] = ()

    @property
    def estimated(self) -> bool:
        """Whether there are correlations: an item without variance or an empty category leaves none."""
        return bool(np.isfinite(self.correlation).all())


def ordinal_data(items: pd.DataFrame, *, categories: Sequence[Sequence[float]] | None = None) -> OrdinalData:
    """Number the answers of ``items`` (respondents × items, NaN for gaps) by category.

    ``categories`` per item in rising order; by default the answers that occur. Raises ``ValueError`` for an answer that is
    no category.
    """
    values = items.to_numpy(dtype=np.float64)
    codes = np.full(values.shape, -1, dtype=np.intp)
    kept = []
    for item, name in enumerate(items.columns):
        answered = ~np.isnan(values[:, item])
        answers = values[answered, item]
        levels = np.unique(answers) if categories is None else np.asarray(categories[item], dtype=np.float64)
        place = np.searchsorted(levels, answers)
        if len(answers) and (not len(levels) or (levels[np.minimum(place, len(levels) - 1)] != answers).any()):
            raise ValueError(f"Item {name} has answers that are none of its categories.")
        codes[answered, item] = place
        kept.append(tuple(levels.tolist()))
    return OrdinalData(tuple(str(name) for name in items.columns), codes, tuple(kept))


def polychoric(data: OrdinalData, *, influence: bool = True) -> PolychoricResult:
    """Compute thresholds, polychoric correlations and, unless ``influence`` is False, their influence columns.

    Every item uses all of its answers and every pair all rows where both are answered; for listwise deletion give complete
    rows. A 2 × 2 table with one empty cell gets one half in it with its margins kept; larger tables are left as they are
    (lavaan's ``zero.add = c(0.5, 0)``, ``zero.keep.margins``). An item without variance, an empty category and a
    correlation at ±1 are problems.
    """
    codes, sizes = data.codes, data.n_categories
    p = len(data.names)
    counts = [np.bincount(codes[codes[:, i] >= 0, i], minlength=max(sizes[i], 1)) for i in range(p)]
    problems = _item_problems(data, counts)
    rows, columns = np.triu_indices(p, k=1)
    pairs = np.vstack([rows, columns])
    n = len(codes)
    if problems:
        nothing = np.full((p, p), np.nan)
        return PolychoricResult(data.names, n, (), nothing, pairs, np.empty((n, 0)), np.empty((n, 0)), tuple(problems))
    thresholds = tuple(ndtri(np.cumsum(count)[:-1] / count.sum()) for count in counts)
    k = int(sizes.max())
    padded = np.full((p, k - 1), INFINITE_THRESHOLD)
    for i, values in enumerate(thresholds):
        padded[i, : len(values)] = values
    tables = _pair_tables(codes, k)[rows, columns]
    empty = tables.sum(axis=(1, 2)) < 2
    if empty.any():
        names = [f"{data.names[rows[i]]} and {data.names[columns[i]]}" for i in np.flatnonzero(empty)[:1]]
        problem = Problem(TOO_FEW_OBSERVATIONS, names[0], f"{names[0]} were answered together by fewer than 2.")
        nothing = np.full((p, p), np.nan)
        return PolychoricResult(
            data.names, n, thresholds, nothing, pairs, np.empty((n, 0)), np.empty((n, 0)), (problem,)
        )
    fitted = _without_empty_cell(tables, sizes, rows, columns)
    h, j = padded[rows], padded[columns]
    rho, converged = _maximise(fitted, h, j)
    correlation = np.eye(p)
    correlation[rows, columns] = correlation[columns, rows] = rho
    for pair in np.flatnonzero(~converged | (np.abs(rho) >= 0.999)):
        subject = f"{data.names[rows[pair]]} ~~ {data.names[columns[pair]]}"
        code = CORRELATION_AT_OR_OVER_ONE if abs(rho[pair]) >= 0.999 else NOT_CONVERGED
        said = "is at its limit" if abs(rho[pair]) >= 0.999 else "did not converge"
        problems.append(Problem(code, subject, f"The polychoric correlation {subject} {said}."))
    if influence:
        by_threshold, by_correlation = _influence(codes, counts, thresholds, tables, rho, h, j, pairs)
    else:
        by_threshold, by_correlation = np.empty((n, 0)), np.empty((n, 0))
    return PolychoricResult(
        data.names, n, thresholds, correlation, pairs, by_threshold, by_correlation, tuple(problems)
    )


def _item_problems(data: OrdinalData, counts: list[npt.NDArray[np.int64]]) -> list[Problem]:
    problems = []
    for name, categories, count in zip(data.names, data.categories, counts, strict=True):
        if len(categories) < 2 or (count > 0).sum() < 2:
            problems.append(Problem(NO_VARIANCE, name, f"All answers to {name} are the same."))
        elif (count == 0).any():
            missing = categories[int(np.flatnonzero(count == 0)[0])]
            problems.append(Problem(EMPTY_CATEGORY, name, f"Nobody chose category {missing:g} of {name}."))
    return problems


def _pair_tables(codes: IntArray, k: int) -> FloatArray:
    """Counts of all two-way tables, (items × items × k × k): one product of the indicators of all categories."""
    n, p = codes.shape
    total = np.zeros((p * k, p * k))
    offset = np.arange(p) * k
    for start in range(0, n, _ROWS_AT_ONCE):
        part = codes[start : start + _ROWS_AT_ONCE]
        indicators = np.zeros((len(part), p * k))
        row, item = np.nonzero(part >= 0)
        indicators[row, offset[item] + part[row, item]] = 1.0
        total += indicators.T @ indicators
    return total.reshape(p, k, p, k).transpose(0, 2, 1, 3)


def _without_empty_cell(tables: FloatArray, sizes: IntArray, rows: IntArray, columns: IntArray) -> FloatArray:
    """2 × 2 tables with one empty cell get one half there, taken so that the margins stay."""
    two = np.flatnonzero((sizes[rows] == 2) & (sizes[columns] == 2))
    fitted = tables.copy()
    for pair in two:
        cells = tables[pair, :2, :2]
        if (cells == 0).sum() == 1:
            on_diagonal = cells[0, 0] == 0 or cells[1, 1] == 0
            half = 0.5 if on_diagonal else -0.5
            fitted[pair, :2, :2] = cells + np.array([[half, -half], [-half, half]])
    return fitted


def _cells(grid: FloatArray) -> FloatArray:
    """Cell values from values at the corners, by differences over both axes."""
    return np.asarray(np.diff(np.diff(grid, axis=1), axis=2), dtype=np.float64)


def _bordered(interior: FloatArray, last_column: FloatArray | float, last_row: FloatArray | float) -> FloatArray:
    """Corner values (pairs × k+1 × k+1): zeros at minus infinity, given values at plus infinity."""
    n_pairs, k1, k2 = interior.shape
    grid = np.zeros((n_pairs, k1 + 2, k2 + 2))
    grid[:, 1:-1, 1:-1] = interior
    grid[:, 1:-1, -1] = last_column
    grid[:, -1, 1:-1] = last_row
    return grid


def _probabilities(rho: FloatArray, h: FloatArray, j: FloatArray) -> FloatArray:
    """Cell probabilities of all pairs, (pairs × k × k), not below the smallest cell."""
    at = rho[:, None, None]
    grid = _bordered(
        distribution(h[:, :, None], j[:, None, :], at),
        distribution(h, np.full_like(h, INFINITE_THRESHOLD), np.zeros_like(h)),
        distribution(np.full_like(j, INFINITE_THRESHOLD), j, np.zeros_like(j)),
    )
    grid[:, -1, -1] = 1.0
    return np.maximum(_cells(grid), _SMALLEST_CELL)


def _maximise(tables: FloatArray, h: FloatArray, j: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Each pair's correlation by Newton steps kept inside a shrinking bracket; pairs that are done drop out."""
    n_pairs, k, _ = tables.shape
    rho = _start(tables)
    low, high = np.full(n_pairs, -_LIMIT), np.full(n_pairs, _LIMIT)
    active = np.arange(n_pairs)
    for _ in range(_MAX_ITERATIONS):
        r, counts = rho[active], tables[active]
        probability = _probabilities(r, h[active], j[active])
        at = r[:, None, None]
        corner_h, corner_j = h[active][:, :, None], j[active][:, None, :]
        phi = density(corner_h, corner_j, at)
        first = _cells(_bordered(phi, 0.0, 0.0))
        second = _cells(_bordered(phi * log_density_slope(corner_h, corner_j, at), 0.0, 0.0))
        ratio = np.where(probability > _SMALLEST_CELL, first / probability, 0.0)
        slope = (counts * ratio).sum(axis=(1, 2))
        curvature = (counts * (np.where(probability > _SMALLEST_CELL, second / probability, 0.0) - ratio**2)).sum(
            axis=(1, 2)
        )
        low[active] = np.where(slope > 0, r, low[active])
        high[active] = np.where(slope <= 0, r, high[active])
        newton = r - slope / np.where(curvature < 0, curvature, -1.0)
        inside = (curvature < 0) & (newton > low[active]) & (newton < high[active])
        following = np.where(inside, newton, (low[active] + high[active]) / 2)
        # A step of 1e-9 leaves an error of the order of its square.
        done = np.abs(following - r) < 1e-9
        rho[active] = following
        active = active[~done]
        if not len(active):
            break
    converged = np.ones(n_pairs, dtype=bool)
    converged[active] = False
    two_empty = np.array([(table[:2, :2] == 0).sum() == 2 and k == 2 for table in tables]) if k == 2 else None
    if two_empty is not None:
        rho[two_empty] = np.where(tables[two_empty, 0, 0] > 0, 1.0, -1.0) * _LIMIT
        converged |= two_empty
    return rho, converged


def _start(tables: FloatArray) -> FloatArray:
    """Pearson correlations of the category numbers, as start values."""
    category = np.arange(tables.shape[1], dtype=np.float64)
    n = tables.sum(axis=(1, 2))
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    mean1, mean2 = first @ category / n, second @ category / n
    cross = np.einsum("pab,a,b->p", tables, category, category) / n - mean1 * mean2
    spread = (first @ category**2 / n - mean1**2) * (second @ category**2 / n - mean2**2)
    r = np.zeros(len(n))
    np.divide(cross, np.sqrt(np.maximum(spread, 0.0)), out=r, where=spread > 0)
    return np.clip(r, -0.95, 0.95)


def _influence(
    codes: IntArray,
    counts: list[npt.NDArray[np.int64]],
    thresholds: tuple[FloatArray, ...],
    tables: FloatArray,
    rho: FloatArray,
    h: FloatArray,
    j: FloatArray,
    pairs: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Influence of each respondent on thresholds and correlations (Muthén 1984, eqs. 25 to 30).

    With casewise scores u of the thresholds and v of the correlations, and the cross products A11 of u, A21 of v with the
    thresholds' scores in the same pair's likelihood, A22 of v: influence is ``inv(A11) u`` and ``inv(A22)(v - A21 inv(A11)
    u)``. Cross products stand in for expected second derivatives, as lavaan has it.
    """
    n, p = codes.shape
    k = tables.shape[1]
    starts = np.concatenate([[0], np.cumsum([len(values) for values in thresholds])])
    by_threshold = np.zeros((n, int(starts[-1])))
    for item, (values, count) in enumerate(zip(thresholds, counts, strict=True)):
        normal = np.exp(-(values**2) / 2) / np.sqrt(2 * np.pi)
        share = count / count.sum()
        # score[c, t]: derivative of ln p_c by threshold t; only the two thresholds around category c matter
        score = np.zeros((len(count), len(values)))
        t = np.arange(len(values))
        score[t, t] = normal / share[t]
        score[t + 1, t] = -normal / share[t + 1]
        information = score.T @ (count[:, None] * score)
        table = np.vstack([np.linalg.solve(information, score.T).T, np.zeros(len(values))])  # last row: no answer
        by_threshold[:, starts[item] : starts[item + 1]] = table[codes[:, item]]
    at = rho[:, None, None]
    probability = _probabilities(rho, h, j)
    score_rho = _cells(_bordered(density(h[:, :, None], j[:, None, :], at), 0.0, 0.0)) / probability
    score_rho = np.where(probability > _SMALLEST_CELL, score_rho, 0.0)
    weighted = tables * score_rho
    information_rho = (weighted * score_rho).sum(axis=(1, 2))
    cross = np.zeros((len(rho), int(starts[-1])))
    for side, (own, other) in enumerate(((h, j), (j, h))):
        of_side = weighted if side == 0 else weighted.transpose(0, 2, 1)
        cells = probability if side == 0 else probability.transpose(0, 2, 1)
        # slope[pair, t, b]: derivative by own threshold t of the probability up to t in the other's category b
        corners = np.zeros((len(rho), k - 1, k + 1))
        corners[:, :, 1:-1] = threshold_slope(own[:, :, None], other[:, None, :], at)
        corners[:, :, -1] = np.exp(-(own**2) / 2) / np.sqrt(2 * np.pi)
        slope = np.diff(corners, axis=2)
        # moving threshold t takes from category t + 1 what it gives to category t
        given = (of_side / cells)[:, :-1, :] - (of_side / cells)[:, 1:, :]
        products = (given * slope).sum(axis=2)
        for item in range(p):
            mine = np.flatnonzero(pairs[side] == item)
            width = len(thresholds[item])
            cross[mine, starts[item] : starts[item + 1]] = products[mine, :width]
    padded_scores = np.zeros((len(rho), k + 1, k + 1))
    padded_scores[:, :k, :k] = score_rho  # row and column k: no answer
    by_correlation = np.empty((n, len(rho)))
    number = np.arange(len(rho))
    for start in range(0, n, _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        own = padded_scores[number, codes[part][:, pairs[0]], codes[part][:, pairs[1]]]
        by_correlation[part] = (own - by_threshold[part] @ cross.T) / information_rho
    return by_threshold, by_correlation
