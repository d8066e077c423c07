"""Which answers a questionnaire allows: the check that every answer passes before it is stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from surveys.models import Response
from surveys.questionnaires.checking import cleaned
from surveys.questionnaires.definition import LONGEST_ANSWER, NUMBER, TEXT, Definition, Question
from teams.base.numbers import decimal_number


class InvalidAnswers(ValueError):
    """Answers that the questionnaire does not allow; says which code and why."""


def checked_answers(definition: Definition, background: list[str], answers: Mapping[str, Any]) -> dict[str, Any]:
    """``answers`` if the questionnaire allows them all; numbers and open texts in one notation, empty ones left out.

    :param background: codes of the background questions that the survey asks
    :raises InvalidAnswers: for an unknown code, or a value that is no answer to it
    """
    if not isinstance(answers, Mapping):
        raise InvalidAnswers("answers: no object")
    asked = {question.code: question for question in definition.asked_background(background)}
    items = frozenset(definition.item_codes)
    result: dict[str, Any] = {}
    for code, value in answers.items():
        if code in items:
            good = value if is_item_answer(definition, value) else None
        elif code in asked:
            if asked[code].type in (NUMBER, TEXT) and (
                value is None or (isinstance(value, str) and not cleaned(value))
            ):
                continue  # what was written there was taken away again
            good = background_answer(asked[code], value)
        else:
            raise InvalidAnswers(f"{code}: unknown")
        if good is None:
            raise InvalidAnswers(f"{code}: {str(value)[:40]!r} is no answer")
        result[code] = good
    # in the order of the questionnaire: in which order somebody answered is nobody's business
    order = (*definition.item_codes, *definition.background_codes)
    return {code: result[code] for code in order if code in result}


def is_item_answer(definition: Definition, value: Any) -> bool:
    """Whether ``value`` answers an item: 1 … the number of options, or "x" where one may say "I cannot judge"."""
    if value == Response.CANNOT_JUDGE:
        return definition.cannot_judge is not None
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= definition.n_points


def background_answer(question: Question, value: Any) -> str | int | float | None:
    """``value`` as it is stored if it answers a background question, else None.

    A number may come as text, with a decimal point or a decimal comma; whole ones are stored as int. An open text keeps
    its words and loses the blanks around it.
    """
    if isinstance(value, bool):
        return None
    if question.type == NUMBER:
        return _number(question, value)
    if question.type == TEXT:
        text = cleaned(str(value)) if isinstance(value, str | int) else ""
        return text if text and len(text) <= LONGEST_ANSWER else None
    return value if isinstance(value, str) and value in question.choice_codes else None


def what_belongs_there(question: Question) -> str:
    """A sentence for who gave another answer than the question takes."""
    if question.type == TEXT:
        return _("Write at most %d characters.") % LONGEST_ANSWER
    bounds = {"minimum": question.minimum, "maximum": question.maximum}
    if question.decimals:
        return _("Give a number from %(minimum)d to %(maximum)d.") % bounds
    return _("Give a whole number from %(minimum)d to %(maximum)d.") % bounds


def checked_eligibility(definition: Definition, value: Any) -> str:
    """``value`` if it answers the eligibility question; blank is 'not answered'. :raises InvalidAnswers: otherwise"""
    if value in (None, ""):
        return ""
    if definition.eligibility is None or not isinstance(value, str) or value not in definition.eligibility.choice_codes:
        raise InvalidAnswers(f"eligibility: {value!r} is no answer")
    return value


def _number(question: Question, value: Any) -> int | float | None:
    if isinstance(value, str):
        value = decimal_number(value)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if not question.minimum <= value <= question.maximum:
        return None
    if value == int(value):
        return int(value)
    return round(float(value), 6) if question.decimals else None
