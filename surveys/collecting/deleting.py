"""A team that withdraws before publication has its responses deleted, with everything else of its collection."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from surveys.history import Happened
from surveys.keys import collection_keys
from surveys.models import Collection, Survey
from teams.base import sweeping
from teams.history import record


def delete_collection(collection: Collection) -> bool:
    """Delete a team's collection for good: answers, links, code and key. A sealed one makes a new run due.

    A collection whose sealing is at work waits for its end. Whether it was deleted.
    """
    with transaction.atomic():
        locked = Collection.objects.select_for_update().filter(pk=collection.pk, sealing=False).first()
        if locked is None:
            return False
        collection_keys.destroy(locked)
        if locked.state == Collection.State.SEALED:
            Survey.objects.filter(pk=locked.survey_id).update(n_seals=F("n_seals") + 1)
        record(locked.survey.study, Happened.ANSWERS_DELETED, participation=locked.participation)
        _n, rows = locked.delete()
        sweeping.mark(rows)
    return True
