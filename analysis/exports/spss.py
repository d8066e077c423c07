"""SPSS .sav: variable labels, value labels and missing codes in one language of the questionnaire."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from analysis.data.given import JUDGED_NOT
from analysis.exports.columns import NOT_ANALYSED, SET_ASIDE, TEAM, label_of, set_aside_values
from analysis.exports.rows import ReleasedRows
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import NUMBER, Question
from teams.text.glyphs import without_controls

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from analysis.exports.rows import Texts

#: Above every answer of a questionnaire (at most 11 points), and the same in every file.
CANNOT_JUDGE, NO_ANSWER = 98, 99
#: "No answer" of a question with so many choices that 99 is one of them.
MANY_NO_ANSWER = 9999
#: Words of SPSS's language, which no variable may be called.
RESERVED = frozenset({"all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"})
#: What the format takes, in bytes.
LONGEST_LABEL, LONGEST_VALUE_LABEL, LONGEST_TITLE = 255, 120, 64


class _Variables:
    """Columns with what SPSS is to know of them. Whole numbers stay in one byte each: the writer goes over them row by row."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.columns: dict[str, Any] = {}
        self.labels: dict[str, str | None] = {}
        self.values: dict[str, dict[float | int, str]] = {}
        self.missing: dict[str, list[Any]] = {}
        self.measure: dict[str, str] = {}
        self.formats: dict[str, str] = {}

    def add(
        self,
        code: str,
        column: Any,
        label: str,
        measure: str,
        spss_format: str,
        values: dict[int, str] | None = None,
        missing: tuple[int, ...] = (),
    ) -> None:
        name = self.names[code]
        self.columns[name], self.labels[name] = column, _cut(_in_a_line(label), LONGEST_LABEL)
        self.measure[name], self.formats[name] = measure, spss_format
        if values:
            self.values[name] = {value: _cut(_in_a_line(text), LONGEST_VALUE_LABEL) for value, text in values.items()}
        if missing:
            self.missing[name] = list(missing)


def write_sav(rows: ReleasedRows, language: str, title: str, out: IO[bytes]) -> None:
    """Write the file. "Cannot judge" is 98 and no answer 99, both declared missing; reverse-keyed items stay as answered.

    All labels are in ``language``, also those that the program gives.
    """
    import pandas as pd
    import pyreadstat

    with override(language):
        variables = _variables(rows, language)
    with tempfile.TemporaryFile() as file:  # without a name on the disk: who is killed leaves no answers behind
        pyreadstat.write_sav(
            pd.DataFrame(variables.columns),
            f"/dev/fd/{file.fileno()}",
            file_label=_cut(_in_a_line(title), LONGEST_TITLE),
            column_labels=variables.labels,
            variable_value_labels=variables.values,
            missing_ranges=variables.missing,
            variable_measure=variables.measure,
            variable_format=variables.formats,
            note=[f"{code} = {name}" for code, name in variables.names.items() if code != name],
            row_compress=True,  # every program that reads .sav knows it; the denser kind belongs in a .zsav
        )
        file.seek(0)
        shutil.copyfileobj(file, out)


def set_aside_codes() -> dict[str, int]:
    """What stands for which value of ``set_aside``."""
    return {
        value: NO_ANSWER if value == NOT_ANALYSED else n
        for n, value in enumerate(set_aside_values(settings.SOURCE_LANGUAGE))
    }


def variable_names(codes: Sequence[str]) -> dict[str, str]:
    """A name that SPSS takes for each code: its own, or with underscores behind it until no other has it.

    SPSS takes ``By`` and ``by`` for one name; what a code became stands in the file's notes.
    """
    names = {code: code for code in codes if code.lower() not in RESERVED}
    taken = {name.lower() for name in names.values()}
    for code in codes:
        if code not in names:
            name = f"{code}_"
            while name.lower() in taken:
                name += "_"
            names[code] = name
            taken.add(name.lower())
    return {code: names[code] for code in codes}


def _variables(rows: ReleasedRows, language: str) -> _Variables:
    import numpy as np

    background = rows.definition.asked_background(list(rows.background))
    own = [item.code for item in rows.definition.items] + [question.code for question in background]
    variables = _Variables(variable_names([TEAM, SET_ASIDE, *own]))
    if rows.team is not None:
        variables.add(TEAM, rows.team, label_of(TEAM, language), "nominal", "A8")
    words = set_aside_values(language)
    numbers = set_aside_codes()
    variables.add(
        SET_ASIDE,
        _numbered(rows.set_aside, numbers, NO_ANSWER),
        label_of(SET_ASIDE, language),
        "nominal",
        "F2.0",
        {numbers[value]: text for value, text in words.items()},
        (NO_ANSWER,),
    )
    gaps = {NO_ANSWER: _("no answer")}
    if rows.definition.cannot_judge:
        gaps = {CANNOT_JUDGE: in_language(rows.definition.cannot_judge, language)} | gaps
    options = {value: in_language(text, language) for value, text in rows.definition.options}
    # from JUDGED_NOT upwards: "cannot judge", no answer, 1, 2, …
    codes = np.array([CANNOT_JUDGE, NO_ANSWER, *range(1, rows.definition.n_points + 1)], dtype=np.int8)
    for number, item in enumerate(rows.definition.items):
        column = codes[rows.codes[:, number] - JUDGED_NOT]
        label = in_language(item.text, language)
        if item.reverse_keyed:
            note = " (" + _("reverse-keyed, as answered") + ")"
            label = _cut(label, LONGEST_LABEL - len(note.encode())) + note
        variables.add(item.code, column, label, "ordinal", "F2.0", options | gaps, tuple(gaps))
    for question in background:
        _add_background(variables, question, rows.given[question.code], language)
    return variables


def _add_background(variables: _Variables, question: Question, given: Texts, language: str) -> None:
    import pandas as pd

    label = in_language(question.text, language)
    if question.type == NUMBER:  # any code for "no answer" could be an answer: the system's own missing value
        column = pd.to_numeric(pd.Series(given), errors="coerce").to_numpy(dtype=float)
        variables.add(question.code, column, label, "scale", "F10.2" if question.decimals else "F8.0")
        return
    numbers = {choice.code: number for number, choice in enumerate(question.choices, start=1)}
    unanswered = NO_ANSWER if len(numbers) < CANNOT_JUDGE else MANY_NO_ANSWER
    texts = {numbers[choice.code]: in_language(choice.text, language) for choice in question.choices}
    variables.add(
        question.code,
        _numbered(given, numbers, unanswered),
        label,
        "nominal",
        "F4.0" if unanswered > NO_ANSWER else "F2.0",
        texts | {unanswered: _("no answer")},
        (unanswered,),
    )


def _numbered(values: Texts, numbers: dict[str, int], otherwise: int) -> npt.NDArray[np.int16]:
    import numpy as np

    return np.fromiter((numbers.get(value, otherwise) for value in values), dtype=np.int16, count=len(values))


def _in_a_line(text: str) -> str:
    return " ".join(without_controls(text).split())


def _cut(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` bytes of UTF-8, no character cut in half."""
    return text.encode()[:longest].decode(errors="ignore")
