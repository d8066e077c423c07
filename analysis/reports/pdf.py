"""Reports as tagged PDF (PDF/UA-1), set by Typst from the same objects that the web pages show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from analysis import svg
from analysis.disclosure import Capped, ItemDistribution, ItemMean, NearlyAll, Withheld
from analysis.reports import charts
from analysis.reports.objects import (
    AcademyReport,
    ItemReport,
    Mark,
    ScaleReport,
    StudyReport,
    TeamReport,
    Wave,
    WideScale,
)
from analysis.reports.sentences import number, scale_value, telling, value_of, withheld_text
from analysis.reports.wording import (
    all_teams,
    cannot_say,
    caption,
    change,
    chart_words,
    decimals_of,
    differences,
    figures_of,
    how_measured,
    item_words,
    large,
    looked_back,
    mean_row,
    next_steps,
    not_by_themselves,
    returned_text,
    table_head,
    table_row,
    with_figures,
)
from surveys.typesetting import typeset
from teams.text.directions import isolated

TEMPLATE = Path(__file__).with_name("report.typ")

WIDE = 130  # mm that columns may take of the 170 between the margins: the rest is for the first one
WORDS = 6  # answers up to which a column has room for the words of its head

Block = dict[str, Any]
Scales = Sequence[ScaleReport] | Sequence[WideScale]


def team_pdf(report: TeamReport) -> bytes:
    """A team's report as PDF/UA-1 bytes, in the language the report was made in."""
    with override(report.language):
        place = f"{_study_name(report)} · {isolated(report.academy)}, {isolated(report.institution)}"
        return _set(report, report.team, place, list(_team(report)))


def academy_pdf(report: AcademyReport) -> bytes:
    """A director's report."""
    with override(report.language):
        return _set(
            report, report.academy, f"{_study_name(report)} · {isolated(report.institution)}", list(_academy(report))
        )


def study_pdf(report: StudyReport) -> bytes:
    """The report on the whole study."""
    with override(report.language):
        return _set(report, report.study, _("Report on all teams"), list(_study(report)))


def _study_name(report: Wave) -> str:
    return f"{isolated(report.study)}, " + _("wave %(n)s") % {"n": report.wave}


def _set(report: Wave, title: str, place: str, blocks: list[Block]) -> bytes:
    published = date_format(report.published_at, "j F Y") if report.published_at else ""
    data = {
        "language": report.language,
        "title": title,
        "author": "Teamspiegel",
        "study": place,
        "simulated": _("Simulated study: none of these teams and people exist.") if report.simulated else "",
        "footer": " · ".join(part for part in (isolated(title), published) if part),
        "blocks": blocks,
    }
    return typeset(TEMPLATE, "report", data)


# ------------------------------------------------------------------------------------------------ blocks
def _heading(text: str, level: int = 2) -> Block:
    return {"kind": "heading", "text": text, "level": level}


def _paragraph(*sentences: str, muted: bool = False, keep: bool = False) -> Block:
    return {"kind": "text", "text": " ".join(sentences), "muted": muted, "keep": keep}


def _note(text: str, *, keep: bool = False) -> Block:
    return {"kind": "note", "text": text, "keep": keep}


def _list(items: Sequence[str], *, keep: bool = False) -> Block:
    return {"kind": "list", "items": list(items), "keep": keep}


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[int]) -> Block:
    """A table on one page, unless it is too long for that: rows with a bar are high."""
    high = any(isinstance(cell, dict) and "svg" in cell for row in rows for cell in row)
    return {
        "kind": "table",
        "head": list(head),
        "rows": [list(row) for row in rows],
        "widths": list(widths),
        "long": len(rows) > (8 if high else 20),
    }


def _chart(report: Wave, scales: Scales, marks: Sequence[Mark], under: str = "") -> Block:
    drawing = charts.means_chart(
        [mean_row(scale) for scale in scales], chart_words(report), report.n_points, svg.WIDE, marks
    )
    alt = _("Chart: %(what)s. The same figures are in the table below.") % {
        "what": ", ".join(chart_words(report).marks[mark] for mark in marks)
    }
    return {"kind": "chart", "svg": drawing, "alt": alt, "caption": under, "width": 100}


def _top(report: TeamReport | AcademyReport | StudyReport, scales: Scales, marks: Sequence[Mark]) -> Iterator[Block]:
    """What the report says first, as on its page: one chart, a card per subject, the findings, all figures."""
    yield _heading(_("In short"))
    yield _chart(report, scales, marks, caption(report))
    yield {"kind": "cards", "cards": [_card(scale, report.n_points) for scale in scales]}
    for finding in report.findings:
        yield _heading(finding.title, 3)
        yield _paragraph(*finding.sentences)
    yield _heading(_("The figures as a table"), 3)
    yield _figures(report, scales, marks)
    if whose := all_teams(report):
        yield _paragraph(whose, muted=True)


def _card(scale: ScaleReport | WideScale, n_points: int) -> Block:
    verdict = scale.since.verdict if scale.since else None
    return {
        "name": scale.name,
        **asdict(large(scale.shown, decimals_of(scale))),
        "svg": charts.score_bar(scale.shown, n_points),
        "alt": scale_value(scale.shown, decimals_of(scale)),
        "ends": ["1", str(n_points)],
        "arrow": "↑" if verdict and verdict.up else "↓" if verdict and verdict.down else "",
        "text": telling(scale),
    }


def _alone(report: Wave, scale: ScaleReport | WideScale, marks: Sequence[Mark]) -> Iterator[Block]:
    """A subject by itself: its figure large beside its chart, and everything that is said of it."""
    yield _heading(scale.name)
    yield _paragraph(scale.meaning[:1].upper() + scale.meaning[1:], muted=True, keep=True)
    figures = figures_of(scale, marks)
    row, words = with_figures(chart_words(report), mean_row(scale), figures)
    if value_of(scale.shown) is not None:
        yield {
            "kind": "alone",
            **asdict(large(scale.shown, decimals_of(scale))),
            "of": _("on a scale from 1 to %(points)s") % {"points": report.n_points},
            "svg": charts.means_chart([row], words, report.n_points, charts.PAPER, marks),
            "alt": _("Chart of the score for %(name)s. %(figures)s")
            % {
                "name": isolated(scale.name),
                "figures": "; ".join(words.marks[mark] for mark in figures if mark in words.marks),
            },
        }


def _figures(report: Wave, scales: Scales, marks: Sequence[Mark]) -> Block:
    widths = {Mark.INTERVAL: 25, Mark.PREVIOUS: 33}
    rows = [table_row(scale, marks) for scale in scales]
    return _table(table_head(report, marks), rows, [widths.get(mark, 18) for mark in marks])


def _how(report: Wave) -> Iterator[Block]:
    yield _heading(_("How this was measured"))
    yield _list(how_measured(report))
    yield _heading(_("What this report cannot say"))
    yield _list(cannot_say(report))


# ------------------------------------------------------------------------------------------------ a team
def _team(report: TeamReport) -> Iterator[Block]:
    if report.combined_with:
        yield _paragraph(
            _("This report is about your team and %(teams)s together. That way there are enough answers to show.")
            % {"teams": ", ".join(map(isolated, report.combined_with))}
        )
    yield _paragraph(returned_text(report.returned, report.approached))
    if isinstance(report.scales, Withheld):
        yield _note(withheld_text(report.scales.reason, report.k))
        return
    marks = team_marks(report)
    yield from _top(report, report.scales, marks)
    for scale in report.scales:
        yield from _alone(report, scale, marks)
        yield _list([*map(" ".join, scale.said), *differences(scale)], keep=True)
        if line := change(scale):
            yield _heading(_("What you agreed last time"), 3)
            agreed = [looked_back(step) for step in scale.looked_back] or [scale.agreed]
            yield _note("\n".join(part for part in (*agreed, line) if part), keep=True)
        options = report.options if scale.has_distributions else ()
        yield _items(scale, report, options)
        if scale.questions:
            yield _heading(_("To talk about"), 3)
            yield _list(scale.questions)
    yield from _how(report)


def _items(scale: ScaleReport, report: TeamReport, options: Sequence[str]) -> Block:
    """The questions of a scale; of many answers each column is headed by its number, as the charts have it."""
    n = len(options)
    head = options if n <= WORDS else [str(value) for value in range(1, n + 1)]
    mean = 28 if not options else 20 if n <= WORDS else 16
    widths = [*[min(17, (WIDE - mean) // n if n else 0)] * n, mean]
    return _table([_("Question"), *head, _("mean")], [_item_row(item, report, n) for item in scale.items], widths)


def team_marks(report: TeamReport) -> list[Mark]:
    """The columns of the table of all figures of a team's report."""
    marks = [Mark.OWN, Mark.INTERVAL]
    marks += [Mark.TARGET] * report.has_target + [Mark.PREVIOUS] * report.has_previous
    marks += [Mark.BENCHMARK] * (not isinstance(report.benchmark, Withheld)) + [Mark.SECTOR] * report.has_sector
    return marks


def _item_row(item: ItemReport, report: TeamReport, n: int) -> list[Any]:
    """Text, as many cells of answers as the table has (``n``), mean; what is neither spans them all."""
    match item.shown:
        case ItemDistribution(mean, percentages):
            drawing = charts.answers_bar(percentages, report.n_points, figures=False)  # they stand beside it
            bar = {"text": item.labelled, "svg": drawing, "alt": item_words(item, report)}
            unit = " %" if n <= WORDS else "%"
            return [bar, *(f"{share}{unit}" for share in percentages), number(mean, 1)]
        case ItemMean(mean):
            return [item.labelled, *([{"span": n, "text": ""}] if n else []), number(mean, 1)]
        case Capped():
            return [item.labelled, {"span": n + 1, "text": scale_value(item.shown, 1)}]
        case NearlyAll():
            return [item.labelled, {"span": n + 1, "text": item_words(item, report)}]
        case Withheld():
            return [item.labelled, {"span": n + 1, "text": "–"}]


# ------------------------------------------------------------------------------------------------ several teams
def _academy(report: AcademyReport) -> Iterator[Block]:
    yield _paragraph(returned_text(report.returned, report.approached))
    if isinstance(report.scales, Withheld):
        yield _note(
            _("The results of the academy as a whole are not shown.")
            + " "
            + withheld_text(report.scales.reason, report.k)
        )
    else:
        yield from _wide(report, report.scales)
    yield _heading(_("Single teams"))
    yield _paragraph(_("A team's own results are shown only if its leader agreed to that."))
    shown = [(name, team) for name, team in report.teams if isinstance(team, TeamReport)]
    if shown:
        yield _table(*team_table(shown), [26] * (len(team_table(shown)[0]) - 1))
    if heap := not_by_themselves(report):
        yield _paragraph(heap)
    yield from _to_talk_about(report)
    yield from _how(report)


def team_table(shown: Sequence[tuple[str, TeamReport]]) -> tuple[list[str], list[list[str]]]:
    """The scores of single teams, a scale to a column."""
    scales = shown[0][1].scales
    assert not isinstance(scales, Withheld)
    head = [_("Team"), *(scale.name for scale in scales)]
    rows = [
        [name, *(scale_value(scale.shown, 1) for scale in team.scales)]
        for name, team in shown
        if not isinstance(team.scales, Withheld)
    ]
    return head, rows


def _study(report: StudyReport) -> Iterator[Block]:
    yield _paragraph(returned_text(report.returned, report.approached))
    if isinstance(report.scales, Withheld):
        yield _note(withheld_text(report.scales.reason, report.k))
    else:
        yield from _wide(report, report.scales)
        if report.sectors:
            yield _heading(_("Per sector"))
            yield _table(*sector_table(report), [24] * len(report.sectors))
    yield from _to_talk_about(report)
    yield from _how(report)


def _to_talk_about(report: AcademyReport | StudyReport) -> Iterator[Block]:
    yield _heading(_("To talk about"))
    yield _list(report.questions)
    yield _heading(_("Next steps"), 3)
    yield _list(next_steps(report))


def sector_table(report: StudyReport) -> tuple[list[str], list[list[str]]]:
    """The means of the sectors that may stand by themselves."""
    scales = () if isinstance(report.scales, Withheld) else report.scales
    head = [_("Subject"), *report.sectors]
    return head, [[scale.name, *(scale_value(part, 2) for part in scale.parts)] for scale in scales]


def _wide(report: AcademyReport | StudyReport, scales: Sequence[WideScale]) -> Iterator[Block]:
    marks = wide_marks(report)
    yield from _top(report, scales, marks)
    for scale in scales:
        yield from _alone(report, scale, marks)
        yield _list(list(map(" ".join, scale.said)), keep=True)
        yield _table(
            [_("Question"), _("mean")],
            [[item.labelled, "–" if item.mean is None else number(item.mean, 2)] for item in scale.items],
            [18],
        )


def wide_marks(report: AcademyReport | StudyReport) -> list[Mark]:
    """The columns of the table of all figures of a report over several teams."""
    marks = [Mark.OWN, Mark.INTERVAL] + [Mark.PREVIOUS] * report.has_previous
    compared = isinstance(report, AcademyReport) and not isinstance(report.benchmark, Withheld)
    return marks + [Mark.BENCHMARK] * compared
