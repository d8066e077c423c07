"""What a dump holds opens nothing on the running server, and what a link or a device gives finds nothing in a dump."""

import importlib
import json

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from surveys.answering import submission
from surveys.collecting import collections, sealing
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import PaperForm, Response
from surveys.paper import entry
from tests.surveys import attacker
from tests.surveys.teacher import begin, hidden, page_of, post


def keys_of_links(invitees) -> dict[str, str]:
    """What a mail administrator notes before anybody answers: presses "begin" with each link, then "delete"."""
    noted = {}
    for invitee in invitees:
        token = personal_links.personal_url(invitee).rsplit("/", 1)[1]
        reader = Client(enforce_csrf_checks=True)
        reader.get(reverse("personal_link", args=[token]))
        reader.post(reverse("answer_start"), {"link": token})
        noted[invitee.email] = reader.cookies["key"].value
        assert reader.post(reverse("answer_delete"), {"link": token}).status_code == 200
    return noted


def hand_in(invitee, value: int) -> None:
    teacher = Client(enforce_csrf_checks=True)
    token = personal_links.personal_url(invitee).rsplit("/", 1)[1]
    teacher.get(reverse("personal_link", args=[token]))
    teacher.post(reverse("answer_start"), {"link": token})
    key = hidden(teacher.get(page_of(teacher)), "key")
    reply = post(teacher, "answer_submit", key=key, sequence=1, answers={"GV1": value}, eligibility="yes")
    assert reply.json() == {"outcome": "submitted"}


def test_who_noted_the_keys_of_links_finds_nobody_in_a_dump(invitees):
    """It linked six answers of six to their people."""
    noted = keys_of_links(invitees)
    for n, invitee in enumerate(invitees):
        hand_in(invitee, n % 4 + 1)
    dump = json.dumps(attacker.dump_database(), default=str)
    assert Response.objects.count() == len(invitees)
    assert not [email for email, key in noted.items() if key in dump]


def test_the_keys_of_a_dump_open_nothing(meeting, invitees):
    """They read drafts, handed in answers of their own, and deleted."""
    teacher = Client()
    key = begin(teacher, meeting)
    post(teacher, "answer_save", key=key, sequence=1, answers={"GV1": 3}, eligibility="yes")
    submission.save(submission.start_by_link(invitees[0]), 1, {"GV1": 2})
    rows = list(Response.objects.values())
    for row in rows:
        stored = row["key"]
        thief = Client(enforce_csrf_checks=True)
        thief.cookies["key"] = thief.cookies["answer"] = stored
        assert thief.get(reverse("questionnaire")).status_code == 404
        assert thief.get(page_of(thief)).status_code == 404
        assert thief.get(page_of(thief, "answer_done")).content.decode().count(stored) == 0
        for name in ("answer_save", "answer_submit"):
            reply = post(thief, name, key=stored, sequence=2, answers={"GV1": 1}).json()
            assert reply == {"outcome": "unknown"}
        assert thief.post(reverse("answer_step"), {"key": stored, "step": "1", "GV1": "1"}).status_code == 404
        assert thief.post(reverse("answer_delete"), {"key": stored}).status_code == 404
    assert list(Response.objects.values()) == rows


def test_no_page_shows_the_key_of_a_row(meeting):
    teacher = Client()
    key = begin(teacher, meeting)
    pages = [teacher.get(page_of(teacher)), teacher.get(page_of(teacher), {"step": "1"})]
    submission.submit(key, 1, {"GV1": 3}, eligibility="yes")
    pages.append(teacher.get(page_of(teacher, "answer_done")))
    for page in pages:
        assert hidden(page, "key") == key
        assert row_key(key) not in page.content.decode()
    assert teacher.post(reverse("answer_delete"), {"key": hidden(pages[-1], "key")}).status_code == 200


def test_keys_are_as_long_as_their_column_and_depend_on_the_secret(settings):
    for key in ("", "a", "A" * 43, "\ud800\x00é"):
        assert len(row_key(key)) == 43
    before = row_key("a")
    settings.SECRET_KEY = "another one"
    assert row_key("a") != before


@pytest.mark.django_db(transaction=True)
def test_what_was_begun_before_goes_on_after_the_update(meeting, online, invitees):
    """Rows that stand under the keys of devices, as before: these find them after the migration, and paper its forms."""
    migration = importlib.import_module("surveys.migrations.0020_rows_under_keyed_hashes")
    in_meeting, by_link = submission.start_in_meeting(meeting), submission.start_by_link(invitees[0])
    submission.save(by_link, 1, {"GV1": 4})
    for key in (in_meeting, by_link):
        Response.objects.filter(key=row_key(key)).update(key=key)
    form = entry.new_form(meeting.collection)
    entry.finish(form, {"answers": {"GV1": 1}, "eligibility": "yes"})
    again = entry.next_to_type_again(meeting.collection)
    entry.finish(again, again.first)
    assert entry.write(meeting.collection) == 1
    migration.under_hashes(apps, None)
    assert submission.find(in_meeting) is not None
    assert submission.start_by_link(invitees[0]) == by_link
    assert submission.find(by_link).answers == {"GV1": 4}
    written = PaperForm.objects.get()
    assert Response.objects.get(key=written.response_key).answers == {"GV1": 1}
    assert entry.take_back(meeting.collection) == 1
    collections.close_collection(online)
    sealing.seal(online)
    sealed = set(online.sealed_responses.values_list("key", flat=True))
    migration.under_hashes(apps, None)
    assert set(online.sealed_responses.values_list("key", flat=True)) == sealed
