"""The mails of this app: who gets which words. Rendered at sending, from the rows as they are then."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse
from django.utils.translation import gettext as _

from teams import invitations
from teams.mail import Mail, absolute, compose, register
from teams.models import Academy, Invitation, Role, Team, User


def _invitation(pk: int) -> Invitation | None:
    return (
        Invitation.objects.select_related(
            "study", "academy__institution", "participation__team__academy__institution", "participation__study"
        )
        .filter(pk=pk)
        .first()
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _letter(invitation: Invitation, to: str, subject: str, template: str, **context: object) -> Mail:
    study, link = invitation.study, absolute(invitations.link_path(invitation))
    headers = {"Reply-To": study.contact_email}
    if template.endswith("_reminder"):
        headers["List-Unsubscribe"] = f"<{link}>"  # there one declines, and gets no more mail
    return compose(
        to, _one_line(subject), f"emails/teams/{template}.txt", {"study": study, "link": link, **context}, headers
    )


def _to_director(invitation: Invitation, subject: str, template: str) -> Mail:
    academy = invitation.academy
    assert isinstance(academy, Academy)
    return _letter(
        invitation,
        academy.director_email,
        subject,
        template,
        academy=academy,
        participations=invitations.teams_of(invitation),
    )


def _to_leader(invitation: Invitation, subject: str, template: str) -> Mail:
    participation = invitation.participation
    assert participation is not None
    team: Team = participation.team
    return _letter(
        invitation,
        team.leader_email,
        subject,
        template,
        team=team,
        academy=team.academy,
        participation=participation,
        team_page=absolute(reverse("team", args=[participation.pk])),
    )


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


@register("teams.director_invitation")
def director_invitation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _director_is_asked(invitation):
        return None
    subject = _("Invitation: %(study)s") % {"study": invitation.study.title}
    return _to_director(invitation, subject, "director_invitation")


@register("teams.director_reminder")
def director_reminder(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _director_is_asked(invitation):
        return None
    subject = _("Reminder: invitation %(study)s") % {"study": invitation.study.title}
    return _to_director(invitation, subject, "director_reminder")


@register("teams.director_confirmation")
def director_confirmation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or invitation.state != Invitation.State.ACCEPTED:
        return None
    subject = _("Your permission is recorded: %(study)s") % {"study": invitation.study.title}
    return _to_director(invitation, subject, "director_confirmation")


@register("teams.leader_invitation")
def leader_invitation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _leader_is_asked(invitation):
        return None
    subject = _("Invitation for your team: %(study)s") % {"study": invitation.study.title}
    return _to_leader(invitation, subject, "leader_invitation")


@register("teams.leader_reminder")
def leader_reminder(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or not _leader_is_asked(invitation):
        return None
    subject = _("Reminder: invitation for your team, %(study)s") % {"study": invitation.study.title}
    return _to_leader(invitation, subject, "leader_reminder")


@register("teams.leader_confirmation")
def leader_confirmation(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or invitation.state != Invitation.State.ACCEPTED:
        return None
    subject = _("Your team takes part: %(study)s") % {"study": invitation.study.title}
    return _to_leader(invitation, subject, "leader_confirmation")


@register("teams.team_withdrawn")
def team_withdrawn(object_id: int, language: str) -> Mail | None:
    invitation = _invitation(object_id)
    if invitation is None or invitation.state != Invitation.State.WITHDRAWN:
        return None
    subject = _("Your team no longer takes part: %(study)s") % {"study": invitation.study.title}
    return _to_leader(invitation, subject, "team_withdrawn")


def _set_password_path(user: User) -> str:
    """The path on which somebody without a password sets one: as for a forgotten one, so it ends after some days."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    return reverse("account_reset_password_from_key", args=key.split("-", 1))


@register("teams.researcher_added")
def researcher_added(object_id: int, language: str) -> Mail | None:
    role = Role.objects.select_related("user", "study").filter(pk=object_id, kind=Role.Kind.RESEARCHER).first()
    if role is None or role.study is None:
        return None
    study, user = role.study, role.user
    has_password = user.has_usable_password()
    path = reverse("board", args=[study.slug]) if has_password else _set_password_path(user)
    return compose(
        user.email,
        _one_line(_("You can work in a study: %(study)s") % {"study": study.title}),
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
