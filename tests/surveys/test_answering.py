"""Answering: the page, saving with and without JavaScript, twice, late and from elsewhere; deleting; the end."""

import gzip
import json
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from surveys.answering import submission
from surveys.collecting import collections, sealing
from surveys.models import Response, SealedResponse
from tests.surveys.teacher import JSON, all_answers, at, begin, hidden, page_of, post

# ------------------------------------------------------------------------------------------------ the page


def test_the_page_is_one_query_and_holds_the_whole_questionnaire(teacher, meeting, django_assert_num_queries):
    begin(teacher, meeting)
    with django_assert_num_queries(1):
        response = teacher.get(page_of(teacher))
    text = response.content.decode()
    assert text.count("<fieldset") == 1 + 36 + 3
    assert text.count('type="radio"') == 3 + 36 * 5 + 4 + 3 + 2
    assert (response["Cache-Control"], response["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "style=" not in text
    assert "onclick" not in text


def test_each_sees_the_own_key_and_answers_only(meeting):
    first, second = Client(), Client()
    one, two = begin(first, meeting), begin(second, meeting)
    post(first, "answer_save", key=one, sequence=1, answers={"GV1": 4}, eligibility="yes")
    pages = [client.get(page_of(client)).content.decode() for client in (first, second)]
    assert one in pages[0]
    assert two not in pages[0]
    assert '{"sequence":1,"answers":{"GV1":4},"eligibility":"yes",' in pages[0]
    assert '{"sequence":0,"answers":{},"eligibility":"",' in pages[1]
    for slot in ("@@KEY@@", "@@STATE@@", "@@TEAM@@"):
        assert slot not in pages[0] + pages[1]


def test_the_page_is_compressed(teacher, meeting):
    begin(teacher, meeting)
    response = teacher.get(page_of(teacher), headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content) == teacher.get(page_of(teacher)).content
    assert len(response.content) < 8000


def test_background_questions_that_the_study_does_not_ask_are_not_there(teacher, survey, meeting):
    survey.background = ["counsellor"]
    survey.save(update_fields=["background"])
    begin(teacher, meeting)
    text = teacher.get(page_of(teacher)).content.decode()
    assert 'name="counsellor"' in text
    assert 'name="years_in_team"' not in text


def test_a_simulated_study_says_so_on_every_page(teacher, study, meeting):
    study.simulated = True
    study.save(update_fields=["simulated"])
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code])).content
    key = begin(teacher, meeting)
    page = teacher.get(page_of(teacher)).content
    submission.submit(key, 1, {})
    done = teacher.get(page_of(teacher, "answer_done")).content
    assert all(b'class="simulated"' in text for text in (welcome, page, done))


# ------------------------------------------------------------------------------------------------ saving, with JavaScript


def test_nothing_needs_to_be_answered(teacher, meeting):
    key = begin(teacher, meeting)
    sent = post(teacher, "answer_submit", key=key, sequence=1, answers={}, eligibility="yes", language="en")
    assert sent.json()["outcome"] == "submitted"
    assert Response.objects.get().answers == {}


def test_save_and_submit(teacher, survey, meeting):
    key = begin(teacher, meeting)
    saved = post(teacher, "answer_save", key=key, sequence=1, answers={"GV1": 1}, eligibility="yes", language="en")
    assert saved.json() == {"outcome": "saved", "sequence": 1, "answers": {"GV1": 1}, "eligibility": "yes"}
    answers = all_answers(survey)
    for _n in range(2):
        sent = post(teacher, "answer_submit", key=key, sequence=2, answers=answers, eligibility="yes", language="en")
        assert sent.json()["outcome"] == "submitted"
    response = Response.objects.get()
    assert (response.state, response.answers, response.language) == ("submitted", answers, "en")
    assert teacher.get(page_of(teacher))["Location"] == page_of(teacher, "answer_done")
    assert teacher.get(page_of(teacher, "answer_done")).status_code == 200


def test_a_second_tab_learns_what_the_first_saved(teacher, meeting):
    key = begin(teacher, meeting)
    post(teacher, "answer_save", key=key, sequence=1, answers={"GV1": 1})
    other = post(teacher, "answer_save", key=key, sequence=1, answers={"GV2": 2})
    assert other.json() == {"outcome": "conflict", "sequence": 1, "answers": {"GV1": 1}, "eligibility": ""}


def test_the_key_in_the_body_is_the_authority_not_the_cookie(meeting):
    key = begin(Client(), meeting)
    stranger = Client()
    stranger.cookies["key"] = key
    assert post(stranger, "answer_save", key="other", sequence=1, answers={"GV1": 1}).json()["outcome"] == "unknown"
    body = {"key": "other", "sequence": 1, "answers": {"GV1": 1}}
    here = stranger.post(at("answer_save", key), json.dumps(body), content_type=JSON)
    assert (here.status_code, here.json()["outcome"]) == (409, "other")
    assert post(Client(), "answer_save", key=key, sequence=1, answers={"GV1": 1}).json()["outcome"] == "saved"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"key": 1, "sequence": 1, "answers": []}',
        '{"key": "KEY", "sequence": "1", "answers": {}}',
        '{"key": "KEY", "sequence": 1, "answers": {"GV1": 7}}',
        '{"key": "KEY", "sequence": 1, "answers": {"GV1": {"a": 1}}}',
        '{"key": "KEY", "sequence": 1e99, "answers": {}}',
        '{"key": "KEY", "sequence": 1, "answers": {"other": 1}}',
        '{"key": "KEY", "sequence": 1, "answers": {}, "eligibility": {"a": 1}}',
        '{"key": "KEY", "sequence": 1, "answers": 5}',
    ],
)
def test_what_is_no_answer_is_refused_and_changes_nothing(teacher, meeting, body):
    key = begin(teacher, meeting)
    response = teacher.post(reverse("answer_save"), body.replace("KEY", key), content_type=JSON)
    assert (response.status_code, response.json()["outcome"]) in [(400, "invalid"), (200, "unknown")]
    assert Response.objects.get().sequence == 0


def test_a_body_that_is_too_large_is_refused(teacher, meeting):
    key = begin(teacher, meeting)
    response = post(teacher, "answer_save", key=key, sequence=1, answers={"GV1": "x" * 70_000})
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "null"}, True),  # a form of a page with no-referrer
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://[::"}, False),  # no address at all
        ({"Origin": "http://[x]/"}, False),
        ({"Origin": "http://a]b"}, False),
    ],
)
def test_other_sites_cannot_post(teacher, meeting, headers, allowed):
    key = begin(teacher, meeting)
    body = json.dumps({"key": key, "sequence": 1, "answers": {"GV1": 1}})
    response = teacher.post(reverse("answer_save"), body, content_type=JSON, headers=headers)
    assert response.status_code == (200 if allowed else 403)
    assert Response.objects.get().sequence == int(allowed)


# ------------------------------------------------------------------------------------------------ without JavaScript


def step_fields(response) -> list[str]:
    return list(dict.fromkeys(re.findall(r'type="radio" name="([^"]+)"', response.content.decode())))


def test_the_whole_journey_without_javascript(teacher, survey, meeting):
    key = begin(teacher, meeting)
    page = teacher.get(page_of(teacher), {"step": 1})
    for n in range(1, 9):
        names = step_fields(page)
        assert len(names) == (1 if n == 1 else 3 if n == 8 else 6)
        values = {"years_in_team": "over_10", "appointment": "over_08", "counsellor": "no", "eligibility": "yes"}
        form = {name: values.get(name, "x" if name == "CH2" else "2") for name in names if name != "GV3"}
        response = teacher.post(reverse("answer_step"), {"key": key, "step": str(n), "go": "next", **form})
        here = f"{at('questionnaire', key)}?step={n + 1}"
        assert (response.status_code, response["Location"]) == (303, here)
        page = teacher.get(here)
    text = page.content.decode()
    assert text.count("<li>") == 1, "one statement is open: a soft reminder, with the way back to it"
    assert "?step=2#i-GV3" in text
    back = teacher.post(reverse("answer_step"), {"key": key, "step": "9", "go": "back"})
    assert back["Location"] == page_of(teacher) + "?step=8"
    assert teacher.get(page_of(teacher) + "?step=2").content.decode().count(" checked") == 5
    response = teacher.post(reverse("answer_submit"), {"key": key, "step": "9", "go": "submit"})
    assert response["Location"] == page_of(teacher, "answer_done")
    stored = Response.objects.get()
    assert stored.state == "submitted"
    assert len(stored.answers) == 35 + 3
    assert (stored.answers["GV1"], stored.answers["CH2"], stored.answers["counsellor"]) == (2, "x", "no")
    assert stored.eligibility == "yes"
    again = teacher.post(reverse("answer_step"), {"key": key, "step": "2", "GV1": "4"})
    assert again["Location"] == page_of(teacher, "answer_done")
    assert Response.objects.get().answers["GV1"] == 2


def test_switching_the_language_without_javascript_keeps_the_answers(teacher, meeting):
    key = begin(teacher, meeting)
    response = teacher.post(reverse("answer_step"), {"key": key, "step": "2", "GV1": "4", "language": "en"})
    assert response["Location"] == page_of(teacher) + "?step=2"
    assert response.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"
    text = teacher.get(page_of(teacher) + "?step=2").content.decode()
    assert "We agree on what matters most" in text
    assert text.count(" checked") == 1
    assert Response.objects.get().language == "en"


def test_who_is_not_eligible_is_thanked_and_recorded(teacher, meeting):
    key = begin(teacher, meeting)
    response = teacher.post(reverse("answer_step"), {"key": key, "step": "1", "eligibility": "no_too_short"})
    assert response["Location"] == page_of(teacher, "answer_done")
    stored = Response.objects.get()
    assert (stored.state, stored.eligibility, stored.answers) == ("submitted", "no_too_short", {})
    text = teacher.get(page_of(teacher, "answer_done"), {"language": "en"}).content.decode()
    assert "Did you say that you cannot answer" in text


@pytest.mark.parametrize("step", ["0", "99", "-1", "x", "²", "9" * 30])
def test_any_step_in_the_address_shows_a_page(teacher, meeting, step):
    begin(teacher, meeting)
    assert teacher.get(page_of(teacher), {"step": step}).status_code == 200


@pytest.mark.parametrize("form", [{"GV1": "9"}, {"GV1": "²"}, {"counsellor": "maybe"}, {"eligibility": "maybe"}])
def test_a_form_with_what_is_no_answer_is_refused(teacher, meeting, form):
    key = begin(teacher, meeting)
    assert teacher.post(reverse("answer_step"), {"key": key, "step": "1", **form}).status_code == 400
    assert Response.objects.get().answers == {}


# ------------------------------------------------------------------------------------------------ deleting, ending


def test_answers_can_be_deleted_from_the_thanks_page(teacher, meeting):
    key = begin(teacher, meeting)
    submission.submit(key, 1, {"GV1": 1})
    assert hidden(teacher.get(page_of(teacher, "answer_done")), "key") == key
    response = teacher.post(reverse("answer_delete"), {"key": key})
    assert response.status_code == 200
    assert response.cookies["key"].value == ""
    assert not Response.objects.exists()
    assert teacher.post(reverse("answer_delete"), {"key": key}).status_code == 404
    assert teacher.get(page_of(teacher, "answer_done")).status_code == 200


def test_after_sealing_every_page_says_so_kindly(teacher, collection, meeting):
    key = begin(teacher, meeting)
    collections.close_collection(collection)
    assert teacher.get(page_of(teacher)).status_code == 200, "who began may go on after closing"
    sealing.seal(collection)
    assert teacher.get(page_of(teacher)).status_code == 404
    assert teacher.get(page_of(teacher, "answer_done")).status_code == 200
    assert teacher.post(reverse("answer_step"), {"key": key, "step": "1"}).status_code == 404
    assert post(teacher, "answer_save", key=key, sequence=1, answers={}).json()["outcome"] == "unknown"
    assert SealedResponse.objects.get().answers == {}


def test_without_a_started_response_the_page_says_what_to_do(teacher, db):
    response = teacher.get(page_of(teacher))
    assert response.status_code == 404
    assert reverse("join") in response.content.decode()


def test_no_session_begins(teacher, meeting):
    key = begin(teacher, meeting)
    post(teacher, "answer_submit", key=key, sequence=1, answers={})
    teacher.get(page_of(teacher, "answer_done"))
    assert settings.SESSION_COOKIE_NAME not in teacher.cookies
    assert set(teacher.cookies) == {"key", "begun", "start"}
