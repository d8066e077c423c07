"""Becoming a researcher: somebody is asked by mail, and is one only after pressing a button behind the link of that mail.

Until then nothing is written at the account that the address may have, and nothing of it is told: a leader who was asked
still signs in by a mailed code, and whoever asked sees the address that they typed. Who belongs to the group already is let
into another study of it at once.
"""

from datetime import timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from teams import history, links
from teams.base import security_log
from teams.base.security_log import Act
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.models import Membership, Participation, ResearcherInvitation, ResearchGroup, Role, Study, User
from teams.models.languages import default_language
from teams.studies.research_groups import work_everywhere
from teams.studies.setting_up import hold, work_in
from teams.text.addresses import same_person

DAYS = 30  # that a link works
AGAIN = timedelta(days=1)  # after which somebody who has not answered can be mailed again


class Asked(StrEnum):
    """What came of adding somebody."""

    WORKS = "works"  # belonged to the group already
    MAILED = "mailed"
    WAITS = "waits"  # was mailed less than a day ago
    ALREADY = "already"


class LeadsTeam(Exception):
    """This person leads a team in a study of the group; the message is a sentence for whoever asked, or was asked."""


# ------------------------------------------------------------------------------------------------ asking
@transaction.atomic
def ask_for_study(study: Study, name: str, email: str, by: User, language: str = "") -> Asked:
    """Ask somebody to work in a study; a member of its group works in it at once.

    Raises:
        LeadsTeam: with nothing changed.
    """
    hold(study.group_id)
    _refuse_leader(study.group_id, email)
    member = _member(study.group_id, email)
    if member is not None:
        return Asked.WORKS if work_in(study, member.user, by) else Asked.ALREADY
    asked = _ask(study.group_id, study, name, email, by, language)
    if asked == Asked.MAILED:
        history.record(study, history.Happened.RESEARCHER_ASKED, by=by, detail=email.lower())
    return asked


@transaction.atomic
def ask_for_group(
    group: ResearchGroup, name: str, email: str, by: User, *, all_studies: bool = False, language: str = ""
) -> Asked:
    """Ask somebody to be a member of a group, and with ``all_studies`` a researcher of every study.

    Raises:
        LeadsTeam: with nothing changed.
    """
    hold(group.pk)
    _refuse_leader(group.pk, email)
    member = _member(group.pk, email)
    if member is not None:
        Membership.objects.filter(pk=member.pk).update(by_administrator=True)
        return Asked.ALREADY
    return _ask(group.pk, None, name, email, by, language, all_studies=all_studies)


def asked_for(study: Study) -> QuerySet[ResearcherInvitation]:
    """Who was asked to work in a study and has not answered, by address."""
    return ResearcherInvitation.objects.filter(study=study)


def take_back(invitation: ResearcherInvitation, by: User) -> None:
    """The link opens nothing any more."""
    _end(invitation, history.Happened.RESEARCHER_ASKED_BACK, by)


def path_of(invitation: ResearcherInvitation) -> str:
    """The link that is mailed; whoever holds it may answer."""
    return reverse("join_research", args=[links.make_token(links.RESEARCH, invitation.pk, invitation.nonce)])


# ------------------------------------------------------------------------------------------------ answering
def find(token: str) -> ResearcherInvitation | None:
    """The invitation that a link opens, as long as it is not answered, taken back or older than ``DAYS``."""
    read = links.read_token(links.RESEARCH, token)
    if read is None:
        return None
    since = timezone.now() - timedelta(days=DAYS)
    rows = ResearcherInvitation.objects.select_related("study", "group", "invited_by").filter(invited_at__gt=since)
    invitation = rows.filter(pk=read.object_id).exclude(study__deletion__isnull=False).first()
    return invitation if invitation is not None and read.opens(invitation.pk, invitation.nonce) else None


def why_not(invitation: ResearcherInvitation) -> str:
    """Why who was asked cannot accept, in a sentence; blank if they can."""
    try:
        _refuse_leader(invitation.group_id, invitation.email)
    except LeadsTeam as reason:
        return str(reason)
    return ""


@transaction.atomic
def accept(invitation: ResearcherInvitation) -> User | None:
    """Who was asked becomes a researcher; an account is made if there is none. None if the link ended meanwhile.

    Raises:
        LeadsTeam: with nothing changed.
    """
    hold(invitation.group_id)
    _refuse_leader(invitation.group_id, invitation.email)
    if not ResearcherInvitation.objects.filter(pk=invitation.pk, nonce=invitation.nonce).delete()[0]:
        return None
    user = User.objects.filter(email__iexact=invitation.email).first()
    if user is None:
        user = User.objects.create_user(invitation.email, name=invitation.name, language=invitation.language)
    by = invitation.invited_by or user
    by_administrator = invitation.study is None
    membership, created = Membership.objects.get_or_create(
        group=invitation.group, user=user, defaults={"by_administrator": by_administrator}
    )
    if created and by_administrator:
        security_log.write(Act.ROLE_GIVEN, by=by.pk, of=user.pk, group=invitation.group_id, kind="member")
        outbox.queue(TeamMail.MEMBER_ADDED, membership.pk)
    if invitation.study is not None:
        work_in(invitation.study, user, by)
    elif invitation.all_studies:
        work_everywhere(invitation.group, user, by)
    return user


def decline(invitation: ResearcherInvitation) -> None:
    """Who was asked will not: the invitation goes, and nothing else was ever written."""
    _end(invitation, history.Happened.RESEARCHER_DECLINED, None)


# ------------------------------------------------------------------------------------------------ both
def _ask(
    group_id: int,
    study: Study | None,
    name: str,
    email: str,
    by: User,
    language: str,
    *,
    all_studies: bool = False,
) -> Asked:
    rows = ResearcherInvitation.objects.filter(group=group_id, study=study, email__iexact=email)
    if rows.filter(invited_at__gt=timezone.now() - AGAIN).exists():
        return Asked.WAITS
    rows.delete()  # a newer link takes the place of the older one
    made = ResearcherInvitation.objects.create(
        group_id=group_id,
        study=study,
        name=name,
        email=email.lower(),
        language=language or default_language(),
        all_studies=all_studies,
        invited_by=by,
        nonce=links.new_nonce(),
    )
    outbox.queue(TeamMail.RESEARCHER_ASKED, made.pk, language, study=study)
    return Asked.MAILED


def _end(invitation: ResearcherInvitation, kind: history.Happened, by: User | None) -> None:
    with transaction.atomic():
        if ResearcherInvitation.objects.filter(pk=invitation.pk).delete()[0] and invitation.study is not None:
            history.record(invitation.study, kind, by=by, detail=invitation.email)


def _member(group_id: int, email: str) -> Membership | None:
    return Membership.objects.select_related("user").filter(group=group_id, user__email__iexact=email).first()


def _refuse_leader(group_id: int, email: str) -> None:
    if _leads(group_id, email):
        raise LeadsTeam(
            _(
                "This is the address of a team leader in a study of this research group. A team leader there cannot "
                "do research there: what a team writes down for itself is not meant for those who do the research. "
                "Give another address."
            )
        )


def _leads(group_id: int, email: str) -> bool:
    """Whether an address is, in any spelling, that of somebody who leads a team of a study of the group, is asked to, or is
    on the list to be."""
    state = Participation.State
    teams = Participation.objects.filter(study__group=group_id, state__in=[state.LISTED, state.INVITED, state.ACCEPTED])
    roles = Role.objects.filter(kind=Role.Kind.LEADER, participation__study__group=group_id)
    known = {*teams.values_list("leader_email", flat=True), *roles.values_list("user__email", flat=True)}
    return any(same_person(address, email) for address in known if address)
