"""Personal links: issue them, find who holds one, remind. And the facilitator's link.

token = HMAC(key, "link" + nonce), 160 bits; response key = HMAC(key, "response" + nonce). The key is a file of the
collection (keys/collection_keys.py), the nonce stands apart from the invitee until sealing, beside the hash of the token, by which the invitee
is found. Neither the token nor the response key is stored, and nothing is written to the invitee when an answer comes in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from surveys.history import Happened
from surveys.keys import collection_keys, seal_list
from surveys.keys.row_keys import row_key
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Invitee, LinkSecret, Meeting
from teams import links as signed_links
from teams.history import record, record_many
from teams.mail import refusals
from teams.mail.composing import absolute
from teams.mail.outbox import drop_many, queue_many
from teams.models import Participation, User
from teams.people.contact_person import reading_results
from teams.text import addresses

TOKEN_BYTES = 20
RESPONSE_KEY_BYTES = 32


def issue_links(collection: Collection, emails: Iterable[str], by: User | None = None) -> int:
    """Give each address a personal link and queue its mail. Returns how many are new; known addresses get nothing.

    Addresses that are none are left out: forms report them. A collection that is not open issues nothing. Nor does
    somebody who was removed from the study, known by a keyed hash, get a second link or a mail: the one they have keeps
    counting once, and nothing tells who pastes the list again.

    :raises keys.KeyDestroyed: if the key was lost (collecting/new_keys.py)
    """
    wanted = sorted({email.strip().lower() for email in emails if addresses.is_address(email.strip())})
    wanted = seal_list.without_removed(wanted, collection.survey.study)
    if not wanted:
        return 0
    with transaction.atomic():
        # locked: the key stays this one until its links stand
        rows = Collection.objects.select_for_update(no_key=True, of=("self",)).select_related("participation")
        locked = rows.get(pk=collection.pk)
        if not _may_mail(locked):
            return 0
        key = collection_keys.read(collection)
        # the constraint decides who is new: of two who paste the same address one inserts it, with a link in the same transaction
        Invitee.objects.bulk_create(
            (Invitee(collection=collection, email=email) for email in wanted), ignore_conflicts=True
        )
        invited = Invitee.objects.filter(collection=collection, email__in=wanted, secret__isnull=True)
        new = list(invited.order_by("pk").values_list("pk", flat=True))
        LinkSecret.objects.bulk_create(new_secret(pk, key) for pk in new)
        queue_many(SurveyMail.PERSONAL_LINK, new, study=collection.survey.study)
        if new:
            record(
                collection.survey.study,
                Happened.LINKS_ISSUED,
                participation=collection.participation,
                by=by,
                detail=str(len(new)),
            )
    return len(new)


def new_secret(invitee_id: int, key: bytes) -> LinkSecret:
    """What a new link of an invitee is made of, not saved yet."""
    nonce = secrets.token_urlsafe(16)
    return LinkSecret(invitee_id=invitee_id, nonce=nonce, token_hash=token_hash(token_of(key, nonce)))


def personal_url(invitee: Invitee) -> str:
    """The address of the personal link. :raises keys.KeyDestroyed: once the collection is being sealed"""
    token = token_of(collection_keys.read(invitee.collection), _nonce(invitee))
    return absolute(reverse("personal_link", args=[token]))


def stop_url(invitee: Invitee) -> str:
    """The address that ends the mails to an invitee, and does nothing else. :raises keys.KeyDestroyed: while sealing"""
    return absolute(reverse("no_mails", args=[_stop_token(invitee)]))


def find_by_stop_token(token: str) -> Invitee | None:
    """Whose mails this token ends; None if it is not genuine, and once the collection is being sealed."""
    number = token.partition(".")[0]
    if not number.isdecimal() or not token.isascii() or len(number) > 18:
        return None
    invitees = Invitee.objects.select_related("collection__survey__study", "secret")
    invitee = invitees.filter(pk=int(number), secret__isnull=False).first()
    if invitee is None:
        return None
    try:
        return invitee if constant_time_compare(_stop_token(invitee), token) else None
    except collection_keys.KeyDestroyed:
        return None


def find_invitee(token: str) -> Invitee | None:
    """Who holds this token, with the collection, survey, version and study; None if it opens nothing. One query."""
    if not token or not token.isascii():
        return None
    invitee = (
        Invitee.objects.select_related(
            "secret", "collection__survey__version", "collection__survey__study", "collection__participation__team"
        )
        .defer("collection__survey__version__content")
        .filter(secret__token_hash=token_hash(token))
        .first()
    )
    if invitee is None:
        return None
    try:
        genuine = token_of(collection_keys.read(invitee.collection), _nonce(invitee))
    except collection_keys.KeyDestroyed:
        return None
    return invitee if constant_time_compare(genuine, token) else None


def masked(email: str) -> str:
    """An address for whoever opens its link, so that a link that went astray is noticed: ``s…@school.example``."""
    name, _at, domain = email.rpartition("@")
    return f"{name[:1]}…@{domain}"


def response_key(invitee: Invitee) -> str:
    """The key of the invitee's response, as a device holds it. :raises keys.KeyDestroyed: once the collection is being sealed"""
    return _response_key(collection_keys.read(invitee.collection), _nonce(invitee))


def rows_of(collection: Collection) -> list[str]:
    """Under which keys answers by personal link stand in the table, or would stand. No row says so: it is worked out each time.

    :raises keys.KeyDestroyed: once the collection is being sealed
    """
    nonces = list(LinkSecret.objects.filter(invitee__collection=collection).values_list("nonce", flat=True))
    if not nonces:
        return []
    key = collection_keys.read(collection)
    return [row_key(_response_key(key, nonce)) for nonce in nonces]


@transaction.atomic
def opt_out(invitee: Invitee) -> None:
    """No more mails to this address about this collection, and no reminders of any other. The link keeps working."""
    Invitee.objects.filter(pk=invitee.pk).update(opted_out=True)
    refusals.refuse(invitee.email)


@transaction.atomic
def opt_in(invitee: Invitee) -> None:
    """Takes that back: mails about this collection, and reminders of every other."""
    Invitee.objects.filter(pk=invitee.pk).update(opted_out=False)
    refusals.take_back(invitee.email)


def gets_no_reminders(invitee: Invitee) -> bool:
    """Whether this address opted out, here or anywhere else."""
    return invitee.opted_out or refusals.wants_none(invitee.email)


def remind(collection: Collection, by: User | None = None) -> int:
    """Queue a reminder to everybody who did not opt out; only while the collection is open. Returns how many.

    Also to who has submitted: a round that leaves somebody out tells who reads the mails that this person answered
    (docs/adr/0004-anonymity.md). Its text says to ignore it after taking part.
    """
    with transaction.atomic():
        rows = Collection.objects.select_for_update(no_key=True, of=("self",)).select_related("participation")
        locked = rows.get(pk=collection.pk)
        if not _may_mail(locked):
            return 0
        addresses = dict(locked.invitees.filter(opted_out=False).order_by("pk").values_list("pk", "email"))
        refused = refusals.among(addresses.values())
        invitees = [pk for pk, address in addresses.items() if address not in refused]
        queue_many(SurveyMail.PERSONAL_REMINDER_TO_ALL, invitees, study=locked.survey.study)
        record(locked.survey.study, Happened.LINKS_REMINDED, participation=locked.participation, by=by)
    return len(invitees)


def _may_mail(locked: Collection) -> bool:
    """Whether its team still takes part, and its collection is open."""
    return locked.state == Collection.State.OPEN and locked.participation.state == Participation.State.ACCEPTED


def facilitator_url(meeting: Meeting) -> str:
    """The address of the facilitator's link."""
    token = signed_links.make_token(signed_links.FACILITATOR, meeting.pk, meeting.facilitator_nonce)
    return absolute(reverse("facilitator_link", args=[token]))


def send_facilitator_link(meeting: Meeting, by: User | None = None) -> bool:
    """Queue the mail with the facilitator's link to the contact person. False if no address is known."""
    return bool(send_facilitator_links([meeting], by))


def send_facilitator_links(meetings: Sequence[Meeting], by: User | None = None) -> int:
    """As `send_facilitator_link`, for meetings of one study. Returns how many mails were queued."""
    asked = [meeting for meeting in meetings if meeting.collection.participation.contact_email]
    reading = reading_results([meeting.collection.participation for meeting in asked])
    going = [meeting for meeting in asked if meeting.collection.participation_id not in reading]
    if not going:
        return 0
    study, pks = going[0].collection.participation.study, [meeting.pk for meeting in going]
    with transaction.atomic():
        Meeting.objects.filter(pk__in=pks).update(sent_to_contact=True)
        drop_many(SurveyMail.FACILITATOR_LINK, pks)  # one that waits would say the same
        queue_many(SurveyMail.FACILITATOR_LINK, pks, study=study)
        record_many(study, Happened.FACILITATOR_LINK_SENT, [meeting.collection.participation for meeting in going], by)
    return len(going)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _nonce(invitee: Invitee) -> str:
    """:raises keys.KeyDestroyed: once sealing took it away, in this moment too"""
    try:
        return invitee.secret.nonce
    except LinkSecret.DoesNotExist as error:
        raise collection_keys.KeyDestroyed from error


def token_of(key: bytes, nonce: str) -> str:
    """What a personal link holds."""
    return _encoded(hmac.digest(key, b"link" + nonce.encode(), "sha256")[:TOKEN_BYTES])


def _stop_token(invitee: Invitee) -> str:
    digest = hmac.digest(collection_keys.read(invitee.collection), b"stop" + _nonce(invitee).encode(), "sha256")
    return f"{invitee.pk}.{_encoded(digest[:TOKEN_BYTES])}"


def _response_key(key: bytes, nonce: str) -> str:
    return _encoded(hmac.digest(key, b"response" + nonce.encode(), "sha256")[:RESPONSE_KEY_BYTES])


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
