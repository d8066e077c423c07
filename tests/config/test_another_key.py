"""SECRET_KEY was changed, and the key of before stands in SECRET_KEY_FALLBACKS: docs/deployment.md says what goes on."""

import re

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from scripts.setup import ROOT
from surveys.keys import seal_list
from teams.inviting import invitations
from teams.mail import outbox, refusals
from teams.models import Participation, Refusal, Study, User
from teams.people import contact_person
from tests.surveys.conftest import make_participation, make_study
from tests.surveys.test_refusals import DIRECTOR, directors_of

pytestmark = pytest.mark.django_db
OLD, NEW = "of before " * 6, "of today " * 6

# Every module that makes something of the key, and words of the line of docs/deployment.md that says what then happens
USES = {
    "surveys/answering/handles.py": "the address of the pages of a response",
    "surveys/answering/limits.py": "the names of devices that type codes",
    "surveys/answering/offers.py": "a meeting's welcome page that is open",
    "surveys/collecting/returned.py": "the number of who handed in",
    "surveys/keys/row_keys.py": "responses begun in a collection",
    "surveys/keys/seal_list.py": "persons on the list beside the database",
    "surveys/views/by_link/picture_screen.py": "the screen that shows a meeting's figures",
    "surveys/views/teachers/device.py": "how many responses a device began",
    "teams/people/contact_person.py": "who counted a team, or confirmed its addresses",
    "teams/forms/filled.py": "a form that was open in between",
    "teams/inviting/link_codes.py": "six digits mailed to stop a team",
    "teams/links.py": "links in mails sent before",
    "teams/mail/refusals.py": "who asked for no more mail",
    "teams/base/sealed.py": "who is signed in",
    "teams/accounts/sign_in_mails.py": "codes mailed to sign in",
    "teams/base/typed.py": "what a tab keeps of a form",
    "analysis/data/dataset.py": "a page with open answers to review",
    "analysis/exports/result_tables.py": "codes of teams in files",
}


@pytest.fixture(autouse=True)
def the_key_of_before(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []


def change(settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]


@pytest.fixture
def study() -> Study:
    return make_study("noord")


@pytest.fixture
def participation(study) -> Participation:
    return make_participation(study, "Zorg", "contact")


def test_who_wants_no_reminders_gets_none_and_may_take_it_back(settings):
    invitation = directors_of("One")
    link = invitations.stop_path(invitation)
    Client().post(link)
    change(settings)
    django_mail.outbox.clear()
    assert refusals.wants_none(DIRECTOR.title())
    assert refusals.among([DIRECTOR, "other@noord.example"]) == {DIRECTOR}
    assert not invitations.remind(invitation)
    assert outbox.send_due() == 0
    refusals.refuse(DIRECTOR)
    assert Refusal.objects.count() == 1
    page = Client().get(link).content.decode()
    assert 'name="again"' in page  # the link that was mailed before still says what was asked with it
    Client().post(link, {"again": "1"})
    assert not refusals.wants_none(DIRECTOR)
    assert Refusal.objects.count() == 0


def test_who_counted_a_team_still_reads_nothing_of_it(settings, participation):
    contact_person.note_vouched(participation.pk, "C.ora@noord.example")
    change(settings)
    participation.refresh_from_db()
    assert contact_person.has_vouched(participation, "cora@noord.example")
    with pytest.raises(contact_person.SamePerson):
        contact_person.check_leader(participation, "cora@noord.example")
    contact_person.note_vouched(participation.pk, "cora@noord.example")
    participation.refresh_from_db()
    assert len(participation.vouched_by) == 1


def test_a_person_who_was_removed_stays_removed(settings, study):
    seal_list.add_removed("cora@noord.example", study)
    seal_list.add_removed("dora@noord.example", None)
    change(settings)
    assert seal_list.is_removed("Cora@noord.example", study)
    assert not seal_list.is_removed("cora@noord.example", None)
    assert seal_list.is_removed("dora@noord.example", None)


def test_who_is_signed_in_stays_so(settings):
    ada = User.objects.create_superuser("ada@noord.example", "correct horse battery", name="Ada")
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(ada)
    change(settings)
    for _n in range(2):  # the second time by what the first wrote with the key of today
        assert clients[0].get(reverse("studies")).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert clients[0].get(reverse("studies")).status_code == 200
    assert clients[1].get(reverse("studies")).status_code == 302


def test_every_use_of_the_key_is_in_the_document():
    use = re.compile(r"\bSECRET_KEY\b(?!_)|salted_hmac\(|\bSigner\(|signing\.(dumps|loads)|\bdigests\(\"")
    uses = {
        str(path.relative_to(ROOT))
        for app in ("config", "teams", "surveys", "analysis")
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts and use.search(re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL))
    } - {"config/settings.py", "teams/base/keyed.py"}
    assert uses == set(USES)
    chapter = (ROOT / "docs" / "deployment.md").read_text().partition("## Another key")[2].partition("\n## ")[0]
    assert [words for words in USES.values() if words not in chapter] == []
