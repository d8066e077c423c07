"""Pressed twice on a slow line: once done, and the second press is shown what the first one did."""

import datetime
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from teams import tasks
from teams.base import once
from teams.inviting import invitations
from teams.mail import templates
from teams.models import DoneOnce, Event, Invitation, OutboxMessage, Study, User
from teams.studies import setting_up
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db
KEY = {once.FIELD: "a-key-of-this-page"}
AGAIN = "This was sent twice, but done only once."


@pytest.fixture
def client(roos: User) -> Client:
    client = Client()
    client.force_login(roos)
    client.cookies["django_language"] = "en"
    return client


def new_study(study: Study, **changes: Any) -> dict[str, Any]:
    return {
        "group": study.group_id,
        "title": "Twice",
        "wave": 1,
        "starts_on": "2027-09-01",
        "ends_on": "2028-06-30",
        "k": 5,
        "grace_hours": 24,
        "controller": "Hogeschool Noord",
        "legal_basis": "public_task",
        "privacy_contact": "privacy@noord.example",
        "retention_years": 10,
        "language": "nl",
        "report_days": 14,
        "contact_name": "Roos",
        "contact_email": "roos@noord.example",
        **changes,
    }


def test_a_study_is_made_once_and_the_second_press_leads_to_it(client, study):
    first, second = (client.post(reverse("study_new"), new_study(study) | KEY) for _n in range(2))
    assert Study.objects.filter(title="Twice").count() == 1
    assert first["Location"] == second["Location"] == reverse("teams", args=["twice"])
    page = client.get(second["Location"]).content.decode()
    assert "The study has been created." in page
    assert AGAIN in page


def test_whoever_goes_back_and_writes_something_else_has_sent_another_form(client, study):
    client.post(reverse("study_new"), new_study(study) | KEY)
    client.post(reverse("study_new"), new_study(study, title="Another") | KEY)
    assert Study.objects.filter(title__in=["Twice", "Another"]).count() == 2


def test_what_was_refused_can_be_sent_again(client, study):
    assert client.post(reverse("study_new"), new_study(study, title="") | KEY).status_code == 200
    assert not DoneOnce.objects.exists()
    assert client.post(reverse("study_new"), new_study(study) | KEY).status_code == 302


def test_a_refusal_that_leads_elsewhere_is_no_act(client, study, nursing):
    """Nobody to invite today; tomorrow there is, and the page of today is still open."""
    address = reverse("invite_directors", args=[study.slug])
    Invitation.objects.update(state=Invitation.State.SENT)
    client.post(address, KEY)
    Invitation.objects.filter(academy__isnull=False).update(state=Invitation.State.LISTED)
    client.post(address, KEY)
    assert OutboxMessage.objects.filter(kind="teams.director_invitation").count() == 1


def test_the_same_key_of_somebody_else_is_another_act(client, study):
    client.post(reverse("study_new"), new_study(study) | KEY)
    other = User.objects.create_user("ida@noord.example", "correct horse battery", name="Ida")
    setting_up.let_work(study, other)
    hers = Client()
    hers.force_login(other)
    hers.post(reverse("study_new"), new_study(study) | KEY)
    assert Study.objects.filter(title="Twice").count() == 2


def test_a_file_is_read_after_it_was_counted_in(client, study):
    def dry_run(**more: str) -> str:
        file = SimpleUploadedFile("a.csv", b"name;other\n1;2\n")
        page = client.post(reverse("contacts_import", args=[study.slug]), {"file": file, **more}).content.decode()
        return re.sub(r'(name="(once|csrfmiddlewaretoken)" value=")[^"]*', r"\1", page)

    assert "institution" in dry_run()
    assert dry_run(**KEY) == dry_run()


def test_an_act_that_fails_half_way_leaves_nothing(client, study, monkeypatch):
    def fail(*_given: Any, **_more: Any) -> None:
        raise OSError("the disk is full")

    client.raise_request_exception = False
    monkeypatch.setattr("teams.studies.setting_up.history.record", fail)
    assert client.post(reverse("study_new"), new_study(study) | KEY).status_code == 500
    assert not Study.objects.filter(title="Twice").exists()
    assert not DoneOnce.objects.exists()
    monkeypatch.undo()
    assert client.post(reverse("study_new"), new_study(study) | KEY).status_code == 302


def test_a_key_that_no_page_drew_is_no_key(client, study):
    for _n in range(2):
        client.post(reverse("study_new"), new_study(study) | {once.FIELD: "x" * 65})
    assert Study.objects.filter(title="Twice").count() == 2
    assert not DoneOnce.objects.exists()


def test_every_form_of_a_page_has_a_key_of_its_own(client, study, nursing):
    invitations.invite_directors(study)
    pages = [client.get(reverse("teams", args=[study.slug])).content.decode() for _n in range(2)]
    keys = re.findall(r'name="once" value="([\w-]{22})"', "".join(pages))
    assert len(keys) >= 4
    assert len(set(keys)) == len(keys)


def test_nothing_readable_is_kept_and_nothing_after_a_day(client, study):
    client.post(reverse("study_new"), new_study(study) | KEY)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {DoneOnce._meta.db_table}")
        assert "twice" not in str(cursor.fetchall()).lower()
    with freeze_time(timezone.now() + once.LASTS - datetime.timedelta(minutes=5)):
        tasks.forget_sessions()
        assert DoneOnce.objects.exists()
    with freeze_time(timezone.now() + once.LASTS + datetime.timedelta(minutes=5)):
        tasks.forget_sessions()
        assert not DoneOnce.objects.exists()


def test_a_test_mail_goes_once(client, study, mailoutbox):
    """Its page is no redirect: what was typed stays in the form."""
    address = reverse("mail_text", args=[study.slug, "teams.director_invitation"])
    words = templates.wording(study, "teams.director_invitation", "en")
    sent = {"language": "en", "en-subject": "Mine", "en-body": words.body, "action": "test", **KEY}
    pages = [client.post(address, sent).content.decode() for _n in range(2)]
    assert len(mailoutbox) == 1
    assert all("A test email is on its way" in page and 'value="Mine"' in page for page in pages)


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment(study, roos):
    """The second waits for the first, then finds what it did."""

    def press() -> str:
        client = Client()
        client.force_login(roos)
        return client.post(reverse("study_new"), new_study(study) | KEY)["Location"]

    assert in_threads(*[press] * 3) == [reverse("teams", args=["twice"])] * 3
    assert Study.objects.filter(title="Twice").count() == 1
    assert Event.objects.filter(kind="study_created").count() == 1
