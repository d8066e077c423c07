r"""Standardised solutions with delta-method standard errors.

A loading is multiplied by SD(factor)/SD(item), a variance divided by the total variance, a covariance by the SDs of the
residuals it connects, an intercept by the SD of its variable. SDs are implied by the model. Each standardised value is

    est * exp(1/2 sum_k w_k log v_k),   w_k = +1 or -1,   v_k variances,

so its derivative by theta is scale * dest + std * 1/2 sum_k w_k dv_k / v_k, and its standard error the square root of
J vcov J' (Bollen 1989, Structural equations with latent variables, p. 349; delta method: Rao 1973, section 6a.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..syntax.model import ParameterRow
from .moments import BlockState, ModelStructure
from .result import FloatArray


@dataclass(frozen=True)
class Standardised:
    """Per row of the parameter table: estimate, the two standardised values, and d std_all / d theta.

    ``est``, ``std_lv`` (factors standardised), ``std_all`` (factors and items): (n_rows,); ``jacobian``:
    (n_rows, n_free). NaN where a variance is not positive.
    """

    est: FloatArray
    std_lv: FloatArray
    std_all: FloatArray
    jacobian: FloatArray


def standardise(structure: ModelStructure, states: Sequence[BlockState], theta: FloatArray) -> Standardised:
    """Estimates of all rows of the table, free or fixed, raw and standardised."""
    rows = structure.table.rows
    n_free = structure.table.n_free
    est, std_lv, std_all = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    jacobian = np.zeros((len(rows), n_free))
    scales = [_Scales(state) for state in states]
    with np.errstate(invalid="ignore", divide="ignore"):
        for number, row in enumerate(rows):
            scale = scales[row.block]
            est[number] = scale.estimate(row, theta)
            up, down, down_residual, up_lv, down_lv = scale.parts(row)
            factor = scale.factor(up, down, down_residual)
            std_all[number] = est[number] * factor
            std_lv[number] = est[number] * scale.factor(up_lv, down_lv, down_residual if scale.latent(row) else ())
            slope = std_all[number] * 0.5 * scale.log_slope(up, down, down_residual)
            if row.free:
                slope[row.index] += factor
            jacobian[number] = slope + scale.implicit_slope(row) * factor
    return Standardised(est, std_lv, std_all, jacobian)


class _Scales:
    """Implied variances of one block, their logarithmic derivatives, and which of them standardise a row."""

    def __init__(self, state: BlockState) -> None:
        structure = state.structure
        self.state = state
        self.n_observed = structure.n_observed
        self.place = {name: i for i, name in enumerate(structure.block.variables)}
        self.total = np.diag(state.all_covariances).copy()
        self.residual = np.diag(state.s).copy()
        self.zero = np.zeros(structure.n_free)
        x, y, s = state.all_vectors
        slopes = np.zeros((structure.n_free, len(self.total)))
        np.add.at(slopes, structure.index[: len(x)], 2.0 * s[:, None] * x * y)
        # an ordered item has variance 1 by definition: its residual gives way
        self.implicit = {int(i): -slopes[:, i] for i in structure.ordered_at}
        slopes[:, structure.ordered_at] = 0.0
        self.total_slopes = slopes
        own = np.zeros_like(slopes)
        on_diagonal = structure.s_row == structure.s_col
        own[structure.s_index[on_diagonal], structure.s_row[on_diagonal]] = 1.0
        for i, slope in self.implicit.items():
            own[:, i] = slope
        self.residual_slopes = own

    def latent(self, row: ParameterRow) -> bool:
        """Whether a row concerns factors only."""
        return self.place[row.lhs] >= self.n_observed and (
            row.op == "~1" or (row.op == "~~" and self.place[row.rhs] >= self.n_observed)
        )

    def estimate(self, row: ParameterRow, theta: FloatArray) -> float:
        if row.op == "~~":
            return float(self.state.s[self.place[row.lhs], self.place[row.rhs]])
        return float(theta[row.index]) if row.free else row.value

    def implicit_slope(self, row: ParameterRow) -> FloatArray:
        """Slope of the residual variance of an ordered item, which is not free but follows from the loadings."""
        if row.op == "~~" and row.lhs == row.rhs and not row.free:
            return self.implicit.get(self.place[row.lhs], self.zero)
        return self.zero

    def parts(self, row: ParameterRow) -> tuple[tuple[int, ...], ...]:
        """Variables whose total variance multiplies and divides std_all, whose residual variance divides it; same
        for std_lv."""
        if row.op in ("|", "~*~"):
            return (), (), (), (), ()
        lhs = self.place[row.lhs]
        if row.op == "=~":
            rhs = self.place[row.rhs]
            return (lhs,), (rhs,), (), (lhs,), (rhs,) if rhs >= self.n_observed else ()
        inner = (lhs,) if lhs >= self.n_observed else ()
        if row.op == "~1":
            # half a logarithm each: an SD is the root of a variance
            return (), (lhs,), (), (), inner
        if row.lhs == row.rhs:
            return (), (lhs, lhs), (), (), inner * 2
        return (), (), (lhs, self.place[row.rhs]), (), ()

    def factor(self, up: tuple[int, ...], down: tuple[int, ...], down_residual: tuple[int, ...]) -> float:
        above = np.sqrt(self.total[list(up)]).prod()
        # a variance is divided by a variance, which is a ratio even where the two are negative
        twice = len(down) == 2 and down[0] == down[1]
        below = self.total[down[0]] if twice else np.sqrt(self.total[list(down)]).prod()
        below = below * np.sqrt(self.residual[list(down_residual)]).prod()
        return float(above / below)

    def log_slope(self, up: tuple[int, ...], down: tuple[int, ...], down_residual: tuple[int, ...]) -> FloatArray:
        """Derivative of the logarithm of the squared factor by theta, (n_free,)."""
        slope = self.zero.copy()
        for i in up:
            slope += self.total_slopes[:, i] / self.total[i]
        for i in down:
            slope -= self.total_slopes[:, i] / self.total[i]
        for i in down_residual:
            slope -= self.residual_slopes[:, i] / self.residual[i]
        return slope
