"""Questions for the team talk, taken from what the results say: rules over shown figures, no fixed list.

Each rule asks one question or none. They are tried in order of what a team can do most with; a scale gets at most three.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.utils.translation import gettext as _

from analysis.disclosure import (
    Agreement,
    Capped,
    ItemDistribution,
    ItemMean,
    NearlyAll,
    ShownItem,
    Withheld,
    item_value,
)
from analysis.reports.objects import ItemReport, ScaleReport
from analysis.reports.sentences import Beside, beside, beside_target, number, score, since

AT_MOST = 3


def questions(scale: ScaleReport, options: tuple[str, ...]) -> tuple[str, ...]:
    """The questions about one scale."""
    if isinstance(scale.shown, Withheld):
        return ()
    return tuple(islice(_all(scale, options), AT_MOST))


def _all(scale: ScaleReport, options: tuple[str, ...]) -> Iterator[str]:
    n_points = len(options)
    yield from _target(scale, n_points)
    yield from _change(scale, n_points)
    widest = scale.item(scale.widest)
    if widest and scale.agreement in (Agreement.SOMEWHAT_DIFFERENT, Agreement.WIDELY_DIFFERENT):
        yield _("You think differently about “%(item)s”. What do some of you see that others do not?") % {
            "item": plain_text(widest)
        }
    middle = (1 + n_points) / 2
    where = beside(scale.shown, middle, n_points)
    plain = [(value, item) for item in scale.items if (value := _value(item, n_points)) is not None]
    if plain:
        yield from _items(plain, where, middle)
    for item in scale.items:
        if isinstance(item.shown, NearlyAll):
            yield _("Nearly everybody says “%(option)s” about “%(item)s”. Do you recognise that?") % {
                "option": options[item.shown.category - 1],
                "item": plain_text(item),
            }
            break
    for item in scale.items:
        if isinstance(item.shown, Withheld):
            yield _("Too few of you could answer “%(item)s”. Is it clear to everybody how this goes in your team?") % {
                "item": plain_text(item)
            }
            break
    match beside(scale.shown, scale.benchmark, n_points):
        case Beside.LOWER:
            yield _("Other teams score higher on this subject. What would you like to ask them?")
        case Beside.HIGHER:
            yield _("You score higher than other teams. What could they learn from you?")
    if where == Beside.SAME:
        yield _("The score lies around the middle. Who has an example of when it went well, and of when it did not?")


def _target(scale: ScaleReport, n_points: int) -> Iterator[str]:
    match beside_target(scale.shown, scale.target, n_points):
        case Beside.HIGHER:
            yield _("You reached your own target. What helped, and how do you hold on to it?")
        case Beside.LOWER | Beside.SAME:
            assert scale.target is not None
            yield _("You wanted to reach %(target)s and score %(score)s. What stood in the way?") % {
                "target": number(scale.target, 1),
                "score": score(scale.shown),
            }


def _change(scale: ScaleReport, n_points: int) -> Iterator[str]:
    match since(scale.shown, scale.previous, n_points):
        case Beside.HIGHER:
            yield _("The score has risen since the previous measurement. What do you do differently now?")
        case Beside.LOWER:
            yield _("The score has fallen since the previous measurement. What has changed in your work?")


def _items(plain: list[tuple[float, ItemReport]], where: Beside | None, middle: float) -> Iterator[str]:
    value, lowest = min(plain, key=lambda one: one[0])
    best, highest = max(plain, key=lambda one: one[0])
    if value < middle or where == Beside.LOWER:
        yield _("“%(item)s” gets the lowest score (%(score)s). Does that bother you? What could you change first?") % {
            "item": plain_text(lowest),
            "score": item_score(lowest.shown),
        }
    if best > middle and highest is not lowest:
        yield _("“%(item)s” gets the highest score (%(score)s). How do you do that?") % {
            "item": plain_text(highest),
            "score": item_score(highest.shown),
        }


def _value(item: ItemReport, n_points: int) -> float | None:
    """Its value, for items with a mean to name; one that is worded the other way round has no "high" or "low"."""
    if item.reverse_keyed or isinstance(item.shown, NearlyAll):
        return None
    return item_value(item.shown, n_points)


def plain_text(item: ItemReport) -> str:
    """An item within a sentence: without the full stop at its end."""
    return item.text.rstrip(".")


def item_score(shown: ShownItem) -> str:
    """An item's mean within a sentence."""
    match shown:
        case ItemMean(mean) | ItemDistribution(mean):
            return number(mean, 1)
        case Capped():
            return score(shown)
    return "–"
