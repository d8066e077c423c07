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

from surveys import collections, devices, keys, sealing, submission
from surveys.models import Response
from tests.surveys.teacher import begin, hidden, post


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
    page = teacher.get(reverse("questionnaire") + "?blank=en").content.decode()
    assert '<html lang="en">' in page
    assert key not in page
    assert '<script type="application/json" id="state">{}</script>' in page
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
    assert device.cookies["answer"]["max-age"] == 600
    page = device.get(reverse("questionnaire")).content.decode()
    assert 'data-shared="yes"' in page
    assert '"lock":"' in page
    saved = post(device, "answer_save", key=first, sequence=1, answers={"GV1": 4}, eligibility="yes")
    assert saved.cookies["answer"]["max-age"] == 600, "at work: ten more minutes"
    submission.submit(first, 2, {"GV1": 4})
    done = device.get(reverse("answer_done"))
    assert hidden(done, "key") == first, "whoever just answered may still delete it"
    for name in ("answer_done", "questionnaire"):  # back and reload
        again = device.get(reverse(name))
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
    assert reverse("answer_next") in device.get(welcome_of(meeting)).content.decode()
    device.post(reverse("answer_next"))
    page = device.get(reverse("questionnaire"), follow=True)
    assert key not in page.content.decode()
    assert page.redirect_chain == [(welcome_of(meeting), 302)]


def test_a_device_of_ones_own_again(meeting):
    device = share(meeting)
    device.get(reverse("meeting_welcome", args=[meeting.code]) + "?shared=no")
    begin(device, meeting)
    assert device.cookies["answer"]["max-age"] == ""
    assert "data-shared" not in device.get(reverse("questionnaire")).content.decode()


def test_without_script_a_shared_device_has_the_button_too(meeting):
    device = share(meeting)
    begin(device, meeting)
    page = device.get(reverse("questionnaire") + "?step=1").content.decode()
    assert f'formaction="{reverse("answer_next")}"' in page


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
    with pytest.raises(keys.KeyDestroyed):
        devices.open_parcel(collection, parcel)
    assert post(Client(), "answer_submit", collection=collection.uid.hex, parcel=parcel).json()["outcome"] == "unknown"
    assert Response.objects.get().answers == {}
