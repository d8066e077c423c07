"""Who the people of a team are: corrected addresses, and whose account a team's pages open to.

A corrected address ends the old link and moves what still waits: the mail, the account, the calendar.
"""

from django.db import transaction
from django.utils import timezone

from teams import history, mail, planning
from teams.links import new_nonce
from teams.models import Academy, Invitation, Participation, Role, Team, User


@transaction.atomic
def correct_director(academy: Academy, name: str, email: str, *, by: User | None = None) -> bool:
    """Change who the director is. A new address ends the old link, and gets an invitation that still waits."""
    old_email, email = academy.director_email.lower(), email.lower()
    if (academy.director_name, old_email) == (name, email):
        return False
    detail = f"{_change(academy.director_name, old_email)} → {_change(name, email)}"
    academy.director_name, academy.director_email = name, email
    Academy.objects.filter(pk=academy.pk).update(director_name=name, director_email=email)
    for invitation in Invitation.objects.filter(academy=academy).select_related("study"):
        history.record(invitation.study, "contact_changed", academy=academy, by=by, detail=detail)
        if old_email != email:
            _renew(invitation, "teams.director_invitation")
    return True


@transaction.atomic
def correct_leader(team: Team, name: str, email: str, *, by: User | None = None, by_link: bool = False) -> bool:
    """Change who the leader is. A new address ends the old link.

    A researcher's correction also moves the access to the team's pages at once. A director's does not: it moves when the
    new leader accepts, so that nobody gets a report by naming an address.
    """
    old_email, email = team.leader_email.lower(), email.lower()
    if (team.leader_name, old_email) == (name, email):
        return False
    detail = f"{_change(team.leader_name, old_email)} → {_change(name, email)}"
    team.leader_name, team.leader_email = name, email
    Team.objects.filter(pk=team.pk).update(leader_name=name, leader_email=email)
    for participation in Participation.objects.filter(team=team).select_related("study", "invitation"):
        history.record(
            participation.study,
            "contact_changed",
            participation=participation,
            by=by,
            by_link=by_link,
            detail=detail,
        )
        if old_email != email:
            _renew(participation.invitation, "teams.leader_invitation", email)
    planning.follow_people(team.participations.all())
    if not by_link and Role.objects.filter(team=team, kind=Role.Kind.LEADER).exists():
        give_team_to(team)
    return True


def give_team_to(team: Team, language: str = "nl") -> User:
    """Make the person at the leader's address the only leader of the team, with an account to sign in by mailed code."""
    user = User.objects.filter(email__iexact=team.leader_email).first()
    if user is None:
        user = User.objects.create_user(team.leader_email, name=team.leader_name, language=language)
    Role.objects.get_or_create(user=user, kind=Role.Kind.LEADER, team=team)
    Role.objects.filter(kind=Role.Kind.LEADER, team=team).exclude(user=user).delete()
    return user


def language_of(email: str) -> str:
    """The language of a person with an account; Dutch for anybody else."""
    return User.objects.filter(email__iexact=email).values_list("language", flat=True).first() or "nl"


def _renew(invitation: Invitation, kind: str, email: str = "") -> None:
    """A new nonce, so that the link in the old mailbox opens nothing; and the mail again where the answer still waits."""
    Invitation.objects.filter(pk=invitation.pk).update(nonce=new_nonce())
    sent_at = Invitation.objects.filter(pk=invitation.pk, state=Invitation.State.SENT).values_list("sent_at", flat=True)
    for asked_at in sent_at:
        due_at = max(asked_at or timezone.now(), timezone.now())
        mail.queue(kind, invitation.pk, language_of(email), due_at, study=invitation.study)


def _change(name: str, email: str) -> str:
    return f"{name} <{email}>"
