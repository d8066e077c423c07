"""Difference tests of nested models against lavTestLRT."""

from functools import cache

import pytest

from analysis.psychometrics import FitResult, fit
from analysis.psychometrics.entry.compare import compare
from analysis.psychometrics.errors import AnalysisInputError
from analysis.psychometrics.problems import NOT_COMPARABLE

from . import tolerances as tol
from .conftest import load_data, load_oracle
from .tolerances import Excluded

FILES = {"hs1939_cfa": "hs1939", "bfi_cfa": "bfi", "simstudy_cfa": "simstudy_complete", "simstudy_fiml": ""}
EXCLUDED = Excluded(
    "satorra.bentler.2010",
    "its extra model is the larger one at the smaller one's parameters, which lavaan maps by name: where factor names "
    "differ the statistic is one of start values (it comes out negative for hs1939), not of the data",
)
CASES = [
    (file, name)
    for file in FILES
    for name in load_oracle(file)["model_comparison"]
    if EXCLUDED.name not in name
]  # fmt: skip


@cache
def our_fit(file: str, model: str, variant: str) -> FitResult:
    data = FILES[file]
    if variant == "wlsmv" and file == "hs1939_cfa":
        data = "hs1939_ordinal"
    if "fiml" in variant:
        data = "hs1939_missing" if file == "hs1939_cfa" else "simstudy_missing"
    estimator = variant.removeprefix("fiml").strip("_").split("_")[0].upper() or "ML"
    return fit(
        load_oracle(file)["models"][model], load_data(data),
        estimator=estimator, cluster="team_id" if variant.endswith("cluster") else None,
        missing="fiml" if "fiml" in variant else "listwise", modification=False,
    )  # fmt: skip


@pytest.mark.parametrize(("file", "name"), CASES)
def test_difference_test(file: str, name: str) -> None:
    models, variant, *method = name.split("__")
    expected = load_oracle(file)["model_comparison"][name]["table"]
    fits = {model: our_fit(file, model, variant) for model in models.split("_vs_")}
    ours = [row.to_dict() for row in compare(fits, method[0] if method else None).rows]
    rel = tol.WLSMV_CHISQ_REL if variant == "wlsmv" else tol.MLR_SCALING
    abs_tolerance = tol.FIML_CHISQ if "fiml" in variant else tol.ML_CHISQ
    assert [row["model"] for row in ours] == [row["model"] for row in expected]
    for mine, row in zip(ours, expected, strict=True):
        assert (mine["Df"], mine["Df diff"]) == (row["Df"], row["Df diff"])
        for column in ("Chisq", "AIC", "BIC", "Chisq diff", "Pr(>Chisq)", "RMSEA"):
            if row.get(column) is not None:
                assert mine[column] == pytest.approx(row[column], rel=rel, abs=abs_tolerance), column


def test_models_of_equal_size_are_not_nested() -> None:
    data = load_data("hs1939")
    fits = {
        "a": fit("f =~ x1 + x2 + x3 + x4\nx1 ~~ x2", data),
        "b": fit("f =~ x1 + x2 + x3 + x4\nx3 ~~ x2", data),
    }
    result = compare(fits)
    assert [problem.code for problem in result.problems] == [NOT_COMPARABLE]
    assert result.to_dict()["table"][1]["Chisq diff"] is None


def test_saturated_model_takes_part_in_a_scaled_difference_test() -> None:
    data = load_data("hs1939")
    fits = {
        "free": fit("f =~ x1 + x2 + x3", data, estimator="MLR", std_lv=True),
        "equal": fit("f =~ a*x1 + a*x2 + a*x3", data, estimator="MLR", std_lv=True),
    }
    row = compare(fits).rows[1]
    assert row.chisq_diff == pytest.approx(fits["equal"].fit["chisq.scaled"], rel=1e-9)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"model": "f =~ x1 + x2 + x3 + x4"}, "not fitted to the same items"),
        ({"estimator": "MLM"}, "not fitted by the same estimator"),
        ({"model": "f =~ x1 + x2\nx3 ~~ x3"}, "no chi-square"),
    ],
)
def test_what_cannot_be_compared_is_refused(other: dict[str, str], sentence: str) -> None:
    data = load_data("hs1939")
    options = {"model": "f =~ x1 + x2 + x3 + x5", "estimator": "ML"} | other
    with pytest.raises(AnalysisInputError, match=sentence):
        compare({"a": fit("f =~ x1 + x2 + x3 + x5", data), "b": fit(data=data, **options)})


def test_unknown_method_is_refused() -> None:
    with pytest.raises(AnalysisInputError, match="unknown difference test"):
        compare({}, "wald")


def test_one_model_is_no_comparison() -> None:
    with pytest.raises(AnalysisInputError, match="at least two"):
        compare({"a": fit("f =~ x1 + x2 + x3", load_data("hs1939"))})
