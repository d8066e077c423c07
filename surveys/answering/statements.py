"""The statements of the teacher's way, written by hand: docs/adr/0009-answering-is-cheap.md says why, and what it saves.

They say what the ORM would say, in the part of SQL that PostgreSQL and SQLite share, and conditions stand on the row that
is changed. Who carries out one that writes a response: submission.py, nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

UNSEALED = """EXISTS (
    SELECT 1 FROM surveys_collection
    WHERE surveys_collection.id = surveys_response.collection_id AND NOT sealing AND surveys_collection.state <> 'sealed'
)"""

# answers, eligibility, sequence, state, language (blank: as it was); key, the sequence number that it builds on
WRITE = f"""\
UPDATE surveys_response
SET answers = %s, eligibility = %s, sequence = %s, state = %s, language = COALESCE(NULLIF(%s, ''), language)
WHERE key = %s AND sequence = %s AND state = 'draft' AND {UNSEALED}
"""  # noqa: S608 no value in it

# n, collection, day
COUNT_DAY = "UPDATE surveys_daycount SET n = n + %s WHERE collection_id = %s AND day = %s"

# collection
STATE = """\
SELECT state, approached, (SELECT joins_confirmed FROM surveys_meeting WHERE collection_id = surveys_collection.id)
FROM surveys_collection WHERE id = %s
"""

# A collection in which somebody may begin: its team did not stop, whose answers go in a moment (analysis/withdrawals.py)
TAKES_PART = """\
surveys_collection.state = 'open' AND EXISTS (
    SELECT 1 FROM teams_participation
    WHERE teams_participation.id = surveys_collection.participation_id AND teams_participation.state = 'accepted'
)"""

# key, language; collection. No code begins anything once the team answers by personal link: nobody counts who is there
START_IN_MEETING = f"""\
INSERT INTO surveys_response (key, collection_id, state, eligibility, answers, sequence, language)
SELECT %s, surveys_collection.id, 'draft', '', '{{}}', 0, %s
FROM surveys_collection WHERE {TAKES_PART} AND surveys_collection.mode <> 'online' AND surveys_collection.id = %s
ON CONFLICT (key) DO NOTHING
"""  # noqa: S608 no value in it

# code
OPEN_MEETING = f"""\
SELECT surveys_meeting.id, surveys_collection.uid, surveys_collection.mode = 'online'
FROM surveys_meeting JOIN surveys_collection ON surveys_collection.id = surveys_meeting.collection_id
WHERE surveys_meeting.code = %s AND {TAKES_PART}
"""  # noqa: S608 no value in it

# key
COLLECTION_OF = """\
SELECT surveys_collection.uid
FROM surveys_response JOIN surveys_collection ON surveys_collection.id = surveys_response.collection_id
WHERE surveys_response.key = %s
"""

# key
OPEN_DRAFT = """\
SELECT surveys_collection.uid, sequence, answers, eligibility
FROM surveys_response JOIN surveys_collection ON surveys_collection.id = surveys_response.collection_id
WHERE surveys_response.key = %s AND surveys_response.state = 'draft' AND surveys_collection.state = 'open'
"""


def changed(statement: str, *values: Any) -> int:
    """Carry out a statement that writes. How many rows it changed."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def first(statement: str, *values: Any) -> Sequence[Any] | None:
    """The first row that a statement finds."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        row: Sequence[Any] | None = cursor.fetchone()
        return row


def locked(statement: str, *values: Any) -> Sequence[Any] | None:
    """The first row, locked until the end of the transaction; SQLite's transactions lock the whole database."""
    if connection.features.has_select_for_update:
        statement = f"{statement} {connection.ops.for_update_sql(no_key=True)}"
    return first(statement, *values)


@contextmanager
def _cursor() -> Iterator[Any]:
    """On PostgreSQL one that keeps the plans of what comes again and again, which the ORM's SQL is not made for."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.ensure_connection()
    with connection._prepare_cursor(psycopg.Cursor(connection.connection)) as cursor:  # type: ignore[attr-defined]
        yield cursor
