"""Codes for what a mailed link alone must not do: taking back a permission, with which answers are deleted.

A link stands in a mailbox for months, is forwarded and archived. Whoever holds it may answer the invitation, since nothing
is lost by that; to stop a team that takes part they must also read the mailbox now. The code is a keyed hash of the row's
nonce, so that neither a dump of the database nor the outbox holds it; it ends after some minutes and after few tries.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from teams.links import new_nonce
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.models import Invitation, LinkCode
from teams.text.addresses import masked

MINUTES = 30
TRIES = 5
PER_DAY = 5
APART = timedelta(minutes=1)
DIGITS = 6


@transaction.atomic
def ask(invitation: Invitation) -> bool:
    """Mail a new code to the person of the invitation, in place of an older one.

    Returns:
        False, with nothing changed, if one went out a moment ago, or many today.
    """
    now = timezone.now()
    code, created = LinkCode.objects.select_for_update().get_or_create(
        invitation=invitation, defaults={"nonce": new_nonce(), "asked_at": now}
    )
    if not created:
        today = timezone.localdate(code.asked_at) == timezone.localdate(now)
        if code.asked_at > now - APART or (today and code.n_asked >= PER_DAY):
            return False
        LinkCode.objects.filter(pk=code.pk).update(
            nonce=new_nonce(), asked_at=now, n_tries=0, n_asked=code.n_asked + 1 if today else 1
        )
    outbox.drop(TeamMail.LINK_CODE, invitation.pk)
    outbox.queue(TeamMail.LINK_CODE, invitation.pk, study=invitation.study)
    return True


def waiting(invitation: Invitation) -> LinkCode | None:
    """The code that was mailed and still works."""
    return LinkCode.objects.filter(
        invitation=invitation, asked_at__gt=timezone.now() - timedelta(minutes=MINUTES), n_tries__lt=TRIES
    ).first()


def code_of(code: LinkCode) -> str:
    """The digits, as the mail gives them."""
    digest = salted_hmac("teams.link_codes", f"{code.invitation_id}.{code.nonce}", algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}}"


def spend(invitation: Invitation, typed: str) -> bool:
    """Whether this is the code. Every call is a try; the right one ends it."""
    since = timezone.now() - timedelta(minutes=MINUTES)
    works = LinkCode.objects.filter(invitation=invitation, asked_at__gt=since, n_tries__lt=TRIES)
    if not works.update(n_tries=F("n_tries") + 1):  # counted before it is compared: of many at once no more are judged
        return False
    code = LinkCode.objects.get(invitation=invitation)
    if not constant_time_compare(code_of(code), "".join(typed.split())):
        return False
    return bool(
        LinkCode.objects.filter(pk=code.pk, nonce=code.nonce).exclude(n_tries__gt=TRIES).update(n_tries=TRIES + 1)
    )


def masked_address(invitation: Invitation) -> str:
    """Where the code goes, as much of it as whoever holds the link may see."""
    return masked(_address_of(invitation))


def _address_of(invitation: Invitation) -> str:
    if invitation.academy is not None:
        return invitation.academy.director_email
    assert invitation.participation is not None
    return invitation.participation.leader_email
