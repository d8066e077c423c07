from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "teams"

    def ready(self) -> None:
        from anymail.signals import tracking

        from teams import (  # mails get renderers and readers
            account_events,
            account_mails,  # noqa: F401
            bounces,
            handover_mails,  # noqa: F401
            mail_readers,  # noqa: F401
            meeting_mails,  # noqa: F401
            renderers,  # noqa: F401
        )

        tracking.connect(bounces.receive, dispatch_uid="teams.bounces")
        account_events.connect()
