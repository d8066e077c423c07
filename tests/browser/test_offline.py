"""Answering without a network: in the middle, at the end, with the tab closed, on a shared device, over plain http."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect

from scripts.setup import ROOT
from tests.browser.conftest import FLAGS, SIZES, Stack
from tests.browser.meetings import LAST, QUESTIONS, begin, checked, choose, eligible, here, onward

KEPT = re.compile("is-kept")
ANSWERS = """
import json
from surveys.models import Response
rows = Response.objects.filter(collection__meeting__code="{code}").order_by("state")
print("answers:", json.dumps([[r.state, r.eligibility, r.answers] for r in rows]))
"""


def answers_of(stack: Stack, code: str) -> list[tuple[str, str, dict[str, object]]]:
    """State, eligibility and answers of all responses of a meeting, as they stand in the database."""
    env = {**os.environ, "TEAMSPIEGEL_VAR": str(stack.var), "DJANGO_SETTINGS_MODULE": "config.settings"}
    env.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", "shell", "-c", ANSWERS.format(code=code)]
    out = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert "answers:" in out.stdout, out.stderr
    return json.loads(out.stdout.split("answers:")[1])


def ready_for_no_network(page: Page) -> None:
    """Until the service worker has taken the empty page."""
    # not wait_for_function: it evaluates text in the page, which the content security policy forbids
    for _try in range(100):
        if page.evaluate("caches.match('/a/q').then((page) => page && navigator.serviceWorker.controller !== null)"):
            return
        page.wait_for_timeout(100)
    raise AssertionError("the service worker did not take the page")


def close_without_network(page: Page) -> None:
    """Close a tab while the network is away. Here it is away for an open tab only: what the page sends as it is left
    (keepalive) would get through if the tab ended at once.
    """
    page.goto("about:blank")
    page.close()


def kept(page: Page, store: str = "drafts") -> list[dict[str, object]]:
    return page.evaluate(
        """(store) => new Promise((resolve, reject) => {
          const opening = indexedDB.open("teamspiegel", 1);
          opening.onerror = () => reject(opening.error);
          opening.onsuccess = () => {
            const all = opening.result.transaction(store).objectStore(store).getAll();
            all.onsuccess = () => { opening.result.close(); resolve(all.result); };
          };
        })""",
        store,
    )


def emptied(page: Page, store: str = "drafts") -> bool:
    """Whether the device forgets, within five seconds, what was sent."""
    for _try in range(50):
        if not kept(page, store):
            return True
        page.wait_for_timeout(100)
    return False


def test_airplane_mode_in_the_middle_and_at_the_end_with_the_tab_closed(
    context: BrowserContext, stack: Stack, axe: Callable[[Page], None], meeting: tuple[str, str, str]
) -> None:
    code = meeting[0]
    page = context.new_page()
    questions = begin(page, code)
    ready_for_no_network(page)
    eligible(page)
    choose(page, 0)
    with page.expect_response("**/save"):
        onward(page)
    page.wait_for_timeout(300)
    context.set_offline(True)
    choose(page, 1)
    onward(page)
    expect(page.locator("#saved")).to_have_class(KEPT)
    axe(page)
    close_without_network(page)
    page = context.new_page()  # the address of the meeting, without a network: the draft is there
    page.goto(f"/a/{code}")
    expect(page.locator("#saved")).to_have_class(KEPT)
    checked(page, 13)
    for _step in range(1, 4):
        onward(page)
    choose(page, 2)
    page.locator("[name=language]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert here(page) == 4
    checked(page, 19)
    for _step in range(4, LAST):
        onward(page)
    page.locator(".step.now [value=submit]").click()
    expect(page.locator(".step.now [value=submit]")).to_be_disabled()
    expect(page.locator("#trouble")).to_be_visible()
    for size in SIZES.values():
        page.set_viewport_size(size)
        axe(page)
    close_without_network(page)
    [(state, *_)] = answers_of(stack, code)
    assert state == "draft"
    context.set_offline(False)
    page = context.new_page()
    page.goto("/a/")  # any page of ours sends what waits
    assert emptied(page), "the device forgets what was handed in"
    [(state, eligibility, answers)] = answers_of(stack, code)
    assert (state, eligibility) == ("submitted", "yes")
    given = {**{f"GV{n}": 1 for n in range(1, 7)}, **{f"IV{n}": 2 for n in range(1, 7)}}
    assert {name: answers.get(name) for name in given} == given
    assert len(answers) == 18
    page.goto(questions)
    page.wait_for_url("**/done")


def test_without_a_draft_the_page_says_what_is_needed(
    context: BrowserContext, axe: Callable[[Page], None], meeting: tuple[str, str, str]
) -> None:
    page = context.new_page()
    begin(page, meeting[0])
    ready_for_no_network(page)
    page.locator("details.delete summary").click()
    page.locator("button.danger").click()
    page.wait_for_url("**/delete")
    assert kept(page) == []
    context.set_offline(True)
    page.goto("/a/")
    expect(page.locator("#offline")).to_be_visible()
    axe(page)


def test_what_waited_for_a_network_does_not_go_over_what_was_answered_meanwhile(
    browser: Browser, stack: Stack, meeting: tuple[str, str, str]
) -> None:
    """One link on two devices. The first answers without a network, and nobody can know which answer is the newer."""
    pages = []
    for _device in range(2):
        page = browser.new_context(base_url=stack.url).new_page()
        page.goto(meeting[2])
        page.locator("form.start button").click()
        page.wait_for_url(QUESTIONS)
        pages.append(page)
    phone, laptop = pages
    with phone.expect_response("**/save"):
        eligible(phone)
    phone.wait_for_timeout(500)
    phone.context.set_offline(True)
    choose(phone, 0)
    onward(phone)
    expect(phone.locator("#saved")).to_have_class(KEPT)
    laptop.reload()
    onward(laptop)
    with laptop.expect_response(lambda r: r.url.endswith("/save") and r.json()["outcome"] == "saved"):
        laptop.locator("label:has([name=GV1][value='4'])").click()
    with phone.expect_response(lambda r: r.url.endswith("/save") and r.json()["outcome"] == "saved", timeout=30_000):
        phone.context.set_offline(False)
    phone.wait_for_timeout(300)
    ticked = checked(phone, 7)
    assert [ticked[f"GV{n}"] for n in range(1, 7)] == ["4", "1", "1", "1", "1", "1"], "the page shows what is saved"
    laptop.reload()
    assert checked(laptop, 7) == ticked
    for page in pages:
        page.context.close()


def test_a_shared_device_forgets_after_ten_idle_minutes(
    browser: Browser, stack: Stack, meeting: tuple[str, str, str]
) -> None:
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    page.clock.install()
    begin(page, f"{meeting[0]}?shared=yes")
    eligible(page)
    page.clock.run_for(9 * 60 * 1000)
    page.keyboard.press("Tab")
    page.clock.run_for(9 * 60 * 1000)
    assert here(page) == 2, "who is at work is not interrupted"
    page.clock.run_for(61 * 1000)
    page.wait_for_url("**?shared=yes")
    assert page.locator(".note a").count() == 0
    page.go_back()
    page.wait_for_load_state()
    assert page.locator("#q").count() == 0
    context.close()


def test_several_people_on_one_device_leave_no_trace(
    browser: Browser, stack: Stack, axe: Callable[[Page], None], meeting: tuple[str, str, str]
) -> None:
    code = meeting[0]
    context = browser.new_context(base_url=stack.url, locale="nl-NL", viewport=SIZES["phone"])
    page = context.new_page()
    page.goto(f"/a/{code}?shared=yes")
    axe(page)
    for person in range(2):
        page.locator("[name=consent]").check()
        page.locator("form.start button").click()
        page.wait_for_url(QUESTIONS)
        eligible(page)
        assert len(checked(page)) == 1, "nothing of the person before"
        choose(page, person)
        axe(page)
        for _step in range(2, LAST):
            onward(page)
        page.locator(".step.now [value=submit]").click()
        page.wait_for_url("**/done")
        assert kept(page) == []
        axe(page)
        page.locator("form.next button").click()
        page.wait_for_url(f"**/a/{code}?shared=yes")
        assert page.locator(".note a").count() == 0, "no way to the answers of before"
    for _back in range(4):
        page.go_back()
        page.wait_for_load_state()
        assert page.locator("#q, .danger").count() == 0
    # the third hands in without a network: locked on the device until there is one
    page.goto(f"/a/{code}?shared=yes")
    begin(page, f"{code}?shared=yes")
    ready_for_no_network(page)
    eligible(page)
    context.set_offline(True)
    choose(page, 3)
    for _step in range(2, LAST):
        onward(page)
    page.locator(".step.now [value=submit]").click()
    expect(page.locator("#saved")).to_have_class(KEPT)
    axe(page)
    [parcel] = kept(page, "parcels")
    assert not {"answers", "key", "now"} & set(parcel)
    assert checked(page) == {}
    assert page.locator("[name=key]").input_value() == ""
    assert kept(page) == []
    context.set_offline(False)
    page.goto(f"/a/{code}?shared=yes")
    assert emptied(page, "parcels")
    rows = answers_of(stack, code)
    assert [row[0] for row in rows] == ["submitted"] * 3
    assert sorted(row[2]["GV1"] for row in rows) == [1, 2, 4]
    context.close()


@pytest.fixture
def on_a_lan(browser_type: BrowserType, browser_type_launch_args: dict[str, object]) -> Iterator[Browser]:
    """A browser to which this machine has another name, so that plain http is not secure to it."""
    options = {**browser_type_launch_args, "args": [*FLAGS, "--host-resolver-rules=MAP school.example 127.0.0.1"]}
    browser = browser_type.launch(**options)
    yield browser
    browser.close()


def test_over_plain_http_answers_wait_on_the_device_while_the_page_is_open(
    on_a_lan: Browser, stack: Stack, axe: Callable[[Page], None], meeting: tuple[str, str, str]
) -> None:
    url = stack.url.replace("127.0.0.1", "school.example")
    context = on_a_lan.new_context(base_url=url, locale="nl-NL", viewport=SIZES["phone"])
    page = context.new_page()
    page.goto(f"/a/{meeting[0]}")
    assert not page.evaluate("isSecureContext || 'serviceWorker' in navigator || Boolean(crypto.subtle)")
    axe(page)
    begin(page, meeting[0])
    eligible(page)
    context.set_offline(True)
    choose(page)
    onward(page)
    expect(page.locator("#saved")).to_have_class(KEPT)
    expect(page.locator("#trouble")).to_contain_text("http")
    axe(page)
    [draft] = kept(page)
    assert len(draft["now"]) == 7
    for _step in range(3, LAST):
        onward(page)
    page.locator(".step.now [value=submit]").click()
    context.set_offline(False)
    page.wait_for_url("**/done", timeout=45_000)
    assert kept(page) == []
    [(state, _eligibility, answers)] = answers_of(stack, meeting[0])
    assert (state, len(answers)) == ("submitted", 6)
    context.close()
