import io

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from analysis import dataset, runs
from analysis.import_file import UnreadableFile, read_answers, read_map, read_table
from analysis.imports import ImportRefused, import_answers, seal
from analysis.models import AnalysisRun
from analysis.plan import locked_plan, rules
from analysis.result_models import ReliabilityResult, ScaleResult
from surveys.models import Collection, Response, Survey
from surveys.questionnaires import definition_of, import_questionnaire
from teams.models import Participation
from tests.analysis import builders
from tests.analysis.psychometrics.conftest import ORACLES, load_oracle

pytestmark = pytest.mark.django_db
HEADER = ["team", *builders.ITEMS]


@pytest.fixture
def definition():
    _, version = import_questionnaire(builders.QUESTIONNAIRE)
    return definition_of(version)


@pytest.fixture
def survey(definition):
    study = builders.make_study("import")
    study.plans.all().delete()
    Survey.objects.filter(study=study).update(plan_hash="", opened_at=None)
    return Survey.objects.select_related("study", "version").get(study=study)


def file_of(*rows, header=HEADER, delimiter=",", encoding="utf-8"):
    lines = [delimiter.join(header), *(delimiter.join(map(str, row)) for row in rows)]
    return "\n".join(lines).encode(encoding)


def read(content, definition, name="answers.csv", **options):
    return read_answers(read_table(name, content), definition, [], "team", **options)


GOOD = [["Noord", 1, 2, 3, 4, 1, 2, 3, 4, "x"], ["Zuid", 4, 3, 2, 1, 4, "", 2, 1, 4]]


# ------------------------------------------------------------------------------------------------ reading
@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(",", "utf-8"), (";", "utf-8"), ("\t", "utf-8"), (";", "latin-1"), (",", "utf-8-sig"), (";", "cp1252")],
)
def test_delimiters_and_encodings(definition, delimiter, encoding):
    rows = [["Één tëam", *GOOD[0][1:]], GOOD[1]]
    found = read(file_of(*rows, delimiter=delimiter, encoding=encoding), definition)
    assert found.good
    assert set(found.teams) == {"Één tëam", "Zuid"}
    answers = found.teams["Één tëam"][0]["answers"]
    assert (answers["AA1"], answers["CC3"]) == (1, "x")
    assert found.teams["Zuid"][0]["answers"]["BB1"] == 1
    assert "BB3" not in found.teams["Zuid"][0]["answers"]


def test_xlsx(definition):
    book = Workbook()
    for row in [HEADER, *GOOD]:
        book.active.append([None if cell == "" else cell for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    found = read(stream.getvalue(), definition, name="answers.xlsx")
    assert found.good
    assert found.teams["Noord"][0]["answers"]["BB1"] == 4


@pytest.mark.parametrize("cell", ["2", "2,0", "2.0", " 2 ", "disagree", "Disagree"])
def test_ways_to_write_an_answer(definition, cell):
    content = file_of(["T", f'"{cell}"', *GOOD[0][2:]])
    assert read(content, definition).teams["T"][0]["answers"]["AA1"] == 2


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "."])
def test_ways_to_write_no_answer(definition, cell):
    assert "AA1" not in read(file_of(["T", cell, *GOOD[0][2:]]), definition).teams["T"][0]["answers"]


def test_every_bad_cell_is_reported_with_row_column_and_reason(definition):
    rows = [GOOD[0], ["", 1, 5, 3, 4, 1, 2, 3, 4, 1], ["T", 0, '"2,5"', "maybe", 4, 1, 2, 3, 4, 1]]
    found = read(file_of(*rows), definition)
    assert not found.good
    assert [(bad.row, bad.column) for bad in found.bad_cells] == [
        (3, "team"),
        (3, "AA2"),
        (4, "AA1"),
        (4, "AA2"),
        (4, "AA3"),
    ]
    assert all(bad.reason for bad in found.bad_cells)
    assert "2,5" in found.bad_cells[3].reason
    assert "1" in found.bad_cells[1].reason
    assert "4" in found.bad_cells[1].reason


def test_rows_left_out_by_number(definition):
    rows = [GOOD[0], ["", 1, 5, 3, 4, 1, 2, 3, 4, 1], GOOD[1]]
    found = read(file_of(*rows), definition, leave_out={3})
    assert found.good
    assert (found.n_rows, found.left_out) == (2, (3,))


def test_rows_without_a_team_may_get_one(definition):
    found = read(file_of(["NA", *GOOD[0][1:]]), definition, empty_team="unknown")
    assert found.good
    assert set(found.teams) == {"unknown"}


def test_limesurvey_headers_through_a_map(definition):
    header = ["Response ID", "G01Q01", *(f"G02Q01[SQ{n:03}]" for n in range(1, 10)), "G00Q00"]
    lines = ["column,code,values", 'G00Q00,eligibility,"Y=yes;N=no_other"']
    for n, item in enumerate(builders.ITEMS, 1):
        lines.append(f"G02Q01[SQ{n:03}],{item},A1=1;A2=2;A3=3;A4=4")
    content = file_of([17, "Noord", *["A2"] * 9, "Y"], [18, "Noord", *[""] * 9, "N"], header=header, delimiter=";")
    found = read_answers(
        read_table("export.csv", content), definition, [], "G01Q01", column_map=read_map("\n".join(lines).encode())
    )
    assert found.good, (found.problems, found.bad_cells)
    assert [row.get("eligibility") for row in found.teams["Noord"]] == ["yes", "no_other"]
    assert set(found.teams["Noord"][0]["answers"].values()) == {2}
    assert found.ignored_columns == ("Response ID",)


def test_what_is_wrong_with_columns_is_said(definition):
    found = read(file_of([1, 2], header=["AA1", "AA2"]), definition)
    assert any("team" in problem for problem in found.problems)
    assert any("BB1" in problem for problem in found.problems)
    twice = read(file_of([*GOOD[0], 1], header=[*HEADER, "aa1"]), definition)
    assert any("AA1" in problem for problem in twice.problems)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.csv", b"team,AA1\n"), ("a.csv", b"PK\x00\x01"), ("a.xlsx", b"no spreadsheet")],
)
def test_files_that_are_no_table(name, content):
    with pytest.raises(UnreadableFile):
        read_table(name, content)


# ------------------------------------------------------------------------------------------------ importing
def test_import_makes_teams_and_seals_them(survey, definition):
    found = read(file_of(*GOOD, GOOD[0]), definition)
    made = import_answers(survey, found, None)
    assert Response.objects.count() == 3
    seal(made)
    assert set(Collection.objects.values_list("state", flat=True)) == {"sealed"}
    assert sorted(Participation.objects.values_list("team__name", "approached")) == [("Noord", 2), ("Zuid", 1)]
    assert sorted(Collection.objects.values_list("n_present", flat=True)) == [1, 2]
    plan = rules(locked_plan(survey.study).content)
    assert (plan.most_unanswered, plan.minimum_rule) == (None, "one")
    assert len(dataset.load(survey)) == 3
    assert [found.pk for found in runs.surveys_due()] == [survey.pk]


def test_nothing_is_imported_from_a_bad_file(survey, definition):
    with pytest.raises(ImportRefused):
        import_answers(survey, read(file_of(GOOD[0], ["T", 9, *GOOD[0][2:]]), definition), None)
    assert not Response.objects.exists()
    assert not Participation.objects.exists()


def test_a_second_import_of_the_same_team_is_refused_whole(survey, definition):
    seal(import_answers(survey, read(file_of(GOOD[0]), definition), None))
    with pytest.raises(ImportRefused, match="Noord"):
        import_answers(survey, read(file_of(*GOOD), definition), None)
    assert Response.objects.count() == 1
    assert not Participation.objects.filter(team__name="Zuid").exists()


def test_teams_of_the_study_are_used(survey, definition):
    team = builders.make_team(survey.study, "noord", approached=12, mode="contact")
    import_answers(survey, read(file_of(GOOD[0]), definition), None)
    assert Collection.objects.get().participation == team
    assert Collection.objects.get().approached == 12


def test_a_team_with_personal_links_is_not_imported_into(survey, definition):
    builders.make_team(survey.study, "Noord", mode="online")
    with pytest.raises(ImportRefused, match="Noord"):
        import_answers(survey, read(file_of(GOOD[0]), definition), None)
    assert not Response.objects.exists()


# ------------------------------------------------------------------------------------------------ command
def test_command_reports_and_imports_nothing(survey, tmp_path, capsys):
    path = tmp_path / "answers.csv"
    path.write_bytes(file_of(GOOD[0], ["T", 9, *GOOD[0][2:]]))
    with pytest.raises(CommandError, match="Nothing"):
        call_command("import_responses", path, "--study", "import", "--team-column", "team")
    assert "row 3, column AA1" in capsys.readouterr().err
    assert not Response.objects.exists()
    call_command(
        "import_responses", path, "--study", "import", "--team-column", "team", "--leave-out", "3", "--dry-run"
    )
    assert not Response.objects.exists()
    call_command("import_responses", path, "--study", "import", "--team-column", "team", "--leave-out", "3-3")
    assert Response.objects.count() == 1


def test_command_says_what_is_wrong_with_a_questionnaire(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("code: bad\nscales: []\n")
    with pytest.raises(CommandError, match="scales"):
        call_command("import_questionnaire", path)


def test_bfi_from_import_to_result_rows(tmp_path):
    """2,800 real respondents: result rows equal psych's numbers (docs/real-data.md)."""
    call_command("import_questionnaire", ORACLES.parents[1] / "docs" / "examples" / "bfi.yaml")
    call_command(
        "import_responses",
        ORACLES / "bfi.csv",
        "--study=bfi",
        "--questionnaire=bfi",
        "--team-column=education",
        "--empty-team=not stated",
        "--analyse",
    )
    run = AnalysisRun.objects.get()
    assert (run.state, run.counts["analysed"], run.counts["teams_participating"]) == ("done", 2800, 6)
    expected = load_oracle("bfi_descriptives")["scales"]
    assert set(expected) == {"agree", "consc", "extra", "neuro", "open"}
    for scale, figures in expected.items():
        for scale_set in ("theoretical", "final"):
            scores = ScaleResult.objects.get(run=run, scale=scale, scale_set=scale_set, participation=None)
            assert scores.n == figures["score_available_items"]["n"]
            assert scores.mean == pytest.approx(figures["score_available_items"]["mean"], abs=1e-9)
            assert scores.sd == pytest.approx(figures["score_available_items"]["sd"], abs=1e-9)
            reliability = ReliabilityResult.objects.get(run=run, scale=scale, scale_set=scale_set)
            assert reliability.alpha == pytest.approx(figures["listwise"]["alpha_raw"], abs=1e-9)
            assert reliability.omega == pytest.approx(figures["omega_ml_listwise"]["omega_model"], abs=1e-6)
