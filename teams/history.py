"""What happened to a study, an academy or a team: written by the step modules, read on a team's history page."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from teams.base import security_log
from teams.base.security_log import Act
from teams.models import Academy, Event, Invitation, Participation, Study, User

# Every kind of event in words. The apps above add theirs: `teams.history.WORDS.update({...})` in AppConfig.ready.
WORDS = {
    "study_created": _("Study created"),
    "settings_changed": _("Settings of the study changed"),
    "researcher_added": _("Researcher added to the study"),
    "researcher_removed": _("Researcher taken off the study"),
    "researcher_asked": _("Somebody asked to be a researcher of the study"),
    "researcher_asked_back": _("Question to be a researcher of the study taken back"),
    "researcher_declined": _("Will not be a researcher of the study"),
    "employment_declared": _("Researcher said in which academies of the study they work"),
    "academy_listed": _("Academy added to the study"),
    "team_listed": _("Team added to the study"),
    "contact_changed": _("Contact details changed"),
    "director_leads": _("Team is led by the director of its academy"),
    "wave_handed_over": _("Handed over to the leader of a later measurement"),
    "leader_let_in": _("The pages were opened to the team leader"),
    "director_invited": _("Director invited"),
    "director_reminded": _("Director reminded"),
    "director_accepted": _("Director gave permission"),
    "director_declined": _("Director declined"),
    "team_left_out": _("Director left this team out"),
    "leader_invited": _("Team leader invited"),
    "leader_reminded": _("Team leader reminded"),
    "director_reminded_by_schedule": _("Director reminded by the schedule"),
    "leader_reminded_by_schedule": _("Team leader reminded by the schedule"),
    "leader_accepted": _("Team leader accepted"),
    "leader_declined": _("Team leader declined"),
    "director_withdrew": _("Director withdrew the permission"),
    "team_withdrawn": _("Team no longer takes part"),
    "link_reissued": _("New link mailed"),
    "mail_text_changed": _("Text of a mail changed"),
    "mail_text_shipped_again": _("Text of a mail is the shipped one again"),
    "mail_hours_changed": _("Sending hours changed"),
    "reminders_changed": _("Reminder schedule changed"),
    "reminders_ended": _("Asked not to be reminded any more"),
    "reminders_again": _("Takes reminders again"),
    "mail_resent": _("Undelivered mail sent again"),
    "mails_resent": _("Mails that were given up sent again"),
    "details_changed": _("Details changed"),
    "merged": _("Duplicates merged"),
    "mail_domain_added": _("Mail domain of an institution added"),
    "mail_domain_removed": _("Mail domain of an institution removed"),
    "contacts_imported": _("Contacts imported from a file"),
    "meeting_proposed": _("Dates for the team meeting proposed"),
    "meeting_slot_taken": _("Time for the team meeting chosen from what the researchers offer"),
    "meeting_fixed": _("Team meeting fixed"),
    "meeting_moved": _("Team meeting moved"),
    "meeting_changed": _("Room or length of the team meeting changed"),
    "meeting_called_off": _("Team meeting called off"),
    "mode_changed": _("Way of collecting changed"),
    "retention_over": _("The time for which the answers may be kept is over"),
    "contact_person_changed": _("Contact person changed"),
}

# Events that are lines of the security log too. The apps above add theirs
SECURITY = {
    "study_created": Act.ROLE_GIVEN,  # to who creates it
    "researcher_added": Act.ROLE_GIVEN,
    "researcher_removed": Act.ROLE_TAKEN,
    "leader_accepted": Act.ROLE_GIVEN,
    "wave_handed_over": Act.ROLE_GIVEN,
    "leader_let_in": Act.ROLE_GIVEN,
}


def record(
    study: Study,
    kind: str,
    *,
    participation: Participation | None = None,
    academy: Academy | None = None,
    by: User | None = None,
    by_link: bool = False,
    detail: str = "",
) -> Event:
    """Write one event, in the transaction of what happened; a line of the security log too, where it is one. Never about a
    teacher.
    """
    event = Event.objects.create(
        study=study,
        participation=participation,
        academy=academy,
        by=by,
        by_link=by_link,
        kind=kind,
        detail=detail[:500],
    )
    if kind in SECURITY:
        team = participation.team_id if participation else None
        security_log.write(SECURITY[kind], by=by.pk if by else None, study=study.pk, team=team, kind=kind)
    return event


def in_words(event: Event) -> str:
    """What happened, in the reader's language."""
    return str(WORDS.get(event.kind, event.kind))


def detail_in_words(event: Event) -> str:
    """The detail of an event; a reason or a way of collecting at its beginning stands there as a code."""
    code, separator, rest = event.detail.partition(": ")
    modes, reasons = dict(Participation.Mode.choices), dict(Invitation.Reason.choices)
    if code in modes and rest.isdigit():
        n_teachers = ngettext("%(n)s teacher", "%(n)s teachers", int(rest)) % {"n": rest}
        return f"{modes[code]}; {n_teachers}"
    return f"{reasons[code]}{separator}{rest}" if code in reasons else event.detail


def history_of(participation: Participation) -> QuerySet[Event]:
    """The events of a team in a study and of its academy there, newest first."""
    return Event.objects.filter(
        Q(participation=participation)
        | Q(study_id=participation.study_id, academy_id=participation.team.academy_id, participation__isnull=True)
    ).select_related("by")
