"""Item statistics, correlations, factorability and Mardia's coefficients against psych, and their properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.psychometrics.problems import NO_VARIANCE, NOT_POSITIVE_DEFINITE, TOO_FEW_OBSERVATIONS
from analysis.psychometrics.scales.correlations import (
    correlation_matrix,
    covariance_matrix,
    factorability,
    mardia,
    squared_multiple_correlations,
)
from analysis.psychometrics.scales.descriptives import (
    describe,
    description_problems,
    description_to_dict,
    distributions,
    frequencies,
)
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import DESCRIPTIVES

DATA_SETS = ("hs1939", "bfi", "simstudy_complete", "simstudy_missing")
SCALES = [(name, scale) for name in DATA_SETS for scale in load_oracle(f"{name}_descriptives")["scales"]]
SCORE_STATISTICS = ("mean", "sd", "skew_type1", "skew_type2", "skew_type3", "kurtosis_type1", "kurtosis_type2",
                    "kurtosis_type3")  # fmt: skip


def oracle(name):
    return load_oracle(f"{name}_descriptives")


def items_of(name):
    return load_data(name)[list(oracle(name)["items"])]


def complete_scores(name):
    scales = oracle(name)["scales"]
    return pd.DataFrame({s: load_data(name)[e["items"]].mean(axis=1, skipna=False) for s, e in scales.items()})


@pytest.mark.parametrize("name", DATA_SETS)
def test_items(name):
    ours = description_to_dict(items_of(name))
    # R prints frequency labels with 15 digits: numbers are compared, not their spelling
    expected = {item: dict(entry) for item, entry in oracle(name)["items"].items()}
    for item, entry in expected.items():
        freq = {float(answer): count for answer, count in entry.pop("freq").items()}
        assert sum(freq.values()) == entry["n"]
        mine = {float(answer): count for answer, count in ours[item].pop("freq").items()}
        assert list(mine.values()) == list(freq.values())
        np.testing.assert_allclose(list(mine), list(freq), rtol=1e-7)
    assert compare(ours, expected, DESCRIPTIVES) == []


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_scores(name, scale):
    entry = oracle(name)["scales"][scale]
    items = load_data(name)[entry["items"]]
    scores = pd.DataFrame({"complete": items.mean(axis=1, skipna=False), "available": items.mean(axis=1)})
    complete, available = describe(scores).to_dict(orient="records")
    assert complete["n"] == entry["n_complete"]
    assert compare({k: complete[k] for k in SCORE_STATISTICS}, entry["score_complete"], DESCRIPTIVES) == []
    assert compare({k: available[k] for k in ("n", "mean", "sd")}, entry["score_available_items"], DESCRIPTIVES) == []


@pytest.mark.parametrize("name", DATA_SETS)
def test_scale_correlations(name):
    expected = oracle(name)["scale_correlations_pairwise_complete_scores"]
    ours = correlation_matrix(complete_scores(name)[expected["cols"]], missing="pairwise")
    np.testing.assert_allclose(ours, expected["values"], atol=DESCRIPTIVES)


@pytest.mark.parametrize("name", DATA_SETS)
def test_factorability(name):
    assert compare(factorability(items_of(name)).to_dict(), oracle(name)["factorability_listwise"], DESCRIPTIVES) == []


@pytest.mark.parametrize("name", DATA_SETS)
def test_mardia(name):
    assert compare(mardia(items_of(name)).to_dict(), oracle(name)["mardia_listwise"], DESCRIPTIVES) == []


def test_mardia_is_the_same_by_cases_and_by_moments():
    values = np.random.default_rng(1).normal(size=(30, 4))
    by_moments = mardia(pd.DataFrame(values)).b1p
    centred = values - values.mean(axis=0)
    by_cases = float(((centred @ np.linalg.inv(np.cov(values.T)) @ centred.T) ** 3).sum() / 30**2)
    assert by_moments == pytest.approx(by_cases, rel=1e-12)


def test_pairwise_covariances_are_those_of_each_pair():
    data = load_data("simstudy_missing").iloc[:, 3:12]
    ours, n = covariance_matrix(data, missing="pairwise")
    np.testing.assert_allclose(ours, data.cov().to_numpy(), atol=1e-12)
    seen = data.notna().to_numpy().astype(int)
    np.testing.assert_array_equal(n, seen.T @ seen)


def test_large_offsets_keep_their_digits():
    data = load_data("simstudy_missing").iloc[:, 3:9]
    np.testing.assert_allclose(
        covariance_matrix(data + 1e7, missing="pairwise")[0], covariance_matrix(data, missing="pairwise")[0], atol=1e-8
    )


def test_distributions_count_empty_categories_and_gaps():
    items = pd.DataFrame({"a": [1, 1, 4, np.nan], "b": [2.0, 3.0, 9.0, 2.0]})
    result = distributions(items, [1, 2, 3, 4])
    assert result.counts.loc["a"].tolist() == [2, 0, 0, 1]
    assert result.shares.loc["a"].tolist() == [2 / 3, 0, 0, 1 / 3]
    assert result.unanswered.tolist() == [1, 0]
    assert result.outside.tolist() == [0, 1]
    assert frequencies(items["a"]) == {1.0: 2, 4.0: 1}


def test_what_is_not_defined_is_nan_and_named():
    items = pd.DataFrame({"flat": [2.0, 2, 2, 2], "empty": [np.nan] * 4, "one": [1.0, np.nan, np.nan, np.nan],
                          "fine": [1.0, 2, 3, 5]})  # fmt: skip
    table = describe(items)
    assert np.isnan(table.loc["flat", ["skew_type1", "kurtosis_type2"]].astype(float)).all()
    assert np.isnan(table.loc["empty", "mean"])
    assert np.isnan(table.loc["one", "sd"])
    assert {p.subject: p.code for p in description_problems(items)} == {
        "flat": NO_VARIANCE, "empty": TOO_FEW_OBSERVATIONS, "one": TOO_FEW_OBSERVATIONS,
    }  # fmt: skip
    assert factorability(items[["flat", "fine"]]).problems[0].code == NO_VARIANCE
    assert mardia(items[["empty", "fine"]]).problems[0].code == TOO_FEW_OBSERVATIONS
    twins = items[["fine"]].assign(twin=items["fine"] * 2)
    assert factorability(twins).problems[0].code == NOT_POSITIVE_DEFINITE
    assert mardia(twins).problems[0].code == NOT_POSITIVE_DEFINITE
    assert np.isnan(squared_multiple_correlations(np.ones((2, 2)))).all()


answers = st.lists(st.lists(st.integers(1, 4), min_size=3, max_size=3), min_size=5, max_size=30)


@settings(max_examples=50, deadline=None)
@given(answers, st.permutations([0, 1, 2]))
def test_statistics_do_not_depend_on_item_order(rows, order):
    items = pd.DataFrame(rows, columns=["a", "b", "c"], dtype=float)
    shuffled = items.iloc[:, list(order)]
    pd.testing.assert_frame_equal(describe(items).loc[shuffled.columns], describe(shuffled))
    r = pd.DataFrame(correlation_matrix(items), index=items.columns, columns=items.columns)
    np.testing.assert_allclose(r.loc[shuffled.columns, shuffled.columns], correlation_matrix(shuffled), atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=5, max_size=40), st.floats(0.1, 10), st.floats(-5, 5))
def test_skewness_and_kurtosis_have_no_unit(values, factor, offset):
    items = pd.DataFrame({"x": values}, dtype=float)
    moved = items * factor + offset
    shape = [f"{kind}_type{t}" for kind in ("skew", "kurtosis") for t in (1, 2, 3)]
    np.testing.assert_allclose(describe(items)[shape], describe(moved)[shape], atol=1e-7)
