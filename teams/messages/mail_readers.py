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
    invitations = Invitation.objects.select_related("academy", "participation__team").in_bulk(
        [m.object_id for m in messages]
    )
    readers = {}
    for message in messages:
        invitation = invitations.get(message.object_id)
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
    roles = Role.objects.select_related("user", "study").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(role.user.name, role.user.email, role.study.title if role.study else "")
        for message in messages
        if (role := roles.get(message.object_id))
    }


@name_readers(TeamMail.RESEARCHER_ASKED)
def of_asked_researchers(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    asked = ResearcherInvitation.objects.select_related("study").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(invitation.name, invitation.email, invitation.study.title if invitation.study else "")
        for message in messages
        if (invitation := asked.get(message.object_id))
    }


@name_readers(TeamMail.RESEARCHER_JOINED)
def of_notices(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    notices = Notice.objects.select_related("user", "event__study").in_bulk([m.object_id for m in messages])
    return {
        message.pk: Reader(notice.user.name, notice.user.email, notice.event.study.title)
        for message in messages
        if (notice := notices.get(message.object_id))
    }


@name_readers(TeamMail.MEETING_CALENDAR, TeamMail.MEETING_BRIEFING)
def of_attendees(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    attendees = Attendee.objects.select_related("meeting__participation__team")
    attendees_by_pk = attendees.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(attendee.name, attendee.email, attendee.meeting.participation.team.name)
        for message in messages
        if (attendee := attendees_by_pk.get(message.object_id))
    }


@name_readers(TeamMail.MEETING_DATES)
def of_planned(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    planned = PlannedMeeting.objects.select_related("participation__team")
    planned_by_pk = planned.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(wave.leader_name, wave.leader_email, wave.team.name)
        for message in messages
        if (meeting := planned_by_pk.get(message.object_id)) and (wave := meeting.participation)
    }


@name_readers(TeamMail.FORMER_CONTACT)
def of_former_contacts(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    rows = FormerContact.objects.select_related("academy", "participation__team")
    contacts = rows.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(contact.name, contact.email, contact.of_team or place.name)
        for message in messages
        if (contact := contacts.get(message.object_id))
        and (place := contact.academy or (contact.participation.team if contact.participation else None))
    }


@name_readers(TeamMail.WAVE_HANDED_OVER, TeamMail.LEADER_LET_IN, TeamMail.LEADER_NAMED)
def of_new_leaders(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    participations = Participation.objects.select_related("team").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(participation.leader_name, participation.leader_email, participation.team.name)
        for message in messages
        if (participation := participations.get(message.object_id))
    }
