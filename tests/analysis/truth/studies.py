"""Studies as they are, small and large, published as in life: two waves, answers left empty, caps, teams combined."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from analysis.disclosure import Withheld
from analysis.reports.objects import ScaleReport, TeamReport, WideReport
from analysis.reports.team import Goal, render_team
from analysis.reports.wide import render_academy, render_study
from tests.disclosure.people import Person, Version, Wave
from tests.disclosure.study import Publication, publish

ITEMS = ("A1", "A2", "A3", "A4", "B1", "B2", "B3", "C1", "C2")
SCALES = {"Vision": ("A1", "A2", "A3", "A4"), "Dialogue": ("B1", "B2", "B3"), "Action": ("C1", "C2")}
K = 5


CHANGES = (0.0, 0.0, 0.3, -0.3, 0.7, -0.7)


def study(seed: int, changes: Sequence[float] = CHANGES) -> tuple[Wave, Wave]:
    """Two waves of one study: the same teams, other people, some teams changed and some not."""
    rng = random.Random(seed)
    n_points = rng.choice((4, 4, 4, 5, 7))
    empty = rng.choice((0.0, 0.01, 0.03))
    teams = {team: team % 2 for team in range(rng.choice((5, 6, 8, 12)))}
    sizes = {team: rng.choice((5, 6, 6, 7, 8, 9, 10, 12, 14, 14, 18, 25)) for team in teams}
    # item means all over the scale, so that some are capped
    of_item = {item: rng.uniform(1.15, 3.85) for item in ITEMS}
    of_team = {(team, scale): rng.gauss(0, 0.27) for team in teams for scale in SCALES}
    reverse = frozenset(rng.sample(ITEMS, rng.choice((0, 0, 1))))
    units = ((0, 2),) if rng.random() < 0.4 else ()
    waves = []
    for number in (1, 2):
        if number == 2:
            for team in teams:
                change = rng.choice(changes)
                for scale in SCALES:
                    of_team[team, scale] += change
        people = []
        for team in teams:
            n = sizes[team] if number == 1 else max(5, sizes[team] + rng.choice((-2, -1, 0, 1)))
            for person in range(n):
                own = rng.gauss(0, 0.4)
                answers = []
                for item in ITEMS:
                    scale = next(name for name, items in SCALES.items() if item in items)
                    latent = of_item[item] + of_team[team, scale] + own + rng.gauss(0, 0.5)
                    value = round(1 + (latent - 1) * (n_points - 1) / 3)
                    answers.append(None if rng.random() < empty else min(max(value, 1), n_points))
                people.append(Person(f"{number}-{team}-{person}", team, tuple(answers)))
        version = Version(frozenset(p.key for p in people), SCALES, units)
        waves.append(Wave(K, n_points, ITEMS, teams, tuple(people), (version,), reverse))
    return waves[0], waves[1]


def reports(
    seed: int, language: str, changes: Sequence[float] = CHANGES
) -> tuple[Wave, Wave, Publication, list[TeamReport | WideReport]]:
    """The reports of the second wave, with targets, in a language; none where nothing was published."""
    then, now = study(seed, changes)
    before = publish(then)
    publications = publish(now, before[-1].material) if before else []
    if not publications:
        return then, now, None, []  # type: ignore[return-value]
    material = publications[-1].material
    rng = random.Random(seed)
    made: list[TeamReport | WideReport] = []
    for group in material.groups:
        goals = {scale: Goal(round(rng.uniform(1.5, 3.8), 1)) for scale in SCALES}
        for team in group.teams:
            # a few did not answer
            gone = rng.choice((0, 2, 5))
            counted = replace(
                group,
                teams=tuple(
                    replace(team, counts=replace(team.counts, approached=team.counts.returned + gone))
                    for team in group.teams
                ),
            )
            groups = [counted if g is group else g for g in material.groups]
            made.append(render_team(replace(material, groups=groups), team.participation, language, goals))
    made += [render_academy(material, academy, language) for academy in sorted(set(now.teams.values()))]
    made.append(render_study(material, language))
    return then, now, publications[-1], made


def scales_of(report: TeamReport | WideReport) -> tuple[ScaleReport, ...]:
    """The scales of a report, if it shows any."""
    return () if isinstance(report.scales, Withheld) else report.scales  # type: ignore[return-value]
