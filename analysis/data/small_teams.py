"""Whose figures a researcher is not shown: teams of fewer than k people, and who would give them away.

What is shown over all teams, less what is shown of each, is what is not shown: of one hidden team of four it would be the
figures of those four. So hidden teams are at least k people together, or the smallest of the others is hidden too. A mean of
a sector, a way of asking or a form of the programme is such a whole as well. Teams that every shown whole holds or leaves
alike are a cell; within each cell the hidden teams are none or at least k people, so whatever sums of people are added and
taken away, what comes out are hidden teams of whole cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from analysis.models import AnalysisRun
from analysis.models.results import ScaleResult

Name = TypeVar("Name", int, str)
#: What teams are grouped by on pages that show means; the first is given up first.
PARTS = ("form", "sector", "mode")
#: Hidden teams of a cell that no means by other weights tell apart: there are five kinds (over people, over teams, three models).
ENOUGH = 6


def hidden(sizes: Mapping[Name, int], k: int) -> frozenset[Name]:
    """Of groups with their numbers of people those without figures; an empty one gives nothing away."""
    few = {name for name, n in sizes.items() if 0 < n < k}
    together = sum(sizes[name] for name in few)
    for name in sorted(sizes.keys() - few, key=lambda name: (sizes[name], str(name))):
        if not few or together >= k:
            break
        if sizes[name]:
            few.add(name)
            together += sizes[name]
    return frozenset(few)


@dataclass(frozen=True)
class Unshown:
    """The teams without figures on a scale, the groups without a mean by what they are groups of, and the cells."""

    teams: frozenset[int] = frozenset()
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    cells: tuple[Mapping[int, int], ...] = ()  # participation → people
    of_team: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # its groups, in the order of PARTS

    def without_model(self, part: str) -> frozenset[str]:
        """The groups of a part of which not even a model's mean is shown."""
        at = PARTS.index(part)
        members: dict[str, set[int]] = {}
        for team, names in self.of_team.items():
            members.setdefault(names[at], set()).add(team)
        thin = {name for name, teams in members.items() if not self.allows_weights(teams)}
        return self.groups.get(part, frozenset()) | thin

    def allows(self, whole: Collection[int], k: int) -> bool:
        """Whether the mean of one more whole leaves no hidden people fewer than k, in it or beside it."""
        for cell in self.cells:
            of_hidden = {team: n for team, n in cell.items() if team in self.teams}
            within = sum(n for team, n in of_hidden.items() if team in whole)
            if 0 < within < k or 0 < sum(of_hidden.values()) - within < k:
                return False
        return True

    def allows_weights(self, whole: Collection[int] | None = None) -> bool:
        """Whether a mean that does not weigh teams by their people (a mean of team means, a model's mean) may be shown.

        Beside the mean over the people it is a second equation about the same hidden teams: of two it would give each.
        """
        of_whole = [cell for cell in self.cells if whole is None or not cell.keys().isdisjoint(whole)]
        return all(len(self.teams & cell.keys()) not in range(1, ENOUGH) for cell in of_whole)


def unshown(sizes: Mapping[int, int], groups: Mapping[int, Mapping[str, str]], k: int) -> Unshown:
    """Which teams and which groups of teams have no figures, from the people who answered and what each belongs to.

    Where a cell is fewer than k people as a whole, the group that costs least is not shown, so that the cell is part of another.
    """
    answered = {team: n for team, n in sizes.items() if n}
    of_team = {team: tuple(groups.get(team, {}).get(part) or "" for part in PARTS) for team in answered}
    people = [Counter[str]() for _part in PARTS]
    for team, names in of_team.items():
        for counted, name in zip(people, names, strict=True):
            counted[name] += answered[team]
    closed = [hidden(counted, k) for counted in people]
    cells = _cells(answered, of_team, closed)
    while failing := _failing(cells, k):
        options = [
            option
            for at, name in enumerate(min(failing))
            if (option := _closed_too(closed, at, name.removeprefix("="), people[at])) != closed
        ]
        if not options:
            break  # fewer than k people in all
        tried = [(option, _cells(answered, of_team, option)) for option in options]
        closed, cells = min(tried, key=lambda attempt: (len(_failing(attempt[1], k)), sum(map(len, attempt[0]))))
    teams = frozenset(team for cell in cells.values() for team in hidden(cell, k))
    return Unshown(teams, dict(zip(PARTS, closed, strict=True)), tuple(cells.values()), of_team)


#: The shown groups that a team is of, in the order of ``PARTS``: "=NAME", or "" for those that are not shown.
Cell = tuple[str, ...]


def _cells(
    answered: Mapping[int, int], of_team: Mapping[int, tuple[str, ...]], closed: list[frozenset[str]]
) -> dict[Cell, dict[int, int]]:
    cells: dict[Cell, dict[int, int]] = {}
    for team, names in of_team.items():
        cell = tuple("" if name in shut else f"={name}" for name, shut in zip(names, closed, strict=True))
        cells.setdefault(cell, {})[team] = answered[team]
    return cells


def _failing(cells: Mapping[Cell, Mapping[int, int]], k: int) -> list[Cell]:
    return [cell for cell, teams in cells.items() if sum(teams.values()) < k]


def _closed_too(closed: list[frozenset[str]], at: int, name: str, people: Counter[str]) -> list[frozenset[str]]:
    """One more group is not shown: the one of the cell, or if it is not shown already, the smallest of the others.

    Where it would be the only one, the smallest of the others is not shown either; one group of all teams is all teams.
    """
    shut = set(closed[at])
    wanted = max(len(shut) + 1, 2)
    for other in sorted(people, key=lambda other: (other != name, people[other], other)):
        if len(shut) < wanted <= len(people):
            shut.add(other)
    return [*closed[:at], frozenset(shut), *closed[at + 1 :]]


def unshown_of(run: AnalysisRun, scale_set: str, scale: str) -> Unshown:
    """What of a scale is not shown; two queries, whatever the number of teams, and one where all teams are large."""
    k = run.survey.study.k
    of_scale = ScaleResult.objects.filter(run=run, scale_set=scale_set, scale=scale, participation__isnull=False)
    if not of_scale.filter(n__gt=0, n__lt=k).exists():
        return Unshown()
    sizes: dict[int, int] = {}
    groups: dict[int, dict[str, str]] = {}
    columns = ("participation_id", "n", "participation__team__form", "participation__team__academy__sector")
    for team, n, *names in of_scale.values_list(*columns, "participation__collection__mode"):
        sizes[team], groups[team] = n, {part: name or "" for part, name in zip(PARTS, names, strict=True)}
    return unshown(sizes, groups, k)


def hidden_teams(run: AnalysisRun, scale_set: str, scale: str) -> frozenset[int]:
    """The participations of which a scale's figures are not shown."""
    return unshown_of(run, scale_set, scale).teams
