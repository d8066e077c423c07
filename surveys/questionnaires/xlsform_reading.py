"""Reads an XLSForm: what we support becomes the content of a questionnaire, everything else is named in the report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext as _

from surveys.questionnaires import xlsform_writing
from surveys.questionnaires.checking import checked, cleaned
from surveys.questionnaires.definition import NUMBER, TEXT, QuestionnaireError
from teams.files.limits import UnreadableTable
from teams.files.workbooks import read_sheets
from teams.models.languages import by_name, language_codes

_COLUMN = re.compile("[a-z_ ]+")
_LANGUAGE_CODE = re.compile(r"\(\s*([a-z]{2})(?:[-_][a-z]+)?\s*\)\s*$", re.IGNORECASE)
_BOUND = re.compile(r"\.\s*(>=|<=|>|<)\s*(-?\d+)")
#: Columns that are read, per sheet; others are reported where they hold something.
_READ = {
    "survey": {"type", "name", "label", "constraint", xlsform_writing.REVERSE_COLUMN},
    "choices": {"list_name", "list name", "name", "label", xlsform_writing.ELIGIBLE_COLUMN},
    "settings": {"form_title", "form_id", "default_language", "version"},
}
_BEGIN, _END = ("begin_group", "begin group"), ("end_group", "end group")
_YES = ("yes", "true", "1", "ja")
DEFAULT_BOUNDS = (0, 100_000)


@dataclass(frozen=True, slots=True)
class Note:
    """Something in the file that does not come over as it is. ``row`` counts as the spreadsheet does; 0: the sheet."""

    sheet: str
    row: int
    what: str


@dataclass(frozen=True)
class Form:
    """What a file holds. ``content`` is None where it makes no questionnaire; ``problems`` then say why."""

    content: dict[str, Any] | None
    notes: tuple[Note, ...]
    problems: tuple[str, ...] = ()


@dataclass
class _Row:
    number: int
    cells: dict[str, str]
    label: dict[str, str]

    def get(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass
class _Group:
    name: str
    label: dict[str, str]
    row: int
    items: list[_Row] = field(default_factory=list)
    meaning: dict[str, str] = field(default_factory=dict)


def read(content: bytes) -> Form:
    """The questionnaire in an XLSX file (XLS and ODS too), with a report of what does not come over."""
    try:
        sheets = {name.strip().lower(): rows for name, rows in read_sheets(content).items()}
    except UnreadableTable as error:
        return Form(None, (), (str(error),))
    if "survey" not in sheets:
        return Form(None, (), (_("This is not an XLSForm: it has no sheet “survey”."),))
    return _Reading(sheets).form()


class _Reading:
    def __init__(self, sheets: Mapping[str, list[list[str]]]) -> None:
        self.notes: list[Note] = []
        self.languages: list[str] = []
        for name in sheets:
            if name not in _READ:
                self.note(name, 0, _("this sheet is not read"))
        self.default = self._default_language(sheets.get("settings", []))
        self.settings = next(iter(self._rows("settings", sheets.get("settings", []))), _Row(0, {}, {}))
        self.survey = self._rows("survey", sheets["survey"])
        self.lists: dict[str, list[_Row]] = {}
        for row in self._rows("choices", sheets.get("choices", [])):
            if name := row.get("list_name") or row.get("list name"):
                self.lists.setdefault(name, []).append(row)
        self.used: set[str] = set()
        self.texts: dict[str, dict[str, str]] = {}
        self.groups: list[_Group] = []
        self.background: list[dict[str, Any]] = []
        self.eligibility: dict[str, Any] | None = None

    def note(self, sheet: str, row: int, what: str) -> None:
        self.notes.append(Note(sheet, row, what))

    def form(self) -> Form:
        agreement = self._agreement_list()
        self._walk(agreement)
        for name, rows in self.lists.items():
            if name not in self.used:
                self.note("choices", rows[0].number, _("no imported question uses the list “%s”") % name)
        # the languages in the order of this product, with the file's default first, which a YAML file keeps too
        languages = sorted(set(self.languages), key=lambda at: (at != self.default, language_codes().index(at)))
        self.languages = languages or [self.default]
        options, cannot_judge = self._options(agreement)
        data = {
            "code": self._slug(),
            "languages": self.languages,
            **{name: self._only(self.texts.get(name, {})) for name in xlsform_writing.NOTES},
            "title": self._only(self.texts.get("title") or self._form_title()),
            "options": options,
            "cannot_judge": cannot_judge,
            "eligibility": self.eligibility,
            "scales": [self._scale(group) for group in self.groups],
            "background": self.background,
        }
        self.notes.sort(key=lambda note: (tuple(_READ).index(note.sheet) if note.sheet in _READ else 9, note.row))
        try:
            return Form(checked(self._trimmed(data)), tuple(self.notes))
        except QuestionnaireError as error:
            return Form(None, tuple(self.notes), tuple(error.problems))

    # -------------------------------------------------------------------------------------------- cells
    def _default_language(self, rows: list[list[str]]) -> str:
        if len(rows) > 1:
            cells = dict(zip([cell.lower() for cell in rows[0]], rows[1], strict=False))
            return _language(cells.get("default_language", "")) or settings.SOURCE_LANGUAGE
        return settings.SOURCE_LANGUAGE

    def _rows(self, sheet: str, rows: list[list[str]]) -> list[_Row]:
        """The rows of a sheet by the names of their columns; what is in columns that are not read is reported."""
        if not rows:
            return []
        headers = [self._header(cell) for cell in rows[0]]
        named_rows = []
        for number, row in enumerate(rows[1:], 2):
            cells: dict[str, str] = {}
            label: dict[str, str] = {}
            for (name, language), cell in zip(headers, row, strict=False):
                text = xlsform_writing.unprotected(cleaned(cell))
                if not text:
                    continue
                if name == "label" and name in _READ[sheet]:
                    at = _language(language) if language else self.default
                    if at:
                        label[at] = text
                        self.languages.append(at)
                    else:
                        self.note(sheet, number, _("the language “%s” is not asked here") % language)
                elif name in _READ[sheet] and not language:
                    cells[name] = text
                elif not (name == "required" and text.lower() not in _YES):
                    whole = f"{name}::{language}" if language else name
                    self.note(sheet, number, self._unread(whole, text))
            if cells or label:
                named_rows.append(_Row(number, cells, label))
        return named_rows

    def _unread(self, column: str, text: str) -> str:
        if column == "required":
            return _("“required” is not imported: answers are never forced here")
        if column == "relevant":
            return _("“relevant” is not imported: every question is asked (%s)") % text
        return _("the column “%(column)s” is not imported: %(text)s") % {"column": column, "text": text[:80]}

    @staticmethod
    def _header(text: str) -> tuple[str, str]:
        """Name and language of a column: ``label::Dutch (nl)``, or with one colon."""
        text = text.strip().lower()
        name, colon, language = (part.strip() for part in text.partition(":"))
        language = language.removeprefix(":").lstrip()
        is_column = _COLUMN.fullmatch(name) and (language or not colon)
        return (name, language) if is_column else (text, "")

    # -------------------------------------------------------------------------------------------- the survey
    def _agreement_list(self) -> str:
        """The list of the agreement scale: with answers 1, 2, 3 … and used most by questions in groups; first wins."""
        counted = Counter(name for row in self.survey if (name := _list_of(row)) and self._is_scale(name))
        return counted.most_common(1)[0][0] if counted else ""

    def _is_scale(self, name: str) -> bool:
        names = [row.get("name") for row in self.lists.get(name, [])]
        if xlsform_writing.CANNOT_JUDGE in names:
            names.remove(xlsform_writing.CANNOT_JUDGE)
        return len(names) > 1 and names == [str(n) for n in range(1, len(names) + 1)]

    def _walk(self, agreement: str) -> None:
        group: _Group | None = None
        repeats = 0
        for row in self.survey:
            kind = row.get("type").lower()
            name = row.get("name")
            if kind in ("begin_repeat", "begin repeat"):
                repeats += 1
                self.note("survey", row.number, _("repeated groups are not supported: “%s” is left out") % name)
            elif kind in ("end_repeat", "end repeat"):
                repeats = max(repeats - 1, 0)
            elif repeats:
                self.note("survey", row.number, _("“%s” is in a repeated group and is left out") % (name or kind))
            elif kind in _BEGIN:
                if group is not None and group.items:
                    self._close(group)
                elif group is not None:
                    self.note("survey", group.row, _("groups within groups become one level: “%s”") % group.name)
                group = _Group(name, row.label, row.number)
            elif kind in _END:
                if group is not None:
                    self._close(group)
                group = None
            else:
                self._question(row, kind, name, group, agreement)
        if group is not None:
            self._close(group)

    def _close(self, group: _Group) -> None:
        if group.items:
            self.groups.append(group)
        elif group.label and group.name != xlsform_writing.BACKGROUND:
            self.note("survey", group.row, _("the group “%s” has no agreement items and is not a scale") % group.name)

    def _question(self, row: _Row, kind: str, name: str, group: _Group | None, agreement: str) -> None:
        if row.get(xlsform_writing.REVERSE_COLUMN) and _list_of(row) != agreement:
            self.note("survey", row.number, _("only items of a scale can be reverse-keyed"))
        if row.get("constraint") and kind not in ("integer", "decimal"):
            self.note("survey", row.number, _("the constraint is not imported: %s") % row.get("constraint"))
        if kind == "note":
            self._note_row(row, name, group)
        elif (listed := _list_of(row)) and listed in self.lists:
            self.used.add(listed)
            if listed == agreement and group is not None:
                group.items.append(row)
            elif name == xlsform_writing.ELIGIBILITY and any(
                r.get(xlsform_writing.ELIGIBLE_COLUMN) for r in self.lists[listed]
            ):
                self.eligibility = {"text": row.label, "choices": self._choices(listed, eligible=True)}
            elif listed == agreement:
                self.note("survey", row.number, _("“%s” is in no group, so it belongs to no scale: left out") % name)
            else:
                choices = self._choices(listed)
                self.background.append({"code": name, "text": row.label, "choices": choices})
        elif listed:
            self.note("survey", row.number, _("the list “%s” is not in the sheet choices: left out") % listed)
        elif kind in ("integer", "decimal"):
            bounds = self._bounds(row)
            question = {"code": name, "type": NUMBER, "text": row.label, "minimum": bounds[0], "maximum": bounds[1]}
            self.background.append(question | {"decimals": kind == "decimal"})
        elif kind in ("text", "string"):
            self.background.append({"code": name, "type": TEXT, "text": row.label})
        else:
            what = _("the type “%(type)s” is not supported: “%(name)s” is left out")
            self.note("survey", row.number, what % {"type": row.get("type"), "name": name})

    def _note_row(self, row: _Row, name: str, group: _Group | None) -> None:
        ours = name.removeprefix(xlsform_writing.NOTE_PREFIX)
        if group is None and name.startswith(xlsform_writing.NOTE_PREFIX) and ours in xlsform_writing.NOTES:
            self.texts[ours] = row.label
        elif group is not None and name == f"{group.name}{xlsform_writing.MEANING_SUFFIX}":
            group.meaning = row.label
        else:
            self.note("survey", row.number, _("notes between questions are not supported: “%s” is left out") % name)

    def _bounds(self, row: _Row) -> tuple[int, int]:
        """Bounds of a number from a constraint like ``. >= 0 and . <= 60``; what else it says is reported."""
        text = row.get("constraint")
        low = high = None
        for sign, bound in _BOUND.findall(text):
            step = 0 if "=" in sign or row.get("type") == "decimal" else 1
            if sign.startswith(">"):
                low = int(bound) + step
            else:
                high = int(bound) - step
        rest = re.sub(r"\band\b", "", _BOUND.sub("", text)).strip(" ()")
        if rest or (row.get("type") == "decimal" and re.search(r"[<>](?!=)", text)):
            self.note("survey", row.number, _("the constraint is imported only in part: %s") % text)
        if low is None or high is None:
            low, high = low if low is not None else DEFAULT_BOUNDS[0], high if high is not None else DEFAULT_BOUNDS[1]
            given = {"low": low, "high": high}
            self.note("survey", row.number, _("a number has two bounds here: %(low)s and %(high)s were taken") % given)
        return low, high

    def _choices(self, name: str, eligible: bool = False) -> list[dict[str, Any]]:
        choices = []
        for row in self.lists[name]:
            code = row.get("name")
            if code and not code[0].isalpha():
                names = {"old": code, "new": f"c{code}".replace("-", "_")}
                self.note("choices", row.number, _("the code “%(old)s” becomes “%(new)s”") % names)
                code = names["new"]
            choice: dict[str, Any] = {"code": code, "text": row.label}
            if eligible:
                choice["eligible"] = row.get(xlsform_writing.ELIGIBLE_COLUMN).lower() in _YES
            choices.append(choice)
        return choices

    # -------------------------------------------------------------------------------------------- the parts
    def _options(self, agreement: str) -> tuple[list[Any], Any]:
        rows = self.lists.get(agreement, [])
        options = [row.label for row in rows if row.get("name") != xlsform_writing.CANNOT_JUDGE]
        aside = next((row.label for row in rows if row.get("name") == xlsform_writing.CANNOT_JUDGE), None)
        return [{"value": n, "text": text} for n, text in enumerate(options, 1)], aside

    def _scale(self, group: _Group) -> dict[str, Any]:
        items = [
            {
                "code": row.get("name"),
                "text": row.label,
                "reverse_keyed": row.get(xlsform_writing.REVERSE_COLUMN).lower() in _YES,
            }
            for row in group.items
        ]
        return {"code": group.name, "name": group.label, "meaning": group.meaning, "items": items}

    def _slug(self) -> str:
        return slugify(self.settings.get("form_id").replace("_", "-"))[:50].strip("-") or "xlsform"

    def _form_title(self) -> dict[str, str]:
        title = self.settings.get("form_title") or self.settings.get("form_id")
        if title and len(self.languages) > 1:
            self.note("settings", 2, _("the title has one language in an XLSForm: it is taken for every language"))
        return dict.fromkeys(self.languages, title)

    def _only(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {at: texts.get(at, "") for at in self.languages} if texts else {}

    def _trimmed(self, data: dict[str, Any]) -> dict[str, Any]:
        """Without what is not given, so that the check speaks about what is wrong and not about what may be absent."""
        return {name: value for name, value in data.items() if value or name in ("title", "options", "scales")}


def _list_of(row: _Row) -> str:
    """The list of a `select_one` question."""
    kind, _blank, name = row.get("type").partition(" ")
    return name.strip() if kind.lower() in ("select_one", "select1") else ""


def _language(text: str) -> str:
    """The code of a language as XLSForms name it: "English (en)", "en", "Nederlands"; blank where it is none of ours."""
    named = _LANGUAGE_CODE.search(text)
    code = named[1].lower() if named else by_name().get(text.strip().lower(), "")
    return code if code in language_codes() else ""
