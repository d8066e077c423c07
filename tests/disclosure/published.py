"""Reads what is published from the report objects, and turns it into facts for the attacker.

The attacker knows the code: which figures follow from others that stand beside them (they tell nothing more, and this
module checks that they do follow), and what a figure's form tells besides its value.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction

from django.utils.translation import override
from scipy.stats import t

from analysis.disclosure import (
    AD_AGREE,
    AD_DIFFER,
    SPREAD_STEP,
    Agreement,
    Capped,
    Difference,
    ItemDistribution,
    ItemMean,
    MeanShown,
    NearlyAll,
    Reason,
    ShownScale,
    Withheld,
    half_width,
    round_half_up,
    scale_score,
)
from analysis.disclosure.caps import beyond_bound, beyond_category
from analysis.reports.objects import ScaleReport, TeamReport, WideReport, WideScale
from teams.models import Participation, Sector
from tests.disclosure.facts import Case, Fact, ItemCount, ItemSum, Spread, items_of
from tests.disclosure.people import Wave, has_score
from tests.disclosure.study import Publication

TENTH, HUNDREDTH = Fraction(1, 10), Fraction(1, 100)
nearly_all_margin = 3  # one category holds at most n − 3 answers where the distribution is shown


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
            if isinstance(report.scales, Withheld):
                continue
            units.add(teams_of(report))
            for scale in report.scales:
                yield from _scale(number, teams_of(report), scale)
        yield from _aggregates(number, publication, units)


def teams_of(report: TeamReport) -> tuple[int, ...]:
    return tuple(sorted(int(name) for name in (report.team, *report.combined_with)))


def _aggregates(number: int, publication: Publication, units: set[tuple[int, ...]]) -> Iterator[Published]:
    """Every mean over units, in whosever report: all teams, sectors, academies."""
    sector_of = {t: p.team.academy.sector for t, p in _participations(publication).items()}
    everyone = together(units, lambda _team: True)
    with override("en"):  # as the reports
        labels = {sector: str(Sector(sector).label) for sector in set(sector_of.values())}
    of_sector = {
        label: together(units, lambda team, own=sector: sector_of[team] == own)  # type: ignore[misc]
        for sector, label in labels.items()
    }
    for report in publication.teams:
        for scale in () if isinstance(report.scales, Withheld) else report.scales:
            yield from _aggregate(number, everyone, scale.code, scale.benchmark)
            yield from _aggregate(number, of_sector[report.sector], scale.code, scale.sector)
    for academy in publication.academies:
        inside = {int(name) for unit, _report in academy.teams for name in unit.split(" + ")}
        for wide in () if isinstance(academy.scales, Withheld) else academy.scales:
            yield from _wide(number, together(units, inside.__contains__), wide)
            yield from _aggregate(number, everyone, wide.code, wide.benchmark)
    for wide in () if isinstance(publication.everybody.scales, Withheld) else publication.everybody.scales:
        yield from _wide(number, everyone, wide)
        for sector, part in zip(publication.everybody.sectors, wide.parts, strict=True):
            yield from _aggregate(number, of_sector[sector], wide.code, part)


def together(units: Iterable[tuple[int, ...]], chosen: Callable[[int], bool]) -> tuple[int, ...]:
    return tuple(sorted(team for unit in units for team in unit if chosen(team)))


def _participations(publication: Publication) -> dict[int, Participation]:
    return {t.participation.pk: t.participation for g in publication.material.groups for t in g.teams}


def _aggregate(number: int, teams: tuple[int, ...], scale: str, shown: ShownScale | None) -> Iterator[Published]:
    if isinstance(shown, MeanShown):
        yield Published(number, teams, scale, "aggregate", shown, HUNDREDTH)


def _wide(number: int, teams: tuple[int, ...], scale: WideScale) -> Iterator[Published]:
    yield from _aggregate(number, teams, scale.code, scale.shown)
    for item in scale.items:
        if item.mean is not None:
            yield Published(number, teams, item.code, "item aggregate", item.mean, HUNDREDTH)


def _scale(number: int, teams: tuple[int, ...], scale: ScaleReport) -> Iterator[Published]:
    yield Published(number, teams, scale.code, "scale", scale.shown, TENTH)
    yield Published(number, teams, scale.code, "agreement", scale.agreement)
    for item in scale.items:
        yield Published(number, teams, item.code, "item", item.shown, TENTH)


def facts_of(wave: Wave, publications: Sequence[Publication]) -> Iterator[Fact]:
    """What the published figures say about answers."""
    figures = list(read(publications))
    check_that_they_follow(wave, publications, figures)
    for publication in publications:
        check_words(publication)
        check_directors(publication)
        check_differences(wave, publication)
    for figure in figures:
        if figure.statistic == "item":
            version = publications[figure.version].version
            members = frozenset(
                p.key
                for p in wave.people
                if p.team in figure.teams and p.key in version.analysed and wave.answer(p, figure.measure) is not None
            )
            yield from _item(wave, members, figure)
    yield from _spreads(wave, publications, figures)


def margin(n_points: int, k: int) -> int:
    """How far from an end a sum of answers must be to be shown: somebody at the other end, and half a point for k − 2."""
    return n_points - 1 + math.ceil(Fraction(n_points - 1, 6) * (k - 2))


def _item(wave: Wave, members: frozenset[str], figure: Published) -> Iterator[Fact]:
    n, half, item = len(members), TENTH / 2, figure.measure
    least, most = n + margin(wave.n_points, wave.k), wave.n_points * n - margin(wave.n_points, wave.k)
    match figure.value:
        case ItemMean(mean):  # not capped, that tells too
            low, high = n * (exact(mean) - half), n * (exact(mean) + half)
            yield ItemSum(members, item, max(low, Fraction(least + 1)), min(high, Fraction(most - 1)))
        case Capped(_bound, upper):
            low, high = (most, wave.n_points * n) if upper else (n, least)
            yield ItemSum(members, item, Fraction(low), Fraction(high))
        case ItemDistribution(mean, percentages):
            yield ItemSum(members, item, n * (exact(mean) - half), n * (exact(mean) + half))
            for value, share in enumerate(percentages, start=1):
                low, high = (Fraction(n) * (Fraction(share) + sign * Fraction(1, 2)) / 100 for sign in (-1, 1))
                yield ItemCount(members, item, value, low, min(high, Fraction(n - nearly_all_margin)))
        case NearlyAll(category):
            yield ItemCount(members, item, category, Fraction(n - 2), Fraction(n))


def _spreads(wave: Wave, publications: Sequence[Publication], figures: Sequence[Published]) -> Iterator[Fact]:
    """The spread behind the intervals of a scale, in the version that brought it; the attacker is told it outright."""
    known = set()
    for number, publication in enumerate(publications):
        for scale, items in publication.version.scales.items():
            spread = publication.material.spreads[scale]
            if spread is None or (scale, items) in known:
                continue
            if not spread.measured:  # a convention: a function of the number of people
                floor = (wave.n_points - 1) * math.sqrt(7 / 6 / spread.df)
                assert abs(spread.sd - max(floor, 0.75 * (wave.n_points - 1) / 3)) <= SPREAD_STEP
                continue
            known.add((scale, items))
            units = {f.teams for f in figures if f.version == number and f.statistic == "item"}
            parts = [
                frozenset(
                    p.key
                    for p in wave.people
                    if p.team in unit and p.key in publication.version.analysed and has_score(wave, p, items)
                )
                for unit in sorted(units)
            ]
            parts = [part for part in parts if len(part) >= wave.k]
            df = sum(len(part) - 1 for part in parts)
            assert df == spread.df
            floor = (wave.n_points - 1) * math.sqrt(7 / 6 / df)
            low = (spread.sd - SPREAD_STEP) ** 2 * df if spread.sd - SPREAD_STEP > floor else 0.0
            most = (wave.n_points - 1) / 3
            high = spread.sd**2 * df if spread.sd < most - 1e-9 else wave.n_points**2 * (df + len(parts))
            yield Spread(tuple(parts), items, (low, high))


# ------------------------------------------------------------------------------- figures that follow from others
def check_that_they_follow(wave: Wave, publications: Sequence[Publication], figures: Sequence[Published]) -> None:
    """Scale means, intervals, words for agreement and aggregates follow from the items and the spread: counted again."""
    shown_of = {(f.version, f.teams, f.measure): f.value for f in figures if f.statistic == "item"}
    values: dict[tuple[int, str], dict[tuple[int, ...], tuple[int, Fraction]]] = defaultdict(dict)
    for figure in figures:
        if figure.statistic in ("item", "aggregate", "item aggregate"):
            continue
        publication = publications[figure.version]
        items = publication.version.scales[figure.measure]
        shown = [(shown_of[figure.version, figure.teams, item], item in wave.reverse_keyed) for item in items]
        people = [p for p in wave.people if p.team in figure.teams and p.key in publication.version.analysed]
        n, n_scored = len(people), sum(has_score(wave, p, items) for p in people)
        value = value_from(shown, n, wave)
        if figure.statistic == "agreement":
            assert figure.value == words_from([item for item, _ in shown], n_scored, wave.n_points, wave.k)
            continue
        if n_scored >= wave.k and value is not None:
            values[figure.version, figure.measure][figure.teams] = (n, value)
        match figure.value:
            case MeanShown(mean, low, high, about):
                assert value is not None
                assert mean == round_half_up(float(value), 1)
                assert about == any(isinstance(item, Capped | NearlyAll | Withheld) for item, _ in shown)
                spread = publication.material.spreads[figure.measure]
                half = half_width(n, spread, wave.n_points) if spread else None
                if half is None:
                    assert (low, high) == (None, None)
                    continue
                least, most = round_half_up(mean - half, 1), round_half_up(mean + half, 1)
                if about:
                    score = scale_score(shown, n, wave.n_points, wave.k)
                    assert score is not None
                    least = min(least, math.floor(10 * score.low) / 10)
                    most = max(most, math.ceil(10 * score.high) / 10)
                assert (low, high) == (max(1.0, least), min(float(wave.n_points), most))
            case Withheld():
                assert n_scored < wave.k or value is None
    for figure in figures:
        if figure.statistic == "aggregate":
            parts = [v for unit, v in values[figure.version, figure.measure].items() if set(unit) <= set(figure.teams)]
            total = sum(n for n, _ in parts)
            if not total:
                assert isinstance(figure.value, Withheld)
                continue
            assert isinstance(figure.value, MeanShown)
            assert abs(figure.value.mean - sum(n * value for n, value in parts) / total) <= 0.005 + 1e-9
        elif figure.statistic == "item aggregate":
            parts = []
            for (version, unit, item), shown in shown_of.items():
                if (version, item) == (figure.version, figure.measure) and set(unit) <= set(figure.teams):
                    analysed = publications[version].version.analysed
                    n = sum(p.team in unit and p.key in analysed for p in wave.people)
                    known = value_from([(shown, False)], n, wave)
                    if known is not None:
                        parts.append((n, known))
            mean = sum(n * value for n, value in parts) / sum(n for n, _value in parts)
            assert isinstance(figure.value, float)
            assert abs(figure.value - mean) <= 0.005 + 1e-9


def check_previous(publications: Sequence[Publication], before: Sequence[Publication]) -> None:
    """What a report shows of the wave before stands in a report of that wave, letter by letter."""
    was = {
        (report.team, scale.code): scale.shown
        for report in before[-1].teams
        if not isinstance(report.scales, Withheld)
        for scale in report.scales
    }
    for publication in publications:
        for report in publication.teams:
            for scale in () if isinstance(report.scales, Withheld) else report.scales:
                if isinstance(scale.previous, MeanShown | Capped):
                    assert scale.previous == was[report.team, scale.code]
        for wide, then in ((publication.everybody, before[-1].everybody), *_same_academies(publication, before[-1])):
            scales = () if isinstance(wide.scales, Withheld) else wide.scales
            shown = {} if isinstance(then.scales, Withheld) else {scale.code: scale.shown for scale in then.scales}
            for scale in scales:
                assert scale.previous is None or scale.previous == shown[scale.code]


def _same_academies(now: Publication, then: Publication) -> Iterator[tuple[WideReport, WideReport]]:
    was = {academy.academy: academy for academy in then.academies}
    return ((academy, was[academy.academy]) for academy in now.academies if academy.academy in was)


def check_differences(wave: Wave, publication: Publication) -> None:
    """What is said of two scores follows from what is shown of them, the units' n and the spreads: counted again."""
    material = publication.material
    place_of = {scale.code: nth for nth, scale in enumerate(material.scales)}
    n_of = {str(t.participation.team.name): g.group.analysed for g in material.groups for t in g.teams}
    for report in publication.teams:
        for scale in () if isinstance(report.scales, Withheld) else report.scales:
            spread = material.spreads[scale.code]
            if scale.beside_all is None or spread is None:
                continue
            place = place_of[scale.code]
            total = sum(g.group.analysed for g in material.units if (g.key, place) in material.scores)
            half = float(t.ppf(0.975, spread.df)) * spread.sd * math.sqrt(max(1 / n_of[report.team] - 1 / total, 0))
            _check_difference(wave, scale.shown, scale.benchmark, scale.beside_all, half)
        assert isinstance(report.scales, Withheld) or all(
            scale.since is None or scale.previous is not None for scale in report.scales
        )


def _check_difference(wave: Wave, own: ShownScale, other: ShownScale, said: Difference, half: float) -> None:
    if said.by is None:
        assert isinstance(own, Capped) or isinstance(other, Capped)
        return
    assert isinstance(own, MeanShown)
    assert isinstance(other, MeanShown)
    assert said.by in (0.0, round_half_up(float(exact(own.mean) - exact(other.mean)), 1))
    low, high = (end for end in (said.low, said.high))
    assert low is not None
    assert high is not None
    # outward by a step; the score may be half a step from what is printed, each item's mean half a step from what is printed
    # of it, and the mean of all as much again; or the whole range of a cap
    most = 0.1 + 0.05 + 0.05 + 0.1 + (1.5 * (wave.n_points - 1) if own.about or other.about else 0)
    assert max(own.mean - other.mean - half - most, 1.0 - wave.n_points) - 1e-9 <= low
    assert low <= own.mean - other.mean - half + 0.06
    assert own.mean - other.mean + half - 0.06 <= high
    assert high <= min(own.mean - other.mean + half + most, wave.n_points - 1.0) + 1e-9
    if said.verdict.up:
        assert low >= 0
    if said.verdict.down:
        assert high <= 0


def _of_this_wave(report: TeamReport) -> TeamReport:
    """A report's figures without the wave before and the words, which follow from both."""
    if isinstance(report.scales, Withheld):
        return report
    scales = (replace(scale, previous=None, since=None, said=(), questions=()) for scale in report.scales)
    return replace(report, scales=tuple(scales), findings=())


def check_directors(publication: Publication) -> None:
    """A director reads of a team what its leader reads, but of no other wave, and only of units whose leaders all agreed."""
    own = {report.team: _of_this_wave(report) for report in publication.teams}
    agreed = {str(t) for t, p in _participations(publication).items() if p.director_sees_team}
    for academy in publication.academies:
        for name, report in academy.teams:
            if isinstance(report, TeamReport):
                assert set(name.split(" + ")) <= agreed
                assert _of_this_wave(report) == own[report.team]
                assert not report.has_previous


def check_words(publication: Publication) -> None:
    """Sentences, findings and questions hold no number that does not stand as a figure in the same report."""
    for report in (*publication.teams, *publication.academies, publication.everybody):
        said = {number for text in texts_of(report) for number in re.findall(r"\d+(?:\.\d+)?", text)}
        assert said <= numbers_of(report), (said - numbers_of(report), report.findings)


def texts_of(report: object, name: str = "") -> Iterator[str]:
    """Every sentence that a report makes itself."""
    if isinstance(report, str):
        if name in ("sentences", "questions"):
            yield report
    elif isinstance(report, tuple):
        for part in report:
            yield from texts_of(part, name)
    elif is_dataclass(report) and not isinstance(report, type):
        for field in fields(report):
            yield from texts_of(getattr(report, field.name), field.name)


def numbers_of(report: WideReport | TeamReport) -> set[str]:
    """Every number that stands as a figure in a report, as it is written; and names with a digit in them."""
    numbers = {str(report.n_points), *(f"{report.midpoint:.{n}f}" for n in (1, 2)), str(report.k), str(2 * report.k)}

    def collect(value: object) -> None:
        if isinstance(value, bool):
            return
        if isinstance(value, int):
            numbers.add(str(value))
        elif isinstance(value, float):
            numbers.update(f"{abs(value):.{decimals}f}" for decimals in (1, 2) if round(value, decimals) == value)
        elif isinstance(value, tuple):
            for part in value:
                collect(part)
        elif is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                if field.name in ("text", "name"):
                    numbers.update(re.findall(r"\d+(?:\.\d+)?", getattr(value, field.name)))
                elif field.name == "options":
                    numbers.update(*(re.findall(r"\d+", option) for option in getattr(value, field.name)))
                collect(getattr(value, field.name))

    collect(report)
    return numbers


def value_from(shown: Iterable[tuple[object, bool]], n: int, wave: Wave) -> Fraction | None:
    """The score that the items shown give to a unit of n."""
    values, shown = [], list(shown)
    for item, reverse in shown:
        match item:
            case ItemMean(mean) | ItemDistribution(mean, _):
                value = next(iter(sums_shown_as(item, n, wave)), n * exact(mean)) / Fraction(n)
            case NearlyAll(category):
                value = category + beyond_category(category, n, wave.n_points)
            case Capped(bound, upper):
                value = exact(bound) + ((wave.n_points if upper else 1) - exact(bound)) * beyond_bound(wave.n_points)
            case _:
                continue
        values.append(wave.n_points + 1 - value if reverse else value)
    return sum(values, Fraction(0)) / len(values) if values and len(values) == len(shown) else None


def sums_shown_as(item: ItemMean | ItemDistribution, n: int, wave: Wave) -> Iterator[int]:
    """The sums of n answers that are shown so, where there is one at most."""
    if isinstance(item, ItemMean):
        if n <= 9:
            yield from (s for s in range(n, wave.n_points * n + 1) if round_half_up(s / n, 1) == item.mean)
        return
    counts = [[c for c in range(n + 1) if round_half_up(100 * c / n, 0) == share] for share in item.percentages]
    if n < 100 and all(counts) and sum(c for (c,) in counts) == n:
        total = sum(value * c for value, (c,) in enumerate(counts, start=1))
        if round_half_up(total / n, 1) == item.mean:
            yield total


def words_from(shown: Iterable[object], n: int, n_points: int, k: int) -> Agreement | Withheld:
    """Words for agreement that the distributions shown give."""
    deviations = []
    for item in shown:
        match item:
            case NearlyAll():
                deviations.append(Fraction(0))
            case ItemDistribution(_, shares):
                mean = Fraction(sum(v * s for v, s in enumerate(shares, 1)), sum(shares))
                deviations.append(sum(s * abs(v - mean) for v, s in enumerate(shares, 1)) / sum(shares))
    if n < 2 * k or not deviations:
        return Withheld(Reason.TOO_FEW)
    ad = sum(deviations) / len(deviations) / n_points
    return (
        Agreement.LARGELY_AGREE
        if ad <= AD_AGREE
        else Agreement.SOMEWHAT_DIFFERENT
        if ad <= AD_DIFFER
        else Agreement.WIDELY_DIFFERENT
    )


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
        inside = [fact for fact in facts if set(items_of(fact)) <= set(items)]
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
