"""Every report page of the demo against axe, in both languages, on a phone and a desk: leaders, colleagues, directors.

The leaders of 14, 6 and 4 answers and of a combined team; what a shared link opens, and what it opens when it has ended.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SIZES, Stack
from tests.browser.people import Person

Axe = Callable[[Page], None]
FOURTEEN, SIX = "hanneke.brouwer@polderrand.example", "babette.vanvliet@vlietlanden.example"
FOUR, COMBINED = "dirk.oosterling@polderrand.example", "klaas.buwalda@waddenkust.example"


def look(page: Page, axe: Axe, path: str, status: int = 200) -> None:
    """A page in Dutch on a phone and in English on a desk, with everything unfolded."""
    for language, size in zip(("nl", "en"), SIZES.values(), strict=True):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status, path
        expect(page.locator("html")).to_have_attribute("lang", language)
        page.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
        page.set_viewport_size(size)
        axe(page)
    page.context.clear_cookies(name="django_language")


@pytest.mark.parametrize("email", [FOURTEEN, SIX, FOUR, COMBINED])
def test_what_a_leader_sees(browser: Browser, stack: Stack, axe: Axe, email: str) -> None:
    faults: list[str] = []
    leader = Person(browser, stack, axe, faults)
    page = leader.page
    leader.sign_in_by_code(email)
    if "/team/" not in page.url:  # in two waves: the one of this year, but the combination is of the year before
        links = page.locator("main a[href*='/team/']")
        (links.last if email == COMBINED else links.first).click()
        page.wait_for_url("**/team/*/")
    team = page.url.removeprefix(stack.url)
    look(page, axe, f"{team}report")
    if email == FOUR:
        assert page.locator("main img").count() == 0
        look(page, axe, team)
    else:
        for chart in page.locator("main figure").all():  # a table beside each chart
            expect(chart.locator("xpath=following::table[1]")).to_have_count(1)
    if email == COMBINED:
        expect(page.locator("main")).to_contain_text("Civiele Techniek")
    if email == FOURTEEN:
        for n in (0, 1, 5):
            look(page, axe, f"{team}talk?n={n}")
        page.goto(team)
        leader.press("form[action$='/share']")
        address = page.locator(".share-address").first.inner_text().removeprefix(stack.url)
        colleague = Person(browser, stack, axe, faults, "phone")
        colleague.page.goto(address)
        shared = colleague.page.url.removeprefix(stack.url)
        look(colleague.page, axe, shared)
        look(colleague.page, axe, f"{shared}talk?n=1")
        expect(colleague.page.locator("form:not(.language)")).to_have_count(0)
        page.goto(team)
        leader.press("form[action$='/revoke']")
        look(colleague.page, axe, shared, 404)
        colleague.leave()
    leader.leave()
    assert not faults, "\n\n".join(faults)


def test_what_directors_and_everybody_see(browser: Browser, stack: Stack, axe: Axe) -> None:
    """Of five teams, of two of which one is too small, and of the whole study: as the researcher's previews show them."""
    faults: list[str] = []
    researcher = Person(browser, stack, axe, faults)
    page = researcher.page
    researcher.sign_in_as_researcher()
    for name, n_charts in (
        ("Voor de directeur van Academie voor Educatie", 3),
        ("Voor de directeur van Academie voor Voeding en Platteland", 0),
        ("Rapport over alle teams", 3),
    ):
        page.goto("/studies/demo/publish")
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url("**/publish/**")
        look(page, axe, page.url.removeprefix(stack.url))
        assert page.locator("main figure").count() == n_charts, name
    researcher.leave()
    assert not faults, "\n\n".join(faults)
