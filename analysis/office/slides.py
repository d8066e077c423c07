"""The deck for the team talk: how to go about it, a slide per subject as on the talk's page, and what was agreed.

What stands on it is what the page of the talk shows its reader; the sentences that the page folds stand in the notes for who speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from analysis import svg
from analysis.disclosure import Withheld
from analysis.office import deck as blank
from analysis.office.deck import BODY, HEIGHT, MARGIN, RIGHT, SUBJECT, TITLE_ONLY, WIDTH, colour
from analysis.office.native_charts import add_chart
from analysis.reports.charts import Words
from analysis.reports.objects import Mark, ScaleReport, TeamReport
from analysis.reports.pdf import team_marks
from analysis.reports.sentences import number, scale_value
from analysis.reports.team import Goal, Goals
from analysis.reports.wording import (
    SAID,
    caption,
    change,
    chart_words,
    differences,
    figures_of,
    looked_back,
    mean_row,
    returned_text,
    with_figures,
)
from teams.files.tables import held
from teams.text.directions import isolated

LONG = 120  # letters from which a question is set smaller
ROW, LINE = 0.42, 0.24  # inches: of a row of the table with one line; of each line more
LETTERS = 72  # of the next steps on one line of it
ROOM = HEIGHT - BODY - 0.7  # for the table
MOST_LINES = int((ROOM - ROW - 0.16) / LINE)  # of the next steps in one row of it


def team_slides(report: TeamReport, agreed: Goals) -> bytes | None:
    """The deck as PPTX bytes, in the language of the report; None where there are no results to talk about.

    Args:
        agreed: what the team wrote down about this wave so far.
    """
    scales = report.scales
    if isinstance(scales, Withheld):
        return None
    with override(report.language):
        deck = blank.empty_deck()
        _begin(deck, report)
        for scale in scales:
            _subject(deck, report, scale)
        _end(deck, report, scales, agreed)
        title = _("Team talk: %(team)s") % {"team": isolated(report.team)}
        return blank.saved(deck, title, report.language)


def _begin(deck: Any, report: TeamReport) -> None:
    slide = blank.add_slide(deck, TITLE_ONLY, report.team)
    where = f"{report.study}, " + _("wave %(n)s") % {"n": report.wave} + f" · {report.academy}, {report.institution}"
    _under_title(slide, where)
    left = blank.box(slide, MARGIN, BODY, RIGHT - MARGIN - 0.4, 2.4, _("Explanation"))
    lines = [returned_text(report.returned, report.approached)]
    if report.combined_with:
        lines.insert(
            0,
            _("This report is about your team and %(teams)s together. That way there are enough answers to show.")
            % {"teams": ", ".join(map(isolated, report.combined_with))},
        )
    if report.simulated:
        lines.append(_("Simulated study: none of these teams and people exist."))
    lines.append(_("You look at the results together, one subject at a time."))
    blank.write(left, lines, 20, after=8)
    how = blank.box(slide, MARGIN, 4.5, RIGHT - MARGIN - 0.4, 2.3, _("How to read a chart"))
    blank.write(how, [_("How to read a chart")], 16, bold=True, colour=svg.ACCENT)
    blank.write(how, list(_reading(report)), 16)
    right = _panel(slide, BODY, 4.9, _("How you do this"))
    blank.write(right, [_("How you do this")], 16, bold=True, colour=svg.ACCENT, after=10)
    steps = [
        _("Look: what do you see? Everybody first thinks for a minute."),
        _("Talk: do you recognise it? Ask for examples. Nobody has to say what they answered."),
        _("Choose: what do you want to reach, and what is the first step?"),
        _("Write it down on the talk's page too: from there it comes back in the next report."),
    ]
    blank.write(right, steps, 18, bullet="1.", after=8)
    slide.notes_slide.notes_text_frame.text = held(
        _("This file shows what the report shows. Whoever you give it to can read it and change it.")
    )


def _reading(report: TeamReport) -> Iterator[str]:
    yield (
        _("The round dot is the score of your teams, from 1 to %(points)s; the dashed line is the middle of the scale.")
        if report.combined_with
        else _(
            "The round dot is the score of your team, from 1 to %(points)s; the dashed line is the middle of the scale."
        )
    ) % {"points": report.n_points}
    yield caption(report)
    yield _("Click on a chart to change how it looks. Its figures are the rounded ones of the report.")


def _subject(deck: Any, report: TeamReport, scale: ScaleReport) -> None:
    from pptx.util import Inches

    slide = blank.add_slide(deck, SUBJECT, scale.name)
    _under_title(slide, scale.meaning[:1].upper() + scale.meaning[1:])
    left, right = (placeholder for placeholder in slide.placeholders if placeholder.placeholder_format.idx)
    marks = team_marks(report)
    figures = figures_of(scale, marks)
    said, under = scale.sentences[:SAID], BODY
    if not isinstance(scale.shown, Withheld):
        words = chart_words(report)
        _row, named = with_figures(words, mean_row(scale), figures)
        own = " ".join([figures[Mark.OWN], *([f"({figures[Mark.INTERVAL]})"] if Mark.INTERVAL in figures else [])])
        at = (MARGIN, BODY - 0.1, RIGHT - MARGIN - 0.35, 5.15 - BODY)
        chart = add_chart(slide, mean_row(scale), words, {**figures, Mark.OWN: own}, report.n_points, at)
        chart.name = held(scale.name)
        chart._element.nvGraphicFramePr.cNvPr.set("descr", held(_alternative(scale, named, figures)))
        slide.shapes[1]._element.addnext(chart._element)  # read aloud behind the title and what the subject is
        under = (chart.top + chart.height) / Inches(1) + 0.15
    blank.place(left, MARGIN, under, RIGHT - MARGIN - 0.4, HEIGHT - under - 0.6)
    blank.write(left.text_frame, list(said), 16, bullet="•", after=3)
    question, *others = scale.questions or (_("How does this go in your team? Who has an example?"),)
    _fill(right)
    blank.write(right.text_frame, [_("To talk about")], 16, bold=True, colour=svg.ACCENT, after=10)
    blank.write(right.text_frame, [question], 22 if len(question) > LONG else 28)
    slide.notes_slide.notes_text_frame.text = held("\n".join(_notes(scale, others)))


def _alternative(scale: ScaleReport, named: Words, figures: Mapping[Mark, str]) -> str:
    return _("Chart of the score for %(name)s. %(figures)s") % {
        "name": isolated(scale.name),
        "figures": "; ".join(named.marks[mark] for mark in figures if mark in named.marks),
    }


def _notes(scale: ScaleReport, others: Sequence[str]) -> Iterator[str]:
    """For who speaks: all sentences, the other questions, and what was agreed last time."""
    yield from scale.sentences
    yield from differences(scale)
    if others:
        yield ""
        yield _("Other questions to talk about:")
        yield from (f"• {question}" for question in others)
    if line := change(scale):
        yield ""
        yield _("What you agreed last time:")
        yield from ([looked_back(step) for step in scale.looked_back] or [scale.agreed])
        yield line


def _end(deck: Any, report: TeamReport, scales: Sequence[ScaleReport], agreed: Goals) -> None:
    """Rows to fill in; what the team wrote down so far stands in them. As many slides as they need."""
    left = [row for scale in scales for row in _agreed(scale, agreed.get(scale.code, Goal(None)))]
    number_of_slide = 0
    while left:
        height, taken = ROW, 0
        while taken < len(left) and (not taken or height + _height(left[taken]) <= ROOM):
            height += _height(left[taken])
            taken += 1
        number_of_slide += 1
        title = _("What we agreed") + (f" ({number_of_slide})" if number_of_slide > 1 else "")
        slide = blank.add_slide(deck, TITLE_ONLY, title)
        _under_title(slide, _("Write it down on the talk's page too: from there it comes back in the next report."))
        _table(slide, left[:taken])
        slide.notes_slide.notes_text_frame.text = held(_("Who does what, and when do you look back?"))
        left = left[taken:]


def _agreed(scale: ScaleReport, goal: Goal) -> Iterator[list[str]]:
    """A row, or more where there is more than a slide can hold."""
    target = "" if goal.target is None else number(goal.target, 1)
    steps: list[str] = []
    for line in goal.next_steps.splitlines():
        if steps and _lines([*steps, line]) > MOST_LINES:
            yield [scale.name, scale_value(scale.shown, 1), target, "\n".join(steps)]
            steps = []
        steps.append(line)
    yield [scale.name, scale_value(scale.shown, 1), target, "\n".join(steps)]


def _lines(steps: Sequence[str]) -> int:
    return sum(1 + len(line) // LETTERS for line in steps)


def _height(row: Sequence[str]) -> float:
    return max(ROW, 0.16 + LINE * max(_lines(row[3].splitlines()), 1 + len(row[0]) // 26))


def _table(slide: Any, rows: Sequence[Sequence[str]]) -> None:
    from pptx.util import Inches

    head = [_("Subject"), _("Score now"), _("Target"), _("Next steps")]
    n, whole = len(rows) + 1, WIDTH - 2 * MARGIN - 0.1
    widths = (3.1, 1.45, 1.2, whole - 5.75)
    spare = min(0.35, (ROOM - ROW - sum(map(_height, rows))) / len(rows))  # room to write
    lengths = (Inches(length) for length in (MARGIN + 0.1, BODY, whole, ROW * n))
    frame = slide.shapes.add_table(n, len(head), *lengths)
    frame.name = _("Next steps")
    frame._element.nvGraphicFramePr.cNvPr.set(
        "descr", _("Table to fill in: a target and the next steps for each subject.")
    )
    table = frame.table
    table.horz_banding = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Inches(width)
    for place, row in enumerate([head, *rows]):
        table.rows[place].height = Inches(ROW if place == 0 else _height(row) + (0 if row[3] else spare))
        for cell, words, column in zip(table.rows[place].cells, row, range(4), strict=True):
            _cell(cell, words, head=place == 0, name=column == 0, figure=column in (1, 2))


def _cell(cell: Any, words: str, *, head: bool, name: bool, figure: bool) -> None:
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN

    cell.fill.solid()
    cell.fill.fore_color.rgb = colour(svg.ACCENT if head else svg.LIGHT if name else svg.WHITE)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    blank.write(
        cell.text_frame,
        words.splitlines() or [""],
        15,
        bold=head or name,
        colour=svg.WHITE if head else svg.INK,
        after=0,
    )
    for paragraph in cell.text_frame.paragraphs:
        paragraph.alignment = PP_ALIGN.RIGHT if figure else PP_ALIGN.LEFT
    _underline(cell)


def _underline(cell: Any) -> None:
    """Lines to write on; before the ground of the cell, as the format has it."""
    from pptx.oxml.ns import qn
    from pptx.util import Pt

    properties = cell._tc.get_or_add_tcPr()
    for place, side in enumerate(("a:lnT", "a:lnB")):  # where two cells meet, either may have the last word
        line = properties.makeelement(qn(side), {"w": str(Pt(1))})
        fill = line.makeelement(qn("a:solidFill"), {})
        fill.append(fill.makeelement(qn("a:srgbClr"), {"val": svg.MUTED.lstrip("#").upper()}))
        line.append(fill)
        properties.insert(place, line)


# ------------------------------------------------------------------------------------------------ parts of a slide
def _under_title(slide: Any, words: str) -> None:
    blank.write(
        blank.box(slide, MARGIN, 1.12, WIDTH - 2 * MARGIN, 0.5, _("Explanation")), [words], 17, colour=svg.MUTED
    )
    slide.shapes.title._element.addnext(slide.shapes[-1]._element)  # read aloud behind the title


def _panel(slide: Any, top: float, height: float, name: str) -> Any:
    frame = blank.box(slide, RIGHT, top, WIDTH - RIGHT - MARGIN, height, name)
    _fill(slide.shapes[-1])
    return frame


def _fill(shape: Any) -> None:
    """A quiet ground behind words, with room around them."""
    from pptx.util import Inches

    shape.fill.solid()
    shape.fill.fore_color.rgb = colour(svg.LIGHT)
    frame = shape.text_frame
    frame.margin_left = frame.margin_right = Inches(0.3)
    frame.margin_top = frame.margin_bottom = Inches(0.25)
