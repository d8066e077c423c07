"""The mail server is away, hangs, refuses or breaks off: nothing that was not handed over is lost, and nothing goes twice."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from freezegun import freeze_time

from teams.mail import outbox
from teams.mail.composing import Mail
from teams.models import OutboxMessage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("leases_by_the_frozen_clock")]
State = OutboxMessage.State
KIND, QUIET = "test.kind", "test.quiet"


class Moody(EmailBackend):
    """A server whose mood a test sets: the error with which it meets a connection, or a mail."""

    at_the_door: Exception | None = None
    at_a_mail: "list[Exception | None]" = []
    opened = 0

    def open(self):
        Moody.opened += 1
        if Moody.at_the_door is not None:
            raise Moody.at_the_door

    def send_messages(self, messages):
        error = Moody.at_a_mail.pop(0) if Moody.at_a_mail else None
        if error is not None:
            raise error
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def server(settings, monkeypatch) -> type[Moody]:
    settings.EMAIL_BACKEND = "tests.teams.test_mail_server.Moody"
    monkeypatch.setattr(Moody, "at_the_door", None)
    monkeypatch.setattr(Moody, "at_a_mail", [])
    monkeypatch.setattr(Moody, "opened", 0)
    return Moody


@pytest.fixture(autouse=True)
def rendered(monkeypatch) -> list[int]:
    """A kind of mail like any other, and one that leaves no trace. What was rendered."""
    numbers: list[int] = []

    def render(object_id: int, language: str) -> Mail | None:
        numbers.append(object_id)
        return Mail(f"lena{object_id}@noord.example", str(object_id), "text")

    monkeypatch.setitem(outbox._renderers, KIND, render)
    monkeypatch.setitem(outbox._renderers, QUIET, render)
    monkeypatch.setattr(outbox, "_traceless", {QUIET})
    return numbers


def sent() -> list[str]:
    return sorted(message.subject for message in django_mail.outbox)


@pytest.mark.parametrize("kind", [KIND, QUIET])
def test_a_server_that_is_away_costs_no_mail_and_no_attempt(server, rendered, kind):
    server.at_the_door = ConnectionRefusedError("nobody listens")
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue_many(kind, range(20))
        before = set(OutboxMessage.objects.values_list("pk", flat=True))
        for _minute in range(90):
            assert outbox.send_due() == 0
            clock.tick(timedelta(minutes=10))
        assert set(OutboxMessage.objects.values_list("pk", flat=True)) == before
        assert set(OutboxMessage.objects.values_list("state", "attempts")) == {(State.QUEUED, 0)}
        assert rendered == [], "the connection comes first"
        server.at_the_door = None
        assert outbox.send_due() == 20
    assert sent() == sorted(map(str, range(20)))


def test_a_server_that_is_away_is_asked_once_a_minute_at_most(server):
    """And is asked again within two minutes after it came back."""
    server.at_the_door = TimeoutError("timed out")
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue_many(KIND, range(20))
        for _n in range(600):
            outbox.send_due()
            clock.tick(timedelta(seconds=1))
        assert 10 <= server.opened <= 20
        server.at_the_door = None
        for _n in range(61):
            outbox.send_due()
            clock.tick(timedelta(seconds=1))
    assert len(sent()) == 20


@pytest.mark.parametrize("kind", [KIND, QUIET])
@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPSenderRefused(451, b"later", "noreply@site.example"),
        smtplib.SMTPSenderRefused(550, b"not from here", "noreply@site.example"),
        smtplib.SMTPRecipientsRefused({"lena@noord.example": (451, b"later")}),
        smtplib.SMTPRecipientsRefused({"lena@noord.example": (421, b"closing")}),
        smtplib.SMTPDataError(452, b"disk full"),
    ],
)
def test_what_the_server_refused_for_now_goes_later_and_once(server, kind, error):
    server.at_a_mail = [error] * 3
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue_many(kind, range(5))
        for _n in range(12 * 50):
            outbox.send_due()
            clock.tick(timedelta(seconds=5))
    assert sent() == list(map(str, range(5)))
    if kind == QUIET:
        assert not OutboxMessage.objects.exists()


def test_a_line_that_breaks_while_it_is_handed_over_loses_one_reminder_and_not_the_round(server):
    server.at_a_mail = [smtplib.SMTPServerDisconnected("gone")] * 3
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue_many(QUIET, range(10))
        for _n in range(12 * 10):
            outbox.send_due()
            clock.tick(timedelta(seconds=5))
    assert len(sent()) == 7, "each was being handed over, and is lost rather than sent twice"
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("kind", [KIND, QUIET])
def test_a_worker_that_lost_its_lease_sends_no_second_copy(monkeypatch, settings, kind):
    """It was stopped while it made the mail, as a machine may be; meanwhile another took the mail over and sent it."""
    with freeze_time("2026-11-22 12:00") as clock:
        taken_over = []

        def slow(object_id: int, language: str) -> Mail:
            if not taken_over:
                taken_over.append(True)
                clock.tick(settings.LEASE_SECONDS + 1)
                assert outbox.send_due() == 1
            return Mail("lena@noord.example", "once", "text")

        monkeypatch.setitem(outbox._renderers, kind, slow)
        outbox.queue(kind, 7)
        assert outbox.send_due() == 0
    assert sent() == ["once"]
    assert not OutboxMessage.objects.exclude(state=State.SENT).exists()


def test_no_line_of_the_log_stands_for_a_mail_that_leaves_no_trace(server, caplog):
    server.at_a_mail = [smtplib.SMTPRecipientsRefused({"lena@noord.example": (450, b"busy")}) for _n in range(6)]
    outbox.queue_many(QUIET, range(6))
    outbox.send_due()
    assert caplog.records == []


def test_what_was_refused_for_good_leaves_no_trace_either(server):
    server.at_a_mail = [smtplib.SMTPRecipientsRefused({"lena@noord.example": (550, b"no such user")})] * 100
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue(QUIET, 7)
        for _n in range(60):
            outbox.send_due()
            clock.tick(timedelta(minutes=10))
    assert not OutboxMessage.objects.exists()
    assert timezone.now()
