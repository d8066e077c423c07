"""docs/ as a site (`make docs`): built without a warning, every document in it, and nothing asked of anybody else."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.setup import ROOT

#: What a browser fetches by itself: a link may lead elsewhere, a picture, a style, a font or a script may not.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(https?:)?//|<link\b(?![^>]*canonical)[^>]*\bhref=\"(https?:)?//"
)
FETCHED_BY_STYLE = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])(?:https?:)?//")


def build(folder: Path) -> None:
    """What `make docs` does, into another folder."""
    said = subprocess.run(
        ["make", "-s", "-n", "-o", "dev", "docs"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    command = shlex.split(said.stdout.splitlines()[0])
    assert command[-1] == "var/site"
    ended = subprocess.run([sys.executable, *command[1:-1], str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


def test_every_document_is_a_page(site: Path) -> None:
    documents = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    assert len(documents) > 30
    assert [path for path in documents if not (site / path.relative_to(ROOT)).with_suffix(".html").is_file()] == []


def test_front_page_leads_in(site: Path) -> None:
    (target,) = re.findall(r"url=([\w/.]+)", (site / "index.html").read_text())
    assert "Methods" in (site / target).read_text()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages, styles = list(site.rglob("*.html")), list(site.rglob("*.css"))
    assert len(pages) > 30
    assert styles
    assert [path.name for path in pages if FETCHED.search(path.read_text())] == []
    assert [path.name for path in styles if FETCHED_BY_STYLE.search(path.read_text())] == []


def test_what_is_fetched_from_elsewhere_is_found() -> None:
    for line in (
        '<script defer src="https://cdn.example/x.js">',
        '<link rel="stylesheet" href="//fonts.example/x.css">',
        '<img alt="" src="http://x.example/a.png">',
    ):
        assert FETCHED.search(line)
    assert not FETCHED.search('<a href="https://reuse.software"> <link rel="icon" href="../_static/icon.svg">')
    assert FETCHED_BY_STYLE.search("@font-face { src: url(https://fonts.example/x) }")


def test_the_list_of_decisions_calls_each_by_its_title() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"^(\d+\. )\[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    titles = {path.name: path.read_text().splitlines()[0].removeprefix("# ") for path in folder.glob("0*.md")}
    assert {file: number + title for number, title, file in listed} == titles
