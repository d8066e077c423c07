"""What somebody is told whose session is over: in place where a script of the page asked, else on the sign-in page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from teams.base import typed


class SignInMiddleware(LoginRequiredMiddleware):
    """Takes the place of Django's LoginRequiredMiddleware."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        """401 for a script, which would follow a redirect and find no part of its page on the page for signing in.

        A form leads back to the page on which it stood: the address that it was sent to may have no page of its own.
        """
        if "HX-Request" in request.headers or typed.is_autosave(request):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Cookie"})
        if request.method == "POST" and (page := _page_of(request)):
            return redirect_to_login(page)
        answer: HttpResponseBase = super().handle_no_permission(request, view_func)
        return answer


def _page_of(request: HttpRequest) -> str:
    """The page of ours on which a form stood, as its browser tells; empty where it does not."""
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    if (page.scheme, page.netloc) != (request.scheme, request.get_host()):
        return ""
    return page.path + (f"?{page.query}" if page.query else "")
