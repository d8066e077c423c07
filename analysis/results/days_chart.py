"""Charts of collecting: plain figures → a chart specification (Vega-Lite) → SVG."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, cast

import altair as alt
import vl_convert as vlc

from analysis.reports.charts import ACCENT, FONT, INK, MUTED, NARROW, WIDE


def _svg(chart: alt.LayerChart, width: int, height: int, language: str, padding: int = 8) -> str:
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


def days_chart(days: Sequence[tuple[date, int]], axis: str, width: int, language: str) -> str:
    """How many questionnaires were handed in altogether by the end of each day, as a line of steps."""
    total, values = 0, []
    for day, n in days:
        total += n
        values.append({"day": day.isoformat(), "total": total})
    form = "%-d-%-m" if language == "nl" else "%-d %b"
    # no more than there are days: between them ticks stand at noon, and a day is named twice
    ticks = min(5 if width <= NARROW else 10, max(1, len(days) - 1))
    axis_of_days = alt.Axis(
        format=form, title=None, grid=False, tickCount=ticks, labelOverlap="parity", labelSeparation=4
    )
    x = alt.X("day:T", axis=axis_of_days)
    y = alt.Y("total:Q", scale=alt.Scale(zero=True), axis=alt.Axis(title=axis, tickMinStep=1, format="d"))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y)
    area = base.mark_area(interpolate="step-after", color=ACCENT, opacity=0.15)
    line = base.mark_line(interpolate="step-after", color=ACCENT, strokeWidth=2.5)
    return _svg(cast(alt.LayerChart, alt.layer(area, line)), width, 240, language)
