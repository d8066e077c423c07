"""Reading a wide file of answers, one row per respondent, as other survey tools export it. Reads, never writes.

The file is read by `teams/files/tables.py`, within its limits. A map says which column is which item where the headers are not the item codes (LimeSurvey: ``G01Q01[SQ001]``). Columns
``institution``, ``academy`` and ``sector`` say where a team is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from analysis.data.import_teams import ACADEMY_COLUMN, PLACE_COLUMNS, SECTOR_COLUMN, Place, folded, sector_of, tidy
from surveys.answering.answers import background_answer, is_item_answer, what_belongs_there
from surveys.models import Response
from surveys.questionnaires.definition import CHOICE, Question
from surveys.questionnaires.publishing import Definition
from teams.base.numbers import decimal_number
from teams.files.limits import UnreadableTable
from teams.files.tables import NOTHING, Table

ELIGIBILITY = "eligibility"
TEAM = "team"


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What a column holds: a code of the questionnaire, ``team`` or ``eligibility``; ``values`` recodes its cells."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that cannot be imported. ``row`` counts as a spreadsheet does: the header is row 1."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Answers:
    """What a file holds: the rows per team, as ``submit_many`` takes them, and everything that is wrong."""

    teams: Mapping[str, list[dict[str, Any]]]
    problems: tuple[str, ...]
    bad_cells: tuple[BadCell, ...]
    ignored_columns: tuple[str, ...]
    left_out: tuple[int, ...]
    places: Mapping[str, Place] = field(default_factory=dict)  # of the teams of which the file says it

    @property
    def n_rows(self) -> int:
        return sum(len(rows) for rows in self.teams.values())

    @property
    def n_unanswered(self) -> int:
        """Rows in which no question is answered: they are imported as begun, and count as not returned."""
        return sum(row.get("state") == Response.State.DRAFT for rows in self.teams.values() for row in rows)

    @property
    def good(self) -> bool:
        """Whether all of it may be imported."""
        return not self.problems and not self.bad_cells


def read_map(table: Table) -> dict[str, ColumnMap]:
    """A map: a table with the columns ``column`` and ``code``, and optionally ``values`` such as ``A1=1;A2=2``.

    Raises UnreadableTable where one of the two is missing.
    """
    header = [name.lower() for name in table.header]
    if "column" not in header or "code" not in header:
        raise UnreadableTable(_("The mapping needs the columns 'column' and 'code'."))
    columns: dict[str, ColumnMap] = {}
    for row in table.rows:
        cells = dict(zip(header, row, strict=False))
        pairs = [pair.split("=", 1) for pair in cells.get("values", "").split(";") if "=" in pair]
        columns[cells["column"]] = ColumnMap(cells["code"], {old.strip(): new.strip() for old, new in pairs})
    return columns


def read_answers(
    table: Table,
    definition: Definition,
    background: Sequence[str],
    team_column: str,
    *,
    column_map: Mapping[str, ColumnMap] | None = None,
    leave_out: Collection[int] = (),
    empty_team: str = "",
) -> Answers:
    """Check every cell of a table against the questionnaire.

    Args:
        background: the background questions that the survey asks; other columns are ignored.
        team_column: the header of the column with the team.
        leave_out: numbers of rows that are not imported, the header being row 1.
        empty_team: the team of rows without one; blank: such a row is bad.
    """
    columns, problems, ignored = _columns(table, definition, background, team_column, column_map or {})
    readers = _Readers(definition)
    items = set(definition.item_codes)
    teams: dict[str, list[dict[str, Any]]] = {}
    names: dict[str, str] = {}  # compared name → as it is spelled first
    places: dict[str, Place] = {}
    bad: list[BadCell] = []
    if problems:
        return Answers({}, tuple(problems), (), tuple(ignored), ())
    for number, cells in table.numbered():
        if number in leave_out:
            continue
        row: dict[str, Any] = {"answers": {}}
        team = ""
        where: dict[str, str] = {}
        for position, mapped in columns:
            cell = mapped.values.get(cells[position], cells[position])
            try:
                if mapped.code == TEAM:
                    team = _team(cell) or empty_team
                    if not team:
                        raise ValueError(_("no team is given"))
                    team = names.setdefault(folded(team), tidy(team))
                elif mapped.code in PLACE_COLUMNS:
                    if cell.lower() not in NOTHING:
                        where[mapped.code] = sector_of(cell) if mapped.code == SECTOR_COLUMN else tidy(cell)
                elif mapped.code == ELIGIBILITY:
                    row["eligibility"] = readers.choice(ELIGIBILITY, cell) or ""
                elif (value := readers.answer(mapped.code, cell)) is not None:
                    row["answers"][mapped.code] = value
            except ValueError as error:
                bad.append(BadCell(number, table.header[position], cell, str(error)))
        if not row.get("eligibility") and not any(code in items for code in row["answers"]):
            row["state"] = Response.State.DRAFT  # a page that was opened: nobody can tell it from one handed in empty
        if team:
            teams.setdefault(team, []).append(row)
            place = Place(**where)
            if where and places.setdefault(team, place) != place:
                bad.append(
                    BadCell(number, ACADEMY_COLUMN, team, _("in a row above, this team belongs to another academy"))
                )
    out = tuple(sorted(number for number in leave_out if number in range(table.first, table.first + len(table.rows))))
    return Answers(teams, (), tuple(bad), tuple(ignored), out, places)


# ------------------------------------------------------------------------------------------------ columns
def _columns(
    table: Table,
    definition: Definition,
    background: Sequence[str],
    team_column: str,
    column_map: Mapping[str, ColumnMap],
) -> tuple[list[tuple[int, ColumnMap]], list[str], list[str]]:
    """Which column is what, what is wrong with that, and which columns are of no use."""
    known = [*definition.item_codes, *background, *([ELIGIBILITY] if definition.eligibility else [])]
    by_lower = {code: code for code in PLACE_COLUMNS} | {code.lower(): code for code in known}
    columns: list[tuple[int, ColumnMap]] = []
    problems: list[str] = []
    ignored: list[str] = []
    for position, header in enumerate(table.header):
        mapped = column_map.get(header)
        if header == team_column:
            columns.append((position, ColumnMap(TEAM, mapped.values if mapped else {})))
            continue
        code = by_lower.get((mapped.code if mapped else header).lower())
        if code is None:
            ignored.append(header)
            if mapped:
                problems.append(
                    _("The mapping names '%(code)s' for column '%(column)s', but there is no such item.")
                    % {"code": mapped.code, "column": header}
                )
            continue
        columns.append((position, ColumnMap(code, mapped.values if mapped else {})))
    codes = [mapped.code for _position, mapped in columns]
    if TEAM not in codes:
        problems.append(_("There is no column '%s' for the team.") % team_column)
    for name in column_map:
        if name not in table.header:
            problems.append(_("The mapping names column '%s', which is not in the file.") % name)
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        problems.append(_("Two columns are both '%s'.") % code)
    missing = [code for code in definition.item_codes if code not in codes]
    if missing:
        problems.append(_("These items have no column: %s.") % ", ".join(missing))
    return columns, problems, ignored


class _Readers:
    """Cells to answers: by number, by the text of an option, by code; remembered, since a file has few different cells."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._items = frozenset(definition.item_codes)
        self._options = {text.strip().lower(): value for value, texts in definition.options for text in texts.values()}
        self._cannot_judge = {"x", *(text.strip().lower() for text in (definition.cannot_judge or {}).values())}
        questions = {question.code: question for question in definition.background}
        self._typed = {code: question for code, question in questions.items() if question.type != CHOICE}
        if definition.eligibility:
            questions[ELIGIBILITY] = definition.eligibility
        self._choices = {
            code: {
                **{choice.code.lower(): choice.code for choice in question.choices},
                **{text.strip().lower(): c.code for c in question.choices for text in c.text.values()},
            }
            for code, question in questions.items()
        }
        self._seen: dict[str, int | str | None] = {}

    def answer(self, code: str, cell: str) -> int | float | str | None:
        """The answer to an item or a background question; None for no answer. Raises ValueError with the reason."""
        if code in self._typed:
            return self._type(self._typed[code], cell)
        if code not in self._items:
            return self.choice(code, cell)
        if cell not in self._seen:
            self._seen[cell] = self._item(cell)
        return self._seen[cell]

    @staticmethod
    def _type(question: Question, cell: str) -> int | float | str | None:
        """A number or an open text."""
        if cell.lower() in NOTHING:
            return None
        value = background_answer(question, cell)
        if value is None:
            raise ValueError(f"'{cell[:40]}': {what_belongs_there(question)}")
        return value

    def _item(self, cell: str) -> int | str | None:
        text = cell.lower()
        if text in NOTHING:
            return None
        value: int | str | None = self._options.get(text)
        if text in self._cannot_judge:
            value = Response.CANNOT_JUDGE
        if value is None:
            number = decimal_number(cell)
            value = int(number) if number is not None and number.is_integer() else None
        if value is None or not is_item_answer(self._definition, value):
            raise ValueError(
                _("'%(cell)s' is not one of the answers 1 to %(most)d")
                % {"cell": cell, "most": self._definition.n_points}
            )
        return value

    def choice(self, code: str, cell: str) -> str | None:
        if cell.lower() in NOTHING:
            return None
        choices = self._choices[code]
        if cell.lower() not in choices:
            raise ValueError(
                _("'%(cell)s' is not one of: %(choices)s")
                % {"cell": cell, "choices": ", ".join(sorted(set(choices.values())))}
            )
        return choices[cell.lower()]


def _team(cell: str) -> str:
    if cell.lower() in NOTHING:
        return ""
    number = decimal_number(cell)
    return str(int(number)) if number is not None and number.is_integer() and abs(number) < 1e15 else cell
