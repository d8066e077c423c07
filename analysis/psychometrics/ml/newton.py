"""A damped Newton method for minus log-likelihoods with an exact Hessian; deterministic and scale-free.

Far from the minimum the Hessian of a likelihood with latent variables need not be positive definite. Its negative
eigenvalues are then turned round, after scaling to a unit diagonal, so that the direction leads downhill (Nocedal and
Wright 2006, section 3.4). Near the minimum every step is a full Newton step and convergence is quadratic: the solution is
exact to rounding, which is what makes a comparison at six digits meaningful.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

from .strata import Array, NotPositiveDefiniteError

Derivatives = Callable[[Array], tuple[float, Array, Array]]
Value = Callable[[Array], float]

# A Newton decrement of 1e-7 standard errors; the step after it squares the error.
DECREMENT = 1e-14
# Steps in a row that had to be shortened and gained next to nothing: the way leads nowhere.
MOST_STALLED = 12
# The relative noise of a log-likelihood summed over thousands of units.
NOISE = 1e-13


@dataclass(frozen=True)
class Minimum:
    """Where a minimisation ended.

    Attributes:
        x: the point, (q,).
        f: the value there.
        gradient: (q,).
        hessian: (q, q).
        converged: the Newton decrement fell under its limit and the Hessian is positive definite.
        n_iterations: Newton steps taken.
    """

    x: Array
    f: float
    gradient: Array
    hessian: Array
    converged: bool
    n_iterations: int


def _direction(gradient: Array, hessian: Array) -> tuple[Array, float, bool]:
    """A downhill direction, its decrement g' H^-1 g, and whether the Hessian was positive definite as it stood."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    scaled = hessian * scale[:, None] * scale[None, :]
    right = gradient * scale
    try:
        step = -cho_solve(cho_factor(scaled, lower=True), right)
        positive = True
        # A Cholesky factor of a nearly singular matrix exists now and then by rounding alone.
        if not np.all(np.isfinite(step)) or abs(float(right @ step)) > 1e8 * (1.0 + float(right @ right)):
            raise LinAlgError
    except LinAlgError:
        positive = False
        values, vectors = eigh(scaled)
        floor = 1e-6 * max(1.0, float(np.abs(values).max()))
        step = -vectors @ ((vectors.T @ right) / np.maximum(np.abs(values), floor))
    return step * scale, -float(right @ step), positive


def minimise(value: Value, derivatives: Derivatives, start: Array, *, max_iterations: int = 200) -> Minimum:
    """Minimise a function given its value, gradient and Hessian.

    Args:
        value: f at a point; raises :class:`NotPositiveDefiniteError` where f is not defined.
        derivatives: f, gradient (q,) and Hessian (q, q) at a point.
        start: (q,), a point where f is defined.
        max_iterations: Newton steps before giving up.

    Returns:
        The last point reached; ``converged`` says whether it is a minimum.

    Raises:
        NotPositiveDefiniteError: f is not defined at ``start``.
    """
    x = np.array(start, dtype=float)
    f, gradient, hessian = derivatives(x)
    if x.size == 0:
        return Minimum(x, f, gradient, hessian, True, 0)
    settled = stalled = 0
    for iteration in range(max_iterations):
        step, decrement, positive = _direction(gradient, hessian)
        if positive and decrement <= DECREMENT:
            # One more full step squares an error that is already small; then the point is as good as rounding allows.
            settled += 1
            if settled > 1:
                return Minimum(x, f, gradient, hessian, True, iteration)
            trial = x + step
            try:
                f, gradient, hessian = derivatives(trial)
            except NotPositiveDefiniteError:
                return Minimum(x, f, gradient, hessian, True, iteration)
            x = trial
            continue
        settled = 0
        length, moved = 1.0, False
        for _ in range(60):
            trial = x + length * step
            try:
                f_trial = value(trial)
            except NotPositiveDefiniteError:
                f_trial = np.inf
            if f_trial <= f - 1e-4 * length * decrement + NOISE * abs(f):
                moved = True
                break
            length *= 0.5
        stalled = stalled + 1 if length < 1.0 and f - f_trial <= 1e-9 * (1.0 + abs(f)) else 0
        if not moved or stalled > MOST_STALLED:
            return Minimum(x, f, gradient, hessian, False, iteration)
        x = trial
        f, gradient, hessian = derivatives(x)
    return Minimum(x, f, gradient, hessian, False, max_iterations)
