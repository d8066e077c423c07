"""A researcher makes a questionnaire: edits by keyboard, looks at it on a phone, freezes it, changes it, compares."""

import re
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Stack
from tests.browser.people import Axe, Person


@pytest.fixture
def researcher(browser: Browser, stack: Stack, axe: Axe) -> Iterator[Person]:
    faults: list[str] = []
    person = Person(browser, stack, axe, faults)
    person.sign_in_as_researcher()
    yield person
    person.leave()
    assert not faults, "\n\n".join(faults)


def codes(page: Page) -> list[str]:
    """The codes of the statements, in the order of the page."""
    places = page.locator(".editor-part[id^=item-]").evaluate_all("parts => parts.map(part => part.id)")
    return [str(place).removeprefix("item-") for place in places]


def settled(page: Page) -> None:
    """Until htmx has taken over what it put on the page: before that a form is sent as any form is."""
    expect(page.locator(".htmx-request, .htmx-added, .htmx-settling")).to_have_count(0)


def save(page: Page, name: str = "") -> None:
    settled(page)
    page.locator(f"#form button[type=submit]{f'[name={name}]' if name else ':not([name])'}").press("Enter")


def fill(form: Locator, **values: str) -> None:
    for name, value in values.items():
        form.locator(f"[name={name}]").fill(value)


def test_from_nothing_to_a_second_version(researcher: Person) -> None:
    page = researcher.page
    code = f"trust-{secrets.token_hex(3)}"
    page.goto("/questionnaires/")
    page.locator("a[href$='/questionnaires/new']").first.click()
    fill(page.locator("main form"), code=code, title_nl="Vertrouwen", title_en="Trust")
    page.locator("main form button[type=submit]").first.press("Enter")
    expect(page.locator("h1")).to_have_text("Vertrouwen")

    # a scale, and three statements in one go; the texts of the third miss one language
    page.locator("a[href='?add=scale#form']").press("Enter")
    fill(page.locator("#form"), code="VT", name_nl="Vertrouwen", name_en="Trust")
    save(page)
    expect(page.locator("#add-VT")).to_be_visible()
    settled(
        page
    )  # while htmx still places the answer, a key that is pressed falls between the page of before and this one
    page.locator("#add-VT").press("Enter")
    for n, english in enumerate(("One", "Two"), 1):
        expect(page.locator("#form [name=code]")).to_have_value(f"VT{n}")
        fill(page.locator("#form"), text_nl=f"Stelling {n}", text_en=english)
        save(page, "again")
    expect(page.locator("#form [name=code]")).to_be_focused()
    fill(page.locator("#form"), text_nl="Stelling 3")
    save(page)
    expect(page.locator("#item-VT3 .missing")).to_be_visible()
    expect(page.locator("#edit-item-VT3")).to_be_focused()
    researcher.look()

    # by keyboard alone: up, to the top, and no further
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#up-item-VT3")).to_be_focused()
    expect(page.locator("#editor .alert")).to_contain_text("VT3")
    assert codes(page) == ["VT1", "VT3", "VT2"]
    page.keyboard.press("Enter")
    expect(page.locator(".editor-part[id^=item-]").first).to_have_id("item-VT3")

    # removed, and brought back
    settled(page)
    page.locator("#item-VT1 button[value=remove]").press("Enter")
    expect(page.locator("#item-VT1")).to_have_count(0)
    expect(page.locator("#undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#item-VT1")).to_be_visible()

    # the missing text by its link; then all forms once
    page.locator(".editor-state a[href*='item%3AVT3']").press("Enter")
    researcher.look()
    fill(page.locator("#form"), text_en="Three")
    save(page)
    expect(page.locator(".missing")).to_have_count(0)
    editor = urlsplit(page.url).path
    for part in ("?part=options", "?add=eligibility", "?add=question:number"):
        researcher.look(f"{editor}{part}")
    page.goto(f"{editor}?add=question:text#form")
    fill(page.locator("#form"), code="more", text_nl="Nog iets?", text_en="Anything else?")
    save(page)
    expect(page.locator("#question-more")).to_be_visible()

    # on a phone, in both languages
    researcher.look(f"{editor}preview")
    dutch, english = page.frame_locator("iframe").nth(0), page.frame_locator("iframe").nth(1)
    expect(english.locator("h1")).to_have_text("Trust")
    dutch.locator("button.main").click()
    expect(dutch.locator("[name=VT1]").first).to_be_attached()
    dutch.locator("button.main").click()
    expect(dutch.locator("textarea[name=more]")).to_be_visible()
    box = page.locator("iframe").first.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (380, 760), "360 × 740 within a frame of 10"

    # frozen; a changed draft says what changes and what stays comparable
    page.goto(f"{editor}versions/")
    page.locator("main form button[type=submit]").first.press("Enter")
    expect(page).to_have_url(re.compile(r"/versions/1$"))
    page.goto(f"{editor}?part=item:VT1#form")
    fill(page.locator("#form"), text_en="Another one")
    save(page)
    expect(page.locator("#edit-item-VT1")).to_be_focused()
    researcher.look(f"{editor}versions/")
    expect(page.locator("main")).to_contain_text("niet vergelijkbaar")
    page.get_by_role("button", name="English").click()
    researcher.look()
    expect(page.locator("ins").first).to_have_text("Another one")
    fill(page.locator("main"), note="VT1 was not understood")
    page.locator("main form button[type=submit]").first.press("Enter")
    expect(page).to_have_url(re.compile(r"/versions/2$"))
    researcher.look()
    researcher.look("/questionnaires/")
    researcher.look("/questionnaires/import")
    researcher.look(f"{editor}")
