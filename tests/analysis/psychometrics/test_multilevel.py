"""Groups of teams against R (lme4 and nlme; tests/oracles/multilevel.R), and what the model does where a t-test goes wrong."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.psychometrics.teams.icc import nesting, teams_of
from analysis.psychometrics.teams.multilevel import compare_groups

ORACLES = Path(__file__).resolve().parents[2] / "oracles"
EXPECTED = json.loads((ORACLES / "multilevel.json").read_text())
LETTERS = {"two": "ab", "three": "xyz"}


def compared(scale, grouping):
    data = pd.read_csv(ORACLES / "simstudy_complete.csv")
    score = data[[f"{scale}{number}" for number in range(1, 7)]].mean(axis=1)
    teams = teams_of(data["team_id"])
    letters = LETTERS[grouping]
    # R counts from 1
    groups = [letters[(number + 1) % len(letters)] for number in range(teams.n_teams)]
    return compare_groups(score, teams, groups)


@pytest.mark.parametrize("scale", ["st", "er"])
@pytest.mark.parametrize("grouping", ["two", "three"])
def test_equals_lme4_and_nlme(scale, grouping):
    expected = EXPECTED[f"{scale} {grouping}"]
    comparison = compared(scale, grouping)
    assert [group.mean for group in comparison.groups] == pytest.approx(expected["means"], rel=1e-6)
    assert [group.se for group in comparison.groups] == pytest.approx(expected["se"], rel=1e-5)
    assert comparison.var_between == pytest.approx(expected["var_between"], rel=1e-4)
    assert comparison.var_within == pytest.approx(expected["var_within"], rel=1e-5)
    assert comparison.df2 == expected["df2"]
    assert comparison.f == pytest.approx(expected["f"], rel=1e-4)
    assert comparison.p == pytest.approx(expected["p"], rel=1e-4)
    first = comparison.differences[0]
    assert first.t == pytest.approx(expected["t"], rel=1e-4)
    assert first.p == pytest.approx(expected["p_t"], rel=1e-4)


def test_two_groups_give_one_answer_by_t_and_by_f():
    comparison = compared("st", "two")
    assert comparison.f == pytest.approx(comparison.differences[0].t ** 2)
    assert comparison.p == pytest.approx(comparison.differences[0].p)


def test_a_t_test_over_teachers_finds_what_is_not_there():
    """Teams differ, groups do not: at 5 % the model is wrong in about 5 % of the samples, the t-test far more often."""
    generator = np.random.default_rng(7)
    n_teams, size, samples = 20, 15, 200
    team = np.repeat(np.arange(n_teams), size)
    teams = teams_of(pd.Series(team))
    groups = ["a" if number % 2 else "b" for number in range(n_teams)]
    of_row = np.array(groups)[team]
    model = naive = 0
    for _ in range(samples):
        score = 0.4 * generator.standard_normal(n_teams)[team] + generator.standard_normal(n_teams * size)
        model += compare_groups(score, teams, groups).p < 0.05
        naive += stats.ttest_ind(score[of_row == "a"], score[of_row == "b"]).pvalue < 0.05
    assert model / samples < 0.09
    assert naive / samples > 0.15


def test_without_differences_between_teams_it_is_analysis_of_variance():
    score = pd.Series([1.0, 2.0, 3.0, 4.0] * 6)
    teams = teams_of(pd.Series(np.repeat(np.arange(6), 4)))
    comparison = compare_groups(score, teams, ["a", "a", "a", "b", "b", "b"])
    assert comparison.var_between == 0
    assert [group.mean for group in comparison.groups] == [2.5, 2.5]
    assert comparison.var_within == pytest.approx(score.var() * 23 / 22)
    assert (comparison.f, comparison.p) == (pytest.approx(0, abs=1e-12), pytest.approx(1))


def test_the_mean_of_one_group_of_all_agrees_with_the_variance_components():
    """With a group that explains nothing the variances are near those of the model without groups."""
    data = pd.read_csv(ORACLES / "simstudy_complete.csv")
    score = data[[f"st{number}" for number in range(1, 7)]].mean(axis=1)
    whole = nesting(score, data["team_id"])
    comparison = compared("st", "two")
    assert comparison.var_within == pytest.approx(whole.var_within_reml, rel=0.01)


@pytest.mark.parametrize(
    ("score", "team", "groups"),
    [
        ([1.0, 2.0, 3.0], [0, 1, 2], ["a", "a", "a"]),
        ([1.0, 2.0], [0, 1], ["a", "b"]),
        ([np.nan, np.nan, 1.0], [0, 1, 2], ["a", "b", "b"]),
        ([2.0, 2.0, 2.0, 2.0], [0, 0, 1, 2], ["a", "a", "b"]),
    ],
)
def test_what_cannot_be_compared_is_named(score, team, groups):
    comparison = compare_groups(np.array(score), teams_of(pd.Series(team)), groups)
    assert comparison.problems
    assert np.isnan(comparison.p)


def test_teams_without_a_group_are_left_out():
    score = np.array([1.0, 2.0, 2.0, 3.0, 4.0, 3.0, 9.0, 9.0])
    teams = teams_of(pd.Series([0, 0, 1, 1, 2, 2, 3, 3]))
    comparison = compare_groups(score, teams, ["a", "b", "b", ""])
    assert [group.n for group in comparison.groups] == [2, 4]
