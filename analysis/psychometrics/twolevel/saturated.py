"""Mean, within and between covariance of respondents in teams without a model, and with unrelated items.

The between matrix is kept positive semidefinite, as a covariance matrix must be: B = L L'. With 36 teams its maximum is
often on the boundary, where EM (McDonald and Goldstein 1989; Lee and Poon 1998) creeps: it halves its distance to a
variance of zero in ever more steps. Here EM only prepares the ground; Newton's method on the triangular factor L then
lands on the boundary itself, where the columns of L that vanish have positive curvature.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import fmin_l_bfgs_b

from ..ml.newton import minimise
from ..ml.strata import Array, NotPositiveDefiniteError, Strata, half_index, strata_terms
from .clusters import ClusterSummaries, two_level_derivatives, two_level_value

EM_STEPS = 60
# With more moments than this a quasi-Newton method takes over from Newton's.
MOST_NEWTON_MOMENTS = 700


@dataclass(frozen=True)
class TwoLevelMoments:
    """Maximum-likelihood moments of both levels.

    Attributes:
        mean: (p,).
        within: (p, p).
        between: (p, p), positive semidefinite.
        logl: log-likelihood at these moments.
        converged: the likelihood equations hold.
        n_iterations: EM and (quasi-)Newton steps together.
    """

    mean: Array
    within: Array
    between: Array
    logl: float
    converged: bool
    n_iterations: int

    @property
    def icc(self) -> Array:
        """Intraclass correlation per variable, B/(B + W), (p,)."""
        b, w = np.diag(self.between), np.diag(self.within)
        icc: Array = b / (b + w)
        return icc


def is_singular(between: Array) -> bool:
    """Whether a between matrix (p, p) lies on the boundary of the positive definite matrices, or beyond."""
    scale = np.sqrt(np.maximum(np.diag(between), 0.0))
    if scale.size == 0 or scale.min() == 0.0:
        return bool(scale.size)
    return bool(np.linalg.eigvalsh(between / np.outer(scale, scale)).min() < 1e-6)


def _start(summaries: ClusterSummaries) -> tuple[Array, Array, Array]:
    """Moment estimates, the between matrix pushed inside the positive definite ones."""
    varies, differs = summaries.has_within, summaries.has_between
    mean = (summaries.between.weight @ summaries.between.mean) / summaries.n_clusters
    within = summaries.within.scatter[0].copy()
    centred = summaries.cluster_mean - mean
    observed = centred.T @ centred / summaries.n_clusters
    between = observed - within * float(np.mean(1.0 / summaries.cluster_size))
    scale = np.sqrt(np.where(varies, np.diag(within), np.maximum(np.diag(observed), 1e-12)))
    values, vectors = np.linalg.eigh(between / np.outer(scale, scale))
    between = (vectors * np.maximum(values, 0.02)) @ vectors.T * np.outer(scale, scale)
    return mean, within, np.where(np.outer(differs, differs), between, 0.0)


def _generalised_mean(summaries: ClusterSummaries, within: Array, between: Array) -> Array:
    """The mean that maximises the likelihood given both matrices: weighted least squares over the clusters."""
    covariance = between + within / summaries.size[:, None, None]
    terms = strata_terms(summaries.between, np.zeros(summaries.p), covariance)
    weight = summaries.between.weight
    weighted = np.tensordot(weight, terms.inverse, axes=1)
    return np.asarray(np.linalg.solve(weighted, weight @ terms.inverse_mean), dtype=np.float64)


def _em(summaries: ClusterSummaries, steps: int) -> tuple[Array, Array, Array]:
    mean, within, between = _start(summaries)
    for _ in range(steps):
        mean = _generalised_mean(summaries, within, between)
        at = two_level_derivatives(summaries, mean, within, between, hessian=False)
        between = between - between @ at.between @ between / summaries.n_clusters
        within = within - within @ at.within @ within / summaries.n_obs
        between, within = 0.5 * (between + between.T), 0.5 * (within + within.T)
    return _generalised_mean(summaries, within, between), within, between


class _Factored:
    """The saturated likelihood in unconstrained coordinates: mean, and the lower triangles of W = K K' and B = L L'."""

    def __init__(self, summaries: ClusterSummaries) -> None:
        self.summaries = summaries
        self.p = summaries.p
        self.rows, self.columns, _ = half_index(self.p)
        varies, differs = summaries.has_within, summaries.has_between
        self.free = np.concatenate(
            [np.ones(self.p, dtype=bool)] + [on[self.rows] & on[self.columns] for on in (varies, differs)]
        )

    def pack(self, mean: Array, within: Array, between: Array) -> Array:
        """Coordinates of moments whose matrices are positive definite over the variables they concern."""
        parts = [mean]
        for matrix, on in ((within, self.summaries.has_within), (between, self.summaries.has_between)):
            factor = np.zeros_like(matrix)
            block = np.ix_(on, on)
            jitter = 1e-10 * np.diag(np.diag(matrix[block]))
            factor[block] = np.linalg.cholesky(matrix[block] + jitter)
            parts.append(factor[self.rows, self.columns])
        packed: Array = np.concatenate(parts)[self.free]
        return packed

    def unpack(self, x: Array) -> tuple[Array, Array, Array]:
        """Mean and the two triangular factors."""
        full = np.zeros(self.free.size)
        full[self.free] = x
        factors = np.zeros((2, self.p, self.p))
        factors[:, self.rows, self.columns] = full[self.p :].reshape(2, -1)
        return full[: self.p], factors[0], factors[1]

    def value(self, x: Array) -> float:
        """Minus log-likelihood."""
        mean, inner, outer = self.unpack(x)
        return two_level_value(self.summaries, mean, inner @ inner.T, outer @ outer.T)

    def slope(self, x: Array) -> tuple[float, Array]:
        """Minus log-likelihood and its gradient; infinite where a matrix is singular to rounding."""
        mean, inner, outer = self.unpack(x)
        try:
            at = two_level_derivatives(self.summaries, mean, inner @ inner.T, outer @ outer.T, hessian=False)
        except NotPositiveDefiniteError:
            return 1e300, np.zeros_like(x)
        # d tr(G L L')/2 = tr(L' G dL)
        pulled = [(g @ factor)[self.rows, self.columns] for g, factor in ((at.within, inner), (at.between, outer))]
        return at.f, np.concatenate([at.mean, *pulled])[self.free]

    def derivatives(self, x: Array) -> tuple[float, Array, Array]:
        """Minus log-likelihood, gradient and Hessian."""
        mean, inner, outer = self.unpack(x)
        at = two_level_derivatives(self.summaries, mean, inner @ inner.T, outer @ outer.T)
        assert at.hessian is not None
        chain = np.eye(self.free.size)
        curvature = np.zeros_like(chain)
        half = self.rows.size
        for start, factor, g in ((self.p, inner, at.within), (self.p + half, outer, at.between)):
            part = slice(start, start + half)
            chain[part, part] = self._jacobian(factor)
            same_column = self.columns[:, None] == self.columns[None, :]
            curvature[part, part] = np.where(same_column, g[np.ix_(self.rows, self.rows)], 0.0)
        hessian = chain.T @ at.hessian @ chain + curvature
        return at.f, (at.gradient @ chain)[self.free], hessian[np.ix_(self.free, self.free)]

    def _jacobian(self, factor: Array) -> Array:
        """Derivative of half-vectorised L L' by the lower triangle of L, (half, half)."""
        a, b = self.rows[:, None], self.columns[:, None]
        c, d = self.rows[None, :], self.columns[None, :]
        jacobian: Array = np.where(a == c, factor[b, d], 0.0) + np.where(b == c, factor[a, d], 0.0)
        return jacobian


def estimate_two_level_moments(summaries: ClusterSummaries) -> TwoLevelMoments:
    """Maximum-likelihood moments of both levels without a model, B positive semidefinite.

    Raises:
        NotPositiveDefiniteError: the pooled within matrix is singular: too few respondents beyond one per team, or an
            item that follows from others.
    """
    factored = _Factored(summaries)
    x = factored.pack(*_em(summaries, EM_STEPS))
    if x.size <= MOST_NEWTON_MOMENTS:
        minimum = minimise(factored.value, factored.derivatives, x)
        x, f, converged, steps = minimum.x, minimum.f, minimum.converged, minimum.n_iterations
    else:
        x, f, information = fmin_l_bfgs_b(
            factored.slope, x, m=50, factr=1.0, pgtol=1e-8 * summaries.n_obs, maxiter=5000, maxfun=10000
        )
        f, converged, steps = float(f), information["warnflag"] == 0, int(information["nit"])
    mean, inner, outer = factored.unpack(x)
    return TwoLevelMoments(mean, inner @ inner.T, outer @ outer.T, -f, converged, EM_STEPS + steps)


def estimate_unrelated_moments(summaries: ClusterSummaries) -> TwoLevelMoments:
    """The baseline model: a mean and two variances per variable, no covariance at either level.

    The variables are then independent, so each is a model of three parameters of its own. As in the baseline model of
    lavaan a between variance may become negative, as long as the variance of the means stays positive.

    Raises:
        NotPositiveDefiniteError: a variable does not vary within clusters.
    """
    p = summaries.p
    mean, within, between = np.zeros(p), np.zeros((p, p)), np.zeros((p, p))
    f, converged, steps = 0.0, True, 0
    for k in range(p):
        single = _one_variable(summaries, k)
        free = np.array([True, bool(single.has_within[0]), bool(single.has_between[0])])
        start = np.concatenate([part.ravel() for part in _start(single)])[free]

        def unpack(x: Array, free: npt.NDArray[np.bool_] = free) -> tuple[Array, Array, Array]:
            full = np.zeros(3)
            full[free] = x
            return full[:1], full[1:2].reshape(1, 1), full[2:].reshape(1, 1)

        def value(x: Array, single: ClusterSummaries = single) -> float:
            return two_level_value(single, *unpack(x))

        def derivatives(
            x: Array, single: ClusterSummaries = single, free: npt.NDArray[np.bool_] = free
        ) -> tuple[float, Array, Array]:
            at = two_level_derivatives(single, *unpack(x, free))
            assert at.hessian is not None
            return at.f, at.gradient[free], at.hessian[np.ix_(free, free)]

        minimum = minimise(value, derivatives, start)
        mean[k], within[k, k], between[k, k] = (part.item() for part in unpack(minimum.x))
        f += minimum.f
        converged &= minimum.converged
        steps += minimum.n_iterations
    return TwoLevelMoments(mean, within, between, -f, converged, steps)


def _one_variable(summaries: ClusterSummaries, k: int) -> ClusterSummaries:
    """The summaries of one variable alone."""
    column = slice(k, k + 1)

    def cut(strata: Strata) -> Strata:
        return Strata(
            strata.weight, strata.mean[:, column], strata.scatter[:, column, column], strata.observed[:, column]
        )

    return replace(
        summaries, within=cut(summaries.within), between=cut(summaries.between), has_within=summaries.has_within[column],
        has_between=summaries.has_between[column], cluster_mean=summaries.cluster_mean[:, column],
        answers=summaries.answers[:, column],
    )  # fmt: skip
