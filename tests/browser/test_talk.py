"""The team talk: nothing typed is lost, and a subject is one screen, in the room and on a phone."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Stack
from tests.browser.people import Axe, Person

FOURTEEN, SIX = "hanneke.brouwer@polderrand.example", "babette.vanvliet@vlietlanden.example"
ROOMS = [(1280, 720), (1366, 768), (1920, 1080)]
LONG = "“Als wij het in een overleg niet eens worden, zoeken we samen uit hoe dat komt voordat we verder gaan” heeft het laagste cijfer (2,1). "
LONG += "Wat valt jullie daaraan op, en wie heeft een voorbeeld van een keer dat het juist heel anders ging dan de anderen zeggen?"


@pytest.fixture
def faults() -> Iterator[list[str]]:
    faults: list[str] = []
    yield faults
    # a dead line is part of these tests
    ours = ("net::ERR_FAILED", "net::ERR_INTERNET_DISCONNECTED")
    faults = [fault for fault in faults if not any(our in fault for our in ours)]
    assert not faults, "\n\n".join(faults)


_SIGNED_IN: dict[str, list[Any]] = {}


def talk_of(email: str, browser: Browser, stack: Stack, axe: Axe, faults: list[str]) -> Person:
    """A leader at the beginning of the talk. Signed in once: few codes are mailed to one address."""
    person = Person(browser, stack, axe, faults)
    if email in _SIGNED_IN:
        person.context.add_cookies(_SIGNED_IN[email])
        person.page.goto("/start")
    else:
        person.sign_in_by_code(email)
        _SIGNED_IN[email] = person.context.cookies()
    if "/team/" not in person.page.url:  # in two waves
        person.page.locator("main a[href*='/team/']").first.click()
        person.page.wait_for_url("**/team/*/")
    person.page.goto(f"{person.page.url}talk")
    return person


@pytest.fixture
def leader(browser: Browser, stack: Stack, axe: Axe, faults: list[str]) -> Iterator[Person]:
    person = talk_of(SIX, browser, stack, axe, faults)
    yield person
    person.leave()


@pytest.fixture
def other(browser: Browser, stack: Stack, axe: Axe, faults: list[str], leader: Person) -> Iterator[Person]:
    """The same leader at another machine."""
    person = talk_of(SIX, browser, stack, axe, faults)
    yield person
    person.leave()


class Subject:
    """One subject's screen, with its form open."""

    def __init__(self, page: Page, n: int) -> None:
        self.page, self.n = page, n
        page.goto(f"{page.url.split('?')[0]}?n={n}")
        self.screen = page.locator("[data-screen]").nth(n)
        self.steps, self.target = self.screen.locator("[name=next_steps]"), self.screen.locator("[name=target]")
        self.state = self.screen.locator("[data-state]")
        self.open()

    def open(self) -> None:
        if self.screen.locator("details.goal:not([open])").count():
            self.screen.locator("details.goal summary").click()

    def again(self) -> None:
        self.page.reload()
        self.open()

    def said(self, state: str) -> None:
        expect(self.state).to_have_attribute("data-state", state)

    def empty(self) -> None:
        self.steps.fill("")
        self.target.fill("")
        self.page.locator("[data-go=next]").click()
        expect(self.screen).to_be_hidden()


# ------------------------------------------------------------------------------------------------ nothing is lost
def test_what_is_typed_is_kept(leader: Person) -> None:
    page, subject = leader.page, Subject(leader.page, 2)

    # by "Next", at once, and by an arrow key
    subject.steps.fill("Elke maand een les bekijken.")
    page.locator("[data-go=next]").click()
    expect(page).to_have_url(re.compile(r"n=3$"))
    page.locator("[data-go=prev]").click()
    expect(page).to_have_url(re.compile(r"n=2$"))
    subject.again()
    expect(subject.steps).to_have_value("Elke maand een les bekijken.")
    subject.steps.fill("Elke week.")
    subject.screen.locator("h2").click()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"n=3$"))
    page.go_back()
    expect(subject.steps).to_have_value("Elke week.")

    # by itself; what stands at the end is what was written
    subject.steps.fill("Elke week een les.")
    subject.said("saved")
    leader.look()
    subject.again()
    expect(subject.steps).to_have_value("Elke week een les.")
    for _screen in range(10):
        page.locator("h1").click()
        page.keyboard.press("PageDown")
    expect(page.locator("tr[data-of='2'] [data-steps]")).to_have_text("Elke week een les.")

    # what the server does not take stays, is said, and nothing goes on over it
    subject = Subject(page, 2)
    subject.target.fill("9")
    page.locator("[data-go=next]").click()
    subject.said("refused")
    expect(subject.state).to_contain_text("De score die we de volgende keer willen halen")
    expect(subject.target).to_be_focused()
    subject.target.fill("")
    subject.said("")  # as it was before

    # a session that is over: said, kept, and saved once somebody signed in in another tab
    cookies = leader.context.cookies()
    leader.context.clear_cookies(name="sessionid")
    subject.steps.fill("Elke week drie lessen.")
    subject.said("out")
    leader.look()
    leader.context.add_cookies([cookie for cookie in cookies if cookie["name"] == "sessionid"])
    subject.said("saved")
    subject.again()
    expect(subject.steps).to_have_value("Elke week drie lessen.")
    subject.empty()


def test_the_talk_goes_on_without_a_network(leader: Person) -> None:
    page, subject = leader.page, Subject(leader.page, 1)
    leader.context.set_offline(True)
    subject.steps.fill("Zonder netwerk.")
    subject.said("failed")
    name = subject.screen.locator("h2").inner_text()
    page.locator("[data-go=next]").click()
    expect(page).to_have_url(re.compile(r"n=2$"))
    expect(page.locator("[data-unsaved]")).to_have_text(f"Nog niet opgeslagen: {name}")
    page.locator("[data-go=prev]").click()
    expect(subject.steps).to_have_value("Zonder netwerk.")
    expect(page.locator("[data-unsaved]")).to_have_text("")
    leader.context.set_offline(False)
    subject.said("saved")

    # a page that is loaded anew before the server took it has it from the tab
    page.route("**/*", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    subject.steps.fill("Zonder netwerk, en herladen.")
    subject.said("failed")
    page.unroute_all()
    page.route("**/*", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.reload()
    expect(subject.steps).to_have_value("Zonder netwerk, en herladen.")
    page.unroute_all()
    subject.open()
    subject.said("saved")
    page.reload()
    expect(subject.steps).to_have_value("Zonder netwerk, en herladen.")
    subject.open()
    subject.empty()


def test_two_who_write_lose_nothing(leader: Person, other: Person) -> None:
    screen, laptop = Subject(leader.page, 3), Subject(other.page, 3)

    # in two fields: both stay, however often either goes on
    screen.steps.fill("Elke week.")
    screen.said("saved")
    laptop.target.fill("3.5")
    laptop.said("saved")
    expect(laptop.steps).to_have_value("Elke week.")
    expect(laptop.state).to_contain_text("Wat intussen ergens anders is ingevuld")
    screen.steps.fill("Elke week een les.")
    expect(screen.target).to_have_value("3.5")
    screen.said("saved")

    # in the same field: both texts are shown, and nothing is written before somebody chose
    laptop.steps.fill("Een keer per maand.")
    laptop.page.locator("[data-go=next]").click()
    both = laptop.screen.locator("[data-two-texts]")
    expect(both).to_contain_text("Een keer per maand.")
    expect(both).to_contain_text("Elke week een les.")
    laptop.said("conflict")
    expect(laptop.screen).to_be_visible()
    other.look()
    laptop.steps.fill("Elke week een les, en een keer per maand met allen.")
    laptop.page.wait_for_timeout(1500)
    laptop.said("conflict")
    laptop.screen.locator("form [type=submit]").click()
    laptop.said("saved")
    expect(both).to_have_count(0)

    # what one wrote into both fields is kept in the other, whatever is chosen of the first
    screen.again()
    screen.target.fill("3.0")
    screen.steps.fill("Elke dag.")
    screen.said("saved")
    laptop.steps.fill("Elke week een les, en een keer per maand met allen.\nWe beginnen in mei.")
    laptop.said("conflict")
    expect(laptop.target).to_have_value("3.0")
    laptop.screen.locator("form [type=submit]").click()
    laptop.said("saved")
    laptop.again()
    expect(laptop.target).to_have_value("3.0")
    laptop.steps.fill("Elke week een les, en een keer per maand met allen.")
    laptop.target.fill("3.5")
    laptop.said("saved")

    # who comes by hears of it; and may leave it to the other
    screen.page.locator("[data-go=next]").click()
    screen.page.locator("[data-go=prev]").click()
    expect(screen.steps).to_have_value("Elke week een les, en een keer per maand met allen.")
    screen.steps.fill("Eens.")
    screen.said("saved")
    laptop.steps.fill("Anders.")
    laptop.said("conflict")
    laptop.screen.locator("[name=take]").check()
    laptop.screen.locator("form [type=submit]").click()
    laptop.said("saved")
    expect(laptop.steps).to_have_value("Eens.")
    expect(laptop.target).to_have_value("3.5")
    laptop.empty()


# ------------------------------------------------------------------------------------------------ one screen
def lacks(page: Page) -> int:
    """By how much a page is higher or wider than its window."""
    return int(
        page.evaluate(
            "() => { const page = document.scrollingElement;"
            " return Math.max(page.scrollHeight - page.clientHeight, page.scrollWidth - page.clientWidth) }"
        )
    )


def hidden_parts(page: Page) -> list[str]:
    """What stands on the screen and is cut off: a part beyond the window, or one that scrolls by itself."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll("[data-screen]:not([hidden]) *, [data-bar] *")].filter((part) => {
              const { width, height, bottom, right } = part.getBoundingClientRect();
              const drawn = width > 1 && height > 1 && !part.closest(".visually-hidden, details:not([open]) > :not(summary)");
              const scrolls = getComputedStyle(part).overflowY === "auto" && part.scrollHeight > part.clientHeight + 1;
              return drawn && (scrolls || bottom > innerHeight + 1 || right > innerWidth + 1);
            }).map((part) => part.outerHTML.slice(0, 120))"""
        )
    )


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_subject_is_one_screen(browser: Browser, stack: Stack, axe: Axe, faults: list[str], language: str) -> None:
    person = talk_of(FOURTEEN, browser, stack, axe, faults)
    page, address = person.page, person.page.url
    person.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
    n_screens = page.locator("[data-screen]").count()
    for width, height in ROOMS:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", language)
        for n in range(n_screens):
            screen = page.locator("[data-screen]").nth(n)
            expect(screen).to_be_visible()
            assert (lacks(page), hidden_parts(page)) == (0, []), f"screen {n} at {width}×{height}"
            if screen.locator("[data-questions]").count():
                assert screen.locator("[data-questions] > li:visible").count() == 1
                chart, question = screen.locator("figure"), screen.locator(".talk-question")
                left, right = chart.bounding_box(), question.bounding_box()
                assert left
                assert right
                assert left["x"] + left["width"] <= right["x"]
                assert left["width"] > width * 0.5
                # with a long question, and with the form beside it
                screen.locator("[data-questions] > li:visible").evaluate(
                    "(li, words) => { li.textContent = words; li.className = 'long' }", LONG
                )
                assert (lacks(page), hidden_parts(page)) == (0, []), f"long question {n} at {width}×{height}"
                screen.locator("details.goal summary").click()
                expect(screen.locator("form [type=submit]")).to_be_in_viewport()
                assert lacks(page) == 0
            page.locator("h1").click()
            page.keyboard.press("ArrowRight")
    # a subject of which nothing is shown
    page.goto(f"{address}?n=1")
    page.locator("[data-screen]").nth(1).locator("figure").evaluate("figure => figure.remove()")
    assert (lacks(page), hidden_parts(page)) == (0, [])
    person.leave()


def test_on_a_phone(browser: Browser, stack: Stack, axe: Axe, faults: list[str]) -> None:
    person = talk_of(FOURTEEN, browser, stack, axe, faults)
    page, address = person.page, person.page.url
    page.set_viewport_size({"width": 360, "height": 740})
    for n in range(page.locator("[data-screen]").count()):
        page.goto(f"{address}?n={n}")
        axe(page)
        for drawer in page.locator("[data-screen]:not([hidden]) details > summary").all():
            drawer.click()
            axe(page)
    # PageDown goes through a page that is higher than the window before it goes on
    page.goto(f"{address}?n=1")
    page.keyboard.press("PageDown")
    expect(page).to_have_url(re.compile(r"n=1$"))
    page.keyboard.press("End")
    page.wait_for_function("() => scrollY + innerHeight >= document.scrollingElement.scrollHeight - 1")
    page.keyboard.press("PageDown")
    expect(page).to_have_url(re.compile(r"n=2$"))
    person.leave()


def test_the_legend_names_what_is_drawn(browser: Browser, stack: Stack, axe: Axe, faults: list[str]) -> None:
    for email in (FOURTEEN, SIX):
        person = talk_of(email, browser, stack, axe, faults)
        charts = person.page.locator("[data-screen] img.chart")
        assert charts.count() >= 4
        for chart in charts.all():
            source = chart.get_attribute("src") or ""
            drawing = base64.b64decode(source.split(",", 1)[1]).decode()
            for mark in ("own", "interval", "target", "previous", "benchmark", "sector"):
                # once in the legend and once at its value, or not at all
                assert drawing.count(f'class="{mark}"') in (0, 2), mark
        person.leave()


# ------------------------------------------------------------------------------------------------ keys
def test_keys_and_clicker(leader: Person) -> None:
    page, address = leader.page, leader.page.url
    page.set_viewport_size({"width": 1280, "height": 720})

    def at(n: int) -> None:
        expect(page.locator("[data-screen]").nth(n)).to_be_visible()
        expect(page.locator("[data-place]")).to_contain_text(f"{n + 1} van ")

    for key, n in (("ArrowRight", 1), ("PageDown", 2), ("PageUp", 1), ("ArrowLeft", 0), ("PageUp", 0), ("PageDown", 1)):
        page.keyboard.press(key)
        at(n)
    page.keyboard.press("Control+ArrowRight")
    at(1)

    # never while somebody writes
    subject = Subject(page, 1)
    subject.steps.fill("ab")
    for key in ("ArrowLeft", "PageDown", "PageUp", "ArrowRight"):
        subject.steps.press(key)
    subject.steps.press("c")
    at(1)
    expect(subject.steps).to_be_focused()
    subject.said("saved")
    page.keyboard.press("Escape")
    expect(subject.screen.locator("details.goal")).not_to_have_attribute("open", "")
    subject.open()
    subject.empty()
    at(2)

    # full screen, which going on does not leave
    page.goto(address)
    page.locator("[data-full]").click()
    page.wait_for_function("() => document.fullscreenElement")
    expect(page.locator("[data-full]")).to_have_text("Volledig scherm uit")
    page.keyboard.press("PageDown")
    at(1)
    assert page.evaluate("Boolean(document.fullscreenElement)")
    page.locator("[data-full]").click()
    page.wait_for_function("() => !document.fullscreenElement")


def test_without_a_script_each_screen_is_a_page(browser: Browser, stack: Stack, leader: Person) -> None:
    state: Any = leader.context.storage_state()
    plain = browser.new_context(base_url=stack.url, java_script_enabled=False, storage_state=state)
    page = plain.new_page()
    page.goto(f"{leader.page.url}?n=4")
    steps = page.locator("[data-screen]:not([hidden]) [name=next_steps]")
    page.locator("[data-screen]:not([hidden]) details.goal summary").click()
    steps.fill("Zonder script.")
    page.locator("[data-go=next]").click()
    expect(page.locator("tr[data-of='4'] [data-steps]")).to_have_text("Zonder script.")
    page.locator("[data-go=prev]").click()
    expect(steps).to_have_value("Zonder script.")
    page.locator("[data-screen]:not([hidden]) details.goal summary").click()
    steps.fill("")
    page.locator("[data-go=next]").click()
    expect(page.locator("tr[data-of='4'] [data-steps]")).to_have_text("–")
    plain.close()
