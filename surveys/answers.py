"""Which answers a questionnaire allows: the check that every answer passes before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from surveys.definition import Definition
from surveys.models import Response


class InvalidAnswers(ValueError):
    """Answers that the questionnaire does not allow; says which code and why."""


def checked_answers(definition: Definition, background: list[str], answers: Mapping[str, Any]) -> dict[str, Any]:
    """``answers`` if the questionnaire allows them all.

    :param background: codes of the background questions that the survey asks
    :raises InvalidAnswers: for an unknown code, or a value that is no answer to it
    """
    if not isinstance(answers, Mapping):
        raise InvalidAnswers("answers: no object")
    allowed = {question.code: question.choice_codes for question in definition.asked_background(background)}
    items = frozenset(definition.item_codes)
    result: dict[str, Any] = {}
    for code, value in answers.items():
        if code in items:
            good = is_item_answer(definition, value)
        elif code in allowed:
            good = isinstance(value, str) and value in allowed[code]
        else:
            raise InvalidAnswers(f"{code}: unknown")
        if not good:
            raise InvalidAnswers(f"{code}: {value!r} is no answer")
        result[code] = value
    # in the order of the questionnaire: in which order somebody answered is nobody's business
    order = (*definition.item_codes, *definition.background_codes)
    return {code: result[code] for code in order if code in result}


def is_item_answer(definition: Definition, value: Any) -> bool:
    """Whether ``value`` answers an item: 1 … the number of options, or "x" where one may say "I cannot judge"."""
    if value == Response.CANNOT_JUDGE:
        return definition.cannot_judge is not None
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= definition.n_points


def checked_eligibility(definition: Definition, value: Any) -> str:
    """``value`` if it answers the eligibility question; blank is 'not answered'. :raises InvalidAnswers: otherwise"""
    if value in (None, ""):
        return ""
    if definition.eligibility is None or not isinstance(value, str) or value not in definition.eligibility.choice_codes:
        raise InvalidAnswers(f"eligibility: {value!r} is no answer")
    return value
