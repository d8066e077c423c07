"""Who works in a study: letting somebody in, with an account if need be, and taking somebody off."""

import pytest
from django.test import Client
from django.urls import reverse

from teams.mail.outbox import send_due
from teams.models import Event, Role, User
from teams.studies import setting_up
from tests.teams.joining import joined, mailed_path

pytestmark = pytest.mark.django_db
PEOPLE = reverse("study_people", args=["learning"])


@pytest.fixture
def researcher(client, roos):
    client.force_login(roos)
    return client


def test_a_new_person_says_yes_sets_a_password_and_comes_in(researcher, study):
    researcher.post(PEOPLE, {"name": "Sam Post", "email": "Sam@Noord.example"})
    assert not User.objects.filter(email="sam@noord.example").exists()
    newcomer = Client()
    form = newcomer.post(mailed_path("sam@noord.example"), {"accept": "1"}, follow=True)
    sam = User.objects.get(email="sam@noord.example")
    assert (sam.name, sam.has_usable_password()) == ("Sam Post", False)
    assert form.status_code == 200
    password = "a lamp in the corridor"
    newcomer.post(form.redirect_chain[-1][0], {"password1": password, "password2": password})
    newcomer.post(reverse("account_login"), {"login": sam.email, "password": password})
    assert newcomer.get(study.get_absolute_url()).status_code == 200
    assert Event.objects.filter(kind="researcher_added", detail=sam.email, study=study).count() == 1


def test_somebody_with_a_password_gets_the_way_to_the_study(researcher, study):
    User.objects.create_user("sam@noord.example", "a lamp in the corridor", name="Sam")
    researcher.post(PEOPLE, {"name": "Another name", "email": "sam@noord.example"})
    answer = Client().post(mailed_path("sam@noord.example"), {"accept": "1"})
    assert answer.url == study.get_absolute_url()
    assert User.objects.get(email="sam@noord.example").name == "Sam"


def test_who_belongs_to_the_group_works_in_another_study_at_once(researcher, study):
    sam = User.objects.create_user("sam@noord.example", "a lamp in the corridor", name="Sam")
    fields = ("group", "starts_on", "ends_on", "contact_name", "contact_email")
    setting_up.create_study({"title": "Other", **{name: getattr(study, name) for name in fields}}, sam)
    researcher.post(PEOPLE, {"name": "Sam", "email": "sam@noord.example"})
    assert mailed_path("sam@noord.example") == study.get_absolute_url()
    assert sam.roles.filter(study=study).exists()


def test_a_second_time_changes_nothing_and_mails_nobody(researcher, roos):
    page = researcher.post(PEOPLE, {"name": "Roos", "email": roos.email}, follow=True)
    assert "alert-warning" in page.content.decode()
    assert send_due() == 0
    assert Role.objects.count() == 1


def test_a_bad_address_is_refused(researcher):
    page = researcher.post(PEOPLE, {"name": "Sam", "email": "sam@noord"})
    assert page.status_code == 200
    assert User.objects.count() == 1


def test_who_is_taken_off_sees_the_study_no_more(researcher, study, roos):
    sam = User.objects.create_user("sam@noord.example", "a lamp in the corridor", name="Sam")
    joined(study, "Sam", sam.email, roos)
    role = sam.roles.get()
    other = Client()
    other.force_login(sam)
    assert other.get(study.get_absolute_url()).status_code == 200
    assert researcher.post(reverse("study_person_remove", args=["learning", role.pk])).url == PEOPLE
    assert other.get(study.get_absolute_url()).status_code == 404
    assert send_due() == 1  # Roos is told that Sam was let in; the mail to Sam that waited is no longer wanted


def test_the_last_researcher_stays(researcher, roos, study):
    role = roos.roles.get()
    researcher.post(reverse("study_person_remove", args=["learning", role.pk]))
    assert roos.roles.filter(study=study).exists()


def test_a_role_of_another_study_is_not_found(researcher, roos, study):
    other = setting_up.create_study(
        {"group": study.group, "title": "Other", "starts_on": study.starts_on, "ends_on": study.ends_on},
        User.objects.create_user("bob@noord.example", "x", name="Bob"),
    )
    role = other.roles.get()
    assert researcher.post(reverse("study_person_remove", args=["learning", role.pk])).status_code == 404
