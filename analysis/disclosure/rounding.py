"""Numbers of readers are rounded here, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

#: Room for the digits of any float.
EVERY_DIGIT = Context(prec=400)
#: Figures that are remembered, so that publishing thousands of teams rounds each once.
MOST_KNOWN = 20_000


@lru_cache(maxsize=MOST_KNOWN)
def round_half_up(value: float, decimals: int) -> float:
    """Rounded as people round (2.25 → 2.3). The float's shortest decimal form is taken for what was meant.

    Any float has a rounded value, also one of three hundred digits; what is no number stays none.
    """
    if not math.isfinite(value):
        return value
    places = Decimal(1).scaleb(-decimals)
    rounded = Decimal(repr(value)).quantize(places, rounding=ROUND_HALF_UP, context=EVERY_DIGIT)
    return float(rounded) + 0.0  # −0.004 becomes 0.00, never −0.00


@lru_cache(maxsize=MOST_KNOWN)
def decimal(shown: float) -> Fraction:
    """A rounded figure as what stands on the page: sums of floats would round now up and now down."""
    return Fraction(repr(shown))


def mean_of(values: Sequence[Fraction]) -> Fraction:
    """Their exact mean. Over one denominator: a sum of fractions reduces after each of them, which publishing thousands
    of teams would do half a million times."""
    common = math.lcm(*(value.denominator for value in values))
    return Fraction(sum(value.numerator * (common // value.denominator) for value in values), common * len(values))


def outward(low: Fraction, high: Fraction, decimals: int) -> tuple[float, float]:
    """The ends of a range rounded away from its middle, so that what is printed holds what is meant."""
    step = 10**decimals
    return math.floor(low * step) / step, math.ceil(high * step) / step
