"""Mails to somebody whose account changed: a new password, a second factor that came or went.

They go through the outbox, in the transaction of the change: a mail server that is away does not undo what its reader just
did, nor hide it.
"""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.mail import outbox
from teams.mail.composing import Mail, absolute, compose
from teams.mail.outbox import Renderer, register
from teams.models import User

PASSWORD, FACTOR, NO_FACTOR, CODES = (
    f"teams.account_{what}" for what in ("password", "factor", "no_factor", "recovery_codes")
)
WORDS = {
    PASSWORD: gettext_lazy("A new password was chosen for your account."),
    FACTOR: gettext_lazy("A second factor was added to your account: an app that shows codes, or a security key."),
    NO_FACTOR: gettext_lazy("A second factor was taken off your account: an app that shows codes, or a security key."),
    CODES: gettext_lazy("New recovery codes were made for your account. The ones before do not work any more."),
}
#: allauth's name for each of its own mails about this, and what goes out in its place
IN_PLACE_OF = {
    "account/email/password_set": PASSWORD,
    "account/email/password_changed": PASSWORD,
    "account/email/password_reset": PASSWORD,
    "mfa/email/totp_activated": FACTOR,
    "mfa/email/webauthn_added": FACTOR,
    "mfa/email/totp_deactivated": NO_FACTOR,
    "mfa/email/webauthn_removed": NO_FACTOR,
    "mfa/email/recovery_codes_generated": CODES,
}


def tell(user: User, allauths_name: str) -> None:
    """Put the mail in the outbox. Raises KeyError for a change that allauth may invent."""
    outbox.queue(IN_PLACE_OF[allauths_name], user.pk)


def _renderer(kind: str) -> Renderer:
    def render(object_id: int, language: str) -> Mail | None:
        user = User.objects.filter(pk=object_id, is_active=True).first()
        if user is None:
            return None
        context: dict[str, object] = {
            "name": user.name,
            "what": WORDS[kind],
            "reset": absolute(reverse("account_reset_password")),
            "factors": absolute(reverse("mfa_index")),
        }
        subject = _("Your account of Teamspiegel was changed")
        return compose(user.email, subject, "emails/teams/account_changed.txt", context)

    return render


for one in WORDS:
    register(one, any_hour=True)(_renderer(one))
