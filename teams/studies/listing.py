"""The page of academies and teams of a study: everything it shows, in a fixed number of queries however many there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q

from teams.mail.kinds import ABOUT_INVITATIONS
from teams.models import Invitation, OutboxMessage, Participation, Study

ACADEMIES_PER_PAGE = 20
LOST = (OutboxMessage.State.FAILED, OutboxMessage.State.BOUNCED)


@dataclass(slots=True)
class AcademyRow:
    """An academy on the list with its director's invitation and its teams."""

    invitation: Invitation
    teams: list[Participation] = field(default_factory=list)
    undeliverable: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    academies: list[AcademyRow]  # of this page
    page: Page[Invitation]
    n_academies: int  # on the list, whatever the filter
    n_to_invite: int  # directors whom pressing "invite" would mail: new teams, and no refusal
    counts: dict[str, int]  # teams by state
    undeliverable: set[int]  # invitations of this page whose mail was given up or came back

    @property
    def n_teams(self) -> int:
        return sum(self.counts.values())


def list_teams(study: Study, search: str = "", state: str = "", page: str | int | None = 1) -> Listing:
    """A page of academies with their teams, by institution and name; filtered by words in a name and by a team's state."""
    every = Invitation.objects.filter(study=study, academy__isnull=False)
    teams = Participation.objects.filter(study=study)
    listed = teams.filter(state=Participation.State.LISTED, team__academy=OuterRef("academy"))
    to_invite = every.filter(Exists(listed), state__in=[Invitation.State.LISTED, Invitation.State.ACCEPTED])
    counts = dict.fromkeys(Participation.State.values, 0)
    counts |= dict(teams.order_by().values_list("state").annotate(n=Count("pk")))
    shown, matching = every, teams
    if state:
        matching = matching.filter(state=state)
    if search:
        matching = matching.filter(_named(search, "team__academy__") | _has(search, "team__name", "leader_name"))
    if state or search:
        with_teams = Exists(matching.filter(team__academy=OuterRef("academy")))
        of_itself = _named(search, "academy__") | _has(search, "academy__director_name")
        shown = every.filter(with_teams if state else Q(with_teams) | of_itself)
    shown = shown.select_related("academy__institution").order_by("academy__institution__name", "academy__name", "pk")
    page_of_academies = Paginator(shown, ACADEMIES_PER_PAGE).get_page(page)
    rows = {invitation.academy_id: AcademyRow(invitation) for invitation in page_of_academies}
    for participation in matching.filter(team__academy__in=list(rows)).select_related("team", "invitation"):
        rows[participation.team.academy_id].teams.append(participation)
    asked = [row.invitation.pk for row in rows.values()]
    asked += [team.invitation.pk for row in rows.values() for team in row.teams if hasattr(team, "invitation")]
    undeliverable = undeliverable_in(study, asked)
    for row in rows.values():
        row.undeliverable = row.invitation.pk in undeliverable
    return Listing(list(rows.values()), page_of_academies, every.count(), to_invite.count(), counts, undeliverable)


def _named(search: str, academy: str) -> Q:
    return _has(search, f"{academy}name", f"{academy}institution__name")


def _has(search: str, *names: str) -> Q:
    either = Q()
    for name in names:
        either |= Q(**{f"{name}__icontains": search})
    return either


def undeliverable_in(study: Study, among: Iterable[int] | None = None) -> set[int]:
    """Invitations in this study (or those of them in ``among``) whose last mail was given up or came back."""
    mails = OutboxMessage.objects.filter(kind__in=ABOUT_INVITATIONS).exclude(state=OutboxMessage.State.DROPPED)
    lost = mails.filter(state__in=LOST)
    if among is not None:
        lost = lost.filter(object_id__in=list(among))
    # few mails are lost: only of those invitations the last mail is looked up
    with_lost = Invitation.objects.filter(study=study, pk__in=lost.values("object_id")).values_list("pk", flat=True)
    last = dict(mails.filter(object_id__in=list(with_lost)).order_by("pk").values_list("object_id", "state"))
    return {object_id for object_id, state in last.items() if state in LOST}
