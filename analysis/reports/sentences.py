"""Plain sentences about one scale of a report, made from the shown figures only. Short, and without statistics words."""

from __future__ import annotations

from enum import StrEnum

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.disclosure import Agreement, Capped, MeanShown, ShownScale, Withheld


class Beside(StrEnum):
    """How a score lies beside another figure, as far as that is clear."""

    HIGHER = "higher"
    LOWER = "lower"
    SAME = "same"


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


def _ends(shown: ShownScale, n_points: int) -> tuple[float, float] | None:
    match shown:
        case MeanShown(_mean, low, high) if low is not None and high is not None:
            return low, high
        case Capped(bound, upper):
            return (bound, float(n_points)) if upper else (1.0, bound)
    return None


def beside(shown: ShownScale, figure: ShownScale | float | None, n_points: int) -> Beside | None:
    """Beside a mean of other teams or the middle of the scale: clear where the interval does not hold it."""
    other = figure if isinstance(figure, float) else value_of(figure)
    if other is None or value_of(shown) is None:
        return None
    ends = _ends(shown, n_points)
    if ends and ends[0] > other:
        return Beside.HIGHER
    return Beside.LOWER if ends and ends[1] < other else Beside.SAME


def since(shown: ShownScale, then: ShownScale | None, n_points: int) -> Beside | None:
    """Beside the previous wave: clear where the intervals do not overlap."""
    if then is None or value_of(shown) is None or value_of(then) is None:
        return None
    now_ends, then_ends = _ends(shown, n_points), _ends(then, n_points)
    if now_ends is None or then_ends is None:
        return Beside.SAME
    if now_ends[0] > then_ends[1]:
        return Beside.HIGHER
    return Beside.LOWER if now_ends[1] < then_ends[0] else Beside.SAME


def beside_target(shown: ShownScale, target: float | None, n_points: int) -> Beside | None:
    """HIGHER: reached. LOWER: the whole interval lies under it. SAME: under it, but close."""
    value = value_of(shown)
    if target is None or value is None:
        return None
    if value >= target and not (isinstance(shown, Capped) and not shown.upper):
        return Beside.HIGHER
    return Beside.LOWER if beside(shown, target, n_points) == Beside.LOWER else Beside.SAME


def score(shown: ShownScale, decimals: int = 1) -> str:
    """A score within a sentence: "2,6", or "3,8 or higher"."""
    match shown:
        case MeanShown(mean):
            return number(mean, decimals)
        case Capped(bound, upper):
            words = {"value": number(bound, 1)}
            return _("%(value)s or higher") % words if upper else _("%(value)s or lower") % words
    return "–"


# looked up by name only when used: of three sentences one is translated
_TARGET = {
    Beside.HIGHER: gettext_lazy("You wanted to reach %(target)s: you did."),
    Beside.LOWER: gettext_lazy("You wanted to reach %(target)s: you are not there yet."),
    Beside.SAME: gettext_lazy("You wanted to reach %(target)s: you are close."),
}
_SINCE = {
    Beside.HIGHER: gettext_lazy("In the previous measurement it was %(then)s: the score has risen."),
    Beside.LOWER: gettext_lazy("In the previous measurement it was %(then)s: the score has fallen."),
    Beside.SAME: gettext_lazy("In the previous measurement it was %(then)s: no clear difference."),
}
_BENCHMARK = {
    Beside.HIGHER: gettext_lazy("The score is higher than the mean of all teams (%(mean)s)."),
    Beside.LOWER: gettext_lazy("The score is lower than the mean of all teams (%(mean)s)."),
    Beside.SAME: gettext_lazy("The score is about the same as the mean of all teams (%(mean)s)."),
}
_AGREEMENT = {
    Agreement.LARGELY_AGREE: gettext_lazy("The answers lie close together: you largely agree."),
    Agreement.SOMEWHAT_DIFFERENT: gettext_lazy("The answers lie somewhat apart: your views differ somewhat."),
    Agreement.WIDELY_DIFFERENT: gettext_lazy("The answers lie far apart: your views differ widely."),
}
_MIDDLE = {
    Beside.HIGHER: gettext_lazy("You score %(score)s out of %(points)s: above the middle of the scale."),
    Beside.LOWER: gettext_lazy("You score %(score)s out of %(points)s: below the middle of the scale."),
    Beside.SAME: gettext_lazy("You score %(score)s out of %(points)s: around the middle of the scale."),
}


def sentences(
    shown: ShownScale,
    agreement: Agreement | Withheld,
    benchmark: ShownScale,
    sector: ShownScale | None,
    previous: ShownScale | None,
    target: float | None,
    n_points: int,
) -> list[str]:
    """Plain sentences about one scale, made from the shown figures only."""
    if isinstance(shown, Withheld):
        return [_("There are too few answers about this subject to show them.")]
    made = _own(shown, n_points)
    if words := beside_target(shown, target, n_points):
        assert target is not None
        made.append(_TARGET[words] % {"target": number(target, 1)})
    if previous is not None and (words := since(shown, previous, n_points)):
        made.append(_SINCE[words] % {"then": score(previous)})
    if isinstance(benchmark, MeanShown) and (words := beside(shown, benchmark, n_points)):
        made.append(_BENCHMARK[words] % {"mean": number(benchmark.mean, 2)})
    if isinstance(sector, MeanShown):
        made.append(_("Teams in the same sector score %(mean)s.") % {"mean": number(sector.mean, 2)})
    if isinstance(agreement, Agreement):
        made.append(str(_AGREEMENT[agreement]))
    return made


def _own(shown: MeanShown | Capped, n_points: int) -> list[str]:
    if isinstance(shown, Capped):
        value = {"score": number(shown.bound, 1)}
        return [
            _("You score %(score)s or higher: very high.") % value
            if shown.upper
            else _("You score %(score)s or lower: very low.") % value
        ]
    values = {"score": number(shown.mean, 1), "points": n_points}
    made = [_MIDDLE[beside(shown, (1 + n_points) / 2, n_points) or Beside.SAME] % values]
    if shown.low is not None and shown.high is not None:
        made.append(
            _("The score probably lies between %(low)s and %(high)s.")
            % {"low": number(shown.low, 1), "high": number(shown.high, 1)}
        )
    return made


def wide_sentences(shown: ShownScale, previous: ShownScale | None, benchmark: ShownScale | None) -> list[str]:
    """Sentences about a mean over several teams."""
    if not isinstance(shown, MeanShown):
        return [_("There are too few answers about this subject to show them.")]
    made = [_("The mean is %(score)s.") % {"score": number(shown.mean, 2)}]
    if shown.low is not None and shown.high is not None:
        made.append(
            _("It probably lies between %(low)s and %(high)s.")
            % {"low": number(shown.low, 2), "high": number(shown.high, 2)}
        )
    if isinstance(benchmark, MeanShown):
        made.append(_("The mean of all teams is %(mean)s.") % {"mean": number(benchmark.mean, 2)})
    if isinstance(previous, MeanShown):
        made.append(_SINCE[since(shown, previous, 0) or Beside.SAME] % {"then": number(previous.mean, 2)})
    return made
