"""What the reports of a run are made of: groups, scales and spreads, read once. From here on everything is pure.

Only `team.py` and `wide.py` read this; what of it may be shown, disclosure/ judges.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from analysis import disclosure
from analysis.disclosure import Group, MeanShown, Reason, ShownItem, ShownScale, Spread, Withheld
from analysis.models import AnalysisRun, Publication
from analysis.reports.groups import FinalScale, GroupFigures, final_scales_of, load_groups
from surveys.questionnaires.definition import Definition
from surveys.questionnaires.publishing import definition_of
from teams.models import Study

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
        by_sector: dict[str, list[Group]] = {}
        for group in self.units:
            by_sector.setdefault(group.sector, []).append(group.group)
        return disclosure.sectors_shown(by_sector) if len(by_sector) > 1 else []

    def in_sector(self, sector: str) -> list[GroupFigures]:
        """The units of a sector."""
        return [group for group in self.units if group.sector == sector]

    def judge(self, group: GroupFigures) -> Withheld | None:
        """Whether a group is shown, as every way out asks it."""
        return disclosure.judge_published(group.group, self.study.k, self.released)


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


# ---------------------------------------------------------------------------------------------- what is shown
def shown_scale(material: Material, group: GroupFigures, scale: FinalScale) -> ShownScale:
    """The one way to a group's scale mean, so that every report of it, in any wave, shows the same number."""
    n_points, k = material.definition.n_points, material.study.k
    n, items = group.scale(scale.code).n, _turned_items(material, group, scale)
    return disclosure.show_scale(n, items, material.spreads[scale.code], n_points, k)


def _turned_items(material: Material, group: GroupFigures, scale: FinalScale) -> list[ShownItem]:
    """What is shown of the scale's items, in the direction of the scale."""
    n_points, k = material.definition.n_points, material.study.k
    shown = [(shown_item(group, item.code, k), item.reverse_keyed) for item in scale.items]
    return [disclosure.turned(item, n_points) if reverse else item for item, reverse in shown]


def aggregate(material: Material, groups: Sequence[GroupFigures], scale: FinalScale) -> ShownScale:
    """The mean over units, made of what is shown of each; a unit with too few scores is not in it."""
    n_points, k = material.definition.n_points, material.study.k
    values = [
        (group.scale(scale.code).n, disclosure.scale_value(_turned_items(material, group, scale), n_points))
        for group in groups
    ]
    return disclosure.show_aggregate([(n, value) for n, value in values if n >= k and value is not None], n_points)


def aggregate_item(material: Material, groups: Sequence[GroupFigures], code: str) -> float | None:
    """The mean of an item over units, made of what is shown of each, weighted by who answered it."""
    n_points, k = material.definition.n_points, material.study.k
    values = []
    for group in groups:
        figures, value = group.item(code), disclosure.item_value(shown_item(group, code, k), n_points)
        if figures is not None and value is not None:
            values.append((figures.n, value))
    shown = disclosure.show_aggregate(values, n_points)
    return shown.mean if isinstance(shown, MeanShown) else None


def shown_item(own: GroupFigures, code: str, k: int) -> ShownItem:
    """What is shown of one item of a group."""
    figures = own.item(code)
    return disclosure.show_item(figures, k) if figures else Withheld(Reason.NOT_MEASURED)


# ---------------------------------------------------------------------------------------------- previous wave
@dataclass(frozen=True)
class Previous:
    """The published previous wave: it stands by itself, with its own n ≥ k."""

    material: Material

    def scale(self, scale: FinalScale) -> FinalScale | None:
        """The scale as it was, if it had the same items."""
        before = next((s for s in self.material.scales if s.code == scale.code), None)
        same = before is not None and {item.code for item in before.items} == {item.code for item in scale.items}
        return before if same else None

    def of(self, own: GroupFigures, scale: FinalScale) -> ShownScale | None:
        """The mean of the same team, or of the same teams together; None when there was none, or of other items."""
        before = self.scale(scale)
        if before is None:
            return None
        teams = {t.participation.team_id for t in own.teams}
        then = next((g for g in self.material.groups if {t.participation.team_id for t in g.teams} == teams), None)
        if then is None:
            return None
        return self.material.judge(then) or shown_scale(self.material, then, before)


def _previous(study: Study) -> Previous | None:
    if study.previous_id is None:
        return None
    last = (
        Publication.objects.filter(study_id=study.previous_id)
        .select_related("run__survey__version", "run__survey__study")
        .first()
    )
    return Previous(_read_one(last.run)) if last else None
