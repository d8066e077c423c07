"""What people type goes into workbooks, LaTeX and scripts for R, and is read back by programs that are not ours."""

import io
import re
import zipfile
from types import SimpleNamespace

import openpyxl
import pytest
import python_calamine
from lxml import etree

from analysis.exports import rscript
from analysis.results.response_tables import workbook
from analysis.results.write_up import PrintTable
from surveys.questionnaires import xlsform_writing
from teams.files.tables import FORMULA_STARTS, held, neutralised
from teams.text.glyphs import without_controls
from tests.nasty import HALF, NASTY, NUL

EVERYTHING = {**NASTY, "NUL": NUL, "half a sign": HALF}
each = pytest.mark.parametrize("words", EVERYTHING.values(), ids=EVERYTHING)


def same(text: str) -> str:
    """A text as programs agree on it: breaks of lines alike, without signs that no file keeps."""
    return without_controls(text.replace("\r\n", "\n").replace("\r", "\n")).replace("\ufeff", "")


@each
def test_a_workbook_reads_back_and_runs_nothing(words: str) -> None:
    content = workbook([("response", [[words, 8, "after"]])])
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        sheet = file.read("xl/worksheets/sheet1.xml")
        for name in file.namelist():
            etree.fromstring(file.read(name))
    assert b"<f>" not in sheet
    (by_openpyxl,) = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    (by_calamine,) = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    # Excel and calamine read an escape as the sign for which it stands, openpyxl leaves it
    by_openpyxl = (re.sub("_x005F_(x[0-9A-Fa-f]{4}_)", r"_\1", by_openpyxl[0]), *by_openpyxl[1:])
    for row in (by_openpyxl, by_calamine):
        assert same(row[0]).removeprefix("'") == same(words).removeprefix("'")
        assert not str(row[0]).startswith(FORMULA_STARTS)
        assert [row[1], row[2]] == [8, "after"]


@each
def test_a_form_in_a_workbook_takes_whatever_people_wrote(words: str) -> None:
    cell = xlsform_writing.protected(words)
    assert cell is None or not cell.startswith(FORMULA_STARTS)
    assert cell is None or xlsform_writing.unprotected(re.sub("_x005F_(x[0-9A-Fa-f]{4}_)", r"_\1", cell)) == held(words)


def test_signs_that_begin_a_formula_in_some_spreadsheet_are_neutralised() -> None:
    for words in (
        "=1",
        "+1",
        "-1",
        "@A1",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠A1",
        "\ufeff=1",
        "\u200b=1",
        "\u202e=1",
    ):
        assert str(neutralised(words)).startswith("'"), repr(words)
    for words in ("Zorg", " x", "\ufeffZorg", "é"):
        assert neutralised(words) == words


# ------------------------------------------------------------------------------------------------ LaTeX
ARGUMENTS = {r"\textbackslash": 1, r"\textasciitilde": 1, r"\textasciicircum": 1, r"\textquotedbl": 1}
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)


def printed_by_latex(source: str) -> str:
    """What LaTeX sets of this source, read token by token; fails at what would stop it or be read as a command."""
    words = {r"\textbackslash": "\\", r"\textasciitilde": "~", r"\textasciicircum": "^", r"\textquotedbl": '"'}
    words |= {r"\dag": "†", r"\ddag": "‡", r"\S": "§", r"\P": "¶"}
    math = {r"$\alpha$": "α", r"$\omega$": "ω", r"$\chi^2$": "χ²", r"$\ge$": "≥", "$<$": "<", "$>$": ">", "$|$": "|"}
    said, depth = [], 0
    source = source.replace(r"{\char34}", '"')
    for formula, sign in math.items():
        source = source.replace(formula, f"\ue100{sign}")
    for token in TOKEN.findall(source.replace("\ue100", "")):
        if token in words:
            said.append(words[token])
        elif re.fullmatch(r"\\[&%$#_{}]", token):
            said.append(token[1])
        elif token in "{}":
            depth += 1 if token == "{" else -1
            assert depth >= 0
        else:
            assert token not in "&%$#_^~", token
            assert not token.startswith("\\"), token
            assert ord(token) not in (*range(32), 127), repr(token)
            said.append(token)
    assert depth == 0
    return "".join(said)


@each
def test_a_table_for_latex_is_set_as_people_wrote_it(words: str) -> None:
    table = PrintTable(title=words, header=(words, "n"), rows=((words, "8"), (words, "9")), note=words)
    lines = table.latex.removesuffix("\n").split("\n")
    assert len(lines) == 13, "a line of somebody's is a line of the source"
    caption = re.fullmatch(r"\\caption\{(.*)\}", lines[1])
    assert caption
    said = " ".join(without_controls(" ".join(words.split())).split())
    shown = re.sub("[\u200b\u2060\u202a-\u202e\u2066-\u2069\ufeff]", "", said)
    for source in (
        caption[1],
        lines[4].removesuffix(r" & n \\"),
        lines[6].removesuffix(r" & 8 \\"),
        lines[11].partition("} ")[2],
    ):
        assert printed_by_latex(source) == shown
    for line in (lines[4], lines[6], lines[7]):
        assert not re.match(r"\s*[\[*]", line), "the command before it takes this for its argument"
    assert "--" not in caption[1]
    assert "``" not in caption[1]


# ------------------------------------------------------------------------------------------------ R
def strings_of_r(source: str) -> list[str]:
    """The strings of a script, read sign by sign as R reads it; fails where one does not end, or a bracket does not."""
    found, brackets, at = [], [], 0
    pairs = {")": "(", "]": "[", "}": "{"}
    while at < len(source):
        sign = source[at]
        if sign == "#":
            at = source.find("\n", at)
            assert at > 0
        elif sign in "\"'`":
            end = re.compile(rf"(?:[^\\{sign}]|\\.)*{sign}", re.DOTALL).match(source, at + 1)
            assert end
            found.append(source[at + 1 : end.end() - 1])
            at = end.end() - 1
        elif sign in "([{":
            brackets.append(sign)
        elif sign in ")]}":
            assert brackets.pop() == pairs[sign]
        at += 1
    assert not brackets
    return found


@each
def test_a_script_for_r_holds_the_title_in_a_comment(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    scale = SimpleNamespace(code="if", items=("AA1", "TRUE"), reverse_keyed=(), minimum_answered=1)
    sets = [SimpleNamespace(scale_set="final", scales=[scale])]
    monkeypatch.setattr(rscript, "scales_of", lambda run: sets)
    monkeypatch.setattr(rscript, "fitted_models", lambda run: [])
    survey = SimpleNamespace(
        study=SimpleNamespace(title=words), version=SimpleNamespace(content={"options": [1, 2, 3]})
    )
    run = SimpleNamespace(pk=1, survey=survey, plan=SimpleNamespace(content_hash="0" * 64))
    source = rscript.script(run, clustered=True)  # type: ignore[arg-type]
    source.encode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", source)
    first, second = source.split("\n")[:2]
    assert first.startswith("# ")
    assert second.startswith("# Repeats analysis 1 ")
    said = strings_of_r(source)
    assert {"AA1", "TRUE", "if"} <= set(said)
    assert not re.search(r"\bif = list", source), "a word of the language is no name"
