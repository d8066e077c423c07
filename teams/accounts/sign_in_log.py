"""What happens to accounts, as allauth reports it: lines of the security log.

Its signals are the only places where it says that a code was wrong or a factor came or went. Nothing here decides anything.
"""

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.internal.stagekit import unstash_login
from allauth.core.internal import ratelimit
from allauth.mfa import signals as mfa_signals
from django.http import HttpRequest

from teams.base import security_log
from teams.base.security_log import Act
from teams.models import User


def connect() -> None:
    """Listen to allauth, from AppConfig.ready on."""
    for signal, receiver in (
        (account_signals.login_code_rejected, _wrong_code),
        (mfa_signals.authentication_failed, _wrong_factor),
        (mfa_signals.authenticator_added, _factor_set),
        (mfa_signals.authenticator_reset, _factor_set),
        (mfa_signals.authenticator_removed, _factor_removed),
        (account_signals.password_set, _password_set),
        (account_signals.password_changed, _password_set),
        (account_signals.password_reset, _password_set),
    ):
        signal.connect(receiver, dispatch_uid=f"teams.accounts.sign_in_log.{receiver.__name__}")


def address_of(request: HttpRequest) -> str:
    """The visitor's address on the network, as the sign-in limits count it (an IPv6 address by its network)."""
    return str(ratelimit.get_ip(request))


def account_of(request: HttpRequest) -> int | None:
    """Whose account a visitor is in, or signing in to with the password known already."""
    if isinstance(request.user, User):
        return request.user.pk
    login = unstash_login(request, peek=True)
    return login.user.pk if login and login.user else None


def _wrong_code(request: HttpRequest, user: User, **_given: Any) -> None:
    security_log.write(Act.SIGN_IN_FAILED, of=user.pk, method="code", address=address_of(request))


def _wrong_factor(request: HttpRequest, user: User, **_given: Any) -> None:
    security_log.write(Act.SIGN_IN_FAILED, of=user.pk, method="factor", address=address_of(request))


def _factor_set(request: HttpRequest, user: User, authenticator: Any, **_given: Any) -> None:
    security_log.write(Act.FACTOR_SET, by=user.pk, kind=str(authenticator.type), address=address_of(request))


def _factor_removed(request: HttpRequest, user: User, authenticator: Any, **_given: Any) -> None:
    security_log.write(Act.FACTOR_REMOVED, by=user.pk, kind=str(authenticator.type), address=address_of(request))


def _password_set(request: HttpRequest, user: User, **_given: Any) -> None:
    security_log.write(Act.PASSWORD_SET, by=user.pk, address=address_of(request))
