"""Before something that cannot be undone: the second factor, used in this session a moment ago.

Where somebody has no second factor, which production does not allow researchers, it is the password.
"""

import time
from urllib.parse import urlencode

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from teams.access import signed_in

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def prove_first(request: HttpRequest) -> HttpResponse | None:
    """To the page that asks for it, and then back here; None if it was given within the last minutes.

    Call it after the permission was checked: who may not see a page is not asked for anything.
    """
    user = signed_in(request)
    method = "mfa" if is_mfa_enabled(user, FACTORS) else "password"
    times = [record["at"] for record in get_authentication_records(request, user) if record.get("method") == method]
    if times and time.time() - max(times) < app_settings.REAUTHENTICATION_TIMEOUT:
        return None
    page = "mfa_reauthenticate" if method == "mfa" else "account_reauthenticate"
    return redirect(f"{reverse(page)}?{urlencode({'next': request.path})}")
