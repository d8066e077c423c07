"""The mails of this app: a team's report is ready, and a director's."""

from django.urls import reverse
from django.utils.translation import gettext_lazy

from analysis.mail_kinds import ReportMail
from analysis.models import Publication
from analysis.models.readers import ReportLink
from analysis.publication.links import path_of
from teams.mail.composing import Mail, absolute
from teams.mail.outbox import register
from teams.mail.templates import Letter, offer, write
from teams.models import Academy, Participation, Role, Study


@register(ReportMail.REPORT_READY)
def report_ready(object_id: int, language: str) -> Mail | None:
    """To the leader of a team that takes part, while a publication stands; to nobody who could not sign in to read it."""
    participation = (
        Participation.objects.select_related("study", "team__academy__institution")
        .filter(pk=object_id, state=Participation.State.ACCEPTED, roles__kind=Role.Kind.LEADER)
        .first()
    )
    if participation is None or not Publication.objects.filter(study=participation.study).exists():
        return None
    values = _of_report(participation) | {"link": absolute(reverse("team_report", args=[participation.pk]))}
    return write(ReportMail.REPORT_READY, participation.study, language, participation.leader_email, values)


def _of_report(participation: Participation) -> dict[str, str]:
    """The fields of the letter to a leader whose report is ready, but for the link."""
    return {
        "name": participation.leader_name,
        "team": participation.team.name,
        "days": str(participation.study.report_days),
    }


def _example_report(study: Study) -> dict[str, str]:
    ready = study.participations.filter(state=Participation.State.ACCEPTED).select_related("team", "study")
    participation = ready.order_by("pk").first()
    return _of_report(participation) if participation else {}


offer(
    Letter(
        kind=ReportMail.REPORT_READY,
        template="emails/analysis/report_ready.txt",
        subject=gettext_lazy("The report of your team: {team}"),
        fields=("name", "team", "days", "link"),
        example=_example_report,
    ),
)


@register(ReportMail.ACADEMY_REPORT_READY)
def academy_report_ready(object_id: int, language: str) -> Mail | None:
    """To the director of an academy, with the link to its report, while that link opens."""
    link = ReportLink.objects.select_related("study", "academy__institution").filter(pk=object_id).first()
    if link is None or link.academy is None or not link.is_open:
        return None
    if not Publication.objects.filter(study=link.study).exists():
        return None
    values = _of_academy(link.academy) | {"link": absolute(path_of(link))}
    return write(ReportMail.ACADEMY_REPORT_READY, link.study, language, link.academy.director_email, values)


def _of_academy(academy: Academy) -> dict[str, str]:
    """The fields of the letter to a director whose report is ready, but for the link."""
    return {"name": academy.director_name, "academy": academy.name}


def _example_academy(study: Study) -> dict[str, str]:
    academy = Academy.objects.filter(invitations__study=study).order_by("pk").first()
    return _of_academy(academy) if academy else {}


offer(
    Letter(
        kind=ReportMail.ACADEMY_REPORT_READY,
        template="emails/analysis/academy_report_ready.txt",
        subject=gettext_lazy("The report of your academy: {academy}"),
        fields=("name", "academy", "link"),
        example=_example_academy,
    ),
)
