"""The mails of this app: who gets which words. Rendered at sending, from the rows as they are then."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from surveys import keys, links
from surveys.models import Collection, Invitee, Meeting
from teams import planning
from teams.letters import CONTACTS, LETTERS, TEACHERS, Letter, offer, write
from teams.mail import Mail, register
from teams.models import Participation, Study
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


def _letter(kind: str, invitee: Invitee, language: str) -> Mail | None:
    try:
        link = links.personal_url(invitee)
        stop = links.stop_url(invitee) if LETTERS[kind].reminder else ""
    except keys.KeyDestroyed:
        return None
    study = invitee.collection.survey.study
    values = _of_teachers(invitee.collection.participation, study) | {"link": link}
    return write(kind, study, language, invitee.email, values, stop=stop)


def _of_teachers(participation: Participation, study: Study) -> dict[str, str]:
    """The fields of letters to teachers, but for the link: none tells one teacher from another."""
    return {"team": participation.team.name, "k": str(study.k)}


@register(links.LINK_MAIL)
def personal_link(object_id: int, language: str) -> Mail | None:
    invitee = _invitee(object_id)
    if invitee is None:
        return None
    return _letter(links.LINK_MAIL, invitee, language)


@register(links.REMINDER_MAIL, leaves_trace=False)
def personal_reminder(object_id: int, language: str) -> Mail | None:
    """Only to who has not submitted: looked up now, under the key, and not stored."""
    invitee = _invitee(object_id)
    try:
        if invitee is None or links.has_submitted(invitee):
            return None
    except keys.KeyDestroyed:
        return None
    return _letter(links.REMINDER_MAIL, invitee, language)


@register(links.REMINDER_TO_ALL_MAIL, leaves_trace=False)
def personal_reminder_to_all(object_id: int, language: str) -> Mail | None:
    invitee = _invitee(object_id)
    if invitee is None:
        return None
    return _letter(links.REMINDER_TO_ALL_MAIL, invitee, language)


@register(links.FACILITATOR_MAIL, any_hour=True)
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
    values = _of_contact(participation) | {"link": links.facilitator_url(meeting)}
    return write(links.FACILITATOR_MAIL, meeting.collection.survey.study, language, participation.contact_email, values)


def _of_contact(participation: Participation) -> dict[str, str]:
    """The fields of letters to a contact person, but for the link."""
    when = date_format(participation.meets_on) if participation.meets_on else ""
    return {
        "name": participation.contact_name or _("contact person"),
        "team": participation.team.name,
        "when": _("Date of the meeting: %(date)s.") % {"date": when} if when else "",
    }


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
    values = {
        "name": attendee.name or _("contact person"),
        "team": participation.team.name,
        "when": _when(planned),
        "link": links.facilitator_url(meeting),
    }
    return write(planning.BRIEFING_MAIL, participation.study, language, attendee.email, values)


def _when(planned: PlannedMeeting) -> str:
    """Day, time and room of a fixed meeting."""
    if planned.starts_at is None or planned.ends_at is None:
        return ""
    begin, end = timezone.localtime(planned.starts_at), timezone.localtime(planned.ends_at)
    when = f"{date_format(begin, 'l j F Y, H:i')}–{date_format(end, 'H:i')}"
    return "\n".join([when, _("Room: %(room)s") % {"room": planned.room}] if planned.room else [when])


# ------------------------------------------------------------------------------------------------ their words
def _example_teachers(study: Study) -> dict[str, str]:
    participation = study.participations.select_related("team").order_by("state", "pk").first()
    return _of_teachers(participation, study) if participation else {}


def _example_contact(study: Study) -> dict[str, str]:
    with_contact = study.participations.exclude(contact_email="").select_related("team")
    participation = with_contact.order_by("meets_on", "pk").first()
    return _of_contact(participation) if participation else {}


def _example_briefing(study: Study) -> dict[str, str]:
    fixed = PlannedMeeting.objects.filter(participation__study=study, state=PlannedMeeting.State.CONFIRMED)
    planned = fixed.select_related("participation__team").order_by("starts_at").first()
    if planned is None:
        return _example_contact(study)
    return _of_contact(planned.participation) | {"when": _when(planned)}


offer(
    links.LINK_MAIL,
    Letter(
        title=gettext_lazy("Personal link of a teacher"),
        reader=TEACHERS,
        template="emails/surveys/personal_link.txt",
        subject=gettext_lazy("Your link: {study}"),
        fields=("team", "k", "link"),
        example=_example_teachers,
        origin=gettext_lazy("Your team leader gave us your address for this study only."),
    ),
)
offer(
    links.REMINDER_MAIL,
    Letter(
        title=gettext_lazy("Reminder of teachers who have not finished"),
        reader=TEACHERS,
        template="emails/surveys/personal_reminder.txt",
        subject=gettext_lazy("Reminder: {study}"),
        fields=("team", "k", "link"),
        example=_example_teachers,
        reminder=True,
    ),
)
offer(
    links.REMINDER_TO_ALL_MAIL,
    Letter(
        title=gettext_lazy("Reminder of all teachers, also of those who have finished"),
        reader=TEACHERS,
        template="emails/surveys/personal_reminder_to_all.txt",
        subject=gettext_lazy("Reminder: {study}"),
        fields=("team", "k", "link"),
        example=_example_teachers,
        reminder=True,
    ),
)
offer(
    links.FACILITATOR_MAIL,
    Letter(
        title=gettext_lazy("Link of a contact person who leads a meeting"),
        reader=CONTACTS,
        template="emails/surveys/facilitator_link.txt",
        subject=gettext_lazy("Leading the meeting: {team}"),
        fields=("name", "team", "when", "link"),
        example=_example_contact,
    ),
)
offer(
    planning.BRIEFING_MAIL,
    Letter(
        title=gettext_lazy("Briefing two days before a meeting"),
        reader=CONTACTS,
        template="emails/surveys/meeting_briefing.txt",
        subject=gettext_lazy("Leading the meeting: {team}"),
        fields=("name", "team", "when", "link"),
        example=_example_briefing,
    ),
)
