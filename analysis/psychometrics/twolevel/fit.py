"""A two-level factor model as one result: estimates, errors, chi-square, fit measures, ICC per item, findings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import AnalysisInputError, FitFailure
from ..ml.cfa import invert_information, is_identified, not_identified
from ..ml.fit import ChiSquare, comparison_measures, information_criteria, unbiased_gfi
from ..ml.newton import Minimum
from ..ml.result import FitResult, LabelledMatrix
from ..ml.sample import Sample, check_moments
from ..ml.solution import (
    block_names,
    factor_correlations,
    improper_findings,
    parameter_estimates,
    r_square,
    residual_correlations,
)
from ..ml.strata import LOG_2PI, Array, NotPositiveDefiniteError
from ..problems import FEWER_CLUSTERS_THAN_PARAMETERS, NOT_CONVERGED, NOT_IDENTIFIED, NOT_POSITIVE_DEFINITE, Problem
from ..syntax.model import ParameterTable
from .clusters import ClusterSummaries, cluster_scores, two_level_derivatives
from .model import (
    TwoLevelModel,
    TwoLevelPoint,
    forced_positive,
    maximise_two_level,
    model_scores,
    standardised_residual,
    summarise_teams,
    two_level_modification_indices,
    two_level_start,
)
from .saturated import TwoLevelMoments, estimate_two_level_moments, estimate_unrelated_moments, is_singular


@dataclass(frozen=True)
class _Solution:
    """The model at its estimates, with what its tests need."""

    model: TwoLevelModel
    summaries: ClusterSummaries
    saturated: TwoLevelMoments
    point: TwoLevelPoint
    logl: float
    inverse: Array
    meat: Array | None


def fit_two_level(
    table: ParameterTable, sample: Sample, estimator: str = "ML", *, modification: bool = True
) -> FitResult:
    """Fit a within and a between model to complete cases in clusters.

    Args:
        table: a table with a block for each of two levels and one group.
        sample: complete cases with clusters; its items are the table's, in its order.
        estimator: ``ML``, or ``MLR`` for sandwich errors by cluster and the Yuan-Bentler chi-square.
        modification: whether to compute modification indices.

    Raises:
        AnalysisInputError: another estimator, or several groups.
        FitFailure: there is no solution at all, or more between parameters than clusters; problems with a solution are
            named in the result.
    """
    if estimator not in ("ML", "MLR"):
        raise AnalysisInputError("a two-level model goes with estimator ML or MLR")
    if len(sample.groups) > 1:
        raise AnalysisInputError("a two-level model is for one group: choose the rows of one group first")
    check_moments(sample)
    model = TwoLevelModel(table)
    table = model.table
    df = _n_moments(model) - table.n_free
    if df < 0:
        sentence = (
            f"The model is not identified: it has {table.n_free} free parameters but only {df + table.n_free} moments."
        )
        raise FitFailure(NOT_IDENTIFIED, sentence)
    summaries = summarise_teams(model, sample)
    saturated, minimum = _estimate(model, summaries)
    point = model.at(minimum.x)
    names = block_names(table, sample.group_labels)
    problems = list(sample.problems)
    inverse = invert_information(minimum.hessian)
    if not minimum.converged:
        problems.append(Problem(NOT_CONVERGED, "", "The model did not converge: no estimates to rely on."))
    if inverse is None or not is_identified(model.jacobian(point)):
        problems.append(not_identified(minimum.hessian, table))
        inverse = None
    fit: dict[str, float] = {}
    vcov = None
    if minimum.converged and inverse is not None:
        scores = model_scores(model, summaries, minimum.x) if estimator == "MLR" else None
        meat = None if scores is None else scores.T @ scores
        vcov = inverse if meat is None else inverse @ meat @ inverse
        solution = _Solution(model, summaries, saturated, point, -minimum.f, inverse, meat)
        fit = _fit_measures(solution, df)
        problems += _findings(solution, names)
    problems += improper_findings(point.states, names)
    indices = two_level_modification_indices(model, summaries, minimum.x) if modification and fit else ()
    samples = [saturated.within[np.ix_(model.inner, model.inner)], saturated.between[np.ix_(model.outer, model.outer)]]
    return FitResult(
        converged=minimum.converged,
        estimator=estimator,
        missing="listwise",
        n_obs=summaries.n_obs,
        n_free_parameters=table.n_free,
        fit=fit,
        parameters=parameter_estimates(model.structure, point.states, minimum.x, vcov),
        factor_correlations=factor_correlations(point.states, names),
        r_square=r_square(point.states, names),
        residual_correlations=residual_correlations(point.states, samples, names),
        modification_indices=indices,
        problems=tuple(problems),
        n_clusters=summaries.n_clusters,
        theta=minimum.x,
        vcov=vcov,
        table=table,
        extra=_extra(model, saturated),
    )


def _estimate(model: TwoLevelModel, summaries: ClusterSummaries) -> tuple[TwoLevelMoments, Minimum]:
    try:
        saturated = estimate_two_level_moments(summaries)
    except (NotPositiveDefiniteError, np.linalg.LinAlgError) as error:
        sentence = (
            "The covariance matrices of the items within and between teams cannot be estimated: they are singular."
        )
        raise FitFailure(NOT_POSITIVE_DEFINITE, sentence) from error
    try:
        return saturated, maximise_two_level(model, summaries, two_level_start(model, summaries, saturated))
    except NotPositiveDefiniteError as error:
        sentence = "The implied covariance matrix is not positive definite at the start values: give others."
        raise FitFailure(NOT_CONVERGED, sentence) from error


def _n_moments(model: TwoLevelModel) -> int:
    """Means, within and between variances and covariances that a model without restrictions has."""
    inner, outer = model.inner.size, model.outer.size
    return model.p + inner * (inner + 1) // 2 + outer * (outer + 1) // 2


def _fit_measures(solution: _Solution, df: int) -> dict[str, float]:
    model, summaries, saturated = solution.model, solution.summaries, solution.saturated
    table, n = model.table, summaries.n_obs
    n_answers = n * model.inner.size + summaries.n_clusters * (model.p - model.inner.size)
    unrelated = estimate_unrelated_moments(summaries)
    df_b = _n_moments(model) - model.p - model.inner.size - model.outer.size
    # an improper between matrix can be likelier than any proper one, even the saturated
    test = ChiSquare(max(2.0 * (saturated.logl - solution.logl), 0.0), df)
    test_b = ChiSquare(max(2.0 * (saturated.logl - unrelated.logl), 0.0), df_b)
    further: dict[str, float] = {}
    if solution.meat is not None:
        test, test_b, further = _scaled_tests(solution, test, test_b, unrelated)
    # minus log-likelihood per respondent without its constant, as lavaan reports it for two levels
    fit: dict[str, float] = {"npar": table.n_free, "fmin": (-solution.logl - 0.5 * n_answers * LOG_2PI) / n}
    fit |= comparison_measures(test, test_b, n)
    fit |= unbiased_gfi(test.chisq, test, n, model.p)
    fit |= information_criteria(solution.logl, saturated.logl, table.n_free, n)
    inner, outer = np.ix_(model.inner, model.inner), np.ix_(model.outer, model.outer)
    within = standardised_residual(saturated.within[inner], solution.point.within[inner])
    between = standardised_residual(saturated.between[outer], forced_positive(solution.point.between[outer]))
    fit |= {"srmr": within + between, "srmr_within": within, "srmr_between": between}
    return fit | further


def _scaled_tests(
    solution: _Solution, test: ChiSquare, test_b: ChiSquare, unrelated: TwoLevelMoments
) -> tuple[ChiSquare, ChiSquare, dict[str, float]]:
    """Yuan and Bentler's chi-squares of the model and of the baseline model, and the factors they are made of."""
    assert solution.meat is not None
    model = solution.model
    levels = (model.has_within, model.has_between)
    free = np.concatenate([np.ones(model.p, dtype=bool)] + [on[model.rows] & on[model.columns] for on in levels])
    diagonal = np.concatenate([np.ones(model.p, dtype=bool)] + 2 * [model.rows == model.columns])
    full = _trace(solution.summaries, solution.saturated, free)
    base = _trace(solution.summaries, unrelated, free & diagonal)
    own = float(np.vdot(solution.inverse, solution.meat))
    # lavaan counts parameters that are set equal one by one here
    n_free = sum(row.free for row in model.table.rows)
    factor = (full - own) / test.df if test.df else 1.0
    scaled = ChiSquare(test.chisq, test.df, factor)
    scaled_b = ChiSquare(test_b.chisq, test_b.df, (full - base) / test_b.df if test_b.df else 1.0)
    factors = {"scaling.factor.h1": full / int(free.sum()), "scaling.factor.h0": own / n_free if n_free else 1.0}
    return scaled, scaled_b, factors


def _trace(summaries: ClusterSummaries, moments: TwoLevelMoments, free: npt.NDArray[np.bool_]) -> float:
    """tr(B A^-1) of a model whose parameters are the moments marked ``free``; NaN where A cannot be inverted."""
    at = two_level_derivatives(summaries, moments.mean, moments.within, moments.between)
    assert at.hessian is not None
    scores = cluster_scores(summaries, moments.mean, moments.within, moments.between)[:, free]
    try:
        return float(np.trace(np.linalg.solve(at.hessian[np.ix_(free, free)], scores.T @ scores)))
    except np.linalg.LinAlgError:
        return math.nan


def _findings(solution: _Solution, names: list[str]) -> list[Problem]:
    """What is worth knowing beside the estimates: a singular between matrix, few teams."""
    findings = []
    model, summaries = solution.model, solution.summaries
    outer = np.ix_(model.outer, model.outer)
    if is_singular(solution.saturated.between[outer]):
        findings.append(Problem(
            NOT_POSITIVE_DEFINITE, "",
            "The covariance matrix between teams is estimated at the edge of what is possible (singular), even without a "
            "model: chi-square and what follows from it are approximate.",
        ))  # fmt: skip
    implied = solution.point.between[outer]
    if np.diag(implied).min() < 0.0 or np.linalg.eigvalsh(implied)[0] < -1e-8 * np.trace(np.abs(implied)):
        findings.append(Problem(
            NOT_POSITIVE_DEFINITE, "",
            f"The covariance matrix of the items that the model implies ({names[1]}) is not positive definite.",
        ))  # fmt: skip
    if solution.meat is not None and summaries.n_clusters <= model.table.n_free:
        findings.append(Problem(
            FEWER_CLUSTERS_THAN_PARAMETERS, "",
            f"{summaries.n_clusters} clusters for {model.table.n_free} parameters: each standard error stands, but their "
            "joint covariance matrix is singular and allows no joint test.",
        ))  # fmt: skip
    return findings


def _extra(model: TwoLevelModel, saturated: TwoLevelMoments) -> dict[str, object]:
    """ICC per item and the moments without a model."""
    items = model.table.observed
    inner, outer = model.table.blocks
    icc = saturated.icc
    return {
        "icc": {name: float(icc[k]) for k, name in enumerate(items) if name in inner.observed},
        "saturated_moments": {
            "within": LabelledMatrix(
                inner.observed, inner.observed, saturated.within[np.ix_(model.inner, model.inner)]
            ),
            "between": LabelledMatrix(
                outer.observed, outer.observed, saturated.between[np.ix_(model.outer, model.outer)]
            ),
            "mean": dict(zip(items, saturated.mean.tolist(), strict=True)),
        },
    }
