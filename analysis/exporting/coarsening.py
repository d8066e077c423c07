"""Coarser background columns: neighbouring answers of a question taken together, so that more people share them.

A column of a release is named by its question's code, or with its groups: ``years=under_1+to_3,over_3``. The name says all that
the judgement needs, and two ways to group one question are two columns, of which the union of all releases holds both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from surveys.definition import CHOICE, Choice, Definition, Question

Groups = tuple[tuple[str, ...], ...]
TOGETHER = "+"
#: A column is offered with at least so many groups: with one it would say nothing.
FEWEST_GROUPS = 2


def code_of(column: str) -> str:
    """The question's code."""
    return column.partition("=")[0]


def groups_of(column: str) -> Groups:
    """The answers taken together; empty where each stands for itself."""
    groups = column.partition("=")[2]
    return tuple(tuple(group.split(TOGETHER)) for group in groups.split(",")) if groups else ()


def column_of(code: str, groups: Groups) -> str:
    """The column's name."""
    if all(len(group) == 1 for group in groups):
        return code
    return f"{code}={','.join(TOGETHER.join(group) for group in groups)}"


def values_of(rows: pd.DataFrame, column: str) -> pd.Series:
    """The column's values: the codes of the answers taken together, joined; "" stays where nothing was answered."""
    together = {answer: TOGETHER.join(group) for group in groups_of(column) for answer in group}
    answers = rows[code_of(column)]
    return answers.map(lambda answer: together.get(answer, answer)) if together else answers


def coarser(definition: Definition, columns: Sequence[str]) -> Definition:
    """The questionnaire as the files of a release describe it: its choices are the groups."""
    grouped = {code_of(column): groups_of(column) for column in columns if groups_of(column)}
    return replace(
        definition,
        background=tuple(
            _grouped(question, grouped[question.code]) if question.code in grouped else question
            for question in definition.background
        ),
    )


def _grouped(question: Question, groups: Groups) -> Question:
    texts = {choice.code: choice.text for choice in question.choices}
    choices = tuple(
        Choice(
            TOGETHER.join(group),
            {language: " / ".join(texts[code][language] for code in group) for language in texts[group[0]]},
        )
        for group in groups
    )
    return replace(question, choices=choices)


def coarsened(
    definition: Definition,
    columns: Sequence[str],
    enough: Callable[[list[str]], bool],
    small: Callable[[list[str]], int],
) -> list[str] | None:
    """Columns with neighbouring answers taken together, step by step, until ``enough``; None if that is never so.

    Each step takes together the two neighbours that leave fewest rows in cells that are too ``small``; of equal ones the
    pair that makes the smaller group, so that no column is emptied of meaning before the others.
    """
    questions = {question.code: question for question in definition.background}
    now: dict[str, Groups] = {
        code_of(column): groups_of(column) or tuple((choice.code,) for choice in questions[code_of(column)].choices)
        for column in columns
        if questions[code_of(column)].type == CHOICE
    }

    def named(groups: dict[str, Groups]) -> list[str]:
        return [column_of(code_of(c), groups[code_of(c)]) if code_of(c) in groups else c for c in columns]

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
