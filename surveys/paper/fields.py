"""What is typed from a paper form: one short field per question, by keyboard alone.

A choice is typed as its number on the form, "cannot judge" as x, no answer as nothing. No page shows what was typed.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from surveys.answering.answers import background_answer, what_belongs_there
from surveys.answering.page import ELIGIBILITY as ELIGIBILITY
from surveys.models import Response
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import CHOICE, LONGEST_ANSWER, TEXT, Definition, Question, Text

NOTHING = "-"  # typed in a correction: nothing is ticked there


@dataclass(frozen=True, slots=True)
class Field:
    """One question as it is typed. ``keys``: what may be typed, with its words and the answer that is stored."""

    name: str
    text: str
    keys: tuple[tuple[str, str, Any], ...] = ()
    question: Question | None = None  # of a number or a text

    @property
    def is_text(self) -> bool:
        return self.question is not None and self.question.type == TEXT

    @property
    def longest(self) -> int:
        if self.is_text:
            return LONGEST_ANSWER
        return max((len(key) for key, _words, _value in self.keys), default=20)

    @property
    def one_key(self) -> bool:
        """Whether one key press is the whole answer, so that the next field may follow by itself."""
        return bool(self.keys) and self.longest == 1


@dataclass(frozen=True, slots=True)
class Part:
    """A block of the form: a scale, or what stands before and after the scales."""

    title: str
    fields: tuple[Field, ...]
    code: str = ""


@dataclass
class Typed:
    """What came from the page: good answers, which fields are to hold none, and why the others are no answers, by field."""

    answers: dict[str, Any] = field(default_factory=dict)
    eligibility: str = ""
    cleared: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def parts_of(definition: Definition, background: list[str], language: str) -> list[Part]:
    """The form in its order: first question, scales, background questions."""

    def text(texts: Text) -> str:
        return in_language(dict(texts), language)

    def of(name: str, question: Question) -> Field:
        if question.type != CHOICE:
            return Field(name, text(question.text), question=question)
        numbered = enumerate(question.choices, 1)
        return Field(name, text(question.text), tuple((str(n), text(c.text), c.code) for n, c in numbered))

    options: list[tuple[str, str, Any]] = [(str(value), text(words), value) for value, words in definition.options]
    if definition.cannot_judge:
        aside = Response.CANNOT_JUDGE
        options.append((aside, text(definition.cannot_judge), aside))
    parts = []
    if definition.eligibility:
        parts.append(Part(_("First"), (of(ELIGIBILITY, definition.eligibility),)))
    for scale in definition.scales:
        items = tuple(Field(item.code, text(item.text), tuple(options)) for item in scale.items)
        parts.append(Part(text(scale.name), items, scale.code))
    asked = definition.asked_background(background)
    if asked:
        parts.append(Part(_("About you"), tuple(of(question.code, question) for question in asked)))
    return parts


def read(parts: list[Part], posted: Mapping[str, Any], *, correcting: bool = False) -> Typed:
    """The answers in what was posted. What is no answer is left out and named.

    Args:
        correcting: ``NOTHING`` says that nothing is ticked, since an empty field leaves what is there.
    """
    typed = Typed()
    for form_field in (form_field for part in parts for form_field in part.fields):
        given = str(posted.get(form_field.name, "")).strip()
        if not given:
            continue
        if correcting and given == NOTHING:
            typed.cleared.append(form_field.name)
            continue
        if form_field.question is not None:
            value: Any = background_answer(form_field.question, given)
            if value is None:
                typed.problems[form_field.name] = what_belongs_there(form_field.question)
        else:
            value = next((stored for key, _words, stored in form_field.keys if key == given.lower()), None)
            if value is None:
                keys = ", ".join(key for key, _words, _stored in form_field.keys)
                typed.problems[form_field.name] = _("Type one of: %(keys)s. Or leave it empty.") % {"keys": keys}
        if value is not None and form_field.name == ELIGIBILITY:
            typed.eligibility = value
        elif value is not None:
            typed.answers[form_field.name] = value
    return typed


def only(parts: list[Part], names: Container[str]) -> list[Part]:
    """The parts with these fields alone."""
    kept = [replace(part, fields=tuple(each for each in part.fields if each.name in names)) for part in parts]
    return [part for part in kept if part.fields]
