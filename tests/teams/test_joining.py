"""Nobody becomes a researcher by what somebody else does: the attack was to add a leader's address to a study of one's own."""

import importlib
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.core import mail as django_mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.erasure import accounts, people
from teams import access
from teams.mail.outbox import send_due
from teams.models import (
    Academy,
    Event,
    Institution,
    Membership,
    Participation,
    ResearcherInvitation,
    Role,
    Study,
    StudyDeletion,
    Team,
    User,
)
from teams.studies import joining, setting_up
from teams.studies.setting_up import let_work
from tests.groups import a_group
from tests.surveys.conftest import make_study
from tests.teams.joining import joined, mailed_path, says_yes

pytestmark = pytest.mark.django_db
LENA = "lena@noord.example"
CODE = re.compile(r"^[A-Z0-9-]{6,}$", re.MULTILINE)


@pytest.fixture(autouse=True)
def fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture
def hers() -> Participation:
    """Lena leads a team in a study of group One."""
    study = make_study("one", title="Study One")
    Study.objects.filter(pk=study.pk).update(group=a_group("One"))
    study.refresh_from_db()
    academy = Academy.objects.create(
        institution=Institution.objects.create(group=study.group, name="Hogeschool Een"),
        name="Academie Een",
        sector="health",
        director_name="Dirk",
        director_email="dirk@noord.example",
    )
    team = Team.objects.create(academy=academy, name="Team Geheim", leader_name="Lena Bos", leader_email=LENA)
    wave = Participation.objects.create(
        study=study, team=team, state="accepted", mode="online", approached=9, leader_name="Lena Bos", leader_email=LENA
    )
    lena = User.objects.create_user(LENA, name="Lena van het Account")
    Role.objects.create(user=lena, kind=Role.Kind.LEADER, participation=wave)
    return wave


@pytest.fixture
def theirs(hers) -> Study:
    """Eve's study, in group Two."""
    study = make_study("two", title="Study Two")
    Study.objects.filter(pk=study.pk).update(group=a_group("Two"))
    study.refresh_from_db()
    let_work(study, User.objects.create_user("eve@zuid.example", "correct horse battery", name="Eve"))
    return study


@pytest.fixture
def eve(theirs) -> Client:
    client = Client()
    client.force_login(User.objects.get(email="eve@zuid.example"))
    client.cookies["django_language"] = "en"
    return client


def people_page(study: Study) -> str:
    return reverse("study_people", args=[study.slug])


def signs_in_by_code() -> Client:
    client = Client()
    client.post(reverse("account_request_login_code"), {"email": LENA})
    send_due()
    sent = [message for message in django_mail.outbox if CODE.search(message.body)][-1]
    client.post(reverse("account_confirm_login_code"), {"code": CODE.search(sent.body).group()})
    return client


def add_lena(eve: Client, study: Study) -> str:
    return eve.post(people_page(study), {"name": "Typed Name", "email": LENA.upper()}, follow=True).content.decode()


# ------------------------------------------------------------------------------------------------ the attack
def test_a_leader_who_was_added_elsewhere_still_signs_in_by_code(eve, theirs, hers):
    add_lena(eve, theirs)
    lena = User.objects.get(email=LENA)
    assert not access.is_researcher(lena)
    assert not access.studies_of(lena).exists()
    client = signs_in_by_code()
    assert client.get(reverse("team", args=[hers.pk])).status_code == 200
    assert client.get(reverse("board", args=["two"])).status_code == 404
    assert "Study Two" not in client.get(reverse("start"), follow=True).content.decode()


@pytest.mark.parametrize("password", [None, "correct horse battery"])
def test_who_asked_sees_the_typed_address_and_nothing_of_an_account(eve, theirs, hers, password):
    lena = User.objects.get(email=LENA)
    lena.set_password(password)
    lena.save()
    page = add_lena(eve, theirs)
    nobody = eve.post(people_page(theirs), {"name": "Typed Name", "email": "nobody@noord.example"}, follow=True)
    send_due()
    shown = page + "".join(f"{sent.to} {sent.subject} {sent.body}" for sent in django_mail.outbox)
    assert LENA in page
    for secret in ("Lena van het Account", "Lena Bos", "Team Geheim", "Study One", "password set"):
        assert secret not in shown
    rows = re.findall(r"<li class=.list-group-item.*?</li>", nobody.content.decode(), re.DOTALL)[1:]
    alike = {re.sub(r"name=.(csrf\S+|once.) value=\S+|/asked/\d+/|\S+@noord.example", "", row) for row in rows}
    assert (len(rows), len(alike)) == (2, 1), "an address with an account looks as one without"
    assert Role.objects.filter(user=lena).count() == 1
    assert not Membership.objects.filter(user=lena).exists()


def test_taking_back_leaves_nothing_and_ends_the_link(eve, theirs, hers):
    add_lena(eve, theirs)
    link = mailed_path(LENA)
    asked = ResearcherInvitation.objects.get()
    eve.post(reverse("study_asked_remove", args=["two", asked.pk]))
    assert not ResearcherInvitation.objects.exists()
    assert Client().get(link).status_code == 404
    assert Client().post(link, {"accept": "1"}).status_code == 404
    assert not Membership.objects.filter(user__email=LENA).exists()


def test_who_takes_themselves_off_asks_nobody_any_more(eve, theirs, hers):
    joined(theirs, "Sam", "sam@zuid.example", User.objects.get(email="eve@zuid.example"))
    add_lena(eve, theirs)
    link = mailed_path(LENA)
    setting_up.remove_researcher(
        theirs.roles.get(user__email="eve@zuid.example"), User.objects.get(email="sam@zuid.example")
    )
    assert Client().post(link, {"accept": "1"}).status_code == 404


# ------------------------------------------------------------------------------------------------ saying yes or no
def test_opening_the_link_changes_nothing_and_yes_changes_the_way_in(eve, theirs, hers):
    add_lena(eve, theirs)
    link = mailed_path(LENA)
    page = Client().get(link)
    assert "Study Two" in page.content.decode()
    assert (page["Referrer-Policy"], "no-store" in page["Cache-Control"]) == ("no-referrer", True)
    assert ResearcherInvitation.objects.exists()
    answer = Client().post(link, {"accept": "1"})
    assert answer.url.startswith("/accounts/password/reset/key/")  # she has none yet
    lena = User.objects.get(email=LENA)
    assert (lena.name, access.is_researcher(lena)) == ("Lena van het Account", True)
    assert Client().post(link, {"accept": "1"}).status_code == 404
    assert "Lena van het Account" in eve.get(people_page(theirs)).content.decode()
    assert list(Event.objects.filter(study=theirs).values_list("kind", flat=True).order_by("pk"))[-2:] == [
        "researcher_asked",
        "researcher_added",
    ]


def test_no_leaves_nothing(eve, theirs, hers):
    add_lena(eve, theirs)
    assert Client().post(mailed_path(LENA), {"decline": "1"}).status_code == 200
    assert not ResearcherInvitation.objects.exists()
    assert not access.is_researcher(User.objects.get(email=LENA))
    assert Event.objects.filter(study=theirs, kind="researcher_declined").exists()


def test_a_link_ends_after_thirty_days_and_a_new_one_takes_its_place(eve, theirs, hers):
    add_lena(eve, theirs)
    link = mailed_path(LENA)
    assert "less than a day ago" in add_lena(eve, theirs)
    assert send_due() == 0
    ResearcherInvitation.objects.update(invited_at=timezone.now() - timedelta(days=30, minutes=1))
    assert Client().get(link).status_code == 404
    add_lena(eve, theirs)
    assert Client().get(link).status_code == 404
    assert Client().get(mailed_path(LENA)).status_code == 200
    assert ResearcherInvitation.objects.count() == 1


def test_a_study_that_is_being_deleted_asks_nobody(eve, theirs, hers):
    add_lena(eve, theirs)
    link = mailed_path(LENA)
    day = theirs.ends_on
    StudyDeletion.objects.create(
        study=theirs, number=theirs.pk, wave=1, ended_on=day, promised_until=day, n_teams=0, n_responses=0, n_rows=0
    )
    assert Client().get(link).status_code == 404


# ------------------------------------------------------------------------------------------------ leaders of the group
@pytest.mark.parametrize("address", [LENA, "L.ena+x@noord.example"])
def test_who_leads_a_team_of_the_group_is_not_asked(eve, theirs, hers, address):
    own = User.objects.create_user("olaf@noord.example", "correct horse battery", name="Olaf")
    let_work(hers.study, own)
    olaf = Client()
    olaf.force_login(own)
    olaf.cookies["django_language"] = "en"
    ada = Client()
    ada.force_login(User.objects.create_superuser("ada@noord.example", "correct horse battery", name="Ada"))
    ada.cookies["django_language"] = "en"
    for client, page in ((olaf, people_page(hers.study)), (ada, reverse("group", args=[hers.study.group_id]))):
        answer = client.post(page, {"name": "Lena", "email": address})
        assert answer.status_code == 200
        assert "address of a team leader in a study of this research group" in answer.content.decode()
    assert not ResearcherInvitation.objects.exists()
    assert (
        "address of a team leader"
        not in eve.post(people_page(theirs), {"name": "L", "email": address}).content.decode()
    )


def test_who_became_a_leader_meanwhile_cannot_say_yes(eve, theirs, hers):
    add_lena(eve, theirs)
    link = mailed_path(LENA)
    Study.objects.filter(pk=hers.study_id).update(group=theirs.group)
    assert 'name="accept"' not in Client().get(link).content.decode()
    assert Client().post(link, {"accept": "1"}).status_code == 200
    assert not access.is_researcher(User.objects.get(email=LENA))


# ------------------------------------------------------------------------------------------------ both hats
def test_each_page_shows_what_is_of_that_hat(eve, theirs, hers):
    add_lena(eve, theirs)
    says_yes(LENA)
    lena = User.objects.get(email=LENA)
    olaf = User.objects.create_user("olaf@noord.example", "correct horse battery", name="Olaf")
    let_work(hers.study, olaf)
    client_of_olaf = Client()
    client_of_olaf.force_login(olaf)
    look = {"email": LENA, "action": "look"}
    shown = eve.get(people_page(theirs)).content.decode() + eve.post(reverse("person_remove"), look).content.decode()
    for secret in ("Team Geheim", "Study One", "Lena Bos", "opens the pages of"):
        assert secret not in shown
    shown = "".join(
        client_of_olaf.get(reverse(name, args=["one"])).content.decode()
        for name in ("board", "teams", "study_people", "mails")
    )
    shown += client_of_olaf.get(reverse("team_edit", args=["one", hers.pk])).content.decode()
    shown += client_of_olaf.post(reverse("person_remove"), look).content.decode()
    for secret in ("Lena van het Account", "Study Two", "eve@zuid.example"):
        assert secret not in shown
    client = Client()
    client.force_login(lena)
    start = client.get(reverse("start")).content.decode()
    assert "Team Geheim" in start
    assert reverse("studies") in start


# ------------------------------------------------------------------------------------------------ what ends
def test_taken_off_the_only_study_she_signs_in_by_code_again(eve, theirs, hers):
    add_lena(eve, theirs)
    says_yes(LENA)
    eve.post(reverse("study_person_remove", args=["two", theirs.roles.get(user__email=LENA).pk]))
    lena = User.objects.get(email=LENA)
    assert not Membership.objects.filter(user=lena).exists()
    assert not access.is_researcher(lena)
    assert signs_in_by_code().get(reverse("team", args=[hers.pk])).status_code == 200


def test_a_membership_that_an_administrator_made_stays(eve, theirs, hers):
    ada = User.objects.create_superuser("ada@noord.example", "correct horse battery", name="Ada")
    assert joining.ask_for_group(theirs.group, "Sam", "sam@zuid.example", ada) == joining.Asked.MAILED
    says_yes("sam@zuid.example")
    joining.ask_for_study(theirs, "Sam", "sam@zuid.example", ada)
    setting_up.remove_researcher(theirs.roles.get(user__email="sam@zuid.example"), ada)
    assert Membership.objects.get(user__email="sam@zuid.example").by_administrator


def test_a_person_removed_from_the_only_study_is_no_member_either(eve, theirs, hers):
    add_lena(eve, theirs)
    says_yes(LENA)
    people.remove(LENA, User.objects.get(email="eve@zuid.example"), Study.objects.filter(pk=theirs.pk))
    lena = User.objects.get(email=LENA)
    assert not Membership.objects.filter(user=lena).exists()
    assert lena.roles.get().participation == hers


def test_who_was_only_asked_goes_with_the_study_and_is_forgotten_when_removed(eve, theirs, hers):
    """A question from elsewhere kept a leader's account alive when her study was deleted."""
    add_lena(eve, theirs)
    assert accounts.only_of_leaders_in(hers.study) == {User.objects.get(email=LENA).pk}
    look = people.look(LENA, Study.objects.filter(pk=hers.study_id))
    assert look.account_goes
    assert "teams.ResearcherInvitation" not in look.rows
    people.remove(LENA, None, Study.objects.filter(pk=theirs.pk))
    assert not ResearcherInvitation.objects.exists()
    assert User.objects.filter(email=LENA).exists()


# ------------------------------------------------------------------------------------------------ rows of before
def test_members_who_never_came_in_are_asked(theirs, hers):
    migration = importlib.import_module("teams.migrations.0026_researchers_are_asked")
    lena, eve = User.objects.get(email=LENA), User.objects.get(email="eve@zuid.example")
    let_work(theirs, lena)
    migration.ask_who_never_came(apps, None)
    assert not access.is_researcher(lena)
    assert lena.roles.get().participation == hers
    asked = ResearcherInvitation.objects.get()
    assert (asked.study, asked.email, asked.group) == (theirs, LENA, theirs.group)
    assert eve.memberships.get().by_administrator
    assert access.studies_of(eve).get() == theirs
