"""Addresses as people paste them: every one is found, and what is none is named."""

import time

import pytest
from django.utils.html import escape

from surveys.forms.collecting import AddressesForm

TWO = ["d@school.nl", "l@school.nl"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d@school.nl\r\nL@School.nl\r\n", TWO),
        ("d@school.nl l@school.nl", TWO),  # only the last was kept, in silence
        ("d@school.nl, l@school.nl;d@school.nl", TWO),
        ("Jansen, D. <d@school.nl>; Bos, Leo <l@school.nl>", TWO),  # was refused
        ("Jansen, D. <d@school.nl>, Bos, Leo <l@school.nl>", TWO),
        ("\"Jansen, D.\" <d@school.nl>\n'Leo Bos' <mailto:l@school.nl>", TWO),
        ("d@school.nl, Leo Bos <l@school.nl>", ["l@school.nl", "d@school.nl"]),
        ("d@school.nl Leo Bos <l@school.nl>.", TWO),
        ("Dirk Jansen\td@school.nl\nLeo Bos\tl@school.nl", TWO),
        ("mailto:d@school.nl\n(l@school.nl)", TWO),
        ("d@school.nl;;\n\n;l@school.nl,", TWO),
        ("\ufeffd@school.nl\n\u200bl@school.nl", TWO),  # a file's first sign, and one that nobody sees
        ("|Dirk|d@school.nl|\n|Leo|l@school.nl|", TWO),  # cells of a table
        ("Dirk|d@school.nl\nmail=l@school.nl", TWO),  # got a link at dirk|d@school.nl
        ("*d@school.nl\n-l@school.nl", TWO),
        ("d@school.nl/l@school.nl", TWO),
        ("d@school.nl\uff1bl@school.nl", TWO),
        ("Dirk &lt;d@school.nl&gt;; Leo &lt;l@school.nl&gt;", TWO),  # out of the text of a page
        ("[Dirk](mailto:d@school.nl?subject=Hi), [Leo](mailto:l@school.nl)", TWO),
        ('{"a":"d@school.nl","b":"l@school.nl"}', TWO),
        ("\u201cd@school.nl\u201d! l@school.nl\u2026", TWO),
        ("Dirk d'Arc <d'arc+x_y@school.nl>", ["d'arc+x_y@school.nl"]),
    ],
)
def test_every_address_is_found(text: str, expected: list[str]):
    form = AddressesForm({"addresses": text})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["addresses"] == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Jan\nd@school.nl", "Jan"),
        ("d@school.nl, and Leo Bos", "and Leo Bos"),
        ("d@school.nl; l@school", "l@school"),
        ("d@school.nl l@", "l@"),
        ("d at school.nl", "d at school.nl"),
        ("Leo <l at school.nl>", "Leo &lt;l at school.nl&gt;"),
    ],
)
def test_what_is_no_address_is_named(text: str, named: str):
    form = AddressesForm({"addresses": text})
    if form.is_valid():  # the page names it before anything is sent
        assert form.cleaned_data["addresses"] == ["d@school.nl"]
        assert escape(", ".join([*form.left, *form.wrong])) == named
    else:
        assert named in str(form.errors["addresses"])


@pytest.mark.parametrize("text", ["<" + "@" * 50_000, "," * 50_000, "<a@" * 16_000, "a <" * 16_000, "x@y>" * 12_000])
def test_a_long_text_costs_no_time(text: str):
    """Two and a half minutes at 50,000 signs, in which nobody else was answered."""
    since = time.process_time()
    AddressesForm({"addresses": text}).is_valid()
    assert time.process_time() - since < 1
