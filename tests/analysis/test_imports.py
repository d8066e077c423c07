import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from openpyxl import Workbook

from analysis.data import dataset
from analysis.data.accounting import accounts
from analysis.data.import_file import read_answers, read_map
from analysis.data.import_teams import ImportRefused
from analysis.data.imports import import_answers, seal
from analysis.models import AnalysisRun
from analysis.models.results import ReliabilityResult, ScaleResult
from analysis.plan.plans import locked_plan, rules
from analysis.runs import execution
from surveys.answering import submission
from surveys.collecting import collections
from surveys.models import Collection, Meeting, PresentBy, Response, SealedResponse, Survey
from surveys.paper import entry
from surveys.questionnaires.publishing import definition_of, import_questionnaire
from teams.files.tables import read_table
from teams.inviting.corrections import correct_leader
from teams.messages.handovers import leader_let_in
from teams.models import OutboxMessage, Participation, User
from tests.analysis import builders
from tests.analysis.psychometrics.conftest import ORACLES, load_oracle
from tests.groups import a_group

pytestmark = pytest.mark.django_db
HEADER = ["team", *builders.ITEMS]


@pytest.fixture
def definition():
    _, version = import_questionnaire(builders.QUESTIONNAIRE, a_group())
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
    return read_answers(read_table(content, name), definition, [], "team", **options)


GOOD = [["Noord", 1, 2, 3, 4, 1, 2, 3, 4, "x"], ["Zuid", 4, 3, 2, 1, 4, "", 2, 1, 4]]


# ------------------------------------------------------------------------------------------------ reading
def test_a_file_of_another_program(definition):
    rows = [["Één tëam", *GOOD[0][1:]], GOOD[1]]
    imported = read(file_of(*rows, delimiter=";", encoding="cp1252"), definition)
    assert imported.good
    assert set(imported.teams) == {"Één tëam", "Zuid"}
    answers = imported.teams["Één tëam"][0]["answers"]
    assert (answers["AA1"], answers["CC3"]) == (1, "x")
    assert imported.teams["Zuid"][0]["answers"]["BB1"] == 1
    assert "BB3" not in imported.teams["Zuid"][0]["answers"]


def test_rows_are_numbered_as_in_the_file_where_it_begins_with_empty_ones(definition):
    content = b"\n;;\n" + file_of(GOOD[0], ["", 1, 5, *GOOD[0][3:]], delimiter=";")
    assert [(bad.row, bad.column) for bad in read(content, definition).bad_cells] == [(5, "team"), (5, "AA2")]
    assert read(content, definition, leave_out={5, 9}).left_out == (5,)


def test_xlsx(definition):
    book = Workbook()
    for row in [HEADER, *GOOD]:
        book.active.append([None if cell == "" else cell for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    imported = read(stream.getvalue(), definition, name="answers.xlsx")
    assert imported.good
    assert imported.teams["Noord"][0]["answers"]["BB1"] == 4


@pytest.mark.parametrize("cell", ["2", "2,0", "2.0", " 2 ", "disagree", "Disagree"])
def test_ways_to_write_an_answer(definition, cell):
    content = file_of(["T", f'"{cell}"', *GOOD[0][2:]])
    assert read(content, definition).teams["T"][0]["answers"]["AA1"] == 2


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "."])
def test_ways_to_write_no_answer(definition, cell):
    assert "AA1" not in read(file_of(["T", cell, *GOOD[0][2:]]), definition).teams["T"][0]["answers"]


def test_every_bad_cell_is_reported_with_row_column_and_reason(definition):
    rows = [GOOD[0], ["", 1, 5, 3, 4, 1, 2, 3, 4, 1], ["T", 0, '"2,5"', "maybe", 4, 1, 2, 3, 4, 1]]
    imported = read(file_of(*rows), definition)
    assert not imported.good
    assert [(bad.row, bad.column) for bad in imported.bad_cells] == [
        (3, "team"),
        (3, "AA2"),
        (4, "AA1"),
        (4, "AA2"),
        (4, "AA3"),
    ]
    assert all(bad.reason for bad in imported.bad_cells)
    assert "2,5" in imported.bad_cells[3].reason
    assert "1" in imported.bad_cells[1].reason
    assert "4" in imported.bad_cells[1].reason


def test_rows_left_out_by_number(definition):
    rows = [GOOD[0], ["", 1, 5, 3, 4, 1, 2, 3, 4, 1], GOOD[1]]
    imported = read(file_of(*rows), definition, leave_out={3})
    assert imported.good
    assert (imported.n_rows, imported.left_out) == (2, (3,))


def test_rows_without_a_team_may_get_one(definition):
    imported = read(file_of(["NA", *GOOD[0][1:]]), definition, empty_team="unknown")
    assert imported.good
    assert set(imported.teams) == {"unknown"}


def test_limesurvey_headers_through_a_map(definition):
    header = ["Response ID", "G01Q01", *(f"G02Q01[SQ{n:03}]" for n in range(1, 10)), "G00Q00"]
    lines = ["column,code,values", 'G00Q00,eligibility,"Y=yes;N=no_other"']
    for n, item in enumerate(builders.ITEMS, 1):
        lines.append(f"G02Q01[SQ{n:03}],{item},A1=1;A2=2;A3=3;A4=4")
    content = file_of([17, "Noord", *["A2"] * 9, "Y"], [18, "Noord", *[""] * 9, "N"], header=header, delimiter=";")
    imported = read_answers(
        read_table(content, "export.csv"),
        definition,
        [],
        "G01Q01",
        column_map=read_map(read_table("\n".join(lines).encode(), "map.csv")),
    )
    assert imported.good, (imported.problems, imported.bad_cells)
    assert [row.get("eligibility") for row in imported.teams["Noord"]] == ["yes", "no_other"]
    assert set(imported.teams["Noord"][0]["answers"].values()) == {2}
    assert imported.ignored_columns == ("Response ID",)


def test_what_is_wrong_with_columns_is_said(definition):
    imported = read(file_of([1, 2], header=["AA1", "AA2"]), definition)
    assert any("team" in problem for problem in imported.problems)
    assert any("BB1" in problem for problem in imported.problems)
    twice = read(file_of([*GOOD[0], 1], header=[*HEADER, "aa1"]), definition)
    assert any("AA1" in problem for problem in twice.problems)


# ------------------------------------------------------------------------------------------------ importing
def test_import_makes_teams_and_seals_them(survey, definition):
    imported = read(file_of(*GOOD, GOOD[0]), definition)
    made = import_answers(survey, imported, None)
    survey.refresh_from_db()
    assert not survey.mirror, "nobody saw themselves in a meeting"
    assert Response.objects.count() == 3
    seal(made)
    assert set(Collection.objects.values_list("state", flat=True)) == {"sealed"}
    assert sorted(Participation.objects.values_list("team__name", "approached")) == [("Noord", 2), ("Zuid", 1)]
    assert sorted(Collection.objects.values_list("n_present", flat=True)) == [1, 2]
    plan = rules(locked_plan(survey.study).content)
    assert (plan.most_unanswered, plan.minimum_rule) == (None, "one")
    assert len(dataset.load(survey)) == 3
    assert [found.pk for found in execution.surveys_due()] == [survey.pk]


def test_rows_without_one_answer_are_no_returned_questionnaires(survey, definition):
    empty = ["Noord", *[""] * 9]
    imported = read(file_of(*GOOD, empty, empty), definition)
    assert (imported.good, imported.n_rows, imported.n_unanswered) == (True, 4, 2)
    seal(import_answers(survey, imported, None))
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    run.refresh_from_db()
    assert {name: run.counts[name] for name in ("approached", "returned", "analysed", "not_returned")} == {
        "approached": 4,
        "returned": 2,
        "analysed": 2,
        "not_returned": 2,
    }
    assert accounts(survey.study).total.returned == 2
    assert sum(Collection.objects.values_list("n_submitted", flat=True)) == 2


def test_who_said_not_to_be_eligible_or_could_not_judge_did_answer(survey, definition):
    header = ["team", "eligibility", *builders.ITEMS]
    imported = read(file_of(["Noord", "no_other", *[""] * 9], ["Noord", "yes", *["x"] * 9], header=header), definition)
    assert imported.n_unanswered == 0
    seal(import_answers(survey, imported, None))
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    run.refresh_from_db()
    assert run.counts["returned"] == 2


def test_nothing_is_imported_from_a_bad_file(survey, definition):
    with pytest.raises(ImportRefused):
        import_answers(survey, read(file_of(GOOD[0], ["T", 9, *GOOD[0][2:]]), definition), None)
    assert not Response.objects.exists()
    assert not SealedResponse.objects.exists()
    assert not Participation.objects.exists()


def test_a_second_import_of_the_same_team_is_refused_whole(survey, definition):
    seal(import_answers(survey, read(file_of(GOOD[0]), definition), None))
    with pytest.raises(ImportRefused, match="Noord"):
        import_answers(survey, read(file_of(*GOOD), definition), None)
    assert SealedResponse.objects.count() == 1
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
    assert not SealedResponse.objects.exists()


# ------------------------------------------------------------------------------------------------ command
def test_command_reports_and_imports_nothing(survey, tmp_path, capsys):
    path = tmp_path / "answers.csv"
    path.write_bytes(file_of(GOOD[0], ["T", 9, *GOOD[0][2:]]))
    with pytest.raises(CommandError, match="Nothing"):
        call_command("import_responses", path, "--study", "import", "--team-column", "team")
    assert "row 3, column AA1" in capsys.readouterr().err
    assert not Response.objects.exists()
    assert not SealedResponse.objects.exists()
    call_command(
        "import_responses", path, "--study", "import", "--team-column", "team", "--leave-out", "3", "--dry-run"
    )
    assert not Response.objects.exists()
    assert not SealedResponse.objects.exists()
    call_command("import_responses", path, "--study", "import", "--team-column", "team", "--leave-out", "3-3")
    assert SealedResponse.objects.count() == 1


def test_command_says_what_is_wrong_with_a_questionnaire(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("code: bad\nscales: []\n")
    with pytest.raises(CommandError, match="scales"):
        call_command("import_questionnaire", path, "--group=Group")


def test_bfi_from_import_to_result_rows(tmp_path):
    """2,800 real respondents: result rows equal psych's numbers (docs/real-data.md)."""
    call_command("import_questionnaire", ORACLES.parents[1] / "docs" / "examples" / "bfi.yaml", "--group=BFI")
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


# ------------------------------------------------------------------------------------------------ teams of a file
def test_spellings_of_one_name_are_one_team(definition):
    rows = [[name, *GOOD[0][1:]] for name in ("Één Team", "één team", "E\u0301e\u0301n  Team")]
    imported = read(file_of(*rows), definition)
    assert {team: len(rows) for team, rows in imported.teams.items()} == {"Één Team": 3}


def test_columns_say_where_a_team_is(survey, definition):
    header = ["team", "Institution", "academy", "sector", *builders.ITEMS]
    rows = [
        ["Noord", "Hogeschool Elders", "Academie Zorg", "health", *GOOD[0][1:]],
        ["Noord", "hogeschool elders", "Academie Zorg", "Gezondheid", *GOOD[0][1:]],
        ["Zuid", "", "", "", *GOOD[1][1:]],
    ]
    imported = read(file_of(*rows[::2], header=header), definition)
    assert imported.good
    import_answers(survey, imported, None)
    north, south = (Participation.objects.get(team__name=name).team.academy for name in ("Noord", "Zuid"))
    assert (north.name, north.institution.name, north.sector) == ("Academie Zorg", "Hogeschool Elders", "health")
    assert (south.name, south.institution.name) == (f"Imported: {survey.study.slug}", survey.study.controller)
    two_places = read(file_of(*rows[:2], header=header), definition)
    assert [bad.row for bad in two_places.bad_cells] == [3]
    unknown = read(file_of([*rows[0][:3], "nowhere", *GOOD[0][1:]], header=header), definition)
    assert [(bad.row, bad.column) for bad in unknown.bad_cells] == [(2, "sector")]


def test_the_same_teams_as_in_the_wave_before(survey, definition):
    import_answers(survey, read(file_of(*GOOD), definition), None)
    second = builders.make_study("second")
    second.plans.all().delete()
    type(second).objects.filter(pk=second.pk).update(previous=survey.study, wave=2)
    Survey.objects.filter(study=second).update(plan_hash="", opened_at=None)
    again = Survey.objects.select_related("study", "version").get(study=second)
    import_answers(again, read(file_of(["noord", *GOOD[0][1:]], ["West", *GOOD[1][1:]]), definition), None)
    first = set(survey.study.participations.values_list("team", flat=True))
    assert first.intersection(second.participations.values_list("team", flat=True)) == {
        Participation.objects.get(study=second, team__name="Noord").team_id
    }


def test_an_academy_of_a_study_in_which_one_does_not_work_is_not_taken(survey, definition):
    other = builders.make_study("other")
    builders.make_team(other, "Theirs", academy="Academie Zorg")
    header = ["team", "institution", "academy", *builders.ITEMS]
    imported = read(file_of(["Noord", "University", "academie zorg", *GOOD[0][1:]], header=header), definition)
    with pytest.raises(ImportRefused, match="in which you do not work"):
        import_answers(survey, imported, builders.make_researcher(survey.study))
    assert not survey.study.participations.exists()


def test_names_that_are_nearly_the_same_are_asked_about(survey, definition, client):
    client.force_login(builders.make_researcher(survey.study))
    page = reverse("responses_import", args=[survey.study.slug])
    content = file_of(["Verpleegkunde", *GOOD[0][1:]], ["Verpleegkude", *GOOD[1][1:]])

    def send(**more):
        file = SimpleUploadedFile("answers.csv", content)
        return client.post(page, {"file": file, "team_column": "team", "import": "1", **more})

    assert "Verpleegkude – Verpleegkunde" in send().content.decode()
    assert not survey.study.participations.exists()
    assert send(different="on").status_code == 302
    assert survey.study.participations.count() == 2


def test_the_leader_of_an_imported_team_is_let_in(survey, definition, client):
    """Whoever stands in for the leader got a mail to sign in with an account that did not exist."""
    import_answers(survey, read(file_of(*GOOD), definition), None)
    participation = Participation.objects.get(study=survey.study, team__name="Noord")
    researcher = builders.make_researcher(survey.study)
    client.force_login(researcher)
    team, let_in = (
        reverse(name, args=[survey.study.slug, participation.pk]) for name in ("team_edit", "leader_let_in")
    )
    assert let_in in client.get(team).content.decode()
    client.post(let_in)  # the study's own contact stands in for a leader
    assert not participation.roles.exists()
    assert correct_leader(participation, "Lena", "lena@noord.example", by=researcher)
    client.post(let_in)
    client.post(let_in)
    assert participation.roles.get().user.email == "lena@noord.example"
    mails = OutboxMessage.objects.filter(kind="teams.leader_let_in")
    mail = leader_let_in(mails.get().object_id, "en")
    assert mail is not None
    assert mail.to == "lena@noord.example"
    assert reverse("team", args=[participation.pk]) in mail.text
    assert let_in not in client.get(team).content.decode()


def test_nothing_is_added_to_imported_answers_before_they_are_sealed(survey, definition):
    """Whoever made up four rows and let one colleague answer beside them would read that colleague's answers in the report."""
    [collection] = import_answers(survey, read(file_of(*[GOOD[0]] * 4), definition), None)
    assert not collections.reopen_collection(collection)
    assert not collections.reopen_collection(collection, by_link=True)
    with pytest.raises(submission.Closed):
        entry.new_form(collection)
    assert not entry.correct_handed_in(collection, 1)  # sealing would wait for it
    meeting = Meeting.objects.get(collection=collection)
    assert not collections.count_present(meeting, 5, User.objects.create_user("roos@noord.example"))
    assert seal([collection]) == 1
    collection.refresh_from_db()
    assert (collection.n_present, collection.present_by) == (4, PresentBy.IMPORT)
