from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysisConfig(AppConfig):
    name = "analysis"

    def ready(self) -> None:
        from analysis import mail_readers, renderers  # noqa: F401  mails of this app get renderers and readers
        from teams import history

        history.WORDS.update(
            {
                "plan_locked": _("Plan locked"),
                "plan_amended": _("Plan amended"),
                "decision_set_aside": _("Scale set aside"),
                "decision_merge": _("Scales merged"),
                "decision_drop": _("Item dropped"),
                "decision_undone": _("Decision undone"),
                "answers_not_used_any_more": _("Answers of the team are not used any more"),
                "withdrawal_repeated": _("Withdrawal carried out again after a backup was restored"),
                "published": _("Reports published"),
                "report_shared": _("Report shared by a link"),
                "answers_imported": _("Answers imported (responses / teams)"),
                "responses_downloaded": _("Responses downloaded"),
                "text_reviewed": _("Open answer reviewed"),
                "text_review_undone": _("Review of an open answer taken back"),
                "texts_downloaded": _("Open answers downloaded"),
                "rows_released": _("Responses released, with their purpose"),
                "composition_entered": _("Numbers of the population entered"),
                "composition_removed": _("Numbers of the population removed"),
            }
        )
