"""Plain sentences about one scale of a report, made from the shown figures only."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from analysis.disclosure import Agreement, Capped, MeanShown, ShownScale, Withheld


def number(value: float, decimals: int) -> str:
    """A figure in the reader's notation: 2,6 in Dutch."""
    return str(number_format(value, decimals))


def sentences(
    shown: ShownScale,
    agreement: Agreement | Withheld,
    benchmark: ShownScale,
    previous: ShownScale | None,
    n_points: int,
) -> list[str]:
    """Plain sentences about one scale, made from the shown figures only."""
    made = []
    middle = (1 + n_points) / 2
    match shown:
        case Withheld():
            return [_("There are too few answers about this subject to show them.")]
        case Capped(bound, upper):
            value = number(bound, 1)
            made.append(
                _("Your team's score is %(score)s or higher: very high.") % {"score": value}
                if upper
                else _("Your team's score is %(score)s or lower: very low.") % {"score": value}
            )
        case MeanShown(mean, low, high):
            values = {"score": number(mean, 1), "points": n_points}
            if low is not None and high is not None and low > middle:
                made.append(_("Your team scores %(score)s out of %(points)s: above the middle of the scale.") % values)
            elif low is not None and high is not None and high < middle:
                made.append(_("Your team scores %(score)s out of %(points)s: below the middle of the scale.") % values)
            else:
                made.append(_("Your team scores %(score)s out of %(points)s: around the middle of the scale.") % values)
            if low is not None and high is not None:
                made.append(
                    _(
                        "Colleagues who did not answer may think otherwise; the score probably lies between %(low)s and %(high)s."
                    )
                    % {"low": number(low, 1), "high": number(high, 1)}
                )
            if isinstance(benchmark, MeanShown):
                made.append(_compared(low, high, benchmark.mean))
            if isinstance(previous, MeanShown):
                made.append(_since(shown, previous))
    if isinstance(agreement, Agreement):
        made.append(
            {
                Agreement.LARGELY_AGREE: _("The answers lie close together: you largely agree."),
                Agreement.SOMEWHAT_DIFFERENT: _("The answers lie somewhat apart: your views differ somewhat."),
                Agreement.WIDELY_DIFFERENT: _("The answers lie far apart: your views differ widely."),
            }[agreement]
        )
    return made


def _compared(low: float | None, high: float | None, benchmark: float) -> str:
    values = {"mean": number(benchmark, 2)}
    if low is not None and low > benchmark:
        return _("That is higher than the mean of all teams (%(mean)s).") % values
    if high is not None and high < benchmark:
        return _("That is lower than the mean of all teams (%(mean)s).") % values
    return _("That is about the same as the mean of all teams (%(mean)s).") % values


def _since(now: MeanShown, then: MeanShown) -> str:
    values = {"then": number(then.mean, 1)}
    if None not in (now.low, now.high, then.low, then.high):
        assert now.low is not None
        assert now.high is not None
        assert then.low is not None
        assert then.high is not None
        if now.low > then.high:
            return _("In the previous measurement it was %(then)s: the score has risen.") % values
        if now.high < then.low:
            return _("In the previous measurement it was %(then)s: the score has fallen.") % values
    return _("In the previous measurement it was %(then)s: no clear difference.") % values
