"""Words that the web page, the talk and the PDF of a report share. Made from shown figures only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.disclosure import (
    Agreement,
    Capped,
    ItemDistribution,
    ItemMean,
    MeanShown,
    NearlyAll,
    ShownScale,
    Withheld,
)
from analysis.reports.charts import MeanRow, Words
from analysis.reports.objects import (
    AcademyReport,
    Benchmark,
    ItemReport,
    LookedBack,
    Mark,
    ScaleReport,
    StudyReport,
    TeamReport,
    Wave,
    WideReport,
    WideScale,
)
from analysis.reports.questions import plain_text
from analysis.reports.sentences import between, number, scale_value, score, value_of, withheld_text
from teams.text.directions import isolated

SAID = 4  # sentences beside a chart in the talk; the others stand in its drawer, and in the notes of its slides


# ------------------------------------------------------------------------------------------------ charts and tables
def own_word(report: Wave) -> str:
    """What the dots of a report's charts stand for."""
    if isinstance(report, TeamReport):
        return _("your teams") if report.combined_with else _("your team")
    return _("this academy") if isinstance(report, AcademyReport) else _("all teams")


def chart_words(report: Wave) -> Words:
    """The words in the charts of scale means."""
    return Words(
        marks={
            Mark.OWN: own_word(report),
            Mark.INTERVAL: _("probably between"),
            Mark.TARGET: _("your own target"),
            Mark.PREVIOUS: _("previous measurement"),
            Mark.BENCHMARK: _("all teams"),
            Mark.SECTOR: _("same sector"),
        },
        ends=(f"1 = {report.options[0]}", f"{report.n_points} = {report.options[-1]}"),
        middle=_("middle of the scale"),
    )


def returned_text(returned: int, approached: int) -> str:
    """How many teachers returned the questionnaire."""
    return ngettext(
        "%(returned)s of %(approached)s teacher returned the questionnaire.",
        "%(returned)s of %(approached)s teachers returned the questionnaire.",
        approached,
    ) % {"returned": returned, "approached": approached}


def decimals_of(scale: ScaleReport | WideScale) -> int:
    """A team's means have one decimal, means over several teams two."""
    return 1 if isinstance(scale, ScaleReport) else 2


def mean_row(scale: ScaleReport | WideScale) -> MeanRow:
    """A scale of a report as a row of a chart: only what the report shows."""
    figures = {Mark.BENCHMARK: value_of(scale.benchmark), Mark.PREVIOUS: value_of(scale.previous)}
    if isinstance(scale, ScaleReport):
        figures |= {Mark.SECTOR: value_of(scale.sector), Mark.TARGET: scale.target}
    before = scale.previous
    return MeanRow(
        scale.name,
        scale.shown,
        scale_value(scale.shown, decimals_of(scale)),
        {mark: value for mark, value in figures.items() if value is not None},
        {Mark.PREVIOUS: (before.low, before.high)}
        if isinstance(before, MeanShown) and before.low is not None and before.high is not None
        else {},
    )


def with_figures(words: Words, row: MeanRow, figures: Mapping[Mark, str]) -> tuple[MeanRow, Words]:
    """One scale by itself: its figures stand beside the names of the marks, so that its row needs no words."""
    own = f"{figures.get(Mark.OWN, '')} ({between})" if (between := figures.get(Mark.INTERVAL)) else ""
    said = {**figures, Mark.OWN: own} if own else figures
    named: dict[Mark, str] = {
        mark: f"{word} {said.get(mark, '')}".strip() for mark, word in words.marks.items() if mark != Mark.INTERVAL
    }
    return replace(row, label="", text=""), replace(words, marks=named, middle="")


def figures_of(scale: ScaleReport | WideScale, marks: Sequence[Mark]) -> dict[Mark, str]:
    """What a table and a chart say of a scale, a figure to a mark; a mark that it has no figure for is left out."""
    cells = dict(zip(marks, table_row(scale, marks)[1:], strict=True))
    return {mark: cell for mark, cell in cells.items() if cell != "–"}


@dataclass(frozen=True)
class Large:
    """A score in large type: the figure, and the small words before and after it."""

    figure: str
    before: str = ""
    after: str = ""


def large(shown: ShownScale, decimals: int) -> Large:
    """A score as it stands in large type."""
    match shown:
        case MeanShown(mean, _low, _high, about):
            return Large(number(mean, decimals), before=_("about") if about else "")
        case Capped(bound, upper):
            return Large(number(bound, 1), after=_("or higher") if upper else _("or lower"))
    return Large("–")


def table_head(report: Wave, marks: Sequence[Mark]) -> list[str]:
    """The head of the table beside a chart: the same marks in the same order."""
    words = chart_words(report).marks
    return [_("Subject"), *(words[mark][:1].upper() + words[mark][1:] for mark in marks)]


def table_row(scale: ScaleReport | WideScale, marks: Sequence[Mark]) -> list[str]:
    """One scale in the table beside a chart."""
    own = decimals_of(scale)
    figures = {
        Mark.OWN: scale_value(scale.shown, own),
        Mark.INTERVAL: between(scale.shown, own),
        Mark.PREVIOUS: _with_interval(scale.previous, own)
        if Mark.INTERVAL in marks
        else scale_value(scale.previous, own),
        Mark.BENCHMARK: scale_value(scale.benchmark, 2),
    }
    if isinstance(scale, ScaleReport):
        figures[Mark.SECTOR] = scale_value(scale.sector, 2)
        figures[Mark.TARGET] = "–" if scale.target is None else number(scale.target, 1)
    return [scale.name, *(figures[mark] for mark in marks)]


def _with_interval(shown: ShownScale | None, decimals: int) -> str:
    value, ends = scale_value(shown, decimals), between(shown, decimals)
    return value if ends == "–" else f"{value} ({ends})"


def item_words(item: ItemReport, report: Wave) -> str:
    """What is shown of an item, in words: the alternative of its bar, and where there is none its place."""
    match item.shown:
        case ItemDistribution(_mean, percentages):
            return "; ".join(f"{o} {p} %" for o, p in zip(report.options, percentages, strict=True))
        case Capped():
            return _("mean %(value)s") % {"value": scale_value(item.shown, 1)}
        case NearlyAll(category):
            return _("Everyone, but for two people at most: “%(option)s”") % {"option": report.options[category - 1]}
        case ItemMean(mean):
            return _("mean %(value)s") % {"value": number(mean, 1)}
        case Withheld(reason):
            return withheld_text(reason, report.k)


# ------------------------------------------------------------------------------------------------ reading it
def caption(report: TeamReport | AcademyReport | StudyReport) -> str:
    """What stands under the chart: how to read its bars."""
    if isinstance(report, TeamReport):
        return _("Bar: how much the score could have been different by chance.")
    if report.like_these:
        return _("Bar: where the mean would probably be with other teams like these.")
    return _("Bar: how much the mean of these teams could have been different by chance.")


def all_teams(report: TeamReport | AcademyReport | StudyReport) -> str:
    """Whose answers the mean of all teams is made of; nothing where a report has none beside its own."""
    if not isinstance(report, TeamReport | AcademyReport) or not isinstance(report.benchmark, Benchmark):
        return ""
    base, k = report.benchmark, report.k
    if base.n_units == base.n_teams:
        return _("“All teams” are %(units)s teams with %(n)s teachers together.") % {
            "units": base.n_units,
            "n": base.n_respondents,
        }
    return _(
        "“All teams” are %(units)s of the %(teams)s teams, with %(n)s teachers together. "
        "Teams with fewer than %(k)s answers do not count."
    ) % {"units": base.n_units, "teams": base.n_teams, "n": base.n_respondents, "k": k}


def differences(scale: ScaleReport) -> list[str]:
    """On which questions of a scale people agree most and least, where the answers are shown."""
    closest, widest = scale.item(scale.closest), scale.item(scale.widest)
    if closest is None or widest is None:
        return []
    return [
        _("You agree most on “%(item)s”.") % {"item": plain_text(closest)},
        _("Your views lie furthest apart on “%(item)s”.") % {"item": plain_text(widest)},
    ]


def change(scale: ScaleReport) -> str:
    """The score of then, the target and the score of now: what stands beside what a team agreed. Empty if it did not."""
    if not scale.agreed and not scale.looked_back and scale.target is None:
        return ""
    parts = [_("Then: %(score)s.") % {"score": score(scale.previous)}] if scale.previous is not None else []
    if scale.target is not None:
        parts.append(_("Target: %(score)s.") % {"score": number(scale.target, 1)})
    return " ".join([*parts, _("Now: %(score)s.") % {"score": score(scale.shown)}])


def looked_back(step: LookedBack) -> str:
    """A step that the team agreed on, where it stands, and what was said of it, in a line."""
    statuses = {"done": _("done"), "under_way": _("under way"), "dropped": _("dropped")}
    status = statuses.get(step.status, _("not said yet"))
    return f"{isolated(step.words)} ({status})" + (f": {isolated(step.line)}" if step.line else "")


def how_measured(report: Wave) -> list[str]:
    """When it was measured, and what the figures are."""
    made = []
    if report.starts_on and report.ends_on:
        made.append(
            _("Teachers filled in a questionnaire between %(start)s and %(end)s, without their names.")
            % {"start": date_format(report.starts_on, "j F Y"), "end": date_format(report.ends_on, "j F Y")}
        )
    made += [
        _(
            "A score is the mean of the answers to each question, taken together over the questions of a subject. "
            "It lies between 1 and %(points)s. The middle of the scale is %(middle)s."
        )
        % {"points": report.n_points, "middle": number(report.midpoint, 2)},
    ]
    if isinstance(report, TeamReport | AcademyReport | StudyReport) and isinstance(report.scales, tuple):
        made += _how_sure(report)
    if isinstance(report, WideReport):
        made.append(_("A team with too few answers about a subject is not in the mean of that subject."))
    if isinstance(report, TeamReport) and isinstance(report.scales, tuple):
        if any(isinstance(scale.agreement, Agreement) for scale in report.scales):
            made.append(_("Whether you agree, we tell from how far your answers lie apart."))
        if any(item.reverse_keyed for scale in report.scales for item in scale.items):
            made.append(
                _(
                    "Some questions are put the other way round: there a low score is counted as a high one in the subject."
                )
            )
    made.append(
        _("To protect everybody, we show no results of fewer than %(k)s people, and we round scores.") % {"k": report.k}
    )
    return made


def not_by_themselves(report: AcademyReport) -> str:
    """How many teams are not shown by themselves: in one heap, so that nobody reads which team has too few answers."""
    if not report.n_not_shown:
        return ""
    return ngettext(
        "%(n)s team is not shown by itself: it has too few answers, or chose not to be.",
        "%(n)s teams are not shown by themselves: they have too few answers, or chose not to be.",
        report.n_not_shown,
    ) % {"n": report.n_not_shown}


def next_steps(report: AcademyReport | StudyReport) -> list[str]:
    """What a reader of a report over several teams can do with it."""
    if isinstance(report, StudyReport):
        return [
            _("Lay your own team's report beside this one."),
            _("Choose one subject to talk about, not all of them at once."),
            _("Ask a team that works differently how it goes there."),
        ]
    return [
        _("Thank the teams, and tell them what you do with this report."),
        _("Give each team time to talk about its own report, and room for a first step."),
        _("Ask a team what it chose to work on, not what it scored."),
        _("Make no ranking of teams: differences between them may be chance."),
        _("Agree on a day to look back together at what came of it."),
    ]


def _how_sure(report: Wave) -> Iterator[str]:
    if isinstance(report, WideReport) and report.like_these:
        yield _("Other teams would give another mean. With teams like these it is probably inside the bar.")
        yield _("The fewer teams, the longer the bar. A difference within the bar may be chance.")
        return
    yield _("Chance plays a part in every score. The bar around it shows how much it could have been different.")
    yield _("The fewer people answered, the longer the bar. A difference within the bar may be chance.")
    if isinstance(report, WideReport):
        yield _("The bar says nothing of other teams: these are too few for that.")


def cannot_say(report: Wave) -> list[str]:
    """What a report cannot say."""
    return [
        _("It says how colleagues see working and learning together. It does not say how good the education is."),
        _("These are opinions about working together. They are no judgement of persons."),
        _("It does not say why a score is high or low. You find that out by talking about it."),
        _("A high score is not always better. You decide together what fits your team."),
    ]
