"""The one reader of tables that people bring, CSV or XLSX, as their programs write them; cells that no spreadsheet runs."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from teams.files import workbooks
from teams.files.limits import ON_A_PAGE, Limits, UnreadableTable

Cell = str | int | float | None
#: Also as they are in East Asian fonts: spreadsheets there take those too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Signs without width that a spreadsheet may leave out before it looks.
_UNSEEN = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
#: What no workbook may hold: Excel calls a file with one of these damaged.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: How other programs write that there is nothing in a cell.
NOTHING = frozenset({"", "na", "n/a", "nan", "null", ".", "#n/a", "#null!"})
#: The first line of a CSV file that tells Excel what separates its cells.
_SEPARATED_BY = re.compile(r'sep=([^\r\n"])[^\S\n]*\n')
_QUOTED = re.compile(r'"[^"]*"')
#: A cell may be as long as a file: who asks for the table says of each cell what is too long for it. By itself the reader stops
#: at 131,072 letters, and says so as it does of a quotation mark that is not closed.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts without outer blanks, each row at least as wide as the header.

    ``rows[0]`` is row ``first`` of the file, as a spreadsheet numbers them: 2, where the header is row 1.
    """

    header: list[str]
    rows: list[list[str]]
    first: int = 2

    @property
    def lines(self) -> list[list[str]]:
        """The header and the rows below it, below as many empty ones as the file has: read back, they have the same numbers."""
        return [*([] for _n in range(2, self.first)), self.header, *self.rows]

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Each row in which something stands, with its number in the file."""
        for number, row in enumerate(self.rows, start=self.first):
            if any(row):
                yield number, row


def read_table(content: bytes, name: str, limits: Limits = ON_A_PAGE) -> Table:
    """The table in a file that somebody brings; the first row that is not empty is its header.

    XLSX (and ODS, XLS): the first sheet. CSV: UTF-8 with or without byte order mark, UTF-16 with one, else Windows-1252
    (of which Latin-1 is a part); separated by what its first line names ("sep=;"), or by semicolons, commas or tabs,
    whichever the header has most of outside quotation marks.

    Raises:
        UnreadableTable: if it is too large, is no table, holds nothing below its header, or holds a row with more cells
            than the header has: there a cell with a separator in it lacks its quotation marks, and what follows it
            would stand in the wrong columns.
    """
    limits.check_bytes(len(content))
    rows = [[cell.strip() for cell in row] for row in _cells(content, name, limits)]
    while rows and not any(rows[-1]):
        rows.pop()
    at = next((number for number, row in enumerate(rows) if any(row)), None)
    if at is None:
        raise UnreadableTable(_("This file is empty."))
    limits.check_rows(len(rows))
    header, rows = rows[at], rows[at + 1 :]
    limits.check_header(header)
    if not rows:
        raise UnreadableTable(_("The file has a header, but no rows below it."))
    width, first = len(header), at + 2
    if width * len(rows) > limits.cells:
        raise _too_many_cells(limits)
    for number, row in enumerate(rows, start=first):
        if any(row[width:]):
            raise UnreadableTable(
                _(
                    "Row %(row)s has more cells than the header. Is there a separator inside a cell, without quotation "
                    "marks?"
                )
                % {"row": number}
            )
    return Table(header, [[*row[:width], *[""] * (width - len(row))] for row in rows], first)


def neutralised(value: Cell) -> Cell:
    """A cell that no spreadsheet runs: text beginning like a formula gets an apostrophe in front."""
    if isinstance(value, str) and begins_like_formula(value):
        return f"'{value}"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return value


def begins_like_formula(text: str) -> bool:
    """Whether some spreadsheet would run a cell with this text."""
    return text.lstrip(_UNSEEN).startswith(FORMULA_STARTS)


def held(text: str) -> str:
    """What a workbook can hold of a text."""
    return _ILLEGAL.sub("", text)


def write_csv(rows: list[list[str]]) -> str:
    """The rows as CSV text with commas, which ``read_table`` reads back unchanged."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _cells(content: bytes, name: str, limits: Limits) -> list[list[str]]:
    if not workbooks.is_workbook(name):
        return _read_csv(content, limits)
    return next(iter(workbooks.read_sheets(content, first_only=True, limits=limits).values()), [])


def _read_csv(content: bytes, limits: Limits) -> list[list[str]]:
    text = _decoded(content)
    if named := _SEPARATED_BY.match(text):
        separator, text = named[1], text[named.end() :]
    else:
        header = _QUOTED.sub("", text.lstrip()[: 2 * limits.columns * 100]).partition("\n")[0]
        separator = max(";,\t", key=header.count)
    n_lines = text.count("\n") + text.count("\r") - text.count("\r\n")
    if text.count(separator) + n_lines > limits.cells:
        raise _too_many_cells(limits)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise UnreadableTable(_("This file cannot be read as CSV: a quotation mark is not closed.")) from error


def _decoded(content: bytes) -> str:
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what Excel calls Unicode text
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # what Excel writes; Latin-1 is the same but for 27 signs
    if "\0" in text:
        raise UnreadableTable(_("This file is neither CSV nor XLSX. Save it as one of the two."))
    return text


def _too_many_cells(limits: Limits) -> UnreadableTable:
    return UnreadableTable(_("This file is too large to read: it has more than %(max)s cells.") % {"max": limits.cells})
