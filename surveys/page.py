"""The questionnaire page: its steps, and the page as bytes, made once per version, language and background questions.

A slot in the bytes takes what differs per respondent: the response key and the answers saved so far. Pages of one step,
for browsers without JavaScript, are made from the saved row each time.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import override

from surveys.definition import Definition, Question, Text
from surveys.models import Response, Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of

KEY_SLOT = "@@KEY@@"
STATE_SLOT = "@@STATE@@"
ELIGIBILITY = "eligibility"  # the name of its field; codes of items and background questions are checked against it
_MAX_PAGES = 64
_pages: OrderedDict[tuple[Any, ...], tuple[bytes, bytes, bytes]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class ChoiceShown:
    value: str
    text: str
    checked: bool
    aside: bool = False  # set apart from the scale: "I cannot judge"


@dataclass(frozen=True, slots=True)
class QuestionShown:
    name: str
    text: str
    choices: tuple[ChoiceShown, ...]

    @property
    def answered(self) -> bool:
        return any(choice.checked for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Step:
    """One screen: eligibility, a scale, background, or the last one, where one hands in."""

    number: int
    kind: str
    title: str = ""
    questions: tuple[QuestionShown, ...] = field(default=())


def steps_of(
    definition: Definition,
    background: list[str],
    language: str,
    answers: Mapping[str, Any] | None = None,
    eligibility: str = "",
) -> list[Step]:
    """The steps of a questionnaire in a language, with the answers given so far checked."""
    given = answers or {}

    def text(texts: Text) -> str:
        return in_language(dict(texts), language)

    def single(name: str, question: Question, value: Any) -> QuestionShown:
        choices = tuple(ChoiceShown(c.code, text(c.text), value == c.code) for c in question.choices)
        return QuestionShown(name, text(question.text), choices)

    options = [(str(value), text(words)) for value, words in definition.options]

    def item(code: str, words: Text) -> QuestionShown:
        value = str(given.get(code, ""))
        choices = [ChoiceShown(option, label, value == option) for option, label in options]
        if definition.cannot_judge:
            aside = Response.CANNOT_JUDGE
            choices.append(ChoiceShown(aside, text(definition.cannot_judge), value == aside, aside=True))
        return QuestionShown(code, text(words), tuple(choices))

    screens: list[tuple[str, str, tuple[QuestionShown, ...]]] = []
    if definition.eligibility:
        screens.append((ELIGIBILITY, "", (single(ELIGIBILITY, definition.eligibility, eligibility),)))
    for scale in definition.scales:
        questions = tuple(item(entry.code, entry.text) for entry in scale.items)
        screens.append(("scale", text(scale.name), questions))
    asked = definition.asked_background(background)
    if asked:
        screens.append(("background", "", tuple(single(q.code, q, given.get(q.code)) for q in asked)))
    screens.append(("end", "", ()))
    return [Step(number, *screen) for number, screen in enumerate(screens, 1)]


def whole_page(survey: Survey, language: str, response: Response) -> bytes:
    """The questionnaire in one page, with the respondent's key and answers put in their slots."""
    version = survey.version
    cached = (version.content_hash, tuple(survey.background), language, survey.study.simulated)
    parts = _pages.get(cached)
    if parts is None:
        definition = definition_of(version)
        steps = steps_of(definition, survey.background, language)
        html = _render(definition, steps, steps, 1, language, survey.study.simulated, KEY_SLOT, STATE_SLOT)
        head, rest = html.encode().split(KEY_SLOT.encode(), 1)
        middle, tail = rest.split(STATE_SLOT.encode(), 1)
        parts = _pages[cached] = (head, middle, tail)
        if len(_pages) > _MAX_PAGES:
            _pages.popitem(last=False)
    head, middle, tail = parts
    return b"".join((head, response.key.encode(), middle, _state(response).encode(), tail))


def one_step_page(survey: Survey, language: str, response: Response, number: int) -> bytes:
    """One step, rendered from the saved row: for a browser without JavaScript."""
    definition = definition_of(survey.version)
    steps = steps_of(definition, survey.background, language, response.answers, response.eligibility)
    number = min(max(number, 1), len(steps))
    shown = [steps[number - 1]]
    return _render(definition, steps, shown, number, language, survey.study.simulated, response.key, "").encode()


def n_steps(survey: Survey) -> int:
    definition = definition_of(survey.version)
    background = bool(definition.asked_background(survey.background))
    return bool(definition.eligibility) + len(definition.scales) + background + 1


def _render(
    definition: Definition,
    steps: list[Step],
    shown: list[Step],
    number: int,
    language: str,
    simulated: bool,
    key: str,
    state: str,
) -> str:
    whole = len(shown) == len(steps)
    with override(language):
        return render_to_string(
            "surveys/questionnaire.html",
            {
                "title": in_language(dict(definition.title), language),
                "language": language,
                "languages": definition.languages,
                "steps": shown,
                "number": number,
                "n_steps": len(steps),
                "whole": whole,
                "open": [] if whole else _open(steps),
                "key": key,
                "state": state,
                "simulated": simulated,
                "eligible": " ".join(sorted(definition.eligible_codes)),
            },
        )


def _open(steps: list[Step]) -> list[tuple[Step, list[QuestionShown]]]:
    """Steps with the statements that have no answer yet."""
    found = ((step, [q for q in step.questions if not q.answered]) for step in steps if step.kind == "scale")
    return [(step, questions) for step, questions in found if questions]


def _state(response: Response) -> str:
    """What the page's script starts from; safe inside an HTML script element."""
    text = json.dumps(
        {
            "sequence": response.sequence,
            "answers": response.answers,
            "eligibility": response.eligibility,
        },
        separators=(",", ":"),
    )
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
