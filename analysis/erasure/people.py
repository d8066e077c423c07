"""Removing a person: a director, leader, contact person or researcher, out of all rows, histories, calendars and accounts.

Who stands in a row is found by the address; the names that stood beside it are then looked for in histories and free texts.
What people did stays, without saying who. An administrator removes somebody everywhere, a researcher out of the studies they
work in. The list beside the database keeps a keyed hash of the address, so that a restored backup does not bring them back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from analysis.erasure import accounts, texts
from analysis.erasure.places import Place, is_hidden, places
from analysis.erasure.texts import REMOVED
from analysis.history import Happened
from analysis.models.readers import ReportLink
from surveys.keys import seal_list
from surveys.models import Invitee, Meeting
from teams import access, history
from teams.base import sweeping
from teams.links import new_nonce
from teams.models import Invitation, OfferedSlot, PlannedMeeting, ResearcherInvitation, Role, Study, User
from teams.studies.setting_up import end_membership, hold

NOBODY = "removed.invalid"  # where an address must be there and be another in each row

WORDS: dict[str, Any] = {
    "teams.ResearcherInvitation": ngettext_lazy(
        "asked to do research %(n)s time", "asked to do research %(n)s times", "n"
    ),
    "teams.Academy": ngettext_lazy("director of %(n)s academy", "director of %(n)s academies", "n"),
    "teams.Team": ngettext_lazy("leader of %(n)s team", "leader of %(n)s teams", "n"),
    "teams.Participation": ngettext_lazy("named with %(n)s team in a study", "named with %(n)s teams in studies", "n"),
    "teams.Attendee": ngettext_lazy("in the calendar of %(n)s meeting", "in the calendar of %(n)s meetings", "n"),
}
OTHER = ngettext_lazy("in %(n)s other line of a list", "in %(n)s other lines of lists", "n")
LEADS = ngettext_lazy("opens the pages of %(n)s team", "opens the pages of %(n)s teams", "n")
WORKS = ngettext_lazy("researcher of %(n)s study", "researcher of %(n)s studies", "n")
TEXTS = ngettext_lazy("named in %(n)s history or other text", "named in %(n)s histories or other texts", "n")
INVITED = ngettext_lazy(
    "%(n)s unanswered invitation: its link ends at once, and whoever is named next gets a new one",
    "%(n)s unanswered invitations: their links end at once, and whoever is named next gets a new one",
    "n",
)


class NotNow(Exception):
    """This person cannot be removed yet; the message says why and what to do first."""


@dataclass(slots=True)
class Found:
    """What there is of a person within the studies that somebody may see."""

    address: str
    names: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # label of a table → rows
    works_in: int = 0
    leads: int = 0
    texts: int = 0
    open_invitations: int = 0
    account_goes: bool = False

    def in_words(self) -> list[str]:
        """Where the person stands, in a line each; none for who is nowhere."""
        lines = [str(WORDS.get(label, OTHER) % {"n": n}) for label, n in self.rows.items()]
        counted = ((WORKS, self.works_in), (LEADS, self.leads), (TEXTS, self.texts), (INVITED, self.open_invitations))
        lines += [str(words % {"n": n}) for words, n in counted if n]
        if self.account_goes:
            lines.append(_("an account, with its password, second factor, sessions and calendar address"))
        return lines


def scope_of(user: User) -> QuerySet[Study] | None:
    """The studies in which somebody may remove people; None for an administrator: everywhere."""
    return None if user.is_superuser else access.studies_of(user)


# ------------------------------------------------------------------------------------------------ looking
def look(address: str, scope: QuerySet[Study] | None) -> Found:
    """Everything of a person within these studies. Writes nothing."""
    address = address.strip().lower()
    person = Found(address)
    names: dict[str, None] = {}
    for place in places():
        if is_hidden(place.model):
            continue
        rows = place.of(address).filter(place.within(scope))
        if n := rows.count():
            person.rows[place.model._meta.label] = person.rows.get(place.model._meta.label, 0) + n
            if place.name:
                names |= dict.fromkeys(str(name) for name in rows.values_list(place.name, flat=True))
    user = User.objects.filter(email__iexact=address).first()
    if user is not None:
        roles = _roles(user, scope)
        person.works_in = roles.filter(kind=Role.Kind.RESEARCHER).count()
        person.leads = roles.filter(kind=Role.Kind.LEADER).count()
        person.account_goes = _account_goes(user, scope)
        if person.account_goes or person.works_in or person.leads:
            names[user.name] = None
    names |= dict.fromkeys(texts.names_beside(address, scope))
    person.names = [name for name in names if name and name != REMOVED]
    person.texts = texts.count(address, person.names, scope)
    person.open_invitations = len(_open_invitations(address, scope))
    return person


def refused(address: str, by: User | None, scope: QuerySet[Study] | None) -> str:
    """Why this person cannot be removed now, in a sentence; nothing if they can."""
    if by is not None and by.email.lower() == address.lower():
        return _("This is your own address. Ask a colleague or an administrator to remove you.")
    studies = Study.objects.all() if scope is None else scope
    asked = studies.filter(Q(contact_email__iexact=address) | Q(privacy_contact__icontains=address))
    titles = ", ".join(asked.order_by("title").values_list("title", flat=True))
    if titles:
        return _(
            "This person is named as the one to ask about: %(studies)s. Enter another contact person or privacy "
            "officer in the settings first."
        ) % {"studies": titles}
    user = User.objects.filter(email__iexact=address).first()
    if user is None:
        return ""
    # only of who works in these studies: else anybody could ask of any address whether it is an administrator's
    if user.is_superuser and by is not None and not by.is_superuser and _roles(user, scope).exists():
        return _("This person is an administrator: only another administrator can remove them. Ask one.")
    if (
        scope is None
        and user.is_superuser
        and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists()
    ):
        return _("This is the only administrator: appoint another one first.")
    works_in = studies.filter(roles__user=user, roles__kind=Role.Kind.RESEARCHER)
    others = Role.objects.filter(kind=Role.Kind.RESEARCHER).exclude(user=user).values("study")
    titles = ", ".join(works_in.exclude(pk__in=others).order_by("title").values_list("title", flat=True))
    if titles:
        return _("Nobody else works in: %(studies)s. Add another researcher first, or delete the study.") % {
            "studies": titles
        }
    return ""


# ------------------------------------------------------------------------------------------------ removing
def remove(address: str, by: User | None, scope: QuerySet[Study] | None) -> Found:
    """Remove a person within these studies. Returns what was found of them; a second time it is nothing.

    Raises:
        NotNow: where somebody else must be named first.
    """
    address = address.strip().lower()
    with transaction.atomic():
        if reason := refused(address, by, scope):
            raise NotNow(reason)
        person = look(address, scope)
        studies, affected = studies_with(address, person.names, scope)
        _end_links(address, scope)
        for place in places():
            _empty(place, address, scope)
        texts.replace(address, person.names, scope)
        user = User.objects.filter(email__iexact=address).first()
        if user is not None:
            goes = _account_goes(user, scope)
            _take_off_meetings(user, scope)
            groups = set(_roles(user, scope).filter(study__isnull=False).values_list("study__group", flat=True))
            for group in sorted(groups):
                hold(group)
            _roles(user, scope).delete()
            for group in groups:
                end_membership(group, user)
            if goes:
                accounts.delete(user)
        sweeping.mark({*(place.model for place in places()), *texts.tables(), *accounts.TABLES})
        for study in studies:
            history.record(study, Happened.PERSON_REMOVED, by=by if by is None or by.email.lower() != address else None)
    for word in affected:
        seal_list.add_removed(address, word)
    if scope is None:
        seal_list.add_removed(address, None)
    return person


def studies_with(address: str, names: list[str], scope: QuerySet[Study] | None) -> tuple[list[Study], list[Study]]:
    """The studies whose histories say that somebody was removed, and all in which the person stood.

    A history says nothing of who stood only where researchers must not look: it would tell that they got a personal link.
    """
    seen, hidden = texts.studies(address, names, scope), set[int]()
    for place in places():
        rows = place.of(address).filter(place.within(scope))
        for lookup in place.to_study():
            (hidden if is_hidden(place.model) else seen).update(rows.values_list(lookup, flat=True))
    user = User.objects.filter(email__iexact=address).first()
    if user is not None:
        for pair in _roles(user, scope).values_list("study", "participation__study"):
            seen.update(pair)
    studies = list(Study.objects.filter(pk__in=(seen | hidden) - {None}).order_by("pk"))
    return [study for study in studies if study.pk in seen], studies


def replay() -> int:
    """Remove again whom the list beside the database names: a restored backup brought them back. Returns how many."""
    n_removed = 0
    addresses = {str(a).lower() for p in places() for a in p.model._base_manager.values_list(p.email, flat=True) if a}
    addresses |= {user.email.lower() for user in User.objects.all()}
    for address in sorted(addresses):
        if seal_list.is_removed(address, None):
            scope: QuerySet[Study] | None = None
        else:
            pks = [study.pk for study in Study.objects.all() if seal_list.is_removed(address, study)]
            if not pks:
                continue
            scope = Study.objects.filter(pk__in=pks)
        try:
            remove(address, None, scope)
        except NotNow:
            continue
        n_removed += 1
    return n_removed


def _empty(place: Place, address: str, scope: QuerySet[Study] | None) -> None:
    rows = place.of(address).filter(place.within(scope))
    changes: dict[str, object] = {place.email: ""}
    if place.name:
        changes[place.name] = REMOVED
    if place.model is Invitee:
        changes["opted_out"] = True
    elif any(column.name == "nonce" for column in place.model._meta.concrete_fields):
        changes["nonce"] = ""  # the link that was mailed opens nothing any more
    pks = list(rows.values_list("pk", flat=True))
    for pk in pks:
        if place.unique:
            changes[place.email] = f"{pk}@{NOBODY}"
        place.model._base_manager.filter(pk=pk).update(**changes)


def _open_invitations(address: str, scope: QuerySet[Study] | None) -> list[int]:
    """Invitations that this person could answer."""
    waiting = Invitation.objects.filter(state=Invitation.State.SENT)
    return list(_invitations(waiting, address, scope).values_list("pk", flat=True))


def _invitations(
    invitations: QuerySet[Invitation], address: str, scope: QuerySet[Study] | None
) -> QuerySet[Invitation]:
    theirs = Q(academy__director_email__iexact=address) | Q(participation__leader_email__iexact=address)
    return invitations.filter(theirs) if scope is None else invitations.filter(theirs, study__in=scope.values("pk"))


def _end_links(address: str, scope: QuerySet[Study] | None) -> None:
    """The links that were mailed to this person open nothing any more; whoever is named next gets their own."""
    asked = ResearcherInvitation.objects.filter(email__iexact=address)
    (asked if scope is None else asked.filter(study__in=scope.values("pk"))).delete()
    for pk in list(_invitations(Invitation.objects.all(), address, scope).values_list("pk", flat=True)):
        Invitation.objects.filter(pk=pk).update(nonce=new_nonce())
    meetings = Meeting.objects.filter(collection__participation__contact_email__iexact=address)
    if scope is not None:
        meetings = meetings.filter(collection__survey__study__in=scope.values("pk"))
    for pk in list(meetings.values_list("pk", flat=True)):
        Meeting.objects.filter(pk=pk).update(facilitator_nonce=new_nonce(), sent_to_contact=False)
    reports = ReportLink.objects.filter(academy__director_email__iexact=address)
    if scope is not None:
        reports = reports.filter(study__in=scope.values("pk"))
    for pk in list(reports.values_list("pk", flat=True)):
        ReportLink.objects.filter(pk=pk).update(nonce=new_nonce())


def _roles(user: User, scope: QuerySet[Study] | None) -> QuerySet[Role]:
    roles = Role.objects.filter(user=user)
    if scope is None:
        return roles
    return roles.filter(Q(study__in=scope.values("pk")) | Q(participation__study__in=scope.values("pk")))


def _account_goes(user: User, scope: QuerySet[Study] | None) -> bool:
    """An administrator removes the account; a researcher where it has nothing but roles in the studies they work in."""
    if scope is None:
        return True
    if user.is_superuser or user.memberships.exists():
        return False
    roles = Role.objects.filter(user=user)
    return roles.exists() and not roles.exclude(pk__in=_roles(user, scope)).exists()


def _take_off_meetings(user: User, scope: QuerySet[Study] | None) -> None:
    """Nobody comes to the meetings that this researcher would come to: the board asks for somebody else."""
    meetings, slots = PlannedMeeting.objects.filter(researcher=user), OfferedSlot.objects.filter(researcher=user)
    if scope is not None:
        meetings = meetings.filter(participation__study__in=scope.values("pk"))
        slots = slots.filter(study__in=scope.values("pk"))
    meetings.update(researcher=None)
    slots.delete()
