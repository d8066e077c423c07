"""Who counts is not who gets the report: the leader has no link to lead the meeting by, and is never its contact person."""

import datetime
import importlib
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail as sent_mail
from django.test import Client
from django.urls import reverse
from django.utils import translation

from surveys.collecting import collections
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Meeting
from teams.contacts import cells, contacts
from teams.files.tables import Table
from teams.inviting import corrections, invitations
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.meetings import planning
from teams.models import Attendee, Event, Invitation, Membership, OutboxMessage, Participation, Role, User
from teams.people.contact_person import SamePerson, check_contact, check_leader, note_vouched
from tests.surveys.conftest import make_participation, make_study

pytestmark = pytest.mark.django_db
SPELLINGS = ["lena@noord.example", "Lena+meeting@Noord.Example", "l.e.n.a@noord.example", "LENA@noord.example"]
WAY = {"way": "1", "way-mode": "contact", "way-contact_name": "Lena Bos"}


def english(user: User | None = None) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    if user is not None:
        client.force_login(user)
    return client


@pytest.fixture
def lena(collection) -> User:
    return corrections.open_to_leader(collection.participation)


@pytest.fixture
def participation(collection) -> Participation:
    return collection.participation


@pytest.fixture
def invited(participation) -> Invitation:
    return Invitation.objects.create(
        participation=participation,
        study=participation.study,
        nonce="n" * 32,
        state=Invitation.State.ACCEPTED,
        undertaking=True,
    )


def of_contact(participation: Participation) -> tuple[str, str]:
    participation.refresh_from_db()
    return participation.contact_name, participation.contact_email


# ------------------------------------------------------------------------------------------------ no link
def test_no_page_and_no_mail_of_the_leader_holds_the_link(survey, meeting, participation, invited, lena, roos):
    planned = planning.begin(participation)
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)
    planning.fix(planned, when, researcher=roos)
    planning.brief_later([participation])
    for kind in ("teams.leader_invitation", "teams.leader_reminder", "teams.leader_confirmation"):
        outbox.queue(kind, invited.pk, study=survey.study)
    personal_links.send_facilitator_link(meeting)
    OutboxMessage.objects.update(due_at=datetime.datetime.now(datetime.UTC))
    outbox.send_due()
    token = f"/f/{meeting.pk}."
    client = english(lena)
    for name in ("team", "team_meeting", "team_report"):
        assert "/f/" not in client.get(reverse(name, args=[participation.pk])).content.decode()
    page = client.get(reverse("team", args=[participation.pk])).content.decode()
    assert "You do not get this link." in page
    readers = {address for message in sent_mail.outbox for address in message.to if token in str(message.message())}
    assert readers == {"cora@noord.example", "roos@noord.example"}
    to_lena = [message for message in sent_mail.outbox if "lena@noord.example" in message.to]
    assert to_lena
    for message in to_lena:
        assert token not in message.body
        assert not any(
            token.encode() in bytes(content, "utf-8") if isinstance(content, str) else token.encode() in content
            for _name, content, _type in message.attachments
        )


def test_the_contact_person_gets_the_link_from_us(survey):
    made = make_participation(survey.study, "Mondzorg", "contact")
    meeting = collections.open_collection(made).meeting
    assert OutboxMessage.objects.filter(kind=SurveyMail.FACILITATOR_LINK, object_id=meeting.pk).count() == 1
    page = english(corrections.open_to_leader(made)).get(reverse("team", args=[made.pk])).content.decode()
    assert "Cora Vink leads the meeting, and gets the link to its page by email" in page


def test_another_contact_person_gets_a_new_link_and_the_old_one_ends(collection, meeting, participation, lena):
    client = english(lena)
    Participation.objects.filter(pk=participation.pk).update(
        mode="contact", contact_name="Cora", contact_email="cora@noord.example"
    )
    Collection.objects.filter(pk=collection.pk).update(mode="contact")
    before = meeting.facilitator_nonce
    new = WAY | {"way-contact_name": "Bea", "way-contact_email": "bea@noord.example"}
    client.post(reverse("team_meeting", args=[participation.pk]), new)
    meeting.refresh_from_db()
    assert meeting.facilitator_nonce != before
    assert OutboxMessage.objects.filter(kind=SurveyMail.FACILITATOR_LINK, object_id=meeting.pk).count() == 1


# ------------------------------------------------------------------------------------------------ not the contact person
@pytest.mark.parametrize("email", SPELLINGS)
@pytest.mark.parametrize("who", ["leader", "researcher"])
def test_planning_refuses_the_leader_and_says_why(collection, participation, lena, roos, email, who):
    client = english(lena if who == "leader" else roos)
    page = {
        "leader": reverse("team_meeting", args=[participation.pk]),
        "researcher": reverse("meeting", args=[participation.study.slug, participation.pk]),
    }[who]
    answer = client.post(page, WAY | {"way-contact_email": email})
    assert answer.status_code == 200
    assert "must not be somebody who gets the report" in answer.content.decode()
    assert of_contact(participation) == ("Cora Vink", "cora@noord.example")


@pytest.mark.parametrize("email", SPELLINGS)
def test_accepting_refuses_the_leader_and_says_why(survey, email):
    made = make_participation(survey.study, "Mondzorg", "contact")
    Participation.objects.filter(pk=made.pk).update(state="invited", contact_email="", contact_name="", approached=None)
    invitation = Invitation.objects.create(
        participation=made, study=survey.study, nonce="n" * 32, state=Invitation.State.SENT
    )
    client = english()
    client.get(invitations.link_path(invitation))
    data = {
        "mode": "contact",
        "approached": "12",
        "contact_name": "L. Bos",
        "contact_email": email,
        "undertaking": "on",
    }
    answer = client.post(reverse("invitation", args=[invitation.pk]), data)
    assert "must not be somebody who gets the report" in answer.content.decode()
    made.refresh_from_db()
    assert made.state == "invited"
    with pytest.raises(SamePerson):
        invitations.accept_team(invitation, mode="contact", approached=12, contact_name="L", contact_email=email)
    invitation.refresh_from_db()
    assert invitation.state == "sent"


@pytest.mark.parametrize("email", ["cora@noord.example", "C.ora+x@Noord.example"])
def test_the_contact_person_does_not_become_the_leader(collection, participation, invited, lena, roos, email):
    client = english(roos)
    edit = reverse("team_edit", args=[participation.study.slug, participation.pk])
    data = {"name": "Verpleegkunde", "form": "full_time", "leader_name": "Cora Vink", "leader_email": email}
    answer = client.post(edit, data)
    assert "first let the team name another contact person" in answer.content.decode()
    participation.refresh_from_db()
    assert participation.leader_email == "lena@noord.example"
    with pytest.raises(SamePerson):
        corrections.correct_leader(participation, "Cora Vink", email)
    header = ["institution", "academy", "sector", "director", "e-mail director", "team", "form", "team leader"]
    row = ["Hogeschool Noord", "Academie voor Zorg", "health", "Dirk Jansen", "dirk@noord.example"]
    table = Table([*header, "e-mail teamleider"], [[*row, "Verpleegkunde", "full-time", "Cora Vink", email]])
    applied = contacts.apply(participation.study, table, roos)
    assert not applied.usable
    participation.refresh_from_db()
    assert participation.leader_email == "lena@noord.example"


def test_the_contact_person_of_one_wave_may_lead_the_next_but_reads_nothing_of_the_first(
    participation, invited, lena, roos
):
    later = make_study("again", wave=2, starts_on=datetime.date(2027, 9, 1), ends_on=datetime.date(2028, 6, 1))
    second = make_participation(later, "Verpleegkunde", "online")
    Participation.objects.filter(pk=second.pk).update(contact_name="", contact_email="")
    Invitation.objects.create(participation=second, study=later, nonce="m" * 32, state="accepted", undertaking=True)
    second.refresh_from_db()
    assert corrections.correct_leader(second, "Cora Vink", "cora@noord.example", by=roos)
    corrections.open_to_leader(second)
    assert not corrections.hand_over(participation, second, by=roos)
    participation.refresh_from_db()
    assert participation.leader_email == "lena@noord.example"


DIRECTOR = ["dirk@noord.example", "D.irk+meeting@Noord.example"]


@pytest.mark.parametrize("email", DIRECTOR)
@pytest.mark.parametrize("who", ["leader", "researcher"])
def test_planning_refuses_the_director_and_says_why(collection, participation, lena, roos, email, who):
    page = {
        "leader": reverse("team_meeting", args=[participation.pk]),
        "researcher": reverse("meeting", args=[participation.study.slug, participation.pk]),
    }[who]
    answer = english(lena if who == "leader" else roos).post(page, WAY | {"way-contact_email": email})
    assert "This is the address of the director of the academy." in answer.content.decode()
    assert of_contact(participation) == ("Cora Vink", "cora@noord.example")
    with pytest.raises(SamePerson):
        planning.change_way(participation, mode="contact", contact_name="Dirk", contact_email=email)


def test_accepting_refuses_the_director_and_says_why(survey):
    made = make_participation(survey.study, "Mondzorg", "contact")
    Participation.objects.filter(pk=made.pk).update(state="invited", contact_email="", contact_name="", approached=None)
    invitation = Invitation.objects.create(
        participation=made, study=survey.study, nonce="n" * 32, state=Invitation.State.SENT
    )
    client = english()
    client.get(invitations.link_path(invitation))
    data = {"mode": "contact", "approached": "12", "contact_name": "Dirk", "undertaking": "on"}
    answer = client.post(reverse("invitation", args=[invitation.pk]), data | {"contact_email": DIRECTOR[1]})
    assert "This is the address of the director of the academy." in answer.content.decode()
    made.refresh_from_db()
    assert made.state == "invited"


@pytest.mark.parametrize("email", ["cora@noord.example", "C.ora+x@Noord.example"])
def test_the_contact_person_does_not_become_the_director(collection, participation, roos, email):
    study, academy = participation.study, participation.team.academy
    Invitation.objects.create(academy=academy, study=study, nonce="d" * 32, state="accepted", undertaking=True)
    page = reverse("academy_edit", args=[study.slug, academy.pk])
    data = {"name": academy.name, "sector": "health", "director_name": "Cora Vink", "director_email": email}
    answer = english(roos).post(page, data)
    assert "first let the team name another contact person" in answer.content.decode()
    academy.refresh_from_db()
    assert academy.director_email == "dirk@noord.example"
    row = ["Hogeschool Noord", "Academie voor Zorg", "health", "Cora Vink", email, "", "", "", ""]
    table = Table(cells.EXAMPLE[0], [row])
    (ask,) = contacts.preview(study, table, roos).rows[0].asks
    refused = contacts.apply(study, table, roos, {ask.field: ask.old_email})
    assert not refused.applied
    assert "first let the team name another contact person" in str(refused.problems)


def test_directors_who_were_contact_person_are_parted(collection, meeting, participation):
    migration = importlib.import_module("surveys.migrations.0018_directors_do_not_count")
    Participation.objects.filter(pk=participation.pk).update(contact_name="Dirk", contact_email="D.irk@noord.example")
    Meeting.objects.update(present=40, present_by="contact")
    held = meeting.facilitator_nonce
    migration.part(apps, None)
    meeting.refresh_from_db()
    assert of_contact(participation) == ("", "")
    assert (meeting.present, meeting.present_by) == (None, "")
    assert meeting.facilitator_nonce != held


def test_a_meeting_with_a_contact_person_needs_one(collection, meeting, participation):
    Participation.objects.update(contact_name="", contact_email="")
    client = english()
    client.get("/f/" + personal_links.facilitator_url(meeting).partition("/f/")[2])
    answer = client.post(reverse("facilitator_present", args=[meeting.pk]), {"present": "14", "mode": "contact"})
    assert "No contact person is known for this team." in answer.content.decode()
    meeting.refresh_from_db()
    collection.refresh_from_db()
    assert (meeting.present, collection.mode) == (None, "researcher")


def test_a_mail_that_waits_does_not_reach_the_leader(meeting, participation):
    assert personal_links.send_facilitator_link(meeting)
    Participation.objects.filter(pk=participation.pk).update(contact_email="Lena+x@noord.example")
    outbox.send_due()
    assert not [
        message for message in sent_mail.outbox if "/f/" in message.body or "Lena+x@noord.example" in message.to
    ]
    assert not personal_links.send_facilitator_link(Meeting.objects.get(pk=meeting.pk))


# ------------------------------------------------------------------------------------------------ rows of before
def test_leaders_who_were_contact_person_are_parted(survey, collection, meeting, participation, roos):
    migration = importlib.import_module("surveys.migrations.0012_who_counts_does_not_read")
    planned = planning.begin(participation)
    planning.fix(planned, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=9), researcher=roos)
    Attendee.objects.filter(part="contact").update(email="lena@noord.example")
    Participation.objects.filter(pk=participation.pk).update(contact_name="Lena", contact_email="L.ena@noord.example")
    Meeting.objects.update(present=40)
    sealed = collections.open_collection(make_participation(survey.study, "Mondzorg", "contact"))
    other = collections.open_collection(make_participation(survey.study, "Logopedie", "contact"))
    type(sealed).objects.filter(pk=sealed.pk).update(state="sealed", n_started=1, n_submitted=1)
    nonces = dict(Meeting.objects.values_list("pk", "facilitator_nonce"))
    OutboxMessage.objects.filter(kind=SurveyMail.FACILITATOR_LINK).delete()
    migration.part(apps, None)
    meeting.refresh_from_db()
    assert of_contact(participation) == ("", "")
    assert meeting.present is None
    assert Event.objects.get(kind="contact_person_changed").detail == "Lena L.ena@noord.example → –"
    assert Attendee.objects.get(part="contact").left
    waiting = OutboxMessage.objects.filter(object_id=Attendee.objects.get(part="contact").pk, state="queued")
    assert not waiting.filter(kind__in=[TeamMail.MEETING_CALENDAR, TeamMail.MEETING_BRIEFING]).exists()
    new = dict(Meeting.objects.values_list("pk", "facilitator_nonce"))
    assert {pk for pk in nonces if new[pk] == nonces[pk]} == {sealed.meeting.pk}
    assert [message.object_id for message in OutboxMessage.objects.filter(kind=SurveyMail.FACILITATOR_LINK)] == [
        other.meeting.pk
    ]
    assert Role.objects.filter(kind="leader").count() == 0


# ------------------------------------------------------------------------------------------------ siblings
def test_who_leads_a_sibling_does_not_count_and_who_counts_does_not_lead_one(survey, participation):
    sibling = make_participation(survey.study, "Mondzorg", "contact")
    Participation.objects.filter(pk=sibling.pk).update(
        leader_email="bea@noord.example", contact_email="siem@noord.example"
    )
    with pytest.raises(SamePerson, match="leader of another team of the academy"), translation.override("en"):
        check_contact(participation, "B.ea@noord.example")
    with pytest.raises(SamePerson, match="contact person of Mondzorg"), translation.override("en"):
        check_leader(participation, "siem@noord.example")
    Participation.objects.filter(pk=sibling.pk).update(contact_email="cora@noord.example")
    note_vouched(sibling.pk, "siem@noord.example")
    with (
        pytest.raises(SamePerson, match="counted how many people were present in Mondzorg"),
        translation.override("en"),
    ):
        check_leader(participation, "siem@noord.example")
    check_contact(participation, "another@noord.example")


def test_who_counted_while_signed_in_is_remembered_too(collection, meeting):
    """A contact person may have an account, as the leader of another team: signed in or not, who counts is not who reads."""
    participation = collection.participation
    Participation.objects.filter(pk=participation.pk).update(
        mode="contact", contact_name="Cora", contact_email="cora@noord.example"
    )
    elsewhere = make_participation(make_study("elsewhere"), "Mondzorg", "online")
    for name in ("cora", "kees"):
        user = User.objects.create_user(f"{name}@noord.example", name=name)
        Role.objects.update_or_create(kind=Role.Kind.LEADER, participation=elsewhere, defaults={"user": user})
        client = english(user)
        assert client.get(urlsplit(personal_links.facilitator_url(meeting)).path).status_code == 302
        assert client.post(reverse("facilitator_present", args=[meeting.pk]), {"present": "12"}).status_code == 302
        meeting.refresh_from_db()
        assert meeting.present == 12
    Participation.objects.filter(pk=participation.pk).update(contact_name="Piet", contact_email="piet@noord.example")
    for name in ("cora", "kees"):
        with pytest.raises(SamePerson, match="counted"), translation.override("en"):
            corrections.correct_leader(participation, name, f"{name}@noord.example")


def test_a_researcher_who_counted_does_not_lead_the_team_later(collection, meeting, roos):
    collections.count_present(meeting, 12, roos)
    Role.objects.filter(user=roos).delete()
    Membership.objects.filter(user=roos).delete()
    with pytest.raises(SamePerson, match="counted"), translation.override("en"):
        corrections.correct_leader(collection.participation, "Roos", "roos@noord.example")


def test_the_name_of_a_leader_who_counted_can_be_corrected(collection, meeting, lena):
    """Their count is held as the leader's; that it is noted keeps nobody from writing the name right."""
    participation = collection.participation
    collections.count_present(meeting, 12, lena)
    participation.refresh_from_db()
    assert participation.vouched_by
    assert corrections.correct_leader(participation, "Lena de Bos", lena.email)
    participation.refresh_from_db()
    assert (participation.leader_name, participation.leader_email) == ("Lena de Bos", lena.email)
