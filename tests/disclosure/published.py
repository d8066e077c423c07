"""Reads what is published from the report objects, and turns it into facts for the attacker.

The attacker knows the code: which figures follow from others that stand beside them (they tell nothing more, and this
module checks that they do follow), and what a figure's form tells besides its value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from analysis.disclosure import Capped, ItemDistribution, ItemMean, MeanShown, NearlyAll, Withheld
from analysis.reports import ScaleReport
from tests.disclosure.attacker import Case, Fact, ItemCount, ItemSum, ScoreSum, Spread
from tests.disclosure.people import Person, Version, Wave, has_score
from tests.disclosure.study import Publication, t_quantile

TENTH, HUNDREDTH = Fraction(1, 10), Fraction(1, 100)


@dataclass(frozen=True)
class Published:
    """One figure as it stands in a report: of which group and version, which statistic, its value and its step."""

    version: int
    teams: tuple[int, ...]
    measure: str
    statistic: str
    value: object
    step: Fraction | None = None


def exact(shown: float) -> Fraction:
    return Fraction(str(shown))


def read(publications: Sequence[Publication]) -> Iterator[Published]:
    """Every figure in every report; two readers of one group read the same, so a group is read once per version."""
    for number, publication in enumerate(publications):
        units: set[tuple[int, ...]] = set()
        for report in publication.teams:
            teams = tuple(sorted(int(name) for name in (report.team, *report.combined_with)))
            if isinstance(report.scales, Withheld):
                continue
            units.add(teams)
            for scale in report.scales:
                yield from _scale(number, teams, scale)
        for scale_number, scale in enumerate(publication.version.scales):
            everyone = tuple(sorted(team for unit in units for team in unit))
            for report in publication.teams:
                if not isinstance(report.scales, Withheld):
                    shown = report.scales[scale_number].benchmark
                    if isinstance(shown, MeanShown):
                        yield Published(number, everyone, scale, "aggregate", shown, HUNDREDTH)
            for academy in publication.academies:
                if not isinstance(academy.scales, Withheld):
                    inside = {int(name) for name, _ in academy.teams}
                    teams = tuple(sorted(team for unit in units for team in unit if team in inside))
                    yield Published(number, teams, scale, "aggregate", academy.scales[scale_number][1], HUNDREDTH)


def _scale(number: int, teams: tuple[int, ...], scale: ScaleReport) -> Iterator[Published]:
    yield Published(number, teams, scale.code, "scale", scale.shown, TENTH)
    yield Published(number, teams, scale.code, "agreement", scale.agreement)
    for item in scale.items:
        yield Published(number, teams, item.code, "item", item.shown, TENTH)


def facts_of(wave: Wave, publications: Sequence[Publication]) -> Iterator[Fact]:
    """What the published figures say about answers."""
    for figure in read(publications):
        version = publications[figure.version].version
        people = [p for p in wave.people if p.team in figure.teams and p.key in version.analysed]
        if figure.statistic == "item":
            yield from _item(wave, people, figure)
        elif figure.statistic == "scale":
            yield from _mean_and_interval(wave, people, version, figure)
        elif figure.statistic == "aggregate":
            yield from _aggregate(wave, people, version, figure)


def _item(wave: Wave, people: Iterable[Person], figure: Published) -> Iterator[Fact]:
    members = frozenset(p.key for p in people if wave.answer(p, figure.measure) is not None)
    n, half = len(members), TENTH / 2
    match figure.value:
        case ItemMean(mean):
            yield ItemSum(members, figure.measure, n * (exact(mean) - half), n * (exact(mean) + half))
            for value in range(1, wave.n_points + 1):  # otherwise it would say "nearly all"
                yield ItemCount(members, figure.measure, value, Fraction(0), Fraction(n - 3))
        case ItemDistribution(mean, percentages):
            yield ItemSum(members, figure.measure, n * (exact(mean) - half), n * (exact(mean) + half))
            for value, share in enumerate(percentages, start=1):
                low, high = (Fraction(n) * (Fraction(share) + sign * Fraction(1, 2)) / 100 for sign in (-1, 1))
                yield ItemCount(members, figure.measure, value, low, min(high, Fraction(n - 3)))
        case NearlyAll(category):
            yield ItemCount(members, figure.measure, category, Fraction(n - 2), Fraction(n))


def _mean_and_interval(wave: Wave, people: Sequence[Person], version: Version, figure: Published) -> Iterator[Fact]:
    items = version.scales[figure.measure]
    members = frozenset(p.key for p in people if has_score(wave, p, items))
    n = len(members)
    match figure.value:
        case Capped(_bound, upper):
            edge = Fraction(1, n)
            low, high = (wave.n_points - edge, Fraction(wave.n_points)) if upper else (Fraction(1), 1 + edge)
            yield ScoreSum(members, items, n * low, n * high)
        case MeanShown(mean, low, high):
            if n < 2 * wave.k:
                yield ScoreSum(members, items, n * (exact(mean) - TENTH / 2), n * (exact(mean) + TENTH / 2))
            if low is not None and high is not None:
                yield Spread((members,), items, interval_bounds(n, wave.n_points, low, high))


def interval_bounds(n: int, n_points: int, low: float, high: float):
    """Between which sums of squares an interval mean ± t·SD/√n, cut at the ends, rounds to ``low`` and ``high``."""

    def between(mean: float) -> tuple[float, float] | None:
        least = max(mean - low - 0.05, high - mean - 0.05, 0.0)
        most = min(mean - low + 0.05 if low > 1 else math.inf, high - mean + 0.05 if high < n_points else math.inf)
        if least > most + 1e-9:
            return None
        squares = (n - 1) * n / t_quantile(n - 1) ** 2
        return squares * least**2 - 1e-7, (squares * most**2 + 1e-7 if most < math.inf else n * n_points**2)

    return between


def _aggregate(wave: Wave, people: Sequence[Person], version: Version, figure: Published) -> Iterator[Fact]:
    items = version.scales[figure.measure]
    members = frozenset(p.key for p in people if has_score(wave, p, items))
    match figure.value:
        case MeanShown(mean):
            n, half = len(members), HUNDREDTH / 2
            yield ScoreSum(members, items, n * (exact(mean) - half), n * (exact(mean) + half))


def cases_of(wave: Wave, publications: Sequence[Publication]) -> Iterator[Case]:
    """The facts sorted into cases: items that no scale of any version connects have nothing to do with each other."""
    facts = list(dict.fromkeys(facts_of(wave, publications)))
    scales = list(dict.fromkeys(items for p in publications for items in p.version.scales.values()))
    block = {item: {item} for item in wave.items}
    for items in scales:
        merged = set().union(*(block[item] for item in items))
        for item in merged:
            block[item] = merged
    for items in dict.fromkeys(tuple(sorted(b, key=wave.items.index)) for b in block.values()):
        inside = [fact for fact in facts if set(_items(fact)) <= set(items)]
        known = frozenset().union(*(fact.members for fact in inside))
        if not known:
            continue
        columns = [wave.items.index(item) for item in items]
        yield Case(
            k=wave.k,
            n_points=wave.n_points,
            items=items,
            scales=tuple(scale for scale in scales if set(scale) <= set(items)),
            people={p.key: tuple(p.answers[c] for c in columns) for p in wave.people if p.key in known},
            facts=tuple(inside),
            reverse_keyed=wave.reverse_keyed,
            marks={p.key: (p.team, tuple(a is not None for a in p.answers)) for p in wave.people},
        )


def _items(fact: Fact) -> tuple[str, ...]:
    return (fact.item,) if isinstance(fact, ItemSum | ItemCount) else fact.items
