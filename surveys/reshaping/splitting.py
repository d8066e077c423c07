"""One team becomes two in a study: a new team beside it, with a leader and a number of teachers of its own.

The new team begins where the old one's permissions allow: its leader is asked where the director gave permission for the old
one and its leader was asked, else it waits for the director as the old one does. Its leader accepts for themselves: nobody else
can undertake what a leader undertakes.

Answers that were given, and personal links that went out, stay with the old team: nobody knows whose they are, or who used
theirs. So after opening only those are of the new team who did not begin yet, and only they can know it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from surveys.collecting.counts import correct_counts
from surveys.history import Happened
from surveys.models import Collection
from teams import history
from teams.inviting import invitations
from teams.inviting.invitations import academy_invitation, list_team
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.models import Invitation, Participation, Team, User
from teams.people.contact_person import hold_academy
from teams.studies.setting_up import link_until

State = Participation.State


class Refused(Exception):
    """Why the team stays one, in sentences."""


@dataclass(frozen=True, slots=True)
class NewTeam:
    """The team that is made, and how many teachers each of the two has; the old one's number is None while nobody said one."""

    name: str
    form: str
    leader_name: str
    leader_email: str
    approached: int
    left: int | None


def collection_of(participation: Participation) -> Collection | None:
    return Collection.objects.filter(participation=participation).select_related("survey__study").first()


def n_teachers(participation: Participation) -> int | None:
    """How many teachers the team has by now: as they were recorded at opening, else as its leader said."""
    collection = collection_of(participation)
    return collection.approached if collection is not None else participation.approached


def why_not(participation: Participation) -> str:
    """Why the team stays one, in sentences; blank if it can be split."""
    if participation.state not in (State.LISTED, State.INVITED, State.ACCEPTED):
        return _("This team does not take part, so there is nothing to split.")
    collection = collection_of(participation)
    if collection is not None and collection.state != Collection.State.OPEN:
        return _(
            "Collecting has ended in this team. Its answers cannot be divided, since nobody knows whose they are. "
            "Split it in the next wave; if collecting was closed by mistake, open it again first."
        )
    return ""


@transaction.atomic
def split(participation: Participation, new: NewTeam, *, by: User) -> Participation:
    """Make a new team beside this one, in the same academy and study. Returns it.

    Raises:
        Refused: with the reason; nothing was changed.
        SamePerson: if who is to lead the new team may not.
    """
    hold_academy(participation.team.academy_id)
    Participation.objects.select_for_update(no_key=True).get(pk=participation.pk)
    old = Participation.objects.select_related("team__academy", "study").get(pk=participation.pk)
    if why := why_not(old):
        raise Refused(why)
    team = _make_team(old.team, new)
    made = list_team(old.study, team, by, leader=(new.leader_name, new.leader_email))
    Participation.objects.filter(pk=made.pk).update(approached=new.approached)
    _correct_number(old, new, by)
    detail = f"{old.team.name} → {team.name}; {new.left or '–'} + {new.approached}"
    history.record(old.study, Happened.TEAM_SPLIT, participation=old, by=by, detail=detail)
    history.record(old.study, Happened.TEAM_SPLIT, participation=made, by=by, detail=detail)
    _ask(old, made, by)
    made.refresh_from_db()
    return made


def is_asked_now(participation: Participation) -> bool:
    """Whether the leader of a team that is split off is asked at once: the director permitted the old team, whose leader was asked."""
    permission = Invitation.objects.filter(
        study=participation.study_id, academy=participation.team.academy_id, state=Invitation.State.ACCEPTED
    )
    asked = Invitation.objects.filter(
        participation=participation, state__in=[Invitation.State.SENT, Invitation.State.ACCEPTED]
    )
    return permission.exists() and asked.exists()


def _make_team(old: Team, new: NewTeam) -> Team:
    taken = Team.objects.filter(academy=old.academy_id, name__iexact=new.name, form=new.form).exists()
    try:
        if taken:
            raise IntegrityError
        with transaction.atomic():
            return Team.objects.create(
                academy=old.academy,
                name=new.name,
                form=new.form,
                leader_name=new.leader_name,
                leader_email=new.leader_email.lower(),
            )
    except IntegrityError as error:  # the constraint decides, where somebody made one at this moment
        raise Refused(_("This academy already has a team with this name and form.")) from error


def _correct_number(old: Participation, new: NewTeam, by: User) -> None:
    if new.left is None:
        return
    collection = collection_of(old)
    if collection is not None:
        correct_counts(collection, new.left, min(collection.refused, new.left), new.name, by)
    elif old.approached is not None:
        Participation.objects.filter(pk=old.pk).update(approached=new.left)


def _ask(old: Participation, made: Participation, by: User) -> None:
    """Bring the new team as far as the permissions go that were given: never past its own leader."""
    if not is_asked_now(old):
        if old.state == State.INVITED and made.state == State.LISTED:
            # the director was asked and has not decided: about this one too
            Participation.objects.filter(pk=made.pk, state=State.LISTED).update(state=State.INVITED)
        return
    asked_at, until = invitations.may_ask_at(academy_invitation(old)), link_until(old.study)
    Participation.objects.filter(pk=made.pk, state=State.LISTED).update(state=State.INVITED)
    sent = Invitation.objects.filter(participation=made, state=Invitation.State.LISTED)
    if sent.update(state=Invitation.State.SENT, sent_at=asked_at, link_until=max(until, timezone.localdate(asked_at))):
        invitation = Invitation.objects.get(participation=made)
        history.record(old.study, history.Happened.LEADER_INVITED, participation=made, by=by)
        outbox.queue(TeamMail.LEADER_INVITATION, invitation.pk, due_at=asked_at, study=old.study)
