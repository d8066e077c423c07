"""The base of all queues: of two workers one has a row, whoever lost it writes nothing, and one that fails stops no other."""

import socket
import time
from datetime import timedelta

import pytest
from celery import Celery
from django.db import transaction
from django.utils import timezone
from freezegun import freeze_time

from teams.base import leases
from teams.base.leases import Chore, ClaimLost
from teams.models import Job
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def chore():
    yield Chore("test.chore", pauses=(MINUTE, 5 * MINUTE), most=4)
    del leases.CHORES["test.chore"]


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_has_it(chore):
    found = in_threads(*[chore.claim] * 5)
    assert sum(claim is not None for claim in found) == 1


@pytest.mark.usefixtures("leases_by_the_frozen_clock")
def test_whoever_lost_a_claim_writes_nothing_and_is_told(chore, settings):
    with freeze_time("2026-11-22 12:00") as clock:
        old = chore.claim("1")
        clock.tick(settings.LEASE_SECONDS - 1)
        old.renew()
        clock.tick(settings.LEASE_SECONDS - 1)
        assert chore.claim("1") is None
        clock.tick(2)
        new = chore.claim("1")
        with pytest.raises(ClaimLost):
            old.renew()
        assert not old.put_off(error="Late")
        assert not old.release()
        assert not old.remove()
        new.renew()
        assert Job.objects.get().error == ""
        assert new.remove()


def test_a_claim_that_was_released_counts_no_attempt_and_still_has_a_number_of_its_own(chore):
    """A second worker must not be taken for the first."""
    old = chore.claim("1")
    assert old.release()
    new = chore.claim("1")
    assert (new.row.attempts, new.row.n_claims) == (1, 2)
    with pytest.raises(ClaimLost):
        old.renew()


@pytest.mark.parametrize("leased", [True, False])
def test_each_by_itself(chore, caplog, leased):
    """What fails is tried again with growing pauses, and then given up; the others are done at once, and leave no row."""
    done, tried = [], []

    def do(n: int) -> int:
        if n == 3:
            tried.append(timezone.now())
            raise KeyError("lena@noord.example")
        done.append(n)
        return 1

    with freeze_time("2026-11-22 12:00") as clock:
        begin = timezone.now()
        assert chore.each(range(6), do, key=lambda n: n, leased=leased) == 5
        assert done == [0, 1, 2, 4, 5]
        for _n in range(60):
            clock.tick(MINUTE)
            chore.each([3], do, key=lambda n: n, leased=leased)
    assert [(at - begin) // MINUTE for at in tried] == [0, 1, 6, 11]
    job = Job.objects.get()
    assert (job.key, job.attempts, job.error, job.lease_until) == ("3", 4, "KeyError", None)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3, "at the first, second and fourth attempt"
    assert all("KeyError at tests/teams/test_leases.py" in line and "lena" not in line for line in lines)


@pytest.mark.parametrize("leased", [True, False])
def test_what_succeeds_at_last_leaves_no_row(chore, leased):
    with freeze_time("2026-11-22 12:00") as clock:
        chore.each(["a"], lambda _thing: 1 // 0, key=str, leased=leased)
        assert Job.objects.get().error == "ZeroDivisionError"
        clock.tick(MINUTE)
        assert chore.each(["a"], lambda _thing: 1, key=str, leased=leased) == 1
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_kept_while_the_work_lasts(chore, settings):
    settings.LEASE_SECONDS = 0.6
    claim = chore.claim("1")
    first = claim.row.lease_until
    with leases.kept(claim.renew):
        time.sleep(1)
        assert chore.claim("1") is None
    assert Job.objects.get().lease_until > first


def test_a_worker_whose_clock_is_ahead_takes_nothing_over(chore, settings):
    claim = chore.claim("1")
    for apart in (-2, 2):
        with freeze_time(timezone.now() + timedelta(seconds=apart * settings.LEASE_SECONDS)):
            assert chore.claim("1") is None
            claim.renew()
    assert chore.claim("1") is None
    assert claim.remove()


def test_a_broker_that_is_away_is_one_line_in_the_log(monkeypatch, caplog, django_capture_on_commit_callbacks):
    """Nothing listens at its address. Whoever asked goes on, and what they asked for is done when beat wakes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    away = Celery(broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    monkeypatch.setattr(leases, "current_app", away)
    with django_capture_on_commit_callbacks(execute=True):
        transaction.on_commit(lambda: leases.wake("teams.send_due_mail"), robust=True)
    (line,) = caplog.records
    assert line.exc_info is None
    assert line.getMessage().startswith("No worker was woken for teams.send_due_mail")
