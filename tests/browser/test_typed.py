"""Nothing that was typed is lost: over a sign-in, another language, an error, a lost line. The talk: test_talk.py."""

import re
import secrets
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Stack
from tests.browser.people import RESEARCHER, Axe, Person

ADMINISTRATOR = "beheer@demo.example"


@pytest.fixture
def faults() -> Iterator[list[str]]:
    faults: list[str] = []
    yield faults
    # a dead line, an error of a proxy and the end of a session are part of these tests
    ours = ("net::ERR_FAILED", "status of 502", "Response Status Error Code", "htmx:sendError")
    faults = [fault for fault in faults if not any(one in fault for one in ours)]
    assert not faults, "\n\n".join(faults)


# ------------------------------------------------------------------------------------------------ long forms
WORDS = "Getypt en niet verzonden"
LONG_FORMS = {
    "new study": "/studies/new",
    "settings": "/studies/demo/settings",
    "plan": "/studies/demo/plan/change",
    "mail text": "/studies/demo/mail/texts/teams.leader_invitation",
    "decision": "/studies/demo/decisions",
}


@pytest.fixture
def researcher(browser: Browser, stack: Stack, axe: Axe, faults: list[str]) -> Iterator[Person]:
    person = Person(browser, stack, axe, faults)
    person.sign_in_as_researcher()
    yield person
    person.leave()


def written(page: Page) -> Locator:
    """The field of a long form in which these tests write: its first text of more than a line, else of one."""
    form = page.locator("main form[method=post]:has(textarea, input[type=text])").last
    fields = form.locator("textarea:visible")
    return (fields if fields.count() else form.locator("input[type=text]:visible")).first


def submit(field: Locator) -> None:
    """Send the form as it stands: what a browser refuses to send the server is to refuse."""
    field.evaluate("field => { field.form.noValidate = true }")
    field.locator("xpath=ancestor::form").locator("button[type=submit], input[type=submit]").last.click()


@pytest.mark.parametrize("path", LONG_FORMS.values(), ids=LONG_FORMS)
def test_a_long_form_keeps_what_was_typed(researcher: Person, path: str) -> None:
    page = researcher.page
    page.goto(path)
    assert page.url.endswith(path)
    field = written(page)
    before, name = field.input_value(), field.get_attribute("name")
    note = page.locator(".typed-note")
    field.fill(WORDS)

    # another language, and back
    page.locator("form.language button").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(written(page)).to_have_value(WORDS)
    expect(note).to_contain_text("It is back in the form")
    researcher.look()
    page.locator("form.language button").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")

    # a page that was left, by a link and by a lost line
    page.goto("/studies/")
    page.goto(path)
    expect(written(page)).to_have_value(WORDS)
    page.route("**/*", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    submit(written(page))
    page.wait_for_url(lambda url: not url.startswith("http"))
    page.unroute_all()
    page.goto(path)
    expect(written(page)).to_have_value(WORDS)

    # the session is over: to sign in, and back to the form
    researcher.context.clear_cookies(name="sessionid")
    submit(written(page))
    expect(page).to_have_url(re.compile("/accounts/login/"))
    expect(note).to_contain_text("in dit tabblad bewaard")
    page.locator("#id_login").fill(RESEARCHER)
    page.locator("#id_password").fill(researcher.stack.password)
    page.locator("#id_password").press("Enter")
    expect(page).to_have_url(re.compile(re.escape(path)))
    expect(written(page)).to_have_value(WORDS)
    expect(written(page)).to_have_attribute("name", name or "")

    # an error of the server
    page.route(
        "**/*",
        lambda route: route.fulfill(status=502, body="") if route.request.method == "POST" else route.continue_(),
    )
    submit(written(page))
    page.wait_for_timeout(500)
    page.unroute_all()
    page.goto(path)
    expect(written(page)).to_have_value(WORDS)

    # left out on purpose
    note.locator("button").click()
    expect(written(page)).to_have_value(before)
    expect(note).to_have_count(0)
    page.reload()
    expect(written(page)).to_have_value(before)


def test_what_was_taken_is_forgotten_and_what_was_refused_is_not(researcher: Person) -> None:
    page = researcher.page
    page.goto("/studies/demo/settings")
    field = page.locator("[name=contact_email]")
    before = field.input_value()
    field.fill("geen adres")
    submit(field)
    expect(page.locator(".is-invalid")).not_to_have_count(0)
    expect(field).to_have_value("geen adres")
    expect(page.locator("[data-errors]")).to_be_focused()
    researcher.look()
    page.locator("[data-errors] a[href='#id_contact_email']").click()
    expect(field).to_be_focused()
    page.goto("/studies/demo/settings")
    expect(field).to_have_value("geen adres")
    field.fill("ander@demo.example")
    submit(field)
    expect(page.locator("main [role=status] .alert-success")).to_be_visible()
    page.goto("/studies/demo/settings")
    expect(page.locator(".typed-note")).to_have_count(0)
    assert page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('typed:'))") == []
    assert not [cookie for cookie in researcher.context.cookies() if cookie["name"].startswith("typed-")]
    field.fill(before)
    submit(field)


def test_what_comes_back_overwrites_nothing_newer(researcher: Person, browser: Browser, stack: Stack, axe: Axe) -> None:
    """Typed, left, and changed by somebody else meanwhile: both texts are shown, as if the form had stayed open."""
    page, path = researcher.page, "/studies/demo/settings"
    page.goto(path)
    field = page.locator("[name=contact_name]")
    before = field.input_value()
    field.fill("Mijn naam")
    page.goto("/studies/")
    colleague = Person(browser, stack, axe, researcher.faults)
    colleague.sign_in_as_researcher()
    theirs = colleague.page.locator("[name=contact_name]")
    colleague.page.goto(path)
    theirs.fill("Naam van een ander")
    submit(theirs)
    expect(colleague.page.locator("main [role=status] .alert-success")).to_be_visible()
    page.goto(path)
    expect(field).to_have_value("Mijn naam")
    submit(field)
    expect(page.locator("[data-errors]")).to_be_visible()
    expect(page.locator("main form").first).to_contain_text("Naam van een ander")
    researcher.look()
    submit(field)  # again: mine is chosen
    expect(page.locator("main [role=status] .alert-success")).to_be_visible()
    page.goto(path)
    expect(page.locator(".typed-note")).to_have_count(0)
    expect(field).to_have_value("Mijn naam")
    field.fill(before)
    submit(field)
    expect(page.locator("main [role=status] .alert-success")).to_be_visible()
    colleague.leave()


def test_nobody_else_finds_what_was_typed(researcher: Person) -> None:
    page = researcher.page
    kept = "Object.keys(sessionStorage).filter(key => key.startsWith('typed:')).length"

    # by signing out
    page.goto("/studies/new")
    page.locator("[name=title]").fill(WORDS)
    assert page.evaluate(kept) == 1
    page.locator("form[data-forget] button").first.click()
    page.wait_for_load_state()
    assert page.evaluate(kept) == 0

    # by somebody else's signing in where a session was over, in the same tab or in another
    researcher.sign_in_as_researcher()
    page.goto("/studies/new")
    page.locator("[name=title]").fill(WORDS)
    researcher.context.clear_cookies(name="sessionid")
    other = researcher.context.new_page()
    other.goto("/accounts/login/")
    administrator = (researcher.stack.var / "secrets" / "demo_administrator").read_text()
    other.locator("#id_login").fill(ADMINISTRATOR)
    other.locator("#id_password").fill(administrator)
    other.locator("#id_password").press("Enter")
    other.wait_for_url(lambda url: "/login/" not in url)
    submit(page.locator("[name=title]"))
    expect(page.locator("h1")).to_contain_text("iemand anders", ignore_case=True)
    assert page.evaluate(kept) == 0


def test_passwords_and_codes_are_not_kept(browser: Browser, stack: Stack, axe: Axe, faults: list[str]) -> None:
    person = Person(browser, stack, axe, faults)
    person.page.goto("/accounts/login/")
    person.page.locator("#id_login").fill(RESEARCHER)
    person.page.locator("#id_password").fill("geheim")
    assert "geheim" not in person.page.evaluate("JSON.stringify(sessionStorage)")
    assert RESEARCHER not in person.page.evaluate("JSON.stringify(sessionStorage)")
    person.leave()


# ------------------------------------------------------------------------------------------------ the editor
@pytest.fixture
def editor(researcher: Person) -> Page:
    """A questionnaire of five statements, AA1 to AA5."""
    page = researcher.page
    page.goto("/questionnaires/new")
    for name, text in {"code": f"typed-{secrets.token_hex(3)}", "title_nl": "Getypt", "title_en": "Typed"}.items():
        page.locator(f"main [name={name}]").fill(text)
    researcher.press("main form button[type=submit]")
    address = page.url
    page.goto(f"{address}?add=scale")
    for name, text in {"code": "AA", "name_nl": "Een", "name_en": "One"}.items():
        page.locator(f"#form [name={name}]").fill(text)
    page.locator("#form button[type=submit]:not([name])").click()
    expect(page.locator("#add-AA")).to_be_visible()
    for n in range(1, 6):
        page.goto(f"{address}?add=item:AA")
        page.locator("#form [name=text_nl]").fill(f"Stelling {n}")
        page.locator("#form [name=text_en]").fill(f"Statement {n}")
        page.locator("#form button[type=submit]:not([name])").click()
        expect(page.locator(f"#item-AA{n}")).to_be_visible()
    page.goto(address)
    return page


def codes(page: Page) -> list[str]:
    places = page.locator(".editor-part[id^=item-]").evaluate_all("parts => parts.map(part => part.id)")
    return [str(place).removeprefix("item-") for place in places]


def test_every_press_counts_in_the_editor(editor: Page) -> None:
    """Four presses while the line to the server is slow: four places."""
    editor.route("**/change", lambda route: (time.sleep(0.25), route.continue_()))
    editor.locator("#down-item-AA1").focus()
    for _press in range(4):
        editor.keyboard.press("Alt+ArrowDown")
    expect(editor.locator(".editor-part[id^=item-]").last).to_have_id("item-AA1")
    editor.reload()
    assert codes(editor) == ["AA2", "AA3", "AA4", "AA5", "AA1"]


def test_a_removal_is_undone_after_another_edit(editor: Page) -> None:
    editor.locator("#item-AA2 button[value=remove]").click()
    expect(editor.locator("#item-AA2")).to_have_count(0)
    editor.locator("#down-item-AA3").click()
    expect(editor.locator("#editor .alert")).to_contain_text("AA3")
    editor.locator("#undo").click()
    expect(editor.locator("#item-AA2")).to_be_visible()
    assert sorted(codes(editor)) == ["AA1", "AA2", "AA3", "AA4", "AA5"]
    assert codes(editor).index("AA4") < codes(editor).index("AA3"), "what was moved since stays moved"
    expect(editor.locator("#undo")).to_have_count(0)


def test_a_session_that_ends_in_the_editor_is_said_in_place(editor: Page, researcher: Person) -> None:
    editor.locator("#edit-item-AA1").click()
    text = editor.locator("#form [name=text_nl]")
    text.fill(WORDS)
    researcher.context.clear_cookies(name="sessionid")
    save = editor.locator("#form button[type=submit]:not([name])")
    save.click()
    line = editor.locator(".not-done")
    expect(line).to_contain_text("Je bent uitgelogd")
    expect(text).to_have_value(WORDS)
    researcher.look()

    # signed in in a new tab, which gives another form token, and pressed again
    with researcher.context.expect_page() as opening:
        line.locator("a").click()
    other = opening.value
    other.locator("#id_login").fill(RESEARCHER)
    other.locator("#id_password").fill(researcher.stack.password)
    other.locator("#id_password").press("Enter")
    other.wait_for_url(lambda url: "/accounts/" not in url)
    save.click()
    expect(editor.locator("#item-AA1")).to_contain_text(WORDS)
    expect(line).to_have_count(0)

    # a lost line and an error are said too, and the text stays
    editor.locator("#edit-item-AA2").click()
    expect(text).to_have_value("Stelling 2")
    text.fill("Nog niet verzonden")
    for answer in ("abort", "502"):
        editor.route(
            "**/*",
            lambda route, answer=answer: (
                route.continue_()
                if route.request.method != "POST"
                else route.abort()
                if answer == "abort"
                else route.fulfill(status=502, body="")
            ),
        )
        save.click()
        expect(line).to_contain_text("Dit is niet gedaan")
        expect(text).to_have_value("Nog niet verzonden")
        editor.unroute_all()
    save.click()
    expect(editor.locator("#item-AA2")).to_contain_text("Nog niet verzonden")
    editor.locator("#edit-item-AA2").click()
    expect(editor.locator(".typed-note")).to_have_count(0)


def test_what_was_typed_in_the_editor_comes_back(editor: Page) -> None:
    editor.locator("#edit-item-AA1").click()
    editor.locator("#form [name=text_nl]").fill(WORDS)
    editor.goto("/questionnaires/")
    editor.go_back()
    editor.locator("#edit-item-AA1").click() if not editor.locator("#form").count() else None
    expect(editor.locator("#form [name=text_nl]")).to_have_value(WORDS)
    expect(editor.locator(".typed-note")).to_be_visible()
    editor.locator("#form [data-leave]").click()
    editor.locator("#edit-item-AA1").click()
    expect(editor.locator("#form [name=text_nl]")).to_have_value("Stelling 1")
