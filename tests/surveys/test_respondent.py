"""The teacher's welcome pages: code and link, consent, start, limits; and what they do not write."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from surveys import qr
from surveys.answering import limits, submission
from surveys.collecting import collections, sealing
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import Collection, Invitee, Response
from tests.surveys.teacher import at, begin, hidden, link_page, page_of


@pytest.fixture(autouse=True)
def no_wrong_codes_yet():
    limits.forget()
    yield
    limits.forget()


# ------------------------------------------------------------------------------------------------ welcome


def test_the_welcome_page_says_what_the_method_asks(teacher, meeting):
    text = teacher.get(reverse("meeting_welcome", args=[meeting.code]), {"language": "en"}).content.decode()
    for words in (
        "Your name is not kept with your answers. The researchers see separate answers without names.",
        "only see results of 5 or more people, yourself included",
        "voluntary",
        "delete your answers",
        "sealed",
        "Hogeschool Noord",
        "privacy@noord.example",
        "If you are in two teams",
        "Verpleegkunde",
    ):
        assert words in text, words


def test_over_plain_http_on_a_network_the_page_says_so(teacher, meeting, settings):
    settings.ALLOWED_HOSTS = ["192.0.2.7", "localhost"]  # as HOST=192.0.2.7 makes it
    address = reverse("meeting_welcome", args=[meeting.code])
    words = b"not secure (http)"
    assert words in teacher.get(address, {"language": "en"}, headers={"host": "192.0.2.7:8000"}).content
    assert words not in teacher.get(address, {"language": "en"}, headers={"host": "localhost:8000"}).content
    assert words not in teacher.get(address, {"language": "en"}, headers={"host": "192.0.2.7"}, secure=True).content


def test_welcome_pages_write_nothing(teacher, meeting, invitees, django_assert_num_queries):
    token = personal_links.personal_url(invitees[0]).rsplit("/", 1)[1]
    before = (list(Invitee.objects.values()), Response.objects.count())
    with django_assert_num_queries(2) as queries:
        teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    with django_assert_num_queries(0):
        teacher.get(reverse("personal_link", args=[token]))
    with django_assert_num_queries(1) as more:
        assert teacher.get(link_page(teacher)).status_code == 200
    assert all(query["sql"].startswith("SELECT") for query in [*queries, *more])
    assert (list(Invitee.objects.values()), Response.objects.count()) == before


def test_a_link_loses_its_token_at_once(teacher, invitees):
    token = personal_links.personal_url(invitees[0]).rsplit("/", 1)[1]
    response = teacher.get(reverse("personal_link", args=[token]))
    assert (response.status_code, response["Location"]) == (302, link_page(teacher))
    cookie = response.cookies["link"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "")
    assert cookie["path"] + "l" == response["Location"]
    assert token not in response["Location"]
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


def test_a_device_cannot_give_itself_a_name(meeting):
    for n in range(limits.PER_DEVICE + 1):
        guesser = Client()
        guesser.cookies["device"] = "made-up"
        page = guesser.get(reverse("meeting_welcome", args=[f"AAAA{n}"]))
        assert limits.known_device(page.cookies["device"].value), "it gets one of ours"


def test_when_many_guess_a_new_device_is_asked_twice_and_nobody_is_locked_out(meeting, monkeypatch):
    monkeypatch.setattr(limits, "WITHOUT_DEVICE", 5)
    monkeypatch.setattr(limits, "LOOK_SECONDS", 0)
    for n in range(5):
        Client().get(reverse("meeting_welcome", args=[f"AAAA{n}"]))
    phone = Client()
    again = phone.get(reverse("meeting_welcome", args=[meeting.code]), {"language": "en"})
    assert again.status_code == 429
    assert "Press “Continue” again" in again.content.decode()
    assert meeting.code in again.content.decode()
    assert phone.get(reverse("join"), {"code": meeting.code}, follow=True).status_code == 200


def test_when_a_flood_of_codes_comes_in_fewer_join(collection, meeting, monkeypatch):
    monkeypatch.setattr(limits, "FLOOD", 5)
    monkeypatch.setattr(limits, "LOOK_SECONDS", 0)
    for _n in range(3 * collection.approached):
        submission.start_in_meeting(meeting)
    for n in range(5):
        Client().get(reverse("meeting_welcome", args=[f"AAAA{n}"]))

    def until_it_is_full() -> None:
        for _n in range(limits.LEAST_SPREAD + 1):  # after a number that nobody knows
            submission.start_in_meeting(meeting)

    with pytest.raises(submission.TooManyJoins):
        until_it_is_full()
    collections.allow_more_joins(meeting)
    submission.start_in_meeting(meeting)


def test_a_room_of_300_behind_one_address_meets_no_limit(collection, meeting):
    Collection.objects.filter(pk=collection.pk).update(approached=300)
    statuses = []
    for _n in range(300):
        phone = Client(REMOTE_ADDR="192.0.2.7")
        page = phone.get(reverse("meeting_welcome", args=[meeting.code]))
        form = {"code": meeting.code, "offered": hidden(page, "offered"), "consent": "yes"}
        statuses += [page.status_code, phone.post(reverse("answer_start"), form).status_code]
    assert statuses == [200, 303] * 300
    assert collection.responses.count() == 300


def test_counted_wrong_codes_are_forgotten(teacher, meeting, monkeypatch):
    teacher.get(reverse("join"))
    for n in range(10):
        teacher.get(reverse("meeting_welcome", args=[f"AAAAA{n}"]))
    now = limits.time.time()
    monkeypatch.setattr(limits.time, "time", lambda: now + 2 * limits.BUCKET_SECONDS)
    assert teacher.get(reverse("meeting_welcome", args=[meeting.code])).status_code == 200
    limits.forget_old()
    with limits._memory() as memory:
        assert memory.execute("SELECT count(*) FROM wrong").fetchone() == (0,)


def test_all_processes_count_together(meeting):
    own = {name: str(getattr(settings, name)) for name in ("VAR_DIR", "SECRET_KEY", "LIMITS_DIR")}
    program = f"from django.conf import settings; settings.configure(**{own})\n"
    program += "from surveys.answering import limits; limits.count_wrong('phone')"
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [one.wait(60) for one in running] == [0, 0]
    limits.count_wrong("phone")
    assert limits._counted("phone") == 3


def test_what_is_counted_says_nothing_about_a_person(teacher, meeting):
    teacher.get(reverse("join"))
    teacher.get(reverse("meeting_welcome", args=["AAAAAA"]), REMOTE_ADDR="192.0.2.7")
    with limits._memory() as memory:
        names = {name for (name,) in memory.execute("SELECT name FROM wrong")}
    assert names == {limits.EVERYBODY, limits.known_device(teacher.cookies["device"].value)}
    assert limits.folder().stat().st_mode & 0o777 == 0o700


# ------------------------------------------------------------------------------------------------ start


def test_without_consent_nothing_begins(teacher, meeting):
    page = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    form = {"code": meeting.code, "offered": hidden(page, "offered")}
    response = teacher.post(reverse("answer_start"), form)
    assert response.status_code == 400
    assert b'role="alert"' in response.content
    assert hidden(response, "offered") == form["offered"]
    assert not Response.objects.exists()


def test_start_sent_twice_is_one_response(teacher, meeting):
    page = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    form = {"code": meeting.code, "offered": hidden(page, "offered"), "consent": "yes"}
    pages = [teacher.post(reverse("answer_start"), form)["Location"] for _n in range(2)]
    assert pages[0] == pages[1]
    assert row_key(teacher.cookies["key"].value) == Response.objects.get().key


def test_the_key_cookie_is_seen_by_these_pages_only(teacher, meeting):
    teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    form = {"code": meeting.code, "consent": "yes"}
    cookie = teacher.post(reverse("answer_start"), form).cookies["key"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (page_of(teacher), True, "Lax")
    assert cookie["max-age"] == ""


def test_by_link_the_same_response_comes_back(teacher, invitees):
    token = personal_links.personal_url(invitees[0]).rsplit("/", 1)[1]
    for client in (teacher, Client()):
        client.get(reverse("personal_link", args=[token]))
        welcome = client.get(link_page(client))
        response = client.post(reverse("answer_start"), {"link": hidden(welcome, "link"), "consent": "yes"})
        assert response.status_code == 303
    response = Response.objects.get()
    assert response.key == row_key(personal_links.response_key(invitees[0]))


def test_a_second_person_on_a_device_sees_the_way_to_start_anew(teacher, meeting):
    key = begin(teacher, meeting)
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    assert f'href="{at("questionnaire", key)}"' in welcome.content.decode()
    assert key not in welcome.content.decode()
    assert begin(teacher, meeting) != key
    assert Response.objects.count() == 2


def test_when_too_many_join_the_page_says_whom_to_ask(teacher, collection, meeting, monkeypatch):
    monkeypatch.setattr(limits, "_draw", lambda _times, _approached: 0)
    teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    response = teacher.post(reverse("answer_start"), {"code": meeting.code, "consent": "yes"})
    assert response.status_code == 409
    assert Response.objects.count() == 0


def test_a_link_of_a_sealed_collection_opens_nothing(teacher, online, invitees):
    token = personal_links.personal_url(invitees[0]).rsplit("/", 1)[1]
    teacher.get(reverse("personal_link", args=[token]))
    collections.close_collection(online)
    closed = teacher.get(link_page(teacher))
    assert closed.status_code == 200, "who began may go on"
    assert teacher.post(reverse("answer_start"), {"link": token, "consent": "yes"}).status_code == 404
    sealing.seal(online)
    assert teacher.get(link_page(teacher)).status_code == 404
    assert teacher.post(reverse("answer_start"), {"link": token, "consent": "yes"}).status_code == 404
    assert not Response.objects.exists()


def test_opting_out_stops_mails_and_keeps_the_link(teacher, invitees):
    token = personal_links.personal_url(invitees[0]).rsplit("/", 1)[1]
    teacher.get(reverse("personal_link", args=[token]))
    response = teacher.post(reverse("answer_opt_out"), {"link": token}, follow=False)
    assert response.status_code == 303
    assert Invitee.objects.get(pk=invitees[0].pk).opted_out
    assert teacher.get(response["Location"]).status_code == 200
    assert teacher.post(reverse("answer_opt_out"), {"link": "other"}).status_code == 404
