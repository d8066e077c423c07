"""The attacker by enumeration: every world of a small universe through the real publishing code.

Worlds with the same output (what is withheld and which version is refused included) are one class: the attacker knows
the class and nothing more. What all worlds of a class have in common is disclosed. Exact for every statistic.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tests.disclosure.people import Answers, Person, Version, Wave
from tests.disclosure.study import Publication, publish

Multiset = tuple[Answers, ...]  # the answers of a cell, sorted
World = tuple[Multiset, ...]  # per cell


@dataclass(frozen=True)
class Cell:
    """People who cannot be told apart: their team, what they left empty, and the versions they are in."""

    n: int
    team: int = 0
    answered: tuple[int, ...] = (0,)
    versions: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Universe:
    name: str
    cells: tuple[Cell, ...]
    n_points: int = 4
    items: tuple[str, ...] = ("I",)
    k: int = 3
    scales: tuple[tuple[tuple[str, ...], ...], ...] = ()  # per version; by default one of all items
    units: tuple[tuple[tuple[int, ...], ...], ...] = ()  # per version the combinations; by default none
    withdrawn: tuple[frozenset[int], ...] = ()  # per version the teams that withdrew before it
    deleted: tuple[frozenset[int], ...] = ()  # and those of them whose answers are gone
    pictures: tuple[
        tuple[int, ...], ...
    ] = ()  # per version the unit of which it is the early picture, () for a publication
    refusals_known: bool = True  # the reader knows more than the product tells: which version was refused

    @property
    def tau(self) -> Fraction:
        return Fraction(self.n_points - 1, 6)

    @property
    def n_versions(self) -> int:
        return 1 + max(version for cell in self.cells for version in cell.versions)

    def worlds(self) -> Iterator[World]:
        return itertools.product(*(self.multisets(cell) for cell in self.cells))

    def multisets(self, cell: Cell) -> list[Multiset]:
        points = range(1, self.n_points + 1)
        vectors = [
            tuple(dict(zip(cell.answered, given, strict=True)).get(item) for item in range(len(self.items)))
            for given in itertools.product(points, repeat=len(cell.answered))
        ]
        return list(itertools.combinations_with_replacement(vectors, cell.n))

    def wave(self, world: World) -> Wave:
        people, members = [], defaultdict(set)
        for number, (cell, multiset) in enumerate(zip(self.cells, world, strict=True)):
            for person, answers in enumerate(multiset):
                key = f"{number}-{person}"
                people.append(Person(key, cell.team, answers))
                for version in cell.versions:
                    members[version].add(key)
        scales = self.scales or ((self.items,),) * self.n_versions
        return Wave(
            k=self.k,
            n_points=self.n_points,
            items=self.items,
            teams={cell.team: 0 for cell in self.cells},
            people=tuple(people),
            versions=tuple(
                Version(
                    frozenset(members[v]),
                    {f"S{n}": items for n, items in enumerate(scales[v])},
                    self.units[v] if self.units else (),
                    self.withdrawn[v] if self.withdrawn else frozenset(),
                    self.deleted[v] if self.deleted else frozenset(),
                    picture=self.pictures[v] if self.pictures else (),
                )
                for v in range(self.n_versions)
            ),
        )


@dataclass(frozen=True)
class Found:
    """A disclosure: in which world, of whom (cells, or a person of a cell), on what, known to whom."""

    kind: str
    world: World
    cells: tuple[int, ...]
    measure: tuple[str, ...]
    insider: tuple[int, Answers] | None
    values: tuple[Fraction, ...]


def output(publications: Sequence[Publication], wave: Wave) -> object:
    """Everything a reader sees, and which versions there are."""
    return tuple(
        (publication.number, publication.teams, publication.academies, publication.everybody)
        for publication in publications
    )


def classes(universe: Universe) -> list[list[World]]:
    """The worlds of a universe by what is published; and by what is refused, where that is known."""
    waves = [(world, universe.wave(world)) for world in universe.worlds()]
    if universe.refusals_known:
        return _alike((output(publish(wave), wave), world) for world, wave in waves)
    # A version that was refused looks like one that nobody made: what is seen could have come of every world that shows the
    # same in the versions that are there.
    shown = {tuple(published.number for published in publish(wave)) for _world, wave in waves}
    disclosed = []
    for numbers in sorted(shown):
        only = [(world, replace(wave, versions=tuple(wave.versions[n] for n in numbers))) for world, wave in waves]
        published = [(world, wave, publish(wave)) for world, wave in only]
        disclosed += _alike((output(out, wave), world) for world, wave, out in published if len(out) == len(numbers))
    return disclosed


def _alike(outputs: Iterable[tuple[object, World]]) -> list[list[World]]:
    by_output: dict[object, list[World]] = defaultdict(list)
    for seen, world in outputs:
        by_output[seen].append(world)
    return list(by_output.values())


def disclosures(universe: Universe) -> Iterator[Found]:
    """Every disclosure of a universe, for an outsider and for each respondent in it."""
    for worlds in classes(universe):
        yield from _told(universe, worlds, None)
        for number in range(len(universe.cells)):
            for answers in {vector for world in worlds for vector in world[number]}:
                known = [
                    (*world[:number], _without(world[number], answers), *world[number + 1 :])
                    for world in worlds
                    if answers in world[number]
                ]
                yield from _told(universe, known, (number, answers))


def _without(multiset: Multiset, answers: Answers) -> Multiset:
    rest = list(multiset)
    rest.remove(answers)
    return tuple(rest)


def measures(universe: Universe) -> list[tuple[str, ...]]:
    scales = {items for version in universe.scales or ((universe.items,),) for items in version if len(items) > 1}
    return [(item,) for item in universe.items] + sorted(scales)


def _told(universe: Universe, worlds: list[World], insider: tuple[int, Answers] | None) -> Iterator[Found]:
    c = 0 if insider is None else 1
    worlds = list(Counter(worlds))
    sizes = [len(cell) for cell in worlds[0]]
    for measure in measures(universe):
        columns = [universe.items.index(item) for item in measure]
        measured = [
            number
            for number, cell in enumerate(universe.cells)
            if sizes[number] and any(column in cell.answered for column in columns)
        ]
        totals = {number: [sum(_value(v, columns) for v in world[number]) for world in worlds] for number in measured}
        for count in range(1, len(measured) + 1):
            for union in itertools.combinations(measured, count):
                n = sum(sizes[number] for number in union)
                if n < universe.k - c:
                    sums = [sum(column) for column in zip(*(totals[number] for number in union), strict=True)]
                    if Fraction(max(sums) - min(sums), n) < universe.tau:
                        yield Found("T1", worlds[0], union, measure, insider, tuple(sorted(set(sums))))
        for number in measured:
            values = {_value(vector, columns) for world in worlds for vector in world[number]}
            if len(values) == 1 or (len(measure) > 1 and max(values) - min(values) < universe.tau):
                yield Found("T2", worlds[0], (number,), measure, insider, tuple(sorted(values)))


def _value(vector: Answers, columns: Sequence[int]) -> Fraction:
    given = [value for column in columns if (value := vector[column]) is not None]
    return Fraction(sum(given), len(given))


TWO = ("I", "J")
NOBODY: frozenset[int] = frozenset()
SECOND_TEAM = frozenset({1})
#: The smallest first; a history is told by the versions its cells are in.
UNIVERSES = (
    *(Universe(f"one team of {n}", (Cell(n),)) for n in (3, 4, 5, 6)),
    Universe("three, then six: the new ones by themselves", (Cell(3, versions=(0, 1)), Cell(3, versions=(1,)))),
    Universe("six, then twelve", (Cell(6, versions=(0, 1)), Cell(6, versions=(1,)))),
    Universe("twelve, then six: half of them screened out", (Cell(6, versions=(0, 1)), Cell(6, versions=(0,)))),
    Universe("five out, five in", (Cell(3, versions=(0,)), Cell(3, versions=(0, 1)), Cell(3, versions=(1,)))),
    Universe("a correction of one", (Cell(5, versions=(0, 1)), Cell(1, versions=(0,)))),
    Universe("a team comes late", (Cell(5, team=0, versions=(0, 1)), Cell(6, team=1, versions=(1,)))),
    Universe("two teams", (Cell(4, team=0), Cell(5, team=1))),
    *(
        Universe(f"two items, {whole} answer both and {part} one", (Cell(whole, answered=(0, 1)), Cell(part)), 2, TWO)
        for whole, part in ((3, 1), (4, 1), (5, 1), (4, 2), (3, 3))
    ),
    Universe(
        "two items, some leave the one empty and some the other",
        (Cell(4, answered=(0, 1)), Cell(1, answered=(0,)), Cell(1, answered=(1,))),
        2,
        TWO,
    ),
    Universe(
        "two items, rescored without one",
        (Cell(5, answered=(0, 1), versions=(0, 1)), Cell(1, versions=(0, 1))),
        2,
        TWO,
        scales=((TWO,), (("I",),)),
    ),
    Universe(
        "two items, people with one answer screened out later",
        (Cell(5, answered=(0, 1), versions=(0, 1)), Cell(1, versions=(0,))),
        2,
        TWO,
    ),
    Universe(
        "two items of six, then twelve",
        (Cell(6, answered=(0, 1), versions=(0, 1)), Cell(6, answered=(0, 1), versions=(1,))),
        2,
        TWO,
    ),
    *(
        Universe(
            f"{own} and {other} as one unit, then the {other} withdraw{how}",
            (Cell(own, team=0, versions=(0, 1)), Cell(other, team=1, versions=(0,))),
            units=(((0, 1),), ((0, 1),)),
            withdrawn=(NOBODY, SECOND_TEAM),
            deleted=(NOBODY, SECOND_TEAM if how else NOBODY),
            # of nine and more the distribution is shown: with it the refusal itself would tell (docs/adr/0007)
            refusals_known=own + other < 9,
        )
        for own, other, how in (
            (4, 2, ""),
            (3, 3, ""),
            (5, 4, ""),
            (3, 3, ", their answers deleted"),
            (4, 3, ", their answers deleted"),
        )
    ),
    Universe(
        "three teams, of which one withdraws before the first version and one after it",
        (Cell(4, team=0, versions=(0, 1)), Cell(4, team=1, versions=(0,))),
        withdrawn=(frozenset({2}), frozenset({1, 2})),
        deleted=(frozenset({2}), frozenset({2})),
    ),
    Universe(
        "a unit taken apart",
        (Cell(3, team=0, versions=(0, 1)), Cell(4, team=1, versions=(0, 1))),
        units=(((0, 1),), ()),
    ),
    Universe(
        "combined anew with another team",
        (Cell(3, team=0, versions=(0, 1)), Cell(2, team=1, versions=(0, 1)), Cell(3, team=2, versions=(0, 1))),
        units=(((0, 1),), ((1, 2),)),
    ),
    Universe(
        "an early picture of one team, then the rest of it",
        (Cell(3, team=0, versions=(0, 1, 2)), Cell(2, team=0, versions=(1, 2)), Cell(3, team=1, versions=(2,))),
    ),
    *(
        Universe(
            f"a picture of {whole}, of whom {gone} are set aside before the report",
            (Cell(whole - gone, versions=(0, 1)), Cell(gone, versions=(0,))),
            pictures=((0,), ()),
        )
        for whole, gone in ((4, 1), (5, 1), (6, 2))
    ),
    Universe(
        "a picture of five, then a late one",
        (Cell(5, versions=(0, 1)), Cell(1, versions=(1,))),
        pictures=((0,), ()),
    ),
    Universe(
        "a picture of one team, then the report with two others",
        (Cell(4, team=0, versions=(0, 1)), Cell(1, team=0, versions=(0,)), Cell(3, team=1, versions=(1,))),
        pictures=((0,), ()),
    ),
    Universe(
        "a picture of two teams together, then one withdraws",
        (Cell(3, team=0, versions=(0, 1)), Cell(3, team=1, versions=(0,))),
        units=(((0, 1),), ((0, 1),)),
        withdrawn=(NOBODY, SECOND_TEAM),
        pictures=((0, 1), ()),
    ),
    Universe(
        "a picture of people with one answer empty, rescored and screened in the report",
        (Cell(4, answered=(0, 1), versions=(0, 1)), Cell(1, versions=(0,))),
        2,
        TWO,
        scales=((TWO,), (("I",),)),
        pictures=((0,), ()),
    ),
    Universe(
        "published, one taken out, put back, the other taken out",
        (Cell(4, versions=(0, 1, 2, 3)), Cell(1, versions=(0, 2, 3)), Cell(1, versions=(0, 1, 2))),
    ),
)
