"""Links that are the permission: a signed token in the address, for one purpose and one object.

A token is ``<object id>.<nonce>.<signature>``: the nonce is random (128 bits) and stands in the object's row, so a new
nonce revokes every older link. Opening a link writes nothing and spends nothing, because mail scanners open links too:
it sets an HttpOnly cookie limited to the page's path, and redirects to the page's address without the token.
"""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.utils.crypto import constant_time_compare

INVITATION = "invitation"
FACILITATOR = "facilitator"
NO_REMINDERS = "no_reminders"
RESEARCH = "research"  # of who was asked to do research in a group
CALENDAR = "calendar"  # of a feed: asked for by programs, so its address itself stays the permission

COOKIE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Token:
    """What a token with a good signature says. The nonce must still be compared with the row: see ``opens``."""

    object_id: int
    nonce: str

    def opens(self, object_id: int, nonce: str) -> bool:
        """Whether this token opens the object, whose row holds ``nonce`` (blank: no link was ever made)."""
        return bool(nonce) and self.object_id == object_id and constant_time_compare(self.nonce, nonce)


def new_nonce() -> str:
    """128 random bits, 32 hexadecimal digits."""
    return secrets.token_hex(16)


def _signer(purpose: str) -> signing.Signer:
    return signing.Signer(salt=f"teams.links.{purpose}", sep=".")


def make_token(purpose: str, object_id: int, nonce: str) -> str:
    """The token of a link for one purpose. Raises ValueError if the object has no nonce."""
    if len(nonce) < 32:
        raise ValueError("A link needs a nonce of at least 128 bits.")
    return _signer(purpose).sign(f"{object_id}.{nonce}")


def read_token(purpose: str, token: str) -> Token | None:
    """What a token says, or None if it was not signed here for this purpose."""
    try:
        object_id, nonce = _signer(purpose).unsign(token).split(".")
        return Token(int(object_id), nonce)
    except (signing.BadSignature, ValueError):
        return None


def enter(purpose: str, token: str, path: str) -> HttpResponseRedirect:
    """The answer to opening a link: the token goes into a cookie for ``path`` and below, the address loses it."""
    response = HttpResponseRedirect(path)
    response.set_cookie(
        _cookie_of(purpose),
        token,
        max_age=COOKIE_SECONDS,
        path=path,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def token_of(request: HttpRequest, purpose: str) -> Token:
    """The token that a request carries in its cookie.

    Raises:
        Http404: if there is none, or it was not signed here for this purpose.
    """
    token = read_token(purpose, request.COOKIES.get(_cookie_of(purpose), ""))
    if token is None:
        raise Http404
    return token


def _cookie_of(purpose: str) -> str:
    """The cookie's name: over https one that browsers take over https only."""
    return f"__Secure-{purpose}" if settings.SESSION_COOKIE_SECURE else purpose
