"""Who reads the mails of this app: names and addresses for the list of mails."""

from collections.abc import Sequence

from analysis.models.readers import ReportLink
from analysis.publication.mails import ACADEMY_MAIL, REPORT_MAIL
from teams.mail.listing import Reader, name_readers
from teams.models import OutboxMessage, Participation


@name_readers(REPORT_MAIL)
def of_reports(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = Participation.objects.select_related("team").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.leader_name, one.leader_email, one.team.name)
        for message in messages
        if (one := found.get(message.object_id))
    }


@name_readers(ACADEMY_MAIL)
def of_academy_reports(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = ReportLink.objects.select_related("academy").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.academy.director_name, one.academy.director_email, one.academy.name)
        for message in messages
        if (one := found.get(message.object_id)) and one.academy
    }
