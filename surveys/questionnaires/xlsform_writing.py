"""A questionnaire as an XLSForm (xlsform.org): a workbook with the sheets survey, choices and settings.

What an XLSForm can say and this product asks comes over: groups of `select_one` with the list of the agreement scale
(scales and their items), other `select_one`, `integer` and `decimal` with bounds, `text`. Everything else in a file is named
in the report, row by row; nothing is left out in silence. What an XLSForm has no place for (title, introduction, consent,
thanks, meaning of a scale) travels as notes with names of our own, and reverse keys and eligibility in two columns of our
own, which other programs ignore. Reading: `surveys.questionnaires.xlsform_reading`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from surveys.questionnaires.definition import NUMBER, TEXT
from teams.files.tables import begins_like_formula, held, neutralised
from teams.models.languages import english_name

if TYPE_CHECKING:
    import openpyxl

AGREEMENT = "agreement"  # the list of the agreement scale
CANNOT_JUDGE = "x"
ELIGIBILITY = "eligibility"
BACKGROUND = "background"  # the group of the questions that belong to no scale
NOTES = ("title", "note", "intro", "consent", "thanks")
NOTE_PREFIX = "text_"
MEANING_SUFFIX = "_meaning"
REVERSE_COLUMN, ELIGIBLE_COLUMN = "reverse_keyed", "eligible"

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

Texts = Mapping[str, str]
Row = dict[str, str]


def write(content: Mapping[str, Any]) -> bytes:
    """The content of a version as an XLSX file that `surveys.questionnaires.xlsform_reading.read` reads back unchanged."""
    import openpyxl

    languages: list[str] = content["languages"]
    labels = [f"label::{_named(at)}" for at in languages]

    def row(texts: Texts | None = None, **cells: str) -> Row:
        return cells | {label: (texts or {}).get(at, "") for label, at in zip(labels, languages, strict=True)}

    book = openpyxl.Workbook()
    book.remove(book.active)
    columns = ["type", "name", *labels, "constraint", REVERSE_COLUMN]
    _sheet(book, "survey", columns, _survey_rows(content, row))
    columns = ["list_name", "name", *labels, ELIGIBLE_COLUMN]
    _sheet(book, "choices", columns, _choice_rows(content, row))
    settings = {
        "form_title": next(iter(content["title"].values()), ""),
        "form_id": content["code"],
        "default_language": _named(languages[0]),
    }
    _sheet(book, "settings", list(settings), [settings])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _survey_rows(content: Mapping[str, Any], row: Any) -> Iterable[Row]:
    for name in NOTES:
        if content.get(name):
            yield row(content[name], type="note", name=f"{NOTE_PREFIX}{name}")
    if content["eligibility"]:
        yield row(content["eligibility"]["text"], type=f"select_one {ELIGIBILITY}", name=ELIGIBILITY)
    for scale in content["scales"]:
        yield row(scale["name"], type="begin_group", name=scale["code"])
        if scale["meaning"]:
            yield row(scale["meaning"], type="note", name=f"{scale['code']}{MEANING_SUFFIX}")
        for item in scale["items"]:
            reverse = "yes" if item["reverse_keyed"] else ""
            cells = {"type": f"select_one {AGREEMENT}", "name": item["code"], REVERSE_COLUMN: reverse}
            yield row(item["text"], **cells)
        yield row(type="end_group", name=scale["code"])
    if content["background"]:
        yield row(type="begin_group", name=BACKGROUND)
        for question in content["background"]:
            yield row(question["text"], name=question["code"], **_type_cells(question))
        yield row(type="end_group", name=BACKGROUND)


def _type_cells(question: Mapping[str, Any]) -> Row:
    if question.get("type") == TEXT:
        return {"type": "text"}
    if question.get("type") == NUMBER:
        bounds = f". >= {question['minimum']} and . <= {question['maximum']}"
        return {"type": "decimal" if question["decimals"] else "integer", "constraint": bounds}
    return {"type": f"select_one list_{question['code']}"}


def _choice_rows(content: Mapping[str, Any], row: Any) -> Iterable[Row]:
    for option in content["options"]:
        yield row(option["text"], list_name=AGREEMENT, name=str(option["value"]))
    if content["cannot_judge"]:
        yield row(content["cannot_judge"], list_name=AGREEMENT, name=CANNOT_JUDGE)
    for choice in content["eligibility"]["choices"] if content["eligibility"] else ():
        eligible = {ELIGIBLE_COLUMN: "yes" if choice["eligible"] else "no"}
        yield row(choice["text"], list_name=ELIGIBILITY, name=choice["code"], **eligible)
    for question in content["background"]:
        for choice in question.get("choices", ()):
            yield row(choice["text"], list_name=f"list_{question['code']}", name=choice["code"])


def _sheet(book: openpyxl.Workbook, title: str, columns: list[str], rows: Iterable[Row]) -> None:
    import openpyxl

    sheet = book.create_sheet(title)
    sheet.append(columns)
    for row in rows:
        sheet.append([protected(row.get(column, "")) for column in columns])
    for number, column in enumerate(columns, 1):
        letter = openpyxl.utils.get_column_letter(number)
        sheet.column_dimensions[letter].width = 60 if column.startswith("label") else 24


def escaped(text: str) -> str:
    """A text in which nothing looks like the escape for a sign in XLSX files (_x0041_)."""
    return _ESCAPE.sub(r"_x005F_x\1_", text)


def protected(text: str) -> str | None:
    """A cell that no spreadsheet runs; one apostrophe more where the text itself has some, so that reading is exact.

    What looks like the escape for a sign in XLSX files (_x0041_) is escaped itself, as Excel does.
    """
    text = escaped(held(text))
    if text.startswith("'") and begins_like_formula(text.lstrip("'")):
        return f"'{text}"
    return str(neutralised(text)) or None


def unprotected(text: str) -> str:
    """What `protected` was given."""
    return text[1:] if text.startswith("'") and begins_like_formula(text.lstrip("'")) else text


def _named(language: str) -> str:
    """A language as XLSForms name it: "English (en)"."""
    return f"{english_name(language)} ({language})"
