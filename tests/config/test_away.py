"""A database that takes nothing just now: 503, a page that says to try again, and one line in the log."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from tests.access.cast import make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def read_only(db: None) -> Iterator[object]:
    """What makes the database refuse to write, for the rest of the test."""
    is_sqlite = connection.vendor == "sqlite"
    with transaction.atomic():

        def begin() -> None:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA query_only = ON" if is_sqlite else "SET TRANSACTION READ ONLY")

        yield begin
        if is_sqlite:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA query_only = OFF")
        transaction.set_rollback(True)


def test_what_cannot_be_written_is_said_in_a_page_and_a_line(read_only, caplog) -> None:
    cast = make_cast()
    code = cast.collection.meeting.code
    teacher, alice = Client(), cast.client("alice")
    assert teacher.get(f"/a/{code}").status_code == 200
    refused = [
        lambda: teacher.post(reverse("answer_start"), {"code": code, "consent": "yes"}),
        lambda: alice.post(reverse("study_new"), {"once": "k", "title": "Nieuw"}),
    ]
    caplog.clear()
    read_only()
    for ask in refused:
        answer = ask()
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert "over een minuut" in answer.content.decode()
    lines = [line for line in caplog.records if line.levelname == "ERROR" and line.name != "django.request"]
    assert len(lines) == len(refused)
    assert not any(line.exc_info for line in caplog.records)
    assert all(line.getMessage().startswith("The database does not answer: ") for line in lines)
