"""How many rows every table has, in one query: what a form did shows there."""

from django.apps import apps
from django.db import connection

#: Rows that are no act's.
OF_NO_ACT = {"sessions.Session", "teams.DoneOnce"}
TABLES = sorted(
    model._meta.db_table for model in apps.get_models() if model._meta.managed and model._meta.label not in OF_NO_ACT
)


def rows() -> list[tuple[str, int]]:
    """Every table with its number of rows: mails that wait and lines of the history too."""
    quoted = connection.ops.quote_name
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {quoted(table)}" for table in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(counts)
        return sorted(cursor.fetchall())
