"""Runs everything on this machine: web server, two Celery workers and Celery beat, under one process manager.

    python -m scripts.run          (`make run`; PORT, HOST and TEAMSPIEGEL_VAR come from the environment)

Before that it brings static files and database up to date and, at the first start, loads the demo.

honcho starts the programs, prints their lines and ends all when one ends. The three classes below add what it does not do, and
each line of them is there for a way of ending that left something running (tests/scripts/test_run.py has them all): it knows
no SIGHUP, so a closed terminal left workers; it misses a signal during the start; started with SIGINT ignored, as by "&" in
a script, Ctrl-C did nothing; it signals whole groups, so that Celery's children ended before the task in them; and what a
program leaves in its session it does not know. A manager of our own would need the same and the printing beside it. What
is used of honcho's inside is pinned in tests/config/test_private_names.py.
"""

import contextlib
import multiprocessing
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import honcho.manager
from honcho.compat import ProcessManager
from honcho.manager import Manager
from honcho.process import Popen, Process

from scripts.setup import ROOT, Problem, digest, is_made

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10  # seconds that a process has to end after it was asked to; a Celery task may be at work
WEB_WORKERS = int(os.environ.get("WEB_WORKERS") or 1)
WEB_THREADS = 4  # that answer requests, in each web worker
CONNECTIONS = 2000  # that each web worker holds open
honcho.manager.KILL_WAIT = PATIENCE  # its own counts from the first program that ended


# ------------------------------------------------------------------------------------------------ process manager
def _quiet_child() -> None:
    """In the new process, before its program starts: signals as a program expects them, however we were started."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


class Child(Process):  # type: ignore[misc]
    """A program in a session of its own, so that a signal to it reaches all its processes and Ctrl-C none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = lambda cmd, **options: Popen(cmd, preexec_fn=_quiet_child, **options)

    def run(self, *args: Any, **kwargs: Any) -> None:
        for number in SIGNALS:  # this relay ends when its program has ended, not before
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        super().run(*args, **kwargs)


class Leaders(ProcessManager):  # type: ignore[misc]
    """Asks a program to end, not the processes that it started: Celery's worker ends its own when they are done."""

    def terminate(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class Stack(Manager):  # type: ignore[misc]
    """honcho's manager with handlers of its own: INT, TERM and HUP end everything, also where INT came in ignored."""

    def __init__(self, started: Callable[[], None]) -> None:
        super().__init__()
        self._process_ctor = Child
        self._procmgr = Leaders()
        self._started = started
        self._asked = False

    def _start(self) -> None:
        # called by loop() after honcho has set its handlers, which know neither HUP nor a signal during the start
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for number in SIGNALS:
            signal.signal(number, self._ask)
        signal.signal(signal.SIGALRM, lambda *_: self.kill())
        super()._start()
        threading.Thread(target=self._started, daemon=True).start()  # only now: a process with threads should not fork
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _ask(self, number: int, _frame: object) -> None:
        if self._asked:  # for the second time: at once
            self.kill()
        self._asked = True
        self.returncode = 0 if number == signal.SIGINT else 128 + number

    def _all_started(self) -> bool:
        # asked ten times a second by loop(): the place to act on a signal once every process has a number
        started: bool = super()._all_started()
        if started and self._asked and not self._terminating:
            self.terminate()
        return started

    def terminate(self) -> None:
        signal.alarm(PATIENCE)
        super().terminate()

    def loop(self) -> None:
        try:
            super().loop()
        finally:
            signal.alarm(0)
            for process in self._processes.values():  # what a program left behind in its session
                if pid := process.get("pid"):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(pid, signal.SIGKILL)


# ------------------------------------------------------------------------------------------------ addresses
def lan_address() -> str:
    """The address of this machine on its network. Connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def check_address(host: str, port: str) -> int:
    """The port as a number, if this machine can listen on it."""
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise Problem(f"PORT is '{port}', but must be a number from 1 to 65535.")
    try:
        family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise Problem(f"HOST is '{host}', but this machine knows no such address.") from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except PermissionError as error:
            raise Problem(
                f"Port {port} is only for administrators: choose another one, 'make run PORT=8001'."
            ) from error
        except OSError as error:
            raise Problem(
                f"Port {port} on {host} is in use or not of this machine: choose another one, 'make run PORT=8001'."
            ) from error
    return int(port)


# ------------------------------------------------------------------------------------------------ before the start
def shut(var: Path) -> None:
    """Make the folder, and take from everybody else what an earlier version wrote there for all to read."""
    os.umask(0o077)
    var.mkdir(parents=True, exist_ok=True)
    for path in (var, *var.rglob("*")):
        if not path.is_symlink() and path.stat().st_mode & 0o077:
            path.chmod(path.stat().st_mode & 0o700)


def collect_static(var: Path, env: dict[str, str]) -> None:
    stamp, key = var / "static" / ".stamp", digest(ROOT / "static", ROOT / "requirements" / "base.txt")
    if not is_made(stamp, key):
        manage(env, "collectstatic", "--noinput", "--clear", "--verbosity=0")
        stamp.write_text(key)


def start_command(env: dict[str, str], *command: str) -> "subprocess.Popen[str]":
    """Start a management command. Its log shows only what went wrong."""
    env = {"LOG_LEVEL": "WARNING", **env}
    return subprocess.Popen(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )


def finish(started: "subprocess.Popen[str]") -> str:
    """Wait for a management command and return what it printed."""
    output, _ = started.communicate()
    if started.returncode:
        raise Problem(f"'{' '.join(map(str, started.args[1:3]))}' failed (see above). {output}")  # type: ignore[index]
    return output


def manage(env: dict[str, str], *command: str) -> str:
    return finish(start_command(env, *command))


def migrate(var: Path, env: dict[str, str]) -> None:
    """Bring the database up to date; the file in ``var`` is left alone if it was, by these very migrations."""
    migrations = sorted(
        file for app in ("teams", "surveys", "analysis") for file in (ROOT / app).glob("migrations/*.py")
    )
    stamp, key = var / ".stamp-migrate", digest(*migrations, ROOT / "requirements" / "base.txt")
    own = not env.get("DATABASE_URL") and (var / "teamspiegel.sqlite3").exists()
    if not (own and is_made(stamp, key)):
        manage(env, "migrate", "--verbosity=0", "--skip-checks")
        stamp.write_text(key)


def bring_up_to_date(var: Path, env: dict[str, str]) -> None:
    """Static files and, beside them, the database; all of ``var`` is this account's alone."""
    shut(var)
    with ThreadPoolExecutor() as pool:
        static = pool.submit(collect_static, var, env)
        migrate(var, env)
        static.result()


def start_demo(env: dict[str, str]) -> "subprocess.Popen[str]":
    """Load the demo, where it is not there yet; it prints the sign-ins in any case."""
    return start_command(env, "demo", "--skip-checks")


def prepare(var: Path, env: dict[str, str]) -> str:
    """Everything that must be there before the programs start, one after the other. Returns the demo's sign-ins."""
    bring_up_to_date(var, env)
    return finish(start_demo(env))


# ------------------------------------------------------------------------------------------------ the stack
def commands(host: str, port: int, var: Path, web_workers: int = WEB_WORKERS) -> dict[str, str]:
    """The programs. Paths are quoted; each replaces the shell that starts it."""
    bin_dir = Path(sys.executable).parent
    celery = f"{shlex.quote(str(bin_dir / 'celery'))} --quiet -A config"
    workers = "--loglevel warning --without-gossip --without-mingle --without-heartbeat"
    return {
        "web": (
            f"exec {shlex.quote(str(bin_dir / 'granian'))} --interface wsgi --host {shlex.quote(host)} --port {port}"
            # backpressure counts connections, also those that a phone keeps open in between: a room of 300 has hundreds
            f" --workers {web_workers} --respawn-failed-workers --blocking-threads {WEB_THREADS}"
            f" --backpressure {CONNECTIONS} --http 1 --no-ws"
            " --log-level warning config.wsgi:application"
        ),
        # No gossip, no heartbeat: nobody else is on a folder. Mail, sealing and all that is small: threads, so that a mail
        # server that hangs holds up one of them. They are not nice: somebody waits for a sign-in code.
        "worker": (
            f"exec {celery} worker --pool threads --concurrency 4 --queues answers --hostname answers@%h {workers}"
        ),
        # Analyses and files: what crashes in native code (charts, PDF) takes one task with it, not the worker
        "work": (
            f"exec nice -n 10 {celery} worker --pool prefork --concurrency 2 --queues work --hostname work@%h {workers}"
        ),
        "beat": (
            f"exec {celery}.beat beat --loglevel warning --schedule {shlex.quote(str(var / 'celerybeat-schedule'))}"
        ),
    }


def environment(host: str, port: int, var: Path) -> dict[str, str]:
    public = lan_address() if host in ("0.0.0.0", "::") else host  # noqa: S104
    env = {**os.environ, "SKIP_CHECKS": "1", "TEAMSPIEGEL_VAR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings"}
    public = f"[{public}]" if ":" in public else public
    env.setdefault("BASE_URL", f"http://{public}:{port}")
    env["HOST"] = (
        public  # phones that ask for this address are answered, also where BASE_URL gives the links another name
    )
    env["PYTHONUNBUFFERED"] = "1"  # lines appear when they are written
    env["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser"  # on one's own machine: no harm
    return env


def wait_until_ready(url: str, ready: Callable[[], None]) -> None:
    """Call ``ready`` once the web server answers."""
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310
                return ready()
        except OSError:
            time.sleep(0.1)


def own_address(host: str, port: int) -> str:
    """Where this machine asks its own web server: one that listens everywhere answers to no name that means "everywhere"."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(host: str, port: int, var: Path, env: dict[str, str], ready: Callable[[], None]) -> int:
    """Run the programs until a signal or until one of them ends. Returns the exit code."""
    url = own_address(host, port)
    stack = Stack(lambda: wait_until_ready(url, ready))
    for name, command in commands(host, port, var).items():
        stack.add_process(name, command, env=env, cwd=str(ROOT))
    stack.loop()
    return int(stack.returncode or 0)


def warning(host: str) -> str:
    """What to know before others can reach the demo; nothing while it is this machine's alone."""
    if ip_address(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]).is_loopback:
        return ""
    return (
        "  WARNING: everybody on this network can open this demo, and there is no HTTPS: who listens on the network reads what\n"
        "  is typed, passwords too. Use invented people only. No study with real people opens here, unless you start it with\n"
        "  DEMO_REAL_STUDIES=1; real answers belong on production settings (docs/deployment.md).\n"
    )


def main() -> int:
    host, var = os.environ.get("HOST") or "127.0.0.1", Path(os.environ.get("TEAMSPIEGEL_VAR") or ROOT / "var").resolve()
    port = check_address(host, os.environ.get("PORT") or "8000")
    env = environment(host, port, var)
    loaded = var / ".stamp-demo"  # says only that there is no need to wait: the command itself looks what is there
    print("  database …" if loaded.exists() else "  database and demo study, this once …", flush=True)
    bring_up_to_date(var, env)
    demo = start_demo(env)
    sign_ins: list[str] = []
    if not loaded.exists():
        sign_ins.append(finish(demo))
        loaded.touch()

    def ready() -> None:
        if not sign_ins:
            sign_ins.append(finish(demo))  # it ran while the programs started
        print(f"\n  Teamspiegel is at {env['BASE_URL']}   (Ctrl-C ends it)\n\n{warning(host)}{sign_ins[0]}", flush=True)

    try:
        return serve(host, port, var, env, ready)
    finally:
        demo.kill()


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")  # as honcho expects it; newer Pythons start with another
    try:
        sys.exit(main())
    except Problem as problem:
        sys.exit(f"Teamspiegel: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
