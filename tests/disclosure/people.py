"""A study on paper: people with their answers, and what is published of them in which order. No database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Answers = tuple[int | None, ...]  # one per item, None where it was left empty or could not be judged


@dataclass(frozen=True)
class Person:
    key: str
    team: int
    answers: Answers


@dataclass(frozen=True)
class Version:
    """One publication: whose answers are analysed, the scales as scored, and which sibling teams are combined.

    ``withdrawn``: teams that take no part any more; ``deleted``: those of them whose answers are gone; ``held``: teams whose
    counts wait for a researcher. ``leaves_out``: where it is refused, it is published without the units that can never stand
    beside what was shown: those that the refusal names, or all of them. ``picture``: no publication, but the early picture of the
    unit with these teams, shown in its own meeting.
    """

    analysed: frozenset[str]
    scales: Mapping[str, tuple[str, ...]]
    units: tuple[tuple[int, ...], ...] = ()
    withdrawn: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    leaves_out: Literal["", "named", "all"] = ""
    picture: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wave:
    """One measurement with its publications in order. ``teams`` maps a team to its academy."""

    k: int
    n_points: int
    items: tuple[str, ...]
    teams: Mapping[int, int]
    people: tuple[Person, ...]
    versions: tuple[Version, ...]
    reverse_keyed: frozenset[str] = field(default_factory=frozenset)

    def answer(self, person: Person, item: str) -> int | None:
        return person.answers[self.items.index(item)]

    def keyed(self, person: Person, item: str) -> int | None:
        """The answer turned in the direction of the scale."""
        value = self.answer(person, item)
        return value if value is None or item not in self.reverse_keyed else self.n_points + 1 - value


def minimum_answered(n_items: int) -> int:
    """How many of a scale's items a score needs: the plan's rule, two thirds rounded up."""
    return -(-2 * n_items // 3)


def has_score(wave: Wave, person: Person, items: tuple[str, ...]) -> bool:
    return sum(wave.answer(person, item) is not None for item in items) >= minimum_answered(len(items))
