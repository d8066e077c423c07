"""The tables of a report as a workbook: a sheet that explains, then a sheet to a table. No cell is ever a formula."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from analysis import svg
from analysis.office.deck import FONT
from analysis.office.still import MAKER, still
from analysis.office.tables import Cell, Figure, Report, Sheet, explanation, name_of, sheets_of
from surveys.questionnaires.xlsform_writing import escaped
from teams.files.tables import held, neutralised

MOST_TITLE = 31  # letters of the name of a sheet
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
#: Widths in letters: of what a row is about at most, of its cells, of a cell with a sentence in it, of an explanation.
FIRST, OTHERS, WIDE, WHOLE = 56, 15, 34, 100
SIZE, LINE = 11, 15.5  # points: of the type, from one line to the next


def report_workbook(report: Report) -> bytes | None:
    """The workbook as XLSX bytes, in the language of the report; None where it shows no figure."""
    from openpyxl import Workbook

    with override(report.language):
        sheets = sheets_of(report)
        if not sheets:
            return None
        book = Workbook()
        titles = sheet_titles([_("Explanation"), *(sheet.title for sheet in sheets)])
        _explain(book.active, report, titles, sheets)
        for title, sheet in zip(titles[1:], sheets, strict=True):
            _fill(book.create_sheet(title), sheet)
        about = book.properties
        about.title, about.creator, about.language = held(f"{name_of(report)} – {report.study}"), MAKER, report.language
        content = io.BytesIO()
        book.save(content)
        return still(content.getvalue())


def sheet_titles(names: Iterable[str]) -> list[str]:
    """Names that sheets can have: without some signs, not too long, each once whatever its capitals."""
    taken: dict[str, str] = {}
    for name in names:
        plain = " ".join(_NOT_IN_TITLES.sub(" ", held(name)).split()).strip("'") or "–"
        title, n = plain[:MOST_TITLE].rstrip(), 1
        while title.casefold() in taken:
            n += 1
            title = f"{plain[: MOST_TITLE - len(str(n)) - 1].rstrip()} {n}"
        taken[title.casefold()] = title
    return list(taken.values())


def _explain(tab: Any, report: Report, titles: Sequence[str], sheets: Sequence[Sheet]) -> None:
    from openpyxl.styles import Alignment, Font

    tab.title = titles[0]
    tab.sheet_view.showGridLines = False
    tab.column_dimensions["A"].width = WHOLE
    listed = [f"“{title}”: {sheet.about}" for title, sheet in zip(titles[1:], sheets, strict=True)]
    where = f"{report.study}, " + _("wave %(n)s") % {"n": report.wave}
    lines = [(name_of(report), 18, True), (where, SIZE, False)]
    for heading, under in [(_("What is on which sheet"), listed), *explanation(report)]:
        lines += [("", SIZE, False), (heading, 13, True), *((line, SIZE, False) for line in under)]
    for number, (line, size, bold) in enumerate(lines, start=1):
        cell = tab.cell(number, 1)
        _put(cell, line)
        cell.font = Font(name=FONT, size=size, bold=bold, color=_colour(svg.ACCENT if bold else svg.INK))
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        tab.row_dimensions[number].height = LINE * size / SIZE * _lines(line, WHOLE * SIZE / size)
    _for_paper(tab)


def _fill(tab: Any, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    edge, between = (Border(bottom=Side(style="thin", color=_colour(name))) for name in (svg.MUTED, svg.GRID))
    ground = PatternFill("solid", fgColor=_colour(svg.LIGHT))
    ink = Font(name=FONT, size=SIZE, color=_colour(svg.INK))
    strong = Font(name=FONT, size=SIZE, bold=True, color=_colour(svg.INK))
    rows = [sheet.head, *sheet.rows]
    widths = [_width(column, FIRST if place == 0 else WIDE) for place, column in enumerate(zip(*rows, strict=True))]
    for number, row in enumerate(rows, start=1):
        words = ((value, width) for value, width in zip(row, widths, strict=True) if isinstance(value, str))
        tab.row_dimensions[number].height = LINE * max(_lines(value, width) for value, width in words) + 3
        for place, value in enumerate(row, start=1):
            cell = tab.cell(number, place)
            _put(cell, value)
            cell.font = strong if number == 1 else ink
            cell.alignment = Alignment(
                horizontal="left" if place == 1 else "right",
                vertical="bottom" if number == 1 else "center",
                wrap_text=True,
            )
            cell.border = edge if number == 1 else between
            if number == 1:
                cell.fill = ground
    for place, width in enumerate(widths, start=1):
        tab.column_dimensions[get_column_letter(place)].width = width
    tab.freeze_panes = "B2"
    tab.print_title_rows = "1:1"
    _for_paper(tab)


def _for_paper(tab: Any) -> None:
    """On paper as wide as a page, lying where it has columns."""
    tab.page_setup.paperSize = 9  # A4
    tab.page_setup.orientation = "landscape" if tab.max_column > 1 else "portrait"
    tab.page_setup.fitToWidth, tab.page_setup.fitToHeight = 1, 0
    tab.sheet_properties.pageSetUpPr.fitToPage = True


def _lines(words: str, width: float) -> int:
    """How many lines words need: not every program sees that when it opens a file."""
    return max(1, len(textwrap.wrap(words, max(8, int(width)))))


def _width(cells: Sequence[Cell], most: int) -> int:
    """Of a column: its words on few lines, and never narrower than a figure with its head."""
    longest = max(len(cell) for cell in cells if isinstance(cell, str))
    return OTHERS if longest <= 3 * OTHERS and most == WIDE else min(most, max(OTHERS, longest + 2))


def _put(cell: Any, value: Cell) -> None:
    """A number with its decimals, or words: whatever words begin with, they are no formula, also once saved as CSV."""
    if isinstance(value, Figure):
        cell.value = round(value.value, value.decimals) if value.decimals else int(value.value)
        places = "0." + "0" * value.decimals if value.decimals else "0"
        cell.number_format = places + (f'"{value.unit}"' if value.unit else "")
        return
    cell.value = neutralised(escaped(held(value)))
    if value:
        cell.data_type = "s"


def _colour(name: str) -> str:
    return name.lstrip("#").upper()
