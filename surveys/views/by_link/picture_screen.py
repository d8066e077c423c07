"""The browser in which a meeting was closed for its team's figures: there, and until the end of that day, they are shown.

Closing leads to an address that lets the browser in, so that one whose first answer was lost on the way, and which sends the
form again, comes there too (teams/base/once.py repeats the address and no cookie).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from surveys.models import Meeting

SALT = "surveys.picture"
FIELD = "screen"


def address(meeting: Meeting) -> str:
    """Where the browser is sent that closed the meeting: the page of the figures, which lets it in."""
    return f"{reverse('facilitator_picture', args=[meeting.pk])}?{urlencode({FIELD: _ticket(meeting)})}"


def has_ticket(request: HttpRequest, meeting: Meeting) -> bool:
    """Whether a request comes from there, today."""
    return constant_time_compare(request.GET.get(FIELD, ""), _ticket(meeting))


def _ticket(meeting: Meeting) -> str:
    return signing.Signer(salt=SALT).signature(f"{meeting.pk}.{meeting.facilitator_nonce}.{timezone.localdate()}")


def let_in(response: HttpResponse, meeting: Meeting) -> None:
    """Let this browser see the picture of a meeting's team until midnight."""
    today = timezone.localdate()
    midnight = timezone.make_aware(datetime.combine(today + timedelta(days=1), time()))
    response.set_signed_cookie(
        _name(),
        f"{meeting.pk}.{today.isoformat()}",
        salt=SALT,
        max_age=max(int((midnight - timezone.now()).total_seconds()), 1),
        path=reverse("facilitator", args=[meeting.pk]),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def is_let_in(request: HttpRequest, meeting: Meeting) -> bool:
    """Whether this browser may see it now; a cookie that was kept is worth nothing the day after."""
    today = timezone.localdate().isoformat()
    return request.get_signed_cookie(_name(), "", salt=SALT) == f"{meeting.pk}.{today}"


def _name() -> str:
    """The cookie's name: over https one that browsers take over https only."""
    return "__Secure-picture" if settings.SESSION_COOKIE_SECURE else "picture"
