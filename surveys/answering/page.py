"""The questionnaire page: its steps, and the page as bytes, made once per version, language and background questions.

Slots in the bytes take what differs per respondent: the response key, the answers saved so far and the team's name. The handle
of the response stands nowhere in the page: it is its address, and all addresses in the page are relative to that. Pages of one
step, for browsers without JavaScript, are made from the saved row each time.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import override

from surveys.answering.devices import kept_until
from surveys.answering.page_slots import Slotted
from surveys.models import Response, Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import CHOICE, LONGEST_ANSWER, Definition, Question, Text
from surveys.questionnaires.publishing import definition_of

KEY_SLOT = "@@KEY@@"
STATE_SLOT = "@@STATE@@"
TEAM_SLOT = "@@TEAM@@"
ELIGIBILITY = "eligibility"  # the name of its field; codes of items and background questions are checked against it
_MAX_PAGES = 64
_pages: OrderedDict[tuple[Any, ...], Slotted] = OrderedDict()


@dataclass(frozen=True, slots=True)
class ChoiceShown:
    value: str
    text: str
    checked: bool
    aside: bool = False  # set apart from the scale: "I cannot judge"


@dataclass(frozen=True, slots=True)
class QuestionShown:
    """A question with its answer: one of the choices, else a number or a text that is typed."""

    name: str
    text: str
    choices: tuple[ChoiceShown, ...] = ()
    type: str = CHOICE
    value: str = ""
    minimum: int = 0
    maximum: int = 0
    decimals: bool = False
    problem: str = ""  # why what was typed is no answer

    @property
    def answered(self) -> bool:
        return bool(self.value) or any(choice.checked for choice in self.choices)

    @property
    def longest(self) -> int:
        return LONGEST_ANSWER


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
    problems: Mapping[str, str] | None = None,
) -> list[Step]:
    """The steps of a questionnaire in a language, with the answers given so far; ``problems`` by the question's code."""
    given = answers or {}
    wrong = problems or {}

    def text(texts: Text) -> str:
        return in_language(dict(texts), language)

    def single(name: str, question: Question, value: Any) -> QuestionShown:
        choices = tuple(ChoiceShown(c.code, text(c.text), value == c.code) for c in question.choices)
        return QuestionShown(name, text(question.text), choices)

    def asked_aside(question: Question) -> QuestionShown:
        value = given.get(question.code)
        if question.type == CHOICE:
            return single(question.code, question, value)
        return QuestionShown(
            question.code,
            text(question.text),
            type=question.type,
            value="" if value is None else str(value),
            minimum=question.minimum,
            maximum=question.maximum,
            decimals=question.decimals,
            problem=wrong.get(question.code, ""),
        )

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
        screens.append(("background", "", tuple(asked_aside(q) for q in asked)))
    screens.append(("end", "", ()))
    return [Step(number, *screen) for number, screen in enumerate(screens, 1)]


def whole_page(
    survey: Survey, language: str, response: Response | None, lock: str | None = None
) -> tuple[Slotted, dict[str, bytes]]:
    """The questionnaire in one page, and the respondent's key, answers and team for its slots.

    Without a response the page is empty: a device keeps it for when there is no network. With ``lock``, the collection's
    public key, it is the page of a shared device.
    """
    version = survey.version
    shared = lock is not None
    cached = (version.content_hash, tuple(survey.background), language, survey.study.simulated, shared)
    made = _pages.get(cached)
    if made is None:
        definition = definition_of(version)
        steps = steps_of(definition, survey.background, language)
        html = _render(definition, steps, steps, 1, language, survey, KEY_SLOT, STATE_SLOT, TEAM_SLOT, shared)
        made = _pages[cached] = Slotted(html, KEY_SLOT, STATE_SLOT, TEAM_SLOT)
        if len(_pages) > _MAX_PAGES:
            _pages.popitem(last=False)
    if response is None:
        return made, {KEY_SLOT: b"", STATE_SLOT: b"{}", TEAM_SLOT: b""}
    return made, {
        KEY_SLOT: response.device_key.encode(),
        STATE_SLOT: _state(response, lock).encode(),
        TEAM_SLOT: escape(_team_of(response)).encode(),
    }


def one_step_page(
    survey: Survey,
    language: str,
    response: Response,
    number: int,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    shared: bool = False,
) -> bytes:
    """One step, rendered from the saved row: for a browser without JavaScript.

    :param typed: what was typed and is no answer, with ``problems`` that say why, by code
    """
    definition = definition_of(survey.version)
    answers = {**response.answers, **(typed or {})}
    steps = steps_of(definition, survey.background, language, answers, response.eligibility, problems)
    number = min(max(number, 1), len(steps))
    shown = [steps[number - 1]]
    key, team = response.device_key, _team_of(response)
    return _render(definition, steps, shown, number, language, survey, key, "", team, shared).encode()


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
    survey: Survey,
    key: str,
    state: str,
    team: str,
    shared: bool,
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
                "team": team,
                "simulated": survey.study.simulated,
                "demo_notice": not settings.PRODUCTION and not settings.DEMO_REAL_STUDIES,
                "shared": shared,
                "version": survey.version.content_hash[:16],
                "eligible": " ".join(sorted(definition.eligible_codes)),
            },
        )


def _team_of(response: Response) -> str:
    return response.collection.participation.team.name


def _open(steps: list[Step]) -> list[tuple[Step, list[QuestionShown]]]:
    """Steps with the statements that have no answer yet."""
    unanswered = ((step, [q for q in step.questions if not q.answered]) for step in steps if step.kind == "scale")
    return [(step, questions) for step, questions in unanswered if questions]


def _state(response: Response, lock: str | None) -> str:
    """What the page's script starts from; safe inside an HTML script element."""
    state: dict[str, Any] = {
        "sequence": response.sequence,
        "answers": response.answers,
        "eligibility": response.eligibility,
        "collection": response.collection.uid.hex,
        "until": int(kept_until(response.collection).timestamp() * 1000),
    }
    if lock is not None:
        state["lock"] = lock
    text = json.dumps(state, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
