"""Saturated moments of answers with holes and of teachers in teams, and the likelihoods behind them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from analysis.psychometrics.fiml.casewise_scores import moment_meat
from analysis.psychometrics.fiml.saturated import estimate_moments, missing_patterns, moment_derivatives, moment_value
from analysis.psychometrics.ml.newton import minimise
from analysis.psychometrics.ml.strata import NotPositiveDefiniteError, half_index
from analysis.psychometrics.twolevel.clusters import (
    cluster_scores,
    summarise_clusters,
    two_level_derivatives,
    two_level_value,
)
from analysis.psychometrics.twolevel.saturated import (
    estimate_two_level_moments,
    estimate_unrelated_moments,
    is_singular,
)
from tests.analysis.psychometrics import tolerances
from tests.analysis.psychometrics.conftest import load_data, load_oracle


def incomplete(seed: int, n: int = 80, p: int = 4, share: float = 0.15) -> np.ndarray:
    """Normal answers with a common factor, ``share`` of them missing."""
    random = np.random.default_rng(seed)
    answers = random.normal(size=(n, 1)) + random.normal(size=(n, p)) * np.linspace(0.6, 1.4, p)
    answers[random.random((n, p)) < share] = np.nan
    answers[0] = np.arange(p)
    return answers


def clustered(seed: int, n_clusters: int = 20, p: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Answers of clusters of two to nine with a between part."""
    random = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(n_clusters), random.integers(2, 10, n_clusters))
    between = random.normal(size=(n_clusters, 1)) * 0.7 + random.normal(size=(n_clusters, p)) * 0.3
    within = random.normal(size=(cluster.size, 1)) + random.normal(size=(cluster.size, p))
    return between[cluster] + within, cluster


@pytest.mark.parametrize("fit_name", ["3f_sub__fiml", "6f__fiml"])
def test_moments_are_those_of_lavaans_em(fit_name: str) -> None:
    expected = load_oracle("simstudy_fiml")["fits"][fit_name]
    moments = expected["saturated_moments"]
    items = moments["cov"]["rows"]
    patterns = missing_patterns(load_data("simstudy_missing")[items])
    saturated = estimate_moments(patterns)
    assert saturated.converged
    np.testing.assert_allclose(saturated.covariance, moments["cov"]["values"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(saturated.mean, [moments["mean"][item] for item in items], rtol=0, atol=1e-9)
    assert saturated.logl == pytest.approx(expected["fit"]["unrestricted.logl"], abs=tolerances.FIML_LOGL)


def test_likelihood_of_rows_with_holes_is_the_sum_over_rows() -> None:
    answers = incomplete(1, n=30)
    mean, covariance = np.arange(4) * 0.1, np.eye(4) * 1.5 + 0.4
    total = 0.0
    for row in answers:
        here = ~np.isnan(row)
        total += multivariate_normal.logpdf(row[here], mean[here], covariance[np.ix_(here, here)])
    assert moment_value(missing_patterns(answers), mean, covariance) == pytest.approx(-total, rel=1e-12)


@pytest.mark.parametrize("expected", [False, True])
def test_derivatives_of_rows_with_holes(expected: bool) -> None:
    patterns = missing_patterns(incomplete(2))
    rows, columns, position = half_index(4)
    mean, covariance = np.arange(4) * 0.1, np.eye(4) * 1.5 + 0.4
    at = moment_derivatives(patterns, mean, covariance, expected=expected)
    x = np.concatenate([mean, covariance[rows, columns]])

    def gradient(point: np.ndarray) -> np.ndarray:
        return moment_derivatives(patterns, point[:4], point[4:][position], hessian=False).gradient

    def value(point: np.ndarray) -> float:
        return moment_value(patterns, point[:4], point[4:][position])

    steps = np.eye(x.size) * 1e-5
    slope = np.array([(value(x + h) - value(x - h)) / 2e-5 for h in steps])
    np.testing.assert_allclose(at.gradient, slope, atol=1e-6)
    curvature = np.array([(gradient(x + h) - gradient(x - h)) / 2e-5 for h in steps])
    if expected:
        # the expectation of the Hessian: mean and covariance unrelated, and the same where T = V
        assert np.all(at.hessian[:4, 4:] == 0.0)
        np.testing.assert_allclose(at.hessian[:4, :4], curvature[:4, :4], atol=1e-4)
    else:
        np.testing.assert_allclose(at.hessian, curvature, atol=1e-4)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_complete_answers_give_the_ordinary_moments(seed: int) -> None:
    answers = incomplete(seed, share=0.0)
    moments = estimate_moments(missing_patterns(answers))
    np.testing.assert_allclose(moments.mean, answers.mean(axis=0), atol=1e-10)
    np.testing.assert_allclose(moments.covariance, np.cov(answers.T, bias=True), atol=1e-10)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.permutations(range(4)))
def test_moments_follow_item_order_and_scale(seed: int, order: list[int]) -> None:
    answers = incomplete(seed)
    scale = np.array([1.0, 10.0, 0.1, 3.0])
    plain = estimate_moments(missing_patterns(answers))
    other = estimate_moments(missing_patterns((answers * scale + 2.0)[:, order]))
    np.testing.assert_allclose(other.mean, (plain.mean * scale + 2.0)[order], rtol=1e-8, atol=1e-8)
    wanted = (plain.covariance * np.outer(scale, scale))[np.ix_(order, order)]
    np.testing.assert_allclose(other.covariance, wanted, rtol=1e-7, atol=1e-7)


def test_em_alone_reaches_what_newton_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = missing_patterns(incomplete(5, share=0.35))
    with_newton = estimate_moments(patterns)
    monkeypatch.setattr("analysis.psychometrics.fiml.saturated.MOST_NEWTON_MOMENTS", 0)
    without = estimate_moments(patterns)
    assert without.n_iterations > with_newton.n_iterations
    np.testing.assert_allclose(without.covariance, with_newton.covariance, atol=1e-8)


def test_rows_without_any_answer_are_left_out() -> None:
    answers = incomplete(3)
    answers[7] = np.nan
    patterns = missing_patterns(answers)
    assert 7 not in patterns.kept
    assert patterns.n_obs == np.count_nonzero(~np.isnan(answers).all(axis=1))


def test_scores_of_rows_sum_to_the_gradient_and_clusters_of_one_differ_by_the_factor() -> None:
    answers = incomplete(4)
    patterns = missing_patterns(answers)
    moments = estimate_moments(patterns)
    single = moment_meat(patterns, moments.mean, moments.covariance)
    alone = moment_meat(patterns, moments.mean, moments.covariance, np.arange(patterns.n_obs))
    n = patterns.n_obs
    np.testing.assert_allclose(alone, single * n / (n - 1), rtol=1e-10)
    together = moment_meat(patterns, moments.mean, moments.covariance, (np.arange(n) >= n // 3).astype(int))
    # two clusters: scores sum to zero at the maximum, so both sums are opposite and the meat has rank one
    assert np.linalg.matrix_rank(together, tol=1e-6 * np.abs(together).max()) == 1


def test_two_level_likelihood_is_that_of_one_long_normal_vector() -> None:
    answers, cluster = clustered(1)
    mean, within, between = np.array([0.1, 0.2, -0.1]), np.eye(3) + 0.3, np.eye(3) * 0.2 + 0.1
    total = 0.0
    for number in range(cluster.max() + 1):
        rows = answers[cluster == number]
        n = len(rows)
        covariance = np.kron(np.eye(n), within) + np.kron(np.ones((n, n)), between)
        total += multivariate_normal.logpdf(rows.ravel(), np.tile(mean, n), covariance)
    assert two_level_value(summarise_clusters(answers, cluster), mean, within, between) == pytest.approx(-total)


def test_two_level_likelihood_with_variables_of_one_level_only() -> None:
    """x occurs within teams only, z is a variable of the team."""
    answers, cluster = clustered(2)
    answers[:, 2] = np.random.default_rng(3).normal(size=cluster.max() + 1)[cluster]
    has_within, has_between = np.array([True, True, False]), np.array([True, False, True])
    summaries = summarise_clusters(answers, cluster, has_within=has_within, has_between=has_between)
    within = np.array([[1.3, 0.3, 0.0], [0.3, 1.1, 0.0], [0.0, 0.0, 0.0]])
    between = np.array([[0.5, 0.0, 0.2], [0.0, 0.0, 0.0], [0.2, 0.0, 0.9]])
    mean = np.array([0.1, 0.2, -0.1])
    total = 0.0
    for number in range(cluster.max() + 1):
        rows = answers[cluster == number]
        n = len(rows)
        covariance = np.kron(np.eye(n), within) + np.kron(np.ones((n, n)), between)
        # the team's own variable is one number per team, not n
        keep = [*(i for k in range(n) for i in (3 * k, 3 * k + 1)), 2]
        total += multivariate_normal.logpdf(rows.ravel()[keep], np.tile(mean, n)[keep], covariance[np.ix_(keep, keep)])
    assert two_level_value(summaries, mean, within, between) == pytest.approx(-total)


def test_two_level_derivatives_and_scores() -> None:
    answers, cluster = clustered(3)
    summaries = summarise_clusters(answers, cluster)
    rows, columns, position = half_index(3)
    mean, within, between = np.array([0.1, 0.2, -0.1]), np.eye(3) + 0.3, np.eye(3) * 0.2 + 0.1
    x = np.concatenate([mean, within[rows, columns], between[rows, columns]])

    def unpack(point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return point[:3], point[3:9][position], point[9:][position]

    at = two_level_derivatives(summaries, *unpack(x))
    steps = np.eye(x.size) * 1e-5
    slope = [
        (two_level_value(summaries, *unpack(x + h)) - two_level_value(summaries, *unpack(x - h))) / 2e-5 for h in steps
    ]
    np.testing.assert_allclose(at.gradient, slope, atol=1e-5)
    curvature = [
        (
            two_level_derivatives(summaries, *unpack(x + h), hessian=False).gradient
            - two_level_derivatives(summaries, *unpack(x - h), hessian=False).gradient
        )
        / 2e-5
        for h in steps
    ]
    np.testing.assert_allclose(at.hessian, curvature, atol=1e-4)
    np.testing.assert_allclose(cluster_scores(summaries, *unpack(x)).sum(axis=0), -at.gradient, atol=1e-9)


@pytest.mark.parametrize("fit_name", ["one_factor_er__ml", "one_factor_st__ml", "two_within_one_between__ml"])
def test_two_level_moments_are_at_least_as_likely_as_lavaans(fit_name: str) -> None:
    """lavaan's EM stops after 1,500 steps on the way to the boundary; ours arrives (README: chi-square to 0.1 only)."""
    expected = load_oracle("simstudy_twolevel")["fits"][fit_name]
    data = load_data("simstudy_complete")
    summaries = summarise_clusters(data[list(expected["icc"])], data["team_id"])
    moments = estimate_two_level_moments(summaries)
    baseline = estimate_unrelated_moments(summaries)
    assert moments.converged
    assert is_singular(moments.between)
    assert np.linalg.eigvalsh(moments.between).min() > -1e-12
    gain = moments.logl - expected["fit"]["unrestricted.logl"]
    assert 0.0 <= 2.0 * gain <= 0.1
    np.testing.assert_allclose(moments.icc, list(expected["icc"].values()), atol=1e-3)
    # the baseline model has no boundary: its log-likelihood is lavaan's to rounding
    logl = expected["fit"]["unrestricted.logl"] - 0.5 * expected["fit"]["baseline.chisq"]
    assert baseline.logl == pytest.approx(logl, abs=tolerances.TWO_LEVEL_LOGL)


def test_quasi_newton_for_many_items_finds_the_same_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    summaries = summarise_clusters(*clustered(4, n_clusters=60))
    newton = estimate_two_level_moments(summaries)
    monkeypatch.setattr("analysis.psychometrics.twolevel.saturated.MOST_NEWTON_MOMENTS", 0)
    quasi = estimate_two_level_moments(summaries)
    assert quasi.converged
    assert quasi.logl == pytest.approx(newton.logl, abs=1e-6)
    np.testing.assert_allclose(quasi.between, newton.between, atol=1e-3)


def test_balanced_clusters_have_the_closed_solution() -> None:
    """With equal sizes W is the pooled within matrix and B follows from the matrix of the means."""
    random = np.random.default_rng(6)
    cluster = np.repeat(np.arange(40), 6)
    answers = random.normal(size=(40, 2))[cluster] + random.normal(size=(240, 2))
    summaries = summarise_clusters(answers, cluster)
    moments = estimate_two_level_moments(summaries)
    means = np.array([answers[cluster == g].mean(axis=0) for g in range(40)])
    pooled = summaries.within.scatter[0]
    np.testing.assert_allclose(moments.within, pooled, atol=1e-8)
    np.testing.assert_allclose(moments.between, np.cov(means.T, bias=True) - pooled / 6, atol=1e-8)
    np.testing.assert_allclose(moments.mean, means.mean(axis=0), atol=1e-8)


def test_newton_says_when_it_did_not_arrive() -> None:
    """log x has no minimum, and below zero it is not defined."""

    def value(x: np.ndarray) -> float:
        if x[0] <= 0:
            raise NotPositiveDefiniteError
        return float(np.log(x[0]))

    def derivatives(x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        return value(x), 1.0 / x, np.array([[-1.0 / x[0] ** 2]])

    assert not minimise(value, derivatives, np.array([1.0]), max_iterations=20).converged
