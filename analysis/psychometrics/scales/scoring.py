"""Scale scores: reverse-keying, the minimum number of answered items, and the mean of the answered ones.

The rule (Newman 2014, "construct-level missingness"): a respondent's score on a scale is the mean of the items he or she
answered, provided at least ``ceil(2/3 · items)`` of them were; otherwise the score is missing. A mean, unlike a sum, keeps
the unit of the response scale, so scales of different length can be read side by side.

Newman, D. A. (2014). Missing data: Five practical guidelines. Organizational Research Methods, 17(4), 372-411.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from .minimum import default_minimum_answered

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Respondents worked on at once where a step needs tables as large as the answers.
ROWS_AT_ONCE = 16_384


def reverse_key(
    items: pd.DataFrame, reverse_keyed: Iterable[str], *, lowest: float = 1, highest: float = 4
) -> pd.DataFrame:
    """Recode reverse-keyed items to ``lowest + highest - answer``; applying it twice gives the answers back.

    ``items`` holds one row per respondent and one column per item, missing answers as NaN. The other columns are returned
    as they are, and the frame given is not changed. Raises ``KeyError`` for an item that is not a column and
    ``ValueError`` for an answer outside ``lowest`` to ``highest``.
    """
    names = list(dict.fromkeys(reverse_keyed))
    unknown = [name for name in names if name not in items.columns]
    if unknown:
        raise KeyError(f"Reverse-keyed items that are not in the data: {', '.join(unknown)}.")
    if not names:
        return items.copy()
    answers = items[names].to_numpy(dtype=np.float64)
    outside = (answers < lowest) | (answers > highest)
    if outside.any():
        first = names[int(np.flatnonzero(outside.any(axis=0))[0])]
        raise ValueError(f"Item {first} has answers outside {lowest:g} to {highest:g}.")
    recoded = pd.DataFrame(lowest + highest - answers, columns=names, index=items.index)
    return items.assign(**{name: recoded[name] for name in names})


def score_scale(
    items: pd.DataFrame | FloatArray, *, minimum_answered: int | None = None
) -> tuple[FloatArray, IntArray]:
    """Return one scale's scores and numbers of answered items, each of shape (respondents,).

    ``items`` (respondents × items of the scale, already reverse-keyed) has NaN where there is no answer. The score is in
    the unit of the answers and NaN where fewer than ``minimum_answered`` (default two thirds, rounded up) were answered.
    Raises ``ValueError`` when ``minimum_answered`` is not between 1 and the number of items.
    """
    n_items = answer_matrix(items[:0]).shape[1]
    minimum = default_minimum_answered(n_items) if minimum_answered is None else minimum_answered
    if not 1 <= minimum <= n_items:
        raise ValueError(f"The minimum of answered items must be between 1 and {n_items}, not {minimum}.")
    score, n_answered = np.full(len(items), np.nan), np.zeros(len(items), dtype=np.int64)
    for some, x in answer_blocks(items):
        answered = ~np.isnan(x)
        n_answered[some] = answered.sum(axis=1)
        total = np.where(answered, x, 0.0).sum(axis=1)
        np.divide(total, n_answered[some], out=score[some], where=n_answered[some] >= minimum)
    return score, n_answered


def score_scales(
    items: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    minimum_answered: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Return the scores of several scales: one row per respondent (index kept), one column per scale.

    ``scales`` gives the items of each scale; ``minimum_answered`` overrides the default per scale. Raises ``KeyError``
    for an item that is not a column. See :func:`score_scale`.
    """
    columns: dict[str, FloatArray] = {}
    for scale, names in scales.items():
        check_items(items, names, scale)
        minimum = (minimum_answered or {}).get(scale)
        columns[scale], _ = score_scale(items[list(names)], minimum_answered=minimum)
    return pd.DataFrame(columns, index=items.index)


def check_items(items: pd.DataFrame, names: Sequence[str], scale: str = "") -> None:
    """Raise ``KeyError`` with a sentence naming the items of a scale that are not columns of the data."""
    unknown = [name for name in names if name not in items.columns]
    if unknown:
        of_scale = f" of scale {scale}" if scale else ""
        raise KeyError(f"Items{of_scale} that are not in the data: {', '.join(unknown)}.")


def score_vector(scores: pd.Series | FloatArray) -> FloatArray:
    """Return scores as floating point numbers (respondents,), NaN for gaps, from any numeric column type."""
    if isinstance(scores, pd.Series):
        return scores.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(scores, dtype=np.float64)


def answer_matrix(items: pd.DataFrame | FloatArray) -> FloatArray:
    """Return answers as floating point numbers (respondents × items), NaN for gaps, from any numeric column type.

    Raises ``ValueError`` for an array that is not a table.
    """
    if isinstance(items, pd.DataFrame):
        return items.to_numpy(dtype=np.float64, na_value=np.nan)
    answers = np.asarray(items, dtype=np.float64)
    if answers.ndim != 2:
        raise ValueError("Items must be a table of respondents by items.")
    return answers


def answer_blocks(items: pd.DataFrame | FloatArray) -> Iterator[tuple[slice, FloatArray]]:
    """The answers as :func:`answer_matrix` gives them, some rows at a time with the slice where they stand.

    What is kept as small numbers (a million respondents' answers as ``float32``) thus never stands in memory as large ones.
    """
    for start in range(0, len(items), ROWS_AT_ONCE):
        some = slice(start, min(start + ROWS_AT_ONCE, len(items)))
        yield some, answer_matrix(items.iloc[some] if isinstance(items, pd.DataFrame) else items[some])
