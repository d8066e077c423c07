"""The tables of a report as it prints them, a cell to a figure: numbers as they are shown, and words where no number is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analysis.disclosure import ItemDistribution, ItemMean, MeanShown, ShownScale, Withheld
from analysis.reports.objects import (
    AcademyReport,
    ItemReport,
    Mark,
    ScaleReport,
    StudyReport,
    TeamReport,
    WideScale,
)
from analysis.reports.pdf import team_marks, wide_marks
from analysis.reports.sentences import scale_value, withheld_text
from analysis.reports.wording import (
    all_teams,
    cannot_say,
    caption,
    chart_words,
    decimals_of,
    how_measured,
    item_words,
    not_by_themselves,
    returned_text,
)
from teams.text.directions import isolated

Report = TeamReport | AcademyReport | StudyReport


@dataclass(frozen=True)
class Figure:
    """A number as it is shown, with so many decimals; ``unit`` stands behind it."""

    value: float
    decimals: int
    unit: str = ""


Cell = str | Figure


@dataclass(frozen=True)
class Sheet:
    """One table: what it is called, what is in it, its head, and as many cells in each row."""

    title: str
    about: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def sheets_of(report: Report) -> list[Sheet]:
    """The tables of a report in the order in which it prints them; none where it shows no figure."""
    made = []
    if not isinstance(report.scales, Withheld):
        made.append(_figures(report, report.scales))
        made += [_items(report, scale) for scale in report.scales]
    if isinstance(report, AcademyReport):
        made += _teams(report)
    if isinstance(report, StudyReport) and made:
        made += _sectors(report)
    return made


def explanation(report: Report) -> list[tuple[str, list[str]]]:
    """What stands on the first sheet: headings, each with its lines."""
    about = [returned_text(report.returned, report.approached)]
    if isinstance(report, TeamReport) and report.combined_with:
        about.append(
            _("This report is about your team and %(teams)s together. That way there are enough answers to show.")
            % {"teams": ", ".join(map(isolated, report.combined_with))}
        )
    if report.simulated:
        about.append(_("Simulated study: none of these teams and people exist."))
    if report.published_at:
        about.append(_("Published on %(day)s.") % {"day": date_format(report.published_at, "j F Y")})
    if isinstance(report, AcademyReport) and isinstance(report.scales, Withheld):
        withheld = withheld_text(report.scales.reason, report.k)
        about.append(_("The results of the academy as a whole are not shown.") + " " + withheld)
    if isinstance(report, AcademyReport) and (heap := not_by_themselves(report)):
        about.append(heap)
    read = [
        _("The figures are those of the report, rounded as they stand there."),
        _("Where a cell has words, the report has them there too: “about”, “or higher”, or why there is no figure."),
        *([caption(report)] if isinstance(report.scales, tuple) else []),
        *([whose] if (whose := all_teams(report)) else []),
    ]
    return [
        (_("About this report"), about),
        (_("The figures"), read),
        (_("How this was measured"), how_measured(report)),
        (_("What this report cannot say"), cannot_say(report)),
    ]


def name_of(report: Report) -> str:
    """Whose report it is."""
    match report:
        case TeamReport():
            return report.team
        case AcademyReport():
            return report.academy
    return _("Report on all teams")


# ------------------------------------------------------------------------------------------------ figures
def _shown(shown: ShownScale | None, decimals: int) -> Cell:
    """A score: a number only where the report shows one without a word beside it."""
    if isinstance(shown, MeanShown) and not shown.about:
        return Figure(shown.mean, decimals)
    return scale_value(shown, decimals)


def _ends(shown: ShownScale | None, decimals: int) -> list[Cell]:
    if not isinstance(shown, MeanShown) or shown.low is None or shown.high is None:
        return ["–", "–"]
    return [Figure(shown.low, decimals), Figure(shown.high, decimals)]


def _figures(report: Report, scales: Sequence[ScaleReport] | Sequence[WideScale]) -> Sheet:
    marks = team_marks(report) if isinstance(report, TeamReport) else wide_marks(report)
    words = {mark: word[:1].upper() + word[1:] for mark, word in chart_words(report).marks.items()}
    between = [_("probably from"), _("probably to")]
    head = [_("Subject")]
    for mark in marks:
        if mark == Mark.INTERVAL:
            head += [f"{words[Mark.OWN]}, {end}" for end in between]
        elif mark == Mark.PREVIOUS:
            head += [words[mark], *(f"{words[mark]}, {end}" for end in between)]
        else:
            head.append(words[mark])
    rows = tuple((scale.name, *_row(scale, marks, report.k)) for scale in scales)
    return Sheet(_("All figures"), _("The scores on all subjects"), tuple(head), rows)


def _row(scale: ScaleReport | WideScale, marks: Sequence[Mark], k: int) -> Iterator[Cell]:
    own = decimals_of(scale)
    for mark in marks:
        match mark:
            case Mark.OWN if isinstance(scale.shown, Withheld):
                yield withheld_text(scale.shown.reason, k)
            case Mark.OWN:
                yield _shown(scale.shown, own)
            case Mark.INTERVAL:
                yield from _ends(scale.shown, own)
            case Mark.PREVIOUS:
                yield _shown(scale.previous, own)
                yield from _ends(scale.previous, own)
            case Mark.BENCHMARK:
                yield _shown(scale.benchmark, 2)
            case Mark.SECTOR if isinstance(scale, ScaleReport):
                yield _shown(scale.sector, 2)
            case Mark.TARGET if isinstance(scale, ScaleReport) and scale.target is not None:
                yield Figure(scale.target, 1)
            case _nothing:
                yield "–"


# ------------------------------------------------------------------------------------------------ questions
def _items(report: Report, scale: ScaleReport | WideScale) -> Sheet:
    about = _("The questions on this subject: %(meaning)s") % {"meaning": isolated(scale.meaning)}
    if isinstance(scale, WideScale) or not isinstance(report, TeamReport):
        rows = [(item.labelled, "–" if item.mean is None else Figure(item.mean, 2)) for item in scale.items]  # type: ignore[union-attr]
        return Sheet(scale.name, about, (_("Question"), _("mean")), tuple(rows))
    options = report.options if scale.has_distributions else ()
    cells = tuple(_item(item, report, len(options)) for item in scale.items)
    return Sheet(scale.name, about, (_("Question"), *options, _("mean")), cells)


def _item(item: ItemReport, report: TeamReport, n: int) -> tuple[Cell, ...]:
    match item.shown:
        case ItemDistribution(mean, percentages):
            return (item.labelled, *(Figure(share, 0, " %") for share in percentages), Figure(mean, 1))
        case ItemMean(mean):
            return (item.labelled, *[""] * n, Figure(mean, 1))
    return (item.labelled, *[""] * n, item_words(item, report))


# ------------------------------------------------------------------------------------------------ several teams
def _teams(report: AcademyReport) -> list[Sheet]:
    shown = [(name, team.scales) for name, team in report.teams if isinstance(team, TeamReport)]
    tables = [(name, scales) for name, scales in shown if not isinstance(scales, Withheld)]
    if not tables:
        return []
    head = (_("Team"), *(scale.name for scale in tables[0][1]))
    rows = tuple((name, *(_shown(scale.shown, 1) for scale in scales)) for name, scales in tables)
    about = _("A team's own results are shown only if its leader agreed to that.")
    return [Sheet(_("Single teams"), about, head, rows)]


def _sectors(report: StudyReport) -> list[Sheet]:
    if not report.sectors or isinstance(report.scales, Withheld):
        return []
    rows = tuple((scale.name, *(_shown(part, 2) for part in scale.parts)) for scale in report.scales)
    return [Sheet(_("Per sector"), _("The means of the sectors"), (_("Subject"), *report.sectors), rows)]
