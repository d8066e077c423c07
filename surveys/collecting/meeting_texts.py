"""What whoever leads a meeting reads aloud, and what people ask: a default in each language, which a study may change.

Plain text. A blank line begins the next paragraph, or the next question: its first line asks, the lines below it answer.
``{team}``, ``{controller}`` and ``{k}`` stand for the team, who is responsible, and how many answers a result needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from surveys.history import Happened
from surveys.models import Survey
from teams.history import record
from teams.models import Study, User
from teams.text.directions import isolated

BRIEFING, QUESTIONS = "briefing", "questions"
KINDS = (BRIEFING, QUESTIONS)
PLACES = ("team", "controller", "k")
_PLACE = re.compile(r"\{([^{}]*)\}")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that people ask in meetings, and its answer."""

    question: str
    answer: str


def default_text(kind: str, language: str) -> str:
    """The text of a study that has not written its own."""
    with override(language):
        return _default_briefing() if kind == BRIEFING else _default_questions()


def text_of(survey: Survey, kind: str, language: str) -> str:
    """The study's text as it was written, with its places still open."""
    return survey.meeting_texts.get(kind, {}).get(language) or default_text(kind, language)


def briefing(text: str, study: Study, team: str, *, mirror: bool = False) -> list[str]:
    """The paragraphs to read aloud.

    Args:
        mirror: whether the team may see its own figures in the meeting (mirror.py): then that is said too, whatever the study
            wrote, as the last thing but one.
    """
    paragraphs = _blocks(_filled(text, study, team))
    return [*paragraphs[:-1], _of_mirror(study), *paragraphs[-1:]] if mirror else paragraphs


def asked(text: str, study: Study, team: str) -> list[Asked]:
    """The questions with their answers."""
    parts = [block.partition("\n") for block in _blocks(_filled(text, study, team))]
    return [Asked(question.strip(), answer.strip()) for question, _newline, answer in parts]


def unknown_places(text: str) -> list[str]:
    """What stands in braces in a text and is no place."""
    return [name for name in _PLACE.findall(text) if name not in PLACES]


def change(survey: Survey, texts: Mapping[tuple[str, str], str], by: User) -> bool:
    """Store texts by kind and language; an empty one, and one that is the default, is the default. Whether any changed."""
    new: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for (kind, language), text in texts.items():
        text = "\n".join(line.rstrip() for line in text.strip().splitlines())
        if text and text != default_text(kind, language):
            new[kind][language] = text
    with transaction.atomic():
        locked = Survey.objects.select_for_update().get(pk=survey.pk)
        if {kind: locked.meeting_texts.get(kind, {}) for kind in KINDS} == new:
            return False
        Survey.objects.filter(pk=survey.pk).update(meeting_texts=new)
        record(locked.study, Happened.MEETING_TEXTS_CHANGED, by=by)
    survey.meeting_texts = new
    return True


def languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def _blocks(text: str) -> list[str]:
    return [block.strip() for block in _BLANK_LINE.split(text.replace("\r\n", "\n").strip()) if block.strip()]


def _filled(text: str, study: Study, team: str) -> str:
    values = {"team": isolated(team), "controller": isolated(study.controller), "k": str(study.k)}
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def _of_mirror(study: Study) -> str:
    return _(
        "When everybody has finished, we can look at the figures of our team here, if %(k)s or more people handed in answers: "
        "of all of us together, never a single answer. First I close the meeting for good. From then on, nobody can change or "
        "delete answers."
    ) % {"k": study.k}


def _default_briefing() -> str:
    return "\n\n".join(
        [
            _(
                "Welcome. %(controller)s studies how teams of teachers learn together. Today we ask for about ten "
                "minutes of your time."
            )
            % {"controller": "{controller}"},
            _(
                "You will see statements about our team, %(team)s. For each one, say how far you agree. There are no "
                "right or wrong answers: it is about how you see it, not about what the team ought to think."
            )
            % {"team": "{team}"},
            _(
                "Taking part is voluntary. You may leave statements unanswered, and you may stop. Your name is not "
                "kept with your answers. The researchers see separate answers without names; your manager and "
                "colleagues only see results of %(k)s or more people."
            )
            % {"k": "{k}"},
            _(
                "Scan the code on the screen with your phone, or type the address and the six characters. Please "
                "answer by yourself, without discussing it or looking at each other's screens, and stay seated until "
                "everybody has finished."
            ),
            _("With enough answers, our team can get a report, which we will talk about together. Thank you."),
        ]
    )


def _default_questions() -> str:
    entries = [
        (
            _("Can our leader see what I answered?"),
            _(
                "No. The leader only sees results of %(k)s or more people. With fewer answers, the report shows no "
                "results."
            )
            % {"k": "{k}"},
        ),
        (
            _("I have no phone here, or it does not work"),
            _(
                "Any browser will do, a laptop for instance. Or use a shared device: whoever leads the meeting has a "
                "link for that, and nothing of what you answer stays readable on it; without a network, your answers "
                "wait there, locked, until they are handed in. There may also be forms on paper."
            ),
        ),
        (
            _("My phone has lost the network"),
            _(
                "Just carry on. Your answers are kept on your phone and handed in as soon as there is a connection. "
                "The page tells you so."
            ),
        ),
        (
            _("I am in two teams"),
            _("Answer for this team now, and for the other team in its own meeting or by its own link."),
        ),
        (
            _("I am new and cannot say much about the team"),
            _(
                "Please join all the same. The first question lets you say so, and then you are done. That counts as "
                "an answer."
            ),
        ),
        (
            _("I do not want to take part"),
            _("That is fine, and nobody needs to know why. You may also begin and leave everything unanswered."),
        ),
        (
            _("Can I delete my answers later?"),
            _(
                "Yes. On your own phone: what you handed in, until you close its browser, and what you did not hand "
                "in, as long as it is there. On a shared device: until “Next person”, until the page is closed or "
                "reloaded, or until nobody touches it for ten minutes. Not after collecting in the team has ended. "
                "After that, nobody can tell which answers are whose."
            ),
        ),
    ]
    return "\n\n".join(f"{question}\n{answer}" for question, answer in entries)
