"""The score that readers see: the mean of the items' means, exact wherever what is shown fixes the answers."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import disclosure
from analysis.disclosure import Capped, ItemDistribution, ItemFigures, ItemMean, NearlyAll, Reason, Withheld
from analysis.disclosure.caps import beyond_bound, beyond_category
from analysis.disclosure.figures import deviation
from analysis.disclosure.rounding import mean_of
from scripts.caps import away_from_the_end, way_to_the_end

K = 5


def counts_of(n: int, n_points: int):
    for counts in product(range(n + 1), repeat=n_points):
        if sum(counts) == n:
            yield counts


@pytest.mark.parametrize(("n", "n_points"), [(5, 4), (6, 4), (9, 4), (10, 4), (14, 4), (6, 5), (11, 3), (30, 2)])
def test_of_every_unit_the_value_is_its_exact_mean_unless_a_cap_hides_it(n, n_points):
    for counts in counts_of(n, n_points):
        figures = ItemFigures(counts)
        shown = disclosure.show_item(figures, K)
        if isinstance(shown, Withheld):
            continue
        score = disclosure.item_score(shown, n, n_points, K)
        exact = Fraction(figures.total, figures.n)
        assert score.low <= exact <= score.high
        assert score.about == isinstance(shown, Capped | NearlyAll)
        if not score.about:
            assert score.value == exact


@pytest.mark.parametrize(("n", "answered"), [(9, 8), (9, 6), (14, 13), (14, 11), (40, 38)])
def test_the_range_holds_the_exact_mean_where_some_left_the_item_empty(n, answered):
    for counts in counts_of(answered, 4) if answered < 20 else [(5, 10, 15, 8), (2, 17, 17, 2)]:
        figures = ItemFigures(counts)
        shown = disclosure.show_item(figures, K)
        if isinstance(shown, Withheld):
            continue
        score = disclosure.item_score(shown, n, 4, K)
        assert score.low <= Fraction(figures.total, figures.n) <= score.high


@given(st.lists(st.fractions(max_denominator=5000), min_size=1, max_size=12))
def test_a_mean_over_one_denominator_is_the_mean_of_the_fractions(values):
    assert mean_of(values) == sum(values, Fraction(0)) / len(values)


def test_a_deviation_in_whole_numbers_is_the_mean_absolute_deviation():
    shown = {disclosure.show_item(ItemFigures(counts), 4) for counts in counts_of(14, 4)}
    distributions = [item for item in shown if isinstance(item, ItemDistribution)]
    assert distributions
    for item in distributions:
        total = sum(item.percentages)
        mean = Fraction(sum(value * share for value, share in enumerate(item.percentages, start=1)), total)
        away = sum(share * abs(value - mean) for value, share in enumerate(item.percentages, start=1))
        assert deviation(item) == away / total


def test_who_left_an_item_empty_is_told_by_nothing():
    """The score is a function of what is shown and of the unit's n: twelve people, one without four of six items."""
    shown = disclosure.show_item(ItemFigures((2, 4, 3, 2)), K)  # eleven answered
    assert disclosure.item_score(shown, 12, 4, K).value == Fraction(5, 2)  # the mean as it stands there


def test_of_many_the_value_is_the_rounded_mean():
    shown = disclosure.show_item(ItemFigures((30, 40, 50, 30)), K)
    assert disclosure.item_score(shown, 150, 4, K).value == Fraction(25, 10)


def test_a_reverse_keyed_item_is_turned_with_its_range():
    straight = disclosure.scale_score([(ItemMean(2.8), False)], 6, 4, K)
    turned = disclosure.scale_score([(ItemMean(2.8), True)], 6, 4, K)
    assert turned.value == 5 - straight.value
    assert (turned.low, turned.high) == (5 - straight.high, 5 - straight.low)


def test_without_one_of_its_items_a_scale_has_no_score():
    shown = (ItemMean(2.5), False)
    assert disclosure.scale_score([shown, shown], 6, 4, K) is not None
    assert disclosure.scale_score([shown, (Withheld(Reason.TOO_FEW), False)], 6, 4, K) is None


@pytest.mark.parametrize("n_points", [2, 3, 4, 5, 7, 10, 11])
def test_the_table_of_caps_is_what_the_simulation_gives(n_points):
    assert float(beyond_bound(n_points)) == pytest.approx(way_to_the_end(n_points), abs=0.03)
    assert float(12 * beyond_category(1, 12, n_points)) == pytest.approx(away_from_the_end(n_points), rel=0.05)
