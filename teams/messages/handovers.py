"""The mails that guard a place: to who was there before, to who gets an earlier wave of a team, and a code to stop.

They are the program's own, not a study's letters: whoever changes a leader cannot word away what the one before is told.
"""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from teams.inviting.link_codes import MINUTES, code_of, waiting
from teams.inviting.new_leaders import wants_no_mail
from teams.mail.composing import Mail, absolute, compose
from teams.mail.kinds import TeamMail
from teams.mail.outbox import register
from teams.models import FormerContact, Invitation, Participation, Study
from teams.text.directions import isolated


def _closing(study: Study) -> str:
    return render_to_string("emails/closing.txt", {"study": study, "origin": "", "stop": ""})


@register(TeamMail.FORMER_CONTACT)
def former_contact(object_id: int, language: str) -> Mail | None:
    """To who was leader, director or contact person; None where this person was removed since."""
    former = (
        FormerContact.objects.select_related("study", "academy", "participation__team__academy", "by")
        .filter(pk=object_id)
        .first()
    )
    if former is None:
        return None
    study = former.study
    return compose(
        former.email,
        _subject(former),
        "emails/teams/former_contact.txt",
        {
            "study": study,
            "name": former.name,
            "what": _what(former),
            "by_whom": _by_whom(former),
            "closing": _closing(study),
        },
        headers={"Reply-To": study.contact_email},
    )


def _of_what(former: FormerContact) -> dict[str, str]:
    if former.academy is not None:
        return {"place": isolated(former.academy.name), "study": isolated(former.study.title)}
    assert former.participation is not None
    place = former.of_team or former.participation.team.name
    return {"place": isolated(place), "study": isolated(former.study.title)}


def _subject(former: FormerContact) -> str:
    words = {
        FormerContact.Part.LEADER: _("You are no longer the team leader of %(place)s: %(study)s"),
        FormerContact.Part.DIRECTOR: _("You are no longer the director of %(place)s: %(study)s"),
        FormerContact.Part.CONTACT: _("You are no longer the contact person of %(place)s: %(study)s"),
    }
    return words[FormerContact.Part(former.part)] % _of_what(former)


def _what(former: FormerContact) -> str:
    words = {
        FormerContact.Part.LEADER: _(
            "This address is no longer that of the team leader of %(place)s in the study “%(study)s”. The links that "
            "we emailed to you for it no longer work, and you can no longer open the pages of the team in this "
            "study. Links to its report that were made for the team no longer work either."
        ),
        FormerContact.Part.DIRECTOR: _(
            "This address is no longer that of the director of %(place)s in the study “%(study)s”. The links that we "
            "emailed to you, to the invitation and to a report, no longer work."
        ),
        FormerContact.Part.CONTACT: _(
            "This address is no longer that of the contact person of %(place)s in the study “%(study)s”. The link to "
            "the page of the meeting that we emailed to you no longer works."
        ),
    }
    words_of_part = words[FormerContact.Part(former.part)] % _of_what(former)
    if former.participation is None or not former.of_team:
        return words_of_part
    teams = {"place": isolated(former.of_team), "team": isolated(former.participation.team.name)}
    return words_of_part + " " + _("In this study, %(place)s is now one team with %(team)s.") % teams


def _by_whom(former: FormerContact) -> str:
    if former.changer == FormerContact.Changer.DIRECTOR:
        assert former.participation is not None
        director = former.participation.team.academy.director_name
        return _("The director of the academy, %(name)s, named another team leader.") % {"name": isolated(director)}
    if former.changer == FormerContact.Changer.LEADER:
        return _("The team leader, %(name)s, changed this.") % {
            "name": isolated(former.by or _("no longer known by name"))
        }
    if former.by is None:
        return _("A researcher of the study changed this.")
    return _("A researcher, %(name)s, changed this.") % {"name": isolated(former.by)}


@register(TeamMail.WAVE_HANDED_OVER)
def wave_handed_over(object_id: int, language: str) -> Mail | None:
    """To who leads the wave from now on."""
    subject = _("An earlier wave of %(team)s is open to you: %(study)s")
    return _to_leader(object_id, subject, "emails/teams/wave_handed_over.txt")


@register(TeamMail.LEADER_NAMED)
def leader_named(object_id: int, language: str) -> Mail | None:
    """To who was named in the place of a leader who had accepted; None where they said no since."""
    wave = Participation.objects.select_related("study").filter(pk=object_id).first()
    if wave is None or wants_no_mail(wave.study, wave.leader_email):
        return None
    return _to_leader(object_id, _("You lead %(team)s from now on: %(study)s"), "emails/teams/leader_named.txt")


@register(TeamMail.LEADER_LET_IN)
def leader_let_in(object_id: int, language: str) -> Mail | None:
    """To the leader of a team that nobody invited: the team's pages are open."""
    return _to_leader(object_id, _("The report of %(team)s: %(study)s"), "emails/teams/leader_let_in.txt")


def _to_leader(participation_id: int, subject: str, template: str) -> Mail | None:
    """A mail with the address of the team's page; None where the team takes no part."""
    participation = (
        Participation.objects.select_related("study", "team")
        .filter(pk=participation_id, state=Participation.State.ACCEPTED)
        .first()
    )
    if participation is None:
        return None
    study = participation.study
    return compose(
        participation.leader_email,
        subject % {"team": isolated(participation.team.name), "study": isolated(study.title)},
        template,
        {
            "study": study,
            "participation": participation,
            "link": absolute(reverse("team", args=[participation.pk])),
            "closing": _closing(study),
        },
        headers={"Reply-To": study.contact_email},
    )


@register(TeamMail.LINK_CODE)
def link_code(object_id: int, language: str) -> Mail | None:
    """The code, to the address of the invitation; None where it ended before the mail could go."""
    invitation = (
        Invitation.objects.select_related("study", "academy", "participation__team").filter(pk=object_id).first()
    )
    code = waiting(invitation) if invitation is not None else None
    if invitation is None or code is None:
        return None
    place, person = invitation.academy, invitation.participation
    if place is not None:
        email, name, about = place.director_email, place.director_name, place.name
    else:
        assert person is not None
        email, name, about = person.leader_email, person.leader_name, person.team.name
    return compose(
        email,
        _("Code to stop taking part: %(about)s") % {"about": isolated(about)},
        "emails/teams/link_code.txt",
        {
            "study": invitation.study,
            "name": name,
            "about": about,
            "code": code_of(code),
            "minutes": MINUTES,
            "closing": _closing(invitation.study),
        },
        headers={"Reply-To": invitation.study.contact_email},
    )
