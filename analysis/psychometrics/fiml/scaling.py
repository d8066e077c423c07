"""What normal-theory statistics of incomplete answers are scaled by: MLR's factors and the corrected fit indices.

Two corrections, for two purposes:

* The scaled chi-square divides by c = [tr(A1^-1 B1) - tr(A0^-1 B0)]/df with A the observed information and B the sum of
  outer products of scores, 1 at the saturated moments and 0 at the model (Yuan and Bentler 2000, equation 17; Mplus
  variant: each at its own estimates).
* RMSEA, CFI and TLI estimated from incomplete answers drift with the amount that is missing. Zhang and Savalei (2023)
  evaluate the fit function of complete data at the FIML estimates and correct its expectation by k/df; their version V6
  assumes normality, V3 does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..ml.fit import ChiSquare, cfi, rmsea_measures, rmsea_point, unbiased_gfi
from ..ml.strata import Array, Index, NotPositiveDefiniteError
from .casewise_scores import moment_meat
from .saturated import Patterns, SaturatedMoments, complete_patterns, moment_derivatives, moment_value


@dataclass(frozen=True)
class FimlSample:
    """The answers of one group with their saturated moments.

    Attributes:
        patterns: the rows by missing pattern.
        saturated: maximum-likelihood moments without a model.
        cluster: the cluster of each row of ``patterns``, numbered from 0 without gaps, or None.
    """

    patterns: Patterns
    saturated: SaturatedMoments
    cluster: Index | None

    @property
    def n_obs(self) -> int:
        """Rows with at least one answer."""
        return self.patterns.n_obs

    def as_complete(self) -> Patterns:
        """Complete data of the same size that have the saturated moments."""
        return complete_patterns(self.n_obs, self.saturated.mean, self.saturated.covariance)

    def baseline(self) -> tuple[Array, Array]:
        """Mean and variance of each item over those who answered it: the model of unrelated items, (p,) each."""
        strata = self.patterns.strata
        n = strata.weight @ strata.observed
        mean = (strata.weight @ strata.mean) / n
        deviation = np.where(strata.observed, strata.mean - mean, 0.0)
        squares = np.diagonal(strata.scatter, axis1=1, axis2=2) + deviation**2
        return mean, (strata.weight @ squares) / n


@dataclass(frozen=True)
class ModelMoments:
    """A model's moments in one group and how they move with its parameters.

    Attributes:
        mean: (p,).
        covariance: (p, p).
        jacobian: derivative of (mean, half-vectorised covariance), (p(p+3)/2, q).
    """

    mean: Array
    covariance: Array
    jacobian: Array


@dataclass(frozen=True)
class SaturatedInformation:
    """Information about the saturated moments of one group, (p(p+3)/2, p(p+3)/2) each, summed over respondents.

    Attributes:
        observed: minus the second derivative of the log-likelihood of the answers there are.
        complete: the same had nobody left anything out.
        meat: sum of outer products of scores (per cluster), or None where normality is assumed.
    """

    observed: Array
    complete: Array
    meat: Array | None


def saturated_information(sample: FimlSample, *, robust: bool) -> SaturatedInformation:
    """Information of one group about its saturated moments; with ``robust`` the meat too."""
    mean, covariance = sample.saturated.mean, sample.saturated.covariance
    observed = moment_derivatives(sample.patterns, mean, covariance).hessian
    complete = moment_derivatives(sample.as_complete(), mean, covariance, expected=True).hessian
    assert observed is not None
    assert complete is not None
    meat = moment_meat(sample.patterns, mean, covariance, sample.cluster) if robust else None
    return SaturatedInformation(observed, complete, meat)


def baseline_moments(sample: FimlSample, position: int, n_groups: int) -> ModelMoments:
    """The baseline model's moments in the group at ``position``, its parameters being those of all groups in a row."""
    mean, variance = sample.baseline()
    p = mean.size
    columns, rows = np.triu_indices(p)
    jacobian = np.zeros((p + rows.size, 2 * p * n_groups))
    first = 2 * p * position
    jacobian[np.arange(p), first + np.arange(p)] = 1.0
    jacobian[p + np.flatnonzero(rows == columns), first + p + np.arange(p)] = 1.0
    return ModelMoments(mean, np.diag(variance), jacobian)


def model_meat(samples: list[FimlSample], models: list[ModelMoments]) -> Array:
    """Sum of outer products of the scores by a model's parameters over all groups, (q, q)."""
    return sum_matrices(
        m.jacobian.T @ moment_meat(s.patterns, m.mean, m.covariance, s.cluster) @ m.jacobian
        for s, m in zip(samples, models, strict=True)
    )


def sum_matrices(matrices: Iterable[Array]) -> Array:
    """Sum of matrices of equal shape, one per group."""
    return np.asarray(np.sum(np.stack(list(matrices)), axis=0), dtype=np.float64)


def trace_of_ratio(information: Array, meat: Array) -> float:
    """tr(information^-1 meat); NaN where the information cannot be inverted."""
    try:
        return float(np.trace(cho_solve(cho_factor(information, lower=True), meat)))
    except LinAlgError:
        pass
    try:
        return float(np.trace(np.linalg.solve(information, meat)))
    except np.linalg.LinAlgError:
        return float("nan")


def complete_chisq(samples: list[FimlSample], models: list[ModelMoments]) -> float:
    """Chi-square of a model's moments against the saturated ones, as if these came from complete data.

    NaN where a model's covariance matrix is not positive definite.
    """
    total = 0.0
    for sample, model in zip(samples, models, strict=True):
        complete = sample.as_complete()
        try:
            fitted = moment_value(complete, model.mean, model.covariance)
        except NotPositiveDefiniteError:
            return float("nan")
        total += 2.0 * (fitted - moment_value(complete, sample.saturated.mean, sample.saturated.covariance))
    return total


def correction_trace(information: list[SaturatedInformation], models: list[ModelMoments]) -> float:
    """k of Zhang and Savalei (2023): expectation of :func:`complete_chisq` under the model, up to the scale of chi-square.

    V3 where ``information`` holds the meat, V6 otherwise. NaN where a matrix cannot be inverted.
    """
    jacobians = [m.jacobian for m in models]
    pairs = list(zip(information, jacobians, strict=True))
    try:
        inverse = np.linalg.inv(sum_matrices(d.T @ i.observed @ d for i, d in pairs))
        complete = sum_matrices(d.T @ i.complete @ d for i, d in pairs)
        if any(i.meat is None for i in information):
            return sum(trace_of_ratio(i.observed, i.complete) for i in information) - float(np.sum(complete * inverse))
        first, mixed, meat = 0.0, np.zeros_like(inverse), np.zeros_like(inverse)
        for i, d in pairs:
            assert i.meat is not None
            solved = np.linalg.solve(i.observed, np.concatenate([i.complete @ d, i.meat], axis=1))
            q = d.shape[1]
            # tr(Wc Wm^-1 J Wm^-1), from Wm^-1 J and Wc Wm^-1
            first += float(np.sum(np.linalg.solve(i.observed, i.complete) * solved[:, q:].T))
            mixed += d.T @ i.meat @ solved[:, :q]
            meat += d.T @ i.meat @ d
    except np.linalg.LinAlgError:
        return float("nan")
    return first - 2.0 * float(np.sum(mixed * inverse)) + float(np.sum((meat @ inverse) * (complete @ inverse).T))


def corrected_indices(
    chisq: tuple[float, float], k: tuple[float, float], df: tuple[int, int], n: int, p: int, n_groups: int = 1
) -> dict[str, float]:
    """CFI, TLI, RMSEA and GFI for incomplete answers after Zhang and Savalei (2023, equations 8 to 14), under lavaan's names.

    Args:
        chisq: :func:`complete_chisq` of the model and of the baseline model.
        k: :func:`correction_trace` of both.
        df: degrees of freedom of both.
        n: respondents with at least one answer.
        p: number of items.
        n_groups: number of groups.

    Returns:
        ``cfi.robust``, ``tli.robust``, ``rmsea.robust``, its limits and p-values; NaN where a trace could not be computed.
    """
    (x, x_b), (k_model, k_base), (d, d_b) = chisq, k, df
    factor = k_model / d if d > 0 else 1.0
    tucker_lewis = 1.0
    if d > 0:
        tucker_lewis = 1.0 - (x - k_model) * d_b / ((x_b - k_base) * d)
    fit = {
        "cfi.robust": cfi(x, k_model, x_b, k_base),
        "tli.robust": tucker_lewis,
        "nnfi.robust": tucker_lewis,
        "rni.robust": 1.0 - (x - k_model) / (x_b - k_base),
    }
    numbers = (x, x_b, k_model, k_base)
    if not all(np.isfinite(number) for number in numbers) or factor <= 0.0:
        names = ("rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "rmsea.notclose.pvalue", "gfi")
        return dict.fromkeys([*fit, *(f"{name}.robust" for name in names)], float("nan"))
    fit["rmsea.robust"] = rmsea_point(x, d, n, n_groups, factor)
    limits = rmsea_measures(x / factor, d, n, n_groups, factor)
    fit |= {f"rmsea.{name}.robust": value for name, value in limits.items()}
    gfi = unbiased_gfi(x, ChiSquare(x, d, factor), n, p, n_groups)
    return fit | {name: value for name, value in gfi.items() if name.endswith(".robust")}
