"""What the app does when the program starts: its mails are known, reports of delivery heard."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "teams"

    def ready(self) -> None:
        from anymail.signals import tracking

        # mails get words and readers
        from teams.accounts import mails as mails_of_accounts  # noqa: F401
        from teams.accounts import sign_in_log
        from teams.mail import bounces
        from teams.messages import handovers, mail_readers, mails, meetings  # noqa: F401

        tracking.connect(bounces.receive, dispatch_uid="teams.mail.bounces")
        sign_in_log.connect()
