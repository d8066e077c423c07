"""Casewise scores of the normal likelihood with missing answers, and the matrices robust errors are made of.

With K the inverse of the observed block of V embedded in zeros and u_i = K (y_i - mu), respondent i contributes

    d log L_i / d mu = u_i,        d log L_i / d V = (u_i u_i' - K)/2

to the score (Yuan and Bentler 2000, section 2). The sum of its outer products is the meat of the sandwich; teachers in
teams are summed per team first, with the factor G/(G - 1) for G teams (Muthén and Satorra 1995; Asparouhov 2005).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from ..ml.strata import Array, Index, embedded_inverse, half_index
from .saturated import Patterns

# Rows at a time: 4096 rows of 702 moments are 23 MB.
ROWS = 4096


def moment_meat(patterns: Patterns, mean: Array, covariance: Array, cluster: Index | None = None) -> Array:
    """Sum of outer products of scores by (mean, half-vectorised covariance), (p(p+3)/2, p(p+3)/2).

    Args:
        patterns: the rows by missing pattern.
        mean: (p,).
        covariance: (p, p).
        cluster: the cluster of every row of ``patterns``, numbered from 0 without gaps, (N,); None for independent rows.

    Raises:
        NotPositiveDefiniteError: the covariance matrix is not positive definite.
    """
    p = mean.size
    rows, columns, _ = half_index(p)
    once = np.where(rows == columns, 0.5, 1.0)
    inverse, _ = embedded_inverse(covariance, patterns.strata.observed)
    half_inverse = inverse[:, rows, columns]
    n_clusters = 0 if cluster is None else int(cluster.max()) + 1
    by_cluster = np.zeros((n_clusters, p + rows.size))
    meat = np.zeros((p + rows.size, p + rows.size))
    order = np.argsort(patterns.pattern, kind="stable")
    for start in range(0, order.size, ROWS):
        chosen = order[start : start + ROWS]
        pattern = patterns.pattern[chosen]
        deviation = np.where(patterns.strata.observed[pattern], patterns.answers[chosen] - mean, 0.0)
        u = np.empty_like(deviation)
        # rows are in order of pattern: one product per pattern, not one per row
        edges = np.flatnonzero(np.diff(pattern)) + 1
        for part in np.split(np.arange(pattern.size), edges):
            u[part] = deviation[part] @ inverse[pattern[part[0]]]
        scores = np.concatenate([u, once * (u[:, rows] * u[:, columns] - half_inverse[pattern])], axis=1)
        if cluster is None:
            meat += scores.T @ scores
        else:
            ones = np.ones(chosen.size)
            sums = csr_array((ones, (cluster[chosen], np.arange(chosen.size))), shape=(n_clusters, chosen.size))
            by_cluster += sums @ scores
    if cluster is None:
        return meat
    return by_cluster.T @ by_cluster * (n_clusters / (n_clusters - 1.0))
