"""A production setting for benchmarks and proofs: PostgreSQL that writes to the disk, two web workers, access log on.

And what answers it: teachers that take part as the page does, and that try again where a page would.
"""

import contextlib
import gzip
import http.client
import json
import os
import random
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

import psycopg

from bench.figures import Figure, report
from scripts.postgres import DURABLE, SETTINGS, Server, children, free_port, server
from scripts.run import collect_static, commands, environment, manage
from scripts.setup import ROOT
from surveys.keys.row_keys import row_key

WEB_WORKERS = 2
SCALES = 6
PER_JOURNEY = SCALES + 4  # welcome, start, page, one save per scale, submit
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
ROOMS = """
import datetime, json, sys, django; django.setup()
from surveys.collecting import collections
from surveys.questionnaires import publishing as questionnaires
from surveys.models import Survey
from teams.models import Academy, Institution, Participation, ResearchGroup, Study, Team
day = datetime.date(2026, 9, 1)
group = ResearchGroup.objects.create(name="Bench")
study = Study.objects.create(group=group, slug="room", simulated=True, title="A room", starts_on=day, ends_on=day.replace(year=2027))
survey = Survey.objects.create(study=study, version=questionnaires.install_shipped(group)[0], background=[])
academy = Academy.objects.create(institution=Institution.objects.create(group=group, name="School"), name="Academy", sector="health")
for n in range(int(sys.argv[1])):
    Participation.objects.create(
        study=study, team=Team.objects.create(academy=academy, name=f"Team {n}"), mode=Participation.Mode.CONTACT,
        state=Participation.State.ACCEPTED, approached=int(sys.argv[2]))
collections.open_survey(survey, "f" * 64)
print(json.dumps(list(survey.collections.order_by("pk").values_list("meeting__code", flat=True))))
"""


class Production:
    """The programs of one installation, each in a process group of its own, so that it can be killed as a whole."""

    def __init__(self, database: Server | None, var: Path, workers: int = WEB_WORKERS) -> None:
        self.database, self.var, self.port, self.workers = database, var, free_port(), workers
        self.file = var / "bench.sqlite3"  # without a server
        self.access_log = var / "access.log"
        self.env = {
            **environment("127.0.0.1", self.port, var),
            "TEAMSPIEGEL_ENV": "production",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "127.0.0.1",
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "DATABASE_URL": database.url if database else f"sqlite:///{self.file}",
            "EMAIL_URL": "dummymail://",
            "SECURE": "0",
            "LIMITS_DIR": str(var),
        }
        self.programs: dict[str, subprocess.Popen[bytes]] = {}

    def prepare(self, rooms: int, approached: int) -> list[str]:
        """Database, static files, and a study with meetings. The codes of their rooms."""
        collect_static(self.var, self.env)
        manage(self.env, "migrate", "--verbosity=0", "--skip-checks")
        codes: list[str] = json.loads(self.python(ROOMS, str(rooms), str(approached)))
        return codes

    def python(self, program: str, *arguments: str) -> str:
        """Run a program in the setting. What it printed."""
        command = [sys.executable, "-c", program, *arguments]
        env = {**self.env, "LOG_LEVEL": "WARNING"}
        return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout

    def start(self, name: str) -> None:
        """Start web, worker or beat."""
        command = commands("127.0.0.1", self.port, self.var, self.workers)[name]
        if name == "web":
            command = command.replace(" config.wsgi", " --access-log config.wsgi")
        with self.access_log.open("ab") as log:
            output: IO[Any] = log
            self.programs[name] = subprocess.Popen(
                command, shell=True, cwd=ROOT, env=self.env, stdout=output, stderr=output, start_new_session=True
            )

    def wait(self) -> None:
        """Wait until pages are served."""
        for _ in range(600):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5),
            ):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the web server does not answer:\n{self.access_log.read_text()[-2000:]}")

    def kill(self, name: str) -> None:
        """kill -9 for the program and all its processes."""
        program = self.programs.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self.database is None:
            with contextlib.closing(sqlite3.connect(self.file)) as file:
                return file.execute(query).fetchall()
        with psycopg.connect(self.database.url) as connection:
            return connection.execute(query).fetchall()

    def row_key(self, device_key: str) -> str:
        """The key under which this installation keeps the response of a device."""
        return row_key(device_key, self.env["SECRET_KEY"])

    def cpu_seconds(self) -> tuple[float, float]:
        """What the web server and the database have used so far."""
        return cpu_seconds(self.programs["web"].pid), self.database_seconds()

    def database_seconds(self) -> float:
        return cpu_seconds(self.database.pid) if self.database else 0


def measured_inside(module: str, name: str, settings: tuple[str, ...] = SETTINGS) -> int:
    """Run a module of bench/ once more as ``python -m MODULE FILE`` in a production setting with empty tables, and report the
    figures that it wrote to that file. Returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as folder, server(settings) as database:
        env = {
            **environment("127.0.0.1", 8000, Path(folder)),
            "TEAMSPIEGEL_ENV": "production",
            "SECRET_KEY": "bench" * 12,
            "ALLOWED_HOSTS": "testserver",
            "BASE_URL": "http://127.0.0.1:8000",
            "DATABASE_URL": database.url,
            "EMAIL_URL": "dummymail://",
            "SECURE": "0",
            "SECOND_FACTOR_REQUIRED": "0",
            "LOG_LEVEL": "WARNING",
        }
        manage(env, "collectstatic", "--noinput", "--verbosity=0")
        manage(env, "migrate", "--verbosity=0", "--skip-checks")
        out = Path(folder) / "figures.json"
        code = subprocess.call([sys.executable, "-m", module, str(out)], cwd=ROOT, env=env)
        return code or report(name, [Figure(**figure) for figure in json.loads(out.read_text())])


@contextlib.contextmanager
def production() -> Iterator[Production]:
    with server(DURABLE) as database, running(database) as setting:
        yield setting


@contextlib.contextmanager
def running(database: Server | None, workers: int = WEB_WORKERS) -> Iterator[Production]:
    """On a database server, or without one on SQLite as `make run` does."""
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as name:
        setting = Production(database, Path(name), workers)
        try:
            yield setting
        finally:
            for program in list(setting.programs):
                setting.kill(program)


def cpu_seconds(pid: int) -> float:
    """Of a process, what it started, and what ended among that."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    total = own
    for child in children(pid):
        with contextlib.suppress(OSError):
            total += cpu_seconds(child)
    return total


class Refused(Exception):
    """An answer that no teacher should get."""


class Journey:
    """One teacher from the welcome page to the thanks. What was acknowledged is kept, to be compared afterwards."""

    def __init__(
        self,
        port: int,
        code: str,
        seed: int,
        patience: float = 0,
        pauses: float = 0,
        own_answers_only: bool = False,
        waits: tuple[float, float] = (0.05, 0.4),
    ) -> None:
        self.port, self.code, self.chance = port, code, random.Random(seed)
        self.patience = patience  # seconds in which a request is tried again; 0: not at all
        self.pauses = pauses  # seconds, about, between two steps
        self.own_answers_only = (
            own_answers_only  # what a proxy says is no answer: it is asked again, whatever the status
        )
        self.waits = waits  # seconds, at least and at most, before it is asked again
        self.times: list[tuple[str, float]] = []
        self.key = ""
        self.pages = ""  # below which those of this response stand
        self.acknowledged: dict[str, int] = {}
        self.submitted = False
        self.failure = ""
        self._went = ""  # where the last answer leads to
        self._line: http.client.HTTPConnection | None = None

    def run(self) -> None:
        try:
            self._take_part()
        except (Refused, OSError, http.client.HTTPException) as error:
            self.failure = repr(error)
        finally:
            self._hang_up()

    def _take_part(self) -> None:
        welcome, cookie = self._ask("welcome", "GET", f"/a/{self.code}")
        fields = {name: unescape(text) for name, text in re.findall(r'"hidden" name="(\w+)" value="([^"]*)"', welcome)}
        _, cookie = self._ask("start", "POST", "/a/start", urlencode({**fields, "consent": "yes"}), FORM, cookie)
        self.pages = self._went
        page, _ = self._ask("page", "GET", self.pages, cookie=cookie)
        key = re.search(r'name="key" value="([^"]+)"', page)
        if not key:
            raise Refused("the page has no key")
        self.key = key[1]
        items = sorted(set(re.findall(r'name="([A-Z]{2}\d)" value="1"', page)))
        answers: dict[str, int] = {}
        for n in range(1, SCALES + 1):
            part = items[(n - 1) * len(items) // SCALES : n * len(items) // SCALES]
            time.sleep(self.pauses * self.chance.uniform(0.5, 1.5))
            answers = {**answers, **{item: self.chance.randint(1, 4) for item in part}}
            self._write("save", n, answers)
        self._write("submit", SCALES + 1, answers)
        self.submitted = True

    def _write(self, name: str, sequence: int, answers: dict[str, int]) -> None:
        body = {"key": self.key, "sequence": sequence, "answers": answers, "eligibility": "yes", "language": "nl"}
        text, _ = self._ask(name, "POST", f"{self.pages}{name}", json.dumps(body), JSON)
        stands = json.loads(text)
        # of what was handed in the server says nothing but that it was; the database is compared at the end
        expected = {"outcome": "submitted"} if name == "submit" else {"outcome": "saved", "answers": answers}
        if not expected.items() <= stands.items():
            raise Refused(f"{name} {sequence}: {stands['outcome']}, {len(stands.get('answers', {}))} answers stand")
        self.acknowledged = answers

    def _ask(
        self, what: str, method: str, path: str, body: str = "", kind: str = "", cookie: str = ""
    ) -> tuple[str, str]:
        """The text of the answer and its cookie; the same request again until it is answered."""
        until = time.monotonic() + self.patience
        while True:
            try:
                started = time.perf_counter()
                status, text, cookies = self._once(method, path, body, kind, cookie)
                self.times.append((what, time.perf_counter() - started))
                if status in (200, 303):
                    return text, cookies
                error: Exception = Refused(f"{what}: {status}")
                if status < 500 and not self.own_answers_only:
                    raise error
            except (OSError, http.client.HTTPException) as problem:
                error = problem
            self._hang_up()
            if time.monotonic() > until:
                raise error
            time.sleep(self.chance.uniform(*self.waits))

    def _once(self, method: str, path: str, body: str, kind: str, cookie: str) -> tuple[int, str, str]:
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60 if not self.patience else 10)
        headers = {"Accept-Encoding": "gzip", **({"Content-Type": kind} if kind else {})}
        headers |= {"Cookie": cookie} if cookie else {}
        self._line.request(method, path, body or None, headers)
        answer = self._line.getresponse()
        data = answer.read()
        self._went = answer.headers.get("Location") or ""
        text = (gzip.decompress(data) if answer.headers.get("Content-Encoding") == "gzip" else data).decode()
        cookies = [header.split(";")[0] for header in answer.headers.get_all("Set-Cookie") or []]
        return answer.status, text, "; ".join(cookie for cookie in cookies if cookie.startswith(("key=", "start=")))

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


def answer(journeys: list[Journey], at_once: int) -> float:
    """Let all take part, so many at once. The seconds that it took."""
    waiting, lock = list(reversed(journeys)), threading.Lock()

    def next_ones() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                journey = waiting.pop()
            journey.run()

    threads = [threading.Thread(target=next_ones) for _ in range(at_once)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def compare(setting: Production, journeys: list[Journey], collection: int) -> tuple[int, int]:
    """Every acknowledged answer against the database: how many are lost, and how many responses nobody started."""
    rows = setting.rows(f"SELECT key, state, answers FROM surveys_response WHERE collection_id = {collection}")
    stored = {key: (state, json.loads(text) if isinstance(text, str) else text) for key, state, text in rows}
    lost = 0
    for journey in journeys:
        state, answers = stored.get(setting.row_key(journey.key), ("", {}))
        lost += sum(answers.get(item) != value for item, value in journey.acknowledged.items())
        lost += journey.submitted and state != "submitted"
    return lost, len(set(stored) - {setting.row_key(journey.key) for journey in journeys})
