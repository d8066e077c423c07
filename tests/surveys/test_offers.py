"""Beginning in a meeting: what stands on the welcome page of a shared device leads nobody to the next person's answers."""

import functools
import re

import pytest
from django.test import Client
from django.urls import reverse

from surveys.answering import cache, limits, submission
from surveys.collecting import collections
from surveys.keys.row_keys import row_key
from surveys.models import Collection, Response
from surveys.paper import slips
from surveys.views.teachers import device as devices
from teams.models import Study
from tests.surveys.conftest import in_threads
from tests.surveys.teacher import at, begin, hidden, page_of, post

ANSWERS = {"GV1": 4, "GV2": 1, "IV3": 2}
READABLE = ('"GV1":4', '"GV1": 4', 'name="GV1" value="4" checked')


@pytest.fixture(autouse=True)
def _nothing_counted():
    limits.forget()
    cache.forget()


def welcome_of(meeting) -> str:
    return reverse("meeting_welcome", args=[meeting.code]) + "?shared=yes"


def all_that_stands_on(page) -> list[str]:
    """Every word of the page and of its addresses, and each part of a word: the cookies are the device's alone."""
    text = re.sub(r"<style>.*?</style>", "", page.content.decode(), flags=re.DOTALL)  # the same for everybody
    words = set(re.findall(r"[\w.:=-]{6,}", text))
    words |= {part for word in words for part in re.split(r"[.:=]", word)}
    return sorted(word for word in words if len(word) >= 6)


def consents(client: Client, meeting, offered: str, slip: str = ""):
    form = {"code": meeting.code, "offered": offered, "consent": "yes", "slip": slip}
    return client.post(reverse("answer_start"), form)


def tries(client: Client, meeting, word: str, slip: str = "") -> list[str]:
    """All that a word may open, of this browser; what came back."""
    came = []
    with_key = Client()
    for name in ("key", "moment", "answer"):
        with_key.cookies[name] = word
    addresses = (reverse("questionnaire"), at("questionnaire", word) + "?step=2", at("answer_done", word))
    came += [with_key.get(address) for address in addresses]
    came.append(client.post(at("questionnaire", word), {"key": word, "blank": "nl"}))
    came += [post(client, name, key=word, sequence=9, answers={"GV1": 2}) for name in ("answer_save", "answer_submit")]
    came.append(client.post(reverse("answer_step"), {"key": word, "step": "2", "GV1": "2"}))
    came.append(client.post(reverse("answer_delete"), {"key": word}))
    if "." in word:  # what is signed
        consents(client, meeting, word, slip)
        came.append(client.get(page_of(client), follow=True))
        for name in ("key", "moment", "answer"):
            client.cookies.pop(name, None)
        begun = Client()
        begun.get(welcome_of(meeting))
        consents(begun, meeting, word, slip)
        came.append(begun.get(page_of(begun), follow=True))
    return [answer.content.decode() for answer in came]


@pytest.mark.parametrize("with_slips", [False, True])
def test_what_was_noted_of_a_shared_device_opens_nothing_of_the_next_person(meeting, with_slips):
    """Somebody opens the welcome page on the shared device, notes all of it, and hands the device over. Another answers and
    leaves. The first tries every word, on a device of their own and on the shared one."""
    Collection.objects.filter(pk=meeting.collection_id).update(approached=300)
    Study.objects.update(slips=with_slips)
    drawn = slips.make(meeting.collection, 200) if with_slips else [""] * 200
    shared = Client()
    page = shared.get(welcome_of(meeting))
    noted = all_that_stands_on(page)
    offered = hidden(page, "offered")
    assert offered in noted
    assert consents(shared, meeting, offered, drawn[0]).status_code == 303
    key = hidden(shared.get(page_of(shared)), "key")
    assert post(shared, "answer_save", key=key, sequence=1, answers=ANSWERS, eligibility="yes").status_code == 200
    own = Client()
    own.get(welcome_of(meeting))
    # at once; then the ten minutes are over; then "next person" was pressed, and somebody opened the page anew
    came = [text for word in noted for text in tries(own, meeting, word, drawn[0])]
    forgotten = [shared.cookies.pop(name)["max-age"] for name in ("moment", "start")]
    came += [text for word in noted for text in tries(shared, meeting, word, drawn[0])]
    shared.post(reverse("answer_next"))
    came += tries(shared, meeting, offered, drawn[0])
    shared.get(welcome_of(meeting))
    came += tries(shared, meeting, offered, drawn[0])
    came += tries(shared, meeting, offered, drawn[1])
    assert not [text for text in came if key in text or any(words in text for words in READABLE)]
    kept = Response.objects.get(key=row_key(key))
    assert (kept.answers, kept.sequence, kept.state) == (ANSWERS, 1, "draft")
    assert forgotten == [devices.MOMENT_SECONDS, 0], "the key is in the page, and the way to it has ended"


@pytest.mark.django_db(transaction=True)
def test_pressing_twice_on_a_slow_line_is_one_response(meeting):
    """The second press leaves before the first is answered: both send what the page and the device had."""
    for address in (welcome_of(meeting), reverse("meeting_welcome", args=[meeting.code])):
        phone = Client()
        offered = hidden(phone.get(address), "offered")
        presses = []
        for _n in range(4):
            press = Client()
            press.cookies.load({name: morsel.value for name, morsel in phone.cookies.items()})
            presses.append(press)
        answers = in_threads(*[functools.partial(consents, press, meeting, offered) for press in presses])
        assert [answer.status_code for answer in answers] == [303] * 4
        assert len({answer.cookies["key"].value for answer in answers}) == 1
        assert Response.objects.count() == 1
        Response.objects.all().delete()
        meeting.collection.refresh_from_db()
        assert meeting.collection.on_one_device == 0


def test_who_keeps_no_cookies_reads_a_calm_sentence_and_began_nothing(meeting):
    for consent in ("yes", ""):
        page = Client().get(reverse("meeting_welcome", args=[meeting.code]), {"language": "en"})
        form = {"code": meeting.code, "offered": hidden(page, "offered"), "consent": consent, "language": "en"}
        answer = Client().post(reverse("answer_start"), form)
        assert answer.status_code == 400
        assert "Your browser does not keep cookies" in answer.content.decode()
        assert "key" not in answer.cookies
    counted = collections.room_counts(meeting)
    assert counted is not None
    assert (counted.started, Response.objects.count()) == (0, 0)
    meeting.collection.refresh_from_db()
    assert meeting.collection.on_one_device == 0


@pytest.mark.parametrize("cookie", ["x", "x.y", "é" * 30, "a" * 5000])
def test_a_device_cannot_choose_its_cookie(meeting, cookie):
    phone = Client()
    offered = hidden(phone.get(reverse("meeting_welcome", args=[meeting.code])), "offered")
    phone.cookies["start"] = cookie
    assert consents(phone, meeting, offered).status_code == 404
    assert not Response.objects.exists()
    phone.get(reverse("meeting_welcome", args=[meeting.code]))
    assert phone.cookies["start"].value != cookie, "it gets one of ours"


def test_the_cookie_is_for_these_pages_only_and_each_person_on_a_shared_device_has_another(meeting):
    phone = Client()
    cookie = phone.get(reverse("meeting_welcome", args=[meeting.code])).cookies["start"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == ("/a/", True, "Lax", "")
    assert not phone.get(reverse("meeting_welcome", args=[meeting.code])).cookies.get("start"), "one's own keeps it"
    shared = Client()
    held = [shared.get(welcome_of(meeting)).cookies["start"].value for _n in range(2)]
    key = begin(shared, meeting)
    assert shared.cookies["start"].value == "", "it ends with the beginning"
    for page in ("answer_next", "answer_delete"):
        assert shared.post(reverse(page), {"key": "x"}).cookies["start"].value == ""
        held.append(shared.get(welcome_of(meeting)).cookies["start"].value)
        key = begin(shared, meeting)
    submission.submit(key, 1, {})
    assert shared.get(at("answer_done", key)).cookies["start"].value == ""
    assert len(set(held)) == len(held)


def test_after_deleting_the_old_page_begins_something_else(teacher, meeting):
    offered = hidden(teacher.get(reverse("meeting_welcome", args=[meeting.code])), "offered")
    consents(teacher, meeting, offered)
    key = teacher.cookies["key"].value
    teacher.post(reverse("answer_delete"), {"key": key})
    assert consents(teacher, meeting, offered).status_code == 404, "the page of before begins nothing any more"
    teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    assert consents(teacher, meeting, offered).cookies["key"].value != key


def test_a_page_that_was_open_when_the_secret_changed_still_begins(settings, teacher, meeting):
    offered = hidden(teacher.get(reverse("meeting_welcome", args=[meeting.code])), "offered")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another one", [settings.SECRET_KEY]
    assert consents(teacher, meeting, offered).status_code == 303
    settings.SECRET_KEY_FALLBACKS = []
    Client().post(reverse("answer_start"), {"code": meeting.code})
    assert Response.objects.count() == 1
