"""The workspace on a small study: what the pages show, models of one's own, cases, figures, constant query counts."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analysis.forms.workspace import OwnModelForm
from analysis.models import AnalysisRun, CaseNote, CriterionValue, OwnModel, ScreeningDecision
from analysis.models.comparisons import WaveDifference
from analysis.models.results import (
    AgreementResult,
    FactorModelResult,
    ResultTable,
    ScaleResult,
    TeamCount,
    TeamEstimate,
)
from analysis.results import workspace_rows
from analysis.results.cases import CriterionRefused, read_criterion
from analysis.runs import execution
from analysis.runs.names import ESTIMATORS
from surveys.models import Survey
from teams.files.tables import Table
from teams.models import Participation
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db
PAGES = (
    "results",
    "result_teams",
    "result_groups",
    "result_waves",
    "nonresponse",
    "items",
    "screening",
    "models",
    "cases",
    "write_up",
)


@pytest.fixture
def study():
    return builders.make_study()


@pytest.fixture
def researcher(client, study):
    client.force_login(builders.make_researcher(study), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    return client


def url(name, *args):
    return reverse(name, args=["small", *args])


def analyse(study):
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk)
    run.refresh_from_db()
    return run


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_pages_without_an_analysis_say_so(researcher, study, page):
    assert "There is no finished analysis yet" in text(researcher.get(url(page)))


# ------------------------------------------------------------------------------------------------ what they show
def test_screening_shows_rule_value_signs_and_gaps(researcher, study):
    team = builders.make_team(study, "Team")
    builders.seal(
        team,
        [answers(1, 2, 3), {}, answers(1, *[None] * 8), answers(2, 2, 2, 2, 2, 2, "x", "x", "x")],
        eligibility=["yes", "no_other", "yes", "yes"],
    )
    run = analyse(study)
    page = text(researcher.get(url("screening")))
    assert "<td>No</td>" in page
    assert "<td>8/9 (0)</td>" in page
    row = ScreeningDecision.objects.get(run=run, value="3/9 (3)")
    assert row.flags == {"longstring": 6.0}
    assert "the same answer to half of all questions in a row" in page
    count = TeamCount.objects.get(run=run, participation=team)
    assert (count.n_returned, count.n_analysed, count.n_unanswered, count.n_cannot_judge) == (4, 1, 20, 3)
    gaps = ResultTable.objects.get(run=run, kind="gaps").content
    assert gaps["unanswered"] == [1, 0, 0, 1, 0, 0, 0, 0, 1, 1]
    assert gaps["signs"]["longstring"] == 2


def test_teams_stand_by_name_with_intervals_and_agreement(researcher, study):
    teams = builders.three_teams(study)
    run = analyse(study)
    page = text(researcher.get(url("result_teams") + "?scale=BB"))
    assert page.index("Team0") < page.index("Team1") < page.index("Team2")
    score = ScaleResult.objects.get(run=run, participation=teams[0], scale="BB", scale_set="final")
    agreement = AgreementResult.objects.get(run=run, participation=teams[0], scale="BB", scale_set="final")
    for figure in (score.mean, score.ci_low, agreement.ad):
        assert f"{figure:.2f}" in page
    assert "data:image/svg+xml" in page


def test_over_teams_every_team_counts_once(researcher, study):
    builders.seal(builders.make_team(study, "A"), [answers(4, 4, 1, 4)] * 6)
    builders.seal(builders.make_team(study, "B"), [answers(2, 2, 3, 2)] * 18)
    run = analyse(study)
    row = ScaleResult.objects.get(run=run, participation=None, scale="AA", scale_set="final")
    assert (row.mean, row.teams_mean, row.n_teams) == (2.5, 3.0, 2)
    assert row.teams_sd == pytest.approx(2**0.5)
    assert "3.00" in text(researcher.get(url("results")))


def test_items_by_way_of_asking(researcher, study):
    builders.seal(builders.make_team(study, "A", mode="online"), [answers(1, "x", 2)] * 3)
    builders.seal(builders.make_team(study, "B", mode="contact"), [answers(4, 3, 2)] * 2)
    run = analyse(study)
    table = ResultTable.objects.get(run=run, kind="mode", name="online").content
    assert table["items"]["AA2"] == {"n": 0, "mean": None, "cannot_judge": 3, "missing": 0}
    assert table["items"]["AA1"]["mean"] == 1.0
    assert (table["n"], table["n_teams"]) == (3, 1)
    text(researcher.get(url("items")))


def test_groups_are_compared_over_teams(researcher, study):
    for number, mode in enumerate(["online", "online", "contact", "contact"]):
        rows = [answers(*[(person + item * number) % 4 + 1 for item in range(9)]) for person in range(6)]
        builders.seal(builders.make_team(study, f"T{number}", mode=mode), rows)
    run = analyse(study)
    table = ResultTable.objects.get(run=run, kind="groups", name="mode").content["BB"]
    assert [(group["group"], group["n_teams"], group["n"]) for group in table["groups"]] == [
        ("contact", 2, 12),
        ("online", 2, 12),
    ]
    assert (table["df1"], table["df2"]) == (1, 2)
    assert ResultTable.objects.get(run=run, kind="groups", name="sector").content["BB"]["problem"]
    page = text(researcher.get(url("result_groups")))
    assert "F(1, 2)" in page
    assert "too few groups" in page


# ------------------------------------------------------------------------------------------------ models
def test_a_model_of_ones_own_is_checked_fitted_and_marked(researcher, study):
    builders.three_teams(study)
    analyse(study)
    data = {"name": "Two", "estimator": "ML", "reason": "A and B ask alike.", "syntax": "AB =~ AA1 + XX1"}
    assert "XX1: not a question" in text(researcher.post(url("models"), data))
    assert "position" in text(researcher.post(url("models"), {**data, "syntax": "AB =~ =~ AA1"}))
    assert "Tick questions" in text(researcher.post(url("models"), {**data, "syntax": ""}))
    assert not OwnModel.objects.exists()
    ticked = {**data, "syntax": "", "tick_AA": ["AA1", "AA2", "BB1", "BB2"], "tick_CC": ["CC1", "CC2", "CC3"]}
    page = text(researcher.post(url("models"), ticked, follow=True))
    model = OwnModel.objects.get()
    assert model.syntax == "AA =~ AA1 + AA2 + BB1 + BB2\nCC =~ CC1 + CC2 + CC3"
    assert "Waiting for the next analysis" in page
    assert "a model with this name" in text(researcher.post(url("models"), ticked))
    run = AnalysisRun.objects.get(state="queued")
    assert execution.execute(run.pk)
    row = FactorModelResult.objects.get(run=run, name=f"own_{model.pk}")
    assert (row.estimator, row.syntax) == ("ML", model.syntax)
    assert run.steps.exclude(name__startswith="model own_").exclude(reused=True).count() == 0
    assert "exploratory" in text(researcher.get(url("models")))
    assert "A and B ask alike." in text(researcher.get(url("factor_model", row.pk)))
    assert "Removed" in text(researcher.post(url("model_remove", model.pk), follow=True))
    assert "removed already" in text(researcher.post(url("model_remove", model.pk), follow=True))


def test_the_form_offers_the_estimators_that_are_fitted():
    assert {value for value, _ in OwnModelForm.base_fields["estimator"].choices} == set(ESTIMATORS)


def test_nested_models_are_tested(researcher, study):
    for number in range(8):
        rows = [
            answers(*[(person * person + item * person + number * item) % 4 + 1 for item in range(9)])
            for person in range(9)
        ]
        builders.seal(builders.make_team(study, f"T{number}"), rows)
    OwnModel.objects.create(
        study=study, name="One", syntax="\n".join(["G =~ " + " + ".join(builders.ITEMS)]), estimator="ML", reason="x"
    )
    run = analyse(study)
    fitted = {row.name: row for row in FactorModelResult.objects.filter(run=run, estimator="ML")}
    tests = ResultTable.objects.get(run=run, kind="differences").content["tests"]
    if all(row.converged for row in fitted.values()):
        (test,) = tests
        own = next(row for name, row in fitted.items() if name.startswith("own_"))
        assert test["df"] == own.fit["df"] - fitted["theoretical"].fit["df"] == 3
        assert test["chisq"] == pytest.approx(own.fit["chisq"] - fitted["theoretical"].fit["chisq"])
    text(researcher.get(url("models")))


# ------------------------------------------------------------------------------------------------ cases
def criterion_file(*rows):
    return SimpleUploadedFile("students.csv", "\n".join(["team;score", *rows]).encode())


def test_candidates_stand_by_name_or_criterion_never_by_mean(researcher, study):
    teams = builders.three_teams(study)
    run = analyse(study)
    page = text(researcher.get(url("cases")))
    assert "not a league table" in page
    assert page.index("Team0") < page.index("Team1") < page.index("Team2")
    low = AgreementResult.objects.filter(run=run, scale_set="final", participation=None, icc2__lt=0.7)
    assert (".70 is a convention" in page) == low.exists()
    data = {"name": "Students", "source": "A survey", "team_column": "team", "value_column": "score"}
    upload = {**data, "file": criterion_file("Team1;7,5", "Team2;9", "Elsewhere;3")}
    page = text(researcher.post(url("cases"), upload, follow=True))
    assert "Figures are imported. Number of teams: 2." in page
    assert "Elsewhere" in page
    assert dict(CriterionValue.objects.values_list("participation", "value")) == {teams[1].pk: 7.5, teams[2].pk: 9.0}
    page = text(researcher.get(url("cases") + "?order=criterion"))
    assert page.index("Team2") < page.index("Team1") < page.index("Team0")  # who has none stands last
    estimate = TeamEstimate.objects.get(run=run, participation=teams[0], scale="AA")
    assert f"{estimate.mean:.2f}" in page
    by_mean = text(researcher.get(url("cases") + "?order=mean"))  # there is no such order: by name
    assert by_mean.index("Team0") < by_mean.index("Team1") < by_mean.index("Team2")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["Team0", "3"], ["Team0", "4"]], "twice"),
        ([["Team0", "much"]], "not a number"),
        ([["Team0", "nan"]], "No row"),  # was a fault of the server; it is how some programs write that there is none
        ([["Team0", "inf"]], "not a number"),
        ([["Team0", "-1e999"]], "not a number"),
        ([["Nobody", "3"]], "No row"),
    ],
)
def test_a_criterion_that_cannot_be_read_is_refused(study, rows, words):
    builders.three_teams(study)
    with pytest.raises(CriterionRefused, match=words):
        read_criterion(study, Table(["team", "score"], rows), "team", "score")
    with pytest.raises(CriterionRefused, match="column"):
        read_criterion(study, Table(["team", "score"], rows), "team", "other")


def test_notes_of_a_case_are_kept_per_phase(researcher, study):
    team = builders.three_teams(study)[0]
    analyse(study)
    researcher.post(url("case", team.pk), {"AA": "They meet every week.", "BB": "", "CC": ""})
    note = CaseNote.objects.get()
    assert (note.scale, note.text, note.written_by.email) == (
        "AA",
        "They meet every week.",
        "researcher@university.example",
    )
    assert "They meet every week." in text(researcher.get(url("case", team.pk)))
    researcher.post(url("case", team.pk), {"AA": " ", "BB": "", "CC": ""})
    assert not CaseNote.objects.exists()


# ------------------------------------------------------------------------------------------------ figures
@pytest.mark.parametrize(("form", "beginning"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_figures_are_files(researcher, study, form, beginning):
    builders.three_teams(study)
    analyse(study)
    for name in ("correlations-items", "correlations-scales", "teams-AA", "nonresponse-AA"):
        answer = researcher.get(url("figure", name, form))
        assert answer.content.startswith(beginning)
        assert f'filename="small-{name.lower()}.{form}"' in answer["Content-Disposition"]
    for name in ("teams-ZZ", "nonresponse-ZZ"):
        assert researcher.get(url("figure", name, form)).status_code == 404
    assert researcher.get(url("figure", "correlations-scales", "exe")).status_code == 404


# ------------------------------------------------------------------------------------------------ waves
def test_waves_are_compared_for_the_same_teams(researcher, study):
    before = builders.make_study("before")
    type(study).objects.filter(pk=study.pk).update(previous=before)
    for number in range(6):
        rows = [answers(*[(person * (item + 1) + number + item) % 4 + 1 for item in range(9)]) for person in range(8)]
        builders.seal(builders.make_team(before, f"T{number}"), rows)
        if number:
            builders.seal(builders.make_team(study, f"T{number}"), rows[:6])
    builders.seal(builders.make_team(study, "New"), [answers(1, 2, 3, 4, 1, 2)] * 5)
    study.refresh_from_db()
    run = analyse(study)
    table = ResultTable.objects.get(run=run, kind="waves", name="AA").content
    assert table["n_teams"] == 5
    assert table["items"] == ["AA1", "AA2", "AA3"]
    assert "teams" not in table
    rows = list(WaveDifference.objects.filter(run=run, scale="AA").select_related("participation__team"))
    assert sorted(row.participation.team.name for row in rows) == ["T1", "T2", "T3", "T4", "T5"]
    row = rows[0]
    assert (row.n_before, row.n) == (8, 6)
    assert row.difference == pytest.approx(row.mean - row.before)
    assert row.low < row.difference < row.high
    assert (table["overall"] is None) == (not table["invariance"]["holds"])
    page = text(researcher.get(url("result_waves")))
    assert "independent samples" in page
    assert page.index(">T1<") < page.index(">T5<")
    assert ">New<" not in page


def test_teams_of_two_waves_stand_on_pages(researcher, study, monkeypatch):
    monkeypatch.setattr(workspace_rows, "TEAMS_PER_PAGE", 2)
    before = builders.make_study("before")
    type(study).objects.filter(pk=study.pk).update(previous=before)
    for number in range(3):
        for wave in (before, study):
            rows = [answers(*[(person * (item + 1) + number) % 4 + 1 for item in range(9)]) for person in range(6)]
            builders.seal(builders.make_team(wave, f"T{number}"), rows)
    study.refresh_from_db()
    analyse(study)
    pages = [text(researcher.get(url("result_waves") + f"?scale=BB&page={n}")) for n in (1, 2)]
    assert [(">T0<" in page, ">T2<" in page) for page in pages] == [(True, False), (False, True)]
    assert "scale=BB&amp;page=2" in pages[0]


# ------------------------------------------------------------------------------------------------ queries
def test_query_counts_are_equal_at_2_and_at_20_teams(researcher, study):
    counts = []
    for first, last in ((0, 2), (2, 20)):
        for number in range(first, last):
            rows = [answers(*[(person * (item + 2) + number) % 4 + 1 for item in range(9)]) for person in range(6)]
            builders.seal(builders.make_team(study, f"T{number:02}"), [*rows, {}])
        run = analyse(study)
        model = FactorModelResult.objects.filter(run=run).first()
        team = Participation.objects.get(study=study, team__name="T00")
        measured = {}
        for name, args in (
            *((page, []) for page in PAGES),
            ("run", [run.pk]),
            ("factor_model", [model.pk]),
            ("case", [team.pk]),
        ):
            with CaptureQueriesContext(connection) as queries:
                text(researcher.get(url(name, *args)))
            measured[name] = len(queries)
        counts.append(measured)
    assert counts[0] == counts[1]


def test_no_result_is_anything_but_json(study):
    builders.three_teams(study)
    run = analyse(study)
    contents = list(ResultTable.objects.filter(run=run).values_list("content", flat=True))
    assert contents
    for content in contents:
        assert json.dumps(content, allow_nan=False)
