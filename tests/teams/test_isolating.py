"""Words of people that stand beside others in a page, outside sentences: each is laid out by itself."""

import pytest
from django.template import Context, Template, engines
from django.utils.safestring import mark_safe

from teams.models import Team
from teams.text.directions import END, FIRST_STRONG
from teams.text.isolating import with_words_apart

ARABIC = "فريق"
SHOWN = f"{FIRST_STRONG}{ARABIC}{END}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ team }} · {{ n }}", f"{SHOWN} · 8"),
        (
            "<h1 class=\"a > b\" title='{{ team }}'>{{ team }}</h1>",
            f"<h1 class=\"a > b\" title='{ARABIC}'>{SHOWN}</h1>",
        ),
        ("<input value={{ team }}>{{ team.name }}", f"<input value={ARABIC}>{SHOWN}"),
        ("<textarea rows=2>{{ team }}</textarea>{{ team }}", f"<textarea rows=2>{ARABIC}</textarea>{SHOWN}"),
        ("<script src='x'>{{ team }}</script >{{ team }}", f"<script src='x'>{ARABIC}</script >{SHOWN}"),
        (
            "<{% if n %}a href='{{ team }}'{% endif %}>{{ team }}</{% if n %}a{% endif %}>",
            f"<a href='{ARABIC}'>{SHOWN}</a>",
        ),
        ("<div {% if n > 3 %}title='{{ team }}'{% endif %}>{{ team }}", f"<div title='{ARABIC}'>{SHOWN}"),
        ("n < 3 {{ team }}", f"n < 3 {SHOWN}"),
        ("{{ markup }} {{ nothing }}", f"<b>{ARABIC}</b> "),
        ("{{ names|join:', ' }}", f"{SHOWN}, &lt;Zorg&gt;"),
        ("{% verbatim %}{{ team }}{% endverbatim %}{# {{ team }} #}", "{{ team }}"),
        (
            "{% load i18n %}{% blocktranslate %}Team {{ team }}{% endblocktranslate %} {{ team }}",
            f"Team {SHOWN} {SHOWN}",
        ),
    ],
)
def test_values_that_are_text_are_apart(source: str, expected: str) -> None:
    context = {"team": Team(name=ARABIC), "n": 8, "names": [ARABIC, "<Zorg>"], "markup": mark_safe(f"<b>{ARABIC}</b>")}
    assert Template(with_words_apart(source)).render(Context(context)) == expected


def test_pages_are_read_so_and_mails_and_pages_of_others_are_not() -> None:
    assert ">{% block title %}" in with_words_apart("<title>\n{% block title %}x{% endblock %}</title>").replace(
        "\n", ""
    )
    for name, is_ours in (("start.html", True), ("emails/closing.txt", False), ("bootstrap5/field.html", False)):
        source = engines["django"].engine.get_template(name).source  # type: ignore[attr-defined]
        assert ("|apart" in source) == is_ours, name
