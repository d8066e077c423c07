"""What published figures say about answers, in the terms of the attacker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

Key = str
Vector = tuple[int | None, ...]


@dataclass(frozen=True)
class ItemSum:
    """The answers of ``members`` to an item add up to at least ``low`` and at most ``high``."""

    members: frozenset[Key]
    item: str
    low: Fraction
    high: Fraction


@dataclass(frozen=True)
class ItemCount:
    """At least ``low`` and at most ``high`` of ``members`` gave this answer."""

    members: frozenset[Key]
    item: str
    value: int
    low: Fraction
    high: Fraction


@dataclass(frozen=True)
class ScoreSum:
    """The scale scores (means over answered items) of ``members`` add up to at least ``low`` and at most ``high``."""

    members: frozenset[Key]
    items: tuple[str, ...]
    low: Fraction
    high: Fraction


@dataclass(frozen=True)
class Spread:
    """The squared deviations of scale scores from the mean of their part, added up over all parts.

    ``between`` gives the bounds; where they depend on the mean of the one part (an interval around it), it is a function
    of that mean and gives None for a mean that cannot be.
    """

    parts: tuple[frozenset[Key], ...]
    items: tuple[str, ...]
    between: tuple[float, float] | Callable[[float], tuple[float, float] | None]

    @property
    def members(self) -> frozenset[Key]:
        return frozenset().union(*self.parts)


Fact = ItemSum | ItemCount | ScoreSum | Spread


def items_of(fact: Fact) -> tuple[str, ...]:
    return (fact.item,) if isinstance(fact, ItemSum | ItemCount) else fact.items


@dataclass(frozen=True)
class Case:
    """Everything released about people whose answers hang together, and the true answers to check it by."""

    k: int
    n_points: int
    items: tuple[str, ...]
    scales: tuple[tuple[str, ...], ...]
    people: Mapping[Key, Vector]
    facts: tuple[Fact, ...]
    reverse_keyed: frozenset[str] = frozenset()
    # what else sets people apart although no figure of this case does: answers left empty elsewhere, other groups
    marks: Mapping[Key, object] = field(default_factory=dict)

    @property
    def tau(self) -> float:
        return (self.n_points - 1) / 6

    def keyed(self, item: str, value: int) -> int:
        return self.n_points + 1 - value if item in self.reverse_keyed else value

    def answered(self, key: Key, items: Sequence[str]) -> list[str]:
        return [item for item in items if self.people[key][self.items.index(item)] is not None]

    def score(self, key: Key, items: Sequence[str]) -> Fraction:
        values = [self.keyed(item, self.people[key][self.items.index(item)]) for item in self.answered(key, items)]
        return Fraction(sum(values), len(values))
