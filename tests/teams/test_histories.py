"""The history of a study: everything that happened in it, in words, page by page."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from teams import history
from teams.history import Happened
from teams.models import Event

pytestmark = pytest.mark.django_db


def page(client: Client, study, **query: str) -> str:
    response = client.get(reverse("study_history", args=[study.slug]), query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def with_history(study, roos, nursing):
    history.record(study, Happened.MAIL_TEXT_CHANGED, by=roos, detail="teams.director_invitation (en)")
    history.record(study, Happened.DIRECTOR_INVITED, academy=nursing.team.academy, by=roos)
    history.record(study, Happened.LEADER_INVITED, participation=nursing, by_link=True)
    return study


def test_it_tells_of_the_study_its_academies_and_its_teams(with_history, roos, client):
    client.force_login(roos)
    said = page(client, with_history)
    for kind in (Happened.MAIL_TEXT_CHANGED, Happened.DIRECTOR_INVITED, Happened.LEADER_INVITED):
        assert str(kind.words) in said
    assert (
        reverse("team_history", args=[with_history.slug, Event.objects.get(kind="leader_invited").participation_id])
        in said
    )


@pytest.mark.parametrize(
    ("about", "kind"), [("study", "mail_text_changed"), ("academies", "director_invited"), ("teams", "leader_invited")]
)
def test_one_reads_what_concerns_the_study_or_academies_or_teams(with_history, about, kind):
    wanted = set(history.history_of_study(with_history, about).values_list("kind", flat=True))
    assert kind in wanted
    assert wanted.isdisjoint({"mail_text_changed", "director_invited", "leader_invited"} - {kind})


def test_it_stands_page_by_page_in_as_many_queries(with_history, roos, client, django_assert_max_num_queries):
    client.force_login(roos)
    page(client, with_history)
    for n in range(60):
        history.record(with_history, Happened.RESEARCHER_ASKED, by=roos, detail=f"new{n}@noord.example")
    with django_assert_max_num_queries(12):
        said = page(client, with_history)
    assert len(re.findall(r"new\d+@", said)) == 50
    assert "new0@" in page(client, with_history, page="2")


@pytest.mark.parametrize(
    ("kind", "detail", "english"),
    [
        ("mode_changed", "online → contact", "online, each by a personal link → in a team meeting, introduced by"),
        ("settings_changed", "k, ends_on", "smallest group shown (k), last day"),
        ("mail_text_changed", "teams.director_invitation (en)", "Invitation to a director (English)"),
        ("mail_hours_changed", "125 08:00-18:30", "Monday, Tuesday, Friday, 08:00–18:30"),
        ("reminders_changed", "director: 2 × 7", "Directors: at most 2, 7 days apart"),
        ("reminders_changed", "leader: –", "Team leaders: paused"),
        ("meeting_moved", "2026-11-30 10:00 → 2026-12-01 09:30", "30 November 2026, 10:00 → 1 December 2026, 09:30"),
        ("director_accepted", "2026-12-01", "leaders are not emailed before 1 December 2026"),
        ("contacts_imported", "3 + 1", "3 new, 1 changed"),
        ("leading_recorded", "contact → researcher", "introduced by a contact person → in a team meeting, a"),
        ("addresses_confirmed", "1 / 3", "1 of 3"),
        ("published", "run 5 – Team A, Team B", "from analysis 5, without: Team A, Team B"),
        ("decision_undone", "merge AA BB", "merge a scale into another: AA BB"),
        ("plan_locked", "0123456789abcdef", "fingerprint 0123456789ab"),
        ("text_reviewed", "Q1, cleared", "Q1: "),
        ("researcher_added", "2026-99-99 00:00", "2026-99-99 00:00"),
        ("mode_changed", "something else", "something else"),
    ],
)
def test_details_are_told_in_words(kind, detail, english):
    with override("en"):
        assert english in history.detail_in_words(Event(kind=kind, detail=detail))
