"""Closing a meeting for good: the button waits with the counts, and what was typed stays while they are asked for."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Stack
from tests.browser.meetings import begin, in_product

pytestmark = pytest.mark.browser
MAY_SEE = """
from surveys.models import Invitee, Survey
Invitee.objects.filter(collection__meeting__code={code!r}).delete()
Survey.objects.filter(collections__meeting__code={code!r}).update(mirror=True)
"""
HAND_IN = """
from surveys.models import Response
Response.objects.filter(collection__meeting__code={code!r}).update(state="submitted")
"""


def test_the_button_waits_until_nobody_answers_and_closes_for_good(
    context: BrowserContext, axe: Callable[[Page], None], stack: Stack, meeting: tuple[str, str, str]
) -> None:
    code, facilitators, _link = meeting
    in_product(stack.url, stack.var, MAY_SEE.format(code=code))
    page, teacher = context.new_page(), context.new_page()
    page.goto(facilitators)
    expect(page.locator("#mirror")).to_contain_text("niemand antwoorden ingeleverd")
    expect(page.locator("#mirror button")).to_be_disabled()
    axe(page)
    begin(teacher, code)
    expect(page.locator("#mirror")).to_contain_text("1 persoon is nog bezig")
    in_product(stack.url, stack.var, HAND_IN.format(code=code))
    page.locator("#mirror summary").click()
    axe(page)
    count, close = page.locator("#mirror [name=show-present]"), page.locator("#mirror [type=submit]")
    count.fill("9")
    page.wait_for_timeout(2500)  # the counts were asked for once more
    expect(count).to_have_value("9")
    expect(count).to_be_focused()
    close.click()
    page.wait_for_load_state()
    page.goto(facilitators)
    expect(page.get_by_role("heading", name="De antwoorden zijn verzegeld")).to_be_visible(timeout=60_000)
    expect(page.locator("#mirror")).to_have_count(0)
