"""Which links and which count of those present may lift a team over k: what its leader cannot set."""

import importlib

import pytest
from django.apps import apps

from surveys.collecting import collections, sealing
from surveys.linking import confirming, personal_links
from surveys.models import Collection, Invitee, Meeting, PresentBy
from teams.models import Institution, MailDomain, Participation, Role, User
from teams.text.addresses import as_domain, folded, is_free_mail, is_functional


@pytest.fixture
def domain(survey) -> MailDomain:
    return MailDomain.objects.create(institution=Institution.objects.get(), domain="noord.example")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("lena@noord.example", "Lena@Noord.example", True),
        ("lena@noord.example", "lena+1@noord.example", True),
        ("l.bos@noord.example", "lbos@noord.example", True),
        ("lena@noord.example", "lena@zuid.example", False),
        ("lena@noord.example", "leon@noord.example", False),
    ],
)
def test_aliases_of_one_mailbox_are_one(one, other, same):
    assert (folded(one) == folded(other)) is same


@pytest.mark.parametrize(
    "name", ["info", "secretariaat", "team", "team-verpleegkunde", "Secretariaat.Zorg", "hr2", "noreply"]
)
def test_a_mailbox_of_a_function_is_no_person(name):
    assert is_functional(f"{name}@noord.example")


@pytest.mark.parametrize("name", ["inge.forma", "h.rutten", "stan", "alle.boersma", "s.tudie", "officier"])
def test_a_person_is_no_function(name):
    assert not is_functional(f"{name}@noord.example")


def test_free_mail_is_nobodys_domain():
    assert is_free_mail("gmail.com")
    assert is_free_mail("yahoo.co.uk")
    assert is_free_mail("Ziggo.nl")
    assert not is_free_mail("hva.nl")
    assert not is_free_mail("live-school.nl")


def test_a_domain_as_people_type_it():
    assert as_domain(" @HvA.nl ") == "hva.nl"
    assert as_domain("nl") is None
    assert as_domain("school .nl") is None


def issue(online, *names: str) -> None:
    personal_links.issue_links(online, names)


def test_an_address_of_the_institution_counts_by_itself(online, domain):
    issue(online, "a.vos@noord.example", "bram@noord.example", "carla@zuid.example")
    assert confirming.n_confirmed(online) == 2


def test_without_domains_nobody_is_known(online):
    issue(online, "a.vos@noord.example")
    assert confirming.n_confirmed(online) == 0


def test_aliases_count_once_and_functions_not_at_all(online, domain):
    issue(online, "lena@noord.example", "lena+1@noord.example", "le.na@noord.example", "info@noord.example")
    assert confirming.n_confirmed(online) == 1


def test_a_confirmed_address_counts_wherever_it_is(online, domain):
    issue(online, "lena@noord.example", "lena+1@noord.example", "jan@thuis.example")
    Invitee.objects.filter(email__in=["lena+1@noord.example", "jan@thuis.example"]).update(confirmed=True)
    assert confirming.n_confirmed(online) == 3
    Invitee.objects.filter(email="lena+1@noord.example").update(confirmed=False)
    assert confirming.n_confirmed(online) == 2


def test_a_domain_taken_off_the_list_counts_no_more(online, domain):
    issue(online, "lena@noord.example")
    MailDomain.objects.update(used=False)
    assert confirming.n_confirmed(online) == 0


@pytest.mark.parametrize(
    ("contact", "counter"),
    [
        ("cora@noord.example", PresentBy.CONTACT),
        ("Lena+team@noord.example", PresentBy.LEADER),
        ("cora@gmail.com", PresentBy.STRANGER),
        ("team@noord.example", PresentBy.STRANGER),
        ("", PresentBy.RESEARCHER),
    ],
)
def test_who_holds_the_link_counts(meeting, domain, contact, counter):
    Participation.objects.filter(pk=meeting.collection.participation_id).update(contact_email=contact)
    meeting = Meeting.objects.select_related("collection__participation__team__academy").get(pk=meeting.pk)
    assert collections.set_present(meeting, 9)
    meeting.refresh_from_db()
    assert (meeting.present, meeting.present_by) == (9, counter)


def test_who_is_signed_in_counts(meeting, domain, roos):
    collections.set_present(meeting, 9, by=roos)
    meeting.refresh_from_db()
    assert (meeting.present_by, meeting.counted_by) == (PresentBy.RESEARCHER, roos)
    leader = User.objects.create_user("lena@noord.example")
    Role.objects.create(user=leader, kind=Role.Kind.LEADER, participation=meeting.collection.participation)
    collections.set_present(meeting, 30, by=leader)
    meeting.refresh_from_db()
    assert meeting.present_by == PresentBy.LEADER


def seal(collection: Collection) -> Collection:
    collections.close_collection(collection)
    collections.seal_now(collection)
    sealing.seal_due()
    collection.refresh_from_db()
    return collection


def test_sealing_keeps_what_was_known(online, domain):
    issue(online, "lena@noord.example", "lena+1@noord.example", "bram@noord.example")
    sealed = seal(online)
    assert (sealed.n_links, sealed.n_confirmed, sealed.present_by, sealed.one_supplier) == (3, 2, "", False)


def test_one_person_who_counts_and_supplies_links_is_kept(collection, meeting, domain, roos):
    collections.set_present(meeting, 9, by=roos)
    personal_links.issue_links(collection, ["bram@noord.example"], by=roos)
    sealed = seal(collection)
    assert (sealed.n_present, sealed.present_by, sealed.one_supplier) == (9, PresentBy.RESEARCHER, True)


def test_two_people_are_not_one(collection, meeting, domain, roos):
    collections.set_present(meeting, 9)
    personal_links.issue_links(collection, ["bram@noord.example"], by=roos)
    assert not seal(collection).one_supplier


@pytest.mark.parametrize(("kind", "one"), [("researcher", True), ("leader", False)])
def test_who_counts_by_a_researchers_link_may_be_any_researcher(collection, meeting, domain, roos, kind, one):
    """Nobody is named as contact person, and nobody signed in: whoever counted may be who sent the links."""
    participation = collection.participation
    Participation.objects.filter(pk=participation.pk).update(contact_email="")
    meeting = Meeting.objects.select_related("collection__participation__team__academy").get(pk=meeting.pk)
    collections.set_present(meeting, 9)
    leader = User.objects.create_user("lena@noord.example")
    Role.objects.create(user=leader, kind=Role.Kind.LEADER, participation=participation)
    personal_links.issue_links(collection, ["bram@noord.example"], by=roos if kind == "researcher" else leader)
    sealed = seal(collection)
    assert (sealed.present_by, sealed.one_supplier) == (PresentBy.RESEARCHER, one)


def test_a_researcher_may_count_until_the_answers_are_sealed(collection, meeting, domain, roos):
    collections.set_present(meeting, 30)
    collections.close_collection(collection)
    assert not collections.set_present(meeting, 31)
    assert collections.count_present(meeting, 9, roos)
    sealed = seal(collection)
    assert (sealed.n_present, sealed.present_by) == (9, PresentBy.RESEARCHER)
    assert not collections.count_present(meeting, 12, roos)


def test_what_was_sealed_before_is_judged_by_what_was_known_then(collection, meeting, online, domain):
    issue(online, "jan@thuis.example", "lena@noord.example")
    seal(online)
    Collection.objects.filter(pk=online.pk).update(n_confirmed=None, present_by="")
    Meeting.objects.filter(pk=meeting.pk).update(present=9)
    migration = importlib.import_module("surveys.migrations.0011_who_counted_before")
    migration.fill(apps, None)
    online.refresh_from_db()
    meeting.refresh_from_db()
    assert (online.n_confirmed, online.present_by) == (2, PresentBy.BEFORE)
    assert meeting.present_by == PresentBy.RESEARCHER
    meeting.collection.participation.contact_email = "LENA@noord.example"
    meeting.collection.participation.save()
    Collection.objects.filter(pk=collection.pk).update(mode="contact")
    migration.fill(apps, None)
    meeting.refresh_from_db()
    assert meeting.present_by == PresentBy.LEADER
