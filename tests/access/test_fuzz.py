"""No odd request is answered by a fault: every address, by who may open it and by a stranger, GET and POST."""

from __future__ import annotations

import os

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.urls import reverse

from tests.access.cast import ROLES, Cast
from tests.access.fuzz import HEADERS, Fuzzer, Odd, addresses, fields_of
from tests.access.test_permissions import (  # noqa: F401  fixtures
    LOGIN,
    TABLE,
    Row,
    cast,
    folders_of_their_own,
)

pytestmark = pytest.mark.django_db
#: Rounds of odd requests to each address and role; ``make prove-fuzz`` asks for more, from a seed that it prints.
EACH = int(os.environ.get("FUZZ_EACH", "1"))
SEED = os.environ.get("FUZZ_SEED", "short")


def text_of(response: HttpResponseBase) -> str:
    if getattr(response, "streaming", False) or "html" not in response.headers.get("Content-Type", ""):
        return ""
    return response.content.decode(errors="replace")  # type: ignore[attr-defined]


def attack(row: Row, people: Cast, seed: str, times: int) -> int:
    """Send odd requests to one address; how many were sent. What a request changed is rolled back."""
    fuzzer = Fuzzer(f"{seed} {row}")
    path = reverse(row.name, args=row.arguments(people))
    may = [role for role in ROLES if row.expected[role] not in (404, 405, LOGIN)]
    sent = 0
    for role in dict.fromkeys([*may[:2], "anyone"]):
        client = people.client(role)
        fields: dict[str, str] = dict(row.data)
        with transaction.atomic():
            fields |= fields_of(text_of(client.get(path)))
            transaction.set_rollback(True)
        for _n in range(times):
            for odd in (fuzzer.get(), fuzzer.post(fields)):
                with transaction.atomic():
                    response = odd.send(client, path)
                    if getattr(response, "streaming", False):
                        b"".join(response.streaming_content)  # type: ignore[attr-defined]
                    transaction.set_rollback(True)
                assert response.status_code < 500, (role, path, odd)
                sent += 1
            client = people.client(role)  # an odd request may have signed out or changed a cookie
    return sent


def test_every_address_is_attacked() -> None:
    """An address that is not in the table of permissions would not be attacked either."""
    known = {row.name for row in TABLE}
    left = {name for name, route in addresses() if name not in known and not route.startswith("static")}
    assert not {name for name in left if not name.startswith(("account", "mfa", "^"))} - known, left


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_odd_requests_are_answered(row: Row, cast: Cast) -> None:  # noqa: F811
    assert attack(row, cast, SEED, EACH) >= 2 * EACH


@pytest.mark.parametrize("name", HEADERS)
def test_odd_headers_are_answered(name: str, cast: Cast) -> None:  # noqa: F811
    """Each to a page of everybody's, a teacher's form and a form of an account: what reads headers is the same for all."""
    for value in HEADERS[name]:
        for address, method in (("home", "get"), ("answer_submit", "post"), ("account_login", "post")):
            odd = Odd(method, {}, {} if method == "post" else None, headers={name: value})
            response = odd.send(cast.client("anyone"), reverse(address))
            assert response.status_code < 500, (name, value, address)
