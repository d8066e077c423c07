"""The pages that anyone can open, at the size of a phone and of a desk, in both languages."""

import io
import re
from collections.abc import Callable

import pikepdf
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES, Stack


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/privacy",
        "/accessibility",
        "/help/",
        "/help/teacher/",
        "/help/researcher/",
        "/dev/mail",
        "/accounts/login/",
        "/a/",
        "/nowhere",
    ],
)
def test_public_page_has_no_faults(page: Page, axe: Callable[[Page], None], path: str, size: str) -> None:
    page.set_viewport_size(SIZES[size])
    page.goto(path)
    axe(page)


def test_language_is_dutch_and_english_is_remembered(page: Page, stack: Stack) -> None:
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/privacy")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_home_asks_nobody_else_for_anything(page: Page, stack: Stack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    assert asked
    assert [url for url in asked if not url.startswith((stack.url, "data:"))] == []


def test_skip_link_comes_first_and_leads_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    ("chapter", "pages"), [("teacher", 1), ("contact", 2), ("leader", 2), ("director", 2), ("administrator", 2)]
)
def test_a_chapter_is_a_page_or_two_on_paper(page: Page, stack: Stack, chapter: str, pages: int, language: str) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
    page.goto(f"/help/{chapter}/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.wait_for_load_state("networkidle")
    margin = dict.fromkeys(("top", "right", "bottom", "left"), "1.2cm")
    assert len(pikepdf.open(io.BytesIO(page.pdf(format="A4", margin=margin))).pages) == pages


def test_help_opens_at_the_section_of_the_page(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Hulp").click()
    expect(page).to_have_url(re.compile(r"/help/researcher/#signing-in$"))
    expect(page.locator("#signing-in")).to_be_in_viewport()
