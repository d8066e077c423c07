"""The way to the mail server: one sender at a time, opened before a mail is made, and left alone for a while when it fails.

The connection comes first: where it cannot be opened nothing is rendered, no attempt counts and every mail stays. A server
that failed is asked again after a few seconds, and from the second failure on once a minute at most. The sender is a chore
(base/leases.py) with one thing to do: so a frozen server holds one worker, and the board says that mails wait.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from teams.base.leases import Chore, Claim
from teams.mail.errors import in_words
from teams.models import Job

if TYPE_CHECKING:
    from teams.mail.composing import Mail

logger = logging.getLogger(__name__)

SERVER = Chore("teams.mail_server", pauses=(timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=1)))
# Opening has EMAIL_TIMEOUT. Once the server answers, it may take its time to look a mail over: whoever hangs up then does not
# know whether the mail was taken.
HANDING_OVER = 30


@dataclass
class Sender:
    """The right to send, an open connection, and what went wrong with it."""

    claim: Claim[Job]
    connection: BaseEmailBackend
    trouble: Exception | None = None


@contextmanager
def reached() -> Iterator[Sender | None]:
    """The open connection; None where it cannot be opened, is left alone for a while, or somebody else sends."""
    claim = SERVER.claim()
    if claim is None:
        yield None
        return
    connection = get_connection()
    try:
        connection.open()
        _be_patient(connection)
    except Exception as error:  # whatever it is, the mails stay and are tried later
        SERVER.failed(claim, error)
        yield None
        return
    sender = Sender(claim, connection)
    try:
        yield sender
    finally:
        with suppress(Exception):  # a line that is broken cannot be closed in good order
            connection.close()
        if sender.trouble is None:
            claim.remove()
        else:
            SERVER.failed(claim, sender.trouble)


def is_left_alone() -> bool:
    """Whether the server failed a moment ago and is not asked for a while."""
    return Job.objects.filter(kind=SERVER.kind, lease_until__isnull=True).exclude(SERVER.queue.due()).exists()


def _be_patient(connection: BaseEmailBackend) -> None:
    line = getattr(getattr(connection, "connection", None), "sock", None)
    if line is not None:
        line.settimeout(HANDING_OVER)


def send_now(mail: Mail) -> str:
    """Send a test mail at once, past the outbox. Returns what went wrong, in words; nothing if it was taken."""
    if is_left_alone():
        return "the mail server could not be reached a moment ago"
    connection = get_connection()
    try:
        email_of(mail, new_message_id(), connection).send()
    except Exception as error:  # whatever it is, the person who tests the mail should read it
        logger.warning("A test mail failed: %s", type(error).__name__)
        return in_words(error)
    finally:
        connection.close()
    return ""


def email_of(mail: Mail, message_id: str, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    """A rendered mail as it is handed over."""
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


def new_message_id() -> str:
    """Random all through: the usual ones hold the moment at which they were made, and this one is kept."""
    return f"<{secrets.token_hex(16)}@{urlsplit(settings.BASE_URL).hostname or 'teamspiegel.example'}>"


def of_provider(number: str) -> str:
    """What is kept of a provider's own number for a mail: a hash, as many providers write the moment into theirs."""
    return hashlib.sha256(number.encode()).hexdigest() if number else ""
