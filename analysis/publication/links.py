"""Links that open a report without an account: made by a leader for the team, at publication for directors.

The token stands in no row, only its nonce does (teams/links.py); opening a link writes nothing. A link ends on its last
day, when it is revoked, when somebody else leads the team, and when the team no longer takes part.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from analysis.history import Happened
from analysis.models.readers import ReportLink
from teams import history, links
from teams.models import Academy, Invitation, Participation, Study, User

REPORT = "report"
DAYS = (14, 30, 90, 180)
DIRECTORS_DAYS = 180


def share_with_team(participation: Participation, days: int, user: User | None) -> ReportLink:
    """A link for the team: its report and its talk."""
    with transaction.atomic():
        link = ReportLink.objects.create(
            study=participation.study,
            participation=participation,
            nonce=links.new_nonce(),
            expires_on=_last_day(days),
            created_by=user,
        )
        history.record(participation.study, Happened.REPORT_SHARED, participation=participation, by=user)
    return link


def share_study(study: Study, days: int, user: User) -> ReportLink:
    """A link to the report on the whole study, for whoever the researcher gives it to."""
    with transaction.atomic():
        link = ReportLink.objects.create(
            study=study, nonce=links.new_nonce(), expires_on=_last_day(days), created_by=user
        )
        history.record(study, Happened.REPORT_SHARED, by=user)
    return link


def links_for_directors(study: Study, academy: Academy | None = None) -> list[ReportLink]:
    """The directors' links, one per academy that takes part; those that have one keep it. Inside a transaction.

    Args:
        academy: the only one to make a link for.
    """
    asked = Invitation.objects.filter(study=study, academy__isnull=False, state=Invitation.State.ACCEPTED)
    if academy is not None:
        asked = asked.filter(academy=academy)
    known = ReportLink.objects.filter(study=study, academy__isnull=False).values("academy_id")
    academies = Academy.objects.filter(invitations__in=asked).exclude(pk__in=known).order_by("pk")
    return [
        ReportLink.objects.create(
            study=study, academy=academy, nonce=links.new_nonce(), expires_on=_last_day(DIRECTORS_DAYS)
        )
        for academy in academies
    ]


def end_directors_links(academy: Academy) -> list[Study]:
    """End the links to an academy's reports that still open. Returns the studies they were of."""
    links_ = ReportLink.objects.filter(academy=academy, revoked_at=None, expires_on__gte=timezone.localdate())
    studies = list(Study.objects.filter(pk__in=links_.values("study")).order_by("pk"))
    links_.delete()
    return studies


def end_team_links(participation: Participation) -> None:
    """End the links to a team's report when somebody else leads it: the one before holds them. The new leader makes others."""
    ReportLink.objects.filter(participation=participation, revoked_at=None).update(revoked_at=timezone.now())


def renew(link: ReportLink) -> None:
    """A new address and a new last day; the old address opens nothing any more."""
    ReportLink.objects.filter(pk=link.pk).update(
        nonce=links.new_nonce(), expires_on=_last_day(DIRECTORS_DAYS), revoked_at=None
    )


def revoke(link: ReportLink) -> bool:
    """End a link at once. False when it was revoked already."""
    return bool(ReportLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()))


def path_of(link: ReportLink) -> str:
    """The address that is given to readers."""
    return reverse("report_link", args=[links.make_token(REPORT, link.pk, link.nonce)])


def opened(token: links.Token, pk: int) -> ReportLink | None:
    """The link that a token opens; None after its last day, when it was revoked, or when the team withdrew."""
    link = (
        ReportLink.objects.select_related("study", "participation__study", "participation__team__academy__institution")
        .select_related("academy__institution", "participation__look_back")
        .filter(pk=pk)
        .first()
    )
    if link is None or not token.opens(link.pk, link.nonce) or not link.is_open:
        return None
    if link.participation is not None and link.participation.state != Participation.State.ACCEPTED:
        return None
    return link


def _last_day(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)
