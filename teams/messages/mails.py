"""The mails of this app: who gets which words. Rendered at sending, from the rows as they are then."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.access import studies_of
from teams.accounts.sign_in import set_password_path
from teams.inviting import invitations
from teams.mail.composing import Mail, absolute, compose
from teams.mail.kinds import TeamMail
from teams.mail.outbox import register
from teams.mail.templates import LETTERS, Letter, offer, write
from teams.models import Academy, Invitation, Membership, Notice, ResearcherInvitation, Role, Study, Team, User
from teams.studies.joining import path_of as joining_path
from teams.studies.retention import promised_until
from teams.text.directions import isolated


def _invitation(pk: int) -> Invitation | None:
    return (
        Invitation.objects.select_related(
            "study", "academy__institution", "participation__team__academy__institution", "participation__study"
        )
        .filter(pk=pk)
        .first()
    )


def _of_director(invitation: Invitation) -> dict[str, str]:
    """The fields of letters to a director."""
    academy = invitation.academy
    assert isinstance(academy, Academy)
    teams = [
        f"- {isolated(participation.team.name)} ({isolated(participation.leader_name)})"
        for participation in invitations.teams_of(invitation)
    ]
    return {
        "name": academy.director_name,
        "academy": academy.name,
        "institution": academy.institution.name,
        "teams": "\n".join(teams),
        "days": str(invitation.study.report_days),
    }


def _of_leader(invitation: Invitation) -> dict[str, str]:
    """The fields of letters to a team leader."""
    participation = invitation.participation
    assert participation is not None
    team: Team = participation.team
    return {
        "name": participation.leader_name,
        "email": participation.leader_email,
        "team": team.name,
        "academy": team.academy.name,
        "director": team.academy.director_name,
        "way": participation.get_mode_display(),
        "number": str(participation.approached or ""),
    }


def _to_director(kind: str, invitation: Invitation, language: str) -> Mail:
    academy = invitation.academy
    assert isinstance(academy, Academy)
    link = absolute(invitations.link_path(invitation))
    stop = absolute(invitations.stop_path(invitation)) if LETTERS[kind].reminder else ""
    values = _of_director(invitation) | {"link": link}
    return write(kind, invitation.study, language, academy.director_email, values, stop=stop)


def _to_leader(kind: str, invitation: Invitation, language: str, link: str = "") -> Mail:
    participation = invitation.participation
    assert participation is not None
    link = absolute(link or invitations.link_path(invitation))
    stop = absolute(invitations.stop_path(invitation)) if LETTERS[kind].reminder else ""
    values = _of_leader(invitation) | {"link": link}
    return write(kind, invitation.study, language, participation.leader_email, values, stop=stop)


def _director_is_asked(invitation: Invitation) -> bool:
    if invitation.state == Invitation.State.ACCEPTED:
        return bool(invitations.undecided_teams(invitation))
    return invitation.state == Invitation.State.SENT


def _leader_is_asked(invitation: Invitation) -> bool:
    """The leader's invitation waits, and the director above gave permission: never mailed otherwise."""
    assert invitation.participation is not None
    return (
        invitation.state == Invitation.State.SENT
        and invitations.academy_invitation(invitation.participation).state == Invitation.State.ACCEPTED
    )


@register(TeamMail.DIRECTOR_INVITATION)
def director_invitation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _director_is_asked(invitation):
        return None
    return _to_director(TeamMail.DIRECTOR_INVITATION, invitation, language)


@register(TeamMail.DIRECTOR_REMINDER)
def director_reminder(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _director_is_asked(invitation):
        return None
    return _to_director(TeamMail.DIRECTOR_REMINDER, invitation, language)


@register(TeamMail.DIRECTOR_CONFIRMATION)
def director_confirmation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or invitation.state != Invitation.State.ACCEPTED:
        return None
    return _to_director(TeamMail.DIRECTOR_CONFIRMATION, invitation, language)


@register(TeamMail.LEADER_INVITATION)
def leader_invitation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _leader_is_asked(invitation):
        return None
    return _to_leader(TeamMail.LEADER_INVITATION, invitation, language)


@register(TeamMail.LEADER_REMINDER)
def leader_reminder(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _leader_is_asked(invitation):
        return None
    return _to_leader(TeamMail.LEADER_REMINDER, invitation, language)


@register(TeamMail.LEADER_CONFIRMATION)
def leader_confirmation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or invitation.state != Invitation.State.ACCEPTED:
        return None
    return _to_leader(
        TeamMail.LEADER_CONFIRMATION, invitation, language, link=reverse("team", args=[invitation.participation_id])
    )


@register(TeamMail.TEAM_WITHDRAWN)
def team_withdrawn(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or invitation.state != Invitation.State.WITHDRAWN:
        return None
    return _to_leader(TeamMail.TEAM_WITHDRAWN, invitation, language)


# ------------------------------------------------------------------------------------------------ their words
def _example_director(study: Study) -> dict[str, str]:
    directors = study.invitations.filter(academy__isnull=False).select_related("study", "academy__institution")
    invitation = directors.order_by("pk").first()
    return _of_director(invitation) if invitation else {}


def _example_leader(study: Study) -> dict[str, str]:
    leaders = study.invitations.filter(participation__isnull=False).select_related("participation__team__academy")
    invitation = leaders.order_by("-participation__approached", "pk").first()
    return {name: value for name, value in _of_leader(invitation).items() if value} if invitation else {}


offer(
    Letter(
        kind=TeamMail.DIRECTOR_INVITATION,
        template="emails/teams/director_invitation.txt",
        subject=gettext_lazy("Invitation: {study}"),
        fields=("name", "academy", "institution", "teams", "link"),
        example=_example_director,
        origin=gettext_lazy("The researchers of {controller} put your name and address on the list of this study."),
    ),
)
offer(
    Letter(
        kind=TeamMail.DIRECTOR_REMINDER,
        template="emails/teams/director_reminder.txt",
        subject=gettext_lazy("Reminder: invitation {study}"),
        fields=("name", "academy", "institution", "teams", "link"),
        example=_example_director,
        reminder=True,
    ),
)
offer(
    Letter(
        kind=TeamMail.DIRECTOR_CONFIRMATION,
        template="emails/teams/director_confirmation.txt",
        subject=gettext_lazy("Your permission is recorded: {study}"),
        fields=("name", "academy", "institution", "days", "link"),
        example=_example_director,
    ),
)
offer(
    Letter(
        kind=TeamMail.LEADER_INVITATION,
        template="emails/teams/leader_invitation.txt",
        subject=gettext_lazy("Invitation for your team: {study}"),
        fields=("name", "team", "academy", "director", "link"),
        example=_example_leader,
        origin=gettext_lazy("{director} confirmed your name and address for this study."),
    ),
)
offer(
    Letter(
        kind=TeamMail.LEADER_REMINDER,
        template="emails/teams/leader_reminder.txt",
        subject=gettext_lazy("Reminder: invitation for your team, {study}"),
        fields=("name", "team", "academy", "director", "link"),
        example=_example_leader,
        reminder=True,
    ),
)
offer(
    Letter(
        kind=TeamMail.LEADER_CONFIRMATION,
        template="emails/teams/leader_confirmation.txt",
        subject=gettext_lazy("Your team takes part: {study}"),
        fields=("name", "email", "team", "academy", "way", "number", "link"),
        example=_example_leader,
    ),
)
offer(
    Letter(
        kind=TeamMail.TEAM_WITHDRAWN,
        template="emails/teams/team_withdrawn.txt",
        subject=gettext_lazy("Your team no longer takes part: {study}"),
        fields=("name", "team", "academy"),
        example=_example_leader,
        required=(),
    ),
)


# ------------------------------------------------------------------------------------------------ mails of the program
@register(TeamMail.RESEARCHER_ASKED)
def researcher_asked(object_id: int, language: str) -> Mail | None:
    """To whom somebody asked to do research: the name and address that were typed, and nothing of an account."""
    rows = ResearcherInvitation.objects.select_related("group", "study", "invited_by")
    asked = rows.filter(pk=object_id).first()
    if asked is None or asked.invited_by is None:
        return None
    return compose(
        asked.email,
        _("Will you do research with %(group)s?") % {"group": isolated(asked.group)},
        "emails/teams/researcher_asked.txt",
        {
            "name": asked.name,
            "by": asked.invited_by.name or asked.invited_by.email,
            "title": asked.study.title if asked.study else "",
            "group": asked.group.name,
            "link": absolute(joining_path(asked)),
        },
        headers={"Reply-To": asked.study.contact_email if asked.study else asked.invited_by.email},
    )


@register(TeamMail.RESEARCHER_ADDED)
def researcher_added(object_id: int, language: str) -> Mail | None:
    role = Role.objects.select_related("user", "study").filter(pk=object_id, kind=Role.Kind.RESEARCHER).first()
    if role is None or role.study is None:
        return None
    study, user = role.study, role.user
    has_password = user.has_usable_password()
    path = reverse("board", args=[study.slug]) if has_password else set_password_path(user)
    return compose(
        user.email,
        _("You can work in a study: %(study)s") % {"study": isolated(study.title)},
        "emails/teams/researcher_added.txt",
        {
            "study": study,
            "user": user,
            "has_password": has_password,
            "link": absolute(path),
            "login": absolute(reverse("account_login")),
        },
        headers={"Reply-To": study.contact_email},
    )


@register(TeamMail.RETENTION_OVER)
def retention_over(object_id: int, language: str) -> Mail | None:
    """To a researcher: the time for which answers were promised to be kept is past, and a person deletes them."""
    role = Role.objects.select_related("user", "study").filter(pk=object_id, kind=Role.Kind.RESEARCHER).first()
    if role is None or role.study is None:
        return None
    return compose(
        role.user.email,
        _("Delete the answers of a study: %(study)s") % {"study": isolated(role.study.title)},
        "emails/teams/retention_over.txt",
        {
            "study": role.study,
            "user": role.user,
            "until": promised_until(role.study),
            "link": absolute(reverse("study_delete", args=[role.study.slug])),
        },
        headers={"Reply-To": role.study.contact_email},
    )


@register(TeamMail.RESEARCHER_JOINED)
def researcher_joined(object_id: int, language: str) -> Mail | None:
    """To those who worked in a study already: who joined it, let in by whom."""
    notice = Notice.objects.select_related("event__study", "event__by", "user").filter(pk=object_id).first()
    if notice is None:
        return None
    study, new = notice.event.study, User.objects.filter(email=notice.event.detail).first()
    still_works = studies_of(notice.user).filter(pk=study.pk).exists()
    if new is None or not still_works:
        return None
    return compose(
        notice.user.email,
        _("Somebody new in a study: %(study)s") % {"study": isolated(study.title)},
        "emails/teams/researcher_joined.txt",
        {
            "study": study,
            "user": notice.user,
            "new": new,
            "by": notice.event.by,
            "link": absolute(reverse("study_people", args=[study.slug])),
        },
    )


@register(TeamMail.MEMBER_ADDED)
def member_added(object_id: int, language: str) -> Mail | None:
    """To a new member of a research group, with the way in."""
    membership = Membership.objects.select_related("group", "user").filter(pk=object_id).first()
    if membership is None:
        return None
    user = membership.user
    has_password = user.has_usable_password()
    path = reverse("studies") if has_password else set_password_path(user)
    return compose(
        user.email,
        _("You are a member of a research group: %(group)s") % {"group": isolated(membership.group)},
        "emails/teams/member_added.txt",
        {
            "group": membership.group,
            "user": user,
            "has_password": has_password,
            "link": absolute(path),
            "login": absolute(reverse("account_login")),
        },
    )
