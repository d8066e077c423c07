r"""Robust standard errors and scaled chi-squares for maximum likelihood, without a matrix of N x p(p+1)/2 contributions.

With z = x - mu, u = Sigma^-1 z and dSigma_r = s (x_r y_r' + y_r x_r'), a case's score (derivative of its log-likelihood
by theta_r) is s_r [(x_r'u)(y_r'u) - x_r' Sigma^-1 y_r] + u' dmu_r. Sums of its squares, by case or by cluster, are the
meat B of the sandwich

    vcov = A^-1 B A^-1 / N.

* MLM: A is the expected information, B the covariance of the scores about the sample mean (equal to Delta' V Gamma V Delta
  with Gamma's denominator N); c = tr(U Gamma) / df with tr(V Gamma) = 1/2 [mean (z'Wz)^2 - tr(WSWS)] + tr(WS).
  Satorra and Bentler (1994), in von Eye and Clogg (eds.), Latent variables analysis, pp. 399-419.
* MLR: A is the observed information; c = [tr(B1 A1^-1) - tr(B0 A0^-1)] / df, index 1 for the saturated model at S, where
  tr(B1 A1^-1) = 1/2 [mean (z'S^-1 z)^2 - p] is Mardia's kurtosis in another coat.
  Yuan and Bentler (2000), Sociol. Methodology 30, eq. T2*; as in Mplus: Asparouhov and Muthen (2005).
* with clusters the scores are summed per cluster first and B is multiplied with G/(G - 1).
* MLMV: scaled and shifted, Asparouhov and Muthen (2010), Simple second order chi-square correction.

Every trace is over all parameters or moments of all groups; where there is a mean structure the means belong to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .likelihood import GroupTerms
from .result import FloatArray
from .sample import CHUNK, GroupSample, Sample


@dataclass(frozen=True)
class SaturatedTraces:
    """tr(B1 A1^-1) of the saturated and of the independence model, over all groups."""

    saturated: float
    independence: float


def score_meat(terms: Sequence[GroupTerms], sample: Sample, *, centred: bool = False) -> FloatArray:
    """B, (n_free, n_free) per case: mean products of the scores at the estimates.

    ``centred``: about the sample mean and centred themselves (MLM); otherwise about mu, summed by cluster where the
    sample has clusters.
    """
    n_free = terms[0].state.structure.n_free
    total = np.zeros((n_free, n_free))
    for term, group in zip(terms, sample.groups, strict=True):
        elements = _element_meat(term, group, centred)
        term.state.structure.add_matrix(total, term.share * elements)
    return total


def _element_meat(term: GroupTerms, group: GroupSample, centred: bool) -> FloatArray:
    state, structure = term.state, term.state.structure
    p = structure.n_observed
    centre = group.mean if centred or not term.means else state.mu
    x, y, s = state.vectors
    constant = s * np.einsum("rp,pq,rq->r", x, term.w, y)
    n_b, n_s = len(structure.b_row), len(structure.s_row)
    to_a, to_p = term.w @ state.a[:p], term.w @ state.all_covariances[:p, p:]
    meat = np.zeros((len(structure.index), len(structure.index)))
    sums = np.zeros(len(structure.index))
    for rows, starts in _pieces(group, clustered=not centred):
        z = group.values[rows] - centre
        by_path, by_factor = z @ to_a, z @ to_p
        scores = np.empty((len(z), len(structure.index)))
        left = by_path[:, structure.b_row]
        np.multiply(left, by_factor[:, structure.b_col - p], out=scores[:, :n_b])
        np.multiply(by_path[:, structure.s_row], by_path[:, structure.s_col], out=scores[:, n_b : n_b + n_s])
        scores[:, n_b : n_b + n_s] *= structure.s_scale
        scores[:, : n_b + n_s] -= constant
        if term.means:
            if state.all_means[structure.b_col].any():
                scores[:, :n_b] += left * state.all_means[structure.b_col]
            scores[:, n_b + n_s :] = by_path[:, structure.m_row]
        if starts is not None:
            scores = np.add.reduceat(scores, starts, axis=0)
        meat += scores.T @ scores
        sums += scores.sum(axis=0)
    if centred:
        return meat / group.n - np.outer(sums, sums) / group.n**2
    return _small_sample(group) * meat / group.n


def _small_sample(group: GroupSample) -> float:
    """G/(G - 1) with G clusters, 1 without."""
    g = group.n_clusters
    return g / (g - 1.0) if g > 1 else 1.0


def _pieces(group: GroupSample, *, clustered: bool) -> Iterator[tuple[slice, npt.NDArray[np.intp] | None]]:
    """Slices of rows that hold whole clusters, each with the first row of its clusters; plain slices without clusters."""
    if group.cluster_starts is None or not clustered:
        for start in range(0, group.n, CHUNK):
            yield slice(start, min(start + CHUNK, group.n)), None
        return
    edges = np.append(group.cluster_starts, group.n)
    first = 0
    while first < len(edges) - 1:
        last = max(int(np.searchsorted(edges, edges[first] + CHUNK, side="right")) - 1, first + 1)
        yield slice(int(edges[first]), int(edges[last])), edges[first:last] - edges[first]
        first = last


def saturated_traces(sample: Sample, *, means: bool) -> SaturatedTraces:
    """tr(B1 A1^-1) for MLR: saturated and independence model, each at its own maximum."""
    saturated = independence = 0.0
    for group in sample.groups:
        p = len(group.mean)
        inverse_root = np.linalg.inv(np.linalg.cholesky(group.covariance)).T
        sd = np.sqrt(np.diag(group.covariance))
        full = own = mean_full = mean_own = 0.0
        for rows, starts in _pieces(group, clustered=True):
            z = group.values[rows] - group.mean
            u, e = z @ inverse_root, z / sd
            if starts is None:
                q = np.einsum("ij,ij->i", u, u)
                full += float(q @ q) - 2.0 * float(q.sum()) + len(z) * p
                own += float(((e**2 - 1.0) ** 2).sum())
                mean_full += float(q.sum())
                mean_own += float((e**2).sum())
                continue
            for first, last in zip(starts, np.append(starts[1:], len(z)), strict=True):
                # per cluster: || sum (u u' - I) ||^2, the squared length of its summed score in the metric of A1
                block = u[first:last]
                products = block.T @ block
                products[np.diag_indices(p)] -= last - first
                full += float(np.vdot(products, products))
            sums = np.add.reduceat(e**2 - 1.0, starts, axis=0)
            own += float(np.vdot(sums, sums))
            mean_full += float((np.add.reduceat(u, starts, axis=0) ** 2).sum())
            mean_own += float((np.add.reduceat(e, starts, axis=0) ** 2).sum())
        weight = _small_sample(group) / group.n
        saturated += weight * (0.5 * full + (mean_full if means else 0.0))
        independence += weight * (0.5 * own + (mean_own if means else 0.0))
    return SaturatedTraces(saturated, independence)


def moment_traces(terms: Sequence[GroupTerms], sample: Sample) -> tuple[float, float]:
    """tr(V Gamma) for MLM at the model, and tr(U_b Gamma) of the independence model, over all groups."""
    model = independence = 0.0
    for term, group in zip(terms, sample.groups, strict=True):
        w, s = term.w, group.covariance
        sd = np.sqrt(np.diag(s))
        ws = w @ s
        squares = pairs = 0.0
        for rows, _ in _pieces(group, clustered=False):
            z = group.values[rows] - group.mean
            q = np.einsum("ij,ij->i", z @ w, z)
            e2 = (z / sd) ** 2
            squares += float(q @ q)
            pairs += float((e2.sum(axis=1) ** 2).sum()) - float((e2**2).sum())
        model += 0.5 * (squares / group.n - float(np.vdot(ws, ws.T))) + (float(np.trace(ws)) if term.means else 0.0)
        r = s / np.outer(sd, sd)
        independence += 0.5 * (pairs / group.n - float(np.vdot(r, r)) + len(r))
    return model, independence


def normal_weight(w: FloatArray) -> FloatArray:
    """V = 1/2 D'(W x W)D, (p*, p*) with p* = p(p+1)/2: the weight of the vech moments under normality."""
    i, j = np.triu_indices(len(w))
    scale = np.where(i == j, 0.5, 1.0)
    products = w[np.ix_(i, i)] * w[np.ix_(j, j)] + w[np.ix_(i, j)] * w[np.ix_(j, i)]
    return np.asarray(products * np.outer(scale, scale), dtype=np.float64)


def moment_covariance(group: GroupSample, *, means: bool) -> FloatArray:
    """Gamma: covariance matrix (denominator n) of a case's contributions to (means, vech S)."""
    i, j = np.triu_indices(len(group.mean))
    p = len(group.mean) if means else 0
    gamma = np.zeros((p + len(i), p + len(i)))
    for rows, _ in _pieces(group, clustered=False):
        z = group.values[rows] - group.mean
        contributions = np.empty((len(z), p + len(i)))
        contributions[:, :p] = z[:, :p]
        np.subtract(z[:, i] * z[:, j], group.covariance[i, j], out=contributions[:, p:])
        gamma += contributions.T @ contributions
    return gamma / group.n


def projected_moments(terms: Sequence[GroupTerms], sample: Sample, bread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """U Gamma of the model and of the independence model, over the stacked moments of all groups.

    ``bread`` is the inverse of the expected information per case. U = V - V Delta bread Delta' V.
    """
    weights, gammas, deltas, plain = [], [], [], []
    for term, group in zip(terms, sample.groups, strict=True):
        p = len(group.mean)
        v = normal_weight(term.w)
        independent = normal_weight(np.diag(1.0 / np.diag(group.covariance)))
        i, j = np.triu_indices(p)
        # the independence model fits every variance (and mean): what it leaves are the covariances
        kept = np.where(i == j, 0.0, np.diag(independent))
        if term.means:
            v = _block_diagonal([term.w, v])
            kept = np.concatenate([np.zeros(p), kept])
        weights.append(term.share * v)
        plain.append(term.share * kept)
        gammas.append(moment_covariance(group, means=term.means) / term.share)
        deltas.append(term.state.jacobian(means=term.means))
    v, gamma, delta = _block_diagonal(weights), _block_diagonal(gammas), np.concatenate(deltas)
    v_delta = v @ delta
    u = v - v_delta @ bread @ v_delta.T
    return u @ gamma, np.concatenate(plain)[:, None] * gamma


def scaled_shifted(traces: FloatArray, df: int) -> tuple[float, float]:
    """Scaling factor and shift from U Gamma: X / factor + shift has mean df and variance 2 df."""
    first, second = float(np.trace(traces)), float(np.vdot(traces, traces.T))
    a = np.sqrt(df / second)
    return float(1.0 / a), float(df - a * first)


def _block_diagonal(blocks: Sequence[FloatArray]) -> FloatArray:
    size = sum(len(block) for block in blocks)
    total = np.zeros((size, size))
    at = 0
    for block in blocks:
        total[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return total
