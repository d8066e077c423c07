"""What the app adds to those below when the program starts: its mails, words of its events, whom to follow."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysisConfig(AppConfig):
    name = "analysis"

    def ready(self) -> None:
        from analysis.publication import mail_readers, mails  # noqa: F401  mails of this app get renderers and readers
        from analysis.publication.links import end_team_links
        from analysis.publication.new_directors import follow_director
        from teams import history
        from teams.base.security_log import Act
        from teams.inviting import corrections

        corrections.FOLLOW_DIRECTOR.append(follow_director)
        corrections.FOLLOW_LEADER.append(end_team_links)
        history.SECURITY.update(
            {
                "responses_downloaded": Act.EXPORTED,
                "results_downloaded": Act.EXPORTED,
                "results_released": Act.EXPORTED,
                "rows_released": Act.EXPORTED,
                "texts_downloaded": Act.EXPORTED,
                "published": Act.PUBLISHED,
                "person_removed": Act.PERSON_REMOVED,
            }
        )
        history.WORDS.update(
            {
                "plan_locked": _("Plan locked"),
                "plan_amended": _("Plan amended"),
                "decision_set_aside": _("Scale set aside"),
                "decision_merge": _("Scales merged"),
                "decision_drop": _("Item dropped"),
                "decision_undone": _("Decision undone"),
                "answers_not_used_any_more": _("No analysis uses the answers of the team any more"),
                "withdrawal_repeated": _("Withdrawal carried out again after a backup was restored"),
                "model_added": _("Factor model of one's own added"),
                "model_removed": _("Factor model of one's own removed"),
                "teams_combined": _("Teams combined into one report"),
                "teams_separated": _("Teams of one report taken apart again"),
                "published": _("Reports published"),
                "study_before_deleted": _("The wave before this one was deleted"),
                "person_removed": _("A person was removed"),
                "report_shared": _("Report shared by a link"),
                "answers_imported": _("Answers imported (responses / teams)"),
                "responses_downloaded": _("Responses downloaded"),
                "text_reviewed": _("Open answer reviewed"),
                "text_review_undone": _("Review of an open answer taken back"),
                "texts_downloaded": _("Open answers downloaded"),
                "results_downloaded": _("Results downloaded"),
                "results_released": _("Results of very small teams released, with their purpose"),
                "rows_released": _("Responses released, with their purpose"),
                "composition_entered": _("Numbers of the population entered"),
                "composition_removed": _("Numbers of the population removed"),
            }
        )
