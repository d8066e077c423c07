"""Who reads the mails of this app: names and addresses for the list of mails, looked up for a whole page at once; and what
ends their reminders."""

from collections.abc import Sequence

from teams.inviting import reminders
from teams.mail.bounces import when_unwanted
from teams.mail.kinds import ABOUT_INVITATIONS, TeamMail
from teams.mail.listing import Reader, name_readers
from teams.models import (
    Attendee,
    FormerContact,
    Invitation,
    Notice,
    OutboxMessage,
    Participation,
    PlannedMeeting,
    ResearcherInvitation,
    Role,
)


@when_unwanted(*ABOUT_INVITATIONS)
def end_reminders(invitation_id: int) -> None:
    invitation = Invitation.objects.select_related("study", "academy", "participation").filter(pk=invitation_id).first()
    if invitation is not None:
        reminders.end_reminders(invitation)


@name_readers(*ABOUT_INVITATIONS)
def of_invitations(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = Invitation.objects.select_related("academy", "participation__team").in_bulk([m.object_id for m in messages])
    readers = {}
    for message in messages:
        invitation = found.get(message.object_id)
        if invitation is None:
            continue
        if invitation.academy is not None:
            academy = invitation.academy
            readers[message.pk] = Reader(academy.director_name, academy.director_email, academy.name)
        elif invitation.participation is not None:
            participation = invitation.participation
            readers[message.pk] = Reader(participation.leader_name, participation.leader_email, participation.team.name)
    return readers


@name_readers(TeamMail.RESEARCHER_ADDED, TeamMail.RETENTION_OVER)
def of_researchers(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = Role.objects.select_related("user", "study").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(role.user.name, role.user.email, role.study.title if role.study else "")
        for message in messages
        if (role := found.get(message.object_id))
    }


@name_readers(TeamMail.RESEARCHER_ASKED)
def of_asked_researchers(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = ResearcherInvitation.objects.select_related("study").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.name, one.email, one.study.title if one.study else "")
        for message in messages
        if (one := found.get(message.object_id))
    }


@name_readers(TeamMail.RESEARCHER_JOINED)
def of_notices(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = Notice.objects.select_related("user", "event__study").in_bulk([m.object_id for m in messages])
    return {
        message.pk: Reader(one.user.name, one.user.email, one.event.study.title)
        for message in messages
        if (one := found.get(message.object_id))
    }


@name_readers(TeamMail.MEETING_CALENDAR, TeamMail.MEETING_BRIEFING)
def of_attendees(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    attendees = Attendee.objects.select_related("meeting__participation__team")
    found = attendees.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.name, one.email, one.meeting.participation.team.name)
        for message in messages
        if (one := found.get(message.object_id))
    }


@name_readers(TeamMail.MEETING_DATES)
def of_planned(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    planned = PlannedMeeting.objects.select_related("participation__team")
    found = planned.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(wave.leader_name, wave.leader_email, wave.team.name)
        for message in messages
        if (one := found.get(message.object_id)) and (wave := one.participation)
    }


@name_readers(TeamMail.FORMER_CONTACT)
def of_former_contacts(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    rows = FormerContact.objects.select_related("academy", "participation__team")
    found = rows.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.name, one.email, one.of_team or place.name)
        for message in messages
        if (one := found.get(message.object_id))
        and (place := one.academy or (one.participation.team if one.participation else None))
    }


@name_readers(TeamMail.WAVE_HANDED_OVER, TeamMail.LEADER_LET_IN, TeamMail.LEADER_NAMED)
def of_new_leaders(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = Participation.objects.select_related("team").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.leader_name, one.leader_email, one.team.name)
        for message in messages
        if (one := found.get(message.object_id))
    }
