"""Calendar files (RFC 5545): a meeting as an invitation in a mail (RFC 5546), and a researcher's meetings as a feed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from teams import access
from teams.links import CALENDAR, make_token, new_nonce, read_token
from teams.mail.composing import absolute
from teams.models import Attendee, CalendarFeed, PlannedMeeting, User
from teams.text.directions import in_one_line, isolated

REQUEST, CANCEL = "REQUEST", "CANCEL"
PRODUCT = "-//Teamspiegel//Team meetings//EN"
SHOWN_DAYS = 60  # how long a meeting stays in a feed after it was


def invitation_file(planned: PlannedMeeting, attendees: Iterable[Attendee], method: str) -> bytes:
    """The meeting as a file for a calendar program: REQUEST puts or changes it there, CANCEL takes it out."""
    calendar = _calendar()
    calendar.add("method", method)
    event = _event(planned, cancelled=method == CANCEL)
    study = planned.participation.study
    event["organizer"] = _address(study.contact_email, study.contact_name)
    for attendee in attendees:
        address = _address(attendee.email, attendee.name)
        address.params["ROLE"] = "REQ-PARTICIPANT"
        address.params["PARTSTAT"] = "ACCEPTED"  # it was agreed before the file is made: no answer is waited for
        address.params["RSVP"] = "FALSE"
        event.add("attendee", address, encode=False)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


def feed(user: User) -> bytes:
    """The fixed meetings of the studies in which a researcher works: those to which they come, and those that a contact
    person leads, which leave the time free."""
    calendar = _calendar()
    calendar.add("x-wr-calname", _("Team meetings"))
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for planned in _meetings_of(user):
        event = _event(planned, cancelled=planned.state == PlannedMeeting.State.CANCELLED)
        event.add("transp", "OPAQUE" if planned.researcher_id == user.pk else "TRANSPARENT")
        calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


def feed_address(user: User) -> str:
    """The secret address of a researcher's feed; blank if there is none."""
    feed = CalendarFeed.objects.filter(user=user).first()
    if feed is None:
        return ""
    return absolute(reverse("calendar_feed", args=[make_token(CALENDAR, user.pk, feed.nonce)]))


def renew_feed(user: User) -> None:
    """Make the secret address, or a new one: the old one opens nothing any more."""
    CalendarFeed.objects.update_or_create(user=user, defaults={"nonce": new_nonce()})


def end_feed(user: User) -> None:
    """End the feed: its address opens nothing any more."""
    CalendarFeed.objects.filter(user=user).delete()


def user_of_feed(token: str) -> User | None:
    """Whose feed a token opens; None if it ended, is none, or the account is closed."""
    read = read_token(CALENDAR, token)
    if read is None:
        return None
    feed = CalendarFeed.objects.select_related("user").filter(user=read.object_id, user__is_active=True).first()
    return feed.user if feed is not None and read.opens(feed.user.pk, feed.nonce) else None


def _meetings_of(user: User) -> Iterable[PlannedMeeting]:
    since = timezone.now() - timedelta(days=SHOWN_DAYS)
    planned = PlannedMeeting.objects.filter(
        participation__study__in=access.studies_of(user), starts_at__gte=since
    ).exclude(state=PlannedMeeting.State.PROPOSED)
    own, led = planned.filter(researcher=user), planned.filter(researcher__isnull=True)
    return (
        (own | led).select_related("participation__study", "participation__team__academy__institution").order_by("pk")
    )


def _calendar() -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    return calendar


def _event(planned: PlannedMeeting, *, cancelled: bool) -> icalendar.Event:
    participation = planned.participation
    team = participation.team
    assert planned.starts_at is not None
    assert planned.ends_at is not None
    event = icalendar.Event()
    event.add("uid", f"{planned.uid}@{urlsplit(settings.BASE_URL).hostname or 'teamspiegel.example'}")
    event.add("sequence", planned.sequence)
    event.add("dtstamp", timezone.now().astimezone(UTC))
    event.add("dtstart", timezone.localtime(planned.starts_at))
    event.add("dtend", timezone.localtime(planned.ends_at))
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("summary", in_one_line(_("Team meeting %(team)s: questionnaire") % {"team": isolated(team.name)}))
    place = [planned.room, team.academy.name, team.academy.institution.name]
    event.add("location", in_one_line(", ".join(isolated(part) for part in place if part)))
    event.add("description", "\n".join(map(in_one_line, _description(planned))))
    return event


def _description(planned: PlannedMeeting) -> Iterable[str]:
    participation, study = planned.participation, planned.participation.study
    yield isolated(study.title)
    if planned.researcher is not None:
        yield _("Researcher who comes: %(name)s") % {"name": isolated(planned.researcher)}
    if participation.contact_name:
        yield _("Contact person: %(name)s") % {"name": isolated(participation.contact_name)}
    yield _("Questions, or another date: %(name)s, %(email)s") % {
        "name": isolated(study.contact_name),
        "email": study.contact_email,
    }


def _address(email: str, name: str) -> icalendar.vCalAddress:
    address = icalendar.vCalAddress(f"mailto:{email}")
    if name := in_one_line(isolated(name)):
        address.params["CN"] = name
    return address
