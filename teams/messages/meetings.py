"""The mails about planned team meetings: dates to choose from, and the meeting for the calendar of everybody concerned."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.mail.composing import Attachment, Mail, absolute
from teams.mail.kinds import TeamMail
from teams.mail.outbox import register
from teams.mail.templates import Letter, offer, write
from teams.meetings import calendars
from teams.models import Attendee, OutboxMessage, Participation, PlannedMeeting, Study
from teams.people.contact_person import who_gave
from teams.text.directions import isolated

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

FILE = "meeting.ics"


@register(TeamMail.MEETING_DATES)
def meeting_dates(object_id: int, language: str) -> Mail | None:
    """To the leader: the dates that a researcher proposes."""
    planned = (
        PlannedMeeting.objects.select_related("participation__study", "participation__team__academy__institution")
        .filter(pk=object_id, participation__state=Participation.State.ACCEPTED)
        .first()
    )
    dates = list(planned.dates.filter(by_leader=False)) if planned is not None else []
    if planned is None or not dates:
        return None
    participation = planned.participation
    values = {
        "name": participation.leader_name,
        "team": participation.team.name,
        "dates": _listed(date.starts_at for date in dates),
        "link": absolute(reverse("team_meeting", args=[participation.pk])),
    }
    return write(TeamMail.MEETING_DATES, participation.study, language, participation.leader_email, values)


def _listed(moments: Iterable[datetime]) -> str:
    return "\n".join(f"– {date_format(timezone.localtime(moment), 'l j F Y, H:i')}" for moment in moments)


def _example_dates(study: Study) -> dict[str, str]:
    participation = study.participations.select_related("team").order_by("state", "pk").first()
    if participation is None:
        return {}
    tomorrow = timezone.localtime().replace(hour=15, minute=30) + timedelta(days=1)
    return {
        "name": participation.leader_name,
        "team": participation.team.name,
        "dates": _listed([tomorrow, tomorrow + timedelta(days=7)]),
    }


offer(
    Letter(
        kind=TeamMail.MEETING_DATES,
        template="emails/teams/meeting_dates.txt",
        subject=gettext_lazy("A date for the team meeting: {team}"),
        fields=("name", "team", "dates", "link"),
        example=_example_dates,
    ),
)


# ------------------------------------------------------------------------------------------------ the meeting itself
# One kind of mail, whose words say what happened: a study may write each of them anew.


@register(TeamMail.MEETING_CALENDAR)
def meeting_calendar(object_id: int, language: str) -> Mail | None:
    """To an attendee: the meeting as it is now; its cancellation where it was called off or somebody else comes."""
    attendee = (
        Attendee.objects.select_related(
            "meeting__participation__study",
            "meeting__participation__team__academy__institution",
            "meeting__researcher",
        )
        .filter(pk=object_id)
        .first()
    )
    if attendee is None or attendee.meeting.starts_at is None:
        return None
    planned = attendee.meeting
    participation = planned.participation
    kind = _what_happened(attendee)
    if kind in (TeamMail.MEETING_CALLED_OFF, TeamMail.MEETING_REPLACED):
        method, attendees = calendars.CANCEL, [attendee]
    else:
        method, attendees = calendars.REQUEST, list(planned.attendees.filter(left=False).order_by("pk"))
    file = Attachment(
        FILE, calendars.invitation_file(planned, attendees, method), f"text/calendar; method={method}; charset=utf-8"
    )
    values = _of_meeting(planned, attendee.name) | {"link": _page_of(attendee)}
    origin = who_gave(participation) if attendee.part == Attendee.Part.CONTACT else ""
    return write(kind, participation.study, language, attendee.email, values, origin=origin, attachments=(file,))


def _what_happened(attendee: Attendee) -> TeamMail:
    """Which letter it is: whether the meeting is new to this person's calendar, another than it was, or over."""
    if attendee.meeting.state == PlannedMeeting.State.CANCELLED:
        return TeamMail.MEETING_CALLED_OFF
    if attendee.left:
        return TeamMail.MEETING_REPLACED
    had_it = OutboxMessage.objects.filter(
        kind=TeamMail.MEETING_CALENDAR, object_id=attendee.pk, state=OutboxMessage.State.SENT
    )
    return TeamMail.MEETING_MOVED if had_it.exists() else TeamMail.MEETING_FIXED


def _page_of(attendee: Attendee) -> str:
    """The page on which this person sees the meeting; a contact person has none."""
    participation = attendee.meeting.participation
    if attendee.part == Attendee.Part.LEADER:
        return absolute(reverse("team_meeting", args=[participation.pk]))
    if attendee.part == Attendee.Part.RESEARCHER:
        return absolute(reverse("meeting", args=[participation.study.slug, participation.pk]))
    return ""


def _of_meeting(planned: PlannedMeeting, name: str) -> dict[str, str]:
    """The fields of letters about a meeting, but for the link."""
    participation = planned.participation
    return {
        "name": name or _("contact person"),
        "team": participation.team.name,
        "meeting": "\n".join(_lines(planned)),
    }


def _lines(planned: PlannedMeeting) -> Iterable[str]:
    if planned.starts_at and planned.ends_at:
        begins, ends = timezone.localtime(planned.starts_at), timezone.localtime(planned.ends_at)
        yield f"{date_format(begins, 'l j F Y, H:i')}–{date_format(ends, 'H:i')}"
    if planned.room:
        yield _("Room: %(room)s") % {"room": isolated(planned.room)}
    if planned.researcher:
        yield _("Researcher who comes: %(name)s") % {"name": isolated(planned.researcher)}
    if planned.participation.contact_name:
        yield _("Contact person: %(name)s") % {"name": isolated(planned.participation.contact_name)}


def _example_meeting(study: Study) -> dict[str, str]:
    fixed = PlannedMeeting.objects.filter(participation__study=study, starts_at__isnull=False)
    planned = fixed.select_related("participation__team", "researcher").order_by("starts_at", "pk").first()
    if planned is None:
        return _example_dates(study) | {"meeting": _listed([timezone.localtime().replace(hour=15, minute=30)])}
    return _of_meeting(planned, planned.participation.leader_name)


def _offer_about_meeting(kind: TeamMail, subject: "_StrPromise") -> None:
    template = f"emails/{kind.replace('.', '/')}.txt"
    fields = ("name", "team", "meeting", "link")
    offer(Letter(kind, template, subject, fields, example=_example_meeting, required=("meeting",)))


_offer_about_meeting(TeamMail.MEETING_FIXED, gettext_lazy("Team meeting {team}"))
_offer_about_meeting(TeamMail.MEETING_MOVED, gettext_lazy("Changed: team meeting {team}"))
_offer_about_meeting(TeamMail.MEETING_CALLED_OFF, gettext_lazy("Called off: team meeting {team}"))
_offer_about_meeting(TeamMail.MEETING_REPLACED, gettext_lazy("You do not need to come: team meeting {team}"))
