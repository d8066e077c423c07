"""Mails that came back: reports of delivery (RFC 3464) read from a mailbox, and the mail they are about marked bounced.

A report names the mail by its Message-ID, which the outbox made before the first attempt. Addresses are not kept: the
outbox knows none. Reports of a delay change nothing, and neither do answers of people or absence notices.
"""

import email
import email.policy
import imaplib
import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import cast
from urllib.parse import unquote, urlsplit

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
