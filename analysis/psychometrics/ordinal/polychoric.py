"""Thresholds and polychoric correlations of ordinal items in two steps, with their joint sampling distribution.

Step one: thresholds of each item from its own shares. Step two: each pair's correlation by maximum likelihood with those
thresholds held (Olsson 1979, two-step). Their sampling covariance follows from the casewise scores of both steps
(:mod:`~analysis.psychometrics.ordinal.influence`). All pairs are solved together: the work is in a few arrays of (pairs × categories × categories).

Olsson, U. (1979). Maximum likelihood estimation of the polychoric
correlation coefficient. Psychometrika, 44, 443-460.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from ..problems import (
    CORRELATION_AT_OR_OVER_ONE,
    EMPTY_CATEGORY,
    NO_VARIANCE,
    NOT_CONVERGED,
    TOO_FEW_OBSERVATIONS,
    Problem,
)
from .bivariate_normal import (
    INFINITE_THRESHOLD,
    SMALLEST_CELL,
    bordered,
    cell_probabilities,
    cells,
    density,
    log_density_slope,
)
from .influence import Influence, influence_of_respondents

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Correlations are sought inside these limits; a table without discordant answers has none inside.
_LIMIT = 0.99999
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
    """Thresholds and polychoric correlations, and what respondents (or teams) contribute to both.

    ``thresholds`` one array per item (categories - 1,); ``correlation`` (items × items); ``pairs`` (2, n_pairs) the item
    numbers of each correlation, in the order of the columns of ``influence.correlations``. ``influence`` is None where it
    was not asked for, or where there are no correlations.
    """

    names: tuple[str, ...]
    n_obs: int
    thresholds: tuple[FloatArray, ...]
    correlation: FloatArray
    pairs: IntArray
    influence: Influence | None = None
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


def polychoric(data: OrdinalData, *, influence: bool = True, units: IntArray | None = None) -> PolychoricResult:
    """Compute thresholds, polychoric correlations and, unless ``influence`` is False, the influence on them.

    ``units`` (respondents,) numbers teams from 0: influence is then summed by team. Every item uses all of its answers and every pair all rows where both are answered; for listwise deletion give complete
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
        return PolychoricResult(data.names, n, (), nothing, pairs, problems=tuple(problems))
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
        return PolychoricResult(data.names, n, thresholds, nothing, pairs, problems=(problem,))
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
    contributed = influence_of_respondents(codes, thresholds, tables, rho, h, j, pairs, units) if influence else None
    return PolychoricResult(data.names, n, thresholds, correlation, pairs, contributed, tuple(problems))


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


def _maximise(tables: FloatArray, h: FloatArray, j: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Each pair's correlation by Newton steps kept inside a shrinking bracket; pairs that are done drop out."""
    n_pairs, k, _ = tables.shape
    rho = _start(tables)
    low, high = np.full(n_pairs, -_LIMIT), np.full(n_pairs, _LIMIT)
    active = np.arange(n_pairs)
    for _ in range(_MAX_ITERATIONS):
        r, counts = rho[active], tables[active]
        probability = cell_probabilities(r, h[active], j[active])
        at = r[:, None, None]
        corner_h, corner_j = h[active][:, :, None], j[active][:, None, :]
        phi = density(corner_h, corner_j, at)
        first = cells(bordered(phi, 0.0, 0.0))
        second = cells(bordered(phi * log_density_slope(corner_h, corner_j, at), 0.0, 0.0))
        ratio = np.where(probability > SMALLEST_CELL, first / probability, 0.0)
        slope = (counts * ratio).sum(axis=(1, 2))
        curvature = (counts * (np.where(probability > SMALLEST_CELL, second / probability, 0.0) - ratio**2)).sum(
            axis=(1, 2)
        )
        # An answer in a cell of no probability says that the correlation is too extreme, whatever the other cells say.
        impossible = ((counts > 0) & (probability <= SMALLEST_CELL)).any(axis=(1, 2))
        slope = np.where(impossible, -np.sign(r), slope)
        curvature = np.where(impossible, 0.0, curvature)
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
