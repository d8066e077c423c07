"""Rounds of reminders at times that a researcher sets."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from surveys.answering import submission
from surveys.collecting import collections
from surveys.linking import personal_links, rounds
from surveys.mail_kinds import SurveyMail
from surveys.models import ReminderRound
from teams.models import OutboxMessage
from tests.surveys.conftest import in_threads


def queued() -> int:
    return OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_REMINDER_TO_ALL).count()


def due(survey, hours: float = -0.1) -> ReminderRound:
    return ReminderRound.objects.create(survey=survey, due_at=timezone.now() + timedelta(hours=hours))


def test_a_round_goes_out_once_when_its_time_has_come(survey, online, invitees):
    early, now = due(survey, 1), due(survey)
    personal_links.opt_out(invitees[0])
    assert rounds.send_due() == 5
    assert rounds.send_due() == 0
    assert queued() == 5
    early.refresh_from_db()
    now.refresh_from_db()
    assert (early.sent, now.sent) == (False, True)


def test_never_after_closing(survey, online, invitees):
    due(survey)
    collections.close_collection(online)
    assert rounds.send_due() == 0
    assert queued() == 0


def test_every_round_goes_to_everybody_who_answered_or_not(survey, online, invitees):
    for invitee in invitees[: survey.study.k]:
        submission.submit(submission.start_by_link(invitee), 1, {})
    for n in (1, 2):
        due(survey)
        assert rounds.send_due() == 6
        assert queued() == 6 * n


def test_a_round_that_nobody_could_send_for_a_day_is_not_sent_at_another_time(survey, online, invitees):
    late = due(survey, -25)
    assert rounds.send_due() == 0
    late.refresh_from_db()
    assert late.sent


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_a_round_once(survey, online, invitees):
    due(survey)
    assert sorted(in_threads(rounds.send_due, rounds.send_due)) == [0, 6]
    assert queued() == 6


def test_a_researcher_plans_and_takes_back(client, survey, online, invitees, roos):
    client.force_login(roos)
    address = reverse("reminder_rounds", args=[survey.study.slug])
    when = timezone.localtime() + timedelta(days=2)
    for _n in range(2):
        assert client.post(address, {"due_at": when.strftime("%Y-%m-%dT%H:%M")}).status_code == 302
    planned = ReminderRound.objects.get()
    assert planned.due_at == when.replace(second=0, microsecond=0)
    assert reverse("reminder_round_drop", args=[survey.study.slug, planned.pk]) in client.get(address).content.decode()
    past = client.post(address, {"due_at": "2026-01-01T09:00"})
    assert past.status_code == 200
    assert b"is-invalid" in past.content
    client.post(reverse("reminder_round_drop", args=[survey.study.slug, planned.pk]))
    assert not ReminderRound.objects.exists()
