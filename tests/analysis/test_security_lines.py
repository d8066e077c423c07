"""What leaves, what is published and what is deleted are lines of the security log; and no act that it names is forgotten."""

import json
import logging
import re

import pytest
from django.db import transaction

from analysis import withdrawals
from analysis.history import Happened
from analysis.models import AnalysisRun
from analysis.publication.publishing import publish
from analysis.runs.execution import execute, request_run
from scripts.setup import ROOT
from surveys.models import Survey
from teams import history
from teams.base.security_log import Act
from teams.inviting.withdrawing import withdraw
from teams.models import Invitation, Study
from tests.analysis import builders

CODE = {
    path.relative_to(ROOT): path.read_text()
    for app in ("teams", "surveys", "analysis", "config")
    for path in (ROOT / app).rglob("*.py")
}


@pytest.fixture
def lines(caplog, django_capture_on_commit_callbacks):
    """What an act writes: its lines, as a program would read them."""
    caplog.set_level(logging.INFO, "teamspiegel.security")

    def of(act) -> list[dict[str, object]]:
        before = len(caplog.records)
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            act()
        return [json.loads(r.getMessage()) for r in caplog.records[before:] if r.name == "teamspiegel.security"]

    return of


@pytest.fixture
def study(db) -> Study:
    study = builders.make_study()
    for team in builders.three_teams(study):
        Invitation.objects.create(study=study, participation=team, state="accepted", undertaking=True)
        team.team.academy.invitations.get_or_create(study=study, state="accepted", undertaking=True)
    return study


@pytest.fixture
def run(study) -> AnalysisRun:
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()
    return run


def test_a_publication_is_a_line(study, run, lines):
    user = builders.make_researcher(study)
    (line,) = lines(lambda: publish(run, user))
    assert (line["act"], line["by"], line["study"]) == ("published", user.pk, study.pk)


def test_the_answers_of_a_team_that_go_are_a_line_without_a_name(study, run, lines):
    team = study.participations.order_by("pk").first()
    withdraw(team.invitation, "workload", by_link=True)
    (line,) = lines(withdrawals.carry_out)
    assert (line["act"], line["team"], line["study"]) == ("team_deleted", team.team_id, study.pk)
    assert team.team.name not in json.dumps(line)


@pytest.mark.parametrize("kind", [kind for kind in Happened if kind.act is Act.EXPORTED])
def test_what_leaves_is_a_line(study, lines, kind):
    user = builders.make_researcher(study)
    (line,) = lines(lambda: history.record(study, kind, by=user, detail="For the thesis of Ine"))
    assert (line["act"], line["by"], line["kind"]) == ("exported", user.pk, str(kind))
    assert "Ine" not in json.dumps(line)


def test_what_leaves_has_five_ways():
    assert sum(kind.act is Act.EXPORTED for kind in Happened) == 5


@pytest.mark.parametrize("act", Act)
def test_every_act_is_written_somewhere(act):
    assert [path for path, text in CODE.items() if f"Act.{act.name}" in text], f"nothing writes {act}"


def test_history_is_written_in_one_place():
    """Whoever makes an event without it leaves out the line."""
    made = [str(path) for path, text in CODE.items() if re.search(r"\bEvent\.objects\.(bulk_)?create\(", text)]
    assert made == ["teams/history.py"]
