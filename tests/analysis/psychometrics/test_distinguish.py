"""HTMT and the difference tests: by hand, against the oracle's difference tests, and their properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.psychometrics.entry import htmt as htmt_module
from analysis.psychometrics.entry.discriminant import distinguish, tell_apart
from analysis.psychometrics.entry.htmt import htmt
from analysis.psychometrics.entry.verdicts import CAN_BE_TOLD_APART, CANNOT_BE_TOLD_APART, HARDLY_TOLD_APART
from analysis.psychometrics.errors import AnalysisInputError
from analysis.psychometrics.problems import NO_VARIANCE, TOO_FEW_ITEMS, TOO_FEW_OBSERVATIONS, TOO_FEW_TEAMS
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.tolerances import MLR_SE_REL

SIX = load_oracle("simstudy_cfa")["models"]["6f"]
SCHOOL = load_oracle("hs1939_cfa")["models"]["3f"]
SCALES = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}


@pytest.fixture(scope="module")
def study():
    return load_data("simstudy_complete")


@pytest.fixture(scope="module")
def school():
    return load_data("hs1939")


def by_hand(r, first, second):
    def inside(names):
        block = r.loc[names, names].to_numpy()
        return block[np.triu_indices(len(names), 1)].mean()

    return r.loc[first, second].to_numpy().mean() / np.sqrt(inside(first) * inside(second))


def test_htmt_by_hand(school):
    r = school[[name for names in SCALES.values() for name in names]].corr()
    table = htmt(school, SCALES, n_replicates=10)
    for pair in table.pairs:
        assert pair.htmt == pytest.approx(by_hand(r, SCALES[pair.first], SCALES[pair.second]), abs=1e-12)
    assert table.n_units == len(school)


def test_a_replicate_is_htmt_of_the_teams_drawn(study):
    """The interval from sums per team is that of drawing the rows themselves."""
    scales = {"id": [f"id{i}" for i in range(1, 7)], "er": [f"er{i}" for i in range(1, 7)]}
    teams = study["team_id"]
    table = htmt(study, scales, teams, n_replicates=60, seed=4)
    names = sorted(teams.unique())
    counts = np.random.default_rng(4).multinomial(36, np.full(36, 1 / 36), size=60)
    values = []
    for row in counts:
        rows = study.index.repeat(teams.map(dict(zip(names, row, strict=True))))
        values.append(by_hand(study.loc[rows].iloc[:, 3:].corr(), scales["id"], scales["er"]))
    pair = table.pair("er", "id")
    assert (pair.ci_lower, pair.ci_upper) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-10)


def test_htmt_is_the_same_for_the_same_seed(study):
    scales = {"id": ["id1", "id2", "id3"], "er": ["er1", "er2", "er3"]}
    one, other = (htmt(study, scales, study["team_id"], n_replicates=50, seed=9) for _ in range(2))
    assert one == other
    assert one != htmt(study, scales, study["team_id"], n_replicates=50, seed=10)


def test_polychoric_htmt():
    data = load_data("hs1939_ordinal")
    plain, ordinal = (htmt(data, SCALES, correlation=kind, n_replicates=400) for kind in ("pearson", "polychoric"))
    for pair, other in zip(plain.pairs, ordinal.pairs, strict=True):
        assert other.htmt == pytest.approx(pair.htmt, abs=0.06)
        width = (other.ci_upper - other.ci_lower) / (pair.ci_upper - pair.ci_lower)
        assert 0.7 < width < 1.4
        assert other.ci_lower < other.htmt < other.ci_upper


def test_many_respondents_are_drawn_in_random_groups(school, monkeypatch):
    one_by_one = htmt(school, SCALES, n_replicates=800)
    monkeypatch.setattr(htmt_module, "MOST_UNITS", 100)
    in_groups = htmt(school, SCALES, n_replicates=800)
    assert (one_by_one.n_units, in_groups.n_units) == (301, 100)
    for pair, other in zip(one_by_one.pairs, in_groups.pairs, strict=True):
        assert pair.htmt == other.htmt
        assert (other.ci_upper - other.ci_lower) / (pair.ci_upper - pair.ci_lower) == pytest.approx(1, abs=0.25)


def test_failures_of_htmt_are_named(school):
    scales = {"a": ["x1", "x2"], "b": ["x3", "x4"]}
    assert htmt(school, {"a": ["x1"], "b": ["x3", "x4"]}).problems[0].code == TOO_FEW_ITEMS
    assert htmt(school.head(2), scales).problems[0].code == TOO_FEW_OBSERVATIONS
    assert htmt(school.assign(x3=1.0), scales).problems[0].code == NO_VARIANCE
    one_team = htmt(school, scales, pd.Series("A", index=school.index))
    assert one_team.problems[0].code == TOO_FEW_TEAMS
    assert np.isfinite(one_team.pairs[0].htmt)
    assert np.isnan(one_team.pairs[0].ci_upper)
    turned = htmt(school.assign(x2=-school["x2"]), scales, n_replicates=20)
    assert np.isnan(turned.pairs[0].htmt)
    assert turned.pairs[0].n_undefined == 20
    with pytest.raises(KeyError, match="x99"):
        htmt(school, {"a": ["x1", "x99"], "b": ["x3", "x4"]})
    with pytest.raises(KeyError):
        one_team.pair("a", "c")


@pytest.mark.parametrize(
    ("lower", "upper", "words"),
    [
        (0.95, 1.0, CANNOT_BE_TOLD_APART),
        (0.95, 1.04, CANNOT_BE_TOLD_APART),
        (0.8, 0.9, HARDLY_TOLD_APART),
        (0.8, 0.999, HARDLY_TOLD_APART),
        (0.5, 0.8999, CAN_BE_TOLD_APART),
        (-1.02, -0.9, CANNOT_BE_TOLD_APART),
        (-0.3, 0.2, CAN_BE_TOLD_APART),
        (np.nan, np.nan, None),
    ],
)
def test_verdicts(lower, upper, words):
    assert tell_apart(lower, upper) == words


@pytest.mark.parametrize(
    ("estimator", "cluster", "oracle"),
    [("MLM", None, "6f_vs_5f__mlm"), ("MLR", None, "6f_vs_5f__mlr"), ("MLR", "team_id", "6f_vs_5f__mlr_cluster"),
     ("ML", None, "6f_vs_5f__ml"), ("WLSMV", None, "6f_vs_5f__wlsmv")],
)  # fmt: skip
def test_merging_is_the_oracles_difference_test(study, estimator, cluster, oracle):
    """lavTestLRT of the six- and the five-factor model, which merges id and er."""
    expected = load_oracle("simstudy_cfa")["model_comparison"][oracle]["table"][1]
    result = distinguish(SIX, study, estimator=estimator, cluster=cluster, pairs=[("er", "id")], n_replicates=20)
    merged = result.pair("id", "er").merged
    assert merged.df_diff == expected["Df diff"] == 5
    assert merged.chisq_diff == pytest.approx(expected["Chisq diff"], rel=1e-5)
    assert merged.pvalue == pytest.approx(expected["Pr(>Chisq)"], rel=1e-5)
    assert result.pair("id", "er").unit_correlation.df_diff == 1
    assert result.pair("ia", "id").merged is None


def test_correlations_are_the_oracles(study):
    oracle = load_oracle("simstudy_cfa")["fits"]["6f__mlr_cluster"]
    result = distinguish(SIX, study, cluster="team_id", pairs=[], n_replicates=20)
    assert len(result.pairs) == 15
    rows = {(row["lhs"], row["rhs"]): row for row in oracle["parameters"] if row["op"] == "~~"}
    for pair in result.pairs:
        row = rows[pair.first, pair.second]
        assert pair.correlation == pytest.approx(row["std.all"], abs=1e-6)
        assert pair.se == pytest.approx(row["std.all.se"], rel=10 * MLR_SE_REL)
        assert pair.ci_upper == pytest.approx(row["std.all"] + 1.959964 * row["std.all.se"], rel=1e-5)


def test_the_article_s_pair_cannot_be_told_apart(study):
    result = distinguish(SIX, study, cluster="team_id", n_replicates=200)
    pair = result.pair("id", "er")
    assert pair.verdict == CANNOT_BE_TOLD_APART
    assert pair.htmt.ci_upper > 1
    assert pair.unit_correlation.pvalue > 0.05
    assert pair.merged.pvalue > 0.05
    others = [p for p in result.pairs if p is not pair]
    assert {p.verdict for p in others} == {CAN_BE_TOLD_APART}
    document = result.to_dict()
    assert document["pairs"][5] == pair.to_dict()
    assert document["n_clusters"] == 36


def test_a_negative_scaling_factor_has_a_stand_in(study):
    """ia and id are far from a correlation of 1: the 2001 test is not defined there, and Satorra's of 2000 is."""
    pair = distinguish(SIX, study, cluster="team_id", pairs=[("ia", "id")], n_replicates=10).pair("ia", "id")
    assert pair.unit_correlation.method == "satorra.2000"
    assert pair.unit_correlation.pvalue < 1e-10
    assert "stands in its place" in pair.problems[0].sentence
    assert pair.merged.method == "satorra.bentler.2001"


def test_with_two_factors_both_tests_are_one(school):
    """m = 2: merging fixes nothing but the correlation, so the two tests have 1 df and the same value."""
    model = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"
    pair = distinguish(model, school, estimator="ML", pairs=[("visual", "textual")], n_replicates=10).pairs[0]
    assert pair.unit_correlation.df_diff == pair.merged.df_diff == 1
    assert pair.unit_correlation.chisq_diff == pytest.approx(pair.merged.chisq_diff, rel=1e-8)


def test_merging_never_fits_better_than_a_correlation_of_one(school):
    pairs = [("visual", "textual"), ("visual", "speed"), ("textual", "speed")]
    result = distinguish(SCHOOL, school, estimator="ML", pairs=pairs, n_replicates=10)
    for pair in result.pairs:
        assert 0 < pair.unit_correlation.chisq_diff <= pair.merged.chisq_diff + 1e-8
        assert pair.merged.df_diff == 2
        assert pair.problems == ()


def test_modifiers_of_the_model_are_kept(school):
    model = "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + start(0.9)*x5 + x6\nspeed =~ x7 + x8 + x9\n" \
            "x1 ~~ x9\nvisual ~~ speed"  # fmt: skip
    result = distinguish(model, school, estimator="ML", pairs=[("visual", "textual"), ("visual", "speed")],
                         n_replicates=10)  # fmt: skip
    assert result.base.fit["df"] == 24 + 1 - 1
    assert result.pair("visual", "textual").merged.df_diff == 2
    assert result.pair("visual", "speed").unit_correlation.df_diff == 1


def test_a_model_without_estimates_is_named(school):
    result = distinguish(SCHOOL, school.assign(x1=2.0), n_replicates=10)
    assert result.pairs == ()
    assert result.problems[0].code == NO_VARIANCE
    assert result.to_dict()["warnings"] == [result.problems[0].sentence]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("f =~ x1 + x2 + x3", {}, "at least two factors"),
        (SCHOOL, {"pairs": [("visual", "smell")]}, "no factor 'smell'"),
        ("level: 1\nf =~ x1 + x2\nlevel: 2\nf =~ x1 + x2", {"cluster": "school"}, "one level"),
        (SCHOOL, {"estimator": "EQS"}, "unknown estimator"),
    ],
)
def test_questions_that_cannot_be_read(school, model, options, message):
    with pytest.raises(AnalysisInputError, match=message):
        distinguish(model, school, **options)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 0.95), st.integers(0, 1000))
def test_htmt_recovers_the_correlation_of_parallel_items(rho, seed):
    generator = np.random.default_rng(seed)
    factors = generator.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=3000)
    items = pd.DataFrame({
        f"{'ab'[k]}{i}": 0.8 * factors[:, k] + 0.6 * generator.normal(size=3000) for k in range(2) for i in range(3)
    })  # fmt: skip
    table = htmt(items, {"a": ["a0", "a1", "a2"], "b": ["b0", "b1", "b2"]}, n_replicates=10)
    assert table.pairs[0].htmt == pytest.approx(rho, abs=0.08)
