"""Bytes and requests of the respondent's pages, as the chosen server sends them to a browser: `make bench-page`."""

import gzip
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

from bench.figures import Figure, at_most, measured, report
from scripts.postgres import free_port
from scripts.run import collect_static, commands, environment, manage
from scripts.setup import ROOT

LIMIT_KB = 30  # of 1,000 bytes, with everything that the page loads
LIMIT_REQUESTS = 4
WAIT = 60
SEED = """
import datetime
from surveys import collections, questionnaires
from surveys.models import Survey
from teams.models import Academy, Institution, Participation, Study, Team
day = datetime.date(2026, 9, 1)
study = Study.objects.create(slug="bench", title="Learning in teams", starts_on=day, ends_on=day,
    controller="Hogeschool Noord", privacy_contact="privacy@noord.example", contact_name="Roos de Wit",
    contact_email="roos@noord.example")
academy = Academy.objects.create(institution=Institution.objects.create(name="Hogeschool Noord"), name="Zorg",
    sector="health", director_name="Dirk Jansen", director_email="dirk@noord.example")
team = Team.objects.create(academy=academy, name="Verpleegkunde", leader_name="Lena Bos",
    leader_email="lena@noord.example")
Participation.objects.create(study=study, team=team, state="accepted", mode="researcher", approached=20)
version = questionnaires.install_shipped()[0]
survey = Survey.objects.create(study=study, version=version,
    background=list(questionnaires.definition_of(version).background_codes))
collections.open_survey(survey, "0" * 64)
print("code:", survey.collections.get().meeting.code)
"""


@dataclass(frozen=True)
class Fetched:
    """One response: its body as sent, and what it says."""

    sent: int
    text: str


class Browser:
    """Fetches as a browser does: with cookies, asking for gzip, following redirects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def fetch(self, path: str, form: dict[str, str] | None = None) -> Fetched:
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(self.url + path, data=data, headers={"Accept-Encoding": "gzip"})
        with self.opener.open(request, timeout=30) as response:
            body = response.read()
            packed = response.headers.get("Content-Encoding") == "gzip"
        return Fetched(len(body), _unpacked(body) if packed else body.decode())

    def load(self, path: str) -> tuple[dict[str, int], str]:
        """The page and everything it loads: bytes by address; and the page's text."""
        page = self.fetch(path)
        sizes = {path: page.sent}
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
            sizes[address] = self.fetch(address).sent
        return sizes, page.text


def _unpacked(body: bytes) -> str:
    return gzip.decompress(body).decode()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"the page has no field {name}"
    return found[1]


def answers(page: str) -> dict[str, str]:
    """The second choice of every question, as a form sends it."""
    names = dict.fromkeys(re.findall(r'type="radio" name="([^"]+)"', page))
    return {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[1] for name in names if name != "eligibility"}


def measure(url: str, code: str) -> list[Figure]:
    browser = Browser(url)
    welcome, text = browser.load(f"/a/{code}")
    start = {"code": code, "consent": "yes", "offered": hidden(text, "offered")}
    browser.fetch("/a/start", start)
    first, text = browser.load("/a/q")
    browser.fetch("/a/step", {"key": hidden(text, "key"), "eligibility": "yes", **answers(text)})
    full, text = browser.load("/a/q")
    assert '"ER6":2' in text, "the saved answers are in the page"
    step = browser.fetch("/a/q?step=2").sent
    return [
        at_most("questionnaire, with all it loads", sum(first.values()) / 1000, LIMIT_KB, "kB"),
        at_most("questionnaire, every item answered", sum(full.values()) / 1000, LIMIT_KB, "kB"),
        at_most("questionnaire, requests", len(first), LIMIT_REQUESTS, "requests"),
        *(measured(f"  {_plain(path)}", size / 1000, "kB") for path, size in first.items()),
        at_most("welcome page, with all it loads", sum(welcome.values()) / 1000, LIMIT_KB, "kB"),
        at_most("welcome page, requests", len(welcome), LIMIT_REQUESTS, "requests"),
        measured("one step without JavaScript", step / 1000, "kB"),
    ]


def _plain(path: str) -> str:
    """The address without the hash in a file's name."""
    return re.sub(r"\.[0-9a-f]{12}\.", ".", path)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer within {WAIT} s")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as name:
        var, port = Path(name), free_port()
        env = environment("127.0.0.1", port, var)
        manage(env, "migrate", "--verbosity=0")
        collect_static(var, env)
        code = manage(env, "shell", "--verbosity=0", "-c", SEED).split("code:")[1].strip()
        url = f"http://127.0.0.1:{port}"
        command = commands("127.0.0.1", port, var)["web"]
        server = subprocess.Popen(["/bin/sh", "-c", command], cwd=ROOT, env=env)
        try:
            wait_for(f"{url}/health", server)
            figures = measure(url, code)
        finally:
            server.terminate()
            server.wait(20)
    return report("page", figures)


if __name__ == "__main__":
    sys.exit(main())
