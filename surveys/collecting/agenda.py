"""The meetings of a study as a researcher looks for them: what is to be agreed, what comes, what was. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from surveys.models import Collection
from teams.meetings.slots import meetings_of, overlaps
from teams.models import Participation, PlannedMeeting, ProposedDate, Study

WEEK = timedelta(days=7)
SHOWS = {"todo": _("to be agreed"), "coming": _("planned"), "past": _("past")}


@dataclass(frozen=True, slots=True)
class Day:
    """What a researcher must know of a fixed meeting at a glance."""

    planned: PlannedMeeting
    nobody_leads: bool  # neither a researcher comes nor is a contact person known
    clashes: tuple[PlannedMeeting, ...]  # other meetings of the same researcher at that time


def to_be_agreed(study: Study) -> QuerySet[Participation]:
    """Teams that will answer in a meeting which has no date yet; first those of which the leader proposed dates."""
    fixed = PlannedMeeting.objects.filter(participation=OuterRef("pk"), state=PlannedMeeting.State.CONFIRMED)
    proposed = ProposedDate.objects.filter(meeting__participation=OuterRef("pk"))
    ended = (Collection.State.CLOSED, Collection.State.SEALED)
    return (
        Participation.objects.filter(~Exists(fixed), study=study, state=Participation.State.ACCEPTED)
        .filter(mode__in=Participation.MEETING_MODES)
        .exclude(Exists(Collection.objects.filter(participation=OuterRef("pk"), state__in=ended)))
        .annotate(for_us=Exists(proposed.filter(by_leader=True)), for_leader=Exists(proposed.filter(by_leader=False)))
        .select_related("team__academy__institution", "planned")
        .order_by(
            "-for_us", "for_leader", "team__academy__institution__name", "team__academy__name", "team__name", "pk"
        )
    )


def proposed_by_leaders(study: Study) -> QuerySet[Participation]:
    """Of the teams without a date those of which the leader proposes some."""
    proposed = ProposedDate.objects.filter(meeting__participation=OuterRef("pk"), by_leader=True)
    return to_be_agreed(study).filter(Exists(proposed))


def fixed_meetings(study: Study) -> QuerySet[PlannedMeeting]:
    """The fixed meetings of a study, the earliest first."""
    return (
        PlannedMeeting.objects.filter(participation__study=study, state=PlannedMeeting.State.CONFIRMED)
        .select_related("participation__team__academy__institution", "researcher")
        .order_by("starts_at", "pk")
    )


def coming(study: Study) -> QuerySet[PlannedMeeting]:
    return fixed_meetings(study).filter(starts_at__gte=_today())


def past(study: Study) -> QuerySet[PlannedMeeting]:
    return fixed_meetings(study).filter(starts_at__lt=_today()).order_by("-starts_at", "pk")


def this_week(study: Study) -> QuerySet[PlannedMeeting]:
    """The fixed meetings of today and the six days after it."""
    return fixed_meetings(study).filter(starts_at__gte=_today(), starts_at__lt=_today() + WEEK)


def nobody_leads(study: Study) -> QuerySet[PlannedMeeting]:
    """Meetings to come to which no researcher comes, and for which no contact person is known."""
    return coming(study).filter(researcher__isnull=True, participation__contact_email="")


def looked_at(meetings: Iterable[PlannedMeeting]) -> list[Day]:
    """The meetings with what is wrong about them; one query more."""
    listed = list(meetings)
    who = {planned.researcher_id for planned in listed if planned.researcher_id is not None}
    others = meetings_of(who, [planned.starts_at for planned in listed if planned.starts_at]) if who else []
    return [
        Day(
            planned,
            nobody_leads=planned.researcher_id is None and not planned.participation.contact_email,
            clashes=tuple(
                other
                for other in others
                if other.pk != planned.pk
                and other.researcher_id == planned.researcher_id
                and planned.starts_at is not None
                and overlaps(other, planned.starts_at, planned.minutes)
            ),
        )
        for planned in listed
    ]


def matching(search: str, prefix: str) -> Q:
    """Meetings or teams whose team, academy or institution has these words in its name."""
    if not search:
        return Q()
    names = ("team__name", "team__academy__name", "team__academy__institution__name", "contact_name")
    either = Q()
    for name in names:
        either |= Q(**{f"{prefix}{name}__icontains": search})
    return either


def _today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
