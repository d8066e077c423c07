"""Return rates, compositions and correlations against R (survey; tests/oracles/nonresponse.R), by hand, and by simulation."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.psychometrics.teams.icc import Teams, teams_of
from analysis.psychometrics.teams.nonresponse import composition, correlation, return_rate

ORACLES = Path(__file__).resolve().parents[2] / "oracles"
EXPECTED = json.loads((ORACLES / "nonresponse.json").read_text())


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(ORACLES / "simstudy_complete.csv")


def test_a_composition_equals_survey(data):
    teams = teams_of(data["team_id"])
    category = (((teams.codes + 1) % 4 + data["st1"].to_numpy()) % 3).astype(np.intp)
    expected = EXPECTED["composition"]
    result = composition(category, teams, expected["known"])
    assert list(result.counts) == expected["counts"]
    for name in ("chisq", "scale", "df", "p"):
        assert getattr(result, name) == pytest.approx(expected[name], rel=1e-9)
    assert result.p == pytest.approx(expected["p_survey"], abs=0.002), (
        "survey sums the exact mixture, under the hypothesis"
    )


def test_a_return_rate_equals_survey():
    expected = EXPECTED["rate"]
    rate = return_rate(np.array(expected["returned"], dtype=float), np.array(expected["approached"], dtype=float))
    assert rate.rate == pytest.approx(expected["rate"], rel=1e-12)
    assert rate.ci_lower == pytest.approx(expected["low"], rel=1e-9)
    assert rate.ci_upper == pytest.approx(expected["high"], rel=1e-9)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_a_correlation_equals_r(data, method):
    returned, approached = (np.array(EXPECTED["rate"][name], dtype=float) for name in ("returned", "approached"))
    score = data[[f"st{number}" for number in range(1, 7)]].mean(axis=1)
    means = score.groupby(data["team_id"]).mean().to_numpy()
    found, expected = correlation(returned / approached, means, method), EXPECTED[method]
    assert found.r == pytest.approx(expected["r"], rel=1e-9)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((expected["low"], expected["high"]), rel=1e-9)
    assert found.p == pytest.approx(expected["p"], rel=1e-9)


def test_by_hand_where_every_team_is_a_person():
    """Without teams the correction is that of a plain sample: 30, 50, 20 of 100 beside 40, 40, 20 %."""
    category = np.repeat([0, 1, 2], [30, 50, 20]).astype(np.intp)
    teams = Teams(np.arange(100, dtype=np.intp), tuple(range(100)))
    result = composition(category, teams, [4, 4, 2])
    assert result.chisq == pytest.approx(10**2 / 40 + 10**2 / 40)
    assert result.w == pytest.approx(math.sqrt(0.05))
    # δ sums to n/(n − 1) · Σ p(1 − p)/π = 100/99 · (.21/.4 + .25/.4 + .16/.2)
    assert result.scale * result.df == pytest.approx(100 / 99 * (0.21 / 0.4 + 0.25 / 0.4 + 0.16 / 0.2))
    assert result.p == pytest.approx(stats.chi2.sf(5, 2), abs=0.02)


def test_teams_that_differ_are_no_difference_from_the_population():
    """Whole teams of one category: at 5 % the test is wrong in about 5 % of the samples, the plain one far more often."""
    generator = np.random.default_rng(3)
    n_teams, size, samples = 40, 10, 300
    teams = Teams(np.repeat(np.arange(n_teams), size).astype(np.intp), tuple(range(n_teams)))
    ours = plain = 0
    for _ in range(samples):
        share = generator.beta(2, 2, n_teams)
        category = (generator.random(n_teams * size) < np.repeat(share, size)).astype(np.intp)
        result = composition(category, teams, [1, 1])
        ours += result.p < 0.05
        plain += stats.chi2.sf(result.chisq, 1) < 0.05
    assert ours / samples < 0.09
    assert plain / samples > 0.12


@pytest.mark.parametrize(
    ("codes", "category", "known", "problem"),
    [
        ([0, 0, 0], [0, 1, 1], [1, 1], "too_few_teams"),
        ([0, 1, 2], [0, 0, 0], [3], "too_few_teams"),
        ([0, 1, 2], [0, 1, 1], [1, 0], "empty_category"),
        ([0, 1, 2], [-1, -1, -1], [1, 1], "too_few_teams"),
        ([0, 1, 2], [1, 1, 1], [1, 1], "no_variance"),
    ],
)
def test_what_cannot_be_tested_is_a_problem(codes, category, known, problem):
    result = composition(np.array(category, dtype=np.intp), Teams(np.array(codes, dtype=np.intp), (0, 1, 2)), known)
    assert [one.code for one in result.problems] == [problem]
    assert math.isnan(result.p)


def test_correlations_without_enough():
    few = correlation(np.array([1.0, 2.0, np.nan, 3.0]), np.array([1.0, 2.0, 3.0, 5.0]))
    assert (few.n, few.problems[0].code) == (3, "too_few_observations")
    flat = correlation(np.ones(5), np.arange(5.0))
    assert flat.problems[0].code == "no_variance"
    straight = correlation(np.arange(5.0), np.arange(5.0))
    assert (straight.r, straight.ci_lower, straight.ci_upper) == (1, 1, 1)


def test_one_team_has_a_rate_and_no_interval():
    rate = return_rate(np.array([3.0]), np.array([4.0]))
    assert rate.rate == 0.75
    assert math.isnan(rate.ci_lower)
    assert math.isnan(return_rate(np.array([]), np.array([])).rate)
