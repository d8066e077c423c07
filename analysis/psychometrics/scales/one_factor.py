"""The one-factor model by maximum likelihood: loadings, residual variances, omega total.

``Sigma = l l' + diag(psi)`` with the factor's variance fixed at 1, fitted to the covariance matrix with denominator N.
A solver of its own because the closed form of the derivatives makes it some hundred times cheaper than the general model,
and omega is asked for every scale.

McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum, eq. 6.20. Jöreskog, K. G. (1967). Some contributions to
maximum likelihood factor analysis. Psychometrika, 32, 443-482.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..problems import (
    NEGATIVE_VARIANCE,
    NO_VARIANCE,
    NOT_CONVERGED,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_ITEMS,
    Problem,
)

FloatArray = npt.NDArray[np.float64]

_MAX_ITERATIONS = 500
#: Largest gradient element (items standardised) at which the solution counts as found.
_GRADIENT_TOLERANCE = 1e-11


@dataclass(frozen=True, slots=True)
class OneFactorResult:
    """Loadings (items,) and residual variances (items,) in the items' units, and McDonald's omega.

    ``omega_model`` = (Σl)² / ((Σl)² + Σpsi): reliability of the sum if the model holds. ``omega_observed_total`` has the
    observed variance of the sum as denominator instead.
    """

    loadings: FloatArray
    residual_variances: FloatArray
    omega_model: float
    omega_observed_total: float
    converged: bool
    problems: tuple[Problem, ...] = ()


def fit_one_factor(covariance: FloatArray, *, names: tuple[str, ...] = ()) -> OneFactorResult:
    """Fit the one-factor model to a covariance matrix (items × items, denominator N) by Fisher scoring.

    The sign is chosen so that the loadings sum to a positive number. Fewer than three items, an item without variance, a
    matrix that is not positive definite and a solution that does not settle are problems with NaN results; a negative
    residual variance is a problem beside the estimates, since omega then is not a share.
    """
    s = np.asarray(covariance, dtype=np.float64)
    p = len(s)
    labels = names or tuple(str(i + 1) for i in range(p))
    if p < 3:
        return _failed(p, Problem(TOO_FEW_ITEMS, "", f"A one-factor model needs at least 3 items, not {p}."))
    variance = np.diag(s)
    flat = [label for label, v in zip(labels, variance, strict=True) if not v > 0]
    if flat:
        return _failed(p, Problem(NO_VARIANCE, flat[0], f"All answers to {flat[0]} are the same."))
    sd = np.sqrt(variance)
    r = s / np.outer(sd, sd)  # the fit function does not depend on the items' units, its conditioning does
    try:
        np.linalg.cholesky(r)
    except np.linalg.LinAlgError:
        return _failed(p, Problem(NOT_POSITIVE_DEFINITE, "", "The covariance matrix of these items is singular."))
    parameters, converged = _scoring(r)
    if not converged:
        return _failed(p, Problem(NOT_CONVERGED, "", "The one-factor model did not converge."))
    loadings = parameters[:p] * sd * (1.0 if parameters[:p] @ sd >= 0 else -1.0)
    residual = parameters[p:] * variance
    common = float(loadings.sum() ** 2)
    problems = tuple(
        Problem(NEGATIVE_VARIANCE, label, f"The residual variance of {label} is estimated below zero.")
        for label, v in zip(labels, residual, strict=True)
        if v < 0
    )
    return OneFactorResult(
        loadings=loadings,
        residual_variances=residual,
        omega_model=common / (common + float(residual.sum())),
        omega_observed_total=common / float(s.sum()),
        converged=True,
        problems=problems,
    )


def _scoring(r: FloatArray) -> tuple[FloatArray, bool]:
    """Minimise ln|Sigma| + tr(R inv(Sigma)) from the first principal axis, halving steps that do not descend."""
    values, vectors = np.linalg.eigh(r)
    start = vectors[:, -1] * np.sqrt(max(values[-1] - 1.0, 0.1))
    loadings = np.clip(start, -0.95, 0.95)
    parameters = np.concatenate([loadings, 1.0 - loadings**2])
    value = _discrepancy(parameters, r)
    for _ in range(_MAX_ITERATIONS):
        try:
            gradient, information = _derivatives(parameters, r)
            if np.abs(gradient).max() < _GRADIENT_TOLERANCE:
                return parameters, True
            step = np.linalg.solve(information, -gradient)
        except np.linalg.LinAlgError:
            return parameters, False
        factor = 1.0
        while True:
            trial = parameters + factor * step
            trial_value = _discrepancy(trial, r)
            # Close to the optimum the values differ by rounding only: the gradient decides there.
            if trial_value <= value + 1e-13 * abs(value) + 1e-15:
                break
            factor /= 2
            if factor < 1e-10:
                return parameters, bool(np.abs(gradient).max() < 1e-8)
        parameters, value = trial, trial_value
    try:
        gradient, _ = _derivatives(parameters, r)
    except np.linalg.LinAlgError:
        return parameters, False
    return parameters, bool(np.abs(gradient).max() < 1e-8)


def _discrepancy(parameters: FloatArray, r: FloatArray) -> float:
    p = len(r)
    sigma = np.outer(parameters[:p], parameters[:p]) + np.diag(parameters[p:])
    try:
        root = np.linalg.cholesky(sigma)
        solved = np.linalg.solve(sigma, r)
    except np.linalg.LinAlgError:  # a matrix can have a root and be singular to the other, by rounding
        return float("inf")
    log_det = 2 * np.log(np.diag(root)).sum()
    return float(log_det + np.trace(solved))


def _derivatives(parameters: FloatArray, r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradient (2p,) and expected second derivatives (2p, 2p) of the discrepancy in closed form."""
    p = len(r)
    loadings, psi = parameters[:p], parameters[p:]
    sigma = np.outer(loadings, loadings) + np.diag(psi)
    v = np.linalg.inv(sigma)
    omega = v @ (sigma - r) @ v
    w = v @ loadings
    gradient = np.concatenate([2 * omega @ loadings, np.diag(omega)])
    information = np.empty((2 * p, 2 * p))
    information[:p, :p] = 2 * (v * (loadings @ w) + np.outer(w, w))
    information[:p, p:] = 2 * v * w[None, :]
    information[p:, :p] = information[:p, p:].T
    information[p:, p:] = v**2
    return gradient, information


def _failed(p: int, problem: Problem) -> OneFactorResult:
    nothing = np.full(p, np.nan)
    return OneFactorResult(nothing, nothing.copy(), float("nan"), float("nan"), False, (problem,))
