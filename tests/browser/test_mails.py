"""Mails and reminders of a study: a text of its own, its preview and its faults, by keyboard, in both languages; ending them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES, Stack
from tests.browser.test_setting_up import Check, make_study, name, researcher  # noqa: F401

pytestmark = pytest.mark.usefixtures("stack")


def test_a_study_writes_its_own_mail(researcher: Page, axe: Check, name: str) -> None:  # noqa: F811
    page = researcher
    make_study(page, name, axe)
    for size in SIZES.values():
        page.set_viewport_size(size)
        page.goto(f"/studies/learning-{name}/mail/")
        axe(page)
        page.goto(f"/studies/learning-{name}/mail/messages")
        expect(page.get_by_text("There are no such emails.")).to_be_visible()
        axe(page)
    page.goto(f"/studies/learning-{name}/mail/")
    page.get_by_role("link", name="Invitation to a director").click()
    for size in SIZES.values():
        page.set_viewport_size(size)
        axe(page)

    english = page.get_by_role("region", name="English")
    subject, text = english.get_by_label("Subject"), english.get_by_label("Text", exact=False)
    subject.fill("")
    text.fill("Hello {nobody}")
    text.press("Tab")  # the button that saves comes next
    page.keyboard.press("Enter")
    for wrong in ("An email needs a subject.", "This email has no field {nobody}.", "The field {link} is missing."):
        expect(english.get_by_text(wrong).last).to_be_visible()
    expect(text).to_have_value("Hello {nobody}")
    expect(subject).to_have_attribute("aria-invalid", "true")
    axe(page)

    subject.fill("Would {academy} join?")
    text.fill("Dear {name},\n\nRead this:\n\n{link}")
    english.get_by_role("button", name="Preview").click()
    letter = english.locator(".letter")
    expect(letter).to_contain_text("Would Academy of Health join?")
    expect(letter).to_contain_text("Dear Sanne de Boer,")
    expect(english.get_by_text("standard text", exact=True)).to_be_visible()  # nothing was saved
    axe(page)
    english.get_by_role("button", name="Email me a test").click()
    expect(page.get_by_text("A test email is on its way")).to_be_visible()
    english.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The text has been saved.")).to_be_visible()
    expect(page.get_by_text("You have no text of your own in Dutch")).to_be_visible()
    axe(page)

    page.get_by_role("button", name="Nederlands").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Uitnodiging van een directeur")
    axe(page)
    page.goto(f"/studies/learning-{name}/mail/")
    expect(page.get_by_text("Nederlands ontbreekt")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="English").click()
    page.get_by_role("link", name="Invitation to a director").click()
    page.get_by_role("region", name="English").get_by_role("button", name="Back to the standard text").click()
    expect(page.get_by_text("The standard text is in use again.")).to_be_visible()
    expect(page.get_by_text("You have no text of your own")).to_have_count(0)


def test_reminders_are_switched_on_and_paused_and_ended_by_link(
    researcher: Page,  # noqa: F811
    axe: Check,
    name: str,  # noqa: F811
    stack: Stack,
) -> None:
    page = researcher
    make_study(page, name, axe)
    page.goto(f"/studies/learning-{name}/academies/new")
    for field, value in {
        "institution": f"Institution {name}",
        "name": f"Academy {name}",
        "director_name": "Dirk Jansen",
        "director_email": f"dirk-{name}@noord.example",
    }.items():
        page.locator(f"#id_{field}").fill(value)
    page.get_by_role("button", name=re.compile("Add|Put")).click()
    page.goto(f"/studies/learning-{name}/teams/new")
    page.locator("#id_academy").select_option(index=1)
    page.locator("#id_name").fill("Nursing")
    page.locator("#id_leader_name").fill("Lena Bos")
    page.locator("#id_leader_email").fill(f"lena-{name}@noord.example")
    page.get_by_role("button", name=re.compile("Add|Put")).click()
    page.goto(f"/studies/learning-{name}/questionnaire")
    page.locator("[name=version]").first.check()
    page.get_by_role("button", name="Save").click()
    page.goto(f"/studies/learning-{name}/teams/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Invite the directors").click()
    expect(page.get_by_text("1 director is being sent an email.")).to_be_visible()
    page.get_by_role("link", name=re.compile("Change.*Academy|Academy.*Change")).first.click()
    axe(page)
    page.get_by_role("button", name="Remind now").click()
    expect(page.get_by_text("The reminder is on its way.")).to_be_visible()

    page.goto(f"/studies/learning-{name}/mail/")
    expect(page.get_by_text("1 person has not answered yet.")).to_be_visible()
    page.locator("#id_director-after_days").fill("0")
    page.get_by_role("button", name="Save and switch on : Directors").click()
    expect(page.locator("#id_director-after_days")).to_have_attribute("aria-invalid", "true")
    axe(page)
    page.locator("#id_director-after_days").fill("5")
    page.get_by_role("button", name="Save and switch on : Directors").click()
    expect(page.get_by_text("The reminders are on.")).to_be_visible()
    axe(page)
    page.get_by_role("button", name=re.compile("Pause ?: Directors")).click()
    expect(page.get_by_text("The reminders are paused.")).to_be_visible()

    page.goto(stack.link(f"dirk-{name}@noord.example", "/i/stop/", "Herinnering"))
    axe(page)
    page.set_viewport_size(SIZES["phone"])
    axe(page)
    page.get_by_role("button", name="No more reminders").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You get no more reminders")
    axe(page)
    page.goto(f"/studies/learning-{name}/mail/")
    expect(page.get_by_text("1 asked for no reminders")).to_be_visible()
