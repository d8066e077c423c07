"""Steps 1 and 2 of the walk: a study is set up, a director and a team leader answer by link, the leader signs in."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from analysis.demo.load import RESEARCHER
from tests.browser.conftest import SIZES, Stack

Check = Callable[[Page], None]


@pytest.fixture
def name() -> str:
    """A word that no other journey on this stack uses."""
    return f"j{secrets.token_hex(4)}"


@pytest.fixture
def phone(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_viewport_size(SIZES["phone"])
    return page


@pytest.fixture
def researcher(page: Page, stack: Stack) -> Page:
    """Signed in, in English."""
    page.goto("/accounts/login/")
    page.get_by_role("button", name="English").click()
    page.locator("#id_login").fill(RESEARCHER)
    page.locator("#id_password").fill(stack.password)
    page.locator("#id_password").press("Enter")
    expect(page).to_have_url(re.compile(r"/(studies/|start)$"))
    return page


def make_study(page: Page, name: str, axe: Check) -> str:
    """Through the form; returns the path of its teams page."""
    page.goto("/studies/new")
    axe(page)
    for field, value in {
        "title": f"Learning {name}",
        "starts_on": "2026-09-01",
        "ends_on": "2027-06-30",
        "controller": "Hogeschool Noord",
        "privacy_contact": "fg@noord.example",
        "contact_email": "roos@noord.example",
    }.items():
        page.locator(f"#id_{field}").fill(value)
    page.get_by_role("button", name="Create the study").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Academies and teams")
    axe(page)
    teams = page.url
    page.goto(f"/studies/learning-{name}/questionnaire")
    page.locator("[name=version]").first.check()
    page.get_by_role("button", name="Save").click()
    page.goto(teams)
    return teams


def choose_file(page: Page, text: str) -> None:
    page.get_by_role("link", name="Import a file").first.click()
    file = {"name": "contacts.csv", "mimeType": "text/csv", "buffer": text.encode("latin-1")}
    page.locator("[name=file]").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()


def test_from_a_new_study_to_a_leader_who_is_signed_in(
    researcher: Page, phone: Page, stack: Stack, axe: Check, name: str
) -> None:
    page = researcher
    teams = make_study(page, name, axe)

    header = "instelling;academie;sector;directeur;e-mail directeur;opleiding;vorm;teamleider;e-mail teamleider\n"
    row = f"Hogeschool {name};Academie;zorg;Dirk;dirk@{name}.example;%s;voltijd;%s;%s@{name}.example\n"
    good = row % ("Verpleegkunde", "Zoë", "zoe") + row % ("Fysiotherapie", "Lars", "lars")
    choose_file(page, header + good + row.replace("zorg", "magie") % ("Logopedie", "Lou", "lou"))
    expect(page.get_by_text("Sector “magie” is unknown.")).to_be_visible()
    expect(page.get_by_role("button", name="Add these rows to the list")).to_have_count(0)
    page.goto(teams)
    choose_file(page, header + good)
    axe(page)
    page.get_by_role("button", name="Add these rows to the list").click()
    expect(page.get_by_text("Rows added: 2; rows changed: 0.")).to_be_visible()
    axe(page)

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Invite the directors").click()
    expect(page.get_by_text("waiting for the director")).to_have_count(2)

    phone.goto(stack.link(f"dirk@{name}.example", "/i/"))
    axe(phone)
    assert "." not in phone.url.rsplit("/i/", 1)[1], "the token has left the address"
    phone.get_by_role("checkbox", name="Fysiotherapie").uncheck()
    phone.get_by_role("button", name="Give permission").click()
    expect(phone.get_by_role("alert")).to_be_visible()  # the undertaking is missing
    axe(phone)
    phone.get_by_label("I undertake this").check()
    phone.get_by_role("button", name="Give permission").click()
    expect(phone.get_by_text("left out")).to_be_visible()
    axe(phone)

    phone.goto(stack.link(f"zoe@{name}.example", "/i/"))
    axe(phone)
    phone.get_by_label("online, each by a personal link").check()
    phone.locator("#id_approached").fill("14")
    phone.get_by_label("I undertake this").check()
    phone.get_by_role("button", name="Take part").click()
    expect(phone.get_by_text("Your team is taking part: you accepted")).to_be_visible()
    axe(phone)

    page.goto(teams)
    expect(page.get_by_role("row").filter(has_text="Verpleegkunde")).to_contain_text("taking part")
    expect(page.get_by_role("row").filter(has_text="Fysiotherapie")).to_contain_text("left out by the director")
    page.get_by_role("link", name="Verpleegkunde", exact=True).click()
    expect(page.get_by_text("14 teachers")).to_be_visible()
    axe(page)

    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/")
    page.get_by_label("Email address").first.fill(f"zoe@{name}.example")
    page.get_by_role("button", name="Email me a code").click()
    axe(page)
    text = stack.mail(f"zoe@{name}.example", "code").text
    code = re.search(r"^[A-Z0-9-]{6,}$", text, re.MULTILINE)
    assert code, text
    page.locator("[name=code]").fill(code[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile(r"/team/\d+/$"))


def test_declining_asks_for_a_reason_and_the_researcher_reads_it(
    researcher: Page, phone: Page, stack: Stack, axe: Check, name: str
) -> None:
    page = researcher
    teams = make_study(page, name, axe)
    page.get_by_role("link", name="Add an academy").first.click()
    axe(page)
    for field, value in {
        "institution": f"Hogeschool {name}",
        "name": "Academie voor Techniek",
        "director_name": "Dina",
        "director_email": f"dina@{name}.example",
    }.items():
        page.locator(f"#id_{field}").fill(value)
    page.get_by_role("button", name="Add the academy").click()
    page.get_by_role("link", name="Add a team").first.click()
    axe(page)
    page.locator("#id_academy").select_option(label="Academie voor Techniek")
    for field, value in {"name": "Bouwkunde", "leader_name": "Bo", "leader_email": f"bo@{name}.example"}.items():
        page.locator(f"#id_{field}").fill(value)
    page.get_by_role("button", name="Add the team").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Invite the directors").click()

    phone.goto(stack.link(f"dina@{name}.example", "/i/"))
    phone.get_by_text("Decline", exact=True).click()
    phone.get_by_role("button", name="Decline the invitation").click()
    expect(phone.locator("#id_decline-reason")).to_have_attribute("aria-invalid", "true")
    axe(phone)
    phone.locator("#id_decline-reason").select_option("reorganisation")
    phone.locator("#id_decline-text").fill("Vijf opleidingen gaan samen")
    phone.get_by_role("button", name="Decline the invitation").click()
    expect(phone.get_by_text("You declined on")).to_be_visible()

    page.goto(teams)
    expect(page.get_by_text("a reorganisation is under way: Vijf opleidingen gaan samen")).to_be_visible()
    expect(page.get_by_role("button", name="Invite the directors")).to_have_count(0)


def test_the_settings_page_has_no_faults_and_keeps_promises(researcher: Page, axe: Check, name: str) -> None:
    page = researcher
    make_study(page, name, axe)
    page.goto(f"/studies/learning-{name}/settings")
    axe(page)
    page.locator("#id_k").fill("4")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_k")).to_have_attribute("aria-invalid", "true")
    page.locator("#id_k").fill("6")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    expect(page.locator("#id_k")).to_have_value("6")


@pytest.mark.parametrize("path", ["/accounts/login/code/", "/accounts/password/reset/", "/i/1.x.y"])
@pytest.mark.parametrize("size", SIZES)
def test_public_pages_of_signing_in_have_no_faults(page: Page, axe: Check, path: str, size: str) -> None:
    page.set_viewport_size(SIZES[size])
    page.goto(path)
    axe(page)
