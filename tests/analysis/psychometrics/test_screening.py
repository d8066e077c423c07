"""Screening rules on the raw study, flags by hand and by their definitions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.psychometrics.scales.screening import (
    DEFAULT_RULES,
    ScreeningRule,
    apply_rules,
    careless_flags,
    even_odd_consistency,
    intra_individual_variability,
    longstring,
    mahalanobis_distance,
    share_unanswered,
)
from tests.analysis.psychometrics.conftest import load_data, load_oracle

RULES = (
    ScreeningRule("no_consent", "column", "equals", 0, column="consent"),
    ScreeningRule("missing_gt_50pct", "share_unanswered", "over", 0.50),
    ScreeningRule("straightline", "longstring", "at_least", 36),
)


@pytest.fixture
def raw():
    return load_data("simstudy_raw495")


@pytest.fixture
def items():
    return list(load_oracle("simstudy_complete_descriptives")["items"])


def test_raw_study_is_screened_as_it_was_made(raw, items):
    result = apply_rules(raw, items, RULES)
    truth = raw["screen_truth"].replace("keep", "")
    assert result.first_rule.tolist() == truth.tolist()
    assert result.n_kept == 476
    assert result.n_by_first_rule == {"no_consent": 5, "missing_gt_50pct": 6, "straightline": 8}
    kept = raw.loc[~result.set_aside, "resp_id"].astype(int)
    assert sorted(kept) == list(range(1, 477))


def test_kept_rows_are_the_study(raw, items):
    kept = raw[~apply_rules(raw, items, RULES).set_aside].sort_values("resp_id")[items].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.astype(float), load_data("simstudy_missing")[items].astype(float))


def test_values_are_kept_beside_the_verdict(raw, items):
    result = apply_rules(raw, items, RULES)
    assert list(result.values.columns) == [rule.code for rule in RULES]
    assert (result.values["missing_gt_50pct"] > 0.5).equals(result.broken["missing_gt_50pct"])


def test_default_rule_is_strict_about_more_than_a_quarter():
    answers = pd.DataFrame([[1, 2, 3, np.nan], [1, 2, np.nan, np.nan]], columns=list("abcd"), dtype=float)
    result = apply_rules(answers, list("abcd"), DEFAULT_RULES)
    assert result.set_aside.tolist() == [False, True]


def test_comparisons():
    data = pd.DataFrame({"x": [1.0, 2.0, np.nan]})
    for comparison, expected in {
        "over": [False, False, False], "at_least": [False, True, False], "below": [True, False, False],
        "equals": [False, True, False],
    }.items():  # fmt: skip
        rule = ScreeningRule("r", "column", comparison, 2, column="x")
        assert apply_rules(data, [], [rule]).set_aside.tolist() == expected, comparison


def test_no_rules_keep_everyone(raw, items):
    assert apply_rules(raw, items, ()).n_kept == 495


def test_bad_input_is_named(raw, items):
    with pytest.raises(KeyError, match="nowhere"):
        apply_rules(raw, [*items, "nowhere"], RULES)
    with pytest.raises(ValueError, match="same code"):
        apply_rules(raw, items, (*RULES, RULES[0]))


def test_longstring_by_hand():
    nan = np.nan
    answers = np.array([[1, 1, 1, 2, 2], [1, 2, 1, 2, 1], [3, 3, nan, 3, 3], [nan] * 5, [4] * 5])
    assert longstring(answers).tolist() == [3, 1, 2, 0, 5]


def test_variability_by_hand():
    answers = np.array([[1, 2, 3, np.nan], [2, 2, 2, 2], [1, np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(intra_individual_variability(answers), [1.0, 0.0, np.nan])


def test_even_odd_consistency_by_hand():
    """Meade and Craig (2012): half-scale means over four scales, correlated within the respondent, stepped up."""
    scales = {s: [f"{s}{i}" for i in range(1, 5)] for s in "abcd"}
    columns = [name for names in scales.values() for name in names]
    consistent = [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]
    mixed = [1, 2, 1, 2, 2, 1, 3, 2, 4, 3, 3, 1, 2, 4, 4, 4]
    opposed = [1, 4, 1, 4, 2, 3, 2, 3, 3, 2, 3, 2, 4, 1, 4, 1]
    flat = [2] * 16
    items = pd.DataFrame([consistent, mixed, opposed, flat], columns=columns, dtype=float)
    odd = [(mixed[4 * s] + mixed[4 * s + 2]) / 2 for s in range(4)]
    even = [(mixed[4 * s + 1] + mixed[4 * s + 3]) / 2 for s in range(4)]
    r = np.corrcoef(odd, even)[0, 1]
    np.testing.assert_allclose(even_odd_consistency(items, scales), [1, 2 * r / (1 + r), -1, np.nan], atol=1e-12)
    assert np.isnan(even_odd_consistency(items, {"a": scales["a"], "b": ["b1"]})).all()


def test_mahalanobis_of_complete_rows():
    x = load_data("simstudy_complete").iloc[:, 3:15].to_numpy(dtype=float)
    squared, p = mahalanobis_distance(x)
    centred = x - x.mean(axis=0)
    expected = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(x.T)), centred)
    np.testing.assert_allclose(squared, expected, rtol=1e-10)
    np.testing.assert_allclose(p, stats.chi2.sf(expected, 12), rtol=1e-8)


def test_mahalanobis_with_gaps_measures_what_was_answered():
    x = load_data("simstudy_missing").iloc[:, 3:15].to_numpy(dtype=float)
    squared, p = mahalanobis_distance(x)
    complete = x[~np.isnan(x).any(axis=1)]
    mean, covariance = complete.mean(axis=0), np.cov(complete.T)
    for row in np.flatnonzero(np.isnan(x).any(axis=1)):
        seen = ~np.isnan(x[row])
        z = (x[row] - mean)[seen]
        expected = z @ np.linalg.solve(covariance[np.ix_(seen, seen)], z)
        assert squared[row] == pytest.approx(expected, rel=1e-9)
        assert p[row] == pytest.approx(stats.chi2.sf(expected, seen.sum()), rel=1e-7)


def test_mahalanobis_is_undefined_without_an_invertible_covariance():
    assert np.isnan(mahalanobis_distance(np.ones((10, 2)))[0]).all()
    assert np.isnan(mahalanobis_distance(np.eye(3))[0]).all()
    nothing = np.array([[1.0, 2], [2, 1], [3, 5], [np.nan, np.nan]])
    assert np.isnan(mahalanobis_distance(nothing)[0][3])


def test_flags_of_straightliners(raw, items):
    scales = {s: e["items"] for s, e in load_oracle("simstudy_complete_descriptives")["scales"].items()}
    flags = careless_flags(raw[items], scales)
    straight = raw["screen_truth"] == "straightline"
    assert (flags.loc[straight, "longstring"] == 36).all()
    assert (flags.loc[straight, "intra_individual_variability"] == 0).all()
    assert flags.loc[straight, "even_odd_consistency"].isna().all()


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(1, 4)), min_size=4, max_size=4), min_size=1, max_size=20))
def test_shares_and_runs_stay_in_bounds(rows):
    x = pd.DataFrame(rows, dtype=float)
    share, run = share_unanswered(x), longstring(x)
    np.testing.assert_allclose(share, x.isna().mean(axis=1))
    assert (run <= 4 - 4 * share + 1e-9).all()
    assert ((run >= 1) | (share == 1)).all()
