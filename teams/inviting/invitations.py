"""Inviting: the academy's director first, then the leaders of the teams the director chose. Nobody below is mailed before.

Every step is a conditional update on the invitation's state (listed → sent → accepted or declined), so that of two
answers at once the first counts and the second changes nothing; the functions return False then, and the page shows the
state. Each step writes an Event, and queues its mails, in the same transaction.

A team counts as invited from the moment its director is invited: the leader's own invitation tells how far it came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from teams import history
from teams.history import Happened
from teams.inviting.corrections import correct_leader, note_director_as_leader, open_to_leader
from teams.links import INVITATION, NO_REMINDERS, make_token, new_nonce
from teams.mail import outbox, refusals
from teams.mail.kinds import TeamMail
from teams.models import Academy, Invitation, Participation, Study, Team, User
from teams.people.contact_person import check_contact, check_leader, hold_academy
from teams.studies.setting_up import NotYet, link_until, promise, why_not_yet

ASK_AT = time(9)  # in the morning of the day from which leaders may be asked
REMIND_AFTER = timedelta(hours=20)  # at most one reminder a day, however often the button is pressed

# Reasons that people may give; the others are set by the program
REASONS_TO_DECLINE = [choice for choice in Invitation.Reason.choices if choice[0] != Invitation.Reason.LEFT_OUT]


@dataclass(frozen=True, slots=True)
class Approach:
    """A team that the director wants approached, with its leader's name and address as the director gives them."""

    participation_id: int
    leader_name: str
    leader_email: str


def list_academy(study: Study, academy: Academy, by: User | None = None) -> Invitation:
    """Put an academy on the list of a study; a second time changes nothing.

    Raises:
        ValueError: for an academy of another research group.
    """
    if academy.institution.group_id != study.group_id:
        raise ValueError("The academy is another research group's.")
    invitation, created = Invitation.objects.get_or_create(
        study=study, academy=academy, defaults={"nonce": new_nonce()}
    )
    if created:
        history.record(study, Happened.ACADEMY_LISTED, academy=academy, by=by)
    return invitation


@transaction.atomic
def list_team(
    study: Study, team: Team, by: User | None = None, *, leader: tuple[str, str] | None = None
) -> Participation:
    """Put a team, and with it its academy, on the list of a study, under this leader (name, address) or the last known.

    Nobody is mailed. A second time changes nothing.

    Raises:
        SamePerson: if the leader named here does research in the group; nothing is kept then.
    """
    list_academy(study, team.academy, by)
    name, email = leader or (team.leader_name, team.leader_email)
    named = {"leader_name": name, "leader_email": email.lower()}
    participation, created = Participation.objects.get_or_create(study=study, team=team, defaults=named)
    Invitation.objects.get_or_create(participation=participation, defaults={"study": study, "nonce": new_nonce()})
    if created:
        if leader:
            hold_academy(team.academy_id)
            check_leader(participation, email)
        history.record(study, Happened.TEAM_LISTED, participation=participation, by=by)
        note_director_as_leader(participation, by)
    return participation


def link_path(invitation: Invitation) -> str:
    """The path of the link that opens an invitation: its holder may answer it."""
    return reverse("invitation_link", args=[make_token(INVITATION, invitation.pk, invitation.nonce)])


def stop_path(invitation: Invitation) -> str:
    """The path of the link that ends reminders, and does nothing else."""
    return reverse("no_reminders", args=[make_token(NO_REMINDERS, invitation.pk, invitation.nonce)])


def link_ended(invitation: Invitation) -> bool:
    """Whether the link of an invitation is too old to open it. It works until the study ends, also if that day moved."""
    return (
        invitation.link_until is not None
        and max(invitation.link_until, invitation.study.ends_on) < timezone.localdate()
    )


def academy_invitation(participation: Participation) -> Invitation:
    """The invitation of the director above a team."""
    return Invitation.objects.get(study_id=participation.study_id, academy_id=participation.team.academy_id)


def teams_of(invitation: Invitation) -> list[Participation]:
    """The teams of the study that a director's invitation is about, by name."""
    return list(
        Participation.objects.filter(study=invitation.study_id, team__academy=invitation.academy)
        .select_related("team", "invitation")
        .order_by("team__name", "pk")
    )


@transaction.atomic
def invite_directors(study: Study, by: User | None = None, academies: Iterable[int] | None = None) -> int:
    """Invite the directors who were not invited yet and have a team on the list.

    A director who gave permission before, and whose academy got new teams on the list since, is asked about those.

    Args:
        academies: only these academies (primary keys); None for all.

    Returns:
        How many directors are mailed.

    Raises:
        NotYet: while the study has nothing to ask: the mails describe it.
    """
    if why := why_not_yet(study):
        raise NotYet(why)
    invitations = Invitation.objects.filter(
        study=study, state__in=[Invitation.State.LISTED, Invitation.State.ACCEPTED], academy__isnull=False
    ).select_related("academy")
    if academies is not None:
        invitations = invitations.filter(academy__in=list(academies))
    n_invited = 0
    for invitation in invitations:
        # by primary key: an update through a join puts its condition in a subquery, which PostgreSQL does not judge
        # again after waiting for another transaction, and then both invite
        on_the_list = [participation.pk for participation in teams_of(invitation)]
        new_teams = Participation.objects.filter(pk__in=on_the_list, state=Participation.State.LISTED)
        if not new_teams.update(state=Participation.State.INVITED):
            continue
        now = timezone.now()
        _move(
            invitation, Invitation.State.LISTED, state=Invitation.State.SENT, sent_at=now, link_until=link_until(study)
        )
        history.record(study, Happened.DIRECTOR_INVITED, academy=invitation.academy, by=by)
        outbox.queue(TeamMail.DIRECTOR_INVITATION, invitation.pk, study=study)
        n_invited += 1
    if n_invited:
        promise(study)
    return n_invited


@transaction.atomic
def accept_academy(
    invitation: Invitation, approach: Sequence[Approach], *, not_before: date | None = None, by_link: bool = True
) -> bool:
    """The director's permission: the chosen teams' leaders are invited, the other teams are left out.

    With ``not_before`` the leaders are mailed in the morning of that day, and not earlier.

    The director undertakes that results are not used in appraisal and that nobody tries to recognise a teacher; the form
    demands that box, the invitation's row says so.

    Returns:
        False, with nothing changed, if the invitation was answered before.
    """
    assert invitation.academy_id is not None
    hold_academy(invitation.academy_id)
    if not _answer(invitation, Invitation.State.ACCEPTED, undertaking=True, not_before=not_before):
        return False
    detail = not_before.isoformat() if not_before else ""
    history.record(
        invitation.study, Happened.DIRECTOR_ACCEPTED, academy=invitation.academy, by_link=by_link, detail=detail
    )
    _approach(invitation, approach, by_link)
    outbox.queue(TeamMail.DIRECTOR_CONFIRMATION, invitation.pk, study=invitation.study)
    return True


@transaction.atomic
def approach_more(invitation: Invitation, approach: Sequence[Approach], *, by_link: bool = True) -> int:
    """A director who gave permission decides about teams that came on the list later. Returns how many are approached."""
    assert invitation.academy_id is not None
    hold_academy(invitation.academy_id)
    if not Invitation.objects.filter(pk=invitation.pk, state=Invitation.State.ACCEPTED).exists():
        return 0
    return _approach(invitation, approach, by_link)


def undecided_teams(invitation: Invitation) -> list[Participation]:
    """Teams about which the director was asked and has not decided."""
    return [
        participation
        for participation in teams_of(invitation)
        if participation.state == Participation.State.INVITED
        and participation.invitation.state == Invitation.State.LISTED
    ]


def may_ask_at(invitation: Invitation) -> datetime:
    """When the leaders below a director's permission may be asked: now, or on the day that the director gave."""
    now = timezone.now()
    day = Invitation.objects.values_list("not_before", flat=True).get(pk=invitation.pk)
    return max(now, timezone.make_aware(datetime.combine(day, ASK_AT))) if day else now


def _approach(invitation: Invitation, approach: Sequence[Approach], by_link: bool) -> int:
    chosen = {choice.participation_id: choice for choice in approach}
    asked_at, until = may_ask_at(invitation), link_until(invitation.study)
    n_approached = 0
    for participation in undecided_teams(invitation):
        leaders = participation.invitation
        choice = chosen.get(participation.pk)
        if choice is None:
            left_out = {"state": Invitation.State.DECLINED, "reason": Invitation.Reason.LEFT_OUT}
            if _move(leaders, Invitation.State.LISTED, **left_out, answered_at=timezone.now()):
                _decline_participations([participation.pk])
                history.record(invitation.study, Happened.TEAM_LEFT_OUT, participation=participation, by_link=by_link)
            continue
        check_leader(participation, choice.leader_email)  # also of a name that stood on the list before
        correct_leader(participation, choice.leader_name, choice.leader_email, by_link=by_link)
        sent = {"state": Invitation.State.SENT, "sent_at": asked_at, "link_until": max(until, asked_at.date())}
        if _move(leaders, Invitation.State.LISTED, **sent):
            history.record(invitation.study, Happened.LEADER_INVITED, participation=participation, by_link=by_link)
            outbox.queue(TeamMail.LEADER_INVITATION, leaders.pk, due_at=asked_at, study=invitation.study)
            n_approached += 1
    return n_approached


@transaction.atomic
def accept_team(
    invitation: Invitation,
    *,
    mode: str,
    approached: int,
    meets_on: date | None = None,
    contact_name: str = "",
    contact_email: str = "",
    director_sees_team: bool = False,
    language: str = "",
    by_link: bool = True,
) -> bool:
    """The leader's permission: how the answers are collected and from how many teachers. Makes the leader's account, to
    which this wave's pages open, and no other wave's.

    ``language`` is that of the mails to a leader who has no account yet.
    The view then calls ``surveys.collecting.collections.open_collection``: this app knows no collections.

    Returns:
        False, with nothing changed, if the invitation was answered before.

    Raises:
        SamePerson: if the contact person is the leader, or the leader does research in the group by now.
    """
    participation = _participation(invitation)
    hold_academy(participation.team.academy_id)
    if not _answer(invitation, Invitation.State.ACCEPTED, undertaking=True):
        return False
    locked = Participation.objects.select_for_update(no_key=True).get(
        pk=participation.pk
    )  # who leads it stays until this is done
    check_leader(locked, locked.leader_email)  # who became a researcher since the mail
    check_contact(locked, contact_email)
    Participation.objects.filter(pk=participation.pk).update(
        state=Participation.State.ACCEPTED,
        mode=mode,
        approached=approached,
        meets_on=meets_on,
        contact_name=contact_name,
        contact_email=contact_email,
        director_sees_team=director_sees_team,
    )
    open_to_leader(participation, language)
    history.record(
        invitation.study,
        Happened.LEADER_ACCEPTED,
        participation=participation,
        by_link=by_link,
        detail=f"{mode}: {approached}",
    )
    outbox.queue(TeamMail.LEADER_CONFIRMATION, invitation.pk, study=invitation.study)
    return True


@transaction.atomic
def decline(invitation: Invitation, reason: str, text: str = "", *, by_link: bool = True) -> bool:
    """A director declines for the academy and all its teams, a leader for one team; always with a reason.

    Returns:
        False, with nothing changed, if the invitation was answered before.

    Raises:
        ValueError: for a reason that nobody may give.
    """
    if reason not in dict(REASONS_TO_DECLINE):
        raise ValueError(f"'{reason}' is no reason to decline.")
    if not _answer(invitation, Invitation.State.DECLINED, reason=reason, reason_text=text):
        return False
    detail = f"{reason}: {text}" if text else reason  # the code: the history page says it in the reader's language
    if invitation.academy_id:
        participations = [participation.pk for participation in teams_of(invitation)]
        Invitation.objects.filter(participation__in=participations, state=Invitation.State.LISTED).update(
            state=Invitation.State.DECLINED, reason=reason, reason_text=text, answered_at=timezone.now()
        )
        _decline_participations(participations)
        history.record(
            invitation.study, Happened.DIRECTOR_DECLINED, academy=invitation.academy, by_link=by_link, detail=detail
        )
    else:
        participation = _participation(invitation)
        _decline_participations([participation.pk])
        history.record(
            invitation.study, Happened.LEADER_DECLINED, participation=participation, by_link=by_link, detail=detail
        )
    return True


@transaction.atomic
def remind(invitation: Invitation, by: User | None = None) -> bool:
    """Send the invitation once more, at most once a day, to somebody who has not answered. Returns whether it goes."""
    rested = Q(reminded_at__isnull=True) | Q(reminded_at__lt=timezone.now() - REMIND_AFTER)
    events = Happened.DIRECTOR_REMINDED, Happened.LEADER_REMINDED
    return _remind(invitation, rested, events, by)


@transaction.atomic
def remind_by_schedule(invitation: Invitation, last_before: datetime, times: int) -> bool:
    """The reminder of a schedule: to who got no mail since ``last_before`` and fewer than ``times`` reminders.

    Of two processes that come here at once, one reminds: the first one's mail is later than ``last_before``.
    """
    rested = Q(reminded_at__isnull=True) | Q(reminded_at__lt=last_before)
    rested &= Q(sent_at__lt=last_before, n_reminders__lt=times)
    events = Happened.DIRECTOR_REMINDED_BY_SCHEDULE, Happened.LEADER_REMINDED_BY_SCHEDULE
    return _remind(invitation, rested, events)


def _remind(invitation: Invitation, ripe: Q, events: tuple[Happened, Happened], by: User | None = None) -> bool:
    """``events``: what happened where the invitation is a director's, and where it is a leader's."""
    of_director, of_leader = events
    now = timezone.now()
    reader = reader_of(invitation)
    if not reader or refusals.wants_none(reader):
        return False  # without one the person was removed, and nobody is named in their place yet
    waiting = Invitation.objects.filter(ripe, pk=invitation.pk, state=Invitation.State.SENT, sent_at__lte=now)
    if not waiting.update(reminded_at=now, n_reminders=F("n_reminders") + 1, link_until=link_until(invitation.study)):
        return False
    study = invitation.study
    if invitation.academy_id:
        history.record(study, of_director, academy=invitation.academy, by=by)
        outbox.queue(TeamMail.DIRECTOR_REMINDER, invitation.pk, study=study)
    else:
        participation = _participation(invitation)
        history.record(study, of_leader, participation=participation, by=by)
        outbox.queue(TeamMail.LEADER_REMINDER, invitation.pk, study=study)
    return True


def reader_of(invitation: Invitation) -> str:
    """The address of who is asked; nothing where that person was removed."""
    if invitation.academy is not None:
        return invitation.academy.director_email
    return invitation.participation.leader_email if invitation.participation is not None else ""


def _move(invitation: Invitation, was: str, /, **changes: object) -> bool:
    """Change an invitation that is in state ``was``: False if it is in another one by now."""
    return bool(Invitation.objects.filter(pk=invitation.pk, state=was).update(**changes))


def _answer(invitation: Invitation, answer: str, **changes: object) -> bool:
    return _move(invitation, Invitation.State.SENT, state=answer, answered_at=timezone.now(), **changes)


def _decline_participations(participations: Sequence[int]) -> None:
    Participation.objects.filter(
        pk__in=participations, state__in=[Participation.State.LISTED, Participation.State.INVITED]
    ).update(state=Participation.State.DECLINED)


def _participation(invitation: Invitation) -> Participation:
    return Participation.objects.select_related("team__academy", "study").get(invitation=invitation)
