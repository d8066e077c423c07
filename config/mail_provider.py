"""Mail through a provider's API: read from EMAIL_URL, such as ``anymail+postmark:?SERVER_TOKEN=secret``
(a name of two words with a hyphen: ``anymail+amazon-ses:``).

The names behind the question mark are django-anymail's settings of that provider without its name in front.
"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured

SCHEME = "anymail+"
# Providers that can be told for each mail not to count openings and clicks; at the others it is switched off in the account.
# Whoever counts clicks on personal links knows who took part.
CAN_LEAVE_OFF_TRACKING = ("mailersend", "mailgun", "mailjet", "mandrill", "postmark", "sparkpost", "unisender_go")
PROVIDERS = (*CAN_LEAVE_OFF_TRACKING, "amazon_ses", "brevo", "mailtrap", "postal", "resend", "scaleway")


def provider_of(url: str) -> str:
    """The provider that an EMAIL_URL names; empty for mail over SMTP. Raises ImproperlyConfigured for an unknown one."""
    scheme = urlsplit(url).scheme
    if not scheme.startswith(SCHEME):
        return ""
    name = scheme.removeprefix(SCHEME).replace("-", "_")
    if name not in PROVIDERS:
        raise ImproperlyConfigured(f"EMAIL_URL names the provider '{name}'; known are {', '.join(PROVIDERS)}.")
    return name


def settings_of(url: str, webhook_secret: str = "") -> dict[str, Any]:
    """The settings of Django and django-anymail for an EMAIL_URL that names a provider."""
    name = provider_of(url)
    anymail: dict[str, Any] = {f"{name.upper()}_{key.upper()}": value for key, value in parse_qsl(urlsplit(url).query)}
    if name in CAN_LEAVE_OFF_TRACKING:
        anymail["SEND_DEFAULTS"] = {"track_opens": False, "track_clicks": False}
    if webhook_secret:
        anymail["WEBHOOK_SECRET"] = webhook_secret
    return {"EMAIL_BACKEND": f"anymail.backends.{name}.EmailBackend", "MAIL_PROVIDER": name, "ANYMAIL": anymail}
