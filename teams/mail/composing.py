"""A mail as it goes: addresses and headers without line breaks, plain text, and an HTML part that says the same."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from teams.mail.errors import UnsendableMail
from teams.text.addresses import is_mailable
from teams.text.directions import in_one_line, settled
from teams.text.glyphs import without_controls

BREAK = re.compile(r"\r\n?")
PARAGRAPH = re.compile(r"\n{2,}")


class Attachment(NamedTuple):
    """A file that goes with a mail, such as a calendar file."""

    filename: str
    content: bytes
    mimetype: str  # with parameters if need be: text/calendar; method=REQUEST


class NobodyToMail(UnsendableMail):
    """The mail has no reader any more: the person was removed, and nobody is named in their place yet."""


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
        if not self.to:
            raise NobodyToMail("the person was removed")
        for value in (self.to, self.subject, *self.headers, *self.headers.values(), *of_files):
            if any(ord(character) < 32 or ord(character) == 127 for character in value):
                raise UnsendableMail("a header holds a line break or another control character")
        if not is_mailable(self.to):
            raise UnsendableMail("the address is not an e-mail address")


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
    """A mail from its plain text. The HTML says the same; in it the addresses of this site, and no others, are links.

    Signs that steer machines are taken out: a mail that has one in somebody's name still goes. The subject gets one line.
    """
    subject, text = in_one_line(subject), settled(without_controls(BREAK.sub("\n", text)))
    # line by line: an expression that looks for blanks before a line's end reads a long row of them again from each
    lines = (line.rstrip(" \t\r") for line in text.split("\n"))
    text = PARAGRAPH.sub("\n\n", "\n".join(lines)).strip() + "\n"
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
