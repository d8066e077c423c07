"""What a page's scripts and the server say to each other about what somebody types (static/js/typed.js and autosave.js).

A tab keeps what was typed into a form until the server has taken it. The form carries a mark: who typed, and a number. When
the form was taken, a cookie says so of that number for two minutes, and the script forgets what it kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from teams.base.keyed import digests
from teams.models import User

MARK = re.compile(r"([0-9a-f]{16})?\.([a-z0-9]{2,20})")
TOLD = 120  # seconds that the cookie stays: until the next page is there


class TypedMiddleware:
    """Tells the script of a page which form was taken, and refuses one that somebody else typed.

    Stands within the middleware of messages: a view that goes on to another page with an error has taken nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        mark = _mark_of(request)
        if mark and not is_autosave(request) and _is_taken(request, response):
            assert isinstance(response, HttpResponse) or hasattr(response, "set_cookie")
            response.set_cookie(
                f"typed-{mark[1]}", "1", max_age=TOLD, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
            )
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """A page of somebody who signed out stays open in a tab; whoever signs in in another one does not send its form."""
        mark = _mark_of(request)
        if not mark or not mark[0] or not isinstance(request.user, User) or mark[0] in _names(request.user):
            return None
        if "HX-Request" in request.headers or is_autosave(request):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Cookie"})
        return render(request, "teams/typed_by_another.html", status=409)


def person(user: User) -> str:
    """Under which name a tab keeps what somebody types: it tells nobody who that is."""
    return _names(user)[0]


def taken(response: HttpResponse) -> HttpResponse:
    """Say of a page, shown in answer to a form, that the form was taken: it is no page with its errors."""
    response.form_was_taken = True  # type: ignore[attr-defined]
    return response


def is_taken(response: HttpResponse) -> bool:
    """Whether `taken` was said of it."""
    return bool(getattr(response, "form_was_taken", False))


def _names(user: User) -> list[str]:
    return [digest[:16] for digest in digests("teams.typed.person", str(user.pk))]


def _mark_of(request: HttpRequest) -> tuple[str, str] | None:
    if request.method != "POST":
        return None
    mark = MARK.fullmatch(request.POST.get("typed", ""))
    return (mark[1] or "", mark[2]) if mark else None


def _is_taken(request: HttpRequest, response: HttpResponseBase) -> bool:
    if getattr(response, "form_was_taken", False):
        return True
    if 300 <= response.status_code < 400:
        storage: Any = messages.get_messages(request)  # reading it would empty it
        levels = {message.level for message in getattr(storage, "_queued_messages", ())}
        refused = levels & {messages.WARNING, messages.ERROR} and messages.SUCCESS not in levels
        return not refused and not response.headers["Location"].startswith(reverse("account_login"))
    # a file; a page is the form again, with its errors
    return response.status_code == 200 and not response.headers.get("Content-Type", "").startswith("text/html")


def is_autosave(request: HttpRequest) -> bool:
    """Whether the form was sent by itself while somebody types. Only a page of ours can set the header."""
    return request.headers.get("X-Autosave") == "yes"


def autosaved(opened: str, others: Mapping[str, str]) -> JsonResponse:
    """It is written down. ``opened``: how the form looks now; ``others``: its fields that somebody else changed meanwhile."""
    return JsonResponse({"autosave": "saved", "opened": opened, "others": dict(others)})


def not_autosaved(reasons: Iterable[str], status: int = 422) -> JsonResponse:
    """Nothing was written, and why: said beside the form, which keeps what was typed."""
    return JsonResponse({"autosave": "refused", "reasons": list(reasons)}, status=status)


def two_texts(both: str, others: Mapping[str, str]) -> JsonResponse:
    """Nothing was written, for somebody else changed the same: ``both`` texts, for the page to show them.

    ``others``: the other fields that somebody else changed. The page holds them from here on, for it is known that it was told.
    """
    return JsonResponse({"autosave": "conflict", "both": both, "others": dict(others)}, status=409)


def reasons_of(form: BaseForm) -> list[str]:
    """The errors of a form, each with the name of its field."""
    reasons = []
    for name, errors in form.errors.items():
        label = str(form[name].label) if name in form.fields else ""
        reasons += [f"{label}: {error}" if label else str(error) for error in errors]
    return reasons
