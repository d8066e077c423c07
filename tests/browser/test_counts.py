"""The facilitator's counts: when they cannot be asked for, the page says that they stand still."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser


def test_counts_that_stand_still_say_so(
    context: BrowserContext, axe: Callable[[Page], None], meeting: tuple[str, str, str]
) -> None:
    page = context.new_page()
    page.goto(meeting[1])
    words = page.locator("[data-stale] span")
    expect(words).to_be_hidden()
    context.set_offline(True)
    expect(words).to_be_visible(timeout=30_000)
    axe(page)
    context.set_offline(False)
    expect(words).to_be_hidden(timeout=30_000)
