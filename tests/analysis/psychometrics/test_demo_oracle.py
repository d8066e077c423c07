"""The demo study's own data as one more oracle: R with lavaan 0.6-14 and psych, made by tests/oracles/demo.R."""

import math
from functools import cache
from typing import Any

import pytest

from analysis.demo.simulation import ITEMS, response_frame, simulate
from analysis.psychometrics import FitResult, fit
from analysis.psychometrics.scales.reliability import reliability
from analysis.psychometrics.teams.icc import nesting
from tests.analysis.psychometrics import tolerances as tol
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import Excluded
from tests.oracles.demo_answers import MOST_OPEN

ORACLE = load_oracle("demo")
OPTIONS: dict[str, dict[str, Any]] = {
    "ml": {},
    "mlm": {"estimator": "MLM"},
    "mlr_cluster": {"estimator": "MLR", "cluster": "team"},
    "fiml": {"missing": "fiml"},
    "fiml_mlr_cluster": {"missing": "fiml", "estimator": "MLR", "cluster": "team"},
}
EXCLUDED = (
    Excluded("gfi", "lavaan 0.6 calls gfi what 0.7 and we call gfi_lisrel"),
    Excluded("agfi", "as gfi"),
    Excluded("pgfi", "with missing answers we do not report it"),
)
SINGLE_LEVEL = [name for name in ORACLE["fits"] if "twolevel" not in name]
CHISQ = ("chisq", "logl", "aic", "bic", "cn_", "ecvi")


@cache
def our_fit(name: str) -> FitResult:
    model, _, variant = name.partition("__")
    options = {"cluster": "team"} if model == "OD_twolevel" else OPTIONS[variant]
    return fit(ORACLE["models"][model], load_data("demo"), **options)


def test_the_data_are_those_the_demo_shows() -> None:
    answers = response_frame(simulate().main)
    items = list(ITEMS)
    kept = answers[(answers["eligibility"] == "yes") & (answers[items].isna().mean(axis=1) <= MOST_OPEN)]
    assert load_data("demo")[items].reset_index(drop=True).equals(kept[items].reset_index(drop=True))
    assert load_data("demo")["team"].tolist() == kept["team"].tolist()


@pytest.mark.parametrize("name", SINGLE_LEVEL)
def test_fit_measures(name: str) -> None:
    fiml = "fiml" in name

    def tolerance(path: str) -> float:
        if path.startswith(CHISQ) or "chisq" in path:
            return tol.FIML_CHISQ if fiml else tol.MLR_SCALING
        return tol.FIML_CHISQ if fiml else tol.ML_RMSEA_CI

    excluded = {quantity.name for quantity in EXCLUDED}
    assert compare(dict(our_fit(name).fit), ORACLE["fits"][name]["fit"], tolerance, excluded=excluded) == []


@pytest.mark.parametrize("name", list(ORACLE["fits"]))
def test_parameters(name: str) -> None:
    result, expected = our_fit(name), ORACLE["fits"][name]
    assert (result.n_obs, result.n_free_parameters) == (expected["n_obs"], expected["n_free_parameters"])
    assert len(result.parameters) == len(expected["parameters"])
    two_level = "twolevel" in name
    # lavaan's two-level optimum is refined with a numerical information matrix only: its gradient is 4e-7
    allowed = 1e-4 if two_level else tol.FIML_ESTIMATE if "fiml" in name else tol.ML_ESTIMATE
    for row in expected["parameters"]:
        own = result.parameter(row["lhs"], row["op"], row["rhs"], level=row.get("level"))
        assert own.est == pytest.approx(row["est"], abs=allowed)
        assert own.se == pytest.approx(row["se"], rel=tol.TWO_LEVEL_SE_REL if two_level else tol.FIML_SE_REL)
        if "std.all" in row and math.isfinite(own.std_all):
            assert own.std_all == pytest.approx(row["std.all"], abs=allowed)


@pytest.mark.parametrize("name", list(ORACLE["fits"]))
def test_modification_indices(name: str) -> None:
    found = {(row.lhs, row.op, row.rhs, row.level): row for row in our_fit(name).modification_indices}
    # at two levels lavaan's estimates are refined with a numerical information matrix only
    allowed = tol.TWO_LEVEL_SE_REL if "twolevel" in name else tol.MODIFICATION_REL
    for row in ORACLE["fits"][name]["modification_indices_top5"]:
        mine = found[row["lhs"], row["op"], row["rhs"], row.get("level")]
        assert (mine.mi, mine.epc) == pytest.approx((row["mi"], row["epc"]), rel=allowed)
        assert mine.sepc_lv == pytest.approx(row["sepc.lv"], rel=10.0 * allowed)
        # between two items with negative residual variances nothing is standardised
        if math.isfinite(mine.sepc_all):
            assert mine.sepc_all == pytest.approx(row["sepc.all"], rel=10.0 * allowed)


def test_two_levels() -> None:
    """lavaan's saturated model is where its EM stopped on the way to a singular between matrix; ours is likelier."""
    ours, expected = our_fit("OD_twolevel__ml").fit, ORACLE["fits"]["OD_twolevel__ml"]["fit"]
    assert ours["logl"] == pytest.approx(expected["logl"], abs=tol.TWO_LEVEL_LOGL)
    assert 0.0 <= ours["unrestricted.logl"] - expected["unrestricted.logl"] <= 0.1
    assert ours["chisq"] == pytest.approx(expected["chisq"], abs=0.2)
    assert ours["srmr_within"] == pytest.approx(expected["srmr_within"], abs=tol.TWO_LEVEL_CHISQ)
    assert ours["df"] == expected["df"]


@pytest.mark.parametrize("scale", list(ORACLE["scales"]))
def test_scales(scale: str) -> None:
    expected = ORACLE["scales"][scale]
    items = [f"{scale}{number}" for number in range(1, 7)]
    data = load_data("demo").dropna(subset=items)
    score = data[items].mean(axis=1)
    assert (len(data), score.mean(), score.std()) == pytest.approx(
        (expected["n"], expected["mean"], expected["sd"]), abs=tol.DESCRIPTIVES
    )
    assert reliability(data[items]).alpha_raw == pytest.approx(expected["alpha_raw"], abs=tol.DESCRIPTIVES)
    nested = nesting(score, data["team"])
    assert (nested.icc1, nested.icc2) == pytest.approx((expected["icc1"], expected["icc2"]), abs=tol.DESCRIPTIVES)
