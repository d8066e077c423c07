"""Collecting interface texts from code and templates, and finding what is not translated."""

import pytest
from babel.messages.catalog import Catalog

from scripts import messages


def of_template(source: str) -> list[messages.Text]:
    return list(messages.template_texts(source, "page.html"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% translate "Sign in" %}', ("gettext", ["Sign in"])),
        ('{% translate "May" context "month" %}', ("pgettext", ["month", "May"])),
        ("{% blocktranslate trimmed %}\n  One\n  two.\n{% endblocktranslate %}", ("gettext", ["One two."])),
        ('{% blocktranslate %}It\'s "{{ name }}"{% endblocktranslate %}', ("gettext", ['It\'s "%(name)s"'])),
        (
            "{% blocktranslate count n=n %}one{% plural %}{{ n }} many{% endblocktranslate %}",
            ("ngettext", ["one", "%(n)s many"]),
        ),
        (
            '{% blocktranslate count n=n context "teams" %}one{% plural %}more{% endblocktranslate %}',
            ("npgettext", ["teams", "one", "more"]),
        ),
        ('{% include "x.html" with title=_("A title") %}', ("_", ["A title"])),
        ('<p>gettext("not marked") ( _("nor this") </p>', None),
    ],
)
def test_texts_of_a_template(source: str, expected: messages.Text | None) -> None:
    texts = of_template("<p>don't ((( }}</p>\n  " + source + "\n<b>'\"</b>")
    assert texts == ([expected] if expected else [])


def test_texts_of_python() -> None:
    source = b"""
from x import gettext_lazy as _, ngettext, pgettext
a = _("one " "two")
b = ngettext("%(n)s team", "%(n)s teams", n)
c = pgettext("month", "May")
d = _(f"not {this}")
"""
    texts = list(messages.python_texts(source))
    assert texts[:3] == [
        ("_", ["one two"]),
        ("ngettext", ["%(n)s team", "%(n)s teams", None]),
        ("pgettext", ["month", "May"]),
    ]


def catalogue(*entries: tuple[object, object]) -> Catalog:
    catalog = Catalog(locale="nl")
    for text, translation in entries:
        catalog.add(text, translation)
    return catalog


def test_gaps_are_named() -> None:
    catalog = catalogue(
        ("Sign in", "Aanmelden"),
        ("Sign out", ""),
        (("%(n)s team", "%(n)s teams"), ("%(n)s team", "")),
        ("%(n)s answers", "%(m)s antwoorden"),
    )
    catalog.add("Guess", "Gok", flags=["fuzzy"])
    texts = messages.gaps(catalog)
    assert [gap.rsplit(": ", 1)[1] for gap in texts] == ["Sign out", "%(n)s team", "%(n)s answers", "Guess"]


def test_every_text_of_the_product_can_be_read() -> None:
    texts = dict(messages.texts())
    assert "templates/home.html" in texts
    assert "teams/models/people.py" in texts


@pytest.mark.parametrize(
    ("translation", "gaps"),
    [
        ("Uw link blijft werken.", 1),
        ("Je ziet wat u schreef.", 1),
        ("Typ “u” en druk.", 0),
        ("Zij schreef: uur, nu.", 0),
    ],
)
def test_people_are_spoken_to_in_one_way(translation: str, gaps: int) -> None:
    assert len(messages.gaps(catalogue(("A text.", translation)))) == gaps


def test_texts_in_f_strings_are_found() -> None:
    source = """
a = f"{_('lost')}: {name}"
b = _(f"lost {name}")
c = f"{x}" + _("kept")
d = _("kept %(name)s") % {"name": f"{x}"}
"""
    assert messages.in_f_strings(source) == [2, 3]
