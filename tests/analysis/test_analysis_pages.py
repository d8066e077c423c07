"""The researcher's analysis pages on a small study: opening, runs, decisions, import, constant query counts."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analysis.models import AnalysisPlan, AnalysisRun, Decision
from analysis.models.results import FactorModelResult
from analysis.runs import execution
from surveys.models import Collection, Response, SealedResponse, Survey
from teams.models import Participation
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db
#: What the page of the plan sends when it opens: the null distributions of rwg(j) as it shows them for 4 answers.
OPENED = {"nulls": ["uniform"], "own_null": "0.1 0.2 0.4 0.3"}


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
    return run


def unlock(study):
    AnalysisPlan.objects.filter(study=study).delete()
    Survey.objects.filter(study=study).update(plan_hash="", opened_at=None)


# ------------------------------------------------------------------------------------------------ plan
def test_plan_without_a_questionnaire_points_to_it(researcher, study):
    unlock(study)
    Survey.objects.filter(study=study).delete()
    assert reverse("questionnaire_choose", args=["small"]) in researcher.get(url("plan")).content.decode()
    answer = researcher.post(url("survey_open"), OPENED, follow=True)
    assert "Choose a questionnaire first" in answer.content.decode()


def test_opening_locks_the_plan_and_opens_a_collection_per_team(researcher, study, django_capture_on_commit_callbacks):
    unlock(study)
    builders.make_team(study, "Team", mode="contact")
    page = researcher.get(url("plan")).content.decode()
    assert url("survey_open") in page
    assert "25 %" in page
    with django_capture_on_commit_callbacks(execute=True):
        answer = researcher.post(url("survey_open"), OPENED, follow=True)
    assert answer.redirect_chain == [(url("plan"), 302)]
    plan = AnalysisPlan.objects.get(study=study)
    assert plan.locked_by.email == "researcher@university.example"
    assert Survey.objects.get(study=study).plan_hash == plan.content_hash
    assert Collection.objects.get().state == "open"
    page = answer.content.decode()
    assert url("survey_open") not in page
    assert plan.content_hash in page
    researcher.post(url("survey_open"), OPENED)
    assert AnalysisPlan.objects.count() == 1


# ------------------------------------------------------------------------------------------------ runs
def test_a_run_is_asked_for_shows_progress_and_ends(researcher, study):
    builders.three_teams(study)
    answer = researcher.post(url("run_new"))
    run = AnalysisRun.objects.get()
    assert answer.url == url("run", run.pk)
    page = researcher.get(answer.url).content.decode()
    assert "waiting" in page.lower()
    assert "hx-get" in page
    claimed = execution.claim(run.pk)
    claimed.n_steps = 8
    execution.renew(claimed, n_steps=8, step=3, step_name="scores")
    part = researcher.get(answer.url, headers={"hx-request": "true"})
    assert "Step 3 of 8: scale scores" in part.content.decode()
    assert 'value="3"' in part.content.decode()
    assert 'max="8"' in part.content.decode()
    assert "HX-Refresh" not in part
    AnalysisRun.objects.update(state="queued", lease_until=None)
    assert execution.execute(run.pk)
    part = researcher.get(answer.url, headers={"hx-request": "true"})
    assert part["HX-Refresh"] == "true"
    assert "hx-get" not in part.content.decode()
    assert "Analysis" in researcher.get(url("runs")).content.decode()


def test_without_a_plan_there_is_no_run(researcher, study):
    unlock(study)
    answer = researcher.post(url("run_new"), follow=True)
    assert "Lock the plan first" in answer.content.decode()
    assert not AnalysisRun.objects.exists()


def test_a_failed_run_says_why(researcher, study, monkeypatch):
    builders.three_teams(study)
    monkeypatch.setattr("analysis.runs.steps.Computation.score", lambda *args: 1 / 0)
    run = execution.request_run(Survey.objects.get(study=study))
    assert not execution.execute(run.pk)
    page = researcher.get(url("run", run.pk)).content.decode()
    assert "division by zero" in page
    assert "Something went wrong in the program." in page
    client_nl = researcher
    client_nl.cookies["django_language"] = "nl"
    assert "Something went wrong" not in client_nl.get(url("run", run.pk)).content.decode()


def test_cancel(researcher, study):
    run = execution.request_run(Survey.objects.get(study=study))
    assert "cancelled" in researcher.post(url("run_cancel", run.pk), follow=True).content.decode()
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "finished already" in researcher.post(url("run_cancel", run.pk), follow=True).content.decode()


def test_a_model_that_cannot_be_fitted_says_so(researcher, study):
    builders.seal(builders.make_team(study, "Team"), [answers(1, 2)] * 3)
    run = analyse(study)
    row = FactorModelResult.objects.filter(run=run).first()
    assert not row.converged
    assert row.content["problems"]
    page = researcher.get(url("factor_model", row.pk)).content.decode()
    assert "alert-warning" in page
    assert "did not converge" in researcher.get(url("results")).content.decode()


# ------------------------------------------------------------------------------------------------ decisions
def test_decide_and_undo(researcher, study):
    builders.three_teams(study)
    assert "after the first analysis" in researcher.get(url("decisions")).content.decode()
    analyse(study)
    data = {"kind": "merge", "merge-subject": "BB", "merge-target": "AA", "merge-reason": "They ask the same."}
    page = researcher.post(url("decisions"), {**data, "merge-reason": ""})
    assert page.status_code == 200
    assert not Decision.objects.exists()
    assert "Choose another scale" in researcher.post(url("decisions"), {**data, "merge-target": "BB"}).content.decode()
    page = researcher.post(url("decisions"), data, follow=True).content.decode()
    assert "BB is merged into AA" in page
    assert "They ask the same." in page
    assert AnalysisRun.objects.filter(state="queued").exists()
    decision = Decision.objects.get()
    page = researcher.post(url("decision_undo", decision.pk), follow=True).content.decode()
    assert "Undone" in page
    decision.refresh_from_db()
    assert decision.undone_at


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [("set_aside", "CC", "CC is set aside"), ("drop", "AA3", "Question AA3 is dropped")],
)
def test_the_other_decisions(researcher, study, kind, subject, words):
    builders.three_teams(study)
    analyse(study)
    data = {"kind": kind, f"{kind}-subject": subject, f"{kind}-reason": "A reason."}
    assert words in researcher.post(url("decisions"), data, follow=True).content.decode()


# ------------------------------------------------------------------------------------------------ import
def upload(*rows):
    lines = [",".join(["team", *builders.ITEMS]), *(",".join(map(str, row)) for row in rows)]
    return SimpleUploadedFile("answers.csv", "\n".join(lines).encode())


def test_import_page_checks_then_imports(researcher, study):
    unlock(study)
    good, bad = ["Noord", 1, 2, 3, 4, 1, 2, 3, 4, "x"], ["Zuid", 9, 2, 3, 4, 1, 2, 3, 4, 1]
    assert researcher.get(url("responses_import")).status_code == 200
    page = researcher.post(
        url("responses_import"), {"file": upload(good, bad), "team_column": "team", "import": "1"}
    ).content.decode()
    assert "1 cell cannot be read" in page
    assert "<td>AA1</td>" in page
    page = researcher.post(url("responses_import"), {"file": upload(good), "team_column": "team", "check": "1"})
    assert "The file is fine: 1 response" in page.content.decode()
    assert not Response.objects.exists()
    answer = researcher.post(
        url("responses_import"),
        {"file": upload(good, bad), "team_column": "team", "leave_out": "3", "import": "1"},
        follow=True,
    )
    assert answer.redirect_chain == [(url("runs"), 302)]
    assert Response.objects.count() + SealedResponse.objects.count() == 1, "a worker seals it"
    assert Participation.objects.get().team.name == "Noord"


@pytest.mark.parametrize("content", [b"", b"team", b"\x00\x01"])
def test_import_page_says_what_is_wrong_with_a_file(researcher, study, content):
    file = SimpleUploadedFile("answers.csv", content or b" ")
    page = researcher.post(url("responses_import"), {"file": file, "team_column": "team"})
    assert page.status_code == 200
    assert "invalid-feedback" in page.content.decode()


# ------------------------------------------------------------------------------------------------ queries
def test_query_counts_are_equal_at_2_and_at_20_teams(researcher, study):
    counts = []
    for first, last in ((0, 2), (2, 20)):
        for number in range(first, last):
            builders.seal(
                builders.make_team(study, f"T{number:02}"), [answers(1, 2, 3), answers(4, 3, 1), answers(2, 2, 2), {}]
            )
        run = analyse(study)
        measured = {}
        for name, args in (
            ("plan", []),
            ("results", []),
            ("run", [run.pk]),
            ("decisions", []),
            ("export_results", []),
            ("export_codebook", []),
        ):
            with CaptureQueriesContext(connection) as queries:
                answer = researcher.get(url(name, *args))
                _ = answer.getvalue() if answer.streaming else answer.content
            measured[name] = len(queries)
        counts.append(measured)
    assert counts[0] == counts[1]


def test_the_list_of_runs_takes_as_many_queries_for_one_as_for_ten(researcher, study):
    builders.three_teams(study)
    counts = []
    for n in (1, 9):
        for _ in range(n):
            AnalysisRun.objects.create(
                survey=Survey.objects.get(study=study), plan=AnalysisPlan.objects.get(), n_seals=1, state="failed"
            )
        with CaptureQueriesContext(connection) as queries:
            researcher.get(url("runs"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_map_that_is_too_large_is_said_to_be(researcher, study):
    unlock(study)
    columns = SimpleUploadedFile("map.csv", b"column;code\n" + b"x;y\n" * 6_000)
    files = {"file": upload(["Noord", 1, 2, 3, 4, 1, 2, 3, 4, 1]), "map": columns}
    page = researcher.post(url("responses_import"), files | {"team_column": "team", "check": "1"}).content.decode()
    assert "This file has more than 5000 rows." in page
