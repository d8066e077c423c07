"""The one place where charts become SVG: colours, type, the width of words, and what every drawing is made of.

All charts are built from it: those that readers get (reports/charts.py) and those for researchers (results/figures.py,
results/flow_diagram.py). Lengths are pixels. The fonts of a reader are not known while drawing, so words are taken to be
as wide as in a wide font: what is planned fits. A drawing holds no scripts and no styles, so it opens in any program.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from teams.text.glyphs import without_controls

#: Widths of a chart for a phone and for a page.
NARROW, WIDE = 340, 760
INK, MUTED, GRID = "#1d2b2f", "#5b6b70", "#dde4e6"
ACCENT, WARM, VIOLET = "#0b5c6b", "#a8490f", "#6a3d8f"
TINT = "#cfe3e6"  # inside an area whose outline is ACCENT
LIGHT, WHITE = "#eef6f7", "#ffffff"  # behind words
PALE_ACCENT, PALE_WARM, PALE = "#a9d3d9", "#f0c4a8", "#dfe4e5"
FONT = "'Source Sans 3', system-ui, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif"
SIZE = 14  # of the type
LETTER = 0.56  # mean width of a letter, of the size of the type
BOLD = 1.06  # times as wide
DASHES = "4 4"


def width_of(words: str, size: float = SIZE, *, bold: bool = False) -> float:
    """How wide words are at most, in pixels."""
    return len(words) * size * LETTER * (BOLD if bold else 1)


def wrapped(words: str, width: float, size: float = SIZE) -> list[str]:
    """Words in lines that are no wider than ``width``; one empty line where there are no words."""
    return textwrap.wrap(words, max(8, int(width / (size * LETTER)))) or [""]


def document(width: float, height: float, parts: Sequence[str], *, title: str = "", description: str = "") -> str:
    """A whole drawing on white; ``title`` and ``description`` are read aloud where a page gives no words for it."""
    named = ""
    spoken = ""
    if title:
        named = ' role="img" aria-labelledby="title words"'
        spoken = f'<title id="title">{_safe(title)}</title><desc id="words">{_safe(description)}</desc>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}"{named} font-family={quoteattr(FONT)} font-size="{SIZE}">{spoken}'
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>{"".join(parts)}</svg>'
    )


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    colour: str = INK,
    size: float = SIZE,
    bold: bool = False,
    turned: bool = False,
) -> str:
    """Words on the line ``y``; ``anchor`` says what of them stands at ``x``. ``turned``: they run upwards."""
    place = f'transform="translate({x:.1f} {y:.1f}) rotate(-90)"' if turned else f'x="{x:.1f}" y="{y:.1f}"'
    weight = ' font-weight="600"' if bold else ""
    return f'<text {place} text-anchor="{anchor}" fill="{colour}" font-size="{size:g}"{weight}>{_safe(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, *, dashed: bool = False) -> str:
    """A straight line, ``width`` thick."""
    dash = f' stroke-dasharray="{DASHES}"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dash}/>'
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "white",
    opacity: float | None = None,
    stroke: str = "",
) -> str:
    """A rectangle from its upper left corner; without an outline unless ``stroke`` names its colour."""
    clear = "" if opacity is None else f' fill-opacity="{opacity:.2f}"'
    edge = f' stroke="{stroke}"' if stroke else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{clear}{edge}/>'


def dot(x: float, y: float, radius: float = 4.5, *, opacity: float = 1) -> str:
    """A filled circle; ``opacity`` below 1 lets equal dots be seen over one another, and adds an outline."""
    clear = f' fill-opacity="{opacity:g}" stroke="{ACCENT}"' if opacity < 1 else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{ACCENT}"{clear}/>'


def arrow_tip(colour: str) -> str:
    """The tip that ``arrow`` ends in: once per drawing, before the first arrow."""
    return (
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 10 5 0 10z" fill="{colour}"/></marker></defs>'
    )


def arrow(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    """A line that ends in the tip of the drawing (``arrow_tip``)."""
    return line(x1, y1, x2, y2, colour).replace("/>", ' marker-end="url(#tip)"/>')


def as_data_uri(svg: str) -> str:
    """The SVG as the address of an <img>: no script can run in it and the page's style policy does not touch it."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _safe(words: str) -> str:
    return escape(without_controls(words))
