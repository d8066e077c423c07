"""The chart of one subject as a chart of the office program: each mark in a row of its own, its name before it and its
figure behind it.

It is made of what reports/charts.py draws, and of nothing else: the figures behind it, also in the workbook that the program keeps inside
the chart, are the rounded ones that the report shows. Whole numbers beside them (0, 1, 2, …) say in which row a mark stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analysis import svg
from analysis.disclosure import MeanShown
from analysis.office.deck import colour
from analysis.reports.charts import MeanRow, Words
from analysis.reports.objects import Mark
from analysis.reports.sentences import value_of

#: From the upper row to the lower one.
ORDER = (Mark.OWN, Mark.TARGET, Mark.PREVIOUS, Mark.BENCHMARK, Mark.SECTOR)
#: Shape and colour of each mark as reports/charts.py has them; no chart of an office program has a flag.
LOOKS = {
    Mark.OWN: ("CIRCLE", 17, svg.ACCENT),
    Mark.TARGET: ("PLUS", 13, svg.INK),
    Mark.PREVIOUS: ("TRIANGLE", 12, svg.MUTED),
    Mark.BENCHMARK: ("DIAMOND", 14, svg.WARM),
    Mark.SECTOR: ("SQUARE", 12, svg.VIOLET),
}
LANE = 2  # units of the axis per row: a mark stands in the middle of it
WORDS, AXIS = 15, 14  # points of the type
LETTER = 0.45 * WORDS / 72  # inches that a letter takes at most, on the average
MOST_ROW, FOOT = 0.8, 0.75  # inches: of a row at most; under them


@dataclass(frozen=True)
class Line:
    """One thing that is drawn: a name in the workbook, its points, what it looks like."""

    name: str
    points: Sequence[tuple[float, float]]
    mark: Mark | None = None  # whose sign stands at one of the points
    at: int = 0  # at which
    width: float = 0  # points of a line from the first to the last
    colour: str = svg.MUTED
    dashed: bool = False
    labels: Sequence[str] = ()
    before: bool = False  # labels end at their points; else they begin there


def add_chart(
    slide: Any,
    row: MeanRow,
    words: Words,
    figures: Mapping[Mark, str],
    n_points: int,
    room: tuple[float, float, float, float],
) -> Any:
    """Draw one subject. Returns the shape of the chart.

    Args:
        figures: what stands behind each mark.
        room: left, top, width and height, in inches.
    """
    from pptx.chart.data import XyChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    marks = [mark for mark in ORDER if mark in figures and (mark == Mark.OWN or mark in row.beside)]
    lines = sorted(_lines(row, words, figures, marks, n_points), key=lambda line: -len(line.points))
    data = XyChartData()
    for line in lines:
        series = data.add_series(line.name)
        for x, y in line.points:
            series.add_data_point(x, y)
    left, top, width, most = room
    height = min(most, FOOT + MOST_ROW * len(marks))
    lengths = (Inches(length) for length in (left, top, width, height))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *lengths, data)
    chart = frame.chart
    chart.has_legend = chart.has_title = False
    for line, series in zip(lines, chart.plots[0].series, strict=True):
        _look(line, series)
    _axes(chart, n_points, LANE * len(marks), " · ".join(words.ends))
    before = 0.25 + LETTER * max(len(words.marks[mark]) for mark in marks)
    behind = 0.25 + LETTER * max(len(figures[mark]) for mark in marks)
    _inside(chart, before / width, 0.02, 1 - (before + behind) / width, 1 - FOOT / height - 0.02)
    return frame


def _lines(
    row: MeanRow, words: Words, figures: Mapping[Mark, str], marks: Sequence[Mark], n_points: int
) -> Iterator[Line]:
    """What is drawn. (Those with the most points come first: LibreOffice shows nothing that has fewer points than a later one.)"""
    lane = {mark: LANE * (len(marks) - place) - 1 for place, mark in enumerate(marks)}
    names = [words.marks[mark] for mark in marks]
    yield Line(_("names of the marks"), [(1, lane[mark]) for mark in marks], labels=names, before=True)
    yield Line(_("their figures"), [(n_points, lane[mark]) for mark in marks], labels=[figures[mark] for mark in marks])
    spans = dict(row.spans)
    if isinstance(row.shown, MeanShown) and row.shown.low is not None and row.shown.high is not None:
        spans[Mark.OWN] = (row.shown.low, row.shown.high)
    for mark in marks:
        value = value_of(row.shown) if mark == Mark.OWN else row.beside[mark]
        if value is not None:
            low, high = spans.get(mark, (None, None))
            points = [(x, lane[mark]) for x in (low, value, high) if x is not None]
            width = 0.0 if low is None else 4.5 if mark == Mark.OWN else 2
            yield Line(words.marks[mark], points, mark, len(points) // 2, width, LOOKS[mark][2])
    middle = (1 + n_points) / 2
    yield Line(words.middle, [(middle, 0), (middle, LANE * len(marks))], width=1.25, dashed=True)


def _look(line: Line, series: Any) -> None:
    from pptx.enum.chart import XL_MARKER_STYLE
    from pptx.enum.dml import MSO_LINE
    from pptx.util import Pt

    series.marker.style = XL_MARKER_STYLE.NONE
    if line.width:
        stroke = series.format.line
        stroke.color.rgb = colour(line.colour)
        stroke.width = Pt(line.width)
        if line.dashed:
            stroke.dash_style = MSO_LINE.DASH
        else:
            stroke._get_or_add_ln().set("cap", "rnd")
    if line.mark is not None:
        shape, size, fill = LOOKS[line.mark]
        marker = series.points[line.at].marker
        marker.style, marker.size = XL_MARKER_STYLE[shape], size
        marker.format.fill.solid()
        marker.format.fill.fore_color.rgb = colour(fill)
        marker.format.line.color.rgb = colour(fill if shape == "PLUS" else svg.WHITE)
        marker.format.line.width = Pt(2.5 if shape == "PLUS" else 1.5)
    for number, words in enumerate(line.labels):
        _label(series.points[number].data_label, words, bold=number == 0, before=line.before)


def _label(label: Any, words: str, *, bold: bool, before: bool) -> None:
    """Words beside a point, on one line however long they are."""
    from pptx.enum.chart import XL_LABEL_POSITION
    from pptx.util import Pt

    label.position = XL_LABEL_POSITION.LEFT if before else XL_LABEL_POSITION.RIGHT
    frame = label.text_frame
    frame._txBody.bodyPr.set("wrap", "none")
    run = frame.paragraphs[0].add_run()
    run.text = words
    run.font.size, run.font.bold = Pt(WORDS), bold
    run.font.color.rgb = colour(svg.INK)


def _inside(chart: Any, x: float, y: float, width: float, height: float) -> None:
    """Where the axes stand in the room of the chart, in parts of it: words have their room beside them."""
    from pptx.oxml.ns import qn

    area = chart._chartSpace.chart.plotArea
    for there in area.findall(qn("c:layout")):
        area.remove(there)
    layout = area.makeelement(qn("c:layout"), {})
    manual = layout.makeelement(qn("c:manualLayout"), {})
    layout.append(manual)
    parts = {"layoutTarget": "inner", "xMode": "edge", "yMode": "edge"}
    parts |= {name: f"{value:.2f}" for name, value in (("x", x), ("y", y), ("w", width), ("h", height))}
    for name, value in parts.items():
        manual.append(manual.makeelement(qn(f"c:{name}"), {"val": value}))
    area.insert(0, layout)


def _axes(chart: Any, n_points: int, top: int, ends: str) -> None:
    """From 1 to the highest point below; the rows have no axis that anybody sees."""
    from pptx.enum.chart import XL_TICK_MARK
    from pptx.util import Pt

    chart.font.size = Pt(AXIS)
    chart.font.color.rgb = colour(svg.MUTED)
    across, up = chart.category_axis, chart.value_axis
    across.minimum_scale, across.maximum_scale, across.major_unit = 1, n_points, 1
    across.has_major_gridlines = True
    across.major_gridlines.format.line.color.rgb = colour(svg.GRID)
    across.major_tick_mark = XL_TICK_MARK.NONE
    across.tick_labels.number_format, across.tick_labels.number_format_is_linked = "0", False
    across.format.line.color.rgb = colour(svg.GRID)
    across.has_title = True
    across.axis_title.text_frame.text = ends
    run = across.axis_title.text_frame.paragraphs[0].runs[0]
    run.font.size, run.font.bold = Pt(AXIS - 1), False
    run.font.color.rgb = colour(svg.MUTED)
    up.minimum_scale, up.maximum_scale = 0, top
    up.has_major_gridlines, up.visible = False, False
