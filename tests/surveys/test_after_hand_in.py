"""Who holds a personal link, or a response's key, after hand-in: no address gives an answer back. And what the link tells.

A mailbox has more readers than its owner: an administrator, an assistant, whoever archives it.
"""

import json
import logging
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from surveys import answer_urls
from surveys.answering import submission
from surveys.answering.handles import handle_of, link_handle
from surveys.answering.submission import Outcome
from surveys.collecting import collections, sealing
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import Collection, Invitee, Response
from surveys.questionnaires.publishing import definition_of
from tests.surveys.teacher import JSON, at, begin, hidden, link_page, page_of, post

pytestmark = pytest.mark.django_db


def token_of(invitee: Invitee) -> str:
    return personal_links.personal_url(invitee).rsplit("/", 1)[1]


def by_link(invitee: Invitee, **headers) -> Client:
    """A browser in which the link was opened."""
    browser = Client(enforce_csrf_checks=True, **headers)
    browser.get(reverse("personal_link", args=[token_of(invitee)]))
    return browser


def press(browser: Client, invitee: Invitee):
    return browser.post(reverse("answer_start"), {"link": token_of(invitee), "consent": "yes"})


@pytest.fixture
def answers(survey) -> dict:
    """Telling ones: no page holds "x" as a chosen answer by chance."""
    given = dict.fromkeys(definition_of(survey.version).item_codes, 4)
    return {**given, "years_in_team": "from_1_to_3", "appointment": "under_05"}


@pytest.fixture
def handed_in(invitees, answers) -> Invitee:
    browser = by_link(invitees[0])
    assert press(browser, invitees[0]).status_code == 303
    key = hidden(browser.get(page_of(browser)), "key")
    reply = post(browser, "answer_submit", key=key, sequence=1, answers=answers, eligibility="yes").json()
    assert reply["outcome"] == "submitted"
    return invitees[0]


def holds_an_answer(response) -> list[str]:
    """Signs of an answer in what came back: a value of the script's state or JSON, a chosen button, a filled field."""
    text = response.content.decode()
    cookies = "".join(morsel.OutputString() for morsel in response.cookies.values())
    signs = (
        r'"[A-Z]{2}\d"\s*:\s*[\dx"]',
        r'"eligibility"\s*:\s*"[^"]',
        r'"from_1_to_3"[^>]',
        r"<input[^>]* checked",
    )
    return [sign for sign in signs if re.search(sign, text + cookies)]


# ------------------------------------------------------------------------------------------------ no address
def test_the_witness_begins_again_with_the_mailed_link_and_asks_save(handed_in, answers):
    """`save` answered all 36 answers to whoever held the mail."""
    reader = by_link(handed_in)
    begun = press(reader, handed_in)
    assert not {"key", "answer"} & set(begun.cookies), "no key is given out"
    assert not holds_an_answer(begun)
    for sequence in (1, 2, 3, 60):
        reply = post(
            reader, "answer_save", key=personal_links.response_key(handed_in), sequence=sequence, answers={}
        ).json()
        assert reply == {"outcome": "submitted"}


@pytest.mark.parametrize("held", ["the link", "the key"])
def test_no_address_gives_an_answer_back_after_hand_in(handed_in, answers, held):
    """Every address below /a/, by every way to ask; who has the key in a cookie is let try too."""
    key, token = personal_links.response_key(handed_in), token_of(handed_in)
    bodies = [
        {"key": key, "sequence": sequence, "answers": given, "eligibility": "yes"}
        for sequence in (1, 2, 3, "1")
        for given in ({}, answers, {"GV1": "?"})
    ]
    forms = [
        {"key": key, "link": token, "step": "2", "go": go, "eligibility": eligibility, "consent": "yes", **fields}
        for go in ("next", "submit")
        for eligibility in ("", "no_too_short")
        for fields in ({}, {"language": "en"}, {"GV1": "2"}, {"GV1": "nonsense"})
    ]
    asked = 0
    for pattern in answer_urls.urlpatterns:
        if pattern.name == "answer_delete":
            continue
        arguments = {"personal_link": [token], "meeting_welcome": ["AAAAAA"]}.get(pattern.name, [])
        if "handle" in pattern.pattern.converters:
            arguments = [link_handle(token) if pattern.name == "personal_welcome" else handle_of(key)]
        address = reverse(pattern.name, args=arguments)

        def browser() -> Client:
            own = by_link(handed_in)
            if held == "the key":
                own.cookies["key"] = own.cookies["answer"] = key
            return own

        got = [browser().get(address, query) for query in ({}, {"step": "2"}, {"blank": "nl"}, {"language": "en"})]
        got += [browser().get(address, {"key": key, "link": token})]
        got += [browser().post(address, json.dumps(body), content_type=JSON) for body in bodies]
        for form in forms:
            asking = browser()
            got.append(asking.post(address, form))
            if "Location" in got[-1].headers:
                got.append(asking.get(got[-1]["Location"]))
        for response in got:
            assert not holds_an_answer(response), (pattern.name, response.request)
        asked += len(got)
    assert asked > 300
    stored = Response.objects.get()
    assert (stored.answers, stored.eligibility, stored.state) == (dict(sorted(answers.items())), "yes", "submitted")


def test_the_signs_are_found_where_there_are_answers(invitees, answers):
    """So that the test above can fail."""
    browser = by_link(invitees[0])
    press(browser, invitees[0])
    key = hidden(browser.get(page_of(browser)), "key")
    post(browser, "answer_save", key=key, sequence=1, answers=answers, eligibility="yes")
    assert holds_an_answer(browser.get(page_of(browser)))
    assert holds_an_answer(browser.get(page_of(browser), {"step": "2"}))
    assert holds_an_answer(post(browser, "answer_save", key=key, sequence=1, answers={}))


def test_the_thanks_are_the_same_whoever_was_asked(invitees, meeting, survey):
    """Whether somebody said that they cannot answer is an answer too."""
    pages = []
    for invitee, eligibility in zip(invitees, ("yes", "no_too_short"), strict=False):
        browser = by_link(invitee)
        press(browser, invitee)
        key = browser.cookies["key"].value
        submission.submit(key, 1, {}, eligibility=eligibility)
        pages.append(browser.get(page_of(browser, "answer_done"), {"language": "en"}).content.decode().replace(key, ""))
    assert pages[0] == pages[1]
    assert "cannot answer questions about this team" in pages[0]


def test_nothing_in_the_code_gives_out_what_was_handed_in(handed_in, answers):
    key = personal_links.response_key(handed_in)
    response = submission.find(key)
    assert (response.answers, response.eligibility, response.sequence, response.language) == ({}, "", 0, "")
    handed = submission.Written(Outcome.SUBMITTED)
    assert submission.save(key, 1, answers, eligibility="yes") == handed
    assert submission.submit(key, 1, answers, eligibility="yes") == handed
    assert submission.merge(key, {"GV1": 2}) == handed
    with pytest.raises(submission.HandedIn):
        submission.start_by_link(handed_in)


# ------------------------------------------------------------------------------------------------ the link's page
STATES = ["new", "draft", "submitted", "deleted"]


def put(invitee: Invitee, state: str) -> None:
    if state == "new":
        return
    key = submission.start_by_link(invitee, "nl")
    submission.save(key, 1, {"GV1": 2}, eligibility="yes")
    if state == "submitted":
        submission.submit(key, 2, {"GV1": 2}, eligibility="yes")
    elif state == "deleted":
        submission.delete(key)


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_the_page_of_a_link_is_the_same_in_every_state(invitees, closed):
    """Bytes, status, headers, cookies, and what is asked of the database, so that its time tells nothing either."""
    known = by_link(invitees[0])
    known.get(link_page(known))  # from here on the process remembers the questionnaire
    seen = []
    for state in STATES:
        Response.objects.all().delete()
        put(invitees[0], state)
        if closed:
            collections.close_collection(Collection.objects.get(pk=invitees[0].collection_id))
        token = token_of(invitees[0])
        for language in ("nl", "en"):
            browser = Client(enforce_csrf_checks=True)
            with CaptureQueriesContext(
                connection,
            ) as asked:
                opened = browser.get(reverse("personal_link", args=[token]))
                page = browser.get(link_page(browser), {"language": language})
            seen.append(
                (
                    language,
                    page.content,
                    page.status_code,
                    sorted(page.headers.items()),
                    re.sub("expires=[^;]+|start=[^;]+", "", page.cookies.output()),  # a random number
                    (opened.status_code, opened.content, sorted(opened.headers.items()), opened.cookies.output()),
                    [query["sql"] for query in asked],
                )
            )
        collections.reopen_collection(Collection.objects.get(pk=invitees[0].collection_id))
    for language in ("nl", "en"):
        first, *others = [one for one in seen if one[0] == language]
        assert len(others) == 3
        for other in others:
            for one, same in zip(other, first, strict=True):
                assert one == same
        assert first[2] == 200


def test_it_says_for_whom_it_is_masked(invitees):
    browser = by_link(invitees[0])
    text = browser.get(link_page(browser), {"language": "en"}).content.decode()
    assert 'This link is for <strong class="address">t…@noord.example</strong>' in text
    assert invitees[0].email not in text
    assert personal_links.response_key(invitees[0]) not in text
    assert personal_links.masked("a@school.nl") == "a…@school.nl"


def test_the_masked_address_stands_beside_no_key_and_in_no_log(invitees, caplog):
    caplog.set_level(logging.DEBUG)
    browser = by_link(invitees[0])
    press(browser, invitees[0])
    key = browser.cookies["key"].value
    pages = [browser.get(reverse(name), follow=True) for name in ("questionnaire", "join")]
    pages += [browser.get(page_of(browser), query) for query in ({"step": "1"}, {"blank": "nl"})]
    submission.submit(key, 1, {"GV1": 2}, eligibility="yes")
    pages += [browser.get(page_of(browser, "answer_done")), press(browser, invitees[0])]
    pages += [browser.post(reverse("answer_delete"), {"link": token_of(invitees[0])})]
    for page in pages:
        assert "noord.example" not in page.content.decode().replace("roos@noord.example", ""), page.request
    welcome = browser.get(link_page(browser)).content.decode()
    assert "t…@noord.example" in welcome
    assert key not in welcome
    assert "…@" not in caplog.text


def test_only_the_device_that_holds_the_key_is_told_how_things_stand(invitees):
    browser = by_link(invitees[0])
    address = link_page(browser)
    fresh = browser.get(address, {"language": "en"}).content
    press(browser, invitees[0])
    assert b"You began on this device" in browser.get(address, {"language": "en"}).content
    key = browser.cookies["key"].value
    submission.submit(browser.cookies["key"].value, 1, {"GV1": 2}, eligibility="yes")
    assert b"handed in on this device" in browser.get(address, {"language": "en"}).content
    assert by_link(invitees[0]).get(address, {"language": "en"}).content == fresh
    other = by_link(invitees[1])
    other.cookies["key"] = other.cookies["answer"] = key
    other.cookies["begun"] = browser.cookies["begun"].value
    reply = other.get(link_page(other), {"language": "en"}).content.decode()
    assert "handed in on this device." not in reply, "the key of another link's response"


def test_the_first_time_the_button_gives_consent_and_going_on_asks_for_nothing(invitees):
    browser = by_link(invitees[0])
    page = browser.get(link_page(browser), {"language": "en"}).content.decode()
    start = page[page.index('action="/a/start"') :]
    assert start.index("With this button you say") < start.index("I have read this") < start.index("Begin or continue")
    assert "checkbox" not in page
    assert browser.post(reverse("answer_start"), {"link": token_of(invitees[0])}).status_code == 303
    key = hidden(browser.get(page_of(browser)), "key")
    post(browser, "answer_save", key=key, sequence=1, answers={"GV1": 3}, eligibility="yes")
    elsewhere = by_link(invitees[0])
    again = press(elsewhere, invitees[0])
    assert (again.status_code, again["Location"]) == (303, at("questionnaire", key))
    assert '"GV1":3' in elsewhere.get(page_of(elsewhere)).content.decode()


@pytest.mark.parametrize("state", STATES)
def test_the_link_deletes_and_tells_nobody_whether_there_was_anything(invitees, state):
    put(invitees[0], state)
    put(invitees[1], "submitted")
    page = by_link(invitees[0]).post(reverse("answer_delete"), {"link": token_of(invitees[0])})
    nothing = by_link(invitees[2]).post(reverse("answer_delete"), {"link": token_of(invitees[2])})
    assert (page.status_code, page.content) == (200, nothing.content)
    assert Response.objects.get().key == row_key(personal_links.response_key(invitees[1]))
    assert press(by_link(invitees[0]), invitees[0]).status_code == 303, "and one may begin again"


def test_after_sealing_every_link_reads_like_a_wrong_one(online, invitees):
    tokens = [token_of(invitee) for invitee in invitees]
    for invitee, state in zip(invitees, STATES, strict=False):
        put(invitee, state)
    collections.close_collection(online)
    sealing.seal(online)
    seen = set()
    for token in ("wrong", *tokens):
        browser = Client()
        browser.get(reverse("personal_link", args=[token]))
        pages = [browser.get(link_page(browser))]
        pages += [browser.post(reverse(name), {"link": token}) for name in ("answer_start", "answer_delete")]
        seen.add(tuple((page.status_code, page.content) for page in pages))
    assert len(seen) == 1
    assert {page[0] for page in next(iter(seen))} == {404}


# ------------------------------------------------------------------------------------------------ shared devices
def test_a_shared_device_promises_what_is_true_there(teacher, meeting):
    address = reverse("meeting_welcome", args=[meeting.code])
    own = teacher.get(address, {"language": "en"}).content.decode()
    assert "until you close the browser" in own
    assert "Not handed in yet: they stay on this device" in own
    assert "are then deleted" not in own
    assert "your link" not in own
    shared = teacher.get(address, {"language": "en", "shared": "yes"}).content.decode()
    assert "As soon as you press “Next person”" in shared
    assert "until you close the browser" not in shared
    assert "your link" not in shared
    assert (
        "You can delete your answers until “Next person”, until the page is closed or reloaded, or until nobody touches the device"
        in shared[shared.index('type="checkbox"') :]
    )


def test_next_person_forgets_the_personal_link_too(meeting, invitees):
    tablet = Client()
    tablet.get(reverse("meeting_welcome", args=[meeting.code]), {"shared": "yes"})
    opened = tablet.get(reverse("personal_link", args=[token_of(invitees[0])]))
    assert opened.cookies["link"]["max-age"] == 60
    page = tablet.get(opened["Location"])
    assert page.cookies["link"]["max-age"] == 0, "the token is in the page now"
    assert tablet.get(opened["Location"]).status_code == 404, "loaded again"
    switched = tablet.post(opened["Location"], {"link": hidden(page, "link"), "language": "en"})
    assert "Several people use this device" in tablet.get(switched["Location"]).content.decode()
    questions = press(tablet, invitees[0])["Location"]
    assert tablet.get(questions).status_code == 200
    tablet.post(reverse("answer_next", args=[questions.split("/")[2]]))
    assert tablet.get(opened["Location"]).status_code == 404
    assert tablet.get(questions).status_code == 302


def test_in_a_meeting_the_key_that_a_device_holds_gives_the_outcome_only(teacher, meeting, answers):
    key = begin(teacher, meeting)
    assert post(teacher, "answer_submit", key=key, sequence=1, answers=answers).json() == {"outcome": "submitted"}
    assert post(teacher, "answer_save", key=key, sequence=1, answers={}).json() == {"outcome": "submitted"}
    form = {"key": key, "step": "1", "go": "next"}
    assert teacher.post(reverse("answer_step"), form)["Location"] == page_of(teacher, "answer_done")
