"""No secret of a link stands in a log: read from what the programs really wrote."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.logs import Cut, cut
from scripts.setup import ROOT
from teams.models import User
from tests.access.cast import make_cast, personal_path
from tests.surveys.web import Browser, web_server

CELERY = """
import logging
from config.celery import app
app.log.setup(loglevel="INFO")
from celery.utils.log import get_task_logger
for name in ("celery.worker", "celery.app.trace", "celery.beat", "kombu", "teams.mail.outbox"):
    logging.getLogger(name).error("Not sent: https://teamspiegel.example/i/12.secret", stack_info=True)
get_task_logger("surveys.tasks").warning("%s", "/a/l/12.secret")
try:
    raise ValueError("/accounts/password/reset/key/1-secret/")
except ValueError:
    logging.getLogger("celery.app.trace").exception("Task raised")
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Not Found: /i/12.abc.def", "Not Found: /i/…"),
        ("Not Found: //a/l/12.abc", "Not Found: //a/…"),
        ("at https://t.example/r/12.abc?x=1.", "at https://t.example/r/…"),
        ("Forbidden (CSRF cookie not set.): /f/12/", "Forbidden (CSRF cookie not set.): /f/…"),
        ("'/calendar/abc.ics'", "'/calendar/…'"),
        ("/accounts/password/reset/key/2-abc/", "/accounts/password/…"),
        ("/accounts/login/?next=%2Fr%2F12.abc", "/accounts/login/?next=%2Fr%2F…"),
        ("/studies/demo/teams/ and /accounts/login/", "/studies/demo/teams/ and /accounts/login/"),
        ('File "/srv/a/teams/mail.py", line 12', 'File "/srv/a/teams/mail.py", line 12'),
    ],
)
def test_what_follows_is_cut(text: str, shown: str) -> None:
    assert cut(text) == shown


def test_a_traceback_is_cut_too() -> None:
    try:
        raise ValueError("/i/12.secret")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "%s", ("/f/secret",), sys.exc_info())
    line = Cut("%(message)s").format(record)
    assert "Traceback" in line
    assert "secret" not in line


@pytest.mark.django_db(transaction=True)
def test_no_token_code_or_key_in_the_log_of_a_walk(tmp_path: Path) -> None:
    """Everybody opens their link, well and badly, signs in and asks for a password; then the web server's log is read."""
    cast = make_cast()
    code = cast.collection.meeting.code
    paths = [*cast.links.values(), personal_path(cast)]
    secrets = {code, *(path.rsplit("/", 1)[1] for path in paths)}
    secrets |= {part for token in secrets for part in re.split(r"[.:-]", token) if len(part) > 15}
    with web_server(tmp_path) as address:
        visitor = Browser(address)
        for path in paths:
            assert visitor.get(path).status_code in (200, 302)
            for bad in (f"{path}x", f"{path}/more", f"/{path}", path.replace(".", "%2E") + "%0a"):
                visitor.get(bad)
            visitor.post(path, {})
            visitor.get(f"/accounts/login/?next={path}")
        welcome = visitor.get(f"/a/{code}").content.decode()
        visitor.get(f"/a/{code}x")
        visitor.get(f"/a/{code}/{code}")
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', welcome))
        page = visitor.post("/a/start", fields | {"consent": "yes"})["Location"]
        key = re.search(r'name="key" value="([^"]+)"', visitor.get(page).content.decode())
        assert key
        handle = page.split("/")[2]
        assert len(handle) == 16
        secrets |= {key[1], handle}
        visitor.get(f"/a/{key[1]}/save")
        visitor.post("/a/save", {"key": key[1]})
        visitor.post("/a/step", {"key": key[1], "step": "none"})
        visitor.post(f"{page}save", {"key": "another"})
        visitor.get(f"{page}none")
        visitor.get(page.rstrip("/"))
        visitor.post("/accounts/password/reset/", {"email": User.objects.get(email="alice@noord.example").email})
        visitor.get("/accounts/password/reset/key/1-wrong-secret/")
        visitor.post("/accounts/password/reset/key/1-wrong-secret/", {})
        visitor.get("/calendar/wrong-secret.ics")
        visitor.post(f"/f/{cast.collection.meeting.pk}/close", {})
    log = (tmp_path / "web.log").read_text()
    secrets |= {"wrong-secret", cast.invitee.email, "noord.example"}
    assert "/i/…" in log, log
    assert "/a/…" in log, log
    assert {secret for secret in secrets if secret in log} == set(), log


def test_celerys_programs_cut_too(tmp_path: Path) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "TEAMSPIEGEL_VAR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", CELERY], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert ran.stderr.count("/i/…") == 5
    assert "/a/…" in ran.stderr
    assert "secret" not in ran.stderr, ran.stderr
