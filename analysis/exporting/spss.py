"""SPSS .sav: variable labels, value labels and missing codes in one language of the questionnaire."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
from django.utils.translation import gettext as _

from analysis.exporting.rows import SET_ASIDE, TEAM, ReleasedRows
from analysis.models import ScreeningDecision
from surveys.definition import NUMBER

#: Above every answer of a questionnaire (at most 11 points), and the same in every file.
CANNOT_JUDGE, NO_ANSWER = 98, 99
#: What the format takes, in bytes.
LONGEST_LABEL, LONGEST_VALUE_LABEL = 255, 120


def sav_bytes(rows: ReleasedRows, language: str, title: str) -> bytes:
    """The file. "Cannot judge" is 98 and no answer 99, both declared missing; reverse-keyed items stay as answered."""
    frame = pd.DataFrame(index=rows.frame.index)
    labels: dict[str, str | None] = {}
    values: dict[str, dict[float, str]] = {}
    missing: dict[str, list[Any]] = {}
    measure: dict[str, str] = {}
    if TEAM in rows.frame:
        frame[TEAM] = rows.frame[TEAM].astype(object)
        labels[TEAM], measure[TEAM] = _("code of the team, random per study"), "nominal"
    rules = ["", *ScreeningDecision.Rule.values]
    frame[SET_ASIDE] = [float(rules.index(rule)) for rule in rows.frame[SET_ASIDE]]
    labels[SET_ASIDE], measure[SET_ASIDE] = _("rule by which the analysis set the row aside"), "nominal"
    values[SET_ASIDE] = {0.0: _("analysed")} | {
        float(number): str(ScreeningDecision.Rule(rule).label) for number, rule in enumerate(rules) if rule
    }
    options = {
        float(value): _cut(text.get(language, ""), LONGEST_VALUE_LABEL) for value, text in rows.definition.options
    }
    gaps = {float(NO_ANSWER): _("no answer")}
    if rows.definition.cannot_judge:
        text = rows.definition.cannot_judge.get(language, "")
        gaps = {float(CANNOT_JUDGE): _cut(text, LONGEST_VALUE_LABEL)} | gaps
    for column, item in enumerate(rows.definition.items):
        answers = rows.frame[item.code].to_numpy(dtype=float)
        judged = np.where(rows.cannot_judge[:, column], CANNOT_JUDGE, NO_ANSWER)
        frame[item.code] = np.where(np.isnan(answers), judged, answers)
        labels[item.code], measure[item.code] = _cut(item.text.get(language, ""), LONGEST_LABEL), "ordinal"
        values[item.code], missing[item.code] = options | gaps, list(gaps)
    for question in rows.definition.asked_background(list(rows.background)):
        labels[question.code] = _cut(question.text.get(language, ""), LONGEST_LABEL)
        if question.type == NUMBER:  # any code for "no answer" could be an answer: the system's own missing value
            frame[question.code] = pd.to_numeric(rows.frame[question.code], errors="coerce").astype(float)
            measure[question.code] = "scale"
            continue
        numbers = {choice.code: float(number) for number, choice in enumerate(question.choices, start=1)}
        frame[question.code] = [numbers.get(code, float(NO_ANSWER)) for code in rows.frame[question.code]]
        values[question.code] = {
            numbers[choice.code]: _cut(choice.text.get(language, ""), LONGEST_VALUE_LABEL)
            for choice in question.choices
        } | {float(NO_ANSWER): _("no answer")}
        missing[question.code], measure[question.code] = [float(NO_ANSWER)], "nominal"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "responses.sav"
        pyreadstat.write_sav(
            frame,
            str(path),
            file_label=_cut(title, 64),
            column_labels=labels,
            variable_value_labels=values,
            missing_ranges=missing,
            variable_measure=measure,
            compress=True,
        )
        return path.read_bytes()


def _cut(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` bytes of UTF-8, no character cut in half."""
    return text.encode()[:longest].decode(errors="ignore")
