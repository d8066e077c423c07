"""The whole product for the browser tests: web server, worker and beat as `make run` starts them, on a free port."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from config import mailbox
from scripts.browser import find
from scripts.postgres import free_port
from scripts.setup import ROOT
from tests.browser.meetings import open_meetings

# Milliseconds: what comes, comes sooner; a busy machine needs more than the usual five seconds
expect.set_options(timeout=20_000)
START = 900  # seconds: a deadline for what never starts; two start side by side, each with all migrations and the demo
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
SIZES = {"phone": {"width": 360, "height": 740}, "desk": {"width": 1280, "height": 900}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Stack:
    url: str
    var: Path

    @property
    def password(self) -> str:
        """Of the demo's researcher: drawn at the first start."""
        return (self.var / "secrets" / "demo_researcher").read_text()

    def mails(self, to: str) -> list[mailbox.FiledMail]:
        """All mails to an address, the newest first."""
        return mailbox.newest(self.var / "mail", 50, to)[0]

    def mail(
        self, to: str, subject: str = "", seconds: float = 90, besides: Sequence[mailbox.FiledMail] = ()
    ) -> mailbox.FiledMail:
        """The newest mail to an address, once the worker has sent it; ``besides`` those that were there before."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in self.mails(to):
                if subject.lower() in mail.subject.lower() and mail not in besides:
                    return mail
            time.sleep(0.2)
        raise AssertionError(f"no mail to {to} about '{subject}' within {seconds} s")

    def link(self, to: str, path: str, subject: str = "") -> str:
        """The link in that mail whose path begins with ``path``."""
        text = self.mail(to, subject).text
        match = re.search(rf"https?://[^\s/]+({re.escape(path)}\S*)", text)
        assert match, f"no link to {path} in:\n{text}"
        return self.url + match[1]


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running product with the demo loaded. Every journey makes its own study and leaves the demo's as they are.

    STACK_URL and STACK_VAR name one that runs already, while working on a journey.
    """
    if "STACK_URL" in os.environ:
        yield Stack(os.environ["STACK_URL"], Path(os.environ["STACK_VAR"]))
        return
    var, port = tmp_path_factory.mktemp("stack"), free_port()
    url = f"http://127.0.0.1:{port}"
    unwanted = ("DATABASE_URL", "TEST_DATABASE_URL", "DJANGO_SETTINGS_MODULE", "BASE_URL")
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    env |= {"TEAMSPIEGEL_VAR": str(var), "PORT": str(port), "HOST": "127.0.0.1", "DEMO_REAL_STUDIES": "1"}
    env |= {"ALLOWED_HOSTS": "127.0.0.1,localhost,school.example"}  # the last: a name without a secure context
    log = var / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.run"], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    try:
        deadline = time.monotonic() + START
        while "Teamspiegel is at" not in log.read_text():
            assert process.poll() is None, f"the stack ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"the stack did not start in {START} s:\n{log.read_text()}"
            time.sleep(0.2)
        with urllib.request.urlopen(f"{url}/health") as answer:
            assert answer.status == 200
        yield Stack(url, var)
    finally:
        if process.poll() is None:
            end(process)


@pytest.fixture(scope="session")
def meetings(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Open meetings, each of a study of its own: code, facilitator's path, path of a personal link."""
    return iter(open_meetings(stack.url, stack.var))


@pytest.fixture
def meeting(meetings: Iterator[tuple[str, str, str]]) -> tuple[str, str, str]:
    return next(meetings)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    path = find()
    assert path, "no Chromium: 'make test' installs one"
    return {"executable_path": path, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(stack: Stack) -> dict[str, object]:
    return {"base_url": stack.url, "locale": "nl-NL", "timezone_id": "Europe/Amsterdam", "viewport": SIZES["desk"]}


@pytest.fixture(autouse=True)
def patience(context: BrowserContext) -> None:
    context.set_default_timeout(45_000)


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """Asserts that axe finds nothing against WCAG 2.2 AA on a page, and that it does not scroll sideways."""
    source = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    def check(page: Page) -> None:
        page.evaluate(source)  # not a script element: the page's content security policy stays as it is
        # a button that is on its way from one colour to another has neither
        page.evaluate(
            "Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 1e4)"
            ".map((one) => one.finished.catch(() => null)))"
        )
        audit = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
        faults = [
            f"{violation['id']}: {violation['help']}\n    {node['html']}\n    {node['failureSummary']}"
            for violation in audit["violations"]
            for node in violation["nodes"]
        ]
        assert not faults, f"{page.url}\n" + "\n".join(faults)
        assert page.locator("h1").count() == 1, f"{page.url} needs exactly one h1"
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{page.url} scrolls sideways by {too_wide} px at {page.viewport_size}"

    return check
