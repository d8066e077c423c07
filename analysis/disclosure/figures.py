"""What is shown of those who may be shown (rules 6 and 7). Numbers are rounded here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache

from analysis.disclosure.groups import MIN_OTHER_UNITS, Reason, Withheld

#: Room for the digits of any float.
EVERY_DIGIT = Context(prec=400)
#: Figures that are remembered, so that publishing thousands of teams rounds each once.
MOST_KNOWN = 20_000
TEAM_DECIMALS = 1
AGGREGATE_DECIMALS = 2
# Mean absolute deviation up to which people "largely agree" on 4 points; .67 = A/6 (Burke and Dunlap 2002), .45 is our
# convention. Other numbers of points: in proportion to the length of the scale.
AD_AGREE, AD_DIFFER = 0.45, 0.67
# The spread behind intervals, on 4 points: a convention below SPREAD_DF degrees of freedom, within teams it is about .5.
SPREAD_STEP, SPREAD_DF, CAUTIOUS_SD, MOST_SD = 0.05, 40, 0.75, 1.0


@dataclass(frozen=True)
class Capped:
    """A mean so near an end of the scale that it would tell what the others answered: "3.8 or higher"."""

    bound: float
    upper: bool


@dataclass(frozen=True)
class MeanShown:
    """A rounded mean with its rounded 95 % interval (None where none can be given)."""

    mean: float
    low: float | None
    high: float | None


ShownScale = MeanShown | Capped | Withheld


@dataclass(frozen=True)
class NearlyAll:
    """All but two at most gave this answer; exact counts would tell on the few."""

    category: int


@dataclass(frozen=True)
class ItemMean:
    mean: float


@dataclass(frozen=True)
class ItemDistribution:
    """Rounded mean and whole percentages per category, lowest category first."""

    mean: float
    percentages: tuple[int, ...]


ShownItem = ItemMean | ItemDistribution | NearlyAll | Capped | Withheld


class Agreement(StrEnum):
    LARGELY_AGREE = "largely_agree"
    SOMEWHAT_DIFFERENT = "somewhat_different"
    WIDELY_DIFFERENT = "widely_different"


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


@lru_cache(maxsize=MOST_KNOWN)
def _decimal(shown: float) -> Fraction:
    """A rounded figure as what stands on the page: sums of floats would round now up and now down."""
    return Fraction(repr(shown))


def turned(item: ShownItem, n_points: int) -> ShownItem:
    """A reverse-keyed item's mean or cap in the direction of its scale."""
    match item:
        case ItemMean(mean):
            return ItemMean(float(n_points + 1 - _decimal(mean)))
        case ItemDistribution(mean, percentages):
            return ItemDistribution(float(n_points + 1 - _decimal(mean)), percentages[::-1])
        case NearlyAll(category):
            return NearlyAll(n_points + 1 - category)
        case Capped(bound, upper):
            return Capped(float(n_points + 1 - _decimal(bound)), not upper)
    return item


def scale_value(items: Sequence[ShownItem], n_points: int) -> float | None:
    """The scale mean that follows from the items shown (turned to the scale's direction), not rounded.

    It tells nothing that does not stand on the page. An exact mean beside the items would: what is left after
    subtracting them belongs to the few who left an item empty, or to a capped item. "Nearly all" counts as its
    category, "b or higher" as a third of the way from b to the end. None when no item is shown.
    """
    values: list[Fraction] = []
    for item in items:
        match item:
            case ItemMean(mean) | ItemDistribution(mean, _):
                values.append(_decimal(mean))
            case NearlyAll(category):
                values.append(Fraction(category))
            case Capped(bound, upper):
                values.append((2 * _decimal(bound) + (n_points if upper else 1)) / 3)
    return float(sum(values) / len(values)) if values else None


def show_scale(n: int, items: Sequence[ShownItem], spread: Spread | None, n_points: int, k: int) -> ShownScale:
    """A unit's scale mean and interval (rules 6 and 7) from its items, turned to the scale's direction.

    ``n``: respondents with a score. The interval's width depends on n and on the spread over all units.
    """
    value = scale_value(items, n_points)
    if n < k or value is None:
        return Withheld(Reason.TOO_FEW)
    caps = [item for item in items if isinstance(item, Capped)]
    for upper in (True, False):
        if len(caps) == len(items) and all(cap.upper == upper for cap in caps):
            return Capped((min if upper else max)(cap.bound for cap in caps), upper)
    if value >= n_points - 1 / n:
        return Capped(math.floor((n_points - 1 / n) * 10) / 10, upper=True)
    if value <= 1 + 1 / n:
        return Capped(math.ceil((1 + 1 / n) * 10) / 10, upper=False)
    mean = round_half_up(value, TEAM_DECIMALS)
    half = half_width(n, spread, n_points) if spread else None
    if half is None:
        return MeanShown(mean, None, None)
    low, high = round_half_up(mean - half, TEAM_DECIMALS), round_half_up(mean + half, TEAM_DECIMALS)
    return MeanShown(mean, max(1.0, low), min(float(n_points), high))


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


@cache
def _t(df: int) -> float:
    from scipy.special import stdtrit  # of scipy.stats it is the same function, with 80 MB around it

    return float(stdtrit(df, 0.975))


def half_width(n: int, spread: Spread, n_points: int) -> float | None:
    """Half the 95 % interval around a mean of n, rounded up to a tenth; None when it says next to nothing."""
    half = math.ceil(10 * _t(spread.df) * spread.sd / math.sqrt(n) - 1e-9) / 10
    return half if half <= (n_points - 1) / 3 else None


def show_aggregate(units_shown: Sequence[tuple[int, float]], n_points: int) -> ShownScale:
    """The mean over the respondents of several units, from (n, scale value) of each, with the interval robust to units.

    se² = G/(G−1) · Σ_g (n_g (ȳ_g − ȳ))² / N², t(G−1). Whether the aggregate may be shown at all is judged before. It is
    made of the values shown of its units, so it tells nothing more about them. Of few units the interval says next to
    nothing and is left out.
    """
    total = sum(n for n, _ in units_shown)
    if total == 0:
        return Withheld(Reason.NOT_MEASURED)
    mean = sum(n * value for n, value in units_shown) / total
    n_units = len(units_shown)
    shown = round_half_up(mean, AGGREGATE_DECIMALS)
    if n_units < 2:
        return MeanShown(shown, None, None)
    meat = n_units / (n_units - 1) * sum((n * (value - mean)) ** 2 for n, value in units_shown)
    half = _t(n_units - 1) * math.sqrt(meat) / total
    if half > (n_points - 1) / 3:
        return MeanShown(shown, None, None)
    low, high = (round_half_up(end, AGGREGATE_DECIMALS) for end in (mean - half, mean + half))
    return MeanShown(shown, max(1.0, low), min(float(n_points), high))


def item_value(item: ShownItem, n_points: int) -> float | None:
    """One item's value as aggregates take it; None where it is not shown."""
    return scale_value([item], n_points)


def deviation(item: ShownItem) -> Fraction | None:
    """Mean absolute deviation of the answers to an item, from its distribution as shown; "nearly all" counts as none."""
    match item:
        case ItemDistribution(_, percentages):
            total = sum(percentages)
            mean = Fraction(sum(v * share for v, share in enumerate(percentages, start=1)), total)
            return sum(share * abs(v - mean) for v, share in enumerate(percentages, start=1)) / Fraction(total)
        case NearlyAll():
            return Fraction(0)
    return None


def show_agreement(n: int, items: Sequence[ShownItem], n_points: int, k: int) -> Agreement | Withheld:
    """Words for how far views lie apart, from n ≥ 2k (rule 6): AD_M of the distributions shown, never the figure."""
    deviations = [known for item in items if (known := deviation(item)) is not None]
    if n < 2 * k or not deviations:
        return Withheld(Reason.TOO_FEW)
    # in lengths of the 4-point scale that the bounds belong to
    ad = float(sum(deviations) / len(deviations) * 3 / (n_points - 1))
    if ad <= AD_AGREE:
        return Agreement.LARGELY_AGREE
    if ad <= AD_DIFFER:
        return Agreement.SOMEWHAT_DIFFERENT
    return Agreement.WIDELY_DIFFERENT
