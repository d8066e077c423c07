"""The mails of this app: who gets which words. Rendered at sending, from the rows as they are then."""

from django.urls import reverse
from django.utils.translation import gettext as _

from surveys import keys, links
from surveys.models import Collection, Invitee, Meeting
from teams import planning
from teams.mail import Mail, absolute, compose, register
from teams.models import Participation
from teams.planned import Attendee, PlannedMeeting


def _invitee(pk: int) -> Invitee | None:
    """The invitee, if a mail about the link is still wanted: open, the team takes part, the person did not opt out."""
    return (
        Invitee.objects.select_related(
            "collection__survey__study", "collection__participation__team__academy__institution"
        )
        .filter(pk=pk, opted_out=False, collection__state=Collection.State.OPEN)
        .filter(collection__participation__state=Participation.State.ACCEPTED)
        .exclude(nonce="")
        .first()
    )


def _letter(invitee: Invitee, subject: str, template: str) -> Mail | None:
    try:
        link = links.personal_url(invitee)
    except keys.KeyDestroyed:
        return None
    collection = invitee.collection
    study = collection.survey.study
    headers = {"Reply-To": study.contact_email}
    if template != "personal_link":
        headers["List-Unsubscribe"] = f"<{link}>"  # the welcome page has the button "no more mail"
    return compose(
        invitee.email,
        " ".join(subject.split()),
        f"emails/surveys/{template}.txt",
        {"study": study, "team": collection.participation.team, "link": link},
        headers=headers,
    )


@register(links.LINK_MAIL)
def personal_link(object_id: int, language: str) -> Mail | None:
    invitee = _invitee(object_id)
    if invitee is None:
        return None
    subject = _("Your link: %(study)s") % {"study": invitee.collection.survey.study.title}
    return _letter(invitee, subject, "personal_link")


@register(links.REMINDER_MAIL, leaves_trace=False)
def personal_reminder(object_id: int, language: str) -> Mail | None:
    """Only to who has not submitted: looked up now, under the key, and not stored."""
    invitee = _invitee(object_id)
    try:
        if invitee is None or links.has_submitted(invitee):
            return None
    except keys.KeyDestroyed:
        return None
    subject = _("Reminder: %(study)s") % {"study": invitee.collection.survey.study.title}
    return _letter(invitee, subject, "personal_reminder")


@register(links.REMINDER_TO_ALL_MAIL, leaves_trace=False)
def personal_reminder_to_all(object_id: int, language: str) -> Mail | None:
    invitee = _invitee(object_id)
    if invitee is None:
        return None
    subject = _("Reminder: %(study)s") % {"study": invitee.collection.survey.study.title}
    return _letter(invitee, subject, "personal_reminder_to_all")


@register(links.FACILITATOR_MAIL)
def facilitator_link(object_id: int, language: str) -> Mail | None:
    meeting = (
        Meeting.objects.select_related(
            "collection__survey__study", "collection__participation__team__academy__institution"
        )
        .filter(pk=object_id)
        .exclude(collection__state=Collection.State.SEALED)
        .first()
    )
    if meeting is None or not meeting.collection.participation.contact_email:
        return None
    participation = meeting.collection.participation
    if participation.state != Participation.State.ACCEPTED:
        return None
    study = meeting.collection.survey.study
    subject = _("Leading the meeting: %(team)s") % {"team": participation.team.name}
    return compose(
        participation.contact_email,
        " ".join(subject.split()),
        "emails/surveys/facilitator_link.txt",
        {
            "study": study,
            "participation": participation,
            "team": participation.team,
            "meeting": meeting,
            "join_url": absolute(reverse("join")),
            "link": links.facilitator_url(meeting),
        },
        headers={"Reply-To": study.contact_email},
    )


@register(planning.BRIEFING_MAIL)
def meeting_briefing(object_id: int, language: str) -> Mail | None:
    """To the contact person or researcher who leads a fixed meeting, two days before: what to say, and the link."""
    attendee = (
        Attendee.objects.select_related(
            "meeting__participation__study", "meeting__participation__team__academy__institution"
        )
        .filter(pk=object_id, left=False, meeting__state=PlannedMeeting.State.CONFIRMED)
        .filter(meeting__participation__state=Participation.State.ACCEPTED)
        .first()
    )
    if attendee is None:
        return None
    planned = attendee.meeting
    participation = planned.participation
    meeting = (
        Meeting.objects.filter(collection__participation=participation)
        .exclude(collection__state=Collection.State.SEALED)
        .first()
    )
    if meeting is None:  # not opened yet: planning.brief_later queues it again then
        return None
    study, team = participation.study, participation.team
    return compose(
        attendee.email,
        " ".join((_("Leading the meeting: %(team)s") % {"team": team.name}).split()),
        "emails/surveys/meeting_briefing.txt",
        {
            "study": study,
            "team": team,
            "participation": participation,
            "planned": planned,
            "attendee": attendee,
            "link": links.facilitator_url(meeting),
        },
        headers={"Reply-To": study.contact_email},
    )
