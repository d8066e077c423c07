"""Each response has pages of its own: two teams in two tabs, a shared device that is started again, no cookies, a store taken away."""

import http.client
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import SIZES, Stack
from tests.browser.meetings import LAST, QUESTIONS, begin, checked, choose, eligible, here, onward
from tests.browser.test_offline import KEPT, answers_of, emptied, kept, ready_for_no_network

pytestmark = pytest.mark.browser
Meetings = Iterator[tuple[str, str, str]]
SAVED = "Opgeslagen"


def test_two_teams_in_two_tabs(
    context: BrowserContext, stack: Stack, axe: Callable[[Page], None], meetings: Meetings
) -> None:
    """A reload of the first tab showed the second team's questions, and saved into its answers."""
    codes = [next(meetings)[0] for _n in range(2)]
    tabs = [context.new_page(), context.new_page()]
    names = []
    for n, (tab, code) in enumerate(zip(tabs, codes, strict=True)):
        begin(tab, code)
        names.append(tab.locator("#team").inner_text())
        eligible(tab)
        choose(tab, n)
        expect(tab.locator("#saved")).to_have_text(SAVED)
    assert len(set(names)) == 2
    for n, tab in enumerate(tabs):
        tab.reload()
        expect(tab.locator("#team")).to_have_text(names[n])
        checked(tab, 7)
        onward(tab)
        expect(tab.locator("#team")).to_be_visible()
        choose(tab, n)
        for size in SIZES.values():
            tab.set_viewport_size(size)
            axe(tab)
        for _step in range(here(tab), LAST):
            onward(tab)
        tab.locator(".step.now [value=submit]").click()
        tab.wait_for_url("**/done")
        expect(tab.locator("main")).to_contain_text(names[n])
        axe(tab)
    for n, code in enumerate(codes):
        [(state, _eligibility, answers)] = answers_of(stack, code)
        assert (state, set(answers.values())) == ("submitted", {n + 1})


def test_without_a_network_each_address_shows_its_own_team(
    context: BrowserContext, axe: Callable[[Page], None], meetings: Meetings
) -> None:
    addresses, names = [], []
    for n in range(2):
        page = context.new_page()
        addresses.append(begin(page, next(meetings)[0]))
        names.append(page.locator("#team").inner_text())
        ready_for_no_network(page)
        eligible(page)
        choose(page, n)
        expect(page.locator("#saved")).to_have_text(SAVED)
        page.close()
    page = context.new_page()
    context.set_offline(True)
    held = "caches.open('questionnaire-1').then(async (c) => (await Promise.all((await c.matchAll()).map((r) => r.text()))).join())"
    for n, address in enumerate(addresses):
        page.goto(address)
        expect(page.locator("#team")).to_have_text(names[n])
        assert checked(page, 7)["GV1"] == str(n + 1)
        copies = page.evaluate(held)
        assert not [word for word in (*names, *(a.split("/")[4] for a in addresses)) if word in copies]
    page.goto("/a/")  # an address that belongs to none
    expect(page.locator("#offline li")).to_have_count(2)
    axe(page)
    page.locator("#offline li a", has_text=names[0]).click()
    expect(page.locator("#team")).to_have_text(names[0])
    assert checked(page, 7)["GV1"] == "1"
    onward(page)
    choose(page, 3)
    expect(page.locator("#saved")).to_have_class(KEPT)
    expect(page.locator("#trouble")).to_contain_text("privévenster")
    page.goto("/a/AAAAAAAAAAAAAAAA/l")  # of a link: it does not say of which response
    expect(page.locator("#offline li")).to_have_count(2)
    page.goto("/a/AAAAAAAAAAAAAAAA/")  # of a response that is not on this device
    expect(page.locator("#offline .none")).to_be_visible()


def test_after_the_browser_was_closed_the_own_address_leads_back(context: BrowserContext, meetings: Meetings) -> None:
    page = context.new_page()
    address = begin(page, next(meetings)[0])
    eligible(page)
    choose(page, 1)
    expect(page.locator("#saved")).to_have_text(SAVED)
    context.clear_cookies()
    page.goto(address)
    page.locator("#begun button").click()
    page.wait_for_url(address)
    checked(page, 7)
    page.reload()
    checked(page, 7)


def test_a_shared_device_that_is_started_again_shows_nobodys_answers(
    browser: Browser, stack: Stack, axe: Callable[[Page], None], meetings: Meetings
) -> None:
    """Browsers bring back the tabs, with their cookies and what they stored. The last person's seven answers were seen."""
    code = next(meetings)[0]
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    address = begin(page, f"{code}?shared=yes")
    eligible(page)
    choose(page, 1)
    expect(page.locator("#saved")).to_have_text(SAVED)
    key = page.locator("[name=key]").input_value()
    before = context.storage_state(indexed_db=True)
    assert key not in str(before)
    context.close()
    context = browser.new_context(base_url=stack.url, storage_state=before)
    page = context.new_page()
    for tab in (address, f"{address}?step=2", f"{address}done", "/a/q"):
        page.goto(tab)
        assert page.url.endswith(f"/a/{code}?shared=yes"), tab
        assert page.locator("#q, .note a, .danger").count() == 0
    axe(page)
    context.close()


def test_a_shared_device_asks_before_a_page_with_answers_is_loaded_again(
    browser: Browser, stack: Stack, meetings: Meetings
) -> None:
    context = browser.new_context(base_url=stack.url, locale="nl-NL")
    page = context.new_page()
    asked: list[str] = []
    begin(page, f"{next(meetings)[0]}?shared=yes")
    eligible(page)
    choose(page, 1)
    expect(page.locator("#saved")).to_have_text(SAVED)
    page.locator("[name=language]").click()  # a page that comes by its key is not asked about, and has all answers
    expect(page.locator("html")).to_have_attribute("lang", "en")
    checked(page, 7)
    assert here(page) == 2
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    choose(page, 2)
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_timeout(1000)
    assert asked == ["beforeunload"]
    checked(page, 7)
    for _step in range(2, LAST):
        onward(page)
    page.locator(".step.now [value=submit]").click()
    page.wait_for_url("**/done")
    assert asked == ["beforeunload"]
    context.close()


def without_cookies(route: Route) -> None:
    """As for a browser that keeps none: asked by a line of its own, since Playwright's puts them into the context."""
    request, asked = route.request, urlsplit(route.request.url)
    line = http.client.HTTPConnection(asked.netloc, timeout=20)
    sent = {"Accept-Language": "nl", "Content-Type": request.headers.get("content-type", "text/plain")}
    line.request(request.method, asked.path + (f"?{asked.query}" if asked.query else ""), request.post_data, sent)
    answer = line.getresponse()
    headers = {name: value for name, value in answer.getheaders() if name.lower() != "set-cookie"}
    route.fulfill(status=answer.status, headers=headers, body=answer.read())
    line.close()


@pytest.mark.parametrize("way", ["code", "link"])
def test_who_blocks_cookies_is_told_so_and_began_nothing(
    browser: Browser, stack: Stack, axe: Callable[[Page], None], meetings: Meetings, way: str
) -> None:
    code, _leading, link = next(meetings)
    context = browser.new_context(base_url=stack.url, locale="nl-NL")
    context.route("**/a/**", without_cookies)
    page = context.new_page()
    page.goto(f"/a/{code}" if way == "code" else link)
    if way == "code":
        page.locator("[name=consent]").check()
        page.locator("form.start button").click()
        expect(page.locator("h1")).to_have_text("Je browser bewaart geen cookies")
    else:
        expect(page.locator("h1")).to_have_text("Open de link in je mail opnieuw")
        expect(page.locator("main")).to_contain_text("Sta dan cookies toe")
    for size in SIZES.values():
        page.set_viewport_size(size)
        axe(page)
    assert answers_of(stack, code) == []
    context.close()


TAKEN_AWAY = """
const transaction = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...what) {
  if (!window.taken) return transaction.apply(this, what);
  window.taken = false;
  this.close();
  throw new DOMException("the database connection is closing", "InvalidStateError");
};
"""


def test_what_is_answered_when_the_system_took_the_store_away_is_kept_at_once(
    context: BrowserContext, meetings: Meetings
) -> None:
    """As iOS does. It was kept with the next answer only, and there may be none."""
    page = context.new_page()
    page.add_init_script(TAKEN_AWAY)
    begin(page, next(meetings)[0])
    eligible(page)
    expect(page.locator("#saved")).to_have_text(SAVED)
    context.set_offline(True)
    page.evaluate("window.taken = true")
    page.locator("label:has([name=GV1][value='3'])").click()
    expect(page.locator("#saved")).to_have_class(KEPT, timeout=30_000)
    [draft] = kept(page)
    assert draft["now"]["GV1"] == 3


def test_drafts_of_releases_before_are_sent_to_the_addresses_of_before(
    context: BrowserContext, stack: Stack, meetings: Meetings
) -> None:
    code = next(meetings)[0]
    page = context.new_page()
    begin(page, code)
    with page.expect_response("**/save"):
        eligible(page)
    page.wait_for_timeout(300)
    page.goto("about:blank")
    page.goto("/a/")
    page.evaluate(
        """() => new Promise((resolve, reject) => {
          const opening = indexedDB.open("teamspiegel", 1);
          opening.onsuccess = () => {
            const store = opening.result.transaction("drafts", "readwrite").objectStore("drafts");
            store.getAll().onsuccess = ({ target }) => {
              const [{ handle, team, ...draft }] = target.result;
              const change = store.put({ ...draft, now: { ...draft.now, GV1: 4 }, handingIn: true });
              change.onsuccess = () => { opening.result.close(); resolve(); };
            };
          };
        })"""
    )
    with page.expect_response(lambda answer: answer.url.endswith("/a/submit")):
        page.reload()
    assert emptied(page)
    assert answers_of(stack, code) == [["submitted", "yes", {"GV1": 4}]]


def test_a_link_on_a_shared_device_speaks_the_language_asked_for(
    browser: Browser, stack: Stack, axe: Callable[[Page], None], meetings: Meetings
) -> None:
    code, _leading, link = next(meetings)
    context = browser.new_context(base_url=stack.url, locale="nl-NL", viewport=SIZES["phone"])
    page = context.new_page()
    page.goto(f"/a/{code}?shared=yes")
    page.goto(link)
    page.locator("form.language button").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    axe(page)
    page.locator("form.start button").click()
    page.wait_for_url(QUESTIONS)
    page.go_back()
    page.wait_for_load_state()
    expect(page.locator("h1")).to_have_text("Open the link in your email again")
    context.close()
