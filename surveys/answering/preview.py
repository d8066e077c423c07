"""The questionnaire as a teacher meets it, step by step, to look at: nothing is kept, and no study is needed."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.translation import override

from surveys.answering.page import steps_of
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import Definition


def n_screens(definition: Definition) -> int:
    """The welcome page, the steps, the thanks."""
    steps = steps_of(definition, list(definition.background_codes), definition.languages[0])
    return len(steps) + 2


def screen(definition: Definition, language: str, number: int, address: str) -> str:
    """Screen ``number``: 0 is the welcome page, then the steps, at last the thanks. ``address``: where its buttons post."""
    steps = steps_of(definition, list(definition.background_codes), language)
    number = min(max(number, 0), len(steps) + 1)
    texts = {
        name: in_language(dict(getattr(definition, name)), language) for name in ("title", "intro", "consent", "thanks")
    }
    shared = {"preview": address, "language": language, "number": number, "n_steps": len(steps), **texts}
    with override(language):
        if number in (0, len(steps) + 1):
            return render_to_string("surveys/preview_text.html", {**shared, "is_welcome": number == 0})
        return render_to_string(
            "surveys/questionnaire.html", {**shared, "steps": [steps[number - 1]], "whole": False, "open": []}
        )
