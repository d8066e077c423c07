"""Another director: the report of the academy is theirs from then on, and no longer of the one before."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from analysis.erasure import people
from analysis.models.readers import ReportLink
from analysis.publication import links
from analysis.publication.publishing import publish
from teams.contacts import contacts, duplicates
from teams.contacts.cells import EXAMPLE
from teams.files.tables import Table
from teams.mail import outbox
from teams.models import Academy, FormerContact, Invitation, OutboxMessage, Study, User
from tests.analysis.builders import make_researcher
from tests.analysis.test_reader_pages import analysed_study
from tests.analysis.test_shared_reports import open_link

pytestmark = pytest.mark.django_db
KIND = "academy_report_ready"


@pytest.fixture
def academy() -> Academy:
    study, teams, run = analysed_study("small", 4)
    academy = teams[0].team.academy
    Academy.objects.filter(pk=academy.pk).update(director_name="Dirk Jansen", director_email="dirk@university.example")
    academy.refresh_from_db()
    Invitation.objects.create(study=study, academy=academy, state="accepted", undertaking=True)
    publish(run, None)
    outbox.send_due()
    return academy


@pytest.fixture
def roos(academy) -> User:
    return make_researcher(Study.objects.get())


@pytest.fixture
def dirk(academy) -> Client:
    client = open_link(ReportLink.objects.get(academy=academy))
    assert reads(client, academy)
    return client


def reads(client: Client, academy: Academy) -> bool:
    pks = ReportLink.objects.values_list("pk", flat=True)
    addresses = [reverse(name, args=[pk]) for pk in pks for name in ("shared_report", "shared_report_pdf")]
    return any(client.get(address).status_code != 404 for address in addresses)


def details(academy: Academy, email: str) -> dict[str, str]:
    return {
        "name": academy.name,
        "sector": academy.sector,
        "director_name": "Nora Nieuw",
        "director_email": email,
    }


def signed_in(user: User) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user)
    return client


def gets_the_report(academy: Academy, email: str, mailbox: list) -> None:
    mailbox.clear()
    outbox.send_due()
    link = ReportLink.objects.get(academy=academy)
    (found,) = [message for message in mailbox if links.path_of(link) in message.body]
    assert found.to == [email]
    assert reads(open_link(link), academy)


def test_the_page_of_the_academy_ends_the_link_of_the_one_before(academy, roos, dirk, mailoutbox):
    edit = reverse("academy_edit", args=["small", academy.pk])
    assert signed_in(roos).post(edit, details(academy, "nora@university.example")).status_code == 302
    assert not reads(dirk, academy)
    gets_the_report(academy, "nora@university.example", mailoutbox)


def test_another_spelling_of_a_name_ends_nothing(academy, roos, dirk):
    edit = reverse("academy_edit", args=["small", academy.pk])
    assert signed_in(roos).post(edit, details(academy, "dirk@university.example")).status_code == 302
    assert reads(dirk, academy)
    assert not OutboxMessage.objects.filter(kind=KIND, state="queued").exists()


def test_a_file_that_replaces_the_director_does_the_same(academy, roos, dirk, mailoutbox):
    row = [academy.institution.name, academy.name, academy.sector, "Nora", "nora@university.example", "", "", "", ""]
    preview = contacts.preview(Study.objects.get(), Table(EXAMPLE[0], [row]), roos)
    (ask,) = preview.rows[0].asks
    contacts.apply(Study.objects.get(), Table(EXAMPLE[0], [row]), roos, {ask.field: ask.old_email})
    assert not reads(dirk, academy)
    gets_the_report(academy, "nora@university.example", mailoutbox)


def test_of_two_academies_that_become_one_the_other_director_reads_nothing(academy, roos, dirk, mailoutbox):
    study = Study.objects.get()
    keep = Academy.objects.create(
        institution=academy.institution,
        name="Academy of health",
        sector=academy.sector,
        director_name="Nora Nieuw",
        director_email="nora@university.example",
    )
    Invitation.objects.create(study=study, academy=keep, state="listed")
    former = FormerContact.objects.create(
        study=study, academy=academy, part="director", name="Old", email="old@university.example", changer="researcher"
    )
    duplicates.merge("academy", keep, academy, [study], roos)
    former.refresh_from_db()
    assert former.academy == keep, "also what has no name for the way back"
    assert not reads(dirk, keep)
    outbox.send_due()
    assert [message for message in mailoutbox if message.to == ["dirk@university.example"]], "who was director is told"
    gets = [message for message in mailoutbox if links.path_of(ReportLink.objects.get()) in message.body]
    assert [one.to for one in gets] == [["nora@university.example"]]


def test_a_removed_director_reads_nothing_and_the_next_one_gets_it(academy, roos, dirk, mailoutbox):
    people.remove("dirk@university.example", None, None)
    assert not reads(dirk, academy)
    assert not OutboxMessage.objects.filter(kind=KIND, state="queued").exists()
    edit = reverse("academy_edit", args=["small", academy.pk])
    assert signed_in(roos).post(edit, details(academy, "nora@university.example")).status_code == 302
    gets_the_report(academy, "nora@university.example", mailoutbox)


def test_what_a_researcher_ended_stays_ended(academy, roos, dirk):
    link = ReportLink.objects.get(academy=academy)
    links.revoke(link)
    edit = reverse("academy_edit", args=["small", academy.pk])
    signed_in(roos).post(edit, details(academy, "nora@university.example"))
    assert not reads(dirk, academy)
    assert not OutboxMessage.objects.filter(kind=KIND, state="queued").exists()
