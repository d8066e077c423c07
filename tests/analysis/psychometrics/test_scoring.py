"""Reverse-keying and scale scores."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.psychometrics.scales.minimum import default_minimum_answered
from analysis.psychometrics.scales.scoring import reverse_key, score_scale, score_scales
from tests.analysis.psychometrics.conftest import ORACLES, REVERSED_BFI_ITEMS, load_data, load_oracle


@pytest.mark.parametrize(("n_items", "minimum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (9, 6), (12, 8)])
def test_minimum_answered(n_items, minimum):
    assert default_minimum_answered(n_items) == minimum


def test_score_needs_two_thirds():
    nan = np.nan
    items = pd.DataFrame([[1, 2, 3, 4, 1, 1], [1, 2, 3, 4, nan, nan], [1, 2, 3, nan, nan, nan], [nan] * 6], dtype=float)
    score, n_answered = score_scale(items)
    np.testing.assert_allclose(score, [2.0, 2.5, nan, nan])
    assert n_answered.tolist() == [6, 4, 3, 0]
    assert score_scale(items, minimum_answered=3)[0][2] == 2.0
    with pytest.raises(ValueError, match="between 1 and 6"):
        score_scale(items, minimum_answered=7)


def test_scores_of_the_oracle_scales():
    """With one answered item as minimum the score is the oracle's mean of available items."""
    for name in ("simstudy_missing", "bfi"):
        scales = {scale: entry["items"] for scale, entry in load_oracle(f"{name}_descriptives")["scales"].items()}
        scores = score_scales(load_data(name), scales, minimum_answered=dict.fromkeys(scales, 1))
        for scale in scales:
            expected = load_oracle(f"{name}_descriptives")["scales"][scale]["score_available_items"]
            assert scores[scale].count() == expected["n"]
            assert scores[scale].mean() == pytest.approx(expected["mean"], abs=1e-9)
            assert scores[scale].std() == pytest.approx(expected["sd"], abs=1e-9)


def test_reversing_the_big_five_items():
    raw = pd.read_csv(ORACLES / "bfi.csv")
    reversed_ = reverse_key(raw, REVERSED_BFI_ITEMS, lowest=1, highest=6)
    pd.testing.assert_frame_equal(reversed_.astype(float), load_data("bfi").astype(float))
    assert raw["A1"].iloc[0] == 2  # the frame given is not changed


def test_bad_input_is_named():
    items = pd.DataFrame({"a": [1.0, 5.0]})
    with pytest.raises(ValueError, match="Item a has answers outside 1 to 4"):
        reverse_key(items, ["a"])
    with pytest.raises(KeyError, match="b"):
        reverse_key(items, ["b"])
    with pytest.raises(KeyError, match="scale s"):
        score_scales(items, {"s": ["a", "b"]})
    with pytest.raises(ValueError, match="at least one item"):
        default_minimum_answered(0)
    with pytest.raises(ValueError, match="table"):
        score_scale(np.ones(3))


answers = st.lists(st.lists(st.one_of(st.just(np.nan), st.integers(1, 4)), min_size=3, max_size=3), min_size=1)


@given(answers)
def test_reversing_twice_is_identity(rows):
    items = pd.DataFrame(rows, columns=list("abc"), dtype=float)
    pd.testing.assert_frame_equal(reverse_key(reverse_key(items, ["a", "c"]), ["a", "c"]), items)


@given(answers, st.permutations([0, 1, 2]))
def test_score_does_not_depend_on_item_order(rows, order):
    items = pd.DataFrame(rows, columns=list("abc"), dtype=float)
    np.testing.assert_allclose(score_scale(items)[0], score_scale(items.iloc[:, list(order)])[0])


@given(answers)
def test_reversing_all_items_mirrors_the_score(rows):
    items = pd.DataFrame(rows, columns=list("abc"), dtype=float)
    mirrored, _ = score_scale(reverse_key(items, list("abc")))
    np.testing.assert_allclose(mirrored, 5 - score_scale(items)[0])
