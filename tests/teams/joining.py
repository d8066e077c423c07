"""How somebody becomes a researcher in tests: asked by mail, with a yes behind the link of that mail."""

import re
from urllib.parse import urlsplit

from django.core import mail as django_mail
from django.http import HttpResponse
from django.test import Client

from teams.mail.outbox import send_due
from teams.models import ResearcherInvitation, Study, User
from teams.studies import joining

LINK = re.compile(r"^https?://\S+$", re.MULTILINE)


def mailed_path(to: str) -> str:
    """The path of the link in the last mail to an address."""
    send_due()
    sent = [message for message in django_mail.outbox if message.to == [to]][-1]
    return urlsplit(LINK.search(sent.body).group()).path


def says_yes(to: str) -> HttpResponse:
    """Opens the last mail's link and presses "yes"."""
    return Client().post(mailed_path(to), {"accept": "1"})


def joined(study: Study, name: str, email: str, by: User) -> User:
    """Somebody who was asked and said yes; no mail is sent for it here."""
    assert joining.ask_for_study(study, name, email, by) == joining.Asked.MAILED
    user = joining.accept(ResearcherInvitation.objects.get(study=study, email__iexact=email))
    assert user is not None
    return user
