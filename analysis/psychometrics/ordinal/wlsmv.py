"""Diagonally weighted least squares on polychoric correlations: estimates, robust errors, scaled-and-shifted test.

With polychoric correlations s, implied correlations sigma(theta), sampling covariance Cov(s) = C'C (C from
:mod:`~analysis.psychometrics.ordinal.polychoric`) and V the inverse of its diagonal,

    T = (n - 1)/n (s - sigma)' V (s - sigma)           summed over groups of n, minimised over theta
    vcov = N/(N - G) E J'V Cov V J E,  E = inv(J'V J)  J = d sigma / d theta, G groups
    U = V - V J E J'V

Thresholds are saturated: each is its own parameter, with zero residual, and takes no part in T. The factors with N are
lavaan's, where least squares counts N - 1. Traces of U Cov are taken from the projected rows of C, so with few respondents no product
of p(p-1)/2 × p(p-1)/2 matrices is needed.

Muthén, B., du Toit, S. & Spisic, D. (1997). Robust inference using weighted least squares and quadratic estimating
equations. Unpublished. Asparouhov, T. & Muthén, B. (2010). Simple second order chi-square correction. Mplus technical
appendix. Savalei, V. (2021). Improving fit indices in structural equation modeling with categorical data. Multivariate
Behavioral Research, 56, 390-407.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..errors import FitFailure
from ..ml.fit import ChiSquare
from ..ml.moments import BlockState, BlockStructure, ModelStructure
from ..ml.newton import Minimum, minimise
from ..ml.result import FloatArray
from ..ml.sample import check_spread_of_clusters
from ..ml.starts import start_values
from ..problems import NOT_CONVERGED, NOT_IDENTIFIED, NOT_POSITIVE_DEFINITE
from ..syntax.model import ParameterTable
from .polychoric import PolychoricResult

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class OrdinalGroup:
    """The sample statistics of one group, correlations in the order of ``rows`` and ``columns``.

    ``s`` (n_pairs,) polychoric correlations; ``weight`` (n_pairs,) the diagonal of V; ``root`` (r, n_pairs) and
    ``threshold_root`` (r, n_thresholds) with Cov = root'root, r respondents or clusters; ``thresholds`` and
    ``threshold_weight`` (n_thresholds,).
    """

    names: tuple[str, ...]
    n: int
    correlation: FloatArray
    rows: IntArray
    columns: IntArray
    s: FloatArray
    weight: FloatArray
    root: FloatArray
    threshold_root: FloatArray
    thresholds: FloatArray
    threshold_weight: FloatArray

    @property
    def correction(self) -> float:
        """(n - 1)/n, by which lavaan's chi-square of least squares is smaller than n times the discrepancy."""
        return (self.n - 1) / self.n

    @cached_property
    def weighted_root(self) -> FloatArray:
        """``root`` with column j divided by the standard error of correlation j: (r, n_pairs)."""
        return self.root * np.sqrt(self.weight)


def ordinal_group(result: PolychoricResult, *, unweighted: bool = False) -> OrdinalGroup:
    """The sample statistics of a group from its polychoric correlations.

    Where these were computed with ``units`` (clusters), influences are summed by cluster and scaled with G/(G - 1); the
    weights stay those of independent respondents, so estimates do not change. ``unweighted`` gives all correlations the
    same weight N (ULSMV) instead of the inverse of their variances. Raises :class:`FitFailure` where there is no
    influence, or a correlation has no sampling variance.
    """
    influence = result.influence
    if influence is None:
        raise FitFailure(NOT_POSITIVE_DEFINITE, "The polychoric correlations have no sampling variances.")
    n, n_units = result.n_obs, influence.n_units
    variance, threshold_variance = influence.correlation_variance, influence.threshold_variance
    if not (variance > 0).all():
        pair = result.pairs[:, int(np.flatnonzero(~(variance > 0))[0])]
        names = " and ".join(result.names[item] for item in pair)
        raise FitFailure(
            NOT_POSITIVE_DEFINITE, f"The polychoric correlation of {names} has no sampling variance.", names
        )
    weight, threshold_weight = 1.0 / variance, 1.0 / threshold_variance
    if n_units is not None:
        check_spread_of_clusters(float((influence.correlations**2 @ weight).sum()), len(weight))
    if unweighted:
        weight, threshold_weight = (np.full(len(w), float(n)) for w in (weight, threshold_weight))
    scale = 1.0 if n_units is None else math.sqrt(n_units / max(n_units - 1, 1))
    rows, columns = result.pairs
    return OrdinalGroup(
        names=result.names,
        n=n,
        correlation=result.correlation,
        rows=rows,
        columns=columns,
        s=result.correlation[rows, columns],
        weight=weight,
        root=influence.correlations * scale,
        threshold_root=influence.thresholds * scale,
        thresholds=np.concatenate(result.thresholds),
        threshold_weight=threshold_weight,
    )


@dataclass(frozen=True)
class WlsmvSolution:
    """Estimates and tests of a WLSMV fit.

    ``theta`` (n_free,) and ``vcov`` (n_free, n_free) include the thresholds. ``jacobians`` per group (n_pairs, n_model),
    over the model parameters ``model_index`` (places in theta). ``information`` is J'VJ (n_model, n_model).
    ``catml`` and ``catml_baseline`` hold the maximum likelihood discrepancies that robust indices rest on, None where a
    polychoric matrix is not positive definite.
    """

    theta: FloatArray
    vcov: FloatArray
    states: tuple[BlockState, ...]
    groups: tuple[OrdinalGroup, ...]
    converged: bool
    model_index: IntArray
    jacobians: tuple[FloatArray, ...]
    information: FloatArray
    test: ChiSquare
    baseline: ChiSquare
    catml: tuple[float, float] | None
    catml_baseline: tuple[float, float] | None

    @property
    def residuals(self) -> tuple[FloatArray, ...]:
        """Polychoric minus implied correlations per group, (n_pairs,)."""
        return tuple(
            group.s - state.sigma[group.rows, group.columns]
            for group, state in zip(self.groups, self.states, strict=True)
        )


def solve_wlsmv(table: ParameterTable, groups: Sequence[OrdinalGroup]) -> WlsmvSolution:
    """Estimate the model of ``table`` (all items ordered, one block per group, thresholds free) by DWLS.

    Raises :class:`FitFailure` where the model has more parameters than correlations, is not identified, or does not
    converge.
    """
    structure = ModelStructure(table)
    is_threshold = np.array([row.op == "|" for row in table.free_rows], dtype=bool)
    model_index = np.flatnonzero(~is_threshold)
    n_statistics = sum(len(group.s) for group in groups)
    df = n_statistics - len(model_index)
    if df < 0:
        sentence = f"The model has {len(model_index)} parameters for {n_statistics} correlations: it is not identified."
        raise FitFailure(NOT_IDENTIFIED, sentence)
    theta = start_values(structure, [group.correlation for group in groups])
    _set_thresholds(table, groups, theta)
    start = theta[model_index]

    def complete(part: FloatArray) -> list[BlockState]:
        theta[model_index] = part
        return structure.at(theta)

    def value(part: FloatArray) -> float:
        pairs = zip(complete(part), groups, strict=True)
        return 0.5 * sum(g.correction * float(g.weight @ (g.s - s.sigma[g.rows, g.columns]) ** 2) for s, g in pairs)

    def derivatives(part: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        total, gradient = 0.0, np.zeros(len(theta))
        hessian = np.zeros((len(theta), len(theta)))
        for state, group in zip(complete(part), groups, strict=True):
            weight = group.correction * group.weight
            residual = group.s - state.sigma[group.rows, group.columns]
            jacobian = correlation_jacobian(state, group)
            total += 0.5 * float(weight @ residual**2)
            gradient -= jacobian.T @ (weight * residual)
            pull = np.zeros_like(group.correlation)
            pull[group.rows, group.columns] = pull[group.columns, group.rows] = -0.5 * weight * residual
            hessian += jacobian.T @ (weight[:, None] * jacobian) + state.curvature(pull)
        return total, gradient[model_index], hessian[np.ix_(model_index, model_index)]

    minimum = minimise(value, derivatives, start)
    states = tuple(complete(minimum.x))
    jacobians = tuple(
        correlation_jacobian(state, group)[:, model_index] for state, group in zip(states, groups, strict=True)
    )
    information = sum(
        (j.T @ (group.weight[:, None] * j) for j, group in zip(jacobians, groups, strict=True)),
        start=np.zeros((len(model_index), len(model_index))),
    )
    _check_solution(minimum, information, [table.free_rows[index].name for index in model_index])
    test, vcov = _robust(table, groups, jacobians, information, 2.0 * minimum.f, df, model_index)
    catml, catml_baseline = _categorical_ml(groups, states, jacobians, information, df)
    return WlsmvSolution(
        theta=theta.copy(),
        vcov=vcov,
        states=states,
        groups=tuple(groups),
        converged=minimum.converged,
        model_index=model_index,
        jacobians=jacobians,
        information=information,
        test=test,
        baseline=_baseline(groups),
        catml=catml,
        catml_baseline=catml_baseline,
    )


def correlation_jacobian(state: BlockState, group: OrdinalGroup) -> FloatArray:
    """Derivatives of the implied correlations by all free parameters, (n_pairs, n_free)."""
    x, y, scale = state.vectors
    by_element = scale[:, None] * (x[:, group.rows] * y[:, group.columns] + y[:, group.rows] * x[:, group.columns])
    structure: BlockStructure = state.structure
    jacobian = np.zeros((structure.n_free, len(group.s)))
    index = structure.index[: len(x)]
    if structure.shared:
        np.add.at(jacobian, index, by_element)
    else:
        jacobian[index] = by_element
    return np.ascontiguousarray(jacobian.T)


def scaled_and_shifted(chisq: float, df: int, trace: float, trace_of_square: float) -> ChiSquare:
    """The test statistic with mean and variance of chi-square(df) (Asparouhov and Muthén 2010, eq. 3).

    ``a T + df - a tr(U Cov)`` with ``a = sqrt(df / tr((U Cov)²))``; ``trace`` and ``trace_of_square`` are those of U Cov.
    """
    if df == 0 or not trace_of_square > 0:
        return ChiSquare(chisq, df, 1.0, 0.0)
    a = math.sqrt(df / trace_of_square)
    return ChiSquare(chisq, df, 1.0 / a, df - a * trace)


def _check_solution(minimum: Minimum, information: FloatArray, names: Sequence[str]) -> None:
    """Raise where there is no solution: not identified where the discrepancy is flat, not converged elsewhere."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    flat = not minimum.converged and float(np.max(np.abs(minimum.gradient) / scale, initial=0.0)) < 1e-5
    if len(information) and (minimum.converged or flat):
        values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
        if values[0] < 1e-10 or np.diag(information).min() <= 0:
            name = names[int(np.argmax(np.abs(vectors[:, 0])))]
            sentence = f"The model is not identified (see the parameter {name}): no estimates can be reported."
            raise FitFailure(NOT_IDENTIFIED, sentence, name)
    if not minimum.converged:
        raise FitFailure(NOT_CONVERGED, "The model did not converge: no estimates can be reported.")


def _robust(
    table: ParameterTable,
    groups: Sequence[OrdinalGroup],
    jacobians: Sequence[FloatArray],
    information: FloatArray,
    chisq: float,
    df: int,
    model_index: IntArray,
) -> tuple[ChiSquare, FloatArray]:
    """The scaled-and-shifted test, and the sandwich covariance matrix of all parameters."""
    inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
    vcov = np.zeros((table.n_free, table.n_free))
    gram = []
    projected = []
    for number, (group, jacobian) in enumerate(zip(groups, jacobians, strict=True)):
        scaled_jacobian = np.sqrt(group.weight)[:, None] * jacobian
        x = group.weighted_root
        along = x @ scaled_jacobian  # (r, n_model)
        influence = np.zeros((len(x), table.n_free))
        influence[:, model_index] = along @ inverse
        own = [row.index for row in table.rows_of(number) if row.op == "|"]
        influence[:, own] = group.threshold_root
        vcov += influence.T @ influence
        gram.append(x)
        projected.append((along, scaled_jacobian))
    trace, square = _projected_traces(gram, projected, inverse)
    n = sum(group.n for group in groups)
    return scaled_and_shifted(chisq, df, trace, square), vcov * (n / (n - len(groups)))


def _projected_traces(
    roots: Sequence[FloatArray], projected: Sequence[tuple[FloatArray, FloatArray]], inverse: FloatArray
) -> tuple[float, float]:
    """tr(U Cov) and tr((U Cov)²) from the weighted roots X of all groups, of which P = X (I - J E J') is taken.

    With one group the traces are those of X P', respondents × respondents where these are fewer than the correlations.
    """
    if len(roots) == 1:
        x, (along, scaled_jacobian) = roots[0], projected[0]
        if len(x) <= x.shape[1]:
            inner = x @ x.T - along @ inverse @ along.T
        else:
            rest = x - along @ inverse @ scaled_jacobian.T
            inner = rest.T @ rest
        return float(np.trace(inner)), float((inner * inner).sum())
    # Over groups Cov is block diagonal and U is not: one matrix over the stacked correlations of all groups.
    stacked = np.vstack([jacobian for _, jacobian in projected])
    u = np.eye(len(stacked)) - stacked @ inverse @ stacked.T
    covariance = np.zeros_like(u)
    start = 0
    for x in roots:
        stop = start + x.shape[1]
        covariance[start:stop, start:stop] = x.T @ x
        start = stop
    product = u @ covariance
    return float(np.trace(product)), float((product * product.T).sum())


def _baseline(groups: Sequence[OrdinalGroup]) -> ChiSquare:
    """The independence model: thresholds only, so U = V."""
    chisq, df, trace, square = 0.0, 0, 0.0, 0.0
    for group in groups:
        chisq += group.correction * float(group.weight @ group.s**2)
        df += len(group.s)
        x = group.weighted_root
        inner = x @ x.T if len(x) <= x.shape[1] else x.T @ x
        trace += float(np.trace(inner))
        square += float((inner * inner).sum())
    return scaled_and_shifted(chisq, df, trace, square)


def _categorical_ml(
    groups: Sequence[OrdinalGroup],
    states: Sequence[BlockState],
    jacobians: Sequence[FloatArray],
    information: FloatArray,
    df: int,
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Maximum likelihood discrepancies of the polychoric matrices at the DWLS estimates, with their means over df.

    Savalei (2021, eqs. 12 to 14): the normal-theory statistic T3 of the polychoric matrix and the mean c3 of its
    distribution, trace(M'V_ML M Gamma)/df with M = I - J E J'V; for the independence model V_ML is the identity. Returns
    (T3, c3) for model and baseline; None where a matrix is not positive definite.
    """
    inverse = np.linalg.inv(information)
    chisq = chisq_baseline = trace = trace_baseline = 0.0
    n_pairs, n = 0, sum(group.n for group in groups)
    precisions = []
    for group, state in zip(groups, states, strict=True):
        if np.linalg.eigvalsh(group.correlation)[0] < np.finfo(float).eps or np.linalg.eigvalsh(state.sigma)[0] <= 0:
            return None, None
        log_det_s = np.linalg.slogdet(group.correlation)[1]
        precision = np.asarray(np.linalg.inv(state.sigma), dtype=np.float64)
        precisions.append(precision)
        fitted = np.linalg.slogdet(state.sigma)[1] + np.sum(precision * group.correlation) - len(precision)
        chisq += group.n * float(fitted - log_det_s)
        chisq_baseline -= group.n * float(log_det_s)
        # N and not n, as in lavaan: with several groups its baseline is not weighted by the groups' shares
        trace_baseline += n * float((group.root**2).sum())
        n_pairs += len(group.s)
    for source, from_jacobian in zip(groups, jacobians, strict=True):
        along = (source.root * source.weight) @ from_jacobian @ inverse
        for group, jacobian, precision in zip(groups, jacobians, precisions, strict=True):
            # equal parameters carry the error of one group's correlations into the residuals of the others
            rest = -along @ jacobian.T
            if group is source:
                rest += source.root
            trace += group.n * _normal_theory_trace(rest, precision, group)
    model = (chisq, trace / df if df else 1.0)
    return model, (chisq_baseline, trace_baseline / n_pairs)


def _normal_theory_trace(rest: FloatArray, precision: FloatArray, group: OrdinalGroup) -> float:
    """Σ over the rows y of ``rest`` of ½ tr((inv(Sigma) Y)²), Y the symmetric matrix of y with an empty diagonal."""
    p, total = len(precision), 0.0
    for start in range(0, len(rest), 512):
        part = rest[start : start + 512]
        matrices = np.zeros((len(part), p, p))
        matrices[:, group.rows, group.columns] = part
        matrices[:, group.columns, group.rows] = part
        product = precision @ matrices
        total += 0.5 * float((product * product.transpose(0, 2, 1)).sum())
    return total


def _set_thresholds(table: ParameterTable, groups: Sequence[OrdinalGroup], theta: FloatArray) -> None:
    for number, group in enumerate(groups):
        own = [row.index for row in table.rows_of(number) if row.op == "|"]
        theta[own] = group.thresholds
