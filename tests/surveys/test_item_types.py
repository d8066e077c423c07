"""Questions of no scale: one choice, a number with bounds, an open text; on the page, in the check, in the database."""

import pytest
import yaml
from django.urls import reverse

from surveys.answering import page
from surveys.answering.answers import InvalidAnswers, checked_answers
from surveys.models import Response, Survey
from surveys.questionnaires import publishing
from surveys.questionnaires.publishing import QuestionnaireError
from tests.groups import a_group
from tests.surveys.teacher import begin, hidden, page_of, post

DOCUMENT = """
code: mixed
languages: [nl, en]
title: {nl: Gemengd, en: Mixed}
options: [{nl: nee, en: "no"}, {nl: soms, en: sometimes}, {nl: ja, en: "yes"}]
scales:
  - code: A
    name: {nl: Eerste, en: First}
    items:
      - {code: A1, text: {nl: Een, en: One}}
      - {code: A2, text: {nl: Twee, en: Two}}
background:
  - code: role
    text: {nl: Rol, en: Role}
    choices: [{code: teacher, text: {nl: docent, en: teacher}}, {code: coach, text: {nl: coach, en: coach}}]
  - {code: years, type: number, minimum: 0, maximum: 60, text: {nl: Aantal jaren, en: Number of years}}
  - {code: hours, type: number, minimum: -5, maximum: 40, decimals: true, text: {nl: Uren, en: Hours}}
  - {code: more, type: text, text: {nl: Nog iets, en: Anything else}}
"""
ASKED = ["role", "years", "hours", "more"]


def mixed(**changes) -> dict:
    return yaml.safe_load(DOCUMENT) | changes


@pytest.fixture
def definition(db):
    return publishing.definition_of(publishing.import_questionnaire(DOCUMENT, a_group())[1])


@pytest.fixture
def asked(survey, meeting) -> Survey:
    version = publishing.import_questionnaire(DOCUMENT, a_group())[1]
    Survey.objects.filter(pk=survey.pk).update(version=version, background=ASKED)
    return Survey.objects.select_related("version", "study").get(pk=survey.pk)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"years": 7}, {"years": 7}),
        ({"years": "7"}, {"years": 7}),
        ({"years": 7.0}, {"years": 7}),
        ({"years": "0"}, {"years": 0}),
        ({"years": ""}, {}),
        ({"years": None, "more": " \r\n"}, {}),
        ({"hours": "-1,5"}, {"hours": -1.5}),
        ({"hours": 36}, {"hours": 36}),
        ({"more": " We\r\nlearn.\x00 "}, {"more": "We\nlearn."}),
        ({"more": 12}, {"more": "12"}),
        ({"more": "\ud83d"}, {}),
        ({"role": "coach"}, {"role": "coach"}),
        ({"more": "x", "role": "coach", "A2": 3}, {"A2": 3, "role": "coach", "more": "x"}),
    ],
)
def test_answers_are_stored_in_one_notation(definition, given, stored):
    checked = checked_answers(definition, ASKED, given)
    assert checked == stored
    assert list(checked) == list(stored)
    assert checked_answers(definition, ASKED, checked) == stored
    assert [type(value) for value in checked.values()] == [type(value) for value in stored.values()]


@pytest.mark.parametrize(
    "given",
    [
        {"years": 61},
        {"years": -1},
        {"years": 1.5},
        {"years": "seven"},
        {"years": "1_0"},
        {"years": "nan"},
        {"years": float("inf")},
        {"years": True},
        {"years": [1]},
        {"hours": 40.5},
        {"more": "a" * 1001},
        {"more": True},
        {"more": {"a": 1}},
        {"role": 1},
        {"role": "boss"},
        {"role": ""},
    ],
)
def test_what_is_no_answer_is_refused(definition, given):
    with pytest.raises(InvalidAnswers):
        checked_answers(definition, ASKED, given)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "number"}, "needs a minimum and a maximum"),
        ({"type": "number", "minimum": 5, "maximum": 5}, "below the maximum"),
        ({"type": "number", "minimum": 0.5, "maximum": 5}, "whole numbers"),
        ({"type": "number", "minimum": 0, "maximum": 5, "decimals": "yes"}, "true or false"),
        ({"type": "date"}, "one of: choice, number, text"),
        ({"type": "text", "choices": [{"code": "a", "text": {"nl": "a", "en": "a"}}]}, "has choices"),
        ({"type": "choice"}, "at least one entry"),
        ({"type": "text", "code": "team"}, "used by the program"),
    ],
)
def test_a_question_of_a_wrong_kind_is_refused(db, change, words):
    question = {"code": "q", "text": {"nl": "Vraag", "en": "Question"}} | change
    with pytest.raises(QuestionnaireError, match=words):
        publishing.import_questionnaire(yaml.safe_dump(mixed(background=[question])), a_group())


def test_versions_from_before_there_were_types_can_be_read(db):
    """The shipped questionnaires' hashes stay, so that an upgrade makes no new versions of them."""
    version = publishing.install_shipped(a_group())[0]
    assert version.content_hash == "bf9d58044b3bd899c26b4b8a8cf7f144c6c866fee9ecb5789ac60c26257586f0"
    assert all("type" not in question for question in version.content["background"])
    assert {question.type for question in publishing.definition_of(version).background} == {"choice"}


def test_the_page_holds_a_field_for_each(asked, meeting, teacher):
    begin(teacher, meeting)
    html = teacher.get(page_of(teacher), headers={"Accept-Language": "en"}).content.decode()
    assert '<input type="number" id="f-years" name="years" min="0" max="60" step="1"' in html
    assert '<input type="number" id="f-hours" name="hours" min="-5" max="40" step="any"' in html
    assert '<textarea id="f-more" name="more" rows="4" maxlength="1000"' in html
    assert 'name="role" value="coach"' in html


def test_with_the_script_answers_are_saved_in_one_notation(asked, meeting, teacher):
    key = begin(teacher, meeting)
    answers = {"A1": 2, "years": "12", "more": "Meer overleg <b>graag</b>"}
    saved = post(teacher, "answer_save", key=key, sequence=1, answers=answers).json()
    assert (saved["outcome"], saved["answers"]) == ("saved", {**answers, "years": 12})
    html = teacher.get(page_of(teacher)).content.decode()
    assert "<b>graag</b>" not in html
    cleared = post(teacher, "answer_save", key=key, sequence=2, answers={"A1": 2, "years": "", "more": ""}).json()
    assert cleared["answers"] == {"A1": 2}


def test_without_a_script_a_wrong_number_is_asked_again(asked, meeting, teacher):
    key = begin(teacher, meeting)
    here = {"key": key, "step": "2", "go": "next"}
    wrong = teacher.post(reverse("answer_step"), {**here, "role": "coach", "years": "600", "more": "Dag"})
    html = wrong.content.decode()
    assert wrong.status_code == 422
    assert 'value="600"' in html
    assert 'aria-invalid="true"' in html
    assert "van 0 tot en met 60" in html
    assert "Dag</textarea>" in html
    assert Response.objects.get().answers == {"role": "coach", "more": "Dag"}
    right = teacher.post(reverse("answer_step"), {**here, "role": "coach", "years": "6", "more": ""})
    assert (right.status_code, right["Location"]) == (303, page_of(teacher) + "?step=3")
    assert Response.objects.get().answers == {"role": "coach", "years": 6}
    assert 'value="6"' in teacher.get(page_of(teacher) + "?step=2").content.decode()
    done = teacher.post(
        reverse("answer_submit"), {"key": hidden(teacher.get(page_of(teacher) + "?step=3"), "key"), "go": "submit"}
    )
    assert done["Location"] == page_of(teacher, "answer_done")


def test_what_is_typed_counts_as_answered(definition):
    steps = page.steps_of(definition, ASKED, "en", {"years": 0, "more": "x"})
    assert [question.answered for question in steps[1].questions] == [False, True, False, True]
