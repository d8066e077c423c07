"""Who reads the mails of this app: names and addresses for the list of mails."""

from collections.abc import Sequence

from analysis.mail_kinds import ReportMail
from analysis.models.readers import ReportLink
from teams.mail.listing import Reader, name_readers
from teams.models import OutboxMessage, Participation


@name_readers(ReportMail.REPORT_READY)
def of_reports(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = Participation.objects.select_related("team").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.leader_name, one.leader_email, one.team.name)
        for message in messages
        if (one := found.get(message.object_id))
    }


@name_readers(ReportMail.ACADEMY_REPORT_READY)
def of_academy_reports(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    found = ReportLink.objects.select_related("academy").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(one.academy.director_name, one.academy.director_email, one.academy.name)
        for message in messages
        if (one := found.get(message.object_id)) and one.academy
    }
