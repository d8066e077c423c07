"""What all queues stand on: a row is claimed, the claim is kept while the work lasts, and it ends in one of four ways.

The row is the queue and the broker only a wake-up. Of two workers the one whose conditional update changes the row has it. A
claim has a number and a lease: whoever works under an older number, or under a lease that ran out and was taken over, finds
out at the next renewal (:class:`ClaimLost`) and writes nothing. It ends by ``finish`` or ``remove`` (done), ``put_off`` (it
failed, and is tried again after a pause that grows), ``release`` (it could not be tried at all: no attempt counts), or by the
death of the worker: then the lease runs out. What was tried so often that it is of no use, ``give_up`` ends.

A :class:`Queue` is a table with such rows. A :class:`Chore` is something done to each of many things that have no such row:
each by itself, so that one that fails stops no other; it is counted, put off and named on the researchers' board.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from teams.models.leased import Job, Leased

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
MINUTE = timedelta(minutes=1)
#: A database that is away, full, locked or read-only (that is an InternalError): it comes back.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
Row = TypeVar("Row", bound=Leased)
Thing = TypeVar("Thing")


class ClaimLost(Exception):
    """Another worker took the work over, or somebody ended it: whatever was made is thrown away."""


# ------------------------------------------------------------------------------------------------ queues
@dataclass(frozen=True)
class Queue(Generic[Row]):
    """A table whose rows are claimed. ``waits``: rows that may be claimed, if nobody has them; ``held``: how a claimed row
    stands, as long as nobody else ended it; ``taken``: what a claim writes; ``pauses``: after the first, second, … failure."""

    model: type[Row]
    waits: Q
    held: Q
    taken: tuple[tuple[str, object], ...] = ()
    pauses: Sequence[timedelta] = (MINUTE,)
    most: int | None = None  # attempts

    def due(self, now: datetime | None = None) -> Q:
        """Rows that may be claimed now."""
        now = now or timezone.now()
        tried = Q() if self.most is None else Q(attempts__lt=self.most)
        return self.waits & free() & (Q(due_at__isnull=True) | Q(due_at__lte=now)) & tried

    def claim(self, pk: int, **fields: object) -> Claim[Row] | None:
        """Claim a row; None where somebody else has it, or it is not due."""
        rows: QuerySet[Row] = self.model._base_manager.filter(self.due(), pk=pk)
        number = rows.values_list("n_claims", flat=True).first()
        if number is None:
            return None
        changed = rows.filter(n_claims=number).update(
            lease_until=_lease(), n_claims=F("n_claims") + 1, attempts=F("attempts") + 1, **dict(self.taken), **fields
        )
        row = self.model._base_manager.filter(pk=pk, n_claims=number + 1).first() if changed else None
        return Claim(self, row) if row is not None else None

    def hopeless(self) -> QuerySet[Row]:
        """Rows that were tried as often as they may, and nobody is at them: the last worker failed, or died."""
        return self.model._base_manager.filter(self.waits & free(), attempts__gte=self.most).order_by("pk")


@dataclass(frozen=True)
class Claim(Generic[Row]):
    """A row that is ours, until its lease runs out or somebody ends it."""

    queue: Queue[Row]
    row: Row

    def _ours(self) -> QuerySet[Row]:
        return self.queue.model._base_manager.filter(self.queue.held, pk=self.row.pk, n_claims=self.row.n_claims)

    def renew(self, **fields: object) -> None:
        """Renew the lease, and write. Raises :class:`ClaimLost` if the row is no longer ours."""
        if not self._ours().update(lease_until=_lease(), **fields):
            raise ClaimLost

    def finish(self, **fields: object) -> bool:
        """Done: write what became of it, if the row is still ours."""
        return bool(self._ours().update(lease_until=None, **fields))

    def remove(self) -> bool:
        """Done, and nothing is kept of it. Whether it was still ours."""
        return bool(self._ours().delete()[0])

    def release(self, **fields: object) -> bool:
        """It could not be tried: back to the queue, and no attempt counts."""
        return self.finish(attempts=F("attempts") - 1, **fields)

    def put_off(self, **fields: object) -> bool:
        """It failed: back to the queue, after a pause."""
        return self.finish(due_at=timezone.now() + pause(self.queue.pauses, self.row.attempts), **fields)


def pause(pauses: Sequence[timedelta], attempts: int) -> timedelta:
    """How long to wait after so many attempts; after more than there are pauses, the last one."""
    return pauses[min(max(attempts, 1), len(pauses)) - 1]


def database_now() -> Any:
    """The clock that leases run by: the database's, since the clocks of two workers may be further apart than a lease is long."""
    return Now()


def free() -> Q:
    """Rows that nobody has, or whose lease ran out."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=database_now())


def _lease() -> Any:
    return database_now() + timedelta(seconds=settings.LEASE_SECONDS)


@contextmanager
def kept(renew: Callable[[], object]) -> Iterator[None]:
    """Call ``renew`` three times per lease, from a second thread, until the block ends. When it raises :class:`ClaimLost` it is
    not called again: whoever stores finds out."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.LEASE_SECONDS / 3):
                try:
                    renew()
                except ClaimLost:
                    return
                except DATABASE_AWAY:
                    logger.warning("A lease could not be renewed just now.")
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# ------------------------------------------------------------------------------------------------ chores
#: Every chore by its name: the board has words for each (analysis/board.py).
CHORES: dict[str, Chore] = {}


class Chore:
    """Something that is done to each of many things, again and again, each by itself."""

    def __init__(
        self, kind: str, pauses: Sequence[timedelta] = (MINUTE / 4, MINUTE / 2, MINUTE), most: int | None = None
    ):
        self.kind = kind
        self.queue = Queue(Job, waits=Q(kind=kind), held=Q(), pauses=pauses, most=most)
        if CHORES.setdefault(kind, self) is not self:
            raise ValueError(f"There is a chore '{kind}' already.")

    def claim(self, key: object = "", study_id: int | None = None) -> Claim[Job] | None:
        """Claim one of its things; None where somebody else is at it, or it is put off."""
        defaults = {"study_id": study_id}
        job, _created = Job.objects.get_or_create(kind=self.kind, key=str(key), defaults=defaults)
        return self.queue.claim(job.pk)

    def failed(self, claim: Claim[Job], error: BaseException) -> None:
        """Put it off, with the kind of error. The log hears of it at the first, second, fourth, eighth, … attempt."""
        claim.put_off(error=type(error).__name__)
        self._log(claim.row.key, claim.row.attempts, error)

    def note(self, key: object, study_id: int | None, error: BaseException) -> None:
        """It failed where somebody asked for it: put it off, and let beat try it again."""
        claim = self.claim(key, study_id)
        if claim is not None:
            self.failed(claim, error)

    def at_once(self, study_id: int) -> None:
        """What was put off in a study is due now: somebody asks for it."""
        Job.objects.filter(free(), kind=self.kind, study=study_id).update(due_at=None)

    def forget(self, key: object) -> None:
        """It was done elsewhere."""
        Job.objects.filter(kind=self.kind, key=str(key)).delete()

    def forget_all_but(self, keys: Iterable[object]) -> None:
        """What is no longer one of its things does not fail any more either."""
        gone = Job.objects.filter(kind=self.kind).exclude(key__in=[str(key) for key in keys])
        gone.filter(free()).delete()

    def count(self, key: str, study_id: int | None, error: BaseException) -> None:
        """Count one more of what was lost for good: nothing tries it again."""
        Job.objects.get_or_create(kind=self.kind, key=key, defaults={"study_id": study_id})
        Job.objects.filter(kind=self.kind, key=key).update(attempts=F("attempts") + 1, error=type(error).__name__)

    def each(
        self,
        things: Iterable[Thing],
        do: Callable[[Thing], int],
        *,
        key: Callable[[Thing], object],
        study: Callable[[Thing], int | None] = lambda _thing: None,
        leased: bool = False,
        stops: tuple[type[Exception], ...] = (),
    ) -> int:
        """Do it to each. What failed is put off and the others go on. Returns the sum of what ``do`` returned.

        :param leased: whether a thing is claimed, and its claim kept, while it is done: for what takes long, or what two
            workers must not do at once; others decide that by a conditional update of their own
        :param stops: errors that tell of the way and not of the thing, such as a line that broke: they end the round, and
            count for none
        """
        jobs, total = Job.objects.filter(kind=self.kind), 0
        failed, put_off = (set[str](), set[str]()) if leased else self._failed()
        for thing in things:
            name = str(key(thing))
            if name in put_off:
                continue
            claim = self.claim(name, study(thing)) if leased else None
            if leased and claim is None:
                continue
            try:
                if claim is None:
                    total += do(thing)
                else:
                    with kept(claim.renew):
                        total += do(thing)
            except ClaimLost:
                continue
            except stops:
                if claim is not None:
                    claim.release()
                raise
            except Exception as error:  # whatever is wrong with one, the others must still be done
                if claim is None:
                    claim = self.claim(name, study(thing))
                if claim is not None:
                    self.failed(claim, error)
                continue
            if claim is not None:
                claim.remove()
            elif name in failed:
                jobs.filter(key=name).delete()
        return total

    def many(
        self,
        things: Iterable[Thing],
        do: Callable[[Sequence[Thing]], tuple[int, Mapping[int, Exception]]],
        *,
        size: int,
        key: Callable[[Thing], int],
        study: Callable[[Thing], int | None],
    ) -> int:
        """As `each`, with what is cheaper together: so many at a time, and which of them failed. A time that fails as a whole
        is done again with each by itself, so that what is wrong with one stops no other. Returns the sum of what was done."""
        failed, put_off = self._failed()
        waiting = [thing for thing in things if str(key(thing)) not in put_off]
        return sum(self._some(waiting[n : n + size], do, failed, key, study) for n in range(0, len(waiting), size))

    def _some(
        self,
        some: Sequence[Thing],
        do: Callable[[Sequence[Thing]], tuple[int, Mapping[int, Exception]]],
        failed: set[str],
        key: Callable[[Thing], int],
        study: Callable[[Thing], int | None],
    ) -> int:
        errors: Mapping[int, Exception]
        try:
            n, errors = do(some)
        except Exception as error:
            if len(some) > 1:
                return sum(self._some([thing], do, failed, key, study) for thing in some)
            n, errors = 0, {key(some[0]): error}
        for thing in some:
            if key(thing) in errors:
                self.note(key(thing), study(thing), errors[key(thing)])
        done = failed & {str(key(thing)) for thing in some if key(thing) not in errors}
        Job.objects.filter(kind=self.kind, key__in=done).delete()
        return n

    def _failed(self) -> tuple[set[str], set[str]]:
        """Its things that failed, and those of them that are put off."""
        jobs = Job.objects.filter(kind=self.kind)
        failed = set(jobs.values_list("key", flat=True))
        return failed, failed - set(jobs.filter(self.queue.due()).values_list("key", flat=True)) if failed else failed

    def _log(self, key: str, attempts: int, error: BaseException) -> None:
        if attempts & (attempts - 1) == 0:
            logger.warning("%s of %s failed, attempt %s: %s", self.kind, key or "all", attempts, place_of(error))


def in_trouble(study_id: int) -> QuerySet[Job]:
    """What did not succeed and is tried again, or was given up: of a study, and of the site."""
    return (
        Job.objects.filter(Q(study=study_id) | Q(study__isnull=True)).exclude(error="").order_by("kind", "since", "pk")
    )


def digest(content: bytes) -> str:
    """A key for a thing that has no number."""
    return hashlib.sha256(content).hexdigest()


def place_of(error: BaseException) -> str:
    """An error without its words, which may hold what nobody should read: its kind, and where in our code it was raised."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(ROOT)]
    where = f" at {Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{where}"


# ------------------------------------------------------------------------------------------------ wake-ups
def wake(task: str, *arguments: int) -> None:
    """Wake a worker. Call it on commit, robust: a broker that is away costs seconds, never the work, as beat wakes too."""
    options: dict[str, Any] = {"expires": settings.WAKE_UP_LASTS, "ignore_result": True}
    try:
        current_app.send_task(task, args=list(arguments), **options)
    except BrokerAway as error:  # in a line, not the three tracebacks of whoever would log it otherwise
        logger.warning(
            "No worker was woken for %s: the broker is away (%s). Beat wakes too.", task, type(error).__name__
        )
