"""Figures for researchers, as SVG (analysis/svg.py): teams as dots, correlations as a map, a path diagram, days.

In the style of APA (Publication Manual, 7th edition): sans serif, no frame, no colour that carries meaning by itself. Every
figure stands beside a table with the same numbers.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format, get_format

from analysis import svg
from surveys.typesetting import picture

SIZE, SMALL = 13, 11  # of the type: these figures hold more words than those of the reports
NOTE_LINE = 16.0
FORMS = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Dot:
    """A row of a dot plot; the interval is None where there is none."""

    label: str
    mean: float | None
    low: float | None
    high: float | None


def converted(drawing: str, form: str) -> bytes:
    """A figure as a file: SVG as it is, PNG at three times its size (300 dots an inch for a column), PDF."""
    if form == "png":
        return picture(drawing, "png", scale=3)
    return picture(drawing, "pdf") if form == "pdf" else drawing.encode()


# ------------------------------------------------------------------------------------------------ teams
def dot_plot(rows: Sequence[Dot], n_points: int, axis: str, mark: float | None) -> str:
    """Means as dots on lines under one another with their intervals; a dashed line marks the mean over all (``axis`` says so)."""
    left = 20 + max([svg.width_of(row.label, SIZE) for row in rows] + [60])
    width, under = left + 460.0, svg.wrapped(axis, left + 440, SIZE)
    height = 40 + 22.0 * len(rows) + 17 * len(under)

    def x(value: float) -> float:
        return left + 440 * (value - 1) / (n_points - 1)

    bottom = height - 24 - 17 * len(under)
    parts = [svg.line(x(point), 8, x(point), bottom, svg.GRID) for point in range(1, n_points + 1)]
    parts += [_text(x(point), bottom + 16, str(point), "middle") for point in range(1, n_points + 1)]
    parts += [_text(width / 2, bottom + 35 + 17 * n, words, "middle", svg.MUTED) for n, words in enumerate(under)]
    if mark is not None:
        parts.append(svg.line(x(mark), 8, x(mark), bottom, svg.MUTED, dashed=True))
    for number, row in enumerate(rows):
        y = 20 + 22.0 * number
        parts.append(_text(left - 12, y + 4, row.label, "end"))
        if row.low is not None and row.high is not None:
            parts.append(svg.line(x(row.low), y, x(row.high), y, svg.ACCENT, 2))
            parts += [svg.line(x(end), y - 4, x(end), y + 4, svg.ACCENT, 2) for end in (row.low, row.high)]
        if row.mean is not None:
            parts.append(svg.dot(x(row.mean), y))
    return svg.document(width, height, parts)


def scatter(
    points: Sequence[Sequence[float]],
    cells: Sequence[Sequence[int]],
    n_cells: int,
    n_points: int,
    axes: tuple[str, str],
) -> str:
    """A share (across) beside a score (up), a dot per team; where there are too many, squares by how many teams they hold."""
    width, height = 400.0, 280.0
    up_words = svg.wrapped(axes[1], height, SIZE)
    left, top = 34.0 + 18 * len(up_words), 12.0
    bottom = top + height

    def x(share: float) -> float:
        return left + width * share

    def y(score: float) -> float:
        return bottom - height * (score - 1) / (n_points - 1)

    parts = []
    for percent in range(0, 101, 20):
        parts.append(svg.line(x(percent / 100), top, x(percent / 100), bottom, svg.GRID))
        parts.append(_text(x(percent / 100), bottom + 18, f"{percent} %", "middle"))
    for point in range(1, n_points + 1):
        parts.append(svg.line(left, y(point), left + width, y(point), svg.GRID))
        parts.append(_text(left - 10, y(point) + 4, str(point), "end"))
    parts.append(_text(left + width / 2, bottom + 40, axes[0], "middle", svg.MUTED))
    across, up = width / n_cells, height / n_cells
    most = max((n for _column, _row, n in cells), default=1)
    for column, row, n in cells:
        side = math.sqrt(n / most)  # the square's area tells how many
        at = left + across * (column + 0.5 - side / 2), bottom - up * (row + 0.5 + side / 2)
        parts.append(svg.box(*at, across * side, up * side, fill=svg.ACCENT))
    parts += [svg.dot(x(share), y(score), opacity=0.6) for share, score in points]
    parts += [
        svg.text(16 + 18 * n, top + height / 2, words, anchor="middle", colour=svg.MUTED, size=SIZE, turned=True)
        for n, words in enumerate(up_words)
    ]
    return svg.document(left + width + 24, bottom + 50, parts)


# ------------------------------------------------------------------------------------------------ correlations
def heat_map(names: Sequence[str], values: Sequence[Sequence[float | None]]) -> str:
    """Correlations below the diagonal: the darker the stronger, with the figure in each cell; below 0 in another hue."""
    cell, left = 34.0, 18 + max(svg.width_of(name, SIZE) for name in [*names, "–"])
    size = left + cell * len(names) + 10
    parts = []
    for row, name in enumerate(names):
        y = 8 + cell * row
        parts.append(_text(left - 8, y + cell / 2 + 4, name, "end"))
        for column in range(row):
            value = values[row][column]
            if value is None:
                continue
            x = left + cell * column
            strength = min(1.0, abs(value))
            colour = svg.ACCENT if value >= 0 else svg.WARM
            parts.append(svg.box(x, y, cell - 1, cell - 1, fill=colour, opacity=strength))
            letters = _letters_on(colour, strength)
            parts.append(_text(x + cell / 2, y + cell / 2 + 4, _r(value), "middle", letters, size=SMALL))
        parts.append(_text(left + cell * row + cell / 2, y + cell / 2 + 4, name, "middle", svg.MUTED, size=10))
    return svg.document(size, cell * len(names) + 16, parts)


def correlation_table(names: Sequence[str], values: Sequence[Sequence[float | None]]) -> dict[str, list[Any]]:
    """The table beside a map: the same figures, below the diagonal."""
    rows = [
        [name, *("–" if value is None else _r(value) for value in values[row][:row]), *[""] * (len(names) - row)]
        for row, name in enumerate(names)
    ]
    return {"head": ["", *names], "rows": rows}


def _letters_on(colour: str, strength: float) -> str:
    """Black or white, whichever stands out more on this colour mixed with white: at least 4.5 to 1 with the two hues here."""
    parts = [255 - strength * (255 - int(colour[i : i + 2], 16)) for i in (1, 3, 5)]
    light = [c / 12.92 / 255 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in parts]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]  # WCAG 2.2
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


# ------------------------------------------------------------------------------------------------ factor models
def path_diagram(
    factors: Mapping[str, Sequence[tuple[str, float | None]]],
    correlations: Mapping[tuple[str, str], float | None],
    notes: Sequence[str] = (),
) -> str:
    """Factors as ellipses left, items as boxes right, standardised loadings on the arrows, correlations on the arcs.

    ``notes`` stand below: what must be known of the figures, in every file of the diagram too.
    """
    n_items = sum(len(items) for items in factors.values())
    step, gap = 26.0, 18.0
    height = 20 + step * n_items + gap * len(factors)
    arcs = 60.0 + 34 * max(0, len(factors) - 1)
    factor_x, item_x = arcs + 60, arcs + 330
    parts = [svg.arrow_tip(svg.MUTED)]
    middle: dict[str, float] = {}
    y = 16.0
    for factor, items in factors.items():
        centre = y + step * len(items) / 2
        middle[factor] = centre
        for number, (item, loading) in enumerate(items):
            at = y + step * (number + 0.5)
            parts.append(svg.arrow(factor_x + 46, centre, item_x, at, svg.MUTED))
            share = 0.62
            label_x = factor_x + 46 + share * (item_x - factor_x - 46)
            label_y = centre + share * (at - centre)
            parts += _on_white(label_x, label_y, "–" if loading is None else _r(loading))
            parts.append(svg.box(item_x, at - 11, 74, 22, stroke=svg.INK))
            parts.append(_text(item_x + 37, at + 4, item, "middle", size=12))
        parts.append(
            f'<ellipse cx="{factor_x:.1f}" cy="{centre:.1f}" rx="46" ry="22" fill="white" stroke="{svg.INK}" '
            f'stroke-width="1.5"/>'
        )
        parts.append(_text(factor_x, centre + 5, factor, "middle", bold=True))
        y += step * len(items) + gap
    order = list(middle)
    for (first, second), value in correlations.items():
        if first not in middle or second not in middle or value is None:
            continue
        distance = abs(order.index(first) - order.index(second))
        bend = factor_x - 46 - 34.0 * distance - 14
        top, bottom = middle[first], middle[second]
        parts.append(
            f'<path d="M{factor_x - 44:.1f} {top + 6:.1f} C{bend:.1f} {top:.1f} {bend:.1f} {bottom:.1f} '
            f'{factor_x - 44:.1f} {bottom - 6:.1f}" fill="none" stroke="{svg.MUTED}"/>'
        )
        parts += _on_white(0.25 * (factor_x - 44) + 0.75 * bend, (top + bottom) / 2, _r(value))
    for line in (line for note in notes for line in svg.wrapped(note, item_x + 70, SMALL)):
        height += NOTE_LINE
        parts.append(_text(12, height - 6, line, size=SMALL))
    return svg.document(item_x + 90, height, parts)


def _on_white(x: float, y: float, words: str) -> list[str]:
    """A figure in the middle of a line that passes behind it."""
    return [svg.box(x - 15, y - 9, 30, 15), _text(x, y + 4, words, "middle", size=SMALL)]


# ------------------------------------------------------------------------------------------------ days of collecting
def days_chart(days: Sequence[tuple[date, int]], axis: str, width: int, language: str) -> str:
    """How many questionnaires were handed in altogether by the end of each day, as steps as wide as a day.

    ``days``: each day on which any came in, in order, and how many; at least one. ``axis``: what is counted.
    """
    first, last = days[0][0], days[-1][0]
    n_days = (last - first).days + 1
    ticks = _whole_ticks(sum(n for _day, n in days))
    left, top, right, bottom = 14 + svg.width_of(str(ticks[-1])), 36.0, width - 24.0, 252.0

    def x(day: float) -> float:
        return left + (right - left) * day / n_days

    def y(total: int) -> float:
        return bottom - (bottom - top) * total / ticks[-1]

    parts = [svg.text(4, 16, axis, colour=svg.MUTED, size=SIZE)]
    for tick in ticks:
        parts.append(svg.line(left, y(tick), right, y(tick), svg.GRID))
        parts.append(svg.text(left - 8, y(tick) + 5, str(tick), anchor="end"))
    total, steps = 0, ""
    for day, n in days:
        total += n
        steps += f"H{x((day - first).days):.1f}V{y(total):.1f}"
    steps += f"H{right:.1f}"
    parts.append(f'<path d="M{left:.1f} {bottom:.1f}{steps}V{bottom:.1f}z" fill="{svg.TINT}" fill-opacity="0.7"/>')
    parts.append(
        f'<path d="M{left:.1f} {bottom:.1f}{steps}" fill="none" stroke="{svg.ACCENT}" stroke-width="2.5" '
        f'stroke-linejoin="round"/>'
    )
    form = re.sub(r"\W*[yY]$", "", get_format("SHORT_DATE_FORMAT", language))  # the day without its year
    room = max(svg.width_of(date_format(first + timedelta(days=n), form)) for n in range(n_days)) + 14
    every = next(step for step in _day_steps() if step * (right - left) / n_days >= room or step >= n_days)
    for number in range(0, n_days, every):
        middle = x(number + 0.5)
        parts.append(svg.line(middle, bottom, middle, bottom + 5, svg.MUTED))
        parts.append(svg.text(middle, bottom + 20, date_format(first + timedelta(days=number), form), anchor="middle"))
    return svg.document(width, bottom + 28, parts)


def _day_steps() -> Iterator[int]:
    """How many days can lie between two that are named: single ones, and whole weeks."""
    yield from (1, 2, 4)
    yield from (7 * 2**n for n in itertools.count())


def _whole_ticks(most: int) -> list[int]:
    """Round whole numbers from 0 to ``most`` or a bit beyond it, six at the most."""
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    step = next(step for step in steps if 5 * step >= most)
    return [step * number for number in range(max(1, math.ceil(most / step)) + 1)]


# ------------------------------------------------------------------------------------------------ words
def _text(
    x: float,
    y: float,
    words: str,
    anchor: str = "start",
    colour: str = svg.INK,
    size: float = SIZE,
    *,
    bold: bool = False,
) -> str:
    return svg.text(x, y, words, anchor=anchor, colour=colour, size=size, bold=bold)


def _r(value: float) -> str:
    """A correlation or loading as APA prints it: no zero before the point, unless it passes 1."""
    text = f"{math.floor(abs(value) * 100 + 0.5) / 100:.2f}"
    text = text[1:] if text.startswith("0.") else text
    return f"−{text}" if value < 0 and text != ".00" else text
