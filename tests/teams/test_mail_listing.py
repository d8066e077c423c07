"""What became of the mails of a study: who read them, in words, sending again, and in a fixed number of queries."""

import pytest
from django.core import mail as django_mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from teams.inviting import corrections, invitations
from teams.mail import listing, outbox
from teams.models import Academy, Event, Institution, OutboxMessage, Team
from tests.groups import a_group
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db
State = OutboxMessage.State


@pytest.fixture
def message(study, nursing) -> OutboxMessage:
    invitations.invite_directors(study)
    outbox.send_due()
    django_mail.outbox.clear()
    return OutboxMessage.objects.get()


def lose(message: OutboxMessage, state: str = State.BOUNCED, error: str = "came back: 5.1.1") -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(state=state, error=error)


@pytest.mark.parametrize(
    ("state", "error", "note"),
    [
        (State.BOUNCED, "came back: 5.1.1", "this address does not exist (5.1.1)"),
        (State.BOUNCED, "came back: 5.9.9", "refused by the other mail server (5.9.9)"),
        (
            State.FAILED,
            "550 5.7.1 no relaying",
            "the other mail server refuses email from here (550 5.7.1 no relaying)",
        ),
        (State.FAILED, "554 go away", "refused by the other mail server (554 go away)"),
        (State.FAILED, "ConnectionError: gone", "ConnectionError: gone"),
        (
            State.FAILED,
            outbox.MAY_HAVE_GONE,
            "the connection broke twice while it was handed over: it may have arrived",
        ),
        (State.SENT, "", ""),
    ],
)
def test_what_the_server_said_is_told_in_words(study, message, state, error, note):
    lose(message, state, error)
    (row,), _page = listing.list_mails(study, "", 1)
    assert row.note == note
    assert row.undelivered is (state != State.SENT)
    assert (row.reader.name, row.reader.address) == ("Dirk Jansen", "dirk@noord.example")
    assert str(row.title) == "Invitation to a director"


def test_a_mail_that_is_tried_again_says_why_and_when(study, message):
    from datetime import timedelta

    from django.utils import timezone

    due_at = timezone.now() + timedelta(hours=2)
    OutboxMessage.objects.update(state=State.QUEUED, attempts=2, due_at=due_at, error="451 4.7.1 Try again later")
    (row,), _page = listing.list_mails(study, "deferred", 1)
    assert row.state == "tried again later"
    assert row.note.startswith("the other mail server asks to try later (451 4.7.1 Try again later); next attempt")
    assert listing.undelivered(study).count() == 0


def test_a_lost_mail_is_sent_again_once_with_a_new_number(study, message, roos, client):
    lose(message)
    client.force_login(roos)
    assert listing.undelivered(study).get() == message
    client.post(reverse("mail_resend", args=[study.slug, message.pk]))
    client.post(reverse("mail_resend", args=[study.slug, message.pk]))
    assert outbox.send_due() == 1
    assert outbox.send_due() == 0
    again = OutboxMessage.objects.get()
    assert (again.state, again.message_id == message.message_id) == (State.SENT, False)
    assert Event.objects.filter(kind="mail_resent", by=roos).count() == 1
    assert not listing.undelivered(study).exists()


def test_all_that_was_given_up_is_sent_again_by_one_button_and_once(study, message, roos, client):
    copies = [OutboxMessage(study=study, kind=message.kind, object_id=1000 + n, state=State.FAILED) for n in range(12)]
    OutboxMessage.objects.bulk_create(copies)
    back = OutboxMessage.objects.create(study=study, kind=message.kind, object_id=2000, state=State.BOUNCED)
    client.force_login(roos)
    client.cookies["django_language"] = "en"
    page = client.get(reverse("mail_messages", args=[study.slug]))
    assert "Resend 12 undelivered emails" in page.content.decode()
    for _twice in range(2):
        client.post(reverse("mail_resend_all", args=[study.slug]))
    assert OutboxMessage.objects.filter(state=State.QUEUED).count() == 12
    assert OutboxMessage.objects.get(pk=back.pk).state == State.BOUNCED
    assert Event.objects.get(kind="mails_resent").detail == "12"


def test_what_is_no_longer_wanted_is_not_sent_again(study, message, nursing, roos):
    lose(message)
    invitations.decline(invitations.academy_invitation(nursing), "workload")
    assert listing.resend(message, roos)
    assert outbox.send_due() == 0
    assert OutboxMessage.objects.get().state == State.DROPPED


def test_a_later_mail_that_arrived_settles_an_earlier_one(study, message, nursing):
    lose(message)
    corrections.correct_director(nursing.team.academy, "Dirk Jansen", "dirk2@noord.example")
    assert not listing.undelivered(study).exists()  # it waits
    outbox.send_due()
    assert not listing.undelivered(study).exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_send_it_again_at_once(study, nursing, roos):
    invitations.invite_directors(study)
    message = OutboxMessage.objects.get()
    lose(message)
    assert sorted(in_threads(*[lambda: listing.resend(message, roos)] * 3)) == [False, False, True]


def test_as_many_queries_for_twenty_as_for_two(study, roos, client):
    client.force_login(roos)
    institution = Institution.objects.create(group=a_group(), name="Groot")
    counts = []
    for upto in (2, 20):
        for n in range(Academy.objects.count(), upto):
            academy = Academy.objects.create(
                institution=institution, name=f"A{n}", director_name="D", director_email=f"d{n}@x.example"
            )
            team = Team.objects.create(academy=academy, name=f"T{n}", leader_name="L", leader_email=f"l{n}@x.example")
            invitations.list_team(study, team)
        invitations.invite_directors(study)
        for name in ("mail_messages", "mails"):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(reverse(name, args=[study.slug])).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
