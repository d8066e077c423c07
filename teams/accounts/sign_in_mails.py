"""Mails of sign-in: a code, a link to choose a password, or a word to whoever has no account.

They go through the outbox before all others, so that a mail server that hangs keeps no page waiting. The session of who asked
holds a random word; the code is a keyed hash of it, which the session does not tell and the outbox neither.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac

from teams.base import sealed
from teams.mail import composing, outbox
from teams.mail.composing import Mail
from teams.mail.kinds import TeamMail
from teams.mail.outbox import register
from teams.models import OutboxMessage, SignInMail

CODE = "account/email/login_code"
PURPOSE = b"sign-in mails"
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # none that is mistaken for another, no words
LENGTH = 8
KEPT = timedelta(days=1)
#: What of a mail's context its template shows; all else stays with the request.
SHOWN = ("code", "login_url", "password_reset_url")


def new_word() -> str:
    """What the session remembers of a code."""
    return secrets.token_urlsafe(24)


def code_of(word: str) -> str:
    """The code that is mailed and typed; none for no word."""
    if not word:
        return ""
    number = int.from_bytes(salted_hmac("teams.sign_in_mails", word, algorithm="sha256").digest())
    letters = ""
    for _n in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return f"{letters[: LENGTH // 2]}-{letters[LENGTH // 2 :]}"


@transaction.atomic
def ask(template: str, address: str, context: dict[str, Any], language: str) -> None:
    """Put one in the outbox. Without a template nothing goes out, and it takes as long."""
    shown = {name: str(context[name]) for name in SHOWN if name in context}
    if "code" in shown:
        shown["code"] = code_of(shown["code"])
    content = sealed.seal({"template": template, "to": address, "context": shown}, PURPOSE)
    row = SignInMail.objects.create(sealed=content.decode())
    outbox.queue(TeamMail.SIGN_IN, row.pk, language)


@register(TeamMail.SIGN_IN)
def _render(object_id: int, language: str) -> Mail | None:
    row = SignInMail.objects.filter(pk=object_id).first()
    if row is None:
        return None
    opened = sealed.open_(row.sealed.encode(), PURPOSE)
    lasts = timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT) if opened["template"] == CODE else KEPT
    if not opened["template"] or row.asked_at < timezone.now() - lasts:
        return None
    with translation.override(language):
        subject = " ".join(render_to_string(f"{opened['template']}_subject.txt", opened["context"]).split())
        return composing.compose(
            opened["to"], f"Teamspiegel: {subject}", f"{opened['template']}_message.txt", opened["context"]
        )


def forget() -> int:
    """What beat calls: nothing stays of them for longer than a day. Returns how many went."""
    old = list(SignInMail.objects.filter(asked_at__lt=timezone.now() - KEPT).values_list("pk", flat=True))
    with transaction.atomic():
        OutboxMessage.objects.filter(kind=TeamMail.SIGN_IN, object_id__in=old).delete()
        return SignInMail.objects.filter(pk__in=old).delete()[0]
