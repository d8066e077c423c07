"""Coarser background columns: neighbouring answers of a question taken together, so that more people share them.

A column of a release is named by its question's code, or with its groups: ``years=under_1+to_3,over_3``; a number in bands is
named with the lowest number of every band but the first: ``age<30<40<50``. The name says all that the judgement needs, and two
ways to group one question are two columns, of which the union of all releases holds both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.data import bands
from surveys.questionnaires.definition import CHOICE, NUMBER, Choice, Definition, Question

if TYPE_CHECKING:
    import pandas as pd

Groups = tuple[tuple[str, ...], ...]
TOGETHER, BAND = "+", "<"
#: A column is offered with at least so many groups: with one it would say nothing.
FEWEST_GROUPS = 2


def code_of(column: str) -> str:
    """The question's code."""
    return column.partition("=")[0].partition(BAND)[0]


def groups_of(column: str) -> Groups:
    """The answers taken together; empty where each stands for itself, and for a number."""
    groups = column.partition("=")[2]
    return tuple(tuple(group.split(TOGETHER)) for group in groups.split(",")) if groups else ()


def limits_of(column: str) -> bands.Limits:
    """The limits of a number's bands; empty where each number stands for itself, and for a choice."""
    return tuple(float(limit) for limit in column.split(BAND)[1:]) if "=" not in column else ()


def column_of(code: str, groups: Groups) -> str:
    """The column's name."""
    if all(len(group) == 1 for group in groups):
        return code
    return f"{code}={','.join(TOGETHER.join(group) for group in groups)}"


def band_column_of(code: str, limits: Sequence[float]) -> str:
    """The name of the column of a number in bands; without limits the number itself."""
    return BAND.join([code, *map(bands.plain, limits)])


def values_of(rows: pd.DataFrame, column: str) -> pd.Series:
    """The column's values: codes of answers taken together, joined, or codes of bands; "" where nothing was answered."""
    answers = rows[code_of(column)]
    if limits := limits_of(column):
        return answers.map(lambda answer: bands.code_of_value(answer, limits))
    together = {answer: TOGETHER.join(group) for group in groups_of(column) for answer in group}
    return answers.map(lambda answer: together.get(answer, answer)) if together else answers


def coarser(definition: Definition, columns: Sequence[str]) -> Definition:
    """The questionnaire as the files of a release describe it: its choices are the groups, its bands are choices."""
    of_code = {code_of(column): column for column in columns}
    return replace(
        definition,
        background=tuple(
            grouped(question, of_code[question.code]) if question.code in of_code else question
            for question in definition.background
        ),
    )


def grouped(question: Question, column: str) -> Question:
    """The question as its column holds it: its choices are the groups or the bands."""
    if limits := limits_of(column):
        return replace(question, type=CHOICE, choices=bands.choices(question, limits))
    texts = {choice.code: choice.text for choice in question.choices}
    choices = tuple(
        Choice(
            TOGETHER.join(group),
            {language: " / ".join(texts[code][language] for code in group) for language in texts[group[0]]},
        )
        for group in groups_of(column)
    )
    return replace(question, choices=choices) if choices else question


def coarsened(
    definition: Definition,
    columns: Sequence[str],
    enough: Callable[[list[str]], bool],
    small: Callable[[list[str]], int],
) -> list[str] | None:
    """Columns with neighbouring answers taken together, step by step, until ``enough``; None if that is never so.

    Each step takes together the two neighbours that leave fewest rows in cells that are too ``small``; of equal ones the
    pair that makes the smaller group, so that no column is emptied of meaning before the others. A number begins in round
    bands over all that the question allows, whatever was answered.
    """
    questions = {question.code: question for question in definition.background}
    finest = {code_of(column): _finest(questions[code_of(column)], column) for column in columns}
    now: dict[str, Groups] = {
        code: tuple((part,) for part in parts) for code, parts in finest.items() if len(parts) >= FEWEST_GROUPS
    }
    for column in columns:
        if groups := groups_of(column):
            now[code_of(column)] = groups

    def named(groups: dict[str, Groups]) -> list[str]:
        return [_named(column, groups.get(code_of(column)), questions[code_of(column)]) for column in columns]

    while not enough(named(now)):
        steps = [
            {**now, code: (*groups[:place], groups[place] + groups[place + 1], *groups[place + 2 :])}
            for code, groups in now.items()
            if len(groups) > FEWEST_GROUPS
            for place in range(len(groups) - 1)
        ]
        if not steps:
            return None
        now = min(
            steps, key=lambda step: (small(named(step)), max(len(group) for own in step.values() for group in own))
        )
    return named(now)


def in_bands(definition: Definition, column: str) -> str:
    """The column, a number in round bands: single numbers hardly ever have k people each."""
    question = next(question for question in definition.background if question.code == code_of(column))
    return column if question.type != NUMBER or limits_of(column) else band_column_of(column, bands.offered(question))


def _finest(question: Question, column: str) -> tuple[str, ...]:
    """What neighbours are taken together of: the answers of a choice, the lowest numbers of bands ("" of the first)."""
    if question.type != NUMBER:
        return tuple(choice.code for choice in question.choices)
    limits = limits_of(column) or bands.offered(question)
    return ("", *map(bands.plain, limits))


def _named(column: str, groups: Groups | None, question: Question) -> str:
    if groups is None:
        return column
    if question.type == NUMBER:
        return band_column_of(question.code, [float(group[0]) for group in groups[1:]])
    return column_of(question.code, groups)
