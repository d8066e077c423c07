"""Two-level factor analysis by full maximum likelihood: one model within teams, one for what teams have in common.

Estimates maximise the likelihood of :mod:`analysis.psychometrics.twolevel.clusters` for unequal team sizes (no Muthén
approximation), by Newton's method with the exact Hessian; standard errors are those of the observed information. The
between matrix of a model is not kept positive definite: with few teams its residual variances often come out negative, and
such a result is named, not hidden (Joreskog and Sorbom 1996; Hox, Moerbeek and Van de Schoot 2018, chapter 14).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..errors import FitFailure
from ..fiml.saturated import complete_patterns, moment_derivatives, moment_value
from ..ml.modification import freed_model, indices_from_score
from ..ml.moments import BlockState, ModelStructure
from ..ml.newton import Minimum, minimise
from ..ml.result import ModificationIndex
from ..ml.sample import Sample
from ..ml.starts import start_values
from ..ml.strata import Array, Index, half_index
from ..problems import (
    FEWER_CLUSTERS_THAN_PARAMETERS,
    NO_VARIANCE,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_OBSERVATIONS,
    TOO_FEW_TEAMS,
)
from ..syntax.model import ParameterTable
from .clusters import ClusterSummaries, cluster_scores, summarise_clusters, two_level_derivatives, two_level_value
from .saturated import TwoLevelMoments


@dataclass(frozen=True)
class TwoLevelPoint:
    """A model's moments at one parameter vector, embedded in all variables of both levels.

    Attributes:
        states: the within and the between block.
        mean: (p,).
        within: (p, p), zero for variables of the team itself.
        between: (p, p), zero for variables without a part between teams.
    """

    states: tuple[BlockState, BlockState]
    mean: Array
    within: Array
    between: Array


class TwoLevelModel:
    """A parameter table with a within and a between block, over the variables of both in order of appearance."""

    def __init__(self, table: ParameterTable) -> None:
        self.table = free_within_means(table)
        self.structure = ModelStructure(self.table)
        place = {name: i for i, name in enumerate(self.table.observed)}
        self.p = len(place)
        inner, outer = self.table.blocks
        self.inner: Index = np.array([place[name] for name in inner.observed], dtype=np.intp)
        self.outer: Index = np.array([place[name] for name in outer.observed], dtype=np.intp)
        self.rows, self.columns, self.position = half_index(self.p)

    @property
    def has_within(self) -> npt.NDArray[np.bool_]:
        """Which variables the within model has; the others are of the team itself, (p,)."""
        return np.isin(np.arange(self.p), self.inner)

    @property
    def has_between(self) -> npt.NDArray[np.bool_]:
        """Which variables the between model has, (p,)."""
        return np.isin(np.arange(self.p), self.outer)

    def at(self, theta: Array) -> TwoLevelPoint:
        """The model's moments at a parameter vector (q,)."""
        inner, outer = self.structure.at(theta)
        mean, within, between = np.zeros(self.p), np.zeros((self.p, self.p)), np.zeros((self.p, self.p))
        mean[self.inner] += inner.mu
        mean[self.outer] += outer.mu
        within[np.ix_(self.inner, self.inner)] = inner.sigma
        between[np.ix_(self.outer, self.outer)] = outer.sigma
        return TwoLevelPoint((inner, outer), mean, within, between)

    def jacobian(self, point: TwoLevelPoint) -> Array:
        """Derivative of (mean, half-vectorised within, half-vectorised between), (p + p(p+1), q)."""
        half = self.rows.size
        total = np.zeros((self.p + 2 * half, self.table.n_free))
        for state, items, start in zip(point.states, (self.inner, self.outer), (0, half), strict=True):
            own = state.jacobian(means=True)
            columns, rows = np.triu_indices(items.size)
            total[items] += own[: items.size]
            total[self.p + start + self.position[items[rows], items[columns]]] += own[items.size :]
        return total

    def curvature(self, point: TwoLevelPoint, by_mean: Array, by_within: Array, by_between: Array) -> Array:
        """Second derivatives of the moments, weighted with the derivatives of f by them, (q, q)."""
        inner, outer = point.states
        return inner.curvature(0.5 * by_within[np.ix_(self.inner, self.inner)], by_mean[self.inner]) + outer.curvature(
            0.5 * by_between[np.ix_(self.outer, self.outer)], by_mean[self.outer]
        )


def free_within_means(table: ParameterTable) -> ParameterTable:
    """The table with the mean of every item that occurs within teams only made free: it has no other place to go."""
    inner, outer = table.blocks
    alone = set(inner.observed) - set(outer.observed)
    n_free, rows = table.n_free, list(table.rows)
    for k, row in enumerate(rows):
        if row.op == "~1" and row.level == 1 and row.lhs in alone and not row.free and not row.user:
            rows[k] = replace(row, index=n_free)
            n_free += 1
    return replace(table, rows=tuple(rows), n_free=n_free)


def summarise_teams(model: TwoLevelModel, sample: Sample) -> ClusterSummaries:
    """Sufficient statistics of a sample for a two-level model, once it is clear that it can be fitted.

    Raises:
        FitFailure: too few teams for the between model or respondents for the within model, an item without variance
            within teams, or a team variable that differs within a team.
    """
    group = sample.groups[0]
    n_between = len({row.index for row in model.table.rows if row.free and row.level == 2})
    if group.n_clusters < 2 or group.cluster_codes is None:
        raise FitFailure(TOO_FEW_TEAMS, "A two-level model needs at least two teams.")
    if n_between > group.n_clusters:
        raise FitFailure(
            FEWER_CLUSTERS_THAN_PARAMETERS,
            f"The model between teams has {n_between} parameters and there are only {group.n_clusters} teams: "
            "it cannot be estimated. Fit fewer items at a time, or a simpler model between teams.",
        )
    summaries = summarise_clusters(
        group.large, group.cluster_codes, has_within=model.has_within, has_between=model.has_between
    )
    freedom = group.n - group.n_clusters
    if freedom <= model.inner.size:
        sentence = f"{group.n} respondents in {group.n_clusters} teams are too few for {model.inner.size} items."
        raise FitFailure(TOO_FEW_OBSERVATIONS, sentence)
    deviation = group.values - summaries.cluster_mean[summaries.cluster]
    flat = (deviation**2).mean(axis=0) <= 1e-20 * (1.0 + group.mean**2)
    for k, name in enumerate(sample.items):
        if summaries.has_within[k] and flat[k]:
            raise FitFailure(NO_VARIANCE, f"Answers to {name} do not differ within teams: it has no variance.", name)
        if not summaries.has_within[k] and not flat[k]:
            sentence = f"{name} is in the model between teams only, but differs within a team."
            raise FitFailure(NO_VARIANCE, sentence, name)
    within = summaries.within.scatter[0][np.ix_(model.inner, model.inner)]
    spread = np.sqrt(np.diag(within))
    if np.linalg.eigvalsh(within / np.outer(spread, spread))[0] < 1e-10:
        sentence = (
            "The covariance matrix of the items within teams is not positive definite: an item follows from others."
        )
        raise FitFailure(NOT_POSITIVE_DEFINITE, sentence)
    return summaries


def two_level_start(model: TwoLevelModel, summaries: ClusterSummaries, saturated: TwoLevelMoments) -> Array:
    """Start values (q,): both models fitted to the saturated moments, the between one with more variance on its diagonal.

    The extra variance keeps the start away from the boundary, where a between matrix has often no room to move.
    """
    within = saturated.within[np.ix_(model.inner, model.inner)]
    between = saturated.between + 0.1 * np.diag(np.diag(saturated.within) + ~summaries.has_within)
    between = between[np.ix_(model.outer, model.outer)]
    means = [saturated.mean[model.inner], saturated.mean[model.outer]]
    rough = start_values(model.structure, [within, between], means)
    both = np.isin(model.inner, model.outer)
    inner = complete_patterns(summaries.n_obs - summaries.n_clusters, np.where(both, 0.0, means[0]), within)
    outer = complete_patterns(summaries.n_clusters, means[1], between)

    def value(theta: Array) -> float:
        states = model.structure.at(theta)
        return sum(moment_value(data, s.mu, s.sigma) for data, s in zip((inner, outer), states, strict=True))

    def derivatives(theta: Array) -> tuple[float, Array, Array]:
        q = model.table.n_free
        f, gradient, hessian = 0.0, np.zeros(q), np.zeros((q, q))
        for data, state in zip((inner, outer), model.structure.at(theta), strict=True):
            at = moment_derivatives(data, state.mu, state.sigma)
            assert at.hessian is not None
            jacobian = state.jacobian(means=True)
            f += at.f
            gradient += jacobian.T @ at.gradient
            hessian += jacobian.T @ at.hessian @ jacobian + state.curvature(0.5 * at.covariance, at.mean)
        return f, gradient, hessian

    return minimise(value, derivatives, rough, max_iterations=50).x


def model_derivatives(
    model: TwoLevelModel, summaries: ClusterSummaries, theta: Array, *, expected: bool = False
) -> tuple[float, Array, Array]:
    """Minus log-likelihood of a two-level model, gradient (q,) and Hessian (q, q), or its expectation under the model.

    Raises:
        NotPositiveDefiniteError: the within matrix, or the covariance matrix of the means of some team size, is not
            positive definite.
    """
    point = model.at(theta)
    at = two_level_derivatives(summaries, point.mean, point.within, point.between, expected=expected)
    assert at.hessian is not None
    jacobian = model.jacobian(point)
    hessian = jacobian.T @ at.hessian @ jacobian
    if not expected:
        hessian += model.curvature(point, at.mean, at.within, at.between)
    return at.f, jacobian.T @ at.gradient, hessian


def maximise_two_level(model: TwoLevelModel, summaries: ClusterSummaries, start: Array) -> Minimum:
    """Estimates of a two-level model: the minimum of minus log-likelihood.

    Raises:
        NotPositiveDefiniteError: the likelihood is not defined at ``start``.
    """

    def value(theta: Array) -> float:
        point = model.at(theta)
        return two_level_value(summaries, point.mean, point.within, point.between)

    return minimise(value, lambda theta: model_derivatives(model, summaries, theta), start)


def model_scores(model: TwoLevelModel, summaries: ClusterSummaries, theta: Array) -> Array:
    """Derivative of each team's log-likelihood by the model's parameters, (G, q)."""
    point = model.at(theta)
    scores = cluster_scores(summaries, point.mean, point.within, point.between)
    return scores @ model.jacobian(point)


def two_level_modification_indices(
    model: TwoLevelModel, summaries: ClusterSummaries, theta: Array
) -> tuple[ModificationIndex, ...]:
    """Modification indices at both levels with the expected information, largest first; empty where it is singular."""
    candidates, structure, at = freed_model(model.table, theta)
    freed = TwoLevelModel(structure.table)
    _, gradient, information = model_derivatives(freed, summaries, at, expected=True)
    return indices_from_score(model.table, candidates, structure.at(at), -gradient, information)


def standardised_residual(observed: Array, implied: Array) -> float:
    """Root mean square difference of two correlation matrices, diagonal counted, over p(p+1)/2 elements (Bollen 1989).

    NaN where a variance is not positive.
    """
    if np.diag(observed).min() <= 0.0 or np.diag(implied).min() <= 0.0:
        return float("nan")
    parts = [m / np.sqrt(np.outer(np.diag(m), np.diag(m))) for m in (observed, implied)]
    columns, rows = np.triu_indices(observed.shape[0])
    return float(np.sqrt(np.mean((parts[0] - parts[1])[rows, columns] ** 2)))


def forced_positive(matrix: Array, *, floor: float = 1e-6) -> Array:
    """The matrix with eigenvalues raised to ``floor`` times the largest, as lavaan does before SRMR between."""
    if matrix.shape[0] == 1:
        return np.maximum(matrix, floor)
    values, vectors = np.linalg.eigh(matrix)
    least = floor * abs(float(values[-1]))
    return np.asarray((vectors * np.where(values < least, least, values)) @ vectors.T, dtype=np.float64)
