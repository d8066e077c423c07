"""Who reads the mails of a look-back. Of who asked for it in the team only the team is told."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.looking_back.dates import leave
from analysis.mail_kinds import ReportMail
from analysis.models import LookBack, LookBackReader
from teams.mail.bounces import when_unwanted
from teams.mail.listing import Reader, name_readers
from teams.models import OutboxMessage


@when_unwanted(ReportMail.LOOK_BACK_ASKED)
def unwanted(reader_id: int) -> None:
    for reader in LookBackReader.objects.filter(pk=reader_id):
        leave(reader)


@name_readers(ReportMail.LOOK_BACK)
def of_leaders(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    rows = LookBack.objects.select_related("participation__team")
    looks_back = rows.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader(team.leader_name, team.leader_email, team.team.name)
        for message in messages
        if (look_back := looks_back.get(message.object_id)) and (team := look_back.participation)
    }


@name_readers(ReportMail.LOOK_BACK_ASKED)
def of_those_who_asked(messages: Sequence[OutboxMessage]) -> dict[int, Reader]:
    rows = LookBackReader.objects.select_related("look_back__participation__team")
    readers = rows.in_bulk([message.object_id for message in messages])
    return {
        message.pk: Reader("", "", reader.look_back.participation.team.name)
        for message in messages
        if (reader := readers.get(message.object_id))
    }
