"""Questions for the team talk, taken from what the results say: rules over shown figures, no fixed list.

Each rule asks one question or none. They are tried in order of what a team can do most with; a scale gets at most three.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from django.utils.translation import gettext as _

from analysis.disclosure import (
    Agreement,
    Capped,
    ItemDistribution,
    ItemMean,
    NearlyAll,
    Reached,
    ShownItem,
    Verdict,
    Withheld,
)
from analysis.reports.objects import ItemReport, ScaleReport, WideScale
from analysis.reports.sentences import joined, number, score
from teams.text.directions import isolated

AT_MOST = 3


def questions(scale: ScaleReport, options: tuple[str, ...]) -> tuple[str, ...]:
    """The questions about one scale."""
    if isinstance(scale.shown, Withheld):
        return ()
    return tuple(islice(_all(scale, options), AT_MOST))


def questions_for_director(scales: Sequence[WideScale] | Withheld) -> tuple[str, ...]:
    """The questions at the end of a director's report."""
    return (
        *_over_teams(scales, _("The mean is lowest on “%(scale)s”. What do your teams need from you for it?")),
        _("What do you recognise in these figures, and what surprises you?"),
        _("What do you want to hear from the teams before you decide anything?"),
    )


def questions_for_all(scales: Sequence[WideScale] | Withheld) -> tuple[str, ...]:
    """The questions at the end of the report on the whole study."""
    return (
        *_over_teams(scales, _("The mean is lowest on “%(scale)s”. What can teams do for each other there?")),
        _("What do you recognise in these figures, and what surprises you?"),
        _("What would you like to ask other teams?"),
    )


def _over_teams(scales: Sequence[WideScale] | Withheld, of_lowest: str) -> Iterator[str]:
    if isinstance(scales, Withheld):
        return
    for scale in scales:
        if scale.lowest:
            yield of_lowest % {"scale": isolated(scale.name)}
        if scale.highest:
            yield _("The mean is highest on “%(scale)s”. What makes that possible?") % {"scale": isolated(scale.name)}
    if up := [scale.name for scale in scales if scale.since is not None and scale.since.verdict.up]:
        yield _("The mean is higher than in the previous measurement on %(scales)s. What helped?") % {
            "scales": joined(up)
        }
    if down := [scale.name for scale in scales if scale.since is not None and scale.since.verdict.down]:
        yield _("The mean is lower than in the previous measurement on %(scales)s. What has changed for the teams?") % {
            "scales": joined(down)
        }


def _all(scale: ScaleReport, options: tuple[str, ...]) -> Iterator[str]:
    yield from _target(scale)
    yield from _change(scale)
    widest = scale.item(scale.widest)
    if widest and scale.agreement in (Agreement.SOMEWHAT_DIFFERENT, Agreement.WIDELY_DIFFERENT):
        yield _("You think differently about “%(item)s”. What do some of you see that others do not?") % {
            "item": plain_text(widest)
        }
    middle = (1 + len(options)) / 2
    plain = [(value, item) for item in scale.items if (value := _value(item)) is not None]
    if plain:
        yield from _items(plain, scale.middle, middle)
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
    if scale.beside_all is not None and scale.beside_all.verdict.down:
        yield _("Other teams score higher on this subject. What would you like to ask them?")
    if scale.beside_all is not None and scale.beside_all.verdict.up:
        yield _("You score higher than other teams. What would you tell them about how you work?")
    if scale.middle in (Verdict.EQUAL, Verdict.CHANCE):
        yield _("Who has an example of when it went well, and of when it did not?")


def _target(scale: ScaleReport) -> Iterator[str]:
    if scale.reached == Reached.YES:
        yield _("You reached your own target. What helped, and how do you hold on to it?")
    elif scale.reached is not None and scale.target is not None:
        yield _("You wanted to reach %(target)s and score %(score)s. What helped, and what did not?") % {
            "target": number(scale.target, 1),
            "score": score(scale.shown),
        }


def _change(scale: ScaleReport) -> Iterator[str]:
    if scale.since is not None and scale.since.verdict.up:
        yield _("The score is higher than in the previous measurement. What do you do differently now?")
    if scale.since is not None and scale.since.verdict.down:
        yield _("The score is lower than in the previous measurement. What has changed in your work?")


def _items(plain: list[tuple[float, ItemReport]], where: Verdict | None, middle: float) -> Iterator[str]:
    value, lowest = min(plain, key=lambda pair: pair[0])
    best, highest = max(plain, key=lambda pair: pair[0])
    others_low = [_ends(item.shown)[0] for _value, item in plain if item is not lowest]
    others_high = [_ends(item.shown)[1] for _value, item in plain if item is not highest]
    # of two that are shown alike, or where another is "or higher", neither is said to be the one
    if _ends(lowest.shown)[1] < min(others_low, default=math.inf) and (
        value < middle or (where is not None and where.down)
    ):
        yield _("“%(item)s” has the lowest figure (%(score)s). What do you notice about that?") % {
            "item": plain_text(lowest),
            "score": item_score(lowest.shown),
        }
    if _ends(highest.shown)[0] > max(others_high, default=-math.inf) and best > middle and highest is not lowest:
        yield _("“%(item)s” has the highest figure (%(score)s). What do you notice about that?") % {
            "item": plain_text(highest),
            "score": item_score(highest.shown),
        }


def _value(item: ItemReport) -> float | None:
    """Its figure as it is shown; None without one, and for a question put the other way round, which has no "high" or "low"."""
    match item.shown:
        case ItemMean(mean) | ItemDistribution(mean, _) if not item.reverse_keyed:
            return mean
        case Capped(bound) if not item.reverse_keyed:
            return bound
    return None


def _ends(shown: ShownItem) -> tuple[float, float]:
    """The least and the most that an item's figure can be."""
    match shown:
        case ItemMean(mean) | ItemDistribution(mean):
            return mean, mean
        case Capped(bound, upper):
            return (bound, math.inf) if upper else (-math.inf, bound)
    return -math.inf, math.inf


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
