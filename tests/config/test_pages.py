"""Pages of no app."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from kombu import Connection

from config import pages
from teams.models import Academy, Institution, Participation, Role, Study, Team, User
from teams.studies.setting_up import let_work
from tests.groups import a_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return Study.objects.create(
        group=a_group(),
        slug="learning",
        title="Learning in teams",
        starts_on="2026-09-01",
        ends_on="2027-06-30",
        controller="Hogeschool Noord",
        privacy_contact="privacy@noord.example",
        contact_name="Roos de Wit",
        contact_email="roos@noord.example",
    )


def take_part(study: Study, leader: User, name: str, state: str = "accepted") -> Participation:
    institution, _ = Institution.objects.get_or_create(group=a_group(), name="Hogeschool Noord")
    academy, _ = Academy.objects.get_or_create(institution=institution, name="Zorg", sector="health")
    team = Team.objects.create(academy=academy, name=name)
    participation = Participation.objects.create(study=study, team=team, state=state, mode="online", approached=9)
    Role.objects.create(user=leader, kind=Role.Kind.LEADER, participation=participation)
    return participation


def sign_in(client: Client, email: str) -> User:
    user = User.objects.create_user(email)
    client.force_login(user)
    return user


def test_start_leads_a_researcher_to_the_studies(client: Client, study: Study) -> None:
    user = sign_in(client, "roos@noord.example")
    let_work(study, user)
    assert client.get(reverse("start")).headers["Location"] == reverse("studies")


def test_start_leads_a_leader_to_the_team(client: Client, study: Study) -> None:
    user = sign_in(client, "lena@noord.example")
    participation = take_part(study, user, "Verpleegkunde")
    assert client.get(reverse("start")).headers["Location"] == reverse("team", args=[participation.pk])


def test_start_lets_a_leader_of_two_teams_choose(client: Client, study: Study) -> None:
    user = sign_in(client, "lena@noord.example")
    first, second = take_part(study, user, "Verpleegkunde"), take_part(study, user, "Fysiotherapie")
    page = client.get(reverse("start")).content.decode()
    assert reverse("team", args=[first.pk]) in page
    assert reverse("team", args=[second.pk]) in page


def test_start_says_so_when_there_is_nothing(client: Client, study: Study) -> None:
    user = sign_in(client, "lena@noord.example")
    take_part(study, user, "Verpleegkunde", state="declined")
    page = client.get(reverse("start"))
    assert page.status_code == 200
    assert 'class="empty' in page.content.decode()


@pytest.mark.parametrize("name", ["home", "privacy", "accessibility", "help", "dev_mail"])
def test_public_page_asks_the_database_for_nothing(client: Client, name: str, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert client.get(reverse(name)).status_code == 200


def test_health_is_good(client: Client, settings, tmp_path: Path) -> None:
    settings.CELERY_BROKER_URL, settings.BROKER_DIR = "filesystem://localhost", tmp_path
    (tmp_path / "queue").mkdir()
    answer = client.get(reverse("health"))
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "ok", "limits": "ok"})


def test_health_says_which_part_failed(client: Client, settings, tmp_path: Path) -> None:
    settings.CELERY_BROKER_URL, settings.BROKER_DIR = "filesystem://localhost", tmp_path / "gone"
    answer = client.get(reverse("health"))
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "broker": "failed", "limits": "ok"})


def test_health_says_when_nobody_could_sign_in(client: Client, settings, tmp_path: Path) -> None:
    settings.CELERY_BROKER_URL, settings.BROKER_DIR = "filesystem://localhost", tmp_path
    (tmp_path / "queue").mkdir()
    settings.LIMITS_DIR = tmp_path / "gone"
    answer = client.get(reverse("health"))
    assert (answer.status_code, answer.json()["limits"]) == (503, "failed")


def test_health_of_a_broker_out_of_reach(client: Client, settings, monkeypatch) -> None:
    settings.CELERY_BROKER_URL = "amqp://guest:guest@127.0.0.1:1//"
    nobody = Connection(settings.CELERY_BROKER_URL)
    monkeypatch.setattr(pages.celery_app, "connection_for_write", lambda **options: nobody)
    assert client.get(reverse("health")).json() == {"database": "ok", "broker": "failed", "limits": "ok"}


def file_mail(settings, tmp_path: Path) -> None:
    from django.core.mail import EmailMultiAlternatives, get_connection

    connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=tmp_path)
    for number in (1, 2):
        mail = EmailMultiAlternatives(
            f"Uitnodiging {number} – één team",
            f"Dag,\n\nOpen http://testserver/i/abc{number}\n\n<b>Groet</b>",
            to=[f"dirk{number}@noord.example"],
        )
        mail.attach_alternative("<p>Dag</p>", "text/html")
        connection.send_messages([mail])
    settings.MAIL_DIR = tmp_path


def test_mailbox_shows_the_newest_first_with_links(client: Client, settings, tmp_path: Path) -> None:
    file_mail(settings, tmp_path)
    page = client.get(reverse("dev_mail")).content.decode()
    assert page.index("Uitnodiging 2 – één team") < page.index("Uitnodiging 1 – één team")
    assert '<a href="http://testserver/i/abc1"' in page
    assert "<b>Groet</b>" not in page


def test_mailbox_of_one_address(client: Client, settings, tmp_path: Path) -> None:
    file_mail(settings, tmp_path)
    page = client.get(reverse("dev_mail"), {"to": "dirk1@"}).content.decode()
    assert "Uitnodiging 1" in page
    assert "Uitnodiging 2" not in page


def test_mailbox_is_not_for_others_on_the_network(client: Client, study: Study, settings, tmp_path: Path) -> None:
    """Its mails hold codes and links to choose a password: with them anybody were anybody."""
    file_mail(settings, tmp_path)
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get(reverse("dev_mail"), **elsewhere).status_code == 302
    sign_in(client, "lena@noord.example")
    assert client.get(reverse("dev_mail"), **elsewhere).status_code == 302
    user = sign_in(client, "roos@noord.example")
    Role.objects.create(user=user, kind=Role.Kind.RESEARCHER, study=study)
    assert client.get(reverse("dev_mail"), **elsewhere).status_code == 200


@pytest.mark.parametrize("allowed", [True, False])
def test_who_looks_at_a_demo_reads_so(client: Client, settings, allowed: bool) -> None:
    settings.DEMO_REAL_STUDIES = allowed
    for name in ("home", "join", "answer_done", "account_login"):
        page = client.get(reverse(name), headers={"cookie": "django_language=en"}).content.decode()
        assert ("for trying out with invented people" in page) is not allowed, name
    settings.PRODUCTION = True
    assert "for trying out with invented people" not in client.get(reverse("home")).content.decode()


def test_there_is_no_mailbox_in_production(client: Client, settings) -> None:
    settings.PRODUCTION = True
    assert client.get(reverse("dev_mail")).status_code == 404


def test_language_is_dutch_until_chosen(client: Client) -> None:
    assert '<html lang="nl">' in client.get(reverse("home")).content.decode()
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    assert '<html lang="en">' in client.get(reverse("home")).content.decode()


def test_unknown_address_gives_the_designed_page(client: Client) -> None:
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert 'id="content"' in page.content.decode()


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_error_page_needs_no_request(template: str) -> None:
    from django.template.loader import render_to_string

    assert "<h1>" in render_to_string(template)
