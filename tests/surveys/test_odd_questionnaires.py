"""Files that are no questionnaire, or one with a part that is something else: a sentence each, never an error."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.questionnaires.checking import checked
from surveys.questionnaires.definition import QuestionnaireError
from surveys.questionnaires.publishing import DATA, read_yaml
from surveys.questionnaires.xlsform_reading import _Reading

GOOD = (DATA / "collective-learning.yaml").read_text()
ODD = [
    "code: 2020-13-45",
    "code: !!int x",
    "code: !!python/object:os.system x",
    "languages: [[1]]",
    "languages: [{a: b}]",
    "[" * 20_000,
    "{a: " * 20_000,
    "- " * 20_000,
    "? " * 5_000,
    "code: " + "9" * 5_000,
    "code: -0b_",
    "a: &x [1]\nb: *x",
    "? [a]\n: b",
    "code: \0",
    "\ud800",
    "%YAML 9.9\n---\na: b",
    "--- a\n--- b",
]


@pytest.mark.parametrize("text", ODD, ids=lambda text: repr(text[:30]))
def test_a_document_that_is_no_questionnaire_says_why(text: str) -> None:
    with pytest.raises(QuestionnaireError) as refusal:
        read_yaml(text)
    assert all(problem.strip() for problem in refusal.value.problems)


def test_a_document_makes_no_object(tmp_path: Path) -> None:
    """A tag that would have a loader call something calls nothing."""
    made = tmp_path / "made"
    for tag in ("apply:os.mkdir", "new:os.mkdir", "apply:pathlib.Path.touch"):
        with pytest.raises(QuestionnaireError):
            read_yaml(f"code: !!python/object/{tag} ['{made}']")
        assert not made.exists()


def test_a_date_or_a_time_in_a_text_stays_as_it_was_typed() -> None:
    with pytest.raises(QuestionnaireError) as refusal:
        read_yaml("code: 2020-01-01\ntitle: 190:20:30")
    assert not any(problem.startswith("code") for problem in refusal.value.problems)


def read_or_problems(content: Any) -> Any:
    try:
        return checked(content)
    except QuestionnaireError as refusal:
        return refusal.problems


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every part of a document."""
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [path, *(place for name, value in inside for place in places(value, (*path, name)))]


CONTENT = read_yaml(GOOD)
PLACES = places(CONTENT)[1:]


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_value_in_any_place_is_right_or_is_named(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    content = copy.deepcopy(CONTENT)
    for (*way, last), value in changes:
        part: Any = content
        try:
            for name in way:
                part = part[name]
            part[last] = value
        except (KeyError, IndexError, TypeError):  # an earlier change took the place away
            continue
    assert read_or_problems(content)


WORDS = (
    "survey type name label select_one begin_group end_group begin_repeat note integer calculate list_name a 1 2 3 x"
)
CELLS = st.sampled_from(
    ["", "label::English (en)", "select_one a", "constraint", ". >= 1", "eligibility", *WORDS.split()]
) | st.text(max_size=8)
SHEETS = st.lists(st.lists(CELLS, max_size=5), max_size=6)


@given(st.dictionaries(st.sampled_from(["choices", "settings", "other"]), SHEETS), SHEETS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_cells_make_a_questionnaire_or_a_report(
    sheets: dict[str, list[list[str]]], survey: list[list[str]]
) -> None:
    form = _Reading({**sheets, "survey": survey}).form()
    assert form.content is not None or form.problems
