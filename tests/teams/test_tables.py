"""Files as people's programs write them: read in one way for every page that takes one."""

import io

import openpyxl
import pytest

from teams.base.numbers import decimal_number
from teams.files.limits import ANSWERS_ON_A_PAGE, BY_COMMAND, ON_A_PAGE, Limits, UnreadableTable
from teams.files.tables import Table, read_table, write_csv

ROWS = [["naam", "stad"], ["Zoë", "Hengelo"], ["a;b, c", "Den Haag"]]


def as_csv(separator: str, line_end: str = "\n") -> str:
    return line_end.join(separator.join(f'"{cell}"' for cell in row) for row in ROWS) + line_end


def workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_csv_of_any_program(encoding, separator, line_end):
    assert read_table(as_csv(separator, line_end).encode(encoding), "file.csv").lines == ROWS


@pytest.mark.parametrize("separator", [";", "|"])
def test_the_first_line_may_name_what_separates(separator):
    assert read_table(f"sep={separator}\r\n{as_csv(separator)}".encode(), "file.csv").lines == ROWS


@pytest.mark.parametrize("separator", ["", '"'])
def test_what_separates_no_cells_is_no_separator(separator):
    with pytest.raises(UnreadableTable, match="more cells than the header"):
        read_table(f"sep={separator}\r\na;b\r\n1;2\r\n".encode(), "file.csv")


def test_a_name_of_a_column_may_hold_more_separators_than_separate():
    content = '"Hoe vaak, en waar, en wanneer";team\n2,5;Pabo\n'
    assert read_table(content.encode(), "file.csv").lines == [
        ["Hoe vaak, en waar, en wanneer", "team"],
        ["2,5", "Pabo"],
    ]


def test_xlsx_numbers_and_blanks():
    content = workbook(["team", "n"], ["  Zorg ", 12], ["Pabo", 7.5], [None, None])
    assert read_table(content, "FILE.XLSX").lines == [["team", "n"], ["Zorg", "12"], ["Pabo", "7.5"]]


def test_what_is_written_is_read_back():
    assert read_table(write_csv(ROWS).encode(), "x.csv").lines == ROWS


def test_rows_are_numbered_as_a_spreadsheet_numbers_them():
    table = read_table(b"\n ; ;\nteam;n\nZorg;1\n;\nPabo\n\n\n", "file.csv")
    assert (table.header, table.first) == (["team", "n"], 4)
    assert list(table.numbered()) == [(4, ["Zorg", "1"]), (6, ["Pabo", ""])]


def test_cells_without_a_column_may_be_empty_and_hold_nothing_else():
    assert read_table(b"a;b\n1;2;;\n", "file.csv") == Table(["a", "b"], [["1", "2"]])
    with pytest.raises(UnreadableTable, match="Row 3 has more cells"):
        read_table(b"team,score\nPabo,3\nZorg,2,5\n", "file.csv")  # a decimal comma, and a comma that separates


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "empty.csv", "empty"),
        (b"\n\n", "blank.csv", "empty"),
        (b"team;n\n\n", "header.csv", "no rows below"),
        (b"not a workbook", "file.xlsx", "cannot be opened"),
        (b"PK\x03\x04\x00\x00", "zip.csv", "neither CSV nor XLSX"),
        (b'a,"b\nc', "open.csv", "not closed"),
        (b"a\n" * (ON_A_PAGE.rows + 1), "long.csv", "rows"),
        (b"a" * (ON_A_PAGE.file_bytes + 1), "large.csv", "5 MB"),
        (b"a;" * ON_A_PAGE.columns + b"a\n1", "wide.csv", "columns"),
        (b"a;b\n" + b"\r" * (ON_A_PAGE.cells + 1), "lines.csv", "too large to read"),
        (b"a" * (ON_A_PAGE.header_letters + 1) + b"\n1", "name.csv", "characters"),
        (workbook(["a"] * (ON_A_PAGE.columns + 1), ["1"]), "wide.xlsx", "columns"),
        (workbook(*[["a"]] * (ON_A_PAGE.rows + 1)), "long.xlsx", "rows"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(content, name, words):
    with pytest.raises(UnreadableTable, match=rf"{words}.*\.$"):
        read_table(content, name)


def test_a_cell_may_be_long():
    """Who asks for the table says which cell is too long for what."""
    assert read_table(b'a;b\n1;"' + b"x" * 200_000 + b'"\n', "long.csv").rows == [["1", "x" * 200_000]]


def test_limits_are_those_of_the_way_a_file_comes():
    content = b"a\n" * (ON_A_PAGE.rows + 1)
    for limits in (ANSWERS_ON_A_PAGE, BY_COMMAND):
        assert len(read_table(content, "long.csv", limits).rows) == ON_A_PAGE.rows
    with pytest.raises(UnreadableTable, match="more than 2 rows"):
        read_table(b"a\n1\n2\n", "long.csv", Limits(rows=2))


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), (" 2,50 ", 2.5), ("-0.5", -0.5), (",5", 0.5), ("\N{MINUS SIGN}3", -3), ("1e3", 1000), ("7.", 7)],
)
def test_numbers_have_a_point_or_a_comma(text, number):
    assert decimal_number(text) == number


@pytest.mark.parametrize("text", ["", "nan", "inf", "-1e999", "1_0", "1.000,5", "1,2,3", "0x1", ".", "two", "1" * 40])
def test_what_is_no_number_is_none(text):
    assert decimal_number(text) is None
