"""Reads a table of texts from a CSV or XLSX file as people's programs write them; cells that no spreadsheet runs."""

import csv
import io
import math
import re

from django.utils.translation import gettext as _

from teams.files import workbooks
from teams.files.workbooks import ON_A_PAGE, Limits

Cell = str | int | float | None
#: Also as they are in East Asian fonts: spreadsheets there take those too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Signs without width that a spreadsheet may leave out before it looks.
_UNSEEN = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
#: What no workbook may hold: Excel calls a file with one of these damaged.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MAX_ROWS = 5_000
MAX_BYTES = 5_000_000


class UnreadableTable(ValueError):
    """A file that holds no table we can read; its text says why, for the person who chose it."""


def read_table(content: bytes, name: str) -> list[list[str]]:
    """The rows of a file as texts without outer blanks, empty rows at the end left out.

    XLSX (and ODS, XLS): the first sheet. CSV: UTF-8 with or without byte order mark, else Windows-1252 (of which Latin-1
    is a part); separated by semicolons, commas or tabs, whichever the first row has most of.

    Raises:
        UnreadableTable: if it is too large, is no table, or holds nothing.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableTable(_("This file is larger than 5 MB."))
    rows = read_rows(content, name)
    rows = [[cell.strip() for cell in row] for row in rows]
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        raise UnreadableTable(_("This file is empty."))
    if len(rows) > MAX_ROWS:
        raise UnreadableTable(_("This file has more than %(max)s rows.") % {"max": MAX_ROWS})
    return rows


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


def read_rows(content: bytes, name: str, limits: Limits = ON_A_PAGE) -> list[list[str]]:
    """The cells of the first sheet, or of a CSV file, as they stand there.

    Raises:
        UnreadableTable: if it is no table, or would cost more than ``limits``.
    """
    if not workbooks.is_workbook(name):
        return _read_csv(content, limits.cells)
    try:
        return next(iter(workbooks.read_sheets(content, first_only=True, limits=limits).values()), [])
    except workbooks.UnreadableWorkbook as error:
        raise UnreadableTable(str(error)) from error


def _read_csv(content: bytes, most_cells: int) -> list[list[str]]:
    if b"\0" in content:
        raise UnreadableTable(_("This file is neither CSV nor XLSX."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # what Excel writes; Latin-1 is the same but for 27 signs
    first = text.lstrip().partition("\n")[0]
    if text.count(separator := max(";,\t", key=first.count)) + text.count("\n") > most_cells:
        raise UnreadableTable(
            _("This file is too large to read: it has more than %(max)s cells.") % {"max": most_cells}
        )
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise UnreadableTable(_("This file cannot be read as CSV: a quotation mark is not closed.")) from error
