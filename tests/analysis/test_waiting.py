"""What the board says needs the researcher: mail that came back, meetings that nobody leads, teams that stay too small."""

import smtplib
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from freezegun import freeze_time

from analysis import troubles
from analysis.board import waiting
from surveys.collecting.collections import open_collection
from surveys.models import Response
from surveys.paper import entry
from teams.base.leases import CHORES
from teams.mail import outbox
from teams.mail.composing import Mail
from teams.models import Invitation, Job, OutboxMessage, Participation, Study
from tests.analysis import builders
from tests.teams.test_mail_server import Moody

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = builders.make_study()
    Study.objects.filter(pk=study.pk).update(ends_on=timezone.localdate() + timedelta(days=60))
    study.refresh_from_db()
    return study


def texts(study: Study) -> list[tuple[str, bool]]:
    with translation.override("en"):
        return [(item.text, item.urgent) for item in waiting(study)]


def test_mail_of_this_study_that_did_not_arrive_comes_first(study):
    other = builders.make_study("other")
    for in_study, state in ((study, "failed"), (study, "bounced"), (study, "sent"), (other, "failed")):
        team = builders.make_team(in_study, f"{in_study.slug}{state}")
        open_collection(team)
        invitation = Invitation.objects.create(study=in_study, participation=team, state="sent")
        OutboxMessage.objects.create(
            study=in_study, kind="teams.leader_invitation", object_id=invitation.pk, state=state
        )
    assert texts(study) == [
        ("2 emails could not be delivered", True),
        ("3 invitations have no answer yet", False),
    ]


def test_a_meeting_without_a_contact_person_is_urgent(study):
    today = timezone.localdate()
    for number, (mode, email, day) in enumerate(
        [
            ("contact", "", today + timedelta(days=3)),
            ("contact", "", today - timedelta(days=1)),
            ("contact", "cor@x.example", today + timedelta(days=6)),
            ("researcher", "", today + timedelta(days=7)),
        ]
    ):
        team = builders.make_team(study, f"T{number}", mode=mode)
        open_collection(team)
        Participation.objects.filter(pk=team.pk).update(meets_on=day, contact_email=email)
    assert texts(study) == [
        ("1 team meeting has no contact person to lead it", True),
    ]


def test_teams_below_k_are_named_when_few_days_are_left(study):
    for name, n in (("Small", 4), ("Enough", 5)):
        collection = open_collection(builders.make_team(study, name))
        Response.objects.bulk_create(
            Response(key=f"{name}{number}", collection=collection, state="submitted") for number in range(n)
        )
    assert texts(study) == []
    study.ends_on = timezone.localdate() + timedelta(days=14)
    ((text, urgent),) = texts(study)
    assert text.startswith("1 team has fewer than 5 answers")
    assert urgent
    study.ends_on = timezone.localdate() - timedelta(days=1)
    assert texts(study) == []


def test_queries_do_not_grow_with_the_teams(study):
    study.ends_on = timezone.localdate() + timedelta(days=3)

    def queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            waiting(study)
        return len(queries)

    open_collection(builders.make_team(study, "First"))
    few = queries()
    for number in range(20):
        open_collection(builders.make_team(study, f"T{number}", mode="contact"))
    assert queries() == few


def test_paper_forms_that_are_not_entered_twice_are_urgent(study):
    collection = open_collection(builders.make_team(study, "On paper"))
    entry.new_form(collection)
    assert texts(study)[0] == (
        "1 team has paper forms that have not been entered twice: its answers cannot be sealed",
        True,
    )


def test_the_board_has_words_for_every_chore(study):
    """In both languages, with a page to go to."""
    for app in ("teams", "surveys", "analysis"):
        import_module(f"{app}.tasks")  # with them everything that is a chore
    assert len(CHORES) > 10
    for chore in CHORES.values():
        Job.objects.create(kind=chore.kind, key="1", study=study, attempts=3, error="OSError")
    for language in ("en", "nl"):
        with translation.override(language):
            by_kind = dict(troubles.troubles(study))
        assert len(by_kind) == len(CHORES)
        assert all("%" not in text and page.startswith("/") for text, page in by_kind.items())


def test_a_mail_server_that_is_away_is_on_the_board_until_it_answers(study, settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.teams.test_mail_server.Moody"
    monkeypatch.setattr(Moody, "at_the_door", ConnectionRefusedError())
    monkeypatch.setitem(outbox._renderers, "test.kind", lambda pk, language: Mail("lena@noord.example", "s", "t"))
    outbox.queue("test.kind", 1, study=study)
    assert outbox.send_due() == 0
    assert any(text.startswith("The mail server has not answered since") and urgent for text, urgent in texts(study))
    monkeypatch.setattr(Moody, "at_the_door", None)
    with freeze_time(timezone.now() + timedelta(minutes=1)):
        assert outbox.send_due() == 1
    assert not any("mail server" in text for text, _urgent in texts(study))


def test_reminders_that_were_lost_are_counted_and_nobody_is_named(study, settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.teams.test_mail_server.Moody"
    monkeypatch.setattr(Moody, "at_a_mail", [smtplib.SMTPServerDisconnected("gone")] * 2)
    monkeypatch.setattr(outbox, "_traceless", {"test.kind"})
    monkeypatch.setitem(outbox._renderers, "test.kind", lambda pk, language: Mail("lena@noord.example", "s", "t"))
    outbox.queue_many("test.kind", range(5), study=study)
    with freeze_time(timezone.now()) as clock:
        for _n in range(10):
            outbox.send_due()
            clock.tick(timedelta(seconds=31))
    assert any(text.startswith("2 reminders to holders of personal links have not arrived") for text, _ in texts(study))
