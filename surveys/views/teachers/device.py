"""What a device remembers under /a/, by cookies: the key of each response begun here, and whether several people share it.

A key's cookie is limited to the pages of its response (answering/handles.py), so no other page, tab or team can take it for its own. On a
shared device the key stands in the page alone: a cookie takes it over to the next page and is erased there, so the key does not
outlive the tab; whatever page of a respondent is asked for then, the welcome page comes. The service worker lets the questionnaire
go on without a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from surveys.answering import devices, offers
from surveys.answering.handles import handle_of, link_handle
from surveys.answering.style import answer_style_source, built
from surveys.keys import collection_keys
from surveys.models import Collection

KEY_COOKIE = "key"  # of the response to whose pages it is limited
MOMENT_COOKIE = "moment"  # the same on a shared device, from one page to the next
BEFORE_COOKIE = "answer"  # of releases before: the key, for all pages
LINK_COOKIE = "link"  # holds the token of a personal link, for the page of that link
BEGUN_COOKIE = "begun"  # per collection: how many responses were begun here, and the handle of the last
START_COOKIE = "start"  # with what a welcome page offers it makes the key of a response (answering/offers.py)
SHARED_COOKIE = "shared"  # holds the meeting's code
PATH = "/a/"
STYLE_SLOT = b"@@STYLE@@"  # in static/js/answer/worker.js
MOMENT_SECONDS = 60  # for the next page to come, over a slow line
SHARED_SECONDS = 12 * 3600  # a day of meetings
MOST_COLLECTIONS = 4  # of which a device remembers that it began


@csrf_exempt
@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """At a fixed address, since browsers know a worker by it; asked for anew at every visit."""
    return HttpResponse(_worker(), content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@dataclass(frozen=True, slots=True)
class Begun:
    """What a device remembers of a collection: the response that it began last, and how many it began."""

    handle: str
    submitted: bool = False
    count: int = 1


def set_cookie(
    response: HttpResponse,
    name: str,
    value: str,
    seconds: int | None = None,
    path: str = PATH,
    for_script: bool = False,
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        httponly=not for_script,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def let_begin(request: HttpRequest, response: HttpResponse, shared: bool) -> None:
    """A welcome page leaves a cookie without which nothing begins, so a browser that keeps none begins nothing. On a shared
    device everybody gets another one: so the page that one person saw leads to nothing of the next."""
    if shared or not holder(request):
        set_cookie(response, START_COOKIE, offers.new_holder(), SHARED_SECONDS if shared else None)


def holder(request: HttpRequest) -> str:
    """The cookie with which this device may begin, blank if it has none that was made here."""
    cookie = request.COOKIES.get(START_COOKIE, "")
    return cookie if offers.is_holder(cookie) else ""


# ------------------------------------------------------------------------------------------------ the key of a response


def pages_of(handle: str) -> str:
    return reverse("questionnaire", args=[handle])


def key_at(request: HttpRequest, handle: str) -> str:
    """The key of the response whose pages these are, blank if this device does not hold it."""
    key = request.COOKIES.get(MOMENT_COOKIE if is_shared(request) else KEY_COOKIE, "")
    return key if key and handle_of(key) == handle else ""


def hold_key(request: HttpRequest, response: HttpResponse, key: str) -> None:
    """For the pages of this response: until the browser ends, on a shared device for the next page only."""
    pages = pages_of(handle_of(key))
    if is_shared(request):
        set_cookie(response, MOMENT_COOKIE, key, MOMENT_SECONDS, pages, for_script=True)
        response.delete_cookie(KEY_COOKIE, path=pages, samesite="Lax")  # begun here before the device was shared
        for name in (START_COOKIE, BEFORE_COOKIE):  # other ways to the same key
            response.delete_cookie(name, path=PATH, samesite="Lax")
    else:
        set_cookie(response, KEY_COOKIE, key, path=pages)


def drop_moment(response: HttpResponse, handle: str) -> None:
    """The page has the key now. The page with a script erases the cookie itself: without one it leads to the first step."""
    response.delete_cookie(MOMENT_COOKIE, path=pages_of(handle), samesite="Lax")


def forget_key(response: HttpResponse, handle: str) -> None:
    if handle:
        drop_moment(response, handle)
        response.delete_cookie(KEY_COOKIE, path=pages_of(handle), samesite="Lax")
    for name in (START_COOKIE, BEFORE_COOKIE):
        response.delete_cookie(name, path=PATH, samesite="Lax")


def remember_link(request: HttpRequest, response: HttpResponse, token: str) -> None:
    """The personal link that was opened here, for its own page; on a shared device until that page is there."""
    page = pages_of(link_handle(token))
    set_cookie(response, LINK_COOKIE, token, MOMENT_SECONDS if is_shared(request) else None, page)


def forget_link(response: HttpResponse, handle: str) -> None:
    response.delete_cookie(LINK_COOKIE, path=pages_of(handle), samesite="Lax")


# ------------------------------------------------------------------------------------------------ what was begun here


def count_begun(request: HttpRequest, response: HttpResponse, collection: Collection, key: str) -> int:
    """How many responses of a collection this device began, this one included.

    The device itself keeps the number, in a signed cookie that ends with the browser: the server gives devices no name, and
    remembers nothing of who began what. Who comes back to the response that was begun last here begins none.
    """
    handle = handle_of(key)
    known = _all_begun(request)
    before = known.pop(collection.uid.hex, Begun("", count=0))
    count = before.count + (before.handle != handle)
    _remember_begun(response, {**known, collection.uid.hex: Begun(handle, count=count)})
    return count


def begun_here(request: HttpRequest, collection: Collection) -> Begun | None:
    """The last response of this collection that was begun here; never on a shared device, which has forgotten it."""
    begun = None if is_shared(request) else _all_begun(request).get(collection.uid.hex)
    return begun if begun and begun.handle else None


def note_handed_in(request: HttpRequest, response: HttpResponse, collection: Collection, handle: str) -> None:
    known = _all_begun(request)
    begun = known.get(collection.uid.hex)
    if begun is not None and begun.handle == handle and not begun.submitted:
        _remember_begun(response, {**known, collection.uid.hex: Begun(handle, True, begun.count)})


def forget_begun(request: HttpRequest, response: HttpResponse, handle: str) -> None:
    """There is nothing at this handle any more; how many were begun stays."""
    known = _all_begun(request)
    if handle and any(begun.handle == handle for begun in known.values()):
        left = {uid: Begun("", count=b.count) if b.handle == handle else b for uid, b in known.items()}
        _remember_begun(response, left)


def _all_begun(request: HttpRequest) -> dict[str, Begun]:
    """By the collection's number, the last one last."""
    begun = {}
    try:
        for entry in _signer().unsign(request.COOKIES.get(BEGUN_COOKIE, "")).split("|"):
            uid, count, *more = entry.split(":")  # releases before wrote no more than these two
            handle, submitted = more or ("", "")
            begun[uid] = Begun(handle, submitted == "s", int(count))
    except (BadSignature, ValueError):
        return {}
    return begun


def _remember_begun(response: HttpResponse, known: dict[str, Begun]) -> None:
    last = list(known.items())[-MOST_COLLECTIONS:]
    entries = [f"{uid}:{b.count}:{b.handle}:{'s' * b.submitted}" for uid, b in last]
    set_cookie(response, BEGUN_COOKIE, _signer().sign("|".join(entries)))


def _signer() -> Signer:
    return Signer(salt="surveys.begun_on_device", sep=".")


# ------------------------------------------------------------------------------------------------ shared devices


def is_shared(request: HttpRequest) -> bool:
    return bool(shared_code(request))


def shared_code(request: HttpRequest) -> str:
    """The code of the meeting for which this device is shared, else blank."""
    code = request.COOKIES.get(SHARED_COOKIE, "")[:20]
    return code if code.isalnum() else ""


def share(request: HttpRequest, response: HttpResponse, code: str) -> None:
    """``?shared=yes`` in the welcome page's address, from the facilitator's page, makes the device a shared one for a day.

    No address ends it before: who typed that would find what the next person leaves on a device of one's own.
    """
    if request.GET.get("shared") == "yes" or is_shared(request):
        set_cookie(response, SHARED_COOKIE, code, SHARED_SECONDS)


def shared_welcome(code: str) -> str:
    return reverse("meeting_welcome", args=[code]) + "?shared=yes"


def lock_for(request: HttpRequest, collection: Collection) -> str | None:
    """The collection's public key for a shared device; None for a device of one's own."""
    if not is_shared(request):
        return None
    try:
        return devices.lock_of(collection)
    except collection_keys.KeyDestroyed:
        return ""


@cache
def _worker() -> bytes:
    """With the policy for the page that it serves: as the network's, with the style that stands in the page."""
    return built("sw.js").replace(STYLE_SLOT, answer_style_source().encode())
