"""What goes wrong around the programs loses nothing and doubles nothing: the second half of `make prove-faults`.

Two of every program run against one PostgreSQL, and one worker and one beat have a clock that is a minute ahead. Teachers take
part all the time, through a proxy, and try again, as the page does, whatever is no answer of ours. Meanwhile, one after the
other: the broker is away for three minutes; the database is read-only; the disk of var is full; the key of a team is
unreadable; the proxy answers 403, 404 and 502 with pages of its own. In each trouble mails are queued, a team is closed, and a
team accepts in the study that is open. Two minutes after each everything was done by itself, and while it lasts the
researcher's board names what a person may have to do.

The broker is Redis, as on a server: `redis-server` in PATH, else (for root) of the system's packages. Without it the folder of
`make run` is the broker, and is never away. The full disk is a small one in memory, which only root may mount. What is left
out is said. Single troubles: `python -m bench.troubles disk key`.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psycopg

from bench.false_proxy import MOODS, FalseProxy
from bench.mail_server import OK, MailServer
from bench.production import Journey, Production, compare
from scripts.postgres import DURABLE, free_port, server
from scripts.run import commands
from scripts.setup import ROOT

BROKER, READ_ONLY, DISK, KEY, PROXY = "broker", "read-only", "disk", "key", "proxy"
SECONDS = {BROKER: 180, READ_ONLY: 60, DISK: 60, KEY: 60, PROXY: 60}
GOES_ON = 120  # seconds after a trouble within which all is done
EACH = 20  # mails of each of the two kinds, in each trouble
HANDED_IN = 30  # answers of the team that is closed in each
AHEAD = 60  # seconds
EVERY, PAUSE = 3, 2  # seconds between two teachers, and between two steps of one
PATIENCE = 600  # of a teacher
DISK_SIZE = "96m"
BOARD_NAMES = {DISK: "Late disk", KEY: "Closing key"}  # the team that the board must name meanwhile

TEAMS = f"""
import sys, django; django.setup()
from surveys.collecting import collections
from surveys.linking import personal_links as links
from surveys.answering import submission
from surveys.models import Survey
from teams.models import Academy, OutboxMessage, Participation, Team
survey = Survey.objects.get()
def team(name, mode):
    made = Team.objects.create(academy=Academy.objects.get(), name=name)
    part = Participation.objects.create(study=survey.study, team=made, mode=mode, state="accepted", approached={HANDED_IN})
    return collections.open_collection(part)
for name in sys.argv[1:]:
    links.issue_links(team("Online " + name, "online"), [f"{{name}}{{n}}@teacher.example" for n in range({EACH})])
    rows = [{{"answers": {{"GV1": 1 + n % 4}}}} for n in range({HANDED_IN})]
    submission.submit_many(team("Closing " + name, "contact"), rows)
OutboxMessage.objects.all().delete()  # what says so to the teachers
"""
ACT = f"""
import sys, django; django.setup()
from surveys.collecting import collections
from surveys.linking import personal_links as links
from surveys.models import Collection, Survey
from teams.mail import outbox as mail
from teams.models import Academy, Participation, Team, User
name = sys.argv[1]
users = [User.objects.create_user(f"{{name}}{{n}}@account.example", name="A B") for n in range({EACH})]
mail.queue_many("teams.account_password", [user.pk for user in users])
links.remind(Collection.objects.get(participation__team__name="Online " + name))
closing = Collection.objects.get(participation__team__name="Closing " + name)
collections.close_collection(closing)
collections.seal_now(closing)
late = Team.objects.create(academy=Academy.objects.get(), name="Late " + name)
Participation.objects.create(
    study=Survey.objects.get().study, team=late, mode="contact", state="accepted", approached={HANDED_IN})
"""
LEFT = """
import json, sys, django; django.setup()
from surveys.collecting.collections import not_open
from surveys.models import Collection
from teams.models import OutboxMessage
print(json.dumps({
    "mails": OutboxMessage.objects.filter(state="queued").count(),
    "seals": Collection.objects.filter(participation__team__name="Closing " + sys.argv[1]).exclude(
        state="sealed", sealing=False).count(),
    "teams to open": not_open().count(),
}))
"""
BOARD = """
import json, django; django.setup()
from django.utils import translation
from analysis.troubles import troubles
from teams.models import Study
with translation.override("en"):
    print(json.dumps([sentence for sentence, _page in troubles(Study.objects.get())]))
"""
KEY_FILE = """
import sys, django; django.setup()
from surveys.keys.collection_keys import _path_of
from surveys.models import Collection
print(_path_of(Collection.objects.get(participation__team__name=sys.argv[1]).uid))
"""


class Doubled(Production):
    """Two of every program; the second worker and beat are a minute ahead. What ends is started again, as systemd does."""

    def __init__(self, database: Any, var: Path) -> None:
        super().__init__(database, var, workers=1)
        self.second_port = free_port()
        self.again: Counter[str] = Counter()
        self._ends = threading.Event()

    def start(self, name: str) -> None:
        kind, is_second = name.rstrip("2"), name.endswith("2")
        command = commands("127.0.0.1", self.second_port if is_second else self.port, self.var, self.workers)[kind]
        if is_second:
            celery = str(Path(sys.executable).parent / "celery")
            command = command.replace(celery, f"{sys.executable} -m bench.apart {AHEAD} celery").replace("@%h", "2@%h")
            command = command.replace("celerybeat-schedule", "celerybeat2-schedule")
        with self.log.open("ab") as log:
            output: IO[Any] = log
            self.programs[name] = subprocess.Popen(
                command, shell=True, cwd=ROOT, env=self.env, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def log(self) -> Path:
        """Beside the disk that gets full: what the programs print, a journal takes."""
        return self.var.parent / "log.txt"

    def keep_up(self) -> None:
        """Start again what ended, until `stop`."""
        while not self._ends.wait(1):
            for name, program in list(self.programs.items()):
                if program.poll() is not None:
                    self.again[name] += 1
                    self.start(name)

    def stop(self) -> None:
        self._ends.set()


# ------------------------------------------------------------------------------------------------ troubles
class Redis:
    """A Redis of our own, that can be away."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self._command = [program, "--port", str(self.port), "--save", "", "--dir", str(folder)]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.back()

    def away(self) -> None:
        self._process.kill()
        self._process.wait()

    def back(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def find_redis() -> str | None:
    """The server of this machine, installed if need be and if that can be."""
    if not shutil.which("redis-server") and os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "-y", "--no-install-recommends", "redis-server"]):
            subprocess.call(["apt-get", *words, "-qq"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return shutil.which("redis-server")


def read_only(setting: Doubled, is_read_only: bool) -> None:
    assert setting.database
    with psycopg.connect(setting.database.url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if is_read_only else 'off'}")
        connection.execute("SELECT pg_reload_conf()")


class Filler:
    """Fills a disk, and whatever gets free on it meanwhile."""

    def __init__(self, var: Path) -> None:
        self._file, self._ends = var / "full", threading.Event()

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._fill, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ends.set()
        self._thread.join()

    def _fill(self) -> None:
        while not self._ends.is_set():
            with contextlib.suppress(OSError), self._file.open("ab", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            self._ends.wait(0.2)
        self._file.unlink()


def unreadable(path: Path, is_unreadable: bool) -> None:
    """A folder lies where the key was: root reads every file, whatever its mode."""
    away = path.with_suffix(".away")
    if is_unreadable:
        path.rename(away)
        path.mkdir()
    else:
        path.rmdir()
        away.rename(path)


@contextlib.contextmanager
def small_disk() -> Iterator[tuple[Path, bool]]:
    """A folder for var, and whether it is a disk of its own that can be filled."""
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as name:
        var = Path(name) / "var"
        var.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE},mode=0700", "tmpfs", str(var)]
        is_own = os.geteuid() == 0 and subprocess.call(command, stderr=subprocess.DEVNULL) == 0
        try:
            yield var, is_own
        finally:
            if is_own:
                subprocess.call(["umount", "-l", str(var)])


# ------------------------------------------------------------------------------------------------ what goes on meanwhile
class Teachers:
    """One begins every few seconds, until nobody is to begin any more."""

    def __init__(self, port: int, code: str) -> None:
        self.journeys: list[Journey] = []
        self._port, self._code, self._threads, self._ends = port, code, list[threading.Thread](), threading.Event()
        self._coming = threading.Thread(target=self._come)
        self._coming.start()

    def _come(self) -> None:
        while not self._ends.wait(EVERY):
            journey = Journey(
                self._port, self._code, len(self.journeys), PATIENCE, PAUSE, own_answers_only=True, waits=(0.5, 3)
            )
            self.journeys.append(journey)
            self._threads.append(threading.Thread(target=journey.run))
            self._threads[-1].start()

    def leave(self) -> None:
        """Nobody begins any more; wait for those who did."""
        self._ends.set()
        self._coming.join()
        for thread in self._threads:
            thread.join()


def last(setting: Doubled, name: str, begin: Callable[[], object], end: Callable[[], object]) -> dict[str, Any]:
    """Let one trouble last its time, and wait until all is done. What the board said, and how long it took afterwards."""
    if name == READ_ONLY:  # nothing can be asked for meanwhile
        setting.python(ACT, name)
        begin()
    else:
        begin()
        setting.python(ACT, name)
    until = time.monotonic() + SECONDS[name]
    time.sleep(SECONDS[name] * 0.8)
    board = json.loads(setting.python(BOARD))
    time.sleep(max(0.0, until - time.monotonic()))
    end()
    ended, left = time.monotonic(), {"": 1}
    while any(left.values()) and time.monotonic() < ended + GOES_ON:
        time.sleep(2)
        left = json.loads(setting.python(LEFT, name))
    took = time.monotonic() - ended
    print(f"     {name}: {SECONDS[name]} s; done {took:.0f} s later; board: {board or 'nothing'}", flush=True)
    return {"board": board, "left": {what: n for what, n in left.items() if n}}


def main() -> int:
    started = time.monotonic()
    post = MailServer()
    post.be(OK)
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(server(DURABLE))
        var, is_own = stack.enter_context(small_disk())
        setting = Doubled(database, var)
        stack.callback(lambda: [setting.kill(program) for program in list(setting.programs)])
        broker = Redis(program, var.parent) if (program := find_redis()) else None
        if broker:
            setting.env["CELERY_BROKER_URL"] = broker.url
            stack.callback(broker.away)
        limits = var.parent / "limits"  # in memory, as on a server
        limits.mkdir(mode=0o700)
        setting.env |= {"EMAIL_URL": f"smtp://127.0.0.1:{post.port}", "LIMITS_DIR": str(limits)}
        names = list(sys.argv[1:] or SECONDS)
        for name, can in ((DISK, is_own), (BROKER, broker is not None)):
            if name in names and not can:
                names.remove(name)
                print(f"     {name} is left out: it cannot be had here")
        code = setting.prepare(rooms=1, approached=2000)[0]
        ((room,),) = setting.rows("SELECT id FROM surveys_collection")
        setting.python(TEAMS, *names)
        for name in ("web", "worker", "work", "beat"):
            setting.start(name)
            setting.start(f"{name}2")
        setting.wait()
        threading.Thread(target=setting.keep_up, daemon=True).start()
        stack.callback(setting.stop)
        proxy = FalseProxy([setting.port, setting.second_port])
        teachers = Teachers(proxy.port, code)

        def pages_of_its_own() -> None:
            for mood in MOODS:
                proxy.be(mood)
                time.sleep(SECONDS[PROXY] / len(MOODS))

        filler = Filler(var)
        key = Path(setting.python(KEY_FILE, f"Closing {KEY}").strip() if KEY in names else "")
        acts: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            BROKER: (broker.away, broker.back) if broker else (int, int),
            READ_ONLY: (lambda: read_only(setting, True), lambda: read_only(setting, False)),
            DISK: (filler.begin, filler.end),
            KEY: (lambda: unreadable(key, True), lambda: unreadable(key, False)),
            PROXY: (threading.Thread(target=pages_of_its_own).start, lambda: proxy.be("200")),
        }
        came = {name: last(setting, name, *acts[name]) for name in names}
        teachers.leave()
        lost, unknown = compare(setting, teachers.journeys, room)
        sealed = setting.rows(
            "SELECT t.name, (SELECT count(DISTINCT key) FROM surveys_sealedresponse r WHERE r.collection_id = c.id)"
            " FROM surveys_collection c JOIN teams_participation p ON p.id = c.participation_id"
            " JOIN teams_team t ON t.id = p.team_id WHERE t.name LIKE 'Closing %' AND c.state = 'sealed'"
        )
        again = dict(setting.again)
    arrived = Counter(post.about[number] for number in post.taken)
    people = [f"{name}{n}@{kind}.example" for name in names for n in range(EACH) for kind in ("teacher", "account")]
    for failure in sorted({journey.failure for journey in teachers.journeys if journey.failure})[:5]:
        print(f"     a journey failed: {failure}")
    n_done = sum(journey.submitted for journey in teachers.journeys)
    doubled = {post.about[number] for number, n in post.taken.items() if n > 1}
    doubled |= {person for person, n in arrived.items() if n > 1}
    print(f"     twice: {sorted(doubled) or 'nobody'}")
    print(
        f"     {'Redis' if broker else 'a folder'} as broker; started again: {again or 'nothing'}; {proxy.said} pages of the proxy"
    )
    print(f"     {time.monotonic() - started:.0f} seconds")
    checks = {
        f"teachers who came to the end: {n_done} of {len(teachers.journeys)}": n_done == len(teachers.journeys) > 0,
        f"acknowledged answers lost: {lost}": lost == 0,
        f"responses that no teacher has: {unknown}": unknown == 0,
        f"pages that the proxy sent instead of ours: {proxy.said}": proxy.said >= 10 or PROXY not in names,
        f"teams sealed, whole and once: {sum(n == HANDED_IN for _name, n in sealed)} of {len(names)}": (
            [n for _name, n in sealed] == [HANDED_IN] * len(names)
        ),
        f"mails that came twice: {len(doubled)}": not doubled,
        f"mails lost, of {len(people)}: {sum(not arrived[person] for person in people)}": (
            all(arrived[person] for person in people)
        ),
        **{
            f"{name}: left {GOES_ON} s later: {trouble['left'] or 'nothing'}": not trouble["left"]
            for name, trouble in came.items()
        },
        **{
            f"{name}: the board names the team meanwhile": any(team in said for said in came[name]["board"])
            for name, team in BOARD_NAMES.items()
            if name in came
        },
    }
    for what, holds in checks.items():
        print(f"{'ok  ' if holds else 'FAIL'} {what}")
    print(f"{sum(checks.values())} passed, {len(checks) - sum(checks.values())} failed")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
