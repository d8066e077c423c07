"""What a publication shows, made once and kept: figures as disclosure/ let them out, in no language and without a name.

Whom a unit is made of stands here by keys, so that a team that is renamed reads its new name, and what is deleted or withdrawn
leaves no name behind. Words are made of these figures when a report is read (team.py, wide.py): they can say nothing else.

An object is kept as JSON by `pack` and read by `unpack_unit`, `unpack_academy` and `unpack_study`. Its ``SCHEMA`` is kept with
it. An object of an older release is still rendered, never made anew, since that could show other figures than were published:
whoever changes the shape raises ``SCHEMA`` and adds how the older shape is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis import disclosure
from analysis.disclosure import (
    Agreement,
    Capped,
    Group,
    ItemDistribution,
    ItemMean,
    MeanShown,
    NearlyAll,
    Reason,
    ShownItem,
    ShownScale,
    Side,
    Spread,
    TeamCounts,
    Withheld,
)
from analysis.reports.objects import Benchmark

SCHEMA = 2  # 1: without which units are behind an academy's figures
Packed = dict[str, Any]


@dataclass(frozen=True)
class Member:
    """A team behind a unit, as the run counted it: the key of its participation, and three counts."""

    participation: int
    analysed: int
    returned: int
    approached: int


@dataclass(frozen=True)
class Unit:
    """A team by itself or several together. ``released``: whether the publication shows anything of it."""

    key: str
    members: tuple[Member, ...]
    combined_at: datetime | None
    released: bool

    @property
    def analysed(self) -> int:
        return sum(member.analysed for member in self.members)

    @property
    def as_counted(self) -> Group:
        """Its counts as they were when it was published."""
        counts = (
            TeamCounts(member.analysed, member.returned, member.returned, member.approached) for member in self.members
        )
        return Group(self.key, tuple(counts))


@dataclass(frozen=True)
class UnitScale:
    """One scale of a unit; ``items`` in the order of the study's scale."""

    shown: ShownScale
    agreement: Agreement | Withheld
    items: tuple[ShownItem, ...]


@dataclass(frozen=True)
class UnitShown:
    """What is shown of a unit by itself, scale by scale; no scale where the publication shows nothing of it."""

    unit: Unit
    sector: str
    scales: tuple[UnitScale, ...]


@dataclass(frozen=True)
class Judged:
    """What is shown of a unit, and the judge's word on it as it is now: None where it is shown."""

    shown: UnitShown
    withheld: Withheld | None


@dataclass(frozen=True)
class OverUnits:
    """A mean over units: of how many people, and how far from it the exact mean is likely to be (rounding, caps)."""

    shown: ShownScale
    n: int
    hidden: float

    def side(self, spread: Spread | None) -> Side | None:
        """It as one of the two scores of a comparison; None where none is shown."""
        if spread is None or not isinstance(self.shown, MeanShown):
            return None
        return disclosure.side_of_units(self.shown, self.n, self.hidden, spread)


@dataclass(frozen=True)
class WideShown:
    """One scale over several units: its mean, that of each sector, and of each item.

    Of an academy ``behind`` are the units in the mean, ``behind_items`` those in each item's mean, by their places among the
    academy's units; None for all that are shown.
    """

    mean: OverUnits
    parts: tuple[OverUnits, ...]
    items: tuple[float | None, ...]
    behind: tuple[int, ...] | None = None
    behind_items: tuple[tuple[int, ...] | None, ...] = ()


@dataclass(frozen=True)
class AcademyShown:
    """What is shown of an academy: its units, and means over them where there are at least two that are shown.

    ``benchmark``: why all teams may not stand beside it; ``without_all``: the places of scales beside which they may not, since too
    few units outside the academy have a score there. Whether the means, and the mean on each subject, are shown the judge
    says when they are read, since it rests on which leaders let the director see their team.
    """

    units: tuple[Unit, ...]
    benchmark: Withheld | None
    base: Benchmark
    like_these: bool
    scales: tuple[WideShown, ...]
    without_all: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scoring:
    """A scale as the run used it: its code, its items, each turned round or not, and the spread behind its intervals."""

    code: str
    items: tuple[tuple[str, bool], ...]
    spread: Spread | None


@dataclass(frozen=True)
class StudyShown:
    """What is shown of all teams, and what every report of the publication needs: how the scales were scored.

    ``withheld``: why there is no mean over all units, neither by itself nor beside a unit. ``outsider``: why there is none
    beside a team that is in no unit.
    """

    k: int
    n_points: int
    scorings: tuple[Scoring, ...]
    withheld: Withheld | None
    outsider: Withheld | None
    base: Benchmark
    approached: int
    returned: int
    sectors: tuple[str, ...]
    like_these: bool
    scales: tuple[WideShown, ...]

    def side(self, own: UnitShown, place: int) -> Side | None:
        """A unit's score on a scale as one of the two of a comparison; None where it is not shown, or its spread not known."""
        scoring, scale, n = self.scorings[place], own.scales[place], own.unit.analysed
        turned = [(item, turned) for item, (_code, turned) in zip(scale.items, scoring.items, strict=True)]
        score = disclosure.scale_score(turned, n, self.n_points, self.k)
        if isinstance(scale.shown, Withheld) or score is None or scoring.spread is None:
            return None
        return Side(scale.shown, score, n, scoring.spread)

    def sides(self, scales: Sequence[WideShown]) -> list[Side | None]:
        """The means over units, scale by scale."""
        return [scale.mean.side(scoring.spread) for scale, scoring in zip(scales, self.scorings, strict=True)]

    def place(self, scoring: Scoring) -> int | None:
        """Where a scale of another publication stands here; None without one of this code and these items."""
        for place, own in enumerate(self.scorings):
            if own.code == scoring.code:
                return place if set(own.items) == set(scoring.items) else None
        return None


# ------------------------------------------------------------------------------------------------ kept as JSON
def pack(shown: UnitShown | AcademyShown | StudyShown) -> Packed:
    """An object as plain lists, numbers and strings."""
    match shown:
        case UnitShown(unit, sector, scales):
            packed = [
                [_figure(scale.shown), _figure(scale.agreement), [_figure(item) for item in scale.items]]
                for scale in scales
            ]
            return {"unit": _unit(unit), "sector": sector, "scales": packed}
        case AcademyShown(units, benchmark, base, like_these, wide, without_all):
            return {
                "units": [_unit(unit) for unit in units],
                "benchmark": _figure(benchmark),
                "base": _base(base),
                "like": like_these,
                "scales": [_wide(scale) for scale in wide],
                "without_all": list(without_all),
            }
        case StudyShown():
            return {
                "k": shown.k,
                "points": shown.n_points,
                "scorings": [
                    [scoring.code, [list(item) for item in scoring.items], _spread(scoring.spread)]
                    for scoring in shown.scorings
                ],
                "withheld": _figure(shown.withheld),
                "outsider": _figure(shown.outsider),
                "base": _base(shown.base),
                "counts": [shown.approached, shown.returned],
                "sectors": list(shown.sectors),
                "like": shown.like_these,
                "scales": [_wide(scale) for scale in shown.scales],
            }


def unpack_unit(packed: Packed) -> UnitShown:
    """A unit's object as it was packed."""
    scales = (
        UnitScale(_read(shown), _read(agreement), tuple(_read(item) for item in items))
        for shown, agreement, items in packed["scales"]
    )
    return UnitShown(_read_unit(packed["unit"]), packed["sector"], tuple(scales))


def unpack_academy(packed: Packed) -> AcademyShown:
    """An academy's object as it was packed."""
    units = tuple(_read_unit(unit) for unit in packed["units"])
    n_shown = sum(unit.analysed for unit in units if unit.released)
    return AcademyShown(
        units=units,
        benchmark=_read(packed["benchmark"]),
        base=Benchmark(*packed["base"]),
        like_these=packed["like"],
        scales=tuple(_read_wide(scale, n_shown) for scale in packed["scales"]),
        without_all=tuple(packed.get("without_all", range(len(packed["scales"])))),  # schema 1 does not say
    )


def unpack_study(packed: Packed) -> StudyShown:
    """The study's object as it was packed."""
    approached, returned = packed["counts"]
    return StudyShown(
        k=packed["k"],
        n_points=packed["points"],
        scorings=tuple(
            Scoring(code, tuple((item, turned) for item, turned in items), Spread(*spread) if spread else None)
            for code, items, spread in packed["scorings"]
        ),
        withheld=_read(packed["withheld"]),
        outsider=_read(packed["outsider"]),
        base=Benchmark(*packed["base"]),
        approached=approached,
        returned=returned,
        sectors=tuple(packed["sectors"]),
        like_these=packed["like"],
        scales=tuple(_read_wide(scale) for scale in packed["scales"]),
    )


def _unit(unit: Unit) -> list[Any]:
    members = [[member.participation, member.analysed, member.returned, member.approached] for member in unit.members]
    return [unit.key, members, unit.combined_at.isoformat() if unit.combined_at else None, unit.released]


def _read_unit(packed: Sequence[Any]) -> Unit:
    key, members, combined_at, released = packed
    return Unit(
        key,
        tuple(Member(*member) for member in members),
        datetime.fromisoformat(combined_at) if combined_at else None,
        released,
    )


def _base(base: Benchmark) -> list[int]:
    return [base.n_units, base.n_teams, base.n_respondents]


def _spread(spread: Spread | None) -> list[Any] | None:
    return [spread.sd, spread.df, spread.measured] if spread else None


def _wide(scale: WideShown) -> list[Any]:
    return [
        _over(scale.mean),
        [_over(part) for part in scale.parts],
        list(scale.items),
        _places(scale.behind),
        [_places(places) for places in scale.behind_items],
    ]


def _read_wide(packed: Sequence[Any], n_shown: int | None = None) -> WideShown:
    """
    :param n_shown: how many people are in the academy's units that are shown
    """
    mean, parts, items, *behind = packed
    over, read = _read_over(mean), tuple(_read_over(part) for part in parts)
    if behind:
        return WideShown(over, read, tuple(items), _read_places(behind[0]), tuple(map(_read_places, behind[1])))
    # kept as schema 1: all are behind a mean of so many people, and behind its items; else nobody knows who is
    known = None if n_shown is None or over.n == n_shown else ()
    return WideShown(over, read, tuple(items), known, (known,) * len(items))


def _places(places: tuple[int, ...] | None) -> list[int] | None:
    return None if places is None else list(places)


def _read_places(packed: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if packed is None else tuple(packed)


def _over(mean: OverUnits) -> list[Any]:
    return [_figure(mean.shown), mean.n, mean.hidden]


def _read_over(packed: Sequence[Any]) -> OverUnits:
    shown, n, hidden = packed
    return OverUnits(_read(shown), n, hidden)


def _figure(figure: ShownScale | ShownItem | Agreement | None) -> list[Any] | None:
    """A figure as the name of its kind and its values."""
    match figure:
        case None:
            return None
        case MeanShown(mean, low, high, about):
            return ["score", mean, low, high, about]
        case ItemMean(mean):
            return ["mean", mean]
        case ItemDistribution(mean, percentages):
            return ["answers", mean, list(percentages)]
        case NearlyAll(category):
            return ["nearly", category]
        case Capped(bound, upper):
            return ["capped", bound, upper]
        case Withheld(reason):
            return ["withheld", str(reason)]
        case Agreement():
            return ["agreement", str(figure)]


def _read(packed: Sequence[Any] | None) -> Any:
    """What `_figure` packed. Raises ValueError for a kind that it does not know."""
    match packed:
        case None:
            return None
        case ["score", mean, low, high, about]:
            return MeanShown(mean, low, high, about)
        case ["mean", mean]:
            return ItemMean(mean)
        case ["answers", mean, percentages]:
            return ItemDistribution(mean, tuple(percentages))
        case ["nearly", category]:
            return NearlyAll(category)
        case ["capped", bound, upper]:
            return Capped(bound, upper)
        case ["withheld", reason]:
            return Withheld(Reason(reason))
        case ["agreement", how]:
            return Agreement(how)
    raise ValueError(f"No figure of a report: {packed[0]}")
