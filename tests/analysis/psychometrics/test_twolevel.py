"""Two-level factor models by maximum likelihood against lavaan, and their properties.

Two things in the oracle are less exact than ours. Its final fit moved away from the polished optimum by
``polish.refit_move`` (up to 5e-4 in flat directions): estimates are compared with that much more room, and standard errors
at the oracle's own estimates. And its saturated model is where EM stood after 1,500 steps on the way to a singular between
matrix: chi-square and what follows from it are compared to 0.1, as its README says, and the log-likelihood of the model
to 1e-5.
"""

import json
import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.psychometrics import AnalysisInputError, FitResult, fit
from analysis.psychometrics.ml.fit import ChiSquare, comparison_measures
from analysis.psychometrics.ml.sample import draw_sample
from analysis.psychometrics.problems import (
    FEWER_CLUSTERS_THAN_PARAMETERS,
    NEGATIVE_VARIANCE,
    NO_VARIANCE,
    NOT_IDENTIFIED,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_OBSERVATIONS,
    TOO_FEW_TEAMS,
)
from analysis.psychometrics.syntax.model import build_table
from analysis.psychometrics.twolevel.model import (
    TwoLevelModel,
    model_derivatives,
    model_scores,
    standardised_residual,
    summarise_teams,
)
from tests.analysis.psychometrics import tolerances as tol
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import Excluded

ORACLE = load_oracle("simstudy_twolevel")["fits"]
CASES = list(ORACLE)
#: How far chi-square may be from an oracle whose saturated model had not arrived.
UNFINISHED_CHISQ = 0.1
EXCLUDED_MEASURES = (
    Excluded("chisq.scaling.factor", "the README calls two-level MLR scaling version-dependent; see its own test"),
    Excluded("baseline.chisq.scaling.factor", "as chisq.scaling.factor"),
    Excluded("scaling.factor.h1", "as chisq.scaling.factor: taken at an unfinished saturated model"),
)


@cache
def our_fit(name: str) -> FitResult:
    estimator = name.rpartition("__")[2].upper()
    return fit(ORACLE[name]["model"], load_data("simstudy_complete"), estimator=estimator, cluster="team_id")


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{row['level']}: {row['lhs']} {row['op']} {row['rhs']}": row for row in rows}


@pytest.mark.parametrize("name", CASES)
def test_log_likelihood(name: str) -> None:
    ours, expected = our_fit(name), ORACLE[name]
    assert ours.converged
    assert (ours.n_obs, ours.n_free_parameters) == (expected["n_obs"], expected["n_free_parameters"])
    for measure in ("npar", "df", "baseline.df", "ntotal"):
        assert ours.fit[measure] == expected["fit"][measure]
    for measure in ("logl", "fmin"):
        assert ours.fit[measure] == pytest.approx(expected["fit"][measure], abs=tol.TWO_LEVEL_LOGL)
    for measure in ("aic", "bic", "bic2"):
        assert ours.fit[measure] == pytest.approx(expected["fit"][measure], abs=2.0 * tol.TWO_LEVEL_LOGL)
    # a likelihood that is higher is nearer the maximum
    assert ours.fit["logl"] >= expected["fit"]["logl"] - 1e-9


@pytest.mark.parametrize("name", CASES)
def test_chi_square_and_fit_measures(name: str) -> None:
    """Chi-square to 0.1; each index as the oracle would have it with our chi-squares in the place of its own."""
    ours, expected = our_fit(name).fit, ORACLE[name]["fit"]
    for measure in ("chisq", "baseline.chisq"):
        assert ours[measure] == pytest.approx(expected[measure], abs=UNFINISHED_CHISQ)
    n = expected["ntotal"]
    c, c_b = (ours.get(f"{prefix}chisq.scaling.factor") for prefix in ("", "baseline."))
    at_ours = comparison_measures(
        ChiSquare(ours["chisq"], expected["df"], c), ChiSquare(ours["baseline.chisq"], expected["baseline.df"], c_b), n
    )
    at_theirs = comparison_measures(
        ChiSquare(expected["chisq"], expected["df"], expected.get("chisq.scaling.factor")),
        ChiSquare(expected["baseline.chisq"], expected["baseline.df"], expected.get("baseline.chisq.scaling.factor")),
        n,
    )
    formulas = [measure for measure in expected if measure in at_theirs]
    assert len(formulas) >= 20
    excluded = {quantity.name for quantity in EXCLUDED_MEASURES}
    assert compare(at_theirs, {m: expected[m] for m in formulas}, tol.ML_RMSEA_CI, excluded=excluded) == []
    assert compare(dict(ours), {m: at_ours[m] for m in formulas}, 1e-12, excluded=excluded) == []
    others = set(expected) - set(formulas) - excluded
    compared_elsewhere = {
        "npar",
        "fmin",
        "logl",
        "unrestricted.logl",
        "aic",
        "bic",
        "bic2",
        "ntotal",
        "scaling.factor.h0",
    }
    indices = others - compared_elsewhere
    assert all(m.startswith(("srmr", "gfi")) for m in indices)
    assert compare(dict(ours), {m: expected[m] for m in indices}, tol.TWO_LEVEL_CHISQ) == []
    assert ours["unrestricted.logl"] == pytest.approx(expected["unrestricted.logl"], abs=UNFINISHED_CHISQ / 2)


@pytest.mark.parametrize("name", CASES)
def test_parameters(name: str) -> None:
    ours, expected = by_name(our_fit(name).to_dict()["parameters"]), by_name(ORACLE[name]["parameters"])
    assert set(ours) == set(expected)
    moved = ORACLE[name]["polish"]["refit_move"]
    for key, row in expected.items():
        assert ours[key]["est"] == pytest.approx(row["est"], abs=tol.TWO_LEVEL_ESTIMATE + 1.01 * moved)
        for what in ("std.lv", "std.all"):
            if row[what] is None:
                assert ours[key][what] is None
            else:
                # divided by a variance between teams that may be next to nothing, which magnifies the oracle's move
                small = 1e4 if what == "std.all" and abs(row[what]) > 100.0 else 10.0
                assert ours[key][what] == pytest.approx(row[what], rel=small * moved + 1e-5, abs=10 * moved + 1e-5)


@pytest.mark.parametrize("name", CASES)
def test_standard_errors_at_the_oracles_estimates(name: str) -> None:
    expected = by_name(ORACLE[name]["parameters"])
    model, summaries = model_of(ORACLE[name]["model"], load_data("simstudy_complete"), "team_id")
    rows = [
        expected[f"{row.level}: {row.name}".rstrip() + (" " if row.op == "~1" else "")] for row in model.table.free_rows
    ]
    theta = np.array([row["est"] for row in rows])
    f, _, hessian = model_derivatives(model, summaries, theta)
    assert -f == pytest.approx(ORACLE[name]["fit"]["logl"], abs=1e-8)
    vcov = np.linalg.inv(hessian)
    if name.endswith("mlr"):
        scores = model_scores(model, summaries, theta)
        meat = scores.T @ scores
        trace = float(np.trace(vcov @ meat)) / theta.size
        assert trace == pytest.approx(ORACLE[name]["fit"]["scaling.factor.h0"], rel=1e-6)
        vcov = vcov @ meat @ vcov
    np.testing.assert_allclose(np.sqrt(np.diag(vcov)), [row["se"] for row in rows], rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_standard_errors(name: str) -> None:
    """At our own estimates, which are up to 5e-4 away in directions that are flat."""
    ours, expected = by_name(our_fit(name).to_dict()["parameters"]), by_name(ORACLE[name]["parameters"])
    allowed = tol.TWO_LEVEL_SE_REL + 5.0 * ORACLE[name]["polish"]["refit_move"]
    for key, row in expected.items():
        assert ours[key]["se"] == pytest.approx(row["se"], rel=allowed)
        assert (ours[key]["z"] is None) == (row["z"] is None)


def test_scaling_of_mlr() -> None:
    """lavaan takes it at an unfinished saturated model (0.9608); the exact one gives 0.9570."""
    name = "two_within_one_between__mlr"
    for measure in EXCLUDED_MEASURES:
        assert our_fit(name).fit[measure.name] == pytest.approx(ORACLE[name]["fit"][measure.name], rel=5e-3)
    assert our_fit(name).fit["scaling.factor.h0"] == pytest.approx(ORACLE[name]["fit"]["scaling.factor.h0"], rel=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_icc_factor_correlations_and_r_square(name: str) -> None:
    ours, expected = our_fit(name).to_dict(), ORACLE[name]
    # ICCs come from the saturated model that had not arrived
    assert compare(ours["icc"], expected["icc"], 1e-3) == []
    assert set(ours["icc"]) == set(expected["icc"])
    moved = 10 * expected["polish"]["refit_move"] + tol.TWO_LEVEL_ESTIMATE
    theirs = expected["r_square"]
    between = next(values for level, values in theirs.items() if level != "within")
    assert compare(ours["r_square"]["within"], theirs["within"], moved) == []
    for item, value in between.items():
        mine = ours["r_square"]["between"][item]
        if value is None or value < 0.0:
            # the item's variance between teams is negative: no share of it is explained, whatever the ratio (-188) is
            assert mine is None
        else:
            assert mine == pytest.approx(value, abs=moved)


@pytest.mark.parametrize("name", CASES)
def test_improper_results_are_named(name: str) -> None:
    result = our_fit(name)
    negative = {
        row["rhs"]
        for row in ORACLE[name]["parameters"]
        if row["op"] == "~~" and row["lhs"] == row["rhs"] and row["est"] < 0
    }
    assert {p.subject for p in result.problems if p.code == NEGATIVE_VARIANCE} == negative
    assert result.has_problem(NOT_POSITIVE_DEFINITE)


def model_of(text: str, data: pd.DataFrame, cluster: str) -> tuple[TwoLevelModel, Any]:
    table = build_table(text)
    model = TwoLevelModel(table)
    return model, summarise_teams(model, draw_sample(data, table.observed, cluster=cluster))


def teams(seed: int, n_teams: int = 80, size: tuple[int, int] = (3, 12)) -> pd.DataFrame:
    """Four items with one factor at both levels, ICCs of about .25, team sizes from a range."""
    random = np.random.default_rng(seed)
    team = np.repeat(np.arange(n_teams), random.integers(*size, n_teams))
    between = random.normal(size=(n_teams, 1)) * [0.6, 0.5, 0.4, 0.5] + random.normal(size=(n_teams, 4)) * 0.3
    within = random.normal(size=(team.size, 1)) * [0.8, 0.7, 0.9, 0.6] + random.normal(size=(team.size, 4)) * 0.7
    data = pd.DataFrame(between[team] + within, columns=["x1", "x2", "x3", "x4"])
    return data.assign(team=team, z=random.normal(size=n_teams)[team] + between[team, 0])


MODEL = "level: 1\nfw =~ x1 + x2 + x3 + x4\nlevel: 2\nfb =~ x1 + x2 + x3 + x4"
SATURATED = "level: 2\n" + "\n".join(
    f"x{i} ~~ " + " + ".join(f"x{j}" for j in range(i, 5)) for i in range(1, 5)
)  # fmt: skip


def test_gradient_and_hessian_are_those_of_the_likelihood() -> None:
    """With an item within teams only, a variable of the team, and a loading that is equal at both levels."""
    text = "level: 1\nfw =~ x1 + a*x2 + x3 + x4\nlevel: 2\nfb =~ x1 + a*x2 + x3 + z"
    data = teams(1)
    model, summaries = model_of(text, data, "team")
    start = fit(text, data, cluster="team").theta
    assert start is not None
    theta = start + np.random.default_rng(2).normal(size=start.size) * 0.02
    _, gradient, hessian = model_derivatives(model, summaries, theta)
    steps = np.eye(theta.size) * 1e-5
    pairs = [
        (model_derivatives(model, summaries, theta + h), model_derivatives(model, summaries, theta - h)) for h in steps
    ]
    np.testing.assert_allclose(gradient, [(up[0] - down[0]) / 2e-5 for up, down in pairs], atol=1e-4)
    np.testing.assert_allclose(hessian, [(up[1] - down[1]) / 2e-5 for up, down in pairs], atol=1e-2, rtol=1e-5)
    np.testing.assert_allclose(model_scores(model, summaries, theta).sum(axis=0), -gradient, atol=1e-8)


def test_within_means_are_free_only_for_items_without_a_part_between() -> None:
    result = fit("level: 1\nfw =~ x1 + x2 + x3 + x4\nlevel: 2\nfb =~ x1 + x2 + x3", teams(2), cluster="team")
    free = {(row.lhs, row.level) for row in result.parameters if row.op == "~1" and row.free}
    assert free == {("x4", 1), ("x1", 2), ("x2", 2), ("x3", 2)}
    assert result.parameter("x4", "~1", level=1).est == pytest.approx(teams(2)["x4"].mean(), abs=0.1)
    assert result.extra["icc"]["x4"] == 0.0


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.permutations(range(1, 5)))
def test_order_of_items_and_teams_does_not_matter(seed: int, order: list[int]) -> None:
    data = teams(seed)
    plain = fit(MODEL, data, cluster="team")
    items = " + ".join(f"x{i}" for i in order)
    other = fit(
        f"level: 1\nfw =~ {items}\nlevel: 2\nfb =~ {items}",
        data.sample(frac=1.0, random_state=1).assign(team=lambda d: "team " + (99 - d["team"]).astype(str)),
        cluster="team",
    )
    for measure in ("logl", "chisq", "baseline.chisq", "srmr_within", "srmr_between"):
        assert other.fit[measure] == pytest.approx(plain.fit[measure], rel=1e-5, abs=1e-5)
    for item in ("x1", "x4"):
        own, theirs = (r.parameter(item, "~~", item, level=2).est for r in (plain, other))
        assert theirs == pytest.approx(own, abs=1e-6)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_rescaling_moves_nothing_that_is_standardised(seed: int) -> None:
    data = teams(seed)
    plain = fit(MODEL, data, cluster="team", estimator="MLR")
    scaled = data.assign(x1=data["x1"] * 10 + 3, x3=data["x3"] * 0.2)
    other = fit(MODEL, scaled, cluster="team", estimator="MLR")
    # lavaan's way of making an improper between matrix proper before SRMR depends on the items' units, and so does ours
    between = () if plain.has_problem(NOT_POSITIVE_DEFINITE) else ("srmr_between",)
    for measure in ("chisq", "chisq.scaled", "cfi", "srmr_within", *between):
        assert other.fit[measure] == pytest.approx(plain.fit[measure], rel=1e-4, abs=1e-5)
    for row in plain.parameters:
        if row.op == "=~" and math.isfinite(row.std_all):
            assert other.parameter(row.lhs, "=~", row.rhs, level=row.level).std_all == pytest.approx(
                row.std_all, abs=1e-5
            )


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_equal_loadings_never_fit_better(seed: int) -> None:
    data = teams(seed)
    equal = "level: 1\nfw =~ x1 + a*x2 + b*x3 + c*x4\nlevel: 2\nfb =~ x1 + a*x2 + b*x3 + c*x4"
    free, tied = fit(MODEL, data, cluster="team"), fit(equal, data, cluster="team")
    assert tied.fit["df"] == free.fit["df"] + 3
    assert tied.fit["logl"] <= free.fit["logl"] + 1e-7


def test_a_saturated_between_part_leaves_the_within_model_to_be_tested() -> None:
    data = teams(3)
    partly = fit("level: 1\nfw =~ x1 + x2 + x3 + x4\n" + SATURATED, data, cluster="team")
    both = fit(MODEL, data, cluster="team")
    assert partly.fit["df"] == 2
    assert partly.fit["logl"] >= both.fit["logl"]
    assert partly.fit["chisq"] <= both.fit["chisq"]
    assert partly.fit["srmr_between"] < 0.01


def test_a_model_saturated_at_both_levels_has_chi_square_zero() -> None:
    data = teams(4)
    saturated = fit("level: 1\nfw =~ x1 + x2 + x3\nlevel: 2\nfb =~ x1 + x2 + x3", data, cluster="team")
    assert saturated.fit["df"] == 0
    assert saturated.fit["chisq"] == pytest.approx(0.0, abs=1e-6)
    assert saturated.fit["srmr_within"] == pytest.approx(0.0, abs=1e-6)


def test_an_improper_model_likelier_than_the_saturated_one_has_chi_square_zero() -> None:
    """Three items of the study: the model's between matrix is not positive definite, the saturated one must be."""
    text = "level: 1\nfw =~ er1 + er2 + er3\nlevel: 2\nfb =~ er1 + er2 + er3"
    result = fit(text, load_data("simstudy_complete"), cluster="team_id")
    assert result.fit["logl"] > result.fit["unrestricted.logl"]
    assert (result.fit["chisq"], result.fit["df"], result.fit["cfi"]) == (0.0, 0, 1.0)
    assert result.has_problem(NOT_POSITIVE_DEFINITE)


def test_the_result_does_not_depend_on_the_run() -> None:
    first, second = (fit(MODEL, teams(5), cluster="team", estimator="MLR").to_dict() for _ in range(2))
    assert first == second


def test_a_modification_index_foresees_what_freeing_a_parameter_brings() -> None:
    """x1 and x2 share something within teams that the model leaves out."""
    data = teams(10, n_teams=150)
    shared = np.random.default_rng(11).normal(size=len(data)) * 0.35
    data = data.assign(x1=data["x1"] + shared, x2=data["x2"] + shared)
    plain = fit(MODEL, data, cluster="team")
    largest = plain.modification_indices[0]
    assert (largest.op, largest.level) == ("~~", 1)
    freed = fit(MODEL.replace("level: 2", f"{largest.lhs} ~~ {largest.rhs}\nlevel: 2"), data, cluster="team")
    drop = plain.fit["chisq"] - freed.fit["chisq"]
    assert drop == pytest.approx(largest.mi, rel=0.25)
    assert freed.parameter(largest.lhs, "~~", largest.rhs, level=1).est == pytest.approx(largest.epc, rel=0.5)


def test_more_between_parameters_than_teams_are_refused_in_a_sentence() -> None:
    data = load_data("simstudy_complete")
    items = " + ".join(f"{scale}{i}" for scale in ("er", "st", "co") for i in range(1, 7))
    result = fit(f"level: 1\nfw =~ {items}\nlevel: 2\nfb =~ {items}", data, cluster="team_id")
    assert not result.has_estimates
    assert result.has_problem(FEWER_CLUSTERS_THAN_PARAMETERS)
    assert result.warnings == [
        "The model between teams has 54 parameters and there are only 36 teams: it cannot be estimated. Fit fewer items "
        "at a time, or a simpler model between teams."
    ]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda d: d.assign(x2=3.0), NO_VARIANCE),
        (lambda d: d.assign(x2=d["team"]), NO_VARIANCE),
        (lambda d: d.assign(x2=d["x1"]), NOT_POSITIVE_DEFINITE),
        (lambda d: d.assign(team=1), TOO_FEW_TEAMS),
        (lambda d: d.assign(team=np.arange(len(d))), TOO_FEW_OBSERVATIONS),
        (lambda d: d.head(3), TOO_FEW_OBSERVATIONS),
        (lambda d: d.groupby("team").head(1), TOO_FEW_OBSERVATIONS),
    ],
)
def test_what_the_data_do_not_allow_is_named(spoil: Any, code: str) -> None:
    result = fit(MODEL, spoil(teams(6)), cluster="team")
    assert not result.converged
    assert not result.has_estimates
    assert result.has_problem(code)


def test_a_team_variable_that_differs_within_a_team_is_named() -> None:
    data = teams(7)
    text = "level: 1\nfw =~ x1 + x2 + x3\nlevel: 2\nfb =~ x1 + x2 + x3 + z"
    assert fit(text, data, cluster="team").converged
    result = fit(text, data.assign(z=np.arange(len(data))), cluster="team")
    assert result.has_problem(NO_VARIANCE)
    assert "differs within a team" in result.warnings[0]


def test_a_model_without_identification_is_named() -> None:
    """Whatever the minimisation left of the gradient: the Hessian of seeds 8 and 18 has no zero, the Jacobian has."""
    model = "level: 1\nfw =~ NA*x1 + x2 + x3 + x4\nlevel: 2\nfb =~ x1 + x2 + x3 + x4"
    for seed in (*range(10), 13, 18):
        result = fit(model, teams(seed), cluster="team")
        assert result.has_problem(NOT_IDENTIFIED), seed
        assert result.vcov is None
    two_items = fit("level: 1\nfw =~ x1 + x2\nlevel: 2\nfb =~ x1 + x2", teams(8), cluster="team")
    assert two_items.has_problem(NOT_IDENTIFIED)
    assert not two_items.has_estimates


@pytest.mark.parametrize("options", [{"estimator": "MLM"}, {"missing": "fiml"}, {"group": "school"}, {"cluster": None}])
def test_what_two_levels_do_not_go_with_is_said(options: dict[str, Any]) -> None:
    data = teams(9).assign(school=lambda d: d["team"] % 2)
    with pytest.raises(AnalysisInputError):
        fit(MODEL, data, **{"cluster": "team"} | options)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(["ML", "MLR"]))
def test_whatever_the_data_there_is_a_result_or_a_reason(seed: int, two_level: bool, estimator: str) -> None:
    """Few respondents, few teams, rounded, constant or dependent items, holes: no traceback, and JSON without NaN."""
    random = np.random.default_rng(seed)
    n, p = int(random.integers(1, 60)), int(random.integers(2, 6))
    values = random.normal(size=(n, p)) + random.normal(size=(n, 1)) * random.uniform(0, 2)
    spoil = random.integers(0, 5)
    if spoil == 0:
        values = np.clip(np.round(values + 2.5), 1, 4)
    elif spoil == 1:
        values[:, 1] = values[:, 0] * 2
    elif spoil == 2:
        values[:, 0] = 3.0
    elif spoil == 3:
        values = np.sign(values)
    items = [f"x{i}" for i in range(p)]
    data = pd.DataFrame(values * 10.0 ** random.uniform(-4, 4), columns=items)
    if seed % 2:
        data = data.mask(random.random(data.shape) < random.uniform(0, 0.8))
    data["team"] = random.integers(0, int(random.integers(1, 20)), n)
    line = " + ".join(items)
    if two_level:
        result = fit(f"level: 1\nf =~ {line}\nlevel: 2\ng =~ {line}", data, cluster="team", estimator=estimator)
    else:
        cluster = "team" if estimator == "MLR" and seed % 3 else None
        result = fit(f"f =~ {line}", data, missing="fiml", cluster=cluster, estimator=estimator)
    json.dumps(result.to_dict(), allow_nan=False)
    assert result.converged or result.problems
    assert result.fit or result.problems


def test_srmr_needs_variances() -> None:
    assert math.isnan(standardised_residual(np.eye(2), np.diag([1.0, -0.1])))
