"""The only sender of mail: an outbox of kind and object id, rendered at sending and never stored.

``queue`` is called inside the transaction that causes the mail, so that a mail exists exactly when its cause does. The
row is the queue and the broker only a wake-up: ``send_due`` claims a row by a conditional update with a lease, so that of
two workers one sends, and a row whose worker died is taken up again when its lease has run out.

Between handing a mail to the server and writing that down a worker may die, or the line may break: then nobody knows
whether the mail went. The row says so (``handed_over``), and it is handed over once more, with the Message-ID that was made
before the first attempt, by which most mailboxes drop the copy. If that too ends in doubt the mail is given up and a person
decides: nobody gets more than two copies, and those are one message to their mailbox.
"""

import logging
import re
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

from teams import pace
from teams.mail_errors import UnsendableMail, in_words, is_final, may_have_gone
from teams.models import OutboxMessage, Study

logger = logging.getLogger(__name__)

TASK = "teams.send_due_mail"
PARAGRAPH = re.compile(r"(?:[ \t\r]*\n){2,}")
# Waiting time after the first, second, … failed attempt; after the last the mail is given up
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)
IN_DOUBT = timedelta(minutes=30)  # a mail that may have gone is not hurried
MAY_HAVE_GONE = "may have gone"  # how the reason of a mail begins that was given up in doubt


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
_any_hour: set[str] = set()


def register(kind: str, *, leaves_trace: bool = True, any_hour: bool = False) -> Callable[[Renderer], Renderer]:
    """Decorator: the function that renders mails of this kind from an object id and a language.

    It returns None where the mail is no longer wanted. It is called outside any transaction. Where it would tell too much
    who got a mail and who did not (a reminder goes to those who have not answered), the kind leaves no trace: the row is
    deleted after the first attempt, whether the mail was sent, not wanted or failed. A kind for ``any_hour`` does not wait
    for the sending hours: it answers what its reader just did, or it cannot wait.
    """

    def remember(renderer: Renderer) -> Renderer:
        if not leaves_trace:
            _traceless.add(kind)
        if any_hour:
            _any_hour.add(kind)
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
    """A mail whose plain text is made by a template, and its HTML from that text."""
    return from_text(to, subject, render_to_string(template, context), headers, attachments)


def from_text(
    to: str,
    subject: str,
    text: str,
    headers: dict[str, str] | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Mail:
    """A mail from its plain text. The HTML says the same; in it the addresses of this site, and no others, are links."""
    text = PARAGRAPH.sub("\n\n", text).strip() + "\n"
    letter = {"subject": subject, "paragraphs": paragraphs(text), "language": translation.get_language()}
    html = render_to_string("emails/layout.html", letter)
    return Mail(to=to, subject=subject, text=text, html=html, headers=headers or {}, attachments=attachments)


def paragraphs(text: str) -> list[list[tuple[bool, str]]]:
    """The paragraphs of a text, each in pieces: whether the piece is an address of this site, and the piece."""
    ours = re.compile(f'({re.escape(settings.BASE_URL)}/[^\\s<>"]*)')
    return [
        [(bool(ours.fullmatch(piece)), piece) for piece in ours.split(block) if piece]
        for block in PARAGRAPH.split(text.strip())
        if block
    ]


def absolute(path: str) -> str:
    """The address of a page, as a mail must give it."""
    return f"{settings.BASE_URL}{path}"


def queue(
    kind: str, object_id: int, language: str = "nl", due_at: datetime | None = None, *, study: Study | None = None
) -> None:
    """Put a mail in the outbox, inside the transaction that causes it. Raises KeyError for an unknown kind."""
    queue_many(kind, [object_id], language, due_at, study=study)


def queue_many(
    kind: str,
    object_ids: Iterable[int],
    language: str = "nl",
    due_at: datetime | None = None,
    *,
    study: Study | None = None,
) -> None:
    """Put a mail in the outbox for each object, with one wake-up. A mail of a study keeps to its sending hours."""
    if kind not in _renderers:
        raise KeyError(f"No renderer is registered for mails of kind '{kind}'.")
    due_at = due_at or timezone.now()
    OutboxMessage.objects.bulk_create(
        OutboxMessage(study=study, kind=kind, object_id=object_id, language=language, due_at=due_at)
        for object_id in object_ids
    )
    wake_after_commit()


def drop(kind: str, object_id: int) -> int:
    """Take a waiting mail back: what it would have said holds no longer. One under way is not held back."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = OutboxMessage.objects.filter(free, kind=kind, object_id=object_id, state=OutboxMessage.State.QUEUED)
    return waiting.update(state=OutboxMessage.State.DROPPED)


def wake_after_commit() -> None:
    """Tell a worker that mail is due. A broker that is away costs seconds, never the mail: beat wakes too."""
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    current_app.send_task(TASK, expires=30, ignore_result=True)


def send_due(limit: int = 500) -> int:
    """Send what is due, each mail claimed before it is sent. Returns how many were handed to the mail server."""
    now = timezone.now()
    due = OutboxMessage.objects.filter(_due(now)).filter(pace.going(now, _any_hour))
    n_sent = 0
    connection = get_connection()
    try:
        for pk in list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit]):
            if not pace.take_turn(timezone.now()):
                break  # the next wake-up goes on
            message = _claim(pk)
            if message is not None and _send(message, connection):
                n_sent += 1
    finally:
        connection.close()
    return n_sent


def send_now(mail: Mail) -> str:
    """Send a test mail at once, past the outbox. Returns what went wrong, in words; nothing if it was taken."""
    connection = get_connection()
    try:
        _email(mail, _new_message_id(), connection).send()
    except Exception as error:  # whatever it is, the person who tests the mail should read it
        logger.warning("A test mail failed: %s", type(error).__name__)
        return in_words(error)
    finally:
        connection.close()
    return ""


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
    if message.handed_over > 1:  # two workers ended while they handed it over
        _give_up(message, MAY_HAVE_GONE)
        return None
    if not message.message_id:
        message.message_id = _new_message_id()
        _write(message, message_id=message.message_id)
    return message


def _new_message_id() -> str:
    return make_msgid(domain=urlsplit(settings.BASE_URL).hostname or "teamspiegel.example")


def _email(mail: Mail, message_id: str, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    email = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.to],
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated", **mail.headers},
        connection=connection,
    )
    if mail.html:
        email.attach_alternative(mail.html, "text/html")
    for file in mail.attachments:
        email.attach(*file)
    return email


def _write(message: OutboxMessage, **fields: object) -> None:
    """Write to a claimed row, if it is still ours: a worker that lost its lease must not overwrite the next one."""
    OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts).update(**fields)


def _send(message: OutboxMessage, connection: BaseEmailBackend) -> bool:
    sent = _try_to_send(message, connection)
    if message.kind in _traceless:
        _forget(message)
    return sent


def _forget(message: OutboxMessage) -> None:
    OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts).delete()


def _begin_handing_over(message: OutboxMessage) -> None:
    """From here on the mail may have gone. A mail that leaves no trace is lost rather than sent twice."""
    if message.kind in _traceless:
        _forget(message)
    else:
        _write(message, handed_over=message.handed_over + 1)


def _try_to_send(message: OutboxMessage, connection: BaseEmailBackend) -> bool:
    mail: Mail | None = None
    handed_over = False
    try:
        with translation.override(message.language):
            mail = _renderers[message.kind](message.object_id, message.language)
        if mail is None:
            _write(message, state=OutboxMessage.State.DROPPED, lease_until=None, error="")
            return False
        email = _email(mail, message.message_id, connection)
        connection.open()
        _begin_handing_over(message)
        handed_over = True
        email.send()
    except Exception as error:  # whatever went wrong with one mail, the others must still go
        connection.close()
        _fail(message, error, mail, in_doubt=handed_over and may_have_gone(error))
        return False
    status = getattr(email, "anymail_status", None)  # a provider's own number for the mail: its reports name it by that
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    _write(
        message,
        state=OutboxMessage.State.SENT,
        sent_on=today.date(),
        due_at=today,  # nothing that is kept of a mail that went is finer than the day
        provider_id=str(getattr(status, "message_id", "") or "")[:200],
        handed_over=0,
        lease_until=None,
        error="",
    )
    return True


def _fail(message: OutboxMessage, error: Exception, mail: Mail | None, in_doubt: bool = False) -> None:
    text = type(error).__name__
    if mail is not None:  # of an error in rendering we keep no words: they may hold what the mail would have said
        text = in_words(error).replace(mail.to, "…")
    elif isinstance(error, UnsendableMail):
        text = f"{text}: {error}"
    logger.warning(
        "Mail %s (%s) failed, attempt %s: %s", message.pk, message.kind, message.attempts, type(error).__name__
    )
    if in_doubt and message.handed_over:
        _give_up(message, f"{MAY_HAVE_GONE}: {text}")
    elif in_doubt:
        _write(message, due_at=timezone.now() + IN_DOUBT, lease_until=None, error=text[:300])
    elif is_final(error) or message.attempts > len(BACKOFF):
        _give_up(message, text)
    else:
        _write(
            message,
            due_at=timezone.now() + BACKOFF[message.attempts - 1],
            handed_over=message.handed_over,
            lease_until=None,
            error=text[:300],
        )


def _give_up(message: OutboxMessage, reason: str) -> None:
    _write(message, state=OutboxMessage.State.FAILED, lease_until=None, handed_over=0, error=reason[:300])
