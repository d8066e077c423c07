from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SurveysConfig(AppConfig):
    name = "surveys"

    def ready(self) -> None:
        from surveys import mail_readers, renderers  # noqa: F401  mails of this app get renderers and readers
        from teams import history

        history.WORDS.update(
            {
                "survey_opened": _("Survey opened"),
                "collection_closed": _("Collecting closed"),
                "collection_reopened": _("Collecting opened again"),
                "collection_seal_asked": _("Sealing asked for"),
                "links_issued": _("Personal links sent"),
                "links_reminded": _("Reminder sent"),
                "facilitator_link_sent": _("Facilitator's link sent"),
                "counts_corrected": _("Number of teachers, number of refusals corrected"),
                "paper_added": _("Paper forms added to the answers"),
                "paper_taken_back": _("Paper forms taken out of the answers"),
                "answers_deleted": _("Answers of the team deleted"),
                "questionnaire_chosen": _("Questionnaire chosen"),
                "meeting_texts_changed": _("Texts for meetings changed"),
                "round_planned": _("Reminder planned"),
                "leading_recorded": _("Who led the meeting was recorded"),
                "round_dropped": _("Planned reminder taken back"),
            }
        )
