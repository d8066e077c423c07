"""What the app adds to teams/ when the program starts: its mails, words of its events."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SurveysConfig(AppConfig):
    name = "surveys"

    def ready(self) -> None:
        from surveys import mail_readers, renderers  # noqa: F401  mails of this app get renderers and readers
        from surveys.questionnaires.publishing import why_not_invite
        from teams import history
        from teams.base.security_log import Act
        from teams.studies import setting_up

        setting_up.NOT_YET.append(why_not_invite)
        history.SECURITY["teams_merged"] = Act.ROLE_TAKEN  # the other team's pages open to its leader no more
        history.SECURITY["answers_deleted"] = Act.TEAM_DELETED  # of a team that withdrew: what is kept of it goes
        history.WORDS.update(
            {
                "survey_opened": _("Survey opened"),
                "teams_merged": _("Another team became one with this one"),
                "team_split": _("Team was split, a new team made"),
                "collection_closed": _("Collecting closed"),
                "collection_reopened": _("Collecting opened again"),
                "collection_seal_asked": _("Sealing asked for"),
                "links_issued": _("Personal links sent"),
                "key_renewed": _("Key was lost: new key made, new personal links sent"),
                "links_reminded": _("Reminder sent"),
                "facilitator_link_sent": _("Facilitator's link sent"),
                "present_counted": _("Those present counted by a researcher"),
                "slips_made": _("Slips for the meeting printed"),
                "slips_worthless": _("Slips that were left made worthless"),
                "address_list_sent": _("Link to confirm addresses of teachers sent"),
                "addresses_confirmed": _("Addresses of teachers confirmed"),
                "counts_corrected": _("Number of teachers, number of refusals corrected"),
                "paper_added": _("Paper forms added to the answers"),
                "paper_corrected": _("Paper form corrected"),
                "paper_taken_back": _("Paper forms taken out of the answers"),
                "answers_deleted": _("Answers of the team deleted"),
                "questionnaire_chosen": _("Questionnaire chosen"),
                "meeting_texts_changed": _("Texts for meetings changed"),
                "round_planned": _("Reminder planned"),
                "leading_recorded": _("Who led the meeting was recorded"),
                "round_dropped": _("Planned reminder taken back"),
            }
        )
