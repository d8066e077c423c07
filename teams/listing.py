"""The page of academies and teams of a study: everything it shows, in a fixed number of queries."""

from dataclasses import dataclass, field

from django.db.models import Q

from teams.models import Invitation, OutboxMessage, Participation, Study


@dataclass(slots=True)
class AcademyRow:
    """An academy on the list with its director's invitation and its teams."""

    invitation: Invitation
    teams: list[Participation] = field(default_factory=list)
    undeliverable: bool = False

    @property
    def waits_for_invitation(self) -> bool:
        """Whether pressing “invite” would mail this director: new teams, and no refusal."""
        return any(team.state == Participation.State.LISTED for team in self.teams) and self.invitation.state in (
            Invitation.State.LISTED,
            Invitation.State.ACCEPTED,
        )


@dataclass(frozen=True, slots=True)
class Listing:
    academies: list[AcademyRow]
    n_academies: int  # on the list, whatever the filter
    counts: dict[str, int]  # teams by state
    undeliverable: set[int]  # invitations of leaders whose mail was given up

    @property
    def n_teams(self) -> int:
        return sum(self.counts.values())

    @property
    def n_to_invite(self) -> int:
        return sum(row.waits_for_invitation for row in self.academies)


def list_teams(study: Study, search: str = "", state: str = "") -> Listing:
    """Academies with their teams, by institution and name; filtered by words in a name and by a team's state."""
    invitations = (
        Invitation.objects.filter(study=study, academy__isnull=False)
        .select_related("academy__institution")
        .order_by("academy__institution__name", "academy__name")
    )
    rows = {invitation.academy_id: AcademyRow(invitation) for invitation in invitations}
    participations = list(
        Participation.objects.filter(study=study).select_related("team__academy__institution", "invitation")
    )
    counts = dict.fromkeys(Participation.State.values, 0)
    for participation in participations:
        counts[participation.state] += 1
        if participation.team.academy_id in rows and _matches(participation, search, state):
            rows[participation.team.academy_id].teams.append(participation)
    undeliverable = undeliverable_in(study)
    for row in rows.values():
        row.undeliverable = row.invitation.pk in undeliverable
    filtered = bool(search or state)
    shown = [
        row
        for row in rows.values()
        if row.teams or not filtered or (not state and search.lower() in _names_of_academy(row.invitation))
    ]
    return Listing(shown, len(rows), counts, undeliverable)


def _names_of_academy(invitation: Invitation) -> str:
    academy = invitation.academy
    assert academy is not None
    return f"{academy.name}\n{academy.institution.name}\n{academy.director_name}".lower()


def _matches(participation: Participation, search: str, state: str) -> bool:
    team = participation.team
    names = f"{team.name}\n{team.leader_name}\n{team.academy.name}\n{team.academy.institution.name}".lower()
    return (not state or participation.state == state) and search.lower() in names


def undeliverable_in(study: Study) -> set[int]:
    """Invitations in this study whose last mail was given up or came back."""
    mails = OutboxMessage.objects.filter(
        Q(kind__startswith="teams.director") | Q(kind__startswith="teams.leader"),
        object_id__in=Invitation.objects.filter(study=study).values("pk"),
    ).order_by("pk")
    last = dict(mails.values_list("object_id", "state"))
    lost = (OutboxMessage.State.FAILED, OutboxMessage.State.BOUNCED)
    return {object_id for object_id, state in last.items() if state in lost}
