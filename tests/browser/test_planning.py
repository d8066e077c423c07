"""Director, leader and researcher agree on a meeting; every page they meet is looked at in both languages, without faults.

With them the pages on which somebody stops taking part, the counts of a team corrected, and duplicates merged.
"""

import secrets
from collections.abc import Callable
from datetime import date, timedelta

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Stack
from tests.browser.people import Person

#: Names without a blank, so that a page that scrolls sideways on a phone is found.
LONG = "buitengewoonlangenaamzonderspatie" * 3
HEADER = "instelling;academie;sector;directeur;e-mail directeur;opleiding;vorm;teamleider;e-mail teamleider\n"


def both(person: Person, path: str = "") -> Page:
    """Look at a page in Dutch and in English; it stays in Dutch."""
    page = person.look(path)
    unfold(page)
    for language in ("English", "Nederlands"):
        page.get_by_role("button", name=language).click()
        expect(page.locator("html")).to_have_attribute("lang", "en" if language == "English" else "nl")
        if language == "English":
            unfold(page)
            person.look()
    return page


def unfold(page: Page) -> None:
    folded = page.locator("main details:not([open]) > summary")
    for _n in range(folded.count()):
        folded.first.click()


def test_a_meeting_is_agreed_on(browser: Browser, stack: Stack, axe: Callable[[Page], None]) -> None:
    faults: list[str] = []
    name = f"p{secrets.token_hex(4)}"
    roos = Person(browser, stack, axe, faults)
    page = roos.page
    roos.sign_in_as_researcher()

    # ---- a study with two teams that are one by a slip of the pen
    page.goto("/studies/new")
    roos.fill(
        title=f"Plannen {name}{LONG}",
        starts_on="2026-09-01",
        ends_on="2028-06-30",
        controller="Hogeschool Noord",
        privacy_contact="fg@noord.example",
        contact_email="roos@noord.example",
    )
    roos.press("form:has([name=title])")
    study = page.url.removeprefix(stack.url).removesuffix("/teams/")
    row = f"Hogeschool {name}{LONG};Academie{LONG};zorg;Dirk;dirk@{name}.example;%s;voltijd;Zoë;zoe@{name}.example\n"
    page.goto(f"{study}/teams/import")
    file = HEADER + row % f"Verpleegkunde{LONG}" + row % f"Verplegkunde{LONG}"
    page.locator("[name=file]").set_input_files(
        {"name": "contacts.csv", "mimeType": "text/csv", "buffer": file.encode("latin-1")}
    )
    roos.press("form:has([name=file])")
    roos.press("main button[name=apply]")
    both(roos, f"{study}/teams/duplicates")
    roos.follow("main tbody tr:has-text('Verplegkunde') a")
    both(roos)
    roos.follow("main .alert a.btn-primary")  # both are in this study: it makes one of them
    both(roos)
    page.locator("main [name=leader]").first.check()
    page.locator("main [name=sure]").check()
    roos.press("form:has([name=sure])")
    both(roos)
    page.goto(f"{study}/teams/duplicates")
    expect(page.locator("main tbody")).to_have_count(0)
    page.goto(f"{study}/questionnaire")
    page.locator("[name=version]").first.check()
    roos.press("form:has([name=version])")
    page.goto(f"{study}/teams/")
    roos.press("form[action$='/invite']")

    # ---- the director gives permission, and sees how to take it back
    dirk = Person(browser, stack, axe, faults, "phone")
    dirk.page.goto(stack.link(f"dirk@{name}.example", "/i/"))
    both(dirk)
    dirk.page.locator("[name=undertaking]").check()
    dirk.press("form:has([name=undertaking])")
    both(dirk)

    # ---- the leader takes part, with a researcher
    zoe = Person(browser, stack, axe, faults, "phone")
    zoe.page.goto(stack.link(f"zoe@{name}.example", "/i/"))
    both(zoe)
    zoe.fill(mode="researcher", approached="12")
    zoe.page.locator("[name=undertaking]").check()
    zoe.press("form:has([name=undertaking])")
    both(zoe)
    zoe.sign_in_by_code(f"zoe@{name}.example")
    zoe.page.locator("main a", has_text=f"Plannen {name}").first.click() if "/team/" not in zoe.page.url else None
    both(zoe)
    zoe.follow("main a[href$='/meeting']")
    both(zoe)
    day = date.today() + timedelta(days=3)
    zoe.page.locator("[name=dates-date_1]").fill(f"{day}T14:00")
    zoe.page.locator("[name=dates-room]").fill("B1.12")
    zoe.press("main button[name=propose]")
    both(zoe)

    # ---- the researcher sees it wait, offers times, and fixes the date
    expect(roos.look(study + "/").locator(".waiting")).to_contain_text("1 teamleider stelt data")
    both(roos, f"{study}/meetings/")
    roos.fill(day=str(day + timedelta(days=1)), times="9:00, 10:30")
    roos.press("form:has([name=times])")
    roos.press("form[action$='/feed']")
    both(roos)
    roos.follow("main table a[href*='/meetings/']")
    both(roos)
    page.locator("[name=fix-date]").first.check()
    roos.press("main button[name=fix]")
    both(roos)
    both(roos, f"{study}/meetings/?show=coming")
    expect(both(roos, study + "/").locator("#week ~ .table-responsive")).to_contain_text("B1.12")

    # ---- it is in the leader's mail, and can be moved to a time that is offered
    assert "B1.12" in stack.mail(f"zoe@{name}.example", "Teamoverleg").text
    zoe.look(zoe.page.url.removeprefix(stack.url))
    zoe.page.locator("[name=slot-slot]").first.check()
    zoe.press("main button[name=slot]")
    both(zoe)
    zoe.press("main button[name=call_off]")
    expect(zoe.page.locator("main")).to_contain_text("afgezegd")
    both(zoe)
    assert "gaat niet door" in stack.mail(f"zoe@{name}.example", "Gaat niet door").text
    for person in (roos, dirk, zoe):
        person.leave()
    assert not faults, "\n\n".join(faults)


def test_stopping_and_counts_have_no_faults(browser: Browser, stack: Stack, axe: Callable[[Page], None]) -> None:
    faults: list[str] = []
    roos = Person(browser, stack, axe, faults)
    roos.sign_in_as_researcher()
    roos.page.goto("/studies/demo/accounts?by=team")
    both(roos, roos.page.locator("main a[href*='/accounts/']:not([href*='.'])").first.get_attribute("href") or "")
    roos.fill(approached="1", refused="2", reason="")
    roos.press("form:has([name=refused])")
    both_of_errors = roos.look()
    expect(both_of_errors.locator(".invalid-feedback").first).to_be_visible()
    roos.page.goto("/studies/demo/teams/?state=accepted")
    team = roos.page.locator("main tbody a[href*='/teams/']").first.get_attribute("href") or ""
    both(roos, team)
    roos.page.goto("/studies/demo/teams/?state=accepted")
    both(roos, roos.page.locator("main a[href*='/academies/']:not([href$='/new'])").first.get_attribute("href") or "")
    for path in ("/studies/demo/collecting/?state=sealed", "/studies/demo/accounts", "/studies/demo/"):
        both(roos, path)
    roos.leave()
    assert not faults, "\n\n".join(faults)
