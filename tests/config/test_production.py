"""Production settings: what they refuse, and that people come in. Each in a process of its own, since settings are read once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check import PRODUCTION
from scripts.setup import ROOT


def manage(var: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A management command on production settings."""
    env = {**os.environ, **PRODUCTION, "TEAMSPIEGEL_VAR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings", **env}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.django_db
def test_people_come_in() -> None:
    """Invite, mail, password, second factor, page: tests/production/journey.py, on the database of this session."""
    options = ["-p", "no:cacheprovider", "-p", "no:randomly", "-q", "--ds=tests.production.settings"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests/production/journey.py"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("hosts", ["*", "teamspiegel.example,*", "."])
def test_every_host_name_is_refused(tmp_path: Path, hosts: str) -> None:
    refused = manage(tmp_path, "check", ALLOWED_HOSTS=hosts)
    assert refused.returncode != 0
    assert "ALLOWED_HOSTS" in refused.stderr
