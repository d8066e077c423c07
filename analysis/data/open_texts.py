"""Open answers: each is looked at by a researcher after sealing, without the other answers, before it may be shown.

A text in somebody's own words can name people and is as good as a signature beside other answers. So it is never in a file
of responses: what is cleared leaves by itself, in an order that says nothing, without team.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from analysis.data import dataset
from analysis.data.dataset import OpenText
from analysis.history import Happened
from analysis.models.open_texts import TextReview
from surveys.models import Survey
from surveys.questionnaires.checking import cleaned
from surveys.questionnaires.definition import LONGEST_ANSWER
from teams.files.tables import Cell
from teams.history import record
from teams.models import User


class NotThere(LookupError):
    """No such open answer, or it was reviewed by somebody else meanwhile."""


@dataclass(frozen=True, slots=True)
class QuestionTexts:
    """The open answers to one question: those that wait, and what the reviewed ones may show."""

    question: str
    waiting: tuple[OpenText, ...]
    shown: tuple[tuple[str, str], ...]  # handle and text
    n_withheld: int


def texts_of(survey: Survey) -> list[QuestionTexts]:
    """Per open question that has answers; two queries beside those of the data set."""
    texts = dataset.open_texts_of(survey)
    reviews = {(row.response_id, row.question): row for row in TextReview.objects.filter(survey=survey)}
    result = []
    for question in dict.fromkeys(text.question for text in texts):
        of_question = [text for text in texts if text.question == question]
        judged = [(text, reviews[text.key, question]) for text in of_question if (text.key, question) in reviews]
        shown = tuple((text.handle, row.text) for text, row in judged if row.text)
        waiting = tuple(text for text in of_question if (text.key, question) not in reviews)
        result.append(QuestionTexts(question, waiting, shown, len(judged) - len(shown)))
    return result


def review(survey: Survey, handle: str, text: str, user: User) -> TextReview:
    """Say what may be shown of an open answer: ``text``, or nothing where it is blank. Who is first decides.

    :raises NotThere: if there is no such answer, or it was reviewed already
    """
    answer = next((answer for answer in dataset.open_texts_of(survey) if answer.handle == handle), None)
    if answer is None:
        raise NotThere
    text = cleaned(text)[:LONGEST_ANSWER]
    verdict = TextReview.Verdict.WITHHELD
    if text:
        verdict = TextReview.Verdict.CLEARED if text == answer.text else TextReview.Verdict.REDACTED
    try:
        with transaction.atomic():
            row = TextReview.objects.create(
                survey=survey,
                response_id=answer.key,
                question=answer.question,
                verdict=verdict,
                text=text,
                reviewed_by=user,
            )
            record(survey.study, Happened.TEXT_REVIEWED, by=user, detail=f"{answer.question}, {verdict}")
    except IntegrityError as error:  # the constraint decided: somebody else was first
        raise NotThere from error
    return row


def review_again(survey: Survey, handle: str, user: User) -> None:
    """Take a verdict back: the text waits again. :raises NotThere: if it was not reviewed"""
    answer = next((answer for answer in dataset.open_texts_of(survey) if answer.handle == handle), None)
    with transaction.atomic():
        key, question = (answer.key, answer.question) if answer else ("", "")
        if not TextReview.objects.filter(survey=survey, response_id=key, question=question).delete()[0]:
            raise NotThere
        record(survey.study, Happened.TEXT_REVIEW_UNDONE, by=user, detail=question)


def rows(survey: Survey) -> Iterator[Sequence[Cell]]:
    """What may be shown, for a file: question and text. In an order that says nothing."""
    yield ("question", "text")
    for of_question in texts_of(survey):
        for _handle, text in of_question.shown:
            yield (of_question.question, text)
