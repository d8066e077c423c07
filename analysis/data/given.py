"""What was answered to each item, as codes: from the text that PostgreSQL makes of a row, or from the whole row.

A row as JSON is mostly names of items, the same in every row. PostgreSQL, which has the row taken apart already, gives the answers
alone in a fixed order; that is a tenth of the text, and is read without an object per answer. SQLite would take longer over
this than Python does over the row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Expression, Func, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from surveys.models import Response

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Codes = npt.NDArray[np.int8]

#: What stands where no answer of the scale was given.
NO_ANSWER, JUDGED_NOT = 0, -1
#: In the tables below: no answer of this questionnaire.
_UNKNOWN = 127


def answers_as_text(items: Sequence[str]) -> Expression:
    """The expression by which the database gives a row's answers to ``items``; :func:`codes_of` reads it."""
    if connection.vendor == "postgresql":
        given = [Coalesce(KeyTextTransform(item, "answers"), Value("")) for item in items]
        return Func(*given, template="(%(expressions)s)", arg_joiner=" || ',' || ", output_field=TextField())
    return Cast("answers", TextField())


def codes_of(texts: Sequence[str], items: Sequence[str], n_points: int) -> Codes:
    """The codes (rows × items) of what :func:`answers_as_text` gave. Raises ``KeyError`` for what is no answer."""
    read = _of_lists if connection.vendor == "postgresql" else _of_rows
    return read(texts, items, n_points).reshape(len(texts), len(items))


def _of_rows(texts: Sequence[str], items: Sequence[str], n_points: int) -> Codes:
    import numpy as np

    code_of: dict[Any, int] = {None: NO_ANSWER, Response.CANNOT_JUDGE: JUDGED_NOT}
    code_of |= {point: point for point in range(1, n_points + 1)}
    # as one text: the names of the items, the same in every row, are then made once per block and not once per row
    rows = json.loads(f"[{','.join(texts)}]")
    given = chain.from_iterable(map(row.get, items) for row in rows)
    return np.fromiter(map(code_of.__getitem__, given), dtype=np.int8, count=len(texts) * len(items))


def _of_lists(texts: Sequence[str], items: Sequence[str], n_points: int) -> Codes:
    import numpy as np

    # by the one sign of an answer, or the last of two: points go up to 11
    short, long = np.full(256, _UNKNOWN, dtype=np.int8), np.full(256, _UNKNOWN, dtype=np.int8)
    short[ord(Response.CANNOT_JUDGE)] = JUDGED_NOT
    for point in range(1, n_points + 1):
        (short if point < 10 else long)[ord(str(point)[-1])] = point
    signs = np.frombuffer("".join(f"{text}," for text in texts).encode(), dtype=np.uint8)
    ends = np.flatnonzero(signs == ord(","))
    length = np.diff(ends, prepend=-1) - 1
    codes = np.where(length == 1, short[signs[ends - 1]], NO_ANSWER).astype(np.int8)
    if (length > 1).any():
        tens = (length == 2) & (signs[ends - 2] == ord("1"))
        codes[length > 1] = np.where(tens, long[signs[ends - 1]], _UNKNOWN)[length > 1]
    if len(ends) != len(texts) * len(items) or (codes == _UNKNOWN).any():
        wrong = {answer for text in texts for answer in text.split(",")} - {"", Response.CANNOT_JUDGE}
        raise KeyError(sorted(wrong - {str(point) for point in range(1, n_points + 1)}))
    return codes
