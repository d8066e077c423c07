"""The mail domains of an institution: learned from what researchers enter, never a provider's."""

import importlib

import pytest
from django.apps import apps

from teams.contacts import contacts, duplicates
from teams.contacts.rows import AcademyData, TeamData
from teams.files.tables import Table
from teams.inviting import corrections, invitations
from teams.models import Academy, Event, Institution, MailDomain, Participation, Study, User
from teams.people import mail_domains
from tests.groups import a_group

pytestmark = pytest.mark.django_db


def listed(study: Study, director: str, *leaders: str, academy: str = "Zorg", by: User | None = None) -> Academy:
    owner = contacts.add_academy(study, AcademyData("Noord", academy, "health", "Dirk", director), by)
    for number, leader in enumerate(leaders):
        contacts.add_team(study, owner, TeamData(f"Team {number}", "full_time", "Lena", leader), by)
    return owner


def domains() -> set[str]:
    return set(MailDomain.objects.filter(used=True).values_list("domain", flat=True))


def test_a_director_brings_the_domain(study, roos):
    listed(study, "Dirk@Noord.example", by=roos)
    assert domains() == {"noord.example"}
    listed(study, "dirk@noord.example", academy="Techniek", by=roos)
    assert Event.objects.filter(kind="mail_domain_added").count() == 1


def test_free_mail_never(study, roos):
    listed(study, "dirk@gmail.com", "lena@hotmail.nl", "lars@hotmail.nl", by=roos)
    assert domains() == set()


def test_a_leader_alone_brings_no_domain_of_his_own(study, roos):
    listed(study, "dirk@noord.example", "lena@lenabos.example", "lena+2@lenabos.example", by=roos)
    assert domains() == {"noord.example"}
    listed(study, "anna@zuid.example", "lars@techniek.example", "leo@techniek.example", academy="Techniek", by=roos)
    assert domains() == {"noord.example", "zuid.example", "techniek.example"}


def test_what_was_taken_off_stays_off_until_somebody_puts_it_back(study, roos):
    academy = listed(study, "dirk@noord.example", by=roos)
    assert mail_domains.remove(study, MailDomain.objects.get(), roos)
    assert not mail_domains.remove(study, MailDomain.objects.get(), roos)
    listed(study, "dirk@noord.example", by=roos)
    assert domains() == set()
    assert mail_domains.add(study, academy.institution, "noord.example", roos)
    assert domains() == {"noord.example"}
    assert not mail_domains.add(study, academy.institution, "noord.example", roos)


def test_merging_institutions_joins_their_domains(study, roos):
    listed(study, "dirk@noord.example", by=roos)
    contacts.add_academy(study, AcademyData("HS Noord", "Techniek", "engineering", "An", "an@noord.example"), roos)
    contacts.add_academy(study, AcademyData("HS Noord", "Kunst", "arts", "Bo", "bo@kunst.example"), roos)
    keep, other = Institution.objects.get(name="Noord"), Institution.objects.get(name="HS Noord")
    duplicates.merge("institution", keep, other, [study], roos)
    assert mail_domains.domains_of(keep) == {"noord.example", "kunst.example"}


def test_the_migration_takes_the_domains_of_known_contacts():
    migration = importlib.import_module("teams.migrations.0011_domains_of_known_contacts")
    noord = Institution.objects.create(group=a_group(), name="Noord")
    academy = Academy.objects.create(institution=noord, name="Zorg", sector="health", director_email="d@noord.example")
    for n, leader in enumerate(["a@eigen.example", "b@zorg.example", "c@zorg.example", "d@gmail.com", "e@gmail.com"]):
        academy.teams.create(name=str(n), leader_name="L", leader_email=leader)
    migration.learn(apps, None)
    migration.learn(apps, None)
    assert domains() == {"noord.example", "zorg.example"}


def test_leaders_whom_a_director_named_bring_no_domain(study, roos):
    """A director who names two addresses in a domain of his own would have that count; the next list would take it over."""
    academy = listed(study, "dirk@noord.example", "lena@noord.example", "lars@noord.example", by=roos)
    invitations.list_academy(study, academy, roos)
    for number, participation in enumerate(Participation.objects.filter(study=study).order_by("pk")):
        corrections.correct_leader(participation, "P", f"p{number}@dirks-own.example", by_link=True)
    table = Table(
        ["institution", "academy", "sector", "director", "director email", "team", "leader", "leader email"],
        [
            ["Noord", "Zorg", "health", "Dirk", "dirk@noord.example", "Team 0", "Lena", "lena@noord.example"],
            ["Noord", "Zorg", "health", "Dirk", "dirk@noord.example", "Team 1", "Lena", "lars@noord.example"],
            ["Noord", "Zorg", "health", "Dirk", "dirk@noord.example", "Team 2", "Leo", "leo@noord.example"],
        ],
    )
    assert contacts.apply(study, table, roos).applied  # whoever is known stays: no question was answered with yes
    assert domains() == {"noord.example"}
    # nor beside one that a researcher types because somebody asked for it
    add = TeamData("Team 3", "full_time", "Lia", "p9@dirks-own.example")
    contacts.add_team(study, academy, add, roos)
    assert domains() == {"noord.example"}
