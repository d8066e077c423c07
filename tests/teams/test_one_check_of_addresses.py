"""Whether something is an e-mail address is decided in one module, for pages, files, pasted lists and the outbox."""

import re

import pytest

from scripts.setup import ROOT
from teams.text.addresses import LONGEST, as_address, is_address, is_mailable

APPS = ("teams", "surveys", "analysis", "config")


def test_nothing_else_decides() -> None:
    decides = re.compile(r"\bvalidate_email\b|\bvalidators\.EmailValidator\(|\bEmailValidator\(")
    where = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts and decides.search(path.read_text())
    }
    assert where == {"teams/text/addresses.py"}


@pytest.mark.parametrize("spare", [0, 1])
def test_no_address_is_longer_than_its_column(spare: int) -> None:
    """One of 255 letters stood on the list of a file, and no column holds it."""
    domain = ".".join(["a" * 60] * 4)
    address = "b" * (LONGEST - len(domain) - 1 + spare) + f"@{domain}"
    assert len(address) == LONGEST + spare
    assert is_address(address) is (spare == 0)
    assert (as_address(address) is None) is (spare == 1)


def test_an_address_of_before_can_still_be_mailed() -> None:
    assert is_mailable('"lena"@school.example')
    assert not is_address('"lena"@school.example')
    assert not is_mailable("lena@")
