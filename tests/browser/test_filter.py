"""A proxy or a school's filter that answers in our place for a while: nothing kept on the device is lost, and all goes on."""

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.conftest import Stack
from tests.browser.meetings import LAST, begin, choose, eligible, onward
from tests.browser.test_offline import KEPT, answers_of, emptied, kept

pytestmark = pytest.mark.browser
BLOCKED = "<!doctype html><title>403</title><h1>Blocked by the school</h1>"


def test_a_filter_that_answers_403_for_a_while_loses_nothing(
    context: BrowserContext, stack: Stack, meeting: tuple[str, str, str]
) -> None:
    asked: list[str] = []

    def block(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        asked.append(route.request.url.rpartition("/")[2])
        return route.fulfill(status=403, content_type="text/html", body=BLOCKED)

    page = context.new_page()
    begin(page, meeting[0])
    with page.expect_response("**/save"):
        eligible(page)
    context.route("**/a/**", block)
    choose(page, 1)
    onward(page)
    expect(page.locator("#saved")).to_have_class(KEPT)
    page.locator("details.delete summary").click()
    page.locator("button.danger").click()  # nor is anything deleted by the filter's word
    expect(page.locator("#trouble")).to_be_visible()
    for _step in range(3, LAST):
        onward(page)
    page.locator(".step.now [value=submit]").click()
    expect(page.locator(".step.now [value=submit]")).to_be_disabled()
    page.close()
    page = context.new_page()
    page.goto("/a/")  # every page sends what waits, and is answered by the filter
    expect(page.locator("#kept")).to_be_visible()
    assert {"save", "submit", "delete"} <= set(asked)
    [draft] = kept(page)
    assert draft["handingIn"]
    given = {f"GV{n}": 2 for n in range(1, 7)}
    assert draft["now"] == {"eligibility": "yes", **given}
    context.unroute("**/a/**")
    page.reload()
    assert emptied(page), "handed in, and then forgotten"
    assert answers_of(stack, meeting[0]) == [["submitted", "yes", given]]
