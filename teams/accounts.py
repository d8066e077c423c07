"""Sign-in: who may come in, and how.

Nobody signs up: accounts are made by an administrator (researchers) or by a leader's own acceptance. A leader needs no
password: a code is mailed. A researcher or administrator never comes in by such a code alone, since whoever reads their
mail would read the answers of a whole study: they are mailed "use your password" instead of a code, and a session that
was opened by a code alone is ended. Where settings.SECOND_FACTOR_REQUIRED holds they set up a second factor first.

Mails of sign-in go out at once and not through the outbox: their code exists in the visitor's session only.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation

from teams.access import is_researcher
from teams.models import User

CODE = "account/email/login_code"
USE_PASSWORD = "account/email/use_password"  # noqa: S105  a template's name
# Where a researcher without a second factor may still go: its set-up (names that begin with "mfa_"), and out
BEFORE_SECOND_FACTOR = {"account_logout", "account_reauthenticate", "account_change_password", "set_language"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """What allauth asks us: no sign-up, no code for researchers, mails in the person's own language."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return f"Teamspiegel: {subject}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if template_prefix == CODE and user is not None and is_researcher(user):
            template_prefix = USE_PASSWORD
            context = {"login_url": f"{settings.BASE_URL}{reverse('account_login')}"}
        with translation.override(user.language if user else translation.get_language()):
            super().send_mail(template_prefix, email, context)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponseBase | None:
        response: HttpResponseBase | None = super().pre_login(request, user, **kwargs)
        if response is None and _by_code_alone(request, user) and is_researcher(user):
            clear_login(request)
            return to_password()
        return response


class SecondFactorMiddleware:
    """Ends researchers' sessions that a mailed code alone opened; sends those without a second factor to its set-up.

    Pages that need no sign-in are left alone: they cost no query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if not getattr(view, "login_required", True) or not isinstance(request.user, User):
            return None
        by_code = _by_code_alone(request, request.user)
        if not (by_code or settings.SECOND_FACTOR_REQUIRED) or not is_researcher(request.user):
            return None
        if by_code:
            logout(request)
            return to_password()
        page = request.resolver_match.url_name if request.resolver_match else None
        if page is None or page.startswith("mfa_") or page in BEFORE_SECOND_FACTOR:
            return None
        if is_mfa_enabled(request.user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
            return None
        return redirect("mfa_activate_totp")


def to_password() -> HttpResponse:
    """Send somebody to the sign-in page, which says there that they need their password."""
    return redirect(f"{reverse('account_login')}?{urlencode({'use': 'password'})}")


@login_not_required
def closed(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Pages of allauth that Teamspiegel does not have, such as sign-up."""
    raise Http404


def _by_code_alone(request: HttpRequest, user: User) -> bool:
    return {record.get("method") for record in get_authentication_records(request, user)} == {"code"}
