"""The facilitator's page: by link only, its buttons, and counts that are asked for every two seconds."""

import re
from contextlib import suppress

import pytest
from django.test import Client
from django.urls import reverse

from surveys.answering import submission
from surveys.collecting import collections, sealing
from surveys.linking import personal_links
from surveys.models import Collection, PresentBy
from teams.models import Event
from tests.access.opened import fields_of
from tests.surveys.conftest import make_participation


def enter(meeting) -> Client:
    client = Client()
    path = personal_links.facilitator_url(meeting).partition("/f/")[2]
    response = client.get(f"/f/{path}")
    assert (response.status_code, response["Location"]) == (302, reverse("facilitator", args=[meeting.pk]))
    return client


@pytest.fixture
def cora(meeting) -> Client:
    return enter(meeting)


PAGES = ["facilitator", "facilitator_counts", "facilitator_projector"]
BUTTONS = ["facilitator_present", "facilitator_more", "facilitator_close", "facilitator_show", "facilitator_reopen"]


@pytest.mark.parametrize("name", PAGES + BUTTONS)
def test_only_the_link_of_this_meeting_opens_it(survey, meeting, name):
    address = reverse(name, args=[meeting.pk])
    other = collections.open_collection(make_participation(survey.study, "Mondzorg", "contact")).meeting
    elsewhere = enter(other)
    elsewhere.cookies["facilitator"]["path"] = f"/f/{meeting.pk}/"
    revoked = enter(meeting)
    collections.renew_facilitator_link(meeting)
    for client in (Client(), elsewhere, revoked):
        response = client.get(address) if name in PAGES else client.post(address)
        assert response.status_code == 404
    assert Collection.objects.get(pk=meeting.collection_id).state == "open"


def test_a_forged_link_opens_nothing(meeting):
    response = Client().get(reverse("facilitator_link", args=[f"{meeting.pk}.{'0' * 32}.x"]))
    assert response.status_code == 404
    assert "Deze link werkt niet" in response.content.decode()


def test_who_held_an_old_link_reads_where_the_new_one_is(cora, meeting):
    collections.renew_facilitator_link(meeting)
    page = cora.get(reverse("facilitator", args=[meeting.pk])).content.decode()
    assert "Deze link werkt niet" in page
    assert meeting.collection.participation.team.name not in page


def test_the_page_holds_briefing_code_and_qr(cora, meeting):
    text = cora.get(reverse("facilitator", args=[meeting.pk])).content.decode()
    assert f"{meeting.code[:3]} {meeting.code[3:]}" in text
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in text
    assert "blockquote" in text
    assert "style=" not in text


def test_counts_are_live_and_kept_by_no_browser(cora, meeting, django_assert_num_queries):
    address = reverse("facilitator_counts", args=[meeting.pk]) + "?seen=open"
    with django_assert_num_queries(3):  # and whose keys are those of links
        first = cora.get(address)
    submission.submit(submission.start_in_meeting(meeting), 1, {})
    changed = cora.get(address)
    assert changed.content.count(b"<dd>1</dd>") == 2
    assert "HX-Refresh" not in changed
    for response in (first, changed, cora.get(address + "&total")):
        assert "no-store" in response["Cache-Control"], "each answer kept beside the next says when somebody handed in"
        assert "ETag" not in response


def test_when_the_state_changes_the_page_is_loaded_again(cora, collection, meeting):
    address = reverse("facilitator_counts", args=[meeting.pk]) + "?seen=open"
    collections.close_collection(collection)
    response = cora.get(address)
    assert (response.status_code, response["HX-Refresh"]) == (200, "true")


def test_the_projector_shows_only_the_total(cora, meeting):
    for _n in range(7):
        key = submission.start_in_meeting(meeting)
    collections.set_present(meeting, 98765)  # not the number of a row, which stands in the page's addresses
    address = reverse("facilitator_counts", args=[meeting.pk]) + "?total&seen=open"
    first = cora.get(address)
    assert first.content.decode().strip().startswith("7 ")
    submission.submit(key, 1, {})
    assert cora.get(address).content == first.content, "nobody sees who finishes"
    page = cora.get(reverse("facilitator_projector", args=[meeting.pk])).content.decode()
    assert ">7 " in page
    assert "98765" not in page.split('id="total"')[1]


def test_present_is_recorded_while_open(cora, meeting):
    address = reverse("facilitator_present", args=[meeting.pk])
    assert cora.post(address, {"present": "14"}).status_code == 302
    meeting.refresh_from_db()
    assert meeting.present == 14
    wrong = cora.post(address, {"present": "-3"})
    assert wrong.status_code == 200
    assert b"is-invalid" in wrong.content
    meeting.refresh_from_db()
    assert meeting.present == 14


def test_close_reopen_and_close(cora, collection, meeting):
    page = reverse("facilitator", args=[meeting.pk])
    for name, state in [("close", "closed"), ("reopen", "open"), ("close", "closed")]:
        response = cora.post(reverse(f"facilitator_{name}", args=[meeting.pk]), {"close-unknown": "on"})
        assert (response.status_code, response["Location"]) == (302, page)
        collection.refresh_from_db()
        assert collection.state == state
        assert cora.get(page).status_code == 200
    assert {event.by_link for event in Event.objects.filter(kind__startswith="collection_")} == {True}
    collections.seal_now(collection)
    sealing.seal_due()
    collection.refresh_from_db()
    assert collection.state == "sealed"
    assert cora.get(page).status_code == 200
    assert cora.get(reverse("facilitator_projector", args=[meeting.pk])).status_code == 200
    cora.post(reverse("facilitator_reopen", args=[meeting.pk]))
    collection.refresh_from_db()
    assert collection.state == "sealed"


def test_closing_asks_how_many_were_present(cora, collection, meeting):
    """Without it nobody can tell the answers of twenty people from those of one: the report is held."""
    page, close = (reverse(name, args=[meeting.pk]) for name in ("facilitator", "facilitator_close"))
    assert 'name="close-present"' in cora.get(page).content.decode()
    for nonsense in ({}, {"close-present": ""}, {"close-present": "-1"}, {"close-present": "many"}):
        answer = cora.post(close, nonsense, follow=True).content.decode()
        collection.refresh_from_db()
        assert collection.state == "open"
        assert "alert" in answer
    cora.post(close, {"close-present": "20"})
    meeting.refresh_from_db()
    collection.refresh_from_db()
    assert (meeting.present, collection.state) == (20, "closed")


def test_nobody_counted_is_an_answer_and_what_was_counted_is_not_asked_again(cora, collection, meeting):
    close = reverse("facilitator_close", args=[meeting.pk])
    cora.post(close, {"close-unknown": "on"})
    meeting.refresh_from_db()
    collection.refresh_from_db()
    assert (meeting.present, collection.state) == (None, "closed")
    cora.post(reverse("facilitator_reopen", args=[meeting.pk]))
    collections.set_present(meeting, 12)
    assert 'name="close-present"' not in cora.get(reverse("facilitator", args=[meeting.pk])).content.decode()
    cora.post(close)
    collection.refresh_from_db()
    meeting.refresh_from_db()
    assert (meeting.present, collection.state) == (12, "closed")


def test_the_link_does_nothing_that_cannot_be_undone(cora, collection, meeting):
    """Who reads the contact person's mailbox holds the link: what it closes can be opened again for the grace period."""
    cora.post(reverse("facilitator_close", args=[meeting.pk]), {"close-present": 20})
    page = cora.get(reverse("facilitator", args=[meeting.pk])).content.decode()
    actions = set(re.findall(r'action="(/f/[^"]+)"', page))
    assert actions == {reverse("facilitator_reopen", args=[meeting.pk])}
    assert cora.post(f"/f/{meeting.pk}/seal").status_code == 404
    sealing.seal_due()
    collection.refresh_from_db()
    assert (collection.state, collection.sealing) == ("closed", False)


def test_more_may_join_when_the_facilitator_says_so(cora, collection, meeting):
    page = reverse("facilitator", args=[meeting.pk])
    more = reverse("facilitator_more", args=[meeting.pk])
    assert more not in cora.get(page).content.decode()
    with suppress(submission.TooManyJoins):
        for _n in range(10 * collection.approached):
            submission.start_in_meeting(meeting)
    assert more in cora.get(page).content.decode()
    cora.post(more)
    assert more not in cora.get(page).content.decode()
    assert submission.start_in_meeting(meeting)


def test_buttons_need_the_token_of_the_form(meeting):
    path = personal_links.facilitator_url(meeting).partition("/f/")[2]
    client = Client(enforce_csrf_checks=True)
    client.get(f"/f/{path}")
    assert client.post(reverse("facilitator_close", args=[meeting.pk])).status_code == 403
    assert Collection.objects.get(pk=meeting.collection_id).state == "open"


def test_counts_end_with_the_meeting_and_leave_out_personal_links(cora, collection, meeting):
    """Who leads the meeting would else see each answer by link come in, and each that comes after closing."""
    pages = [
        reverse(name, args=[meeting.pk]) for name in ("facilitator_counts", "facilitator", "facilitator_projector")
    ]
    shown = {page: cora.get(page).content for page in pages[:1]}
    personal_links.issue_links(collection, ["absent@noord.example"])
    submission.submit(submission.start_by_link(collection.invitees.get()), 1, {})
    assert {page: cora.get(page).content for page in pages[:1]} == shown
    key = submission.start_in_meeting(meeting)
    assert "1 persoon is begonnen en heeft nog niet ingeleverd" in cora.get(pages[0]).content.decode()
    collections.set_present(meeting, 98765)
    collections.close_collection(collection)
    closed = cora.get(pages[0] + "?seen=closed")
    total = cora.get(pages[0] + "?total&seen=closed")
    assert closed.content.strip() == total.content.strip() == b""
    submission.submit(key, 1, {})
    for page in ("?seen=closed", "?total&seen=closed"):
        assert cora.get(pages[0] + page).content.strip() == b""
    for page in pages:
        text = cora.get(page).content.decode()
        assert "<dd>" not in text
        assert "98765" not in text
        assert "onderweg" not in text


def test_forms_on_paper_are_counted(cora, meeting):
    cora.post(reverse("facilitator_present", args=[meeting.pk]), {"present": "14", "paper": "3"})
    meeting.refresh_from_db()
    assert (meeting.present, meeting.paper) == (14, 3)
    again = cora.get(reverse("facilitator_counts", args=[meeting.pk]))
    assert b"<dd>3</dd>" in again.content


def test_a_shared_device_has_a_link_of_its_own(cora, meeting):
    page = cora.get(reverse("facilitator", args=[meeting.pk])).content.decode()
    assert f"/a/{meeting.code}?shared=yes" in page


def test_who_really_led_the_meeting_is_recorded_until_sealing(cora, collection, meeting):
    address = reverse("facilitator_present", args=[meeting.pk])
    submission.start_in_meeting(meeting)
    assert collection.mode == "researcher"
    cora.post(address, {"present": "14", "mode": "contact"})
    collection.refresh_from_db()
    assert (collection.mode, collection.participation.mode) == ("contact", "contact")
    assert Event.objects.get(kind="leading_recorded").detail == "researcher → contact"
    assert cora.post(address, {"present": "14", "mode": "online"}).status_code == 200, "no way to lead a meeting"
    cora.post(address, {"present": "14", "mode": "contact"})
    assert Event.objects.filter(kind="leading_recorded").count() == 1
    collections.close_collection(collection)
    assert collections.set_leading(collection, "researcher")
    sealing.seal(collection)
    assert not collections.set_leading(collection, "contact")
    collection.refresh_from_db()
    assert collection.mode == "researcher"


def test_a_team_that_answers_online_has_nobody_who_leads(online):
    assert not collections.set_leading(online, "contact")


def test_two_devices_with_this_page_take_nothing_back_from_each_other(cora, meeting, collection, roos):
    """The laptop says who leads and that a device was shared, the phone counts the forms on paper: both stay."""
    page, address = reverse("facilitator", args=[meeting.pk]), reverse("facilitator_present", args=[meeting.pk])
    cora.post(address, {"present": "12", "mode": "researcher"})
    laptop, phone = (fields_of(cora.get(page).content.decode()) for _n in range(2))
    cora.post(address, phone | {"paper": "3", "shared_device": "on"})
    cora.post(address, laptop | {"present": "14", "mode": "contact"})
    meeting.refresh_from_db()
    collection.refresh_from_db()
    assert (meeting.present, meeting.paper) == (14, 3)
    assert (collection.mode, collection.shared_device) == ("contact", True)

    collections.count_present(meeting, 11, roos)
    answer = cora.post(address, phone | {"present": "13"})
    assert answer.status_code == 200
    assert [conflict.name for conflict in answer.context["form"].conflicts] == ["present"]
    meeting.refresh_from_db()
    assert (meeting.present, meeting.paper) == (11, 3)
    opened = fields_of(cora.get(page).content.decode())
    cora.post(address, opened | {"paper": "4"})
    meeting.refresh_from_db()
    assert (meeting.paper, meeting.present_by, meeting.counted_by) == (4, PresentBy.RESEARCHER, roos)
