"""All checks that read the code and run no test: `make check`. Ends with 1 if any of them finds something."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from scripts.setup import ROOT

BIN = Path(sys.executable).parent
PACKAGES = ("config", "analysis", "surveys", "teams")

# production with everything it demands, so that its settings can be checked; no server is reached
PRODUCTION = {
    "TEAMSPIEGEL_ENV": "production",
    "SECRET_KEY": "for the check only: " + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "BASE_URL": "https://teamspiegel.example",
    "ALLOWED_HOSTS": "teamspiegel.example",
    "DATABASE_URL": "postgres://teamspiegel:secret@database.example/teamspiegel",
    "EMAIL_URL": "smtp+tls://teamspiegel:secret@mail.example:587",
    "CELERY_BROKER_URL": "amqp://teamspiegel:secret@broker.example//",
}


@dataclass(frozen=True)
class Check:
    name: str
    command: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)


def checks(scratch: str) -> list[Check]:
    manage = [sys.executable, "manage.py"]
    apart = {"TEAMSPIEGEL_VAR": scratch}  # the checks leave var/ as it is
    return [
        Check("types (mypy)", [str(BIN / "mypy"), *PACKAGES, "scripts"], apart),
        Check("lint (ruff)", [str(BIN / "ruff"), "check", "."]),
        Check("format (ruff)", [str(BIN / "ruff"), "format", "--check", "."]),
        Check("arrows (import-linter)", [str(BIN / "lint-imports"), "--no-cache"], apart),
        Check("rooms as drawn", [sys.executable, "-m", "scripts.rooms", "check"]),
        Check("templates (djlint)", [str(BIN / "djlint"), "templates", "--lint", "--quiet"]),
        Check("migrations complete", [*manage, "makemigrations", "--check", "--dry-run"], apart),
        Check(
            "production settings",
            [*manage, "check", "--deploy", "--fail-level", "WARNING"],
            {**apart, **PRODUCTION},
        ),
        Check("lengths of modules", [sys.executable, "-m", "scripts.lines"]),
        Check("copyright and licences (reuse)", [str(BIN / "reuse"), "lint", "--lines"]),
        Check("translations complete", [sys.executable, "-m", "scripts.messages", "check"]),
    ]


def run(check: Check) -> tuple[Check, int, str, float]:
    started = time.monotonic()
    env = {**os.environ, **check.env}
    completed = subprocess.run(
        check.command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return check, completed.returncode, completed.stdout, time.monotonic() - started


def main() -> int:
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="teamspiegel-check-") as scratch,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for check, code, output, seconds in pool.map(run, checks(scratch)):
            print(f"{'ok  ' if code == 0 else 'FAIL'} {check.name} ({seconds:.0f} s)", flush=True)
            if code:
                failed += 1
                print("\n".join("     " + line for line in output.splitlines()), flush=True)
    print(f"\n{failed} of the checks failed." if failed else "\nAll checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
