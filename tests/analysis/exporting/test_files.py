"""The files of a release: what is in them, what is not, and that SPSS files survive the way there and back."""

import csv
import dataclasses
import io
import zipfile
from xml.etree import ElementTree

import pyreadstat
import pytest
from django.utils.translation import override

from analysis.exports import csv_file, ddi, mplus, releases, rscript, spss
from analysis.exports.result_tables import codebook_rows, csv_lines, team_code
from analysis.exports.rows import DataChanged, rows_of
from analysis.models import AnalysisRun, Decision
from analysis.models.results import ReliabilityResult
from analysis.results.models_of_run import scales_of
from analysis.runs import execution
from surveys.models import SealedResponse, Survey
from teams.text.glyphs import without_controls
from tests.analysis import builders
from tests.analysis.builders import answers
from tests.analysis.exporting.odd import odd_rows
from tests.nasty import NASTY, NUL

pytestmark = pytest.mark.django_db
DDI = {"d": "ddi:codebook:2_5"}


@pytest.fixture
def survey():
    study = builders.make_study()
    Survey.objects.filter(study=study).update(background=["years", "part"])
    rows = [answers(1, "x", 3, 4, 2, 1) | {"years": "long"}] * 5 + [
        answers(2, 2, None, 3, 1, 4) | {"years": "short"}
    ] * 5
    builders.seal(builders.make_team(study, "Noord"), rows)
    builders.seal(builders.make_team(study, "Zuid"), [{}, *rows], eligibility=["no_other"] + ["yes"] * 10)
    return Survey.objects.select_related("version", "study").get(study=study)


@pytest.fixture
def run(survey):
    made = execution.request_run(survey)
    assert execution.execute(made.pk)
    return AnalysisRun.objects.select_related("survey__version", "survey__study", "plan").get(pk=made.pk)


def released(survey, run, *background, with_team=True):
    made = releases.register(survey, with_team=with_team, background=background, purpose="A check", user=None)
    return rows_of(made, survey, run)


def test_csv_has_answers_as_given_and_no_names_keys_or_background(survey, run):
    text = "".join(csv_lines(csv_file.csv_rows(released(survey, run))))
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert list(rows[0]) == ["team", "set_aside", *builders.ITEMS]
    assert sorted(row["set_aside"] for row in rows) == [""] * 20 + ["not_eligible"]
    first = next(row for row in rows if row["AA2"] == "x")
    assert (first["AA1"], first["AA3"]) == ("1", "3")
    assert next(row for row in rows if row["AA1"] == "2")["AA3"] == ""
    assert {row["team"] for row in rows} == {
        team_code(survey, pk) for pk in execution.dataset.load(survey).participations
    }
    assert "Noord" not in text
    assert not any(key in text for key in SealedResponse.objects.values_list("key", flat=True))


def test_sav_there_and_back(survey, run, tmp_path):
    SealedResponse.objects.filter(answers={}).delete()  # who may not answer left every question open: a cell of one
    rows = released(survey, run, "years", with_team=True)
    path = tmp_path / "responses.sav"
    with path.open("wb") as file:
        spss.write_sav(rows, "en", "Small", file)
    frame, meta = pyreadstat.read_sav(str(path), user_missing=True)
    assert list(frame.columns) == ["team", "set_aside", *builders.ITEMS, "years"]
    assert meta.file_label == "Small"
    assert meta.column_names_to_labels["AA1"] == "One"
    assert meta.column_names_to_labels["years"] == "How long?"
    assert meta.variable_value_labels["AA1"] == {
        1: "strongly disagree",
        2: "disagree",
        3: "agree",
        4: "strongly agree",
        98: "I cannot judge",
        99: "no answer",
    }
    assert meta.variable_value_labels["years"] == {1: "Short", 2: "Long", 99: "no answer"}
    assert [(gap["lo"], gap["hi"]) for gap in meta.missing_ranges["AA1"]] == [(98, 98), (99, 99)]
    assert meta.missing_ranges["years"][0]["lo"] == 99
    assert (meta.original_variable_types["AA1"], meta.original_variable_types["team"]) == ("F2.0", "A8")
    assert sorted(frame["AA2"].unique()) == [2, 98]
    assert sorted(frame["AA3"].unique()) == [3, 99]
    assert meta.variable_measure["AA1"] == "ordinal"
    assert frame["AA1"].tolist() == rows.codes[:, 0].tolist()
    assert frame["team"].tolist() == rows.team.tolist()
    read, _ = pyreadstat.read_sav(str(path))  # a program that honours the missing codes sees gaps
    assert read["AA2"].isna().sum() == 10


def test_labels_too_long_for_the_format_are_cut_between_characters():
    assert spss._cut("é" * 200, 255) == "é" * 127


def test_a_release_is_of_the_data_that_were_judged(survey, run):
    made = releases.register(survey, with_team=True, background=[], purpose="A check", user=None)
    builders.seal(builders.make_team(survey.study, "West"), [answers(1)])
    with pytest.raises(DataChanged):
        rows_of(made, survey, run)


def files(write, rows, run):
    archive = io.BytesIO()
    write(rows, run, archive)
    with zipfile.ZipFile(archive) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def test_r_archive_holds_data_script_and_numbers(survey, run):
    files_made = files(rscript.write_r, released(survey, run), run)
    assert set(files_made) == {"README.txt", "responses.csv", "analysis.R", "expected.csv"}
    assert '"AA" = list(items = c("AA1", "AA2", "AA3"), reverse = c("AA3"), minimum = 2)' in files_made["analysis.R"]
    alpha = ReliabilityResult.objects.get(run=run, scale_set="final", scale="BB").alpha
    assert f"final,BB,alpha,{alpha!r}" in files_made["expected.csv"]
    assert files_made == files(rscript.write_r, rows_of(survey.study.row_releases.get(), survey, run), run)


def test_without_teams_the_script_leaves_robust_errors_out(survey, run):
    assert "MLR is left out" in rscript.script(run, clustered=False)
    assert 'estimator = "MLR"' not in rscript.script(run, clustered=False)


def test_scales_are_those_of_the_run_not_of_later_decisions(survey, run):
    Decision.objects.create(study=survey.study, kind="merge", subject="AA", target="BB", reason="same")
    sets = {of.scale_set: {scale.code: scale.items for scale in of.scales} for of in scales_of(run)}
    assert sets["final"] == sets["theoretical"]
    again = execution.request_run(survey)
    assert execution.execute(again.pk)
    final = {scale.code: scale for scale in scales_of(AnalysisRun.objects.get(pk=again.pk))[1].scales}
    assert set(final["BB"].items) == {"AA1", "AA2", "AA3", "BB1", "BB2", "BB3"}
    assert final["BB"].minimum_answered == 4


def test_mplus_data_and_names(survey, run):
    rows = released(survey, run)
    lines = files(mplus.write_mplus, rows, run)["responses.dat"].splitlines()
    assert len(lines) == 20
    assert {len(line.split()) for line in lines} == {1 + 9}
    assert any(" -99 " in line for line in lines)
    text = mplus.input_file(run, "theoretical", "AA =~ AA1 + AA2 + AA3", rows, mplus.short_names(rows.items))
    assert "AA3 = 5 - AA3;" in text
    assert "AA BY AA1 AA2 AA3;" in text
    assert "CLUSTER = team;" in text
    assert max(map(len, text.splitlines())) <= 90
    assert mplus.short_names(["a_long_item_code", "b"]) == {"a_long_item_code": "v1", "b": "v2"}


def test_ddi_names_every_variable_with_categories(survey):
    root = ElementTree.fromstring(ddi.ddi_bytes(survey))
    assert root.get("version") == "2.5"
    names = [variable.get("name") for variable in root.findall("d:dataDscr/d:var", DDI)]
    assert names == ["team", "set_aside", *builders.ITEMS, "years", "part"]
    item = root.find("d:dataDscr/d:var[@name='AA3']", DDI)
    assert item.findtext("d:qstn/d:qstnLit", namespaces=DDI) == "Three"
    assert [c.findtext("d:catValu", namespaces=DDI) for c in item.findall("d:catgry", DDI)] == ["1", "2", "3", "4", "x"]
    assert [c.get("missing") for c in item.findall("d:catgry", DDI)] == ["N"] * 4 + ["Y"]
    assert item.findtext("d:derivation/d:drvdesc", namespaces=DDI)


def test_rows_that_no_analysis_read_are_not_called_analysed(survey, run, tmp_path):
    """A file before the first analysis, or with answers that came since the last one."""
    assert set(released(survey, None).set_aside) == {"not_analysed"}
    builders.seal(builders.make_team(survey.study, "West"), [answers(1)] * 5)
    rows = released(survey, run)
    assert set(rows.set_aside) == {"not_analysed"}, "the last analysis is of other answers"
    with (tmp_path / "out.sav").open("wb") as file:
        spss.write_sav(rows, "en", "Small", file)
    frame, meta = pyreadstat.read_sav(str(tmp_path / "out.sav"), user_missing=True)
    assert set(frame["set_aside"]) == {99}
    assert "not analysed" in meta.variable_value_labels["set_aside"][99]
    assert meta.missing_ranges["set_aside"][0]["lo"] == 99
    read, _ = pyreadstat.read_sav(str(tmp_path / "out.sav"))
    assert read["set_aside"].isna().all(), "SELECT IF (set_aside = 0) takes none of them"


@pytest.fixture
def odd():
    return odd_rows()


@pytest.mark.parametrize(
    ("language", "gap", "reverse"), [("nl", "geen antwoord", "omgekeerd"), ("en", "no answer", "reverse")]
)
def test_one_response_with_all_that_is_odd(odd, language, gap, reverse, tmp_path):
    with override("en" if language == "nl" else "nl"), (tmp_path / "out.sav").open("wb") as file:
        spss.write_sav(odd, language, "Titel\nop twee regels " + "é" * 80, file)
    frame, meta = pyreadstat.read_sav(str(tmp_path / "out.sav"), user_missing=True)
    assert list(frame.columns) == ["team", "set_aside", "by_", "AA2", "hours", "people", "with_"]
    assert frame.iloc[0, 2:].tolist() == [3, 98, 7.5, 1_000_000, 99], "the 99th choice is 99"
    assert meta.variable_value_labels["by_"][99] == gap, "in the language of the file, not of the page"
    assert meta.variable_value_labels["with_"][9999] == gap
    assert meta.missing_ranges["with_"][0]["lo"] == 9999
    assert "people" not in meta.missing_ranges
    assert reverse in meta.column_names_to_labels["AA2"]
    assert len(meta.column_names_to_labels["AA2"].encode()) <= 255
    assert len(meta.file_label.encode()) <= 64
    assert meta.variable_measure == {
        "team": "nominal", "set_aside": "nominal", "by_": "ordinal", "AA2": "ordinal", "hours": "scale", "people": "scale",
        "with_": "nominal",
    }  # fmt: skip
    assert (meta.original_variable_types["hours"], meta.original_variable_types["people"]) == ("F10.2", "F8.0")


def test_csv_of_one_response(odd):
    header, row = csv.reader(io.StringIO("".join(csv_lines(csv_file.csv_rows(odd))).removeprefix("\ufeff")))
    assert header == ["team", "set_aside", "by", "AA2", "hours", "people", "with"]
    assert row[1:] == ["not_analysed", "3", "x", "7.5", "1000000", "c98"]


def test_a_codebook_is_no_spreadsheet_program(odd):
    """Texts of a questionnaire that begin like a formula are texts."""
    survey = Survey.objects.select_related("version", "study").get()
    lines = list(csv.DictReader(io.StringIO("".join(csv_lines(codebook_rows(survey))).removeprefix("\ufeff"))))
    of = {line["variable"]: line for line in lines}
    assert of["by"]["text_nl"] == "'=Eén"
    assert of["set_aside"]["values_nl"].endswith("not_analysed = niet bekend: deze antwoorden zijn niet geanalyseerd")
    assert of["set_aside"]["values_en"].startswith("analysed; not_eligible = not eligible")


def test_spss_gets_a_name_for_each_column_and_its_notes_say_what_became_of_codes(odd, tmp_path):
    scale = odd.definition.scales[0]
    first, second = scale.items
    assert first.code == "by"
    items = (first, dataclasses.replace(second, code="by_"))
    definition = dataclasses.replace(odd.definition, scales=(dataclasses.replace(scale, items=items),))
    twice = dataclasses.replace(odd, definition=definition)
    with (tmp_path / "out.sav").open("wb") as file:
        spss.write_sav(twice, "nl", "Titel", file)
    frame, meta = pyreadstat.read_sav(str(tmp_path / "out.sav"), user_missing=True)
    assert list(frame.columns) == ["team", "set_aside", "by__", "by_", "hours", "people", "with_"]
    assert frame.iloc[0, 2:4].tolist() == [3, 98], "both columns are there, each its own"
    assert [note.strip() for note in meta.notes] == ["by = by__", "with = with_"]


def test_mplus_gets_no_word_of_its_language_as_a_name():
    assert mplus.short_names(["by", "AA2"]) == {"by": "v1", "AA2": "v2"}
    assert mplus.short_names(["Team", "AA2"]) == {"Team": "v1", "AA2": "v2"}
    assert mplus.short_names(["AA1", "AA2"]) == {"AA1": "AA1", "AA2": "AA2"}


@pytest.mark.parametrize("words", [*NASTY.values(), NUL], ids=[*NASTY, "NUL"])
def test_labels_of_spss_hold_whatever_people_wrote(odd, words, tmp_path):
    scale = odd.definition.scales[0]
    items = (dataclasses.replace(scale.items[0], text={"nl": words, "en": words}), *scale.items[1:])
    definition = dataclasses.replace(odd.definition, scales=(dataclasses.replace(scale, items=items),))
    with (tmp_path / "out.sav").open("wb") as file:
        spss.write_sav(dataclasses.replace(odd, definition=definition), "nl", words, file)
    _frame, meta = pyreadstat.read_sav(str(tmp_path / "out.sav"))
    label = meta.column_names_to_labels["by_"]
    assert label.startswith(" ".join(without_controls(words).split())[:40])
    assert "\n" not in label
