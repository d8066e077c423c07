"""What the app adds to those below when the program starts: its mails, its kinds of event, whom to follow."""

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "analysis"

    def ready(self) -> None:
        # mails of this app get words and readers, and its events are known
        from analysis import history  # noqa: F401
        from analysis.looking_back import dates
        from analysis.looking_back import mail_readers as readers_of_looks_back  # noqa: F401
        from analysis.looking_back import mails as mails_of_looks_back  # noqa: F401
        from analysis.publication import mail_readers, mails  # noqa: F401
        from analysis.publication.links import end_team_links
        from analysis.publication.new_directors import follow_director
        from teams.inviting import corrections

        corrections.FOLLOW_DIRECTOR.append(follow_director)
        corrections.FOLLOW_LEADER += [end_team_links, dates.follow_leader]
