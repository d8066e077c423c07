"""The command line as a public contract: keys, exit codes, sentences, text."""

import json
from pathlib import Path

import pytest

from analysis.psychometrics.__main__ import main

from .conftest import ORACLES, load_oracle

MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
HS = str(ORACLES / "hs1939.csv")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(list(arguments))
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_cfa_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "cfa", HS, "--model", MODEL, "--estimator", "MLM", "--json")
    result, expected = json.loads(out), load_oracle("hs1939_cfa")["fits"]["3f__mlm"]
    assert (code, err) == (0, "")
    for key in ("converged", "warnings", "n_obs", "n_free_parameters"):
        assert result[key] == expected[key]
    assert result["fit"] == pytest.approx(expected["fit"], rel=1e-5)
    for parameter, row in zip(result["parameters"], expected["parameters"], strict=True):
        assert parameter["lhs"] + parameter["op"] + parameter["rhs"] == row["lhs"] + row["op"] + row["rhs"]
        for name in ("est", "se", "z", "pvalue", "std.all"):
            assert parameter[name] == (None if row[name] is None else pytest.approx(row[name], rel=1e-5, abs=1e-12))
    assert result["factor_correlations"]["rows"] == ["visual", "textual", "speed"]
    assert result["modification_indices"][0]["mi"] == pytest.approx(36.4110165612357)


def test_model_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "three.lav"
    path.write_text("# the classic\n" + MODEL, encoding="utf-8")
    from_file = run(capsys, "cfa", HS, "--model", str(path), "--json")
    assert from_file == run(capsys, "cfa", HS, "--model", MODEL.replace("\n", "\\n"), "--json")


def test_clusters_choose_robust_errors(capsys: pytest.CaptureFixture[str]) -> None:
    data = str(ORACLES / "simstudy_complete.csv")
    model = "er =~ er1 + er2 + er3 + er4 + er5 + er6"
    _, out, _ = run(capsys, "cfa", data, "--model", model, "--cluster", "team_id", "--json", "--no-modification")
    result = json.loads(out)
    assert (result["estimator"], result["n_clusters"], result["modification_indices"]) == ("MLR", 36, [])


def test_groups_have_numbers_and_labels(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "cfa", HS, "--model", MODEL, "--group", "school", "--group-equal", "loadings", "--std-lv", "--json"
    )
    result = json.loads(out)
    assert code == 0
    assert result["group_labels"] == ["Pasteur", "Grant-White"]
    assert {row["group"] for row in result["parameters"]} == {1, 2}
    assert set(result["factor_correlations"]) == {"Pasteur", "Grant-White"}


def test_two_levels_in_the_model_make_a_two_level_fit(capsys: pytest.CaptureFixture[str]) -> None:
    data = str(ORACLES / "simstudy_complete.csv")
    items = "er1 + er2 + er3 + er4 + er5 + er6"
    model = f"level: 1\nerw =~ {items}\nlevel: 2\nerb =~ {items}"
    code, out, _ = run(capsys, "cfa", data, "--model", model, "--cluster", "team_id", "--json")
    result = json.loads(out)
    assert (code, result["estimator"]) == (0, "ML")
    assert {row["level"] for row in result["parameters"]} == {1, 2}
    assert set(result["factor_correlations"]) == {"within", "team_id"}


@pytest.mark.parametrize("estimator", ["ML", "MLR", "WLSMV"])
def test_cfa_as_text(capsys: pytest.CaptureFixture[str], estimator: str) -> None:
    data = str(ORACLES / "hs1939_ordinal.csv")
    code, out, _ = run(capsys, "cfa", data, "--model", MODEL, "--estimator", estimator)
    assert code == 0
    for part in ("converged", "Chi-square", "CFI", "visual =~ x2", "visual with textual", "Largest modification"):
        assert part in out
    assert max(len(line) for line in out.splitlines()) <= 120


def test_groups_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "cfa", HS, "--model", MODEL, "--group", "school")
    assert "Group Pasteur" in out
    assert "Group Grant-White" in out


def test_compare(capsys: pytest.CaptureFixture[str]) -> None:
    models = load_oracle("hs1939_cfa")["models"]
    arguments = ["compare", HS, "--model", f"2f={models['2f']}", f"3f={models['3f']}", "--estimator", "MLR"]
    _, out, _ = run(capsys, *arguments, "--json")
    result = json.loads(out)
    expected = load_oracle("hs1939_cfa")["model_comparison"]["3f_vs_2f__mlr"]["table"]
    assert [row["model"] for row in result["table"]] == ["3f", "2f"]
    assert result["table"][1]["Chisq diff"] == pytest.approx(expected[1]["Chisq diff"], rel=1e-5)
    assert set(result["fits"]) == {"2f", "3f"}
    code, text, _ = run(capsys, *arguments)
    assert code == 0
    assert "72.099" in text


def test_names_of_models(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("g =~ x1 + x2 + x3 + x4", encoding="utf-8")
    equal = "g =~ NA*x1 + a*x1 + a*x2 + x3 + x4\ng ~~ 1*g"
    _, out, _ = run(capsys, "compare", HS, "--model", str(path), "--model", equal, "--json")
    assert [row["model"] for row in json.loads(out)["table"]] == ["one", "model2"]
    code, _, err = run(capsys, "compare", HS, "--model", f"a={MODEL}", f"a={MODEL}")
    assert (code, "two models are called 'a'" in err) == (2, True)


def test_invariance(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["invariance", HS, "--model", MODEL, "--group", "school", "--levels", "configural,metric"]
    _, out, _ = run(capsys, *arguments, "--json")
    result = json.loads(out)
    assert result["metric"]["fit"]["chisq"] == pytest.approx(124.043544174888)
    assert [row["model"] for row in result["lrt"]["table"]] == ["configural", "metric"]
    code, text, _ = run(capsys, *arguments)
    assert code == 0
    assert "metric" in text
    assert "difference test" in text


def test_invariance_without_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "invariance", HS, "--model", MODEL, "--group", "id")
    assert code == 2
    assert "no result" in out
    assert err.count("too few for 9 items") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cfa", "nowhere.csv", "--model", MODEL], "nowhere.csv"),
        (["cfa", HS, "--model", "nowhere.lav"], "there is no file 'nowhere.lav'"),
        (["cfa", HS, "--model", "f =~ x1 + + x2"], "line 1, column 11"),
        (["cfa", HS, "--model", "f =~ x1 + x2 + q9"], "no column 'q9'"),
        (["cfa", HS, "--model", "f =~ x1 + x2 + school"], "holds text"),
        (["cfa", HS, "--model", MODEL, "--estimator", "REML"], "REML"),
        (["cfa", HS], "--model"),
        (["cfa", HS, "--model", MODEL, "--cluster", "q9"], "no column 'q9'"),
        (["cfa", HS, "--model", MODEL, "--group-equal", "all"], "not 'all'"),
        (["cfa", HS, "--model", "f =~ x1 + x2"], "not identified"),
        (["compare", HS, "--model", MODEL], "at least two"),
        (["invariance", HS, "--model", MODEL, "--group", "q9"], "no column 'q9'"),
        ([], "COMMAND"),
        (["fit"], "fit"),
    ],
)
def test_bad_input_ends_with_2_and_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_failure_is_also_a_named_result(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "cfa", HS, "--model", "f =~ x1 + x2", "--json")
    result = json.loads(out)
    assert code == 2
    assert result["problems"][0]["code"] == "not_identified"
    assert result["warnings"] == [err.strip()]
    assert not result["converged"]
