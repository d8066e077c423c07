"""The groups of a run: teams, and recorded combinations of sibling teams, with their counts and exact figures.

Read from result rows in a fixed number of queries. What of it may be shown, and to whom, disclosure/ judges; nothing in
this module is for readers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery

from analysis.disclosure import Group, Hold, ItemFigures, ScaleFigures, TeamCounts
from analysis.models import AccountingDecision, AnalysisRun, EarlyPicture, Publication, Unit
from analysis.models.results import ItemResult, ReliabilityResult, ScaleResult, ScaleSet
from analysis.reports.shown import Unit as PublishedUnit
from surveys.models import Collection, PresentBy
from surveys.questionnaires.definition import Definition, ItemDef
from teams.models import Participation
from teams.people.contact_person import has_vouched

# the columns of a collection on which it rests whether its team may stand by itself
COUNTED = (
    "mode",
    "approached",
    "n_present",
    "present_by",
    "n_links",
    "n_confirmed",
    "n_paper",
    "n_paper_by_link",
    "one_supplier",
    "on_one_device",
    "shared_device",
)
# of its team: who reads, and who counted
OF_TEAM = ("participation__leader_email", "participation__vouched_by")


@dataclass(frozen=True)
class Moments:
    """n, mean and SD (n−1) of one scale in one team."""

    n: int
    mean: float | None
    sd: float | None


@dataclass(frozen=True)
class TeamFigures:
    participation: Participation
    counts: TeamCounts
    accepted_at: datetime | None = None  # when a researcher last accepted its counts
    scales: dict[str, Moments] = field(default_factory=dict)
    items: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupFigures:
    """A team by itself or a unit of several, as one group."""

    group: Group
    name: str
    teams: tuple[TeamFigures, ...]
    combined_at: datetime | None = None  # of several teams: when they were combined

    @property
    def key(self) -> str:
        return self.group.key

    @property
    def academy_id(self) -> int:
        return self.teams[0].participation.team.academy_id

    @property
    def sector(self) -> str:
        return self.teams[0].participation.team.academy.sector

    @property
    def returned(self) -> int:
        return sum(team.counts.returned for team in self.teams)

    def held(self, k: int) -> list[tuple[Participation, tuple[Hold, ...]]]:
        """The teams whose counts wait for a researcher's decision, each with why."""
        holds = self.group.holds(k)
        return [(team.participation, why) for team, why in zip(self.teams, holds, strict=True) if why]

    def scale(self, code: str) -> ScaleFigures:
        """The figures of one scale, as if several teams were one."""
        return pooled_within([team.scales[code] for team in self.teams if code in team.scales])

    def item(self, code: str) -> ItemFigures | None:
        """Answers per category; None when the item has no row."""
        counts = [team.items[code] for team in self.teams if code in team.items]
        return ItemFigures(tuple(sum(column) for column in zip(*counts, strict=True))) if counts else None


@dataclass(frozen=True)
class FinalScale:
    """A scale after the recorded decisions, as the run used it: its name and texts from the frozen questionnaire."""

    code: str
    name: Mapping[str, str]
    meaning: Mapping[str, str]
    items: tuple[ItemDef, ...]

    @property
    def keyed(self) -> tuple[tuple[str, bool], ...]:
        """The codes of its items, each with whether it is reverse-keyed."""
        return tuple((item.code, item.reverse_keyed) for item in self.items)


def final_scales_of(run: AnalysisRun, definition: Definition) -> list[FinalScale]:
    """The final scales of a run in the questionnaire's order, with their items in the questionnaire's order."""
    codes = dict(ReliabilityResult.objects.filter(run=run, scale_set=ScaleSet.FINAL).values_list("scale", "items"))
    # an amended plan may turn a question round that the questionnaire did not
    keyed = {item for scale in run.plan.content["scales"] for item in scale["reverse_keyed"]}
    return scales_of(definition, {code: {item: item in keyed for item in items} for code, items in codes.items()})


def scales_of(definition: Definition, scorings: Mapping[str, Mapping[str, bool]]) -> list[FinalScale]:
    """Scales by their codes and items, each turned round or not, with names and texts; in the questionnaire's order."""
    all_items = [item for scale in definition.scales for item in scale.items]
    return [
        FinalScale(
            scale.code,
            scale.name,
            scale.meaning,
            tuple(
                replace(item, reverse_keyed=scorings[scale.code][item.code])
                for item in all_items
                if item.code in scorings[scale.code]
            ),
        )
        for scale in definition.scales
        if scale.code in scorings
    ]


def load_groups(run: AnalysisRun) -> list[GroupFigures]:
    """Every group of the run: a unit for teams that were combined, each other team by itself. Seven queries."""
    teams = _teams(run)
    combined: set[int] = set()
    groups = []
    for unit in Unit.objects.filter(study=run.survey.study).prefetch_related("participations"):
        members = tuple(teams[p.pk] for p in unit.participations.all() if p.pk in teams)
        if len(members) > 1:
            combined.update(member.participation.pk for member in members)
            counts = _together(
                unit.decided_at, [(member.participation, member.counts, member.accepted_at) for member in members]
            )
            groups.append(GroupFigures(Group(f"unit:{unit.pk}", counts), unit.name, members, unit.decided_at))
    for pk, team in teams.items():
        if pk not in combined:
            groups.append(GroupFigures(Group(f"team:{pk}", (team.counts,)), team.participation.team.name, (team,)))
    return groups


def group_of(groups: Iterable[GroupFigures], participation: Participation) -> GroupFigures | None:
    """The group that a team is in."""
    return next((g for g in groups if any(t.participation.pk == participation.pk for t in g.teams)), None)


def counted_groups(run: AnalysisRun) -> list[Group]:
    """The groups of the run by their counts alone, as :func:`load_groups` has them; five queries of plain columns."""
    accepted = _accepted(run)
    people = _people_of(run)
    sealed = _sealed(run).select_related("participation").only(*OF_TEAM, *COUNTED)
    teams = {
        collection.participation_id: (
            collection.participation,
            _team_counts(*people[collection.participation_id], collection, collection.participation_id in accepted),
            accepted.get(collection.participation_id),
        )
        for collection in sealed
        if collection.participation_id in people
    }
    groups, combined = [], set()
    for unit in Unit.objects.filter(study=run.survey.study).prefetch_related("participations"):
        members = [p.pk for p in unit.participations.all() if p.pk in teams]
        if len(members) > 1:
            combined.update(members)
            groups.append(Group(f"unit:{unit.pk}", _together(unit.decided_at, [teams[pk] for pk in members])))
    return [
        *groups,
        *(Group(f"team:{pk}", (counts,)) for pk, (_participation, counts, _at) in teams.items() if pk not in combined),
    ]


def collections_of(participations: Iterable[int]) -> dict[int, Counted]:
    """The collections of some teams with what decides whether each may stand by itself now: one query, whoever else is there.

    With them the teams, their academies and institutions by name.
    """
    last = AccountingDecision.objects.filter(participation=OuterRef("participation")).order_by("-decided_at")
    collections = (
        Collection.objects.filter(participation__in=list(participations), state=Collection.State.SEALED)
        .select_related("participation__team__academy__institution")
        .annotate(accepted_at=Subquery(last.values("decided_at")[:1]))
    )
    return {collection.participation_id: Counted(collection, collection.accepted_at) for collection in collections}


@dataclass(frozen=True)
class Counted:
    """A team's collection as it is counted now, and when a researcher last accepted its counts."""

    collection: Collection
    accepted_at: datetime | None


def group_now(unit: PublishedUnit, known: Mapping[int, Counted]) -> Group | None:
    """A unit of a publication with its counts as they are now; None where one of its teams is no longer there."""
    if any(member.participation not in known for member in unit.members):
        return None
    teams = []
    for member in unit.members:
        counted = known[member.participation]
        counts = _team_counts(member.analysed, member.returned, counted.collection, counted.accepted_at is not None)
        teams.append((counted.collection.participation, counts, counted.accepted_at))
    if unit.combined_at is None:
        return Group(unit.key, tuple(counts for _team, counts, _at in teams))
    return Group(unit.key, _together(unit.combined_at, teams))


def _together(
    combined_at: datetime, members: Sequence[tuple[Participation, TeamCounts, datetime | None]]
) -> tuple[TeamCounts, ...]:
    """The counts of teams that were combined: each of their leaders reads them all, and must have counted in none.

    What a researcher accepted of one team, before it was combined, was judged for other readers: it is judged again.
    """
    leaders = [participation.leader_email for participation, _counts, _at in members]
    return tuple(
        replace(
            counts,
            counted_by_leader=counts.counted_by_leader or any(has_vouched(participation, leader) for leader in leaders),
            accepted_by_researcher=accepted_at is not None and accepted_at >= combined_at,
        )
        for participation, counts, accepted_at in members
    )


def _accepted(run: AnalysisRun) -> dict[int, datetime]:
    """Teams whose counts a researcher accepted, and when last."""
    decisions = AccountingDecision.objects.filter(participation__study=run.survey.study).order_by()
    return dict(decisions.values_list("participation_id").annotate(last=Max("decided_at")))


def _sealed(run: AnalysisRun) -> QuerySet[Collection]:
    sealed = Collection.objects.filter(survey=run.survey, state=Collection.State.SEALED)
    if not Publication.objects.filter(run=run).exists():
        # a team that withdraws after a publication stays in what was published, and is in no later one
        sealed = sealed.exclude(participation__state=Participation.State.WITHDRAWN)
    return sealed.order_by("participation_id")


def _people_of(run: AnalysisRun) -> dict[int, tuple[int, int]]:
    """Per team of the run how many responses were analysed, and how many came back: of what its readers are shown."""
    people = {
        int(pk): (team["analysed"], team["analysed"] + team["not_eligible"] + team["screened_out"])
        for pk, team in run.counts.get("teams", {}).items()
    }
    return people | {pk: (team["analysed"], team["returned"]) for pk, team in as_seen(run).items() if pk in people}


def as_seen(run: AnalysisRun) -> dict[int, dict[str, Any]]:
    """The figures of teams that saw a picture of others than the run analysed: they go on to see what they saw.

    By who was in it alone, never by what they answered. What is shown then counts as the same figures (disclosure/versions.py), so
    that no correction of such a team tells on those who were in one and not in the other.
    """
    kept = run.counts.get("pictures", {})
    if not kept:
        return {}
    pictures = EarlyPicture.objects.filter(study=run.survey.study, state=EarlyPicture.State.SHOWN)
    return {
        int(pk): {
            **team,
            "keys": [members[place] for place in team["members"]],
            "scales": kept[pk]["scales"],
            "items": kept[pk]["items"] | team["items"],
        }
        for members, figures in pictures.values_list("members", "figures")
        for pk, team in figures.items()
        if pk in kept
    }


def _team_counts(analysed: int, returned: int, collection: Collection, accepted: bool) -> TeamCounts:
    """Who answered on paper in a meeting was counted among those present.

    Where nobody counted, only forms that researchers typed stand for people: whatever else came in, by the code of the room,
    by links or on paper typed by whoever led the meeting, one person could have sent, and a researcher decides.
    """
    links = collection.n_links or 0
    unconfirmed = links - min(collection.n_confirmed or 0, links)
    counter, present = collection.present_by, collection.n_present
    participation = collection.participation
    by_researchers = max(collection.n_paper - collection.n_paper_by_link, 0)
    people = by_researchers if present is None else present
    not_theirs = people if present is not None and counter in (PresentBy.LEADER, PresentBy.STRANGER) else 0
    before = counter == PresentBy.BEFORE  # sealed by an earlier version: judged by what was known then
    meets = collection.mode in Participation.MEETING_MODES and not before
    not_counted = collection.mode in Participation.MEETING_MODES and present is None
    return TeamCounts(
        analysed=analysed,
        returned=returned,
        present_and_links=people + links,
        approached=collection.approached,
        accepted_by_researcher=accepted,
        not_vouched=unconfirmed + not_theirs,
        unconfirmed_links=unconfirmed,
        present_unknown=meets and present is None and returned > people,
        not_counted=not_counted,
        counted_by_leader=counter == PresentBy.LEADER or has_vouched(participation, participation.leader_email),
        counted_by_stranger=counter == PresentBy.STRANGER,
        links_beside_present=people if meets and links and present is not None else None,
        one_supplier=collection.one_supplier,
        paper_by_link=0 if before else collection.n_paper_by_link,
        on_one_device=0 if collection.shared_device else collection.on_one_device,
    )


def _teams(run: AnalysisRun) -> dict[int, TeamFigures]:
    accepted = _accepted(run)
    people = _people_of(run)
    teams = {}
    for collection in _sealed(run).select_related("participation__team__academy__institution"):
        if collection.participation_id not in people:
            continue  # sealed after this run
        accepted_at = accepted.get(collection.participation_id)
        counts = _team_counts(*people[collection.participation_id], collection, accepted_at is not None)
        teams[collection.participation_id] = TeamFigures(collection.participation, counts, accepted_at)
    for row in ScaleResult.objects.filter(run=run, scale_set=ScaleSet.FINAL, participation__in=teams):
        pk = row.participation_id
        assert pk is not None
        teams[pk].scales[row.scale] = Moments(row.n, row.mean, row.sd)
    for item, pk, counts_ in ItemResult.objects.filter(run=run, participation__in=teams).values_list(
        "item", "participation_id", "counts"
    ):
        teams[pk].items[item] = tuple(counts_)
    for pk, seen in as_seen(run).items():
        if pk in teams:
            scales = {scale: Moments(*moments) for scale, moments in seen["scales"].items()}
            items = {item: tuple(row) for item, row in seen["items"].items()}
            teams[pk] = replace(teams[pk], scales=scales, items=items)
    return teams


# ---------------------------------------------------------------------------------------------- pooling
def pooled_within(moments: Sequence[Moments]) -> ScaleFigures:
    """One group out of several teams: n, mean and SD as if it were one team."""
    known = [(m.n, m.mean, m.sd or 0.0) for m in moments if m.mean is not None]
    n = sum(size for size, _, _ in known)
    if n == 0:
        return ScaleFigures(0, None)
    mean = sum(size * m for size, m, _ in known) / n
    if n == 1:
        return ScaleFigures(n, mean)
    squares = sum((size - 1) * sd**2 + size * (m - mean) ** 2 for size, m, sd in known)
    return ScaleFigures(n, mean, math.sqrt(squares / (n - 1)))
