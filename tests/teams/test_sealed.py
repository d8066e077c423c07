"""What is sealed in the database opens with its key and for its purpose only, and not when it was changed."""

import base64
from typing import Any

import pytest

from teams.base import sealed

KEY, OTHER = "of before " * 6, "of today " * 6


@pytest.fixture(autouse=True)
def a_key(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = KEY, []


def test_it_opens_for_its_purpose_and_says_nothing_in_between(settings: Any) -> None:
    shut = sealed.seal({"to": "lena@noord.example"}, b"mails")
    assert b"lena" not in base64.urlsafe_b64decode(shut)
    assert sealed.open_(shut, b"mails") == {"to": "lena@noord.example"}
    assert sealed.seal({"to": "lena@noord.example"}, b"mails") != shut
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER, [KEY]
    assert sealed.open_(shut, b"mails") == {"to": "lena@noord.example"}


def test_nothing_else_opens(settings: Any) -> None:
    shut = sealed.seal({"to": "lena@noord.example"}, b"mails")
    raw = base64.urlsafe_b64decode(shut)
    changed = [base64.urlsafe_b64encode(bytes([*raw[:n], raw[n] ^ 1, *raw[n + 1 :]])) for n in range(len(raw))]
    for other in (*changed, b"", b"x", "é".encode(), shut[:20], base64.urlsafe_b64encode(raw[:-1])):
        with pytest.raises(sealed.CannotOpen):
            sealed.open_(other, b"mails")
    with pytest.raises(sealed.CannotOpen):
        sealed.open_(shut, b"sessions")
    settings.SECRET_KEY = OTHER
    with pytest.raises(sealed.CannotOpen):
        sealed.open_(shut, b"mails")
