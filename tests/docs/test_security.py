"""docs/security.md names tests: they exist, and every chapter of ASVS 5.0 is there."""

import re

import pytest

from scripts.setup import ROOT
from surveys.questionnaires import publishing
from teams.accounts import own_words
from teams.files.limits import ANSWERS_ON_A_PAGE, ON_A_PAGE

DOCUMENT = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", DOCUMENT)))


def test_there_are_many() -> None:
    assert len(NAMED) > 40


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_it_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file()
    assert not name or re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


# ASVS 5.0.0: the name of each chapter, and how many requirements of levels 1 and 2 each section has; they come first in it
CHAPTERS = {
    "V1 Encoding and Sanitization": {1: 2, 2: 9, 3: 11, 4: 3, 5: 2},
    "V2 Validation and Business Logic": {1: 3, 2: 3, 3: 4, 4: 1},
    "V3 Web Frontend Security": {2: 2, 3: 4, 4: 6, 5: 5, 7: 2},
    "V4 API and Web Service": {1: 3, 2: 1, 3: 2, 4: 4},
    "V5 File Handling": {1: 1, 2: 3, 3: 2, 4: 3},
    "V6 Authentication": {1: 3, 2: 12, 3: 4, 4: 4, 5: 5, 6: 3, 8: 4},
    "V7 Session Management": {1: 3, 2: 4, 3: 2, 4: 5, 5: 2, 6: 2},
    "V8 Authorization": {1: 2, 2: 3, 3: 1, 4: 1},
    "V9 Self-contained Tokens": {1: 3, 2: 4},
    "V10 OAuth and OIDC": {},
    "V11 Cryptography": {1: 2, 2: 3, 3: 3, 4: 4, 5: 1, 6: 1},
    "V12 Secure Communication": {1: 3, 2: 2, 3: 4},
    "V13 Configuration": {1: 1, 2: 5, 3: 2, 4: 5},
    "V14 Data Protection": {1: 2, 2: 4, 3: 3},
    "V15 Secure Coding and Architecture": {1: 3, 2: 3, 3: 7},
    "V16 Security Logging and Error Handling": {1: 1, 2: 5, 3: 4, 4: 3, 5: 3},
    "V17 WebRTC": {},
}


def test_every_chapter_is_answered() -> None:
    assert re.findall(r"^## (V\d+ .*)$", DOCUMENT, re.MULTILINE) == list(CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_requirement_is_left_out(chapter: str) -> None:
    """Each stands there by its number, alone or in a range such as 1.2.1–1.2.3; a chapter without any says that it does not apply."""
    text = DOCUMENT.partition(f"## {chapter}\n")[2].partition("\n## ")[0]
    number = chapter.split()[0][1:]
    asked = {f"{number}.{section}.{n}" for section, most in CHAPTERS[chapter].items() for n in range(1, most + 1)}
    said = set()
    for section, first, last in re.findall(rf"\b{number}\.(\d+)\.(\d+)(?:–{number}\.\d+\.(\d+))?", text):
        said |= {f"{number}.{section}.{n}" for n in range(int(first), int(last or first) + 1)}
    assert sorted(asked - said) == []
    assert asked or "Does not apply" in text


# ------------------------------------------------------------------------------------------------ docs/limits.md
LIMITS = " ".join((ROOT / "docs" / "limits.md").read_text().split())


@pytest.mark.parametrize(
    "said",
    [
        f"| contacts | CSV, XLSX, ODS, XLS | {ON_A_PAGE.file_bytes // 10**6} MB, {ON_A_PAGE.rows:,} rows |",
        f"| YAML | {ON_A_PAGE.file_bytes // 10**6} MB, {publishing.MAX_CHARACTERS:,} characters, {publishing.DEEPEST} levels |",
        f"| XLSForm as XLSX | {ON_A_PAGE.file_bytes // 10**6} MB, {ON_A_PAGE.rows:,} rows on a sheet |",
        f"| CSV, XLSX, ODS, XLS | {ANSWERS_ON_A_PAGE.file_bytes // 10**6} MB, {ANSWERS_ON_A_PAGE.rows:,} rows |",
        f"| their map of the columns | CSV, XLSX, ODS, XLS | {ON_A_PAGE.file_bytes // 10**6} MB, {ON_A_PAGE.rows:,} rows |",
        f"| a figure per team | CSV, XLSX, ODS, XLS | {ON_A_PAGE.file_bytes // 10**6} MB, {ON_A_PAGE.rows:,} rows |",
        f"{ON_A_PAGE.columns:,} columns, a name of a column {ON_A_PAGE.header_letters:,} letters",
        f"{ON_A_PAGE.parts:,} parts, {ON_A_PAGE.unpacked // 10**6} MB together, no part {ON_A_PAGE.packed} times",
        f"{ON_A_PAGE.cells:,} cells, {ON_A_PAGE.megabytes // 1024} GB of memory and {ON_A_PAGE.seconds} seconds",
        own_words.WORDS[0],
    ],
)
def test_limits_of_files_are_those_of_the_code(said: str) -> None:
    assert said in LIMITS


def test_the_proxy_lets_the_largest_file_through() -> None:
    """So that a page of ours says what is too large, not one of the proxy's."""
    (passes,) = re.findall(r"client_max_body_size (\d+)m;", (ROOT / "deploy" / "nginx.conf").read_text())
    assert int(passes) * 2**20 > ANSWERS_ON_A_PAGE.file_bytes
    assert f"no request of more than {passes} MB" in LIMITS
