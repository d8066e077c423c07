"""Charts: rounded figures of a report → a chart specification (Vega-Lite) → SVG.

Only figures that disclosure.py released reach this module, so the coordinates in the SVG tell no more than the table
beside it. Every chart comes in two widths, for a phone and for a page; colour is never the only cue.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, cast

import altair as alt
import vl_convert as vlc

from analysis.disclosure import Capped, MeanShown, ShownScale
from analysis.reports import ScaleReport

NARROW, WIDE, BAR = 340, 760, 460
INK, MUTED, ACCENT, WARM = "#1d2b2f", "#5b6b70", "#0b5c6b", "#a8490f"
# from "strongly disagree" to "strongly agree": two hues that the colour-blind tell apart, dark at both ends
DISAGREE, AGREE = ("#a8490f", "#e0a27c"), ("#7fb7bf", "#0b5c6b")
FONT = "'Source Sans 3', system-ui, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif"


@dataclass(frozen=True)
class MeanRow:
    """One scale in the chart of scale means. None: not shown."""

    label: str
    mean: float | None
    low: float | None
    high: float | None
    benchmark: float | None
    previous: float | None


@dataclass(frozen=True)
class Words:
    """The words of a chart in the reader's language."""

    own: str
    benchmark: str
    previous: str
    axis: str


def means_chart(rows: Sequence[MeanRow], words: Words, n_points: int, width: int, language: str) -> str:
    """Scale means with their intervals, the benchmark and the previous wave as marks, the midpoint as a dashed line."""
    narrow = width <= NARROW
    order = [row.label for row in rows]
    marks: list[dict[str, Any]] = []
    for row in rows:
        for kind, value in ((words.own, row.mean), (words.benchmark, row.benchmark), (words.previous, row.previous)):
            if value is not None:
                marks.append({"label": row.label, "kind": kind, "value": value})
    kinds = [kind for kind in (words.own, words.benchmark, words.previous) if any(m["kind"] == kind for m in marks)]
    look = {
        words.own: (ACCENT, "circle", 150),
        words.benchmark: (WARM, "diamond", 110),
        words.previous: (MUTED, "triangle-right", 90),
    }
    x = alt.X(
        "value:Q",
        scale=alt.Scale(domain=[1, n_points], nice=False),
        axis=alt.Axis(values=list(range(1, n_points + 1)), format="d", title=words.axis, grid=True),
    )
    y = alt.Y("label:N", sort=order, title=None, axis=_label_axis(narrow))
    base = alt.Chart(alt.InlineData(values=marks))
    midpoint = (
        alt.Chart(alt.InlineData(values=[{"value": (n_points + 1) / 2}]))
        .mark_rule(strokeDash=[4, 4], color=MUTED, strokeWidth=1.2)
        .encode(x=x)
    )
    intervals = (
        alt.Chart(
            alt.InlineData(
                values=[
                    {"label": row.label, "value": row.low, "high": row.high}
                    for row in rows
                    if row.low is not None and row.high is not None
                ]
            )
        )
        .mark_rule(strokeWidth=7, strokeCap="round", color=ACCENT, opacity=0.28)
        .encode(x=x, x2="high:Q", y=y)
    )
    encoding = {
        "x": x,
        "y": y,
        "color": alt.Color(
            "kind:N",
            scale=alt.Scale(domain=kinds, range=[look[kind][0] for kind in kinds]),
            legend=alt.Legend(title=None, orient="top", columns=1 if narrow else len(kinds), labelLimit=width),
        ),
        "shape": alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=[look[kind][1] for kind in kinds])),
        "size": alt.Size("kind:N", scale=alt.Scale(domain=kinds, range=[look[kind][2] for kind in kinds]), legend=None),
    }
    # the marks of one row stand a little under one another: equal values do not hide each other
    points = [
        base.transform_filter(alt.datum.kind == kind)
        .mark_point(filled=True, opacity=1, stroke="white", strokeWidth=1, yOffset=offset)
        .encode(**encoding)
        for kind, offset in zip(kinds, _offsets(kinds, words), strict=True)
    ]
    return _svg(alt.layer(midpoint, intervals, *points), width, max(1, len(rows)) * 58, language)


def _offsets(kinds: Sequence[str], words: Words) -> list[int]:
    """Pixels below the row's line: the own mark on the line, the others under it."""
    return [{words.own: 0, words.benchmark: 13, words.previous: 13}[kind] for kind in kinds]


def answers_bar(percentages: Sequence[int], options: Sequence[str], language: str) -> str:
    """One item's answers as a bar that parts at the midpoint: disagreement to the left, agreement to the right.

    The item's text stands beside the bar as text of the page, so that it wraps on a phone; the scale runs from −100 % to
    100 % for every item, so that bars under one another compare.
    """
    n_points = len(options)
    half = n_points / 2
    # an odd number of points has a neutral one: half of it lies on either side
    left = -sum(share * min(1.0, max(0.0, half - index)) for index, share in enumerate(percentages))
    values = []
    for index, share in enumerate(percentages):
        values.append(
            {
                "option": options[index],
                "from": left,
                "to": left + share,
                "middle": left + share / 2,
                "share": f"{share}" if share >= 8 else "",
                "light": index in (0, n_points - 1),
            }
        )
        left += share
    data = alt.InlineData(values=values)
    domain = alt.Scale(domain=[-100, 100])
    x = alt.X("from:Q", scale=domain, axis=None)
    colour = alt.Color("option:N", scale=alt.Scale(domain=list(options), range=diverging(n_points)), legend=None)
    bars = alt.Chart(data).mark_bar(height=28).encode(x=x, x2="to:Q", color=colour)
    numbers = (
        alt.Chart(data)
        .mark_text(fontSize=14)
        .encode(
            x=alt.X("middle:Q", scale=domain, axis=None),
            text="share:N",
            color=alt.condition("datum.light", alt.value("white"), alt.value(INK)),
        )
    )
    middle = alt.Chart(alt.InlineData(values=[{"from": 0}])).mark_rule(color=INK, strokeWidth=1).encode(x=x)
    return _svg(alt.layer(bars, numbers, middle), BAR, 32, language, padding=2)


def diverging(n_points: int) -> list[str]:
    """Colours of the options: dark and light of one hue to each side, grey in the middle of an odd number."""
    side = n_points // 2
    left = [DISAGREE[0]] + [DISAGREE[1]] * (side - 1)
    right = [AGREE[0]] * (side - 1) + [AGREE[1]]
    return left + (["#c9cfd1"] if n_points % 2 else []) + right


def _label_axis(narrow: bool) -> alt.Axis:
    """Row labels: beside the row on a page, above it on a phone, where there is no room beside."""
    if narrow:
        return alt.Axis(
            labelAlign="left",
            labelBaseline="bottom",
            labelPadding=0,
            labelOffset=-18,
            labelLimit=NARROW,
            domain=False,
            ticks=False,
            zindex=1,
        )
    return alt.Axis(labelLimit=330, labelPadding=12, domain=False, ticks=False)


def _svg(chart: alt.LayerChart | alt.FacetChart, width: int, height: int, language: str, padding: int = 8) -> str:
    specification = (
        chart.properties(
            width=width - 200 if width == WIDE else width - 24,
            height=height,
            padding=padding,
            background="white",
            usermeta={},
        )
        .configure(font=FONT)
        .configure_axis(
            labelFontSize=14,
            titleFontSize=13,
            labelColor=INK,
            titleColor=MUTED,
            gridColor="#e6eaeb",
            titleFontWeight="normal",
            domainColor="#c9cfd1",
        )
        .configure_legend(labelFontSize=14, labelColor=INK, symbolStrokeWidth=0, rowPadding=4, columnPadding=18)
        .configure_view(stroke=None)
        .to_dict()
    )
    return _render(json.dumps(specification, sort_keys=True), language)


@lru_cache(maxsize=512)
def _render(specification: str, language: str) -> str:
    # the converter's start is slow (half a second), a chart is not: equal specifications are drawn once per process
    locale = {"nl": "nl-NL", "en": "en-US"}.get(language, "en-US")
    # the locale is one of the names that its type lists
    return str(vlc.vegalite_to_svg(specification, format_locale=cast(Any, locale), show_warnings=False))


def as_data_uri(svg: str) -> str:
    """The SVG as the address of an <img>: no script can run in it and the page's style policy does not touch it."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def mean_row(scale: ScaleReport) -> MeanRow:
    """A scale of a report as a row of the chart: only what the report shows."""

    def mean_of(shown: ShownScale | None) -> float | None:
        match shown:
            case MeanShown(mean):
                return mean
            case Capped(bound):
                return bound
        return None

    own = scale.shown
    interval = (own.low, own.high) if isinstance(own, MeanShown) else (None, None)
    return MeanRow(scale.name, mean_of(own), *interval, mean_of(scale.benchmark), mean_of(scale.previous))


def days_chart(days: Sequence[tuple[date, int]], axis: str, width: int, language: str) -> str:
    """How many questionnaires were handed in altogether by the end of each day, as a line of steps."""
    total, values = 0, []
    for day, n in days:
        total += n
        values.append({"day": day.isoformat(), "total": total})
    form = "%-d-%-m" if language == "nl" else "%-d %b"
    x = alt.X("day:T", axis=alt.Axis(format=form, title=None, grid=False, tickCount=5 if width <= NARROW else 10))
    y = alt.Y("total:Q", scale=alt.Scale(zero=True), axis=alt.Axis(title=axis, tickMinStep=1, format="d"))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y)
    area = base.mark_area(interpolate="step-after", color=ACCENT, opacity=0.15)
    line = base.mark_line(interpolate="step-after", color=ACCENT, strokeWidth=2.5)
    return _svg(alt.layer(area, line), width, 240, language)
