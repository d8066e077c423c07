r"""The maximum-likelihood discrepancy of a factor model with its gradient, expected and observed information.

For one group with sample mean m and covariance S (denominator n),

    f = 1/2 [ log|Sigma| + tr(Sigma^-1 T) ],   T = S + (m - mu)(m - mu)',

minus the log-likelihood per case without its constant (Joreskog 1969, Psychometrika 34, 183-202). Groups are weighted
by their share of cases. The expected information per case is 1/2 tr(W dSigma W dSigma) + dmu' W dmu with
W = Sigma^-1; the observed one is the matrix of second derivatives of f, written out in ``observed_information``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .moments import BlockState, ModelStructure
from .newton import Minimum, minimise
from .result import FloatArray
from .sample import GroupSample, Sample
from .strata import NotPositiveDefiniteError

# Newton's method with the observed information starts within this decrement (in squared standard errors) of a step
# with the expected information, which is positive definite everywhere.
_NEAR = 10.0


@dataclass(frozen=True)
class GroupTerms:
    """What value and derivatives of one group share: W = Sigma^-1, log|Sigma|, T and d = m - mu; ``share`` is n / N."""

    state: BlockState
    w: FloatArray
    log_det: float
    t: FloatArray
    d: FloatArray
    share: float
    means: bool

    @property
    def value(self) -> float:
        """f of the group."""
        return 0.5 * (self.log_det + float(np.vdot(self.w, self.t)))

    def gradient(self) -> FloatArray:
        """df / dtheta, (n_free,)."""
        g_sigma = 0.5 * (self.w - self.w @ self.t @ self.w)
        return self.state.pull_back(g_sigma, -self.w @ self.d if self.means else None)

    def expected_information(self) -> FloatArray:
        """Expected second derivatives of f, (n_free, n_free)."""
        information = 0.5 * self.state.trace_products(self.w)
        if self.means:
            information += self.state.mean_products(self.w)
        return information

    def observed_information(self) -> FloatArray:
        """Second derivatives of f, (n_free, n_free).

        With C = W T W, D_r = dSigma_r and u = W d:
        tr(C D_r W D_s) - 1/2 tr(W D_r W D_s) + dmu_r' W dmu_s + u' D_r W dmu_s + u' D_s W dmu_r
        + tr(1/2 (W - C) d2Sigma_rs) - u' d2mu_rs.
        """
        c = self.w @ self.t @ self.w
        # both trace terms share one of their matrices, so they are one product: tr((C - W/2) D_r W D_s)
        information = self.state.trace_products(c - 0.5 * self.w, self.w)
        u = self.w @ self.d
        information += self.state.curvature(0.5 * (self.w - c), -u if self.means else None)
        if self.means:
            information += self.state.mean_products(self.w)
            if np.abs(u).max() > 0:
                x, y, s = self.state.vectors
                along = s[:, None] * (x * (y @ u)[:, None] + y * (x @ u)[:, None])  # D_r u by element
                elements = np.zeros((len(self.state.structure.index), len(self.d)))
                elements[: len(x)] = along
                cross = elements @ self.w @ self.state.mean_elements.T
                total = np.zeros_like(information)
                self.state.structure.add_matrix(total, cross)
                information += total + total.T
        return information


def group_terms(state: BlockState, group: GroupSample, share: float, *, means: bool) -> GroupTerms:
    """The terms of one group. Raises :class:`NotPositiveDefiniteError` where Sigma is not positive definite."""
    try:
        root = np.linalg.cholesky(state.sigma)
    except np.linalg.LinAlgError as error:
        raise NotPositiveDefiniteError(str(error)) from error
    inverse_root = np.linalg.inv(root)
    d = group.mean - state.mu if means else np.zeros(len(state.mu))
    t = group.covariance + np.outer(d, d)
    log_det = 2.0 * float(np.log(np.diag(root)).sum())
    return GroupTerms(state, inverse_root.T @ inverse_root, log_det, t, d, share, means)


def all_terms(structure: ModelStructure, sample: Sample, theta: FloatArray) -> list[GroupTerms]:
    """The terms of every group at a parameter vector."""
    means = structure.table.mean_structure
    return [
        group_terms(state, group, group.n / sample.n_obs, means=means)
        for state, group in zip(structure.at(theta), sample.groups, strict=True)
    ]


def weighted(terms: Sequence[GroupTerms], what: Sequence[FloatArray]) -> FloatArray:
    """Sum over groups, weighted by their share of cases."""
    total: FloatArray = terms[0].share * what[0]
    for term, part in zip(terms[1:], what[1:], strict=True):
        total = total + term.share * part
    return total


def expected_information(terms: Sequence[GroupTerms]) -> FloatArray:
    """Expected information per case over all groups, (n_free, n_free)."""
    return weighted(terms, [term.expected_information() for term in terms])


def observed_information(terms: Sequence[GroupTerms]) -> FloatArray:
    """Observed information per case over all groups, (n_free, n_free)."""
    return weighted(terms, [term.observed_information() for term in terms])


def maximise_likelihood(structure: ModelStructure, sample: Sample, start: FloatArray) -> Minimum:
    """Estimates by Fisher scoring, then Newton steps until the gradient is nothing but rounding.

    The function minimised is N f, so that steps are measured in standard errors. Deterministic.
    """
    n = sample.n_obs

    def value(theta: FloatArray) -> float:
        terms = all_terms(structure, sample, theta)
        return n * sum(term.share * term.value for term in terms)

    def derivatives(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        terms = all_terms(structure, sample, theta)
        f = n * sum(term.share * term.value for term in terms)
        gradient = n * weighted(terms, [term.gradient() for term in terms])
        expected = n * expected_information(terms)
        return f, gradient, n * observed_information(terms) if _near(gradient, expected) else expected

    return minimise(value, derivatives, start)


def _near(gradient: FloatArray, expected: FloatArray) -> bool:
    scale = 1.0 / np.sqrt(np.maximum(np.diag(expected), 1e-300))
    right = gradient * scale
    try:
        step = np.linalg.solve(expected * np.outer(scale, scale), right)
    except np.linalg.LinAlgError:
        return False
    return 0.0 <= float(right @ step) < _NEAR
