"""Worlds that the integer programs found, kept: a target that differs between them needs no program of its own.

A world found for one insider (or for none) is a world for another insider when the people who are not the target can be
divided into him, with his own answers, and a rest: when in his class somebody gave each of his answers, and somebody has
each of his scale sums. What is left then satisfies every row of his program, because each row is about whole classes:
taking him out of a cell and adding him as a cell of his own changes no sum. Nor does it matter which people of a class are the
target, only how many. So nothing is taken for granted here: each kept world is a point of the very program that would
otherwise be solved, and what differs between two of its points is not disclosed. Finding none proves nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.disclosure.facts import Case, Key

if TYPE_CHECKING:
    from tests.disclosure.attacker import Program

Class = Hashable  # people who cannot be told apart
Sizes = Mapping[Class, int]  # how many of each class are the target
Answer = tuple[str, int]  # item, value as answered
Sum = tuple[tuple[str, ...], int]  # items of a scale, sum of keyed answers


@dataclass(frozen=True)
class World:
    """How many people gave which answer: of the target and of the others, per class.

    A class that is not in it answers as it truly did.
    """

    target: Mapping[Class, Counter[Answer]]
    rest: Mapping[Class, Counter[Answer]]
    sums: Mapping[Class, Counter[Sum]]  # of the others, where a spread asks for them
    totals: dict[tuple[str, ...], int] = field(default_factory=dict)  # of the target, as counted before

    def allows(self, of: Class, answers: Iterable[Answer], sums: Iterable[Sum]) -> bool:
        """Whether one of a class who is not the target may have given these answers, with these scale sums."""
        if of not in self.rest:
            return of not in self.target
        rest, known = self.rest[of], self.sums[of]
        return all(rest[answer] for answer in answers) and all(known[of_sum] for of_sum in sums)


class KnownWorlds:
    """What the programs of a case found, by how many of each class were the target."""

    def __init__(self, case: Case, class_of: Mapping[Key, Class]) -> None:
        self.case = case
        self.class_of = class_of
        self.answered: dict[Class, tuple[str, ...]] = {}
        for key, of in class_of.items():
            self.answered.setdefault(of, tuple(case.answered(key, case.items)))
        self.by_sizes: dict[frozenset[tuple[Class, int]], list[World]] = defaultdict(list)
        self.own: dict[tuple[Key, frozenset[tuple[str, ...]]], tuple[list[Answer], list[Sum]]] = {}

    def keep(self, program: Program, group: Sequence[Key], insider: Key | None, sizes: Sizes) -> None:
        """Keep what a program found last, after its rows are counted again in whole numbers."""
        point = program.whole_point()
        if point is None:
            return
        chosen = set(group)
        target: dict[Class, Counter[Answer]] = defaultdict(Counter)
        rest: dict[Class, Counter[Answer]] = defaultdict(Counter)
        sums: dict[Class, Counter[Sum]] = defaultdict(Counter)
        for (cell, item, value), variable in program.h.items():
            first = program.cells[cell][0]
            (target if first in chosen else rest)[self.class_of[first]][item, value] += point[variable]
        for (cell, items), (_answered, of_sum) in program.y.items():
            first = program.cells[cell][0]
            if first not in chosen:
                for total, variable in of_sum.items():
                    sums[self.class_of[first]][items, total] += point[variable]
        for of in rest:
            sums[of]  # an empty count where no spread asks
        self.by_sizes[frozenset(sizes.items())].append(World(dict(target), dict(rest), dict(sums)))

    def width(self, measure: tuple[str, ...], sizes: Sizes, insider: Key | None, truth: int, parts: int) -> int:
        """How far apart the target's sum is in the known worlds that agree with what the insider knows.

        In parts of a point, as ``truth``: what the target's sum truly is.
        """
        low = high = truth
        for world in self.by_sizes.get(frozenset(sizes.items()), ()):
            if insider is None or self._allows(world, insider):
                total = self._total(world, measure, parts)
                low, high = min(low, total), max(high, total)
        return high - low

    def _allows(self, world: World, insider: Key) -> bool:
        of = self.class_of[insider]
        scales = frozenset(items for items, _sum in world.sums.get(of, ()))
        if (insider, scales) not in self.own:
            case = self.case
            given = [(i, v) for i, v in zip(case.items, case.people[insider], strict=True) if v is not None]
            sums = [(items, int(case.score(insider, items) * len(case.answered(insider, items)))) for items in scales]
            self.own[insider, scales] = (given, sums)
        return world.allows(of, *self.own[insider, scales])

    def _total(self, world: World, measure: tuple[str, ...], parts: int) -> int:
        if measure not in world.totals:
            total = 0
            for of, given in world.target.items():
                items = [item for item in self.answered[of] if item in measure]
                for (item, value), n in given.items():
                    if item in measure:
                        keyed = value if len(measure) == 1 else self.case.keyed(item, value)
                        total += n * keyed * parts // len(items)
            world.totals[measure] = total
        return world.totals[measure]
