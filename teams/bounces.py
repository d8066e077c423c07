"""Mails that came back: reports of delivery (RFC 3464) read from a mailbox, and reports of a mail provider.

A report names the mail by its Message-ID, which the outbox made before the first attempt. Addresses are not kept: the
outbox knows none. Reports of a delay change nothing, and neither do answers of people or absence notices.
"""

import email
import email.policy
import imaplib
import mailbox
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import cast
from urllib.parse import unquote, urlsplit

from anymail.signals import AnymailTrackingEvent, EventType
from django.db.models import Q

from teams.models import OutboxMessage

STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail that did not arrive: its Message-ID, and the status by RFC 3463, such as 5.1.1 for an unknown mailbox."""

    message_id: str
    status: str


def read_bounce(content: bytes) -> Bounce | None:
    """What a mail says if it is a report of a failed delivery; None for any other mail, and for a report of a delay."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    if message.get_content_type() != "multipart/report" or message.get_param("report-type") != "delivery-status":
        return None
    status, message_id = "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for fields in cast("list[EmailMessage]", part.get_payload()):  # one block for the mail, one per recipient
                if str(fields.get("Action", "")).strip().lower() == "failed":
                    found = STATUS.search(str(fields.get("Status", "")))
                    status = found[1] if found else "5.0.0"
        elif kind == "text/rfc822-headers":
            headers = email.message_from_string(str(part.get_content()), policy=email.policy.default)
            message_id = message_id or str(headers.get("Message-ID", "")).strip()
        elif part is not message and not message_id and part.get("Message-ID"):
            message_id = str(part["Message-ID"]).strip()  # the mail itself, sent back whole
    return Bounce(message_id, status) if status and message_id else None


def record(bounce: Bounce) -> bool:
    """Mark the mail that came back. Whether one of ours did; a second report about it changes nothing."""
    sent = OutboxMessage.objects.filter(message_id=bounce.message_id, state=OutboxMessage.State.SENT)
    return bool(sent.update(state=OutboxMessage.State.BOUNCED, error=f"came back: {bounce.status}"))


# What a provider reports (django-anymail's words for it, the same for all providers)
UNDELIVERED = (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED)
UNWANTED = (EventType.COMPLAINED, EventType.UNSUBSCRIBED)
Stop = Callable[[int], object]
_stops: dict[str, Stop] = {}


def when_unwanted(*kinds: str) -> Callable[[Stop], Stop]:
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

    The provider's own number for the mail was written down when it took it. Reports of opening and clicking are not read.
    """
    number = str(event.message_id or "")
    if not number or event.event_type not in (*UNDELIVERED, *UNWANTED):
        return False
    named = Q(provider_id=number) | Q(message_id=number)
    sent = OutboxMessage.objects.filter(named, state=OutboxMessage.State.SENT)
    if event.event_type in UNWANTED:
        messages = list(sent)
        for message in messages:
            if message.kind in _stops:
                _stops[message.kind](message.object_id)
        return bool(messages)
    said = str(event.mta_response or event.description or event.reject_reason or "")
    found = STATUS.search(said)
    reason = found[1] if found else said.replace(str(event.recipient or "\0"), "…")[:200] or event.event_type
    return bool(sent.update(state=OutboxMessage.State.BOUNCED, error=f"came back: {reason}"))


def read_mailbox(url: str) -> int:
    """Read the new mails of a mailbox and mark what came back. Each mail is read once. Returns how many were marked.

    Args:
        url: ``imaps://user:secret@host/folder`` (or ``imap://`` within one machine), or ``maildir:///folder``.
    """
    parts = urlsplit(url)
    read = _read_maildir(parts.path) if parts.scheme == "maildir" else _read_imap(url)
    n_marked = 0
    for content in read:
        bounce = read_bounce(content)
        n_marked += bounce is not None and record(bounce)
    return n_marked


def _read_maildir(path: str) -> Iterator[bytes]:
    folder = mailbox.Maildir(path, create=False)
    for key in list(folder.keys()):
        message = folder.get_message(key)
        if "S" in message.get_flags():
            continue
        yield bytes(message)
        message.set_subdir("cur")  # seen only after it was dealt with: a killed program reads it again
        message.add_flag("S")
        folder[key] = message


def _read_imap(url: str) -> Iterator[bytes]:
    parts = urlsplit(url)
    kind = imaplib.IMAP4_SSL if parts.scheme == "imaps" else imaplib.IMAP4
    host, port = parts.hostname or "", parts.port or (993 if parts.scheme == "imaps" else 143)
    with kind(host, port, timeout=30) as box:  # it logs out at the end
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        box.select(unquote(parts.path.strip("/")) or "INBOX")
        _state, (numbers,) = box.search(None, "UNSEEN")
        for number in numbers.decode().split():
            _state, data = box.fetch(number, "(BODY.PEEK[])")
            if data and isinstance(data[0], tuple):
                yield data[0][1]
            box.store(number, "+FLAGS", "\\Seen")
