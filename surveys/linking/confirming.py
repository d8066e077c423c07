"""Which counts of a team may be relied on: who counted those present, and which personal links went to people known.

Whoever wants a report of one colleague's answers could send links to aliases of his own, or count people who were not
there. So what is compared with k (analysis/disclosure) counts only what the team's leader cannot set:

- those present, counted by a researcher, or by a contact person of the institution who is not the leader;
- links to addresses in a mail domain of the institution that look like one person each: an alias of another address
  (after a plus, with other dots or capitals) and the mailbox of a function count only if they were confirmed;
- links to addresses that somebody confirmed against a list that the leader did not make.

Nothing here knows whether a link was used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection as Several
from collections.abc import Iterable
from typing import Any

from surveys.history import Happened
from surveys.models import Collection, Invitee, Meeting, PresentBy
from teams.access import studies_of
from teams.models import Event, Participation, Role, User
from teams.people.contact_person import reads_results
from teams.people.mail_domains import domains_of
from teams.text.addresses import domain_of, folded, is_functional, same_person, without_dash


def is_known(address: str, domains: Several[str]) -> bool:
    """Whether the institution gave this address to one person, as far as it can be seen by looking at it."""
    return domain_of(address) in domains and not is_functional(address)


def may_be_label(address: str, of: Several[str]) -> bool:
    """Whether it may be one of these mailboxes with a label after a dash."""
    mailbox = folded(address)
    return without_dash(mailbox) != mailbox and without_dash(mailbox) in of


def unknown_addresses(invitees: Iterable[Invitee], domains: Several[str], leader: str) -> list[Invitee]:
    """The invitees of one collection whose address counts only once it is confirmed, in their order."""
    invitees = list(invitees)
    everybody = {folded(leader), *(folded(invitee.email) for invitee in invitees)}
    seen: set[str] = set()
    unknown = []
    for invitee in invitees:
        if invitee.confirmed:
            continue
        person = folded(invitee.email)
        if not is_known(invitee.email, domains) or person in seen or may_be_label(invitee.email, everybody):
            unknown.append(invitee)
        seen.add(person)
    return unknown


def n_confirmed(collection: Collection) -> int:
    """How many links of a collection went to people who are known."""
    invitees = list(Invitee.objects.filter(collection=collection).order_by("pk"))
    participation = collection.participation
    domains = domains_of(participation.team.academy.institution)
    return len(invitees) - len(unknown_addresses(invitees, domains, participation.leader_email))


def domains_told(invitees: Iterable[Invitee]) -> list[tuple[str, int]]:
    """How many addresses stand in each domain: what researchers see of a list."""
    return sorted(Counter(domain_of(invitee.email) for invitee in invitees).items())


def who_counts(meeting: Meeting, by: User | None) -> PresentBy:
    """Whose count of those present it is: of who is signed in, else of who got the facilitator's link."""
    participation = meeting.collection.participation
    contact = participation.contact_email
    if by is not None and by.roles.filter(kind=Role.Kind.LEADER, participation=participation).exists():
        return PresentBy.LEADER
    if by is not None and studies_of(by).filter(pk=participation.study_id).exists():
        return PresentBy.RESEARCHER
    if same_person(contact, participation.leader_email):
        return PresentBy.LEADER
    if reads_results(participation, contact):
        return PresentBy.STRANGER  # the director or another team's leader, of a meeting from before that was refused
    if not contact and not meeting.sent_to_contact and meeting.collection.mode == Participation.Mode.RESEARCHER:
        return PresentBy.RESEARCHER  # nobody else got the link, as it is now, by us
    known = is_known(contact, domains_of(participation.team.academy.institution))
    if not known or may_be_label(contact, {folded(participation.leader_email)}):
        return PresentBy.STRANGER
    return PresentBy.CONTACT


def frozen(collection: Collection) -> dict[str, Any]:
    """What sealing keeps of this with the collection."""
    meeting = Meeting.objects.filter(collection=collection).first()
    return {
        "n_confirmed": n_confirmed(collection),
        "present_by": meeting.present_by if meeting else "",
        "one_supplier": meeting is not None and _supplied_too(meeting),
    }


def _supplied_too(meeting: Meeting) -> bool:
    """Whether who counted those present also supplied links. A researcher with the link only may be any researcher."""
    if meeting.present is None or meeting.present_by == PresentBy.IMPORT:
        return False
    issued = Event.objects.filter(kind=Happened.LINKS_ISSUED, participation=meeting.collection.participation_id)
    if meeting.counted_by_id is not None:
        return issued.filter(by=meeting.counted_by_id).exists()
    if meeting.present_by == PresentBy.RESEARCHER:
        return issued.filter(by__roles__kind=Role.Kind.RESEARCHER).exists()
    return False
