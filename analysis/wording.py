"""Words that the web page and the PDF of a report share. Made from shown figures only."""

from __future__ import annotations

from django.utils.translation import gettext as _

from analysis.charts import Words
from analysis.disclosure import Capped, MeanShown, Reason, ShownScale
from analysis.reports import Benchmark, TeamReport
from analysis.sentences import number


def withheld_text(reason: Reason, k: int) -> str:
    """Why something is not shown, in a sentence that depends on group sizes only."""
    return {
        Reason.TOO_FEW: _("Fewer than %(k)s people answered. So that nobody can be recognised, we show no results.")
        % {"k": k},
        Reason.COUNTS_OPEN: _(
            "More questionnaires came back than there were people. A researcher looks at that first."
        ),
        Reason.FEW_TEAMS: _("Too few teams took part to compare without giving a team away."),
        Reason.ONE_DOMINATES: _(
            "One team makes up more than half of the answers, so the mean of all teams would give it away."
        ),
        Reason.REMAINDER: _("What is left out would be so small a group that it could be recognised."),
        Reason.NOT_AGREED: _("The team leader did not agree to show the team's own results."),
        Reason.NOT_MEASURED: _("Your team has no analysed answers in this measurement."),
    }[reason]


def scale_value(shown: ShownScale | None, decimals: int) -> str:
    """A scale mean as it stands in a table: rounded, capped, or a dash."""
    match shown:
        case MeanShown(mean):
            return number(mean, decimals)
        case Capped(bound, upper):
            value = {"value": number(bound, 1)}
            return _("%(value)s or higher") % value if upper else _("%(value)s or lower") % value
    return "–"


def chart_words(report: TeamReport) -> Words:
    """The words in the chart of scale means."""
    return Words(
        own=_("your team"),
        benchmark=_("all teams"),
        previous=_("previous measurement"),
        axis=_("1 = %(lowest)s, %(points)s = %(highest)s")
        % {"lowest": report.options[0], "points": report.n_points, "highest": report.options[-1]},
    )


def caption(report: TeamReport) -> str:
    """What stands under the chart: how to read it, and whose answers "all teams" are."""
    text = _(
        "Dot: your team. Wide bar: where the score would probably lie if all colleagues had answered. "
        "Dashed line: the middle of the scale."
    )
    if isinstance(report.benchmark, Benchmark):
        text += " " + _(
            "All teams: %(units)s of %(teams)s teams, those with at least %(k)s answers; %(n)s teachers."
        ) % {
            "units": report.benchmark.n_units,
            "teams": report.benchmark.n_teams,
            "k": report.k,
            "n": report.benchmark.n_respondents,
        }
    return text


def how_to_read(report: TeamReport) -> list[str]:
    """What the figures mean, and what they cannot say."""
    return [
        _("A score is the mean of the answers, from 1 to %(points)s. The middle of the scale is %(middle)s.")
        % {"points": report.n_points, "middle": number(report.midpoint, 2)},
        _("Not everybody answered. That is why a score comes with a range in which it probably lies."),
        _("To protect everybody, results of fewer than %(k)s people are not shown, and scores are rounded.")
        % {"k": report.k},
        _("These are opinions about working together. They are no judgement of persons."),
    ]
