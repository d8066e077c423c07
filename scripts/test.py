"""Runs everything that must hold: `make test`. Checks, then all tests on SQLite, then PostgreSQL, then the browser.

A part that fails does not stop the others; the end says which failed. A part that takes longer than its budget fails too:
all of it takes at most twenty minutes on two processors, so that it is run before every change. On a machine that does
other things meanwhile, TEST_BUDGET_FACTOR=3 allows each part three times as long.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    # what needs no database, or is the same on every one, is left out by tests/on_postgresql.py: it ran a minute ago
    with database_server() as url:
        return pytest("-n", "2", "-m", "not browser and not slow and not sqlite_only", TEST_DATABASE_URL=url)


def in_the_browser() -> int:
    chromium = browser.find_or_install()
    return pytest("-n", "2", "--dist", "worksteal", "-m", "browser", "tests/browser", CHROMIUM=chromium)


@dataclass(frozen=True)
class Part:
    name: str
    run: Callable[[], int]
    minutes: float  # its budget


PARTS = (
    Part("checks", check.main, 2),
    Part("tests on SQLite", on_sqlite, 6),
    Part("tests of the data on PostgreSQL", on_postgresql, 4),
    Part("browser tests", in_the_browser, 7),
)


def budget_factor() -> float:
    """How many times its budget a part may take on this machine: TEST_BUDGET_FACTOR, else once."""
    text = os.environ.get("TEST_BUDGET_FACTOR", "1")
    try:
        factor = float(text)
    except ValueError:
        factor = 0
    if not 0 < factor < float("inf"):
        raise SystemExit(f"Teamspiegel: TEST_BUDGET_FACTOR is '{text}'; it must be a number above 0, such as 2.")
    return factor


def verdict(part: Part, code: int, seconds: float, factor: float = 1) -> tuple[bool, str]:
    """Whether a part is passed, and the line that says so: nothing in it failed, and it kept to its budget."""
    allowed = part.minutes * 60 * factor
    if code:
        return False, f"FAIL {part.name} ({seconds:.0f} s)"
    if seconds > allowed:
        return False, (
            f"FAIL {part.name}: all passed, but {seconds:.0f} s is over the budget of {allowed:.0f} s."
            " Make it quicker (see --durations above); on a loaded machine set TEST_BUDGET_FACTOR."
        )
    return True, f"ok   {part.name} ({seconds:.0f} s of {allowed:.0f})"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    factor, verdicts = budget_factor(), []
    for part in PARTS:
        print(f"\n=== {part.name}", flush=True)
        started = time.monotonic()
        code = part.run()
        verdicts.append(verdict(part, code, time.monotonic() - started, factor))
    print("\n=== summary")
    for _passed, line in verdicts:
        print(line)
    return 0 if all(passed for passed, _line in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
