from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "teams"

    def ready(self) -> None:
        from teams import mail_readers, meeting_mails, renderers  # noqa: F401  mails get renderers and readers
