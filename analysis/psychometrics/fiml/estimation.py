"""Full-information maximum likelihood for missing answers: every answer given counts, none is filled in.

The log-likelihood of a row is that of the items it answers (Anderson 1957; Arbuckle 1996); rows with the same pattern of
missing answers share one covariance matrix. Estimates are those of Newton's method with the exact Hessian, standard errors
those of the observed information, which under answers missing at random is the right one of the two (Kenward and
Molenberghs 1998). The chi-square compares with the saturated moments of :mod:`analysis.psychometrics.fiml.saturated`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import FitFailure
from ..ml.moments import BlockState, ModelStructure
from ..ml.newton import Minimum, minimise
from ..ml.sample import GroupSample, Sample
from ..ml.strata import Array, NotPositiveDefiniteError
from ..problems import (
    NO_VARIANCE,
    NOT_CONVERGED,
    NOT_IDENTIFIED,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_OBSERVATIONS,
    TOO_FEW_TEAMS,
)
from .saturated import Patterns, estimate_moments, missing_patterns, moment_derivatives, moment_value
from .scaling import FimlSample, ModelMoments


def incomplete_samples(sample: Sample) -> list[FimlSample]:
    """Missing patterns and saturated moments of every group.

    Raises:
        FitFailure: an item without answers or variance, two items never answered together, too few rows, or saturated
            moments that are singular.
    """
    return [_incomplete_sample(sample.items, group) for group in sample.groups]


def _incomplete_sample(items: Sequence[str], group: GroupSample) -> FimlSample:
    where = f" in group {group.label!r}" if group.label else ""
    patterns = missing_patterns(group.large)
    observed = patterns.strata.observed
    n_rows, p = patterns.n_obs, len(items)
    if n_rows <= p:
        sentence = f"{n_rows} rows with answers{where} are too few for {p} items."
        raise FitFailure(TOO_FEW_OBSERVATIONS, sentence)
    if group.n_clusters == 1:
        raise FitFailure(TOO_FEW_TEAMS, f"There is only one cluster{where}: cluster-robust errors need at least two.")
    coverage = (observed * patterns.strata.weight[:, None]).T @ observed
    for k, name in enumerate(items):
        answered = patterns.answers[observed[patterns.pattern, k], k]
        if answered.size == 0:
            raise FitFailure(TOO_FEW_OBSERVATIONS, f"Nobody{where} answered {name}.", name)
        if np.ptp(answered) == 0.0:
            raise FitFailure(NO_VARIANCE, f"All answers to {name} are the same{where}: it has no variance.", name)
    if (coverage == 0.0).any():
        first, second = np.argwhere(coverage == 0.0)[0]
        sentence = f"Nobody{where} answered both {items[first]} and {items[second]}: their covariance is unknown."
        raise FitFailure(NOT_IDENTIFIED, sentence, items[first])
    singular = (
        f"The covariance matrix of the items{where} is not positive definite: an item is a combination of others."
    )
    try:
        saturated = estimate_moments(patterns)
    except NotPositiveDefiniteError:
        raise FitFailure(NOT_POSITIVE_DEFINITE, singular) from None
    spread = np.sqrt(np.diag(saturated.covariance))
    if np.linalg.eigvalsh(saturated.covariance / np.outer(spread, spread))[0] < 1e-10:
        raise FitFailure(NOT_POSITIVE_DEFINITE, singular)
    if not saturated.converged:
        sentence = f"The moments of the answers{where} did not settle: too much is missing."
        raise FitFailure(NOT_CONVERGED, sentence)
    cluster = None if group.cluster_codes is None else group.cluster_codes[patterns.kept]
    return FimlSample(patterns, saturated, cluster)


def model_moments(states: Sequence[BlockState]) -> list[ModelMoments]:
    """The moments of every group with their derivatives by the model's parameters."""
    return [ModelMoments(state.mu, state.sigma, state.jacobian(means=True)) for state in states]


def _value(structure: ModelStructure, data: Sequence[Patterns], theta: Array) -> float:
    states = structure.at(theta)
    return sum(moment_value(patterns, s.mu, s.sigma) for patterns, s in zip(data, states, strict=True))


def fiml_derivatives(
    structure: ModelStructure, data: Sequence[Patterns], theta: Array, *, expected: bool = False
) -> tuple[float, Array, Array]:
    """Minus log-likelihood, gradient (q,) and Hessian (q, q) of a model with a mean structure.

    Args:
        structure: the model, one block per group.
        data: rows by missing pattern, per group.
        theta: parameters, (q,).
        expected: the expected information, patterns held fixed, instead of the Hessian.

    Raises:
        NotPositiveDefiniteError: the model's covariance matrix is not positive definite.
    """
    n_free = structure.table.n_free
    f, gradient, hessian = 0.0, np.zeros(n_free), np.zeros((n_free, n_free))
    for patterns, state in zip(data, structure.at(theta), strict=True):
        at = moment_derivatives(patterns, state.mu, state.sigma, expected=expected)
        assert at.hessian is not None
        jacobian = state.jacobian(means=True)
        f += at.f
        gradient += jacobian.T @ at.gradient
        hessian += jacobian.T @ at.hessian @ jacobian
        if not expected:
            hessian += state.curvature(0.5 * at.covariance, at.mean)
    return f, gradient, hessian


def maximise_fiml(structure: ModelStructure, data: Sequence[Patterns], start: Array) -> Minimum:
    """Estimates of a model from rows with missing answers: the minimum of minus log-likelihood.

    Raises:
        NotPositiveDefiniteError: the model's covariance matrix is not positive definite at ``start``.
    """
    return minimise(
        lambda theta: _value(structure, data, theta), lambda theta: fiml_derivatives(structure, data, theta), start
    )
