"""Who reads the mails of this app: names and addresses for the list of mails, looked up for a whole page at once; and what
ends their reminders."""

from collections.abc import Sequence

from teams import invitations, planning
from teams.bounces import when_unwanted
from teams.mail_listing import Reader, name_readers
from teams.models import Invitation, OutboxMessage, Role
from teams.planned import Attendee, PlannedMeeting

OF_INVITATIONS = (
    "teams.director_invitation",
    "teams.director_reminder",
    "teams.director_confirmation",
    "teams.leader_invitation",
    "teams.leader_reminder",
    "teams.leader_confirmation",
    "teams.team_withdrawn",
)


@when_unwanted(*OF_INVITATIONS)
def end_reminders(invitation_id: int) -> None:
    invitation = Invitation.objects.select_related("study", "academy", "participation").filter(pk=invitation_id).first()
    if invitation is not None:
        invitations.end_reminders(invitation)


@name_readers(*OF_INVITATIONS)
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
            team = invitation.participation.team
            readers[message.pk] = Reader(team.leader_name, team.leader_email, team.name)
    return readers


@name_readers("teams.researcher_added")
def of_researchers(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = Role.objects.select_related("user", "study").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(role.user.name, role.user.email, role.study.title if role.study else "")
        for message in messages
        if (role := found.get(message.object_id))
    }


@name_readers(planning.CALENDAR_MAIL, planning.BRIEFING_MAIL)
def of_attendees(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    attendees = Attendee.objects.select_related("meeting__participation__team")
    found = attendees.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.name, one.email, one.meeting.participation.team.name)
        for message in messages
        if (one := found.get(message.object_id))
    }


@name_readers(planning.DATES_MAIL)
def of_planned(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    planned = PlannedMeeting.objects.select_related("participation__team")
    found = planned.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(team.leader_name, team.leader_email, team.name)
        for message in messages
        if (one := found.get(message.object_id)) and (team := one.participation.team)
    }
