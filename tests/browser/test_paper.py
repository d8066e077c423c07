"""Whoever leads a meeting types paper forms by keyboard alone, and the answers count."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Stack
from tests.browser.people import Axe, Person

STATEMENTS = 36
FIRST = "1" + "123x" * (STATEMENTS // 4) + "111"  # first question, statements, background
SECOND = "2" + "3" * STATEMENTS + "212"


def types(page: Page, keys: str) -> None:
    """Each key answers and goes on; after the last one Enter is enough."""
    expect(page.locator(".typing-row input:focus")).to_have_count(1)
    page.keyboard.type(keys)
    expect(page.locator("button[name=go]:focus")).to_have_count(1)


def test_two_forms_typed_twice_and_none_shown_again(
    browser: Browser, stack: Stack, axe: Axe, meeting: tuple[str, str, str]
) -> None:
    faults: list[str] = []
    cora = Person(browser, stack, axe, faults)
    page = cora.page
    page.goto(meeting[1])
    page.locator("a[href$='/paper/']").first.press("Enter")
    cora.look()
    page.locator("form[action$='/new'] button").press("Enter")
    cora.look()
    expect(page.locator(".typing-row input:focus")).to_have_count(1)
    page.keyboard.type(FIRST[:4])
    expect(page.locator("#kept")).not_to_be_empty()
    page.reload()
    expect(page.locator("[name=GV3]")).to_have_value("3")  # nothing is lost, and the next field waits
    types(page, FIRST[4:])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("2")
    page.go_back()
    expect(page.locator("dl.figures")).to_be_visible()  # a form that is saved is not shown again
    page.locator("tbody a").press("Enter")
    types(page, SECOND)
    page.locator("button[value=stop]").press("Enter")
    page.locator("form[action$='/again'] button").press("Enter")
    types(page, FIRST)
    page.keyboard.press("Enter")
    types(page, SECOND[:1] + "4" + SECOND[2:])
    page.keyboard.press("Enter")
    expect(page.locator(".typing-row")).to_have_count(
        1
    )  # the second form differs in one answer, asked while it is in hand
    cora.look()
    types(page, SECOND[1])
    page.locator("button[value=stop]").press("Enter")
    page.locator("form[action$='/add'] button").press("Enter")
    expect(page.locator("dl.figures dd").last).to_have_text("2")
    cora.look()
    cora.leave()
    assert not faults, "\n\n".join(faults)
