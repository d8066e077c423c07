"""Slides and workbooks of a report: what they show is what its page shows, for the same readers, and nothing is left in them."""

from __future__ import annotations

import io
import posixpath
import re
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from lxml import etree
from pptx import Presentation
from python_calamine import CalamineWorkbook

from analysis.disclosure import Capped, MeanShown, Reason, Withheld
from analysis.office import native_charts
from analysis.office.slides import SAID, team_slides
from analysis.office.workbook import report_workbook, sheet_titles
from analysis.publication.publishing import publish
from analysis.publication.served import of_academy, of_study, of_team
from analysis.reports.objects import AcademyReport, StudyReport, TeamReport
from analysis.reports.team import Goal
from teams.models import Participation
from tests.analysis.test_reader_pages import analysed_study

pytestmark = pytest.mark.django_db
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
FORMULAS = ("=1+1", "+31", "-Team", "@SUM(A1)", "=HYPERLINK(0)")
LANES = 12  # no chart has more rows: whole numbers that say in which one a mark stands


@pytest.fixture
def team() -> Participation:
    _study, teams, run = analysed_study("small", 5, size=10)
    publish(run, None)
    return teams[0]


@pytest.fixture
def made(team: Participation) -> dict[str, Any]:
    """The three reports in both languages."""
    of = of_team(team), of_academy(team.study, team.team.academy), of_study(team.study)
    return {language: [now.report(language) for now in of if now] for language in ("nl", "en")}


def everything(report: TeamReport) -> TeamReport:
    """A report with whatever a report can hold: a wave before, a target, a cap, "about", a subject that is withheld."""
    assert isinstance(report.scales, tuple)
    first, second, *others = report.scales
    before = MeanShown(2.2, 1.9, 2.6)
    first = replace(first, previous=before, target=3.1, sector=MeanShown(2.57, None, None), agreed="Eerst dit.")
    second = replace(second, shown=Capped(3.8, True), previous=Capped(1.2, False))
    third = replace(first, code="X", name="Iets heel anders " * 4, shown=MeanShown(2.9, 2.4, 3.3, about=True))
    fourth = replace(first, code="Y", name="Te weinig", shown=Withheld(Reason.TOO_FEW), target=None, previous=None)
    return replace(report, scales=(first, second, *others, third, fourth))


def numbers_of(value: Any) -> Iterator[float]:
    """Every number of an object of reports: its figures, and those in its words."""
    if is_dataclass(value):
        for field in fields(value):
            yield from numbers_of(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from numbers_of(list(value.values()))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from numbers_of(part)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, date):
        yield from (value.day, value.year)
    elif isinstance(value, str):
        yield from numbers_in(value)


def numbers_in(words: str) -> Iterator[float]:
    for number in NUMBER.findall(words):
        yield float(number.replace(",", "."))


def parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Each part of a file, of the workbooks inside it too."""
    with ZipFile(io.BytesIO(content)) as file:
        for name in file.namelist():
            part = file.read(name)
            yield name, part
            if name.endswith(".xlsx"):
                yield from ((f"{name}!{inner}", words) for inner, words in parts(part))


def words_of(content: bytes) -> Iterator[tuple[str, str]]:
    """Whatever stands in a file as text: in elements, and in the attributes that people hear or read."""
    for name, part in parts(content):
        if name.endswith((".xml", ".rels")):
            for element in etree.fromstring(part).iter(etree.Element):
                yield from ((name, words) for words in (element.text, element.tail) if words and words.strip())
                if element.tag.endswith("}cNvPr"):
                    yield from ((name, element.get(key, "")) for key in ("descr", "title"))


def allowed(report: Any, *beside: Any) -> set[float]:
    shown = {round(number, 2) for number in numbers_of([report, *beside])}
    # the scale itself, its middle, the number of the wave, and k are said by every report
    return shown | {float(n) for n in range(1, report.n_points + 1)} | {report.midpoint, float(report.k)}


# ------------------------------------------------------------------------------------------------ nothing but the report
#: Where a chart has its figures from, and how a table looks.
NO_WORDS = re.compile(r"Sheet1!\$?[AB]\$?\d+(:\$?[AB]\$?\d+)?|\{[0-9A-F-]{36}\}")


def strange_in_slides(report: TeamReport) -> list[tuple[str, str]]:
    """What stands in the slides with a number that the report does not have."""
    agreed = {report.scales[0].code: Goal(3.4, "Drie keer met 7 mensen.")}
    may, strange = allowed(report, 3.4, 7), []
    for name, words in words_of(team_slides(report, agreed)):
        lanes = {float(n) for n in range(LANES + 1)} if "chart" in name or "!xl/" in name else set()
        if not NO_WORDS.fullmatch(words):
            strange += [(name, words) for number in numbers_in(words) if number not in may | lanes]
    return strange


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_number_of_the_slides_is_one_of_the_report(made, language: str):
    assert strange_in_slides(everything(made[language][0])) == []


def test_a_number_that_the_report_does_not_have_would_be_seen(made, monkeypatch):
    monkeypatch.setattr(native_charts, "value_of", lambda shown: 2.4371)
    strange = strange_in_slides(everything(made["nl"][0]))
    assert {name.partition("!")[0].rpartition("/")[0] for name, _words in strange} == {"ppt/charts", "ppt/embeddings"}


def test_the_figures_behind_a_chart_are_those_beside_it(made):
    report = everything(made["nl"][0])
    deck = Presentation(io.BytesIO(team_slides(report, {})))
    charts = [shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart]
    assert len(charts) == sum(not isinstance(scale.shown, Withheld) for scale in report.scales)
    scale, chart = report.scales[0], charts[0]
    drawn = {
        series.name: [float(x.text) for x in series._element.xpath("c:xVal//c:v")] for series in chart.plots[0].series
    }
    assert drawn["jullie team"] == [scale.shown.low, scale.shown.mean, scale.shown.high]
    assert drawn["vorige meting"] == [1.9, 2.2, 2.6]
    assert drawn["jullie eigen doel"] == [3.1]
    assert drawn["alle teams"] == [scale.benchmark.mean]
    assert drawn["zelfde sector"] == [2.57]
    book = openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
    cells = [cell.value for row in book.active.iter_rows() for cell in row if isinstance(cell.value, float)]
    assert sorted(set(cells)) == sorted({x for xs in drawn.values() for x in xs if x % 1})
    capped = next(series for series in charts[1].plots[0].series if series.name == "jullie team")
    assert [float(x.text) for x in capped._element.xpath("c:xVal//c:v")] == [3.8]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_number_of_a_workbook_is_one_of_the_report(made, language: str):
    reports = [*made[language], everything(made[language][0])]
    for report in reports:
        content = report_workbook(report)
        may, strange, n_words = allowed(report), [], 0
        for name, part in parts(content):
            if name.startswith(("docProps/", "xl/sharedStrings")):
                strange += [
                    words for words in etree.fromstring(part).itertext() for n in numbers_in(words) if n not in may
                ]
            elif name.startswith("xl/worksheets/sheet"):
                for cell in etree.fromstring(part).iter("{*}c"):
                    n_words += cell.get("t") == "inlineStr"
                    strange += [text for text in cell.itertext() for n in numbers_in(text) if n not in may]
        assert strange == [], type(report).__name__
        assert n_words


def test_no_part_of_a_file_has_a_figure_with_more_decimals_than_are_shown(made):
    report = everything(made["nl"][0])
    for content in (team_slides(report, {}), *(report_workbook(other) for other in made["nl"])):
        for name, part in parts(content):
            if name.endswith(".xml"):
                values = etree.fromstring(part).xpath("//*[local-name()='v' or local-name()='t']/text()")
                assert not [value for value in values if re.search(r"\d[.,]\d{3}", value)], name


@pytest.mark.parametrize("language", ["nl", "en"])
def test_equal_reports_are_equal_files_without_a_maker_or_a_time(made, language: str):
    report = made[language][0]
    for make in (lambda: team_slides(report, {}), lambda: report_workbook(report)):
        content = make()
        time.sleep(1.1)  # properties and parts count seconds
        assert make() == content
        for name, part in parts(content):
            assert b"Canny" not in part, name
            assert b"python-pptx" not in part, name
            assert b"openpyxl" not in part, name
            assert not name.endswith((".jpeg", ".bin")), name
        core = dict(parts(content))["docProps/core.xml"]
        assert b"dcterms" not in re.sub(rb'xmlns:dcterms="[^"]*"', b"", core)
        about = etree.fromstring(core)
        assert about.findtext("{*}creator") == "Teamspiegel"
        assert about.findtext("{*}language") == language
        assert report.team in about.findtext("{*}title")


def test_a_file_costs_less_than_a_second(made):
    report = everything(made["nl"][0])
    team_slides(report, {}), report_workbook(report)  # the libraries are read once
    started = time.process_time()
    assert team_slides(report, {})
    assert report_workbook(report)
    assert time.process_time() - started < 1


#: Elements that an office program reads only in this order, as far as they are used here (ECMA-376).
ORDER = {
    "ser": "idx order tx spPr marker dPt dLbls xVal yVal smooth",
    "dLbl": "idx layout tx numFmt spPr txPr dLblPos showLegendKey showVal showCatName showSerName showPercent showBubbleSize",
    "valAx": "axId scaling delete axPos majorGridlines title numFmt majorTickMark minorTickMark tickLblPos spPr txPr crossAx "
    "crosses crossBetween majorUnit",
    "plotArea": "layout scatterChart valAx",
    "pPr": "lnSpc spcBef spcAft buNone buAutoNum buChar defRPr",
    "tcPr": "lnT lnB solidFill",
    "marker": "symbol size spPr",
    "ln": "noFill solidFill prstDash round",
}


def test_an_office_program_finds_every_part_whole(made):
    """What a program that is strict would call damaged: parts that are not there, ids that stand twice, another order."""
    content = team_slides(everything(made["nl"][0]), {})
    there = {name for name, _part in parts(content)}
    for name, part in parts(content):
        if "!" in name or not name.endswith((".xml", ".rels")):
            continue
        root = etree.fromstring(part)
        if name.endswith(".rels"):
            base = name.replace("_rels/", "").rpartition("/")[0]
            targets = [posixpath.normpath(posixpath.join("/", base, relation.get("Target"))) for relation in root]
            assert [target for target in targets if target[1:] not in there] == [], name
            continue
        used = {*root.xpath("//@*[local-name()='id' and starts-with(., 'rId')]")}
        folder, _slash, own = name.rpartition("/")
        relations = dict(parts(content)).get(f"{folder}/_rels/{own}.rels", b"<none/>")
        assert used <= set(etree.fromstring(relations).xpath("//@Id")), name
        ids = root.xpath("//*[local-name()='cNvPr']/@id")
        assert len(ids) == len(set(ids)), name
        for element in root.iter(etree.Element):
            if wanted := ORDER.get(etree.QName(element).localname):
                places = [wanted.split().index(etree.QName(child).localname) for child in element]
                assert places == sorted(places), (name, element.tag)


# ------------------------------------------------------------------------------------------------ slides
def test_slides_go_through_the_subjects_as_the_talk_does(made):
    report = everything(made["en"][0])
    scales = report.scales
    deck = Presentation(io.BytesIO(team_slides(report, {scales[0].code: Goal(3.4, "Ask everybody.")})))
    assert deck.slide_width / deck.slide_height == pytest.approx(16 / 9, abs=0.001)
    titles = [slide.shapes.title.text_frame.text for slide in deck.slides]
    assert titles == [report.team, *(scale.name for scale in scales), "What we agreed"]
    for scale, slide in zip(scales, list(deck.slides)[1:-1], strict=True):
        seen = list(slide.shapes)
        assert seen[0] == slide.shapes.title, "read first"
        body, question = (placeholder for placeholder in slide.placeholders if placeholder.placeholder_format.idx)
        assert [p.text for p in body.text_frame.paragraphs] == list(scale.sentences[:SAID])
        asked = question.text_frame.paragraphs[-1].text
        assert asked in (scale.questions or ["How does this go in your team? Who has an example?"])
        notes = slide.notes_slide.notes_text_frame.text
        assert all(sentence in notes for sentence in (*scale.sentences, *scale.questions[1:]))
        charts = [shape for shape in seen if shape.has_chart]
        assert bool(charts) == (not isinstance(scale.shown, Withheld))
        for chart in charts:
            assert scale.name in chart._element.nvGraphicFramePr.cNvPr.get("descr")
            assert seen.index(chart) == 2, "behind the title and what the subject is"
    (table,) = (shape.table for shape in deck.slides[-1].shapes if shape.has_table)
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == ["Subject", "Score now", "Target", "Next steps"]
    assert rows[1][2:] == ["3.4", "Ask everybody."]
    assert [row[2:] for row in rows[2:]] == [["", ""]] * (len(scales) - 1), "to fill in"


def test_every_word_of_the_slides_says_its_language(made):
    for language, wanted in (("nl", "nl-NL"), ("en", "en-GB")):
        for name, part in parts(team_slides(made[language][0], {})):
            if name.endswith(".xml") and "!" not in name:
                root = etree.fromstring(part)
                runs = root.xpath("//*[local-name()='r' and *[local-name()='t']] [not(*[local-name()='rPr'])]")
                assert not [run for run in runs if "drawingml" in run.tag], name
                languages = root.xpath("//*[local-name()='rPr' or local-name()='defRPr']/@lang")
                assert set(languages) <= {wanted}, name


def test_what_was_agreed_takes_as_many_slides_as_it_needs(made):
    report = made["nl"][0]
    lines = [f"Afspraak {n} over wie wat doet." for n in range(30)]
    goals = {scale.code: Goal(None, "\n".join(lines)) for scale in report.scales}
    deck = Presentation(io.BytesIO(team_slides(report, goals)))
    last = [
        slide for slide in deck.slides if slide.shapes.title.text_frame.text.startswith("Wat we hebben afgesproken")
    ]
    titles = [slide.shapes.title.text_frame.text for slide in deck.slides]
    assert len(set(titles)) == len(titles), "no two slides have one title"
    tables = [shape for slide in last for shape in slide.shapes if shape.has_table]
    assert all(table.top + sum(row.height for row in table.table.rows) <= deck.slide_height for table in tables)
    rows = [[cell.text for cell in row.cells] for table in tables for row in list(table.table.rows)[1:]]
    for scale in report.scales:
        assert "\n".join(row[3] for row in rows if row[0] == scale.name).splitlines() == lines


# ------------------------------------------------------------------------------------------------ workbooks
def test_a_workbook_has_a_sheet_to_a_table_and_one_that_explains(made):
    team, academy, study = made["en"]
    assert isinstance(academy, AcademyReport)
    assert isinstance(study, StudyReport)
    for report in (team, academy, study):
        book = openpyxl.load_workbook(io.BytesIO(report_workbook(report)))
        subjects = [scale.name for scale in report.scales]
        assert book.sheetnames[: 2 + len(subjects)] == ["Explanation", "All figures", *subjects]
        said = " ".join(str(row[0].value) for row in book["Explanation"].iter_rows())
        assert report.study in said
        assert all(name in said for name in book.sheetnames[1:])
        for sheet in book.worksheets[1:]:
            assert sheet.freeze_panes == "B2"
            assert all(sheet.cell(1, n).font.bold for n in range(1, sheet.max_column + 1))
        first = book["All figures"]
        wanted = [f"about {scale.shown.mean}" if scale.shown.about else scale.shown.mean for scale in report.scales]
        assert [first.cell(n, 2).value for n in range(2, first.max_row + 1)] == wanted


def test_another_program_reads_the_same_workbook(made):
    report = made["nl"][0]
    book = CalamineWorkbook.from_filelike(io.BytesIO(report_workbook(report)))
    rows = book.get_sheet_by_name("Alle cijfers").to_python()
    assert [row[0] for row in rows[1:]] == [scale.name for scale in report.scales]
    assert rows[1][2:4] == [report.scales[0].shown.low, report.scales[0].shown.high]


def test_words_stand_where_the_report_has_no_plain_number(made):
    report = everything(made["en"][0])
    book = openpyxl.load_workbook(io.BytesIO(report_workbook(report)))
    own = [row[1].value for row in book["All figures"].iter_rows(min_row=2)]
    assert own[1] == "3.8 or higher"
    assert own[-2] == "about 2.9"
    assert own[-1].startswith("Fewer than 5 people answered.")
    assert len(set(map(str.casefold, book.sheetnames))) == len(book.sheetnames)
    assert all(len(name) <= 31 for name in book.sheetnames)


def test_no_name_becomes_a_formula(made):
    for n, name in enumerate(FORMULAS):
        report = made["nl"][0]
        scales = tuple(
            replace(scale, name=name, items=(replace(scale.items[0], text=name),)) for scale in report.scales
        )
        report = replace(report, team=name, study=name, academy=name, scales=scales)
        for content in (report_workbook(report), team_slides(report, {scales[0].code: Goal(None, name)})):
            assert all(
                b"<f>" not in part and b"<f " not in part for inner, part in parts(content) if "/worksheets/" in inner
            ), n
        for sheet in openpyxl.load_workbook(io.BytesIO(report_workbook(report))).worksheets:
            assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
            texts = [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
            assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))], "nor once it is saved as CSV"


def test_names_of_sheets():
    long = "x" * 40
    assert sheet_titles(["A/B", "a b", "a:b", long, long, "", "'quoted'"]) == [
        *("A B", "a b 2", "a b 3", "x" * 31, "x" * 29 + " 2", "–", "quoted"),
    ]
