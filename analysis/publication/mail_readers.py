"""Who reads the mails of this app: names and addresses for the list of mails."""

from collections.abc import Sequence

from analysis.mail_kinds import ReportMail
from analysis.models.readers import ReportLink
from teams.mail.listing import Reader, name_readers
from teams.models import OutboxMessage, Participation


@name_readers(ReportMail.REPORT_READY)
def of_reports(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    participations = Participation.objects.select_related("team").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(participation.leader_name, participation.leader_email, participation.team.name)
        for message in messages
        if (participation := participations.get(message.object_id))
    }


@name_readers(ReportMail.ACADEMY_REPORT_READY)
def of_academy_reports(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    links = ReportLink.objects.select_related("academy").in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(link.academy.director_name, link.academy.director_email, link.academy.name)
        for message in messages
        if (link := links.get(message.object_id)) and link.academy
    }
