"""Every failure is a named result or one sentence, never a traceback."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis.psychometrics import AnalysisInputError, FitResult, fit
from analysis.psychometrics.errors import DataError, ModelSyntaxError
from analysis.psychometrics.problems import (
    CASES_DROPPED,
    CORRELATION_AT_OR_OVER_ONE,
    FEWER_CLUSTERS_THAN_PARAMETERS,
    NEGATIVE_VARIANCE,
    NO_SCALED_TEST,
    NO_VARIANCE,
    NOT_CONVERGED,
    NOT_IDENTIFIED,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_OBSERVATIONS,
    TOO_FEW_TEAMS,
)

from .conftest import load_data

MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ONE_FACTOR = "f =~ a + b + c + d"


def hs() -> pd.DataFrame:
    return load_data("hs1939").copy()


def simulated(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = 0.6 * rng.normal(size=(30, 1)) + rng.normal(size=(30, 4))
    return pd.DataFrame(values, columns=list("abcd"))


def codes(result: FitResult) -> list[str]:
    json.dumps(result.to_dict(), allow_nan=False)
    assert all(problem.sentence.endswith(".") for problem in result.problems)
    return [problem.code for problem in result.problems]


@pytest.mark.parametrize(
    ("data", "code", "named"),
    [
        (hs().assign(x3=5), NO_VARIANCE, "x3"),
        (hs().assign(x3=0.1), NO_VARIANCE, "x3"),
        (hs().head(9), TOO_FEW_OBSERVATIONS, "9 complete observations"),
        (hs().head(0), TOO_FEW_OBSERVATIONS, "0 complete observations"),
        (hs().assign(x1=np.nan), TOO_FEW_OBSERVATIONS, "0 complete observations"),
        (hs().assign(x3=hs()["x1"] + hs()["x2"]), NOT_POSITIVE_DEFINITE, "not positive definite"),
        (hs().assign(x3=hs()["x1"]), NOT_POSITIVE_DEFINITE, "not positive definite"),
    ],
)
def test_data_that_allow_no_estimates(data: pd.DataFrame, code: str, named: str) -> None:
    result = fit(MODEL, data)
    assert codes(result) == [code]
    assert named in result.warnings[0]
    assert not result.converged
    assert not result.has_estimates
    assert result.to_dict()["fit"] == {}


def test_a_group_that_is_too_small_is_named() -> None:
    data = hs().assign(half=["one"] * 295 + ["two"] * 6)
    assert "'two'" in fit(MODEL, data, group="half").warnings[0]


@pytest.mark.parametrize("model", ["f =~ x1 + x2", "f =~ x1 + x2 + x3\nx1 ~~ x2"])
def test_more_parameters_than_moments(model: str) -> None:
    result = fit(model, hs())
    assert codes(result) == [NOT_IDENTIFIED]
    assert not result.has_estimates


@pytest.mark.parametrize(
    "model",
    [
        "f =~ NA*x1 + x2 + x3 + x4",
        "f =~ x1 + x2 + x3 + x4 + x5 + x6\ng =~ x1 + x2 + x3 + x4 + x5 + x6",
    ],
)
def test_not_identified_though_there_are_moments_enough(model: str) -> None:
    result = fit(model, hs())
    assert NOT_IDENTIFIED in codes(result)
    assert result.has_estimates
    assert result.to_dict()["parameters"][1]["se"] is None
    assert not result.fit


def test_heywood_case_is_named_with_its_estimates() -> None:
    result = fit(ONE_FACTOR, simulated(3))
    assert codes(result) == [NEGATIVE_VARIANCE]
    assert result.problems[0].subject == "b"
    assert result.converged
    assert result.parameter("b", "~~", "b").est < 0
    assert result.fit["chisq"] > 0
    assert result.to_dict()["r_square"]["b"] is None


def test_likelihood_without_an_optimum_is_not_converged() -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.integers(1, 5, size=(100, 3)), columns=list("abc"))
    result = fit("f =~ a + b + c", data)
    assert NOT_CONVERGED in codes(result)
    assert not result.converged
    assert result.has_estimates
    assert not result.fit


def test_second_start_values_are_tried() -> None:
    """From the first ones this likelihood runs away; from cruder ones it has an optimum."""
    assert fit(ONE_FACTOR, simulated(1)).converged


def test_factor_correlation_of_one() -> None:
    result = fit(MODEL + "\nvisual ~~ 1*textual", hs(), std_lv=True)
    assert codes(result) == [CORRELATION_AT_OR_OVER_ONE]
    # data with exactly these covariances: loadings .5, factors that correlate 1.05
    sigma = 0.25 * np.kron([[1.0, 1.05], [1.05, 1.0]], np.ones((3, 3))) + 0.75 * np.eye(6)
    raw = np.random.default_rng(5).normal(size=(200, 6))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw / 200)).T
    data = pd.DataFrame(white @ np.linalg.cholesky(sigma).T, columns=list("abcdef")).rename(columns={"f": "g"})
    over = fit("p =~ a + b + c\nq =~ d + e + g", data)
    assert codes(over) == [CORRELATION_AT_OR_OVER_ONE]
    assert over.factor_correlations[""].values[0, 1] == pytest.approx(1.05)


def test_residual_correlation_over_one() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(100, 4)) + rng.normal(size=(100, 1))
    data = pd.DataFrame(x, columns=list("abcd"))
    result = fit(ONE_FACTOR + "\na ~~ 0.3*a\nb ~~ 0.3*b\na ~~ 0.3*b", data)
    assert any("residual correlation between a and b" in sentence for sentence in result.warnings)


def test_factors_with_an_impossible_covariance_matrix() -> None:
    text = MODEL + "\nvisual ~~ .9*textual\nvisual ~~ .9*speed\ntextual ~~ -.9*speed"
    result = fit(text, hs(), std_lv=True)
    assert NOT_POSITIVE_DEFINITE in codes(result)


def test_rows_left_out_are_counted() -> None:
    data = hs()
    data.loc[:29, "x5"] = np.nan
    result = fit(MODEL, data)
    assert codes(result) == [CASES_DROPPED]
    assert result.n_obs == 271
    clusters = data.assign(team=np.where(np.arange(301) % 7 == 0, np.nan, np.arange(301) % 40))
    assert "group or cluster" in fit(MODEL, clusters, estimator="MLR", cluster="team").warnings[0]


def test_groups_stand_in_order_of_appearance_in_the_data() -> None:
    """Also where the first row of the first group is left out."""
    data = hs()
    data.loc[data["school"] == "Pasteur", "x1"] = data["x1"].where(data.index > 0)
    shuffled = pd.concat([data.iloc[[0]], data.iloc[:0:-1]], ignore_index=True)
    assert fit(MODEL, shuffled, group="school").group_labels == ("Pasteur", "Grant-White")


def test_few_clusters() -> None:
    data = hs().assign(team=np.arange(301) % 10, alone=1)
    result = fit(MODEL, data, estimator="MLR", cluster="team")
    assert codes(result) == [FEWER_CLUSTERS_THAN_PARAMETERS]
    assert result.n_clusters == 10
    assert codes(fit(MODEL, data, estimator="MLR", cluster="alone")) == [TOO_FEW_TEAMS]


def test_a_test_that_cannot_be_scaled() -> None:
    """Two teams with the same answers: their scores are zero at the estimates."""
    data = pd.concat([hs().assign(team=team) for team in (1, 2)], ignore_index=True)
    result = fit(MODEL, data, estimator="MLR", cluster="team")
    assert NO_SCALED_TEST in codes(result)
    assert result.to_dict()["fit"]["chisq.scaled"] is None
    assert result.fit["chisq"] == pytest.approx(2 * 85.3055217697941)


@pytest.mark.parametrize(
    ("estimator", "missing"),
    [
        ("MLR", "listwise"),
        ("MLR", "fiml"),
        ("WLSMV", "listwise"),
        ("WLSMV", "pairwise"),
        ("DWLS", "listwise"),
        ("ULSMV", "listwise"),
    ],
)
@pytest.mark.parametrize("teams", ["one", "alike", "two"])
def test_no_number_rests_on_teams_that_tell_nothing(estimator: str, missing: str, teams: str) -> None:
    """One team, or two that answered alike: what is zero but for rounding scales no chi-square (it was 1e30)."""
    rng = np.random.default_rng(1)
    values = np.clip(np.round(rng.normal(size=(200, 1)) + 0.8 * rng.normal(size=(200, 6)) + 2.5), 1, 4)
    data = pd.DataFrame(values, columns=[f"x{n}" for n in range(1, 7)])
    team = {"one": data.assign(team=0), "two": data.assign(team=np.arange(200) % 2)}
    team["alike"] = pd.concat([data.assign(team=0), data.assign(team=1)], ignore_index=True)
    result = fit(
        "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6", team[teams], estimator=estimator, missing=missing, cluster="team"
    )
    known = [abs(value) for value in result.fit.values() if np.isfinite(value)]
    assert max(known, default=0) < 1e5
    if teams == "two":
        assert result.converged
    else:
        assert {TOO_FEW_TEAMS, NO_SCALED_TEST} & set(codes(result))
        assert teams == "alike" or not result.has_estimates


def test_clusters_with_ml_ask_for_robust_errors() -> None:
    data = hs().assign(team=np.arange(301) % 60)
    assert fit(MODEL, data, cluster="team").to_dict() == fit(MODEL, data, cluster="team", estimator="MLR").to_dict()


@pytest.mark.parametrize(
    "frame",
    [
        hs().astype({"x3": str}),
        hs().astype({"x3": "Float64"}),
        hs().astype({"x3": "category"}),
        hs().astype({"x3": object}),
    ],
)
def test_numbers_in_any_column_type(frame: pd.DataFrame) -> None:
    assert fit(MODEL, frame).fit["chisq"] == pytest.approx(85.3055217697941, abs=1e-9)


def test_whole_numbers_and_truth_values_are_answers() -> None:
    rng = np.random.default_rng(7)
    factor = rng.normal(size=(200, 1))
    data = pd.DataFrame(factor + rng.normal(size=(200, 4)) > 0, columns=list("abcd"))
    assert fit(ONE_FACTOR, data).fit["chisq"] == pytest.approx(fit(ONE_FACTOR, data.astype(int)).fit["chisq"])


@pytest.mark.parametrize(
    ("frame", "options", "sentence"),
    [
        (hs().assign(x3="often"), {}, "column 'x3' holds text, not numbers: 'often' in data row 1"),
        (hs().drop(columns="x3"), {}, "no column 'x3'"),
        (hs().drop(columns=["x3", "x4"]), {}, "no column 'x3' or 'x4'"),
        (hs().assign(x3=np.inf), {}, "infinite"),
        (pd.concat([hs(), hs()[["x3"]]], axis=1), {}, "more than one column 'x3'"),
        (hs(), {"group": "nowhere"}, "no column 'nowhere'"),
        (hs(), {"cluster": "nowhere", "estimator": "MLR"}, "no column 'nowhere'"),
        (hs(), {"estimator": "REML"}, "unknown estimator 'REML'"),
        (hs(), {"missing": "ignore"}, "unknown treatment of missing answers"),
        (hs(), {"missing": "fiml", "estimator": "MLM"}, "goes with estimator ML or MLR"),
        (hs(), {"missing": "pairwise"}, "goes with estimator WLSMV"),
        (hs(), {"cluster": "school", "estimator": "MLM"}, "choose MLR"),
        (hs(), {"cluster": "school", "group": "school", "estimator": "MLR"}, "two different columns"),
        (hs(), {"ordered": ["x1"]}, "go with estimator WLSMV"),
        (hs(), {"group": "school", "group_equal": ["errors"]}, "not 'errors'"),
        (hs().assign(x1=hs()["x1"].where(hs()["school"] == "Pasteur")), {"group": "school"}, "'Grant-White' has no"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(frame: pd.DataFrame, options: dict, sentence: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(AnalysisInputError, match=sentence) as caught:
        fit(MODEL, frame, **options)
    assert "\n" not in str(caught.value)


def test_levels_need_clusters() -> None:
    model = "level: 1\nw =~ x1 + x2 + x3\nlevel: 2\nb =~ x1 + x2 + x3"
    with pytest.raises(AnalysisInputError, match="needs the column of the clusters"):
        fit(model, hs())
    with pytest.raises(AnalysisInputError, match="complete cases"):
        fit(model, hs(), cluster="school", missing="fiml")


def test_errors_are_values_and_kinds_of_one_error() -> None:
    assert issubclass(ModelSyntaxError, AnalysisInputError)
    assert issubclass(DataError, ValueError)


def test_parameter_lookup() -> None:
    result = fit(MODEL, hs())
    assert result.parameter("textual", "~~", "visual") == result.parameter("visual", "~~", "textual")
    with pytest.raises(KeyError):
        result.parameter("visual", "=~", "x9")
