"""One list per academy of the addresses that nobody but a team leader vouches for, and who confirms them.

Personal links count for a report only if they went to people who are known (confirming.py). Addresses that do not tell that
by themselves are confirmed by somebody of the academy who is no team leader, by a link of its own, or by an administrator;
each against a list that the leader did not make. Researchers see how many there are and in which domains, no addresses.

Nothing on these lists tells whether somebody answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Several
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from surveys.history import Happened
from surveys.linking import confirming
from surveys.mail_kinds import SurveyMail
from surveys.models import AddressCheck, Collection, Invitee, PresentBy
from teams import links as signed_links
from teams.history import record
from teams.mail.composing import absolute
from teams.mail.outbox import queue
from teams.models import Academy, Participation, Role, Study, User
from teams.people.contact_person import note_vouched
from teams.people.mail_domains import domains_of
from teams.studies.setting_up import link_until
from teams.text.addresses import folded, same_person

PURPOSE = "addresses"


@dataclass(frozen=True, slots=True)
class Entry:
    """An address that is to be confirmed, and the one of the same mailbox, if there is one."""

    invitee: Invitee
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class TeamList:
    """The personal links of one team: how many, to how many people known, and what is to be confirmed."""

    participation: Participation
    n_links: int
    n_confirmed: int
    entries: tuple[Entry, ...]

    @property
    def domains(self) -> list[tuple[str, int]]:
        return confirming.domains_told(entry.invitee for entry in self.entries if not entry.invitee.confirmed)


@dataclass(frozen=True, slots=True)
class AcademyList:
    academy: Academy
    teams: tuple[TeamList, ...]
    check: AddressCheck | None

    @property
    def n_open(self) -> int:
        return sum(team.n_links - team.n_confirmed for team in self.teams)

    @property
    def entries(self) -> list[Entry]:
        return [entry for team in self.teams for entry in team.entries]


def lists_of(study: Study, academy: Academy | None = None) -> list[AcademyList]:
    """The lists of a study's academies whose teams have personal links; five queries however many there are."""
    collections = (
        Collection.objects.filter(survey__study=study, participation__state=Participation.State.ACCEPTED)
        .select_related("participation__team__academy__institution")
        .order_by("participation__team__academy__name", "participation__team__name", "pk")
    )
    if academy is not None:
        collections = collections.filter(participation__team__academy=academy)
    invitees: dict[int, list[Invitee]] = defaultdict(list)
    for invitee in Invitee.objects.filter(collection__in=collections.values("pk")).order_by("pk"):
        invitees[invitee.collection_id].append(invitee)
    checks = {invitee.academy_id: invitee for invitee in AddressCheck.objects.filter(study=study)}
    domains: dict[int, frozenset[str]] = {}
    teams: dict[Academy, list[TeamList]] = {}
    for collection in collections:
        of_team = invitees.get(collection.pk, [])
        owner = collection.participation.team.academy
        if of_team:
            if owner.institution_id not in domains:
                domains[owner.institution_id] = domains_of(owner.institution)
            teams.setdefault(owner, []).append(_team(collection, of_team, domains[owner.institution_id]))
    return [AcademyList(owner, tuple(made), checks.get(owner.pk)) for owner, made in teams.items()]


def may_not_confirm(study: Study, academy: Academy, email: str) -> str:
    """Why this address may not confirm the list, as a word; blank if it may."""
    teams = Participation.objects.filter(study=study, team__academy=academy)
    leaders = list(teams.values_list("leader_email", flat=True))
    if any(same_person(email, leader) for leader in leaders):
        return "leader"
    if same_person(email, academy.director_email):
        return "director"
    researchers = User.objects.filter(roles__kind=Role.Kind.RESEARCHER, roles__study=study)
    if any(same_person(email, leader) for leader in researchers.values_list("email", flat=True)):
        return "researcher"
    known = confirming.is_known(email, domains_of(academy.institution))
    return "" if known and not confirming.may_be_label(email, {folded(leader) for leader in leaders}) else "stranger"


@transaction.atomic
def ask(study: Study, academy: Academy, name: str, email: str, by: User) -> AddressCheck:
    """Mail somebody of the academy the link to its list. The link of who was asked before opens nothing any more."""
    values = {
        "name": name,
        "email": email.lower(),
        "nonce": signed_links.new_nonce(),
        "link_until": link_until(study),
        "answered_at": None,
    }
    check, _made = AddressCheck.objects.update_or_create(study=study, academy=academy, defaults=values)
    record(study, Happened.ADDRESS_LIST_SENT, academy=academy, by=by, detail=f"{name} <{check.email}>")
    queue(SurveyMail.CONFIRM_ADDRESSES, check.pk, study=study)
    return check


def link(check: AddressCheck) -> str:
    return absolute(reverse("address_list_link", args=[signed_links.make_token(PURPOSE, check.pk, check.nonce)]))


def is_over(check: AddressCheck) -> bool:
    return max(check.link_until, check.study.ends_on) < timezone.localdate()


@transaction.atomic
def confirm(
    academy_list: AcademyList,
    study: Study,
    confirmed: Several[int],
    *,
    by: User | None = None,
    check: AddressCheck | None = None,
) -> int:
    """Keep which of the addresses on a list belong to a teacher of the team. Returns how many do.

    What a sealing counted can only grow by it: what was published rests on it.
    """
    listed = {entry.invitee.pk: entry.invitee for entry in academy_list.entries}
    right = listed.keys() & set(confirmed)
    Invitee.objects.filter(pk__in=right).update(confirmed=True)
    Invitee.objects.filter(pk__in=listed.keys() - right).update(confirmed=False)
    sealed = Collection.objects.filter(
        pk__in={invitee.collection_id for invitee in listed.values()}, state=Collection.State.SEALED
    ).exclude(present_by=PresentBy.BEFORE)
    for collection in sealed.select_related("participation__team__academy__institution"):
        n = confirming.n_confirmed(collection)
        Collection.objects.filter(pk=collection.pk, n_confirmed__lt=n).update(n_confirmed=n)
    if check is not None:
        AddressCheck.objects.filter(pk=check.pk).update(answered_at=timezone.now())
        for team in academy_list.teams:
            if team.entries:
                note_vouched(team.participation.pk, check.email)
    record(
        study,
        Happened.ADDRESSES_CONFIRMED,
        academy=academy_list.academy,
        by=by,
        by_link=check is not None,
        detail=f"{len(right)} / {len(listed)}",
    )
    return len(right)


def _team(collection: Collection, invitees: list[Invitee], domains: frozenset[str]) -> TeamList:
    unknown = confirming.unknown_addresses(invitees, domains, collection.participation.leader_email)
    still = {invitee.pk for invitee in unknown}
    first: dict[str, Invitee] = {}
    for invitee in invitees:
        first.setdefault(folded(invitee.email), invitee)
    entries = tuple(
        Entry(invitee, "" if first[folded(invitee.email)] is invitee else first[folded(invitee.email)].email)
        for invitee in invitees
        if invitee.pk in still or invitee.confirmed
    )
    return TeamList(collection.participation, len(invitees), len(invitees) - len(unknown), entries)
