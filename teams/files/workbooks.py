"""The one reader of workbooks (XLSX, ODS, XLS): judged before it is opened, opened in a process with limits.

A file of a kilobyte can name a cell in the last row and column, and unpack to gigabytes: the reader would then take the
web server along. So the directory of the ZIP is judged first, and the reading is done by `teams.files.workbook_child`.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from django.utils.translation import gettext as _

from teams.files import workbook_child
from teams.files.limits import ON_A_PAGE, Limits, UnreadableTable

Sheets = dict[str, list[list[str]]]
CHILD = Path(workbook_child.__file__)


def is_workbook(name: str) -> bool:
    """Whether a file is one, by its name."""
    return name.lower().endswith((".xlsx", ".xls", ".ods"))


def read_sheets(content: bytes, *, first_only: bool = False, limits: Limits = ON_A_PAGE) -> Sheets:
    """The cells of every sheet as texts, by the sheet's name; empty rows at the end left out.

    Numbers without decimals have none, dates are as in ISO 8601, true and false are "yes" and "no".

    Raises:
        UnreadableTable: if it is none, or would cost more than ``limits``.
    """
    limits.check_bytes(len(content))
    _judge_directory(content, limits)
    words = (limits.megabytes, limits.seconds, limits.cells, limits.letters, int(first_only))
    try:
        done = subprocess.run(  # noqa: S603 our own program, with numbers
            [sys.executable, "-I", str(CHILD), *map(str, words)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2 * limits.seconds,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_large() from error
    if done.returncode == workbook_child.UNREADABLE:
        raise UnreadableTable(_("This file cannot be opened as a spreadsheet. Save it again as XLSX or CSV."))
    if done.returncode != 0:  # refused, or ended by a limit
        raise _too_large()
    sheets: Sheets = json.loads(done.stdout)
    for rows in sheets.values():
        limits.check_rows(len(rows))
    return sheets


def _judge_directory(content: bytes, limits: Limits) -> None:
    """What a ZIP says it unpacks to; its reader stops at these sizes, so that a lie is cut short."""
    if not content.startswith(b"PK") and not zipfile.is_zipfile(io.BytesIO(content)):  # a ZIP may begin further on
        return  # XLS, or nothing that opens
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = file.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableTable(
            _("This file cannot be opened as a spreadsheet. Save it again as XLSX or CSV.")
        ) from error
    swollen = any(p.file_size > max(1_000_000, limits.packed * p.compress_size) for p in parts)
    if len(parts) > limits.parts or swollen or sum(part.file_size for part in parts) > limits.unpacked:
        raise _too_large()


def _too_large() -> UnreadableTable:
    return UnreadableTable(
        _(
            "This spreadsheet is too large to read. Delete anything far below or to the right of the table, or save "
            "it as CSV."
        )
    )
