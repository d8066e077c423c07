r"""Model-implied means and covariances of a factor model, with first and second derivatives.

With the variables v = (observed, factors), a matrix B of directed coefficients (loadings), S of variances and
covariances, m of intercepts and means, and A = (I - B)^-1 (McArdle and McDonald 1984, Brit. J. Math. Stat. Psychol.
37, 234-251), the observed rows of

    P = A S A'          (covariances of all variables)
    e = A m             (means of all variables)

are Sigma and mu; in LISREL's matrices Sigma = Lambda Psi Lambda' + Theta, mu = nu + Lambda alpha. Every derivative of
Sigma is a symmetric product of two vectors,

    dSigma / dtheta_r = s_r (x_r y_r' + y_r x_r'),
    loading of i on j:   x = A[:, i],  y = P[:, j],  s = 1
    covariance of i, j:  x = A[:, i],  y = A[:, j],  s = 1 (1/2 for a variance),

so that tr(W dSigma_r V dSigma_s), which all information matrices are made of, costs a few (q, p) products instead of
q x q products of p x p matrices, and no matrix with p(p+1)/2 rows is needed.

How to use it::

    structure = ModelStructure(table)                  # once per model
    states = structure.at(theta)                       # one BlockState per block: .sigma (p, p), .mu (p,)
    gradient = sum(s.pull_back(G, g) for s in states)  # d f / d theta from G = d f / d Sigma (symmetric), g = d f / d mu

The parameter vector is shared: each block adds into vectors and matrices of the full length ``n_free``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..syntax.model import Block, ParameterTable
from .result import FloatArray

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class FactorMatrices:
    """The matrices of one block in LISREL's notation, rows and columns in the order of the block's variables.

    ``lambda_`` (p, m) loadings, ``beta`` (m, m) loadings of factors on factors, ``psi`` (m, m), ``theta`` (p, p),
    ``nu`` (p,) intercepts, ``alpha`` (m,) factor means or intercepts.
    """

    lambda_: FloatArray
    beta: FloatArray
    psi: FloatArray
    theta: FloatArray
    nu: FloatArray
    alpha: FloatArray


class BlockStructure:
    """Where each parameter of one block stands in its matrices. ``n_free`` is that of the whole model."""

    def __init__(self, table: ParameterTable, number: int) -> None:
        self.block: Block = table.blocks[number]
        self.n_free = table.n_free
        self.n_observed = len(self.block.observed)
        place = {name: i for i, name in enumerate(self.block.variables)}
        size = len(place)
        self.b_fixed, self.s_fixed, self.m_fixed = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size)
        loadings, covariances, means = [], [], []
        for row in table.rows_of(number):
            if row.op == "=~":
                i, j = place[row.rhs], place[row.lhs]
                loadings.append((i, j, row.index)) if row.free else self.b_fixed.__setitem__((i, j), row.value)
            elif row.op == "~~":
                i, j = place[row.lhs], place[row.rhs]
                if row.free:
                    covariances.append((i, j, row.index))
                else:
                    self.s_fixed[i, j] = self.s_fixed[j, i] = row.value
            elif row.op == "~1":
                i = place[row.lhs]
                means.append((i, 0, row.index)) if row.free else self.m_fixed.__setitem__(i, row.value)
        self.b_row, self.b_col, self.b_index = _columns(loadings)
        self.s_row, self.s_col, self.s_index = _columns(covariances)
        self.m_row, _, self.m_index = _columns(means)
        self.s_scale = np.where(self.s_row == self.s_col, 0.5, 1.0)
        self.index = np.concatenate([self.b_index, self.s_index, self.m_index])
        self.ordered_at = np.array([place[n] for n in self.block.observed if n in table.ordered], dtype=np.intp)
        self.shared = len(np.unique(self.index)) < len(self.index)

    def at(self, theta: FloatArray) -> BlockState:
        """The block's moments and derivatives at a parameter vector of length ``n_free``."""
        b, s, m = self.b_fixed.copy(), self.s_fixed.copy(), self.m_fixed.copy()
        b[self.b_row, self.b_col] = theta[self.b_index]
        s[self.s_row, self.s_col] = s[self.s_col, self.s_row] = theta[self.s_index]
        m[self.m_row] = theta[self.m_index]
        identity = np.eye(len(m))
        a: FloatArray = identity + b
        if self.block.second_order:
            a = np.asarray(np.linalg.inv(identity - b), dtype=np.float64)
        return BlockState(self, b, s, m, a)

    def add_vector(self, total: FloatArray, elements: FloatArray) -> None:
        """Add one value per element of this block (loadings, covariances, means) to a vector of length ``n_free``."""
        if self.shared:
            np.add.at(total, self.index, elements)
        else:
            total[self.index] += elements

    def add_matrix(self, total: FloatArray, elements: FloatArray) -> None:
        """Add a matrix over this block's elements to one over all free parameters, (n_free, n_free)."""
        where = np.ix_(self.index, self.index)
        if self.shared:
            np.add.at(total, where, elements)
        else:
            total[where] += elements


class BlockState:
    """Moments and derivatives of one block at one parameter vector.

    ``sigma`` (p, p) and ``mu`` (p,) are the implied moments of the observed variables; ``all_covariances`` (p + m,
    p + m) and ``all_means`` those of observed variables and factors. For ordered items sigma has 1 on its diagonal by
    definition; the derivatives do not know of this, so use their off-diagonal elements only.
    """

    def __init__(self, structure: BlockStructure, b: FloatArray, s: FloatArray, m: FloatArray, a: FloatArray) -> None:
        self.structure = structure
        self.b, self.s, self.m, self.a = b, s, m, a
        self.all_covariances: FloatArray = a @ s @ a.T
        at = structure.ordered_at
        if len(at):
            # delta parameterisation: the latent response of an ordered item has variance 1, its residual the rest
            self.s[at, at] += 1.0 - self.all_covariances[at, at]
            self.all_covariances[at, at] = 1.0
        self.all_means: FloatArray = a @ m
        p = structure.n_observed
        self.sigma: FloatArray = self.all_covariances[:p, :p]
        self.mu: FloatArray = self.all_means[:p]

    def matrices(self) -> FactorMatrices:
        """Loadings, factor covariances, residual covariances, intercepts and factor means."""
        p = self.structure.n_observed
        return FactorMatrices(
            self.b[:p, p:], self.b[p:, p:], self.s[p:, p:], self.s[:p, :p], self.m[:p], self.m[p:]
        )  # fmt: skip

    @cached_property
    def vectors(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """x (k, p), y (k, p) and s (k,) of the k loading and covariance elements: dSigma_r = s (x y' + y x')."""
        x, y, scale = self.all_vectors
        p = self.structure.n_observed
        return np.ascontiguousarray(x[:, :p]), np.ascontiguousarray(y[:, :p]), scale

    @cached_property
    def all_vectors(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """As ``vectors``, for the covariances of observed variables and factors together: x, y are (k, p + m)."""
        t, a, p = self.structure, self.a, self.all_covariances
        x = np.concatenate([a[:, t.b_row].T, a[:, t.s_row].T])
        y = np.concatenate([p[:, t.b_col].T, a[:, t.s_col].T])
        return x, y, np.concatenate([np.ones(len(t.b_row)), t.s_scale])

    @cached_property
    def all_mean_elements(self) -> FloatArray:
        """Derivatives of the means of all variables by element (loadings, covariances, means): (k + k_means, p + m)."""
        t = self.structure
        return np.concatenate([
            self.a[:, t.b_row].T * self.all_means[t.b_col][:, None],
            np.zeros((len(t.s_row), len(self.m))),
            self.a[:, t.m_row].T,
        ])  # fmt: skip

    @property
    def mean_elements(self) -> FloatArray:
        """Derivatives of mu by element: (k + k_means, p)."""
        return self.all_mean_elements[:, : self.structure.n_observed]

    def sigma_derivatives(self) -> FloatArray:
        """dSigma / dtheta: (n_free, p, p)."""
        x, y, scale = self.vectors
        outer = (scale[:, None] * x)[:, :, None] * y[:, None, :]
        p = self.structure.n_observed
        total = np.zeros((self.structure.n_free, p, p))
        np.add.at(total, self.structure.index[: len(x)], outer + outer.transpose(0, 2, 1))
        return total

    def mu_derivatives(self) -> FloatArray:
        """dmu / dtheta: (n_free, p)."""
        total = np.zeros((self.structure.n_free, self.structure.n_observed))
        np.add.at(total, self.structure.index, self.mean_elements)
        return total

    def jacobian(self, *, means: bool) -> FloatArray:
        """d (mu, vech Sigma) / dtheta: rows mu first where ``means``, then vech; columns parameters.

        vech runs down the columns of the lower triangle: (1,1), (2,1), …, (p,1), (2,2), …, the order of
        ``numpy.triu_indices(p)`` for a symmetric matrix.
        """
        rows, cols = np.triu_indices(self.structure.n_observed)
        covariances = self.sigma_derivatives()[:, rows, cols].T
        return np.concatenate([self.mu_derivatives().T, covariances]) if means else covariances

    def pull_back(self, g_sigma: FloatArray, g_mu: FloatArray | None = None) -> FloatArray:
        """Gradient over theta, (n_free,), of a function with symmetric derivative ``g_sigma`` by Sigma, ``g_mu`` by mu.

        ``g_sigma`` is the matrix G with df = tr(G dSigma); g_mu the vector with df = g' dmu.
        """
        t, p = self.structure, self.structure.n_observed
        left = self.a[:p].T @ g_sigma
        covariances = 2.0 * (left @ self.a[:p])[t.s_row, t.s_col] * t.s_scale
        loadings = 2.0 * (left @ self.all_covariances[:p])[t.b_row, t.b_col]
        means = np.zeros(len(t.m_row))
        if g_mu is not None:
            along = self.a[:p].T @ g_mu
            loadings = loadings + along[t.b_row] * self.all_means[t.b_col]
            means = along[t.m_row]
        total = np.zeros(t.n_free)
        t.add_vector(total, np.concatenate([loadings, covariances, means]))
        return total

    def curvature(self, g_sigma: FloatArray, g_mu: FloatArray | None = None) -> FloatArray:
        """tr(G d2Sigma / dtheta dtheta') + g' d2mu / dtheta dtheta', (n_free, n_free), with G and g held fixed."""
        t, p, a = self.structure, self.structure.n_observed, self.a
        g_mu = np.zeros(p) if g_mu is None else g_mu
        along = a[:p].T @ g_mu
        aga = a[:p].T @ g_sigma @ a[:p]
        agp = a[:p].T @ g_sigma @ self.all_covariances[:p]
        i, j, r, c = t.b_row, t.b_col, t.s_row, t.s_col
        n_b, n_s = len(i), len(r)
        total = np.zeros((len(t.index), len(t.index)))
        # path[l, i] a[l, i]: how factor l moves with variable i; zero between items, so first-order models skip most
        path = a[np.ix_(j, i)].T  # (element ij, element kl) -> a[l, i]
        total[:n_b, :n_b] = (
            2.0 * (path * agp[np.ix_(i, j)].T + path.T * agp[np.ix_(i, j)]
                   + self.all_covariances[np.ix_(j, j)] * aga[np.ix_(i, i)])
            + path * np.outer(along[i], self.all_means[j]).T + path.T * np.outer(along[i], self.all_means[j])
        )  # fmt: skip
        mixed = 2.0 * t.s_scale * (a[np.ix_(j, r)] * aga[np.ix_(i, c)] + a[np.ix_(j, c)] * aga[np.ix_(i, r)])
        total[:n_b, n_b : n_b + n_s] = mixed
        total[n_b : n_b + n_s, :n_b] = mixed.T
        with_means = a[np.ix_(j, t.m_row)] * along[i][:, None]
        total[:n_b, n_b + n_s :] = with_means
        total[n_b + n_s :, :n_b] = with_means.T
        result = np.zeros((t.n_free, t.n_free))
        t.add_matrix(result, total)
        return result

    def mean_products(self, w: FloatArray) -> FloatArray:
        """dmu_r' W dmu_s over all parameters, (n_free, n_free), for a symmetric W."""
        d = self.mean_elements
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        self.structure.add_matrix(total, d @ w @ d.T)
        return total

    def trace_products(self, w: FloatArray, v: FloatArray | None = None) -> FloatArray:
        """tr(W dSigma_r V dSigma_s) over all parameters, (n_free, n_free), for symmetric W and V (default V = W)."""
        return trace_products(w, w if v is None else v, self, self)


class ModelStructure:
    """The compiled form of a parameter table: one :class:`BlockStructure` per group and level."""

    def __init__(self, table: ParameterTable) -> None:
        self.table = table
        self.blocks = tuple(BlockStructure(table, number) for number in range(len(table.blocks)))

    def at(self, theta: FloatArray) -> list[BlockState]:
        """Moments and derivatives of every block at a parameter vector of length ``n_free``."""
        return [block.at(theta) for block in self.blocks]


def trace_products(w: FloatArray, v: FloatArray, left: BlockState, right: BlockState) -> FloatArray:
    """tr(W dSigma_r V dSigma_s), r over ``left`` and s over ``right``, (n_free, n_free).

    The two states may be different blocks over the same observed variables (within and between). W and V are
    symmetric (p, p). For ``left`` being ``right`` and W = V the result is symmetric.
    """
    x, y, s = left.vectors
    u, t, z = right.vectors
    xw, yw = x @ w, y @ w
    if v is w:
        products = 2.0 * ((xw @ u.T) * (yw @ t.T) + (xw @ t.T) * (yw @ u.T))
    else:
        xv, yv = x @ v, y @ v
        products = (xw @ t.T) * (yv @ u.T) + (xw @ u.T) * (yv @ t.T) + (yw @ t.T) * (xv @ u.T) + (yw @ u.T) * (xv @ t.T)
    products *= np.outer(s, z)
    a, b = left.structure, right.structure
    total = np.zeros((a.n_free, a.n_free))
    where = np.ix_(a.index[: len(x)], b.index[: len(u)])
    if a.shared or b.shared:
        np.add.at(total, where, products)
    else:
        total[where] += products
    return total


def _columns(triples: Sequence[tuple[int, int, int]]) -> tuple[IntArray, IntArray, IntArray]:
    array = np.array(triples, dtype=np.intp).reshape(-1, 3)
    return array[:, 0], array[:, 1], array[:, 2]
