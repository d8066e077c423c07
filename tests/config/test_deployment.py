"""Installing by docs/deployment.md: what is shipped in deploy/ and what the documents say works as it stands there."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from django.test import Client
from django.urls import reverse
from kombu import Connection
from kombu.exceptions import OperationalError

from config.logs import SECRET, cut
from scripts import nginx
from scripts.postgres import free_port
from scripts.setup import ROOT
from surveys.answering import limits
from surveys.models import Meeting
from tests.config.test_production import manage
from tests.surveys.conftest import collection, meeting, study, survey, teacher  # noqa: F401
from tests.surveys.web import web_server

EXAMPLE = ROOT / "deploy" / "env.example"
DOCUMENT = (ROOT / "docs" / "deployment.md").read_text()


def settings_of_example() -> dict[str, str]:
    """Read as systemd reads an EnvironmentFile, for the only form that the file may have: NAME='value'."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    matches = [re.fullmatch(r"([A-Z_]+)='([^'\\]*)'", line) for line in lines]
    assert all(matches), lines
    return {match[1]: match[2] for match in matches if match}


def of_somebody_else(tmp_path: Path) -> Path:
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, 65534)
        return tmp_path
    return Path("/usr")


# ------------------------------------------------------------------------------------------------ the file of settings
def test_the_shell_and_systemd_read_the_same_settings(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "manage").write_bytes((ROOT / "deploy" / "manage").read_bytes())
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexec env -0\n")  # says what the command would see
    python.chmod(0o700)
    read = subprocess.run(
        ["sh", tmp_path / "deploy" / "manage", "check"],
        env={"PATH": os.environ["PATH"], "TEAMSPIEGEL_ENV_FILE": str(EXAMPLE)},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = dict(line.split("=", 1) for line in read.stdout.split("\0") if line)
    expected = settings_of_example()
    assert {name: seen.get(name) for name in expected} == expected


def test_a_system_with_these_settings_is_found_sound(tmp_path: Path) -> None:
    own = {"SECRET_KEY": "x1y2z3" * 12, "TEAMSPIEGEL_VAR": str(tmp_path), "LIMITS_DIR": str(tmp_path)}
    process = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **settings_of_example() | own)
    assert process.returncode == 0, process.stderr


def test_every_setting_of_the_program_is_in_the_document_and_in_the_file() -> None:
    read = {
        name
        for path in (ROOT / "config").glob("*.py")
        for name in re.findall(r'(?:env\.\w+|_secret)\(\s*"([A-Z_]+)"', path.read_text())
    }
    not_for_production = {"DEBUG", "SECURE", "SECOND_FACTOR_REQUIRED", "DEMO_REAL_STUDIES", "HOST"}
    assert "MAIL_FROM" in read
    assert read - not_for_production == set(settings_of_example())
    assert {name for name in read - not_for_production if f"`{name}" not in DOCUMENT} == set()


# ------------------------------------------------------------------------------------------------ accounts and folders
def test_another_account_is_told_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    counts.mkdir()
    var = of_somebody_else(tmp_path / "var" if (tmp_path / "var").mkdir() is None else tmp_path)
    refused = manage(var, "check", "--deploy", LIMITS_DIR=str(counts))
    assert refused.returncode != 0
    assert re.search(r"belongs to account \d+ and this is account \d+.*sudo -u teamspiegel", refused.stderr)
    assert list(counts.iterdir()) == []


def test_each_account_counts_in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, settings, tmp_path: Path) -> None:
    """What root runs by hand does not take the folder of the service, which would then sign nobody in."""
    settings.LIMITS_DIR = tmp_path
    roots = f"{limits.folder().name.rsplit('-', 1)[0]}-0"
    assert limits.folder().name == f"{roots.rsplit('-', 1)[0]}-{os.geteuid()}"
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(PermissionError):  # made just now, by an account that is not 4711
        limits.folder()
    assert (tmp_path / f"{roots.rsplit('-', 1)[0]}-4711").exists()


def test_what_is_written_is_the_accounts_alone(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir(mode=0o755)
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "TEST_DATABASE_URL")}
    env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "TEAMSPIEGEL_VAR": str(var)}
    for command in (["migrate", "teams", "0001", "--skip-checks"], ["collectstatic", "--noinput"]):
        subprocess.run([sys.executable, "manage.py", *command, "-v0"], cwd=ROOT, env=env, check=True, umask=0o022)
    open_to_others = [path for path in (var, *var.rglob("*")) if path.stat().st_mode & 0o077]
    assert (var / "teamspiegel.sqlite3").exists()
    assert (var / "static").is_dir()
    assert open_to_others == []


# ------------------------------------------------------------------------------------------------ broker, web server, proxy
def test_redis_can_be_the_broker() -> None:
    """That the package is there: nobody answers at this port, and that is what it says."""
    with pytest.raises(OperationalError), Connection("redis://127.0.0.1:1/0") as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


@pytest.mark.django_db(transaction=True)
def test_a_killed_web_worker_is_replaced(tmp_path: Path) -> None:
    before = {process.pid for process in psutil.Process().children()}
    with web_server(tmp_path) as address:
        (server,) = [process for process in psutil.Process().children() if process.pid not in before]
        workers = [
            child for child in server.children(recursive=True) if "resource_tracker" not in " ".join(child.cmdline())
        ]
        assert workers
        for worker in workers:
            worker.kill()
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
                    assert answer.status == 200
                    break
            except OSError:
                assert server.is_running()
                assert server.status() != psutil.STATUS_ZOMBIE, "the web server ended with its worker"
                time.sleep(0.1)
        else:
            raise AssertionError("no worker came in its place")


def test_the_document_starts_the_web_server_so_too() -> None:
    assert "--respawn-failed-workers" in DOCUMENT


def test_the_units_start_what_the_document_starts() -> None:
    """systemd wants a whole path and reads %h as a home folder; what runs is the same."""
    block = DOCUMENT.split("```\nweb ")[1].split("```")[0]
    lines = re.sub(r"\n +", " ", f"web {block}").splitlines()
    written = dict(line.split(None, 1) for line in lines)
    units = {path.stem.removeprefix("teamspiegel-"): path for path in (ROOT / "deploy" / "systemd").iterdir()}
    assert set(units) == set(written)
    for name, path in units.items():
        unit = dict(
            line.split("=", 1)
            for line in re.sub(r"\s*\\\n\s*", " ", path.read_text()).splitlines()
            if "=" in line and not line.startswith("#")
        )
        assert "%" not in unit["ExecStart"].replace("%%", "")
        assert unit["ExecStart"].replace("%%", "%") == f"{unit['WorkingDirectory']}/{written[name]}"
        assert unit["EnvironmentFile"] == "/etc/teamspiegel/env"
        assert unit["KillMode"] == "mixed", "celery's children do not outlive a signal that they get themselves"
        assert f"teamspiegel-{name}" in DOCUMENT


ORDERS = (ROOT / "deploy" / "nginx.conf").read_text()


def test_the_proxy_speaks_no_old_tls() -> None:
    for server in re.sub(r"#.*", "", ORDERS).split("server {")[1:]:
        assert ("listen 443" in server) == ("ssl_protocols TLSv1.2 TLSv1.3;" in server)
    assert ORDERS.count("ssl_protocols") == 1


def test_the_proxy_logs_no_request_and_no_error_of_any_path() -> None:
    orders = re.sub(r"#.*", "", ORDERS)
    for server in orders.split("server {")[1:]:
        own = re.sub(r"location [^{]*\{[^}]*\}", "", server)
        assert "access_log off;" in own
        assert "error_log /dev/null;" in own
    assert set(re.findall(r"(?:access|error)_log [^;]+;", orders)) == {"access_log off;", "error_log /dev/null;"}
    for prefix in SECRET:
        assert cut(f"/{prefix}/12.abc").endswith("…")


def test_the_proxy_logs_nothing_of_what_a_teachers_page_asks_for(
    teacher: Client,  # noqa: F811
    meeting: Meeting,  # noqa: F811
    tmp_path: Path,
) -> None:
    """The shipped settings, with the program behind it away: that is when nginx writes most."""
    page = teacher.get(f"/a/{meeting.code}", follow=True).content.decode()
    asked = {
        path for path in re.findall(r'(?:href|src|action|data-\w+)="(/[^"#]*)"', page) if not path.startswith("//")
    }
    asked |= {f"/a/{meeting.code}", reverse("privacy"), reverse("set_language")}
    assert any(path.startswith("/static/") for path in asked)
    port = free_port()
    orders = re.sub(r" *ssl_.*\n", "", ORDERS.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};"))
    orders = orders.replace("listen 80;", f"listen 127.0.0.1:{free_port()};").replace(
        "127.0.0.1:8000", f"127.0.0.1:{free_port()}"
    )
    shutil.copy(ROOT / "deploy" / "proxy_headers.conf", tmp_path)
    scratch = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log info; events {{}}"
        f" http {{ {scratch} access_log {tmp_path}/access.log;\n{orders} }}"
    )
    process = subprocess.Popen(
        [nginx.find_or_install(), "-p", tmp_path, "-c", tmp_path / "nginx.conf"], stderr=subprocess.DEVNULL
    )
    try:
        for path in sorted(asked):
            for _ in range(100):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
                except urllib.error.HTTPError:  # the program behind it is away
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                raise AssertionError("the proxy did not start")
    finally:
        process.terminate()
        process.wait(20)
    written = "".join(
        (tmp_path / name).read_text() for name in ("access.log", "error.log") if (tmp_path / name).exists()
    )
    assert not [path for path in asked if path != "/" and path in written]
    assert "client:" not in written
    assert '"GET' not in written
