"""What happens while answers are collected: the kinds of event of this app. They are recorded by teams/history.py."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.base.security_log import Act
from teams.history import EventKind, tells, ways_in_words


class Happened(EventKind):
    """While answers are collected."""

    SURVEY_OPENED = "survey_opened", gettext_lazy("Questionnaire opened")
    TEAMS_MERGED = (
        "teams_merged",
        gettext_lazy("Another team was merged into this one"),
        Act.ROLE_TAKEN,
    )  # the other team's pages open to its leader no more
    TEAM_SPLIT = "team_split", gettext_lazy("Team was split: new team created")
    COLLECTION_CLOSED = "collection_closed", gettext_lazy("Collecting closed")
    CLOSED_FOR_PICTURE = (
        "closed_for_picture",
        gettext_lazy("Meeting closed for good, for the team to see its own figures"),
    )
    COLLECTION_REOPENED = "collection_reopened", gettext_lazy("Collecting opened again")
    COLLECTION_SEAL_ASKED = "collection_seal_asked", gettext_lazy("Sealing requested")
    LINKS_ISSUED = "links_issued", gettext_lazy("Personal links sent")
    KEY_RENEWED = "key_renewed", gettext_lazy("Key was lost: new key and new personal links")
    LINKS_REMINDED = "links_reminded", gettext_lazy("Reminder sent")
    FACILITATOR_LINK_SENT = "facilitator_link_sent", gettext_lazy("Link to the meeting sent")
    PRESENT_COUNTED = "present_counted", gettext_lazy("Those present counted by a researcher")
    SLIPS_MADE = "slips_made", gettext_lazy("Slips for the meeting printed")
    SLIPS_WORTHLESS = "slips_worthless", gettext_lazy("Slips that were left over cancelled")
    ADDRESS_LIST_SENT = "address_list_sent", gettext_lazy("Link to confirm addresses of teachers sent")
    ADDRESSES_CONFIRMED = "addresses_confirmed", gettext_lazy("Addresses of teachers confirmed")
    COUNTS_CORRECTED = "counts_corrected", gettext_lazy("Number of teachers, number of refusals corrected")
    PAPER_ADDED = "paper_added", gettext_lazy("Paper forms added to the answers")
    PAPER_CORRECTED = "paper_corrected", gettext_lazy("Paper form corrected")
    PAPER_TAKEN_BACK = "paper_taken_back", gettext_lazy("Paper forms taken out of the answers")
    ANSWERS_DELETED = (
        "answers_deleted",
        gettext_lazy("Answers of the team deleted"),
        Act.TEAM_DELETED,
    )  # of a team that withdrew: what is kept of it goes
    QUESTIONNAIRE_CHOSEN = "questionnaire_chosen", gettext_lazy("Questionnaire chosen")
    MEETING_TEXTS_CHANGED = "meeting_texts_changed", gettext_lazy("Texts for meetings changed")
    ROUND_PLANNED = "round_planned", gettext_lazy("Reminder planned")
    LEADING_RECORDED = "leading_recorded", gettext_lazy("Who led the meeting was recorded")
    ROUND_DROPPED = "round_dropped", gettext_lazy("Planned reminder cancelled")


tells(Happened.LEADING_RECORDED)(ways_in_words)


@tells(Happened.ADDRESSES_CONFIRMED)
def _confirmed(detail: str) -> str:
    n, _separator, of = detail.partition(" / ")
    return _("%(n)s of %(of)s") % {"n": n, "of": of} if of else detail
