"""The score that readers see of a scale: the mean of its items' means, each as it follows from what is shown of the item.

It is defined so, and is never the mean of persons' scores: that one's exact value tells (twelve people, one of whom left
two of six items empty, sum 174: "2.4" says that each of his answers was 1). Where what is shown fixes the answers, an
item's mean is exact: by its percentages and the unit's n below a hundred answers, by one decimal up to nine. Else it is
the rounded one. Beside the value stands the range of every exact mean that goes with what is shown: a verdict is said
only if it holds in the whole range.

Items without a mean (nearly all gave one answer, or "3.2 or higher") enter by how far such means lie from there: a
fixed table, made by simulation (``scripts/caps.py``), never from the study at hand. The score is then "about".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from analysis.disclosure.caps import beyond_bound, beyond_category
from analysis.disclosure.rounding import decimal, mean_of, round_half_up
from analysis.disclosure.shown import Capped, ItemDistribution, ItemMean, NearlyAll, ShownItem

HALF_A_STEP = Fraction(1, 20)  # of a figure with one decimal
FIXED_BY_DECIMAL = 9  # answers up to which one decimal fixes their sum
FIXED_BY_PERCENTAGES = 99  # and whole percentages fix every count


@dataclass(frozen=True)
class Score:
    """A mean as it follows from what is shown: its value, and the least and most that it can be.

    :param about: it rests on an item of which no mean is shown
    """

    value: Fraction
    low: Fraction
    high: Fraction
    about: bool = False

    def turned(self, n_points: int) -> Score:
        """In the other direction of the scale."""
        return Score(n_points + 1 - self.value, n_points + 1 - self.high, n_points + 1 - self.low, self.about)


def scale_score(items: Sequence[tuple[ShownItem, bool]], n: int, n_points: int, k: int) -> Score | None:
    """The score of a scale from its items as shown, each with whether it is reverse-keyed.

    None where an item is not shown: a score without it would be that of another scale, and differ from it by more than
    "about" can say.

    :param n: the unit's n, one for all items and scales: who left an item empty is told by nothing
    """
    scores = []
    for item, reverse_keyed in items:
        score = item_score(item, n, n_points, k)
        if score is None:
            return None
        scores.append(score.turned(n_points) if reverse_keyed else score)
    return Score(
        mean_of([score.value for score in scores]),
        mean_of([score.low for score in scores]),
        mean_of([score.high for score in scores]),
        any(score.about for score in scores),
    )


def hidden_of_mean(scores: Sequence[tuple[int, Score]], decimals: int) -> float:
    """How far the exact mean over units, each by its n, is likely to be from the printed one; rounded up.

    What rounding and caps hide of one unit has nothing to do with what they hide of another, so that the ranges of the units
    add up as independent errors do; half a step of the printed mean comes to that.
    """
    total = sum(n for n, _score in scores)
    squares = math.fsum(
        float(n * max(score.high - score.value, score.value - score.low) / total) ** 2 for n, score in scores
    )
    half_a_step = float(Fraction(1, 2 * 10**decimals))
    return math.ceil(1000 * (math.sqrt(squares) + half_a_step)) / 1000


@lru_cache(maxsize=65_536)
def item_score(item: ShownItem, n: int, n_points: int, k: int) -> Score | None:
    """An item's mean as it follows from what is shown, in the item's own direction; None when it is not shown."""
    match item:
        case ItemMean(mean):
            return _from_means(mean, n, n_points, list(_means_of_decimal(mean, n, n_points, k)))
        case ItemDistribution(mean, percentages):
            return _from_means(mean, n, n_points, list(_means_of_percentages(mean, percentages, n, k)))
        case NearlyAll(category):
            fewest = 2 * k  # answers with which it can be said
            return Score(
                category + beyond_category(category, n, n_points),
                Fraction(category * (fewest - 2) + 2, fewest),
                Fraction(category * (fewest - 2) + 2 * n_points, fewest),
                about=True,
            )
        case Capped(bound, upper):
            at, end = decimal(bound), n_points if upper else 1
            value = at + (end - at) * beyond_bound(n_points)
            return Score(value, min(at, Fraction(end)), max(at, Fraction(end)), about=True)
    return None


def _from_means(shown: float, n: int, n_points: int, means: Sequence[tuple[int, Fraction]]) -> Score:
    """The value is what the unit's n gives, if anything goes with it; the range holds what fewer answers would."""
    rounded = decimal(shown)
    low, high = max(rounded - HALF_A_STEP, Fraction(1)), min(rounded + HALF_A_STEP, Fraction(n_points))
    exact = next((mean for answered, mean in means if answered == n), rounded)
    known = [mean for _answered, mean in means]
    return Score(exact, min(known, default=low), max(known, default=high))


def _means_of_decimal(shown: float, n: int, n_points: int, k: int) -> Iterator[tuple[int, Fraction]]:
    """Every mean of k to n answers that is shown so, with the number of answers; nothing where one decimal fixes none."""
    if n > FIXED_BY_DECIMAL:
        return
    for answered in range(k, n + 1):
        for total in range(answered, n_points * answered + 1):
            if decimal(round_half_up(total / answered, 1)) == decimal(shown):
                yield answered, Fraction(total, answered)


def _means_of_percentages(shown: float, percentages: tuple[int, ...], n: int, k: int) -> Iterator[tuple[int, Fraction]]:
    """Every mean of 2k to n answers that is shown with these percentages."""
    if n > FIXED_BY_PERCENTAGES:
        return
    for answered in range(2 * k, n + 1):
        counts = [_count(share, answered) for share in percentages]
        if None in counts or sum(count or 0 for count in counts) != answered:
            continue
        total = sum(value * (count or 0) for value, count in enumerate(counts, start=1))
        if decimal(round_half_up(total / answered, 1)) == decimal(shown):
            yield answered, Fraction(total, answered)


@lru_cache(maxsize=65_536)
def _count(percentage: int, answered: int) -> int | None:
    """How many of so many answers are shown as this whole percentage; below a hundred there is one such number, or none."""
    guess = round(percentage * answered / 100)
    for count in (guess - 1, guess, guess + 1):
        if 0 <= count <= answered and round_half_up(100 * count / answered, 0) == percentage:
            return count
    return None
