"""Single-use slips for a meeting, and the most responses begun on one device: through the teacher's pages."""

import io
import re

import pikepdf
import pytest
from django.test import Client
from django.urls import reverse

from surveys.answering import cache, limits, submission
from surveys.collecting import collections, sealing
from surveys.collecting.opening import make_meetings
from surveys.keys.row_keys import row_key
from surveys.models import Collection, Response, Slip
from surveys.paper import slips
from surveys.paper.slips import NoSlip
from teams.models import Event, Invitation, Study
from teams.studies.setting_up import promises_made
from tests.surveys.conftest import in_threads
from tests.surveys.teacher import begin, hidden
from tests.surveys.test_facilitator import enter


@pytest.fixture(autouse=True)
def _nothing_counted():
    limits.forget()
    cache.forget()


@pytest.fixture
def drawn(study: Study, meeting) -> list[str]:
    Study.objects.filter(pk=study.pk).update(slips=True)
    return slips.make(meeting.collection, 12)


def start(client: Client, meeting, slip: str | None, offered: str = ""):
    welcome = client.get(reverse("meeting_welcome", args=[meeting.code]))
    form = {"code": meeting.code, "offered": offered or hidden(welcome, "offered"), "consent": "yes"}
    return client.post(reverse("answer_start"), form if slip is None else {**form, "slip": slip})


def n_begun() -> int:
    return Response.objects.count()


def test_a_slip_lets_one_person_begin_once(meeting, drawn):
    page = Client().get(reverse("meeting_welcome", args=[meeting.code])).content.decode()
    assert 'name="slip"' in page
    spoken = f"{drawn[0][:4].lower()} {drawn[0][4:]}"
    assert start(Client(), meeting, spoken).status_code == 303
    again = start(Client(), meeting, drawn[0])
    assert again.status_code == 400
    assert "al gebruikt" in again.content.decode()
    assert n_begun() == 1
    assert slips.n_left(meeting.collection) == 11


@pytest.mark.parametrize("slip", [None, "", "AAAA AAAA", "é½²", "x" * 5000])
def test_without_a_slip_nobody_begins(meeting, drawn, slip):
    answer = start(Client(), meeting, slip)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert n_begun() == 0


def test_a_slip_of_another_meeting_lets_nobody_begin(study, meeting, online, drawn):
    other = make_meetings([online])[0]
    Collection.objects.filter(pk=online.pk).update(mode="contact")
    cache.forget()
    assert start(Client(), other, drawn[0]).status_code == 400
    assert n_begun() == 0


def test_an_answer_that_got_lost_on_the_way_costs_no_second_slip(meeting, drawn):
    client = Client()
    offered = hidden(client.get(reverse("meeting_welcome", args=[meeting.code])), "offered")
    for _n in range(2):
        assert start(client, meeting, drawn[0], offered).status_code == 303
    assert n_begun() == 1
    assert slips.n_left(meeting.collection) == 11


def test_a_full_room_gives_the_slip_back(meeting, drawn, monkeypatch):
    monkeypatch.setattr(limits, "_draw", lambda _times, _approached: 0)
    with pytest.raises(submission.TooManyJoins):
        slips.start(meeting, drawn[0])
    monkeypatch.undo()
    collections.allow_more_joins(meeting)
    assert slips.start(meeting, drawn[0])


@pytest.mark.django_db(transaction=True)
def test_of_two_with_one_slip_one_begins(meeting, drawn):
    results = in_threads(*[lambda: slips.start(meeting, drawn[0]) for _n in range(4)])
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, NoSlip) for result in results) == 3
    assert n_begun() == 1


def test_guessing_is_slowed_as_it_is_for_codes(meeting, drawn):
    client = Client()
    client.get(reverse("join"))
    for _n in range(10):
        assert start(client, meeting, "AAAA AAAA").status_code == 400
    assert client.get(reverse("meeting_welcome", args=[meeting.code])).status_code == 429


def test_the_codes_stand_nowhere_and_are_gone_at_sealing(meeting, drawn):
    stored = set(Slip.objects.values_list("code_hash", flat=True))
    assert not any(code in hashed for code in drawn for hashed in stored)
    assert Event.objects.get(kind="slips_made").detail == "12"
    collections.close_collection(meeting.collection)
    collections.seal_now(meeting.collection)
    sealing.seal_due()
    assert not Slip.objects.exists()


def test_a_used_slip_leaves_nothing_beside_the_response(meeting, drawn):
    key = slips.start(meeting, drawn[0])
    response = Response.objects.filter(key=row_key(key)).values().get()
    assert set(response) == {
        "key", "collection_id", "state", "eligibility", "answers", "sequence", "language"
    }  # fmt: skip
    assert {field.name for field in Slip._meta.get_fields()} == {"id", "collection", "code_hash"}


def test_the_facilitator_prints_slips_and_ends_them(study, meeting):
    Study.objects.filter(pk=study.pk).update(slips=True)
    cora = enter(meeting)
    made = cora.post(reverse("facilitator_slips", args=[meeting.pk]), {"n": 25})
    assert made["Content-Type"] == "application/pdf"
    assert "no-store" in made["Cache-Control"]
    with pikepdf.open(io.BytesIO(made.content)) as pdf:
        assert len(pdf.pages) == 2
    assert slips.n_left(meeting.collection) == 25
    page = cora.get(reverse("facilitator", args=[meeting.pk])).content.decode()
    assert re.search(r"25 gedrukte briefjes zijn nog niet gebruikt", page)
    assert cora.post(reverse("facilitator_slips", args=[meeting.pk]), {"n": 0}).status_code == 200
    assert cora.post(reverse("facilitator_slips_end", args=[meeting.pk])).status_code == 302
    assert slips.n_left(meeting.collection) == 0


def test_where_a_study_has_no_slips_nothing_asks_for_one(meeting):
    assert 'name="slip"' not in Client().get(reverse("meeting_welcome", args=[meeting.code])).content.decode()
    cora = enter(meeting)
    assert "slips" not in cora.get(reverse("facilitator", args=[meeting.pk])).content.decode()
    assert cora.post(reverse("facilitator_slips", args=[meeting.pk]), {"n": 3}).status_code == 200
    assert not Slip.objects.exists()


def test_the_setting_is_fixed_once_somebody_was_invited(study, meeting, roos):
    participation = meeting.collection.participation
    Invitation.objects.create(study=study, academy=participation.team.academy, state="sent", nonce="a" * 32)
    assert promises_made(study)
    client = Client()
    client.force_login(roos)
    page = client.get(reverse("study_settings", args=[study.slug])).content.decode()
    assert re.search(r'name="slips"[^>]*disabled', page)


# ------------------------------------------------------------------------------------------------ one device
def on_one_device() -> int:
    return Collection.objects.get(participation__team__name="Verpleegkunde").on_one_device


def test_the_most_responses_begun_on_one_device_are_counted(meeting):
    for _n in range(3):
        begin(Client(), meeting)
    assert on_one_device() == 0, "each on a device of its own"
    busy = Client()
    for _n in range(4):
        begin(busy, meeting)
    assert on_one_device() == 4
    other = Client()
    begin(other, meeting)
    begin(other, meeting)
    assert on_one_device() == 4


def test_who_comes_back_begins_nothing(meeting):
    client = Client()
    offered = hidden(client.get(reverse("meeting_welcome", args=[meeting.code])), "offered")
    form = {"code": meeting.code, "offered": offered, "consent": "yes"}
    for _n in range(3):
        client.post(reverse("answer_start"), form)
    assert on_one_device() == 0


def test_a_forged_count_counts_nothing(meeting):
    client = Client()
    client.cookies["begun"] = f"{meeting.collection.uid.hex}:900.forged"
    begin(client, meeting)
    assert on_one_device() == 0


def test_links_opened_on_one_device_count_too(online, invitees, teacher):
    from surveys.linking import personal_links

    for invitee in invitees[:4]:
        token = personal_links.personal_url(invitee).rsplit("/", 1)[1]
        teacher.get(reverse("personal_link", args=[token]))
        assert teacher.post(reverse("answer_start"), {"link": token, "consent": "yes"}).status_code == 303
    online.refresh_from_db()
    assert online.on_one_device == 4


def test_a_shared_device_is_announced_on_the_facilitators_page(meeting):
    cora = enter(meeting)
    cora.post(reverse("facilitator_present", args=[meeting.pk]), {"present": 9, "shared_device": "on"})
    assert Collection.objects.get(pk=meeting.collection_id).shared_device
    cora.post(reverse("facilitator_present", args=[meeting.pk]), {"present": 9})
    assert not Collection.objects.get(pk=meeting.collection_id).shared_device


def test_a_researcher_counts_on_the_teams_page(meeting, roos):
    client = Client()
    client.force_login(roos)
    participation = meeting.collection.participation
    address = reverse("collecting_present", args=[participation.study.slug, participation.pk])
    assert client.post(address, {"present": ""}).status_code == 200
    assert client.post(address, {"present": "9"}).status_code == 302
    meeting.refresh_from_db()
    assert (meeting.present, meeting.present_by, meeting.counted_by) == (9, "researcher", roos)
