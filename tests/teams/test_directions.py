"""People's words in sentences: isolated where they run from right to left, wherever a sentence has a place for them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from analysis.data.import_teams import folded, tidy
from surveys.questionnaires.checking import cleaned
from teams.contacts.cells import COLUMNS, wrong_cells
from teams.forms.studies import TeamForm
from teams.models import Participation, Team
from teams.text.directions import (
    END,
    FIRST_STRONG,
    STEERING,
    in_one_line,
    isolated,
    runs_right_to_left,
    settled,
    steering_in,
    without_steering,
)
from tests.nasty import HALF, NASTY, NUL

ARABIC = "فريق A (8)"
SHOWN = f"{FIRST_STRONG}{ARABIC}{END}"


def test_what_runs_right_to_left_is_isolated_once_and_nothing_else_is() -> None:
    assert isolated(ARABIC) == SHOWN
    assert isolated(SHOWN) == SHOWN
    assert isolated(f"- {SHOWN} ({SHOWN})") == f"- {SHOWN} ({SHOWN})"
    assert isolated(f"{ARABIC}\r\nZorg\n{ARABIC}") == f"{SHOWN}\r\nZorg\n{SHOWN}"
    assert isolated(Team(name=ARABIC)) == SHOWN
    for value in ("Zorg", "Zoë 漢字 😀", 8, None, Team(name="Zoë"), mark_safe("<b>é</b>")):
        assert isolated(value) is value
    assert isinstance(isolated(mark_safe(ARABIC)), SafeString)


def test_no_words_turn_what_stands_behind_them() -> None:
    assert isolated("a\u202eb") == "ab"
    assert isolated(f"{FIRST_STRONG}{ARABIC}") == SHOWN, "an isolate that does not end"
    assert isolated(f"{ARABIC}{END}{FIRST_STRONG}x{END}") == f"{FIRST_STRONG}{ARABIC}x{END}"
    assert settled(f"x {SHOWN}\n\u202ey") == f"x {SHOWN}\ny"
    assert steering_in("Zorg \u200f فريق") == ""
    assert "U+202E, U+2067" in steering_in("a\u2067b\u202ec\u202e")


@pytest.mark.parametrize("words", [*NASTY.values(), NUL, HALF], ids=[*NASTY, "NUL", "half a sign"])
def test_nothing_is_lost_but_signs_that_steer(words: str) -> None:
    shown = isolated(words)
    assert without_steering(shown) == without_steering(words)
    assert isolated(shown) == shown
    assert runs_right_to_left(words) == (FIRST_STRONG in shown)
    assert len(in_one_line(words).splitlines()) <= 1


def test_a_sentence_of_a_page_or_a_mail_isolates_its_words() -> None:
    source = (
        "{% load i18n %}{% blocktranslate with team=team n=8 %}Team {{ team }}: {{ n }}, {{ other }}{% endblocktranslate %}"
        "|{% blocktranslate count n=n with team=team asvar said %}{{ team }} {{ n }}{% plural %}{{ other }} {{ n }}"
        "{% endblocktranslate %}{{ said }}|{{ other }}|{{ other|isolated }}|{{ n }}"
    )
    page = Template(source).render(Context({"team": Team(name=ARABIC), "other": f"<{ARABIC}", "n": 2}))
    other = f"{FIRST_STRONG}&lt;{ARABIC}{END}"
    assert page == f"Team {SHOWN}: 8, {other}|{other} 2|&lt;{ARABIC}|{other}|2"


# ------------------------------------------------------------------------------------------------ sentences in Python
#: What people are called, and what they call things, by the name of the attribute or variable that holds it.
NAMES = {
    "name", "title", "team", "user", "researcher", "contact_name", "leader_name", "director_name", "privacy_contact",
    "room", "academy", "study", "group", "by", "director", "institution", "about", "controller", "combined_with",
}  # fmt: skip
#: Values of these names that are codes or words of the program.
NOT_OF_PEOPLE = {
    "surveys/questionnaires/xlsform_reading.py": "names of a file of forms: codes",
    "surveys/questionnaires/checking.py": "names of a document: codes",
    "surveys/views/researchers/editing.py": "codes of parts",
    "teams/contacts/cells.py": "titles of columns",
    "analysis/data/import_file.py": "names of columns",
}


def interpolated(tree: ast.AST) -> Iterator[ast.expr]:
    """The values put into texts with %, of a mapping or a single one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            if isinstance(node.right, ast.Dict):
                yield from node.right.values
            elif isinstance(node.left, ast.Call) and not isinstance(node.right, ast.Tuple):
                yield node.right


def is_of_people(value: ast.expr) -> bool:
    match value:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in NAMES
        case ast.BoolOp(values=values):
            return any(map(is_of_people, values))
        case ast.Call(func=ast.Attribute(attr="join"), args=[of]):
            return is_of_people(of)
    return False


def test_every_sentence_in_python_isolates_the_names_in_it() -> None:
    root = Path(settings.BASE_DIR)
    bare = [
        f"{path.relative_to(root)}:{value.lineno}: {ast.unparse(value)}"
        for folder in ("teams", "surveys", "analysis")
        for path in sorted((root / folder).rglob("*.py"))
        if "migrations" not in path.parts and str(path.relative_to(root)) not in NOT_OF_PEOPLE
        for value in interpolated(ast.parse(path.read_text()))
        if is_of_people(value)
    ]
    assert not bare


# ------------------------------------------------------------------------------------------------ at the forms
STEERING_SENTENCE = "This contains invisible characters that reverse the direction of writing (U+202E)."


@pytest.mark.django_db
def test_a_name_with_signs_of_direction_is_refused_in_words_by_forms_and_by_files(nursing: Participation) -> None:
    for words in NASTY.values():
        form = TeamForm({"name": words[:160], "form": "full_time"}, participation=nursing)
        steers = set(words) & STEERING
        assert any("direction of writing" in error for error in form.errors.get("name", [])) == bool(steers), words
    row = dict.fromkeys(COLUMNS, "x") | {"sector": "health", "form": "", "team": "Zo\u202erg"}
    with override("en"):
        wrong = wrong_cells(row | {"director_email": "a@noord.example", "leader_email": "b@noord.example"})
        assert steering_in("Zo\u202erg").startswith(STEERING_SENTENCE)
        assert [one.startswith(f"“team”: {STEERING_SENTENCE}") for one in wrong] == [True]


def test_names_and_questions_from_files_are_kept_without_them() -> None:
    assert tidy("\ufeffZo\u202erg \u2067A\x07") == "Zorg A"
    assert folded("ZORG\u202e") == folded("Zorg")
    assert cleaned("Wij \u202eleren\u2069") == "Wij leren"


#: Attributes that a browser shows as text. What a screen reader says (aria-label) is read in the order in which it is written.
SHOWN_ATTRIBUTES = re.compile(r"""\b(?:title|alt|placeholder|data-confirm)="((?:[^"{]|\{(?:[^"]|"[^"]*")*?\})*)\"""")
SENTENCE = re.compile(r"\{% blocktranslate.*?\{% endblocktranslate %\}", re.DOTALL)


def test_peoples_words_in_an_attribute_stand_in_a_sentence_or_alone() -> None:
    """A sentence isolates what is put into it; two values side by side in one attribute would run into each other."""
    n_files = 0
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        for text in SHOWN_ATTRIBUTES.findall(path.read_text()):
            n_files += 1
            rest = SENTENCE.sub("", text).strip()
            assert "{{" not in rest or re.fullmatch(r"\{\{[^{}]*\}\}", rest), f"{path.name}: {text}"
    assert n_files > 10


@pytest.mark.django_db
def test_a_sentence_in_an_attribute_isolates_its_words() -> None:
    page = '{% load i18n %}<a title="{% blocktranslate %}Chart: {{ title }}. The same{% endblocktranslate %}">'
    assert SHOWN in Template(page).render(Context({"title": ARABIC}))
