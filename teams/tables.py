"""Reads a table of texts from a CSV or XLSX file as people's programs write them; cells that no spreadsheet runs."""

import csv
import io
import math
from datetime import date, datetime

import python_calamine
from django.utils.translation import gettext as _

Cell = str | int | float | None
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
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
    is_workbook = name.lower().endswith((".xlsx", ".xls", ".ods"))
    rows = _read_workbook(content) if is_workbook else _read_csv(content)
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
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return value


def write_csv(rows: list[list[str]]) -> str:
    """The rows as CSV text with commas, which ``read_table`` reads back unchanged."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _read_workbook(content: bytes) -> list[list[str]]:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = workbook.get_sheet_by_index(0).to_python()
    except (python_calamine.CalamineError, IndexError, OSError, ValueError) as error:
        raise UnreadableTable(_("This file cannot be opened as a spreadsheet.")) from error
    return [[_as_text(cell) for cell in row] for row in rows]


def _as_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # spreadsheets keep every number as a float
    if isinstance(cell, (date, datetime)):
        return cell.isoformat()
    return str(cell)


def _read_csv(content: bytes) -> list[list[str]]:
    if b"\0" in content:
        raise UnreadableTable(_("This file is neither CSV nor XLSX."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.splitlines()[0] if text.strip() else ""
    separator = max(";,\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise UnreadableTable(_("This file cannot be read as CSV: a quotation mark is not closed.")) from error
