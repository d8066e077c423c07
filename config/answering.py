"""A short way for the teacher's pages: the middleware that they do without is not run.

These pages have no session, no sign-in, no form token and no messages (surveys/views/teachers/requests.py says what takes their
place), and a room full of teachers asks for thousands of them: docs/adr/0009-answering-is-cheap.md. What stays: https,
host names, language, and the same security headers as every page.
"""

from collections.abc import Callable

from csp.utils import build_policy
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve

from config.language import activate_language
from surveys.answering.style import answer_style_source
from teams.base import away

PREFIX = "/a/"


class AnsweringMiddleware:
    """Stands right after SecurityMiddleware; what follows in settings.MIDDLEWARE is skipped below /a/.

    Only a view that says itself that it needs neither sign-in nor form token takes this way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.answer = convert_exception_to_response(self._answer)  # so that an error page has the headers too
        self.headers = {
            # their style stands in the page
            "Content-Security-Policy": build_policy(update={"style-src": [answer_style_source()]}) or "",
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        try:
            view = request.resolver_match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        if getattr(view.func, "login_required", True) or not getattr(view.func, "csrf_exempt", False):
            return self.get_response(request)
        language = activate_language(request)
        response = self.answer(request)
        assert isinstance(response, HttpResponse)
        headers = response.headers
        for name, value in self.headers.items():
            headers[name] = value
        headers.setdefault("Content-Language", language)
        headers["Content-Length"] = str(len(response.content))
        return response

    @staticmethod
    def _answer(request: HttpRequest) -> HttpResponse:
        request.get_host()  # refuses a host name that is not ours
        view = request.resolver_match
        assert view is not None
        try:
            response: HttpResponse = view.func(request, *view.args, **view.kwargs)
        except away.DATABASE_AWAY as error:
            return away.answer(error)
        return response
