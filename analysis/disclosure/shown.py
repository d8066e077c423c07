"""What can be shown of a scale or an item; what may not be shown has no type here but :class:`Withheld`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analysis.disclosure.groups import Withheld


@dataclass(frozen=True)
class Capped:
    """A mean so near an end of the scale that it would tell what the others answered: "3.8 or higher"."""

    bound: float
    upper: bool


@dataclass(frozen=True)
class MeanShown:
    """A rounded mean with its rounded 95 % interval (None where none can be given).

    :param about: it rests on an item of which no mean is shown
    """

    mean: float
    low: float | None
    high: float | None
    about: bool = False


ShownScale = MeanShown | Capped | Withheld


@dataclass(frozen=True)
class NearlyAll:
    """All but two at most gave this answer; exact counts would tell on the few."""

    category: int


@dataclass(frozen=True)
class ItemMean:
    mean: float


@dataclass(frozen=True)
class ItemDistribution:
    """Rounded mean and whole percentages per category, lowest category first."""

    mean: float
    percentages: tuple[int, ...]


ShownItem = ItemMean | ItemDistribution | NearlyAll | Capped | Withheld


class Agreement(StrEnum):
    LARGELY_AGREE = "largely_agree"
    SOMEWHAT_DIFFERENT = "somewhat_different"
    WIDELY_DIFFERENT = "widely_different"
