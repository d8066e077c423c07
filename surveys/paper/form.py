"""The questionnaire on paper: a tagged PDF from the frozen version, without a name and without a number of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from surveys.answering.page import ELIGIBILITY
from surveys.collecting import mirror
from surveys.models import Collection
from surveys.models.questionnaire import in_language
from surveys.paper.fields import Field, parts_of
from surveys.questionnaires.publishing import definition_of
from surveys.typesetting import typeset
from teams.text.directions import isolated

TEMPLATE = Path(__file__).with_name("form.typ")


def paper_form_pdf(collection: Collection, language: str) -> bytes:
    """The form of a team in one language of its questionnaire; every copy is the same."""
    with override(language):
        return typeset(TEMPLATE, "form", _content(collection, language))


def _content(collection: Collection, language: str) -> dict[str, Any]:
    survey = collection.survey
    study, team = survey.study, collection.participation.team
    definition = definition_of(survey.version)
    title, intro, consent = (
        in_language(dict(text), language) for text in (definition.title, definition.intro, definition.consent)
    )
    return {
        "language": language,
        "title": title,
        "study": " · ".join(isolated(name) for name in (study.title, study.controller) if name),
        "footer": f"{isolated(team.name)} · {isolated(title)}",
        "simulated": _("Simulated study: none of these teams and people exist.") if study.simulated else "",
        "introduction": [
            intro,
            _("You answer about the team %(team)s. If you are in two teams, fill in a form for each.")
            % {"team": isolated(team.name)},
            _(
                "Do not write your name on this form. The researchers see separate answers without names. Your "
                "manager and colleagues only see results of %(k)s or more people, yourself included."
            )
            % {"k": study.k},
            *_of_mirror(collection),
            _(
                "Taking part is voluntary. You may leave questions unanswered, or stop and tear up the form. On "
                "paper, you can take your answers back until you hand the form in: once it is mixed with the others, "
                "we can no longer find yours for you; somebody who knows your handwriting might."
            ),
            " ".join(
                (
                    _("Questions about the study: %(name)s, %(email)s.")
                    % {"name": isolated(study.contact_name), "email": study.contact_email},
                    _("Privacy officer: %(officer)s.") % {"officer": isolated(study.privacy_contact)},
                )
            ),
        ],
        "consent": consent,
        "words": {
            "number": _("Number: filled in by whoever types the form. Leave this empty."),
            "how": _("Tick one box per line. Changed your mind? Fill the wrong box and tick another."),
            "statement": _("Statement"),
            "end": _("Thank you! Put the form in the box or the envelope with the others."),
        },
        "options": _options(collection, language),
        "parts": [
            {
                "title": part.title,
                "scale": bool(part.code),
                "questions": [_question(asked) for asked in part.fields],
            }
            for part in parts_of(definition, survey.background, language)
        ],
    }


def _of_mirror(collection: Collection) -> list[str]:
    """Where the team may see its own figures in the meeting, whoever answers on paper reads it too."""
    if not mirror.is_offered(collection):
        return []
    text = _(
        "At the end of this meeting, the figures of your team can be shown on the screen, if %(k)s or more people handed in "
        "answers: of all of you together, never a single answer."
    )
    return [text % {"k": collection.survey.study.k}]


def _options(collection: Collection, language: str) -> list[dict[str, str]]:
    """The columns of the scales: a number per option, x for "cannot judge"."""
    parts = parts_of(definition_of(collection.survey.version), [], language)
    items = next(asked for part in parts for asked in part.fields if asked.name != ELIGIBILITY)
    return [{"key": key, "text": words} for key, words, _value in items.keys]


def _question(asked: Field) -> dict[str, Any]:
    kind = "choice" if asked.question is None or asked.keys else asked.question.type
    return {
        "text": asked.text,
        "kind": kind,
        "choices": [{"key": key, "text": words} for key, words, _value in asked.keys],
    }
