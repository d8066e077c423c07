"""What is said of the difference between two scores: by how much, between what and what, and whether it is clear.

Everything here is a function of what is shown (scores as they follow from the items shown, the units' n, the stored spreads),
so a difference tells nothing that its two scores do not. A verdict is said only if it holds for every exact score that
goes with what is shown; formulas and error rates: docs/methods.md.

- Two waves of one unit: half = t(ν) · √(s₁²/n₁ + s₂²/n₂), ν by Satterthwaite. Who answered both times is taken as two
  people, so the interval is wider than need be.
- A unit beside all units: half = t(df) · s · √(1/n − 1/N), for the mean of all N holds the unit itself.
- Units together (an academy): its teams are taken as they are, so that s is the spread within teams here too.
- Two subjects of one unit: half = t(df) · √((s₁² + s₂²)/n), as if other people had answered each: too wide rather than too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from analysis.disclosure.figures import TEAM_DECIMALS, Spread
from analysis.disclosure.rounding import decimal, outward, round_half_up
from analysis.disclosure.scores import Score
from analysis.disclosure.shown import Capped, MeanShown, ShownScale
from analysis.disclosure.student import quantile

LEVEL, LEVEL_OF_EQUAL = 0.975, 0.95  # of an interval, and of each of the two tests that "about equal" rests on


class Verdict(StrEnum):
    """What may be said of a difference."""

    HIGHER = "clearly_higher"
    LOWER = "clearly_lower"
    SLIGHTLY_HIGHER = "small_but_clearly_higher"
    SLIGHTLY_LOWER = "small_but_clearly_lower"
    CHANCE = "may_be_chance"
    EQUAL = "about_equal"

    @property
    def clear(self) -> bool:
        """Whether the difference is no chance."""
        return self not in (Verdict.CHANCE, Verdict.EQUAL)

    @property
    def up(self) -> bool:
        """Whether it is clearly upwards, by much or little."""
        return self in (Verdict.HIGHER, Verdict.SLIGHTLY_HIGHER)

    @property
    def down(self) -> bool:
        """Whether it is clearly downwards, by much or little."""
        return self in (Verdict.LOWER, Verdict.SLIGHTLY_LOWER)


@dataclass(frozen=True)
class Difference:
    """A difference as readers get it: rounded, its 95 % interval rounded outward. Without figures where a score is capped."""

    verdict: Verdict
    by: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Side:
    """One of two scores: what is shown of it, what it can be, of how many people, and how far these lie apart."""

    shown: ShownScale
    score: Score
    n: int
    spread: Spread

    @property
    def error(self) -> float:
        """The variance of its mean."""
        return self.spread.sd**2 / self.n

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        """The least and the most that the exact score can be."""
        if isinstance(self.shown, Capped):
            bound = decimal(self.shown.bound)
            return (bound, max(bound, self.score.high)) if self.shown.upper else (min(bound, self.score.low), bound)
        return self.score.low, self.score.high


def side_of_units(shown: MeanShown, n: int, hidden: float, spread: Spread) -> Side:
    """A mean over units as one of the two.

    :param hidden: how far from what is printed the exact mean is likely to be
    """
    mean, hidden_of_mean = decimal(shown.mean), Fraction(repr(hidden))
    return Side(shown, Score(mean, mean - hidden_of_mean, mean + hidden_of_mean, shown.about), n, spread)


def since(now: Side, then: Side, n_points: int, decimals: int = TEAM_DECIMALS) -> Difference:
    """A score beside the score of the same unit, or units, in the wave before."""
    a, b = now.error, then.error
    df = (a + b) ** 2 / (a**2 / now.spread.df + b**2 / then.spread.df)
    return _difference(now, then, math.sqrt(a + b), df, n_points, decimals)


def beside_all(own: Side, everybody: Side, n_points: int, decimals: int = TEAM_DECIMALS) -> Difference:
    """A score beside the mean of all units, or of its sector, that its unit is itself a part of."""
    error = own.spread.sd * math.sqrt(max(1 / own.n - 1 / everybody.n, 0.0))
    return _difference(own, everybody, error, own.spread.df, n_points, decimals)


def beside_point(own: Side, point: Fraction, n_points: int) -> Verdict:
    """A score beside a fixed point, as the middle of the scale."""
    low, high = own.range
    return _verdict(low - point, high - point, math.sqrt(own.error), own.spread.df, n_points)


def clearly_above(side: Side, other: Side) -> bool:
    """Whether one subject's score is clearly higher than another's of the same unit."""
    half = quantile(LEVEL, min(side.spread.df, other.spread.df)) * math.sqrt(side.error + other.error)
    return side.range[0] - other.range[1] > half


def clear_extremes(sides: Sequence[Side | None]) -> list[tuple[bool, bool]]:
    """Of each subject of one unit, whether its score is clearly the highest of all, and whether clearly the lowest.

    None is where one of them is not shown: it may be higher or lower than all.
    """
    known = [side for side in sides if side is not None]
    if len(known) < max(len(sides), 2):
        return [(False, False)] * len(sides)
    made = []
    for place, side in enumerate(known):
        others = [other for nth, other in enumerate(known) if nth != place]
        made.append(
            (
                all(clearly_above(side, other) for other in others),
                all(clearly_above(other, side) for other in others),
            )
        )
    return made


def delta(n_points: int) -> Fraction:
    """Differences up to this are small."""
    return Fraction(n_points - 1, 12)


def _difference(own: Side, other: Side, error: float, df: float, n_points: int, decimals: int) -> Difference:
    """
    :param error: the standard error of the difference
    """
    low, high = own.range[0] - other.range[1], own.range[1] - other.range[0]
    verdict = _verdict(low, high, error, df, n_points)
    if not isinstance(own.shown, MeanShown) or not isinstance(other.shown, MeanShown):
        return Difference(verdict)
    # as the two stand on the page; none where it may as well be the other way round
    by = round_half_up(float(decimal(own.shown.mean) - decimal(other.shown.mean)), decimals)
    by = 0.0 if low <= 0 <= high else by
    half, most = Fraction(quantile(LEVEL, df) * error), Fraction(n_points - 1)
    return Difference(verdict, by, *outward(max(low - half, -most), min(high + half, most), decimals))


def _verdict(low: Fraction, high: Fraction, error: float, df: float, n_points: int) -> Verdict:
    """
    :param low: the least that the exact difference can be
    :param high: the most
    """
    half, small = Fraction(quantile(LEVEL, df) * error), delta(n_points)
    if low - half > 0:
        return Verdict.SLIGHTLY_HIGHER if high + half <= small else Verdict.HIGHER
    if high + half < 0:
        return Verdict.SLIGHTLY_LOWER if low - half >= -small else Verdict.LOWER
    narrow = Fraction(quantile(LEVEL_OF_EQUAL, df) * error)
    return Verdict.EQUAL if low - narrow >= -small and high + narrow <= small else Verdict.CHANCE


class Reached(StrEnum):
    """Whether a team's own target is reached."""

    YES = "reached"
    NO = "not_reached"
    ABOUT = "about"


def reached(own: Side, target: float, decimals: int = TEAM_DECIMALS) -> Reached:
    """Reached where every exact score that goes with what is shown, rounded to one decimal, is at or above the target."""
    low, high = (decimal(round_half_up(float(end), decimals)) for end in own.range)
    at = decimal(target)
    if low >= at:
        return Reached.YES
    return Reached.NO if high < at else Reached.ABOUT
