"""The mirror in the meeting: whoever leads it closes for good, and the team sees its own figures there (analysis/ makes them).

Only where the locked plan said so before the first answer, and nobody is left who could still answer: an answer that comes after
the picture would be one that the others know the team's figures without. Sealing follows at once, as wherever a collection closes
for good (sealing.py): so what was answered can be deleted until then, and teachers read that before they begin.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from surveys.collecting.collections import is_being_sealed, wake_sealing
from surveys.collecting.paper_counts import paper_counts_of
from surveys.history import Happened
from surveys.models import Collection, LinkSecret, Meeting, PresentBy, Response
from teams.history import record
from teams.models import Participation, User


def is_offered(collection: Collection) -> bool:
    """Whether the team may see its own figures in its meeting: what its teachers read before they answer hangs on it."""
    return collection.survey.mirror and collection.mode in Participation.MEETING_MODES


def why_not(collection: Collection) -> str | None:
    """Why the meeting cannot be closed to see the picture now, in a sentence; None if it can.

    Of personal links it says that there are some, never whether they were used: asked every two seconds, it would tell whoever
    leads the meeting who answers when.
    """
    if not collection.survey.mirror:
        return _("In this study, teams do not see their own figures in the meeting.")
    if collection.participation.state != Participation.State.ACCEPTED:
        return _("This team no longer takes part.")
    meeting = Meeting.objects.filter(collection=collection).first()
    if meeting is None or collection.mode not in Participation.MEETING_MODES:
        return _("This team does not answer in a meeting.")
    if meeting.present_by == PresentBy.IMPORT:
        return _("The answers of this team were imported.")
    if collection.state == Collection.State.SEALED or is_being_sealed(collection):
        return _("The meeting has already been closed for good.")
    if LinkSecret.objects.filter(invitee__collection=collection).exists():
        return _(
            "Some teachers of this team have a personal link, and can answer on any day. Close collecting in the usual way: "
            "the team sees its figures in the report."
        )
    waiting = _who_is_answering(collection) or paper_counts_of(collection).why_not_seal()
    if waiting or Response.objects.filter(collection=collection).exists():
        return waiting or None
    return _("Nobody has handed in answers yet.")


def _who_is_answering(collection: Collection) -> str:
    """Whom to wait for; blank if nobody. Once the room is closed its counts are told no more, so this says no number either."""
    n_begun = Response.objects.filter(collection=collection, state=Response.State.DRAFT).count()
    if n_begun and collection.state == Collection.State.OPEN:
        return ngettext(
            "%(n)s person is still answering. Wait until they have handed in or deleted their answers.",
            "%(n)s people are still answering. Wait until they have handed in or deleted their answers.",
            n_begun,
        ) % {"n": n_begun}
    if n_begun:
        return _("Somebody is still answering. Wait until everybody has handed in or deleted their answers.")
    return ""


def close_and_show(collection: Collection, by: User | None = None, by_link: bool = False) -> bool:
    """Close for good, so that the answers are sealed now and the team's picture is made of them. Whether it changed anything.

    Whoever begins, deletes or types a form takes the same lock of the collection: either it waits and finds the meeting closed, or this
    waits and sees it. Of two who close at once one does.
    """
    with transaction.atomic():
        # the team's row before the collection's, as everywhere, or two would wait for each other
        Participation.objects.select_for_update(no_key=True).get(pk=collection.participation_id)
        rows = Collection.objects.select_for_update(no_key=True, of=("self",))
        locked = rows.select_related("survey__study", "participation").get(pk=collection.pk)
        if why_not(locked) is not None:
            return False
        now = timezone.now()
        unsealed = (Collection.State.OPEN, Collection.State.CLOSED)
        Collection.objects.filter(pk=locked.pk, state__in=unsealed, sealing=False).update(
            state=Collection.State.CLOSED, closes_for_good_at=now
        )
        Meeting.objects.filter(collection=locked).update(picture_asked_at=now)
        study, team = locked.survey.study, locked.participation
        record(study, Happened.CLOSED_FOR_PICTURE, participation=team, by=by, by_link=by_link)
        transaction.on_commit(wake_sealing, robust=True)
    collection.refresh_from_db()
    return True
