"""The lists of addresses: who sees them, who confirms, and what it changes."""

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from surveys.collecting import collections, sealing
from surveys.linking import address_lists, confirming, personal_links
from surveys.models import AddressCheck, Invitee
from teams.mail import outbox
from teams.models import Academy, Event, Institution, MailDomain, Participation, Study, User
from teams.studies.setting_up import let_work

SECRET = "jan.verstopt@thuis.example"


@pytest.fixture
def listed(online) -> None:
    """Fysiotherapie, led by lena@noord.example: two colleagues known, three addresses that are to be confirmed."""
    MailDomain.objects.create(institution=Institution.objects.get(), domain="noord.example")
    names = ["anna@noord.example", "bram@noord.example", "bram+1@noord.example", "info@noord.example", SECRET]
    personal_links.issue_links(online, names)


@pytest.fixture
def academy(online):
    academy = online.participation.team.academy
    academy.invitations.create(study=online.survey.study, nonce="a" * 32)
    return academy


@pytest.fixture
def researcher(roos) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(roos)
    return client


@pytest.fixture
def administrator(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("beheer@noord.example", "correct horse battery"))
    return client


def ask(client: Client, study, academy, email: str = "personeelszaken.k@noord.example", name: str = "Kim"):
    return client.post(reverse("address_list_ask", args=[study.slug, academy.pk]), {"name": name, "email": email})


def by_mail(study, academy) -> Client:
    """Who opens the link that was mailed."""
    outbox.send_due()
    letters = [letter for letter in django_mail.outbox if "/i/addresses/t/" in letter.body]
    path = "/i/addresses/t/" + letters[-1].body.partition("/i/addresses/t/")[2].split()[0]
    client = Client()
    assert client.get(path).status_code == 302
    return client


def test_researchers_see_numbers_and_domains_and_no_address(listed, study, academy, researcher):
    page = researcher.get(reverse("address_lists", args=[study.slug])).content.decode()
    assert "thuis.example (1)" in page
    assert "noord.example (2)" in page
    assert SECRET not in page
    assert "bram" not in page
    assert researcher.get(reverse("address_list_admin", args=[study.slug, academy.pk])).status_code == 404


def test_somebody_of_the_academy_confirms_by_a_link(listed, study, online, academy, researcher):
    assert confirming.n_confirmed(online) == 2
    assert ask(researcher, study, academy, "kim@noord.example").status_code == 302
    kim = by_mail(study, academy)
    address = reverse("address_list", args=[AddressCheck.objects.get().pk])
    page = kim.get(address).content.decode()
    assert SECRET in page
    assert "anna@noord.example" not in page, "only what is to be confirmed"
    assert kim.post(address, {"address": [Invitee.objects.get(email=SECRET).pk, "x", "9" * 30]}).status_code == 302
    assert confirming.n_confirmed(online) == 3
    assert Event.objects.get(kind="addresses_confirmed").detail == "1 / 3"
    assert SECRET in kim.get(address).content.decode(), "it can be taken back"
    kim.post(address, {})
    assert confirming.n_confirmed(online) == 2


def test_another_academys_addresses_cannot_be_confirmed_by_the_link(listed, study, online, academy, researcher):
    ask(researcher, study, academy, "kim@noord.example")
    kim = by_mail(study, academy)
    elsewhere = Invitee.objects.create(collection=online, email="other@thuis.example")
    address_list = address_lists.lists_of(study, academy)[0]
    elsewhere.delete()
    address_lists.confirm(address_list, study, {10**9})
    assert confirming.n_confirmed(online) == 2
    assert kim.get(reverse("address_list", args=[10**6])).status_code == 404


@pytest.mark.parametrize(
    "email",
    [
        "lena@noord.example",
        "l.e.na+x@noord.example",
        "roos@noord.example",
        "kim@gmail.com",
        "team@noord.example",
        "dirk@noord.example",
    ],
)
def test_leaders_directors_researchers_and_strangers_are_not_asked(listed, study, academy, researcher, email):
    answer = ask(researcher, study, academy, email)
    assert answer.status_code == 200
    assert "is-invalid" in answer.content.decode()
    assert not AddressCheck.objects.exists()


def test_a_new_link_ends_the_old_one(listed, study, academy, researcher):
    ask(researcher, study, academy, "kim@noord.example")
    kim = by_mail(study, academy)
    address = reverse("address_list", args=[AddressCheck.objects.get().pk])
    assert kim.get(address).status_code == 200
    ask(researcher, study, academy, "noor@noord.example")
    assert kim.get(address).status_code == 404
    assert by_mail(study, academy).get(address).status_code == 200
    AddressCheck.objects.update(link_until="2020-01-01")
    assert by_mail(study, academy).get(address).status_code == 200, "as long as the study lasts"
    Study.objects.update(starts_on="2019-01-01", ends_on="2020-01-01")
    assert by_mail(study, academy).get(address).status_code == 404


@pytest.mark.parametrize("became", ["leader", "director", "researcher", "stranger"])
def test_the_link_opens_nothing_once_who_holds_it_is_somebody_who_may_not_confirm(
    listed, study, online, academy, researcher, became
):
    ask(researcher, study, academy, "kim@noord.example")
    kim, address = by_mail(study, academy), reverse("address_list", args=[AddressCheck.objects.get().pk])
    assert kim.get(address).status_code == 200
    if became == "leader":
        Participation.objects.filter(pk=online.participation_id).update(leader_email="Kim+x@noord.example")
    elif became == "director":
        Academy.objects.filter(pk=academy.pk).update(director_email="k.im@noord.example")
    elif became == "researcher":
        let_work(study, User.objects.create_user("kim@noord.example"))
    else:
        MailDomain.objects.filter(domain="noord.example").update(used=False)
    assert kim.get(address).status_code == 404
    kim.post(address, {"address": [invitee.pk for invitee in online.invitees.all()]})
    assert not Invitee.objects.filter(confirmed=True).exists()


def test_a_link_of_another_purpose_does_not_open_the_list(listed, study, academy, researcher, meeting):
    ask(researcher, study, academy, "kim@noord.example")
    token = personal_links.facilitator_url(meeting).rsplit("/", 1)[1]
    assert Client().get(reverse("address_list_link", args=[token])).status_code == 404
    of_list = address_lists.link(AddressCheck.objects.get()).rsplit("/", 1)[1]
    assert Client().get(reverse("facilitator_link", args=[of_list])).status_code == 404


def test_an_administrator_confirms_too(listed, study, online, academy, administrator):
    address = reverse("address_list_admin", args=[study.slug, academy.pk])
    assert SECRET in administrator.get(address).content.decode()
    administrator.post(address, {"address": [Invitee.objects.get(email=SECRET).pk]})
    assert confirming.n_confirmed(online) == 3


def test_after_sealing_a_confirmation_counts_and_nothing_is_lost(listed, study, online, academy, administrator):
    collections.close_collection(online)
    collections.seal_now(online)
    sealing.seal_due()
    online.refresh_from_db()
    assert online.n_confirmed == 2
    address = reverse("address_list_admin", args=[study.slug, academy.pk])
    administrator.post(address, {"address": [Invitee.objects.get(email=SECRET).pk]})
    online.refresh_from_db()
    assert online.n_confirmed == 3
    administrator.post(address, {})
    online.refresh_from_db()
    assert online.n_confirmed == 3


def test_the_page_asks_as_often_with_twenty_teams(study, survey, researcher, django_assert_max_num_queries):
    from tests.surveys.conftest import make_participation

    for n in range(20):
        made = collections.open_collection(make_participation(study, f"Team {n}", "online"))
        personal_links.issue_links(made, [f"a{n}@thuis.example"])
    with django_assert_max_num_queries(14):
        page = researcher.get(reverse("address_lists", args=[study.slug]))
    assert page.content.decode().count("thuis.example (1)") == 20


def test_researchers_add_and_remove_domains(study, survey, researcher, academy):
    address = reverse("mail_domains", args=[study.slug])
    institution = Institution.objects.get()
    for wrong in ("gmail.com", "no domain", "nl", ""):
        assert researcher.post(address, {"institution": institution.pk, "domain": wrong}).status_code == 200
    assert researcher.post(address, {"institution": institution.pk, "domain": "@Noord.example"}).status_code == 302
    assert "noord.example" in researcher.get(address).content.decode()
    row = MailDomain.objects.get()
    assert researcher.post(reverse("mail_domain_remove", args=[study.slug, row.pk])).status_code == 302
    assert not MailDomain.objects.filter(used=True).exists()
    foreign = MailDomain.objects.create(
        institution=Institution.objects.create(name="Elders", group=study.group), domain="elders.example"
    )
    assert researcher.post(reverse("mail_domain_remove", args=[study.slug, foreign.pk])).status_code == 404
