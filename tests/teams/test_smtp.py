"""The outbox against a real SMTP server, which refuses, defers and hangs up; and mails that come back."""

import imaplib
import mailbox
import socket
import ssl
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from email import message_from_bytes
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from django.db import OperationalError
from django.utils import timezone
from freezegun import freeze_time

from teams.base.leases import Claim
from teams.inviting import invitations
from teams.mail import bounces, composing, outbox
from teams.mail.composing import Mail
from teams.mail.kinds import TeamMail
from teams.models import Invitation, Job, OutboxMessage
from teams.studies.listing import undeliverable_in
from teams.tasks import read_bounces

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("leases_by_the_frozen_clock")]
State = OutboxMessage.State
ADDRESSES = {1: "lena@noord.example", 2: "refused@noord.example", 3: "deferred@noord.example", 4: "lars@noord.example"}


class Postman:
    """Takes mail, but refuses one mailbox for good and another for now."""

    def __init__(self) -> None:
        self.taken: list = []
        self.defers = True

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("deferred") and self.defers:
            return "451 4.7.1 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.taken.append(SimpleNamespace(to=envelope.rcpt_tos, mail=message_from_bytes(envelope.content)))
        return "250 OK"

    def counts(self) -> Counter:
        return Counter(arrived.to[0] for arrived in self.taken)


@pytest.fixture
def postman(settings):
    postman = Postman()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(postman, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield postman
    server.stop()


@pytest.fixture
def kind(monkeypatch) -> str:
    monkeypatch.setitem(outbox._renderers, "test.kind", lambda pk, _language: Mail(ADDRESSES[pk], "Subject", "text"))
    return "test.kind"


def state(pk: int) -> str:
    return OutboxMessage.objects.get(object_id=pk).state


def test_refused_is_given_up_deferred_tried_again_and_the_others_arrive_once(postman, kind):
    outbox.queue_many(kind, [1, 2, 3, 4])
    assert outbox.send_due() == 2
    assert [state(pk) for pk in (1, 2, 3, 4)] == [State.SENT, State.FAILED, State.QUEUED, State.SENT]
    refused = OutboxMessage.objects.get(object_id=2)
    assert "550" in refused.error
    assert "refused@" not in refused.error
    assert outbox.send_due() == 0  # not before its pause is over
    postman.defers = False
    with freeze_time(timezone.now() + timedelta(minutes=2)):
        assert outbox.send_due() == 1
    assert postman.counts() == {ADDRESSES[1]: 1, ADDRESSES[3]: 1, ADDRESSES[4]: 1}
    assert state(3) == State.SENT


def test_a_worker_killed_after_sending_leaves_copies_with_one_message_id(postman, kind, monkeypatch, settings):
    outbox.queue(kind, 1)
    done = outbox._done

    def killed(claim, **fields):
        raise SystemExit

    monkeypatch.setattr(outbox, "_done", killed)
    with pytest.raises(SystemExit):
        outbox.send_due()
    monkeypatch.setattr(outbox, "_done", done)
    assert outbox.send_due() == 0  # the dead worker's claim still holds
    with freeze_time(timezone.now() + timedelta(seconds=settings.LEASE_SECONDS + 1)):
        assert outbox.send_due() == 1
        assert outbox.send_due() == 0
    assert len(postman.taken) == 2
    assert len({arrived.mail["Message-ID"] for arrived in postman.taken}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_after_sending_makes_no_second_copy(postman, kind, monkeypatch):
    """It was read-only for a minute: what had just been handed over was not noted, and went once more."""
    finish, refusals = Claim.finish, [OperationalError("read-only"), OperationalError("read-only")]

    def away(claim, **fields):
        if refusals:
            raise refusals.pop()
        return finish(claim, **fields)

    monkeypatch.setattr(Claim, "finish", away)
    monkeypatch.setattr(outbox, "NOTED_AGAIN", 0)
    outbox.queue(kind, 1)
    assert outbox.send_due() == 1
    assert (state(1), len(postman.taken)) == (State.SENT, 1)


def test_a_server_that_is_away_costs_a_pause_only(postman, kind, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    outbox.queue(kind, 1)
    assert outbox.send_due() == 0
    assert state(1) == State.QUEUED
    settings.EMAIL_PORT = port
    with freeze_time(timezone.now() + timedelta(minutes=2)):
        assert outbox.send_due() == 1


REPORT = """From: MAILER-DAEMON@mail.example
To: noreply@teamspiegel.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I am sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; dirk@noord.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 dirk@noord.example unknown

--b
Content-Type: {kind}

Message-ID: {message_id}
Subject: Invitation

--b--
"""


def report(message_id: str, action: str = "failed", status: str = "5.1.1", kind: str = "message/rfc822") -> bytes:
    return REPORT.format(message_id=message_id, action=action, status=status, kind=kind).encode()


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_of_failure_names_the_mail_and_the_status(kind):
    assert bounces.read_bounce(report("<1@x.example>", kind=kind)) == bounces.Bounce("<1@x.example>", "5.1.1")


@pytest.mark.parametrize(
    "content",
    [
        report("<1@x.example>", action="delayed", status="4.4.1"),
        report("<1@x.example>", action="delivered", status="2.0.0"),
        b"Subject: Out of office\nAuto-Submitted: auto-replied\n\nI am away. Action: failed",
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b--",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b--",
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_what_is_no_failure_changes_nothing(content):
    assert bounces.read_bounce(content) is None


def test_a_mail_about_a_team_that_came_back_is_not_marked_at_an_invitation_of_the_same_number(study, nursing):
    invitation = Invitation.objects.filter(study=study).first()
    mail = OutboxMessage(study=study, kind=TeamMail.LEADER_NAMED, object_id=invitation.pk, state=State.BOUNCED)
    mail.save()
    assert undeliverable_in(study) == set()


def test_a_mail_that_came_back_is_marked_at_the_invitation(study, nursing, postman, tmp_path, settings):
    invitations.invite_directors(study)
    assert outbox.send_due() == 1
    assert undeliverable_in(study) == set()
    folder = mailbox.Maildir(tmp_path / "box")
    folder.add(report(postman.taken[0].mail["Message-ID"]))
    folder.add(report("<not-ours@x.example>"))
    settings.BOUNCES_URL = f"maildir://{tmp_path}/box"
    read_bounces()
    message = OutboxMessage.objects.get()
    assert (message.state, message.error) == (State.BOUNCED, "came back: 5.1.1")
    invitation = invitations.academy_invitation(nursing)
    assert undeliverable_in(study) == {invitation.pk}
    assert bounces.read_mailbox(settings.BOUNCES_URL) == 0  # each mail is read once
    assert len(list(folder.iterkeys())) == 2
    assert invitations.remind(invitation)  # to a repaired address: the last mail counts
    assert undeliverable_in(study) == set()


class FakeImap:
    """An IMAP server with one unseen report."""

    stored: list = []

    def __init__(self, host, port, timeout, ssl_context=None):
        assert (host, port) == ("mail.example", 993)
        assert ssl_context.check_hostname, "it tells the password to nobody else"
        assert ssl_context.verify_mode == ssl.CERT_REQUIRED

    def login(self, user, password):
        assert (user, password) == ("noreply@x.example", "a:b")

    def select(self, folder):
        assert folder == "INBOX"

    def uid(self, command, *given):
        if command == "SEARCH":
            return "OK", [b"7" if given == ("UNSEEN",) else b""]
        if command == "FETCH":
            assert "PEEK" in given[1]
            return "OK", [(b"7 (BODY[] {1}", report("<7@x.example>")), b")"]
        self.stored.append(given)
        return "OK", []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stored.append("logged out")


@pytest.mark.parametrize(
    "odd",
    [
        report("<1@x.example>", kind='text/rfc822-headers; charset="x-unknown"'),
        report("<[1@x.example>"),
        report("<1@x.example"),
        report("=?utf-8?q?=FF?=", kind="text/rfc822-headers"),
        report("<1@x.example>").replace(b"Status: 5.1.1", b"Status: \xff\xfe"),
        report("<1@x.example>").replace(b'boundary="b"', b'boundary="b"; charset="nonsense"'),
    ],
)
def test_an_odd_report_does_not_stop_the_reading_of_the_others(odd, tmp_path):
    OutboxMessage.objects.create(kind="x", object_id=1, state=State.SENT, message_id="<7@x.example>")
    folder = mailbox.Maildir(tmp_path / "box")
    folder.add(odd)
    folder.add(report("<7@x.example>"))
    with suppress(Exception):
        bounces.read_mailbox(f"maildir://{tmp_path}/box")
    assert OutboxMessage.objects.get().state == State.BOUNCED


def test_a_report_that_cannot_be_read_is_tried_again_then_left_and_the_board_names_it(tmp_path, monkeypatch):
    OutboxMessage.objects.create(kind="x", object_id=1, state=State.SENT, message_id="<7@x.example>")
    folder = mailbox.Maildir(tmp_path / "box")
    for content in (b"Subject: bad", report("<7@x.example>")):
        folder.add(content)
    tried, read = [], bounces.read_bounce

    def stumble(content):
        if b"bad" in content:
            tried.append(content)
            raise LookupError("unknown encoding: secret words")
        return read(content)

    monkeypatch.setattr(bounces, "read_bounce", stumble)
    with freeze_time("2026-11-22 12:00") as clock:
        for _n in range(100):
            bounces.read_mailbox(f"maildir://{tmp_path}/box")
            clock.tick(timedelta(minutes=5))
    assert OutboxMessage.objects.get().state == State.BOUNCED
    assert len(tried) == 5
    job = Job.objects.get()
    assert (job.kind, job.error) == ("teams.read_bounce", "LookupError")


def test_a_line_to_the_mailbox_that_breaks_counts_for_no_mail(monkeypatch):
    def broken(self, command, *given):
        if command == "FETCH":
            raise imaplib.IMAP4.abort("gone")
        return "OK", [b"7 8"]

    monkeypatch.setattr(FakeImap, "uid", broken)
    monkeypatch.setattr("imaplib.IMAP4_SSL", FakeImap)
    with pytest.raises(imaplib.IMAP4.abort):
        bounces.read_mailbox("imaps://noreply%40x.example:a%3Ab@mail.example")
    assert not Job.objects.exclude(attempts=0).exists()


def test_reports_are_read_over_imap(monkeypatch):
    OutboxMessage.objects.create(kind="x", object_id=1, state=State.SENT, message_id="<7@x.example>")
    monkeypatch.setattr("imaplib.IMAP4_SSL", FakeImap)
    monkeypatch.setattr(FakeImap, "stored", [])
    assert bounces.read_mailbox("imaps://noreply%40x.example:a%3Ab@mail.example") == 1
    assert FakeImap.stored == [("7", "+FLAGS", "\\Seen"), "logged out"]


def test_reminders_say_how_to_end_them(study, nursing, postman):
    invitations.invite_directors(study)
    invitation = invitations.academy_invitation(nursing)
    invitations.remind(invitation)
    outbox.send_due()
    invited, reminded = (arrived.mail for arrived in postman.taken)
    assert "List-Unsubscribe" not in invited
    assert "List-Unsubscribe-Post" not in invited
    assert reminded["List-Unsubscribe"].strip() == f"<{composing.absolute(invitations.stop_path(invitation))}>"
    assert reminded["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


# ------------------------------------------------------------------------------------------------ when it may have gone
def hang_up(postman) -> None:
    """The server takes the mail, and the line breaks before it says so."""

    async def handle_DATA(server, session, envelope):
        postman.taken.append(SimpleNamespace(to=envelope.rcpt_tos, mail=message_from_bytes(envelope.content)))
        server.transport.close()
        return "250 OK"

    postman.handle_DATA = handle_DATA


def test_a_line_that_breaks_after_the_mail_gives_one_copy_more_at_most(postman, kind):
    hang_up(postman)
    outbox.queue(kind, 1)
    with freeze_time(timezone.now()) as clock:
        assert outbox.send_due() == 0
        message = OutboxMessage.objects.get()
        assert (message.state, message.handed_over) == (State.QUEUED, 1)
        assert message.due_at == timezone.now() + outbox.IN_DOUBT
        clock.tick(outbox.IN_DOUBT)
        assert outbox.send_due() == 0
        message = OutboxMessage.objects.get()
        assert message.state == State.FAILED
        assert message.error.startswith(outbox.MAY_HAVE_GONE)
        clock.tick(timedelta(days=30))
        assert outbox.send_due() == 0
    assert len(postman.taken) == 2
    assert len({arrived.mail["Message-ID"] for arrived in postman.taken}) == 1


def test_workers_killed_again_and_again_after_sending_give_one_copy_more_at_most(postman, kind, monkeypatch, settings):
    outbox.queue(kind, 1)

    def killed(claim, **fields):
        raise SystemExit

    monkeypatch.setattr(outbox, "_done", killed)
    with freeze_time(timezone.now()) as clock:
        for _attempt in range(2):
            with pytest.raises(SystemExit):
                outbox.send_due()
            clock.tick(timedelta(seconds=settings.LEASE_SECONDS + 1))
        assert outbox.send_due() == 0
    message = OutboxMessage.objects.get()
    assert (message.state, message.error) == (State.FAILED, outbox.MAY_HAVE_GONE)
    assert len(postman.taken) == 2
    assert len({arrived.mail["Message-ID"] for arrived in postman.taken}) == 1


def test_a_mail_without_trace_is_never_sent_twice(postman, kind, monkeypatch, settings):
    monkeypatch.setattr(outbox, "_traceless", {kind})
    hang_up(postman)
    outbox.queue(kind, 1)
    outbox.send_due()
    with freeze_time(timezone.now() + timedelta(days=1)):
        outbox.send_due()
    assert len(postman.taken) == 1
    assert not OutboxMessage.objects.exists()


def test_what_is_kept_of_a_mail_that_went_is_no_finer_than_the_day(postman, kind):
    outbox.queue(kind, 1)
    outbox.send_due()
    message = OutboxMessage.objects.get()
    local = timezone.localtime(message.due_at)
    assert (local.date(), local.hour, local.minute, local.second) == (message.sent_on, 0, 0, 0)
    assert message.lease_until is None
