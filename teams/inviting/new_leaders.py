"""Telling who leads a team from now on: a researcher put another address in the place of a leader who had accepted.

Whoever is still to be asked gets the invitation, and needs no other mail. Nobody is mailed who said no in this study (declined,
or stopped), or wants no reminders: they are led back into a study that they left, or mailed against their wish. The pages open
to them all the same, so the researcher is told that nobody told them.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from teams.mail import outbox, refusals
from teams.mail.kinds import TeamMail
from teams.models import Invitation, Participation, Role, Study
from teams.text.directions import isolated

_SAID_NO = (Invitation.State.DECLINED, Invitation.State.WITHDRAWN)


def tell(participation: Participation) -> bool:
    """Queue the mail, inside the transaction of the change. False where nobody is to be told by mail."""
    outbox.drop(TeamMail.LEADER_NAMED, participation.pk)  # who was named a moment ago and is replaced already
    if not _pages_are_open(participation) or wants_no_mail(participation.study, participation.leader_email):
        return False
    outbox.queue(TeamMail.LEADER_NAMED, participation.pk, study=participation.study)
    return True


def wants_no_mail(study: Study, email: str) -> bool:
    """Whether this address said no in the study, as a leader or as a director, or asked for no reminders anywhere.

    A team that its director left out says nothing about its leader.
    """
    said_no = Invitation.objects.filter(study=study, state__in=_SAID_NO).exclude(reason=Invitation.Reason.LEFT_OUT)
    theirs = Q(participation__leader_email__iexact=email) | Q(academy__director_email__iexact=email)
    return said_no.filter(theirs).exists() or refusals.wants_none(email)


def untold(participation: Participation) -> str:
    """Why who leads the team gets no mail about it, in a sentence for the researcher; blank where one goes, or none is due."""
    if not _pages_are_open(participation) or not wants_no_mail(participation.study, participation.leader_email):
        return ""
    return _(
        "%(name)s gets no email: this address declined in this study, or asked for no reminders. Please tell them "
        "yourself that they now lead the team."
    ) % {"name": isolated(participation.leader_name)}


def _pages_are_open(participation: Participation) -> bool:
    """Whether the team takes part, and its pages open to its leader."""
    led = Role.objects.filter(participation=participation, kind=Role.Kind.LEADER)
    taking_part = Participation.objects.filter(pk=participation.pk, state=Participation.State.ACCEPTED)
    return taking_part.exists() and led.exists()
