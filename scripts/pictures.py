"""The pictures of the handbook and of README, taken of the demo in Chromium: `make pictures`.

    python -m scripts.pictures [--of OUTPUT --var FOLDER]

Starts a demo of its own; with ``--of`` (what `make run` printed, in a file) and ``--var`` (its folder) it takes the one that runs.
All are of one size of window, in 64 colours, so that they stay small and two takes of the same page differ little.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config import mailbox
from scripts.browser import find_or_install
from scripts.messages import site_languages
from scripts.postgres import free_port
from scripts.setup import ROOT

FOLDER = ROOT / "docs" / "handbook" / "pictures"
SIZES = {"phone": (360, 640), "desk": (1280, 800)}
COLOURS = 64  # by MAXCOVERAGE: the usual way gives small marks of a chart the grey of the letters
PATIENCE = 900  # seconds until a demo is loaded
#: Pages of the demo's study that a researcher sees, and what stands at the top of the picture (empty: the page's top).
RESEARCHERS_PAGES = {
    "board": ("/studies/demo/", ""),
    "questionnaire": ("/studies/demo/questionnaire", ""),
    "teams": ("/studies/demo/teams/", ""),
    "collecting": ("/studies/proef/collecting/", ""),
    "response": ("/studies/demo/accounts", ""),
    "plan": ("/studies/demo/plan", ""),
    "results": ("/studies/demo/results", "main"),
    "decisions": ("/studies/demo/decisions", ""),
    "publish": ("/studies/demo/publish", ""),
    "files": ("/studies/demo/export/", ""),
}


@dataclass(frozen=True)
class Demo:
    """A running demo: its address, its folder and what it printed."""

    url: str
    var: Path
    printed: str

    def path(self, words: str) -> str:
        """The path of the first address printed after these words."""
        match = re.search(re.escape(words) + r"[^\n]*?: https?://[^/\s]+(/\S+)", self.printed)
        if match is None:
            raise SystemExit(f"The demo printed no address of '{words}'.")
        return match[1]

    def leader(self) -> str:
        """The address of the first leader it names, whose team has a report of its own."""
        match = re.search(r"leader of [^\n]*?\(\d+ answers\): (\S+@\S+?),", self.printed)
        if match is None:
            raise SystemExit("The demo named no leader.")
        return match[1]


@contextmanager
def demo() -> Iterator[Demo]:
    """A demo of its own, as `make run` starts it, in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="teamspiegel-pictures-") as folder:
        var, port = Path(folder), free_port()
        unwanted = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "BASE_URL")
        env = {name: value for name, value in os.environ.items() if name not in unwanted}
        env |= {"TEAMSPIEGEL_VAR": folder, "PORT": str(port), "HOST": "127.0.0.1"}
        log = var / "printed.txt"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "scripts.run"], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            deadline = time.monotonic() + PATIENCE
            while "that meeting's facilitator" not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The demo did not start:\n{log.read_text()}")
                time.sleep(0.5)
            yield Demo(f"http://127.0.0.1:{port}", var, log.read_text())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


class Photographer:
    """Takes pictures in one language. Each person has a browser of their own."""

    def __init__(self, browser: Browser, of: Demo, language: str) -> None:
        self.browser, self.of, self.language = browser, of, language

    def person(self, size: str = "desk") -> Page:
        width, height = SIZES[size]
        context: BrowserContext = self.browser.new_context(
            base_url=self.of.url,
            locale="nl-NL",
            timezone_id="Europe/Amsterdam",
            viewport={"width": width, "height": height},
        )
        context.set_default_timeout(60_000)
        return context.new_page()

    def speak(self, page: Page) -> None:
        """The pages of this browser in the language of the pictures."""
        if page.locator("html").get_attribute("lang") != self.language:
            with page.expect_navigation():
                page.locator(f"form.language button[value={self.language}]").click()

    def take(self, page: Page, name: str, top: str = "") -> None:
        """Keep what the window shows, scrolled to an element if one is named."""
        if page.locator("#pdf").count():
            page.locator("#pdf a").wait_for(timeout=PATIENCE * 1000)  # a new demo is still making them
        page.wait_for_load_state("networkidle")
        page.evaluate("top => top ? document.querySelector(top).scrollIntoView() : scrollTo(0, 0)", top)
        picture = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
        size = next(size for size, (width, _height) in SIZES.items() if width == picture.width)
        file = FOLDER / f"{name}-{size}-{self.language}.png"
        picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, optimize=True)
        print(f"  {file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB", flush=True)

    def teacher(self) -> None:
        page = self.person("phone")
        page.goto(f"{self.of.path('take part at once')}?language={self.language}")
        page.locator("[name=consent]").check()
        page.locator("form[action$='/a/start'] button").click()
        while page.locator(".step.now[data-kind=scale]").count() == 0:
            page.locator(".step.now input[type=radio]").first.check()
            page.locator(".step.now button[value=next]").click()
            page.wait_for_timeout(300)
        self.take(page, "question")
        page.context.close()

    def facilitator(self) -> None:
        page = self.person()
        page.goto(self.of.path("that meeting's facilitator"))
        self.speak(page)
        self.take(page, "facilitator")
        page.context.close()

    def director(self) -> None:
        page = self.person()
        page.goto(self.of.path("report of the director of"))
        self.speak(page)
        self.take(page, "academy")
        page.context.close()

    def leader(self) -> None:
        email, page = self.of.leader(), self.person()
        before = len(mailbox.newest(self.of.var / "mail", 50, email)[0])
        page.goto("/accounts/login/")
        self.speak(page)
        form = page.locator("form[action*='login/code']")
        form.locator("[name=email]").fill(email)
        form.locator("button[type=submit]").click()
        page.wait_for_url("**/accounts/login/code/confirm/")
        deadline = time.monotonic() + 120
        while len(mails := mailbox.newest(self.of.var / "mail", 50, email)[0]) == before:
            if time.monotonic() > deadline:
                raise SystemExit(f"No code was mailed to {email}.")
            time.sleep(0.2)
        code = re.search(r"^\s*([A-Z0-9]{3,}-[A-Z0-9]{3,})\s*$", mails[0].text, re.MULTILINE)
        if code is None:
            raise SystemExit(f"The newest mail to {email} holds no code.")
        page.locator("[name=code]").fill(code[1])
        page.locator("form:has([name=code]) button[type=submit]").first.click()
        page.wait_for_url(lambda url: "/accounts/" not in url)
        if "/team/" not in page.url:  # of several waves the newest stands first
            page.locator("main a[href*='/team/']").first.click()
            page.wait_for_url("**/team/**")
        team = re.sub(r"(/team/\d+/).*", r"\1", page.url)
        self.take(page, "team")
        page.goto(f"{team}report")
        self.take(page, "report")
        page.goto(f"{team}talk?n=1")
        self.take(page, "talk")
        page.context.close()

    def researcher(self) -> None:
        page = self.person()
        page.goto("/accounts/login/")
        self.speak(page)
        form = page.locator("form", has=page.locator("[name=password]"))
        form.locator("[name=login]").fill("onderzoeker@demo.example")
        form.locator("[name=password]").fill((self.of.var / "secrets" / "demo_researcher").read_text())
        form.locator("button[type=submit]").click()
        page.wait_for_url(lambda url: "/accounts/" not in url)
        for name, (path, top) in RESEARCHERS_PAGES.items():
            page.goto(path)
            self.take(page, name, top)
        page.context.close()


def take_all(of: Demo) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_or_install(), args=["--no-sandbox", "--disable-gpu"])
        for language in site_languages():
            photographer = Photographer(browser, of, language)
            photographer.teacher()
            photographer.facilitator()
            photographer.director()
            photographer.leader()
            photographer.researcher()
        browser.close()
    total = sum(file.stat().st_size for file in FOLDER.glob("*.png"))
    print(f"  all together: {total / 1_000_000:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--of", type=Path, help="a file with what a running demo printed")
    parser.add_argument("--var", type=Path, help="the folder of that demo")
    chosen = parser.parse_args()
    if chosen.of and chosen.var:
        printed = chosen.of.read_text()
        url = re.search(r"Teamspiegel is at (\S+)", printed)
        if url is None:
            raise SystemExit(f"{chosen.of} names no address.")
        take_all(Demo(url[1], chosen.var, printed))
    else:
        with demo() as of:
            take_all(of)


if __name__ == "__main__":
    main()
