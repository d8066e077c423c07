"""What it takes to begin in a meeting: a nonce that the welcome page shows, and a cookie that page leaves with the device.

The key of the response is a keyed hash of both. So whoever noted what a shared device showed, or sees a page over somebody's
shoulder, cannot work it out or have the server say it; and whoever sends the same page twice from one device (a double
click, a slow line, the back button) has one response. Offering writes nothing, and nothing of it is stored.
"""

from __future__ import annotations

import base64
import secrets

from django.core.signing import BadSignature, Signer
from django.utils.crypto import salted_hmac

from surveys.models import Meeting

NONCE_BYTES = 16

_holders = Signer(salt="surveys.holder", sep=".")


def offer(meeting: Meeting) -> str:
    """A fresh random nonce for the welcome page, signed, so that only those made here for this meeting lead to a key."""
    return _signer(meeting).sign(secrets.token_urlsafe(NONCE_BYTES))


def new_holder() -> str:
    """What the cookie of a device holds that may begin, signed, so that nobody gives a device one of their own making."""
    return _holders.sign(secrets.token_urlsafe(NONCE_BYTES))


def is_holder(cookie: str) -> bool:
    """Whether this server made the cookie."""
    try:
        return bool(_holders.unsign(cookie))
    except BadSignature:
        return False


def key_of(meeting: Meeting, offered: str, holder: str) -> str | None:
    """The response key of what was offered to the device with this cookie; None if one of the two was not made here."""
    if not is_holder(holder):
        return None
    try:
        nonce = _signer(meeting).unsign(offered)
    except BadSignature:
        return None
    both = f"{nonce} {_holders.unsign(holder)}".encode()
    digest = salted_hmac(f"surveys.response_key.{meeting.pk}", both, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _signer(meeting: Meeting) -> Signer:
    return Signer(salt=f"surveys.offer.{meeting.pk}", sep=".")
