"""Mean and covariance matrix of answers with holes: maximum likelihood by missing pattern, assuming normality and MAR.

The EM algorithm (Dempster, Laird and Rubin 1977; Little and Rubin 2002, section 11.2) in the form that needs nothing but
the score: with G = sum_j n_j (K_j T_j K_j - K_j) over the patterns j and h = sum_j n_j K_j d_j, one step is

    mu*    = mu + V h / N
    V*     = V + V G V / N - (mu* - mu)(mu* - mu)'

After a few steps Newton's method with the observed information takes over: EM slows down with the share of missing
answers, Newton does not, and its last digits are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..ml.newton import minimise
from ..ml.strata import (
    LOG_2PI,
    Array,
    Index,
    NotPositiveDefiniteError,
    Strata,
    cross_hessian,
    half_gradient,
    half_index,
    kronecker_hessian,
    slices,
    strata_terms,
)

# Newton is tried after so many EM steps; from far away it may not settle, or EM may be on its way to a singular matrix.
NEWTON_AFTER = (25, 100, 400, 1600)
# The smallest eigenvalue of the correlations at which such a matrix counts as singular.
SINGULAR = 1e-9
# Beyond this many moments Newton's linear systems cost more than EM's steps.
MOST_NEWTON_MOMENTS = 2000


@dataclass(frozen=True)
class Patterns:
    """Rows grouped by which items they answer.

    Attributes:
        strata: one stratum per pattern.
        answers: the rows with at least one answer, zero where missing, (N, p).
        pattern: the pattern of each of those rows, (N,).
        kept: positions of those rows in the data, (N,).
    """

    strata: Strata
    answers: Array
    pattern: Index
    kept: Index

    @property
    def n_obs(self) -> int:
        """Number of rows with at least one answer."""
        return int(self.pattern.size)

    @property
    def n_patterns(self) -> int:
        """Number of distinct patterns."""
        return int(self.strata.weight.size)

    @property
    def n_answers(self) -> int:
        """Number of answers in all rows together."""
        return int(self.strata.weight @ self.strata.observed.sum(axis=1))


@dataclass(frozen=True)
class MomentDerivatives:
    """Minus log-likelihood and its derivatives with respect to mean and covariance.

    Attributes:
        f: minus log-likelihood, constants included.
        mean: derivative with respect to the mean, (p,).
        covariance: symmetric G with df = 1/2 tr(G dV), (p, p).
        hessian: with respect to (mean, half-vectorised covariance), (p(p+3)/2, p(p+3)/2), or None when not asked for.
    """

    f: float
    mean: Array
    covariance: Array
    hessian: Array | None

    @property
    def gradient(self) -> Array:
        """Derivative with respect to (mean, half-vectorised covariance), (p(p+3)/2,)."""
        return np.concatenate([self.mean, half_gradient(self.covariance)])


@dataclass(frozen=True)
class SaturatedMoments:
    """Maximum-likelihood moments without a model.

    Attributes:
        mean: (p,).
        covariance: (p, p), divisor N.
        logl: log-likelihood at these moments.
        converged: the likelihood equations hold.
        n_iterations: EM and Newton steps together.
    """

    mean: Array
    covariance: Array
    logl: float
    converged: bool
    n_iterations: int


def missing_patterns(answers: npt.ArrayLike) -> Patterns:
    """Group rows by their pattern of missing answers; rows without any answer are left out.

    Args:
        answers: (n, p), ``nan`` where missing.
    """
    data = np.asarray(answers, dtype=float)
    observed = ~np.isnan(data)
    kept = np.flatnonzero(observed.any(axis=1))
    data, observed = data[kept], observed[kept]
    packed = np.ascontiguousarray(np.packbits(observed, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, pattern = np.unique(keys, return_index=True, return_inverse=True)
    pattern = pattern.astype(np.intp).ravel()
    filled = np.where(observed, data, 0.0)
    p = data.shape[1]
    counts = np.bincount(pattern, minlength=first.size)
    mean = np.zeros((first.size, p))
    scatter = np.zeros((first.size, p, p))
    order = np.argsort(pattern, kind="stable")
    ends = np.cumsum(counts)
    for j, (end, count) in enumerate(zip(ends, counts, strict=True)):
        rows = filled[order[end - count : end]]
        mean[j] = rows.mean(axis=0)
        centred = rows - mean[j]
        scatter[j] = centred.T @ centred / count
    strata = Strata(counts.astype(float), mean, scatter, observed[first])
    return Patterns(strata, filled, pattern, kept.astype(np.intp))


def complete_patterns(n: float, mean: Array, covariance: Array) -> Patterns:
    """Data without holes known by their moments only: n respondents, mean (p,), covariance (p, p) with divisor n."""
    p = mean.size
    stratum = Strata(np.array([float(n)]), mean[None], covariance[None], np.ones((1, p), dtype=bool))
    nobody = np.zeros(0, dtype=np.intp)
    return Patterns(stratum, np.zeros((0, p)), nobody, nobody)


def moment_value(patterns: Patterns, mean: Array, covariance: Array) -> float:
    """Minus log-likelihood of rows with holes at a mean (p,) and covariance (p, p).

    Raises:
        NotPositiveDefiniteError: the covariance matrix is not positive definite.
    """
    f = sum(strata_terms(part, mean, covariance).f for part in slices(patterns.strata))
    return f + 0.5 * patterns.n_answers * LOG_2PI


def moment_derivatives(
    patterns: Patterns, mean: Array, covariance: Array, *, hessian: bool = True, expected: bool = False
) -> MomentDerivatives:
    """Derivatives of :func:`moment_value`; with ``expected`` the information matrix expected under these moments.

    The expected information keeps the patterns of missing answers fixed (Savalei 2010); mean and covariance are then
    unrelated.

    Raises:
        NotPositiveDefiniteError: the covariance matrix is not positive definite.
    """
    p = mean.size
    half = p * (p + 1) // 2
    f = 0.5 * patterns.n_answers * LOG_2PI
    by_mean, by_covariance = np.zeros(p), np.zeros((p, p))
    second = np.zeros((p + half, p + half)) if hessian else None
    for part in slices(patterns.strata):
        terms = strata_terms(part, mean, covariance)
        f += terms.f
        by_mean -= part.weight @ terms.inverse_mean
        by_covariance += np.tensordot(part.weight, terms.inverse - terms.outer, axes=1)
        if second is not None:
            second[:p, :p] += np.tensordot(part.weight, terms.inverse, axes=1)
            second[p:, p:] += kronecker_hessian(part.weight, terms.inverse, terms.outer, expected=expected)
            if not expected:
                second[:p, p:] += cross_hessian(part.weight, terms.inverse, terms.inverse_mean)
    if second is not None:
        second[p:, :p] = second[:p, p:].T
    return MomentDerivatives(f, by_mean, by_covariance, second)


def _start(patterns: Patterns) -> tuple[Array, Array]:
    """Available-case means and variances, items unrelated."""
    strata = patterns.strata
    n = np.maximum(strata.weight @ strata.observed, 1.0)
    mean = (strata.weight @ strata.mean) / n
    deviation = np.where(strata.observed, strata.mean - mean, 0.0)
    squares = np.diagonal(strata.scatter, axis1=1, axis2=2) + deviation**2
    return mean, np.diag((strata.weight @ squares) / n)


def _em_step(mean: Array, covariance: Array, at: MomentDerivatives, n: int) -> tuple[Array, Array]:
    moved = -(covariance @ at.mean) / n
    new = covariance - covariance @ at.covariance @ covariance / n - np.outer(moved, moved)
    return mean + moved, 0.5 * (new + new.T)


def estimate_moments(
    patterns: Patterns, *, tolerance: float = 1e-11, max_iterations: int = 5000
) -> SaturatedMoments:  # fmt: skip
    """Maximum-likelihood mean and covariance of rows with missing answers.

    Args:
        patterns: the rows by missing pattern.
        tolerance: EM stops when no moment moves by more than this, relative to the items' standard deviations.
        max_iterations: EM steps before giving up.

    Raises:
        NotPositiveDefiniteError: the estimate became singular: too few rows, or an item that follows from others.
    """
    mean, covariance = _start(patterns)
    p, n = mean.size, patterns.n_obs
    newton = p * (p + 3) // 2 <= MOST_NEWTON_MOMENTS
    complete = bool(patterns.strata.observed.all())
    for iteration in range(1, max_iterations + 1):
        at = moment_derivatives(patterns, mean, covariance, hessian=False)
        new_mean, new_covariance = _em_step(mean, covariance, at, n)
        spread = np.sqrt(np.diag(covariance))
        moved = max(
            float(np.max(np.abs(new_mean - mean) / spread)),
            float(np.max(np.abs(new_covariance - covariance) / np.outer(spread, spread))),
        )
        mean, covariance = new_mean, new_covariance
        if moved <= tolerance or (complete and iteration == 2):
            return SaturatedMoments(mean, covariance, -moment_value(patterns, mean, covariance), True, iteration)
        if iteration in NEWTON_AFTER:
            _refuse_singular(covariance)
            settled = _newton(patterns, mean, covariance) if newton else None
            if settled is not None:
                return SaturatedMoments(settled[0], settled[1], settled[2], True, iteration + settled[3])
    return SaturatedMoments(mean, covariance, -moment_value(patterns, mean, covariance), False, max_iterations)


def _refuse_singular(covariance: Array) -> None:
    spread = np.sqrt(np.diag(covariance))
    if np.linalg.eigvalsh(covariance / np.outer(spread, spread))[0] < SINGULAR:
        raise NotPositiveDefiniteError


def _newton(patterns: Patterns, mean: Array, covariance: Array) -> tuple[Array, Array, float, int] | None:
    """Newton's method from a point near the maximum; None when it does not settle there."""
    p = mean.size
    rows, columns, position = half_index(p)

    def unpack(x: Array) -> tuple[Array, Array]:
        return x[:p], x[p:][position]

    def value(x: Array) -> float:
        return moment_value(patterns, *unpack(x))

    def derivatives(x: Array) -> tuple[float, Array, Array]:
        at = moment_derivatives(patterns, *unpack(x))
        assert at.hessian is not None
        return at.f, at.gradient, at.hessian

    try:
        minimum = minimise(value, derivatives, np.concatenate([mean, covariance[rows, columns]]), max_iterations=30)
    except NotPositiveDefiniteError:
        return None
    if not minimum.converged:
        return None
    return (*unpack(minimum.x), -minimum.f, minimum.n_iterations)
