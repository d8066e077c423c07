"""Mails to somebody whose account changed: a new password, a second factor that came or went.

They go through the outbox, in the transaction of the change: a mail server that is away does not undo what its reader just
did, nor hide it.
"""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.mail import outbox
from teams.mail.composing import Mail, absolute, compose
from teams.mail.kinds import TeamMail
from teams.mail.outbox import Renderer, register
from teams.models import User

WORDS = {
    TeamMail.ACCOUNT_PASSWORD: gettext_lazy("A new password was chosen for your account."),
    TeamMail.ACCOUNT_FACTOR: gettext_lazy(
        "A second factor was added to your account: an app that shows codes, or a security key."
    ),
    TeamMail.ACCOUNT_NO_FACTOR: gettext_lazy(
        "A second factor was removed from your account: an app that shows codes, or a security key."
    ),
    TeamMail.ACCOUNT_RECOVERY_CODES: gettext_lazy(
        "New recovery codes were made for your account. The earlier ones no longer work."
    ),
}
#: allauth's name for each of its own mails about this, and what goes out in its place
IN_PLACE_OF = {
    "account/email/password_set": TeamMail.ACCOUNT_PASSWORD,
    "account/email/password_changed": TeamMail.ACCOUNT_PASSWORD,
    "account/email/password_reset": TeamMail.ACCOUNT_PASSWORD,
    "mfa/email/totp_activated": TeamMail.ACCOUNT_FACTOR,
    "mfa/email/webauthn_added": TeamMail.ACCOUNT_FACTOR,
    "mfa/email/totp_deactivated": TeamMail.ACCOUNT_NO_FACTOR,
    "mfa/email/webauthn_removed": TeamMail.ACCOUNT_NO_FACTOR,
    "mfa/email/recovery_codes_generated": TeamMail.ACCOUNT_RECOVERY_CODES,
}


def tell(user: User, allauths_name: str) -> None:
    """Put the mail in the outbox. Raises KeyError for a change that allauth may invent."""
    outbox.queue(IN_PLACE_OF[allauths_name], user.pk)


def _renderer(kind: TeamMail) -> Renderer:
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
        subject = _("Your Teamspiegel account was changed")
        return compose(user.email, subject, "emails/teams/account_changed.txt", context)

    return render


for kind in WORDS:
    register(kind)(_renderer(kind))
