"""Sign-in: who may come in, and how.

Nobody signs up: accounts are made by an administrator (researchers) or by a leader's own acceptance. A leader needs no
password: a code is mailed. A researcher or administrator never comes in by such a code alone, since whoever reads their
mail would read the answers of a whole study: they are mailed "use your password" instead of a code, and a session that
was opened by a code alone is ended. Where settings.SECOND_FACTOR_REQUIRED holds they set up a second factor first.

Mails of sign-in go through the outbox before all others (sign_in_mails.py). Their links begin with settings.BASE_URL, whatever
host the visitor named. Mails that an account was changed: mails.py.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.forms import default_token_generator
from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context as current
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation

from teams.access import is_researcher
from teams.accounts import mails, sign_in_mails
from teams.accounts.sign_in_log import account_of, address_of
from teams.base import security_log
from teams.base.security_log import Act
from teams.mail.composing import absolute
from teams.models import User

UNKNOWN = "account/email/unknown_account"
USE_PASSWORD = "account/email/use_password"  # noqa: S105  a template's name
LIMIT_REACHED = {"too_many_login_attempts", "rate_limited"}
# Where a researcher without a second factor may still go: its set-up (names that begin with "mfa_"), and out
BEFORE_SECOND_FACTOR = {"account_logout", "account_reauthenticate", "account_change_password", "set_language"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """What allauth asks us: no sign-up, no code for researchers, mails in the person's own language, a line for the log."""

    trying = ""  # the address of who signs in by password just now

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:  # no address at all, such as //[a:
            return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if template_prefix == sign_in_mails.CODE and user is not None and is_researcher(user):
            template_prefix = USE_PASSWORD
            context = {"login_url": absolute(reverse("account_login"))}
        if template_prefix == UNKNOWN and not _may_tell_unknown(email):
            template_prefix = ""  # no mail, and yet the page takes as long as with one
        language = user.language if user else translation.get_language()
        sign_in_mails.ask(template_prefix, email, context, language)

    def generate_login_code(self) -> str:
        """What the session remembers; the code is made of it (sign_in_mails.py)."""
        return sign_in_mails.new_word()

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        mails.tell(user, template_prefix)

    def get_reset_password_from_key_url(self, key: str) -> str:
        return absolute(new_password_path(key))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self.trying = credentials.get("email", "")
        super().pre_authenticate(request, **credentials)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        of = _number_of(credentials.get("email", ""))
        security_log.write(Act.SIGN_IN_FAILED, of=of, method="password", address=address_of(request))

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        if code in LIMIT_REACHED:
            of = _number_of(self.trying) if self.trying else account_of(current.request)
            security_log.write(Act.LOCKED, of=of, address=address_of(current.request))
        error: ValidationError = super().validation_error(code, *args)
        return error

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        request.session.signed_in()  # type: ignore[attr-defined]  # config/sessions.py
        methods = " ".join(str(record.get("method")) for record in get_authentication_records(request, user))
        security_log.write(Act.SIGNED_IN, by=user.pk, method=methods, address=address_of(request))

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


def new_password_path(key: str) -> str:
    """The path of a mailed link on which a password is chosen; ``key`` as allauth makes it, account and signature."""
    return reverse("account_reset_password_from_key", args=key.split("-", 1))


def set_password_path(user: User) -> str:
    """The path on which somebody without a password sets one: as for a forgotten one, so it ends after some days."""
    return new_password_path(f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}")


def to_password() -> HttpResponse:
    """Send somebody to the sign-in page, which says there that they need their password."""
    return redirect(f"{reverse('account_login')}?{urlencode({'use': 'password'})}")


@login_not_required
def closed(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Pages of allauth that Teamspiegel does not have, such as sign-up."""
    raise Http404


def too_many(request: HttpRequest) -> HttpResponse:
    """The page of a limit that was reached, with a line for the log."""
    security_log.write(Act.LOCKED, of=account_of(request), address=address_of(request))
    return render(request, "429.html", status=429)


def _by_code_alone(request: HttpRequest, user: User) -> bool:
    return {record.get("method") for record in get_authentication_records(request, user)} == {"code"}


def _number_of(email: str) -> int | None:
    return User.objects.filter(email__iexact=email).values_list("pk", flat=True).first()


def _may_tell_unknown(email: str) -> bool:
    """Whether an address without an account is told so: seldom, since anybody can name anybody's address (docs/limits.md)."""
    own = ratelimit.consume(current.request, app="allauth.account", action="unknown_address", key=email.lower())
    return bool(own) and bool(
        ratelimit.consume(current.request, app="allauth.account", action="unknown_addresses", key="all")
    )
