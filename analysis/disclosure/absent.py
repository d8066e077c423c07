"""What those who did not answer could have made of a score: a sum over what is published, rounded outward."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from analysis.disclosure.rounding import decimal, outward
from analysis.disclosure.shown import MeanShown, ShownScale

HALF_A_STEP = Fraction(1, 20)


@dataclass(frozen=True)
class IfAllHadAnswered:
    """The score if the others had all given the lowest answers, all the highest, or had scored ``lower`` less on average."""

    n_absent: int
    lowest: float
    highest: float
    lower: float
    then: float


def if_all_had_answered(shown: ShownScale, returned: int, approached: int, n_points: int) -> IfAllHadAnswered | None:
    """None where everybody answered, where nobody says how many were approached, and for a score that is only "about" or capped.

    :param returned: who sent in the questionnaire, of the unit
    :param approached: who was asked
    """
    absent = approached - returned
    if absent <= 0 or returned <= 0 or not isinstance(shown, MeanShown) or shown.about:
        return None
    mean, length = decimal(shown.mean), Fraction(n_points - 1)
    least, most = max(mean - HALF_A_STEP, Fraction(1)), min(mean + HALF_A_STEP, Fraction(n_points))
    lower = Fraction(round(10 * length / 6), 10)  # half a point on four, as it is printed
    lowest, highest = outward(
        (returned * least + absent) / approached, (returned * most + absent * n_points) / approached, 1
    )
    then, _above = outward(least - lower * absent / approached, most, 1)
    return IfAllHadAnswered(absent, lowest, highest, float(lower), max(then, 1.0))
