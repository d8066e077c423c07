"""Nothing that an account sees stays in the browser's store: a shared computer's next user would find it by "back"."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


class NoStoreMiddleware:
    """Every page that needs a sign-in says ``no-store``, whatever its view says; a public one unless it says something else.

    Static files and the teacher's pages are answered before this; theirs say what they need (config/answering.py).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        view = request.resolver_match.func if request.resolver_match else None
        if getattr(view, "login_required", True) and "no-store" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "no-store"
        response.headers.setdefault("Cache-Control", "no-store")
        return response
