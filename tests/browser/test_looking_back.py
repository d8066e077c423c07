"""A team picks its day at the talk, and looks back: its leader, and by link a colleague who asked, on a phone and by keyboard."""

import datetime
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.setup import ROOT
from tests.browser.conftest import Stack
from tests.browser.people import Axe, Person
from tests.browser.test_reports import SIX
from tests.browser.test_talk import Subject

ASKED = "ayse@vlietlanden.example"
# The day has come: the form takes none before tomorrow
COME = f"""
from django.utils import timezone
from analysis.looking_back import dates
from analysis.models import LookBack, LookBackReader
reader = LookBackReader.objects.get(email="{ASKED}")
LookBack.objects.filter(pk=reader.look_back_id).update(on=timezone.localdate())
print("path:", dates.path_of(reader))
"""


@pytest.fixture
def faults() -> Iterator[list[str]]:
    faults: list[str] = []
    yield faults
    faults = [fault for fault in faults if "net::ERR_FAILED" not in fault]  # a dead line is part of this
    assert not faults, "\n\n".join(faults)


def dead(page: Page) -> None:
    """No line to the server for what the page's script sends."""
    page.route("**/*", lambda route: route.abort() if route.request.method == "POST" else route.continue_())


def day_comes(stack: Stack) -> str:
    """Let the day of the look-back be today. Returns the path of the link that who asked for it gets."""
    env = {**os.environ, "TEAMSPIEGEL_VAR": str(stack.var), "DJANGO_SETTINGS_MODULE": "config.settings"}
    env.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", "shell", "-c", COME]
    out = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert "path:" in out.stdout, out.stderr
    return out.stdout.split("path:")[1].strip()


def test_a_team_picks_its_day_and_looks_back(browser: Browser, stack: Stack, axe: Axe, faults: list[str]) -> None:
    leader, colleague = Person(browser, stack, axe, faults), Person(browser, stack, axe, faults, "phone")
    leader.sign_in_by_code(SIX)
    if "/team/" not in leader.page.url:
        leader.follow("main a[href*='/team/']")
    looks_back(leader, colleague, lambda: day_comes(stack))
    colleague.leave()
    leader.leave()


def looks_back(leader: Person, colleague: Person, day_comes: Callable[[], str]) -> None:
    """From the talk to the page, beginning on the team's page. ``day_comes`` gives the path of the colleague's link."""
    page, team = leader.page, leader.page.url
    leader.look()

    # at the talk: a step, and on its last page the day
    page.goto(f"{team}talk")
    subject = Subject(page, 1)
    subject.steps.fill("- Elke maand een les bij elkaar bekijken\n- In het overleg om een voorbeeld vragen")
    expect(subject.state).to_have_attribute("data-state", "saved")
    page.goto(f"{team}talk?n={page.locator('[data-screen]').count() - 1}")
    page.locator("#look-back summary").click()
    in_ten_weeks = (datetime.date.today() + datetime.timedelta(weeks=10)).isoformat()
    expect(page.locator("[name=on]")).to_have_value(in_ten_weeks)
    page.locator("[name=others]").fill("geen adres")
    leader.press("form.look-back-day")
    leader.look()
    page.locator("[name=others]").fill(ASKED)
    leader.press("form.look-back-day")
    expect(page.locator("#look-back")).to_be_visible()

    # the leader says where a step stands, by the keyboard alone
    leader.look(f"{team}look-back")
    state = page.locator("[data-state]")
    first = page.locator(".look-back-step").first
    first.locator("input[type=radio]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Twee keer gelukt.")
    expect(state).to_have_attribute("data-state", "saved")
    dead(page)
    page.keyboard.type(" Nog niet opgeschreven.")
    expect(state).to_have_attribute("data-state", "failed")
    page.unroute_all()
    expect(state).to_have_attribute("data-state", "saved")

    # a colleague who asked for it, on a phone, by link
    theirs = colleague.page
    theirs.goto(day_comes())
    expect(theirs).to_have_url(re.compile(r"/l/\d+/$"))
    colleague.look()
    expect(theirs.locator(".look-back-step [type=text]").first).to_have_value(
        "Twee keer gelukt. Nog niet opgeschreven."
    )
    steps = theirs.locator(".look-back-step")
    steps.nth(1).locator("[value=dropped]").check()
    expect(theirs.locator("[data-state]")).to_have_attribute("data-state", "saved")
    steps.nth(0).locator("[type=text]").fill("Van een collega.")
    expect(theirs.locator("[data-state]")).to_have_attribute("data-state", "saved")

    # the leader's page is older: what both wrote is asked, and what the colleague alone wrote comes in
    page.locator(".look-back-step").nth(0).locator("[type=text]").fill("Van de leider.")
    expect(state).to_have_attribute("data-state", "conflict")
    expect(page.locator("main")).to_contain_text("Van een collega.")
    leader.look()
    page.locator("form[data-autosave] button[type=submit]").click()
    expect(state).to_have_attribute("data-state", "saved")
    expect(page.locator(".look-back-step").nth(0).locator("[type=text]")).to_have_value("Van de leider.")
    expect(page.locator(".look-back-step").nth(1).locator("[value=dropped]")).to_be_checked()
    steps.nth(1).locator("[value=under_way]").check()
    expect(theirs.locator("[data-state]")).to_have_attribute("data-state", "saved")
    page.locator(".look-back-step").nth(1).locator("[type=text]").fill("Geen tijd voor.")
    expect(page.locator(".look-back-step").nth(1).locator("[value=under_way]")).to_be_checked()
    theirs.reload()
    expect(theirs.locator(".look-back-step [type=text]").first).to_have_value("Van de leider.")
    expect(theirs.locator(".look-back-step").nth(1).locator("[value=under_way]")).to_be_checked()

    # the address goes, and with it the link
    colleague.press("form[action$='/leave']")
    colleague.look()
    assert theirs.goto("/l/1/") is not None
    expect(theirs.locator("h1")).to_have_text("Deze link werkt niet meer")
