"""The outbox: claimed once, tried again with growing pauses, given up when of no use; no line breaks in headers."""

import ast
import re
import smtplib
from datetime import time, timedelta
from time import process_time
from types import SimpleNamespace

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone, translation
from freezegun import freeze_time

from scripts.setup import ROOT
from teams.base import leases
from teams.mail import composing, outbox, server
from teams.mail.composing import Attachment, Mail
from teams.mail.kinds import TeamMail, To
from teams.mail.outbox import UnsendableMail
from teams.models import OutboxMessage, Study, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("leases_by_the_frozen_clock")]
State = OutboxMessage.State


@pytest.fixture
def kind(monkeypatch) -> str:
    """A kind of mail whose renderer the test may replace: ``mail._renderers[kind]``."""

    def render(object_id: int, language: str) -> Mail | None:
        return Mail("lena@noord.example", f"{translation.get_language()} {object_id}", "text", "<p>text</p>")

    monkeypatch.setitem(outbox._renderers, "test.kind", render)
    return "test.kind"


class RefusingBackend(EmailBackend):
    error: Exception = OSError("connection reset")

    def send_messages(self, messages):
        raise self.error


def refuse_with(settings, monkeypatch, error: Exception) -> None:
    settings.EMAIL_BACKEND = "tests.teams.test_mail.RefusingBackend"
    monkeypatch.setattr(RefusingBackend, "error", error)


def test_a_queued_mail_is_sent_once_in_its_language(kind):
    outbox.queue(kind, 7, "en")
    assert outbox.send_due() == 1
    assert outbox.send_due() == 0
    (sent,) = django_mail.outbox
    message = OutboxMessage.objects.get()
    assert (sent.to, sent.subject, sent.body) == (["lena@noord.example"], "en 7", "text")
    assert sent.alternatives[0].content == "<p>text</p>"
    assert (message.state, message.attempts, message.lease_until) == (State.SENT, 1, None)
    assert message.sent_on == timezone.localdate()
    assert sent.extra_headers["Message-ID"] == message.message_id
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("theirs", "given", "sent"), [("en", "", "en"), ("nl", "", "nl"), (None, "", "nl"), ("nl", "en", "en")]
)
def test_a_mail_is_in_the_language_of_its_readers_account(kind, theirs, given, sent):
    if theirs:
        User.objects.create_user("Lena@noord.example", language=theirs)
    outbox.queue(kind, 7, given)
    assert outbox.send_due() == 1
    (message,) = django_mail.outbox
    assert message.subject == f"{sent} 7"


@pytest.mark.parametrize(("theirs", "sent"), [("nl", "nl"), (None, "en")])
def test_who_has_no_account_is_mailed_in_the_language_of_the_study(kind, study, theirs, sent):
    Study.objects.filter(pk=study.pk).update(language="en")
    if theirs:
        User.objects.create_user("lena@noord.example", language=theirs)
    outbox.queue(kind, 7, study=study)
    assert outbox.send_due() == 1
    (message,) = django_mail.outbox
    assert message.subject == f"{sent} 7"


def test_nothing_kept_of_a_mail_that_went_is_finer_than_the_day(kind, monkeypatch):
    """Sent at two moments of one day, two mails leave the same times; their numbers hold no moment at all."""

    def taken(email: EmailMultiAlternatives) -> int:
        email.anymail_status = SimpleNamespace(message_id=f"{timezone.now():%Y%m%d%H%M%S}.17@provider.example")
        return 1

    monkeypatch.setattr(EmailMultiAlternatives, "send", taken)
    for moment in ("2026-11-03 09:12:13", "2026-11-03 14:25:36"):
        with freeze_time(moment):
            outbox.queue(kind, 7)
            assert outbox.send_due() == 1
    one, other = OutboxMessage.objects.filter(state=State.SENT).values()
    assert {name for name in one if one[name] != other[name]} == {"id", "message_id", "provider_id"}
    for row in (one, other):
        assert re.fullmatch(r"<[0-9a-f]{32}@[\w.]+>", row["message_id"])
        assert re.fullmatch(r"[0-9a-f]{64}", row["provider_id"])
        assert timezone.localtime(row["due_at"]).time() == time(0)
    monkeypatch.setattr(server.secrets, "token_hex", lambda n: "0" * 2 * n)
    assert len({server.new_message_id() for _ in range(2)}) == 1, "nothing but chance is in it"


def test_the_outbox_holds_no_text_and_no_address():
    assert {field.name for field in OutboxMessage._meta.get_fields()} == {
        "id",
        "study",
        "kind",
        "object_id",
        "language",
        "state",
        "message_id",
        "provider_id",
        "handed_over",
        "attempts",
        "due_at",
        "lease_until",
        "n_claims",
        "sent_on",
        "error",
    }


def test_the_mail_exists_exactly_when_its_cause_does(kind):
    with transaction.atomic():
        outbox.queue(kind, 7)
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.exists()


def test_the_broker_is_woken_after_the_commit_once_for_many(kind, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr(leases.current_app, "send_task", lambda name, **options: woken.append(name))
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        outbox.queue_many(kind, [1, 2, 3])
        assert woken == []
    assert woken == ["teams.send_due_mail"]
    assert len(callbacks) == 1
    assert OutboxMessage.objects.count() == 3


def test_a_broker_that_is_away_does_not_break_the_cause(kind, monkeypatch, django_capture_on_commit_callbacks):
    def away(name, **options):
        raise ConnectionError

    monkeypatch.setattr(leases.current_app, "send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        outbox.queue(kind, 7)
    assert outbox.send_due() == 1


def test_an_unknown_kind_is_a_mistake_of_the_programmer():
    with pytest.raises(KeyError):
        outbox.queue("test.unknown", 1)
    with pytest.raises(ValueError, match="renderer already"):
        outbox.register("teams.director_invitation")(lambda object_id, language: None)


def test_two_workers_one_sends(kind):
    outbox.queue(kind, 7)
    pk = OutboxMessage.objects.get().pk
    first, second = outbox._claim(pk), outbox._claim(pk)
    assert first is not None
    assert second is None


def test_the_mail_of_a_dead_worker_is_taken_up_when_its_lease_ran_out_with_the_same_message_id(kind, settings):
    with freeze_time("2026-11-22 12:00"):
        outbox.queue(kind, 7)
        message = outbox._claim(OutboxMessage.objects.get().pk).row
    with freeze_time("2026-11-22 12:00") as clock:
        clock.tick(settings.LEASE_SECONDS - 1)
        assert outbox.send_due() == 0
        clock.tick(2)
        assert outbox.send_due() == 1
    assert django_mail.outbox[0].extra_headers["Message-ID"] == message.message_id


def test_a_worker_that_lost_its_lease_does_not_overwrite_the_next(kind, settings):
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue(kind, 7)
        slow = outbox._claim(OutboxMessage.objects.get().pk)
        clock.tick(settings.LEASE_SECONDS + 1)
        assert outbox.send_due() == 1
        outbox._fail(slow, OSError("too late"), None, handed_over=False)
    assert OutboxMessage.objects.get().state == State.SENT


def test_a_failure_is_tried_again_with_growing_pauses_and_then_given_up(kind, settings, monkeypatch):
    refuse_with(settings, monkeypatch, smtplib.SMTPDataError(451, b"lena@noord.example: try later"))
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue(kind, 7)
        for attempt, pause in enumerate(outbox.BACKOFF, start=1):
            assert outbox.send_due() == 0
            message = OutboxMessage.objects.get()
            assert (message.state, message.attempts) == (State.QUEUED, attempt)
            assert message.due_at == timezone.now() + pause
            clock.tick(pause - timedelta(seconds=1))
            outbox.send_due()
            assert OutboxMessage.objects.get().attempts == attempt
            clock.tick(timedelta(seconds=1))
        outbox.send_due()
    message = OutboxMessage.objects.get()
    assert (message.state, message.attempts, message.lease_until) == (State.FAILED, len(outbox.BACKOFF) + 1, None)
    assert "try later" in message.error
    assert "lena" not in message.error


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (smtplib.SMTPRecipientsRefused({"lena@noord.example": (550, b"no such user")}), State.FAILED),
        (smtplib.SMTPRecipientsRefused({"lena@noord.example": (450, b"mailbox busy")}), State.QUEUED),
        (smtplib.SMTPDataError(554, b"refused"), State.FAILED),
        (smtplib.SMTPDataError(451, b"try later"), State.QUEUED),
        (smtplib.SMTPAuthenticationError(535, b"bad password"), State.QUEUED),
        (smtplib.SMTPServerDisconnected("gone"), State.QUEUED),
    ],
)
def test_what_the_server_refuses_for_good_is_given_up_at_once(kind, settings, monkeypatch, error, state):
    refuse_with(settings, monkeypatch, error)
    outbox.queue(kind, 7)
    outbox.send_due()
    assert OutboxMessage.objects.get().state == state


def test_one_bad_mail_does_not_hold_the_others(kind, monkeypatch):
    def render(object_id: int, language: str) -> Mail | None:
        if object_id == 1:
            raise RuntimeError("secret words of the mail")
        return Mail("lena@noord.example", "subject", "text")

    monkeypatch.setitem(outbox._renderers, kind, render)
    outbox.queue_many(kind, [1, 2])
    assert outbox.send_due() == 1
    failed = OutboxMessage.objects.get(object_id=1)
    assert (failed.state, failed.error) == (State.QUEUED, "RuntimeError")


def test_a_mail_that_is_no_longer_wanted_is_dropped(kind, monkeypatch):
    monkeypatch.setitem(outbox._renderers, kind, lambda object_id, language: None)
    outbox.queue(kind, 7)
    assert outbox.send_due() == 0
    assert OutboxMessage.objects.get().state == State.DROPPED
    assert django_mail.outbox == []


def test_a_mail_for_later_waits(kind):
    with freeze_time("2026-11-22 12:00") as clock:
        outbox.queue(kind, 7, due_at=timezone.now() + timedelta(hours=1))
        assert outbox.send_due() == 0
        clock.tick(timedelta(hours=1))
        assert outbox.send_due() == 1


@pytest.mark.parametrize("bad", ["\n", "\r", "\r\nBcc: everyone@noord.example", "\x00", "\x7f"])
def test_headers_with_line_breaks_are_refused(bad):
    for fields in (
        {"to": f"lena@noord.example{bad}", "subject": "s"},
        {"to": "lena@noord.example", "subject": f"s{bad}"},
        {"to": "lena@noord.example", "subject": "s", "headers": {"Reply-To": f"roos@noord.example{bad}"}},
        {"to": "lena@noord.example", "subject": "s", "headers": {f"X{bad}": "1"}},
        {"to": "lena@noord.example", "subject": "s", "attachments": (Attachment(f"a{bad}.ics", b"", "text/calendar"),)},
        {"to": "lena@noord.example", "subject": "s", "attachments": (Attachment("a.ics", b"", f"text/calendar{bad}"),)},
    ):
        with pytest.raises(UnsendableMail):
            Mail(text="t", **fields)


@pytest.mark.parametrize("to", ["", "lena", "lena@", "lena@noord.example, lars@noord.example"])
def test_what_is_no_address_is_refused(to):
    with pytest.raises(UnsendableMail):
        Mail(to, "subject", "text")


def test_an_injected_header_is_given_up_and_nothing_goes_out(nursing, study):
    """A title that came around the forms: the mail is refused for good, with the reason."""
    from teams.inviting import invitations
    from teams.models import Study

    Study.objects.filter(pk=study.pk).update(contact_email="roos@noord.example\nBcc: everyone@noord.example")
    invitations.invite_directors(Study.objects.get(pk=study.pk))
    outbox.send_due()
    message = OutboxMessage.objects.get()
    assert message.state == State.FAILED
    assert "line break" in message.error
    assert django_mail.outbox == []


def test_the_html_says_the_same_and_makes_addresses_of_this_site_links(settings):
    settings.BASE_URL = "https://site.example"
    text = (
        "Dear Dirk,\n\nhttps://site.example/i/1\n\nOr https://site.example/i/2, not https://evil.example/i/1\n\n\nbye"
    )
    composed = composing.from_text("dirk@noord.example", "subject", text)
    assert composed.html.count("<a ") == 2
    assert '<a href="https://site.example/i/1"' in composed.html
    assert "Or <a href=" in composed.html
    assert 'href="https://evil.example' not in composed.html
    assert composed.text == text.replace("\n\n\n", "\n\n") + "\n"
    assert composed.html.count("<p ") == 5


def test_names_are_text_in_the_html_and_unescaped_in_the_text():
    composed = composing.from_text("dirk@noord.example", "subject", "Leren & <b>werken</b>")
    assert "Leren & <b>werken</b>" in composed.text
    assert "Leren &amp; &lt;b&gt;werken&lt;/b&gt;" in composed.html


def test_files_go_with_the_mail(kind, monkeypatch):
    file = Attachment("meeting.ics", "BEGIN:VCALENDAR é".encode(), "text/calendar; method=REQUEST")
    monkeypatch.setitem(
        outbox._renderers, kind, lambda pk, _: Mail("lena@noord.example", "s", "t", attachments=(file,))
    )
    outbox.queue(kind, 7)
    assert outbox.send_due() == 1
    (part,) = [attached for attached in django_mail.outbox[0].message().walk() if attached.get_filename()]
    assert (part.get_filename(), part.get_content_type()) == ("meeting.ics", "text/calendar")
    assert part.get_payload(decode=True) == file.content


def test_a_long_row_of_blanks_costs_no_time():
    """Ten seconds for each mail with such a text, in which no mail of anybody went."""
    since = process_time()
    made = composing.from_text("ans@noord.example", "Blanks", f"One{' ' * 20_000}two \t\r\n \n\n\nthree  \nfour")
    assert process_time() - since < 1
    assert made.text == f"One{' ' * 20_000}two\n\nthree\nfour\n"


def test_only_who_waits_at_a_screen_or_was_asked_in_one_is_mailed_in_a_given_language():
    """Everybody else's mail is in the language of its reader: nobody who puts a mail in the outbox decides it."""
    given = [
        f"{path.relative_to(ROOT)}: {ast.unparse(call)}"
        for app in ("teams", "surveys", "analysis")
        for path in sorted((ROOT / app).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("queue", "queue_many", "outbox.queue", "outbox.queue_many")
        and (len(call.args) > 2 or any(keyword.arg == "language" for keyword in call.keywords))
    ]
    assert given == [
        "teams/accounts/sign_in_mails.py: outbox.queue(TeamMail.SIGN_IN, row.pk, language)",
        "teams/mail/outbox.py: queue_many(kind, [object_id], language, due_at, study=study)",
        "teams/studies/joining.py: outbox.queue(TeamMail.RESEARCHER_ASKED, made.pk, language, study=study)",
    ]
    assert {kind for kind in TeamMail if kind.to is To.OUTSIDE} == {TeamMail.SIGN_IN, TeamMail.RESEARCHER_ASKED}
