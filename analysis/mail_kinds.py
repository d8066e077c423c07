"""The kinds of mail of this app."""

from django.utils.translation import gettext_lazy

from teams.mail.kinds import MailKind, To


class ReportMail(MailKind):
    """When reports are published."""

    REPORT_READY = "report_ready", gettext_lazy("Notice that a team's report is ready"), To.LEADER
    ACADEMY_REPORT_READY = "academy_report_ready", gettext_lazy("Notice that an academy's report is ready"), To.DIRECTOR
