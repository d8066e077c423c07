"""Which tests run on PostgreSQL: a new one does unless its module is named with a reason."""

from pathlib import Path
from typing import Any

import pytest

from tests.on_postgresql import PROCESSES, SQLITE_ENOUGH, on_postgresql

ROOT = Path(__file__).resolve().parents[2]
PAGE = "tests/surveys/test_respondent.py"


class Item:
    """A test, as far as it matters here."""

    def __init__(
        self, module: str, marks: tuple[pytest.MarkDecorator, ...] = (), fixtures: tuple[str, ...] = ()
    ) -> None:
        self.nodeid = f"{module}::test_something[a::b]"
        self.fixturenames = fixtures
        self.marks = {mark.mark.name: mark.mark for mark in marks}

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self.marks.get(name)


@pytest.mark.parametrize(
    ("item", "runs"),
    [
        (Item("tests/surveys/test_new.py", (pytest.mark.django_db,)), True),
        (Item("tests/surveys/test_new.py", (pytest.mark.sqlite_only,)), False),
        (Item(PAGE, (pytest.mark.django_db,)), False),
        (Item(PAGE, (pytest.mark.django_db(transaction=True),)), True),
        (Item(PAGE, (), ("transactional_db",)), True),
        (Item(PAGE, (pytest.mark.data_layer,)), True),
        (Item(PAGE, (pytest.mark.postgres_only,)), True),
        (Item("tests/config/test_logs.py", (pytest.mark.django_db(transaction=True),)), False),
    ],
)
def test_what_runs(item: Any, runs: bool) -> None:
    assert on_postgresql(item) is runs


@pytest.mark.parametrize("module", SQLITE_ENOUGH)
def test_every_module_that_is_left_out_is_there_and_has_a_reason(module: str) -> None:
    assert (ROOT / module).is_file()
    assert len(SQLITE_ENOUGH[module].split()) >= 3


#: What is the database's to decide, wherever it is tested: a module that asks for it may not be left out as a whole.
OF_THE_DATABASE = ("IntegrityError", "in_threads(", ".cursor(", "select_for_update", "migrat", "VACUUM")


@pytest.mark.parametrize("module", SQLITE_ENOUGH)
def test_no_module_that_is_left_out_tests_the_database(module: str) -> None:
    """Its tests of the database are transactional or marked, so that they run on both all the same."""
    if SQLITE_ENOUGH[module] == PROCESSES:
        return
    text = (ROOT / module).read_text()
    asks = [sign for sign in OF_THE_DATABASE if sign in text]
    assert not asks or "data_layer" in text or "transaction=True" in text, f"{module} asks for {asks}"
