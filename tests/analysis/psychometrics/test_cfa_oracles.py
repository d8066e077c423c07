"""Maximum likelihood against lavaan: data set x model x estimator x every quantity of the oracle files."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from analysis.psychometrics import FitResult, fit

from . import tolerances as tol
from .conftest import load_data, load_oracle
from .tolerances import Excluded

FILES = {"hs1939_cfa": "hs1939", "bfi_cfa": "bfi", "simstudy_cfa": "simstudy_complete"}
VARIANTS: dict[str, dict[str, Any]] = {
    "ml": {},
    "mlm": {"estimator": "MLM"},
    "mlmv": {"estimator": "MLMV"},
    "mlr": {"estimator": "MLR"},
    "mlr_cluster": {"estimator": "MLR", "cluster": "team_id"},
    "ml_stdlv": {"std_lv": True},
    "ml_listwise": {"data": "simstudy_missing"},
}
ELSEWHERE = {"fiml", "fiml_mlr", "wlsmv", "wlsmv_cluster", "wlsmv_listwise_missing", "wlsmv_pairwise_missing",
             "dwls", "ulsmv"}  # fmt: skip
EXCLUDED = (
    Excluded("mlmvs", "mean-and-variance adjusted test: not offered, MLMV (scaled and shifted) replaced it in lavaan"),
    Excluded("wls", "full weighted least squares: not offered, needs thousands of respondents for 36 items"),
    Excluded("gls", "generalised least squares: not offered"),
    Excluded("uls", "unweighted least squares: not offered, and version-dependent in lavaan"),
    Excluded("ml_observed_info", "errors from the observed information are tested below, by their own formula"),
)
CHISQ = {"chisq", "baseline.chisq", "logl", "unrestricted.logl", "aic", "bic", "bic2", "cn_05", "cn_01", "ecvi"}
COUNTS = {"npar", "df", "baseline.df", "df.scaled", "baseline.df.scaled", "ntotal"}


@dataclass(frozen=True)
class Case:
    """One fit of an oracle file."""

    file: str
    model: str
    variant: str

    @property
    def expected(self) -> dict[str, Any]:
        return load_oracle(self.file)["fits"][f"{self.model}__{self.variant}"]

    def __str__(self) -> str:
        return f"{self.file}-{self.model}-{self.variant}"


def all_cases() -> list[Case]:
    """Every fit of the files by one of the variants; an unknown variant fails here, so none is left out unsaid."""
    known = set(VARIANTS) | ELSEWHERE | {excluded.name for excluded in EXCLUDED}
    cases = []
    for file in FILES:
        for name in load_oracle(file)["fits"]:
            model, variant = name.split("__")
            assert variant in known, f"{file}: {name} is neither tested nor excluded"
            if variant in VARIANTS:
                cases.append(Case(file, model, variant))
    return cases


@cache
def our_fit(case: Case) -> FitResult:
    options = dict(VARIANTS[case.variant])
    data = options.pop("data", FILES[case.file])
    return fit(load_oracle(case.file)["models"][case.model], load_data(data), **options)


def tolerance(name: str, variant: str, expected: float) -> float:
    """The README's tolerance of a fit measure; a scaled chi-square inherits that of its scaling factor."""
    robust = tol.MLR_SCALING if variant.startswith("mlr") else tol.MLM_INDEX
    if name in COUNTS:
        return 0.0
    if name in CHISQ:
        return tol.ML_CHISQ
    if ".ci." in name:
        return tol.ML_RMSEA_CI
    if name.endswith("chisq.scaled"):
        return robust * max(abs(expected), 1.0)
    if "scal" in name or "robust" in name:
        return robust
    return tol.ML_INDEX


CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fit_measures(case: Case) -> None:
    ours, expected = our_fit(case).fit, case.expected["fit"]
    assert set(expected) <= set(ours)
    wrong = {
        name: (ours[name], value)
        for name, value in expected.items()
        if value is not None and not abs(ours[name] - value) <= tolerance(name, case.variant, value)
    }
    assert wrong == {}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_counts(case: Case) -> None:
    ours, expected = our_fit(case), case.expected
    assert ours.converged is expected["converged"]
    assert (ours.n_obs, ours.n_free_parameters) == (expected["n_obs"], expected["n_free_parameters"])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_parameters(case: Case) -> None:
    se_rel = tol.MLR_SE_REL if case.variant.startswith("mlr") else tol.ML_SE_REL
    ours = our_fit(case)
    assert len(ours.parameters) == len(case.expected["parameters"])
    wrong = []
    for row in case.expected["parameters"]:
        own = ours.parameter(row["lhs"], row["op"], row["rhs"]).to_dict()
        for name in ("est", "std.lv", "std.all"):
            if abs(own[name] - row[name]) > tol.ML_ESTIMATE:
                wrong.append((row["lhs"], row["op"], row["rhs"], name, own[name], row[name]))
        for name in ("se", "std.all.se", "z"):
            agreeing = None if row[name] is None else pytest.approx(row[name], rel=se_rel, abs=1e-9)
            if own[name] != agreeing:
                wrong.append((row["lhs"], row["op"], row["rhs"], name, own[name], row[name]))
        for name in ("ci.lower", "ci.upper", "pvalue"):
            if row[name] is not None and abs(own[name] - row[name]) > tol.MLR_SE_REL * max(1.0, abs(row[name])):
                wrong.append((row["lhs"], row["op"], row["rhs"], name, own[name], row[name]))
    assert wrong == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_modification_indices(case: Case) -> None:
    ours = {(row.lhs, row.op, row.rhs): row.to_dict() for row in our_fit(case).modification_indices}
    assert len(ours) == case.expected["modification_indices_n"]
    top = list(ours.values())[: len(case.expected["modification_indices_top10"])]
    for mine, row in zip(top, case.expected["modification_indices_top10"], strict=True):
        assert (mine["lhs"], mine["op"], mine["rhs"]) == (row["lhs"], row["op"], row["rhs"])
        for name in ("mi", "epc", "sepc.lv", "sepc.all", "sepc.nox"):
            assert mine[name] == pytest.approx(row[name], rel=tol.MODIFICATION_REL)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_factor_correlations_and_r_square(case: Case) -> None:
    result = our_fit(case).to_dict()
    expected = case.expected["factor_correlations"]
    if len(result["factor_correlations"]["rows"]) > 1:  # with one factor the oracle holds its variance
        assert result["factor_correlations"]["rows"] == expected["rows"]
        for value, row in zip(result["factor_correlations"]["values"], expected["values"], strict=True):
            assert value == pytest.approx(row, abs=tol.ML_ESTIMATE)
    assert result["r_square"] == pytest.approx(case.expected["r_square"], abs=tol.ML_ESTIMATE)


def test_errors_from_observed_information() -> None:
    """The bread of MLR alone: lavaan's information = 'observed'."""
    from analysis.psychometrics.ml.cfa import MaximumLikelihood, invert_information
    from analysis.psychometrics.ml.likelihood import observed_information

    oracle = load_oracle("simstudy_cfa")
    ours = fit(oracle["models"]["6f"], load_data("simstudy_complete"), mean_structure=True, modification=False)
    parts = ours.internals["ml"]
    assert isinstance(parts, MaximumLikelihood)
    inverse = invert_information(observed_information(parts.terms))
    assert inverse is not None
    assert ours.table is not None
    errors = {(row.lhs, row.op, row.rhs): math.sqrt(inverse[row.index, row.index] / ours.n_obs)
              for row in ours.table.free_rows}  # fmt: skip
    for row in oracle["fits"]["6f__ml_observed_info"]["parameters"]:
        if row["se"]:
            assert errors[row["lhs"], row["op"], row["rhs"]] == pytest.approx(row["se"], rel=tol.MLR_SE_REL)
    for name, value in oracle["fits"]["6f__ml_observed_info"]["fit"].items():
        assert ours.fit[name] == pytest.approx(value, abs=tolerance(name, "ml", value))
