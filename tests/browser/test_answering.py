"""Answering in a real browser: with and without script, by keyboard, in two tabs, with the network gone; no faults."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import SIZES, Stack
from tests.browser.meetings import (
    LAST,
    QUESTIONS,
    SCALES,
    begin,
    checked,
    choose,
    eligible,
    here,
    onward,
    saves_of,
)

# ------------------------------------------------------------------------------------------------ the whole way


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_the_whole_way_without_faults(
    page: Page, stack: Stack, axe: Callable[[Page], None], meeting: tuple[str, str, str], size: str, language: str
) -> None:
    code, _leading, _link = meeting
    page.set_viewport_size(SIZES[size])
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/a/?language={language}")
    axe(page)
    page.locator("#code").fill(code.lower())
    page.locator("form button").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    axe(page)
    page.locator("summary").click()
    axe(page)
    page.locator("[name=consent]").check()
    page.locator("form.start button").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    axe(page)
    eligible(page)
    for step in SCALES:
        assert here(page) == step
        choose(page)
        if step in (2, 7):
            axe(page)
        onward(page)
    axe(page)  # background, left open
    onward(page)
    expect(page.locator(".open")).to_be_hidden()
    axe(page)
    page.locator("details.delete summary").click()
    axe(page)
    page.locator(".step.now [value=submit]").click()
    page.wait_for_url("**/done")
    axe(page)
    page.locator("summary").click()
    axe(page)
    page.go_back()
    page.wait_for_load_state()
    assert re.search(r"/done(#|$)", page.url), "back shows the thanks, not the answers"
    assert errors == []
    assert [url for url in asked if not url.startswith((stack.url, "data:"))] == []


def test_nothing_moves_while_the_page_loads(page: Page, meeting: tuple[str, str, str]) -> None:
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) window.shift += e.value })"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    begin(page, meeting[0])
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") == 0


def test_a_personal_link_counts_once(browser: Browser, stack: Stack, meeting: tuple[str, str, str]) -> None:
    for opened in range(2):
        context = browser.new_context(base_url=stack.url)
        page = context.new_page()
        page.goto(meeting[2])
        assert re.search(r"/a/[\w-]{16}/l$", page.url), "the address has no token"
        page.locator("form.start button").click()
        if opened:
            expect(page.locator("h1")).to_have_text("De antwoorden bij deze link zijn ingeleverd")
        else:
            eligible(page)
            choose(page)
            for _step in range(2, LAST):
                onward(page)
            page.locator(".step.now [value=submit]").click()
            page.wait_for_url("**/done")
        context.close()


def test_a_draft_on_one_device_goes_once_it_was_handed_in_on_another(
    browser: Browser, stack: Stack, meeting: tuple[str, str, str]
) -> None:
    """A device keeps a draft beside the server's; handed in elsewhere, it gives no answers any more either."""
    first, second = (browser.new_context(base_url=stack.url) for _n in range(2))
    phone, laptop = first.new_page(), second.new_page()
    drafts = """() => new Promise((resolve) => {
      const request = indexedDB.open("teamspiegel", 1);
      request.onsuccess = () => {
        const all = request.result.transaction("drafts").objectStore("drafts").getAll();
        all.onsuccess = () => { request.result.close(); resolve(all.result.length); };
      };
    })"""
    phone.goto(meeting[2])
    phone.locator("form.start button").click()
    phone.wait_for_url(QUESTIONS)
    questions = phone.url
    eligible(phone)
    choose(phone)
    onward(phone)
    expect(phone.locator("#saved")).to_have_text("Opgeslagen")
    assert phone.evaluate(drafts) == 1
    laptop.goto(meeting[2])
    laptop.locator("form.start button").click()
    laptop.wait_for_url(QUESTIONS)
    for _step in range(1, LAST):
        onward(laptop)
    laptop.locator(".step.now [value=submit]").click()
    laptop.wait_for_url("**/done")
    with phone.expect_response("**/save"):
        phone.goto(questions)
    phone.wait_for_url("**/done")
    for _n in range(50):
        if not phone.evaluate(drafts):
            break
        phone.wait_for_timeout(100)
    assert phone.evaluate(drafts) == 0
    first.close()
    second.close()


def test_who_is_not_eligible_is_done(page: Page, meeting: tuple[str, str, str]) -> None:
    begin(page, meeting[0])
    page.locator("label:has([value=no_other])").click()
    onward(page)
    page.wait_for_url("**/done")


# ------------------------------------------------------------------------------------------------ saving


def test_answers_are_saved_as_they_are_given_in_few_requests(page: Page, meeting: tuple[str, str, str]) -> None:
    begin(page, meeting[0])
    asked = saves_of(page)
    eligible(page)
    choose(page)
    page.wait_for_function("document.getElementById('saved').textContent !== ''")
    with page.expect_response("**/save"):
        pass
    assert len(asked) <= 3, "one at the step, one for six answers given at once"
    page.reload()
    assert here(page) == 2
    assert len(checked(page)) == 7
    assert not page.locator("#trouble").is_visible()


def test_back_forward_and_links_to_open_statements(page: Page, meeting: tuple[str, str, str]) -> None:
    begin(page, meeting[0])
    eligible(page)
    choose(page)
    for _step in range(2, LAST):
        onward(page)
    assert here(page) == LAST
    expect(page.locator(".open li")).to_have_count(30)
    page.locator(".open a").first.click()
    assert here(page) == 3
    assert page.evaluate("document.activeElement.name") == "IV1"
    page.go_back()
    page.wait_for_function(f"document.querySelector('.step.now').id === 's{LAST}'")
    page.go_back()
    page.wait_for_function("document.querySelector('.step.now').id === 's8'")
    page.locator(".step.now [value=back]").click()
    assert here(page) == 7
    assert len(checked(page, 7)) == 7


def test_switching_the_language_keeps_step_and_answers(page: Page, meeting: tuple[str, str, str]) -> None:
    begin(page, meeting[0])
    eligible(page)
    choose(page, 4)
    page.locator("[name=language]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.wait_for_function("document.querySelector('.step.now').id === 's2'")
    assert set(checked(page, 7).values()) == {"yes", "x"}


SLOW_DEVICE = """
Object.defineProperty(IDBRequest.prototype, "onsuccess", {
  set(act) { this.addEventListener("success", (event) => setTimeout(act, 1000, event)); },
});
"""


def test_what_is_answered_while_the_device_looks_for_its_draft_counts(
    context: BrowserContext, meeting: tuple[str, str, str]
) -> None:
    first = context.new_page()
    questions = begin(first, meeting[0])
    eligible(first)
    with first.expect_response("**/save"):
        choose(first, 0)
    first.close()
    page = context.new_page()
    page.add_init_script(SLOW_DEVICE)
    page.goto(f"{questions}#s3")
    checked(page, 7)
    with page.expect_response(lambda r: r.url.endswith("/save") and r.json()["outcome"] == "saved"):
        page.locator("label:has([name=GV1][value='4'])").evaluate("(label) => label.click()")
    assert checked(page, 7)["GV1"] == "4"
    page.reload()
    assert checked(page, 7)["GV1"] == "4"


def test_two_tabs_merge_what_they_say(context: BrowserContext, meeting: tuple[str, str, str]) -> None:
    first = context.new_page()
    questions = begin(first, meeting[0])
    second = context.new_page()
    second.goto(f"{questions}#s3")
    eligible(first)
    with first.expect_response("**/save"):
        choose(first, 0)
    with second.expect_response(lambda r: r.url.endswith("/save") and r.json()["outcome"] == "saved"):
        choose(second, 1)
    first.wait_for_timeout(2500)
    second.wait_for_timeout(2500)
    third = context.new_page()
    third.goto(questions)
    ticked = checked(third, 13)
    assert [ticked.get(f"GV{n}") for n in range(1, 7)] == ["1"] * 6
    assert [ticked.get(f"IV{n}") for n in range(1, 7)] == ["2"] * 6
    assert not first.locator("#trouble").is_visible()


def test_deleting_removes_everything(page: Page, meeting: tuple[str, str, str]) -> None:
    questions = begin(page, meeting[0])
    eligible(page)
    choose(page)
    page.locator("details.delete summary").click()
    page.locator("button.danger").click()
    page.wait_for_url("**/delete")
    page.goto(questions)
    assert page.locator("#q").count() == 0
    begin(page, meeting[0])
    assert checked(page) == {}


# ------------------------------------------------------------------------------------------------ by keyboard, without script


def test_by_keyboard_alone(page: Page, meeting: tuple[str, str, str]) -> None:
    """The whole way, from the code to the thanks."""
    press = page.keyboard.press

    def tab_to(selector: str) -> None:
        for _try in range(60):
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
            press("Tab")
        raise AssertionError(f"Tab does not come to {selector}")

    page.goto("/a/")
    tab_to("#code")
    page.keyboard.type(meeting[0].lower())
    press("Enter")
    page.wait_for_url(f"**/a/{meeting[0]}")
    tab_to("[name=consent]")
    press("Space")
    tab_to("form.start button")
    press("Enter")
    page.wait_for_url(QUESTIONS)
    tab_to("[name=eligibility]")
    press("Space")
    press("Enter")
    assert here(page) == 1, "Enter on a choice does not leave the page"
    press("Tab")
    assert page.evaluate("document.activeElement.value") == "next"
    for step in range(2, LAST):
        press("Enter")
        assert here(page) == step
        assert page.evaluate("document.activeElement.tagName") == "H2", "the heading of the new step is read"
        press("Tab")
        press("Space")
        if step == 2:
            press("ArrowDown")
            press("Tab")
            press("Space")
            assert checked(page) == {"eligibility": "yes", "GV1": "2", "GV2": "1"}
        tab_to(".step.now [value=next]")
    press("Enter")
    tab_to(".step.now [value=submit]")
    press("Enter")
    page.wait_for_url("**/done")


@pytest.mark.parametrize("script", ["switched off", "not loaded"])
def test_without_script(browser: Browser, stack: Stack, meeting: tuple[str, str, str], script: str) -> None:
    context = browser.new_context(
        base_url=stack.url, viewport=SIZES["phone"], java_script_enabled=script == "not loaded"
    )
    context.route("**/answer*.js", lambda route: route.abort())
    page = context.new_page()
    begin(page, meeting[0])
    page.locator(".step.now label").first.click()
    page.locator(".step.now [value=next]").click()
    for step in SCALES:
        page.wait_for_url(f"**/a/*/?step={step}")
        for question in page.locator(".step.now fieldset").all():
            question.locator("label").nth(1).click()
        page.locator(".step.now [value=next]").click()
    page.locator(".step.now [value=back]").click()
    assert page.locator(".step.now :checked").count() == 6
    page.locator(".step.now [value=next]").click()
    page.locator(".step.now [value=next]").click()
    page.wait_for_url(f"**/a/*/?step={LAST}")
    assert page.locator(".open").is_hidden()
    page.locator(".step.now [value=submit]").click()
    page.wait_for_url("**/done")
    context.close()


# ------------------------------------------------------------------------------------------------ the facilitator


def assert_readable_from_the_back(big: Page) -> None:
    """On a screen of two metres, from 15 metres away: capitals of 75 mm (1/200 of the distance), and modules of the QR code
    of 20 mm, two pixels and more of a phone's camera with 1920 pixels over 65°."""
    millimetres = 2000 / SIZES["desk"]["width"]
    capitals = big.evaluate("parseFloat(getComputedStyle(document.querySelector('.projector .code')).fontSize) * 0.7")
    assert capitals * millimetres >= 75
    svg = big.locator(".projector svg.qr")
    modules = float((svg.get_attribute("viewBox") or "").split()[2])
    box = svg.bounding_box()
    assert box is not None
    assert box["width"] / modules * millimetres >= 20


@pytest.mark.parametrize("size", SIZES)
def test_the_facilitator_sees_counts_move_and_closes(
    page: Page,
    browser: Browser,
    stack: Stack,
    axe: Callable[[Page], None],
    meeting: tuple[str, str, str],
    size: str,
) -> None:
    code, leading, _link = meeting
    page.set_viewport_size(SIZES[size])
    page.goto(leading)
    assert re.search(r"/f/\d+/$", page.url), "the address has no token"
    axe(page)
    big = page.context.new_page()
    big.goto(f"{page.url}projector")
    axe(big)
    if size == "desk":
        assert_readable_from_the_back(big)
    teacher = browser.new_context(base_url=stack.url).new_page()
    begin(teacher, code)
    expect(page.locator("#counts dd").first).to_have_text("1")
    expect(big.locator("#total")).to_contain_text("1")
    eligible(teacher)
    for _step in range(2, LAST):
        onward(teacher)
    teacher.locator(".step.now [value=submit]").click()
    expect(page.locator("#counts dd").nth(1)).to_have_text("1")
    page.locator("[name=present]").fill("14")
    page.locator("form[action$=present] button").click()
    expect(page.locator("#counts dd").nth(3)).to_have_text("14")
    page.locator("details:has(form[action$=close]) summary").click()
    page.locator("form[action$=close] button").click()
    expect(page.locator("form[action$=reopen]")).to_be_visible()
    axe(page)
    expect(big.locator("#total")).to_have_count(0)
    assert big.locator("svg").count() == 0, "the big screen follows"
