"""A factor model fitted to answers with holes: estimates, errors, chi-square and fit measures as one result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import FitFailure
from ..ml.cfa import degrees_of_freedom, invert_information, is_identified, not_identified
from ..ml.fit import ChiSquare, GroupMoments, comparison_measures, information_criteria, residual_measures, unbiased_gfi
from ..ml.moments import BlockState, ModelStructure
from ..ml.newton import Minimum
from ..ml.result import FitResult, LabelledMatrix
from ..ml.sample import Sample, check_spread_of_clusters
from ..ml.solution import (
    block_names,
    factor_correlations,
    improper_findings,
    parameter_estimates,
    r_square,
    residual_correlations,
)
from ..ml.starts import start_values
from ..ml.strata import Array, NotPositiveDefiniteError
from ..problems import FEWER_CLUSTERS_THAN_PARAMETERS, NOT_CONVERGED, Problem
from ..syntax.model import ParameterTable
from .estimation import incomplete_samples, maximise_fiml, model_moments
from .modification import fiml_modification_indices
from .saturated import moment_derivatives, moment_value
from .scaling import (
    FimlSample,
    ModelMoments,
    SaturatedInformation,
    baseline_moments,
    complete_chisq,
    corrected_indices,
    correction_trace,
    model_meat,
    saturated_information,
    sum_matrices,
    trace_of_ratio,
)


@dataclass(frozen=True)
class _Solution:
    """The model at its estimates, with what its tests need."""

    table: ParameterTable
    groups: list[FimlSample]
    states: Sequence[BlockState]
    models: list[ModelMoments]
    logl: float
    inverse: Array
    meat: Array | None

    @property
    def n_obs(self) -> int:
        return sum(group.n_obs for group in self.groups)


def fit_fiml(table: ParameterTable, sample: Sample, estimator: str = "ML", *, modification: bool = True) -> FitResult:
    """Fit a factor model to rows with missing answers by full-information maximum likelihood.

    Args:
        table: the model, one block per group, with a mean structure.
        sample: cases with missing answers kept; its items are the table's, in its order.
        estimator: ``ML``, or ``MLR`` for sandwich errors and the Yuan-Bentler chi-square, by cluster where there are any.
        modification: whether to compute modification indices.

    Raises:
        FitFailure: there is no solution at all; problems with a solution are named in the result.
    """
    degrees_of_freedom(table)
    structure = ModelStructure(table)
    groups = incomplete_samples(sample)
    minimum = _estimate(structure, groups)
    theta, states = minimum.x, structure.at(minimum.x)
    names = block_names(table, sample.group_labels)
    problems = list(sample.problems)
    inverse = invert_information(minimum.hessian)
    if not minimum.converged:
        problems.append(Problem(NOT_CONVERGED, "", "The model did not converge: no estimates to rely on."))
    jacobian = np.concatenate([state.jacobian(means=True) for state in states])
    if inverse is None or not is_identified(jacobian):
        problems.append(not_identified(minimum.hessian, table))
        inverse = None
    fit: dict[str, float] = {}
    vcov = None
    if minimum.converged and inverse is not None:
        models = model_moments(states)
        meat = model_meat(groups, models) if estimator == "MLR" else None
        if meat is not None and sample.n_clusters is not None:
            check_spread_of_clusters(float(np.vdot(inverse, meat)), table.n_free)
        solution = _Solution(table, groups, states, models, -minimum.f, inverse, meat)
        vcov = inverse if meat is None else inverse @ meat @ inverse
        fit = _fit_measures(solution)
        problems += _cluster_findings(sample, table) if meat is not None else []
    problems += improper_findings(states, names)
    indices = fiml_modification_indices(table, theta, groups) if modification and fit else ()
    return FitResult(
        converged=minimum.converged,
        estimator=estimator,
        missing="fiml",
        n_obs=sum(group.n_obs for group in groups),
        n_free_parameters=table.n_free,
        fit=fit,
        parameters=parameter_estimates(structure, states, theta, vcov),
        factor_correlations=factor_correlations(states, names),
        r_square=r_square(states, names),
        residual_correlations=residual_correlations(states, [g.saturated.covariance for g in groups], names),
        modification_indices=indices,
        problems=tuple(problems),
        n_clusters=sample.n_clusters,
        group_labels=sample.group_labels,
        theta=theta,
        vcov=vcov,
        table=table,
        extra={"saturated_moments": _saturated_moments(sample, groups), "n_patterns": _n_patterns(groups)},
    )


def _estimate(structure: ModelStructure, groups: Sequence[FimlSample]) -> Minimum:
    """Estimates, started from those for complete data with the saturated moments: most of the way at a fraction of the
    cost."""
    start = start_values(structure, [g.saturated.covariance for g in groups], [g.saturated.mean for g in groups])
    try:
        nearby = maximise_fiml(structure, [group.as_complete() for group in groups], start)
        return maximise_fiml(structure, [group.patterns for group in groups], nearby.x if nearby.converged else start)
    except NotPositiveDefiniteError as error:
        sentence = "The implied covariance matrix is not positive definite at the start values: give others."
        raise FitFailure(NOT_CONVERGED, sentence) from error


def _fit_measures(solution: _Solution) -> dict[str, float]:
    table, groups, n = solution.table, solution.groups, solution.n_obs
    p, n_groups = len(groups[0].saturated.mean), len(groups)
    bases = [baseline_moments(group, k, n_groups) for k, group in enumerate(groups)]
    saturated = sum(group.saturated.logl for group in groups)
    baseline = -sum(moment_value(g.patterns, b.mean, b.covariance) for g, b in zip(groups, bases, strict=True))
    chisq = max(2.0 * (saturated - solution.logl), 0.0)
    df, df_b = n_groups * p * (p + 3) // 2 - table.n_free, n_groups * p * (p - 1) // 2
    test, test_b = ChiSquare(chisq, df), ChiSquare(max(2.0 * (saturated - baseline), 0.0), df_b)
    robust = solution.meat is not None
    information = [saturated_information(group, robust=robust) for group in groups]
    further: dict[str, float] = {}
    if robust:
        test, test_b, further = _scaled_tests(solution, test, test_b, information, bases)
    fit: dict[str, float] = {"npar": table.n_free, "fmin": chisq / (2.0 * n)}
    fit |= comparison_measures(test, test_b, n, n_groups)
    fit |= unbiased_gfi(chisq, ChiSquare(chisq, df), n, p, n_groups)
    fit |= corrected_indices(
        (complete_chisq(groups, solution.models), complete_chisq(groups, bases)),
        (correction_trace(information, solution.models), correction_trace(information, bases)),
        (df, df_b), n, p, n_groups,
    )  # fmt: skip
    fit |= information_criteria(solution.logl, saturated, table.n_free, n)
    fit |= residual_measures(
        [
            GroupMoments(g.saturated.covariance, g.saturated.mean, state.sigma, state.mu, g.n_obs / n)
            for g, state in zip(groups, solution.states, strict=True)
        ],
        means=True,
    )
    fit["ecvi"] = (chisq + 2.0 * table.n_free) / n
    return fit | further


def _scaled_tests(
    solution: _Solution, test: ChiSquare, test_b: ChiSquare,
    information: Sequence[SaturatedInformation], bases: list[ModelMoments],
) -> tuple[ChiSquare, ChiSquare, dict[str, float]]:  # fmt: skip
    """Yuan and Bentler's chi-squares of the model and of the baseline model, and the factors they are made of."""
    assert solution.meat is not None
    own = float(np.vdot(solution.inverse, solution.meat))
    full = sum(trace_of_ratio(i.observed, i.meat) for i in information if i.meat is not None)
    # the baseline model's moments are linear in its parameters: its observed information has no second-order part
    base_information = sum_matrices(
        b.jacobian.T @ _observed(group, b) @ b.jacobian for group, b in zip(solution.groups, bases, strict=True)
    )
    base = trace_of_ratio(base_information, model_meat(solution.groups, bases))
    # lavaan counts parameters that are set equal one by one here
    n_free, n_moments = sum(row.free for row in solution.table.rows), sum(len(i.observed) for i in information)
    factor = (full - own) / test.df if test.df else 1.0
    scaled_b = ChiSquare(test_b.chisq, test_b.df, (full - base) / test_b.df if test_b.df else 1.0)
    factors = {"scaling.factor.h1": full / n_moments, "scaling.factor.h0": own / n_free if n_free else 1.0}
    return ChiSquare(test.chisq, test.df, factor), scaled_b, factors


def _observed(group: FimlSample, model: ModelMoments) -> Array:
    hessian = moment_derivatives(group.patterns, model.mean, model.covariance).hessian
    assert hessian is not None
    return hessian


def _cluster_findings(sample: Sample, table: ParameterTable) -> list[Problem]:
    if sample.n_clusters is None or sample.n_clusters > table.n_free:
        return []
    sentence = (
        f"{sample.n_clusters} clusters for {table.n_free} parameters: each standard error stands, but their joint "
        "covariance matrix is singular and allows no joint test."
    )
    return [Problem(FEWER_CLUSTERS_THAN_PARAMETERS, "", sentence)]


def _saturated_moments(sample: Sample, groups: Sequence[FimlSample]) -> dict[str, object]:
    """Mean and covariance matrix without a model, by group where there are several."""
    by_group = [
        {
            "cov": LabelledMatrix(sample.items, sample.items, group.saturated.covariance),
            "mean": dict(zip(sample.items, group.saturated.mean.tolist(), strict=True)),
        }
        for group in groups
    ]
    return by_group[0] if len(groups) == 1 else dict(zip(sample.group_labels, by_group, strict=True))


def _n_patterns(groups: Sequence[FimlSample]) -> int:
    return sum(group.patterns.n_patterns for group in groups)
