"""The real publishing code on a study without a database: people in, published report objects out.

Only the counting is done here (a test holds it against the engine and its rows); what may be published, what is shown
and how it is rounded is decided by analysis/publication/versions.py, analysis/reports/team.py and disclosure/ themselves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from analysis.disclosure import Group, TeamCounts
from analysis.publication import versions
from analysis.reports import material as materials
from analysis.reports import team as reports
from analysis.reports import wide
from analysis.reports.groups import FinalScale, GroupFigures, Moments, TeamFigures
from analysis.reports.material import Material
from analysis.reports.objects import AcademyReport, StudyReport, TeamReport
from surveys.questionnaires.definition import Definition, ItemDef
from teams.models import Academy, Institution, Participation, Study, Team
from tests.disclosure.people import Person, Version, Wave, has_score


@dataclass(frozen=True)
class Publication:
    """What one version shows to anyone but researchers. ``number``: of its version in the wave; ``version``: as it was judged,
    with the people of its picture in a team that saw one.
    """

    number: int
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
    """The groups of a version with their exact figures, as analysis.reports.groups.load_groups reads them from rows."""
    members: dict[int, list[Person]] = defaultdict(list)
    for person in wave.people:
        if person.key in version.analysed and person.team not in version.withdrawn:
            members[person.team].append(person)
    teams = {}
    for team, academy in wave.teams.items():
        if team in version.withdrawn:
            continue
        people = members[team]
        n = len(people)
        # more came back than were counted: a researcher has to look first
        counts = TeamCounts(n, n + (team in version.held), n, n)
        figures = TeamFigures(participation_of(team, academy), counts)
        for scale, items in version.scales.items():
            figures.scales[scale] = moments_of(scores_of(wave, people, items))
        for item in wave.items:
            given = [wave.answer(person, item) for person in people]
            figures.items[item] = tuple(given.count(value) for value in range(1, wave.n_points + 1))
        teams[team] = figures
    left = [tuple(team for team in unit if team in teams) for unit in version.units]
    units = [unit for unit in left if len(unit) > 1]
    combined = {team for unit in units for team in unit}
    groups = [(f"unit:{min(unit)}", unit) for unit in units]
    groups += [(f"team:{team}", (team,)) for team in teams if team not in combined]
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
    """Publish the versions in order; one that disclosure/ does not allow is left out, as publishing refuses it."""
    study = Study(slug="paper", title="paper", k=wave.k, wave=2 if previous else 1)
    shown = Shown([], [], [])
    published = []
    values: dict[str, dict[str, float]] = {}
    seen: dict[int, frozenset[str]] = {}  # who was in the picture of each team that saw one
    for number, planned in enumerate(wave.versions):
        version = as_seen(wave, planned, seen)
        gone = {person.key for person in wave.people if person.team in version.deleted}
        values = {
            measure: {key: value for key, value in known.items() if key not in gone}
            for measure, known in versions.together(values, values_of(wave, version)).items()
        }
        if version.picture:
            pictured = picture(wave, version, study, previous, shown, values)
            if pictured is None or seen.keys() & version.picture:  # a unit has one picture
                continue
            material, members = pictured
            seen |= members
        else:
            new = material_of(wave, version, study, previous, shown.spreads)
            allowed_material = allowed(wave, version, new, shown, values)
            if allowed_material is None:
                continue
            material = allowed_material
        participations = [team.participation for group in material.groups for team in group.teams]
        academies = () if version.picture else sorted(set(wave.teams.values()))
        published.append(
            Publication(
                number,
                version,
                material,
                tuple(reports.render_team(material, participation, "en") for participation in participations),
                tuple(wide.render_academy(material, academy, "en") for academy in academies),
                wide.render_study(material, "en"),
            )
        )
    return published


def as_seen(wave: Wave, version: Version, seen: Mapping[int, frozenset[str]]) -> Version:
    """A version as it is published: a team that saw its picture goes on to be shown with the people of the picture."""
    others = {person.key for person in wave.people if person.key in version.analysed and person.team not in seen}
    return replace(version, analysed=frozenset(others.union(*seen.values()))) if seen else version


def picture(
    wave: Wave,
    version: Version,
    study: Study,
    previous: Material | None,
    shown: Shown,
    values: versions.Values,
) -> tuple[Material, dict[int, frozenset[str]]] | None:
    """The early picture of one unit with who was in it, noted in ``shown``; None where it is withheld. As mirror/making.py."""
    whole = material_of(wave, version, study, previous, [])
    groups = [group for group in whole.groups if {t.participation.pk for t in group.teams} == set(version.picture)]
    material = replace(whole, groups=groups, spreads={})
    material = replace(material, spreads=materials.spreads_of(material, []))
    if not material.units:
        return None
    members = {
        team: frozenset(p.key for p in wave.people if p.team == team and p.key in version.analysed)
        for team in version.picture
    }
    units = {groups[0].key: frozenset().union(*members.values())}
    answers = {item: known for item, known in values_of(wave, version).items() if item in wave.items}
    new = versions.figures_of(units, answers, wave.k)
    if versions.telling_figures(shown.figures, new, values, wave.n_points, wave.k):
        return None
    shown.figures.append(new)
    shown.units.append(units)
    return material, members


@dataclass(frozen=True)
class Shown:
    """What was published so far: who stood behind which figure, who was in which unit, the spreads."""

    figures: list[versions.Figures]
    units: list[versions.Units]
    spreads: list[materials.StoredSpreads]


def allowed(wave: Wave, version: Version, material: Material, shown: Shown, values: versions.Values) -> Material | None:
    """What is published of a version, noted in ``shown``; None where it is refused. As publishing.publish judges it,
    asked again without the units that its refusal names as long as it names more of them.
    """
    keys_of: dict[int, list[str]] = defaultdict(list)
    for person in wave.people:
        if person.key in version.analysed and person.team not in version.withdrawn:
            keys_of[person.team].append(person.key)
    scored, whole = values_of(wave, version), material
    stuck = versions.stuck_beside(shown.units, versions.released_units(whole, keys_of), wave.k)
    without: frozenset[str] = frozenset()
    while True:
        units = versions.released_units(material, keys_of)
        new = versions.figures_of(units, scored, wave.k)
        telling = versions.telling_figures(shown.figures, new, values, wave.n_points, wave.k)
        if not telling:
            break
        named = stuck.intersection(unit for unit, _measure in telling)
        if not version.leaves_out or not named - without:
            return None
        without |= named if version.leaves_out == "named" else stuck
        released = frozenset(unit.key for unit in whole.units) - without
        material = replace(whole, released=released)
        material = replace(material, spreads=materials.spreads_of(material, shown.spreads))
    shown.figures.append(new)
    shown.units.append(units)
    shown.spreads.append(materials.stored_spreads(material))
    return material


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
