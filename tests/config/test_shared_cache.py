"""Sign-in limits and used one-time codes are seen by all processes, and of two that add one key, one has added it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from config.shared_cache import SharedCache
from scripts.setup import ROOT
from surveys.answering import limits

ADD = """
import sys
from django.core.cache import cache
cache.set("ready " + sys.argv[1], True)
while not all(cache.get(f"ready {n}") for n in "012"): pass
print(sum(cache.add(f"code {n}", "used", 60) for n in range(200)))
"""


def test_of_three_processes_one_adds_a_key(tmp_path: Path) -> None:
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TEAMSPIEGEL_VAR": str(tmp_path),
        "LIMITS_DIR": str(tmp_path),
        "SECRET_KEY": "x" * 50,
    }
    command = [sys.executable, "-c", ADD]
    running = [
        subprocess.Popen([*command, str(n)], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) for n in range(3)
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in running) == 200


def test_the_cache_is_this_one_and_nobody_else_reads_it() -> None:
    assert isinstance(caches["default"], SharedCache)
    caches["default"].set("a", "b")
    assert limits.folder().stat().st_mode & 0o777 == 0o700
    assert (limits.folder() / "cache").stat().st_mode & 0o777 == 0o700


@pytest.fixture
def nothing_counted() -> Iterator[None]:
    caches["default"].clear()
    yield
    caches["default"].clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_counted")
def test_who_asks_too_often_reads_so_in_a_page_of_ours(client: Client) -> None:
    answers = [client.post(reverse("account_login"), {"login": ""}) for _n in range(121)]
    assert [answer.status_code for answer in answers] == [200] * 120 + [429]
    assert "Wacht een paar minuten" in answers[-1].content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_counted")
def test_behind_a_proxy_each_visitor_is_counted_apart(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def ask(n: int, address: str) -> int:
        made_up = f"10.0.0.{n}"  # what stands before the proxy's own word counts for nothing
        email, headers = {"email": f"nobody{n}@noord.example"}, {"x-forwarded-for": f"{made_up}, {address}"}
        return Client().post(reverse("account_request_login_code"), email, headers=headers).status_code

    assert [ask(n, "192.0.2.1") for n in range(61)] == [302] * 60 + [200]  # the form says why
    assert ask(0, "192.0.2.2") == 302
