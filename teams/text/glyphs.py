"""Which signs the fonts of the PDFs have, and what stands on paper for those that they do not have.

A PDF that everybody can have read aloud (PDF/UA) may hold no sign without a glyph: one emoji in a team's name would stop the
whole report. So every text passes ``on_paper`` before it is set, and who freezes a text is told what will be replaced.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

FONTS = settings.BASE_DIR / "static" / "vendor" / "fonts"
#: In the order in which the templates (*.typ) name them.
FAMILIES = ("SourceSans3", "DejaVuSans")
#: What stands for a sign that no font has; the second where not even this one is there.
BOX, PLAIN = "\N{WHITE SQUARE}", "?"
#: Most signs that a sentence names.
NAMED = 12
#: Breaks and directions of writing: no glyph, and no harm.
LAYOUT = frozenset("\n\t\u00ad\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2060\u2066\u2067\u2068\u2069")
#: How a sign before it is to look: nothing to print, and it takes the sign before it to a font that may not be there.
SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
JOINER = "\u200d"
#: Tones of skin of emoji.
TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
#: Lines of other machines.
LINES = {"\u2028": "\n", "\u2029": "\n"}


def on_paper(text: str) -> str:
    """A text as it can be printed: composed, without signs that steer machines, a box for what no font has."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(printed for printed, _sign in _signs(text))


def replaced(texts: Iterable[str]) -> list[str]:
    """The signs of these texts that are not printed as they are, each once, in their order."""
    return list(dict.fromkeys(sign for text in texts for _printed, sign in _signs(text) if sign))


def in_words(texts: Iterable[str]) -> str:
    """Which signs cannot be printed, for who freezes these texts; empty where all can."""
    signs = replaced(texts)
    if not signs:
        return ""
    shown = " ".join(signs[:NAMED]) + (" …" if len(signs) > NAMED else "")
    return _(
        "On paper and in PDF, these characters are replaced by a box, because no font there has them: %(signs)s"
    ) % {"signs": shown}


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a document of dictionaries and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(part)


def without_controls(text: str) -> str:
    """A text without what no document of XML may hold (NUL and other controls, halves of signs) and without marks of order."""
    return "".join(
        character
        for character in text
        if character in "\n\t"
        or (unicodedata.category(character) not in ("Cc", "Cs") and character not in "\ufeff\ufffe\uffff")
    )


def _signs(text: str) -> Iterator[tuple[str, str]]:
    """What is printed, sign by sign, and the sign for which it stands where that is another one."""
    box = BOX if ord(BOX) in covered() else PLAIN
    prepared = SELECTORS.sub("", unicodedata.normalize("NFC", without_controls(text)))
    letter = families()[0] if families() else frozenset()  # the family of the last letter: its marks are set in it
    boxed = joined = False  # whether the last sign is a box, and whether a joiner follows it
    for sign in prepared:
        mark = _is_mark(sign)
        if boxed and (sign == JOINER or mark or joined):
            joined = sign == JOINER  # one sign to who typed it: one box
        elif mark and ord(sign) not in letter:
            yield "", f"\N{DOTTED CIRCLE}{sign}"
        elif sign in LAYOUT or ord(sign) in covered():
            letter, boxed = next((family for family in families() if ord(sign) in family), letter), False
            yield LINES.get(sign, sign), ""
        else:
            boxed, joined = True, False
            yield box, sign


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) in ("Mn", "Me", "Mc") or sign in TONES


@cache
def covered() -> frozenset[int]:
    """The signs that one family of the fonts has, in each of its weights."""
    return frozenset().union(*families())


@cache
def families() -> tuple[frozenset[int], ...]:
    """The signs of each family in the order in which they are tried, by the tables of characters of its files."""
    signs_of: dict[str, frozenset[int]] = {}
    for path in sorted(FONTS.glob("*.ttf")):
        name, signs = re.split("[-_]", path.stem)[0], frozenset(_characters(path.read_bytes()))
        signs_of[name] = signs_of.get(name, signs) & signs
    return tuple(signs_of[name] for name in FAMILIES if name in signs_of)


def _characters(font: bytes) -> Iterator[int]:
    """The code points of a TrueType font: the tables of format 4 (to U+FFFF) and 12 of its ``cmap``."""
    (n_tables,) = struct.unpack_from(">H", font, 4)
    tables = {font[at : at + 4]: struct.unpack_from(">I", font, at + 8)[0] for at in range(12, 12 + 16 * n_tables, 16)}
    start = tables[b"cmap"]
    (n_maps,) = struct.unpack_from(">H", font, start + 2)
    for number in range(n_maps):
        at = start + struct.unpack_from(">I", font, start + 4 + 8 * number + 4)[0]
        (kind,) = struct.unpack_from(">H", font, at)
        if kind == 12:
            (n_groups,) = struct.unpack_from(">I", font, at + 12)
            for group in range(n_groups):
                first, last, _glyph = struct.unpack_from(">III", font, at + 16 + 12 * group)
                yield from range(first, last + 1)
        elif kind == 4:
            n = struct.unpack_from(">H", font, at + 6)[0] // 2
            lasts = struct.unpack_from(f">{n}H", font, at + 14)
            firsts = struct.unpack_from(f">{n}H", font, at + 16 + 2 * n)
            for first, last in zip(firsts, lasts, strict=True):
                yield from range(first, min(last, 0xFFFE) + 1)
