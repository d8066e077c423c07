"""Who is signed in and asks for what is not theirs, or sends a forged form: a line of the security log.

Whoever may not see an object gets "not found", as for one that does not exist (access.py), so both are lines. Pages that need
no account are left out: teachers, directors and holders of links come there, and an address of theirs is a permission itself.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from teams.base import security_log
from teams.base.security_log import Act
from teams.models import User

REFUSED = (403, 404)


class DeniedMiddleware:
    """Stands after AuthenticationMiddleware. Costs nothing where a page is given."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        page = request.resolver_match
        if response.status_code not in REFUSED or page is None or not getattr(page.func, "login_required", True):
            return response
        if isinstance(request.user, User):
            security_log.write(Act.DENIED, by=request.user.pk, page=page.url_name)
        return response
