"""What the teacher's pages have in common: who may post to them, their language, and what they answer.

No session and no cookie authority: the response key in the body is the authority for every write, at the address of its own
response only, so these views are csrf_exempt and check where a request comes from. Cookies only spare the teacher from typing:
they are limited to /a/ (a key's to the pages of its response), and end with the browser. A GET writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt

from surveys.answering.page_slots import Slotted
from surveys.views.teachers import device
from teams.models.languages import current_language

View = Callable[..., HttpResponse]


def respondent(view: View) -> View:
    """Marks a public page of the teacher: in the language asked for, never stored, and no posts from other sites."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and _from_elsewhere(request):
            return HttpResponseForbidden("This request comes from another site.", content_type="text/plain")
        asked = request.GET.get("language") or (request.POST.get("language") if is_form(request) else None)
        language = asked if asked in dict(settings.LANGUAGES) else current_language()
        with override(language):
            response = view(request, *args, **kwargs)
        if asked == language:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                samesite="Lax",
            )
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return csrf_exempt(login_not_required(wrapped))


def is_form(request: HttpRequest) -> bool:
    return request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")


def see(address: str) -> HttpResponse:
    """303: the browser fetches the address with GET, so that reload and back repeat nothing."""
    return HttpResponse(status=303, headers={"Location": address})


def nothing_open(request: HttpRequest, handle: str = "") -> HttpResponse:
    """This device has no response there; a shared one goes back to the welcome page, so that back shows nothing of before."""
    if code := device.shared_code(request):
        return HttpResponseRedirect(device.shared_welcome(code))
    response = render(request, "surveys/nothing_open.html", status=404)
    device.forget_begun(request, response, handle)
    return response


def no_cookies(request: HttpRequest) -> HttpResponse:
    """The browser gives back no cookie at all: said before anything begins."""
    return render(request, "surveys/no_cookies.html", status=400)


def filled(request: HttpRequest, made: Slotted, values: Mapping[str, bytes]) -> HttpResponse:
    """A page with its slots filled, compressed for who takes that."""
    gzip = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    response = HttpResponse(made.gzipped(values) if gzip else made.plain(values), headers={"Vary": "Accept-Encoding"})
    if gzip:
        response["Content-Encoding"] = "gzip"
    return response


def _from_elsewhere(request: HttpRequest) -> bool:
    """Whether another site sent this. With no-referrer a form's origin is 'null', so only a real other one is refused."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin", "")
    return origin not in ("", "null") and origin.partition("://")[2] != request.get_host()  # parsing may fail
