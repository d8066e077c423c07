"""A page compressed once is, with its slots filled, the same page."""

import gzip

import pytest

from surveys.answering.page_slots import Slotted

HTML = "<p>één</p>" * 500 + "@@A@@" + "<b>twee</b>" * 500 + "@@B@@"


@pytest.mark.parametrize("values", [(b"", b""), (b"key", b"{}"), ("ë€".encode() * 300, b"x" * 200_000)])
@pytest.mark.parametrize("html", [HTML, HTML + "<i>end</i>", "@@A@@ and @@A@@ again @@B@@", "no slot"])
def test_compressed_and_plain_are_the_same(html, values):
    page, filling = Slotted(html, "@@A@@", "@@B@@"), dict(zip(("@@A@@", "@@B@@"), values, strict=True))
    wanted = html.encode().replace(b"@@A@@", values[0]).replace(b"@@B@@", values[1])
    assert page.plain(filling) == wanted
    assert gzip.decompress(page.gzipped(filling)) == wanted


def test_fixed_parts_are_compressed():
    assert len(Slotted(HTML, "@@A@@", "@@B@@").gzipped({"@@A@@": b"k" * 43, "@@B@@": b"{}"})) < 250


def test_what_fills_a_slot_is_not_compressed_with_the_rest():
    """The length tells nothing about a value: one that stands in the page too is as long as one that does not."""
    page = Slotted("secret " * 100 + "@@A@@", "@@A@@")
    assert len(page.gzipped({"@@A@@": b"secret secret"})) == len(page.gzipped({"@@A@@": b"qwzxyk pmvnbj"}))
