"""What no page can mean: refused before a page is asked."""

from collections.abc import Callable, Iterable
from itertools import chain
from urllib.parse import urlsplit

from django.core.exceptions import BadRequest, DisallowedHost
from django.http import HttpRequest, HttpResponseBase, QueryDict, UnreadablePostError

NUL = "\0"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class UnreadableMiddleware:
    """Answers 400 to a request with a NUL in its address, cookies or form, or whose whole address cannot be read.

    No keyboard types a NUL and PostgreSQL takes it in no text, so that every page that looks something up would fail on it.
    Files may hold it; who reads them judges that. An address such as ``http://[a:::::]/`` has the form of one and is none:
    whatever makes a whole address of the request, as the way to the sign-in page does, would fail on it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if any(NUL in text for text in _texts(request)):
            raise BadRequest("NUL")
        try:
            urlsplit(request.build_absolute_uri())
        except DisallowedHost:  # can be read, but is not ours: who asks for the host refuses it
            pass
        except ValueError as error:
            raise BadRequest("address") from error
        return self.get_response(request)


def _texts(request: HttpRequest) -> Iterable[str]:
    yield request.path_info
    yield from request.COOKIES.values()
    yield from _of(request.GET)
    if request.method == "POST" and request.content_type in FORMS:
        try:
            yield from _of(request.POST)
        except UnreadablePostError as error:  # whoever sent it is gone
            raise BadRequest("unreadable") from error


def _of(query: QueryDict) -> Iterable[str]:
    return chain.from_iterable((name, *values) for name, values in query.lists())
