"""Setting up a study: its creator is its researcher; what invited people read stays as it is."""

import datetime

import pytest
from django.urls import reverse

from teams.inviting import invitations
from teams.models import Event, Role, Study, User
from teams.studies import setting_up
from teams.studies.setting_up import let_work
from tests.groups import a_group

pytestmark = pytest.mark.django_db

FIELDS = {
    "title": "Leren in teams",
    "wave": "1",
    "previous": "",
    "starts_on": "2026-09-01",
    "ends_on": "2027-06-30",
    "contact_name": "Roos de Wit",
    "contact_email": "roos@noord.example",
    "k": "5",
    "grace_hours": "24",
    "language": "nl",
    "report_days": "14",
    "controller": "Hogeschool Noord",
    "processor": "",
    "legal_basis": "public_task",
    "privacy_contact": "privacy@noord.example",
    "ethics_number": "",
    "retention_years": "10",
    "dpia": "",
    "works_council": "",
}


def post_new(client, **changes):
    return client.post(reverse("study_new"), {**FIELDS, **changes})


def test_a_new_study_gets_a_short_name_and_its_creator_as_researcher(client, roos):
    client.force_login(roos)
    response = post_new(client)
    study = Study.objects.get(title="Leren in teams")
    assert response.url == reverse("teams", args=["leren-in-teams"])
    assert study.starts_on == datetime.date(2026, 9, 1)
    assert Role.objects.filter(user=roos, study=study, kind=Role.Kind.RESEARCHER).exists()
    assert Event.objects.get(study=study).kind == "study_created"
    assert not study.simulated


def test_an_administrator_may_make_the_first_study(client, db):
    client.force_login(User.objects.create_superuser("ada@noord.example", "correct horse battery"))
    a_group()
    assert client.get(reverse("study_new")).status_code == 200
    post_new(client)
    assert Study.objects.count() == 1


def test_titles_that_are_alike_get_different_short_names(client, roos):
    client.force_login(roos)
    for title in ("Leren", "Leren", "!?", "New", "New"):
        post_new(client, title=title)
    assert set(Study.objects.exclude(slug="learning").values_list("slug", flat=True)) == {
        "leren",
        "leren-2",
        "study",
        "new-2",
        "new-3",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"k": "4"}, "k"),
        ({"ends_on": "2026-08-31"}, "ends_on"),
        ({"title": ""}, "title"),
        ({"title": "Leren\r\nBcc: x@y.example"}, "title"),
        ({"contact_email": "roos"}, "contact_email"),
        ({"controller": ""}, "controller"),
        ({"privacy_contact": ""}, "privacy_contact"),
        ({"legal_basis": "consent"}, "legal_basis"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(client, roos, changes, field):
    client.force_login(roos)
    response = post_new(client, **changes)
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert Study.objects.count() == 1


def test_a_later_wave_follows_one_of_my_studies(client, roos, study):
    client.force_login(roos)
    other = Study.objects.create(group=a_group(), slug="other", **{**fields_of(study), "title": "Of others"})
    assert "previous" in post_new(client, previous=str(other.pk), wave="2").context["form"].errors
    assert "wave" in post_new(client, previous=str(study.pk), wave="1").context["form"].errors
    post_new(client, previous=str(study.pk), wave="2", title="Second")
    assert Study.objects.get(title="Second").previous == study
    assert "previous" in post_new(client, previous=str(study.pk), wave="3", title="Third").context["form"].errors


def fields_of(study: Study) -> dict:
    names = ["title", "starts_on", "ends_on", "controller", "privacy_contact", "contact_name", "contact_email"]
    return {name: getattr(study, name) for name in names}


def test_settings_are_changed_and_the_change_is_recorded(client, roos, study):
    client.force_login(roos)
    url = reverse("study_settings", args=["learning"])
    response = client.post(url, {**FIELDS, "title": "New title", "k": "8"})
    assert response.url == url
    study.refresh_from_db()
    assert (study.title, study.k, study.slug) == ("New title", 8, "learning")
    event = Event.objects.get(kind="settings_changed")
    assert event.by == roos
    assert set(event.detail.split(", ")) == {"title", "k"}
    client.post(url, {**FIELDS, "title": "New title", "k": "8"})
    assert Event.objects.filter(kind="settings_changed").count() == 1


def test_what_was_promised_stays_after_the_first_invitation(client, roos, study, nursing):
    invitations.invite_directors(study)
    client.force_login(roos)
    client.post(reverse("study_settings", args=["learning"]), {**FIELDS, "k": "20", "report_days": "99"})
    study.refresh_from_db()
    assert (study.title, study.k, study.report_days) == ("Leren in teams", 5, 14)


def test_what_was_published_stays_where_nobody_was_invited(client, roos, study):
    setting_up.promise(study)  # as publishing and opening a collection do
    client.force_login(roos)
    page = client.get(reverse("study_settings", args=["learning"]))
    assert page.context["form"].fields["k"].disabled
    assert setting_up.change_settings(study, {"k": 7}, roos) == []
    study.refresh_from_db()
    assert study.k == 5


def test_the_step_keeps_promises_even_without_the_form(study, nursing, roos):
    invitations.invite_directors(study)
    assert setting_up.change_settings(study, {"k": 7, "title": "T"}, roos) == ["title"]
    study.refresh_from_db()
    assert study.k == 5


def test_the_list_shows_my_studies_only_with_their_teams(client, roos, study, nursing, physiotherapy):
    Study.objects.create(group=a_group(), slug="other", **{**fields_of(study), "title": "Of others"})
    invitations.invite_directors(study)
    client.force_login(roos)
    (listed,) = client.get(reverse("studies")).context["studies"]
    assert (listed, listed.n_teams, listed.n_invited, listed.n_accepted) == (study, 2, 2, 0)


def test_an_empty_list_says_what_to_do(client, db):
    client.force_login(User.objects.create_superuser("ada@noord.example", "correct horse battery"))
    html = client.get(reverse("studies")).content.decode()
    assert "<table" not in html
    assert html.count(reverse("study_new")) == 2


def test_the_list_costs_the_same_for_two_and_twenty_studies(client, roos, study, django_assert_max_num_queries):
    client.force_login(roos)
    counts = []
    for n in (2, 20):
        for i in range(n):
            another = Study.objects.create(group=a_group(), slug=f"s-{n}-{i}", **fields_of(study))
            let_work(another, roos)
        with django_assert_max_num_queries(10) as queries:
            client.get(reverse("studies"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
