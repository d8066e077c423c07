"""Runs everything that must hold: `make test`. Checks, then all tests on SQLite, then PostgreSQL, then the browser.

A part that fails does not stop the others; the end says which failed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from scripts import browser, check
from scripts.postgres import postgres
from scripts.setup import ROOT

PYTEST = [sys.executable, "-m", "pytest", "--durations=20", "-p", "no:cacheprovider"]


def pytest(*arguments: str, **env: str) -> int:
    own = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "TEST_DATABASE_URL")}
    return subprocess.call([*PYTEST, *arguments], cwd=ROOT, env={**own, **env})


@contextlib.contextmanager
def database_server() -> Iterator[str]:
    """The PostgreSQL that TEST_DATABASE_URL names, else one of our own."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
    else:
        with postgres() as url:
            yield url


def on_sqlite() -> int:
    return pytest("-n", "2", "-m", "not browser and not slow and not postgres_only")


def on_postgresql() -> int:
    # tests that need no database are left out by tests/conftest.py: they ran a minute ago
    with database_server() as url:
        return pytest("-n", "2", "-m", "not browser and not slow and not sqlite_only", TEST_DATABASE_URL=url)


def in_the_browser() -> int:
    chromium = browser.find_or_install()
    return pytest("-n", "2", "--dist", "worksteal", "-m", "browser", "tests/browser", CHROMIUM=chromium)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    parts = {
        "checks": check.main,
        "tests on SQLite": on_sqlite,
        "database tests on PostgreSQL": on_postgresql,
        "browser tests": in_the_browser,
    }
    results = {}
    for name, part in parts.items():
        print(f"\n=== {name}", flush=True)
        started = time.monotonic()
        results[name] = (part(), time.monotonic() - started)
    print("\n=== summary")
    for name, (code, seconds) in results.items():
        print(f"{'ok  ' if code == 0 else 'FAIL'} {name} ({seconds:.0f} s)")
    return 1 if any(code for code, _ in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
