"""Full-information maximum likelihood against lavaan: every FIML fit of the oracle files x every quantity."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.psychometrics import FitResult, fit
from analysis.psychometrics.fiml.estimation import fiml_derivatives, incomplete_samples
from analysis.psychometrics.ml.moments import ModelStructure
from analysis.psychometrics.ml.sample import draw_sample
from analysis.psychometrics.problems import (
    FEWER_CLUSTERS_THAN_PARAMETERS,
    NEGATIVE_VARIANCE,
    NO_VARIANCE,
    NOT_IDENTIFIED,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_OBSERVATIONS,
)
from analysis.psychometrics.syntax.model import build_table
from tests.analysis.psychometrics import tolerances as tol
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import Excluded

FILES = {"simstudy_fiml": "simstudy_missing", "hs1939_cfa": "hs1939_missing", "bfi_cfa": "bfi"}
CASES = [(file, name) for file in FILES for name in load_oracle(file)["fits"] if "__fiml" in name]
EXCLUDED_MEASURES = (
    Excluded(
        "gfi_lisrel", "the README calls the gfi family version-dependent; with missing answers we do not report it"
    ),
    Excluded("agfi_lisrel", "follows from gfi_lisrel"),
    Excluded("pgfi", "follows from gfi_lisrel"),
    Excluded("gfi", "version-dependent; lavaan takes it from another statistic where robust indices were switched off"),
    Excluded("gfi.ci.lower", "follows from gfi"),
    Excluded("gfi.ci.upper", "follows from gfi"),
)
CHISQ = {"chisq", "chisq.scaled", "baseline.chisq", "baseline.chisq.scaled", "cn_05", "cn_01", "ecvi", "fmin"}
LOGL = {"logl", "unrestricted.logl", "aic", "bic", "bic2"}
COUNTS = {"npar", "df", "baseline.df", "df.scaled", "baseline.df.scaled", "ntotal"}


@cache
def our_fit(file: str, name: str) -> FitResult:
    variant = name.partition("__")[2]
    return fit(
        load_oracle(file)["models"][name.partition("__")[0]],
        load_data(FILES[file]),
        estimator="MLR" if "mlr" in variant else "ML",
        cluster="team_id" if variant.endswith("cluster") else None,
        missing="fiml",
    )


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{row['lhs']} {row['op']} {row['rhs']}": row for row in rows}


def measure_tolerance(name: str) -> float:
    if name in COUNTS:
        return 0.0
    if name in LOGL:
        return tol.FIML_LOGL
    # indices are functions of chi-squares: the robust ones, which lavaan computes as exactly, to the same digits
    return tol.FIML_CHISQ


@pytest.mark.parametrize(("file", "name"), CASES)
def test_fit_measures(file: str, name: str) -> None:
    expected = load_oracle(file)["fits"][name]["fit"]
    excluded = {quantity.name for quantity in EXCLUDED_MEASURES}
    assert compare(dict(our_fit(file, name).fit), expected, measure_tolerance, excluded=excluded) == []


@pytest.mark.parametrize(("file", "name"), CASES)
def test_parameters(file: str, name: str) -> None:
    ours = by_name(our_fit(file, name).to_dict()["parameters"])
    expected = by_name(load_oracle(file)["fits"][name]["parameters"])
    assert set(ours) == set(expected)

    def tolerance(path: str) -> float:
        what = path.rpartition(".")[2] if not path.endswith(("ci.lower", "ci.upper", "std.all.se")) else "se"
        return tol.FIML_SE_REL if what in ("se", "z", "pvalue") else tol.FIML_ESTIMATE

    assert compare(ours, expected, tolerance) == []


@pytest.mark.parametrize(("file", "name"), CASES)
def test_standard_errors_to_their_relative_tolerance(file: str, name: str) -> None:
    """The comparison above is absolute below 1, as errors are."""
    ours = by_name(our_fit(file, name).to_dict()["parameters"])
    for key, row in by_name(load_oracle(file)["fits"][name]["parameters"]).items():
        assert ours[key]["se"] == pytest.approx(row["se"], rel=tol.FIML_SE_REL)


@pytest.mark.parametrize(("file", "name"), CASES)
def test_everything_else(file: str, name: str) -> None:
    """Counts, saturated moments, factor correlations, R2, modification indices."""
    expected, result = load_oracle(file)["fits"][name], our_fit(file, name)
    ours = result.to_dict()
    assert ours["converged"] is True
    assert (ours["n_obs"], ours["n_free_parameters"]) == (expected["n_obs"], expected["n_free_parameters"])
    assert compare(ours["r_square"], expected["r_square"], tol.FIML_ESTIMATE) == []
    if len(result.factor_correlations[""].rows) > 1:  # with one factor the oracle holds its variance
        assert compare(ours["factor_correlations"], expected["factor_correlations"], tol.FIML_ESTIMATE) == []
    if "saturated_moments" in expected:
        assert compare(ours["saturated_moments"], expected["saturated_moments"], tol.FIML_ESTIMATE) == []
    if "modification_indices_top10" in expected:
        assert len(ours["modification_indices"]) == expected["modification_indices_n"]
        indices = by_name(ours["modification_indices"])
        for key, row in by_name(expected["modification_indices_top10"]).items():
            for quantity in ("mi", "epc", "sepc.lv", "sepc.all", "sepc.nox"):
                assert indices[key][quantity] == pytest.approx(row[quantity], rel=tol.MODIFICATION_REL)


def test_few_clusters_are_named() -> None:
    assert our_fit("simstudy_fiml", "6f__fiml_mlr_cluster").has_problem(FEWER_CLUSTERS_THAN_PARAMETERS)
    assert not our_fit("simstudy_fiml", "6f__fiml").problems


def answers(seed: int, n: int = 150, share: float = 0.1) -> pd.DataFrame:
    """Six items of two correlated factors, ``share`` of the answers missing."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, 2)) @ np.array([[1.0, 0.5], [0.0, 0.9]])
    loadings = np.array([0.9, 0.8, 0.7, 0.9, 0.8, 0.7])
    values = factors[:, [0, 0, 0, 1, 1, 1]] * loadings + random.normal(size=(n, 6)) * 0.7
    values[random.random((n, 6)) < share] = np.nan
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(1, 7)])


MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"


def test_gradient_and_hessian_are_those_of_the_likelihood() -> None:
    table = build_table(MODEL, mean_structure=True)
    groups = incomplete_samples(draw_sample(answers(1), table.observed, keep_missing=True))
    data = [group.patterns for group in groups]
    structure = ModelStructure(table)
    start = fit(MODEL, answers(1), missing="fiml").theta
    assert start is not None
    theta = start + np.random.default_rng(2).normal(size=start.size) * 0.05
    _, gradient, hessian = fiml_derivatives(structure, data, theta)
    steps = np.eye(theta.size) * 1e-5
    pairs = [
        (fiml_derivatives(structure, data, theta + h), fiml_derivatives(structure, data, theta - h)) for h in steps
    ]
    np.testing.assert_allclose(gradient, [(up[0] - down[0]) / 2e-5 for up, down in pairs], atol=1e-4)
    np.testing.assert_allclose(hessian, [(up[1] - down[1]) / 2e-5 for up, down in pairs], atol=1e-3)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_without_missing_answers_it_is_ordinary_maximum_likelihood(seed: int) -> None:
    data = answers(seed, share=0.0)
    ours = fit(MODEL, data, missing="fiml", modification=False)
    plain = fit(MODEL, data, mean_structure=True, modification=False)
    for name in ("chisq", "logl", "cfi", "rmsea", "srmr", "baseline.chisq"):
        assert ours.fit[name] == pytest.approx(plain.fit[name], rel=1e-7, abs=1e-7)
    np.testing.assert_allclose(ours.theta, plain.theta, atol=1e-7)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.permutations(range(3)))
def test_order_and_scale_of_items_do_not_matter(seed: int, order: list[int]) -> None:
    data = answers(seed)
    plain = fit(MODEL, data, missing="fiml", estimator="MLR", modification=False)
    shuffled = "g =~ " + " + ".join(f"x{4 + i}" for i in order) + "\nf =~ x1 + x2 + x3"
    rescaled = data * np.array([10.0, 0.1, 1.0, 3.0, 1.0, 7.0]) - 5.0
    other = fit(shuffled, rescaled, missing="fiml", estimator="MLR", modification=False)
    for name in ("chisq", "chisq.scaled", "cfi.robust", "rmsea.robust"):
        assert other.fit[name] == pytest.approx(plain.fit[name], rel=1e-5, abs=1e-6)
    for row in plain.parameters:
        assert (
            other.parameter(row.lhs, row.op, row.rhs).std_all == pytest.approx(row.std_all, abs=1e-5) or row.op == "~1"
        )


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_equal_loadings_never_fit_better(seed: int) -> None:
    data = answers(seed)
    free = fit(MODEL, data, missing="fiml", modification=False)
    equal = fit("f =~ x1 + a*x2 + a*x3\ng =~ x4 + x5 + x6", data, missing="fiml", modification=False)
    assert equal.fit["df"] == free.fit["df"] + 1
    assert equal.fit["chisq"] >= free.fit["chisq"] - 1e-7


def test_a_saturated_model_has_chi_square_zero() -> None:
    saturated = fit("f =~ x1 + x2 + x3", answers(3), missing="fiml", estimator="MLR")
    assert saturated.fit["df"] == 0
    assert saturated.fit["chisq"] == pytest.approx(0.0, abs=1e-7)
    assert saturated.fit["rmsea"] == 0.0
    assert saturated.fit["cfi.robust"] == pytest.approx(1.0)


def test_groups_add_up() -> None:
    """Without anything equal over groups each group is a model of its own."""
    data = answers(4, n=300)
    data["school"] = np.where(np.arange(300) < 130, "a", "b")
    both = fit(MODEL, data, missing="fiml", group="school", modification=False)
    single = [fit(MODEL, part, missing="fiml", modification=False) for _, part in data.groupby("school")]
    for name in ("chisq", "logl", "df", "baseline.chisq"):
        assert both.fit[name] == pytest.approx(sum(one.fit[name] for one in single), abs=1e-7)
    metric = fit(MODEL, data, missing="fiml", group="school", group_equal=["loadings"], modification=False)
    assert metric.fit["df"] == both.fit["df"] + 4
    assert metric.fit["chisq"] >= both.fit["chisq"]


def test_rows_without_answers_are_counted_as_left_out() -> None:
    data = answers(5)
    data.loc[[0, 1], :] = np.nan
    ours = fit(MODEL, data, missing="fiml")
    assert ours.n_obs == len(data.dropna(how="all"))
    assert "left out" in ours.warnings[0]


def test_the_result_does_not_depend_on_the_run() -> None:
    first, second = (fit(MODEL, answers(6), missing="fiml").to_dict() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda d: d.assign(x2=3.0), NO_VARIANCE),
        (lambda d: d.assign(x2=np.nan), TOO_FEW_OBSERVATIONS),
        (lambda d: d.head(5), TOO_FEW_OBSERVATIONS),
        (lambda d: d.head(0), TOO_FEW_OBSERVATIONS),
        (lambda d: d.assign(x2=d["x1"]), NOT_POSITIVE_DEFINITE),
        (lambda d: d.assign(x1=d["x1"].where(d.index < 70), x2=d["x2"].where(d.index >= 70)), NOT_IDENTIFIED),
    ],
)
def test_what_the_data_do_not_allow_is_named(spoil: Any, code: str) -> None:
    result = fit(MODEL, spoil(answers(7)), missing="fiml")
    assert not result.converged
    assert not result.has_estimates
    assert result.has_problem(code)


def test_a_negative_variance_is_named_beside_the_estimates() -> None:
    random = np.random.default_rng(0)
    values = random.multivariate_normal(np.zeros(3), [[1.0, 0.9, 0.9], [0.9, 1.0, 0.65], [0.9, 0.65, 1.0]], size=300)
    values[random.random((300, 3)) < 0.05] = np.nan
    result = fit("f =~ x1 + x2 + x3", pd.DataFrame(values, columns=["x1", "x2", "x3"]), missing="fiml")
    assert result.converged
    assert result.has_problem(NEGATIVE_VARIANCE)


def test_a_model_without_identification_is_named() -> None:
    result = fit("f =~ NA*x1 + x2 + x3 + x4", answers(8), missing="fiml")
    assert result.has_problem(NOT_IDENTIFIED)
    assert not result.fit
