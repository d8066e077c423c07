"""What a device remembers under /a/, by cookies: which response it began, and whether several people share it.

On a shared device the response is forgotten by "next person", by the thanks, and after ten idle minutes; whatever page of a
respondent is asked for then, the welcome page comes. The service worker lets the questionnaire go on without a network.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from surveys import devices, keys
from surveys.models import Collection
from surveys.style import answer_style_source, built

ANSWER_COOKIE = "answer"
SHARED_COOKIE = "shared"  # holds the meeting's code
PATH = "/a/"
STYLE_SLOT = b"@@STYLE@@"  # in static/js/answer/worker.js
IDLE_SECONDS = 10 * 60
SHARED_SECONDS = 12 * 3600  # a day of meetings


@csrf_exempt
@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """At a fixed address, since browsers know a worker by it; asked for anew at every visit."""
    return HttpResponse(_worker(), content_type="text/javascript", headers={"Cache-Control": "no-cache"})


def set_cookie(response: HttpResponse, name: str, value: str, seconds: int | None = None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=PATH,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def remember_key(request: HttpRequest, response: HttpResponse, key: str) -> None:
    """The response that this device began: until the browser ends, on a shared device until ten minutes pass idly."""
    set_cookie(response, ANSWER_COOKIE, key, IDLE_SECONDS if is_shared(request) else None)


def forget_key(response: HttpResponse) -> None:
    response.delete_cookie(ANSWER_COOKIE, path=PATH, samesite="Lax")


def is_shared(request: HttpRequest) -> bool:
    return bool(shared_code(request))


def shared_code(request: HttpRequest) -> str:
    """The code of the meeting for which this device is shared, else blank."""
    code = request.COOKIES.get(SHARED_COOKIE, "")[:20]
    return code if code.isalnum() else ""


def share(request: HttpRequest, response: HttpResponse, code: str) -> None:
    """What the welcome page's address says: ``?shared=yes`` from the facilitator's page, ``?shared=no`` to end it."""
    asked = request.GET.get("shared", "")
    if asked == "no":
        response.delete_cookie(SHARED_COOKIE, path=PATH, samesite="Lax")
    elif asked or is_shared(request):
        set_cookie(response, SHARED_COOKIE, code, SHARED_SECONDS)


def shared_welcome(code: str) -> str:
    return reverse("meeting_welcome", args=[code]) + "?shared=yes"


def lock_for(request: HttpRequest, collection: Collection) -> str | None:
    """The collection's public key for a shared device; None for a device of one's own."""
    if not is_shared(request):
        return None
    try:
        return devices.lock_of(collection)
    except keys.KeyDestroyed:
        return ""


@cache
def _worker() -> bytes:
    """With the policy for the page that it serves: as the network's, with the style that stands in the page."""
    return built("sw.js").replace(STYLE_SLOT, answer_style_source().encode())
