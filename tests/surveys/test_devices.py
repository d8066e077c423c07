"""What a device keeps: the worker, the empty page, shared devices that remember nobody, parcels only the server can open."""

import base64
import datetime
import json
import os

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from surveys.answering import devices, submission
from surveys.collecting import collections, sealing
from surveys.keys import collection_keys
from surveys.models import Response, SealedResponse
from tests.surveys.teacher import at, begin, hidden, page_of, post


def locked(collection, body: dict) -> str:
    """What a device does, as static/js/answer/parcels.js does it."""
    ours = ec.generate_private_key(ec.SECP256R1())
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64.b64decode(devices.lock_of(collection)))
    point = ours.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    info = f"parcel {collection.uid.hex}".encode()
    key = HKDF(hashes.SHA256(), 32, point, info).derive(ours.exchange(ec.ECDH(), theirs))
    nonce = os.urandom(12)
    return base64.b64encode(point + nonce + AESGCM(key).encrypt(nonce, json.dumps(body).encode(), None)).decode()


def share(meeting) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.get(reverse("meeting_welcome", args=[meeting.code]) + "?shared=yes")
    return client


def welcome_of(meeting) -> str:
    return reverse("meeting_welcome", args=[meeting.code]) + "?shared=yes"


# ------------------------------------------------------------------------------------------------ the worker and its page


def test_the_worker_has_a_fixed_address_and_is_asked_for_anew(teacher):
    response = teacher.get("/a/sw.js")
    assert response["Content-Type"] == "text/javascript"
    assert response["Cache-Control"] == "no-cache"
    assert b"addEventListener" in response.content


def test_the_page_that_a_device_keeps_holds_nothing_of_a_respondent(teacher, meeting):
    key = begin(teacher, meeting)
    post(teacher, "answer_save", key=key, sequence=1, answers={"GV1": 4}, eligibility="yes")
    page = teacher.get(page_of(teacher) + "?blank=en").content.decode()
    assert '<html lang="en">' in page
    assert key not in page
    assert '<script type="application/json" id="state">{}</script>' in page
    assert meeting.collection.participation.team.name not in page
    assert page_of(teacher).split("/")[2] not in page
    by_script = teacher.post(page_of(teacher), {"key": key, "blank": "en"}).content.decode()
    assert by_script == page
    assert "GV1" in page


def test_a_device_forgets_at_the_end_of_grace(collection, study):
    last_day = devices.kept_until(collection)
    assert timezone.localtime(last_day).date() == study.ends_on + datetime.timedelta(days=2)
    collections.close_collection(collection)
    assert devices.kept_until(collection) == collection.closes_for_good_at


# ------------------------------------------------------------------------------------------------ shared devices


def test_a_shared_device_goes_from_person_to_person_without_a_trace(meeting):
    device = share(meeting)
    first = begin(device, meeting)
    moment = device.cookies["moment"]
    assert (moment["max-age"], moment["path"]) == (60, at("questionnaire", first)), "until the page is there"
    page = device.get(page_of(device)).content.decode()
    assert 'data-shared="yes"' in page
    assert '"lock":"' in page
    device.cookies.pop("moment")  # as the page's script does
    saved = post(device, "answer_save", key=first, sequence=1, answers={"GV1": 4}, eligibility="yes")
    assert not saved.cookies, "the key stays in the page"
    sent = post(device, "answer_submit", key=first, sequence=2, answers={"GV1": 4}, eligibility="yes")
    assert sent.cookies["moment"].value == first, "for the thanks"
    done = device.get(at("answer_done", first))
    assert hidden(done, "key") == first, "whoever just answered may still delete it"
    for name in ("answer_done", "questionnaire"):  # back and reload
        for address in (reverse(name), at(name, first)):
            again = device.get(address)
            assert (again.status_code, again["Location"]) == (302, welcome_of(meeting))
    gone = device.post(reverse("answer_next"))
    assert (gone.status_code, gone["Location"]) == (303, welcome_of(meeting))
    text = device.get(gone["Location"]).content.decode()
    assert first not in text
    second = begin(device, meeting)
    assert second != first
    assert Response.objects.count() == 2


def test_who_stops_on_a_shared_device_is_forgotten_by_the_next(meeting):
    device = share(meeting)
    key = begin(device, meeting)
    assert at("questionnaire", key) not in device.get(welcome_of(meeting)).content.decode()
    device.post(at("answer_next", key))
    page = device.get(at("questionnaire", key), follow=True)
    assert key not in page.content.decode()
    assert page.redirect_chain == [(welcome_of(meeting), 302)]


def test_no_address_ends_the_sharing(meeting):
    """Who typed one before the next person began found that person's key and "Delete my answers" afterwards."""
    device = share(meeting)
    device.get(reverse("meeting_welcome", args=[meeting.code]) + "?shared=no")
    begin(device, meeting)
    assert device.cookies["moment"].value
    assert not device.cookies["key"].value
    assert "data-shared" in device.get(page_of(device)).content.decode()


def test_who_finds_a_questionnaire_begun_by_another_is_told_to_begin(meeting):
    """Who began it may have noted its key, and could read on another device what is answered under it."""
    device = share(meeting)
    begin(device, meeting)
    page = device.get(page_of(device)).content.decode()
    assert "Is iemand anders hier voor jou begonnen?" in page
    own = Client()
    begin(own, meeting)
    assert "Is iemand anders hier voor jou begonnen?" not in own.get(page_of(own)).content.decode()


def test_without_script_a_shared_device_has_the_button_too(meeting):
    device = share(meeting)
    begin(device, meeting)
    page = device.get(page_of(device) + "?step=1").content.decode()
    assert 'formaction="next"' in page
    assert device.get(page_of(device) + "?step=1").status_code == 302, "loaded again: the key was in the page before"


# ------------------------------------------------------------------------------------------------ parcels


def test_a_parcel_is_handed_in_once_and_over_what_was_saved(teacher, collection, meeting):
    key = begin(teacher, meeting)
    submission.save(key, 1, {"GV1": 1, "GV2": 2}, eligibility="yes")
    parcel = locked(collection, {"key": key, "sequence": 2, "answers": {"GV2": 3}, "eligibility": "yes"})
    assert key not in base64.b64decode(parcel).decode("latin-1")
    for _n in range(2):
        sent = post(Client(), "answer_submit", collection=collection.uid.hex, parcel=parcel)
        assert sent.json() == {"outcome": "submitted"}
    response = Response.objects.get()
    assert (response.state, response.answers) == ("submitted", {"GV1": 1, "GV2": 3})


def test_a_parcel_that_is_damaged_or_another_collections_changes_nothing(teacher, collection, online, meeting):
    key = begin(teacher, meeting)
    parcel = locked(collection, {"key": key, "sequence": 1, "answers": {"GV1": 1}})
    damaged = base64.b64encode(base64.b64decode(parcel)[:-1] + b"?").decode()
    for uid, sent in [(collection.uid, damaged), (online.uid, parcel), (collection.uid, "?"), (collection.uid, "AAAA")]:
        answer = post(Client(), "answer_submit", collection=uid.hex, parcel=sent)
        assert (answer.status_code, answer.json()["outcome"]) == (400, "invalid")
    assert post(Client(), "answer_submit", collection="x", parcel=parcel).status_code == 400
    assert post(Client(), "answer_submit", collection="0" * 32, parcel=parcel).json()["outcome"] == "unknown"
    assert Response.objects.get().sequence == 0


@pytest.mark.django_db(transaction=True)
def test_once_sealed_nobody_can_open_a_parcel(teacher, collection, meeting):
    key = begin(teacher, meeting)
    parcel = locked(collection, {"key": key, "sequence": 1, "answers": {"GV1": 1}})
    collections.close_collection(collection)
    assert devices.open_parcel(collection, parcel)["key"] == key, "accepted until sealing"
    sealing.seal(collection)
    with pytest.raises(collection_keys.KeyDestroyed):
        devices.open_parcel(collection, parcel)
    assert post(Client(), "answer_submit", collection=collection.uid.hex, parcel=parcel).json()["outcome"] == "unknown"
    assert SealedResponse.objects.get().answers == {}
