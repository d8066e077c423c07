"""Who wants no reminders: per address, over all studies and research groups of the installation.

A first mail is no reminder: an invitation to another study still comes, once. Whoever asked can take it back by the same link.
Kept is a keyed hash of the address, so that the wish outlives the study in which it was said, and no list of people does.
"""

from collections.abc import Iterable

from teams.base.keyed import digests
from teams.models import Refusal


def refuse(address: str) -> None:
    """From now on this address gets no reminders. A second time changes nothing."""
    if address and not wants_none(address):
        Refusal.objects.get_or_create(digest=_digests(address)[0])


def take_back(address: str) -> None:
    """This address gets reminders again."""
    Refusal.objects.filter(digest__in=_digests(address)).delete()


def wants_none(address: str) -> bool:
    """Whether this address gets no reminders."""
    return bool(address) and Refusal.objects.filter(digest__in=_digests(address)).exists()


def among(addresses: Iterable[str]) -> set[str]:
    """Which of these addresses get no reminders, as they are given."""
    of = {address: _digests(address) for address in addresses if address}
    asked = list({digest for digests_of_one in of.values() for digest in digests_of_one})
    known: set[str] = set()
    for at in range(0, len(asked), 500):  # a database takes only so many values in a query
        known |= set(Refusal.objects.filter(digest__in=asked[at : at + 500]).values_list("digest", flat=True))
    return {address for address, digests_of_one in of.items() if not known.isdisjoint(digests_of_one)}


def _digests(address: str) -> list[str]:
    return digests("teams.refusals", address.strip().lower())
