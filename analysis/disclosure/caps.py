"""How far means lie, on average, from the cap that is shown in their place: a fixed table, made by ``scripts/caps.py``.

Simulated from answers like those of teams (item means all over the scale, SD .27 between teams and .62 within on four
points), never from a study: a table of the study at hand would tell on it.
"""

from __future__ import annotations

from fractions import Fraction

# the share of the way from the bound of "3.2 or higher" to the end, by the number of points; n and k change it by < .06
TO_THE_END = {2: Fraction(67, 100), 3: Fraction(44, 100), 4: Fraction(41, 100)}
TO_THE_END_OF_MORE = Fraction(37, 100)
# what those who did not give the answer at the end add up to: .81 on two points, from three on .70 + .205 a point
AWAY_OF_TWO, AWAY, AWAY_PER_POINT = Fraction(81, 100), Fraction(70, 100), Fraction(205, 1000)


def beyond_bound(n_points: int) -> Fraction:
    """Which share of the way from the bound to the end of the scale the mean lies on average."""
    return TO_THE_END.get(n_points, TO_THE_END_OF_MORE)


def beyond_category(category: int, n: int, n_points: int) -> Fraction:
    """How far the mean lies on average from the answer that all but two at most gave."""
    away = (AWAY_OF_TWO if n_points == 2 else AWAY + AWAY_PER_POINT * n_points) / n
    return away if category == 1 else -away if category == n_points else Fraction(0)
