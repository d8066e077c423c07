"""The long proof that nobody is linked to answers, on SQLite and on PostgreSQL: `make prove-unlinkable`."""

import os
import subprocess
import sys

from scripts.postgres import postgres
from scripts.setup import ROOT

PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-n",
    "2",
    "-m",
    "slow",
    "tests/surveys/test_unlinkability.py",
    "--durations=0",
]


def main() -> int:
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "TEST_DATABASE_URL")}
    codes = [subprocess.call(PYTEST, cwd=ROOT, env=env)]
    with postgres() as url:
        codes.append(subprocess.call(PYTEST, cwd=ROOT, env={**env, "TEST_DATABASE_URL": url}))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
