"""The real publishing code on a study without a database: people in, published report objects out.

Only the counting is done here (a test holds it against the engine and its rows); what may be published, what is shown
and how it is rounded is decided by analysis/publishing.py, reports.py and disclosure.py themselves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from analysis import material as materials
from analysis import publishing, reports, wide_reports
from analysis.disclosure import Group, TeamCounts
from analysis.groups import FinalScale, GroupFigures, Moments, TeamFigures
from analysis.material import Material
from analysis.report_objects import AcademyReport, StudyReport, TeamReport
from surveys.definition import Definition, ItemDef
from teams.models import Academy, Institution, Participation, Study, Team
from tests.disclosure.people import Person, Version, Wave, has_score


@dataclass(frozen=True)
class Publication:
    """What one version shows to anyone but researchers."""

    version: Version
    material: Material
    teams: tuple[TeamReport, ...]
    academies: tuple[AcademyReport, ...]
    everybody: StudyReport


@cache
def participation_of(team: int, academy: int) -> Participation:
    owner = Academy(
        pk=academy,
        name=f"academy {academy}",
        sector=("health", "economics")[academy % 2],
        institution=Institution(pk=1, name="institution"),
    )
    # every second leader agreed that the director sees the team by itself
    return Participation(
        pk=team, team=Team(pk=team, name=str(team), academy=owner), approached=99, director_sees_team=team % 2 == 1
    )


def definition_of(wave: Wave) -> Definition:
    options = tuple((value, {"en": str(value)}) for value in range(1, wave.n_points + 1))
    empty: dict[str, str] = {}
    return Definition("paper", ("en",), empty, empty, empty, empty, empty, options, None, (), None, ())


def scores_of(wave: Wave, people: list[Person], items: tuple[str, ...]) -> list[float]:
    """Scale scores of those who answered enough items."""
    scores = []
    for person in people:
        if has_score(wave, person, items):
            given = [value for item in items if (value := wave.keyed(person, item)) is not None]
            scores.append(sum(given) / len(given))
    return scores


def moments_of(scores: list[float]) -> Moments:
    """n, mean and SD (n−1)."""
    n = len(scores)
    if n == 0:
        return Moments(0, None, None)
    mean = math.fsum(scores) / n
    if n == 1:
        return Moments(n, mean, None)
    return Moments(n, mean, math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (n - 1)))


def figures_of(wave: Wave, version: Version) -> list[GroupFigures]:
    """The groups of a version with their exact figures, as analysis.groups.load_groups reads them from rows."""
    members: dict[int, list[Person]] = defaultdict(list)
    for person in wave.people:
        if person.key in version.analysed:
            members[person.team].append(person)
    teams = {}
    for team, academy in wave.teams.items():
        people = members[team]
        n = len(people)
        figures = TeamFigures(participation_of(team, academy), TeamCounts(n, n, n, n))
        for scale, items in version.scales.items():
            figures.scales[scale] = moments_of(scores_of(wave, people, items))
        for item in wave.items:
            given = [wave.answer(person, item) for person in people]
            figures.items[item] = tuple(given.count(value) for value in range(1, wave.n_points + 1))
        teams[team] = figures
    combined = {team for unit in version.units for team in unit}
    groups = [(f"unit:{min(unit)}", unit) for unit in version.units]
    groups += [(f"team:{team}", (team,)) for team in wave.teams if team not in combined]
    return [
        GroupFigures(Group(key, tuple(teams[t].counts for t in unit)), key, tuple(teams[t] for t in unit))
        for key, unit in groups
    ]


def values_of(wave: Wave, version: Version) -> dict[str, dict[str, float]]:
    """Per item the answers, per scale the scores."""
    people = list(wave.people)
    values: dict[str, dict[str, float]] = {
        item: {p.key: float(value) for p in people if (value := wave.answer(p, item)) is not None}
        for item in wave.items
    }
    for scale, items in version.scales.items():
        values[scale] = {p.key: scores_of(wave, [p], items)[0] for p in people if has_score(wave, p, items)}
    return values


def publish(wave: Wave, previous: Material | None = None) -> list[Publication]:
    """Publish the versions in order; one that disclosure.py does not allow is left out, as publishing refuses it."""
    study = Study(slug="paper", title="paper", k=wave.k, wave=2 if previous else 1)
    earlier: list[publishing.Release] = []
    spreads: list[materials.StoredSpreads] = []
    published = []
    for version in wave.versions:
        material = material_of(wave, version, study, previous, spreads)
        keys_of: dict[int, list[str]] = defaultdict(list)
        for person in wave.people:
            if person.key in version.analysed:
                keys_of[person.team].append(person.key)
        released = publishing.released_units(material, keys_of)
        new = publishing.Release(released, values_of(wave, version))
        if publishing.told_by_versions(earlier, new, wave.n_points, wave.k):
            continue
        earlier.append(new)
        spreads.append(materials.stored_spreads(material))
        participations = [team.participation for group in material.groups for team in group.teams]
        published.append(
            Publication(
                version,
                material,
                tuple(reports.render_team(material, participation, "en") for participation in participations),
                tuple(
                    wide_reports.render_academy(material, academy, "en") for academy in sorted(set(wave.teams.values()))
                ),
                wide_reports.render_study(material, "en"),
            )
        )
    return published


def material_of(
    wave: Wave,
    version: Version,
    study: Study,
    previous: Material | None,
    earlier: Sequence[materials.StoredSpreads],
) -> Material:
    """What material.read_material reads for a run of this version."""
    material = Material(
        study=study,
        definition=definition_of(wave),
        scales=[
            FinalScale(
                code,
                {"en": code},
                {"en": ""},
                tuple(ItemDef(item, {"en": item}, item in wave.reverse_keyed) for item in items),
            )
            for code, items in version.scales.items()
        ],
        groups=figures_of(wave, version),
        spreads={},
        previous=materials.Previous(previous) if previous else None,
    )
    return replace(material, spreads=materials.spreads_of(material, earlier))
