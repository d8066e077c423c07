"""Figures of the analysis for researchers, as SVG: teams as dots with intervals, correlations as a map, a path diagram.

In the style of APA (Publication Manual, 7th edition): sans serif, no frame, no colour that carries meaning by itself. Every
figure stands beside a table with the same numbers.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import vl_convert as vlc

from teams.text.glyphs import without_controls

INK, MUTED, GRID, ACCENT, WARM = "#1d2b2f", "#5b6b70", "#dde4e6", "#0b5c6b", "#a8490f"
FONT = "'Source Sans 3', system-ui, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif"
LETTER = 7.3  # pixels of a letter at 13: generous, so that what is planned fits
NOTE_CHARACTER, NOTE_LINE = 6.2, 16.0  # pixels of a letter and a line at 11
FORMS = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Dot:
    """A row of a dot plot; the interval is None where there is none."""

    label: str
    mean: float | None
    low: float | None
    high: float | None


def converted(svg: str, form: str) -> bytes:
    """A figure as a file: SVG as it is, PNG at three times its size (300 dots an inch for a column), PDF."""
    if form == "png":
        return bytes(vlc.svg_to_png(svg, scale=3))
    return bytes(vlc.svg_to_pdf(svg)) if form == "pdf" else svg.encode()


def dot_plot(rows: Sequence[Dot], n_points: int, axis: str, mark: float | None, mark_text: str) -> str:
    """Means as dots on lines under one another with their intervals; a dashed line marks the mean over all."""
    left = 20 + LETTER * max([len(row.label) for row in rows] + [8])
    width, under = left + 460.0, textwrap.wrap(axis, int((left + 440) / LETTER))
    height = 40 + 22.0 * len(rows) + 17 * len(under)

    def x(value: float) -> float:
        return left + 440 * (value - 1) / (n_points - 1)

    bottom = height - 24 - 17 * len(under)
    parts = [_line(x(point), 8, x(point), bottom, GRID) for point in range(1, n_points + 1)]
    parts += [_text(x(point), bottom + 16, str(point), "middle") for point in range(1, n_points + 1)]
    parts += [_text(width / 2, bottom + 35 + 17 * n, words, "middle", MUTED) for n, words in enumerate(under)]
    if mark is not None:
        parts.append(_line(x(mark), 8, x(mark), bottom, MUTED, dashed=True))
        parts.append(f"<title>{escape(without_controls(mark_text))}</title>")
    for number, row in enumerate(rows):
        y = 20 + 22.0 * number
        parts.append(_text(left - 12, y + 4, row.label, "end"))
        if row.low is not None and row.high is not None:
            parts.append(_line(x(row.low), y, x(row.high), y, ACCENT, 2))
            parts += [_line(x(end), y - 4, x(end), y + 4, ACCENT, 2) for end in (row.low, row.high)]
        if row.mean is not None:
            parts.append(f'<circle cx="{x(row.mean):.1f}" cy="{y:.1f}" r="4.5" fill="{ACCENT}"/>')
    return _svg(width, height, parts)


def scatter(
    points: Sequence[Sequence[float]],
    cells: Sequence[Sequence[int]],
    n_cells: int,
    n_points: int,
    axes: tuple[str, str],
) -> str:
    """A share (across) beside a score (up), a dot per team; where there are too many, squares by how many teams they hold."""
    up_words = textwrap.wrap(axes[1], 36)
    left, top, width, height = 34.0 + 18 * len(up_words), 12.0, 400.0, 280.0
    bottom = top + height

    def x(share: float) -> float:
        return left + width * share

    def y(score: float) -> float:
        return bottom - height * (score - 1) / (n_points - 1)

    parts = []
    for percent in range(0, 101, 20):
        parts += [_line(x(percent / 100), top, x(percent / 100), bottom, GRID)]
        parts += [_text(x(percent / 100), bottom + 18, f"{percent} %", "middle")]
    for point in range(1, n_points + 1):
        parts += [
            _line(left, y(point), left + width, y(point), GRID),
            _text(left - 10, y(point) + 4, str(point), "end"),
        ]
    parts.append(_text(left + width / 2, bottom + 40, axes[0], "middle", MUTED))
    across, up = width / n_cells, height / n_cells
    most = max((n for _column, _row, n in cells), default=1)
    for column, row, n in cells:
        side = math.sqrt(n / most)  # the square's area tells how many
        at = left + across * (column + 0.5 - side / 2), bottom - up * (row + 0.5 + side / 2)
        parts.append(
            f'<rect x="{at[0]:.1f}" y="{at[1]:.1f}" width="{across * side:.1f}" height="{up * side:.1f}" fill="{ACCENT}"/>'
        )
    parts += [
        f'<circle cx="{x(share):.1f}" cy="{y(score):.1f}" r="4.5" fill="{ACCENT}" fill-opacity="0.6" stroke="{ACCENT}"/>'
        for share, score in points
    ]
    parts += [
        f'<text transform="translate({16 + 18 * n} {top + height / 2:.0f}) rotate(-90)" text-anchor="middle" '
        f'fill="{MUTED}" font-size="13">{escape(without_controls(words))}</text>'
        for n, words in enumerate(up_words)
    ]
    return _svg(left + width + 24, bottom + 50, parts)


def heat_map(names: Sequence[str], values: Sequence[Sequence[float | None]]) -> str:
    """Correlations below the diagonal: the darker the stronger, with the figure in each cell; below 0 in another hue."""
    cell, left = 34.0, 18 + LETTER * max([len(name) for name in names] + [1])
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
            colour = ACCENT if value >= 0 else WARM
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell - 1:g}" height="{cell - 1:g}" fill="{colour}" '
                f'fill-opacity="{strength:.2f}"/>'
            )
            letters = _letters_on(colour, strength)
            parts.append(_text(x + cell / 2, y + cell / 2 + 4, _r(value), "middle", letters, size=11))
        parts.append(_text(left + cell * row + cell / 2, y + cell / 2 + 4, name, "middle", MUTED, size=10))
    return _svg(size, cell * len(names) + 16, parts)


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
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"


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
    parts = [
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 10 5 0 10z" fill="{MUTED}"/></marker></defs>'
    ]
    middle: dict[str, float] = {}
    y = 16.0
    for factor, items in factors.items():
        centre = y + step * len(items) / 2
        middle[factor] = centre
        for number, (item, loading) in enumerate(items):
            at = y + step * (number + 0.5)
            parts.append(_arrow(factor_x + 46, centre, item_x, at))
            share = 0.62
            label_x = factor_x + 46 + share * (item_x - factor_x - 46)
            label_y = centre + share * (at - centre)
            parts.append(f'<rect x="{label_x - 15:.1f}" y="{label_y - 9:.1f}" width="30" height="15" fill="white"/>')
            parts.append(_text(label_x, label_y + 4, "–" if loading is None else _r(loading), "middle", size=11))
            parts.append(
                f'<rect x="{item_x:.1f}" y="{at - 11:.1f}" width="74" height="22" fill="white" stroke="{INK}"/>'
            )
            parts.append(_text(item_x + 37, at + 4, item, "middle", size=12))
        parts.append(
            f'<ellipse cx="{factor_x:.1f}" cy="{centre:.1f}" rx="46" ry="22" fill="white" stroke="{INK}" '
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
            f'{factor_x - 44:.1f} {bottom - 6:.1f}" fill="none" stroke="{MUTED}"/>'
        )
        label_x, label_y = 0.25 * (factor_x - 44) + 0.75 * bend, (top + bottom) / 2
        parts.append(f'<rect x="{label_x - 15:.1f}" y="{label_y - 9:.1f}" width="30" height="15" fill="white"/>')
        parts.append(_text(label_x, label_y + 4, _r(value), "middle", size=11))
    for line in (line for note in notes for line in textwrap.wrap(note, int((item_x + 90) / NOTE_CHARACTER))):
        height += NOTE_LINE
        parts.append(_text(12, height - 6, line, size=11))
    return _svg(item_x + 90, height, parts)


def _r(value: float) -> str:
    """A correlation or loading as APA prints it: no zero before the point, unless it passes 1."""
    text = f"{math.floor(abs(value) * 100 + 0.5) / 100:.2f}"
    text = text[1:] if text.startswith("0.") else text
    return f"−{text}" if value < 0 and text != ".00" else text


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dash}/>'
    )


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{MUTED}" stroke-width="1" '
        f'marker-end="url(#tip)"/>'
    )


def _text(
    x: float, y: float, words: str, anchor: str = "start", colour: str = INK, size: int = 13, *, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}"{weight}>'
        f"{escape(without_controls(words))}</text>"
    )


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="{escape(FONT, {chr(34): "&quot;"})}">'
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>{"".join(parts)}</svg>'
    )
