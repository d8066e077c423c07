"""What no page can mean is refused before a page is asked; what a form brings as a number need not be one."""

import io

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from teams.base.numbers import whole_number
from tests.access.cast import Cast, make_cast, personal_path
from tests.surveys.teacher import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.mark.parametrize(
    "address", ["/?q=%00", "/a/?code=%00", "/a/%00", "/studies/learning/teams?q=%00", "/a/answer?x=%00"]
)
def test_a_nul_in_an_address_is_a_bad_request(cast: Cast, address: str) -> None:
    assert cast.client("alice").get(address).status_code == 400


def test_a_nul_in_a_cookie_is_a_bad_request(cast: Cast) -> None:
    client = Client(headers={"cookie": 'answer="a\\000b"'})
    assert client.get(reverse("questionnaire")).status_code == 400


@pytest.mark.parametrize("name", ["answer_start", "answer_step", "answer_submit", "answer_delete", "answer_opt_out"])
@pytest.mark.parametrize("multipart", [False, True])
def test_a_nul_in_a_form_is_a_bad_request(cast: Cast, name: str, multipart: bool) -> None:
    form = {"code": "a\0", "link": "a\0", "key": "a\0", "consent": "yes"}
    client = Client(headers={"origin": "http://testserver"})
    if multipart:
        answer = client.post(reverse(name), form)
    else:
        answer = client.post(reverse(name), "key=a%00&link=a%00", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["[a:::::]", "[a:::::]:80", "[12345::]", "[::1.2.3.4.5]"])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("role", ["anyone", "alice", "carol"])
def test_an_address_that_cannot_be_read_is_a_bad_request(cast: Cast, host: str, method: str, role: str) -> None:
    """Host names that look like an IPv6 address and are none: whatever makes a whole address of them would fail."""
    client = cast.client(role)
    for path in ("/studies/learning/collecting/", "/", "/a/", "/accounts/login/", "/nowhere"):
        answer = getattr(client, method)(path, headers={"host": host, "origin": f"http://{host}"})
        assert answer.status_code == 400, path


@pytest.mark.parametrize("address", ["/accounts/login/?next=//[a:::::", "/studies/learning/?next=http://[a:]"])
def test_a_path_or_query_that_looks_like_an_address_is_answered(cast: Cast, address: str) -> None:
    for role in ("anyone", "alice"):
        assert cast.client(role).get(address).status_code in (200, 302, 404)


@pytest.mark.parametrize("host", ["[::1]", "[::1]:8000", "127.0.0.1:8000", "testserver"])
def test_an_address_that_can_be_read_is_answered(cast: Cast, host: str) -> None:
    answer = cast.client("alice").get("/studies/learning/collecting/", headers={"host": host})
    assert answer.status_code == 200


def test_a_file_may_hold_a_nul(cast: Cast) -> None:
    file = io.BytesIO(b"a,\0b")
    file.name = "contacts.csv"
    client = cast.client("alice")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    answer = client.post(reverse("contacts_import", args=[cast.study.slug]), {"file": file})
    assert answer.status_code == 200
    assert "neither CSV nor XLSX" in answer.content.decode()


BODIES = [
    b"[" * 60_000,
    b'{"answers":' + b'{"a":' * 60_000,
    b'{"key": "\\u0000", "sequence": 1, "answers": {}}',
    b'{"key": "\\ud800", "sequence": 1, "answers": {}}',
    b'{"key": "KEY", "sequence": 1, "answers": {"SV1": "\\u0000"}}',
    b'{"key": "KEY", "sequence": 1, "answers": {}, "eligibility": "\\u0000"}',
    b'{"key": "KEY", "sequence": 1, "answers": {}, "eligibility": ["yes"]}',
    b'{"key": "KEY", "sequence": 1, "answers": {}, "language": "\\u0000\\ud800"}',
    b'{"key": "KEY", "sequence": 1' + b"0" * 5000 + b', "answers": {}}',
    b'{"key": "KEY", "sequence": NaN, "answers": {}}',
    b'{"key": "KEY", "sequence": 1, "answers": {"SV1": [[[]]]}}',
    b'{"parcel": 1, "collection": {}}',
    b'{"parcel": "AAAA", "collection": "\\u0000"}',
    b'"parcel"',
    b"\xff\xfe",
    b"",
    b"0" * 70_000,
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
@pytest.mark.parametrize("name", ["answer_save", "answer_submit"])
def test_a_body_that_is_no_save_is_told_so(cast: Cast, name: str, body: bytes) -> None:
    client = Client()
    client.get(personal_path(cast))
    client.post(reverse("answer_start"), {"link": client.cookies["link"].value, "consent": "yes"})
    key = client.cookies["key"].value.encode()
    answer = client.post(reverse(name), body.replace(b"KEY", key), content_type="application/json")
    assert answer.status_code in (200, 400, 413)
    assert not answer.json().get("answers")


@pytest.mark.parametrize("step", ["9" * 5000, "²", "-1", "1e3", "٣", ""])
def test_a_step_that_is_no_number_is_the_first(cast: Cast, step: str) -> None:
    client = Client()
    client.get(personal_path(cast))
    client.post(reverse("answer_start"), {"link": client.cookies["link"].value, "consent": "yes"})
    key = client.cookies["key"].value
    assert client.get(at("questionnaire", key), {"step": step}).status_code == 200
    answer = client.post(reverse("answer_step"), {"key": key, "step": step, "GV1": "9" * 5000})
    assert answer.status_code == 400
    assert client.post(reverse("answer_step"), {"key": key, "step": step}).status_code == 303


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("999999999", 999_999_999), ("1234567890", None), ("²", None), (None, None)],
)
def test_whole_numbers(text: str | None, number: int | None) -> None:
    assert whole_number(text) == number
