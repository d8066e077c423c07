"""Plain sentences of a report: about one scale, made from the shown figures only, and why something is not shown.

Short, and without statistics words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.disclosure import (
    Agreement,
    Capped,
    Difference,
    Hold,
    MeanShown,
    Reached,
    Reason,
    ShownScale,
    Verdict,
    Withheld,
)
from analysis.reports.objects import ScaleReport, WideScale
from teams.text.directions import isolated

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


def scale_value(shown: ShownScale | None, decimals: int) -> str:
    """A scale mean as it stands in a table: rounded, capped, or a dash."""
    return "–" if shown is None else score(shown, decimals)


def between(shown: ShownScale | None, decimals: int) -> str:
    """The interval as it stands in a table."""
    if not isinstance(shown, MeanShown) or shown.low is None or shown.high is None:
        return "–"
    return f"{number(shown.low, decimals)} – {number(shown.high, decimals)}"


def joined(names: Sequence[str]) -> str:
    """“A”, “B” and “C”."""
    quoted = [f"“{isolated(name)}”" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return _("%(first)s and %(last)s") % {"first": ", ".join(quoted[:-1]), "last": quoted[-1]}


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


def said_of_team(scale: ScaleReport, n_points: int) -> tuple[tuple[str, ...], ...]:
    """What is said of one scale of a team, what matters most first; sentences that belong together stand together."""
    return tuple(tuple(map(str, together)) for together in _of_team(scale, n_points))


def said_of_teams(scale: WideScale) -> tuple[tuple[str, ...], ...]:
    """The same of a mean over several teams."""
    return tuple(tuple(map(str, together)) for together in _of_teams(scale))


def telling(scale: ScaleReport | WideScale) -> str:
    """The one sentence that says most of a scale: of a clear change, else of a clear difference, else of its score."""
    decimals = 1 if isinstance(scale, ScaleReport) else 2
    if scale.since is not None and scale.since.verdict.clear:
        return str(_SINCE[scale.since.verdict] % {"then": score(scale.previous, decimals)})
    if scale.beside_all is not None and scale.beside_all.verdict.clear:
        return str(_BENCHMARK[scale.beside_all.verdict] % {"mean": score(scale.benchmark, 2)})
    return scale.said[0][0]


def _of_team(scale: ScaleReport, n_points: int) -> Iterator[Iterable[str]]:
    if isinstance(scale.shown, Withheld):
        yield [_("There are too few answers about this subject to show them.")]
        return
    yield [_own(scale.shown, scale.middle, n_points)]
    if scale.reached is not None and scale.target is not None:
        yield [_TARGET[scale.reached] % {"target": number(scale.target, 1)}]
    yield from _compared(scale, 1)
    if isinstance(scale.agreement, Agreement):
        yield [str(_AGREEMENT[scale.agreement])]
    yield from _by_chance(scale.shown, 1)
    if scale.beside_sector is not None:
        same = _SECTOR[scale.beside_sector.verdict] % {"mean": score(scale.sector, 2)}
        yield [same, *by_how_much(scale.beside_sector, 1)]


def _of_teams(scale: WideScale) -> Iterator[Iterable[str]]:
    if not isinstance(scale.shown, MeanShown):
        yield [_("There are too few answers about this subject to show them.")]
        return
    yield [_("The mean is %(score)s.") % {"score": score(scale.shown, 2)}]
    yield from _compared(scale, 2)
    yield from _by_chance(scale.shown, 2)


def _own(shown: MeanShown | Capped, middle: Verdict | None, n_points: int) -> str:
    if isinstance(shown, Capped):
        value = {"score": number(shown.bound, 1), "points": n_points}
        return (
            _("You score %(score)s or higher on a scale from 1 to %(points)s.") % value
            if shown.upper
            else _("You score %(score)s or lower on a scale from 1 to %(points)s.") % value
        )
    return _OWN[middle or Verdict.CHANCE] % {"score": score(shown), "points": n_points}


def _compared(scale: ScaleReport | WideScale, decimals: int) -> Iterator[Iterable[str]]:
    if scale.since is not None:
        then = _SINCE[scale.since.verdict] % {"then": score(scale.previous, decimals)}
        yield [then, *by_how_much(scale.since, decimals)]
    if scale.beside_all is not None:
        everybody = _BENCHMARK[scale.beside_all.verdict] % {"mean": score(scale.benchmark, 2)}
        yield [everybody, *by_how_much(scale.beside_all, decimals)]


def _by_chance(shown: ShownScale, decimals: int) -> Iterator[Iterable[str]]:
    if isinstance(shown, MeanShown) and shown.low is not None and shown.high is not None:
        ends = {"low": number(shown.low, decimals), "high": number(shown.high, decimals)}
        if shown.about and decimals == 1:  # the interval of a team holds what caps leave open
            said = _("It could also be between %(low)s and %(high)s: of some questions we show no mean.")
        else:
            said = _("By chance it could also have been between %(low)s and %(high)s.")
        yield [said % ends]


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


# ------------------------------------------------------------------------------------------------ what is not shown
WHY_WITHHELD = {
    Reason.TOO_FEW: gettext_lazy(
        "Fewer than %(k)s people answered. We show no results, so that nobody can be recognised."
    ),
    Reason.COUNTS_OPEN: gettext_lazy(
        "It is not certain yet that enough different people answered. A researcher looks at that first."
    ),
    Reason.FEW_TEAMS: gettext_lazy("Too few teams took part: a mean would show how a single team scores."),
    Reason.ONE_DOMINATES: gettext_lazy(
        "One team gave more than half of the answers: a mean would show how that team scores."
    ),
    Reason.REMAINDER: gettext_lazy("The group that is left out is so small that it could be recognised."),
    Reason.NOT_AGREED: gettext_lazy("The team leader did not agree to show the team's own results."),
    Reason.NOT_MEASURED: gettext_lazy("There are no answers of this team in this measurement."),
    Reason.OTHERS_LATER: gettext_lazy(
        "Here you see your own team. What all teams answered comes later, in the report."
    ),
    Reason.NOT_IN_VERSION: gettext_lazy(
        "The version that is published has no results of this team. The researchers can say why."
    ),
}
WHY_HELD = {
    Hold.RETURNED: gettext_lazy("More questionnaires came back than there were people."),
    Hold.PRESENT_UNKNOWN: gettext_lazy("Nobody counted how many people were in the meeting."),
    Hold.COUNTED_BY_LEADER: gettext_lazy(
        "The team leader counted those present. Who gets the report must not be who counts."
    ),
    Hold.COUNTED_BY_STRANGER: gettext_lazy(
        "Those present were counted by a contact person whose address is in no mail domain of the institution."
    ),
    Hold.LINKS_MAKE_UP: gettext_lazy("Fewer than %(k)s people were in the meeting; personal links make up the rest."),
    Hold.UNCONFIRMED: gettext_lazy(
        "Without the links to addresses that nobody confirmed, fewer than %(k)s people may have answered."
    ),
    Hold.ONE_SUPPLIER: gettext_lazy("One person counted those present and supplied the addresses for links."),
    Hold.PAPER_BY_LINK: gettext_lazy(
        "Without the paper forms that were typed by link, so not by a researcher, fewer than %(k)s people may have answered."
    ),
    Hold.ONE_DEVICE: gettext_lazy(
        "Many answers were begun on one device, and no shared device was announced: without them fewer than %(k)s people "
        "may have answered."
    ),
}


def hold_text(hold: Hold, k: int) -> str:
    """What a researcher has to look at before a team gets a report, in a sentence."""
    return WHY_HELD[hold] % {"k": k}


def withheld_text(reason: Reason, k: int) -> str:
    """Why something is not shown, in a sentence that depends on group sizes only."""
    return WHY_WITHHELD[reason] % {"k": k}
