"""A room of sixty teachers who all start at once, on the real server with the database of `make run`: `make bench-room`.

Each opens the welcome page, starts, loads the questionnaire, saves eight steps one after the other without a pause, and
hands in. In a real room there are minutes between the steps; here is none, so this is far more than a room asks for.
`python -m bench.room granian gunicorn` compares the two, where gunicorn is installed (docs/adr/0008-web-server.md).
"""

import http.client
import json
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from bench.figures import Figure, at_most, measured, report
from scripts.postgres import free_port
from scripts.run import WEB_THREADS, WEB_WORKERS, commands, environment, prepare
from scripts.setup import ROOT

TEACHERS, STEPS, ROUNDS = 60, 8, 3
ROOM = "import django; django.setup(); from surveys.models import Collection; Collection.objects.update(approached=999)"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Teacher(threading.Thread):
    def __init__(self, port: int, code: str, times: dict[str, list[float]]) -> None:
        super().__init__()
        self.port, self.code, self.times = port, code, times
        self.cookies: dict[str, str] = {}
        self.failure = ""
        self.went = ""  # where the last answer leads to

    def ask(self, what: str, method: str, path: str, body: str = "", kind: str = "") -> str:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body:
            headers["Content-Type"] = kind
        started = time.perf_counter()
        self.line.request(method, path, body or None, headers)
        answer = self.line.getresponse()
        text = answer.read().decode(errors="replace")
        self.times[what].append(time.perf_counter() - started)
        self.went = answer.headers.get("Location") or ""
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        if answer.status not in (200, 303):
            raise RuntimeError(f"{what}: {answer.status}")
        return text

    def run(self) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            self.take_part()
        except (RuntimeError, OSError, http.client.HTTPException) as error:
            self.failure = repr(error)
        finally:
            self.line.close()

    def take_part(self) -> None:
        welcome = self.ask("welcome", "GET", f"/a/{self.code}")
        fields = {name: unescape(text) for name, text in re.findall(r'"hidden" name="(\w+)" value="([^"]*)"', welcome)}
        self.ask("start", "POST", "/a/start", urlencode({**fields, "consent": "yes"}), FORM)
        pages = self.went
        page = self.ask("questionnaire", "GET", pages)
        key = re.search(r'name="key" value="([^"]+)"', page)
        assert key
        items = sorted(set(re.findall(r'name="([A-Z]{2}\d)" value="1"', page)))
        answers: dict[str, int] = {}
        for step in range(1, STEPS + 1):
            answers |= dict.fromkeys(items[: step * len(items) // STEPS], 3)
            body = {"key": key[1], "sequence": step, "answers": answers, "eligibility": "yes"}
            self.ask("save", "POST", f"{pages}save", json.dumps(body), JSON)
        self.ask("submit", "POST", f"{pages}submit", json.dumps({**body, "sequence": STEPS + 1}), JSON)


@dataclass(frozen=True)
class Round:
    failures: list[str]
    per_second: float
    seconds: float
    median: float
    p95: float


def one_round(command: str, env: dict[str, str], port: int, code: str) -> Round:
    web = subprocess.Popen(command, shell=True, cwd=ROOT, env=env)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/a/{code}").close()
                break
            except OSError:
                time.sleep(0.1)
        times: dict[str, list[float]] = {n: [] for n in ("welcome", "start", "questionnaire", "save", "submit")}
        teachers = [Teacher(port, code, times) for _ in range(TEACHERS)]
        started = time.perf_counter()
        for teacher in teachers:
            teacher.start()
        for teacher in teachers:
            teacher.join()
        seconds = time.perf_counter() - started
    finally:
        web.terminate()
        web.wait(20)
    return Round(
        failures=[teacher.failure for teacher in teachers if teacher.failure],
        per_second=sum(len(all_of) for all_of in times.values()) / seconds,
        seconds=seconds,
        median=statistics.median(times["save"]),
        p95=statistics.quantiles(times["save"], n=20)[18],
    )


def command_of(server: str, port: int, var: Path) -> str:
    if server == "granian":
        return commands("127.0.0.1", port, var)["web"]
    return (
        f"exec {shlex.quote(sys.executable)} -m gunicorn --bind 127.0.0.1:{port} --workers {WEB_WORKERS}"
        f" --threads {WEB_THREADS} --worker-class gthread --log-level warning config.wsgi:application"
    )


def main(*servers: str) -> int:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as name:
        var, port = Path(name), free_port()
        env = environment("127.0.0.1", port, var)
        code = re.search(r"/a/([A-Z0-9]{6})\b", prepare(var, env))
        assert code, "the demo shows no code to take part with"
        subprocess.run([sys.executable, "-c", ROOM], cwd=ROOT, env=env, check=True)
        chosen = servers or ("granian",)
        rounds: dict[str, list[Round]] = {server: [] for server in chosen}
        for _ in range(ROUNDS):  # in turn, so that what else the machine does falls on all alike
            for server in chosen:
                rounds[server].append(one_round(command_of(server, port, var), env, port, code[1]))
    for server, all_of in rounds.items():
        best = max(all_of, key=lambda room: room.per_second)
        cut_off = [failure for room in all_of for failure in room.failures]
        if cut_off:
            print(f"{server}: the first teacher was cut off by {cut_off[0]}")
        figures += [
            at_most(f"{server}: teachers cut off", len(cut_off), 0, "teachers"),
            at_most(f"{server}: save, 95 of 100 within", best.p95, 2, "s"),
            measured(f"{server}: save, median", best.median, "s"),
            measured(f"{server}: requests per second", best.per_second, "per s"),
            measured(f"{server}: the room is done within", best.seconds, "s"),
        ]
    return report("room", figures)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
