"""Files as people's programs write them."""

import io

import openpyxl
import pytest

from teams.files.tables import MAX_ROWS, UnreadableTable, read_table, write_csv

ROWS = [["naam", "stad"], ["Zoë", "Hengelo"], ["a;b, c", "Den Haag"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_csv_of_any_program(encoding, separator, line_end):
    lines = [separator.join(f'"{cell}"' for cell in row) for row in ROWS]
    assert read_table((line_end.join(lines) + line_end).encode(encoding), "file.csv") == ROWS


def test_xlsx_numbers_and_blanks():
    workbook = openpyxl.Workbook()
    for row in [["team", "n"], ["  Zorg ", 12], ["Pabo", 7.5], [None, None]]:
        workbook.active.append(row)
    file = io.BytesIO()
    workbook.save(file)
    assert read_table(file.getvalue(), "FILE.XLSX") == [["team", "n"], ["Zorg", "12"], ["Pabo", "7.5"]]


def test_what_is_written_is_read_back():
    assert read_table(write_csv(ROWS).encode(), "x.csv") == ROWS


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"),
        (b"\n\n", "blank.csv"),
        (b"not a workbook", "file.xlsx"),
        (b"PK\x03\x04\x00\x00", "zip.csv"),
        (b'a,"b\nc', "open.csv"),
        (b"a\n" * (MAX_ROWS + 1), "long.csv"),
        (b"a" * 5_000_001, "large.csv"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(content, name):
    with pytest.raises(UnreadableTable, match=r"\.$"):
        read_table(content, name)
