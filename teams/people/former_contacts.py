"""Telling who was leader, director or contact person that somebody else is now: by whom, in which study, whom to ask.

Whoever takes over a team's pages, or is taken off them by a slip, is so seen by the one person who knows better. Nobody is
told who never had a mail about the study: then nothing was taken away, and the mail would be the first they hear of it.
"""

from __future__ import annotations

from django.utils import timezone

from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.models import Academy, FormerContact, Invitation, Participation, Role, Study, User


def tell(
    part: str,
    study: Study,
    name: str,
    email: str,
    *,
    participation: Participation | None = None,
    academy: Academy | None = None,
    by: User | None = None,
    by_director: bool = False,
    of_team: str = "",
) -> None:
    """Queue the mail to the one before, inside the transaction of the change.

    Args:
        by: who changed it, signed in; the row says whether as the leader of the wave or as a researcher.
        by_director: it was changed through the director's link.
        of_team: the name of a team that became one with the participation's.
    """
    changer = FormerContact.Changer.RESEARCHER
    if by_director:
        changer = FormerContact.Changer.DIRECTOR
    elif by is not None and Role.objects.filter(user=by, participation=participation, kind=Role.Kind.LEADER).exists():
        changer = FormerContact.Changer.LEADER
    former = FormerContact.objects.create(
        study=study,
        participation=participation,
        academy=academy,
        part=part,
        name=name,
        email=email,
        of_team=of_team,
        changer=changer,
        by=by,
    )
    outbox.queue(TeamMail.FORMER_CONTACT, former.pk, study=study)


def leader_was_asked(participation: Participation) -> bool:
    """Whether the leader whom this wave names was ever mailed about the team: in this wave, or as leader of an earlier one."""
    waves = Participation.objects.filter(team=participation.team_id, leader_email__iexact=participation.leader_email)
    asked = Invitation.objects.filter(participation__in=waves, sent_at__lte=timezone.now())
    return asked.exists() or Role.objects.filter(participation__in=waves, kind=Role.Kind.LEADER).exists()


def director_was_asked(invitation: Invitation) -> bool:
    """Whether this study's invitation went to the director."""
    return invitation.sent_at is not None
