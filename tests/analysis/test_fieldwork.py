"""Analyses made while teams still answer: what was not read yet is pending, on every page and in every file."""

import csv
import importlib
import io

import openpyxl
import pytest
from django.apps import apps
from django.urls import reverse
from django.utils.translation import override

from analysis.data.accounting import Dispositions, accounts, held_by
from analysis.models import AnalysisRun
from analysis.results import flow_diagram
from analysis.results.reading import results_of
from analysis.results.write_up import write_up
from analysis.runs import execution
from surveys.models import Collection, Response, SealedResponse, Survey
from teams.models import Participation
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def collecting(study, name, n_submitted, *, approached=8):
    """A team whose collection is open, with answers handed in."""
    team = builders.make_team(study, name, approached=approached)
    collection = builders.seal(team, [answers(1, 2, 3, 4)] * n_submitted)
    Collection.objects.filter(pk=collection.pk).update(state=Collection.State.OPEN)
    return team


def analysed(study):
    made = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(made.pk), AnalysisRun.objects.get(pk=made.pk).error
    return AnalysisRun.objects.select_related("survey__version", "survey__study", "plan").get(pk=made.pk)


@pytest.fixture
def study():
    """One team sealed with 5 of 8, one open with 7 of 8 handed in, one that did not open yet."""
    study = builders.make_study()
    builders.seal(
        builders.make_team(study, "Sealed", approached=8), [answers(1, 2, 3, 4), answers(3, 1, 2)] * 2 + [answers(2)]
    )
    collecting(study, "Open", 7)
    builders.make_team(study, "Later", approached=20)
    return study


@pytest.fixture
def researcher(client, study):
    client.force_login(builders.make_researcher(study), backend=BACKEND)
    client.cookies["django_language"] = "en"
    return client


def text_of(run):
    with override("en"):
        return " ".join(write_up(run).paragraphs)


def test_a_team_that_is_open_is_pending_and_not_a_team_that_did_not_return(study):
    analysed(study)
    accounted = accounts(study)
    people = {team.team: team.people for team in accounted.teams}
    assert people == {
        "Sealed": Dispositions(8, 5, not_returned=3),
        "Open": Dispositions(8, pending=8),
        "Later": Dispositions(20, pending=20),
    }
    assert (accounted.total.not_returned, accounted.total.pending) == (3, 28)
    assert accounted.total.reconciles


def test_board_accounts_files_and_flow_say_the_same(study, researcher):
    analysed(study)
    assert "Still being collected" in researcher.get(reverse("board", args=["small"])).content.decode()
    page = researcher.get(reverse("accounts", args=["small"])).content.decode()
    assert "still open" in page
    lines = list(
        csv.DictReader(io.StringIO(researcher.get(reverse("accounts_csv", args=["small"])).content.decode("utf-8-sig")))
    )
    of_study = next(line for line in lines if line["level"] == "study")
    assert (of_study["returned"], of_study["not_returned"], of_study["pending"]) == ("5", "3", "28")
    book = openpyxl.load_workbook(io.BytesIO(researcher.get(reverse("accounts_xlsx", args=["small"])).content))
    head, first, *_rest = book["response"].iter_rows(values_only=True)
    assert (first[head.index("not_returned")], first[head.index("pending")]) == (3, 28)
    with override("en"):
        drawn = flow_diagram.draw(accounts(study), "Flow").replace(flow_diagram.NO_BREAK, " ")
    assert "no answer (n = 3)" in drawn
    assert "not analysed yet (n = 28)" in drawn


def test_a_run_counts_only_what_it_read(study):
    run = analysed(study)
    sealed = Participation.objects.get(team__name="Sealed")
    assert set(run.counts["teams"]) == {str(sealed.pk)}
    assert (run.counts["teams_held"], run.counts["approached"], run.counts["returned"]) == (1, 8, 5)
    assert run.counts["return_rate"] == pytest.approx(5 / 8)
    contract = results_of(run, "researcher")
    assert contract["accounts"]["approached"] == 8
    assert contract["run"]["interim"] is True


def test_the_write_up_counts_sealed_teams_and_says_interim(study, researcher):
    run = analysed(study)
    text = text_of(run)
    assert "Of the 8 teachers who were approached in 1 team, 5 returned the questionnaire (62.5 %)." in text
    assert "These figures are interim: 2 of the 3 teams taking part are not in them" in text
    page = researcher.get(reverse("write_up", args=["small"]) + "?language=nl").content.decode()
    assert "voorlopig" in page
    page = researcher.get(reverse("run", args=["small", run.pk])).content.decode()
    assert "2 of the 3 teams" in page


SHOW_FIGURES = (
    "results",
    "result_teams",
    "result_groups",
    "nonresponse",
    "items",
    "screening",
    "models",
    "cases",
    "exports",
)


def test_every_page_and_file_with_figures_says_interim(study, researcher):
    analysed(study)
    sentence = "These figures are interim: 2 of the 3 teams"
    pages = {name: researcher.get(reverse(name, args=["small"])).content.decode() for name in SHOW_FIGURES}
    assert {name: page.count(sentence) for name, page in pages.items()} == dict.fromkeys(SHOW_FIGURES, 1)
    file = b"".join(researcher.get(reverse("export_results", args=["small"]))).decode("utf-8-sig")
    over_all = [row for row in csv.DictReader(io.StringIO(file)) if not row["team"]]
    assert over_all
    assert all(sentence in row["marks"] for row in over_all)
    assert sentence in b"".join(researcher.get(reverse("nonresponse_csv", args=["small"]))).decode()
    book = openpyxl.load_workbook(io.BytesIO(researcher.get(reverse("nonresponse_xlsx", args=["small"])).content))
    assert sentence in book["since"]["C2"].value
    Participation.objects.filter(team__name="Later").update(state=Participation.State.DECLINED)
    assert (
        "1 of the 2 teams taking part is not in them"
        in researcher.get(reverse("results", args=["small"])).content.decode()
    )


def test_nothing_is_interim_once_every_team_was_read(study):
    Participation.objects.filter(team__name="Later").update(state=Participation.State.DECLINED)
    Collection.objects.filter(participation__team__name="Open").update(state=Collection.State.SEALED)
    run = analysed(study)
    assert "interim" not in text_of(run)
    assert results_of(run, "researcher")["run"]["interim"] is False


def test_a_team_sealed_after_a_run_is_pending_until_the_next(study):
    run = analysed(study)
    Collection.objects.filter(participation__team__name="Open").update(state=Collection.State.SEALED)
    people = accounts(study).by(lambda team: team.team)["Open"]
    assert people == Dispositions(8, pending=8)
    assert held_by(run).teams == 1
    analysed(study)
    assert accounts(study).by(lambda team: team.team)["Open"] == Dispositions(8, 7, not_returned=1)


def test_a_team_that_withdraws_while_a_run_computes_is_counted_in_what_it_read(study, monkeypatch):
    """Else nobody would see that the withdrawn team's answers are in the figures."""
    second = builders.make_team(study, "Second")
    builders.seal(second, [answers(2)] * 6)
    read = execution._computation

    def withdrawn_meanwhile(run):
        table = read(run)
        Participation.objects.filter(pk=second.pk).update(state=Participation.State.WITHDRAWN)
        return table

    monkeypatch.setattr(execution, "_computation", withdrawn_meanwhile)
    run = analysed(study)
    assert str(second.pk) in run.counts["teams"]
    assert run.counts["analysed"] == 11
    assert "1 team in these figures withdrew afterwards" in text_of(run)


def test_corrected_counts_show_in_the_write_up_as_in_the_accounts(study):
    run = analysed(study)
    Collection.objects.filter(participation__team__name="Sealed").update(approached=10, refused=1)
    assert "Of the 10 teachers who were approached in 1 team, 5 returned the questionnaire (50.0 %)." in text_of(run)
    assert accounts(study).by(lambda team: team.team)["Sealed"] == Dispositions(10, 5, refused=1, not_returned=4)


def test_runs_that_were_stored_with_pending_teams_are_mended(study):
    run = analysed(study)
    sealed, opened, later = (Participation.objects.get(team__name=name) for name in ("Sealed", "Open", "Later"))
    empty = {"approached": 0, "analysed": 0, "not_eligible": 0, "screened_out": 0, "refused": 0, "not_returned": 0}
    teams = {
        **run.counts["teams"],
        str(opened.pk): empty | {"approached": 8, "pending": 8, "not_accounted_for": 0},
        str(later.pk): empty | {"pending": 0, "not_accounted_for": 0},  # nobody was counted when the run was made
    }
    right = run.counts
    old = {**right, "teams": teams, "approached": 16, "pending": 8, "return_rate": 5 / 16, "usable_rate": 5 / 16}
    del old["teams_held"]
    AnalysisRun.objects.filter(pk=run.pk).update(counts=old)
    importlib.import_module("analysis.migrations.0017_runs_count_what_they_read").only_what_was_read(apps, None)
    run.refresh_from_db()
    assert run.counts == right
    assert set(run.counts["teams"]) == {str(sealed.pk)}
    assert SealedResponse.objects.count() + Response.objects.count() == 12
