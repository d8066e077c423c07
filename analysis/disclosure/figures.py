"""What is shown of those who may be shown (rules 6 and 7)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from analysis.disclosure.groups import MIN_OTHER_UNITS, Reason, Withheld
from analysis.disclosure.rounding import MOST_KNOWN, decimal, mean_of, outward, round_half_up
from analysis.disclosure.scores import scale_score
from analysis.disclosure.shown import (
    Agreement,
    Capped,
    ItemDistribution,
    ItemMean,
    MeanShown,
    NearlyAll,
    ShownItem,
    ShownScale,
)
from analysis.disclosure.student import quantile

#: From so many units on a mean can be said of teams like these.
LIKE_THESE = 10
#: A mean over units is only "about" where caps hide more of it than this.
MOST_HIDDEN = 0.05
TEAM_DECIMALS = 1
AGGREGATE_DECIMALS = 2
# Mean absolute deviation up to which people "largely agree", and beyond which they differ widely, per answer category:
# a sixth (Burke and Dunlap 2002); .45 on four categories is our convention.
AD_AGREE, AD_DIFFER = Fraction(45, 400), Fraction(1, 6)
# The spread behind intervals, on 4 points: a convention below SPREAD_DF degrees of freedom, within teams it is about .5.
SPREAD_STEP, SPREAD_DF, CAUTIOUS_SD, MOST_SD = 0.05, 40, 0.75, 1.0


@dataclass(frozen=True)
class ScaleFigures:
    """The exact figures of one scale in one group, as a run stored them. Never leaves analysis/."""

    n: int
    mean: float | None
    sd: float | None = None


@dataclass(frozen=True)
class Spread:
    """The SD of scale scores within units as intervals use it: measured over all units, or a cautious convention."""

    sd: float
    df: int
    measured: bool = True


@dataclass(frozen=True)
class ItemFigures:
    """Answers per category of one item in one group, lowest category first."""

    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def total(self) -> int:
        return sum(value * count for value, count in enumerate(self.counts, start=1))

    @property
    def mean(self) -> float:
        return self.total / self.n


@lru_cache(maxsize=MOST_KNOWN)  # in a large study many teams answered a question alike
def show_item(figures: ItemFigures, k: int) -> ShownItem:
    """A unit's item: its mean from k answers, its distribution from 2k; neither when it tells what the others answered.

    Below 2k a mean tells the sum of the answers. Someone who answered at one end knows the sum of the rest; near the
    other end that tells each answer. So a mean is capped where one answer at the other end (n_points − 1) and a
    distance of half a scale point per person in a group of k − 2 would be all that keeps it from the end.
    """
    n, n_points = figures.n, len(figures.counts)
    if n < k:
        return Withheld(Reason.TOO_FEW)
    if n >= 2 * k:
        largest = max(figures.counts)
        if largest >= n - 2:
            return NearlyAll(category=figures.counts.index(largest) + 1)
        percentages = tuple(int(round_half_up(100 * count / n, 0)) for count in figures.counts)
        return ItemDistribution(round_half_up(figures.mean, TEAM_DECIMALS), percentages)
    margin = n_points - 1 - (-(n_points - 1) * (k - 2) // 6)
    if 2 * margin >= (n_points - 1) * n:
        return Withheld(Reason.TOO_FEW)
    if n_points * n - figures.total <= margin:
        return Capped((10 * (n_points * n - margin) // n) / 10, upper=True)
    if figures.total - n <= margin:
        return Capped(-(-10 * (n + margin) // n) / 10, upper=False)
    return ItemMean(round_half_up(figures.mean, TEAM_DECIMALS))


def turned(item: ShownItem, n_points: int) -> ShownItem:
    """A reverse-keyed item's mean or cap in the direction of its scale."""
    match item:
        case ItemMean(mean):
            return ItemMean(float(n_points + 1 - decimal(mean)))
        case ItemDistribution(mean, percentages):
            return ItemDistribution(float(n_points + 1 - decimal(mean)), percentages[::-1])
        case NearlyAll(category):
            return NearlyAll(n_points + 1 - category)
        case Capped(bound, upper):
            return Capped(float(n_points + 1 - decimal(bound)), not upper)
    return item


def show_scale(
    n: int, n_scored: int, items: Sequence[tuple[ShownItem, bool]], spread: Spread | None, n_points: int, k: int
) -> ShownScale:
    """A unit's score and interval (rules 6 and 7) from its items as shown, each with whether it is reverse-keyed.

    :param n: the unit's n, on which the interval's width depends, and on the spread over all units; where caps hide the mean
        it holds all that they leave open too
    :param n_scored: how many of them have a score: fewer than ``k``, and nothing is shown
    """
    score = scale_score(items, n, n_points, k)
    if n_scored < k or score is None:
        return Withheld(Reason.TOO_FEW)
    directed = [turned(item, n_points) if reverse_keyed else item for item, reverse_keyed in items]
    for upper in (True, False):
        bounds = [item.bound for item in directed if isinstance(item, Capped) and item.upper == upper]
        if len(bounds) == len(items):
            return Capped((min if upper else max)(bounds), upper)
    if score.value >= n_points - Fraction(1, n):
        return Capped(math.floor(10 * min(score.low, n_points - Fraction(1, n))) / 10, upper=True)
    if score.value <= 1 + Fraction(1, n):
        return Capped(math.ceil(10 * max(score.high, 1 + Fraction(1, n))) / 10, upper=False)
    mean = round_half_up(float(score.value), TEAM_DECIMALS)
    half = half_width(n, spread, n_points) if spread else None
    if half is None:
        return MeanShown(mean, None, None, score.about)
    low, high = round_half_up(mean - half, TEAM_DECIMALS), round_half_up(mean + half, TEAM_DECIMALS)  # tenths, both
    if score.about:  # never narrower than what caps leave open: the mean itself would lie outside
        low = min(low, math.floor(10 * score.low) / 10)
        high = max(high, math.ceil(10 * score.high) / 10)
    return MeanShown(mean, max(1.0, low), min(float(n_points), high), score.about)


def pooled_spread(shown: Iterable[ScaleFigures], n_points: int) -> Spread | None:
    """The SD within units for the intervals of a scale, from the figures of all units shown; None without any.

    A unit's own SD would tell on a unit that answers alike: SD 0 is everyone's score. Pooled over units it tells next to
    nothing of one, and it is steadier in small ones. It is never taken below the value that a single respondent could
    reach alone, and rounded up. In few units it could still tell: from a spread as large as their items allow, what
    those who left an item empty answered. There it is not measured but a cautious convention.
    """
    known = [(figures.n, figures.sd) for figures in shown if figures.sd is not None]
    df = sum(n - 1 for n, _ in known)
    if df == 0:
        return None
    length = (n_points - 1) / 3
    least = 3 * length * math.sqrt(7 / 6 / df)
    if df < SPREAD_DF or len(known) <= MIN_OTHER_UNITS:
        return Spread(_step_up(max(least, CAUTIOUS_SD * length)), df, measured=False)
    sd = math.sqrt(math.fsum((n - 1) * sd**2 for n, sd in known) / df)
    return Spread(_step_up(max(least, min(sd, MOST_SD * length))), df)


def _step_up(sd: float) -> float:
    return round(math.ceil(sd / SPREAD_STEP - 1e-9) * SPREAD_STEP, 2)


def half_width(n: int, spread: Spread, n_points: int) -> float | None:
    """Half the 95 % interval around a mean of n, rounded up to a tenth; None when it says next to nothing."""
    half = math.ceil(10 * quantile(0.975, spread.df) * spread.sd / math.sqrt(n) - 1e-9) / 10
    return half if half <= (n_points - 1) / 3 else None


def show_aggregate(
    units_shown: Sequence[tuple[int, float]],
    n_points: int,
    spread: Spread | None = None,
    *,
    like_these: bool = False,
    about: bool = False,
) -> ShownScale:
    """The mean over the respondents of several units, from (n, score) of each, with its interval.

    Whether the aggregate may be shown at all is judged before. It is made of the values shown of its units, so it tells
    nothing more about them.

    :param spread: the spread within units; without it there is no interval
    :param like_these: the interval is for teams like these, robust to units: se² = G/(G−1) · Σ_g (n_g (ȳ_g − ȳ))² / N², t(G−1). Else
        the teams are taken as they are: t · s / √N
    :param about: caps of its units hide where it lies
    """
    total = sum(n for n, _ in units_shown)
    if total == 0:
        return Withheld(Reason.NOT_MEASURED)
    mean = sum(n * value for n, value in units_shown) / total
    n_units = len(units_shown)
    shown = round_half_up(mean, AGGREGATE_DECIMALS)
    if spread is None or (like_these and n_units < 2):
        return MeanShown(shown, None, None, about)
    if like_these:
        meat = n_units / (n_units - 1) * sum((n * (value - mean)) ** 2 for n, value in units_shown)
        half = quantile(0.975, n_units - 1) * math.sqrt(meat) / total
    else:
        half = quantile(0.975, spread.df) * spread.sd / math.sqrt(total)
    if half > (n_points - 1) / 3:
        return MeanShown(shown, None, None, about)
    low, high = outward(Fraction(mean - half), Fraction(mean + half), AGGREGATE_DECIMALS)
    return MeanShown(shown, max(1.0, low), min(float(n_points), high), about)


def deviation(item: ShownItem) -> Fraction | None:
    """Mean absolute deviation of the answers to an item, from its distribution as shown; "nearly all" counts as none."""
    match item:
        case ItemDistribution(_, percentages):
            total = sum(percentages)
            weighted = sum(v * share for v, share in enumerate(percentages, start=1))
            # share · |v − weighted / total| / total, in whole numbers
            away = sum(share * abs(v * total - weighted) for v, share in enumerate(percentages, start=1))
            return Fraction(away, total * total)
        case NearlyAll():
            return Fraction(0)
    return None


def show_agreement(n: int, items: Sequence[ShownItem], n_points: int, k: int) -> Agreement | Withheld:
    """Words for how far views lie apart, from n ≥ 2k (rule 6): AD_M of the distributions shown, never the figure."""
    deviations = [known for item in items if (known := deviation(item)) is not None]
    if n < 2 * k or not deviations:
        return Withheld(Reason.TOO_FEW)
    ad = mean_of(deviations) / n_points
    if ad <= AD_AGREE:
        return Agreement.LARGELY_AGREE
    if ad <= AD_DIFFER:
        return Agreement.SOMEWHAT_DIFFERENT
    return Agreement.WIDELY_DIFFERENT
