"""The real publishing code on a study without a database: people in, published report objects out.

Only the counting is done here (a test holds it against the engine and its rows); what may be published, what is shown
and how it is rounded is decided by analysis/publishing.py, reports.py and disclosure.py themselves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from analysis import publishing, reports
from analysis.disclosure import Group, TeamCounts
from analysis.groups import FinalScale, GroupFigures, Moments, TeamFigures
from analysis.reports import AcademyReport, Material, TeamReport
from surveys.definition import Definition, ItemDef
from teams.models import Academy, Institution, Participation, Study, Team
from tests.disclosure.people import Person, Version, Wave, has_score, minimum_answered


@dataclass(frozen=True)
class Publication:
    """What one version shows to anyone but researchers."""

    version: Version
    teams: tuple[TeamReport, ...]
    academies: tuple[AcademyReport, ...]


@cache
def t_quantile(df: int) -> float:
    return float(stats.t.ppf(0.975, df))


def participation_of(team: int, academy: int, study: Study) -> Participation:
    owner = Academy(pk=academy, name=f"academy {academy}", institution=Institution(pk=1, name="institution"))
    return Participation(
        pk=team, study=study, team=Team(pk=team, name=str(team), academy=owner), approached=99, director_sees_team=True
    )


def definition_of(wave: Wave) -> Definition:
    options = tuple((value, {"en": str(value)}) for value in range(1, wave.n_points + 1))
    empty: dict[str, str] = {}
    return Definition("paper", ("en",), empty, empty, empty, empty, empty, options, None, (), None, ())


def scores_of(wave: Wave, people: list[Person], items: tuple[str, ...]) -> list[float]:
    """Scale scores of those who answered enough items."""
    return [
        float(np.mean([value for item in items if (value := wave.keyed(person, item)) is not None]))
        for person in people
        if has_score(wave, person, items)
    ]


def moments_of(scores: list[float], n_points: int, complete: list[list[int]]) -> Moments:
    """n, mean, SD, interval and AD_M as methods.md defines them."""
    n = len(scores)
    if n == 0:
        return Moments(0, None, None)
    mean = math.fsum(scores) / n
    ad = None
    if len(complete) >= 2:
        table = np.array(complete, dtype=float)
        ad = float(np.abs(table - table.mean(axis=0)).mean())
    if n == 1:
        return Moments(n, mean, None, ad=ad)
    sd = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (n - 1))
    half = t_quantile(n - 1) * sd / math.sqrt(n)
    return Moments(n, mean, sd, max(1.0, mean - half), min(float(n_points), mean + half), ad)


def figures_of(wave: Wave, version: Version, study: Study) -> list[GroupFigures]:
    """The groups of a version with their exact figures, as analysis.groups.load_groups reads them from rows."""
    members: dict[int, list[Person]] = defaultdict(list)
    for person in wave.people:
        if person.key in version.analysed:
            members[person.team].append(person)
    teams = {}
    for team, academy in wave.teams.items():
        people = members[team]
        n = len(people)
        figures = TeamFigures(participation_of(team, academy, study), TeamCounts(n, n, n, n))
        for scale, items in version.scales.items():
            complete = [
                [value for item in items if (value := wave.keyed(person, item)) is not None] for person in people
            ]
            figures.scales[scale] = moments_of(
                scores_of(wave, people, items), wave.n_points, [row for row in complete if len(row) == len(items)]
            )
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


def behind(wave: Wave, version: Version, groups: list[GroupFigures]) -> publishing.Figures:
    """Who stands behind each figure of a version."""
    people = [person for person in wave.people if person.key in version.analysed]
    keys_of: dict[int, list[str]] = defaultdict(list)
    for person in people:
        keys_of[person.team].append(person.key)
    who = {
        item: frozenset(person.key for person in people if wave.answer(person, item) is not None) for item in wave.items
    }
    for scale, items in version.scales.items():
        who[scale] = frozenset(person.key for person in people if has_score(wave, person, items))
    return publishing.figures_behind(publishing.released_groups(groups, wave.k, keys_of), who)


def publish(wave: Wave, previous: Publication | None = None) -> list[Publication]:
    """Publish the versions in order; one that disclosure.py does not allow is left out, as publishing refuses it."""
    study = Study(slug="paper", title="paper", k=wave.k, wave=1)
    definition = definition_of(wave)
    earlier: list[publishing.Figures] = []
    published = []
    for version in wave.versions:
        groups = figures_of(wave, version, study)
        new = behind(wave, version, groups)
        if publishing.disclosure.version_conflicts(earlier, new, wave.k):
            continue
        earlier.append(new)
        scales = [
            FinalScale(
                code,
                {"en": code},
                {"en": ""},
                tuple(ItemDef(item, {"en": item}, item in wave.reverse_keyed) for item in items),
            )
            for code, items in version.scales.items()
        ]
        material = Material(study, definition, scales, groups)
        published.append(
            Publication(
                version,
                tuple(
                    reports.render_team(material, team.participation, "en") for group in groups for team in group.teams
                ),
                tuple(reports.render_academy(material, academy, "en") for academy in sorted(set(wave.teams.values()))),
            )
        )
    return published


__all__ = ["Publication", "minimum_answered", "publish"]
