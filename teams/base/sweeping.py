"""What was deleted leaves the disk: databases keep the bytes of deleted and overwritten rows until they need the room.

Whoever deletes what cannot wait says so with `mark`, in the transaction that deletes. The row it leaves is the queue: a
process that is killed at any moment loses nothing, and beat sweeps what is due. However many marks wait, each table is
written anew once; one that others hold keeps its mark and holds up no other. What cannot wait (a team is sealed or withdraws, a
study or a person is removed) is due at once. Everything but files is written anew every night, marked or not.

PostgreSQL: VACUUM FULL of the table, with its index and the place of its long values, and its samples (which the planner
keeps of columns) taken anew. SQLite: a few small tables are emptied and filled again, for more of them VACUUM writes the whole
file anew; then the write-ahead log is emptied. The write-ahead log of PostgreSQL, replicas and backups are not
reached from here: docs/data-protection.md.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Iterable, Mapping

from django.apps import apps
from django.db import OperationalError, connection, models, transaction
from django.utils import timezone

from teams.models import Leftover

logger = logging.getLogger(__name__)

TASK = "teams.sweep_due"
EVERYTHING = ""  # as the table of a mark
NIGHT = datetime.time(3, 30)  # in the zone of the settings
CHECKPOINT_TRIES = 50
LOCK_TIMEOUT = (
    "100ms"  # while a table is waited for, all saves in it wait too: rather several short waits than one long one
)
LOCK_TRIES = 8
PAUSE = 0.25
SAMPLES = "pg_catalog.pg_statistic"
FEW, SMALL = 8, 100_000  # tables, and rows in all, that SQLite keeps aside in memory while it writes these tables anew
READER_TRIES = 30
# Whose view of the database is older than a transaction: sessions, standbys, prepared transactions. And the view that the
# sweep itself would have: no view is younger than the oldest transaction that writes, in whatever database of the server.
OLD_READERS = """\
SELECT txid_snapshot_xmin(txid_current_snapshot()) <= %s::bigint OR EXISTS (
    SELECT 1 FROM (
        SELECT backend_xmin AS oldest FROM pg_stat_activity WHERE pid <> pg_backend_pid()
        AND (datname = current_database() OR datname IS NULL)
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts
    ) AS views WHERE age(oldest) > age((%s::bigint %% 4294967296)::text::xid)
)
"""


class SweepDelayed(Exception):
    """Others hold the database, so old rows are still on the disk: the next wake-up tries again."""


def mark(deleted: Mapping[str, int] | Iterable[type[models.Model]], *, at_night: bool = False) -> None:
    """Say that rows were deleted or overwritten; call it in the transaction that does it.

    :param deleted: what Django's ``delete()`` returns as its second value (rows per model, so with all that went along),
        or the models
    :param at_night: let it wait for the next night, for files that are removed one by one
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Deleted and marked in one transaction, or a kill loses the mark.")
    if isinstance(deleted, Mapping):
        deleted = [apps.get_model(label) for label, n in deleted.items() if n]
    due_at = next_night() if at_night else timezone.now()
    tables = sorted({model._meta.db_table for model in deleted})
    Leftover.objects.bulk_create(Leftover(table=table, due_at=due_at) for table in tables)


def mark_the_night() -> None:
    """See to it that next night everything but files is written anew, whether or not something was deleted.

    So no place that deletes or overwrites something of a person can forget to say so; and no row says that a teacher did.
    """
    if not Leftover.objects.filter(table=EVERYTHING, due_at__gt=timezone.now()).exists():
        Leftover.objects.create(table=EVERYTHING, due_at=next_night())


def next_night() -> datetime.datetime:
    """The next half past three in the morning."""
    now = timezone.localtime()
    day = now.date() if now.time() < NIGHT else now.date() + datetime.timedelta(days=1)
    return datetime.datetime.combine(day, NIGHT, timezone.get_current_timezone())


def sweep_due() -> bool:
    """Sweep every table with a mark that is due. Whether there was one.

    :raises SweepDelayed: if others hold the database too long
    """
    # only the marks that are read now: one that is made meanwhile may be of rows that this sweep does not meet
    due = dict(Leftover.objects.filter(due_at__lte=timezone.now()).values_list("pk", "table"))
    if not due:
        return False
    tables = {table for table in due.values() if table in {*_tables(), SAMPLES}}
    if EVERYTHING in due.values():
        tables |= {table for table, model in _tables().items() if small(model)}
    _carry_out(tables, list(due))
    return True


def sweep(tables: Iterable[type[models.Model]]) -> None:
    """Sweep those of these tables that are marked now, due or not. Outside any transaction.

    :raises SweepDelayed: if others hold the database, or one of the tables, too long
    """
    names = {table._meta.db_table for table in tables} | {SAMPLES}
    marks = dict(Leftover.objects.filter(table__in=names).values_list("pk", "table"))
    if marks:
        _carry_out(set(marks.values()), list(marks))


def _carry_out(tables: set[str], marks: list[int]) -> None:
    """Sweep the tables of these marks. Those that others hold get marks of their own, and only those."""
    left = _sweep(sorted(tables))
    with transaction.atomic():
        Leftover.objects.bulk_create(Leftover(table=table, due_at=timezone.now()) for table in sorted(left))
        Leftover.objects.filter(pk__in=marks).delete()
    if left:
        raise SweepDelayed(f"still on the disk: {', '.join(sorted(left))}")


def small(model: type[models.Model]) -> bool:
    """Whether a table holds no files: those are large, and whoever removes one marks it."""
    return not any(isinstance(field, models.BinaryField) for field in model._meta.local_fields)


def _tables() -> dict[str, type[models.Model]]:
    every = apps.get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in every if model._meta.managed and not model._meta.proxy}


def _sweep(tables: list[str]) -> set[str]:
    """Which are left, since others hold them."""
    try:
        if connection.vendor == "sqlite":
            return _sweep_sqlite(tables)
        return _sweep_postgresql(tables)
    except OperationalError as error:
        logger.warning("Deleted rows are still on the disk: %s", error)
        raise SweepDelayed from error


def _sweep_postgresql(tables: list[str]) -> set[str]:
    """Write the tables anew, each by itself. VACUUM FULL needs a table for itself, and while it waits for one reader all others
    wait for it: it gives up after a moment and comes back, so that a long backup delays the sweep and not the answers of other teams."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        try:
            _wait_for_old_readers()
            left = _in_turn([table for table in tables if table != SAMPLES])
            _wait_for_old_readers()  # the samples of before went a moment ago only, with the tables: autovacuum may read since
            return left | _in_turn([SAMPLES])
        finally:
            cursor.execute("RESET lock_timeout")


def _in_turn(tables: list[str]) -> set[str]:
    """Round by round those that are left; which are left at the end."""
    held: dict[str, OperationalError] = {}
    for n in range(LOCK_TRIES):
        if n:
            time.sleep(PAUSE)
        tables, held = list(held) or tables, {}
        for table in tables:
            try:
                _write_anew(table)
            except OperationalError as error:
                held[table] = error
        if not held:
            break
    for table, why in held.items():
        logger.warning("Deleted rows of %s are still on the disk: %s", table, why)
    return set(held)


def _write_anew(table: str) -> None:
    if table == SAMPLES:
        _rewritten(SAMPLES, f"VACUUM FULL {SAMPLES}")
        return
    _forget_samples_of_empty(table)
    name = connection.ops.quote_name(table)
    _rewritten(name, f"VACUUM (FULL, ANALYZE) {name}")


def _wait_for_old_readers() -> None:
    """VACUUM keeps deleted rows for whoever began to read before they were deleted, of whatever table, and says nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid_current()::text")
        (newest,) = cursor.fetchone()
        for _n in range(READER_TRIES):
            cursor.execute(OLD_READERS, [newest, newest])
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.1)
    raise OperationalError("somebody has been reading since before rows were deleted")


def _rewritten(name: str, statement: str) -> None:
    """PostgreSQL only warns where an account may not do it: then the bytes are still there, which is no success."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_filenode(%s::regclass)", [name])
        before = cursor.fetchone()
        cursor.execute(statement)
        cursor.execute("SELECT pg_relation_filenode(%s::regclass)", [name])
        if cursor.fetchone() == before:
            raise OperationalError(f"{name} was not written anew: the account must own the database.")


def _forget_samples_of_empty(table: str) -> None:
    """ANALYZE takes no samples of an empty table and keeps the old ones; a column that is declared again loses its own."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(table)
        cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608 the name of a table of ours
        if cursor.fetchone()[0]:
            return
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_stats USING (attname)"
            " WHERE attrelid = %s::regclass AND tablename = %s AND schemaname = current_schema()",
            [name, table],
        )
        changes = [
            f"ALTER COLUMN {connection.ops.quote_name(column)} TYPE {kind}" for column, kind in cursor.fetchall()
        ]
        if changes:
            cursor.execute(f"ALTER TABLE {name} {', '.join(changes)}")


def _sweep_sqlite(tables: list[str]) -> set[str]:
    """Write the tables anew, then empty the write-ahead log, which held the old rows. Readers that are in the way finish
    soon, so try for a while."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete=ON")
        if len(tables) <= FEW and sum(map(_n_rows, tables)) <= SMALL:
            for table in tables:
                _refill(table)
        else:
            cursor.execute("VACUUM")
        for _n in range(CHECKPOINT_TRIES):
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _in_log, _moved = cursor.fetchone()
            if not busy:
                return set()
            time.sleep(0.1)
    raise OperationalError("a reader is in the way")


def _n_rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 the name of a table of ours
        return int(cursor.fetchone()[0])


def _refill(table: str) -> None:
    """Empty a table and its indexes and put the rows back, in one transaction.

    Deleting rows one by one is not enough, with secure_delete neither: SQLite moves rows between pages and leaves copies of them
    in the gaps. A table that is emptied at one go loses whole pages, and each is overwritten. SQLite does so only while it
    watches no foreign keys; the same keys are there again at the end.
    """
    name = connection.ops.quote_name(table)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("PRAGMA temp_store=MEMORY")
        with transaction.atomic():
            cursor.execute(f"CREATE TEMP TABLE swept AS SELECT * FROM main.{name} ORDER BY rowid")  # noqa: S608
            cursor.execute(f"DELETE FROM main.{name}")  # noqa: S608
            cursor.execute(f"INSERT INTO main.{name} SELECT * FROM temp.swept ORDER BY rowid")  # noqa: S608
            cursor.execute("DROP TABLE temp.swept")
