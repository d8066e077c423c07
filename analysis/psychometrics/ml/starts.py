"""Start values from sample covariances: one centroid factor per scale, correlations corrected for attenuation.

Good start values make Newton's method converge in a handful of steps; the estimates do not depend on them.
Centroid loadings: Thurstone (1947), Multiple-factor analysis, chapter 8, with an empty diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..syntax.model import Block, ParameterRow, ParameterTable
from .moments import ModelStructure
from .result import FloatArray


def start_values(
    structure: ModelStructure, covariances: Sequence[FloatArray], means: Sequence[FloatArray] | None = None
) -> FloatArray:
    """A parameter vector (n_free,) whose implied covariance matrices are positive definite.

    ``covariances`` (p, p) and ``means`` (p,) are per block, in the order of each block's observed variables. Threshold
    rows are left at 0. Values given in the syntax with ``start()`` are kept.
    """
    table = structure.table
    theta = _collect(table, [
        _block_values(table, number, covariances[number], None if means is None else means[number])
        for number in range(len(table.blocks))
    ])  # fmt: skip
    return theta if _defined(structure, theta) else plain_start_values(structure, covariances, means)


def plain_start_values(
    structure: ModelStructure, covariances: Sequence[FloatArray], means: Sequence[FloatArray] | None = None
) -> FloatArray:
    """Small factor variances and no covariances: crude, but positive definite whatever the data look like."""
    table = structure.table
    return _collect(table, [
        _plain_values(table, number, covariances[number], None if means is None else means[number])
        for number in range(len(table.blocks))
    ])  # fmt: skip


def _defined(structure: ModelStructure, theta: FloatArray) -> bool:
    return all(np.linalg.eigvalsh(state.sigma)[0] > 0 for state in structure.at(theta))


def _collect(table: ParameterTable, blocks: Sequence[dict[ParameterRow, float]]) -> FloatArray:
    """One value per free parameter: the mean over the rows that share it, or the value given in the syntax."""
    theta, count = np.zeros(table.n_free), np.zeros(table.n_free)
    for values in blocks:
        for row, value in values.items():
            theta[row.index] += value
            count[row.index] += 1
    theta /= np.maximum(count, 1)
    for row in table.rows:
        if row.free and row.start is not None:
            theta[row.index] = row.start
    return theta


def _block_values(
    table: ParameterTable, number: int, covariance: FloatArray, mean: FloatArray | None
) -> dict[ParameterRow, float]:
    block = table.blocks[number]
    rows = [row for row in table.rows_of(number) if row.op in ("=~", "~~", "~1")]
    place = {name: i for i, name in enumerate(block.observed)}
    sd = np.sqrt(np.maximum(np.diag(covariance), 1e-8))
    unit = _standardised_loadings(block, rows, covariance / np.outer(sd, sd))  # (p, m)
    residual = np.maximum(1.0 - (unit**2).sum(axis=1), 0.2) * sd**2
    scale = np.array([_factor_sd(factor, rows, unit[:, k] * sd, place) for k, factor in enumerate(block.latent)])
    between = _factor_correlations(unit, covariance / np.outer(sd, sd))
    factor = {name: k for k, name in enumerate(block.latent)}
    values: dict[ParameterRow, float] = {}
    for row in rows:
        if not row.free:
            continue
        if row.op == "=~":
            k = factor[row.lhs]
            if row.rhs in factor:
                values[row] = abs(scale[factor[row.rhs]] / scale[k]) * 0.7
            else:
                i = place[row.rhs]
                values[row] = unit[i, k] * sd[i] / scale[k]
        elif row.op == "~1":
            values[row] = float(mean[place[row.lhs]]) if mean is not None and row.lhs in place else 0.0
        elif row.lhs == row.rhs:
            if row.lhs in factor:
                disturbance = 0.5 if any(r.op == "=~" and r.rhs == row.lhs for r in rows) else 1.0
                values[row] = disturbance * scale[factor[row.lhs]] ** 2
            else:
                values[row] = residual[place[row.lhs]]
        elif row.lhs in factor and row.rhs in factor:
            j, k = factor[row.lhs], factor[row.rhs]
            values[row] = between[j, k] * scale[j] * scale[k]
        else:
            values[row] = 0.0
    return values


def _standardised_loadings(block: Block, rows: Sequence[ParameterRow], r: FloatArray) -> FloatArray:
    """Loadings (p, m) of standardised items on factors with variance 1; each factor after those before it."""
    place = {name: i for i, name in enumerate(block.observed)}
    unit = np.zeros((len(place), len(block.latent)))
    for k, factor in enumerate(block.latent):
        at = [place[row.rhs] for row in rows if row.op == "=~" and row.lhs == factor and row.rhs in place]
        if not at:
            continue
        here = r[np.ix_(at, at)] - unit[at] @ unit[at].T
        np.fill_diagonal(here, 0.0)
        if len(at) == 1:
            unit[at, k] = np.sqrt(max(1.0 - float((unit[at] ** 2).sum()), 0.1))
            continue
        sign = np.sign(np.linalg.eigh(here)[1][:, -1])
        sign[sign == 0] = 1.0
        # with a free sign (unit variance) the first item decides it, as it does in lavaan
        sign = sign * sign[0]
        sums = (here * np.outer(sign, sign)).sum(axis=1)
        loading = sums / np.sqrt(max(float(sums.sum()), 0.05 * len(at)))
        room = np.sqrt(np.maximum(1.0 - (unit[at] ** 2).sum(axis=1), 0.1))
        unit[at, k] = sign * np.clip(loading, 0.15, 0.95) * room
    return unit


def _factor_sd(factor: str, rows: Sequence[ParameterRow], loadings: FloatArray, place: dict[str, int]) -> float:
    """The factor's standard deviation under its identification; negative where the marker loads negatively."""
    for row in rows:
        if row.op == "=~" and row.lhs == factor and not row.free and row.value and row.rhs in place:
            return float(loadings[place[row.rhs]] / row.value) or 1.0
    for row in rows:
        if row.op == "~~" and row.lhs == row.rhs == factor and not row.free and row.value > 0:
            return float(np.sqrt(row.value))
    return 1.0


def _factor_correlations(unit: FloatArray, r: FloatArray) -> FloatArray:
    """Least-squares correlations between factors, 0.9 at most; with shared items 0.3 at most."""
    m = unit.shape[1]
    result = np.eye(m)
    for j in range(m):
        for k in range(j):
            weight = float((unit[:, j] ** 2).sum() * (unit[:, k] ** 2).sum())
            limit = 0.3 if np.any((unit[:, j] != 0) & (unit[:, k] != 0)) else 0.9
            value = float(unit[:, j] @ r @ unit[:, k]) / weight if weight > 0 else 0.0
            result[j, k] = result[k, j] = np.clip(value, -limit, limit)
    smallest = float(np.linalg.eigvalsh(result)[0]) if m else 1.0
    if smallest < 0.05:
        # pull towards the identity until the matrix is positive definite
        result = np.eye(m) + (result - np.eye(m)) * 0.95 / (1.0 - smallest)
    return result


def _plain_values(
    table: ParameterTable, number: int, covariance: FloatArray, mean: FloatArray | None
) -> dict[ParameterRow, float]:
    block = table.blocks[number]
    place = {name: i for i, name in enumerate(block.observed)}
    values: dict[ParameterRow, float] = {}
    for row in table.rows_of(number):
        if not row.free:
            continue
        if row.op == "=~":
            sd = np.sqrt(covariance[place[row.rhs], place[row.rhs]]) if row.rhs in place else 1.0
            values[row] = 0.3 * float(sd) if table.std_lv else 1.0
        elif row.op == "~~" and row.lhs == row.rhs:
            values[row] = 0.5 * float(covariance[place[row.lhs], place[row.lhs]]) if row.lhs in place else 0.05
        elif row.op == "~1" and row.lhs in place and mean is not None:
            values[row] = float(mean[place[row.lhs]])
        else:
            values[row] = 0.0
    return values
