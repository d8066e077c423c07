"""A lost key: it is on the board, the team's page says what a new one comes to, and the way goes on."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from analysis.board import waiting
from surveys import tasks
from surveys.answering import submission
from surveys.answering.handles import handle_of
from surveys.collecting import collections, new_keys, sealing
from surveys.collecting.collections import NotReady
from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Invitee, Response, Slip
from surveys.paper import slips
from teams.mail import outbox
from teams.models import Event, Job, OutboxMessage, Study
from tests.surveys.teacher import all_answers, post
from tests.surveys.test_devices import locked


@pytest.fixture
def researcher(roos) -> Client:
    client = Client()
    client.force_login(roos)
    return client


def path(collection: Collection) -> Path:
    return Path(settings.COLLECTION_KEYS_DIR) / f"{collection.uid.hex}.key"


def lose_all() -> None:
    shutil.rmtree(settings.COLLECTION_KEYS_DIR)


def page_of(collection: Collection, name: str = "collecting_team") -> str:
    return reverse(name, args=[collection.survey.study.slug, collection.participation_id])


def red(study: Study) -> list[str]:
    with translation.override("en"):
        return [item.text for item in waiting(study) if item.urgent]


def test_a_lost_key_is_on_the_board_and_on_the_teams_page_until_there_is_a_new_one(researcher, survey, invitees):
    online = invitees[0].collection
    assert (new_keys.look(), red(survey.study)) == (2, [])
    lose_all()
    tasks.look_at_keys()
    (said,) = red(survey.study)
    assert "Verpleegkunde" in said
    assert "Fysiotherapie" in said
    page = researcher.get(page_of(online)).content.decode()
    assert page_of(online, "collecting_new_key") in page
    researcher.post(page_of(online, "collecting_new_key"))
    (said,) = red(survey.study)
    assert "Fysiotherapie" not in said
    assert page_of(online, "collecting_new_key") not in researcher.get(page_of(online)).content.decode()
    for collection in Collection.objects.exclude(pk=online.pk):
        new_keys.renew(collection)
    assert (new_keys.look(), red(survey.study)) == (2, [])
    assert not Job.objects.exists()


def test_new_links_for_everybody_and_what_was_answered_stays(researcher, invitees, survey):
    online = invitees[0].collection
    handed_in, begun, silent = submission.start_by_link(invitees[0]), submission.start_by_link(invitees[1]), invitees[2]
    submission.submit(handed_in, 1, all_answers(survey))
    submission.save(begun, 1, {"GV1": 2})
    personal_links.opt_out(silent)
    old = {
        invitee.pk: (invitee.secret.nonce, invitee.secret.token_hash, personal_links.personal_url(invitee))
        for invitee in invitees
    }
    outbox.send_due()
    django_mail.outbox.clear()
    lose_all()
    page = researcher.get(page_of(online)).content.decode()
    with translation.override("en"):
        assert (consequences := new_keys.consequences(online)).mailed == len(invitees) - 1
        assert (consequences.without, consequences.submitted, consequences.drafts) == (1, 1, 1)
    assert f'action="{page_of(online, "collecting_new_key")}"' in page
    researcher.post(page_of(online, "collecting_new_key"))
    outbox.send_due()
    assert {letter.to[0] for letter in django_mail.outbox} == {invitee.email for invitee in invitees} - {silent.email}
    for invitee in Invitee.objects.all():
        nonce, token_hash, url = old[invitee.pk]
        assert invitee.secret.nonce != nonce
        assert invitee.secret.token_hash != token_hash
        assert personal_links.find_invitee(url.rsplit("/", 1)[1]) is None, "the old link opens nothing"
        new = urlsplit(personal_links.personal_url(invitee)).path
        assert personal_links.find_invitee(new.rsplit("/", 1)[1]) == invitee
        if invitee.pk != silent.pk:
            (letter,) = (letter for letter in django_mail.outbox if letter.to == [invitee.email])
            assert new in letter.body
    assert Response.objects.filter(state="submitted").count() == 1
    assert submission.submit(begun, 2, all_answers(survey)).outcome.value == "submitted", "the same browser goes on"
    assert Event.objects.get(kind="key_renewed").detail == str(len(invitees) - 1)
    collections.close_collection(online)
    sealing.seal(online)
    online.refresh_from_db()
    assert (online.n_submitted, online.n_links) == (2, len(invitees))


@pytest.mark.parametrize("content", [b"", b"short", b"x" * collection_keys.KEY_BYTES])
def test_a_key_that_is_cut_off_or_another_one_is_lost_too(invitees, content):
    online = invitees[0].collection
    path(online).write_bytes(content)
    assert new_keys.is_lost(online)
    assert new_keys.renew(online) == len(invitees)
    assert not new_keys.is_lost(online)
    assert path(online).read_bytes() != content


def test_a_key_that_is_there_stays(researcher, invitees):
    online = invitees[0].collection
    before = path(online).read_bytes(), [invitee.secret.nonce for invitee in invitees]
    with pytest.raises(NotReady):
        new_keys.renew(online)
    assert researcher.post(page_of(online, "collecting_new_key")).status_code == 302
    assert (
        path(online).read_bytes(),
        [invitee.secret.nonce for invitee in Invitee.objects.order_by("email")],
    ) == before


def test_once_closed_no_new_links_are_made_and_sealing_goes_on(invitees):
    online = invitees[0].collection
    collections.close_collection(online)
    lose_all()
    assert new_keys.look() == 0
    assert not Job.objects.filter(key=online.pk, kind=new_keys.LOOKS.kind).exists()
    with pytest.raises(NotReady):
        new_keys.renew(online)
    sealing.seal(online)
    assert Collection.objects.get(pk=online.pk).state == Collection.State.SEALED


def test_a_new_key_that_broke_off_is_made_again(invitees, monkeypatch):
    online = invitees[0].collection
    lose_all()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(new_keys.outbox, "queue_many", broken)
        with pytest.raises(RuntimeError):
            new_keys.renew(online)
    assert new_keys.is_lost(online), "a key of no link is none"
    assert new_keys.renew(online) == len(invitees)


def test_pasted_addresses_and_slips_say_that_the_key_is_lost(researcher, online, collection, meeting):
    """The documented "send new links" was a 500."""
    Study.objects.update(slips=True)
    slips.make(collection, 3)
    lose_all()
    answer = researcher.post(page_of(online, "collecting_links"), {"addresses": "ine@noord.example"})
    assert answer.status_code == 200
    assert "ine@noord.example" in answer.content.decode(), "what was typed is still there"
    assert answer.context["form"].errors
    assert not Invitee.objects.exists()
    answer = researcher.post(page_of(collection, "collecting_slips"), {"n": 3}, follow=True)
    assert answer.redirect_chain
    assert Slip.objects.count() == 3
    new_keys.renew(collection)
    assert not Slip.objects.exists()
    assert len(slips.make(Collection.objects.get(pk=collection.pk), 2)) == 2


def test_a_device_keeps_its_parcel_while_the_key_is_away(collection, meeting):
    key = submission.start_in_meeting(meeting)
    parcel = locked(collection, {"key": key, "sequence": 1, "answers": {"GV1": 1}})
    content = path(collection).read_bytes()
    path(collection).unlink()
    answer = post(Client(), "answer_submit", collection=collection.uid.hex, parcel=parcel)
    assert answer.status_code == 503
    assert "outcome" not in answer.json()
    path(collection).write_bytes(content)
    answer = post(Client(), "answer_submit", collection=collection.uid.hex, parcel=parcel)
    assert answer.json()["outcome"] == "submitted"


def test_a_mail_that_waited_brings_the_new_link_once(invitees):
    online = invitees[0].collection
    lose_all()
    new_keys.renew(online)
    outbox.send_due()
    to_teachers = [letter.to[0] for letter in django_mail.outbox if letter.to[0].startswith("teacher")]
    assert sorted(to_teachers) == sorted(invitee.email for invitee in invitees)


def test_no_mail_is_thrown_away_while_a_key_is_away(invitees):
    """A folder that is not there for a minute, as after a restart: a round of reminders and new links wait, and then go."""
    online = invitees[0].collection
    personal_links.remind(online)
    content = path(online).read_bytes()
    path(online).unlink()
    outbox.send_due()
    assert not [letter for letter in django_mail.outbox if letter.to[0].startswith("teacher")]
    waiting_mails = OutboxMessage.objects.filter(
        kind__in=[SurveyMail.PERSONAL_LINK, SurveyMail.PERSONAL_REMINDER_TO_ALL]
    )
    assert set(waiting_mails.values_list("state", flat=True)) == {OutboxMessage.State.QUEUED}
    assert waiting_mails.count() == 2 * len(invitees)
    path(online).write_bytes(content)
    waiting_mails.update(due_at=timezone.now())
    outbox.send_due()
    to_teachers = [letter.to[0] for letter in django_mail.outbox if letter.to[0].startswith("teacher")]
    assert sorted(to_teachers) == sorted([invitee.email for invitee in invitees] * 2)


def test_no_page_fails_while_a_key_cannot_be_read(researcher, invitees, meeting):
    """The disk gives an error and no file: whoever asks gets a page, and answers of others go on."""
    Study.objects.update(slips=True)
    online, token = invitees[0].collection, urlsplit(personal_links.personal_url(invitees[0])).path
    stop = urlsplit(personal_links.stop_url(invitees[0])).path
    teacher, shared = Client(), Client()
    opened = teacher.get(token, follow=True)
    for collection in Collection.objects.all():
        path(collection).unlink()
        path(collection).mkdir()
    shared.get(reverse("meeting_welcome", args=[meeting.code]) + "?shared=yes")
    assert opened.status_code == 200
    pages = {
        "personal link": teacher.get(token, follow=True),
        "end of mails": teacher.get(stop),
        "delete by link": teacher.post(reverse("answer_delete"), {"link": token.rpartition("/")[2]}),
        "facilitator": Client().get(personal_links.facilitator_url(meeting), follow=True),
        "team": researcher.get(page_of(online)),
        "addresses": researcher.post(page_of(online, "collecting_links"), {"addresses": "ine@noord.example"}),
        "slips": researcher.post(page_of(meeting.collection, "collecting_slips"), {"n": 3}, follow=True),
    }
    key = submission.start_in_meeting(meeting)
    shared.cookies["moment"] = key
    pages["shared device"] = shared.get(reverse("questionnaire", args=[handle_of(key)]))
    assert {name: page.status_code for name, page in pages.items() if page.status_code >= 500} == {}
    assert pages["shared device"].status_code == 200
    assert new_keys.is_lost(online)
