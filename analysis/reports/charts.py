"""Charts of the reports: rounded figures → SVG (analysis/svg.py). A report holds thirty, each drawn in a millisecond.

Only figures that disclosure/ released reach this module, so the coordinates in the SVG tell no more than the table
beside it. A chart is drawn for the width at which it is shown, so that its words are as large as the page's. Colour is never the only cue: each mark
has its own shape, each part of a bar its place, an outline and where there is room its number. Figures for researchers
stand in results/figures.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analysis import svg
from analysis.disclosure import Capped, MeanShown, ShownScale
from analysis.reports.objects import Mark

#: Widths of charts on a page: beside the figure of a subject, and over the whole of a large screen.
PAGE, DESK = 680, 860
PAPER = 620  # beside the figure of a subject in a PDF
BAR = 300
# from "strongly disagree" to "strongly agree": two hues that the colour-blind tell apart, dark at both ends
DISAGREE, AGREE, NEITHER = (svg.WARM, svg.PALE_WARM), (svg.PALE_ACCENT, svg.ACCENT), svg.PALE
TRACK = (150, 18)  # of the small bar in a card
_DASHED = f'stroke="{svg.MUTED}" stroke-width="1.4" stroke-dasharray="{svg.DASHES}"'
MOST_LABEL = 250  # pixels for the name of a scale
LEGEND = 12.0  # where a legend begins: half of its widest mark


@dataclass(frozen=True)
class MeanRow:
    """One scale in a chart of scores: what is shown of it, that as words, and the figures beside it.

    ``spans``: the interval of a figure beside it, where it has one of its own.
    """

    label: str
    shown: ShownScale
    text: str
    beside: Mapping[Mark, float]
    spans: Mapping[Mark, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Words:
    """The words of a chart of scores in the reader's language: one per mark, the ends of the axis, and its middle.

    A chart of one scale leaves out the middle, and on a phone the ends: the page has them in the chart of all.
    """

    marks: Mapping[Mark, str]
    ends: tuple[str, str]
    middle: str


# ------------------------------------------------------------------------------------------------ scores
#: pixels from the row's line: the own mark on it, others above and below, so that equal values do not hide each other
OFFSETS = {Mark.TARGET: 0, Mark.BENCHMARK: -14, Mark.SECTOR: 14, Mark.PREVIOUS: 14}


@dataclass(frozen=True)
class _Frame:
    """Where the parts of a chart lie: the axis from left to right, how far each row reaches over and under its line."""

    width: int
    left: float
    right: float
    n_points: int
    marks: tuple[Mark, ...]
    up: float
    down: float

    @property
    def narrow(self) -> bool:
        return self.width <= svg.NARROW

    def x(self, value: float) -> float:
        return self.left + (value - 1) / (self.n_points - 1) * (self.right - self.left)

    def y(self, mark: Mark, line: float) -> float:
        """Two marks under the line stand under one another."""
        return line + OFFSETS[mark] + 14 * (mark == Mark.PREVIOUS and Mark.SECTOR in self.marks)


def means_chart(rows: Sequence[MeanRow], words: Words, n_points: int, width: int, marks: Sequence[Mark]) -> str:
    """Scores as dots on lines under one another, with the marks asked for; the midpoint is a dashed line.

    A row without words has the whole width: the page says beside it what it is about.
    """
    frame = _frame(rows, n_points, width, marks)
    legend, top = _legend([m for m in marks if m == Mark.OWN or _has(rows, m)], words, width)
    parts, y = list(legend), top + 4
    for row in rows:
        room = width - 28 - svg.width_of(row.text) - 12 if frame.narrow else MOST_LABEL
        label = svg.wrapped(row.label, room) if row.label or row.text else []
        half = 0.0 if frame.narrow else 9.0 * len(label)
        above = 18.0 * len(label) if frame.narrow else 0.0
        line = y + above + max(frame.up, half)
        parts += _row(row, label, line, y, frame)
        y = line + max(frame.down, half) + (6 if frame.down < 10 else 12)  # what hangs under a line is its own
    ends = words.ends if any(row.text for row in rows) or not frame.narrow else None
    axis, bottom = _axis(ends, frame, top, y)
    return svg.document(width, bottom, [*axis, *parts])


def _frame(rows: Sequence[MeanRow], n_points: int, width: int, marks: Sequence[Mark]) -> _Frame:
    up = 38.0 if Mark.TARGET in marks and Mark.BENCHMARK in marks else 24.0 if Mark.TARGET in marks else 9.0
    if Mark.BENCHMARK in marks:
        up = max(up, 22.0)
    lower = (Mark.SECTOR in marks) + (Mark.PREVIOUS in marks)
    left, right = 14.0, width - 14.0
    if width > svg.NARROW and any(row.label or row.text for row in rows):
        left += 16 + max(svg.width_of(words) for row in rows for words in svg.wrapped(row.label, MOST_LABEL))
        right = width - 20 - max(svg.width_of(row.text, bold=True) for row in rows)
    return _Frame(width, left, right, n_points, tuple(marks), up, 9.0 + 13.0 * lower)


def _row(row: MeanRow, label: Sequence[str], line: float, top: float, frame: _Frame) -> Iterator[str]:
    left, right, x = frame.left, frame.right, frame.x
    if frame.narrow and label:  # no line through the words above the row
        yield svg.box(left, top, right - left, 18 * len(label))
    for number, words in enumerate(label):
        if frame.narrow:
            yield svg.text(left, top + 14 + 18 * number, words)
        else:
            yield svg.text(left - 16, line + 5 - 9 * (len(label) - 1) + 18 * number, words, anchor="end")
    if label:
        yield (
            svg.text(right, top + 14, row.text, anchor="end", bold=True)
            if frame.narrow
            else svg.text(frame.width - 4, line + 5, row.text, anchor="end", bold=True)
        )
    yield f'<path d="M{left:g} {line:g}H{right:g}" stroke="{svg.GRID}"/>'
    own = row.shown
    if Mark.INTERVAL in frame.marks and isinstance(own, MeanShown) and own.low is not None and own.high is not None:
        yield (
            f'<rect class="interval" x="{x(own.low):.1f}" y="{line - 6:g}" width="{x(own.high) - x(own.low):.1f}" '
            f'height="12" rx="6" fill="{svg.TINT}" stroke="{svg.ACCENT}"/>'
        )
    for mark in (mark for mark in OFFSETS if mark in frame.marks and mark in row.beside):
        y = frame.y(mark, line)
        if Mark.INTERVAL in frame.marks and mark in row.spans:
            low, high = row.spans[mark]
            yield (
                f'<path class="span" d="M{x(low):.1f} {y - 4:g}v8m0 -4H{x(high):.1f}m0 -4v8" fill="none" '
                f'stroke="{svg.MUTED}" stroke-width="1.4"/>'
            )
        yield _symbol(mark, x(row.beside[mark]), y, pole=36 if Mark.BENCHMARK in frame.marks else 22)
    value = _value(own)
    if Mark.OWN in frame.marks and value is not None:
        yield _symbol(Mark.OWN, x(value), line)


def _value(shown: ShownScale) -> float | None:
    value = getattr(shown, "mean", getattr(shown, "bound", None))
    return None if value is None else float(value)


def _has(rows: Sequence[MeanRow], mark: Mark) -> bool:
    if mark == Mark.INTERVAL:
        return any(isinstance(row.shown, MeanShown) and row.shown.low is not None for row in rows)
    return any(mark in row.beside for row in rows)


def _symbol(mark: Mark, x: float, y: float, pole: float = 0) -> str:
    """A mark at its value. A target is a flag over what else lies there: its pole reaches up from the line."""
    drawn = {
        Mark.OWN: (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7"', svg.ACCENT),
        Mark.INTERVAL: (f'<rect x="{x - 11:.1f}" y="{y - 5:.1f}" width="22" height="10" rx="5"', svg.TINT),
        Mark.BENCHMARK: (f'<path d="M{x:.1f} {y - 7:.1f}l6 7l-6 7l-6 -7z"', svg.WARM),
        Mark.SECTOR: (f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"', svg.VIOLET),
        Mark.PREVIOUS: (f'<path d="M{x - 6:.1f} {y - 6:.1f}l12 6l-12 6z"', svg.MUTED),
        Mark.TARGET: (f'<path d="M{x - 1.5:.1f} {y - pole:.1f}h13l-4 4.5l4 4.5h-10v{pole - 9:g}h-3z"', svg.INK),
    }[mark]
    edge = svg.ACCENT if mark == Mark.INTERVAL else "white"
    return f'{drawn[0]} class="{mark}" fill="{drawn[1]}" stroke="{edge}"/>'


def _legend(marks: Sequence[Mark], words: Words, width: int) -> tuple[list[str], float]:
    """The marks with their names, and the dashed line, in as many lines as they need; and where the chart can begin."""
    parts, x, y = [], LEGEND, 14.0
    for mark in (*(mark for mark in marks if mark in words.marks), *([None] if words.middle else [])):
        word = words.middle if mark is None else words.marks[mark]
        wide = 26 + svg.width_of(word)
        if x > LEGEND and x + wide > width:
            x, y = LEGEND, y + 24
        if mark is None:
            parts.append(f'<path d="M{x + 2:.1f} {y - 8:g}v17" {_DASHED}/>')
        else:
            parts.append(_symbol(mark, x, y + 8 if mark == Mark.TARGET else y, pole=17))
        parts.append(svg.text(x + 17, y + 5, word))
        x += wide + 16
    return parts, y + 16


def _axis(ends: tuple[str, str] | None, frame: _Frame, top: float, bottom: float) -> tuple[list[str], float]:
    """The lines of the points, their numbers, and what the ends mean under them; and where it all ends."""
    parts, left, right = [], frame.left, frame.right
    for value in range(1, frame.n_points + 1):
        x = frame.x(value)
        parts.append(f'<path d="M{x:.1f} {top:g}V{bottom:g}" stroke="{svg.GRID}"/>')
        parts.append(svg.text(x, bottom + 16, str(value), anchor="middle"))
    middle = (left + right) / 2
    parts.append(f'<path class="middle" d="M{middle:.1f} {top:g}V{bottom:g}" {_DASHED}/>')
    if ends is None:
        return parts, bottom + 22
    small = 13.5  # on the smallest phone a chart is a little narrower than it is drawn
    most = frame.width if frame.narrow else right - left + 60
    first, second = (svg.width_of(words, small) for words in ends)
    lower = 0 if first + second + 12 <= most - 2 * 4 else 16  # the second end under the first where they do not fit
    begin, end = (4.0, frame.width - 4.0) if frame.narrow else (max(4.0, left - 26), min(right + 30, frame.width - 2.0))
    parts.append(svg.text(begin, bottom + 33, ends[0], colour=svg.MUTED, size=small))
    parts.append(svg.text(end, bottom + 33 + lower, ends[1], anchor="end", colour=svg.MUTED, size=small))
    return parts, bottom + 40 + lower


# ------------------------------------------------------------------------------------------------ answers to an item
def answers_bar(percentages: Sequence[int], n_points: int, *, figures: bool = True) -> str:
    """One item's answers as a bar that parts at the midpoint: disagreement to the left, agreement to the right.

    The item's text stands beside the bar as text of the page, so that it wraps on a phone; the scale runs from −100 % to
    100 % for every item, so that bars under one another compare.
    """
    half = n_points / 2
    pixels = (BAR - 8) / 200
    # an odd number of points has a neutral one: half of it lies on either side
    x = BAR / 2 - pixels * sum(share * min(1.0, max(0.0, half - index)) for index, share in enumerate(percentages))
    parts = []
    colours, edges = diverging(n_points), _edges(n_points)
    for index, share in enumerate(percentages):
        wide = share * pixels
        if share:
            parts.append(
                f'<rect class="answer" x="{x:.1f}" y="4" width="{wide:.1f}" height="28" fill="{colours[index]}" '
                f'stroke="{edges[index]}"/>'
            )
        if figures and wide >= svg.width_of(str(share)):
            colour = "white" if index in (0, n_points - 1) else svg.INK
            parts.append(svg.text(x + wide / 2, 24, str(share), anchor="middle", colour=colour))
        x += wide
    parts.append(f'<path d="M{BAR / 2:g} 0V36" stroke="{svg.INK}"/>')
    return svg.document(BAR, 36, parts)


# ------------------------------------------------------------------------------------------------ the bar of a card
def score_bar(shown: ShownScale, n_points: int) -> str:
    """One score on a bar from 1 to the highest point; what lies beyond "or higher" is filled. Its words stand beside it."""
    width, height = TRACK
    left, right, line = 9.0, width - 9.0, height / 2

    def x(value: float) -> float:
        return left + (value - 1) / (n_points - 1) * (right - left)

    parts = [
        f'<rect x="1" y="{line - 4:g}" width="{width - 2}" height="8" rx="4" fill="{svg.PALE}"/>',
        f'<path d="M{width / 2:g} {line - 8:g}v16" stroke="{svg.MUTED}" stroke-width="1.4"/>',
    ]
    value = _value(shown)
    if isinstance(shown, Capped) and value is not None:
        low, high = (value, n_points) if shown.upper else (1, value)
        parts.append(_band(x(low), x(high), line))
    if isinstance(shown, MeanShown) and shown.low is not None and shown.high is not None:
        parts.append(_band(x(shown.low), x(shown.high), line))
    if value is not None:
        parts.append(_symbol(Mark.OWN, x(value), line))
    return svg.document(width, height, parts)


def _band(low: float, high: float, line: float) -> str:
    return (
        f'<rect x="{low:.1f}" y="{line - 5:g}" width="{high - low:.1f}" height="10" rx="5" fill="{svg.TINT}" '
        f'stroke="{svg.ACCENT}"/>'
    )


def diverging(n_points: int) -> list[str]:
    """Colours of the options: dark and light of one hue to each side, grey in the middle of an odd number."""
    side = n_points // 2
    left = [DISAGREE[0]] + [DISAGREE[1]] * (side - 1)
    right = [AGREE[0]] * (side - 1) + [AGREE[1]]
    return left + ([NEITHER] if n_points % 2 else []) + right


def _edges(n_points: int) -> list[str]:
    side = n_points // 2
    return [svg.WARM] * side + ([svg.MUTED] if n_points % 2 else []) + [svg.ACCENT] * side
