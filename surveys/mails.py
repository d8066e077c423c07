"""The mails of this app: who gets which words. Rendered at sending, from the rows as they are then."""

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from surveys.linking import address_lists, personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import AddressCheck, Collection, Invitee, Meeting
from teams.mail.composing import Mail, absolute
from teams.mail.kinds import TeamMail
from teams.mail.outbox import register
from teams.mail.templates import LETTERS, Letter, offer, write
from teams.models import Attendee, Participation, PlannedMeeting, Study
from teams.people.contact_person import reads_results, who_gave
from teams.text.directions import isolated


def _invitee(pk: int) -> Invitee | None:
    """The invitee, if a mail about the link is still wanted: open, the team takes part, the person did not opt out."""
    return (
        Invitee.objects.select_related(
            "secret", "collection__survey__study", "collection__participation__team__academy__institution"
        )
        .filter(pk=pk, opted_out=False, secret__isnull=False, collection__state=Collection.State.OPEN)
        .filter(collection__participation__state=Participation.State.ACCEPTED)
        .first()
    )


def _letter(kind: str, invitee: Invitee, language: str) -> Mail:
    """:raises keys.KeyDestroyed: without a key no link can be made: the mail is tried again, and collecting/new_keys.py mails new links"""
    link = personal_links.personal_url(invitee)
    stop = personal_links.stop_url(invitee) if LETTERS[kind].reminder else ""
    study = invitee.collection.survey.study
    values = _of_teachers(invitee.collection.participation, study) | {"link": link}
    return write(kind, study, language, invitee.email, values, stop=stop)


def _of_teachers(participation: Participation, study: Study) -> dict[str, str]:
    """The fields of letters to teachers, but for the link: none tells one teacher from another."""
    return {"team": participation.team.name, "k": str(study.k)}


@register(SurveyMail.PERSONAL_LINK)
def personal_link(object_id: int, language: str) -> Mail | None:
    invitee = _invitee(object_id)
    if invitee is None:
        return None
    return _letter(SurveyMail.PERSONAL_LINK, invitee, language)


@register(SurveyMail.PERSONAL_LINK_REPLACED)
def replaced_link(object_id: int, language: str) -> Mail | None:
    """To everybody with a link, whether or not they answered: nobody can tell."""
    invitee = _invitee(object_id)
    return None if invitee is None else _letter(SurveyMail.PERSONAL_LINK_REPLACED, invitee, language)


@register(SurveyMail.PERSONAL_REMINDER_TO_ALL)
def personal_reminder(object_id: int, language: str) -> Mail | None:
    invitee = _invitee(object_id)
    return None if invitee is None else _letter(SurveyMail.PERSONAL_REMINDER_TO_ALL, invitee, language)


@register(SurveyMail.FACILITATOR_LINK)
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
    if participation.state != Participation.State.ACCEPTED or reads_results(participation, participation.contact_email):
        return None
    values = _of_contact(participation) | {"link": personal_links.facilitator_url(meeting)}
    study, origin = meeting.collection.survey.study, who_gave(participation)
    return write(SurveyMail.FACILITATOR_LINK, study, language, participation.contact_email, values, origin=origin)


def _of_contact(participation: Participation) -> dict[str, str]:
    """The fields of letters to a contact person, but for the link."""
    when = date_format(participation.meets_on) if participation.meets_on else ""
    return {
        "name": participation.contact_name or _("contact person"),
        "team": participation.team.name,
        "when": _("Date of the meeting: %(date)s.") % {"date": when} if when else "",
    }


@register(SurveyMail.COLLECTING_BEGINS)
def collecting_begins(object_id: int, language: str) -> Mail | None:
    """To the leader of a team that takes part: its questionnaire is open. Not once its answers are sealed."""
    participation = (
        Participation.objects.select_related("study", "team__academy__institution")
        .filter(pk=object_id, state=Participation.State.ACCEPTED, collection__isnull=False)
        .exclude(collection__state=Collection.State.SEALED)
        .first()
    )
    if participation is None:
        return None
    values = _of_leader(participation) | {"link": absolute(reverse("team", args=[participation.pk]))}
    return write(SurveyMail.COLLECTING_BEGINS, participation.study, language, participation.leader_email, values)


def _of_leader(participation: Participation) -> dict[str, str]:
    return {"name": participation.leader_name, "team": participation.team.name}


@register(SurveyMail.CONFIRM_ADDRESSES)
def confirm_addresses(object_id: int, language: str) -> Mail | None:
    """To somebody of an academy: the link to the list of its addresses."""
    check = AddressCheck.objects.select_related("study", "academy__institution").filter(pk=object_id).first()
    if check is None or check.answered_at is not None or address_lists.is_over(check):
        return None
    values = _of_check(check) | {"link": address_lists.link(check)}
    return write(SurveyMail.CONFIRM_ADDRESSES, check.study, language, check.email, values)


def _of_check(check: AddressCheck) -> dict[str, str]:
    """The fields of a letter about the addresses of an academy, but for the link."""
    return {"name": check.name, "academy": check.academy.name, "institution": check.academy.institution.name}


@register(TeamMail.MEETING_BRIEFING)
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
    if attendee.part == Attendee.Part.CONTACT and reads_results(participation, attendee.email):
        return None
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
        "link": personal_links.facilitator_url(meeting),
    }
    origin = who_gave(participation) if attendee.part == Attendee.Part.CONTACT else ""
    return write(TeamMail.MEETING_BRIEFING, participation.study, language, attendee.email, values, origin=origin)


def _when(planned: PlannedMeeting) -> str:
    """Day, time and room of a fixed meeting."""
    if planned.starts_at is None or planned.ends_at is None:
        return ""
    begin, end = timezone.localtime(planned.starts_at), timezone.localtime(planned.ends_at)
    when = f"{date_format(begin, 'l j F Y, H:i')}–{date_format(end, 'H:i')}"
    return "\n".join([when, _("Room: %(room)s") % {"room": isolated(planned.room)}] if planned.room else [when])


# ------------------------------------------------------------------------------------------------ their words
def _example_teachers(study: Study) -> dict[str, str]:
    participation = study.participations.select_related("team").order_by("state", "pk").first()
    return _of_teachers(participation, study) if participation else {}


def _example_leader(study: Study) -> dict[str, str]:
    participation = study.participations.select_related("team").order_by("state", "pk").first()
    return _of_leader(participation) if participation else {}


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
    Letter(
        kind=SurveyMail.COLLECTING_BEGINS,
        template="emails/surveys/collecting_begins.txt",
        subject=gettext_lazy("The questionnaire is open: {team}"),
        fields=("name", "team", "link"),
        example=_example_leader,
    ),
)


def _example_check(study: Study) -> dict[str, str]:
    check = AddressCheck.objects.filter(study=study).select_related("academy__institution").first()
    return _of_check(check) if check else {}


offer(
    Letter(
        kind=SurveyMail.PERSONAL_LINK,
        template="emails/surveys/personal_link.txt",
        subject=gettext_lazy("Your link: {study}"),
        fields=("team", "k", "link"),
        example=_example_teachers,
        origin=gettext_lazy("Your team leader gave us your address for this study only."),
    ),
)
offer(
    Letter(
        kind=SurveyMail.PERSONAL_LINK_REPLACED,
        template="emails/surveys/personal_link_replaced.txt",
        subject=gettext_lazy("Your new link: {study}"),
        fields=("team", "k", "link"),
        example=_example_teachers,
        origin=gettext_lazy("Your team leader gave us your address for this study only."),
    ),
)
offer(
    Letter(
        kind=SurveyMail.PERSONAL_REMINDER_TO_ALL,
        template="emails/surveys/personal_reminder.txt",
        subject=gettext_lazy("Reminder: {study}"),
        fields=("team", "k", "link"),
        example=_example_teachers,
        reminder=True,
    ),
)
offer(
    Letter(
        kind=SurveyMail.FACILITATOR_LINK,
        template="emails/surveys/facilitator_link.txt",
        subject=gettext_lazy("Leading the meeting: {team}"),
        fields=("name", "team", "when", "link"),
        example=_example_contact,
    ),
)
offer(
    Letter(
        kind=TeamMail.MEETING_BRIEFING,
        template="emails/surveys/meeting_briefing.txt",
        subject=gettext_lazy("Leading the meeting: {team}"),
        fields=("name", "team", "when", "link"),
        example=_example_briefing,
    ),
)
offer(
    Letter(
        kind=SurveyMail.CONFIRM_ADDRESSES,
        template="emails/surveys/confirm_addresses.txt",
        subject=gettext_lazy("Do these addresses belong to teachers? {study}"),
        fields=("name", "academy", "institution", "link"),
        example=_example_check,
        origin=gettext_lazy("The researchers entered your address, to ask you this."),
    ),
)
