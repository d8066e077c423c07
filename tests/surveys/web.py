"""The web server as `make run` starts it, on the database of the test; and a browser that asks it."""

import contextlib
import os
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection

from scripts.postgres import free_port
from scripts.run import commands
from scripts.setup import ROOT


@contextlib.contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """The server; gives its address. What it writes lies in ``folder``: its log, the broker's messages."""
    port = free_port()
    own = {
        "TEAMSPIEGEL_VAR": str(folder),
        "DATABASE_URL": _database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "COLLECTION_KEYS_DIR": str(settings.COLLECTION_KEYS_DIR),
        "SEAL_LIST": str(settings.SEAL_LIST),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "tests.surveys.web_settings",
        "LOG_LEVEL": "INFO",
    }
    env = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"} | own
    command = shlex.split(commands("127.0.0.1", port, folder)["web"].removeprefix("exec "))
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{own['BASE_URL']}/health", timeout=5):
                break
            assert process.poll() is None, (folder / "web.log").read_text()
            time.sleep(0.1)
        yield own["BASE_URL"]
    finally:
        process.terminate()
        process.wait(20)


def _database_url() -> str:
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    who = quote(given["USER"]) + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    return f"postgres://{who}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


class Answer:
    """What came back, with the names of Django's own answers."""

    def __init__(self, status: int, content: bytes, headers: Any) -> None:
        self.status_code, self.content, self._headers = status, content, headers

    def __getitem__(self, name: str) -> str:
        return self._headers[name]


class Browser:
    """Asks as Django's test client does, but over the network: keeps cookies, follows nothing."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar()), _Stay()
        )

    def moved_to(self, address: str) -> None:
        """The server was started again, at another port."""
        self._address = address

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self._address + path))

    def post(self, path: str, data: Any, content_type: str = "application/x-www-form-urlencoded") -> Answer:
        body = data if isinstance(data, str) else urlencode(data)
        request = urllib.request.Request(self._address + path, body.encode(), {"Content-Type": content_type})
        return self._ask(request)

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return Answer(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), error.headers)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_given: Any, **_named: Any) -> None:
        return None
