"""Bands of a number: under 30, 30–39, 40 or more. Given by the lowest number of every band but the first.

Words and codes of a band depend on the limits only, never on the answers, so they tell nothing about who answered.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import count, pairwise

from django.utils.translation import gettext as _
from django.utils.translation import override

from surveys.questionnaires.definition import Choice, Question

Limits = tuple[float, ...]
#: The most bands that are offered where a researcher names none.
MOST_BANDS = 12
#: Widths of bands as people like them, times a power of a hundred.
WIDTHS = (1, 2, 5, 10, 20, 25, 50)


class LimitsRefused(Exception):
    """Limits that make no bands, in a sentence for the researcher."""


def read_limits(text: str, question: Question) -> Limits:
    """The limits that a researcher wrote, such as "30, 40, 50"; none for an empty text.

    Raises :class:`LimitsRefused` for what is no number, not rising, or beyond what the question allows.
    """
    parts = [part for part in re.split(r"[,;\s]+", text.strip()) if part]
    try:
        limits = tuple(float(part) for part in parts)
    except ValueError as error:
        raise LimitsRefused(_("Write numbers with commas between them, for instance 30, 40, 50.")) from error
    if any(low >= high for low, high in pairwise(limits)):
        raise LimitsRefused(_("The numbers must increase, and each may appear only once."))
    if not all(question.minimum < limit <= question.maximum for limit in limits):
        raise LimitsRefused(
            _("The numbers must lie above %(low)s and not above %(high)s: these are the answers that can be given.")
            % {"low": question.minimum, "high": question.maximum}
        )
    if not question.decimals and any(limit != int(limit) for limit in limits):
        raise LimitsRefused(_("The question is answered in whole numbers: give whole numbers."))
    return limits


def written(limits: Sequence[float]) -> str:
    """The limits as :func:`read_limits` reads them."""
    return ", ".join(map(plain, limits))


def codes(limits: Sequence[float]) -> list[str]:
    """The bands' codes as files hold them, lowest first; ``from_30_under_40`` holds 30 and not 40."""
    ends = [plain(limit) for limit in limits]
    between = [f"from_{low}_under_{high}" for low, high in pairwise(ends)]
    return [f"under_{ends[0]}", *between, f"from_{ends[-1]}"]


def code_of_value(value: object, limits: Sequence[float]) -> str:
    """The code of the band that a number is in; "" for what is no number."""
    return codes(limits)[bisect_right(limits, value)] if isinstance(value, int | float) else ""


def words(limits: Sequence[float], *, decimals: bool) -> list[str]:
    """The bands in the reader's language, lowest first. Whole numbers have both ends: 30–39."""
    between = [
        f"{plain(low)}–{plain(high - 1)}"
        if not decimals and high - low > 1
        else plain(low)
        if not decimals
        else _("%(low)s to under %(high)s") % {"low": plain(low), "high": plain(high)}
        for low, high in pairwise(limits)
    ]
    return [
        _("under %(n)s") % {"n": plain(limits[0])},
        *between,
        _("%(n)s or more") % {"n": plain(limits[-1])},
    ]


def choices(question: Question, limits: Sequence[float]) -> tuple[Choice, ...]:
    """The bands as the answers of a question, in the languages in which it is asked."""
    texts: dict[str, list[str]] = {}
    for language in question.text:
        with override(language):
            texts[language] = words(limits, decimals=question.decimals)
    return tuple(
        Choice(code, {language: said[place] for language, said in texts.items()})
        for place, code in enumerate(codes(limits))
    )


def offered(question: Question) -> Limits:
    """Limits of round bands over all answers that the question allows, as narrow as :data:`MOST_BANDS` lets them be."""
    lowest, highest = question.minimum, question.maximum
    for step in (width * 100**power for power in count() for width in WIDTHS):
        first = (lowest // step + 1) * step
        limits = tuple(float(limit) for limit in range(first, highest + 1, step))
        if len(limits) < MOST_BANDS:
            break
    return limits


def plain(number: float) -> str:
    """A limit without needless decimals: 30, 0.5."""
    return f"{number:.12g}"
