"""A teacher ends the mails by the link in a reminder; it answers no questions and tells nothing."""

import pytest
from django.core import mail as django_mail
from django.test import Client

from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.mails import _of_teachers
from surveys.models import Collection, Invitee
from teams.mail import listing, outbox
from teams.mail.templates import LETTERS
from teams.models import OutboxMessage

pytestmark = pytest.mark.django_db


def path_of(invitee: Invitee) -> str:
    return "/" + personal_links.stop_url(invitee).split("/", 3)[3]


@pytest.fixture
def invitee(online: Collection) -> Invitee:
    personal_links.issue_links(online, ["ine@noord.example"])
    outbox.send_due()
    django_mail.outbox.clear()
    return online.invitees.get()


def test_a_reminder_says_how_to_end_them_and_the_first_mail_cannot(invitee, online):
    personal_links.remind(online)
    outbox.send_due()
    (sent,) = django_mail.outbox
    assert sent.extra_headers["List-Unsubscribe"] == f"<{personal_links.stop_url(invitee)}>"
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert personal_links.stop_url(invitee) in sent.body
    assert invitee.secret.nonce not in sent.body


def test_one_click_ends_the_mails_and_the_link_keeps_working(invitee, online):
    client = Client(enforce_csrf_checks=True)
    assert client.get(path_of(invitee)).status_code == 200
    assert not Invitee.objects.get().opted_out
    answer = client.post(
        path_of(invitee), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert Invitee.objects.get().opted_out
    assert personal_links.remind(online) == 0
    token = personal_links.personal_url(invitee).rsplit("/", 1)[1]
    assert personal_links.find_invitee(token) == invitee


def test_the_link_opens_no_answers_and_a_forged_one_nothing(invitee, client):
    token = path_of(invitee).rsplit("/", 1)[1]
    assert personal_links.find_invitee(token) is None
    assert personal_links.find_invitee(token.partition(".")[2]) is None
    for forged in (
        f"{invitee.pk}.",
        f"{invitee.pk}.AAAA",
        f"{invitee.pk + 1}.{token.partition('.')[2]}",
        "9" * 30 + ".A",
    ):
        assert personal_links.find_by_stop_token(forged) is None
    personal = personal_links.personal_url(invitee).rsplit("/", 1)[1]
    assert personal_links.find_by_stop_token(f"{invitee.pk}.{personal}") is None


def test_once_the_key_is_gone_it_opens_nothing(invitee, client):
    path = path_of(invitee)
    collection_keys.destroy(invitee.collection)
    assert client.get(path).status_code == 404


def test_letters_to_teachers_tell_no_teacher_from_another(online):
    for kind in (SurveyMail.PERSONAL_LINK, SurveyMail.PERSONAL_REMINDER_TO_ALL):
        assert set(LETTERS[kind].fields) == set(_of_teachers(online.participation, online.survey.study)) | {"link"}


def test_of_a_teacher_the_list_shows_the_address_only_where_the_mail_did_not_arrive(invitee, online):
    study = online.survey.study
    OutboxMessage.objects.exclude(kind=SurveyMail.PERSONAL_LINK).delete()  # those of the opening
    (row,), _page = listing.list_mails(study, "", 1)
    assert (row.reader.name, row.reader.address, row.reader.about) == ("", "", "Fysiotherapie")
    OutboxMessage.objects.update(state="bounced", error="came back: 5.1.1")
    (row,), _page = listing.list_mails(study, "undelivered", 1)
    assert row.reader.address == "ine@noord.example"
