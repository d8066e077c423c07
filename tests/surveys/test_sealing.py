"""Sealing: what it destroys, that it goes on after a kill at any point, and that nothing is lost by it."""

import sqlite3
import time
from pathlib import Path
from threading import Event

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from surveys import collections, keys, links, seal_list, sealing, submission, tasks
from surveys.models import Collection, Invitee, Meeting, Response, Survey
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
    return sorted((r.state, r.eligibility, sorted(r.answers.items())) for r in collection.responses.all())


def test_answers_stay_and_everything_that_links_them_goes(full):
    before = content(full)
    old_keys = set(full.responses.values_list("key", flat=True))
    urls = [links.personal_url(invitee).rsplit("/", 1)[1] for invitee in full.invitees.all()]
    sealing.seal(full)
    assert full.state == Collection.State.SEALED
    assert not full.sealing
    assert content(full) == before
    assert (full.n_started, full.n_submitted, full.n_links) == (5, 4, 6)
    responses = list(full.responses.all())
    assert not old_keys & {response.key for response in responses}
    assert {(r.sequence, r.language, r.by_link) for r in responses} == {(0, "", False)}
    assert set(full.invitees.values_list("nonce", "token_hash")) == {("", "")}
    assert full.invitees.count() == 6
    with pytest.raises(keys.KeyDestroyed):
        keys.read(full)
    assert [links.find_invitee(token) for token in urls] == [None] * 6
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
    assert submission.find(Response.objects.get().key) is None, "a sealed response is not served to anybody"


def test_the_order_is_random(collection):
    """80 responses in their old order by chance: once in 80! seals."""
    submission.submit_many(collection, [{"answers": answered(n), "state": "draft"} for n in range(80)])
    order = "rowid" if connection.vendor == "sqlite" else "ctid"

    def stored() -> list:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT answers FROM surveys_response ORDER BY {order}")
            return [str(row[0]) for row in cursor.fetchall()]

    before = stored()
    collections.close_collection(collection)
    sealing.seal(collection)
    after = stored()
    assert sorted(after) == sorted(before)
    assert after != before


def test_an_open_collection_cannot_be_sealed(online):
    with pytest.raises(sealing.StillOpen):
        sealing.seal(online)
    online.refresh_from_db()
    assert not online.sealing
    assert keys.read(online)


def test_sealing_again_changes_nothing(full):
    sealing.seal(full)
    stored = set(full.responses.values_list("key", flat=True))
    sealing.seal(full)
    assert sealing.seal_due() == 0
    assert set(full.responses.values_list("key", flat=True)) == stored
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
    (keys, "destroy"),
    (sealing, "_copy"),
    (sealing.Response.objects, "bulk_create"),
    (sealing.Invitee.objects, "filter"),
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
    assert set(full.invitees.values_list("nonce", "token_hash")) == {("", "")}
    assert Survey.objects.get().n_seals == 1
    assert Path(settings.SEAL_LIST).read_text().split() == [full.uid.hex]
    with pytest.raises(keys.KeyDestroyed):
        keys.read(full)


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
    stored = [r.answers for r in collection.responses.all() if r.answers]
    assert sorted(map(str, stored)) == sorted(map(str, acknowledged))
    assert collection.responses.count() == 12


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
    assert Response.objects.get().answers == {"GV1": 4}
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
    rows = list(Response.objects.values("key", "state", "answers", "sequence", "by_link"))
    nonces = list(Invitee.objects.values_list("pk", "nonce", "token_hash"))
    sealing.seal(full)
    Response.objects.all().delete()
    Response.objects.bulk_create(Response(collection=full, **row) for row in rows)
    for pk, nonce, token_hash in nonces:
        Invitee.objects.filter(pk=pk).update(nonce=nonce, token_hash=token_hash)
    Collection.objects.update(state=Collection.State.OPEN, closes_for_good_at=None, n_started=None, n_submitted=None)
    call_command("replay_seals")
    full.refresh_from_db()
    assert full.state == Collection.State.SEALED
    assert not {row["key"] for row in rows} & set(Response.objects.values_list("key", flat=True))
    assert set(full.invitees.values_list("nonce", flat=True)) == {""}
    other = Collection.objects.exclude(pk=full.pk).get()
    assert other.state == Collection.State.OPEN, "what was never sealed stays open"


@pytest.mark.sqlite_only
def test_on_sqlite_old_keys_are_gone_from_the_files(full):
    name = connection.settings_dict["NAME"]
    old = list(full.responses.values_list("key", flat=True))
    nonces = list(full.invitees.values_list("nonce", flat=True))

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in Path(name).parent.glob(f"{Path(name).name}*"))

    held = files()
    assert all(text.encode() in held for text in old + nonces)
    sealing.seal(full)
    held = files()
    assert not [text for text in old + nonces if text.encode() in held]


@pytest.mark.sqlite_only
def test_on_sqlite_a_reader_in_the_way_delays_the_sweep_but_loses_nothing(full, monkeypatch):
    monkeypatch.setattr(sealing, "CHECKPOINT_TRIES", 2)
    reader = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM surveys_response").fetchone()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=200")
    with pytest.raises(sealing.SweepDelayed):
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
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM surveys_response")
        assert cursor.fetchone() == (1,)


@pytest.mark.postgres_only
def test_on_postgresql_a_reader_in_the_way_delays_the_sweep_but_loses_nothing(full, monkeypatch):
    monkeypatch.setattr(sealing, "LOCK_TIMEOUT", "100ms")
    reading, done = Event(), Event()

    def read() -> None:
        with transaction.atomic():
            Invitee.objects.count()
            reading.set()
            done.wait(20)

    def seal() -> None:
        reading.wait(20)
        try:
            sealing.seal(full)
        finally:
            done.set()

    _read, sealed = in_threads(read, seal)
    assert isinstance(sealed, sealing.SweepDelayed)
    full.refresh_from_db()
    assert (full.state, full.sealing) == (Collection.State.SEALED, True)
    tasks.seal_due_collections()
    full.refresh_from_db()
    assert not full.sealing
