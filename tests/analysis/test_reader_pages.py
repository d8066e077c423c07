"""Board, publishing and the leader's pages: what they cost, what they show, and to whom."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analysis.models import AccountingDecision, AnalysisRun, Publication, Unit
from analysis.publication.files import make_files
from analysis.publication.publishing import publish
from analysis.reports.groups import load_groups
from analysis.runs.execution import execute, request_run
from surveys.models import Collection, Survey
from teams.mail.outbox import OutboxMessage
from teams.models import Participation, Study, User
from tests.analysis.builders import answers, make_researcher, make_study, make_team, publish_what_is_asked, seal

pytestmark = pytest.mark.django_db


def analysed_study(slug: str, n_teams: int, size: int = 6) -> tuple[Study, list[Participation], AnalysisRun]:
    study = make_study(slug)
    teams = []
    for number in range(n_teams):
        team = make_team(study, f"{slug}{number}", academy=f"{slug} academy {number // 5}")
        seal(team, [answers(*[(p * (i + 2) + number + i // 3) % 4 + 1 for i in range(9)]) for p in range(size)])
        teams.append(team)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    return study, teams, AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=run.pk)


def leader_of(team: Participation) -> Client:
    user = User.objects.create_user(team.team.leader_email)
    user.roles.create(kind="leader", participation=team)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", ["board", "publish"])
def test_a_researchers_page_costs_the_same_for_two_and_for_twenty_teams(client: Client, name: str):
    small, _, _ = analysed_study("two", 2)
    large, _, _ = analysed_study("twenty", 20)
    user = make_researcher(small)
    user.roles.create(kind="researcher", study=large)
    client.force_login(user)
    counts = []
    for study in (small, small, large):  # the first visit fills caches
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(reverse(name, args=[study.slug])).status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_a_report_costs_the_same_for_two_and_for_twenty_teams():
    counts = []
    for slug, n_teams in (("warm", 2), ("two", 2), ("twenty", 20)):
        _, teams, run = analysed_study(slug, n_teams)
        publish(run, None)
        client = leader_of(teams[0])
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("team_report", args=[teams[0].pk])).status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_publishing_from_the_page_mails_the_leaders_once(client: Client):
    study, teams, _ = analysed_study("small", 4)
    client.force_login(make_researcher(study))
    leader = leader_of(teams[0])
    waiting = leader.get(reverse("team_report", args=[teams[0].pk]))
    assert "nog niet klaar" in waiting.content.decode()
    page = client.get(reverse("publish", args=[study.slug])).content.decode()
    assert "Publiceer de rapporten" in page
    for _ in range(2):
        client.post(reverse("publish", args=[study.slug]), follow=True)
        publish_what_is_asked()
    assert Publication.objects.count() == 1
    assert OutboxMessage.objects.filter(kind="report_ready").count() == 4
    report = leader.get(reverse("team_report", args=[teams[0].pk])).content.decode()
    assert teams[0].team.name in report
    assert not re.search(r"\d,\d\d\d", report), "no figure with more than two decimals"
    assert "De pdf wordt gemaakt" in report
    being_made = leader.get(reverse("team_report_pdf", args=[teams[0].pk]))
    assert being_made.status_code == 302, "never made in the request"
    # 4 teams, their academy, the study: each in two languages
    assert make_files(Publication.objects.get().pk) == 12
    assert make_files(Publication.objects.get().pk) == 0
    pdf = leader.get(reverse("team_report_pdf", args=[teams[0].pk]))
    assert pdf.content.startswith(b"%PDF-")


def test_counts_that_do_not_add_up_wait_for_a_reason(client: Client):
    study, teams, _ = analysed_study("small", 4)
    Collection.objects.filter(participation=teams[1]).update(n_links=5)
    client.force_login(make_researcher(study))
    address = reverse("accept_counts", args=[study.slug, teams[1].pk])
    client.post(address, {"reason": "  "})
    assert not AccountingDecision.objects.exists()
    client.post(address, {"reason": "A colleague came in late and was not counted."})
    assert AccountingDecision.objects.get().participation == teams[1]


def test_of_a_combination_the_held_team_asks_for_the_reason(client: Client):
    study, teams, run = analysed_study("small", 4)
    unit = Unit.objects.create(study=study, academy=teams[0].team.academy, name="both of them")
    unit.participations.set(teams[:2])
    Collection.objects.filter(participation=teams[1]).update(n_links=5)
    client.force_login(make_researcher(study))
    page = client.get(reverse("publish", args=[study.slug])).content.decode()
    assert reverse("accept_counts", args=[study.slug, teams[1].pk]) in page
    assert reverse("accept_counts", args=[study.slug, teams[0].pk]) not in page
    assert all(reverse("report_preview", args=[study.slug, team.pk]) in page for team in teams[:2])
    group = next(group for group in load_groups(run) if len(group.teams) == 2)
    assert group.returned == 12, "of both"
    client.post(reverse("accept_counts", args=[study.slug, teams[1].pk]), {"reason": "A colleague came in late."})
    page = client.get(reverse("publish", args=[study.slug])).content.decode()
    assert reverse("accept_counts", args=[study.slug, teams[1].pk]) not in page


def test_a_leader_sees_the_own_team_only():
    _, teams, run = analysed_study("small", 4)
    make_files(publish(run, None).pk)
    leader = leader_of(teams[0])
    for name in ("team", "team_report", "team_report_pdf", "team_talk"):
        assert leader.get(reverse(name, args=[teams[0].pk])).status_code == 200
        assert leader.get(reverse(name, args=[teams[1].pk])).status_code == 404


def test_the_page_of_a_small_team_says_why_and_shows_no_figure(client: Client):
    study, _, _ = analysed_study("small", 4)
    small = make_team(study, "Tiny")
    seal(small, [answers(p % 4 + 1) for p in range(4)])
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    publish(AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=run.pk), None)
    leader = leader_of(small)
    text = leader.get(reverse("team_report", args=[small.pk])).content.decode()
    assert "minder dan 5 mensen" in text
    assert "data:image" not in text
    assert not re.search(r">\s*\d,\d", text)
    assert all(name in text for name in ("First", "Second", "Third")), "they can still talk about the subjects"
    talk = reverse("team_talk", args=[small.pk])
    assert leader.get(talk).url == reverse("team_report", args=[small.pk]), "the report says why there is no talk"
    page = leader.get(reverse("team", args=[small.pk])).content.decode()
    assert talk not in page
    assert "geen resultaten van je team" in page
