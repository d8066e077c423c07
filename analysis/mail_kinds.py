"""The kinds of mail of this app."""

from django.utils.translation import gettext_lazy

from teams.mail.kinds import MailKind, To


class ReportMail(MailKind):
    """When reports are published, and when a team looks back at what it agreed."""

    REPORT_READY = "report_ready", gettext_lazy("Notice that a team's report is ready"), To.LEADER
    ACADEMY_REPORT_READY = "academy_report_ready", gettext_lazy("Notice that an academy's report is ready"), To.DIRECTOR
    LOOK_BACK = "look_back", gettext_lazy("Time to look back at what a team agreed"), To.LEADER
    LOOK_BACK_ASKED = (
        "look_back_asked",
        gettext_lazy("Time to look back, to who asked for it in the team"),
        To.TEACHER,
    )
