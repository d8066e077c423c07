"""Two teams of one study become one team, before anybody of either can answer.

The kept team goes on in its own row; the other one's row in this study ends, and its history, its former leaders and who
vouched for it go over to the kept one. The other team itself stays as it is in other studies and earlier measurements; one that
is in none any more goes. Nothing is decided by it that people decide: of two that both said yes the stricter word holds, and
where somebody said no nothing is merged.

Once answers can come in two teams stay two: every answer belongs to the collection in which it was given, and nobody knows whose
it is. For the report they can be combined (analysis/publication).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models, transaction
from django.utils.translation import gettext as _

from surveys.history import Happened
from surveys.models import Collection
from teams import history
from teams.inviting import corrections
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.models import (
    Attendee,
    Event,
    FormerContact,
    Invitation,
    OfferedSlot,
    OutboxMessage,
    Participation,
    PlannedMeeting,
    Role,
    Team,
    User,
)
from teams.people import former_contacts
from teams.people.contact_person import hold_academy
from teams.text.directions import isolated

State = Participation.State
_HOW_FAR = {State.LISTED: 0, State.INVITED: 1, State.ACCEPTED: 2}
_OF_INVITATION = (
    TeamMail.LEADER_INVITATION,
    TeamMail.LEADER_REMINDER,
    TeamMail.LEADER_CONFIRMATION,
    TeamMail.LINK_CODE,
)
# What hangs on a team in a study and goes over to the kept one, or ends with the other; anything else keeps two apart
_DEALT_WITH: tuple[type[models.Model], ...] = (Event, FormerContact, Invitation, PlannedMeeting, Role, OfferedSlot)


class Refused(Exception):
    """Why two teams stay two, and what can be done instead, in sentences."""


@dataclass(frozen=True, slots=True)
class Merger:
    """What is decided about the team that comes of two."""

    leader_name: str
    leader_email: str
    approached: int | None  # teachers; None where nobody has said yet


def others(participation: Participation) -> list[Participation]:
    """The other teams of the academy in this study, by name."""
    same = Participation.objects.filter(
        study=participation.study_id, team__academy=participation.team.academy_id
    ).exclude(pk=participation.pk)
    return list(same.select_related("team__academy", "study").order_by("team__name", "pk"))


def why_not(keep: Participation, gone: Participation) -> str:
    """Why these two stay two, in sentences; blank if they can become one."""
    both = (keep, gone)
    if keep.pk == gone.pk:
        return _("This is one and the same team.")
    if keep.study_id != gone.study_id or keep.team.academy_id != gone.team.academy_id:
        return _(
            "These teams belong to two academies. The director of each decides about the teams of their own academy, "
            "so they stay two teams."
        )
    if Collection.objects.filter(participation__in=both).exists():
        return _(
            "Answers for one of these teams can already come in, or have come in. Every answer stays with the team "
            "in which it was given, since nobody knows whose it is: so there will still be two teams. For the report "
            "you can combine them, on the page for publishing, once their answers are sealed."
        )
    for wave in both:
        if wave.state not in _HOW_FAR:
            return _(
                "%(team)s declined or stopped. Merging would make it take part after all, so it stays as it is. If these"
                " teachers are to be asked in the other team, correct the number of teachers there."
            ) % {"team": isolated(wave.team.name)}
    if _HOW_FAR[State(gone.state)] > _HOW_FAR[State(keep.state)]:
        return _(
            "%(team)s is further along: it has been asked, or has already said yes. Keep that team, and let the "
            "other one go."
        ) % {"team": isolated(gone.team.name)}
    if keep.state == gone.state == State.INVITED and _asked(gone) and not _asked(keep):
        return _("The leader of %(team)s has already been asked. Keep that team, and let the other one go.") % {
            "team": isolated(gone.team.name)
        }
    if _meets(gone):
        return _(
            "%(team)s has a meeting in people's calendars, or its cancellation is still on its way. First call it "
            "off, on the page of the meeting, and try again a few minutes later: that way, everybody who has it in "
            "their calendar is told."
        ) % {"team": isolated(gone.team.name)}
    if _something_else(gone):
        return _("Something was decided about %(team)s in this study that would be lost. Keep that team instead.") % {
            "team": isolated(gone.team.name)
        }
    return ""


def hold_both(keep: Participation, gone: Participation) -> tuple[Participation, Participation]:
    """Both as they are now, and as they stay until the transaction ends: who answers, stops or opens one waits, or was first.

    Raises:
        Refused: where one of them is no longer in the study.
    """
    academy = Team.objects.filter(participations__in=[keep.pk, gone.pk]).values_list("academy", flat=True).first()
    if academy is None:
        raise Refused(_("One of these teams is no longer in the study."))
    hold_academy(academy)
    pks = sorted({keep.pk, gone.pk})
    # the invitations and then the teams, as where somebody accepts or stops
    list(Invitation.objects.select_for_update(no_key=True).filter(participation__in=pks).order_by("pk"))
    list(Participation.objects.select_for_update().filter(pk__in=pks).order_by("pk"))
    rows = Participation.objects.select_related("team__academy__institution", "study").in_bulk(pks)
    if len(rows) < len(pks):
        raise Refused(_("One of these teams is no longer in the study."))
    return rows[keep.pk], rows[gone.pk]


@transaction.atomic
def merge(keep: Participation, gone: Participation, merger: Merger, *, by: User) -> None:
    """Make one team of two in their study; ``gone`` is removed from it.

    The leader whom the kept team had is told as with every change; the one of the other team is told that it is one with
    ``keep`` now. The other one's contact person too, unless it is the same.

    Raises:
        Refused: with the reason; nothing was changed.
        SamePerson: if who is to lead may not; nothing was changed.
        ValueError: without a number of teachers for a team that takes part.
    """
    keep, gone = hold_both(keep, gone)
    if why := why_not(keep, gone):
        raise Refused(why)
    if keep.state == State.ACCEPTED and not merger.approached:
        raise ValueError("A team that takes part has a number of teachers.")
    before = keep.approached
    _tell_the_others(keep, gone, merger, by)
    _follow(keep, gone)
    _remove(gone)
    # after the other one is gone, or its leader would keep from leading both
    corrections.correct_leader(keep, merger.leader_name, merger.leader_email, by=by)
    changes: dict[str, object] = {}
    if keep.state == State.ACCEPTED:
        changes["approached"] = merger.approached
        if gone.state == State.ACCEPTED:
            changes["director_sees_team"] = keep.director_sees_team and gone.director_sees_team
    if changes:
        Participation.objects.filter(pk=keep.pk).update(**changes)
    detail = _detail(keep, gone, before, merger.approached if changes else None)
    history.record(keep.study, Happened.TEAMS_MERGED, participation=keep, by=by, detail=detail)


def _detail(keep: Participation, gone: Participation, before: int | None, after: int | None) -> str:
    names = f"{gone.team.name} → {keep.team.name}"
    if after is None:
        return names
    said = " + ".join(str(n) for n in (before, gone.approached) if n is not None)
    return f"{names}; {said} → {after}"


def _tell_the_others(keep: Participation, gone: Participation, merger: Merger, by: User) -> None:
    """Who led the team that ends, and who was its contact person, are told; nobody who goes on in that part."""
    new = merger.leader_email.lower()
    if gone.leader_email.lower() not in (new, keep.leader_email.lower()) and former_contacts.leader_was_asked(gone):
        _tell(FormerContact.Part.LEADER, gone, gone.leader_name, gone.leader_email, keep, by)
    if gone.contact_email and gone.contact_email.lower() != keep.contact_email.lower():
        _tell(FormerContact.Part.CONTACT, gone, gone.contact_name, gone.contact_email, keep, by)


def _tell(part: str, gone: Participation, name: str, email: str, keep: Participation, by: User) -> None:
    former_contacts.tell(part, keep.study, name, email, participation=keep, by=by, of_team=gone.team.name)


def _follow(keep: Participation, gone: Participation) -> None:
    """What is known of the team that ends goes over to the kept one."""
    name = gone.team.name
    Event.objects.filter(participation=gone, of_team="").update(of_team=name)
    Event.objects.filter(participation=gone).update(participation=keep)
    FormerContact.objects.filter(participation=gone, of_team="").update(of_team=name)
    FormerContact.objects.filter(participation=gone).update(participation=keep)
    vouched = list(dict.fromkeys([*keep.vouched_by, *gone.vouched_by]))
    Participation.objects.filter(pk=keep.pk).update(vouched_by=vouched)


def _remove(gone: Participation) -> None:
    """End the team's row in this study, with the mails that wait for it; and the team where it is in no other study."""
    asked = Invitation.objects.filter(participation=gone).values_list("pk", flat=True).first()
    if asked is not None:
        for kind in _OF_INVITATION:
            outbox.drop(kind, asked)
    planned = PlannedMeeting.objects.filter(participation=gone).values_list("pk", flat=True).first()
    if planned is not None:
        outbox.drop(TeamMail.MEETING_DATES, planned)
    outbox.drop(TeamMail.LEADER_NAMED, gone.pk)
    gone.delete()
    Team.objects.select_for_update().get(pk=gone.team_id)  # nobody lists it in a study at this moment
    if Participation.objects.filter(team=gone.team_id).exists():
        corrections.remember_leader(gone.team)
    else:
        Team.objects.filter(pk=gone.team_id).delete()


def _asked(participation: Participation) -> bool:
    return Invitation.objects.filter(participation=participation).exclude(state=Invitation.State.LISTED).exists()


def _meets(participation: Participation) -> bool:
    """Whether somebody has its meeting in the calendar, or the mail that takes it out has not gone yet."""
    planned = PlannedMeeting.objects.filter(participation=participation)
    if planned.filter(state=PlannedMeeting.State.CONFIRMED).exists():
        return True
    attendees = list(Attendee.objects.filter(meeting__in=planned.values("pk")).values_list("pk", flat=True))
    waiting = OutboxMessage.objects.filter(kind=TeamMail.MEETING_CALENDAR, state=OutboxMessage.State.QUEUED)
    return waiting.filter(object_id__in=attendees).exists()


def _something_else(participation: Participation) -> bool:
    """Whether a row of any app names this team in this study that a merge does not take along."""
    return any(
        model._base_manager.filter(**{name: participation.pk}).exists() for model, name in _columns_to(Participation)
    )


def _columns_to(model: type[models.Model]) -> Iterable[tuple[type[models.Model], str]]:
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel) and relation.related_model not in _DEALT_WITH:
            yield relation.related_model, relation.field.name
