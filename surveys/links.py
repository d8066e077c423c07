"""Personal links: issue them, find who holds one, remind. And the facilitator's link.

token = HMAC(key, "link" + nonce), 160 bits; response key = HMAC(key, "response" + nonce). The key is a file of the
collection (keys.py), the nonce stands with the invitee, who is found by the hash of the token. Neither the token nor the
response key is stored with the invitee, and nothing is written to the invitee when an answer comes in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from surveys import keys
from surveys.models import Collection, Invitee, Meeting, Response
from teams import links as signed_links
from teams.history import record
from teams.mail import absolute, queue, queue_many
from teams.models import User

LINK_MAIL = "surveys.personal_link"
REMINDER_MAIL = "surveys.personal_reminder"
REMINDER_TO_ALL_MAIL = "surveys.personal_reminder_to_all"
FACILITATOR_MAIL = "surveys.facilitator_link"

LONGEST_ADDRESS = 254
TOKEN_BYTES = 20
RESPONSE_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Round:
    """A round of reminders: to how many it may go, and whether it leaves out who has submitted."""

    n_queued: int
    only_those_not_done: bool


def issue_links(collection: Collection, emails: Iterable[str], by: User | None = None) -> int:
    """Give each address a personal link and queue its mail. Returns how many are new; known addresses get nothing.

    Addresses that are none are left out: forms report them. A collection that is not open issues nothing.
    """
    wanted = sorted({email.strip().lower() for email in emails if is_address(email.strip())})
    if not wanted:
        return 0
    with transaction.atomic():
        if not Collection.objects.filter(pk=collection.pk, state=Collection.State.OPEN).exists():
            return 0
        key = keys.read(collection)
        nonces = {email: secrets.token_urlsafe(16) for email in wanted}
        # the constraint decides who is new: of two who paste the same address one inserts it
        Invitee.objects.bulk_create(
            (
                Invitee(collection=collection, email=email, nonce=nonce, token_hash=token_hash(_token(key, nonce)))
                for email, nonce in nonces.items()
            ),
            ignore_conflicts=True,
        )
        new = list(
            Invitee.objects.filter(collection=collection, nonce__in=nonces.values()).values_list("pk", flat=True)
        )
        queue_many(LINK_MAIL, new, study=collection.survey.study)
        if new:
            record(
                collection.survey.study,
                "links_issued",
                participation=collection.participation,
                by=by,
                detail=str(len(new)),
            )
    return len(new)


def personal_url(invitee: Invitee) -> str:
    """The address of the personal link. :raises keys.KeyDestroyed: once the collection is being sealed"""
    token = _token(keys.read(invitee.collection), invitee.nonce)
    return absolute(reverse("personal_link", args=[token]))


def stop_url(invitee: Invitee) -> str:
    """The address that ends the mails to an invitee, and does nothing else. :raises keys.KeyDestroyed: while sealing"""
    return absolute(reverse("no_mails", args=[_stop_token(invitee)]))


def find_by_stop_token(token: str) -> Invitee | None:
    """Whose mails this token ends; None if it is not genuine, and once the collection is being sealed."""
    number = token.partition(".")[0]
    if not number.isdecimal() or not token.isascii() or len(number) > 18:
        return None
    invitee = Invitee.objects.select_related("collection__survey__study").filter(pk=int(number)).first()
    if invitee is None or not invitee.nonce:
        return None
    try:
        return invitee if constant_time_compare(_stop_token(invitee), token) else None
    except keys.KeyDestroyed:
        return None


def find_invitee(token: str) -> Invitee | None:
    """Who holds this token, with the collection, survey, version and study; None if it opens nothing. One query."""
    if not token or not token.isascii():
        return None
    invitee = (
        Invitee.objects.select_related(
            "collection__survey__version", "collection__survey__study", "collection__participation__team"
        )
        .defer("collection__survey__version__content")
        .filter(token_hash=token_hash(token))
        .first()
    )
    if invitee is None:
        return None
    try:
        genuine = _token(keys.read(invitee.collection), invitee.nonce)
    except keys.KeyDestroyed:
        return None
    return invitee if constant_time_compare(genuine, token) else None


def response_key(invitee: Invitee) -> str:
    """The key of the invitee's response. :raises keys.KeyDestroyed: once the collection is being sealed"""
    return _response_key(keys.read(invitee.collection), invitee.nonce)


def opt_out(invitee: Invitee) -> None:
    """No more mails to this address about this collection. The link keeps working."""
    Invitee.objects.filter(pk=invitee.pk).update(opted_out=True)


def remind(collection: Collection, by: User | None = None) -> Round:
    """Queue a round of reminders; only while the collection is open.

    The round leaves out who has submitted only if at least k answers came in since the last round; else comparing two
    rounds would tell who answered in between, and it goes to all. In the outbox both look alike: everybody who did not opt
    out is queued, and who has submitted is found out at sending, not stored (renderers.py).
    """
    with transaction.atomic():
        # the lock: of two who remind at once the second sees the first one's count
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        if locked.state != Collection.State.OPEN:
            return Round(0, False)
        submitted = locked.responses.filter(state=Response.State.SUBMITTED).count()
        only_those_not_done = submitted - locked.last_round_submitted >= locked.survey.study.k
        invitees = list(locked.invitees.filter(opted_out=False).values_list("pk", flat=True))
        kind = REMINDER_MAIL if only_those_not_done else REMINDER_TO_ALL_MAIL
        queue_many(kind, invitees, study=locked.survey.study)
        Collection.objects.filter(pk=locked.pk).update(last_round_submitted=submitted)
        record(locked.survey.study, "links_reminded", participation=locked.participation, by=by)
    return Round(len(invitees), only_those_not_done)


def has_submitted(invitee: Invitee) -> bool:
    """Whether the invitee's response was submitted: computed under the key, before sealing only, and never stored.

    :raises keys.KeyDestroyed: once the collection is being sealed
    """
    return Response.objects.filter(key=response_key(invitee), state=Response.State.SUBMITTED).exists()


def facilitator_url(meeting: Meeting) -> str:
    """The address of the facilitator's link."""
    token = signed_links.make_token(signed_links.FACILITATOR, meeting.pk, meeting.facilitator_nonce)
    return absolute(reverse("facilitator_link", args=[token]))


def send_facilitator_link(meeting: Meeting, by: User | None = None) -> bool:
    """Queue the mail with the facilitator's link to the contact person. False if no address is known."""
    participation = meeting.collection.participation
    if not participation.contact_email:
        return False
    with transaction.atomic():
        queue(FACILITATOR_MAIL, meeting.pk, study=participation.study)
        record(participation.study, "facilitator_link_sent", participation=participation, by=by)
    return True


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token(key: bytes, nonce: str) -> str:
    return _encoded(hmac.digest(key, b"link" + nonce.encode(), "sha256")[:TOKEN_BYTES])


def _stop_token(invitee: Invitee) -> str:
    digest = hmac.digest(keys.read(invitee.collection), b"stop" + invitee.nonce.encode(), "sha256")
    return f"{invitee.pk}.{_encoded(digest[:TOKEN_BYTES])}"


def _response_key(key: bytes, nonce: str) -> str:
    return _encoded(hmac.digest(key, b"response" + nonce.encode(), "sha256")[:RESPONSE_KEY_BYTES])


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_address(text: str) -> bool:
    """Whether this is an e-mail address that fits its column."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= LONGEST_ADDRESS
