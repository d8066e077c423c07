"""Workbooks that would cost a server its memory or its time are refused in one sentence, wherever one can be uploaded."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from surveys.questionnaires import xlsform_reading
from teams.files.limits import Limits, UnreadableTable
from teams.files.tables import read_table
from teams.files.workbooks import read_sheets
from tests.access.cast import make_cast

SMALL = Limits(cells=10_000, megabytes=300, seconds=2)


def workbook(**cells: object) -> bytes:
    book = openpyxl.Workbook()
    for at, value in cells.items():
        book.active[at] = value
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_sheet(xml: bytes) -> bytes:
    """A workbook whose sheet is that XML."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(A1=1))) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, xml if name == "xl/worksheets/sheet1.xml" else old.read(name))
    return file.getvalue()


def sheet(rows: bytes) -> bytes:
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<?xml version="1.0"?><worksheet xmlns="' + main + b'"><sheetData>' + rows + b"</sheetData></worksheet>"


FAR = workbook(A1=1, XFD1048576=2)  # 5 KB that name 17 thousand million cells
WIDE = workbook(A1=1, XFD5000=2)
BOMBS = {
    "the last cell of all": FAR,
    "a cell far away": WIDE,
    "a column of empty cells": workbook(A1=1, C1048576=2),
    "a sheet that unpacks to 400 MB": with_sheet(
        sheet(b'<row><c t="inlineStr"><is><t></t></is></c></row>' * 8_000_000)
    ),
    "one cell of 100 MB": with_sheet(
        sheet(b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"a" * 100_000_000 + b"</t></is></c></row>")
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_workbook_that_costs_too_much_is_refused(name: str) -> None:
    with pytest.raises(UnreadableTable, match=r"too large to read"):
        read_sheets(BOMBS[name])
    with pytest.raises(UnreadableTable, match=r"too large to read"):
        read_table(BOMBS[name], "file.XLSX")
    assert "too large to read" in xlsform_reading.read(BOMBS[name]).problems[0]


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        (workbook(A1=1, CV101=2), SMALL),
        (workbook(A1=1, Z100000=2), Limits(cells=10**9, megabytes=150)),
        (with_sheet(sheet(b"<row><c><v>1.5</v></c></row>" * 3_000_000)), Limits(seconds=1, cells=10**9, packed=10**6)),
        (workbook(A1=1), Limits(parts=3)),
        (b"what stands before a ZIP" + workbook(A1=1), Limits(parts=3)),
        (workbook(A1="name", A2="a" * 50, A3="a" * 50), Limits(letters=100)),
    ],
    ids=["cells", "memory", "time", "parts", "parts of a ZIP further on", "letters"],
)
def test_each_limit_holds_by_itself(content: bytes, limits: Limits) -> None:
    with pytest.raises(UnreadableTable, match=r"too large to read"):
        read_sheets(content, limits=limits)


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x03\x04\0\0", FAR[:3000], b"\xd0\xcf\x11\xe0" + b"\0" * 600, b"<html>"]
)
def test_what_is_no_workbook_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(UnreadableTable, match=r"cannot be opened"):
        read_sheets(content)


def test_cells_are_texts_as_people_see_them() -> None:
    content = workbook(A1="Zorg", B1=12.0, C1=7.5, B2=True, C3="'", A9="")
    assert read_sheets(content) == {"Sheet": [["Zorg", "12", "7.5"], ["", "yes", ""], ["", "", "'"]]}


def test_a_csv_of_nothing_but_separators_is_refused() -> None:
    with pytest.raises(UnreadableTable, match=r"too large to read"):
        read_table(b";" * 2_000_000, "file.csv")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["contacts_import", "responses_import", "cases", "questionnaire_import"])
def test_every_page_that_takes_a_file_says_so_and_stays(name: str) -> None:
    cast = make_cast()
    client: Client = cast.client("alice")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    address = reverse(name, args=[] if name == "questionnaire_import" else [cast.study.slug])
    names = {"name": "Students", "source": "2025", "team_column": "team", "value_column": "x"}
    for content in (FAR, WIDE):
        file = io.BytesIO(content)
        file.name = "contacts.xlsx"
        answer = client.post(address, {"file": file, **names})
        assert answer.status_code in (200, 422)
        assert "too large to read" in answer.content.decode()


def test_a_sheet_reads_no_file_and_unfolds_no_names(tmp_path: Path) -> None:
    """A document type that names a file of the server, or a name that stands for a thousand others, gives no text."""
    secret = tmp_path / "secret"
    secret.write_text("the key of the house")
    tenfold = b"".join(b'<!ENTITY n%d "%s">' % (n, b"&n%d;" % (n - 1) * 10) for n in range(1, 9))
    for said in (b'<!ENTITY n8 SYSTEM "%s">' % secret.as_uri().encode(), b'<!ENTITY n0 "lol">' + tenfold):
        cell = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&n8;</t></is></c></row>'
        xml = sheet(cell).replace(b"<worksheet", b"<!DOCTYPE worksheet [" + said + b"]><worksheet", 1)
        try:
            read = str(read_sheets(with_sheet(xml)))
        except UnreadableTable:
            continue
        assert "house" not in read
        assert "lol" not in read
