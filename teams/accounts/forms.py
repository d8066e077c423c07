"""Forms of signing in where allauth's do not do."""

from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP

from teams.accounts.sign_in_mails import code_of


class CodeForm(ConfirmLoginCodeForm):  # type: ignore[misc]  # allauth has no types
    """A code is typed; the session holds the word of which it is made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["code"] = code_of(kwargs.get("code", ""))
        super().__init__(*args, **kwargs)


class ActivateForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """The code that sets up the app is used up by that: allauth remembers only those of signing in."""

    def clean_code(self) -> Any:
        code = super().clean_code()
        if not TOTP(Authenticator(user=self.user))._mark_code_used(code):
            raise get_adapter().validation_error("incorrect_code")
        return code
