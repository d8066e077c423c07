"""The kinds of mail of this app."""

from django.utils.translation import gettext_lazy

from teams.mail.kinds import Goes, MailKind, To


class SurveyMail(MailKind):
    """While answers are collected. What of it stands in teams/: the briefing before a meeting."""

    COLLECTING_BEGINS = (
        "surveys.collecting_begins",  # to a leader who accepted before the survey opened
        gettext_lazy("Notice that the questionnaire is open"),
        To.LEADER,
    )
    PERSONAL_LINK = "surveys.personal_link", gettext_lazy("Personal link for a teacher"), To.TEACHER
    PERSONAL_LINK_REPLACED = (
        "surveys.personal_link_replaced",  # collecting/new_keys.py
        gettext_lazy("New personal link for a teacher, after the key was lost"),
        To.TEACHER,
    )
    PERSONAL_REMINDER_TO_ALL = (
        "surveys.personal_reminder_to_all",
        gettext_lazy("Reminder to all teachers, including those who have finished"),
        To.TEACHER,
        Goes.WITHOUT_TRACE,
    )
    FACILITATOR_LINK = (
        "surveys.facilitator_link",
        gettext_lazy("Link for the contact person who leads a meeting"),
        To.CONTACT,
        Goes.ANY_HOUR,
    )
    CONFIRM_ADDRESSES = (
        "surveys.confirm_addresses",
        gettext_lazy("Link to confirm the addresses of an academy's teachers"),
        To.CONTACT,
    )
