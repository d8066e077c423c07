"""Withdrawing a permission that was given, and new links for old ones.

A team may stop at any time, and a director may take the whole academy out. Here only the permission ends: nobody is mailed
about the study any more, but for one notice to the leaders. What happens with the answers is decided above this app
(analysis/withdrawals.py): before publication they are deleted, after it they are not used any more.
"""

from django.db import transaction
from django.utils import timezone

from teams import history
from teams.inviting.invitations import REASONS_TO_DECLINE, teams_of
from teams.links import new_nonce
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.meetings import planning
from teams.models import Invitation, Participation, User
from teams.studies.setting_up import link_until

OPEN_STATES = (Invitation.State.LISTED, Invitation.State.SENT, Invitation.State.ACCEPTED)
TAKING_PART_OR_ASKED = (Participation.State.INVITED, Participation.State.ACCEPTED)


@transaction.atomic
def withdraw(
    invitation: Invitation, reason: str, text: str = "", *, by: User | None = None, by_link: bool = False
) -> bool:
    """Take back a permission: a director for the academy and all its teams, a leader for one team.

    Returns:
        False, with nothing changed, if there is no permission to take back.

    Raises:
        ValueError: for a reason that nobody may give.
    """
    if reason not in dict(REASONS_TO_DECLINE):
        raise ValueError(f"'{reason}' is no reason to withdraw.")
    ended = {
        "state": Invitation.State.WITHDRAWN,
        "reason": reason,
        "reason_text": text,
        "answered_at": timezone.now(),
    }
    accepted = Invitation.objects.filter(pk=invitation.pk, state=Invitation.State.ACCEPTED)
    if not accepted.update(**ended):
        return False
    detail = f"{reason}: {text}" if text else reason
    if invitation.academy_id:
        teams = teams_of(invitation)
        history.record(
            invitation.study,
            history.Happened.DIRECTOR_WITHDREW,
            academy=invitation.academy,
            by=by,
            by_link=by_link,
            detail=detail,
        )
    else:
        teams = list(Participation.objects.filter(invitation=invitation).select_related("team", "invitation"))
    for participation in sorted(teams, key=lambda team: team.pk):  # by number, as who opens many teams at once
        # the invitation and then the team, as where a leader accepts: one who accepts at this moment is waited for, and told
        Invitation.objects.filter(pk=participation.invitation.pk, state__in=OPEN_STATES).update(**ended)
        was = Participation.objects.select_for_update(no_key=True).get(pk=participation.pk).state
        ours = Participation.objects.filter(pk=participation.pk, state__in=TAKING_PART_OR_ASKED)
        if ours.update(state=Participation.State.WITHDRAWN) and was == Participation.State.ACCEPTED:
            history.record(
                invitation.study,
                history.Happened.TEAM_WITHDRAWN,
                participation=participation,
                by=by,
                by_link=by_link,
                detail=detail,
            )
            outbox.queue(TeamMail.TEAM_WITHDRAWN, participation.invitation.pk, study=invitation.study)
    planning.end_meetings(teams)
    return True


@transaction.atomic
def reissue(invitation: Invitation, by: User | None = None) -> bool:
    """A new link in place of the old one, mailed to who has not answered. Returns False if no answer is waited for."""
    now = timezone.now()
    waiting = Invitation.objects.filter(pk=invitation.pk, state=Invitation.State.SENT, sent_at__lte=now)
    if not waiting.update(nonce=new_nonce(), link_until=link_until(invitation.study), reminded_at=now):
        return False
    if invitation.academy_id:
        history.record(invitation.study, history.Happened.LINK_REISSUED, academy=invitation.academy, by=by)
        outbox.queue(TeamMail.DIRECTOR_INVITATION, invitation.pk, study=invitation.study)
    else:
        participation = Participation.objects.select_related("team").get(invitation=invitation)
        history.record(invitation.study, history.Happened.LINK_REISSUED, participation=participation, by=by)
        outbox.queue(TeamMail.LEADER_INVITATION, invitation.pk, study=invitation.study)
    return True
