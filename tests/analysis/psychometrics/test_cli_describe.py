"""The commands describe, reliability and agreement: JSON under the oracle's keys, tables, and sentences on bad input."""

import json

import pytest

from analysis.psychometrics.__main__ import main
from tests.analysis.psychometrics.conftest import ORACLES, REVERSED_BFI_ITEMS, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import FIML_ESTIMATE, ICC_MIXED_MODEL

STUDY = str(ORACLES / "simstudy_missing.csv")


def scale_arguments(name):
    scales = load_oracle(f"{name}_descriptives")["scales"]
    return [part for scale, entry in scales.items() for part in ("--scale", f"{scale}={','.join(entry['items'])}")]


def run(capsys, *arguments):
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def tolerance(path):
    if path.rpartition(".")[2].endswith(("_reml", "_ml")):
        return ICC_MIXED_MODEL
    return FIML_ESTIMATE if "omega_fiml" in path or "ordinal" in path else 1e-9


def without_frequencies(items):
    return {name: {key: value for key, value in entry.items() if key != "freq"} for name, entry in items.items()}


@pytest.mark.parametrize("name", ["simstudy_missing", "hs1939"])
def test_describe(capsys, name):
    oracle = load_oracle(f"{name}_descriptives")
    ours = run(capsys, "describe", str(ORACLES / f"{name}.csv"), *scale_arguments(name), "--json")
    assert compare(ours["items"], without_frequencies(oracle["items"]), tolerance) == []
    for key in ("scale_correlations_pairwise_complete_scores", "factorability_listwise", "mardia_listwise"):
        assert compare(ours[key], oracle[key], tolerance) == []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("simstudy_missing", []),
        ("hs1939", []),
        ("bfi", ["--reverse", ",".join(REVERSED_BFI_ITEMS), "--highest", "6"]),
    ],
)
def test_reliability(capsys, name, more):
    ours = run(capsys, "reliability", str(ORACLES / f"{name}.csv"), *scale_arguments(name), *more, "--json")
    assert compare(ours["scales"], load_oracle(f"{name}_descriptives")["scales"], tolerance) == []


def test_agreement(capsys):
    arguments = [*scale_arguments("simstudy_missing"), "--cluster", "team_id", "--null", "alt_0.90=0.9"]
    ours = run(capsys, "agreement", STUDY, *arguments, "--json")
    oracle = load_oracle("simstudy_missing_descriptives")
    assert compare(ours["grouping"], oracle["grouping"], tolerance) == []
    assert compare(ours["statsBy_scale_scores"], oracle["statsBy_scale_scores"], tolerance, excluded=("g",)) == []
    assert ours["grouping"]["ia"]["rwg_j"]["skewed"]["ranvar"] == pytest.approx(0.89)


def test_scales_may_come_from_a_model_or_a_list_of_items(capsys, tmp_path):
    by_items = run(capsys, "reliability", STUDY, "--items", "ia1,ia2,ia3", "--json")["scales"]["scale"]
    by_text = run(capsys, "reliability", STUDY, "--model", "ia =~ ia1 + ia2 + ia3", "--json")["scales"]["ia"]
    path = tmp_path / "model.txt"
    path.write_text("ia =~ ia1 + ia2\n  + ia3\n", encoding="utf-8")
    by_file = run(capsys, "reliability", STUDY, "--model", str(path), "--json")["scales"]["ia"]
    assert by_items == by_text == by_file


@pytest.mark.parametrize(
    "arguments",
    [
        ["describe", STUDY],
        ["describe", STUDY, "--items", "ia1,ia2"],
        ["describe", STUDY, "--scale", "a=ia1,ia2", "--scale", "b=id1,id2"],
        ["reliability", STUDY, "--scale", "a=ia1,ia2,ia3", "--missing", "pairwise", "--level", "0.9"],
        ["reliability", STUDY, "--items", "ia1,ia2"],
        ["agreement", STUDY, "--cluster", "team_id", "--scale", "a=ia1,ia2,ia3"],
    ],
)
def test_tables_to_read(capsys, arguments):
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "{" not in out
    assert "ia1" in out or "icc1" in out


def test_reliability_table_shows_alpha_with_its_interval(capsys):
    main(["reliability", STUDY, "--scale", "ia=ia1,ia2,ia3,ia4", "--missing", "listwise"])
    assert "alpha 0.781  [0.746, 0.812]  omega total 0.783" in capsys.readouterr().out


def test_undefined_numbers_are_null_and_said(capsys, tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("team,a,b,c\n1,1,2,2\n1,2,2,3\n2,3,2,1\n2,4,2,4\n", encoding="utf-8")
    described = run(capsys, "describe", str(path), "--items", "a,b,c", "--json")
    assert described["items"]["b"]["skew_type1"] is None
    assert described["problems"][0]["code"] == "no_variance"
    scale = run(capsys, "reliability", str(path), "--items", "a,b,c", "--json")["scales"]["scale"]
    assert scale["listwise"]["problems"][0]["subject"] == "b"
    assert scale["omega_ml_listwise"]["omega_model"] is None
    run(capsys, "agreement", str(path), "--items", "a,b,c", "--cluster", "team", "--json")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["describe", "nowhere.csv"], "no file nowhere.csv"),
        (["describe", STUDY, "--items", "ia9"], "no column 'ia9'"),
        (["describe", STUDY, "--items", ","], "names no item"),
        (["describe", STUDY, "--items", "team_id"], "holds text"),
        (["reliability", STUDY], "Say which items"),
        (["reliability", STUDY, "--scale", "ia1,ia2"], "written NAME="),
        (["reliability", STUDY, "--items", "ia1,ia1"], "twice"),
        (["reliability", STUDY, "--items", "ia1,ia2", "--level", "95"], "between 0 and 1"),
        (["reliability", STUDY, "--items", "ia1,ia2", "--reverse", "ia9"], "no column 'ia9' to reverse"),
        (["reliability", STUDY, "--items", "ia1,ia2", "--reverse", "ia1", "--highest", "3"], "--highest"),
        (["reliability", STUDY, "--model", "neither"], "neither a file nor a model"),
        (["reliability", STUDY, "--model", "f =~"], "expected"),
        (["agreement", STUDY, "--cluster", "nowhere", "--items", "ia1"], "no column 'nowhere'"),
        (["agreement", STUDY, "--cluster", "team_id", "--items", "ia1", "--null", "x"], "NAME=VARIANCE"),
        (["agreement", STUDY, "--cluster", "team_id", "--items", "ia1", "--null", "x=0"], "over 0"),
        (["agreement", STUDY, "--cluster", "team_id", "--items", "ia1", "--categories", "1"], "at least 2 categories"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(capsys, arguments, sentence):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("content", ["", "a,b\n", "a,b\n1,2\n3,4,5\n", "a,b\n\x00\xff"])
def test_files_that_are_no_data(capsys, tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_bytes(content.encode("latin-1"))
    assert main(["describe", str(path)]) == 2
    assert str(path) in capsys.readouterr().err
