"""What people do in the journeys: sign in, answer, look around. By the names of fields, so that texts may change."""

import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.browser.conftest import SIZES, Stack
from tests.browser.meetings import QUESTIONS

RESEARCHER = "onderzoeker@demo.example"

Axe = Callable[[Page], None]


class Person:
    """Somebody with a browser of their own, who says yes to every question that a page asks before it acts."""

    def __init__(
        self, browser: Browser, stack: Stack, axe: Axe, faults: list[str], size: str = "desk", **options: object
    ) -> None:
        self.context: BrowserContext = browser.new_context(
            base_url=stack.url, locale="nl-NL", timezone_id="Europe/Amsterdam", viewport=SIZES[size], **options
        )
        self.context.set_default_timeout(45_000)
        self.page = self.context.new_page()
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.faults = faults  # of all people of a journey: what axe found, and errors in the browser
        self.page.on("pageerror", lambda error: faults.append(f"{self.page.url}: {error}"))
        self.page.on("console", self._heard)
        self.stack, self.axe = stack, axe

    def leave(self) -> None:
        self.context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            self.faults.append(f"{self.page.url}: {message.text}")

    def look(self, path: str = "") -> Page:
        """Open a page, or stay, and hold it against axe at the size of a phone and of a desk."""
        if path:
            answer = self.page.goto(path)
            assert answer is not None
            assert answer.ok, f"{path} answers {answer.status}"
        before = self.page.viewport_size
        for name, size in SIZES.items():
            self.page.set_viewport_size(size)
            self.picture(name)
            try:
                self.axe(self.page)
            except AssertionError as fault:  # the journey goes on, and ends with all that was found
                self.faults.append(str(fault))
        if before:
            self.page.set_viewport_size(before)
        return self.page

    def picture(self, size: str) -> None:
        """Keep a picture of the page, for whoever looks at it: PICTURES names the folder."""
        if folder := os.environ.get("PICTURES"):
            name = re.sub(r"[^a-z]+", "-", self.page.url.removeprefix(self.stack.url).lower()).strip("-") or "home"
            n = len(list(Path(folder).glob(f"*-{size}.png")))
            self.page.screenshot(path=Path(folder) / f"{n:02}-{name[:40]}-{size}.png", full_page=True)

    def press(self, selector: str) -> None:
        """Send the form that this selector finds, or press its button, and wait for the page that answers."""
        target = self.page.locator(selector)
        button = (target.locator("button[type=submit]") if selector.startswith("form") else target).first
        for folded in button.locator("xpath=ancestor::details[not(@open)]").all():
            folded.locator("summary").first.click()
        with self.page.expect_navigation(wait_until="load"):
            button.click()

    def follow(self, selector: str) -> None:
        """Follow a link, and wait for the page that it leads to."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(selector).first.click()

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            field = self.page.locator(f"main [name={name}]:not([type=hidden])").first
            kind = field.evaluate("field => field.tagName + ':' + field.type")
            if kind.startswith("SELECT"):
                field.select_option(value)
            elif kind == "INPUT:radio":
                self.page.locator(f"main [name={name}][value='{value}']").check()
            elif kind == "INPUT:checkbox":
                field.check()
            else:
                field.fill(value)

    def sign_in_as_researcher(self) -> None:
        """As the researcher of the demo, with the password of this installation."""
        self.sign_in_by_password(RESEARCHER, self.stack.password)

    def sign_in_by_password(self, email: str, password: str) -> None:
        self.page.goto("/accounts/login/")
        form = self.page.locator("form", has=self.page.locator("[name=password]"))
        form.locator("[name=login]").fill(email)
        form.locator("[name=password]").fill(password)
        form.locator("button[type=submit]").click()
        self.page.wait_for_url(lambda url: "/accounts/" not in url)

    def sign_in_by_code(self, email: str) -> None:
        before = self.stack.mails(email)  # a code of an earlier journey opens nothing any more
        self.page.goto("/accounts/login/")
        form = self.page.locator("form[action*='login/code']")
        form.locator("[name=email]").fill(email)
        form.locator("button[type=submit]").click()
        self.page.wait_for_url("**/accounts/login/code/confirm/")
        text = self.stack.mail(email, "code", besides=before).text
        code = re.search(r"^\s*([A-Z0-9]{3,}(?:-[A-Z0-9]{3,})?)\s*$", text, re.MULTILINE)
        assert code, "the mail holds no code"
        self.page.locator("[name=code]").fill(code[1])
        self.press("form:has([name=code])")
        self.page.wait_for_url(lambda url: "/accounts/" not in url)

    # -------------------------------------------------------------------------------------------- teachers
    def begin(self, path: str) -> None:
        self.page.goto(path)
        for box in self.page.locator("[name=consent]").all():  # by a personal link the button says it
            box.check()
        self.press("form[action$='/a/start']")
        self.page.wait_for_url(QUESTIONS)

    def answer(self, value: int, each: Callable[[], None] = lambda: None) -> None:
        """Answer every question, step by step, and hand in: the page with its script shows one step at a time."""
        while True:
            step = self.page.locator(".step.now")
            name = step.get_attribute("id")
            each()
            self._choose(step, value)
            if step.locator("button[value=submit]").count():
                step.locator("button[value=submit]").click()
                break
            step.locator("button.main[value=next]").click()
            expect(self.page.locator(".step.now")).not_to_have_id(name or "")
        self.page.wait_for_url("**/done")

    def answer_without_script(self, value: int) -> None:
        """The same where no script runs: every step is a page of its own."""
        self.page.wait_for_url("**/a/*/?step=1")
        number = 1
        while True:
            step = self.page.locator(f"#s{number}")
            self._choose(step, value)
            if step.locator("button[value=submit]").count():
                step.locator("button[value=submit]").click()
                break
            step.locator("button.main[value=next]").click()
            number += 1
            self.page.wait_for_url(f"**/a/*/?step={number}")
        self.page.wait_for_url("**/done")

    def _choose(self, step: Locator, value: int) -> None:
        for question in step.locator("fieldset").all():
            choices = question.locator("label")
            scale = question.locator(".scale").count()  # other questions have the answer "yes" first
            choices.nth(value - 1 if scale else 0).click()


def answer_quietly(browser: Browser, stack: Stack, path: str, value: int) -> None:
    """A teacher whose browser shows nothing: the same requests, without clicking through the pages."""
    context = browser.new_context(base_url=stack.url)
    ask = context.request
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', ask.get(path).text()))
    fields = {name: unescape(text) for name, text in fields.items()}
    begun = ask.post("/a/start", form={**fields, "consent": "yes"})
    assert begun.ok
    page = begun.text()
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key, "no questionnaire was opened"
    items = sorted(set(re.findall(r'name="([A-Z]{2}\d)" value="1"', page)))
    body = {"key": key[1], "sequence": 1, "answers": dict.fromkeys(items, value), "eligibility": "yes"}
    answer = ask.post(f"{begun.url}submit", data=body)
    assert answer.ok, answer.text()
    assert answer.json()["outcome"] == "submitted"
    context.close()


def read_file(page: Page, link: str, folder: Path) -> str:
    """Download by a link on the page."""
    with page.expect_download() as waiting:
        page.locator(f"a[href$='{link}']").first.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path.read_text(encoding="utf-8-sig")
