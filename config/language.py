"""The reader's language: the one chosen on any page, remembered in a cookie; Dutch until then.

What the browser asks for is left aside: the users are Dutch teachers, and many a browser at a school asks for English.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation


class LanguageMiddleware:
    """Takes the place of Django's LocaleMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = activate_language(request)
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


def activate_language(request: HttpRequest) -> str:
    """Use the reader's language from here on; which one it is."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    translation.activate(language)
    request.LANGUAGE_CODE = language
    return language
