"""The names that the demo answers to: its mailbox is open to this machine, so no page elsewhere may speak as this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import run
from scripts.setup import ROOT

ASK = """
import json, sys
import django
from django.conf import settings
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # none collected
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
page = lambda host, path: Client(HTTP_HOST=host).get(path).status_code
print(json.dumps({host: [page(host, path) for path in ("/dev/mail", "/a/", "/health")] for host in sys.argv[1:]}))
"""
STRANGE = ["rebound.example:8000", "127.0.0.1.rebound.example", "192.168.1.9:8000", "localhost.rebound.example"]
OWN = ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"]


def answers(var: Path, *hosts: str, **env: str) -> dict[str, list[int]]:
    """What the mailbox, a teacher's page and the page of health answer on demo settings, by the name that was asked for."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("BASE_URL", "HOST", "ALLOWED_HOSTS")}
    own = {"TEAMSPIEGEL_VAR": str(var), "TEAMSPIEGEL_ENV": "demo", "DJANGO_SETTINGS_MODULE": "config.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", ASK, *hosts],
        cwd=ROOT,
        env={**inherited, **own, "DATABASE_URL": f"sqlite:///{var}/demo.sqlite3", "LOG_LEVEL": "CRITICAL", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    statuses: dict[str, list[int]] = json.loads(ran.stdout.splitlines()[-1])
    return statuses


def test_a_strange_name_reads_nothing_of_the_demo(tmp_path: Path) -> None:
    statuses = answers(tmp_path, *STRANGE, *OWN)
    assert {host: statuses[host] for host in STRANGE} == {host: [400, 400, 400] for host in STRANGE}
    assert {tuple(statuses[host][:2]) for host in OWN} == {(200, 200)}
    assert 400 not in {statuses[host][2] for host in OWN}


def test_phones_in_the_room_are_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened to the network: by the machine's address and, where its links have a name, by that too."""
    monkeypatch.setattr(run, "lan_address", lambda: "192.168.1.9")
    monkeypatch.setenv("BASE_URL", "http://laptop.local:8000")
    given = run.environment("0.0.0.0", 8000, tmp_path)
    env = {name: given[name] for name in ("BASE_URL", "HOST")}
    statuses = answers(tmp_path, "laptop.local:8000", "192.168.1.9:8000", "192.168.1.8:8000", "0.0.0.0:8000", **env)
    assert {host: page for host, (_mailbox, page, _health) in statuses.items()} == {
        "laptop.local:8000": 200,
        "192.168.1.9:8000": 200,
        "192.168.1.8:8000": 400,
        "0.0.0.0:8000": 400,
    }


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("192.168.1.9", "http://192.168.1.9:8000"),
    ],
)
def test_the_start_asks_by_a_name_that_is_answered(host: str, asked: str) -> None:
    assert run.own_address(host, 8000) == asked
