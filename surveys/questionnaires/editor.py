"""What the editor shows of a working draft: lines with their texts side by side, and what is missing in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from surveys.questionnaires.definition import NUMBER, TEXT
from surveys.questionnaires.drafts import Draft, seen


@dataclass(frozen=True, slots=True)
class Cell:
    language: str
    text: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a code or a name, its texts, and remarks such as "reverse-keyed"."""

    name: str
    cells: tuple[Cell, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What is edited as one. ``place`` names it in the page: an anchor."""

    part: str
    seen: str
    lines: tuple[Line, ...]
    first: bool = False
    last: bool = False
    items: tuple[Part, ...] = ()  # of a scale

    @property
    def place(self) -> str:
        return self.part.replace(":", "-")

    @property
    def code(self) -> str:
        return self.part.partition(":")[2]

    @property
    def head(self) -> Line:
        return self.lines[0]


@dataclass(frozen=True, slots=True)
class Page:
    texts: Part
    options: Part
    eligibility: Part | None
    scales: tuple[Part, ...]
    questions: tuple[Part, ...]
    n_items: int


def page_of(draft: Draft) -> Page:
    """The whole draft, ready to be shown."""
    languages: list[str] = draft["languages"]

    def line(name: str, texts: Mapping[str, str] | None, *remarks: str, required: bool = True) -> Line:
        given = texts or {}
        wanted = required or any(given.get(at) for at in languages)
        cells = tuple(Cell(at, given.get(at, ""), wanted and not given.get(at)) for at in languages)
        return Line(name, cells, tuple(remark for remark in remarks if remark))

    def part(address: str, *lines: Line, at: int = 0, of: int = 1, items: tuple[Part, ...] = ()) -> Part:
        return Part(address, seen(draft, address), lines, at == 0, at == of - 1, items)

    def scale(number: int, row: Mapping[str, Any]) -> Part:
        items = tuple(
            part(
                f"item:{item['code']}",
                line(item["code"], item["text"], _("reverse-keyed") if item["reverse_keyed"] else ""),
                at=n,
                of=len(row["items"]),
            )
            for n, item in enumerate(row["items"])
        )
        lines = (line(row["code"], row["name"]), line(_("Meaning"), row["meaning"], required=False))
        return part(f"scale:{row['code']}", *lines, at=number, of=len(draft["scales"]), items=items)

    def question(number: int, row: Mapping[str, Any]) -> Part:
        lines = [line(row["code"], row["text"], _kind(row))]
        lines += [line(choice["code"], choice["text"]) for choice in row.get("choices", ())]
        return part(f"question:{row['code']}", *lines, at=number, of=len(draft["background"]))

    first = draft["eligibility"]
    return Page(
        texts=part(
            "texts",
            line(_("Title"), draft["title"]),
            line(_("Where the words come from"), draft["note"], required=False),
            line(_("Introduction"), draft["intro"], required=False),
            line(_("Consent"), draft["consent"], required=False),
            line(_("Thanks"), draft["thanks"], required=False),
        ),
        options=part(
            "options",
            *(line(str(option["value"]), option["text"]) for option in draft["options"]),
            line(_("set apart"), draft["cannot_judge"], required=False),
        ),
        eligibility=part(
            "eligibility",
            line(_("Question"), first["text"]),
            *(
                line(choice["code"], choice["text"], "" if choice["eligible"] else _("does not take part"))
                for choice in first["choices"]
            ),
        )
        if first
        else None,
        scales=tuple(scale(n, row) for n, row in enumerate(draft["scales"])),
        questions=tuple(question(n, row) for n, row in enumerate(draft["background"])),
        n_items=sum(len(row["items"]) for row in draft["scales"]),
    )


def _kind(question: Mapping[str, Any]) -> str:
    if question.get("type") == TEXT:
        return _("open text")
    if question.get("type") == NUMBER:
        bounds = {"minimum": question["minimum"], "maximum": question["maximum"]}
        if question["decimals"]:
            return _("number from %(minimum)s to %(maximum)s, decimals too") % bounds
        return _("whole number from %(minimum)s to %(maximum)s") % bounds
    return _("one choice")
