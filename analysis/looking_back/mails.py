"""The mails of a look-back: to whoever leads the team on that day, and to those of the team who asked for it."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from analysis.looking_back.dates import opened_for, path_of
from analysis.looking_back.steps import steps_of
from analysis.mail_kinds import ReportMail
from analysis.models import LookBack
from analysis.publication.talks import may_write
from teams.inviting.new_leaders import wants_no_mail
from teams.mail import refusals
from teams.mail.composing import Mail, absolute
from teams.mail.outbox import register
from teams.mail.templates import Letter, offer, write
from teams.models import Participation, Role, Study
from teams.text.addresses import same_person


@register(ReportMail.LOOK_BACK)
def look_back(object_id: int, language: str) -> Mail | None:
    """To who leads the team now. To nobody where the team stopped, the day was taken back, nothing is agreed, or it is too late
    to write; nor to a new leader who said no in this study, or wants no reminders: the leader before picked the day.
    """
    mailed = (
        LookBack.objects.filter(Q(mailed_on__isnull=False), pk=object_id)
        .filter(participation__state=Participation.State.ACCEPTED, participation__roles__kind=Role.Kind.LEADER)
        .select_related("picked_by", "participation__study", "participation__team__academy__institution")
        .first()
    )
    if mailed is None or not _is_of_use(mailed.participation):
        return None
    participation = mailed.participation
    to = participation.leader_email
    picked_it = mailed.picked_by is not None and same_person(mailed.picked_by.email, to)
    if not picked_it and wants_no_mail(participation.study, to):
        return None
    values = _of_leader(participation) | {"link": absolute(reverse("team_look_back", args=[participation.pk]))}
    return write(ReportMail.LOOK_BACK, participation.study, language, to, values)


@register(ReportMail.LOOK_BACK_ASKED)
def look_back_asked(object_id: int, language: str) -> Mail | None:
    """To somebody of the team whose address the leader put on the list, while their link opens."""
    reader = opened_for(object_id)
    if reader is None or reader.look_back.mailed_on is None or refusals.wants_none(reader.email):
        return None
    participation = reader.look_back.participation
    if not _is_of_use(participation):
        return None
    values = _of_asked(participation) | {"link": absolute(path_of(reader))}
    return write(ReportMail.LOOK_BACK_ASKED, participation.study, language, reader.email, values)


def _is_of_use(participation: Participation) -> bool:
    """Whether there is something to look back at, and it may still be written down."""
    return may_write(participation) and any(step.agreed for step in steps_of(participation))


def _of_leader(participation: Participation) -> dict[str, str]:
    return {"name": participation.leader_name, "team": participation.team.name}


def _of_asked(participation: Participation) -> dict[str, str]:
    return {"team": participation.team.name}


def _example(study: Study) -> Participation | None:
    teams = study.participations.filter(state=Participation.State.ACCEPTED)
    return teams.select_related("team").order_by("pk").first()


def _example_leader(study: Study) -> dict[str, str]:
    participation = _example(study)
    return _of_leader(participation) if participation else {}


def _example_asked(study: Study) -> dict[str, str]:
    participation = _example(study)
    return _of_asked(participation) if participation else {}


offer(
    Letter(
        kind=ReportMail.LOOK_BACK,
        template="emails/analysis/look_back.txt",
        subject=gettext_lazy("Look back with {team} at what you agreed"),
        fields=("name", "team", "link"),
        example=_example_leader,
    )
)
offer(
    Letter(
        kind=ReportMail.LOOK_BACK_ASKED,
        template="emails/analysis/look_back_asked.txt",
        subject=gettext_lazy("Look back with {team} at what you agreed"),
        fields=("team", "link"),
        example=_example_asked,
        origin=gettext_lazy("Your team leader gave us your address for this email, as you asked at the team talk."),
    )
)
