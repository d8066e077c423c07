from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "teams"

    def ready(self) -> None:
        from teams import meeting_mails, renderers  # noqa: F401  mails of this app get their renderers
