"""The mails of this app: a team's report is ready."""

from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.models import Publication
from teams.mail import Mail, absolute, compose, register
from teams.models import Participation

REPORT_MAIL = "report_ready"


@register(REPORT_MAIL)
def report_ready(object_id: int, language: str) -> Mail | None:
    """To the leader of a team that takes part, while a publication stands."""
    participation = (
        Participation.objects.select_related("study", "team__academy__institution")
        .filter(pk=object_id, state=Participation.State.ACCEPTED)
        .first()
    )
    if participation is None or not Publication.objects.filter(study=participation.study).exists():
        return None
    study, team = participation.study, participation.team
    subject = _("The report of your team: %(team)s") % {"team": team.name}
    return compose(
        team.leader_email,
        " ".join(subject.split()),
        "emails/analysis/report_ready.txt",
        {
            "study": study,
            "team": team,
            "name": team.leader_name,
            "link": absolute(reverse("team_report", args=[participation.pk])),
        },
        headers={"Reply-To": study.contact_email},
    )
