"""Background answers as researchers see them counted (rule 10)."""

from __future__ import annotations

from collections.abc import Sequence, Set

from analysis.disclosure.groups import MIN_OTHER_UNITS


def teams_counted(now: Set[int], earlier: Sequence[Set[int]]) -> frozenset[int] | None:
    """The teams over which background answers may be counted together; None where no count may be shown.

    A table over all teams tells on one team when the next table has one team more. So the teams counted differ from those of
    every ``earlier`` table by none or by at least three in each direction; else they stay those of the last table.
    """

    def far_enough(teams: Set[int]) -> bool:
        return all(
            len(part) == 0 or len(part) >= MIN_OTHER_UNITS
            for table in earlier
            for part in (teams - table, table - teams)
        )

    candidates = [frozenset(now), *(frozenset(table) for table in reversed(earlier) if table <= now)]
    return next((teams for teams in candidates if len(teams) >= MIN_OTHER_UNITS and far_enough(teams)), None)


def answers_together(counts: Sequence[int], k: int) -> list[tuple[int, ...]] | None:
    """Neighbouring answers taken together until each group holds nobody or at least k; None where fewer than two are left."""
    groups: list[tuple[int, ...]] = [(place,) for place in range(len(counts))]

    def size(group: Sequence[int]) -> int:
        return sum(counts[place] for place in group)

    while len(groups) > 1 and (small := [place for place, group in enumerate(groups) if 0 < size(group) < k]):
        place = min(small, key=lambda at: size(groups[at]))
        beside = [at for at in (place - 1, place + 1) if 0 <= at < len(groups)]
        first = min(place, min(beside, key=lambda at: (size(groups[at]) == 0, size(groups[at]))))
        groups[first : first + 2] = [groups[first] + groups[first + 1]]
    return groups if len(groups) > 1 and all(size(group) == 0 or size(group) >= k for group in groups) else None
