"""Every page and state of the answering side, held against axe in both languages at the size of a phone and of a desk."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SIZES, Stack
from tests.browser.meetings import LAST, begin, eligible, onward

Axe = Callable[[Page], None]


def look(page: Page, axe: Axe, language: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", language)
    for size in SIZES.values():
        page.set_viewport_size(size)
        axe(page)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_state(browser: Browser, stack: Stack, axe: Axe, meeting: tuple[str, str, str], language: str) -> None:
    code, leading, link = meeting
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()

    def see(path: str, status: int = 200) -> None:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status, path
        look(page, axe, language)

    see(f"/a/?language={language}")
    see("/a/q", 404)  # nothing was begun on this device
    see("/a/l", 404)  # no link was opened
    see("/a/AAAAAAAAAAAAAAAA/l", 404)
    see("/a/AAAAAAAAAAAAAAAA/", 404)
    see("/a/done")
    see("/a/AAAAAA", 404)  # a wrong code
    see(link)
    page.locator("form[action$=mails] button").click()
    expect(page.locator("[role=status]:not([hidden])")).to_be_visible()
    look(page, axe, language)
    see(f"/a/{code}?shared=yes")
    context.clear_cookies(name="shared")  # else for a day
    see(f"/a/{code}")
    page.evaluate("document.querySelector('form.start').noValidate = true")
    page.locator("form.start button").click()  # without consent
    expect(page.locator("#problem")).to_be_visible()
    look(page, axe, language)
    questions = begin(page, code)
    look(page, axe, language)
    eligible(page)
    see(f"{questions}?step=2")  # as without script
    see(f"{questions}?step={LAST}")
    see(f"/a/{code}")  # begun on this device
    page.goto(questions)
    for _step in range(1, LAST):
        onward(page)
    page.locator(".step.now [value=submit]").click()
    page.wait_for_url("**/done")
    look(page, axe, language)
    see(f"/a/{code}")  # handed in on this device
    page.goto(f"{questions}done")
    page.locator("details.delete summary").click()
    page.locator("button.danger").click()
    page.wait_for_url("**/delete")
    look(page, axe, language)
    page.goto(f"/a/{code}")  # leaves the cookie without which nothing begins
    form = {"code": code, "consent": "yes", "anew": "yes"}
    for _n in range(200):  # until the room is full, after a number that nobody knows
        last = context.request.post("/a/start", form={**form, "offered": ""}, max_redirects=0)
        if last.status == 409:
            break
    assert last.status == 409
    page.context.clear_cookies(name="begun")
    page.goto(f"/a/{code}")
    page.locator("[name=consent]").check()
    page.locator("form.start button").click()
    expect(page.locator("h1")).to_be_visible()
    look(page, axe, language)
    facilitator = context.new_page()
    facilitator.goto(leading)
    facilitator.locator("details:has(form[action$=close]) summary").click()
    facilitator.locator("form[action$=close] button").click()
    facilitator.wait_for_load_state()
    look(facilitator, axe, language)  # nobody said yet how many are here, so it asks
    facilitator.locator("details:has(form[action$=close]) summary").click()
    facilitator.locator("[name=close-present]").fill("20")
    facilitator.locator("form[action$=close] button").click()
    expect(facilitator.locator("#closed")).to_be_visible()
    see(f"/a/{code}", 404)  # closed, and looks like a wrong one
    see(link)  # closed: who began can finish
    while context.request.get("/a/AAAAAA").status == 404:  # until too many were tried
        pass
    see("/a/AAAAAA", 429)
    context.close()
