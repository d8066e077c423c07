"""The only sender of mail: an outbox of kind and object id, rendered at sending and never stored.

``queue`` is called inside the transaction that causes the mail, so that a mail exists exactly when its cause does. The
row is the queue and the broker only a wake-up: ``send_due`` claims a row by a conditional update with a lease, so that of
two workers one sends, and a row whose worker died is taken up again when its lease has run out. Between handing a mail
to the server and writing that down a worker may die; the mail is then sent twice, which we accept: both copies carry the
same Message-ID, made before the first attempt.
"""

import logging
import smtplib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import make_msgid
from typing import NamedTuple
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.utils import timezone, translation

from teams.models import OutboxMessage

logger = logging.getLogger(__name__)

TASK = "teams.send_due_mail"
# Waiting time after the first, second, … failed attempt; after the last the mail is given up
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)


class UnsendableMail(Exception):
    """A mail that no later attempt can send: a bad address, or a header with a line break."""


class Attachment(NamedTuple):
    """A file that goes with a mail, such as a calendar file."""

    filename: str
    content: bytes
    mimetype: str  # with parameters if need be: text/calendar; method=REQUEST


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail to one bare address.

    Raises:
        UnsendableMail: if an address or header holds a line break (header injection), or the address is none.
    """

    to: str
    subject: str
    text: str
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        of_files = [text for file in self.attachments for text in (file.filename, file.mimetype)]
        for value in (self.to, self.subject, *self.headers, *self.headers.values(), *of_files):
            if any(ord(character) < 32 or ord(character) == 127 for character in value):
                raise UnsendableMail("a header holds a line break or another control character")
        try:
            validate_email(self.to)
        except ValidationError as error:
            raise UnsendableMail("the address is not an e-mail address") from error


Renderer = Callable[[int, str], Mail | None]
_renderers: dict[str, Renderer] = {}
_traceless: set[str] = set()


def register(kind: str, *, leaves_trace: bool = True) -> Callable[[Renderer], Renderer]:
    """Decorator: the function that renders mails of this kind from an object id and a language.

    It returns None where the mail is no longer wanted. It is called outside any transaction. Where it would tell too much
    who got a mail and who did not (a reminder goes to those who have not answered), the kind leaves no trace: the row is
    deleted after the first attempt, whether the mail was sent, not wanted or failed.
    """

    def remember(renderer: Renderer) -> Renderer:
        if not leaves_trace:
            _traceless.add(kind)
        if _renderers.setdefault(kind, renderer) is not renderer:
            raise ValueError(f"Mails of kind '{kind}' have a renderer already.")
        return renderer

    return remember


def compose(
    to: str,
    subject: str,
    template: str,
    context: dict[str, object],
    headers: dict[str, str] | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Mail:
    """A mail whose plain text is made by a template; its HTML is the same text, an address on its own line a button."""
    text = render_to_string(template, context).strip() + "\n"
    blocks = [block.strip() for block in text.split("\n\n") if block.strip()]
    paragraphs = [(block.startswith(("http://", "https://")) and len(block.split()) == 1, block) for block in blocks]
    letter = {"subject": subject, "paragraphs": paragraphs, "language": translation.get_language()}
    html = render_to_string("emails/layout.html", letter)
    return Mail(to=to, subject=subject, text=text, html=html, headers=headers or {}, attachments=attachments)


def absolute(path: str) -> str:
    """The address of a page, as a mail must give it."""
    return f"{settings.BASE_URL}{path}"


def queue(kind: str, object_id: int, language: str = "nl", due_at: datetime | None = None) -> None:
    """Put a mail in the outbox, inside the transaction that causes it. Raises KeyError for an unknown kind."""
    queue_many(kind, [object_id], language, due_at)


def queue_many(kind: str, object_ids: Iterable[int], language: str = "nl", due_at: datetime | None = None) -> None:
    """Put a mail in the outbox for each object, with one wake-up."""
    if kind not in _renderers:
        raise KeyError(f"No renderer is registered for mails of kind '{kind}'.")
    OutboxMessage.objects.bulk_create(
        OutboxMessage(kind=kind, object_id=object_id, language=language, due_at=due_at or timezone.now())
        for object_id in object_ids
    )
    transaction.on_commit(_wake, robust=True)  # a broker that is away costs seconds, never the mail: beat wakes too


def drop(kind: str, object_id: int) -> int:
    """Take a waiting mail back: what it would have said holds no longer. One under way is not held back."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = OutboxMessage.objects.filter(free, kind=kind, object_id=object_id, state=OutboxMessage.State.QUEUED)
    return waiting.update(state=OutboxMessage.State.DROPPED)


def _wake() -> None:
    current_app.send_task(TASK, expires=30, ignore_result=True)


def send_due(limit: int = 500) -> int:
    """Send what is due, each mail claimed before it is sent. Returns how many were handed to the mail server."""
    due = OutboxMessage.objects.filter(_due(timezone.now())).order_by("due_at", "pk").values_list("pk", flat=True)
    n_sent = 0
    connection = get_connection()
    try:
        for pk in list(due[:limit]):
            message = _claim(pk)
            if message is not None and _send(message, connection):
                n_sent += 1
    finally:
        connection.close()
    return n_sent


def _due(now: datetime) -> Q:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return Q(state=OutboxMessage.State.QUEUED, due_at__lte=now) & free


def _claim(pk: int) -> OutboxMessage | None:
    """Claim a mail by a conditional update: of two workers the one whose update changes the row sends it."""
    now = timezone.now()
    lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
    claimed = OutboxMessage.objects.filter(_due(now), pk=pk).update(lease_until=lease_until, attempts=F("attempts") + 1)
    if not claimed:
        return None
    message = OutboxMessage.objects.get(pk=pk)
    if not message.message_id:
        message.message_id = make_msgid(domain=urlsplit(settings.BASE_URL).hostname or "teamspiegel.example")
        _write(message, message_id=message.message_id)
    return message


def _write(message: OutboxMessage, **fields: object) -> None:
    """Write to a claimed row, if it is still ours: a worker that lost its lease must not overwrite the next one."""
    OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts).update(**fields)


def _send(message: OutboxMessage, connection: BaseEmailBackend) -> bool:
    sent = _try_to_send(message, connection)
    if message.kind in _traceless:
        OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts).delete()
    return sent


def _try_to_send(message: OutboxMessage, connection: BaseEmailBackend) -> bool:
    mail: Mail | None = None
    try:
        with translation.override(message.language):
            mail = _renderers[message.kind](message.object_id, message.language)
        if mail is None:
            _write(message, state=OutboxMessage.State.DROPPED, lease_until=None, error="")
            return False
        email = EmailMultiAlternatives(
            subject=mail.subject,
            body=mail.text,
            to=[mail.to],
            headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated", **mail.headers},
            connection=connection,
        )
        if mail.html:
            email.attach_alternative(mail.html, "text/html")
        for file in mail.attachments:
            email.attach(*file)
        email.send()
    except Exception as error:  # whatever went wrong with one mail, the others must still go
        connection.close()
        _fail(message, error, mail)
        return False
    _write(message, state=OutboxMessage.State.SENT, sent_on=timezone.localdate(), lease_until=None, error="")
    return True


def _fail(message: OutboxMessage, error: Exception, mail: Mail | None) -> None:
    text = type(error).__name__
    if mail is not None:  # of an error in rendering we keep no words: they may hold what the mail would have said
        text = f"{text}: {error}".replace(mail.to, "…")
    elif isinstance(error, UnsendableMail):
        text = f"{text}: {error}"
    final = _is_final(error) or message.attempts > len(BACKOFF)
    logger.warning(
        "Mail %s (%s) failed, attempt %s: %s", message.pk, message.kind, message.attempts, type(error).__name__
    )
    if final:
        _write(message, state=OutboxMessage.State.FAILED, lease_until=None, error=text[:300])
    else:
        due_at = timezone.now() + BACKOFF[message.attempts - 1]
        _write(message, due_at=due_at, lease_until=None, error=text[:300])


def _is_final(error: Exception) -> bool:
    """Whether a later attempt is of no use: the mail is malformed, or the server refused it with a 5xx code."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False  # our own settings are wrong: that gets repaired
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, UnsendableMail)
