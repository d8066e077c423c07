"""Agreement within teams, ICCs and team means against multilevel, nlme and psych, and their properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.psychometrics.problems import NO_VARIANCE, TOO_FEW_OBSERVATIONS, TOO_FEW_TEAMS
from analysis.psychometrics.teams.agreement import (
    DIFFER_SOMEWHAT,
    DIFFER_WIDELY,
    LARGELY_AGREE,
    agreement,
    agreement_words,
)
from analysis.psychometrics.teams.icc import level_correlations, nesting, variance_components
from analysis.psychometrics.teams.nulls import (
    PUBLISHED,
    SKEWED_NULL_4,
    VARIANCES,
    default_nulls,
    null_variance,
    published_null_variance,
    uniform_null_variance,
)
from analysis.psychometrics.teams.team_means import (
    mean_over_respondents,
    mean_over_teams,
    shrunken_team_means,
    team_problems,
    team_statistics,
)
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import DESCRIPTIVES, ICC_MIXED_MODEL

DATA_SETS = ("simstudy_complete", "simstudy_missing")
SCALES = [(name, scale) for name in DATA_SETS for scale in load_oracle(f"{name}_descriptives")["grouping"]]


def scale_of(name, scale):
    oracle = load_oracle(f"{name}_descriptives")
    data = load_data(name)
    items = data[oracle["scales"][scale]["items"]]
    return items, items.mean(axis=1, skipna=False), data["team_id"], oracle["grouping"][scale]


def tolerance(path):
    return ICC_MIXED_MODEL if path.rpartition(".")[2].endswith(("_reml", "_ml")) else DESCRIPTIVES


def test_every_block_of_the_oracle_is_compared():
    for name in DATA_SETS:
        oracle = load_oracle(f"{name}_descriptives")
        for entry in oracle["grouping"].values():
            assert set(entry) == {"scale_score", "items", "rwg_j", "group_stats"}
        assert set(oracle["statsBy_scale_scores"]) == {"pooled_within_r", "between_r_weighted", "icc1", "icc2"}


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_nesting_of_the_score(name, scale):
    _, score, team, expected = scale_of(name, scale)
    assert compare(nesting(score, team).to_dict(), expected["scale_score"], tolerance) == []


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_nesting_of_the_items(name, scale):
    items, _, team, expected = scale_of(name, scale)
    ours = {item: nesting(items[item], team).to_dict() for item in items.columns}
    assert compare(ours, expected["items"], tolerance) == []


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_rwg(name, scale):
    items, _, team, expected = scale_of(name, scale)
    nulls = {null: entry["ranvar"] for null, entry in expected["rwg_j"].items()}
    assert compare(agreement(items, team, nulls=nulls).to_dict()["rwg_j"], expected["rwg_j"], DESCRIPTIVES) == []


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_team_statistics(name, scale):
    _, score, team, expected = scale_of(name, scale)
    table = team_statistics(score, team)
    ours = [{"group": group, **row} for group, row in zip(table.index, table.to_dict("records"), strict=True)]
    assert compare(ours, expected["group_stats"], DESCRIPTIVES) == []


@pytest.mark.parametrize("name", DATA_SETS)
def test_level_correlations(name):
    oracle = load_oracle(f"{name}_descriptives")
    scores = pd.DataFrame({scale: scale_of(name, scale)[1] for scale in oracle["grouping"]})
    ours = level_correlations(scores, load_data(name)["team_id"]).to_dict()
    # statsBy lists the grouping variable itself as "g", with an ICC of 1
    assert compare(ours, oracle["statsBy_scale_scores"], DESCRIPTIVES, excluded=("g",)) == []


def test_null_variances():
    assert uniform_null_variance(4) == 1.25
    assert null_variance(SKEWED_NULL_4) == pytest.approx(0.89, abs=1e-12)
    assert null_variance([0.25] * 4) == pytest.approx(1.25)
    for bad in ([0.5, 0.6], [1.0], [1.0, 0.0], [-0.1, 1.1]):
        with pytest.raises(ValueError, match=r"null distribution"):
            null_variance(bad)
    with pytest.raises(ValueError, match="at least 2 categories"):
        uniform_null_variance(1)


def test_published_null_variances():
    """LeBreton and Senter (2008), table 2, and its order: the more skewed, the less variance; all less than the uniform."""
    assert [published_null_variance(name, 5) for name in PUBLISHED] == [1.34, 0.90, 0.44, 1.32, 1.04]
    assert [published_null_variance(name, 11) for name in PUBLISHED] == [7.31, 6.32, 4.02, 3.32, 1.40]
    assert list(VARIANCES) == [5, 6, 7, 8, 9, 10, 11]
    for points, variances in VARIANCES.items():
        slight, moderate, heavy, *_rest = variances
        assert heavy < moderate < slight
        assert max(variances) < uniform_null_variance(points)
    for name, points in (("slight_skew", 4), ("slight_skew", 12), ("uniform", 5), ("skewed", 5)):
        with pytest.raises(ValueError, match="No variance is published"):
            published_null_variance(name, points)
    assert default_nulls(5) == {"uniform": 2.0, "slight_skew": 1.34}
    assert list(default_nulls(4)) == ["uniform", "skewed"]
    assert list(default_nulls(3)) == ["uniform"]


def items_of_variance(variance: float, n_items: int) -> pd.DataFrame:
    """Two answers per item around 3, so that each item has this variance."""
    apart = (variance / 2) ** 0.5
    return pd.DataFrame({f"i{number}": [3 - apart, 3 + apart] for number in range(n_items)})


def test_a_slight_skew_is_not_the_uniform_null():
    """The team of the report: 11 items of 5 points, .849 under the uniform null and .132 under the slight skew."""
    items = items_of_variance(1.3218, 11)
    by_null = agreement(items, pd.Series(["A", "A"]), nulls=default_nulls(5)).by_null()
    assert len(by_null) == 1
    assert {name: round(value, 3) for name, value in by_null[0].items()} == {"uniform": 0.849, "slight_skew": 0.132}


def test_average_deviation_by_hand():
    """Burke and Dunlap (2002): answers 1, 2, 3 deviate from their mean by 2/3 on average."""
    items = pd.DataFrame({"a": [1.0, 2, 3, 4, 4], "b": [2.0, 2, 2, 1, 4]})
    result = agreement(items, pd.Series(["A", "A", "A", "B", "B"]))
    np.testing.assert_allclose(result.ad_m, [(2 / 3 + 0) / 2, (0 + 1.5) / 2])
    assert list(result.nulls) == ["uniform", "skewed"]
    assert list(result.table().columns) == [
        "n", "ad_m", "rwg_j.uniform", "lindell.uniform", "rwg_j.skewed", "lindell.skewed",
    ]  # fmt: skip


def test_words_by_average_deviation():
    ad = np.array([0.2, 0.45, 0.46, 0.67, 0.68, 0.2, np.nan])
    n = np.array([10, 10, 10, 10, 10, 9, 12])
    assert agreement_words(ad, n, k=5) == [
        LARGELY_AGREE, LARGELY_AGREE, DIFFER_SOMEWHAT, DIFFER_SOMEWHAT, DIFFER_WIDELY, None, None,
    ]  # fmt: skip


def test_a_team_of_one_is_named():
    items = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 4, 1]})
    team = pd.Series(["A", "A", "B"])
    result = agreement(items, team)
    assert [(p.code, p.subject) for p in result.problems] == [(TOO_FEW_OBSERVATIONS, "B")]
    assert np.isnan(result.ad_m[1])
    table = team_statistics(items["a"], team)
    assert np.isnan(table.loc["B", "ci_lower"])
    assert [p.subject for p in team_problems(table)] == ["B"]


def test_failures_are_named():
    score = pd.Series([1.0, 2, 3, 4])
    one_team = pd.Series(["A"] * 4)
    assert nesting(score, one_team).problems[0].code == TOO_FEW_TEAMS
    assert nesting(score, pd.Series(list("ABCD"))).problems[0].code == TOO_FEW_OBSERVATIONS
    assert nesting(score * 0, pd.Series(list("AABB"))).problems[0].code == NO_VARIANCE
    assert mean_over_respondents(score, one_team).problems[0].code == TOO_FEW_TEAMS
    assert mean_over_teams(score, one_team).problems[0].code == TOO_FEW_TEAMS
    empty = nesting(score * np.nan, one_team)
    assert (empty.n, empty.n_groups) == (0, 0)
    shrunken = shrunken_team_means(score, one_team)
    assert shrunken.problems[0].code == TOO_FEW_TEAMS
    assert np.isnan(shrunken.table["eb_mean"]).all()
    with pytest.raises(ValueError, match="over 0"):
        agreement(pd.DataFrame({"a": score}), one_team, nulls={"none": 0.0})


def test_rows_without_a_team_do_not_count():
    score = pd.Series([1.0, 2, 3, 4, 9])
    team = pd.Series(["A", "A", "B", "B", None])
    assert nesting(score, team).n == 4
    assert mean_over_respondents(score, team).mean == 2.5


def test_team_interval_is_cut_at_the_ends_of_the_scale():
    score = pd.Series([1.0, 1, 4, 2, 3, 2.5])
    team = pd.Series(["A", "A", "A", "B", "B", "B"])
    cut, full = team_statistics(score, team), team_statistics(score, team, scale_ends=None)
    half = stats.t.ppf(0.975, 2) * np.sqrt(3) / np.sqrt(3)
    assert full.loc["A", "ci_lower"] == pytest.approx(2 - half)
    assert (cut.loc["A", "ci_lower"], cut.loc["A", "ci_upper"]) == (1, 4)


def test_interval_over_respondents_is_that_of_a_cluster_robust_regression():
    """By matrices: (X'X)⁻¹ Σ_g X_g'e_g e_g'X_g (X'X)⁻¹ · G/(G-1) with X a column of ones."""
    _, score, team, _ = scale_of("simstudy_missing", "er")
    score, team = score[score.notna()], team[score.notna()]
    residual = score - score.mean()
    meat = sum(residual[team == name].sum() ** 2 for name in team.unique())
    g = team.nunique()
    se = np.sqrt(g / (g - 1) * meat) / len(score)
    result = mean_over_respondents(score, team)
    assert result.se == pytest.approx(se, rel=1e-12)
    assert result.ci_upper == pytest.approx(score.mean() + stats.t.ppf(0.975, g - 1) * se)
    naive = score.std() / np.sqrt(len(score))
    assert 1.2 < (result.se / naive) ** 2 < 3


def test_mean_over_teams():
    result = mean_over_teams(pd.Series([1.0, 3, 4, 4, 4]), pd.Series(["A", "A", "B", "B", "B"]))
    assert (result.mean, result.n_teams) == (3.0, 2)
    assert result.se == pytest.approx(np.std([2, 4], ddof=1) / np.sqrt(2))


def test_variance_components_solve_the_likelihood_equations():
    """Against a direct maximisation of the restricted likelihood over both variances."""
    _, score, team, _ = scale_of("simstudy_complete", "st")
    sizes = team.value_counts().sort_index().to_numpy(dtype=float)
    means = score.groupby(team).mean().to_numpy()
    ssw = float(((score - score.groupby(team).transform("mean")) ** 2).sum())

    def deviance(between, within):
        v = between + within / sizes
        grand = (means / v).sum() / (1 / v).sum()
        freedom = sizes.sum() - len(sizes)
        return (
            freedom * np.log(within) + ssw / within + np.log(v).sum() + ((means - grand) ** 2 / v).sum()
            + np.log((1 / v).sum())
        )  # fmt: skip

    between, within = variance_components(means, sizes, ssw)
    best = deviance(between, within)
    for step in (0.999, 1.001):
        assert deviance(between * step, within) > best
        assert deviance(between, within * step) > best


def test_the_highest_of_two_maxima_is_taken():
    """Found by search: a likelihood with one maximum at no variance between teams and a higher one inside."""
    score = pd.Series([1.0, 1, 2, 2, 2, 1, 2, 3, 4])
    team = pd.Series([0, 1, 1, 1, 1, 2, 2, 2, 3])
    assert nesting(score, team).icc1_reml == pytest.approx(0.5613156, abs=1e-6)
    assert nesting(score * 1.3535819508524929, team).icc1_reml == pytest.approx(0.5613156, abs=1e-6)


def test_balanced_reml_is_the_analysis_of_variance():
    rng = np.random.default_rng(3)
    score = pd.Series(np.repeat(rng.normal(size=20), 6) + rng.normal(size=120))
    result = nesting(score, pd.Series(np.repeat(np.arange(20), 6)))
    assert result.var_between_reml == pytest.approx((result.ms_between - result.ms_within) / 6, rel=1e-9)
    assert result.icc1 == pytest.approx(result.icc1_n0)
    assert result.icc1_reml == pytest.approx(result.icc1, rel=1e-9)


def test_full_agreement_within_teams():
    score = pd.Series([1.0, 1, 3, 3, 2, 2, 2])
    result = nesting(score, pd.Series(list("AABBCCC")))
    assert (result.icc1, result.icc2, result.icc1_reml) == (1, 1, 1)
    table = shrunken_team_means(score, pd.Series(list("AABBCCC"))).table
    np.testing.assert_allclose(table["eb_mean"], [1, 3, 2])
    np.testing.assert_allclose(table["ci_upper"], [1, 3, 2])


def test_shrunken_means_lie_between_team_and_grand_mean():
    _, score, team, _ = scale_of("simstudy_missing", "le")
    result = shrunken_team_means(score, team)
    table = result.table
    low = np.minimum(table["mean"], result.grand_mean)
    high = np.maximum(table["mean"], result.grand_mean)
    assert ((table["eb_mean"] >= low - 1e-12) & (table["eb_mean"] <= high + 1e-12)).all()
    weights = 1 / (result.var_between + result.var_within / table["n"])
    assert result.grand_mean == pytest.approx((weights * table["mean"]).sum() / weights.sum())
    assert ((table["rank_lower"] >= 1) & (table["rank_lower"] <= table["rank_upper"])).all()
    assert (table["rank_upper"] <= len(table)).all()
    again = shrunken_team_means(score, team).table
    pd.testing.assert_frame_equal(table, again)


def test_without_variance_between_teams_every_rank_is_possible():
    score = pd.Series([1.0, 4, 1, 4, 1, 4])
    table = shrunken_team_means(score, pd.Series(list("AABBCC"))).table
    assert table["rank_lower"].tolist() == [1, 1, 1]
    assert table["rank_upper"].tolist() == [3, 3, 3]
    np.testing.assert_allclose(table["eb_mean"], 2.5)


scores_in_teams = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), min_size=6, max_size=60)


@settings(max_examples=60, deadline=None)
@given(scores_in_teams, st.floats(0.1, 10), st.floats(-5, 5))
def test_icc_has_no_unit(rows, factor, offset):
    team = pd.Series([t for t, _ in rows])
    score = pd.Series([float(s) for _, s in rows])
    one, other = nesting(score, team), nesting(score * factor + offset, team)
    for name in ("icc1", "icc2", "icc1_n0", "icc1_reml", "design_effect"):
        first, second = getattr(one, name), getattr(other, name)
        assert first == pytest.approx(second, rel=1e-6, abs=1e-6, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(1, 4)), min_size=2, max_size=40))
def test_agreement_stays_in_its_bounds_and_knows_no_order(rows):
    items = pd.DataFrame([(a, b) for _, a, b in rows], columns=["a", "b"], dtype=float)
    team = pd.Series([t for t, _, _ in rows])
    result = agreement(items, team)
    for null in result.nulls.values():
        known = null.rwg_j[~np.isnan(null.rwg_j)]
        assert ((known >= 0) & (known <= 1)).all()
    assert (result.ad_m[~np.isnan(result.ad_m)] <= 1.5).all()
    order = np.random.default_rng(0).permutation(len(rows))
    other = agreement(items.iloc[order][["b", "a"]], team.iloc[order])
    np.testing.assert_allclose(result.ad_m, other.ad_m)
    np.testing.assert_allclose(result.nulls["uniform"].rwg_j, other.nulls["uniform"].rwg_j)
