"""Sealing: the end of a collection, after which nobody can link a response to a person. Irreversible.

The steps, in this order; each can be done again, so that a process killed at any point is followed by another that goes
on where it stopped (``Collection.sealing`` stays true until the last step is done, and beat looks for such rows):

1. begin: ``sealing`` is set. From then on no write to a response succeeds and the collection cannot be reopened. Paper
   forms that are not entered would be lost: then it does not begin.
2. the collection is added to the list of sealed collections, which is replayed after a database backup was restored.
3. the key file is destroyed: tokens and response keys of personal links can no longer be computed.
4. in one transaction: counts frozen, nonces, token hashes, the meeting's code and its slips erased, every response copied in random
   order under a fresh random key to the table of sealed ones, the old rows and all paper forms removed, the state set to
   sealed, and the survey's number of sealings raised, which makes a run due.
5. sweep: the old rows leave the disk (teams/base/sweeping.py). Outside any transaction. Then ``sealing`` is taken back. What is
   written anew holds open collections only, whatever was sealed before.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from surveys.collecting.counts import counts
from surveys.collecting.paper_counts import paper_counts, paper_counts_of
from surveys.keys import collection_keys, seal_list
from surveys.linking import confirming
from surveys.models import Collection, LinkSecret, Meeting, PaperForm, Response, SealedResponse, Slip, Survey
from teams.base import sweeping
from teams.base.leases import Chore, wake

logger = logging.getLogger(__name__)

BATCH = 500
SEALS = Chore("surveys.seal")
PICTURES_TASK = "analysis.make_pictures"  # of an app above this one, known by its name alone
OPEN = (Response, LinkSecret, PaperForm, Slip)  # what a collection leaves when it is sealed


class StillOpen(Exception):
    """A collection is closed before it is sealed."""


class PaperLeft(Exception):
    """Paper forms were handed in or typed and are not entered: sealing would lose them."""


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
        n_sealed += _seal(collection)
    if not connection.in_atomic_block:
        sweep()
    return n_sealed


def seal_due() -> int:
    """Seal every collection whose grace period is over, and finish what was begun, each by itself. Returns how many were sealed.

    One whose paper forms are not entered waits: the researcher's board says so.
    """
    due = Q(state=Collection.State.CLOSED, closes_for_good_at__lte=timezone.now()) | Q(sealing=True)
    collections = list(Collection.objects.filter(due).select_related("survey").order_by("pk"))
    paper = paper_counts(collections)
    collections = [c for c in collections if c.sealing or c.pk not in paper or not paper[c.pk].unfinished]
    if not collections:
        return 0
    n_sealed = SEALS.each(collections, _seal, key=lambda c: c.pk, study=lambda c: c.survey.study_id, leased=True)
    if not connection.in_atomic_block:
        sweep()
    return n_sealed


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


def _seal(collection: Collection) -> int:
    """Steps 1 to 4."""
    _begin(collection)
    seal_list.add(collection.uid.hex)
    collection_keys.destroy(collection)
    return int(_copy(collection))


def _begin(collection: Collection) -> None:
    with transaction.atomic():
        # paper/entry.py takes the same lock before it makes a form: none slips in between the look and the beginning
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
        # The lock lets one of two workers copy; answering/submission.py takes the same one when a response is started.
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        if locked.state == Collection.State.SEALED:
            return False
        # A save that began before step 1 may still be on its way. It holds the lock of its row, so this waits for it and
        # reads what it wrote; one that comes later finds its row gone, and is not acknowledged.
        old = list(Response.objects.select_for_update().filter(collection=locked))
        frozen = counts(locked)
        written = PaperForm.objects.filter(collection=locked, state=PaperForm.State.WRITTEN)
        n_paper, n_paper_by_link = written.count(), written.filter(by_link=True).count()
        new = [
            SealedResponse(
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
        SealedResponse.objects.bulk_create(new, batch_size=BATCH)
        PaperForm.objects.filter(collection=locked).delete()
        LinkSecret.objects.filter(invitee__collection=locked).delete()
        Meeting.objects.filter(collection=locked).update(code="")
        Slip.objects.filter(collection=locked).delete()
        Collection.objects.filter(pk=locked.pk).update(
            state=Collection.State.SEALED,
            n_started=frozen.started,
            n_submitted=frozen.submitted,
            n_present=frozen.present,
            n_links=frozen.links,
            **confirming.frozen(locked),
            n_paper=n_paper,
            n_paper_by_link=n_paper_by_link,
        )
        Survey.objects.filter(pk=locked.survey_id).update(n_seals=F("n_seals") + 1)
        sweeping.mark(OPEN)
        if Meeting.objects.filter(collection=locked, picture_asked_at__isnull=False).exists():
            transaction.on_commit(lambda: wake(PICTURES_TASK), robust=True)  # the team waits in its meeting
    logger.info("Collection %s is sealed", collection.pk)
    return True


def sweep() -> None:
    """Step 5, for every collection that waits for it. Outside any transaction. Tables that were swept meanwhile are not swept again.

    :raises sweeping.SweepDelayed: if others hold one of these tables, or the database, too long
    """
    waiting = list(Collection.objects.filter(state=Collection.State.SEALED, sealing=True).values_list("pk", flat=True))
    if not waiting:
        return
    sweeping.sweep(OPEN)
    Collection.objects.filter(pk__in=waiting).update(sealing=False)
