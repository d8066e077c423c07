from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "teams"

    def ready(self) -> None:
        from anymail.signals import tracking

        from teams import bounces, mail_readers, meeting_mails, renderers  # noqa: F401  mails get renderers and readers

        tracking.connect(bounces.receive, dispatch_uid="teams.bounces")
