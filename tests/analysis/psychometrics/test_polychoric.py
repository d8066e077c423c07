"""The bivariate normal distribution and polychoric correlations: accuracy, special tables, named failures."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import ndtr, ndtri

from analysis.psychometrics.ordinal import influence
from analysis.psychometrics.ordinal.bivariate_normal import density, distribution, log_density_slope, threshold_slope
from analysis.psychometrics.ordinal.polychoric import ordinal_data, polychoric
from analysis.psychometrics.problems import (
    CORRELATION_AT_OR_OVER_ONE,
    EMPTY_CATEGORY,
    NO_VARIANCE,
    TOO_FEW_OBSERVATIONS,
)
from tests.analysis.psychometrics.conftest import load_data


def table_to_items(table):
    rows = [(a, b) for a, row in enumerate(table) for b, count in enumerate(row) for _ in range(count)]
    return pd.DataFrame(rows, columns=["a", "b"], dtype=float)


@pytest.mark.parametrize("rho", [-0.99, -0.9, -0.5, 0.0, 0.3, 0.8, 0.91, 0.97, 0.995, 0.9999])
def test_distribution_against_integration(rho):
    h, k = (np.array([-2.5, -0.7, 0.0, 0.4, 1.1, 2.0]), np.array([-1.0, -0.6, 0.3, 0.4, 1.3, -2.0]))
    expected = []
    for one, other in zip(h, k, strict=True):

        def slice_(x, other=other):
            return np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * ndtr((other - rho * x) / np.sqrt(1 - rho * rho))

        steep = other / rho if rho else 0.0
        parts = sorted({-12.0, one, *(p for p in (steep - 0.5, steep, steep + 0.5) if -12 < p < one)})
        pieces = itertools.pairwise(parts)
        expected.append(sum(integrate.quad(slice_, a, b, epsabs=1e-14, limit=400)[0] for a, b in pieces))
    np.testing.assert_allclose(distribution(h, k, np.full(6, rho)), expected, atol=1e-9 if abs(rho) > 0.999 else 1e-12)


def test_derivatives_of_the_distribution():
    h, k, rho, step = np.array([0.3, -1.2]), np.array([-0.5, 0.4]), np.array([0.4, -0.7]), 1e-5

    def slope(function, at):
        return (function(at + step) - function(at - step)) / (2 * step)

    np.testing.assert_allclose(density(h, k, rho), slope(lambda r: distribution(h, k, r), rho), rtol=1e-8)
    np.testing.assert_allclose(threshold_slope(h, k, rho), slope(lambda x: distribution(x, k, rho), h), rtol=1e-8)
    np.testing.assert_allclose(log_density_slope(h, k, rho), slope(lambda r: np.log(density(h, k, r)), rho), rtol=1e-8)


def test_median_splits_have_a_closed_form():
    """Both thresholds 0: the share of concordant answers is 1/2 + asin(rho)/pi (Sheppard 1899)."""
    result = polychoric(ordinal_data(table_to_items([[40, 10], [10, 40]])))
    assert result.correlation[0, 1] == pytest.approx(np.sin(np.pi * (0.8 - 0.5)), abs=1e-9)


def test_one_empty_cell_of_a_two_by_two_table_gets_a_half():
    """lavaan's zero.add = .5 with margins kept: 30, 20, 10, 0 becomes 30.5, 19.5, 9.5, 0.5."""
    with_gap = polychoric(ordinal_data(table_to_items([[30, 20], [10, 0]])))
    rho = with_gap.correlation[0, 1]
    h, k = ndtri(50 / 60), ndtri(40 / 60)
    # with the margins held a 2 × 2 table has one free cell, and it is fitted exactly
    assert distribution(np.array([h]), np.array([k]), np.array([rho]))[0] == pytest.approx(30.5 / 60, abs=1e-9)
    assert not with_gap.problems


@pytest.mark.parametrize(("table", "sign"), [([[20, 0], [0, 20]], 1), ([[0, 15], [25, 0]], -1)])
def test_two_empty_cells_are_a_perfect_correlation(table, sign):
    result = polychoric(ordinal_data(table_to_items(table)))
    assert result.correlation[0, 1] == pytest.approx(sign, abs=1e-4)
    assert result.problems[0].code == CORRELATION_AT_OR_OVER_ONE


def test_larger_tables_with_empty_cells_are_left_as_they_are():
    table = [[12, 6, 0], [5, 14, 7], [0, 6, 13]]
    result = polychoric(ordinal_data(table_to_items(table)))
    assert result.problems == ()
    # at the maximum the slope of the log-likelihood of the unchanged counts is zero
    h, k = result.thresholds[0], result.thresholds[1]

    def log_likelihood(rho):
        corners = np.zeros((4, 4))
        corners[1:3, 1:3] = distribution(h[:, None], k[None, :], np.full((2, 2), rho))
        corners[1:, 3] = [*ndtr(h), 1]
        corners[3, 1:] = [*ndtr(k), 1]
        cells = np.diff(np.diff(corners, axis=0), axis=1)
        return (np.array(table) * np.log(cells)).sum()

    rho = result.correlation[0, 1]
    assert log_likelihood(rho) > max(log_likelihood(rho - 1e-4), log_likelihood(rho + 1e-4))


def test_thresholds_are_quantiles_of_the_shares():
    data = load_data("simstudy_missing")[["id1", "id2", "id3"]]
    result = polychoric(ordinal_data(data))
    for item, values in zip(data.columns, result.thresholds, strict=True):
        shares = data[item].value_counts(normalize=True).sort_index().cumsum()[:-1]
        np.testing.assert_allclose(values, ndtri(shares.to_numpy()), atol=1e-12)


def test_standard_errors_are_those_of_the_jackknife():
    """Leaving out every respondent once gives the same standard error where the answers are cut normal variables."""
    normal = np.random.default_rng(8).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=300)
    data = pd.DataFrame({"a": np.digitize(normal[:, 0], [-0.8, 0.1, 1.0]), "b": np.digitize(normal[:, 1], [-0.3, 0.6])})
    base = polychoric(ordinal_data(data))
    pairs = base.pairs
    left_out = np.array([
        polychoric(ordinal_data(data.drop(index=row)), influence=False).correlation[pairs[0], pairs[1]]
        for row in data.index
    ])  # fmt: skip
    n = len(data)
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(np.sqrt((base.influence.correlations**2).sum(axis=0)), jackknife, rtol=0.06)


def test_a_newton_step_too_far_is_taken_back():
    """From the start at .43 the first step lands near 1, where a cell with 183 answers has no probability."""
    result = polychoric(ordinal_data(table_to_items([[9817, 183], [1805, 170], [5206, 2820]])), influence=False)
    assert result.correlation[0, 1] == pytest.approx(0.75, abs=1e-3)
    assert result.problems == ()


def test_many_respondents_are_kept_as_a_cross_product(monkeypatch):
    data = ordinal_data(load_data("hs1939_ordinal")[["x1", "x2", "x3"]])
    by_row = polychoric(data).influence
    monkeypatch.setattr(influence, "KEEP_ROWS", 10)
    monkeypatch.setattr(influence, "_ROWS_AT_ONCE", 100)
    compressed = polychoric(data).influence
    assert len(compressed.correlations) == 9 + 3
    np.testing.assert_allclose(compressed.correlations.T @ compressed.correlations,
                               by_row.correlations.T @ by_row.correlations, atol=1e-15)  # fmt: skip
    np.testing.assert_allclose(compressed.thresholds.T @ compressed.correlations,
                               by_row.thresholds.T @ by_row.correlations, atol=1e-15)  # fmt: skip
    np.testing.assert_allclose(compressed.correlation_variance, (by_row.correlations**2).sum(axis=0), rtol=1e-12)


def test_influence_is_summed_by_unit():
    data = ordinal_data(load_data("hs1939_ordinal")[["x1", "x2", "x3"]])
    units = np.arange(301) % 7
    by_row, by_unit = polychoric(data).influence, polychoric(data, units=units).influence
    assert by_unit.n_units == 7
    for unit in range(7):
        np.testing.assert_allclose(by_unit.correlations[unit], by_row.correlations[units == unit].sum(axis=0))
    np.testing.assert_allclose(by_unit.correlation_variance, by_row.correlation_variance)


def test_failures_are_named():
    items = pd.DataFrame({"a": [1.0, 2, 1, 2], "b": [1.0, 1, 1, 1]})
    assert [(p.code, p.subject) for p in polychoric(ordinal_data(items)).problems] == [(NO_VARIANCE, "b")]
    gap = ordinal_data(items[["a"]].assign(c=[1.0, 3, 1, 3]), categories=[[1, 2], [1, 2, 3]])
    result = polychoric(gap)
    assert [(p.code, p.subject) for p in result.problems] == [(EMPTY_CATEGORY, "c")]
    assert not result.estimated
    apart = pd.DataFrame({"a": [1.0, 2, np.nan, np.nan], "b": [np.nan, np.nan, 1.0, 2]})
    assert polychoric(ordinal_data(apart)).problems[0].code == TOO_FEW_OBSERVATIONS
    with pytest.raises(ValueError, match="none of its categories"):
        ordinal_data(items, categories=[[1, 2], [2, 3]])


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.9, 0.9), st.lists(st.floats(-1.2, 1.2), min_size=1, max_size=3, unique=True),
       st.lists(st.floats(-1.2, 1.2), min_size=1, max_size=3, unique=True))  # fmt: skip
def test_correlation_of_a_large_table_is_recovered(rho, first, second):
    h, k = np.sort(first), np.sort(second)
    if min(np.diff(h), default=1) < 0.1 or min(np.diff(k), default=1) < 0.1:
        return
    corners = np.zeros((len(h) + 2, len(k) + 2))
    corners[1:-1, 1:-1] = distribution(h[:, None], k[None, :], np.full((len(h), len(k)), rho))
    corners[1:, -1] = [*ndtr(h), 1]
    corners[-1, 1:] = [*ndtr(k), 1]
    table = np.rint(np.diff(np.diff(corners, axis=0), axis=1) * 20_000).astype(int)
    if table.min() < 5:  # rounding to whole respondents would then move the correlation
        return
    result = polychoric(ordinal_data(table_to_items(table)), influence=False)
    assert result.correlation[0, 1] == pytest.approx(rho, abs=0.01)


def test_item_order_does_not_matter():
    data = load_data("hs1939_ordinal")[["x1", "x5", "x9"]]
    forward, backward = polychoric(ordinal_data(data)), polychoric(ordinal_data(data.iloc[:, ::-1]))
    np.testing.assert_allclose(forward.correlation, backward.correlation[::-1, ::-1], atol=1e-8)
    se = np.sqrt((forward.influence.correlations**2).sum(axis=0))
    np.testing.assert_allclose(se, np.sqrt((backward.influence.correlations**2).sum(axis=0))[::-1], rtol=1e-6)


def test_reversing_an_item_changes_the_sign():
    data = load_data("hs1939_ordinal")[["x1", "x4"]]
    turned = polychoric(ordinal_data(data.assign(x4=5 - data["x4"])))
    assert turned.correlation[0, 1] == pytest.approx(-polychoric(ordinal_data(data)).correlation[0, 1], abs=1e-8)
