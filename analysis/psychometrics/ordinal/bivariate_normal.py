"""The bivariate standard normal distribution for many correlations at once: rectangle probabilities and derivatives.

Drezner, Z. & Wesolowsky, G. O. (1990). On the computation of the bivariate normal integral. Journal of Statistical
Computation and Simulation, 35, 101-107. Genz, A. (2004). Numerical computation of rectangular bivariate and trivariate
normal and t probabilities. Statistics and Computing, 14, 251-260. Olsson, U. (1979). Maximum likelihood estimation of the
polychoric correlation coefficient. Psychometrika, 44, 443-460.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

FloatArray = npt.NDArray[np.float64]

#: Correlations up to here take the short rule; the integrand gets steep towards 1.
_STEEP = 0.9
_SHORT_RULE = np.polynomial.legendre.leggauss(20)
_LONG_RULE = np.polynomial.legendre.leggauss(160)
#: Stands for an infinite threshold: the density there is 0 and the distribution function 0 or 1 in double precision.
INFINITE_THRESHOLD = 38.0
#: Cell probabilities below this are rounding error of the distribution function and are set to it.
SMALLEST_CELL = 1.4901161193847656e-08


def distribution(h: FloatArray, k: FloatArray, rho: FloatArray) -> FloatArray:
    """Return P(X ≤ h, Y ≤ k) for standard normal X, Y with correlation rho; the three arrays broadcast.

    ``Φ(h)Φ(k) + 1/2π ∫_0^asin(ρ) exp(-(h² + k² - 2hk sin t) / 2cos² t) dt`` (Drezner and Wesolowsky 1990; Genz 2004,
    eq. 3) by Gauss-Legendre: error below 1e-14 up to ρ = .9 and below 1e-9 up to ρ = .9999.
    """
    h, k, rho = np.broadcast_arrays(h, k, rho)
    result = ndtr(h) * ndtr(k)
    steep = np.abs(rho) > _STEEP
    for where, (nodes, weights) in ((~steep, _SHORT_RULE), (steep, _LONG_RULE)):
        if not where.any():
            continue
        a, b, angle = h[where], k[where], np.arcsin(rho[where])
        total = np.zeros(len(a))
        squares, product = (a * a + b * b) / 2, a * b
        for node, weight in zip(nodes, weights, strict=True):
            sine = np.sin(angle * (node + 1) / 2)
            total += weight * np.exp((sine * product - squares) / (1 - sine * sine))
        result[where] += total * angle / (4 * np.pi)
    return np.asarray(result, dtype=np.float64)


def density(h: FloatArray, k: FloatArray, rho: FloatArray) -> FloatArray:
    """Return the density at (h, k), which is also the derivative of :func:`distribution` by rho."""
    rest = 1 - rho * rho
    return np.asarray(
        np.exp(-(h * h - 2 * rho * h * k + k * k) / (2 * rest)) / (2 * np.pi * np.sqrt(rest)), dtype=np.float64
    )


def log_density_slope(h: FloatArray, k: FloatArray, rho: FloatArray) -> FloatArray:
    """Return the derivative of the log density by rho: ``[ρ(1 - ρ²) + hk(1 + ρ²) - ρ(h² + k²)] / (1 - ρ²)²``."""
    rest = 1 - rho * rho
    return np.asarray((rho * rest + h * k * (1 + rho * rho) - rho * (h * h + k * k)) / rest**2, dtype=np.float64)


def threshold_slope(h: FloatArray, k: FloatArray, rho: FloatArray) -> FloatArray:
    """Return the derivative of :func:`distribution` by h: ``φ(h) Φ((k - ρh)/√(1 - ρ²))``."""
    conditional = ndtr((k - rho * h) / np.sqrt(1 - rho * rho))
    return np.asarray(np.exp(-h * h / 2) / np.sqrt(2 * np.pi) * conditional, dtype=np.float64)


def cells(grid: FloatArray) -> FloatArray:
    """Return cell values (pairs × k × k) from values at the corners, by differences over both axes."""
    return np.asarray(np.diff(np.diff(grid, axis=1), axis=2), dtype=np.float64)


def bordered(interior: FloatArray, last_column: FloatArray | float, last_row: FloatArray | float) -> FloatArray:
    """Return corner values (pairs × k+1 × k+1): zeros at minus infinity, the given values at plus infinity."""
    n_pairs, k1, k2 = interior.shape
    grid = np.zeros((n_pairs, k1 + 2, k2 + 2))
    grid[:, 1:-1, 1:-1] = interior
    grid[:, 1:-1, -1] = last_column
    grid[:, -1, 1:-1] = last_row
    return grid


def cell_probabilities(rho: FloatArray, h: FloatArray, j: FloatArray) -> FloatArray:
    """Return the cell probabilities of all pairs, (pairs × k × k), none below :data:`SMALLEST_CELL`.

    ``rho`` (pairs,) correlations, ``h`` and ``j`` (pairs × k-1) the thresholds of rows and columns.
    """
    at = rho[:, None, None]
    grid = bordered(
        distribution(h[:, :, None], j[:, None, :], at),
        distribution(h, np.full_like(h, INFINITE_THRESHOLD), np.zeros_like(h)),
        distribution(np.full_like(j, INFINITE_THRESHOLD), j, np.zeros_like(j)),
    )
    grid[:, -1, -1] = 1.0
    return np.maximum(cells(grid), SMALLEST_CELL)
