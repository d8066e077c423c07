"""The teacher's pages: with and without JavaScript, twice, late, from elsewhere; and what they do not write."""

import json
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from surveys import collections, limits, links, qr, sealing, submission
from surveys.models import Collection, Invitee, Response
from surveys.questionnaires import definition_of

JSON = "application/json"


@pytest.fixture(autouse=True)
def no_wrong_codes_yet():
    limits.forget()
    yield
    limits.forget()


@pytest.fixture
def teacher() -> Client:
    return Client(enforce_csrf_checks=True)


def hidden(response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found, f"no field {name}"
    return found[1]


def begin(teacher: Client, meeting) -> str:
    """Welcome, consent, start; returns the response key."""
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    form = {"code": meeting.code, "offered": hidden(welcome, "offered"), "consent": "yes"}
    response = teacher.post(reverse("answer_start"), form)
    assert (response.status_code, response["Location"]) == (303, reverse("questionnaire"))
    return hidden(teacher.get(reverse("questionnaire")), "key")


def post(teacher: Client, name: str, **body):
    return teacher.post(reverse(name), json.dumps(body), content_type=JSON)


def all_answers(survey) -> dict:
    return dict.fromkeys(definition_of(survey.version).item_codes, 3)


# ------------------------------------------------------------------------------------------------ welcome


def test_the_welcome_page_says_what_the_method_asks(teacher, meeting):
    text = teacher.get(reverse("meeting_welcome", args=[meeting.code]), {"language": "en"}).content.decode()
    for words in (
        "Your name does not stand with your answers. The researchers see separate answers without names.",
        "only results of 5 or more people, yourself included",
        "voluntary",
        "delete your answers",
        "sealed",
        "Hogeschool Noord",
        "privacy@noord.example",
        "If you are in two teams",
        "Verpleegkunde",
    ):
        assert words in text, words


def test_over_plain_http_on_a_network_the_page_says_so(teacher, meeting):
    address = reverse("meeting_welcome", args=[meeting.code])
    words = b"not secured (http)"
    assert words in teacher.get(address, {"language": "en"}, headers={"host": "192.0.2.7:8000"}).content
    assert words not in teacher.get(address, {"language": "en"}, headers={"host": "localhost:8000"}).content
    assert words not in teacher.get(address, {"language": "en"}, headers={"host": "192.0.2.7"}, secure=True).content


def test_welcome_pages_write_nothing(teacher, meeting, invitees, django_assert_num_queries):
    token = links.personal_url(invitees[0]).rsplit("/", 1)[1]
    before = (list(Invitee.objects.values()), Response.objects.count())
    with django_assert_num_queries(1) as queries:
        teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    with django_assert_num_queries(0):
        teacher.get(reverse("personal_link", args=[token]))
    with django_assert_num_queries(1) as more:
        assert teacher.get(reverse("personal_welcome")).status_code == 200
    assert all(query["sql"].startswith("SELECT") for query in [*queries, *more])
    assert (list(Invitee.objects.values()), Response.objects.count()) == before


def test_a_link_loses_its_token_at_once(teacher, invitees):
    token = links.personal_url(invitees[0]).rsplit("/", 1)[1]
    response = teacher.get(reverse("personal_link", args=[token]))
    assert (response.status_code, response["Location"]) == (302, "/a/l")
    cookie = response.cookies["link"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == ("/a/", True, "Lax", "")
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"


def test_a_wrong_and_a_closed_code_look_alike(teacher, collection, meeting):
    collections.close_collection(collection)
    closed = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    wrong = Client().get(reverse("meeting_welcome", args=["AAAAAA"]))
    assert (closed.status_code, wrong.status_code) == (404, 404)
    assert closed.content.decode().replace(meeting.code, "AAAAAA") == wrong.content.decode()
    assert meeting.collection.participation.team.name not in closed.content.decode()


def test_a_typed_code_leads_to_its_welcome_page(teacher, meeting):
    typed = f"{meeting.code[:3]} {meeting.code[3:]}".lower()
    response = teacher.get(reverse("join"), {"code": typed}, follow=True)
    assert response.redirect_chain == [(f"/a/{meeting.code}", 302)]
    assert response.status_code == 200


def test_the_address_works_as_it_is_shown(teacher, db):
    """The screen shows it without the slash at its end."""
    assert qr.join_address().endswith("/a")
    response = teacher.get("/a", follow=True)
    assert (response.redirect_chain[0][0], response.status_code) == ("/a/", 200)


@pytest.mark.parametrize("code", ["<script>", "../x", "a" * 300, "é" * 6, "%00"])
def test_strange_codes_are_wrong_codes(teacher, db, code):
    response = teacher.get(reverse("join"), {"code": code}, follow=True)
    assert response.status_code in (200, 404)
    assert b"<script>" not in response.content


def test_guessing_stops_after_ten_wrong_codes_of_a_device(teacher, meeting):
    teacher.get(reverse("join"))
    codes = [teacher.get(reverse("meeting_welcome", args=[f"AAAAA{n}"])).status_code for n in range(11)]
    assert codes == [404] * 10 + [429]
    assert teacher.get(reverse("meeting_welcome", args=[meeting.code])).status_code == 429
    assert Client().get(reverse("meeting_welcome", args=[meeting.code])).status_code == 200, "the next phone may"


def test_guessing_stops_after_many_wrong_codes_of_an_address(meeting, monkeypatch):
    monkeypatch.setattr(limits, "PER_ADDRESS", 20)
    for n in range(limits.PER_ADDRESS):
        Client().get(reverse("meeting_welcome", args=[f"AAAA{n}"]))
    assert Client().get(reverse("meeting_welcome", args=[meeting.code])).status_code == 429
    other = Client(REMOTE_ADDR="192.0.2.7").get(reverse("meeting_welcome", args=[meeting.code]))
    assert other.status_code == 200


def test_right_codes_are_not_counted(meeting, monkeypatch):
    monkeypatch.setattr(limits, "PER_ADDRESS", 20)
    statuses = {Client().get(reverse("meeting_welcome", args=[meeting.code])).status_code for _n in range(30)}
    assert statuses == {200}


def test_counted_wrong_codes_are_forgotten(teacher, meeting, monkeypatch):
    teacher.get(reverse("join"))
    for n in range(10):
        teacher.get(reverse("meeting_welcome", args=[f"AAAAA{n}"]))
    now = limits.time.monotonic()
    monkeypatch.setattr(limits.time, "monotonic", lambda: now + limits.WINDOW_SECONDS + 1)
    assert teacher.get(reverse("meeting_welcome", args=[meeting.code])).status_code == 200


def test_behind_a_proxy_the_address_is_what_the_proxy_wrote(meeting, settings, monkeypatch):
    monkeypatch.setattr(limits, "PER_ADDRESS", 20)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for n in range(limits.PER_ADDRESS):
        Client().get(
            reverse("meeting_welcome", args=[f"AAAA{n}"]), headers={"X-Forwarded-For": f"{n}.1.1.1, 192.0.2.1"}
        )
    page = reverse("meeting_welcome", args=[meeting.code])
    assert Client().get(page, headers={"X-Forwarded-For": "9.9.9.9, 192.0.2.1"}).status_code == 429
    assert Client().get(page, headers={"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}).status_code == 200


# ------------------------------------------------------------------------------------------------ start


def test_without_consent_nothing_begins(teacher, meeting):
    form = {"code": meeting.code, "offered": submission.offer_key(meeting)}
    response = teacher.post(reverse("answer_start"), form)
    assert response.status_code == 400
    assert b'role="alert"' in response.content
    assert hidden(response, "offered") == form["offered"]
    assert not Response.objects.exists()


def test_start_sent_twice_is_one_response(teacher, meeting):
    form = {"code": meeting.code, "offered": submission.offer_key(meeting), "consent": "yes"}
    keys = [teacher.post(reverse("answer_start"), form).cookies["answer"].value for _n in range(2)]
    assert keys[0] == keys[1] == Response.objects.get().key


def test_the_key_cookie_is_seen_by_these_pages_only(teacher, meeting):
    form = {"code": meeting.code, "consent": "yes"}
    cookie = teacher.post(reverse("answer_start"), form).cookies["answer"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/a/", True, "Lax")
    assert cookie["max-age"] == ""


def test_by_link_the_same_response_comes_back(teacher, invitees):
    token = links.personal_url(invitees[0]).rsplit("/", 1)[1]
    for client in (teacher, Client()):
        client.get(reverse("personal_link", args=[token]))
        welcome = client.get(reverse("personal_welcome"))
        response = client.post(reverse("answer_start"), {"link": hidden(welcome, "link"), "consent": "yes"})
        assert response.status_code == 303
    response = Response.objects.get()
    assert response.by_link
    assert response.key == links.response_key(invitees[0])


def test_a_second_person_on_a_device_sees_the_way_to_start_anew(teacher, meeting):
    key = begin(teacher, meeting)
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    assert reverse("questionnaire") in welcome.content.decode()
    assert key not in welcome.content.decode()
    assert begin(teacher, meeting) != key
    assert Response.objects.count() == 2


def test_when_too_many_join_the_page_says_whom_to_ask(teacher, collection, meeting):
    Collection.objects.filter(pk=collection.pk).update(approached=1)
    submission.submit_many(collection, [{"answers": {}}] * 3)
    response = teacher.post(reverse("answer_start"), {"code": meeting.code, "consent": "yes"})
    assert response.status_code == 409
    assert Response.objects.count() == 3


def test_a_link_of_a_sealed_collection_opens_nothing(teacher, online, invitees):
    token = links.personal_url(invitees[0]).rsplit("/", 1)[1]
    teacher.get(reverse("personal_link", args=[token]))
    collections.close_collection(online)
    closed = teacher.get(reverse("personal_welcome"))
    assert closed.status_code == 200, "who began may go on"
    assert teacher.post(reverse("answer_start"), {"link": token, "consent": "yes"}).status_code == 404
    sealing.seal(online)
    assert teacher.get(reverse("personal_welcome")).status_code == 404
    assert teacher.post(reverse("answer_start"), {"link": token, "consent": "yes"}).status_code == 404
    assert not Response.objects.exists()


def test_opting_out_stops_mails_and_keeps_the_link(teacher, invitees):
    token = links.personal_url(invitees[0]).rsplit("/", 1)[1]
    teacher.get(reverse("personal_link", args=[token]))
    response = teacher.post(reverse("answer_opt_out"), {"link": token}, follow=False)
    assert response.status_code == 303
    assert Invitee.objects.get(pk=invitees[0].pk).opted_out
    assert teacher.get(response["Location"]).status_code == 200
    assert teacher.post(reverse("answer_opt_out"), {"link": "other"}).status_code == 404


# ------------------------------------------------------------------------------------------------ the page


def test_the_page_is_one_query_and_holds_the_whole_questionnaire(teacher, meeting, django_assert_num_queries):
    begin(teacher, meeting)
    with django_assert_num_queries(1):
        response = teacher.get(reverse("questionnaire"))
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
    pages = [client.get(reverse("questionnaire")).content.decode() for client in (first, second)]
    assert one in pages[0]
    assert two not in pages[0]
    assert '{"sequence":1,"answers":{"GV1":4},"eligibility":"yes"}' in pages[0]
    assert '{"sequence":0,"answers":{},"eligibility":""}' in pages[1]
    for slot in ("@@KEY@@", "@@STATE@@"):
        assert slot not in pages[0] + pages[1]


def test_the_page_is_compressed(teacher, meeting):
    begin(teacher, meeting)
    response = teacher.get(reverse("questionnaire"), headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < 6000


def test_background_questions_that_the_study_does_not_ask_are_not_there(teacher, survey, meeting):
    survey.background = ["counsellor"]
    survey.save(update_fields=["background"])
    begin(teacher, meeting)
    text = teacher.get(reverse("questionnaire")).content.decode()
    assert 'name="counsellor"' in text
    assert 'name="years_in_team"' not in text


def test_a_simulated_study_says_so_on_every_page(teacher, study, meeting):
    study.simulated = True
    study.save(update_fields=["simulated"])
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code])).content
    key = begin(teacher, meeting)
    page = teacher.get(reverse("questionnaire")).content
    submission.submit(key, 1, {})
    done = teacher.get(reverse("answer_done")).content
    assert all(b'class="simulated"' in text for text in (welcome, page, done))


# ------------------------------------------------------------------------------------------------ saving, with JavaScript


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
    assert teacher.get(reverse("questionnaire"))["Location"] == reverse("answer_done")
    assert teacher.get(reverse("answer_done")).status_code == 200


def test_a_second_tab_learns_what_the_first_saved(teacher, meeting):
    key = begin(teacher, meeting)
    post(teacher, "answer_save", key=key, sequence=1, answers={"GV1": 1})
    other = post(teacher, "answer_save", key=key, sequence=1, answers={"GV2": 2})
    assert other.json() == {"outcome": "conflict", "sequence": 1, "answers": {"GV1": 1}, "eligibility": ""}


def test_the_key_in_the_body_is_the_authority_not_the_cookie(meeting):
    key = begin(Client(), meeting)
    stranger = Client()
    stranger.cookies["answer"] = key
    assert post(stranger, "answer_save", key="other", sequence=1, answers={"GV1": 1}).json()["outcome"] == "unknown"
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
    page = teacher.get(reverse("questionnaire"), {"step": 1})
    here = "/a/q?step=1"
    for n in range(1, 9):
        names = step_fields(page)
        assert len(names) == (1 if n == 1 else 3 if n == 8 else 6)
        values = {"years_in_team": "over_10", "appointment": "over_08", "counsellor": "no", "eligibility": "yes"}
        form = {name: values.get(name, "x" if name == "CH2" else "2") for name in names if name != "GV3"}
        response = teacher.post(reverse("answer_step"), {"key": key, "step": str(n), "go": "next", **form})
        here = f"/a/q?step={n + 1}"
        assert (response.status_code, response["Location"]) == (303, here)
        page = teacher.get(here)
    text = page.content.decode()
    assert text.count("<li>") == 1, "one statement is open: a soft reminder, with the way back to it"
    assert "?step=2#i-GV3" in text
    back = teacher.post(reverse("answer_step"), {"key": key, "step": "9", "go": "back"})
    assert back["Location"] == "/a/q?step=8"
    assert teacher.get("/a/q?step=2").content.decode().count(" checked") == 5
    response = teacher.post(reverse("answer_submit"), {"key": key, "step": "9", "go": "submit"})
    assert response["Location"] == reverse("answer_done")
    stored = Response.objects.get()
    assert stored.state == "submitted"
    assert len(stored.answers) == 35 + 3
    assert (stored.answers["GV1"], stored.answers["CH2"], stored.answers["counsellor"]) == (2, "x", "no")
    assert stored.eligibility == "yes"
    again = teacher.post(reverse("answer_step"), {"key": key, "step": "2", "GV1": "4"})
    assert again["Location"] == reverse("answer_done")
    assert Response.objects.get().answers["GV1"] == 2


def test_switching_the_language_without_javascript_keeps_the_answers(teacher, meeting):
    key = begin(teacher, meeting)
    response = teacher.post(reverse("answer_step"), {"key": key, "step": "2", "GV1": "4", "language": "en"})
    assert response["Location"] == "/a/q?step=2"
    assert response.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"
    text = teacher.get("/a/q?step=2").content.decode()
    assert "We agree on what matters most" in text
    assert text.count(" checked") == 1
    assert Response.objects.get().language == "en"


def test_who_is_not_eligible_is_thanked_and_recorded(teacher, meeting):
    key = begin(teacher, meeting)
    response = teacher.post(reverse("answer_step"), {"key": key, "step": "1", "eligibility": "no_too_short"})
    assert response["Location"] == reverse("answer_done")
    stored = Response.objects.get()
    assert (stored.state, stored.eligibility, stored.answers) == ("submitted", "no_too_short", {})
    text = teacher.get(reverse("answer_done"), {"language": "en"}).content.decode()
    assert "You told us that you cannot answer" in text


@pytest.mark.parametrize("step", ["0", "99", "-1", "x", "²", "9" * 30])
def test_any_step_in_the_address_shows_a_page(teacher, meeting, step):
    begin(teacher, meeting)
    assert teacher.get(reverse("questionnaire"), {"step": step}).status_code == 200


@pytest.mark.parametrize("form", [{"GV1": "9"}, {"GV1": "²"}, {"counsellor": "maybe"}, {"eligibility": "maybe"}])
def test_a_form_with_what_is_no_answer_is_refused(teacher, meeting, form):
    key = begin(teacher, meeting)
    assert teacher.post(reverse("answer_step"), {"key": key, "step": "1", **form}).status_code == 400
    assert Response.objects.get().answers == {}


# ------------------------------------------------------------------------------------------------ deleting, ending


def test_answers_can_be_deleted_from_the_thanks_page(teacher, meeting):
    key = begin(teacher, meeting)
    submission.submit(key, 1, {"GV1": 1})
    assert hidden(teacher.get(reverse("answer_done")), "key") == key
    response = teacher.post(reverse("answer_delete"), {"key": key})
    assert response.status_code == 200
    assert response.cookies["answer"].value == ""
    assert not Response.objects.exists()
    assert teacher.post(reverse("answer_delete"), {"key": key}).status_code == 404
    assert teacher.get(reverse("answer_done")).status_code == 200


def test_after_sealing_every_page_says_so_kindly(teacher, collection, meeting):
    key = begin(teacher, meeting)
    collections.close_collection(collection)
    assert teacher.get(reverse("questionnaire")).status_code == 200, "who began may go on after closing"
    sealing.seal(collection)
    assert teacher.get(reverse("questionnaire")).status_code == 404
    assert teacher.get(reverse("answer_done")).status_code == 200
    assert teacher.post(reverse("answer_step"), {"key": key, "step": "1"}).status_code == 404
    assert post(teacher, "answer_save", key=key, sequence=1, answers={}).json()["outcome"] == "unknown"
    assert Response.objects.get().answers == {}


def test_without_a_started_response_the_page_says_what_to_do(teacher, db):
    response = teacher.get(reverse("questionnaire"))
    assert response.status_code == 404
    assert reverse("join") in response.content.decode()


def test_no_session_begins(teacher, meeting):
    key = begin(teacher, meeting)
    post(teacher, "answer_submit", key=key, sequence=1, answers={})
    teacher.get(reverse("answer_done"))
    assert settings.SESSION_COOKIE_NAME not in teacher.cookies
    assert set(teacher.cookies) == {"answer"}
