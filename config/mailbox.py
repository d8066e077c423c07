"""Reads the mails that the demo writes to files: one file per connection, mails parted by a line of dashes."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

DIVIDER = re.compile(rb"^-{79}\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FiledMail:
    to: str
    subject: str
    text: str
    sent: datetime | None


def newest(folder: Path, limit: int, to: str = "") -> tuple[list[FiledMail], int]:
    """The newest mails, at most ``limit``, of an address if one is named; and how many there are in all."""
    mails = [mail for file in folder.glob("*.log") for mail in _mails_of(file)]
    if to:
        mails = [mail for mail in mails if to.lower() in mail.to.lower()]
    mails.sort(key=lambda mail: mail.sent.timestamp() if mail.sent else 0.0, reverse=True)
    return mails[:limit], len(mails)


def _mails_of(file: Path) -> list[FiledMail]:
    """The mails of one file, the last one first: mails of one second keep their order."""
    parts = [part for part in DIVIDER.split(file.read_bytes()) if part.strip()]
    return [_read(part) for part in reversed(parts)]


def _read(content: bytes) -> FiledMail:
    message = message_from_bytes(content, policy=policy.default)
    body = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    return FiledMail(
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=body.get_content() if body else "",
        sent=parsedate_to_datetime(message["Date"]) if message["Date"] else None,
    )
