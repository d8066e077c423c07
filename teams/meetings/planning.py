"""Planning team meetings: one side proposes dates, the other takes one; everybody concerned gets it in their calendar.

A leader may also take a time that a researcher offered to all teams: it is fixed at once, since offering it was the
researcher's yes, and of two leaders the first has it. Every step that moves, changes or calls off a fixed meeting raises
its sequence by a conditional update, so that of two at once one counts, and tells the attendees in the same transaction.

The contact person who introduces the questionnaire, and the researcher who comes, are briefed two days before: a mail that
waits in the outbox until then. surveys/mails.py writes it, since the link in it opens surveys.Meeting.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from teams import history
from teams.history import Happened
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.meetings.slots import meetings_of, overlaps
from teams.models import (
    Attendee,
    FormerContact,
    OfferedSlot,
    OutboxMessage,
    Participation,
    PlannedMeeting,
    ProposedDate,
    Study,
    User,
)
from teams.people import former_contacts
from teams.people.contact_person import check_contact, hold_academy

BRIEFED = (Attendee.Part.CONTACT, Attendee.Part.RESEARCHER)
BRIEF_BEFORE = timedelta(days=2)
BRIEF_AT = time(9)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str


# ------------------------------------------------------------------------------------------------ agreeing on a date
@transaction.atomic
def propose(
    participation: Participation,
    dates: Iterable[datetime],
    *,
    by_leader: bool,
    minutes: int = 45,
    room: str = "",
    by: User | None = None,
    by_link: bool = False,
) -> PlannedMeeting | None:
    """Propose dates, in place of what this side proposed before; a fixed date stays. None if the team does not meet."""
    if not hold_team(participation.pk):
        return None
    planned = begin(participation)
    # the condition stands in the update: a date that the other side fixes at this moment stays fixed
    PlannedMeeting.objects.filter(pk=planned.pk).exclude(state=PlannedMeeting.State.CONFIRMED).update(
        state=PlannedMeeting.State.PROPOSED, minutes=minutes, room=room, starts_at=None
    )
    planned.dates.filter(by_leader=by_leader).delete()
    chosen = sorted(set(dates))
    ProposedDate.objects.bulk_create(
        [ProposedDate(meeting=planned, starts_at=start, by_leader=by_leader) for start in chosen], ignore_conflicts=True
    )
    detail = ", ".join(in_short(start) for start in chosen)
    _record(participation, Happened.MEETING_PROPOSED, detail, by, by_link)
    if not by_leader:
        outbox.queue(TeamMail.MEETING_DATES, planned.pk, study=participation.study)
    planned.refresh_from_db()
    return planned


@transaction.atomic
def fix(
    planned: PlannedMeeting, starts_at: datetime, *, researcher: User | None, by: User | None = None, room: str = ""
) -> bool:
    """Fix the date, or move the meeting to it. The proposals are done with, and everybody gets it in the calendar.

    Args:
        researcher: who comes; None where a contact person leads, or nobody is named yet.
        room: a new room; blank keeps the one it has.

    Returns:
        False, with nothing changed, if somebody changed the meeting since ``planned`` was read, or the team does not meet.
    """
    if not hold_team(planned.participation_id):
        return False
    if researcher is not None:
        hold_researcher(researcher.pk)
    changed = PlannedMeeting.objects.filter(pk=planned.pk, sequence=planned.sequence, state=planned.state).update(
        state=PlannedMeeting.State.CONFIRMED,
        starts_at=starts_at,
        researcher=researcher,
        room=room or planned.room,
        sequence=F("sequence") + 1,
    )
    if not changed:
        return False
    if planned.state == PlannedMeeting.State.CANCELLED:
        _begin_anew(planned)
    was = planned.starts_at if planned.state == PlannedMeeting.State.CONFIRMED else None
    planned.refresh_from_db()
    planned.dates.all().delete()
    participation = planned.participation
    slots = OfferedSlot.objects.filter(taken_by=participation).exclude(starts_at=starts_at)
    slots.update(taken_by=None)  # a meeting that moves away frees the time it had
    Participation.objects.filter(pk=participation.pk).update(meets_on=timezone.localdate(starts_at))
    kind, detail = Happened.MEETING_FIXED, in_short(starts_at)
    if was:
        kind, detail = Happened.MEETING_MOVED, f"{in_short(was)} → {in_short(starts_at)}"
    _record(participation, kind, detail, by, False)
    _tell(planned, moved=True)
    return True


@transaction.atomic
def take_slot(
    participation: Participation, slot: OfferedSlot, *, room: str = "", by: User | None = None, by_link: bool = False
) -> bool:
    """A leader takes a time that a researcher offered. False if another team was first, at this time or at one that overlaps."""
    if not hold_team(participation.pk):
        return False
    hold_researcher(slot.researcher_id)
    planned = begin(participation)
    if any(
        meeting.pk != planned.pk and overlaps(meeting, slot.starts_at, slot.minutes)
        for meeting in meetings_of([slot.researcher_id], [slot.starts_at])
    ):
        return False
    OfferedSlot.objects.filter(taken_by=participation).update(taken_by=None)
    free = OfferedSlot.objects.filter(pk=slot.pk, taken_by__isnull=True, starts_at__gt=timezone.now())
    if not free.update(taken_by=participation):
        transaction.set_rollback(True)  # the time the team had stays taken
        return False
    PlannedMeeting.objects.filter(pk=planned.pk).update(minutes=slot.minutes)
    planned.refresh_from_db()
    _record(participation, Happened.MEETING_SLOT_TAKEN, in_short(slot.starts_at), by, by_link)
    if not fix(planned, slot.starts_at, researcher=slot.researcher, by=by, room=room):
        transaction.set_rollback(True)
        return False
    return True


@transaction.atomic
def call_off(planned: PlannedMeeting, *, by: User | None = None, by_link: bool = False) -> bool:
    """Call a meeting off, or end the search for a date. Everybody who had it in the calendar is told."""
    called_off = PlannedMeeting.objects.filter(pk=planned.pk).exclude(state=PlannedMeeting.State.CANCELLED)
    if not called_off.update(state=PlannedMeeting.State.CANCELLED, sequence=F("sequence") + 1):
        return False
    planned.refresh_from_db()
    planned.dates.all().delete()
    participation = planned.participation
    OfferedSlot.objects.filter(taken_by=participation).update(taken_by=None)
    Participation.objects.filter(pk=participation.pk).update(meets_on=None)
    _record(
        participation,
        Happened.MEETING_CALLED_OFF,
        in_short(planned.starts_at) if planned.starts_at else "",
        by,
        by_link,
    )
    for attendee in planned.attendees.filter(left=False):
        _cancel(attendee)
    return True


# ------------------------------------------------------------------------------------------------ changing what was agreed
@transaction.atomic
def change(planned: PlannedMeeting, *, minutes: int, room: str, by: User | None = None, by_link: bool = False) -> bool:
    """Another room or length. False if nothing changes, or the team does not meet."""
    pairs = ((planned.room, room), (str(planned.minutes), str(minutes)))
    detail = ", ".join(f"{old or '–'} → {new or '–'}" for old, new in pairs if old != new)
    if not detail or not hold_team(planned.participation_id):
        return False
    PlannedMeeting.objects.filter(pk=planned.pk).update(minutes=minutes, room=room, sequence=F("sequence") + 1)
    planned.refresh_from_db()
    participation = planned.participation
    _record(participation, Happened.MEETING_CHANGED, detail, by, by_link)
    if planned.state == PlannedMeeting.State.CONFIRMED:
        _tell(planned)
    return True


@transaction.atomic
def change_way(
    participation: Participation,
    *,
    mode: str,
    contact_name: str,
    contact_email: str,
    by: User | None = None,
    by_link: bool = False,
) -> bool:
    """Another way of collecting or another contact person, recorded with old and new. False if nothing changes.

    :raises SamePerson: if the contact person would be the leader
    """
    fields = {"mode": mode, "contact_name": contact_name, "contact_email": contact_email.lower()}
    hold_academy(participation.team.academy_id)
    before = Participation.objects.select_for_update(no_key=True).get(pk=participation.pk)
    check_contact(before, contact_email)
    changed = {name: value for name, value in fields.items() if getattr(before, name) != value}
    if not changed:
        return False
    Participation.objects.filter(pk=participation.pk).update(**fields)
    participation.refresh_from_db(fields=list(fields))
    parts = (
        (Happened.MODE_CHANGED, ("mode",)),
        (Happened.CONTACT_PERSON_CHANGED, ("contact_name", "contact_email")),
    )
    for kind, names in parts:
        if changed.keys() & set(names):
            old, new = (
                " ".join(str(getattr(version, name)) for name in names).strip() for version in (before, participation)
            )
            _record(participation, kind, f"{old or '–'} → {new or '–'}", by, by_link)
    if before.contact_email and "contact_email" in changed:
        former_contacts.tell(
            FormerContact.Part.CONTACT,
            participation.study,
            before.contact_name,
            before.contact_email,
            participation=participation,
            by=by,
        )
    if mode == Participation.Mode.ONLINE:
        end_meetings([participation])  # there is no meeting any more
    else:
        follow_people([participation])
    return True


def follow_people(participations: Iterable[Participation]) -> None:
    """After a leader or a contact person changed: who is new gets the fixed meeting, who left the cancellation."""
    pks = [participation.pk for participation in participations]
    fixed = PlannedMeeting.objects.filter(participation__in=pks, state=PlannedMeeting.State.CONFIRMED)
    for planned in fixed.select_related("participation__team", "participation__study", "researcher"):
        _tell(planned, only_new=True)


def end_meetings(participations: Iterable[Participation]) -> None:
    """Teams that stop taking part, or answer online, do not meet any more."""
    pks = [participation.pk for participation in participations]
    for planned in PlannedMeeting.objects.filter(participation__in=pks).select_related("participation__study"):
        call_off(planned)


def meets_later(participation: Participation) -> bool:
    """Whether its meeting is fixed on a later day than today."""
    fixed = PlannedMeeting.objects.filter(participation=participation, state=PlannedMeeting.State.CONFIRMED).first()
    return (
        fixed is not None and fixed.starts_at is not None and timezone.localdate(fixed.starts_at) > timezone.localdate()
    )


def brief_later(teams: Iterable[Participation]) -> set[int]:
    """Queue the briefings of fixed meetings, once there is something to brief about: the collections were opened.

    Returns:
        The participations of which the contact person gets one.
    """
    fixed = PlannedMeeting.objects.filter(state=PlannedMeeting.State.CONFIRMED, starts_at__gt=timezone.now())
    fixed = fixed.filter(participation__in=[attendee.pk for attendee in teams])
    briefed = Attendee.objects.filter(meeting__in=fixed, left=False, part__in=BRIEFED).order_by("pk")
    attendees = list(briefed.select_related("meeting__participation__study"))
    _brief(attendees)
    return {attendee.meeting.participation_id for attendee in attendees if attendee.part == Attendee.Part.CONTACT}


# ------------------------------------------------------------------------------------------------ telling everybody
def _record(participation: Participation, kind: Happened, detail: str, by: User | None, by_link: bool) -> None:
    history.record(participation.study, kind, participation=participation, by=by, by_link=by_link, detail=detail)


def in_short(moment: datetime) -> str:
    """A moment as the history keeps it, in local time."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def hold_team(pk: int) -> bool:
    """Whether a team meets: it did not stop, nor answers online, and does neither meanwhile. Before the researcher's lock."""
    team = Participation.objects.select_for_update(no_key=True).get(pk=pk)
    return team.state not in Participation.NO_PART and team.mode != Participation.Mode.ONLINE


def hold_researcher(pk: int) -> None:
    """The meetings of one researcher are fixed one at a time, or two teams would have the same hour."""
    User.objects.select_for_update(no_key=True).get(pk=pk)


def begin(participation: Participation) -> PlannedMeeting:
    """The meeting of a team to plan, made at the first call."""
    planned, _created = PlannedMeeting.objects.get_or_create(participation=participation)
    return planned


def _people(planned: PlannedMeeting) -> dict[str, Person]:
    """Who should have the meeting in the calendar now, by part."""
    participation, people = planned.participation, {}
    people[Attendee.Part.LEADER.value] = Person(participation.leader_name, participation.leader_email)
    if participation.contact_email:
        people[Attendee.Part.CONTACT.value] = Person(participation.contact_name, participation.contact_email)
    if planned.researcher is not None:
        people[Attendee.Part.RESEARCHER.value] = Person(planned.researcher.name, planned.researcher.email)
    return people


def _tell(planned: PlannedMeeting, *, moved: bool = False, only_new: bool = False) -> None:
    """Bring the attendees up to date and queue their mails.

    Args:
        moved: the time is another: the briefings are due at another moment.
        only_new: who has the meeting already need not get it again.
    """
    people, known, briefed = _people(planned), dict[str, Attendee](), list[Attendee]()
    for attendee in planned.attendees.filter(left=False):
        person = people.get(attendee.part)
        if person is not None and person.email == attendee.email:
            known[attendee.part] = attendee
            continue
        Attendee.objects.filter(pk=attendee.pk).update(left=True)
        _cancel(attendee)
    assert planned.starts_at is not None
    for part, person in people.items():
        is_new = part not in known
        attendee = known.get(part) or Attendee.objects.create(
            meeting=planned, part=part, name=person.name, email=person.email
        )
        if is_new or not only_new:
            outbox.drop(TeamMail.MEETING_CALENDAR, attendee.pk)
            outbox.queue(TeamMail.MEETING_CALENDAR, attendee.pk, study=_study_of(attendee))
        if part in BRIEFED and (is_new or moved):
            briefed.append(attendee)
    _brief(briefed)


def _begin_anew(planned: PlannedMeeting) -> None:
    """After a meeting was called off: who was told so gets another event, since a called-off one stays so in calendars.

    A cancellation that still waits is taken back; for its reader the meeting moves. One event is of all who come, so then
    it stays the same one.
    """
    attendees = list(planned.attendees.filter(left=False))
    mailed = [attendee.pk for attendee in attendees if not outbox.drop(TeamMail.MEETING_CALENDAR, attendee.pk)]
    Attendee.objects.filter(pk__in=mailed).update(left=True)
    if len(mailed) == len(attendees):
        PlannedMeeting.objects.filter(pk=planned.pk).update(uid=uuid.uuid4())


def _study_of(attendee: Attendee) -> Study:
    return Study.objects.get(participations__planned=attendee.meeting_id)


def _brief(attendees: Iterable[Attendee]) -> None:
    """Queue the briefings for the morning two days before, in place of those that wait."""
    due: dict[tuple[Study, datetime], list[int]] = defaultdict(list)
    now, attendees = timezone.now(), list(attendees)
    for attendee in attendees:
        starts_at = attendee.meeting.starts_at
        if starts_at is not None and starts_at > now:
            morning = datetime.combine(timezone.localdate(starts_at) - BRIEF_BEFORE, BRIEF_AT)
            due[attendee.meeting.participation.study, max(timezone.make_aware(morning), now)].append(attendee.pk)
    outbox.drop_many(TeamMail.MEETING_BRIEFING, [attendee.pk for attendee in attendees])
    for (study, due_at), pks in due.items():
        outbox.queue_many(TeamMail.MEETING_BRIEFING, pks, due_at=due_at, study=study)


def _cancel(attendee: Attendee) -> None:
    """Nothing that waits is sent any more; who was sent the meeting gets its cancellation."""
    outbox.drop(TeamMail.MEETING_BRIEFING, attendee.pk)
    outbox.drop(TeamMail.MEETING_CALENDAR, attendee.pk)
    sent = Q(state=OutboxMessage.State.SENT) | Q(state=OutboxMessage.State.QUEUED)  # one under way cannot be held back
    if OutboxMessage.objects.filter(sent, kind=TeamMail.MEETING_CALENDAR, object_id=attendee.pk).exists():
        outbox.queue(TeamMail.MEETING_CALENDAR, attendee.pk, study=_study_of(attendee))
