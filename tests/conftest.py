"""What all tests share: which tests belong to which session, and folders of their own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connections
from django.test import SimpleTestCase
from django.utils import timezone, translation

from teams.base import leases, sweeping
from teams.studies import setting_up
from tests.on_postgresql import on_postgresql

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}


def needs_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    case = getattr(item, "cls", None)
    return (
        item.get_closest_marker("django_db") is not None
        or bool(fixtures & DATABASE_FIXTURES)
        or (case is not None and issubclass(case, SimpleTestCase) and bool(getattr(case, "databases", None)))
    )


def belongs(item: pytest.Item, expression: str) -> bool:
    """Whether a test runs in this session: by its markers, and on PostgreSQL only if it is of the data (tests/on_postgresql.py).

    Browser tests and long proofs run when asked for (``-m browser``, ``-m slow``), so that a plain pytest stays quick.
    """
    for marker in ("browser", "slow"):
        if item.get_closest_marker(marker) and marker not in expression:
            return False
    if connections["default"].vendor == "postgresql":
        return needs_database(item) and on_postgresql(item)
    return not item.get_closest_marker("postgres_only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    expression = config.getoption("markexpr") or ""
    left_out = [item for item in items if not belongs(item, expression)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if belongs(item, expression)]


def pytest_unconfigure() -> None:
    if django_settings.configured and Path(django_settings.VAR_DIR).name.startswith("teamspiegel-test-"):
        shutil.rmtree(django_settings.VAR_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """Migrations leave rows (marks of tables to sweep), and the first test that commits empties the tables: which one that
    is differs by process and run. So every test begins with empty tables, the first one too."""
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def patient_sweeps(monkeypatch) -> None:
    """Two sessions of tests write to one PostgreSQL: a sweep waits for the transactions of the other."""
    monkeypatch.setattr(sweeping, "READER_TRIES", 600)


@pytest.fixture(autouse=True)
def folders_of_their_own(tmp_path: Path, settings) -> None:
    """Keys, list of seals and mails of one test: numbers of rows come again in the next one."""
    settings.COLLECTION_KEYS_DIR = tmp_path / "keys"
    settings.SEAL_LIST = tmp_path / "sealed.txt"
    settings.MAIL_DIR = tmp_path / "mail"


@pytest.fixture
def leases_by_the_frozen_clock(monkeypatch) -> None:
    """Leases run by the clock of the database, which no test can freeze."""
    monkeypatch.setattr(leases, "database_now", timezone.now)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Tests read the texts as they stand in the code. Requests choose their own language: Dutch unless asked."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def nothing_needs_to_be_chosen(monkeypatch) -> None:
    """Most tests of people and mails begin without a questionnaire; tests/surveys/test_begin.py says what that refuses."""
    monkeypatch.setattr(setting_up, "NOT_YET", [])
