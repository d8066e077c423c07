"""Multi-group models against lavaan: every level of invariance, its difference tests, and releasing equalities."""

from functools import cache
from typing import Any

import pytest

from analysis.psychometrics.entry.invariance import InvarianceResult, invariance
from analysis.psychometrics.errors import AnalysisInputError

from . import tolerances as tol
from .conftest import load_data, load_oracle
from .test_cfa_oracles import tolerance

STUDIES = {
    "hs1939": ("hs1939_cfa", "invariance_school", "hs1939", "school"),
    "simstudy": ("simstudy_cfa", "invariance_school_type", "simstudy_complete", "school_type"),
}
LEVELS = ("configural", "metric", "scalar", "strict", "means")
VARIANTS = {"hs1939": ("ml", "mlm", "mlr"), "simstudy": ("ml", "mlr_cluster")}
PAIRS = [(study, variant) for study in STUDIES for variant in VARIANTS[study]]
FITS = [
    (study, level, variant)
    for study, variant in PAIRS
    for level in LEVELS
    if f"{level}__{variant}" in load_oracle(STUDIES[study][0])[STUDIES[study][1]]
]


def oracle_of(study: str) -> dict[str, Any]:
    file, key, _, _ = STUDIES[study]
    return load_oracle(file)[key]


@cache
def our_invariance(study: str, variant: str) -> InvarianceResult:
    _, _, data, group = STUDIES[study]
    cluster = "team_id" if variant.endswith("cluster") else None
    levels = [level for level in LEVELS if f"{level}__{variant}" in oracle_of(study)]
    return invariance(
        oracle_of(study)["model"], load_data(data), group,
        levels=levels, estimator=variant.split("_")[0].upper(), cluster=cluster,
    )  # fmt: skip


def test_every_fit_of_the_oracle_is_tested() -> None:
    for study in STUDIES:
        names = {name for name in oracle_of(study) if "__" in name and not name.startswith("lrt")}
        assert names == {f"{level}__{variant}" for s, level, variant in FITS if s == study}


@pytest.mark.parametrize(("study", "level", "variant"), FITS)
def test_fit_measures(study: str, level: str, variant: str) -> None:
    ours, expected = our_invariance(study, variant).fits[level], oracle_of(study)[f"{level}__{variant}"]
    wrong = {
        name: (ours.fit[name], value)
        for name, value in expected["fit"].items()
        if value is not None and not abs(ours.fit[name] - value) <= tolerance(name, variant, value)
    }
    assert wrong == {}
    assert (ours.n_obs, ours.n_free_parameters) == (expected["n_obs"], expected["n_free_parameters"])
    assert set(ours.factor_correlations) == set(expected["factor_correlations"])


@pytest.mark.parametrize(("study", "level", "variant"), FITS)
def test_parameters(study: str, level: str, variant: str) -> None:
    ours, expected = our_invariance(study, variant).fits[level], oracle_of(study)[f"{level}__{variant}"]
    se_rel = tol.MLR_SE_REL if variant.startswith("mlr") else tol.ML_SE_REL
    assert len(ours.parameters) == len(expected["parameters"])
    for row in expected["parameters"]:
        own = ours.parameter(row["lhs"], row["op"], row["rhs"], group=row["group"]).to_dict()
        assert own.get("label") == row.get("label")
        for name in ("est", "std.lv", "std.all"):
            assert own[name] == pytest.approx(row[name], abs=tol.ML_ESTIMATE * max(1.0, abs(row[name])))
        for name in ("se", "std.all.se"):
            assert own[name] == pytest.approx(row[name], rel=se_rel, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_modification_indices(level: str) -> None:
    study, variant = "hs1939", "ml"  # the oracle has them for this run alone
    expected = oracle_of(study)[f"{level}__{variant}"]
    ours = {
        (row.lhs, row.op, row.rhs, row.group): row.to_dict()
        for row in our_invariance(study, variant).fits[level].modification_indices
    }
    assert len(ours) == expected["modification_indices_n"]
    for row in expected["modification_indices_top10"]:
        mine = ours[row["lhs"], row["op"], row["rhs"], row["group"]]
        for name in ("mi", "epc", "sepc.lv", "sepc.all"):
            assert mine[name] == pytest.approx(row[name], rel=tol.MODIFICATION_REL)


@pytest.mark.parametrize(("study", "variant"), PAIRS)
def test_difference_tests(study: str, variant: str) -> None:
    comparison = our_invariance(study, variant).comparison
    assert comparison is not None
    for row, expected in zip(comparison.rows, oracle_of(study)[f"lrt__{variant}"]["table"], strict=True):
        own = row.to_dict()
        assert (own["model"], own["Df"], own["Df diff"]) == (
            expected["model"], expected["Df"], expected["Df diff"],
        )  # fmt: skip
        for name in ("AIC", "BIC", "Chisq", "Chisq diff", "RMSEA", "Pr(>Chisq)"):
            if expected.get(name) is not None:
                assert own[name] == pytest.approx(expected[name], rel=tol.MLR_SCALING, abs=tol.ML_CHISQ)


@pytest.mark.parametrize("level", ["metric", "scalar", "strict", "means"])
def test_releasing_equalities(level: str) -> None:
    expected = oracle_of("hs1939")[f"{level}__ml"]["score_test_release_constraints"]
    ours = our_invariance("hs1939", "ml").equality_tests[level].to_dict()
    assert ours["total"][0]["df"] == expected["total"][0]["df"]
    for name in ("X2", "p.value"):
        assert ours["total"][0][name] == pytest.approx(expected["total"][0][name], rel=tol.MODIFICATION_REL)
        mine = [row[name] for row in ours["univariate"]]
        assert mine == pytest.approx([row[name] for row in expected["univariate"]], rel=tol.MODIFICATION_REL)


def test_a_column_with_one_group_is_refused() -> None:
    data = load_data("hs1939").assign(all="one")
    with pytest.raises(AnalysisInputError, match="1 group"):
        invariance(oracle_of("hs1939")["model"], data, "all")


def test_unknown_level_is_refused() -> None:
    with pytest.raises(AnalysisInputError, match="unknown level 'partial'"):
        invariance(oracle_of("hs1939")["model"], load_data("hs1939"), "school", levels=["partial"])
