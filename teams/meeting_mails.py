"""The mails about planned team meetings: dates to choose from, and the meeting for the calendar of everybody concerned."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams import calendars, planning
from teams.letters import LEADERS, Letter, offer, write
from teams.mail import Attachment, Mail, absolute, compose, register
from teams.models import Participation, Study
from teams.planned import Attendee, PlannedMeeting

FILE = "meeting.ics"


@register(planning.DATES_MAIL)
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
        "name": participation.team.leader_name,
        "team": participation.team.name,
        "dates": _listed(date.starts_at for date in dates),
        "link": absolute(reverse("team_meeting", args=[participation.pk])),
    }
    return write(planning.DATES_MAIL, participation.study, language, participation.team.leader_email, values)


def _listed(moments: Iterable[datetime]) -> str:
    return "\n".join(f"– {date_format(timezone.localtime(moment), 'l j F Y, H:i')}" for moment in moments)


def _example_dates(study: Study) -> dict[str, str]:
    participation = study.participations.select_related("team").order_by("state", "pk").first()
    if participation is None:
        return {}
    tomorrow = timezone.localtime().replace(hour=15, minute=30) + timedelta(days=1)
    return {
        "name": participation.team.leader_name,
        "team": participation.team.name,
        "dates": _listed([tomorrow, tomorrow + timedelta(days=7)]),
    }


offer(
    planning.DATES_MAIL,
    Letter(
        title=gettext_lazy("Dates to choose from for the team meeting"),
        reader=LEADERS,
        template="emails/teams/meeting_dates.txt",
        subject=gettext_lazy("A date for the team meeting: {team}"),
        fields=("name", "team", "dates", "link"),
        example=_example_dates,
    ),
)


@register(planning.CALENDAR_MAIL, any_hour=True)
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
    study, team = participation.study, participation.team
    cancelled = attendee.left or planned.state == PlannedMeeting.State.CANCELLED
    if cancelled:
        subject, method, attendees = _("Called off: team meeting %(team)s"), calendars.CANCEL, [attendee]
    else:
        subject, method = _("Team meeting %(team)s"), calendars.REQUEST
        attendees = list(planned.attendees.filter(left=False).order_by("pk"))
    page = ""
    if attendee.part == Attendee.Part.LEADER:
        page = absolute(reverse("team_meeting", args=[participation.pk]))
    elif attendee.part == Attendee.Part.RESEARCHER:
        page = absolute(reverse("meeting", args=[study.slug, participation.pk]))
    return compose(
        attendee.email,
        " ".join((subject % {"team": team.name}).split()),
        "emails/teams/meeting_calendar.txt",
        {
            "study": study,
            "team": team,
            "participation": participation,
            "planned": planned,
            "attendee": attendee,
            "cancelled": cancelled,
            "link": page,
        },
        headers={"Reply-To": study.contact_email},
        attachments=(
            Attachment(
                FILE,
                calendars.invitation_file(planned, attendees, method),
                f"text/calendar; method={method}; charset=utf-8",
            ),
        ),
    )
