"""The normal likelihood of strata, and its first and second derivatives with respect to mean and covariance.

A stratum is a set of units that share one covariance matrix V_j: the rows with one pattern of missing answers, or the
teams of one size. Given the number of units n_j, the deviation d_j of their mean from mu, their scatter and the inverse
K_j of V_j, everything that full-information maximum likelihood needs is a sum over strata of products of K_j and
T_j = scatter_j + d_j d_j'. With V = V(theta) the function to be minimised is

    f = 1/2 sum_j n_j [ log|V_j| + tr(K_j T_j) ]                                             (minus log-likelihood)

and its differentials are (Magnus and Neudecker 1999, chapter 15, taken along dV and dmu)

    df            = 1/2 sum n_j tr[(K - K T K) dV] - sum n_j dmu' K d
    d2f(dV, dV*)  = sum n_j tr[K dV L dV*],   L = K T K - K/2
    d2f(dmu, dV)  = sum n_j dmu' K dV K d
    d2f(dmu,dmu*) = sum n_j dmu' K dmu*

The sums of Kronecker products are taken over the strata first, as one matrix product over half-vectorised K_j and L_j, so
that the cost of a Hessian hardly depends on how many strata there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

LOG_2PI = float(np.log(2.0 * np.pi))

# Strata are worked on in slices, so that ten thousand patterns of 36 items do not need gigabytes at once.
SLICE = 256


class NotPositiveDefiniteError(ArithmeticError):
    """A covariance matrix that a likelihood needs is not positive definite."""


def half_index(p: int) -> tuple[Index, Index, Index]:
    """Row and column of each element of the lower triangle by columns, and the position of every (row, column).

    Args:
        p: order of the symmetric matrix.

    Returns:
        ``rows`` and ``columns``, both of shape (p(p+1)/2,), and ``position`` of shape (p, p).
    """
    columns, rows = np.triu_indices(p)
    position = np.empty((p, p), dtype=np.intp)
    position[rows, columns] = np.arange(rows.size)
    position[columns, rows] = np.arange(rows.size)
    return rows, columns, position


@dataclass(frozen=True)
class Strata:
    """Summary statistics of strata, embedded in the full set of p variables.

    Attributes:
        weight: number of units per stratum, (J,).
        mean: mean per stratum, zero where a variable is not observed, (J, p).
        scatter: covariance about that mean with divisor n_j, zero where not observed, (J, p, p).
        observed: which variables a stratum observes, (J, p).
    """

    weight: Array
    mean: Array
    scatter: Array
    observed: npt.NDArray[np.bool_]

    @property
    def p(self) -> int:
        """Number of variables."""
        return int(self.mean.shape[1])


@dataclass(frozen=True)
class StrataTerms:
    """What the derivatives need of each stratum at one point.

    Attributes:
        inverse: K_j, zero outside the observed block, (J, p, p).
        inverse_mean: K_j d_j, (J, p).
        outer: K_j T_j K_j, (J, p, p).
        f: sum over strata of n_j/2 (log|V_j| + tr K_j T_j), without the constant.
    """

    inverse: Array
    inverse_mean: Array
    outer: Array
    f: float


def embedded_inverse(matrix: Array, observed: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Inverses of the observed blocks of a stack of matrices, embedded in zeros, with their log determinants.

    Args:
        matrix: one matrix (p, p) for all, or a stack (J, p, p).
        observed: (J, p).

    Returns:
        ``inverse`` (J, p, p) and ``log_determinant`` (J,).

    Raises:
        NotPositiveDefiniteError: a block is not positive definite.
    """
    both = observed[:, :, None] & observed[:, None, :]
    filled = np.where(both, matrix, 0.0)
    diagonal = np.arange(observed.shape[1])
    filled[:, diagonal, diagonal] = np.where(observed, filled[:, diagonal, diagonal], 1.0)
    try:
        root = np.linalg.cholesky(filled)
        inverse = np.linalg.inv(filled)
    except np.linalg.LinAlgError:
        raise NotPositiveDefiniteError from None
    pivots = root[:, diagonal, diagonal]
    if not np.all(np.isfinite(pivots)) or np.any(pivots <= 0.0):
        raise NotPositiveDefiniteError
    inverse = np.where(both, 0.5 * (inverse + np.swapaxes(inverse, 1, 2)), 0.0)
    return inverse, 2.0 * np.log(pivots).sum(axis=1)


def strata_terms(strata: Strata, mean: Array, covariance: Array) -> StrataTerms:
    """The terms of every stratum at a mean (p,) and a covariance (p, p) or one per stratum (J, p, p).

    Raises:
        NotPositiveDefiniteError: a stratum's covariance matrix is not positive definite.
    """
    inverse, log_determinant = embedded_inverse(covariance, strata.observed)
    deviation = np.where(strata.observed, strata.mean - mean, 0.0)
    total = strata.scatter + deviation[:, :, None] * deviation[:, None, :]
    left = inverse @ total
    f = 0.5 * float(strata.weight @ (log_determinant + np.trace(left, axis1=1, axis2=2)))
    outer = left @ inverse
    return StrataTerms(inverse, np.einsum("jab,jb->ja", inverse, deviation), outer, f)


def slices(strata: Strata) -> list[Strata]:
    """The strata cut into pieces of bounded size."""
    n = strata.weight.size
    return [
        Strata(strata.weight[i : i + SLICE], strata.mean[i : i + SLICE], strata.scatter[i : i + SLICE],
               strata.observed[i : i + SLICE])
        for i in range(0, n, SLICE)
    ]  # fmt: skip


def kronecker_hessian(weight: Array, inverse: Array, outer: Array, *, expected: bool = False) -> Array:
    """Second derivative of f with respect to the half-vectorised covariance, summed over strata.

    Args:
        weight: n_j times whatever V_j's dependence on the matrices asks for, (J,).
        inverse: K_j, (J, p, p).
        outer: K_j T_j K_j, (J, p, p).
        expected: replace T_j by V_j, which gives the expected information.

    Returns:
        (p(p+1)/2, p(p+1)/2), off-diagonal elements counted as one parameter each.
    """
    rows, columns, _ = half_index(inverse.shape[1])
    half_k = inverse[:, rows, columns]
    half_l = 0.5 * half_k if expected else outer[:, rows, columns] - 0.5 * half_k
    product = ((half_k * weight[:, None]).T @ half_l).ravel()
    hessian = np.zeros((rows.size, rows.size))
    for places in _product_places(inverse.shape[1]):
        hessian += product.take(places)
    once = np.where(rows == columns, 0.5, 1.0)
    hessian *= once[:, None] * once[None, :]
    return 0.5 * (hessian + hessian.T)


@lru_cache(maxsize=8)
def _product_places(p: int) -> tuple[npt.NDArray[np.int32], ...]:
    """Where tr(K E_ij L E_km) finds its four terms K_mi L_jk, K_mj L_ik, K_ki L_jm, K_kj L_im in the product of
    half-vectorised K and L; E_ij is the symmetric matrix of a single pair."""
    rows, columns, position = half_index(p)
    i, j, k, m = rows[:, None], columns[:, None], rows[None, :], columns[None, :]
    pairs = (((m, i), (j, k)), ((m, j), (i, k)), ((k, i), (j, m)), ((k, j), (i, m)))
    return tuple((position[of_k] * rows.size + position[of_l]).astype(np.int32) for of_k, of_l in pairs)


def cross_hessian(weight: Array, inverse: Array, inverse_mean: Array) -> Array:
    """Second derivative of f with respect to the mean and the half-vectorised covariance: (p, p(p+1)/2)."""
    n_strata, p, _ = inverse.shape
    product = (inverse * weight[:, None, None]).reshape(n_strata, p * p).T @ inverse_mean
    cube = product.reshape(p, p, p)
    rows, columns, _ = half_index(p)
    return (cube[:, rows, columns] + cube[:, columns, rows]) * np.where(rows == columns, 0.5, 1.0)


def half_gradient(matrix: Array) -> Array:
    """From the symmetric matrix G with df = 1/2 tr(G dV): the derivative by half-vectorised V, (p(p+1)/2,)."""
    rows, columns, _ = half_index(matrix.shape[0])
    result: Array = np.where(rows == columns, 0.5, 1.0) * matrix[rows, columns]
    return result
