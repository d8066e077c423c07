"""What the app adds to teams/ when the program starts: its mails, its kinds of event, why a study may not invite yet."""

from django.apps import AppConfig


class SurveysConfig(AppConfig):
    name = "surveys"

    def ready(self) -> None:
        # mails of this app get words and readers, and its events are known
        from surveys import history, mail_readers, mails  # noqa: F401
        from surveys.questionnaires.publishing import why_not_invite
        from teams.studies import setting_up

        setting_up.NOT_YET.append(why_not_invite)
