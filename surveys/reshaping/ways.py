"""In which way a team answers, and who is its contact person, when that changes after the collection was opened."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from surveys.collecting.collections import renew_facilitator_link
from surveys.collecting.opening import brief_all, make_meetings
from surveys.models import Collection, Meeting
from teams.meetings import planning
from teams.models import Participation, User
from teams.people.contact_person import hold_academy


class WayStays(Exception):
    """Answers can come in, or came in, by the way that the team has."""


class NoPart(WayStays):
    """The team declined or stopped."""


@transaction.atomic
def change_way(
    participation: Participation, *, mode: str, contact_name: str, contact_email: str, by: User, by_leader: bool
) -> bool:
    """Another way of collecting or another contact person, for the team and its collection: both or neither.

    Returns:
        False if nothing changes.

    Raises:
        NoPart: if the team declined or stopped.
        WayStays: if the way may not change any more.
        SamePerson: if the contact person would be the leader.
    """
    hold_academy(participation.team.academy_id)
    team = Participation.objects.select_for_update(no_key=True).get(pk=participation.pk)
    if team.state in Participation.NO_PART:
        raise NoPart
    # who begins an answer takes this lock too: nobody begins between the look and the change
    collection = Collection.objects.select_for_update(no_key=True).filter(participation=team).first()
    if not may_change_way(team, mode, by_leader):
        raise WayStays
    old_address = team.contact_email.lower()
    changed = planning.change_way(
        participation, mode=mode, contact_name=contact_name, contact_email=contact_email, by=by
    )
    if not changed:
        return False
    if collection is not None and collection.mode != mode:
        _follow_way(collection, participation)
    if old_address != participation.contact_email:
        _follow_contact(participation)
    return True


def may_change_way(participation: Participation, mode: str, by_leader: bool = False) -> bool:
    """Whether a team may answer in another way: not once somebody has begun, since answers belong to how they came in.

    A leader must not learn whether somebody has: for the leader it ends when answers could come in, whether or not they did.
    """
    collection = Collection.objects.filter(participation=participation).first()
    if collection is None or collection.mode == mode:
        return True
    if collection.state != Collection.State.OPEN:
        return False
    if by_leader:
        return not _could_begin(collection)
    return not collection.responses.exists()


def _could_begin(collection: Collection) -> bool:
    """Whether a link went out, or the meeting's day came, or no day is fixed on which the code of the room is told."""
    if collection.invitees.exists():
        return True
    if collection.mode not in Participation.MEETING_MODES:
        return False
    if Meeting.objects.filter(Q(sent_to_contact=True) | Q(present__isnull=False), collection=collection).exists():
        return True
    return not planning.meets_later(collection.participation)


def _follow_way(collection: Collection, participation: Participation) -> None:
    """Give the collection the way of collecting that was agreed later, and whoever leads the meeting the link."""
    Collection.objects.filter(pk=collection.pk).update(mode=participation.mode)
    if participation.mode not in Participation.MEETING_MODES:
        # nobody began where they were counted: they are not people who were there and answered
        Meeting.objects.filter(collection=collection).update(present=None, present_by="", counted_by=None)
        return
    meeting = Meeting.objects.filter(collection=collection).first() or make_meetings([collection])[0]
    if not meeting.sent_to_contact:
        brief_all([meeting])


def _follow_contact(participation: Participation) -> None:
    """After another contact person was named: the link in the old mailbox opens nothing any more, the new one gets a link."""
    meeting = Meeting.objects.filter(collection__participation=participation).first()
    if meeting is None:
        return
    renew_facilitator_link(meeting)
    if participation.mode in Participation.MEETING_MODES:
        brief_all([meeting])
