"""What may be shown, to readers and (at the end) to researchers: the only judge, for page, PDF, API and mail.

Pure functions over plain figures; the rules and what they protect stand in docs/data-protection.md. A figure that may not
be shown has no field: its place is taken by `Withheld`, whose reason depends on group sizes and membership only, never on
answers. Numbers are rounded here and nowhere else. One module although it is long: whoever wants to know what may be shown
reads one file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache

from scipy import stats

TEAM_DECIMALS = 1
AGGREGATE_DECIMALS = 2
MIN_OTHER_UNITS = 3
# Mean absolute deviation up to which people "largely agree" on 4 points; .67 = A/6 (Burke and Dunlap 2002), .45 is our
# convention. Other numbers of points: in proportion to the length of the scale.
AD_AGREE, AD_DIFFER = 0.45, 0.67
# The spread behind intervals, on 4 points: a convention below SPREAD_DF degrees of freedom, within teams it is about .5.
SPREAD_STEP, SPREAD_DF, CAUTIOUS_SD, MOST_SD = 0.05, 40, 0.75, 1.0

Figure = tuple[str, str]  # (unit, scale or item)


class Reason(StrEnum):
    TOO_FEW = "too_few"  # fewer than k behind the figure
    COUNTS_OPEN = "counts_open"  # more came back than were present or got a link: a researcher has to look first
    FEW_TEAMS = "few_teams"  # a comparison needs at least three other units
    ONE_DOMINATES = "one_dominates"  # one unit gives more than half of the respondents
    REMAINDER = "remainder"  # what is left out is a group smaller than k
    NOT_AGREED = "not_agreed"  # the leader did not agree that the director sees this team by itself
    NOT_MEASURED = "not_measured"  # there is no such figure


@dataclass(frozen=True)
class Withheld:
    reason: Reason


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


@dataclass(frozen=True)
class TeamCounts:
    """Counts of one team that decide whether it may stand by itself (rule 1)."""

    analysed: int
    returned: int
    present_and_links: int
    approached: int
    accepted_by_researcher: bool = False  # a recorded decision on counts that do not add up

    @property
    def n(self) -> int:
        """The n compared with k: whoever holds the join code could fill up a team with made-up answers."""
        return min(self.analysed, self.present_and_links, self.approached)

    @property
    def held(self) -> bool:
        return self.returned > self.present_and_links and not self.accepted_by_researcher


@dataclass(frozen=True)
class Group:
    """A team, or a recorded combination of sibling teams: its key and its counts."""

    key: str
    teams: tuple[TeamCounts, ...]

    @property
    def n(self) -> int:
        return sum(team.n for team in self.teams)

    @property
    def analysed(self) -> int:
        return sum(team.analysed for team in self.teams)


def round_half_up(value: float, decimals: int) -> float:
    """Rounded as people round (2.25 → 2.3). The float's shortest decimal form is taken for what was meant."""
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


# ---------------------------------------------------------------------------------------------- who may be shown
def judge_group(group: Group, k: int) -> Withheld | None:
    """Rule 1: None when the group is a unit that may be shown."""
    if any(team.held for team in group.teams):
        return Withheld(Reason.COUNTS_OPEN)
    if group.n < k or group.analysed < k:
        return Withheld(Reason.TOO_FEW)
    return None


def units(groups: Iterable[Group], k: int) -> list[Group]:
    """The groups that count as units; what is in no unit is in no aggregate (rule 2)."""
    return [group for group in groups if judge_group(group, k) is None]


def judge_units(together: Sequence[Group], least: int = MIN_OTHER_UNITS) -> Withheld | None:
    """Rule 3: a mean over units tells on none of them from ``least`` units on, if none gives more than half of it."""
    if len(together) < least:
        return Withheld(Reason.FEW_TEAMS)
    total = sum(group.analysed for group in together)
    if any(2 * group.analysed > total for group in together):
        return Withheld(Reason.ONE_DOMINATES)
    return None


def judge_benchmark(own: str | None, in_benchmark: Sequence[Group]) -> Withheld | None:
    """Rule 3: a comparison is shown to unit ``own`` only with at least 3 other units, none of more than half."""
    return judge_units(in_benchmark, MIN_OTHER_UNITS + any(group.key == own for group in in_benchmark))


def judge_study(in_study: Sequence[Group]) -> Withheld | None:
    """Rule 3 for the report on the whole study: each of its teams reads it, so each needs 3 others."""
    return judge_units(in_study, MIN_OTHER_UNITS + 1)


def sectors_shown(by_sector: Mapping[str, Sequence[Group]]) -> list[str]:
    """Rule 3: the sectors with a mean of their own, so that neither it nor what it leaves of all teams tells on a unit.

    A sector stands by itself, and the mean of all teams beside it: their difference is the mean of the rest. Sectors
    are tried in order of name, so the choice depends on membership only.
    """
    rest = {sector for sector, groups in by_sector.items() if groups}
    shown = []
    for sector in sorted(rest):
        left = [group for other in sorted(rest - {sector}) for group in by_sector[other]]
        if judge_study(by_sector[sector]) is None and (not left or judge_study(left) is None):
            shown.append(sector)
            rest.remove(sector)
    return shown


def judge_academy(in_academy: Sequence[Group], apart: Collection[str] = ()) -> Withheld | None:
    """Rule 3 for a director: the units that are not shown apart (``apart`` are) must be none, or at least 3."""
    if len(in_academy) < 2:
        return Withheld(Reason.FEW_TEAMS)  # one unit is no academy: where its leader agreed, it is shown by itself
    hidden = [group for group in in_academy if group.key not in apart]
    return judge_units(hidden) if hidden else None


def judge_rest(outside: Sequence[Group]) -> Withheld | None:
    """Rule 3: beside a group's mean a larger mean is shown only if what it has more is no unit, or at least 3."""
    return judge_units(outside) if outside else None


def judge_everyone(groups: Sequence[Group], k: int) -> Withheld | None:
    """Rule 2: a figure over all analysed responses is released only if what is in no unit is 0 or at least k."""
    shown = {group.key for group in units(groups, k)}
    left_out = sum(group.analysed for group in groups if group.key not in shown)
    return Withheld(Reason.REMAINDER) if 0 < left_out < k else None


def version_conflicts(
    earlier: Iterable[Mapping[Figure, Collection[str]]], new: Mapping[Figure, Collection[str]], k: int
) -> list[Figure]:
    """Rule 5: the (unit, measure) pairs of a new version that would set fewer than k respondents apart.

    ``earlier`` and ``new`` map (unit, scale or item) to the keys of the respondents behind the number. All units of all
    versions cut the respondents into parts; a part of 1…k−1 people can be worked out by adding and subtracting figures,
    even where any two units differ by k or more (A + B − C leaves the people that A and B share).
    """
    return [figure for figure, parts in _changed(earlier, new, k) if any(len(part) < k for part in parts)]


def version_tells(
    earlier: Iterable[Mapping[Figure, Collection[str]]],
    new: Mapping[Figure, Collection[str]],
    answers: Mapping[str, Mapping[str, float]],
    n_points: int,
    k: int,
) -> list[Figure]:
    """Rule 7 on differences: the pairs of a new version where a part, laid bare by subtracting, answered too much alike.

    Rules 6 and 7 guard what is shown of a unit, not what is left when one version is taken from another. ``answers``
    holds per measure the answer or score of each respondent.
    """
    return [
        figure
        for figure, parts in _changed(earlier, new, k)
        if any(_tells([answers[figure[1]][key] for key in part], n_points, k) for part in parts)
    ]


def _changed(
    earlier: Iterable[Mapping[Figure, Collection[str]]], new: Mapping[Figure, Collection[str]], k: int
) -> Iterator[tuple[Figure, list[frozenset[str]]]]:
    """Each new figure that is not one of before, with the parts into which it and all it overlaps with are cut."""
    before: dict[str, set[frozenset[str]]] = {}
    for version in earlier:
        for (_unit, measure), members in version.items():
            if len(members) >= k:  # of fewer nothing was shown
                before.setdefault(measure, set()).add(frozenset(members))
    now = {figure: frozenset(members) for figure, members in new.items() if len(members) >= k}
    for figure, members in now.items():
        known = before.get(figure[1], set())
        if members in known:
            continue
        figures = known | {others for (_unit, measure), others in now.items() if measure == figure[1]}
        near = [others for others in figures if not others.isdisjoint(members)]
        if near == [members]:
            continue
        parts: dict[tuple[int, ...], set[str]] = {}
        for key in frozenset[str]().union(*near):
            parts.setdefault(tuple(n for n, others in enumerate(figures) if key in others), set()).add(key)
        yield figure, [frozenset(part) for part in parts.values()]


def _tells(values: Sequence[float], n_points: int, k: int) -> bool:
    """Whether a list of answers without names tells an answer, or the mean of fewer than k, to someone on it or not."""
    for insider in (None, *set(values)):
        others = sorted(values)
        if insider is not None:
            others.remove(insider)
        for size in range(1, k - (insider is not None)):
            if sum(others[-size:]) - sum(others[:size]) < size * (n_points - 1) / 6 - 1e-9:
                return True
    return False


# ---------------------------------------------------------------------------------------------- what is shown
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
    return float(stats.t.ppf(0.975, df))


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


def round_share(part: int, whole: int) -> int:
    """A percentage rounded to tens: what a leader sees of the return while the collection is open (rule 8)."""
    return 0 if whole == 0 else min(100, int(round_half_up(10 * part / whole, 0)) * 10)


# ------------------------------------------------------------------------------------------------ researchers (rule 9)
def teams_told(now: Set[int], told: Sequence[Set[int]]) -> frozenset[int] | None:
    """The teams over which background answers may be counted together; None where no count may be shown.

    A table over all teams tells on one team when the next table has one team more. So the teams counted differ from those of
    every table ``told`` before by none or by at least three in each direction; else they stay those of the last table.
    """

    def far_enough(teams: Set[int]) -> bool:
        return all(
            len(part) == 0 or len(part) >= MIN_OTHER_UNITS for one in told for part in (teams - one, one - teams)
        )

    candidates = [frozenset(now), *(frozenset(one) for one in reversed(told) if one <= now)]
    return next((one for one in candidates if len(one) >= MIN_OTHER_UNITS and far_enough(one)), None)


def answers_together(counts: Sequence[int], k: int) -> list[tuple[int, ...]] | None:
    """Neighbouring answers taken together until each group holds nobody or at least k; None where fewer than two are left."""
    groups: list[tuple[int, ...]] = [(place,) for place in range(len(counts))]

    def size(group: Sequence[int]) -> int:
        return sum(counts[place] for place in group)

    while len(groups) > 1 and (small := [place for place, one in enumerate(groups) if 0 < size(one) < k]):
        place = min(small, key=lambda at: size(groups[at]))
        beside = [at for at in (place - 1, place + 1) if 0 <= at < len(groups)]
        first = min(place, min(beside, key=lambda at: (size(groups[at]) == 0, size(groups[at]))))
        groups[first : first + 2] = [groups[first] + groups[first + 1]]
    return groups if len(groups) > 1 and all(size(one) == 0 or size(one) >= k for one in groups) else None
