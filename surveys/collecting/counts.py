"""How many began and handed in: live while a collection is not sealed, as it was counted then afterwards. And corrections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q

from surveys.history import Happened
from surveys.models import Collection, Invitee, Meeting, Response
from teams.history import record
from teams.models import User


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a collection. ``started`` includes what was submitted since."""

    started: int
    submitted: int
    present: int | None
    links: int
    approached: int

    @property
    def on_their_way(self) -> int:
        return max(self.started - self.submitted, 0)


def counts(collection: Collection) -> Counts:
    """The counts of one collection."""
    return counts_of([collection])[collection.pk]


def counts_of(collections: Iterable[Collection]) -> dict[int, Counts]:
    """The counts of many collections, by primary key, in three queries however many there are."""
    listed = list(collections)
    live = [c.pk for c in listed if c.state != Collection.State.SEALED]
    responses = {
        row["collection"]: row
        for row in Response.objects.filter(collection__in=live)
        .values("collection")
        .annotate(started=Count("pk"), submitted=Count("pk", filter=Q(state=Response.State.SUBMITTED)))
    }
    links = dict(
        Invitee.objects.filter(collection__in=live)
        .values("collection")
        .annotate(n=Count("pk"))
        .values_list("collection", "n")
    )
    present = dict(Meeting.objects.filter(collection__in=live).values_list("collection", "present"))
    result = {}
    for c in listed:
        if c.state == Collection.State.SEALED:
            result[c.pk] = Counts(c.n_started or 0, c.n_submitted or 0, c.n_present, c.n_links or 0, c.approached)
        else:
            row = responses.get(c.pk, {"started": 0, "submitted": 0})
            result[c.pk] = Counts(row["started"], row["submitted"], present.get(c.pk), links.get(c.pk, 0), c.approached)
    return result


@transaction.atomic
def correct_counts(collection: Collection, approached: int, refused: int, reason: str, by: User) -> bool:
    """Correct how many teachers were approached, or enter how many refused; the reason stands in the team's history.

    Returns:
        Whether anything changed.
    """
    before = Collection.objects.select_for_update().get(pk=collection.pk)
    if (before.approached, before.refused) == (approached, refused):
        return False
    Collection.objects.filter(pk=collection.pk).update(approached=approached, refused=refused)
    detail = f"{before.approached} → {approached}, {before.refused} → {refused}: {reason}"
    record(
        collection.survey.study, Happened.COUNTS_CORRECTED, participation=collection.participation, by=by, detail=detail
    )
    return True
