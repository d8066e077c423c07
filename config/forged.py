"""The page of a form that came without a good token.

Mostly it was not forged: its sender signed in or out in another tab, which gives the browser another token. Then what was
typed is on this page, with a good token, and goes on at one press. A form that comes from elsewhere, or does not say where
from, gets nothing but a sentence: a page of others must not put words into our forms, not even to be looked at first.
"""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from teams.base.once import LIBRARIES

MOST = 200_000  # signs that are carried on


def failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django calls this in place of the view."""
    if not _from_here(request) or not _may_be_carried(request):
        return render(request, "403_csrf.html", status=403)
    view = request.resolver_match.func if request.resolver_match else None
    context = {
        "fields": _fields(request),
        "signed_out": not request.user.is_authenticated and getattr(view, "login_required", True),
    }
    return render(request, "403_again.html", context, status=403)


def _from_here(request: HttpRequest) -> bool:
    """Whether the browser says that a page of ours sent it. A page of others cannot make a browser say that."""
    said = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        sender = urlsplit(said)
    except ValueError:
        return False
    return (sender.scheme, sender.netloc) == (request.scheme, request.get_host())


def _may_be_carried(request: HttpRequest) -> bool:
    """No file goes on by itself, and no password stands in a page."""
    fields = _fields(request)
    view = request.resolver_match.func if request.resolver_match else None
    return (
        view is not None
        and not view.__module__.startswith(LIBRARIES)
        and not request.FILES
        and bool(fields)
        and sum(len(name) + len(value) for name, value in fields) <= MOST
        and not any("password" in name for name, _value in fields)
    )


def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken" for value in values]
