"""The attacker with integer programs: which worlds agree with everything published, and what do they have in common?

People who cannot be told apart (same membership in every published figure, same answers left empty) are one cell. A
world says for every cell how many people in it gave which answer: integers h[cell, item, value]; for a published spread
also how many have which scale sum: y[cell, sum]. Everything published is a row over these integers. A target is
disclosed when it is (nearly) the same in all worlds. The true data are a world, and so is every exchange of people within
a cell: those are tried first, since a target that differs between two worlds is not disclosed.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from tests.disclosure.facts import Case, Fact, ItemCount, ItemSum, Key, ScoreSum, Spread
from tests.disclosure.known_worlds import KnownWorlds
from tests.disclosure.worlds import Worlds

TIME_LIMIT = 20.0
EPSILON = 1e-7


class Undecided(Exception):
    """A program that the solver did not solve to the end: the case fails."""


@dataclass(frozen=True)
class Disclosure:
    """What an attacker works out: ``kind`` T1 or T2, for an item or a scale (its items), of whom, and how narrowly."""

    kind: str
    measure: tuple[str, ...]
    people: tuple[Key, ...]
    insider: Key | None
    low: float
    high: float


# ------------------------------------------------------------------------------------------------ the program
class Program:
    """The integer program of a case, with people divided into ``cells`` and the answers of others taken as fixed."""

    def __init__(self, case: Case, cells: Sequence[Sequence[Key]], insider: Key | None) -> None:
        self.case = case
        self.cells = [tuple(cell) for cell in cells]
        self.cell_of = {key: number for number, cell in enumerate(self.cells) for key in cell}
        self.upper: list[float] = []
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.truth: list[float] = []
        self._built = 0
        self._point: np.ndarray | None = None
        self.h: dict[tuple[int, str, int], int] = {}
        self.y: dict[tuple[int, tuple[str, ...]], tuple[int, dict[int, int]]] = {}
        for number, cell in enumerate(self.cells):
            for item in case.answered(cell[0], case.items):
                column = case.items.index(item)
                given = [case.people[key][column] for key in cell]
                for value in range(1, case.n_points + 1):
                    self.h[number, item, value] = self._variable(len(cell), given.count(value))
                self._row({self.h[number, item, v]: 1 for v in range(1, case.n_points + 1)}, len(cell), len(cell))
                if insider is not None and cell == (insider,):
                    for value in range(1, case.n_points + 1):
                        n_gave = given.count(value)
                        self._row({self.h[number, item, value]: 1}, n_gave, n_gave)
        self.spreads = [fact for fact in case.facts if isinstance(fact, Spread)]
        for fact in case.facts:
            self._fact(fact)

    def _variable(self, upper: float, truth: float) -> int:
        self.upper.append(upper)
        self.truth.append(truth)
        return len(self.upper) - 1

    def _row(self, terms: dict[int, float], low: float, high: float) -> None:
        """A row; the true data must satisfy it, or the case itself is wrong."""
        value = sum(weight * self.truth[variable] for variable, weight in terms.items())
        assert low - 1e-6 <= value <= high + 1e-6, f"the true data do not satisfy a row: {low} ≤ {value} ≤ {high}"
        self.rows.append((terms, low, high))

    def _inside(self, members: Iterable[Key]) -> list[int]:
        """The cells of the program in ``members``."""
        return sorted({self.cell_of[key] for key in members if key in self.cell_of})

    def _fact(self, fact: Fact) -> None:
        case = self.case
        match fact:
            case ItemSum(members, item, low, high):
                terms = {
                    self.h[cell, item, value]: value
                    for cell in self._inside(members)
                    for value in range(1, case.n_points + 1)
                }
                if terms:
                    self._row(terms, math.ceil(low), math.floor(high))
            case ItemCount(members, item, value, low, high):
                terms = {self.h[cell, item, value]: 1 for cell in self._inside(members)}
                if terms:
                    self._row(terms, math.ceil(low), math.floor(high))
            case ScoreSum(members, items, low, high):
                cells = self._inside(members)
                if cells:
                    lcm = math.lcm(*(len(case.answered(self.cells[cell][0], items)) for cell in cells))
                    self._row(self._scores(cells, items, lcm), math.ceil(low * lcm), math.floor(high * lcm))
            case Spread():
                self._spread(fact)

    def _scores(self, cells: Iterable[int], items: Sequence[str], scaled: int = 1) -> dict[int, float]:
        """Scale scores of cells added up, times ``scaled``."""
        terms: dict[int, float] = {}
        for cell in cells:
            answered = self.case.answered(self.cells[cell][0], items)
            for item in answered:
                for value in range(1, self.case.n_points + 1):
                    terms[self.h[cell, item, value]] = scaled * self.case.keyed(item, value) / len(answered)
        return terms

    def _spread(self, fact: Spread) -> None:
        if not self._inside(fact.members):
            return
        case = self.case
        low_terms: dict[int, float] = {}
        high_terms: dict[int, float] = {}
        fixed = 0.0
        single = not isinstance(fact.between, tuple)
        for part in fact.parts:
            cells = self._inside(part)
            if not cells:  # people whose answers are taken as they are
                scores = [float(case.score(key, fact.items)) for key in part]
                fixed += float(np.var(scores) * len(scores))
                continue
            assert all(key in self.cell_of for key in part)
            lcm = math.lcm(*(len(case.answered(self.cells[cell][0], fact.items)) for cell in cells))
            total_terms: dict[int, float] = {}
            for cell in cells:
                q, of_sum = self._sums(cell, fact.items)
                for s, variable in of_sum.items():
                    low_terms[variable] = high_terms[variable] = (s / q) ** 2
                    total_terms[variable] = s * lcm // q
            n = len(part)
            true_total = int(sum(case.score(key, fact.items) for key in part) * lcm)
            first, last = self._range(total_terms)
            chosen: dict[int, int] = {}
            for total in range(round(first), round(last) + 1):
                mean = total / lcm / n
                between = fact.between(mean) if single else (0.0, 0.0)
                if between is None or between[0] > between[1]:
                    assert total != true_total, "the true mean is none that the interval allows"
                    continue
                variable = chosen[total] = self._variable(1, float(total == true_total))
                low_terms[variable] = -(n * mean**2 + between[0])
                high_terms[variable] = -(n * mean**2 + between[1])
            self._row(dict.fromkeys(chosen.values(), 1), 1, 1)
            self._row(
                {variable: float(total) for total, variable in chosen.items()}
                | {variable: -weight for variable, weight in total_terms.items()},
                0,
                0,
            )
        low, high = (0.0, 0.0) if single else fact.between
        self._row(low_terms, low - fixed - 1e-6, math.inf)
        self._row(high_terms, -math.inf, high - fixed + 1e-6)

    def _sums(self, cell: int, items: tuple[str, ...]) -> tuple[int, dict[int, int]]:
        """How many items a cell answered, and the variables: how many people in it have which sum of keyed answers."""
        if (cell, items) not in self.y:
            q = len(self.case.answered(self.cells[cell][0], items))
            sums = [self.case.score(key, items) * q for key in self.cells[cell]]
            of_sum = {s: self._variable(len(sums), sums.count(s)) for s in range(q, self.case.n_points * q + 1)}
            self._row(dict.fromkeys(of_sum.values(), 1), len(sums), len(sums))
            balance = {variable: float(s) for s, variable in of_sum.items()}
            balance |= {variable: -weight for variable, weight in self._scores([cell], items, q).items()}
            self._row(balance, 0, 0)
            self.y[cell, items] = (q, of_sum)
        return self.y[cell, items]

    def _range(self, terms: dict[int, float]) -> tuple[float, float]:
        """The integer range of a sum, from the relaxed program so far."""
        low, high = (self._solve(terms, sign, relaxed=True) for sign in (1, -1))
        return math.ceil(low - EPSILON), math.floor(high + EPSILON)

    def _solve(self, terms: dict[int, float], sign: int, *, relaxed: bool) -> float:
        n = len(self.upper)
        objective = np.zeros(n)
        for variable, weight in terms.items():
            objective[variable] = sign * weight
        if self._built != len(self.rows):
            entries = [(r, v, w) for r, (row, _, _) in enumerate(self.rows) for v, w in row.items()]
            rows, columns, weights = zip(*entries, strict=True)
            self._matrix = coo_array((weights, (rows, columns)), shape=(len(self.rows), n)).tocsr()
            self._built = len(self.rows)
        elif self._matrix.shape[1] != n:
            self._matrix.resize((len(self.rows), n))
        result = milp(
            objective,
            constraints=LinearConstraint(
                self._matrix, [low for _, low, _ in self.rows], [high for _, _, high in self.rows]
            ),
            bounds=Bounds(np.zeros(n), np.array(self.upper)),
            integrality=np.zeros(n) if relaxed else np.ones(n),
            options={"mip_rel_gap": 0.0, "time_limit": TIME_LIMIT},
        )
        if result.status != 0:
            raise Undecided(f"{result.status}: {result.message}")
        if not relaxed:
            self._point = result.x
        return sign * float(result.fun)

    def whole_point(self) -> list[int] | None:
        """The world that was found last, in whole numbers; None where these do not satisfy every row and bound."""
        assert self._point is not None
        point = [round(value) for value in self._point]
        if not all(0 <= value <= most for value, most in zip(point, self.upper, strict=True)):
            return None
        for terms, low, high in self.rows:
            value = sum(weight * point[variable] for variable, weight in terms.items())
            if not low - 1e-6 <= value <= high + 1e-6:
                return None
        return point

    def extreme(self, terms: dict[int, float], sign: int) -> float:
        """The smallest (sign 1) or largest (sign −1) value of a sum over all worlds."""
        return self._solve(terms, sign, relaxed=False)

    def extremes(self, terms: dict[int, float]) -> tuple[float, float]:
        """The smallest and largest value of a sum over all worlds."""
        return self.extreme(terms, 1), self.extreme(terms, -1)

    def mean(self, keys: Sequence[Key], measure: Sequence[str]) -> dict[int, float]:
        """The mean of whole cells on an item (as answered) or a scale."""
        cells = self._inside(keys)
        if len(measure) == 1:
            terms = {self.h[cell, measure[0], v]: float(v) for cell in cells for v in range(1, self.case.n_points + 1)}
        else:
            terms = self._scores(cells, measure)
        return {variable: weight / len(keys) for variable, weight in terms.items()}


# ------------------------------------------------------------------------------------------------ the attack
def _parts(measure: Sequence[str]) -> int:
    """Into how many parts a point is divided so that every mean of answers to these items is whole."""
    return math.lcm(*range(1, len(measure) + 1))


def _apart(values: Sequence[int]) -> list[int]:
    """How much the sum of n of these values can differ by which n are taken: for n from none to all."""
    known = sorted(values)
    sums = list(itertools.accumulate(known, initial=0))
    return [sums[-1] - sums[len(known) - n] - sums[n] for n in range(len(known) + 1)]


class Attack:
    """All targets of a case, for an outsider (no insider) and for each respondent who knows his own answers."""

    def __init__(self, case: Case, most_unions: int = 40) -> None:
        self.case = case
        self.most_unions = most_unions
        self.n_targets = self.n_programs = 0
        self.worlds = Worlds(case)
        figures = [
            part for fact in case.facts for part in (fact.parts if isinstance(fact, Spread) else (fact.members,))
        ]
        member_of: dict[Key, list[int]] = defaultdict(list)
        for number, members in enumerate(figures):
            for key in members:
                member_of[key].append(number)
        classes: dict[object, int] = {}  # numbered, for speed
        self.alike: dict[Key, int] = {
            key: classes.setdefault((tuple(member_of[key]), tuple(v is not None for v in vector)), len(classes))
            for key, vector in case.people.items()
        }
        self.known = KnownWorlds(case, self.alike)
        self.component = self._components(figures)
        self.programs: dict[object, Program] = {}
        self.values: dict[tuple[str, ...], dict[Key, int | None]] = {}

    def _components(self, figures: Sequence[frozenset[Key]]) -> dict[Key, int]:
        """People connected by figures they share; a spread over several parts does not connect the parts."""
        leader = {key: key for key in self.case.people}

        def find(key: Key) -> Key:
            while leader[key] != key:
                leader[key] = leader[leader[key]]
                key = leader[key]
            return key

        for members in figures:
            first, *rest = members
            for key in rest:
                leader[find(key)] = find(first)
        numbers: dict[Key, int] = {}
        return {key: numbers.setdefault(find(key), len(numbers)) for key in self.case.people}

    def measures(self) -> list[tuple[str, ...]]:
        scales = [scale for scale in self.case.scales if len(scale) > 1]
        return [(item,) for item in self.case.items] + scales

    def run(self, most_insiders: int | None = None) -> Iterator[Disclosure]:
        """Every disclosure found; nothing when all targets stay uncertain. Each respondent is tried as insider, or a few."""
        yield from self._against(None)
        insiders: dict[object, Key] = {}
        for key, vector in self.case.people.items():
            # two insiders alike, with the same answers, know the same
            insiders.setdefault((self.alike[key], self.case.marks.get(key), vector), key)
        for key in sorted(insiders.values(), key=lambda key: self._order([key]))[:most_insiders]:
            yield from self._against(key)

    def _against(self, insider: Key | None) -> Iterator[Disclosure]:
        case = self.case
        c = 0 if insider is None else 1
        whole: dict[object, list[Key]] = defaultdict(list)
        classes: dict[object, list[Key]] = defaultdict(list)
        for key in case.people:
            if key != insider:
                whole[self.alike[key], case.marks.get(key)].append(key)
                classes[self.alike[key]].append(key)
        groups = [(group, self._classes_of(group)) for group in self._unions(list(whole.values()), case.k - c - 1)]
        for measure in self.measures():
            values = self._values(measure)
            apart = {
                alike: _apart(given)
                for alike, members in classes.items()
                if (given := [value for key in members if (value := values[key]) is not None])
            }
            for group, inside in groups:
                if all(alike in apart for alike in inside):
                    width = sum(apart[alike][size] for alike, size in inside.items())
                    yield from self._target("T1", measure, group, insider, classes, width)
            for alike, members in classes.items():
                if alike in apart:
                    yield from self._target("T2", measure, members[:1], insider, classes, apart[alike][1])

    def _classes_of(self, group: Sequence[Key]) -> dict[object, int]:
        """How many of a group are in each class of people who cannot be told apart."""
        inside: dict[object, int] = defaultdict(int)
        for key in group:
            inside[self.alike[key]] += 1
        return inside

    def _values(self, measure: tuple[str, ...]) -> dict[Key, int | None]:
        """Everybody's value as a whole number of parts, ``_parts(measure)`` to a point; None without an answer."""
        if measure not in self.values:
            parts = _parts(measure)
            exact = {key: self._value(key, measure) for key in self.case.people}
            self.values[measure] = {key: None if v is None else int(v * parts) for key, v in exact.items()}
        return self.values[measure]

    def _value(self, key: Key, measure: Sequence[str]) -> Fraction | None:
        if not self.case.answered(key, measure):
            return None
        return (
            Fraction(self.case.people[key][self.case.items.index(measure[0])])
            if len(measure) == 1
            else self.case.score(key, measure)
        )

    def _unions(self, cells: list[list[Key]], largest: int) -> Iterator[list[Key]]:
        """Unions of whole cells: all within a component (a sample where they are very many), a sample across."""
        small = [cell for cell in cells if len(cell) <= largest]
        by_component: dict[int, list[list[Key]]] = defaultdict(list)
        for cell in small:
            by_component[self.component[cell[0]]].append(cell)
        for inside in by_component.values():
            groups = [
                union
                for size in range(1, largest + 1)
                for chosen in itertools.combinations(inside, size)
                if len(union := [key for cell in chosen for key in cell]) <= largest
            ]
            yield from sorted(groups, key=self._order)[: self.most_unions]
        if len(by_component) > 1 and largest > 1:
            across = [
                union
                for size in (2, 3)
                for chosen in itertools.combinations(sorted(small, key=self._order)[:8], size)
                if len(union := [key for cell in chosen for key in cell]) <= largest
                and len({self.component[key] for key in union}) > 1
            ]
            yield from sorted(across, key=self._order)[: self.most_unions // 4]

    def _order(self, keys: Sequence[Key]) -> int:
        """A random order that is the same for every insider, so that worlds found once serve again."""
        return zlib.crc32(str(sorted(keys)).encode())

    def _target(
        self,
        kind: str,
        measure: tuple[str, ...],
        group: list[Key],
        insider: Key | None,
        classes: Mapping[object, list[Key]],
        width: int,
    ) -> Iterator[Disclosure]:
        """``width``: the group's sum over the two worlds farthest apart by exchanges alone, in parts of a point."""
        self.n_targets += 1
        exact = kind == "T2" and len(measure) == 1  # one possible answer
        needed = 1.0 if exact else self.case.tau
        if 1000 * width >= math.ceil(1000 * needed) * len(group) * _parts(measure):
            return  # two worlds that differ enough
        inside, values = self._classes_of(group), self._values(measure)
        truth = sum(value for key in group if (value := values[key]) is not None)
        width = self.known.width(measure, inside, insider, truth, _parts(measure))
        if 1000 * width >= math.ceil(1000 * needed) * len(group) * _parts(measure):
            return  # two worlds that programs found before
        if self.worlds.reach(measure, group, insider, needed):
            return
        bounds = self._search(measure, group, insider, classes, needed)
        if bounds is not None:
            yield Disclosure(kind, measure, tuple(group), insider, *bounds)

    def _search(
        self,
        measure: tuple[str, ...],
        group: list[Key],
        insider: Key | None,
        classes: Mapping[object, list[Key]],
        needed: float,
    ) -> tuple[float, float] | None:
        """The range over all worlds if it is narrower than ``needed``; first over those that change nothing elsewhere."""
        near = {self.component[key] for key in group}
        everywhere = set(self.component.values())
        for components in [near, everywhere] if near != everywhere else [near]:
            program = self._program(group, insider, classes, components)
            terms = program.mean(group, measure)
            low = high = sum(weight * program.truth[variable] for variable, weight in terms.items())
            for sign in (1, -1):  # the truth is a world too, so one direction is often enough
                extreme = program.extreme(terms, sign)
                self.known.keep(program, group, insider, self._classes_of(group))
                low, high = min(low, extreme), max(high, extreme)
                if high - low >= needed - EPSILON:
                    return None
        return low, high

    def _program(
        self,
        group: list[Key],
        insider: Key | None,
        classes: Mapping[object, list[Key]],
        components: set[int],
    ) -> Program:
        name = (frozenset(group), insider, frozenset(components))
        if name not in self.programs:
            target = set(group)
            cells = []
            for members in classes.values():
                if self.component[members[0]] in components:
                    cells += [
                        part
                        for part in ([k for k in members if k in target], [k for k in members if k not in target])
                        if part
                    ]
            if insider is not None and self.component[insider] in components:
                cells.append([insider])
            self.n_programs += 1
            self.programs[name] = Program(self.case, cells, insider)
        return self.programs[name]
