"""Who the people of an academy and of a team's wave are: corrected addresses, and whose account a wave's pages open to.

A leader leads a team in one wave. Who leads it in the next wave gets that one; an earlier wave changes hands only where its
own leader or a researcher gives it away (``hand_over``), or where a researcher corrects it.

A corrected address ends the old link and moves what still waits: the mail, the account, the calendar. Who was there before
is told so (people/former_contacts.py), and so is who leads a team that takes part (new_leaders.py).
"""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from teams import history
from teams.inviting import new_leaders
from teams.links import new_nonce
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.meetings import planning
from teams.models import Academy, FormerContact, Invitation, Participation, Role, Team, User
from teams.people import former_contacts
from teams.people.contact_person import (
    SamePerson,
    check_director,
    check_leader,
    counts,
    has_vouched,
    hold_academy,
    of_academy,
)
from teams.studies.setting_up import link_until
from teams.text.addresses import same_person

# What other apps move to a new director's address, inside the transaction: their links that the one before holds
FOLLOW_DIRECTOR: list[Callable[[Academy], None]] = []
# What other apps end when another address leads a wave, inside the transaction: links that the leader before made
FOLLOW_LEADER: list[Callable[[Participation], None]] = []


@transaction.atomic
def correct_director(academy: Academy, name: str, email: str, *, by: User | None = None) -> bool:
    """Change who the director is. A new address ends the old links, and gets what still waits or is to be read.

    Raises:
        SamePerson: if the director would be the contact person of a team of the academy, who counts who is present.
    """
    was = Academy.objects.select_for_update(no_key=True).get(pk=academy.pk)
    old_email, email = was.director_email.lower(), email.lower()
    if (was.director_name, old_email) == (name, email):
        return False
    if old_email != email:
        check_director(academy, email)
    detail = f"{_in_short(was.director_name, old_email)} → {_in_short(name, email)}"
    academy.director_name, academy.director_email = name, email
    Academy.objects.filter(pk=academy.pk).update(director_name=name, director_email=email)
    for invitation in Invitation.objects.filter(academy=academy).select_related("study"):
        history.record(invitation.study, history.Happened.CONTACT_CHANGED, academy=academy, by=by, detail=detail)
        if old_email != email:
            _renew(invitation, TeamMail.DIRECTOR_INVITATION)
            if former_contacts.director_was_asked(invitation):
                former_contacts.tell(
                    FormerContact.Part.DIRECTOR,
                    invitation.study,
                    was.director_name,
                    old_email,
                    academy=academy,
                    by=by,
                )
    if old_email != email:
        for participation in Participation.objects.filter(team__academy=academy).select_related("study", "team"):
            note_director_as_leader(participation, by)
        for follow in FOLLOW_DIRECTOR:
            follow(academy)
    return True


@transaction.atomic
def correct_leader(
    participation: Participation,
    name: str,
    email: str,
    *,
    by: User | None = None,
    by_link: bool = False,
    event: history.Happened = history.Happened.CONTACT_CHANGED,
) -> bool:
    """Change who leads a team in one wave; other waves stay as they are. A new address ends the old link.

    A researcher's correction also moves the access to the wave's pages at once. A director names a leader only until one
    accepted, so that nobody gets a report by naming an address.

    Raises:
        ValueError: where a director by link replaces a leader who accepted, or names an address of their own that no
            researcher recorded.
        SamePerson: if it is the contact person of a team of the academy in this wave, who counts who is present.
    """
    hold_academy(participation.team.academy_id)
    Participation.objects.select_for_update(no_key=True).get(pk=participation.pk)
    was = Participation.objects.select_related("study", "team__academy").get(pk=participation.pk)
    old_email, email = was.leader_email.lower(), email.lower()
    if (was.leader_name, old_email) == (name, email):
        return False
    moved = old_email != email
    if moved:  # who leads already is given nothing by another spelling of the name
        check_leader(was, email)
    if by_link and was.state == Participation.State.ACCEPTED:
        raise ValueError("A team leader who accepted is replaced by a researcher only.")
    if by_link and moved and same_person(email, was.team.academy.director_email):
        raise ValueError("A director cannot name an address of their own as that of a team leader.")
    was_asked = former_contacts.leader_was_asked(was)
    participation.leader_name, participation.leader_email = name, email
    Participation.objects.filter(pk=was.pk).update(leader_name=name, leader_email=email)
    remember_leader(was.team)
    detail = f"{_in_short(was.leader_name, old_email)} → {_in_short(name, email)}"
    history.record(was.study, event, participation=was, by=by, by_link=by_link, detail=detail)
    if moved:
        for invitation in Invitation.objects.filter(participation=was).select_related("study"):
            _renew(invitation, TeamMail.LEADER_INVITATION)
        if was_asked:
            former_contacts.tell(
                FormerContact.Part.LEADER,
                was.study,
                was.leader_name,
                old_email,
                participation=was,
                by=by,
                by_director=by_link,
            )
        note_director_as_leader(participation, by)
        for follow in FOLLOW_LEADER:
            follow(participation)
    planning.follow_people([participation])
    if Role.objects.filter(participation=was, kind=Role.Kind.LEADER).exists():
        open_to_leader(participation)
    if moved and event == history.Happened.CONTACT_CHANGED:  # a wave that is handed over has a mail of its own
        new_leaders.tell(participation)
    return True


@transaction.atomic
def hand_over(participation: Participation, later: Participation, *, by: User) -> bool:
    """Give a wave of a team to who leads the team in a later one: pages, mails and calendar move, both are told.

    Returns:
        False, with nothing changed, where the later wave is not one of the same team that was accepted by somebody else.

    Raises:
        SamePerson: if the later leader is the contact person of this wave.
    """
    if not later_wave_of_another(participation, later):
        return False
    name, email = later.leader_name, later.leader_email
    if not correct_leader(participation, name, email, by=by, event=history.Happened.WAVE_HANDED_OVER):
        return False
    open_to_leader(participation)
    outbox.queue(TeamMail.WAVE_HANDED_OVER, participation.pk, study=participation.study)
    return True


@transaction.atomic
def let_leader_in(participation: Participation, *, by: User) -> bool:
    """Open the pages of a team that nobody invited, such as one of imported answers, to its leader, who is mailed.

    Returns:
        False, with nothing changed, where the team takes no part or somebody leads it already.

    Raises:
        SamePerson: where nobody was named but the study's own contact, or who was named may not lead the team.
    """
    hold_academy(participation.team.academy_id)
    wave = Participation.objects.select_for_update().select_related("study", "team__academy").get(pk=participation.pk)
    if not without_leader(wave):
        return False
    if same_person(wave.leader_email, wave.study.contact_email):
        raise SamePerson(
            _("First enter who the team leader is: at the moment it is the contact person of the study."), wave.pk
        )
    check_leader(wave, wave.leader_email)
    open_to_leader(wave)
    detail = _in_short(wave.leader_name, wave.leader_email)
    history.record(wave.study, history.Happened.LEADER_LET_IN, participation=wave, by=by, detail=detail)
    outbox.queue(TeamMail.LEADER_LET_IN, wave.pk, study=wave.study)
    return True


def without_leader(participation: Participation) -> bool:
    """Whether a team takes part, and its pages open to nobody: its answers were imported."""
    led = Role.objects.filter(participation=participation, kind=Role.Kind.LEADER)
    return participation.state == Participation.State.ACCEPTED and not led.exists()


def later_wave_of_another(participation: Participation, later: Participation) -> bool:
    """Whether ``later`` is a later wave of the same team, taken part in under another leader who did not count in this one."""
    accepted = Participation.State.ACCEPTED
    return (
        participation.state == later.state == accepted
        and participation.team_id == later.team_id
        and participation.study.starts_on < later.study.starts_on
        and participation.leader_email.lower() != later.leader_email.lower()
        and not any(
            counts(wave, later.leader_email) or has_vouched(wave, later.leader_email)
            for wave in of_academy(participation)
        )
    )


def later_waves(participation: Participation) -> list[Participation]:
    """The later waves of the same team under another leader, newest first: who this one can be given to."""
    waves = Participation.objects.filter(team=participation.team_id).select_related("study", "team")
    later = waves.filter(study__starts_on__gt=participation.study.starts_on).order_by("-study__starts_on", "-pk")
    return [wave for wave in later if later_wave_of_another(participation, wave)]


def open_to_leader(participation: Participation, language: str = "") -> User:
    """Make the person at the leader's address the only one to whom this wave's pages open, with an account to sign in by
    mailed code.
    """
    user = User.objects.filter(email__iexact=participation.leader_email).first()
    if user is None:
        user = User.objects.create_user(
            participation.leader_email,
            name=participation.leader_name,
            language=language or participation.study.language,
        )
    Role.objects.update_or_create(kind=Role.Kind.LEADER, participation=participation, defaults={"user": user})
    return user


def remember_leader(team: Team) -> None:
    """The leader of the team's newest wave is the one with whom it is put on the list of the next study."""
    newest = Participation.objects.filter(team=team).order_by("-study__starts_on", "-pk").first()
    if newest is not None:
        name, email = newest.leader_name, newest.leader_email
        Team.objects.filter(pk=team.pk).update(leader_name=name, leader_email=email)
        team.leader_name, team.leader_email = name, email


def note_director_as_leader(participation: Participation, by: User | None) -> None:
    """A team led by its director stands in the history: only a researcher may record that, never a link."""
    if same_person(participation.leader_email, participation.team.academy.director_email):
        history.record(participation.study, history.Happened.DIRECTOR_LEADS, participation=participation, by=by)


def _renew(invitation: Invitation, kind: TeamMail) -> None:
    """A new nonce, so that the link in the old mailbox opens nothing; and the mail again where the answer still waits.

    Whoever is named begins anew: with a link that works as long as any that is mailed today, and with all reminders to come.
    """
    Invitation.objects.filter(pk=invitation.pk).update(nonce=new_nonce(), n_reminders=0, reminded_at=None)
    if invitation.link_until is not None:
        until = max(invitation.link_until, link_until(invitation.study))
        Invitation.objects.filter(pk=invitation.pk).update(link_until=until)
    sent_at = Invitation.objects.filter(pk=invitation.pk, state=Invitation.State.SENT).values_list("sent_at", flat=True)
    for asked_at in sent_at:
        due_at = max(asked_at or timezone.now(), timezone.now())
        outbox.queue(kind, invitation.pk, due_at=due_at, study=invitation.study)


def _in_short(name: str, email: str) -> str:
    return f"{name} <{email}>"
