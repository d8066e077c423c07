"""Sealing: the end of a collection, after which nobody can link a response to a person. Irreversible.

The steps, in this order; each can be done again, so that a process killed at any point is followed by another that goes
on where it stopped (``Collection.sealing`` stays true until the last step is done, and beat looks for such rows):

1. begin: ``sealing`` is set. From then on no write to a response succeeds and the collection cannot be reopened. Paper
   forms that are not entered would be lost: then it does not begin.
2. the collection is added to the list of sealed collections, which is replayed after a database backup was restored.
3. the key file is destroyed: tokens and response keys of personal links can no longer be computed.
4. in one transaction: counts frozen, nonces, token hashes and the meeting's code erased, every response copied in random
   order under a fresh random key, the old rows and all paper forms removed, the state set to sealed, and the survey's
   number of sealings raised, which makes a run due.
5. sweep: the old rows leave the disk. PostgreSQL: VACUUM FULL of the tables. SQLite: VACUUM (with secure_delete) and a
   truncated write-ahead log. Outside any transaction. Then ``sealing`` is taken back.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from surveys import keys, seal_list
from surveys.collections import counts
from surveys.models import Collection, Invitee, Meeting, PaperForm, Response, Survey
from surveys.paper_counts import paper_counts, paper_counts_of

logger = logging.getLogger(__name__)

BATCH = 500
CHECKPOINT_TRIES = 50
LOCK_TIMEOUT = "3s"


class StillOpen(Exception):
    """A collection is closed before it is sealed."""


class PaperLeft(Exception):
    """Paper forms were handed in or typed and are not entered: sealing would lose them."""


class SweepDelayed(Exception):
    """Others hold the database, so old rows are still on the disk: the next wake-up tries again."""


def seal(collection: Collection) -> None:
    """Seal a closed collection, or finish a sealing that was begun. A sealed collection stays as it is.

    :raises StillOpen: if the collection is open
    :raises PaperLeft: if paper forms are not entered
    """
    seal_many([collection])
    collection.refresh_from_db()


def seal_many(collections: Iterable[Collection]) -> int:
    """Seal closed collections and sweep once at the end. Returns how many were sealed now.

    Inside a transaction the sweep cannot run: it is left to the next wake-up, and ``sealing`` stays true until then.

    :raises StillOpen: if one is open; those before it are sealed
    :raises PaperLeft: if paper forms of one are not entered; those before it are sealed
    """
    n_sealed = 0
    for collection in collections:
        _begin(collection)
        seal_list.add(collection.uid.hex)
        keys.destroy(collection)
        n_sealed += _copy(collection)
    if not connection.in_atomic_block:
        sweep()
    return n_sealed


def seal_due() -> int:
    """Seal every collection whose grace period is over, and finish what was begun. Returns how many were sealed now.

    One whose paper forms are not entered waits: the researcher's board says so.
    """
    due = Q(state=Collection.State.CLOSED, closes_for_good_at__lte=timezone.now()) | Q(sealing=True)
    collections = list(Collection.objects.filter(due).order_by("pk"))
    paper = paper_counts(collections)
    collections = [c for c in collections if c.sealing or c.pk not in paper or not paper[c.pk].unfinished]
    return seal_many(collections) if collections else 0


def replay() -> int:
    """Seal again what stands in the list of sealed collections and is not sealed in this database.

    For a database restored from a backup that is older than a sealing. Returns how many were sealed now.
    """
    listed = seal_list.words()
    unsealed = [c for c in Collection.objects.exclude(state=Collection.State.SEALED) if c.uid.hex in listed]
    Collection.objects.filter(pk__in=[c.pk for c in unsealed]).update(
        state=Collection.State.CLOSED, closes_for_good_at=timezone.now(), sealing=True
    )
    return seal_many(unsealed)


def _begin(collection: Collection) -> None:
    with transaction.atomic():
        # paper.py takes the same lock before it makes a form: none slips in between the look and the beginning
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        if locked.state == Collection.State.OPEN:
            raise StillOpen
        if locked.state == Collection.State.CLOSED and not locked.sealing:
            if paper_counts_of(locked).unfinished:
                raise PaperLeft
            Collection.objects.filter(pk=locked.pk, state=Collection.State.CLOSED).update(sealing=True)


def _copy(collection: Collection) -> bool:
    """Step 4. Whether it was done now; a sealed collection stays as it is."""
    with transaction.atomic():
        # The lock lets one of two workers copy; submission.py takes the same one when a response is started.
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        if locked.state == Collection.State.SEALED:
            return False
        # A save that began before step 1 may still be on its way. It holds the lock of its row, so this waits for it and
        # reads what it wrote; one that comes later finds its row gone, and is not acknowledged.
        old = list(Response.objects.select_for_update().filter(collection=locked))
        frozen = counts(locked)
        n_paper = PaperForm.objects.filter(collection=locked, state=PaperForm.State.WRITTEN).count()
        new = [
            Response(
                key=secrets.token_urlsafe(32),
                collection=locked,
                state=response.state,
                eligibility=response.eligibility,
                answers=response.answers,
            )
            for response in old
        ]
        secrets.SystemRandom().shuffle(new)
        Response.objects.filter(collection=locked).delete()
        Response.objects.bulk_create(new, batch_size=BATCH)
        PaperForm.objects.filter(collection=locked).delete()
        Invitee.objects.filter(collection=locked).update(nonce="", token_hash="")
        Meeting.objects.filter(collection=locked).update(code="")
        Collection.objects.filter(pk=locked.pk).update(
            state=Collection.State.SEALED,
            n_started=frozen.started,
            n_submitted=frozen.submitted,
            n_present=frozen.present,
            n_links=frozen.links,
            n_paper=n_paper,
        )
        Survey.objects.filter(pk=locked.survey_id).update(n_seals=F("n_seals") + 1)
    logger.info("Collection %s is sealed", collection.pk)
    return True


def sweep() -> None:
    """Step 5, for every collection that waits for it. Outside any transaction.

    :raises SweepDelayed: if others hold the database too long
    """
    waiting = list(Collection.objects.filter(state=Collection.State.SEALED, sealing=True).values_list("pk", flat=True))
    if not waiting:
        return
    try:
        if connection.vendor == "sqlite":
            _sweep_sqlite()
        else:
            _sweep_postgresql()
    except OperationalError as error:
        raise SweepDelayed from error
    Collection.objects.filter(pk__in=waiting).update(sealing=False)


def _sweep_postgresql() -> None:
    """Write the tables anew. VACUUM FULL needs a table for itself, and while it waits for one reader all others wait for
    it: it gives up after a moment, so that a long backup delays the sweep and not the answers of other teams."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        try:
            for model in (Response, Invitee, Meeting, PaperForm):
                cursor.execute(f"VACUUM FULL {connection.ops.quote_name(model._meta.db_table)}")
        finally:
            cursor.execute("RESET lock_timeout")


def _sweep_sqlite() -> None:
    """Write the file anew, then empty the write-ahead log, which held the old rows. Readers that are in the way finish
    soon, so try for a while."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("VACUUM")
        for _n in range(CHECKPOINT_TRIES):
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _in_log, _moved = cursor.fetchone()
            if not busy:
                return
            time.sleep(0.1)
    raise SweepDelayed
