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
#: Pixels of a report on a phone before anything is unfolded: two minutes to read. One over several teams ends with next steps.
MOST_OF_A_TEAM, MOST_OF_TEAMS = 5000, 5500
LEAST_TEXT = 13  # pixels of the words in a chart, as they are shown
SMALLEST_WORDS = r"""() => Math.min(...[...document.querySelectorAll("main img.chart, main img.bar")]
  .filter((picture) => picture.checkVisibility())
  .flatMap((picture) => {
    const drawn = atob(picture.currentSrc.split(",")[1]).matchAll(/<text[^>]* font-size="([\d.]+)"/g);
    const shown = picture.getBoundingClientRect().width / picture.naturalWidth;
    return [...drawn].map(([, size]) => size * shown);
  }))"""


def look(page: Page, axe: Axe, path: str, status: int = 200, *, most: int = 0) -> None:
    """A page in Dutch on a phone and in English on a desk, with everything unfolded. ``most``: of a report, on a phone, folded."""
    for language, size in zip(("nl", "en"), SIZES.values(), strict=True):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status, path
        expect(page.locator("html")).to_have_attribute("lang", language)
        page.set_viewport_size(size)
        if most and language == "nl":
            assert page.evaluate("document.documentElement.scrollHeight") <= most, path
        page.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
        axe(page)
        if most:
            page.wait_for_function("[...document.images].every((picture) => picture.complete)")
            assert page.evaluate(SMALLEST_WORDS) >= LEAST_TEXT, (path, size)
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
    look(page, axe, f"{team}report", most=0 if email == FOUR else MOST_OF_A_TEAM)
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
        look(colleague.page, axe, shared, most=MOST_OF_A_TEAM)
        look(colleague.page, axe, f"{shared}talk?n=1")
        expect(colleague.page.locator("form:not(.language)")).to_have_count(0)
        page.goto(team)
        leader.press("form[action$='/revoke']")
        look(colleague.page, axe, shared, 404)
        colleague.leave()
    leader.leave()
    assert not faults, "\n\n".join(faults)


def test_what_directors_and_everybody_see(browser: Browser, stack: Stack, axe: Axe) -> None:
    """Of five teams, of two of which one is too small, and of the whole study: as the researcher's previews show them.

    One chart of all subjects, and one of each.
    """
    faults: list[str] = []
    researcher = Person(browser, stack, axe, faults)
    page = researcher.page
    researcher.sign_in_as_researcher()
    for name, n_charts in (
        ("Voor de directeur van Academie voor Educatie", 5),
        ("Voor de directeur van Academie voor Voeding en Platteland", 0),
        ("Rapport over alle teams", 5),
    ):
        page.goto("/studies/demo/publish")
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url("**/publish/**")
        look(page, axe, page.url.removeprefix(stack.url), most=MOST_OF_TEAMS)
        assert page.locator("main figure").count() == n_charts, name
    researcher.leave()
    assert not faults, "\n\n".join(faults)


def test_a_report_is_printed_unfolded_and_its_contents_stay_in_view(browser: Browser, stack: Stack, axe: Axe) -> None:
    """By keyboard too: the contents lead to a subject, and Enter unfolds it."""
    faults: list[str] = []
    leader = Person(browser, stack, axe, faults, "phone")
    leader.sign_in_by_code(SIX)
    page = leader.page
    page.goto(f"{page.url.removeprefix(stack.url)}report")
    contents = page.locator("nav.contents")
    link = contents.locator("a").nth(3)
    link.focus()
    page.keyboard.press("Enter")
    heading = page.locator(link.get_attribute("href") or "")
    expect(heading).to_be_in_viewport()
    expect(contents).to_be_in_viewport()
    bar, title = contents.bounding_box(), heading.bounding_box()
    assert bar is not None
    assert title is not None
    assert title["y"] >= bar["y"] + bar["height"], "the contents lie over no heading"
    summary = page.locator("section.scale > details > summary").nth(2)
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("section.scale > details").nth(2)).to_have_attribute("open", "")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("article details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("section.scale > details[open]").count() == 1, "as it was before"
    leader.leave()
    assert not faults, "\n\n".join(faults)
