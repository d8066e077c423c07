"""Sealing: what it destroys, that it goes on after a kill at any point, and that nothing is lost by it."""

import secrets
import sqlite3
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from freezegun import freeze_time

from surveys import tasks
from surveys.answering import submission
from surveys.collecting import collections, sealing
from surveys.keys import collection_keys, seal_list
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import Collection, LinkSecret, Meeting, Response, SealedResponse, Survey
from teams.base import sweeping
from teams.models import Job, Leftover
from tests.surveys.attacker import disk, left_on_disk, swept
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def answered(n: int) -> dict:
    return {f"{scale}{m}": 1 + (n + m) % 4 for scale in ("GV", "OD", "CH") for m in range(1, 7)}


@pytest.fixture
def full(online, invitees) -> Collection:
    """Six answered by link: four submitted, one begun, one not begun; closed."""
    for n, invitee in enumerate(invitees[:5]):
        key = submission.start_by_link(invitee, "en")
        if n < 4:
            submission.submit(key, 1, answered(n), eligibility="yes")
        else:
            submission.save(key, 1, {"GV1": 2})
    collections.close_collection(online)
    return online


def content(collection: Collection) -> list:
    rows = [*collection.responses.all(), *collection.sealed_responses.all()]
    return sorted((r.state, r.eligibility, sorted(r.answers.items())) for r in rows)


def test_answers_stay_and_everything_that_links_them_goes(full):
    before = content(full)
    old_keys = set(full.responses.values_list("key", flat=True))
    urls = [personal_links.personal_url(invitee).rsplit("/", 1)[1] for invitee in full.invitees.all()]
    sealing.seal(full)
    assert full.state == Collection.State.SEALED
    assert not full.sealing
    assert content(full) == before
    assert (full.n_started, full.n_submitted, full.n_links) == (5, 4, 6)
    assert not old_keys & set(full.sealed_responses.values_list("key", flat=True))
    assert not full.responses.exists()
    columns = {field.name for field in SealedResponse._meta.concrete_fields}
    assert columns == {"key", "collection", "state", "eligibility", "answers"}, (
        "not how often it was saved, nor its language"
    )
    assert not LinkSecret.objects.filter(invitee__collection=full).exists()
    assert full.invitees.count() == 6
    with pytest.raises(collection_keys.KeyDestroyed):
        collection_keys.read(full)
    assert [personal_links.find_invitee(token) for token in urls] == [None] * 6
    assert Survey.objects.get().n_seals == 1
    assert full.uid.hex in Path(settings.SEAL_LIST).read_text()


def test_a_meeting_is_sealed_too(collection, meeting):
    key = submission.start_in_meeting(meeting)
    submission.submit(key, 1, answered(1))
    collections.set_present(meeting, 5)
    collections.close_collection(collection)
    sealing.seal(collection)
    assert Meeting.objects.get().code == ""
    assert collection.n_present == 5
    assert submission.find(key) is None
    assert submission.find(SealedResponse.objects.get().key) is None, "a sealed response is not served to anybody"


def test_the_order_is_random(collection):
    """80 responses in their old order by chance: once in 80! seals."""
    submission.submit_many(collection, [{"answers": answered(n), "state": "draft"} for n in range(80)])
    order = "rowid" if connection.vendor == "sqlite" else "ctid"

    def stored(table: str) -> list:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT answers FROM {table} ORDER BY {order}")
            return [str(row[0]) for row in cursor.fetchall()]

    before = stored("surveys_response")
    collections.close_collection(collection)
    sealing.seal(collection)
    after = stored("surveys_sealedresponse")
    assert stored("surveys_response") == []
    assert sorted(after) == sorted(before)
    assert after != before


def test_an_open_collection_cannot_be_sealed(online):
    with pytest.raises(sealing.StillOpen):
        sealing.seal(online)
    online.refresh_from_db()
    assert not online.sealing
    assert collection_keys.read(online)


def test_sealing_again_changes_nothing(full):
    sealing.seal(full)
    stored = set(full.sealed_responses.values_list("key", flat=True))
    sealing.seal(full)
    assert sealing.seal_due() == 0
    assert set(full.sealed_responses.values_list("key", flat=True)) == stored
    assert Survey.objects.get().n_seals == 1
    assert Path(settings.SEAL_LIST).read_text().split() == [full.uid.hex]


def test_due_is_what_has_passed_its_grace_period(full):
    assert sealing.seal_due() == 0
    collections.seal_now(full)
    assert sealing.seal_due() == 1
    full.refresh_from_db()
    assert full.state == Collection.State.SEALED


STEPS = [
    (seal_list, "add"),
    (collection_keys, "destroy"),
    (sealing, "_copy"),
    (sealing.SealedResponse.objects, "bulk_create"),
    (sealing.LinkSecret.objects, "filter"),
    (sealing, "sweep"),
]


@pytest.mark.parametrize("place", range(len(STEPS)))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_step_it_goes_on_where_it_stopped(full, monkeypatch, place, after):
    before = content(full)
    owner, name = STEPS[place]
    original = getattr(owner, name)

    def dies(*arguments, **options):
        if after:
            original(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dies)
        with pytest.raises(Killed):
            sealing.seal(full)
    full.refresh_from_db()
    assert full.sealing or (full.state == Collection.State.SEALED and name == "sweep" and after)
    assert not collections.reopen_collection(full)
    sealing.seal_due()
    full.refresh_from_db()
    assert (full.state, full.sealing) == (Collection.State.SEALED, False)
    assert content(full) == before
    assert not LinkSecret.objects.filter(invitee__collection=full).exists()
    assert Survey.objects.get().n_seals == 1
    assert Path(settings.SEAL_LIST).read_text().split() == [full.uid.hex]
    with pytest.raises(collection_keys.KeyDestroyed):
        collection_keys.read(full)


def test_two_workers_seal_one_collection_once(full):
    before = content(full)
    in_threads(*[lambda: sealing.seal_due()] * 3, lambda: collections.seal_now(full), lambda: sealing.seal(full))
    sealing.seal_due()
    full.refresh_from_db()
    assert (full.state, full.sealing) == (Collection.State.SEALED, False)
    assert content(full) == before
    assert Survey.objects.get().n_seals == 1


def test_what_was_acknowledged_during_sealing_is_there_afterwards(collection, meeting):
    """Saves and submits run into the sealing: those that were acknowledged are sealed, the others are told."""
    started = [submission.start_in_meeting(meeting) for _n in range(12)]
    collections.close_collection(collection)
    answers = [{"GV1": 1 + n % 4, "GV2": 1 + n // 4} for n in range(12)]
    writes = [
        lambda key=key, answers=own, write=write: write(key, 1, answers)
        for key, own, write in zip(started, answers, [submission.save, submission.submit] * 6, strict=True)
    ]
    *written, _sealed = in_threads(*writes, lambda: sealing.seal(collection))
    acknowledged = [
        own
        for own, result in zip(answers, written, strict=True)
        if getattr(result, "outcome", None) in (submission.Outcome.SAVED, submission.Outcome.SUBMITTED)
    ]
    stored = [r.answers for r in collection.sealed_responses.all() if r.answers]
    assert sorted(map(str, stored)) == sorted(map(str, acknowledged))
    assert collection.sealed_responses.count() == 12
    assert not collection.responses.exists()


def test_a_save_under_way_when_the_sealing_begins_is_waited_for(collection, meeting):
    key = submission.start_in_meeting(meeting)
    collections.close_collection(collection)
    under_way, outcome = Event(), []

    def slow_save() -> None:
        with transaction.atomic():
            outcome.append(submission.save(key, 1, {"GV1": 4}).outcome)
            under_way.set()
            time.sleep(1)

    def seal() -> None:
        under_way.wait(20)
        sealing.seal(collection)

    in_threads(slow_save, seal)
    sealing.seal_due()
    assert outcome == [submission.Outcome.SAVED]
    assert SealedResponse.objects.get().answers == {"GV1": 4}
    assert Collection.objects.get(pk=collection.pk).state == Collection.State.SEALED


def test_inside_a_transaction_the_sweep_is_left_to_the_next_wake_up(full):
    with transaction.atomic():
        sealing.seal(full)
        assert (full.state, full.sealing) == (Collection.State.SEALED, True)
    sealing.seal_due()
    full.refresh_from_db()
    assert not full.sealing


def test_a_restored_backup_is_sealed_again(full):
    """The backup of the database knows nothing of the sealing; the list does."""
    rows = list(Response.objects.values("key", "state", "answers", "sequence"))
    secrets_of_links = list(LinkSecret.objects.all())
    sealing.seal(full)
    SealedResponse.objects.all().delete()
    Response.objects.bulk_create(Response(collection=full, **row) for row in rows)
    LinkSecret.objects.bulk_create(secrets_of_links)
    Collection.objects.update(state=Collection.State.OPEN, closes_for_good_at=None, n_started=None, n_submitted=None)
    call_command("replay_seals")
    full.refresh_from_db()
    assert full.state == Collection.State.SEALED
    assert not {row["key"] for row in rows} & set(SealedResponse.objects.values_list("key", flat=True))
    assert not full.responses.exists()
    assert not LinkSecret.objects.exists()
    other = Collection.objects.exclude(pk=full.pk).get()
    assert other.state == Collection.State.OPEN, "what was never sealed stays open"


@pytest.mark.sqlite_only
def test_on_sqlite_old_keys_are_gone_from_the_files(full):
    name = connection.settings_dict["NAME"]
    old = list(full.responses.values_list("key", flat=True))
    nonces = list(LinkSecret.objects.values_list("nonce", flat=True))

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in Path(name).parent.glob(f"{Path(name).name}*"))

    held = files()
    assert all(text.encode() in held for text in old + nonces)
    sealing.seal(full)
    held = files()
    assert not [text for text in old + nonces if text.encode() in held]


@pytest.mark.sqlite_only
def test_on_sqlite_a_reader_in_the_way_delays_the_sweep_but_loses_nothing(full, monkeypatch):
    monkeypatch.setattr(sweeping, "CHECKPOINT_TRIES", 2)
    reader = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM surveys_response").fetchone()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=200")
    with pytest.raises(sweeping.SweepDelayed):
        sealing.seal(full)
    full.refresh_from_db()
    assert (full.state, full.sealing) == (Collection.State.SEALED, True)
    reader.close()
    sealing.seal_due()
    full.refresh_from_db()
    assert not full.sealing


@pytest.mark.postgres_only
def test_on_postgresql_the_tables_are_rewritten(full):
    def file_node() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_filenode('surveys_response')")
            return cursor.fetchone()[0]

    before = file_node()
    sealing.seal(full)
    assert file_node() != before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM surveys_sealedresponse")
        assert cursor.fetchone() == (1,)


def files_of(table: str) -> set[tuple[str, int]]:
    """PostgreSQL's files of a table, of its indexes and of the place of its long values: each has another once it is written anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH it AS (SELECT oid, reltoastrelid FROM pg_class WHERE oid = %s::regclass), parts AS ("
            " SELECT oid FROM it UNION SELECT reltoastrelid FROM it UNION"
            " SELECT indexrelid FROM pg_index, it WHERE indrelid IN (it.oid, it.reltoastrelid))"
            " SELECT relname, relfilenode FROM pg_class JOIN parts USING (oid)",
            [table],
        )
        return set(cursor.fetchall())


def test_what_is_sealed_already_is_not_touched_by_another_sealing(full, collection):
    """Every sealing wrote all answers of all studies anew, and all saves waited for it."""
    submission.submit_many(collection, [{"answers": answered(n), "state": "draft"} for n in range(200)])
    collection.responses.update(answers={"remarks": secrets.token_hex(2000)})  # long enough for a place of its own
    collections.close_collection(collection)
    sealing.seal(collection)
    grown = ("surveys_sealedresponse", "surveys_invitee", "surveys_meeting", "surveys_collection")
    before = {table: files_of(table) for table in grown} if connection.vendor == "postgresql" else {}
    size = sum(map(len, disk().values()))
    with CaptureQueriesContext(connection) as asked:
        sealing.seal(full)
    assert not full.sealing
    statements = [query["sql"] for query in asked.captured_queries]
    about = [statement for statement in statements if "sealedresponse" in statement]
    assert about, "it writes its own"
    assert all(statement.startswith("INSERT INTO") for statement in about), about
    assert "VACUUM" not in statements, "not the whole file of SQLite"
    written = " ".join(statement for statement in statements if "VACUUM" in statement or "temp" in statement.lower())
    assert "surveys_response" in written
    assert not [table for table in grown if table in written]
    if before:
        assert {table: files_of(table) for table in grown} == before
    assert sum(map(len, disk().values())) - size < 200_000, "nor does it leave a second copy of them"


@pytest.mark.postgres_only
def test_on_postgresql_a_reader_in_the_way_delays_the_sweep_but_loses_nothing(full, monkeypatch):
    monkeypatch.setattr(sweeping, "LOCK_TIMEOUT", "100ms")
    reading, done = Event(), Event()

    def read() -> None:
        with transaction.atomic():
            LinkSecret.objects.count()
            reading.set()
            done.wait(20)

    def seal() -> None:
        reading.wait(20)
        try:
            sealing.seal(full)
        finally:
            done.set()

    _read, sealed = in_threads(read, seal)
    assert isinstance(sealed, sweeping.SweepDelayed)
    full.refresh_from_db()
    assert (full.state, full.sealing) == (Collection.State.SEALED, True)
    tasks.seal_due_collections()
    full.refresh_from_db()
    assert not full.sealing


def test_what_teachers_delete_leaves_the_disk_the_next_night_and_no_row_says_that_they_did(collection, meeting):
    written = [f"In-my-own-words-{n:04}-" + "ij" * 40 for n in range(20)]
    kept, *deleted = [submission.start_in_meeting(meeting) for _n in written]
    for key, words in zip([kept, *deleted], written, strict=True):
        Response.objects.filter(key=row_key(key)).update(answers={"remarks": words})
    sweeping.mark_the_night()
    before = list(Leftover.objects.values("table", "due_at"))
    for key in deleted:
        assert submission.delete(key)
    assert list(Leftover.objects.values("table", "due_at")) == before
    assert not sweeping.sweep_due()
    Leftover.objects.update(due_at=timezone.now())  # it is night
    assert swept()
    assert left_on_disk([*deleted, *map(row_key, deleted), *written[1:]]) == {}
    assert left_on_disk([row_key(kept), written[0]])


def test_a_mark_elsewhere_does_not_hold_up_sealing(full):
    with transaction.atomic():
        sweeping.mark([Survey])
    sealing.seal(full)
    assert not full.sealing
    assert [mark.table for mark in Leftover.objects.all()] == ["surveys_survey"]


def test_one_team_that_cannot_be_sealed_stops_no_other_and_the_board_names_it(study, survey, monkeypatch):
    """The file of its key cannot be written, say: wrong owner, a disk that is broken."""
    closed = list(Collection.objects.order_by("pk"))
    assert len(closed) > 1
    for collection in closed:
        collections.close_collection(collection)
        collections.seal_now(collection)
    destroy, bad = collection_keys.destroy, closed[0]

    def refuse(collection):
        if collection.pk == bad.pk:
            raise PermissionError(f"/var/keys/{collection.uid.hex}.key")
        destroy(collection)

    monkeypatch.setattr(collection_keys, "destroy", refuse)
    with suppress(PermissionError):
        sealing.seal_due()
    states = dict(Collection.objects.values_list("pk", "state"))
    assert states.pop(bad.pk) == Collection.State.CLOSED
    assert set(states.values()) == {Collection.State.SEALED}
    job = Job.objects.get()
    assert (job.kind, job.key, job.study, job.error) == ("surveys.seal", str(bad.pk), study, "PermissionError")
    monkeypatch.setattr(collection_keys, "destroy", destroy)
    with freeze_time(timezone.now() + timedelta(minutes=2)):
        assert sealing.seal_due() == 1
    assert not Job.objects.exists()
