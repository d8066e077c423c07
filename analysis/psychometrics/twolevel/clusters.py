"""Respondents in teams: sufficient statistics of a two-level normal model and its likelihood.

An answer is y_ij = mu + b_j + w_ij with cov(b) = B between teams and cov(w) = W within them. The likelihood depends on the
data only through the pooled within scatter and, per distinct team size n, the mean and scatter of the team means, whose
covariance matrix is C_n = B + W/n (McDonald and Goldstein 1989; Muthén 1994, equations 8 to 12):

    -2 log L = (N - G)[log|W| + tr(W^-1 S_pw)]
             + sum over sizes n of m_n [log|C_n| + tr(C_n^-1 T_n) + p_w log n] + (N p_w + G p_z) log 2 pi

Its cost depends on the number of distinct sizes, not on the number of respondents or teams. A variable may have no part
between teams (its rows of B are zero) or be one of the team itself (its rows of W are zero; p_z counts those, p_w the
rest).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..ml.strata import (
    LOG_2PI,
    Array,
    Index,
    Strata,
    StrataTerms,
    cross_hessian,
    half_gradient,
    kronecker_hessian,
    strata_terms,
)


@dataclass(frozen=True)
class ClusterSummaries:
    """Sufficient statistics of respondents in clusters.

    Attributes:
        within: one stratum, the pooled within scatter with weight N - G.
        between: one stratum per distinct cluster size: the cluster means.
        size: those sizes, (S,).
        has_within: which variables vary within clusters, (p,).
        has_between: which variables may vary between clusters, (p,).
        cluster: the cluster of each respondent, numbered from 0, (N,).
        cluster_size: respondents per cluster, (G,).
        cluster_mean: (G, p).
        answers: (N, p).
    """

    within: Strata
    between: Strata
    size: Array
    has_within: npt.NDArray[np.bool_]
    has_between: npt.NDArray[np.bool_]
    cluster: Index
    cluster_size: Array
    cluster_mean: Array
    answers: Array

    @property
    def n_obs(self) -> int:
        """Number of respondents N."""
        return int(self.cluster.size)

    @property
    def n_clusters(self) -> int:
        """Number of clusters G."""
        return int(self.cluster_size.size)

    @property
    def p(self) -> int:
        """Number of variables of both levels together."""
        return int(self.has_within.size)

    @property
    def constant(self) -> float:
        """The part of minus log-likelihood that no parameter enters."""
        n_within, n_team = int(self.has_within.sum()), int((~self.has_within).sum())
        from_sizes = n_within * float(self.between.weight @ np.log(self.size))
        return 0.5 * (from_sizes + (self.n_obs * n_within + self.n_clusters * n_team) * LOG_2PI)


@dataclass(frozen=True)
class TwoLevelDerivatives:
    """Minus log-likelihood and its derivatives with respect to mean, within and between covariance.

    Attributes:
        f: minus log-likelihood, constants included.
        mean: (p,).
        within: symmetric G_w with df = 1/2 tr(G_w dW), (p, p).
        between: symmetric G_b with df = 1/2 tr(G_b dB), (p, p).
        hessian: with respect to (mean, half-vectorised W, half-vectorised B), or None when not asked for.
    """

    f: float
    mean: Array
    within: Array
    between: Array
    hessian: Array | None

    @property
    def gradient(self) -> Array:
        """With respect to (mean, half-vectorised W, half-vectorised B), (p + p(p+1),)."""
        return np.concatenate([self.mean, half_gradient(self.within), half_gradient(self.between)])


def summarise_clusters(
    answers: npt.ArrayLike,
    cluster: npt.ArrayLike,
    *,
    has_within: npt.ArrayLike | None = None,
    has_between: npt.ArrayLike | None = None,
) -> ClusterSummaries:
    """Sufficient statistics of complete answers in clusters.

    Args:
        answers: (N, p), no missing values; a variable of the cluster itself repeats its value.
        cluster: label of each respondent's cluster, (N,).
        has_within: which variables vary within clusters, (p,); all of them by default.
        has_between: which variables may vary between clusters, (p,); all of them by default.
    """
    data = np.asarray(answers, dtype=float)
    n, p = data.shape
    varies = np.ones(p, dtype=bool) if has_within is None else np.asarray(has_within, dtype=bool)
    differs = np.ones(p, dtype=bool) if has_between is None else np.asarray(has_between, dtype=bool)
    _, membership = np.unique(np.asarray(cluster), return_inverse=True)
    membership = membership.astype(np.intp).ravel()
    n_clusters = int(membership.max()) + 1
    sizes = np.bincount(membership, minlength=n_clusters).astype(float)
    sums = [np.bincount(membership, weights=data[:, k], minlength=n_clusters) for k in range(p)]
    means: Array = np.column_stack(sums).astype(float) / sizes[:, None]
    centred = np.where(varies, data - means[membership], 0.0)
    freedom = float(n - n_clusters)
    scatter = centred.T @ centred / max(freedom, 1.0)
    within = Strata(np.array([freedom]), np.zeros((1, p)), scatter[None], varies[None])
    distinct, which = np.unique(sizes, return_inverse=True)
    count = np.bincount(which).astype(float)
    mean = np.zeros((distinct.size, p))
    spread = np.zeros((distinct.size, p, p))
    for s in range(distinct.size):
        of_size = means[which == s]
        mean[s] = of_size.mean(axis=0)
        spread[s] = (of_size - mean[s]).T @ (of_size - mean[s]) / count[s]
    between = Strata(count, mean, spread, np.ones((distinct.size, p), dtype=bool))
    return ClusterSummaries(within, between, distinct, varies, differs, membership, sizes, means, data)


def _terms(
    summaries: ClusterSummaries, mean: Array, within: Array, between: Array
) -> tuple[StrataTerms, StrataTerms]:  # fmt: skip
    inside = strata_terms(summaries.within, np.zeros(summaries.p), within)
    covariance = between + within / summaries.size[:, None, None]
    return inside, strata_terms(summaries.between, mean, covariance)


def two_level_value(summaries: ClusterSummaries, mean: Array, within: Array, between: Array) -> float:
    """Minus log-likelihood at mean (p,), W (p, p) and B (p, p).

    B itself need not be positive definite, as long as W and every B + W/n are.

    Raises:
        NotPositiveDefiniteError: W or the covariance matrix of the means of some size is not positive definite.
    """
    inside, outside = _terms(summaries, mean, within, between)
    return inside.f + outside.f + summaries.constant


def two_level_derivatives(
    summaries: ClusterSummaries,
    mean: Array,
    within: Array,
    between: Array,
    *,
    hessian: bool = True,
    expected: bool = False,
) -> TwoLevelDerivatives:
    """Derivatives of :func:`two_level_value`; with ``expected`` the information matrix expected under these moments.

    Raises:
        NotPositiveDefiniteError: as :func:`two_level_value`.
    """
    p = summaries.p
    half = p * (p + 1) // 2
    inside, outside = _terms(summaries, mean, within, between)
    m, n = summaries.between.weight, summaries.size
    freedom = summaries.within.weight
    by_mean = -(m @ outside.inverse_mean)
    by_between = np.tensordot(m, outside.inverse - outside.outer, axes=1)
    by_within = np.tensordot(m / n, outside.inverse - outside.outer, axes=1)
    by_within += freedom[0] * (inside.inverse[0] - inside.outer[0])
    second = None
    if hessian:
        second = np.zeros((p + 2 * half, p + 2 * half))
        w, b = slice(p, p + half), slice(p + half, p + 2 * half)
        second[:p, :p] = np.tensordot(m, outside.inverse, axes=1)
        if not expected:
            second[:p, w] = cross_hessian(m / n, outside.inverse, outside.inverse_mean)
            second[:p, b] = cross_hessian(m, outside.inverse, outside.inverse_mean)
        second[w, w] = kronecker_hessian(m / n**2, outside.inverse, outside.outer, expected=expected)
        second[w, w] += kronecker_hessian(freedom, inside.inverse, inside.outer, expected=expected)
        second[w, b] = kronecker_hessian(m / n, outside.inverse, outside.outer, expected=expected)
        second[b, b] = kronecker_hessian(m, outside.inverse, outside.outer, expected=expected)
        second[w, :p], second[b, :p], second[b, w] = second[:p, w].T, second[:p, b].T, second[w, b].T
    f = inside.f + outside.f + summaries.constant
    return TwoLevelDerivatives(f, by_mean, by_within, by_between, second)


def cluster_scores(summaries: ClusterSummaries, mean: Array, within: Array, between: Array) -> Array:
    """Derivative of each cluster's log-likelihood by (mean, half-vectorised W, half-vectorised B), (G, p + p(p+1)).

    Raises:
        NotPositiveDefiniteError: as :func:`two_level_value`.
    """
    inside, outside = _terms(summaries, mean, within, between)
    p = summaries.p
    columns, rows = np.triu_indices(p)
    once = np.where(rows == columns, 0.5, 1.0)
    which = np.searchsorted(summaries.size, summaries.cluster_size)
    inverse = outside.inverse[which]
    u = np.einsum("gab,gb->ga", inverse, summaries.cluster_mean - mean)
    by_between = once * (u[:, rows] * u[:, columns] - inverse[:, rows, columns])
    weights = inside.inverse[0]
    centred = np.where(summaries.has_within, summaries.answers - summaries.cluster_mean[summaries.cluster], 0.0)
    v = centred @ weights
    products = v[:, rows] * v[:, columns]
    order = np.argsort(summaries.cluster, kind="stable")
    starts = np.concatenate([[0], np.cumsum(summaries.cluster_size)[:-1]]).astype(np.intp)
    summed = np.add.reduceat(products[order], starts, axis=0)
    size = summaries.cluster_size[:, None]
    by_within = once * (summed - (size - 1.0) * weights[rows, columns]) + by_between / size
    return np.concatenate([u, by_within, by_between], axis=1)
