"""No reminders: said once, by a link of one study, it holds in every study and research group, and can be taken back there."""

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from analysis.erasure import people, studies
from surveys.collecting import collections
from surveys.linking import personal_links
from surveys.models import Collection, Invitee, Survey
from teams.inviting import invitations, reminders
from teams.mail import outbox, refusals
from teams.models import Academy, Event, Institution, Invitation, Participation, Refusal, Study, Team, User
from teams.studies.setting_up import let_work
from tests.groups import a_group
from tests.surveys.conftest import make_study

pytestmark = pytest.mark.django_db
DIRECTOR, TEACHER = "dirk@noord.example", "ine@noord.example"


def directors_of(group: str) -> Invitation:
    """The same person directs an academy in a study of this group, and was invited."""
    study = make_study(group.lower(), title=group)
    Study.objects.filter(pk=study.pk).update(group=a_group(group))
    study.refresh_from_db()
    academy = Academy.objects.create(
        institution=Institution.objects.create(group=a_group(group), name="Hogeschool Noord"),
        name="Academie voor Zorg",
        sector="health",
        director_name="Dirk Jansen",
        director_email=DIRECTOR.title() if group == "Two" else DIRECTOR,
    )
    team = Team.objects.create(academy=academy, name="Zorg", leader_name="Lena", leader_email="lena@noord.example")
    invitations.list_team(study, team)
    invitations.invite_directors(study)
    outbox.send_due()
    return Invitation.objects.get(study=study, academy=academy)


def researcher(study: Study) -> Client:
    user = User.objects.create_user(f"r@{study.slug}.example", "correct horse battery", name="R")
    let_work(study, user)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def invitation() -> Invitation:
    return directors_of("One")


@pytest.fixture
def of_another_group() -> Invitation:
    return directors_of("Two")


def test_who_says_it_in_one_group_is_reminded_by_none(invitation, of_another_group):
    assert invitations.remind(of_another_group)  # it waits in the outbox when the wish comes
    django_mail.outbox.clear()
    page = Client().get(invitations.stop_path(invitation)).content.decode()
    assert "ook niet over een ander" in page
    Client(enforce_csrf_checks=True).post(invitations.stop_path(invitation))
    assert outbox.send_due() == 0
    assert not invitations.remind(of_another_group)
    reminders.set_schedule(of_another_group.study, "director", active=True, after_days=1, times=5, until=None, by=None)
    outlook = reminders.outlook(of_another_group.study, "director")
    assert (outlook.n_no_more, outlook.today, outlook.next_on) == (1, [], None)
    page = (
        researcher(of_another_group.study)
        .get(reverse("academy_edit", args=["two", of_another_group.academy_id]))
        .content.decode()
    )
    assert "Dit adres" in page
    assert reverse("invitation_remind", args=["two", of_another_group.pk]) not in page
    assert not Event.objects.filter(
        study=of_another_group.study, kind="reminders_ended"
    ).exists()  # who asked where is not told


def test_it_is_taken_back_by_the_same_link(invitation, of_another_group):
    client, path = Client(), invitations.stop_path(invitation)
    client.post(path)
    assert 'name="again"' in client.get(path).content.decode()
    client.post(path, {"again": "1"})
    assert 'name="again"' not in client.get(path).content.decode()
    assert invitations.remind(of_another_group)
    assert Event.objects.filter(study=invitation.study, kind="reminders_again", by_link=True).count() == 1
    # a mailbox that unsubscribes always ends them
    client.post(path, {"List-Unsubscribe": "One-Click", "again": "1"})
    assert refusals.wants_none(DIRECTOR)


def test_an_invitation_to_another_study_still_comes_and_whoever_is_named_next_is_reminded(invitation):
    Client().post(invitations.stop_path(invitation))
    django_mail.outbox.clear()
    later = directors_of("Two")
    assert [message.to for message in django_mail.outbox] == [[DIRECTOR.title()]]
    Academy.objects.filter(pk=later.academy_id).update(director_email="dina@noord.example")
    assert invitations.remind(Invitation.objects.get(pk=later.pk))


def online(study: Study, version) -> Collection:
    team = Team.objects.create(
        academy=Academy.objects.filter(institution__group=study.group).first(), name="Online", leader_name="Lars"
    )
    participation = Participation.objects.create(
        study=study, team=team, state="accepted", mode="online", approached=8, leader_email="lars@noord.example"
    )
    version.questionnaire.group = study.group
    survey = Survey.objects.create(study=study, version=version, background=[])
    collections.open_survey(survey, "f" * 64)
    collection = Collection.objects.get(participation=participation)
    personal_links.issue_links(collection, [TEACHER])
    outbox.send_due()
    django_mail.outbox.clear()
    return collection


def test_a_teacher_says_it_once_for_all_questionnaires_and_takes_it_back(invitation, of_another_group, version):
    first, second = online(invitation.study, version), online(of_another_group.study, version)
    personal_links.remind(second)  # waits in the outbox
    invitee, client = first.invitees.get(), Client()
    token = personal_links.personal_url(invitee).rsplit("/", 1)[1]
    client.get(reverse("personal_link", args=[token]))
    said = client.post(reverse("answer_opt_out"), {"link": token}).headers["Location"]
    page = client.get(said).content.decode()
    assert "geen herinneringen over andere" in page
    assert "again" in page
    assert outbox.send_due() == 0
    assert personal_links.remind(second) == personal_links.remind(first) == 0
    assert not second.invitees.get().opted_out  # the mail with its own link still came, and may come anew
    said = client.post(reverse("answer_opt_out"), {"link": token, "again": "1"}).headers["Location"]
    assert "weer mails en herinneringen" in client.get(said).content.decode()
    assert personal_links.remind(second) == personal_links.remind(first) == 1


def test_a_teacher_takes_it_back_in_another_study(invitation, of_another_group, version):
    first, second = online(invitation.study, version), online(of_another_group.study, version)
    client = Client()
    client.post("/" + personal_links.stop_url(first.invitees.get()).split("/", 3)[3])
    path = "/" + personal_links.stop_url(second.invitees.get()).split("/", 3)[3]
    assert 'name="again"' in client.get(path).content.decode()
    client.post(path, {"again": "1"})
    assert personal_links.remind(second) == 1


def test_it_outlives_its_study_and_its_person_and_names_nobody(invitation, of_another_group):
    Client().post(invitations.stop_path(invitation))
    assert DIRECTOR not in str(Refusal.objects.values()).lower()
    people.remove(DIRECTOR, None, None)
    studies.begin(invitation.study)
    studies.carry_out()
    assert not Study.objects.filter(pk=invitation.study_id).exists()
    assert refusals.wants_none(DIRECTOR)
    assert not Invitee.objects.exists()
