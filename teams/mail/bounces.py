"""Mails that came back: reports of delivery (RFC 3464) read from a mailbox, and reports of a mail provider.

A report names the mail by its Message-ID, which the outbox made before the first attempt. Addresses are not kept: the
outbox knows none. Reports of a delay change nothing, and neither do answers of people or absence notices.
"""

import email
import email.policy
import imaplib
import mailbox
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage, Message
from functools import partial
from typing import cast
from urllib.parse import unquote, urlsplit

from anymail.signals import AnymailTrackingEvent, EventType
from django.db.models import Q

from teams.base.leases import Chore, digest
from teams.mail.kinds import MailKind
from teams.mail.server import of_provider
from teams.models import OutboxMessage

# a mail that cannot be read is tried a few times, then left unread in the mailbox for a person
RETURNED = Chore("teams.read_bounce", pauses=(timedelta(minutes=4), timedelta(hours=1)), most=5)
BROKEN = (imaplib.IMAP4.abort, ConnectionError, TimeoutError)  # the line to the mailbox
MAILBOX = Chore("teams.mailbox")
STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail that did not arrive: its Message-ID, and the status by RFC 3463, such as 5.1.1 for an unknown mailbox."""

    message_id: str
    status: str


def read_bounce(report: bytes) -> Bounce | None:
    """What a mail says if it is a report of a failed delivery; None for any other mail, and for a report of a delay."""
    message = email.message_from_bytes(report, policy=email.policy.default)
    if message.get_content_type() != "multipart/report" or message.get_param("report-type") != "delivery-status":
        return None
    status, message_id = "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for fields in cast("list[EmailMessage]", part.get_payload()):  # one block for the mail, one per recipient
                if str(fields.get("Action", "")).strip().lower() == "failed":
                    code = STATUS.search(str(fields.get("Status", "")))
                    status = code[1] if code else "5.0.0"
        elif kind == "text/rfc822-headers":  # read as bytes, whatever charset is named
            content = part.get_payload(decode=True)
            message_id = message_id or _message_id(
                email.message_from_bytes(content if isinstance(content, bytes) else b"")
            )
        elif part is not message and not message_id:
            message_id = _message_id(part)  # the mail itself, sent back whole
    return Bounce(message_id, status) if status and message_id else None


def _message_id(message: Message) -> str:
    """The header as it stands there: the parser of headers stumbles over malformed ones, and ours is well formed."""
    for name, value in message.raw_items():
        if name.lower() == "message-id":
            return str(value).strip()
    return ""


def record(bounce: Bounce) -> bool:
    """Mark the mail that came back. Whether one of ours did; a second report about it changes nothing."""
    sent = OutboxMessage.objects.filter(message_id=bounce.message_id, state=OutboxMessage.State.SENT)
    return bool(sent.update(state=OutboxMessage.State.BOUNCED, error=f"came back: {bounce.status}"))


# What a provider reports (django-anymail's words for it, the same for all providers)
UNDELIVERED = (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED)
UNWANTED = (EventType.COMPLAINED, EventType.UNSUBSCRIBED)
Stop = Callable[[int], object]
_stops: dict[str, Stop] = {}


def when_unwanted(*kinds: MailKind) -> Callable[[Stop], Stop]:
    """Decorator: the function that ends reminders to the reader of a mail of these kinds, by the number of its object."""

    def remember(stop: Stop) -> Stop:
        _stops.update(dict.fromkeys(kinds, stop))
        return stop

    return remember


def receive(sender: object, event: AnymailTrackingEvent, esp_name: str, **_more: object) -> None:
    """Called by django-anymail for each report of the provider (docs/adr: the one signal that we listen to)."""
    record_event(event)


def record_event(event: AnymailTrackingEvent) -> bool:
    """Mark a mail that did not arrive; end the reminders of who called one spam. Whether a mail of ours changed.

    A hash of the provider's own number for the mail was written down when it took it. Reports of opening and clicking are not read.
    """
    number = str(event.message_id or "")
    if not number or event.event_type not in (*UNDELIVERED, *UNWANTED):
        return False
    named = Q(provider_id=of_provider(number)) | Q(message_id=number)
    sent = OutboxMessage.objects.filter(named, state=OutboxMessage.State.SENT)
    if event.event_type in UNWANTED:
        messages = list(sent)
        for message in messages:
            if message.kind in _stops:
                _stops[message.kind](message.object_id)
        return bool(messages)
    said = str(event.mta_response or event.description or event.reject_reason or "")
    status = STATUS.search(said)
    reason = status[1] if status else said.replace(str(event.recipient or "\0"), "…")[:200] or event.event_type
    return bool(sent.update(state=OutboxMessage.State.BOUNCED, error=f"came back: {reason}"))


def read_mailbox(url: str) -> int:
    """Read the new mails of a mailbox, each by itself, and mark what came back. Returns how many were marked.

    Args:
        url: ``imaps://user:secret@host/folder`` (or ``imap://`` within one machine), or ``maildir:///folder``.
    """
    parts = urlsplit(url)
    box = _maildir(parts.path) if parts.scheme == "maildir" else _imap(url)
    with box as unread:
        return RETURNED.each(unread, _read_one, key=lambda mail: digest(mail.name.encode()), leased=True, stops=BROKEN)


@dataclass(frozen=True, slots=True)
class Unread:
    """A mail in the mailbox: its name there, how to get its content, and how to mark it as read."""

    name: str
    content: Callable[[], bytes]
    mark: Callable[[], object]


def _read_one(mail: Unread) -> int:
    bounce = read_bounce(mail.content())
    marked = bounce is not None and record(bounce)
    mail.mark()  # only after it was dealt with: a killed program reads it again
    return int(marked)


@contextmanager
def _maildir(path: str) -> Iterator[Iterator[Unread]]:
    folder = mailbox.Maildir(path, create=False)

    def mark(key: str) -> None:
        message = folder.get_message(key)
        message.set_subdir("cur")
        message.add_flag("S")
        folder[key] = message

    def unread() -> Iterator[Unread]:
        for key in list(folder.keys()):
            if "S" not in _flags(folder, key):
                yield Unread(key, partial(folder.get_bytes, key), partial(mark, key))

    yield unread()


def _flags(folder: mailbox.Maildir, key: str) -> str:
    """From the name of its file: a mail that cannot be read has flags too."""
    return folder._lookup(key).rpartition(":2,")[2] if ":2," in folder._lookup(key) else ""  # type: ignore[attr-defined]


@contextmanager
def _imap(url: str) -> Iterator[Iterator[Unread]]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (993 if parts.scheme == "imaps" else 143)
    # without a context it would tell the password to whoever stands in between, under any certificate
    box: imaplib.IMAP4
    if parts.scheme == "imaps":
        box = imaplib.IMAP4_SSL(host, port, timeout=30, ssl_context=ssl.create_default_context())
    else:
        box = imaplib.IMAP4(host, port, timeout=30)
    with box:  # it logs out at the end
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        box.select(unquote(parts.path.strip("/")) or "INBOX")

        def content(number: str) -> bytes:
            _state, data = box.uid("FETCH", number, "(BODY.PEEK[])")
            return data[0][1] if data and isinstance(data[0], tuple) else b""

        def unread() -> Iterator[Unread]:
            _state, (numbers,) = box.uid("SEARCH", "UNSEEN")
            for number in numbers.decode().split():
                yield Unread(number, partial(content, number), partial(box.uid, "STORE", number, "+FLAGS", "\\Seen"))

        yield unread()
