"""What is deleted leaves the disk: the bytes of all files of the database are read, and a kill at any moment loses no mark."""

import datetime
import random
import sqlite3
from threading import Event as Signal

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import CharField
from django.db.models.functions import Cast
from django.utils import timezone

from teams import tasks
from teams.base import sweeping
from teams.models import Institution, Invitation, Leftover, User
from tests.groups import a_group
from tests.surveys.attacker import left_on_disk, swept
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [f"Institution-to-forget-{n:04}-" + "ij" * 40 for n in range(300)]


@pytest.fixture
def named(db) -> None:
    group = a_group()
    Institution.objects.bulk_create(Institution(group=group, name=name) for name in NAMES)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does: the planner's samples hold names too


def forget(keep: int = 0, at_night: bool = False) -> None:
    with transaction.atomic():
        kept = Institution.objects.order_by("pk")[:keep].values("pk")
        _n, rows = Institution.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
        sweeping.mark(rows, at_night=at_night)


def swept_by(monkeypatch) -> list[str]:
    """The tables that sweeps write anew from here on; none is."""
    swept: list[str] = []

    def note(tables: list[str]) -> set[str]:
        swept.extend(tables)
        return set()

    monkeypatch.setattr(sweeping, "_sweep", note)
    return swept


@pytest.mark.parametrize("keep", [0, 1], ids=["emptied", "one left"])
def test_what_was_deleted_stands_in_no_file(named, keep):
    assert max(left_on_disk(NAMES).values()) == 300
    forget(keep)
    assert left_on_disk(NAMES), "deleting alone leaves it on the disk"
    assert sweeping.sweep_due()
    assert left_on_disk(NAMES[keep:]) == {}
    assert not Leftover.objects.exists()
    assert Institution.objects.count() == keep
    assert not sweeping.sweep_due()


def test_what_was_overwritten_too(named):
    with transaction.atomic():
        Institution.objects.update(name=Cast("pk", CharField()))
        sweeping.mark([Institution])
    sweeping.sweep_due()
    assert left_on_disk(NAMES) == {}


def test_a_mark_is_made_in_the_transaction_that_deletes(named):
    with pytest.raises(transaction.TransactionManagementError):
        sweeping.mark([Institution])
    with transaction.atomic():
        _n, rows = Institution.objects.all().delete()
        sweeping.mark(rows)
        transaction.set_rollback(True)
    assert Institution.objects.count() == 300
    assert not Leftover.objects.exists()


def test_killed_while_it_sweeps_it_sweeps_again(named, monkeypatch):
    class Killed(BaseException):
        pass

    def dies(*arguments):
        raise Killed

    forget()
    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "_sweep_sqlite", dies)
        patch.setattr(sweeping, "_sweep_postgresql", dies)
        with pytest.raises(Killed):
            sweeping.sweep_due()
    assert Leftover.objects.exists()
    tasks.sweep_due()
    assert left_on_disk(NAMES) == {}
    assert [mark.table for mark in Leftover.objects.all()] == [sweeping.EVERYTHING]


def test_many_deletions_are_one_sweep(named, monkeypatch):
    swept = swept_by(monkeypatch)
    for _n in range(5):
        forget()
        with transaction.atomic():
            sweeping.mark([Institution, User])
    sweeping.sweep_due()
    assert swept == ["teams_institution", "teams_user"]
    assert not Leftover.objects.exists()


def test_what_is_not_marked_leaves_the_disk_the_next_night(named):
    tasks.sweep_due()
    Institution.objects.all().delete()
    (mark,) = Leftover.objects.all()
    local = timezone.localtime(mark.due_at)
    assert (local.hour, local.minute) == (3, 30)
    assert timezone.now() < mark.due_at <= timezone.now() + datetime.timedelta(hours=25)
    tasks.sweep_due()
    assert left_on_disk(NAMES), "not before"
    Leftover.objects.update(due_at=timezone.now())
    tasks.sweep_due()
    assert left_on_disk(NAMES) == {}
    (mark,) = Leftover.objects.all()
    assert mark.due_at > timezone.now(), "and every night after"


def test_every_night_all_tables_but_those_of_files(db, monkeypatch):
    swept = swept_by(monkeypatch)
    sweeping.mark_the_night()
    sweeping.mark_the_night()
    assert Leftover.objects.count() == 1
    Leftover.objects.update(due_at=timezone.now())
    sweeping.sweep_due()
    left_out = set(connection.introspection.django_table_names(only_existing=True)) - set(swept)
    assert left_out == {"analysis_preparedpart", "analysis_reportfile", "analysis_runstep"}


def test_files_wait_for_the_night_too(named):
    forget(at_night=True)
    assert not sweeping.sweep_due()
    Leftover.objects.update(due_at=timezone.now())
    assert swept()
    assert left_on_disk(NAMES) == {}


def test_a_mark_that_is_made_during_a_sweep_stays(named, monkeypatch):
    forget(keep=1)
    name = f"_sweep_{connection.vendor}"
    original = getattr(sweeping, name)

    def meanwhile(*arguments):
        left = original(*arguments)
        forget()
        return left

    monkeypatch.setattr(sweeping, name, meanwhile)
    sweeping.sweep_due()
    assert Leftover.objects.count() == 1


@pytest.mark.sqlite_only
def test_on_sqlite_a_reader_in_the_way_delays_it(named, monkeypatch):
    monkeypatch.setattr(sweeping, "CHECKPOINT_TRIES", 2)
    reader = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM teams_user").fetchone()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=200")
    forget()
    tasks.sweep_due()
    assert Leftover.objects.exclude(table=sweeping.EVERYTHING).exists()
    reader.close()
    tasks.sweep_due()
    assert not Leftover.objects.exclude(table=sweeping.EVERYTHING).exists()
    assert left_on_disk(NAMES) == {}


@pytest.mark.postgres_only
def test_on_postgresql_a_reader_of_another_table_delays_it(named, monkeypatch):
    """VACUUM FULL would succeed, and keep the deleted rows for that reader."""
    monkeypatch.setattr(sweeping, "READER_TRIES", 2)
    reading, done = Signal(), Signal()

    def read() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            User.objects.count()
            reading.set()
            done.wait(20)

    def sweep() -> None:
        reading.wait(20)
        try:
            forget()
            sweeping.sweep_due()
        finally:
            done.set()

    _read, came = in_threads(read, sweep)
    assert isinstance(came, sweeping.SweepDelayed)
    assert Leftover.objects.exists()
    assert swept()
    assert left_on_disk(NAMES) == {}


@pytest.mark.postgres_only
def test_on_postgresql_a_reader_who_comes_while_it_sweeps_keeps_no_samples(db, monkeypatch):
    """Samples of deleted rows go while their table is swept: a view from before that, as autovacuum has one, keeps them."""
    monkeypatch.setattr(sweeping, "READER_TRIES", 2)
    names = [f"{random.Random(n).getrandbits(160):040x}" for n in range(7)]  # few, and no compression hides them
    group = a_group()
    Institution.objects.bulk_create(Institution(group=group, name=name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert left_on_disk(names)["pg_statistic"] == 7
    come, reading, done = Signal(), Signal(), Signal()
    in_turn = sweeping._in_turn

    def turn(tables: list[str]) -> set[str]:
        come.set()
        reading.wait(20)
        return in_turn(tables)

    def read() -> None:
        come.wait(20)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT 1")  # a view of everything, and no lock on any table
            reading.set()
            done.wait(20)

    def sweep() -> None:
        try:
            forget()
            monkeypatch.setattr(sweeping, "_in_turn", turn)
            sweeping.sweep_due()
        finally:
            done.set()

    _read, came = in_threads(read, sweep)
    assert isinstance(came, sweeping.SweepDelayed)
    assert Leftover.objects.exists()
    assert swept()
    assert left_on_disk(names) == {}


@pytest.mark.postgres_only
def test_on_postgresql_a_table_that_others_hold_delays_only_itself(named, monkeypatch):
    """One reader of one table left the bytes of all."""
    monkeypatch.setattr(sweeping, "LOCK_TRIES", 2)
    reading, done = Signal(), Signal()
    with transaction.atomic():
        sweeping.mark([Invitation, User])
    forget()

    def read() -> None:
        with transaction.atomic():
            Invitation.objects.count()  # a short view each, and the lock until the end
            reading.set()
            done.wait(20)

    def sweep() -> None:
        reading.wait(20)
        try:
            sweeping.sweep_due()
        finally:
            done.set()

    _read, came = in_threads(read, sweep)
    assert isinstance(came, sweeping.SweepDelayed)
    assert [mark.table for mark in Leftover.objects.all()] == ["teams_invitation"]
    assert left_on_disk(NAMES) == {}
    tables = []
    write = sweeping._write_anew
    monkeypatch.setattr(sweeping, "_write_anew", lambda table: (tables.append(table), write(table)))
    assert swept()
    assert set(tables) == {"teams_invitation", sweeping.SAMPLES}, "what was swept is not swept again"
    assert not Leftover.objects.exists()


@pytest.mark.postgres_only
def test_on_postgresql_samples_that_others_hold_are_swept_later(named, monkeypatch):
    monkeypatch.setattr(sweeping, "LOCK_TRIES", 1)
    write = sweeping._write_anew

    def held(table: str) -> None:
        if table == sweeping.SAMPLES:
            raise OperationalError("somebody plans")
        write(table)

    forget()
    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "_write_anew", held)
        with pytest.raises(sweeping.SweepDelayed):
            sweeping.sweep([Institution])
    assert [mark.table for mark in Leftover.objects.all()] == [sweeping.SAMPLES]
    sweeping.sweep([Institution])
    assert not Leftover.objects.exists()
    assert left_on_disk(NAMES) == {}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("small", [100_000, 100], ids=["refilled", "the whole file"])
def test_on_sqlite_copies_of_rows_that_moved_between_pages_go_too(db, monkeypatch, small):
    """Rows grow and shrink while others go: what is deleted then is no longer the only copy, whatever secure_delete overwrites."""
    monkeypatch.setattr(sweeping, "SMALL", small)
    chance, group = random.Random(7), a_group()
    live: dict[str, int] = {}
    gone: list[str] = []
    for _n in range(1500):
        what = chance.random()
        if what < 0.5 or len(live) < 5:
            name = f"Institution-to-forget-{chance.getrandbits(80):x}"
            live[name] = Institution.objects.create(group=group, name=name).pk
        elif what < 0.75:
            name = chance.choice(list(live))
            Institution.objects.filter(pk=live[name]).update(name=f"{name} {'x' * chance.randrange(150)}")
        else:
            name = chance.choice(list(live))
            Institution.objects.filter(pk=live.pop(name)).delete()
            gone.append(name)
    before = list(Institution.objects.order_by("pk").values())
    with transaction.atomic():
        sweeping.mark([Institution])
    assert sweeping.sweep_due()
    assert left_on_disk(gone) == {}
    assert list(Institution.objects.order_by("pk").values()) == before
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys")
        assert cursor.fetchone() == (1,), "keys are watched again"
        cursor.execute("PRAGMA integrity_check")
        assert cursor.fetchone() == ("ok",)


@pytest.mark.postgres_only
def test_on_postgresql_a_writer_in_another_database_of_the_server_delays_it(named, monkeypatch):
    """The sweep's own view of the data is as old as the oldest transaction that writes anywhere on the server."""
    monkeypatch.setattr(sweeping, "READER_TRIES", 2)
    elsewhere = connection.get_connection_params() | {"dbname": "postgres"}
    for one_of_django in ("cursor_factory", "context", "prepare_threshold"):
        elsewhere.pop(one_of_django, None)
    with psycopg.connect(**elsewhere) as writer:
        writer.execute("SELECT txid_current()")
        forget()
        with pytest.raises(sweeping.SweepDelayed):
            sweeping.sweep_due()
        assert Leftover.objects.exists()
    assert swept()
    assert left_on_disk(NAMES) == {}


@pytest.mark.postgres_only
def test_on_postgresql_columns_that_are_never_sampled_stay_so(db):
    for table in ("surveys_response", "surveys_sealedresponse"):
        sweeping._forget_samples_of_empty(table)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attstattarget = 0 AND attrelid = %s::regclass", [table]
            )
            assert {name for (name,) in cursor.fetchall()} == {"key", "answers"}
