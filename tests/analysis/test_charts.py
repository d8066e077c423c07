"""Charts by their structure: words there and apart, marks to be told without colour, contrast, no figure but those given."""

import itertools
import re
from xml.etree import ElementTree

import pytest

from analysis import svg as drawing
from analysis.disclosure import Capped, MeanShown, Reason, Withheld
from analysis.reports import charts
from analysis.reports.charts import MeanRow, Words, answers_bar, means_chart
from analysis.reports.objects import Mark

SVG = "{http://www.w3.org/2000/svg}"
WORDS = Words(
    {
        Mark.OWN: "jullie team",
        Mark.INTERVAL: "waarschijnlijk tussen",
        Mark.TARGET: "jullie eigen doel",
        Mark.PREVIOUS: "vorige meting",
        Mark.BENCHMARK: "alle teams",
        Mark.SECTOR: "zelfde sector",
    },
    ("1 = helemaal mee oneens", "4 = helemaal mee eens"),
    "midden van de schaal",
)
BESIDE = {Mark.BENCHMARK: 2.41, Mark.SECTOR: 2.41, Mark.PREVIOUS: 2.4, Mark.TARGET: 2.4}  # all in the same place
ROWS = [
    MeanRow(
        "Informatie delen, evalueren en samen terugkijken op wat er is bereikt",
        MeanShown(2.4, 2.0, 2.8),
        "2,4",
        BESIDE,
        {Mark.PREVIOUS: (1.9, 2.9)},
    ),
    MeanRow("Visie", Capped(3.8, True), "3,8 of hoger", {Mark.BENCHMARK: 2.5}),
    MeanRow("Collectief handelen", MeanShown(1.0, 1.0, 1.3), "1,0", {}),
    MeanRow("Dialoog", Withheld(Reason.TOO_FEW), "–", {Mark.BENCHMARK: 2.0}),
]


def luminance(colour: str) -> float:
    colour = {"white": "#ffffff"}.get(colour, colour)
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def boxes(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Every word of a chart with its bounding box, letters taken as wide as the widest fonts that readers have."""
    placed = []
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        size, words = float(text.get("font-size", "14")), text.text or ""
        wide = len(words) * size * drawing.LETTER
        x = float(text.get("x", "0")) - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
        y = float(text.get("y", "0"))
        placed.append((words, x, y - 0.75 * size, x + wide, y + 0.22 * size))
    return placed


@pytest.mark.parametrize("n_points", [4, 5, 7])
@pytest.mark.parametrize("width", [drawing.NARROW, drawing.WIDE])
@pytest.mark.parametrize("marks", [tuple(Mark), (Mark.OWN,), (Mark.OWN, Mark.INTERVAL, Mark.PREVIOUS)])
def test_words_are_there_apart_and_inside(width: int, marks: tuple[Mark, ...], n_points: int):
    svg = means_chart(ROWS, WORDS, n_points, width, marks)
    drawn = boxes(svg)
    said = " ".join(words for words, *_box in drawn)
    for row in ROWS:
        assert all(word in said for word in row.label.split())
        assert row.text in said
    for mark in marks:
        assert WORDS.marks[mark] in said
    assert all(words in said for words in (*WORDS.ends, WORDS.middle))
    assert {str(n) for n in range(1, n_points + 1)} <= {words for words, *_box in drawn}
    root = ElementTree.fromstring(svg)
    for words, left, top, right, bottom in drawn:
        assert left >= -1, words
        assert top >= 0, words
        assert right <= float(root.get("width", "0")) + 1, words
        assert bottom <= float(root.get("height", "0")), words
    for (one, *a), (other, *b) in itertools.combinations(drawn, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"“{one}” lies over “{other}”"


def test_each_mark_has_a_shape_of_its_own_and_stands_out():
    svg = means_chart(ROWS[:1], WORDS, 4, drawing.WIDE, list(Mark))
    shapes, places = {}, {}
    for element in ElementTree.fromstring(svg).iter():
        mark = element.get("class", "")
        if mark in set(Mark):
            shape = re.sub(r"^M[\d. ]+", "", element.get("d", "")) or element.tag + element.get("rx", "")
            shapes[mark] = shape
            edge = element.get("fill", "") if mark != Mark.INTERVAL else element.get("stroke", "")
            assert contrast(edge, "white") >= 3, mark
            places.setdefault(mark, []).append(element.get("cy") or element.get("y") or element.get("d"))
    assert set(shapes) == set(Mark)
    assert len(set(shapes.values())) == len(Mark), "told apart without colour"
    assert contrast(drawing.MUTED, "white") >= 3, "the dashed line of the middle"


def test_equal_values_do_not_hide_each_other():
    svg = means_chart(ROWS[:1], WORDS, 4, drawing.WIDE, list(Mark))
    lines = re.findall(r'class="(own|benchmark|sector|previous)"', svg)
    assert len(lines) == 8  # in the legend and in the row
    centres = {
        "own": [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', svg)][-1],
        "sector": float(re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="10"', svg)[-1]) + 5,
        "benchmark": float(re.findall(r'<path d="M[\d.]+ ([\d.]+)l6 7', svg)[-1]) + 7,
        "previous": float(re.findall(r'<path d="M[\d.]+ ([\d.]+)l12 6', svg)[-1]) + 6,
    }
    for one, other in itertools.combinations(centres.values(), 2):
        assert abs(one - other) >= 12
    flag = float(re.findall(r'<path d="M[\d.]+ ([\d.]+)h13', svg)[-1])
    assert flag + 9 <= centres["benchmark"] - 7, "the flag of the target stands over the highest mark"


def test_the_previous_waves_interval_is_drawn_where_intervals_are():
    def spans(marks: list[Mark]) -> list[list[float]]:
        svg = means_chart(ROWS[:1], WORDS, 4, drawing.WIDE, marks)
        return [[float(x) for x in found] for found in re.findall(r'class="span" d="M([\d.]+) .*?H([\d.]+)', svg)]

    assert spans([Mark.OWN, Mark.PREVIOUS]) == []
    ((low, high),) = spans([Mark.OWN, Mark.INTERVAL, Mark.PREVIOUS])
    svg = means_chart(ROWS[:1], WORDS, 4, drawing.WIDE, [Mark.OWN, Mark.INTERVAL])
    own = re.findall(r'class="interval" x="([\d.]+)".*? width="([\d.]+)"', svg)[-1]
    pixels = float(own[1]) / 0.8  # from 2.0 to 2.8
    assert low == pytest.approx(float(own[0]) - 0.1 * pixels, abs=0.2)
    assert high == pytest.approx(low + pixels, abs=0.2)


@pytest.mark.parametrize("shares", [(10, 30, 45, 15), (0, 0, 100, 0), (7, 43, 50, 0), (3, 3, 3, 91)])
def test_a_bar_of_answers_parts_at_the_middle(shares: tuple[int, ...]):
    root = ElementTree.fromstring(answers_bar(shares, 4))
    parts = [e for e in root.iter(f"{SVG}rect") if e.get("class") == "answer"]
    assert len(parts) == sum(share > 0 for share in shares)
    pixels = (charts.BAR - 8) / 200
    left = float(parts[0].get("x", "0"))
    assert left == pytest.approx(charts.BAR / 2 - pixels * sum(shares[:2]), abs=0.1)
    assert sum(float(part.get("width", "0")) for part in parts) == pytest.approx(100 * pixels, abs=0.3)
    for part in parts:
        assert contrast(part.get("stroke", ""), "white") >= 3, "the outline shows each part"
        assert float(part.get("x", "0")) + float(part.get("width", "0")) <= charts.BAR
    for text in root.iter(f"{SVG}text"):
        assert int(text.text or "0") in shares
    ends = charts.diverging(4)
    assert contrast("white", ends[0]) >= 4.5
    assert contrast("white", ends[-1]) >= 4.5
    assert contrast(drawing.INK, ends[1]) >= 4.5
    assert contrast(drawing.INK, ends[2]) >= 4.5


def test_an_odd_number_of_points_has_half_of_the_middle_on_either_side():
    root = ElementTree.fromstring(answers_bar((20, 20, 20, 20, 20), 5))
    parts = [e for e in root.iter(f"{SVG}rect") if e.get("class") == "answer"]
    middle = parts[2]
    assert float(middle.get("x", "0")) + float(middle.get("width", "0")) / 2 == pytest.approx(charts.BAR / 2, abs=0.1)


def test_coordinates_tell_the_shown_figures_only():
    chart = means_chart(ROWS, WORDS, 4, drawing.WIDE, list(Mark))
    assert chart == means_chart(ROWS, WORDS, 4, drawing.WIDE, list(Mark))
    hidden = MeanRow("Dialoog", Withheld(Reason.TOO_FEW), "–", {})
    svg = means_chart([hidden], WORDS, 4, drawing.WIDE, [Mark.OWN, Mark.INTERVAL])
    marks = [e.get("class") for e in ElementTree.fromstring(svg).iter() if e.get("class") in ("own", "interval")]
    assert marks == ["own"], "the legend only"
