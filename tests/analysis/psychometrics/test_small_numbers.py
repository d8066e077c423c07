"""A run keeps a million respondents' answers as small numbers and works on some rows at a time: every figure stays as it is."""

import numpy as np
import pandas as pd
import pytest

from analysis.psychometrics import fit
from analysis.psychometrics.entry.htmt import htmt
from analysis.psychometrics.ml.sample import draw_sample
from analysis.psychometrics.scales import scoring
from analysis.psychometrics.scales.correlations import correlation_matrix, covariance_matrix
from analysis.psychometrics.scales.descriptives import describe, of_counts
from analysis.psychometrics.scales.reliability import omega_total, reliability
from analysis.psychometrics.scales.screening import mahalanobis_distance
from analysis.psychometrics.teams.agreement import agreement

SCALES = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}
ITEMS = [item for items in SCALES.values() for item in items]
MODEL = "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3"


@pytest.fixture
def answers():
    generator = np.random.default_rng(4)
    n = 400
    team = np.repeat(np.arange(40), 10)
    common = generator.normal(size=(n, 1)) + 0.6 * generator.normal(size=40)[team][:, None]
    values = np.clip(np.rint(2.5 + common + generator.normal(size=(n, 6))), 1, 4)
    values[generator.random((n, 6)) < 0.08] = np.nan
    values[0] = np.nan
    values[1, 1:] = np.nan
    return pd.DataFrame(values, columns=ITEMS).assign(team=team)


def _numbers(what, answers):
    items = answers[ITEMS]
    if what == "covariances":
        return covariance_matrix(items)[0], covariance_matrix(items, missing="pairwise")[0]
    if what == "correlations":
        return correlation_matrix(items), correlation_matrix(items, missing="pairwise")
    if what == "scores":
        return [scoring.score_scales(items, SCALES).to_numpy()]
    if what == "reliability":
        result = reliability(items[SCALES["a"]])
        return [result.alpha_raw, *result.item_total_r.values(), omega_total(items[SCALES["a"]])[0].omega_model]
    if what == "agreement":
        result = agreement(items[SCALES["a"]], answers["team"])
        return result.ad_m, result.item_variance
    if what == "distances":
        return mahalanobis_distance(items)
    if what == "htmt":
        pair = htmt(items, SCALES, answers["team"], n_replicates=50).pairs[0]
        return pair.htmt, pair.ci_lower, pair.ci_upper
    estimator, missing = what.split()
    result = fit(MODEL, answers, estimator=estimator, missing=missing, cluster="team")
    return [parameter.est for parameter in result.parameters] + [parameter.se for parameter in result.parameters]


@pytest.mark.parametrize(
    "what",
    [
        *("covariances", "correlations", "scores", "reliability", "agreement", "distances", "htmt"),
        *("MLR listwise", "MLR fiml", "WLSMV listwise"),
    ],
)
def test_small_numbers_and_few_rows_at_a_time_give_the_same(answers, what, monkeypatch):
    expected = _numbers(what, answers)
    small = answers.astype(dict.fromkeys(ITEMS, np.float32))
    monkeypatch.setattr(scoring, "ROWS_AT_ONCE", 7)
    for ours, theirs in zip(_numbers(what, small), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


def test_cases_stay_small_where_the_answers_are(answers):
    small = draw_sample(answers.astype(dict.fromkeys(ITEMS, np.float32)), ITEMS, cluster="team").groups[0]
    assert (small.values.dtype, small.large.dtype) == (np.float32, np.float64)
    assert draw_sample(answers, ITEMS, cluster="team").groups[0].values.dtype == np.float64


def test_a_distance_is_that_on_the_items_answered(answers):
    """Whether a row has few gaps or almost nothing else: by its own covariances, inverted."""
    squared, _ = mahalanobis_distance(answers[ITEMS])
    complete = answers[ITEMS].dropna()
    mean, covariance = complete.mean().to_numpy(), complete.cov().to_numpy()
    gaps = set()
    for row, distance in zip(answers[ITEMS].to_numpy(), squared, strict=True):
        there = np.flatnonzero(~np.isnan(row))
        gaps.add(len(row) - len(there))
        if not len(there):
            assert np.isnan(distance)
            continue
        z = row[there] - mean[there]
        assert distance == pytest.approx(z @ np.linalg.solve(covariance[np.ix_(there, there)], z), rel=1e-10)
    assert {0, 1, 2, 5, 6} <= gaps


def test_counts_say_what_the_answers_say(answers):
    """Per team and over all: n, mean and standard deviation follow from how often each answer was given."""
    given = answers["a1"]
    counts = np.array(
        [[(of_team == point).sum() for point in (1, 2, 3, 4)] for _, of_team in given.groupby(answers["team"])]
    )
    counts = np.concatenate([counts.sum(axis=0, keepdims=True), counts, [[0, 0, 0, 0], [0, 1, 0, 0]]])
    n, mean, sd = of_counts(counts)
    expected = describe(answers[["a1"]]).iloc[0]
    assert (n[0], mean[0], sd[0]) == pytest.approx((expected["n"], expected["mean"], expected["sd"]), rel=1e-13)
    by_team = given.groupby(answers["team"])
    np.testing.assert_allclose(mean[1:-2], by_team.mean(), rtol=1e-13)
    np.testing.assert_allclose(sd[1:-2], by_team.std(), rtol=1e-13)
    assert np.isnan([mean[-2], sd[-2], sd[-1]]).all()
    assert (n[-2], n[-1], mean[-1]) == (0, 1, 2.0)
