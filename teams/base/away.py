"""A database that cannot take or give anything just now: the page says so with 503, and the log in a line, not a traceback each.

Away, full, locked, started again, or read-only while somebody repairs it. Whoever sent something sends it again: a teacher's page
by itself.
"""

import logging
from collections.abc import Callable

from django.db import InternalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from teams.base.leases import DATABASE_AWAY as DATABASE_AWAY
from teams.base.leases import place_of

logger = logging.getLogger(__name__)
READ_ONLY = "25006"  # PostgreSQL's read_only_sql_transaction, which Django raises as an InternalError
AGAIN_AFTER = "30"  # seconds


class AwayMiddleware:
    """Answers for a view that the database let down."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer(error) if isinstance(error, DATABASE_AWAY) else None


def answer(error: Exception) -> HttpResponse:
    """The page, and the line in the log; raises the error again if it tells of what was asked, not of the whole database."""
    if isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") != READ_ONLY:
        raise error
    logger.error("The database does not answer: %s", place_of(error))
    return HttpResponse(render_to_string("500.html"), status=503, headers={"Retry-After": AGAIN_AFTER})
