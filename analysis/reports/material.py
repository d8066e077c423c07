"""What the reports of a run are made of: groups, scales and spreads, read once. From here on everything is pure.

What of it may be shown, disclosure/ judges, and stands in the objects that `Material` hands on (shown.py). Publishing asks once
for all of them; afterwards only previews of what is not published come here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from analysis import disclosure
from analysis.disclosure import MeanShown, Reason, Score, ShownItem, Spread, Withheld
from analysis.models import AnalysisRun, Publication
from analysis.reports.groups import FinalScale, GroupFigures, final_scales_of, load_groups
from analysis.reports.objects import Benchmark
from analysis.reports.shown import (
    AcademyShown,
    Judged,
    Member,
    OverUnits,
    Scoring,
    StudyShown,
    Unit,
    UnitScale,
    UnitShown,
    WideShown,
)
from surveys.questionnaires.definition import Definition
from surveys.questionnaires.publishing import definition_of
from teams.models import Study

#: Rule 3 on the units behind one figure over several.
Judge = Callable[[Sequence[GroupFigures]], Withheld | None]
StoredSpreads = dict[str, dict[str, Any]]  # per scale its items, and SD and df of the spread


@dataclass(frozen=True)
class Material:
    """What the reports of one run are made of, read once: from here on everything is a pure function."""

    study: Study
    definition: Definition
    scales: list[FinalScale]
    groups: list[GroupFigures]
    spreads: dict[str, Spread | None]  # per scale, for the intervals
    released: frozenset[str] | None = None  # the units of the publication; None before it
    published_at: datetime | None = None
    previous: Previous | None = None

    @cached_property
    def units(self) -> list[GroupFigures]:
        """The groups in aggregates: those that may be shown, and for a publication those that it showed.

        Counts corrected later may close a team's own report; a mean over one team less would tell that team's.
        """
        if self.released is not None:
            return [group for group in self.groups if group.key in self.released]
        return [group for group in self.groups if self.judge(group) is None]

    @cached_property
    def sectors(self) -> list[str]:
        """The sectors with a mean of their own, each a part of all teams only."""
        by_sector = {sector: [group.group for group in groups] for sector, groups in self._by_sector.items()}
        return disclosure.sectors_shown(by_sector) if len(by_sector) > 1 else []

    def in_sector(self, sector: str) -> list[GroupFigures]:
        """The units of a sector."""
        return self._by_sector.get(sector, [])

    @cached_property
    def _by_sector(self) -> dict[str, list[GroupFigures]]:
        """The units by sector: every academy asks for those of its own."""
        by_sector: dict[str, list[GroupFigures]] = {}
        for group in self.units:
            by_sector.setdefault(group.sector, []).append(group)
        return by_sector

    def judge(self, group: GroupFigures) -> Withheld | None:
        """Whether a group is shown, as every way out asks it."""
        return disclosure.judge_published(group.group, self.study.k, self.released)

    # ------------------------------------------------------------------------------------------ what is shown
    @cached_property
    def _made(self) -> dict[str, UnitShown]:
        return {}

    def unit_shown(self, group: GroupFigures) -> UnitShown:
        """What is shown of a group by itself: the one way to its figures, so that every report of it shows the same."""
        made = self._made.get(group.key)
        if made is None:
            scales = tuple(self._scale(group, scale) for scale in self.scales) if group.key in self._released else ()
            made = self._made[group.key] = UnitShown(self._unit(group), group.sector, scales)
        return made

    def academy_shown(self, academy_id: int) -> AcademyShown:
        """What is shown of an academy; its means follow from what its units show."""
        groups, inside = self._by_academy.get(academy_id, ([], []))
        return AcademyShown(
            units=tuple(self._unit(group) for group in groups),
            benchmark=self._beside(inside),
            base=_base(groups, inside),
            like_these=len(inside) >= disclosure.LIKE_THESE,
            scales=self._of_academy(groups, inside) if len(inside) > 1 else (),
            without_all=tuple(place for place in range(len(self.scales)) if self._beside_on(inside, place)),
        )

    @cached_property
    def study_shown(self) -> StudyShown:
        """What is shown of all units, and of the sectors that may stand by themselves."""
        units = [group.group for group in self.units]
        withheld = disclosure.judge_study(units)
        counts = [team.counts for group in self.groups for team in group.teams]
        sectors = [] if withheld else self.sectors
        return StudyShown(
            k=self.study.k,
            n_points=self.definition.n_points,
            scorings=tuple(Scoring(scale.code, scale.keyed, self.spreads[scale.code]) for scale in self.scales),
            withheld=withheld,
            outsider=disclosure.judge_benchmark(None, units),
            base=_base(self.groups, self.units),
            approached=sum(team.approached for team in counts),
            returned=sum(team.returned for team in counts),
            sectors=tuple(sectors),
            like_these=len(units) >= disclosure.LIKE_THESE,
            scales=()
            if withheld
            else self._wide(self.units, [self.in_sector(sector) for sector in sectors], _judge_study),
        )

    @property
    def academies(self) -> list[int]:
        """The academies with a group in the run."""
        return list(self._by_academy)

    @cached_property
    def _released(self) -> frozenset[str]:
        return frozenset(group.key for group in self.units)

    @cached_property
    def _by_academy(self) -> dict[int, tuple[list[GroupFigures], list[GroupFigures]]]:
        """Per academy its groups, and those of them that are shown."""
        by_academy: dict[int, tuple[list[GroupFigures], list[GroupFigures]]] = {}
        for group in self.groups:
            by_academy.setdefault(group.academy_id, ([], []))[0].append(group)
        for group in self.units:
            by_academy[group.academy_id][1].append(group)
        return by_academy

    def _unit(self, group: GroupFigures) -> Unit:
        members = tuple(
            Member(
                team.participation.pk,
                team.counts.analysed,
                team.counts.returned,
                team.counts.approached,
            )
            for team in group.teams
        )
        return Unit(group.key, members, group.combined_at, group.key in self._released)

    def _scale(self, group: GroupFigures, scale: FinalScale) -> UnitScale:
        n_points, k, n_scored = self.definition.n_points, self.study.k, group.scale(scale.code).n
        items = tuple(_shown_item(group, item.code, k) for item in scale.items)
        turned, spread = _with_direction(items, scale), self.spreads[scale.code]
        return UnitScale(
            shown=disclosure.show_scale(group.group.analysed, n_scored, turned, spread, n_points, k),
            agreement=disclosure.show_agreement(n_scored, list(items), n_points, k),
            items=items,
        )

    def _wide(
        self, inside: Sequence[GroupFigures], parts: Sequence[Sequence[GroupFigures]], judge: Judge
    ) -> tuple[WideShown, ...]:
        return tuple(
            WideShown(
                mean=self._over(inside, place, judge),
                parts=tuple(self._over(part, place, judge) for part in self._parts(parts, place)),
                items=tuple(self._aggregate_item(inside, place, nth, judge) for nth in range(len(scale.items))),
            )
            for place, scale in enumerate(self.scales)
        )

    def _parts(self, parts: Sequence[Sequence[GroupFigures]], place: int) -> Sequence[Sequence[GroupFigures]]:
        """The sectors on one scale: all of them, or none where one, or what they leave of all, would tell on a unit."""
        if not parts:
            return []  # of an academy: asking all units for each would cost as much as there are units and academies
        inside = {group.key for part in parts for group in part}
        left = [group for group in self.units if group.key not in inside]
        known = [self._with_score(part, place) for part in (*parts, left)]
        return [[] for _part in parts] if any(part and _judge_study(part) for part in known) else parts

    def _of_academy(self, groups: Sequence[GroupFigures], inside: Sequence[GroupFigures]) -> tuple[WideShown, ...]:
        """The means of an academy, with the units behind each: wide.py asks rule 3 of them whenever they are read."""
        places = {group.key: place for place, group in enumerate(groups)}

        def behind(known: Sequence[GroupFigures]) -> tuple[int, ...] | None:
            return None if len(known) == len(inside) else tuple(places[group.key] for group in known)

        def judge(known: Sequence[GroupFigures]) -> Withheld | None:
            return None if len(known) == len(inside) else disclosure.judge_units([group.group for group in known])

        return tuple(
            replace(
                wide,
                behind=behind(self._with_score(inside, place)),
                behind_items=tuple(
                    behind([group for group, _score in self._with_item(inside, place, nth)])
                    for nth in range(len(wide.items))
                ),
            )
            for place, wide in enumerate(self._wide(inside, [], judge))
        )

    def _with_score(self, groups: Sequence[GroupFigures], place: int) -> list[GroupFigures]:
        return [group for group in groups if (group.key, place) in self.scores]

    @cached_property
    def scores(self) -> dict[tuple[str, int], Score]:
        """Per unit and scale the score that follows from the items shown, where the unit shows one."""
        n_points, k = self.definition.n_points, self.study.k
        known = {}
        for group in self.units:
            for place, scale in enumerate(self.scales):
                items = _with_direction(self.unit_shown(group).scales[place].items, scale)
                score = disclosure.scale_score(items, group.group.analysed, n_points, k)
                if score is not None and group.scale(scale.code).n >= k:
                    known[group.key, place] = score
        return known

    def _over(self, groups: Sequence[GroupFigures], place: int, judge: Judge) -> OverUnits:
        """The mean over units, made of what is shown of each; a unit without a score is not in it, and rule 3 asks who is."""
        there = self._with_score(groups, place)
        withheld = judge(there) if there else Withheld(Reason.NOT_MEASURED)
        if withheld:
            return OverUnits(withheld, 0, 0.0)
        known = [(group.group.analysed, self.scores[group.key, place]) for group in there]
        hidden = disclosure.hidden_of_mean(known, disclosure.AGGREGATE_DECIMALS)
        shown = disclosure.show_aggregate(
            [(n, float(score.value)) for n, score in known],
            self.definition.n_points,
            self.spreads[self.scales[place].code],
            like_these=len(groups) >= disclosure.LIKE_THESE,
            about=hidden > disclosure.MOST_HIDDEN,
        )
        return OverUnits(shown, sum(n for n, _score in known), hidden)

    def _aggregate_item(self, groups: Sequence[GroupFigures], place: int, nth: int, judge: Judge) -> float | None:
        """The mean of an item over units, made of what is shown of each, weighted by the units' n."""
        there = self._with_item(groups, place, nth)
        if there and judge([group for group, _score in there]):
            return None
        values = [(group.group.analysed, float(score.value)) for group, score in there]
        shown = disclosure.show_aggregate(values, self.definition.n_points)
        return shown.mean if isinstance(shown, MeanShown) else None

    def _with_item(self, groups: Sequence[GroupFigures], place: int, nth: int) -> list[tuple[GroupFigures, Score]]:
        """The units that show an item, each with its mean as it follows from what is shown."""
        n_points, k = self.definition.n_points, self.study.k
        scores = (
            (
                group,
                disclosure.item_score(
                    self.unit_shown(group).scales[place].items[nth], group.group.analysed, n_points, k
                ),
            )
            for group in groups
        )
        return [(group, score) for group, score in scores if score is not None]

    def _beside(self, inside: Sequence[GroupFigures]) -> Withheld | None:
        """Why all teams may not stand beside an academy: the difference would tell on a team outside it."""
        outside, near = self._around(inside)
        if not outside:
            return Withheld(Reason.FEW_TEAMS)
        groups, of_sector = [unit.group for unit in outside], [unit.group for unit in near]
        return self.study_shown.withheld or disclosure.judge_rest(groups) or disclosure.judge_rest(of_sector)

    def _beside_on(self, inside: Sequence[GroupFigures], place: int) -> Withheld | None:
        """The same of one scale, by the units that have a score there."""
        rests = [[unit.group for unit in self._with_score(rest, place)] for rest in self._around(inside)]
        return next((withheld for rest in rests if (withheld := disclosure.judge_rest(rest))), None)

    def _around(self, inside: Sequence[GroupFigures]) -> tuple[list[GroupFigures], list[GroupFigures]]:
        """The units outside an academy, and those of them in its sector, where that has a mean of its own."""
        keys = {group.key for group in inside}
        sector = inside[0].sector if inside else ""
        near = self.in_sector(sector) if sector in self.sectors else []
        return [unit for unit in self.units if unit.key not in keys], [unit for unit in near if unit.key not in keys]


def read_material(run: AnalysisRun, without: Collection[str] = ()) -> Material:
    """Read everything that the reports of a run are made of; of one that is not published yet ``without`` some units."""
    material = _read_one(run, without)
    return replace(material, previous=_previous(material.study))


def _read_one(run: AnalysisRun, without: Collection[str] = ()) -> Material:
    study = run.survey.study
    definition = definition_of(run.survey.version)
    publications = list(Publication.objects.filter(study=study).order_by("pk"))
    published = next((p for p in publications if p.run_id == run.pk), None)
    scales, groups = final_scales_of(run, definition), load_groups(run)
    released = set(published.groups.values_list("group", flat=True)) if published else None
    material = Material(
        study=study,
        definition=definition,
        scales=scales,
        groups=groups,
        spreads={},
        released=None if released is None else frozenset(released),
        published_at=published.published_at if published else None,
    )
    if published is None and without:  # then they are in no mean over teams either, and in no spread
        material = replace(material, released=frozenset(unit.key for unit in material.units).difference(without))
    earlier = [p.spreads for p in publications if published is None or p.pk <= published.pk]
    return replace(material, spreads=spreads_of(material, earlier))


def spreads_of(material: Material, earlier: Sequence[StoredSpreads]) -> dict[str, Spread | None]:
    """The spread of each scale: as first published for these items, else from the units of this run.

    It stays as it was first published: two spreads, before and after a team came in, would tell that team's.
    """
    spreads: dict[str, Spread | None] = {}
    for scale in material.scales:
        items = [item.code for item in scale.items]
        stored = next((s[scale.code] for s in earlier if scale.code in s and s[scale.code]["items"] == items), None)
        spreads[scale.code] = (
            Spread(stored["sd"], stored["df"])
            if stored
            else disclosure.pooled_spread(
                (f for g in material.units if (f := g.scale(scale.code)).n >= material.study.k),
                material.definition.n_points,
            )
        )
    return spreads


def stored_spreads(material: Material) -> StoredSpreads:
    """The measured spreads as a publication keeps them."""
    return {
        scale.code: {"items": [item.code for item in scale.items], "sd": spread.sd, "df": spread.df}
        for scale in material.scales
        if (spread := material.spreads[scale.code]) is not None and spread.measured
    }


def _shown_item(own: GroupFigures, code: str, k: int) -> ShownItem:
    figures = own.item(code)
    return disclosure.show_item(figures, k) if figures else Withheld(Reason.NOT_MEASURED)


def _with_direction(items: Sequence[ShownItem], scale: FinalScale) -> list[tuple[ShownItem, bool]]:
    """What is shown of a scale's items, each with whether it is reverse-keyed."""
    return [(shown, item.reverse_keyed) for shown, item in zip(items, scale.items, strict=True)]


def _judge_study(units: Sequence[GroupFigures]) -> Withheld | None:
    return disclosure.judge_study([unit.group for unit in units])


def _base(groups: Sequence[GroupFigures], units: Sequence[GroupFigures]) -> Benchmark:
    return Benchmark(
        n_units=sum(len(group.teams) for group in units),
        n_teams=sum(len(group.teams) for group in groups),
        n_respondents=sum(group.group.analysed for group in units),
    )


# ---------------------------------------------------------------------------------------------- previous wave
@dataclass(frozen=True)
class Previous:
    """The published previous wave: it stands by itself, with its own n ≥ k."""

    material: Material

    def of(self, own: GroupFigures) -> Judged | None:
        """The same team, or the same teams together, as that wave shows it; None when there was none."""
        then = self._by_teams.get(frozenset(team.participation.team_id for team in own.teams))
        return None if then is None else Judged(self.material.unit_shown(then), self.material.judge(then))

    @cached_property
    def _by_teams(self) -> dict[frozenset[int], GroupFigures]:
        return {frozenset(t.participation.team_id for t in g.teams): g for g in self.material.groups}


def _previous(study: Study) -> Previous | None:
    if study.previous_id is None:
        return None
    last = (
        Publication.objects.filter(study_id=study.previous_id)
        .select_related("run__survey__version", "run__survey__study")
        .first()
    )
    return Previous(_read_one(last.run)) if last else None
