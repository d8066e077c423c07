"""Figures for researchers by their structure: every word there, apart and inside; contrast; no colour that says it alone."""

import itertools
import re
import struct
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pikepdf
import pytest
from django.utils.translation import override

from analysis import svg as drawing
from analysis.data.accounting import Accounts, Dispositions, TeamAccount
from analysis.results import figures, flow_diagram
from analysis.results.figures import Dot, days_chart, dot_plot, heat_map, path_diagram, scatter
from tests.analysis.test_charts import SVG, boxes, contrast

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
#: the pictures on pages that are charts: by the name under which a view hands them over, or their address
CHART = r"{{ ?(flow|image|plot|diagram|found\.chart|chart|line\.bar|days_)"
Box = tuple[str, float, float, float, float]
LONG = "Leraar Voortgezet Onderwijs Eerste Graad Wiskunde (deeltijd), Academie voor Lerarenopleidingen"


def apart_and_inside(svg: str, drawn: list[Box]) -> str:
    """Asserts that no word lies over another or over the edge; returns all words."""
    root = ElementTree.fromstring(svg)
    width, height = (float(root.get(name, "0")) for name in ("width", "height"))
    assert drawn
    for words, left, top, right, bottom in drawn:
        assert left >= 0, words
        assert top >= 0, words
        assert right <= width, words
        assert bottom <= height, words
    for (one, *a), (other, *b) in itertools.combinations(drawn, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"“{one}” lies over “{other}”"
    return " ".join(words for words, *_box in drawn)


# ------------------------------------------------------------------------------------------------ teams as dots
def test_a_plot_of_teams_names_each_and_its_axis():
    rows = [Dot("Verpleegkunde", 2.61, 2.2, 3.0), Dot(LONG, 1.0, 1.0, 1.4), Dot("Chemie", 4.0, None, None)]
    rows.append(Dot("Bouwkunde", None, None, None))
    axis = "Informatie delen, evalueren en samen terugkijken op wat er is bereikt (streepjeslijn: gemiddelde van alle docenten)"
    svg = dot_plot(rows, 4, axis, 2.58)
    words = apart_and_inside(svg, boxes(svg))
    assert all(row.label in words for row in rows)
    assert all(word in words for word in axis.split())
    assert {"1", "2", "3", "4"} <= set(words.split())
    root = ElementTree.fromstring(svg)
    assert len(root.findall(f"{SVG}circle")) == 3, "no dot without a mean"
    dashed = [line for line in root.iter(f"{SVG}line") if line.get("stroke-dasharray")]
    assert len(dashed) == 1, "the mean over all is told by its dashes, not by its colour"
    for colour in (drawing.ACCENT, drawing.MUTED, drawing.INK):
        assert contrast(colour, "white") >= 4.5


@pytest.mark.parametrize("cells", [(), ((0, 1, 4), (3, 2, 1), (19, 9, 25))])
def test_a_share_beside_a_score_names_both_axes(cells: tuple[tuple[int, int, int], ...]):
    axes = ("respons van het team", "gemiddelde van het team: Informatie delen, evalueren en samen terugkijken")
    points = () if cells else ((0.0, 1.0), (0.662, 2.58), (1.0, 4.0))
    svg = scatter(points, cells, 20, 4, axes)
    root = ElementTree.fromstring(svg)
    flat = [box for box in boxes(svg) if box[0] not in " ".join(axes[1:])]
    words = apart_and_inside(svg, flat)
    assert axes[0] in words
    assert {"0 %", "100 %", "1", "4"} <= {box[0] for box in flat}
    turned = [text for text, _x, _y, turned in drawn(root) if turned]
    assert " ".join(text.text or "" for text in turned) == axes[1]
    places = [float(re.findall(r"translate\(([\d.]+)", text.get("transform", ""))[0]) for text in turned]
    assert all(later - earlier >= 13 for earlier, later in itertools.pairwise(places)), "lines of the axis lie apart"
    shapes = list(root.iter(f"{SVG}circle")) + [r for r in root.iter(f"{SVG}rect") if r.get("fill") == drawing.ACCENT]
    assert len(shapes) == 3
    assert all(contrast(shape.get("stroke") or shape.get("fill", ""), "white") >= 3 for shape in shapes)


# ------------------------------------------------------------------------------------------------ correlations
def mixed(colour: str, share: float) -> str:
    parts = [round(255 - share * (255 - int(colour[i : i + 2], 16))) for i in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def test_each_cell_of_a_map_holds_its_figure_and_can_be_read():
    names = [f"AB{n}" for n in range(21)]
    every = iter([value / 100 for value in range(-100, 101)])
    values = [
        [next(every, None) if column < row else None for column in range(len(names))] for row in range(len(names))
    ]
    svg = heat_map(names, values)
    words = apart_and_inside(svg, boxes(svg)).split()
    assert all(words.count(name) == 2 for name in names), "once beside its row, once over its column"
    root = ElementTree.fromstring(svg)
    cells = [rect for rect in root.iter(f"{SVG}rect") if rect.get("fill-opacity")]
    texts = [text for text in root.iter(f"{SVG}text") if re.fullmatch(r"−?1?\.\d\d", text.text or "")]
    assert len(cells) == len(texts) == 201
    for cell, text in zip(cells, texts, strict=True):
        ground = mixed(cell.get("fill", ""), float(cell.get("fill-opacity", "1")))
        letters = {"white": "#ffffff", "black": "#000000"}.get(text.get("fill", ""), text.get("fill", ""))
        assert contrast(letters, ground) >= 4.5, (text.text, ground)
        below = (text.text or "").startswith("−")
        assert (cell.get("fill") == drawing.WARM) == below, "below 0 has a sign besides another hue"


def test_the_table_beside_a_map_holds_its_figures():
    table = figures.correlation_table(["GV", "OD", "CH"], [[None] * 3, [0.5, None, None], [-0.254, None, None]])
    assert table["head"] == ["", "GV", "OD", "CH"]
    assert table["rows"] == [["GV", "", "", ""], ["OD", ".50", "", ""], ["CH", "−.25", "–", ""]]


# ------------------------------------------------------------------------------------------------ factor models
@pytest.mark.parametrize("n_factors", [1, 2, 6])
def test_a_path_diagram_has_every_loading_and_correlation(n_factors: int):
    codes = ["GV", "IV", "IS", "OD", "CH", "ER"][:n_factors]
    loadings = {code: [(f"{code}{n}", -0.5 if n == 6 else 0.55 + n / 100) for n in range(1, 7)] for code in codes}
    pairs = {pair: 0.3 + n / 100 for n, pair in enumerate(itertools.combinations(codes, 2))}
    svg = path_diagram(loadings, pairs)
    words = apart_and_inside(svg, boxes(svg)).split()
    for code in codes:
        assert code in words
    assert all(item in words for items in loadings.values() for item, _loading in items)
    assert words.count("−.50") == n_factors
    assert all(f"{value:.2f}"[1:] in words for value in pairs.values())
    root = ElementTree.fromstring(svg)
    assert len([line for line in root.iter(f"{SVG}line") if line.get("marker-end")]) == 6 * n_factors
    assert len([path for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]) == len(pairs)


# ------------------------------------------------------------------------------------------------ from invited to analysed
@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_flow_keeps_its_words_in_their_boxes(language: str):
    people = Dispositions(1748, 1400, 114, 105, 23, 80, 26, 12)
    team = TeamAccount(1, "T", "A", "I", "education", "contact", people)
    reasons = {"workload": 12, "reorganisation": 11, "other_research": 10, "other": 9}
    with override(language):
        svg = flow_diagram.draw(
            Accounts(12, 10, 1, 142, 96, 42, 3, reasons, (team,)), "Van uitgenodigd tot geanalyseerd"
        )
        stages = flow_diagram.stages(Accounts(12, 10, 1, 142, 96, 42, 3, reasons, (team,)))
    drawn = boxes(svg)
    words = apart_and_inside(svg, drawn).replace("\u00a0", " ")
    for line in (line for stage in stages for line in (*stage.lines, *stage.aside)):
        assert all(word in words for word in line.replace("\u00a0", " ").split()), line
    root = ElementTree.fromstring(svg)
    frames = [
        tuple(float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
        for rect in root.iter(f"{SVG}rect")
        if rect.get("stroke")
    ]
    for words, left, top, right, bottom in drawn:
        assert any(
            x <= left and right <= x + width and y <= top and bottom <= y + height for x, y, width, height in frames
        ), f"“{words}” leaves its box"
    for a, b in itertools.combinations(frames, 2):
        assert a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]


# ------------------------------------------------------------------------------------------------ days of collecting
def drawn(
    node: ElementTree.Element, x: float = 0, y: float = 0
) -> Iterator[tuple[ElementTree.Element, float, float, bool]]:
    """Every word of a drawing with its place, the moves of the groups around it added up; turned by a quarter or not."""
    move = re.match(r"translate\(([-\d.]+)[, ]+([-\d.]+)\)", node.get("transform", ""))
    if move:
        x, y = x + float(move[1]), y + float(move[2])
    if node.tag == f"{SVG}text" and node.text and node.get("opacity") != "0":
        yield node, x, y, "rotate(-90)" in node.get("transform", "")
    for child in node:
        yield from drawn(child, x, y)


@pytest.mark.parametrize("width", [drawing.NARROW, 640])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_line_of_days_has_words_apart_and_a_line_that_stands_out(language: str, width: int):
    days = [(date(2026, 9, 1) + timedelta(days=n), 12 + n % 7) for n in range(60)]
    svg = days_chart(days, "Questionnaires handed in, altogether", width, language)
    words = apart_and_inside(svg, boxes(svg))
    assert "Questionnaires handed in, altogether" in words
    assert ("29-9" if language == "nl" else "29 Sep") in words
    few = days_chart(days[:5], "Questionnaires", width, language)
    named = [words for words, *_box in boxes(few)]
    assert len(set(named)) == len(named), "no day is named twice"
    assert f'stroke="{drawing.ACCENT}"' in svg
    assert contrast(drawing.ACCENT, "white") >= 3


def steps(svg: str) -> list[tuple[str, float]]:
    """How the line of days goes, from its beginning: to the side (H) and up (V), in pixels of the drawing."""
    (line,) = re.findall(r'<path d="M[\d.]+ [\d.]+([HV\d.]+)" fill="none"', svg)
    return [(way, float(place)) for way, place in re.findall(r"([HV])([\d.]+)", line)]


@pytest.mark.parametrize("n_days", [1, 2, 3, 400, 3000])
def test_each_day_is_as_wide_as_another_and_stands_as_high_as_its_total(n_days: int):
    """A single day too: it was an empty chart."""
    days = [(date(2020, 9, 1) + timedelta(days=n), 3) for n in range(n_days) if n in (0, n_days - 1) or n % 3]
    svg = days_chart(days, "Handed in", drawing.NARROW, "en")
    apart_and_inside(svg, boxes(svg))
    way = steps(svg)
    up = [place for direction, place in way if direction == "V"]
    across = [place for direction, place in way if direction == "H"]
    assert len(up) == len(days)
    zero, top = next(y for words, _x, _top, _right, y in boxes(svg) if words == "0"), up[-1]
    assert top < up[0] < zero or n_days == 1
    each = (across[-1] - across[0]) / n_days
    for (day, _n), place in zip(days, across, strict=False):
        assert place == pytest.approx(across[0] + each * (day - days[0][0]).days, abs=0.11)
    heights = [up[0] - height for height in up]
    for number, height in enumerate(heights):
        assert height == pytest.approx(number * heights[-1] / max(1, len(days) - 1), abs=0.11)


@pytest.mark.parametrize("most", [0, 1, 4, 5, 6, 12, 99, 100, 101, 899, 25_000])
def test_the_axis_of_days_holds_round_whole_numbers_up_to_the_total(most: int):
    svg = days_chart([(date(2026, 9, 1), most)], "Handed in", drawing.NARROW, "en")
    ticks = [int(words) for words, *_box in boxes(svg) if words.isdigit()]
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 6
    assert ticks[-2] < max(most, 1) <= ticks[-1]
    assert {later - earlier for earlier, later in itertools.pairwise(ticks)} == {ticks[1]}


# ------------------------------------------------------------------------------------------------ files
def test_a_figure_as_a_file_is_as_large_as_it_is_drawn_with_the_fonts_of_the_site():
    svg = path_diagram({"GV": [("GV1", 0.61), ("GV2", None)]}, {}, ["Möbius ≤ 4 – من"])
    root = ElementTree.fromstring(svg)
    size = [float(root.get(name, "0")) for name in ("width", "height")]
    png = figures.converted(svg, "png")
    assert list(struct.unpack(">II", png[16:24])) == pytest.approx([3 * side for side in size], abs=1)
    with pikepdf.open(BytesIO(figures.converted(svg, "pdf"))) as pdf:
        (page,) = pdf.pages
        assert [float(side) for side in page.mediabox[2:]] == pytest.approx([0.75 * side for side in size], abs=0.1)
    assert b"SourceSans3" in figures.converted(svg, "pdf")


def test_colours_and_type_of_charts_stand_in_one_module():
    others = [path for path in (TEMPLATES.parent / "analysis").rglob("*.py") if path != Path(drawing.__file__)]
    assert len(others) > 100
    again = [str(path) for path in others if re.search(r"#[0-9a-fA-F]{6}\b|<text |<svg |font-family", path.read_text())]
    assert again == [], "built from analysis/svg.py"


# ------------------------------------------------------------------------------------------------ the pages
def with_includes(name: str) -> str:
    text = (TEMPLATES / name).read_text()
    return re.sub(r'{% include "([^"]+\.html)"[^%]*%}', lambda tag: with_includes(tag[1]), text)


def test_every_chart_has_words_and_a_table_that_follows_it():
    """Every chart on every page: an image of data or of an address of ours, its alternative text, and the figures as a table."""
    charts = []
    for path in sorted(TEMPLATES.glob("**/*.html")):
        if "{% extends" not in path.read_text():
            continue  # a part of pages
        page = with_includes(str(path.relative_to(TEMPLATES)))
        for found in re.finditer(r"<img\b(?:{%.*?%}|{{.*?}}|[^>])*>", page):
            source = re.search(r'src="([^"]*(?:"[^"]*)*?)"', found[0])
            if source is None or "static '" in source[1] or not re.search(CHART, source[1]):
                continue
            charts.append((path.name, source[1]))
            assert re.search(r'alt="[^"]{5,}|alt="{{', found[0]), (path.name, found[0])
            assert "<table" in page[found.end() :], f"{path.name}: no table after {source[1]}"
    assert len(charts) >= 8, charts
