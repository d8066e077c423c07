"""Worlds next to the truth: a quick way to show that a target is not disclosed, before the integer program decides.

Every world found here satisfies everything published (each fact is counted again), so what differs between two of them
is not disclosed. Finding none proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from tests.disclosure.facts import Case, ItemCount, ItemSum, Key, ScoreSum, Spread

MOST_MOVES = 24


class Worlds:
    """The answers of a case as a table that can be changed answer by answer while the facts hold."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.keys = list(case.people)
        self.row = {key: number for number, key in enumerate(self.keys)}
        self.truth = np.array([[value or 0 for value in case.people[key]] for key in self.keys])
        self.column = {item: number for number, item in enumerate(case.items)}
        self.item_facts: list[list[tuple[np.ndarray, int | None, float, float]]] = [[] for _ in case.items]
        self.score_facts: list[tuple[list[np.ndarray], np.ndarray, ScoreSum | Spread]] = []
        for fact in case.facts:
            match fact:
                case ItemSum(members, item, low, high):
                    self.item_facts[self.column[item]].append((self._rows(members), None, float(low), float(high)))
                case ItemCount(members, item, value, low, high):
                    self.item_facts[self.column[item]].append((self._rows(members), value, float(low), float(high)))
                case ScoreSum(members, items, _, _):
                    self.score_facts.append(([self._rows(members)], self._columns(items), fact))
                case Spread(parts, items, _):
                    self.score_facts.append(([self._rows(part) for part in parts], self._columns(items), fact))
        self.reverse = np.array([item in case.reverse_keyed for item in case.items])
        self.near = [
            [
                frozenset(number for number, (rows, *_rest) in enumerate(facts) if person in set(rows.tolist()))
                for person in range(len(self.keys))
            ]
            for facts in self.item_facts
        ]
        self.changes: dict[object, list[frozenset[int]]] = {}
        assert all(self._item_holds(column, self.truth) for column in range(len(case.items)))
        assert self._scores_hold(self.truth)

    def _rows(self, members: frozenset[Key]) -> np.ndarray:
        return np.array(sorted(self.row[key] for key in members))

    def _columns(self, items: Sequence[str]) -> np.ndarray:
        return np.array([self.column[item] for item in items])

    def _item_holds(self, column: int, table: np.ndarray) -> bool:
        for rows, value, low, high in self.item_facts[column]:
            answers = table[rows, column]
            figure = answers.sum() if value is None else (answers == value).sum()
            if not low - 1e-9 <= figure <= high + 1e-9:
                return False
        return True

    def _scores_hold(self, table: np.ndarray) -> bool:
        for parts, columns, fact in self.score_facts:
            keyed = np.where(self.reverse, self.case.n_points + 1 - table, table) * (table > 0)
            scores = [keyed[np.ix_(rows, columns)] for rows in parts]
            means = [part.sum(axis=1) / (part > 0).sum(axis=1) for part in scores]
            if isinstance(fact, ScoreSum):
                if not float(fact.low) - 1e-9 <= means[0].sum() <= float(fact.high) + 1e-9:
                    return False
                continue
            squares = sum(float(((mean - mean.mean()) ** 2).sum()) for mean in means)
            between = fact.between if isinstance(fact.between, tuple) else fact.between(float(means[0].mean()))
            if between is None or not between[0] - 1e-9 <= squares <= between[1] + 1e-9:
                return False
        return True

    def reach(self, measure: Sequence[str], group: Sequence[Key], insider: Key | None, needed: float) -> bool:
        """Whether two worlds are found between which the group's mean differs by ``needed``.

        Worlds found before serve again where the insider's own answers are the same in them.
        """
        own = None if insider is None else self.row[insider]
        changes = self.changes.setdefault((tuple(measure), frozenset(group)), [])
        if any(own not in changed for changed in changes):
            return True
        rows = [self.row[key] for key in group]
        fixed = {*rows, *([] if own is None else [own])}
        high, changed = self._climb(measure, rows, fixed, 1, needed)
        if high < needed - 1e-9:
            low, others = self._climb(measure, rows, fixed, -1, needed - float(high))
            if float(high + low) < needed - 1e-9:
                return False
            changed |= others
        changes.append(frozenset(changed))
        return True

    def _climb(
        self, measure: Sequence[str], rows: list[int], fixed: set[int], sign: int, needed: float
    ) -> tuple[Fraction, set[int]]:
        """How far the mean of ``rows`` moves in one direction by changes that keep all facts, and whose answers change."""
        changed: set[int] = set()
        table = self.truth.copy()
        gained = Fraction(0)
        for _ in range(MOST_MOVES):
            for gain, change in self._moves(table, measure, rows, fixed, sign):
                before = [(row, column, table[row, column]) for row, column, _ in change]
                for row, column, value in change:
                    table[row, column] = value
                if all(self._item_holds(c, table) for c in {c for _, c, _ in change}) and self._scores_hold(table):
                    gained += gain
                    changed |= {row for row, _, _ in change}
                    break
                for row, column, value in before:
                    table[row, column] = value
            else:
                return gained, changed
            if gained >= needed - 1e-9:
                return gained, changed
        return gained, changed

    def _moves(
        self, table: np.ndarray, measure: Sequence[str], rows: list[int], fixed: set[int], sign: int
    ) -> Iterator[tuple[Fraction, list[tuple[int, int, int]]]]:
        """Changes of one answer of the group, alone or made up for by somebody else's answer to the same item."""
        points = range(1, self.case.n_points + 1)
        for row in rows:
            answered = [self.column[item] for item in measure if table[row, self.column[item]]]
            for column in answered:
                turn = sign * (-1 if self.reverse[column] and len(measure) > 1 else 1)
                own = int(table[row, column])
                others = [
                    other
                    for other in range(len(self.keys))
                    if other not in fixed and table[other, column] and self.near[column][other] & self.near[column][row]
                ]
                for value in points:
                    step = (value - own) * turn
                    if step <= 0:
                        continue
                    gain = Fraction(step, len(answered) * len(rows))
                    yield gain, [(row, column, value)]
                    for other in others:
                        theirs = int(table[other, column]) - (value - own)
                        if 1 <= theirs <= self.case.n_points:
                            yield gain, [(row, column, value), (other, column, theirs)]
