"""The handbook: what it explains is there in both languages, and it says what the product says.

That every page leads to its section: tests/access/test_permissions.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from config.handbook.places import OF_NOBODY, SECTIONS
from config.handbook.reading import CHAPTERS, FOLDER, chapter
from scripts.setup import ROOT
from tests.access.test_permissions import TABLE

LANGUAGES = ("nl", "en")
PICTURE = re.compile(r"!\[([^\]]*)\]\(\.\./pictures/([\w-]+\.png)\)")
QUOTED = re.compile(r"“([^”]+)”")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_anchor_is_in_its_chapter(language: str) -> None:
    anchors = {(name, section.anchor) for name in CHAPTERS for section in chapter(name, language).sections}
    assert set(SECTIONS) - anchors == set()
    assert ("researcher", "signing-in") in anchors


def test_names_that_are_explained_are_addresses_and_stand_once() -> None:
    names = [name for names in SECTIONS.values() for name in names]
    assert sorted(names) == sorted(set(names))
    assert {*names, *OF_NOBODY} - {row.name for row in TABLE} == set()


@pytest.mark.parametrize("name", CHAPTERS)
def test_both_languages_have_the_same_sections_and_pictures(name: str) -> None:
    dutch, english = (chapter(name, language) for language in LANGUAGES)
    assert [section.anchor for section in dutch.sections] == [section.anchor for section in english.sections]
    assert all(section.anchor and section.title for section in (*dutch.sections, *english.sections))
    pictures = [
        [file.replace(f"-{language}.png", "") for _words, file in PICTURE.findall(source(name, language))]
        for language in LANGUAGES
    ]
    assert pictures[0] == pictures[1]


def source(name: str, language: str) -> str:
    return (FOLDER / language / f"{name}.md").read_text()


def test_pictures_are_there_described_used_and_small() -> None:
    used = {
        file: words
        for language in LANGUAGES
        for name in CHAPTERS
        for words, file in PICTURE.findall(source(name, language))
    }
    used |= dict.fromkeys(re.findall(r"docs/handbook/pictures/([\w-]+\.png)", (ROOT / "README.md").read_text()), "-")
    kept = {path.name: path.stat().st_size for path in (FOLDER / "pictures").iterdir()}
    assert set(used) == set(kept)
    assert all(used.values())
    assert sum(kept.values()) <= 3_000_000
    assert all(finders.find(f"handbook/{name}") for name in kept)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_a_page_of_one_heading_whose_links_lead_somewhere(
    client: Client, name: str, language: str
) -> None:
    client.cookies["django_language"] = language
    page = client.get(reverse("handbook", args=[name])).content.decode()
    assert page.count("<h1") == 1
    assert f'lang="{language}"' in page
    assert chapter(name, language).title in page
    inner = page.split('<div class="chapter">')[1].split("</main>")[0]
    assert not re.findall(r'href="(?!https?:|/help/|#)', inner), "a link to a file that is no page here"


def test_an_audience_that_has_no_chapter_is_not_found(client: Client) -> None:
    assert client.get("/help/nobody/").status_code == 404
    assert client.get("/help/..%2Fsecurity/").status_code == 404


def test_other_html_than_an_anchor_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "en").mkdir()
    monkeypatch.setattr("config.handbook.reading.FOLDER", tmp_path)
    for text in ("<script>alert(1)</script>", "a <b onclick=x>word</b>"):
        (tmp_path / "en" / "odd.md").write_text(f"# Odd\n\n{text}\n")
        with pytest.raises(ValueError, match=r"en/odd\.md"):
            chapter.__wrapped__("odd", "en")


def interface(language: str) -> set[str]:
    """All texts of the pages in a language, with their blanks as such."""
    catalogue = read_po((ROOT / "locale" / "nl" / "LC_MESSAGES" / "django.po").open("rb"))
    texts: set[str] = set()
    for message in catalogue:
        ids, strings = (text if isinstance(text, (list, tuple)) else (text,) for text in (message.id, message.string))
        texts.update(strings if language == "nl" else ids)
    return texts


#: Words in quotation marks that are no text of a page: of a questionnaire, of people, and headings of documents.
NO_TEXTS = {"who said this?", "wie heeft dit gezegd?", "I cannot judge", "kan ik niet beoordelen", "Another key"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_button_that_a_chapter_names_is_on_a_page(name: str, language: str) -> None:
    """Words in quotation marks are those of the product, letter by letter."""
    named = {word.rstrip(".,") for word in QUOTED.findall(" ".join(source(name, language).split()))} - NO_TEXTS
    assert named
    assert named - interface(language) == set()


def test_glossary_has_the_words_of_the_pages() -> None:
    """The words of the product, in each language, as they stand on its pages."""
    product = (ROOT / "docs" / "glossary.md").read_text().split("\n## ")[1]
    rows = [line.strip("| ").split(" | ") for line in product.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 20
    texts = [" ".join(interface(language)).lower() for language in ("en", "nl")]
    missing = [
        word
        for row in rows
        for words, text in zip(row[:2], texts, strict=True)
        for word in words.split(", ")
        if word.lower() not in text
    ]
    assert missing == []
