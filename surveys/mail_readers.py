"""Who reads the mails of this app. Of a teacher only the team is told, and the address where a mail did not arrive."""

from collections.abc import Sequence

from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import AddressCheck, Invitee, Meeting
from teams.mail.bounces import when_unwanted
from teams.mail.listing import LOST, Reader, name_readers
from teams.models import OutboxMessage, Participation


@when_unwanted(SurveyMail.PERSONAL_LINK)
@when_unwanted(SurveyMail.PERSONAL_LINK_REPLACED)
def opt_out(invitee_id: int) -> None:
    for invitee in Invitee.objects.filter(pk=invitee_id):
        personal_links.opt_out(invitee)


@name_readers(SurveyMail.PERSONAL_LINK)
@name_readers(SurveyMail.PERSONAL_LINK_REPLACED)
def of_invitees(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    invitees = Invitee.objects.select_related("collection__participation__team")
    invitees_by_pk = invitees.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(
            "", invitee.email if message.state in LOST else "", invitee.collection.participation.team.name
        )
        for message in messages
        if (invitee := invitees_by_pk.get(message.object_id))
    }


@name_readers(SurveyMail.COLLECTING_BEGINS)
def of_leaders(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    participations = Participation.objects.select_related("team").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(participation.leader_name, participation.leader_email, participation.team.name)
        for message in messages
        if (participation := participations.get(message.object_id))
    }


@name_readers(SurveyMail.FACILITATOR_LINK)
def of_facilitators(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    meetings = Meeting.objects.select_related("collection__participation__team")
    meetings_by_pk = meetings.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(team.contact_name, team.contact_email, team.team.name)
        for message in messages
        if (meeting := meetings_by_pk.get(message.object_id)) and (team := meeting.collection.participation)
    }


@name_readers(SurveyMail.CONFIRM_ADDRESSES)
def of_checks(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    checks = AddressCheck.objects.select_related("academy").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(check.name, check.email, check.academy.name)
        for message in messages
        if (check := checks.get(message.object_id))
    }
