"""Times that researchers offer to all teams of a study, and when researchers are occupied. planning.take_slot takes one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from teams.models import OfferedSlot, PlannedMeeting, Study, User

LONGEST = timedelta(hours=12)  # a meeting


# ------------------------------------------------------------------------------------------------ times that are offered
@transaction.atomic
def offer_slots(study: Study, researcher: User, starts: Iterable[datetime], minutes: int) -> int:
    """Offer times to the teams of a study. Returns how many are new."""
    before = study.slots.count()
    OfferedSlot.objects.bulk_create(
        [
            OfferedSlot(study=study, researcher=researcher, starts_at=start, minutes=minutes)
            for start in sorted(set(starts))
        ],
        ignore_conflicts=True,
    )
    return study.slots.count() - before


def withdraw_slot(slot: OfferedSlot) -> bool:
    """Take back a time that nobody has taken."""
    deleted, _details = OfferedSlot.objects.filter(pk=slot.pk, taken_by__isnull=True).delete()
    return bool(deleted)


def free_slots(study: Study) -> list[OfferedSlot]:
    """The times a leader can still take: not over, not taken, and their researcher does not meet another team then."""
    slots = list(
        OfferedSlot.objects.filter(study=study, taken_by__isnull=True, starts_at__gt=timezone.now()).select_related(
            "researcher"
        )
    )
    busy = meetings_of([slot.researcher.pk for slot in slots], [slot.starts_at for slot in slots])
    return [
        slot
        for slot in slots
        if not any(
            meeting.researcher_id == slot.researcher.pk and overlaps(meeting, slot.starts_at, slot.minutes)
            for meeting in busy
        )
    ]


# ------------------------------------------------------------------------------------------------ who is occupied
def meetings_of(researchers: Iterable[int], days: Sequence[datetime]) -> list[PlannedMeeting]:
    """The fixed meetings to which these researchers come, in all studies, around these times; one query."""
    if not days:
        return []
    around = (min(days) - LONGEST, max(days) + LONGEST)
    return list(
        PlannedMeeting.objects.filter(
            state=PlannedMeeting.State.CONFIRMED, researcher__in=set(researchers), starts_at__range=around
        ).select_related("participation__team", "researcher")
    )


def overlaps(planned: PlannedMeeting, starts_at: datetime, minutes: int) -> bool:
    """Whether a fixed meeting has a moment in common with this time."""
    begins, ends = planned.starts_at, planned.ends_at
    return (
        begins is not None and ends is not None and begins < starts_at + timedelta(minutes=minutes) and starts_at < ends
    )


def conflicts(planned: PlannedMeeting, researcher: User | None) -> list[PlannedMeeting]:
    """Other meetings of the researcher at the time of a fixed one."""
    if researcher is None or planned.starts_at is None:
        return []
    others = meetings_of([researcher.pk], [planned.starts_at])
    return [
        meeting
        for meeting in others
        if meeting.pk != planned.pk and overlaps(meeting, planned.starts_at, planned.minutes)
    ]
