"""Which section of the handbook belongs to which page: what "Help" in the header leads to.

By the name of the address, since that says who reads a page and what it is for. A test walks all pages
(tests/config/test_handbook.py): one that is not named here, and an anchor that a chapter lacks in a language, fail.
"""

from django.http import HttpRequest
from django.urls import reverse

#: (chapter, anchor) → the names of the addresses whose pages it explains.
SECTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("contact", "meeting"): ("facilitator_link", "facilitator", "facilitator_projector", "facilitator_picture"),
    ("contact", "paper"): ("facilitator_paper", "facilitator_paper_form"),
    ("contact", "addresses"): ("address_list_link", "address_list"),
    ("leader", "invitation"): ("invitation_link", "invitation", "no_reminders", "no_mails"),
    ("leader", "page"): ("team", "team_links", "team_hand_over"),
    ("leader", "meeting"): ("team_meeting",),
    ("leader", "report"): ("team_report", "team_share", "report_link", "shared_report"),
    ("leader", "talk"): ("team_talk", "shared_talk"),
    ("leader", "look-back"): ("team_look_back", "team_look_back_day", "look_back_link", "look_back", "look_back_leave"),
    ("researcher", "signing-in"): ("join_research", "person_remove"),
    ("researcher", "study"): (
        *("studies", "study_new", "study_settings", "study_employment", "survey_open", "board", "study_history"),
    ),
    ("researcher", "colleagues"): ("study_people",),
    ("researcher", "questionnaire"): (
        *("questionnaires", "questionnaire_new", "questionnaire_import", "questionnaire_templates"),
        *("questionnaire_edit", "questionnaire_preview", "preview_screen", "questionnaire_versions"),
        *("questionnaire_version", "questionnaire_choose"),
    ),
    ("researcher", "teams"): (
        *("teams", "team_new", "team_edit", "team_history", "team_reshape", "team_merge", "team_split"),
        *("academy_new", "academy_edit", "contacts_import", "mail_domains", "duplicates", "merge"),
        *("invite_directors", "invitation_reissue", "wave_hand_over"),
    ),
    ("researcher", "mail"): ("mails", "mail_reminders", "mail_text", "mail_messages"),
    ("researcher", "collecting"): (
        *("collecting", "collecting_team", "meeting_texts", "meetings", "meeting", "collecting_links"),
        *("address_lists", "address_list_admin", "reminder_rounds", "collecting_slips", "collecting_paper"),
        *("collecting_paper_form", "collecting_paper_correct", "accounts", "account_counts"),
    ),
    ("researcher", "plan"): ("plan", "plan_amend", "plan_document"),
    ("researcher", "analysis"): ("runs", "run", "run_new"),
    ("researcher", "results"): (
        *("results", "result_teams", "result_groups", "result_waves", "nonresponse", "composition", "items"),
        *("screening", "models", "factor_model", "cases", "case", "write_up", "decisions"),
    ),
    ("researcher", "publish"): ("publish", "report_preview", "academy_preview", "study_preview", "units_combine"),
    ("researcher", "files"): (
        *("exports", "results_release", "open_texts", "open_text_review", "codebook", "responses_import"),
    ),
    ("researcher", "ending"): ("study_delete", "deleted_studies"),
    ("administrator", "trying"): ("dev_mail",),
    ("administrator", "groups"): ("groups", "group"),
}
#: Pages of no audience, or before anybody is known: the list of chapters.
OF_NOBODY = ("home", "start", "privacy", "accessibility", "help", "handbook")
_PLACES = {name: place for place, names in SECTIONS.items() for name in names}


def place(name: str) -> tuple[str, str] | None:
    """The chapter and anchor of a page; None for the list of chapters. Accounts are explained where they are used."""
    if name.startswith(("account_", "mfa_")) and name not in _PLACES:
        return ("researcher", "signing-in")
    return _PLACES.get(name)


def help_address(request: HttpRequest) -> str:
    """Where "Help" in the header of this page leads to."""
    match = request.resolver_match
    if match is None or (section := place(match.url_name or "")) is None:
        return reverse("help")
    chapter, anchor = section
    return f"{reverse('handbook', args=[chapter])}#{anchor}"
