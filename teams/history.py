"""What happened to a study, an academy or a team: written by the step modules, read on the history pages.

Every kind of event is one line of an app's ``Happened``: its word in the table, which stays as it is, and what a reader is told.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from teams.base import security_log
from teams.base.security_log import Act
from teams.models import Academy, Event, Invitation, Participation, Study, User

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Teller = Callable[[str], str]
_TELLERS: dict[str, Teller] = {}
MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d( \d\d:\d\d)?\b")
KINDS: "dict[str, EventKind]" = {}  # of all apps, by the word in the table


class EventKind(StrEnum):
    """What can happen; each app lists its own. The security log hears of a kind that has an act there.

    Raises:
        TypeError: for a kind without words: it would stand as a code on a history page.
        ValueError: for a word that another kind has already.
    """

    words: "_StrPromise"
    act: Act | None

    def __new__(cls, value: str, words: "_StrPromise | None" = None, act: Act | None = None) -> Self:
        if words is None:
            raise TypeError(
                f"The kind of event '{value}' has no words. Write behind it what a reader is told: gettext_lazy(\"…\")."
            )
        kind = str.__new__(cls, value)
        kind._value_, kind.words, kind.act = value, words, act
        if KINDS.setdefault(value, kind) is not kind:
            raise ValueError(f"There are two kinds of event '{value}'.")
        return kind


class Happened(EventKind):
    """While a study is set up, invites, mails and plans meetings."""

    STUDY_CREATED = "study_created", gettext_lazy("Study created"), Act.ROLE_GIVEN  # to who creates it
    SETTINGS_CHANGED = "settings_changed", gettext_lazy("Settings of the study changed")
    RESEARCHER_ADDED = "researcher_added", gettext_lazy("Researcher added to the study"), Act.ROLE_GIVEN
    RESEARCHER_REMOVED = "researcher_removed", gettext_lazy("Researcher removed from the study"), Act.ROLE_TAKEN
    RESEARCHER_ASKED = "researcher_asked", gettext_lazy("Somebody was invited to work as a researcher")
    RESEARCHER_ASKED_BACK = "researcher_asked_back", gettext_lazy("Invitation to work as a researcher withdrawn")
    RESEARCHER_DECLINED = "researcher_declined", gettext_lazy("Declined to work as a researcher")
    EMPLOYMENT_DECLARED = (
        "employment_declared",
        gettext_lazy("Researcher said in which academies of the study they work"),
    )
    ACADEMY_LISTED = "academy_listed", gettext_lazy("Academy added to the study")
    TEAM_LISTED = "team_listed", gettext_lazy("Team added to the study")
    CONTACT_CHANGED = "contact_changed", gettext_lazy("Contact details changed")
    DIRECTOR_LEADS = "director_leads", gettext_lazy("Team is led by the director of its academy")
    WAVE_HANDED_OVER = (
        "wave_handed_over",
        gettext_lazy("Handed over to the leader of a later wave"),
        Act.ROLE_GIVEN,
    )
    LEADER_LET_IN = "leader_let_in", gettext_lazy("The pages were opened for the team leader"), Act.ROLE_GIVEN
    DIRECTOR_INVITED = "director_invited", gettext_lazy("Director invited")
    DIRECTOR_REMINDED = "director_reminded", gettext_lazy("Director reminded")
    DIRECTOR_ACCEPTED = "director_accepted", gettext_lazy("Director gave permission")
    DIRECTOR_DECLINED = "director_declined", gettext_lazy("Director declined")
    TEAM_LEFT_OUT = "team_left_out", gettext_lazy("Director left this team out")
    LEADER_INVITED = "leader_invited", gettext_lazy("Team leader invited")
    LEADER_REMINDED = "leader_reminded", gettext_lazy("Team leader reminded")
    DIRECTOR_REMINDED_BY_SCHEDULE = "director_reminded_by_schedule", gettext_lazy("Director reminded by the schedule")
    LEADER_REMINDED_BY_SCHEDULE = "leader_reminded_by_schedule", gettext_lazy("Team leader reminded by the schedule")
    LEADER_ACCEPTED = "leader_accepted", gettext_lazy("Team leader accepted"), Act.ROLE_GIVEN
    LEADER_DECLINED = "leader_declined", gettext_lazy("Team leader declined")
    DIRECTOR_WITHDREW = "director_withdrew", gettext_lazy("Director withdrew the permission")
    TEAM_WITHDRAWN = "team_withdrawn", gettext_lazy("Team no longer takes part")
    LINK_REISSUED = "link_reissued", gettext_lazy("New link emailed")
    MAIL_TEXT_CHANGED = "mail_text_changed", gettext_lazy("Text of an email changed")
    MAIL_TEXT_SHIPPED_AGAIN = "mail_text_shipped_again", gettext_lazy("Text of an email is the standard text again")
    MAIL_HOURS_CHANGED = "mail_hours_changed", gettext_lazy("Sending hours changed")
    REMINDERS_CHANGED = "reminders_changed", gettext_lazy("Reminder schedule changed")
    REMINDERS_ENDED = "reminders_ended", gettext_lazy("Asked for no more reminders")
    REMINDERS_AGAIN = "reminders_again", gettext_lazy("Asked for reminders again")
    MAIL_RESENT = "mail_resent", gettext_lazy("Undelivered email sent again")
    MAILS_RESENT = "mails_resent", gettext_lazy("Undelivered emails sent again")
    DETAILS_CHANGED = "details_changed", gettext_lazy("Details changed")
    MERGED = "merged", gettext_lazy("Duplicates merged")
    MAIL_DOMAIN_ADDED = "mail_domain_added", gettext_lazy("Mail domain of an institution added")
    MAIL_DOMAIN_REMOVED = "mail_domain_removed", gettext_lazy("Mail domain of an institution removed")
    CONTACTS_IMPORTED = "contacts_imported", gettext_lazy("Contacts imported from a file")
    MEETING_PROPOSED = "meeting_proposed", gettext_lazy("Dates for the team meeting proposed")
    MEETING_SLOT_TAKEN = (
        "meeting_slot_taken",
        gettext_lazy("Time for the team meeting chosen from what the researchers offer"),
    )
    MEETING_FIXED = "meeting_fixed", gettext_lazy("Team meeting fixed")
    MEETING_MOVED = "meeting_moved", gettext_lazy("Team meeting moved")
    MEETING_CHANGED = "meeting_changed", gettext_lazy("Room or length of the team meeting changed")
    MEETING_CALLED_OFF = "meeting_called_off", gettext_lazy("Team meeting called off")
    MODE_CHANGED = "mode_changed", gettext_lazy("Way of collecting changed")
    RETENTION_OVER = "retention_over", gettext_lazy("The answers may no longer be kept")
    CONTACT_PERSON_CHANGED = "contact_person_changed", gettext_lazy("Contact person changed")


def record(
    study: Study,
    kind: EventKind,
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
    event = unwritten(study, kind, participation=participation, academy=academy, by=by, by_link=by_link, detail=detail)
    event.save(force_insert=True)
    _log(event, kind)
    return event


def unwritten(
    study: Study,
    kind: EventKind,
    *,
    participation: Participation | None = None,
    academy: Academy | None = None,
    by: User | None = None,
    by_link: bool = False,
    detail: str = "",
) -> Event:
    """An event for `record_all`."""
    return Event(
        study=study,
        participation=participation,
        academy=academy,
        by=by,
        by_link=by_link,
        kind=kind.value,
        detail=detail[:500],
    )


def record_many(study: Study, kind: EventKind, participations: Iterable[Participation], by: User | None = None) -> None:
    """Write the same event of each of many teams, as `record`."""
    events = [unwritten(study, kind, participation=participation, by=by) for participation in participations]
    for event in Event.objects.bulk_create(events):
        _log(event, kind)


def record_all(happened: Sequence[tuple[EventKind, Event]]) -> None:
    """Write events that are `unwritten`, in this order, as `record`."""
    Event.objects.bulk_create(event for _kind, event in happened)
    for kind, event in happened:
        _log(event, kind)


def _log(event: Event, kind: EventKind) -> None:
    if kind.act is not None:
        team = event.participation.team_id if event.participation else None
        security_log.write(kind.act, by=event.by_id, study=event.study_id, team=team, kind=kind.value)


def in_words(event: Event) -> str:
    """What happened, in the reader's language."""
    kind = KINDS.get(event.kind)
    return str(kind.words) if kind else event.kind  # of a version of the program that is later than this one


def detail_in_words(event: Event) -> str:
    """The detail of an event, in the reader's language: codes and dates were written down for programs."""
    teller = _TELLERS.get(event.kind)
    words = teller(event.detail) if teller and event.detail else event.detail
    return MOMENT.sub(_moment, words)


def tells(*kinds: EventKind) -> Callable[[Teller], Teller]:
    """Decorator: the function that says the detail of these kinds of event in the reader's language. It must bear any text."""

    def remember(teller: Teller) -> Teller:
        _TELLERS.update(dict.fromkeys(kinds, teller))
        return teller

    return remember


def _moment(match: re.Match[str]) -> str:
    try:
        at = datetime.fromisoformat(match[0])
    except ValueError:
        return match[0]  # in somebody's words
    return date_format(at, "DATETIME_FORMAT" if match[1] else "DATE_FORMAT")


@tells(
    Happened.DIRECTOR_DECLINED,
    Happened.LEADER_DECLINED,
    Happened.DIRECTOR_WITHDREW,
    Happened.TEAM_WITHDRAWN,
)
def _reason(detail: str) -> str:
    code, separator, rest = detail.partition(": ")
    return f"{dict(Invitation.Reason.choices).get(code, code)}{separator}{rest}"


@tells(Happened.LEADER_ACCEPTED)
def _way_and_number(detail: str) -> str:
    code, _separator, number = detail.partition(": ")
    if not number.isdigit():
        return detail
    n_teachers = ngettext("%(n)s teacher", "%(n)s teachers", int(number)) % {"n": number}
    return f"{ways_in_words(code)}; {n_teachers}"


@tells(Happened.MODE_CHANGED)
def ways_in_words(detail: str) -> str:
    """Ways of collecting, one or several with arrows between."""
    modes = dict(Participation.Mode.choices)
    return " → ".join(str(modes.get(code, code)) for code in detail.split(" → "))


@tells(Happened.DIRECTOR_ACCEPTED)
def _not_before(detail: str) -> str:
    return _("leaders are not emailed before %(date)s") % {"date": detail}


@tells(Happened.SETTINGS_CHANGED)
def _settings(detail: str) -> str:
    names = {field.name: str(field.verbose_name) for field in Study._meta.concrete_fields}
    return ", ".join(names.get(name, name) for name in detail.split(", "))


@tells(Happened.CONTACTS_IMPORTED)
def _contacts(detail: str) -> str:
    new, _separator, changed = detail.partition(" + ")
    return _("%(new)s new, %(changed)s changed") % {"new": new, "changed": changed} if changed else detail


def history_of(participation: Participation) -> QuerySet[Event]:
    """The events of a team in a study and of its academy there, newest first."""
    return Event.objects.filter(
        Q(participation=participation)
        | Q(study_id=participation.study_id, academy_id=participation.team.academy_id, participation__isnull=True)
    ).select_related("by")


def history_of_study(study: Study, about: str = "") -> QuerySet[Event]:
    """The events of a study, newest first: all, or those ``about`` the "study" as a whole, its "academies" or its "teams"."""
    events = Event.objects.filter(study=study).select_related("by", "academy__institution", "participation__team")
    if about == "study":
        return events.filter(academy=None, participation=None)
    if about == "academies":
        return events.filter(academy__isnull=False, participation=None)
    return events.filter(participation__isnull=False) if about == "teams" else events
