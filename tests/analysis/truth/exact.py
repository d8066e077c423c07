"""What a statistician finds beside a report: exact scores from the rows, and intervals of their differences."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import t

from analysis.disclosure import Spread
from tests.analysis.truth.studies import SCALES
from tests.disclosure.people import Wave


@dataclass(frozen=True)
class Sample:
    """The people of some teams in one wave."""

    wave: Wave
    teams: frozenset[int]

    @property
    def n(self) -> int:
        return sum(p.team in self.teams for p in self.wave.people)

    def item(self, item: str) -> float:
        """The exact mean of an item in its own direction."""
        given = [v for p in self.wave.people if p.team in self.teams and (v := self.wave.answer(p, item)) is not None]
        return sum(given) / len(given)

    def score(self, scale: str) -> float:
        """The mean of the exact means of the items, in the direction of the scale."""
        means = []
        for item in SCALES[scale]:
            mean = self.item(item)
            means.append(self.wave.n_points + 1 - mean if item in self.wave.reverse_keyed else mean)
        return sum(means) / len(means)


def over_units(wave: Wave, units: Iterable[frozenset[int]], scale: str) -> float:
    """The mean over units, each by its people."""
    samples = [Sample(wave, unit) for unit in units]
    return sum(s.n * s.score(scale) for s in samples) / sum(s.n for s in samples)


def half_of_change(now: tuple[int, Spread], then: tuple[int, Spread], level: float = 0.975) -> float:
    """Half the interval of a difference between two waves."""
    (n, spread), (m, before) = now, then
    a, b = spread.sd**2 / n, before.sd**2 / m
    df = (a + b) ** 2 / (a**2 / spread.df + b**2 / before.df)
    return float(t.ppf(level, df)) * math.sqrt(a + b)


def half_beside_all(n: int, total: int, spread: Spread, level: float = 0.975) -> float:
    """Half the interval of a unit's difference from the mean that it is in."""
    return float(t.ppf(level, spread.df)) * spread.sd * math.sqrt(max(1 / n - 1 / total, 0.0))


def half_of_score(n: int, spread: Spread, level: float = 0.975) -> float:
    """Half the interval of a score."""
    return float(t.ppf(level, spread.df)) * spread.sd / math.sqrt(n)
