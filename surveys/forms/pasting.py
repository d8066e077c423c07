"""Addresses that were pasted: shown before anything is sent, and sent once whoever pasted them has seen them.

The first press sends nothing: the page names every address that was found, what was given twice, what has a link already, and
what was left over. The second press sends to those that were shown; where the text says something else by then, it is shown anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surveys.forms.collecting import AddressesForm
from surveys.models import Collection, Invitee

SEND = "send"


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a pasted text holds."""

    new: Sequence[str]  # get a link
    known: Sequence[str]  # have one already
    twice: Sequence[str]
    wrong: Sequence[str]
    left: Sequence[str]
    seen: str  # the page gives it back with the second press


def look(collection: Collection, form: AddressesForm) -> Pasted:
    """What would be sent. Call it on a valid form."""
    addresses: list[str] = form.cleaned_data["addresses"]
    invited = Invitee.objects.filter(collection=collection, email__in=addresses).values_list("email", flat=True)
    known = set(invited)
    return Pasted(
        new=[address for address in addresses if address not in known],
        known=[address for address in addresses if address in known],
        twice=form.twice,
        wrong=form.wrong,
        left=form.left,
        seen=seen_of(addresses),
    )


def seen_of(addresses: Sequence[str]) -> str:
    return " ".join(addresses)


def may_send(form: AddressesForm) -> bool:
    """Whether it is the second press, and the addresses are those that were shown. Call it on a valid form."""
    return SEND in form.data and form.cleaned_data["seen"] == seen_of(form.cleaned_data["addresses"])


def page(collection: Collection, form: AddressesForm, base: str, back: str) -> dict[str, object]:
    """What the page shows.

    :param base: the template around it: a researcher's, or a leader's
    :param back: where the button to leave leads
    """
    return {
        "base": base,
        "back": back,
        "study": collection.survey.study,
        "team": collection.participation.team,
        "form": form,
        "pasted": look(collection, form),
    }
