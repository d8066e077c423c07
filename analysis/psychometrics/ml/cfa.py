"""Confirmatory factor analysis by maximum likelihood, with robust errors and tests on request.

Estimators, all with the same estimates:

* ``ML``: errors and chi-square of normal theory, expected information;
* ``MLM``: Satorra-Bentler scaled chi-square and robust errors, expected information;
* ``MLMV``: as MLM with the scaled and shifted chi-square;
* ``MLR``: Yuan-Bentler scaled chi-square and sandwich errors, observed information; with clusters the scores are
  summed per cluster and a mean structure belongs to the model.

Numbers follow lavaan's conventions: covariances and chi-square with N, not N - 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import FitFailure
from ..problems import FEWER_CLUSTERS_THAN_PARAMETERS, NO_SCALED_TEST, NOT_CONVERGED, NOT_IDENTIFIED, Problem
from ..syntax.model import ParameterTable
from . import fit as measures
from .likelihood import GroupTerms, all_terms, expected_information, maximise_likelihood, observed_information
from .modification import modification_indices
from .moments import ModelStructure
from .newton import Minimum
from .result import FitResult, FloatArray
from .robust import moment_traces, projected_moments, saturated_traces, scaled_shifted, score_meat
from .sample import Sample, check_clusters, check_moments
from .solution import (
    block_names,
    factor_correlations,
    improper_findings,
    parameter_estimates,
    r_square,
    residual_correlations,
)
from .starts import plain_start_values, start_values
from .strata import NotPositiveDefiniteError

ESTIMATORS = ("ML", "MLM", "MLMV", "MLR")
# Smallest eigenvalue of the information, scaled to a unit diagonal, at which it still counts as invertible.
SMALLEST_EIGENVALUE = 1e-9
# Smallest singular value of the Jacobian of the moments, in parts of the largest: rounding leaves about 1e-16 of a zero.
SMALLEST_SINGULAR_VALUE = 1e-11
# A parameter with less information than this says nothing, and the square of its scale would overflow.
TINY = 1e-200


@dataclass(frozen=True)
class MaximumLikelihood:
    """What difference tests need of a fit: the sample and the terms of every group at the estimates."""

    sample: Sample
    terms: Sequence[GroupTerms]


@dataclass(frozen=True)
class _ErrorsAndTests:
    """vcov (q, q) or None, the tests of model and independence model, and further measures of the estimator."""

    vcov: FloatArray | None
    model: measures.ChiSquare
    baseline: measures.ChiSquare
    further: dict[str, float] = field(default_factory=dict)


def fit_maximum_likelihood(
    table: ParameterTable, sample: Sample, estimator: str = "ML", *, modification: bool = True
) -> FitResult:
    """Fit a factor model to complete cases.

    ``table`` and ``sample`` must agree in groups; the items of the sample are the table's, in its order. Problems with
    the solution are named in the result; raises :class:`FitFailure` where there is none.
    """
    check_moments(sample)
    check_clusters(sample)
    degrees_of_freedom(table)
    structure = ModelStructure(table)
    covariances = [group.covariance for group in sample.groups]
    minimum = _minimum(structure, sample)
    theta = minimum.x
    terms = all_terms(structure, sample, theta)
    states = [term.state for term in terms]
    expected = expected_information(terms)
    problems = list(sample.problems)
    bread = invert_information(expected)
    converged = minimum.converged or _is_flat_minimum(minimum)
    if not converged:
        problems.append(Problem(NOT_CONVERGED, "", "The model did not converge: no estimates to rely on."))
    if bread is None:
        problems.append(not_identified(expected, table))
    fit: dict[str, float] = {}
    vcov = None
    if converged and bread is not None:
        tests = _errors_and_tests(terms, sample, estimator, bread, problems)
        vcov = tests.vcov
        fit = _fit_measures(table, sample, terms, tests.model, tests.baseline, bread) | tests.further
    names = block_names(table, sample.group_labels)
    problems += improper_findings(states, names)
    indices = modification_indices(table, theta, sample) if modification and fit else ()
    return FitResult(
        converged=converged,
        estimator=estimator,
        missing="listwise",
        n_obs=sample.n_obs,
        n_free_parameters=table.n_free,
        fit=fit,
        parameters=parameter_estimates(structure, states, theta, vcov),
        factor_correlations=factor_correlations(states, names),
        r_square=r_square(states, names),
        residual_correlations=residual_correlations(states, covariances, names),
        modification_indices=indices,
        problems=tuple(problems),
        n_clusters=sample.n_clusters,
        group_labels=sample.group_labels,
        theta=theta,
        vcov=vcov,
        table=table,
        internals={"ml": MaximumLikelihood(sample, terms)} if fit else {},
    )


def _minimum(structure: ModelStructure, sample: Sample) -> Minimum:
    """The optimum from the first set of start values that leads to one."""
    covariances = [group.covariance for group in sample.groups]
    means = [group.mean for group in sample.groups]
    reached = []
    for start in (start_values(structure, covariances, means), plain_start_values(structure, covariances, means)):
        try:
            reached.append(maximise_likelihood(structure, sample, start))
        except NotPositiveDefiniteError:
            continue
        if reached[-1].converged or _is_flat_minimum(reached[-1]):
            return reached[-1]
    if not reached:
        sentence = "The implied covariance matrix is not positive definite at the start values: give others."
        raise FitFailure(NOT_CONVERGED, sentence)
    return reached[0]


def maximum_likelihood_parts(fit: MaximumLikelihood, estimator: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Inverse information (q, q), meat (q, q) and Jacobian of the implied moments (moments, q) of a fit."""
    terms = fit.terms
    information = observed_information(terms) if estimator == "MLR" else expected_information(terms)
    meat = score_meat(terms, fit.sample, centred=estimator != "MLR")
    jacobian = np.concatenate([term.state.jacobian(means=term.means) for term in terms])
    return np.asarray(np.linalg.inv(information), dtype=np.float64), meat, jacobian


def degrees_of_freedom(table: ParameterTable) -> int:
    """Moments less free parameters. Raises :class:`FitFailure` where there are more parameters than moments."""
    n_moments = sum(
        len(block.observed) * (len(block.observed) + 1) // 2 + (len(block.observed) if table.mean_structure else 0)
        for block in table.blocks
    )
    if table.n_free > n_moments:
        raise FitFailure(
            NOT_IDENTIFIED,
            f"The model is not identified: it has {table.n_free} free parameters but only {n_moments} moments.",
        )
    return n_moments - table.n_free


def invert_information(information: FloatArray) -> FloatArray | None:
    """The inverse of an information matrix, None where it is singular: the model is not identified."""
    if not len(information):
        return information.copy()
    diagonal = np.diag(information)
    if not np.isfinite(information).all() or diagonal.min() <= TINY:
        return None
    scale = 1.0 / np.sqrt(diagonal)
    scaled = information * np.outer(scale, scale)
    if np.linalg.eigvalsh(scaled)[0] < SMALLEST_EIGENVALUE:
        return None
    inverse: FloatArray = np.linalg.inv(scaled) * np.outer(scale, scale)
    return 0.5 * (inverse + inverse.T)


def is_identified(jacobian: FloatArray) -> bool:
    """Whether every direction of the parameters moves some implied moment: the Jacobian has full column rank.

    A Hessian alone does not tell. In a direction in which no moment moves it holds what is left of the gradient there:
    small, and not zero, however the minimisation ended. The Jacobian has a zero but for rounding at every point.
    Rows and columns are brought to length 1 first, so that the units of items do not matter.
    """
    scaled = jacobian
    for axis in (0, 1, 0):
        length = np.linalg.norm(scaled, axis=axis, keepdims=True)
        if axis == 0 and length.size and not length.min() > TINY:
            return False
        scaled = scaled / np.maximum(length, TINY)
    if not scaled.size or not np.isfinite(scaled).all():
        return not scaled.size
    values = np.linalg.svd(scaled, compute_uv=False)
    return bool(len(values) == jacobian.shape[1] and values[-1] > SMALLEST_SINGULAR_VALUE * values[0])


def not_identified(information: FloatArray, table: ParameterTable) -> Problem:
    """The finding that some parameters can move without the model noticing, naming the one that moves most."""
    diagonal = np.maximum(np.diag(information), TINY)
    scale = 1.0 / np.sqrt(diagonal)
    vector = np.abs(np.linalg.eigh(information * np.outer(scale, scale))[1][:, 0])
    name = table.free_rows[int(np.argmax(vector))].name
    sentence = f"The model is not identified (see the parameter {name}): standard errors cannot be computed."
    return Problem(NOT_IDENTIFIED, name, sentence)


def _is_flat_minimum(minimum: Minimum) -> bool:
    """Whether the gradient vanishes although the Hessian is singular, as in a model that is not identified."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(minimum.hessian)), 1e-300))
    smallest = float(np.linalg.eigvalsh(minimum.hessian / np.outer(scale, scale))[0])
    return smallest > -1e-6 and float(np.max(np.abs(minimum.gradient) / scale)) < 1e-5


def _errors_and_tests(
    terms: Sequence[GroupTerms], sample: Sample, estimator: str, bread: FloatArray, problems: list[Problem]
) -> _ErrorsAndTests:
    """Standard errors and chi-squares by the definition of the estimator; ``bread`` inverts the expected information."""
    structure, means = terms[0].state.structure, terms[0].means
    p, n_groups = len(sample.items), len(sample.groups)
    n_moments = n_groups * (p * (p + 1) // 2 + (p if means else 0))
    chisq, chisq_b = _chi_squares(terms, sample)
    model = measures.ChiSquare(chisq, n_moments - structure.n_free)
    baseline = measures.ChiSquare(chisq_b, n_groups * p * (p - 1) // 2)
    if estimator == "ML":
        return _ErrorsAndTests(bread / sample.n_obs, model, baseline)
    if estimator == "MLR":
        return _yuan_bentler(terms, sample, _ErrorsAndTests(None, model, baseline), n_moments, problems)
    meat = score_meat(terms, sample, centred=True)
    vcov = bread @ meat @ bread / sample.n_obs
    if estimator == "MLMV":
        of_model, of_baseline = projected_moments(terms, sample, bread)
        return _ErrorsAndTests(vcov, _shifted(model, of_model), _shifted(baseline, of_baseline))
    trace, trace_b = moment_traces(terms, sample)
    trace -= float(np.vdot(bread, meat))
    return _ErrorsAndTests(vcov, _scaled(model, trace, problems), _scaled(baseline, trace_b, problems))


def _yuan_bentler(
    terms: Sequence[GroupTerms], sample: Sample, plain: _ErrorsAndTests, n_moments: int, problems: list[Problem]
) -> _ErrorsAndTests:
    """Sandwich errors with the observed information, and the test scaled by the difference of two traces."""
    inverse = invert_information(observed_information(terms))
    if inverse is None:
        problems.append(Problem(NOT_IDENTIFIED, "", "The observed information is singular: no robust errors."))
        return plain
    meat = score_meat(terms, sample)
    traces = saturated_traces(sample, means=terms[0].means)
    own = float(np.vdot(inverse, meat))
    _add_cluster_finding(sample, len(inverse), problems)
    # lavaan divides by the number of parameters before equality constraints
    n_rows = sum(len(term.state.structure.index) for term in terms)
    return _ErrorsAndTests(
        inverse @ meat @ inverse / sample.n_obs,
        _scaled(plain.model, traces.saturated - own, problems),
        _scaled(plain.baseline, traces.saturated - traces.independence, problems),
        {"scaling.factor.h1": traces.saturated / n_moments, "scaling.factor.h0": own / n_rows if n_rows else 1.0},
    )


def _add_cluster_finding(sample: Sample, n_free: int, problems: list[Problem]) -> None:
    if sample.n_clusters is not None and sample.n_clusters <= n_free:
        problems.append(Problem(
            FEWER_CLUSTERS_THAN_PARAMETERS, "",
            f"{sample.n_clusters} clusters for {n_free} parameters: each standard error stands, but their joint "
            "covariance matrix is singular and allows no joint test.",
        ))  # fmt: skip


def _scaled(test: measures.ChiSquare, trace: float, problems: list[Problem]) -> measures.ChiSquare:
    """The test divided by ``trace`` over its degrees of freedom."""
    positive = trace > 1e-10 * test.df  # what rounding leaves of zero is no scale
    if test.df > 0 and not positive:
        sentence = "The scaling factor of the chi-square is not positive: there is no scaled test."
        problems.append(Problem(NO_SCALED_TEST, "", sentence))
    return replace(test, scaling_factor=trace / test.df if test.df > 0 and positive else math.nan)


def _shifted(test: measures.ChiSquare, projected: FloatArray) -> measures.ChiSquare:
    """The test scaled and shifted to mean and variance of a chi-square, from U Gamma."""
    if test.df == 0:
        return replace(test, scaling_factor=math.nan)
    factor, shift = scaled_shifted(projected, test.df)
    return replace(test, scaling_factor=factor, shift=shift)


def _chi_squares(terms: Sequence[GroupTerms], sample: Sample) -> tuple[float, float]:
    """N times the discrepancy of the model and of the independence model, each against the saturated one."""
    model = baseline = 0.0
    for term, group in zip(terms, sample.groups, strict=True):
        saturated = float(np.linalg.slogdet(group.covariance)[1])
        p = len(group.mean)
        model += group.n * (2.0 * term.value - saturated - p)
        baseline += group.n * (float(np.log(np.diag(group.covariance)).sum()) - saturated)
    return max(model, 0.0), max(baseline, 0.0)


def _fit_measures(
    table: ParameterTable, sample: Sample, terms: Sequence[GroupTerms], test: measures.ChiSquare,
    baseline: measures.ChiSquare, bread: FloatArray,
) -> dict[str, float]:  # fmt: skip
    n = sample.n_obs
    logl = sum(
        measures.normal_log_likelihood(term.log_det, float(np.vdot(term.w, term.t)), group.n, len(group.mean))
        for term, group in zip(terms, sample.groups, strict=True)
    )
    fit: dict[str, float] = {"npar": table.n_free, "fmin": test.chisq / (2.0 * n)}
    fit |= measures.comparison_measures(test, baseline, n, len(sample.groups))
    fit |= measures.information_criteria(logl, logl + test.chisq / 2.0, table.n_free, n)
    moments = [
        measures.GroupMoments(group.covariance, group.mean, term.state.sigma, term.state.mu, term.share)
        for term, group in zip(terms, sample.groups, strict=True)
    ]
    fit |= measures.residual_measures(moments, means=table.mean_structure)
    fit |= _absolute_measures(terms, test, n, len(sample.items), bread)
    fit["ecvi"] = (test.chisq + 2.0 * table.n_free) / n
    return fit


def _absolute_measures(
    terms: Sequence[GroupTerms], test: measures.ChiSquare, n: int, p: int, bread: FloatArray
) -> dict[str, float]:
    """GFI in LISREL's and in lavaan 0.7's form, from weighted squares of residuals and of moments."""
    residual = gfi_lisrel = 0.0
    slope = np.zeros(len(bread))
    for term in terms:
        w, d = term.w, term.d
        s = term.t - np.outer(d, d)
        wr = w @ (s - term.state.sigma)
        misfit = 0.5 * float(np.vdot(wr, wr.T)) + float(d @ w @ d)
        residual += term.share * misfit
        ws = w @ s
        m = term.state.mu + d if term.means else np.zeros(len(d))
        gfi_lisrel += term.share * (1.0 - misfit / (0.5 * float(np.vdot(ws, ws.T)) + float(m @ w @ m)))
        slope += term.share * term.state.pull_back(0.5 * wr @ w, w @ d if term.means else None)
    browne = n * (residual - float(slope @ bread @ slope))
    n_moments = test.df + len(bread)
    fit = {"gfi_lisrel": gfi_lisrel, "pgfi": test.df / n_moments * gfi_lisrel}
    fit["agfi_lisrel"] = 1.0 - n_moments / test.df * (1.0 - gfi_lisrel) if test.df else 1.0
    return fit | measures.unbiased_gfi(browne, test, n, p, len(terms))
