"""Questionnaires as YAML and as XLSForm: what is written is read back the same, what is not supported is named."""

import io
import time

import openpyxl
import pytest
import yaml
from django.utils import translation
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from surveys.questionnaires import publishing, xlsform_reading, xlsform_writing
from surveys.questionnaires.checking import checked, cleaned
from surveys.questionnaires.publishing import DATA
from teams.files.tables import FORMULA_STARTS
from tests.surveys.test_item_types import DOCUMENT

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.just("\n"), min_size=1, max_size=30)
FORMULAS = st.builds("".join, st.tuples(st.sampled_from(["=", "+", "-", "@", "'=", "''@", "'", "_x0041_"]), WORDS))
TEXT = (WORDS | FORMULAS).map(cleaned).filter(bool)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@st.composite
def contents(draw) -> dict:
    """A whole questionnaire that the check lets pass."""
    languages = draw(st.sampled_from([["nl"], ["en"], ["nl", "en"], ["en", "nl"]]))
    texts = st.fixed_dictionaries(dict.fromkeys(languages, TEXT))
    maybe = st.just({}) | texts
    n_scales, n_questions = draw(st.integers(1, 3)), draw(st.integers(0, 3))

    def choices(**more) -> list[dict]:
        return [{"code": f"c{n}", "text": draw(texts), **more} for n in range(draw(st.integers(1, 3)))]

    def question(n: int) -> dict:
        start = {"code": f"q{n}", "text": draw(texts)}
        kind = draw(st.sampled_from(["choice", "number", "text"]))
        if kind == "choice":
            return start | {"choices": choices()}
        if kind == "text":
            return start | {"type": "text"}
        low = draw(st.integers(-50, 50))
        bounds = {"minimum": low, "maximum": low + draw(st.integers(1, 90)), "decimals": draw(st.booleans())}
        return start | {"type": "number", **bounds}

    eligibility = None
    if draw(st.booleans()):
        answers = [{"code": code, "text": draw(texts), "eligible": code == "y"} for code in ("y", "n")]
        eligibility = {"text": draw(texts), "choices": answers}
    scales = [
        {
            "code": f"S{s}",
            "name": draw(texts),
            "meaning": draw(maybe),
            "items": [
                {"code": f"S{s}i{n}", "text": draw(texts), "reverse_keyed": draw(st.booleans())}
                for n in range(draw(st.integers(1, 3)))
            ],
        }
        for s in range(n_scales)
    ]
    return checked(
        {
            "code": draw(st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?", fullmatch=True)),
            "languages": languages,
            "title": draw(texts),
            **{name: draw(maybe) for name in ("note", "intro", "consent", "thanks")},
            "options": [{"value": n, "text": draw(texts)} for n in range(1, draw(st.integers(2, 11)) + 1)],
            "cannot_judge": draw(st.none() | texts),
            "eligibility": eligibility,
            "scales": scales,
            "background": [question(n) for n in range(n_questions)],
        }
    )


@given(contents())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking whole workbooks takes minutes
)
def test_every_questionnaire_comes_back_from_yaml_and_from_an_xlsform(content):
    assert publishing.read_yaml(publishing.export(content)) == content
    form = xlsform_reading.read(xlsform_writing.write(content))
    assert form.problems == ()
    assert form.content == content
    assert form.notes == ()


@pytest.mark.parametrize("name", publishing.SHIPPED)
def test_the_shipped_questionnaires_come_back(name):
    content = publishing.read_yaml((DATA / f"{name}.yaml").read_text())
    assert xlsform_reading.read(xlsform_writing.write(content)) == xlsform_reading.Form(content, ())
    assert publishing.read_yaml(publishing.export(content)) == content


def test_no_cell_is_a_formula():
    document = yaml.safe_load(DOCUMENT)
    document["scales"][0]["items"][0]["text"] = {"nl": '=HYPERLINK("http://x.example")', "en": "@SUM(A1)"}
    content = checked(document)
    book = openpyxl.load_workbook(io.BytesIO(xlsform_writing.write(content)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not [cell.value for cell in cells if cell.value.startswith(FORMULA_STARTS)]
    assert xlsform_reading.read(xlsform_writing.write(content)).content == content


def workbook(survey: list[list], choices: list[list], settings_: list[list] | None = None, **more) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in {"survey": survey, "choices": choices, "settings": settings_ or [], **more}.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


CHOICES = [
    ["list_name", "name", "label::English (en)", "label::Nederlands (nl)", "image"],
    ["likert", 1, "no", "nee", None],
    ["likert", 2, "partly", "deels", None],
    ["likert", 3, "yes", "ja", None],
    ["jobs", "1", "teacher", "docent", None],
    ["jobs", "boss", "boss", "baas", "boss.png"],
    ["unused", "a", "a", "a", None],
]


def test_a_form_from_elsewhere_becomes_a_questionnaire_with_a_report():
    survey = [
        [
            "type",
            "name",
            "label::English (en)",
            "label::Nederlands (nl)",
            "label::Français (fr)",
            "required",
            "relevant",
        ],
        ["start", "started"],
        ["begin_group", "trust", "Trust", "Vertrouwen"],
        ["note", "hello", "Hello", "Dag"],
        ["select_one likert", "t1", "We trust", "We vertrouwen", "Confiance", "yes"],
        ["select_one likert", "t2", "We ask", "We vragen", None, "no", "${t1} = '3'"],
        ["integer", "years", "Years", "Jaren"],
        ["end_group", "trust"],
        ["select_one likert", "alone", "Alone", "Alleen"],
        ["select_one jobs", "job", "Job", "Werk"],
        ["select_one nowhere", "lost", "Lost", "Kwijt"],
        ["begin_repeat", "kids", "Kids", "Kinderen"],
        ["text", "kid", "Name", "Naam"],
        ["end_repeat", "kids"],
        ["calculate", "sum1"],
        ["select_multiple jobs", "many", "Many", "Veel"],
        ["text", "more", "More", "Meer"],
    ]
    form = xlsform_reading.read(
        workbook(
            survey, CHOICES, [["form_title", "form_id", "style"], ["Trust", "trust_2026", "pages"]], entities=[["x"]]
        )
    )
    assert form.problems == ()
    content = form.content
    assert content is not None
    assert (content["code"], content["languages"]) == ("trust-2026", ["en", "nl"])
    assert content["title"] == {"en": "Trust", "nl": "Trust"}
    assert [(s["code"], [i["code"] for i in s["items"]]) for s in content["scales"]] == [("trust", ["t1", "t2"])]
    assert [option["text"]["nl"] for option in content["options"]] == ["nee", "deels", "ja"]
    assert [(q["code"], q.get("type", "choice")) for q in content["background"]] == [
        ("years", "number"),
        ("job", "choice"),
        ("more", "text"),
    ]
    assert [choice["code"] for choice in content["background"][1]["choices"]] == ["c1", "boss"]
    said = {(note.sheet, note.row): note.what for note in form.notes}
    named = {
        ("survey", 2): "type “start”",
        ("survey", 4): "notes between questions",
        ("survey", 5): "never forced",
        ("survey", 6): "“relevant”",
        ("survey", 7): "two bounds",
        ("survey", 9): "is in no group",
        ("survey", 11): "“nowhere” is not in the sheet",
        ("survey", 12): "repeated groups",
        ("survey", 13): "in a repeated group",
        ("survey", 15): "type “calculate”",
        ("survey", 16): "type “select_multiple jobs”",
        ("choices", 5): "“1” becomes “c1”",
        ("choices", 6): "column “image”",
        ("choices", 7): "“unused”",
        ("settings", 2): "title has one language",
        ("entities", 0): "this sheet is not read",
    }
    assert {place: words for place, words in named.items() if words not in said.get(place, "")} == {}
    everything = " ".join(note.what for note in form.notes)
    assert "“français (fr)” is not asked here" in everything
    assert "the column “style” is not imported: pages" in everything


@pytest.mark.parametrize(
    ("constraint", "bounds", "noted"),
    [
        (". >= 0 and . <= 60", (0, 60), False),
        (". > 0 and . < 60", (1, 59), False),
        ("(. <= 60) and (. >= -5)", (-5, 60), False),
        (". >= 18", (18, 100_000), True),
        (". >= 0 and . <= ${other}", (0, 100_000), True),
        ("regex(., '^[0-9]$')", (0, 100_000), True),
    ],
)
def test_bounds_come_from_the_constraint(constraint, bounds, noted):
    survey = [
        ["type", "name", "label", "constraint"],
        ["begin_group", "g", "Group"],
        ["select_one likert", "g1", "One"],
        ["end_group", "g"],
        ["integer", "n", "Number", constraint],
    ]
    choices = [["list_name", "name", "label"], ["likert", 1, "no"], ["likert", 2, "yes"]]
    form = xlsform_reading.read(workbook(survey, choices, [["form_title"], ["T"]]))
    assert form.content is not None
    question = form.content["background"][0]
    assert (question["minimum"], question["maximum"]) == bounds
    assert bool(form.notes) == noted


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no workbook", "cannot be opened"),
        (b"", "cannot be opened"),
        (workbook([["type", "name", "label"]], []), "scales"),
        (workbook([["type"], ["text"]], []), "list with at least one entry"),
    ],
)
def test_what_makes_no_questionnaire_says_why(content, words):
    form = xlsform_reading.read(content)
    assert form.content is None
    assert any(words in problem for problem in form.problems), form.problems


def test_a_workbook_without_a_survey_is_no_xlsform():
    book = openpyxl.Workbook()
    file = io.BytesIO()
    book.save(file)
    assert "not an XLSForm" in xlsform_reading.read(file.getvalue()).problems[0]


def test_a_long_cell_in_the_header_costs_no_time():
    since = time.process_time()
    assert xlsform_reading._Reading._header("a" + " " * 32_000 + "!")[1] == ""
    assert time.process_time() - since < 1


@pytest.mark.parametrize(
    ("cell", "column"),
    [
        ("Label", ("label", "")),
        ("label::Dutch (nl)", ("label", "dutch (nl)")),
        ("label : English (en)", ("label", "english (en)")),
        ("list name", ("list name", "")),
        ("label::", ("label::", "")),
        ("media::image::nl", ("media", "image::nl")),
        ("a.b", ("a.b", "")),
    ],
)
def test_headers_of_columns(cell, column):
    assert xlsform_reading._Reading._header(cell) == column
