"""A device whose store never answers, as Safari's does after a page was left at the wrong moment: nobody waits for it."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.meetings import begin, eligible

pytestmark = pytest.mark.browser
SILENT = """
const transaction = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...what) {
  const begun = transaction.apply(this, what);
  for (const name of ["oncomplete", "onerror", "onabort"]) Object.defineProperty(begun, name, { set() {} });
  return begun;
};
"""


def test_a_store_that_never_answers_holds_up_nobody(context: BrowserContext, meeting: tuple[str, str, str]) -> None:
    page = context.new_page()
    page.add_init_script(SILENT)
    begin(page, meeting[0])
    page.wait_for_timeout(6000)  # the page has given up asking it for a draft
    eligible(page)
    expect(page.locator("#saved")).to_have_text("Opgeslagen", timeout=30_000)
    page.locator(".step.now [value=back]").click()
    page.locator("label:has([name=eligibility][value=no_too_short])").click()
    page.locator(".step.now [value=next]").click()
    page.wait_for_url("**/done", timeout=30_000)
    expect(page.locator("h1")).to_be_visible()
