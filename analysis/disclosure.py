"""What may be shown to readers who are not researchers: the only judge, for page, PDF, API and mail.

Pure functions over plain figures; the rules and what they protect stand in docs/data-protection.md. A figure that may not
be shown has no field: its place is taken by `Withheld`, whose reason depends on group sizes and membership only, never on
answers. Numbers are rounded here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

TEAM_DECIMALS = 1
AGGREGATE_DECIMALS = 2
MIN_OTHER_UNITS = 3
# Mean absolute deviation up to which people "largely agree" on 4 points; .67 = A/6 (Burke and Dunlap 2002), .45 is our
# convention. Other numbers of points: in proportion to the length of the scale.
AD_AGREE, AD_DIFFER = 0.45, 0.67


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
    """A mean so near an end of the scale that it would tell what nearly everyone answered: "3.8 or higher"."""

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


ShownItem = ItemMean | ItemDistribution | NearlyAll | Withheld


class Agreement(StrEnum):
    LARGELY_AGREE = "largely_agree"
    SOMEWHAT_DIFFERENT = "somewhat_different"
    WIDELY_DIFFERENT = "widely_different"


@dataclass(frozen=True)
class ScaleFigures:
    """The exact figures of one scale in one group, as a run stored them. Never leaves analysis/."""

    n: int
    mean: float | None
    low: float | None = None
    high: float | None = None
    ad: float | None = None


@dataclass(frozen=True)
class ItemFigures:
    """Answers per category of one item in one group, lowest category first."""

    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def mean(self) -> float:
        return sum(value * count for value, count in enumerate(self.counts, start=1)) / self.n


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


def judge_benchmark(own: str | None, in_benchmark: Sequence[Group]) -> Withheld | None:
    """Rule 3: a comparison is shown to unit ``own`` only with at least 3 other units, none of more than half."""
    if sum(group.key != own for group in in_benchmark) < MIN_OTHER_UNITS:
        return Withheld(Reason.FEW_TEAMS)
    total = sum(group.analysed for group in in_benchmark)
    if any(2 * group.analysed > total for group in in_benchmark):
        return Withheld(Reason.ONE_DOMINATES)
    return None


def judge_academy(in_academy: Sequence[Group]) -> Withheld | None:
    """Rule 3 for a director: the academy as a whole needs at least 3 units."""
    return Withheld(Reason.FEW_TEAMS) if len(in_academy) < MIN_OTHER_UNITS else None


def judge_everyone(groups: Sequence[Group], k: int) -> Withheld | None:
    """Rule 2: a figure over all analysed responses is released only if what is in no unit is 0 or at least k."""
    shown = {group.key for group in units(groups, k)}
    left_out = sum(group.analysed for group in groups if group.key not in shown)
    return Withheld(Reason.REMAINDER) if 0 < left_out < k else None


def version_conflicts(
    earlier: Iterable[Mapping[tuple[str, str], Collection[Hashable]]],
    new: Mapping[tuple[str, str], Collection[Hashable]],
    k: int,
) -> list[tuple[str, str]]:
    """Rule 5: the (group, measure) pairs whose respondents differ from an earlier version's by 1…k−1 in a direction.

    ``earlier`` and ``new`` map (group, scale or item) to the keys of the respondents behind the published number. Each
    group of the new version is held against every group of every earlier version on the same measure: what two groups of
    different versions differ by is as readable as what two versions of one group differ by.
    """
    conflicts = []
    by_measure: dict[str, list[frozenset[Hashable]]] = {}
    for version in earlier:
        for (_group, measure), members in version.items():
            by_measure.setdefault(measure, []).append(frozenset(members))
    for (group, measure), members in new.items():
        now = frozenset(members)
        for before in by_measure.get(measure, []):
            if now.isdisjoint(before):
                continue  # two groups with nobody in common: nothing to subtract
            if 0 < len(now - before) < k or 0 < len(before - now) < k:
                conflicts.append((group, measure))
                break
    return conflicts


# ---------------------------------------------------------------------------------------------- what is shown
def show_scale(figures: ScaleFigures, n_points: int, k: int, from_items: float | None = None) -> ShownScale:
    """A team's scale mean and interval (rules 6 and 7). ``from_items``: the mean of the item means shown beside it."""
    if figures.mean is None or figures.n < k:
        return Withheld(Reason.TOO_FEW)
    edge = 1 / figures.n
    if figures.mean >= n_points - edge:
        return Capped(math.floor((n_points - edge) * 10) / 10, upper=True)
    if figures.mean <= 1 + edge:
        return Capped(math.ceil((1 + edge) * 10) / 10, upper=False)
    mean = figures.mean if from_items is None else from_items
    return _rounded(mean, figures.low, figures.high, TEAM_DECIMALS)


def show_aggregate(figures: ScaleFigures) -> ShownScale:
    """A mean over units with its interval; whether the aggregate may be shown at all is judged before."""
    if figures.mean is None:
        return Withheld(Reason.NOT_MEASURED)
    return _rounded(figures.mean, figures.low, figures.high, AGGREGATE_DECIMALS)


def _rounded(mean: float, low: float | None, high: float | None, decimals: int) -> MeanShown:
    return MeanShown(
        mean=round_half_up(mean, decimals),
        low=None if low is None else round_half_up(low, decimals),
        high=None if high is None else round_half_up(high, decimals),
    )


def show_item(figures: ItemFigures, k: int) -> ShownItem:
    """A team's item: its mean from k answers, its distribution from 2k, neither when nearly all answered alike."""
    n = figures.n
    if n < k:
        return Withheld(Reason.TOO_FEW)
    largest = max(figures.counts)
    if largest >= n - 2:
        return NearlyAll(category=figures.counts.index(largest) + 1)
    mean = round_half_up(figures.mean, TEAM_DECIMALS)
    if n < 2 * k:
        return ItemMean(mean)
    return ItemDistribution(mean, tuple(int(round_half_up(100 * count / n, 0)) for count in figures.counts))


def mean_of_shown(
    items: Sequence[ShownItem], reverse_keyed: Sequence[bool], n_points: int, n: int, k: int
) -> float | None:
    """The scale mean that follows from the item means shown; None where no distributions are shown (n < 2k).

    A "nearly all" item counts as its category, so that this mean is a function of what stands on the page and tells
    nothing more. None too when an item is withheld: then the exact mean is rounded by itself.
    """
    if n < 2 * k or not items:
        return None
    means: list[float] = []
    for item, reverse in zip(items, reverse_keyed, strict=True):
        match item:
            case ItemMean(mean) | ItemDistribution(mean, _):
                value = mean
            case NearlyAll(category):
                value = float(category)
            case Withheld():
                return None
        means.append(n_points + 1 - value if reverse else value)
    return sum(means) / len(means)


def show_agreement(figures: ScaleFigures, n_points: int, k: int) -> Agreement | Withheld:
    """Words for how far views lie apart, from n ≥ 2k (rule 6); from AD_M, never the figure itself."""
    if figures.n < 2 * k or figures.ad is None:
        return Withheld(Reason.TOO_FEW)
    length = (n_points - 1) / 3  # of the scale, in lengths of the 4-point scale that the bounds belong to
    if figures.ad <= AD_AGREE * length:
        return Agreement.LARGELY_AGREE
    if figures.ad <= AD_DIFFER * length:
        return Agreement.SOMEWHAT_DIFFERENT
    return Agreement.WIDELY_DIFFERENT


def round_share(part: int, whole: int) -> int:
    """A percentage rounded to tens: what a leader sees of the return while the collection is open (rule 8)."""
    return 0 if whole == 0 else min(100, int(round_half_up(10 * part / whole, 0)) * 10)
