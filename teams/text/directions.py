"""People's words in other people's lines: on one line, without signs that steer machines, and isolated where they run right to left.

An Arabic or Hebrew name in a Dutch sentence takes the figures and brackets beside it along to the other side. Unicode has
two signs against that (UAX 9): what stands between them is laid out by itself. They work in pages, mails, subjects and PDFs
alike, also where no markup is read, and stand only around words that need them: most never do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, overload

from django.db.models import Model
from django.utils.safestring import SafeData, mark_safe
from django.utils.translation import gettext as _

from teams.text.glyphs import without_controls

#: Embeddings, overrides and isolates: they turn the direction of what follows, and nobody sees them.
STEERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
FIRST_STRONG, END = "\u2068", "\u2069"
RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
_OTHERS = f"[^{''.join(sorted(STEERING))}]*"
ISOLATE = re.compile(f"{FIRST_STRONG}{_OTHERS}{END}")
#: A line whose isolates, made here or before, all end.
BALANCED = re.compile(f"{_OTHERS}(?:{ISOLATE.pattern}{_OTHERS})*", re.DOTALL)


def without_steering(text: str) -> str:
    """A text without signs that turn the direction of writing."""
    return text if text.isascii() else "".join(sign for sign in text if sign not in STEERING)


def steering_in(text: str) -> str:
    """A sentence that refuses a text for its signs of direction; empty where it has none."""
    signs = sorted({f"U+{ord(sign):04X}" for sign in text if sign in STEERING})
    if not signs:
        return ""
    return _(
        "This contains invisible characters that reverse the direction of writing (%(signs)s). Type it again, or "
        "paste it without formatting."
    ) % {"signs": ", ".join(signs)}


def runs_right_to_left(text: str) -> bool:
    """Whether a text has a sign that is written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(sign) in RIGHT_TO_LEFT for sign in text)


@overload
def isolated(value: str) -> str: ...
@overload
def isolated(value: Any) -> Any: ...
def isolated(value: Any) -> Any:
    """Words as they can stand in a sentence: isolated if they run right to left, and unable to turn what stands behind them.

    Texts and rows (by their name), line by line; everything else, and what needs nothing, comes back as it is.
    """
    if not isinstance(value, str | Model):
        return value
    text = str(value)
    if text.isascii():
        return value
    shown = "".join(map(_isolated_line, text.splitlines(keepends=True)))
    if shown == text:
        return value
    return mark_safe(shown) if isinstance(value, SafeData) else shown  # noqa: S308 as safe as it was


def _isolated_line(line: str) -> str:
    if BALANCED.fullmatch(line) and not runs_right_to_left(ISOLATE.sub("", line)):
        return line
    plain = without_steering(line)
    if not runs_right_to_left(plain):
        return plain
    words = plain.rstrip()
    return f"{FIRST_STRONG}{words}{END}{plain[len(words) :]}"


def settled(text: str) -> str:
    """A text in which no line turns the direction of what follows: what isolates and ends it stays, the rest goes out."""
    if text.isascii():
        return text
    lines = text.splitlines(keepends=True)
    return "".join(line if BALANCED.fullmatch(line) else without_steering(line) for line in lines)


def in_one_line(text: str) -> str:
    """A text as a header or a title can hold it: no breaks, no signs that steer machines or readers."""
    return settled(" ".join(without_controls(" ".join(text.split())).split()))
