"""Plain sentences about one scale of a report, made from the shown figures only. Short, and without statistics words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.disclosure import Agreement, Capped, Difference, MeanShown, Reached, ShownScale, Verdict, Withheld
from analysis.reports.objects import ScaleReport, WideScale

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Words = Mapping[Verdict, "_StrPromise"]


def number(value: float, decimals: int) -> str:
    """A figure in the reader's notation: 2,6 in Dutch."""
    return str(number_format(value, decimals))


def value_of(shown: ShownScale | None) -> float | None:
    """The figure at which a score stands in a chart: its mean, or the bound of "or higher"."""
    match shown:
        case MeanShown(mean):
            return mean
        case Capped(bound):
            return bound
    return None


def score(shown: ShownScale | None, decimals: int = 1) -> str:
    """A score within a sentence: "2,6", "about 3,4", or "3,8 or higher"."""
    match shown:
        case MeanShown(mean, _low, _high, about):
            value = number(mean, decimals)
            return _("about %(value)s") % {"value": value} if about else value
        case Capped(bound, upper):
            words = {"value": number(bound, 1)}
            return _("%(value)s or higher") % words if upper else _("%(value)s or lower") % words
    return "–"


# looked up by name only when used: of several sentences one is translated
_TARGET = {
    Reached.YES: gettext_lazy("You wanted to reach %(target)s: you did."),
    Reached.NO: gettext_lazy("You wanted to reach %(target)s: you are not there yet."),
    Reached.ABOUT: gettext_lazy("You wanted to reach %(target)s: you are about there."),
}
_SINCE: Words = {
    Verdict.HIGHER: gettext_lazy("The score is clearly higher than in the previous measurement (%(then)s)."),
    Verdict.LOWER: gettext_lazy("The score is clearly lower than in the previous measurement (%(then)s)."),
    Verdict.SLIGHTLY_HIGHER: gettext_lazy("The score is a little higher than in the previous measurement (%(then)s)."),
    Verdict.SLIGHTLY_LOWER: gettext_lazy("The score is a little lower than in the previous measurement (%(then)s)."),
    Verdict.CHANCE: gettext_lazy("In the previous measurement it was %(then)s. The difference may be chance."),
    Verdict.EQUAL: gettext_lazy("In the previous measurement it was %(then)s: about the same."),
}
_BENCHMARK: Words = {
    Verdict.HIGHER: gettext_lazy("The score is clearly higher than the mean of all teams (%(mean)s)."),
    Verdict.LOWER: gettext_lazy("The score is clearly lower than the mean of all teams (%(mean)s)."),
    Verdict.SLIGHTLY_HIGHER: gettext_lazy("The score is a little higher than the mean of all teams (%(mean)s)."),
    Verdict.SLIGHTLY_LOWER: gettext_lazy("The score is a little lower than the mean of all teams (%(mean)s)."),
    Verdict.CHANCE: gettext_lazy("The mean of all teams is %(mean)s. The difference may be chance."),
    Verdict.EQUAL: gettext_lazy("The mean of all teams is %(mean)s: about the same."),
}
_SECTOR: Words = {
    Verdict.HIGHER: gettext_lazy("The score is clearly higher than that of teams in the same sector (%(mean)s)."),
    Verdict.LOWER: gettext_lazy("The score is clearly lower than that of teams in the same sector (%(mean)s)."),
    Verdict.SLIGHTLY_HIGHER: gettext_lazy(
        "The score is a little higher than that of teams in the same sector (%(mean)s)."
    ),
    Verdict.SLIGHTLY_LOWER: gettext_lazy(
        "The score is a little lower than that of teams in the same sector (%(mean)s)."
    ),
    Verdict.CHANCE: gettext_lazy("Teams in the same sector score %(mean)s. The difference may be chance."),
    Verdict.EQUAL: gettext_lazy("Teams in the same sector score %(mean)s: about the same."),
}
_AGREEMENT = {
    Agreement.LARGELY_AGREE: gettext_lazy("The answers lie close together: you largely agree."),
    Agreement.SOMEWHAT_DIFFERENT: gettext_lazy("The answers lie somewhat apart: your views differ somewhat."),
    Agreement.WIDELY_DIFFERENT: gettext_lazy("The answers lie far apart: your views differ widely."),
}
_OWN: Words = {
    Verdict.HIGHER: gettext_lazy("You score %(score)s on a scale from 1 to %(points)s: clearly above the middle."),
    Verdict.LOWER: gettext_lazy("You score %(score)s on a scale from 1 to %(points)s: clearly below the middle."),
    Verdict.SLIGHTLY_HIGHER: gettext_lazy(
        "You score %(score)s on a scale from 1 to %(points)s: a little above the middle."
    ),
    Verdict.SLIGHTLY_LOWER: gettext_lazy(
        "You score %(score)s on a scale from 1 to %(points)s: a little below the middle."
    ),
    Verdict.CHANCE: gettext_lazy("You score %(score)s on a scale from 1 to %(points)s."),
    Verdict.EQUAL: gettext_lazy("You score %(score)s on a scale from 1 to %(points)s: around the middle."),
}


def sentences(scale: ScaleReport, n_points: int) -> list[str]:
    """Plain sentences about one scale of a team."""
    return list(_sentences(scale, n_points))


def _sentences(scale: ScaleReport, n_points: int) -> Iterator[str]:
    if isinstance(scale.shown, Withheld):
        yield _("There are too few answers about this subject to show them.")
        return
    yield from _own(scale.shown, scale.middle, n_points)
    if scale.reached is not None and scale.target is not None:
        yield _TARGET[scale.reached] % {"target": number(scale.target, 1)}
    if scale.since is not None:
        yield _SINCE[scale.since.verdict] % {"then": score(scale.previous)}
        yield from by_how_much(scale.since, 1)
    if scale.beside_all is not None:
        yield _BENCHMARK[scale.beside_all.verdict] % {"mean": score(scale.benchmark, 2)}
        yield from by_how_much(scale.beside_all, 1)
    if scale.beside_sector is not None:
        yield _SECTOR[scale.beside_sector.verdict] % {"mean": score(scale.sector, 2)}
        yield from by_how_much(scale.beside_sector, 1)
    if isinstance(scale.agreement, Agreement):
        yield str(_AGREEMENT[scale.agreement])


def _own(shown: MeanShown | Capped, middle: Verdict | None, n_points: int) -> Iterator[str]:
    if isinstance(shown, Capped):
        value = {"score": number(shown.bound, 1), "points": n_points}
        yield (
            _("You score %(score)s or higher on a scale from 1 to %(points)s.") % value
            if shown.upper
            else _("You score %(score)s or lower on a scale from 1 to %(points)s.") % value
        )
        return
    yield _OWN[middle or Verdict.CHANCE] % {"score": score(shown), "points": n_points}
    if shown.low is not None and shown.high is not None:
        yield (
            _("By chance it could also have been between %(low)s and %(high)s.")
            % {"low": number(shown.low, 1), "high": number(shown.high, 1)}
        )


def by_how_much(difference: Difference, decimals: int) -> Iterator[str]:
    """How large a clear difference probably is, as far as both scores have a figure."""
    if difference.by is None or difference.low is None or difference.high is None or not difference.verdict.clear:
        return
    low, high = sorted((abs(difference.low), abs(difference.high)))
    words = {"by": number(abs(difference.by), decimals), "low": number(low, decimals), "high": number(high, decimals)}
    if min(difference.low, difference.high) <= 0 <= max(difference.low, difference.high):
        yield _("The difference is %(by)s, probably not more than %(high)s.") % words  # its near end is nearly nothing
    else:
        yield _("The difference is %(by)s, probably %(low)s to %(high)s.") % words


def wide_sentences(scale: WideScale) -> list[str]:
    """Sentences about a mean over several teams."""
    return list(_wide(scale))


def _wide(scale: WideScale) -> Iterator[str]:
    if not isinstance(scale.shown, MeanShown):
        yield _("There are too few answers about this subject to show them.")
        return
    yield _("The mean is %(score)s.") % {"score": score(scale.shown, 2)}
    if scale.shown.low is not None and scale.shown.high is not None:
        yield (
            _("By chance it could also have been between %(low)s and %(high)s.")
            % {"low": number(scale.shown.low, 2), "high": number(scale.shown.high, 2)}
        )
    if scale.beside_all is not None:
        yield _BENCHMARK[scale.beside_all.verdict] % {"mean": score(scale.benchmark, 2)}
        yield from by_how_much(scale.beside_all, 2)
    if scale.since is not None:
        yield _SINCE[scale.since.verdict] % {"then": score(scale.previous, 2)}
        yield from by_how_much(scale.since, 2)
