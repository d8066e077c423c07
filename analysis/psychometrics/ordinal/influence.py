"""What every respondent contributes to thresholds and polychoric correlations: their joint sampling distribution.

With casewise scores u of the thresholds (each item's own likelihood) and v of the correlations (each pair's likelihood),
and the cross products A11 of u with itself, A21 of v with the thresholds' scores in the same pair's likelihood, A22 of v
with itself, a respondent's influence is

    on the thresholds     inv(A11) u
    on the correlations   inv(A22) (v - A21 inv(A11) u)

and the sampling covariance of all statistics is the cross product of these columns (Muthén 1984, eqs. 25 to 30). Cross
products stand in for expected second derivatives, as lavaan has it. A score depends on the cell of a two-way table only,
so all of it is looked up in tables.

Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika, 49, 115-132.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bivariate_normal import SMALLEST_CELL, bordered, cell_probabilities, cells, density, threshold_slope

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Above this number of respondents only the cross product is kept, in as many rows as there are statistics.
KEEP_ROWS = 5_000
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Influence:
    """Influence on all statistics: the cross product of the columns is their sampling covariance matrix.

    ``thresholds`` (r, n_thresholds) and ``correlations`` (r, n_pairs), with a row per respondent; per unit where influence
    was summed by ``n_units`` units (teams); or, above :data:`KEEP_ROWS` respondents, with as many rows as statistics and the
    same cross product. ``threshold_variance`` and ``correlation_variance`` are the sums of squares over respondents, also
    where rows are units.
    """

    thresholds: FloatArray
    correlations: FloatArray
    threshold_variance: FloatArray
    correlation_variance: FloatArray
    n_units: int | None = None


def influence_of_respondents(
    codes: IntArray,
    thresholds: Sequence[FloatArray],
    tables: FloatArray,
    rho: FloatArray,
    h: FloatArray,
    j: FloatArray,
    pairs: IntArray,
    units: IntArray | None = None,
) -> Influence:
    """Compute :class:`Influence` from answers and estimates.

    ``codes`` (respondents × items) category numbers, -1 for no answer; ``thresholds`` per item; ``tables`` (pairs × k × k)
    counts; ``rho`` (pairs,); ``h``, ``j`` (pairs × k-1) padded thresholds of the first and second item; ``pairs`` (2, pairs)
    item numbers; ``units`` (respondents,) from 0.
    """
    lookup = _ScoreTables(codes, thresholds, tables, rho, h, j, pairs)
    n, n_thresholds, n_pairs = len(codes), lookup.n_thresholds, len(rho)
    width = n_thresholds + n_pairs
    variance = np.zeros(width)
    n_units = None if units is None else int(units.max()) + 1
    compressed = n_units is None and n > max(KEEP_ROWS, width)
    rows = width if compressed else n if n_units is None else n_units
    total = np.zeros((rows, width))
    for start in range(0, n, _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        chunk = lookup.influence(codes[part])
        variance += np.einsum("ij,ij->j", chunk, chunk)
        if compressed:
            total += chunk.T @ chunk
        elif units is None:
            total[part] = chunk
        else:
            np.add.at(total, units[part], chunk)
    if compressed:
        values, vectors = np.linalg.eigh(total)
        total = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    return Influence(
        thresholds=np.ascontiguousarray(total[:, :n_thresholds]),
        correlations=np.ascontiguousarray(total[:, n_thresholds:]),
        threshold_variance=variance[:n_thresholds],
        correlation_variance=variance[n_thresholds:],
        n_units=n_units,
    )


class _ScoreTables:
    """Influence as a function of the cells a respondent is in: tables per item and per pair, looked up by chunk."""

    def __init__(
        self,
        codes: IntArray,
        thresholds: Sequence[FloatArray],
        tables: FloatArray,
        rho: FloatArray,
        h: FloatArray,
        j: FloatArray,
        pairs: IntArray,
    ) -> None:
        self.pairs, self.number = pairs, np.arange(len(rho))
        self.starts = np.concatenate([[0], np.cumsum([len(values) for values in thresholds])])
        self.by_item = [
            _threshold_table(values, np.bincount(codes[codes[:, item] >= 0, item], minlength=len(values) + 1))
            for item, values in enumerate(thresholds)
        ]
        k = tables.shape[1]
        at = rho[:, None, None]
        probability = cell_probabilities(rho, h, j)
        score = cells(bordered(density(h[:, :, None], j[:, None, :], at), 0.0, 0.0)) / probability
        score = np.where(probability > SMALLEST_CELL, score, 0.0)
        weighted = tables * score
        self.information = (weighted * score).sum(axis=(1, 2))
        self.cross = np.zeros((len(rho), self.n_thresholds))
        for side, (own, other) in enumerate(((h, j), (j, h))):
            per_cell = weighted / probability
            products = _threshold_products(per_cell if side == 0 else per_cell.transpose(0, 2, 1), own, other, at)
            for item, values in enumerate(thresholds):
                of_item = np.flatnonzero(pairs[side] == item)
                self.cross[of_item, self.starts[item] : self.starts[item + 1]] = products[of_item, : len(values)]
        self.scores = np.zeros((len(rho), k + 1, k + 1))
        self.scores[:, :k, :k] = score  # row and column k, which -1 points at: no answer

    @property
    def n_thresholds(self) -> int:
        return int(self.starts[-1])

    def influence(self, codes: IntArray) -> FloatArray:
        """Influence of some respondents on thresholds, then correlations: (respondents, statistics)."""
        result = np.empty((len(codes), self.n_thresholds + len(self.number)))
        by_threshold = result[:, : self.n_thresholds]
        for item, table in enumerate(self.by_item):
            by_threshold[:, self.starts[item] : self.starts[item + 1]] = table[codes[:, item]]
        own = self.scores[self.number, codes[:, self.pairs[0]], codes[:, self.pairs[1]]]
        result[:, self.n_thresholds :] = (own - by_threshold @ self.cross.T) / self.information
        return result


def _threshold_table(thresholds: FloatArray, count: npt.NDArray[np.int64]) -> FloatArray:
    """Influence on an item's thresholds by category, (categories + 1, thresholds); the last row is for no answer."""
    normal = np.exp(-(thresholds**2) / 2) / np.sqrt(2 * np.pi)
    share = count / count.sum()
    # score[c, t]: derivative of ln p_c by threshold t; only the two thresholds around category c matter
    score = np.zeros((len(count), len(thresholds)))
    t = np.arange(len(thresholds))
    score[t, t] = normal / share[t]
    score[t + 1, t] = -normal / share[t + 1]
    information = score.T @ (count[:, None] * score)
    return np.vstack([np.linalg.solve(information, score.T).T, np.zeros(len(thresholds))])


def _threshold_products(per_cell: FloatArray, own: FloatArray, other: FloatArray, at: FloatArray) -> FloatArray:
    """Products of each pair's correlation score with its scores by the own thresholds, summed: (pairs × k-1).

    ``per_cell`` is the count times the correlation score over the probability of each cell, own categories first.
    """
    n_pairs, k1 = own.shape
    # corners[pair, t, b]: derivative by own threshold t of the probability up to t and up to the other's category b
    corners = np.zeros((n_pairs, k1, k1 + 2))
    corners[:, :, 1:-1] = threshold_slope(own[:, :, None], other[:, None, :], at)
    corners[:, :, -1] = np.exp(-(own**2) / 2) / np.sqrt(2 * np.pi)
    # moving threshold t up takes from category t + 1 what it gives to category t
    given = per_cell[:, :-1, :] - per_cell[:, 1:, :]
    return np.asarray((given * np.diff(corners, axis=2)).sum(axis=2), dtype=np.float64)
