"""Questionnaires: the shipped ones against the instrument's texts, import and export, frozen versions."""

import copy

import pytest
import yaml
from django.utils import translation

from surveys.models import Questionnaire, QuestionnaireVersion
from surveys.questionnaires import publishing
from surveys.questionnaires.publishing import DATA, Definition, QuestionnaireError
from tests.groups import a_group
from tests.surveys.conftest import in_threads

SMALL = """
code: small
languages: [en]
title: Small
options: ["no", a bit, "yes"]
scales:
  - code: A
    name: First
    items:
      - {code: A1, text: One}
      - {code: A2, text: Two, reverse_keyed: true}
"""


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def small() -> dict:
    return yaml.safe_load(SMALL)


def as_yaml(document: dict) -> str:
    return yaml.safe_dump(document, sort_keys=False)


def test_shipped_questionnaires_hold_the_instrument(db):
    default, demo = publishing.install_shipped(a_group())
    definition = publishing.definition_of(default)
    assert [scale.code for scale in definition.scales] == ["GV", "IV", "IS", "OD", "CH", "ER"]
    assert [len(scale.items) for scale in definition.scales] == [6] * 6
    assert definition.n_points == 4
    assert definition.languages == ("nl", "en")
    assert definition.eligible_codes == {"yes"}
    assert definition.background_codes == ("years_in_team", "appointment", "counsellor")
    assert "niet gevalideerd" in definition.note["nl"]
    assert definition.items[0].text["nl"] == "We zijn het erover eens wat onze studenten vooral moeten leren."
    assert definition.items[35].text["en"] == "We test the programme's results against goals set beforehand."
    assert not any(item.reverse_keyed for item in definition.items)
    other = publishing.definition_of(demo)
    differing = [a.code for a, b in zip(definition.items, other.items, strict=True) if a.text != b.text]
    assert differing == ["IV1", "IV2", "IV3", "IV4", "IV5", "IV6"]
    assert other.scales[1].items[2].text["nl"] == "Onze hogeschool organiseert bijeenkomsten met het werkveld."


def test_installing_again_changes_nothing(db):
    first = publishing.install_shipped(a_group())
    assert publishing.install_shipped(a_group()) == first
    assert QuestionnaireVersion.objects.count() == 2


@pytest.mark.parametrize("name", publishing.SHIPPED)
def test_export_and_import_round_trip(db, name):
    _questionnaire, version = publishing.import_questionnaire((DATA / f"{name}.yaml").read_text(), a_group())
    _again, same = publishing.import_questionnaire(publishing.export(version.content), a_group())
    assert same == version
    assert same.number == 1


def test_a_changed_document_makes_a_new_version_and_keeps_the_old_one(db):
    _questionnaire, first = publishing.import_questionnaire(as_yaml(small()), a_group())
    changed = small()
    changed["scales"][0]["items"][0]["text"] = "Another"
    questionnaire, second = publishing.import_questionnaire(as_yaml(changed), a_group())
    assert (first.number, second.number) == (1, 2)
    first.refresh_from_db()
    assert Definition.read(first.content).items[0].text == {"en": "One"}
    assert questionnaire.draft == second.content
    assert publishing.publish_version(questionnaire) == second


def broken(change):
    document = copy.deepcopy(small())
    change(document)
    return as_yaml(document)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("title"), "title"),
        (lambda d: d.update(code="Not A Slug"), "code"),
        (lambda d: d.update(code=7), "code"),
        (lambda d: d.update(languages=["fr"]), "languages"),
        (lambda d: d.update(languages=["nl", "en"]), "title: give the text in each language"),
        (lambda d: d.update(options=["only one"]), "2 to 11"),
        (lambda d: d.update(options=[{"value": 2, "text": "a"}, {"value": 1, "text": "b"}]), "1, 2, 3"),
        (lambda d: d.update(scales=[]), "scales"),
        (lambda d: d.update(scales="GV"), "scales"),
        (lambda d: d["scales"].append("GV"), "scales 2"),
        (lambda d: d["scales"][0]["items"][0].update(code="1A"), "scale A item 1"),
        (lambda d: d["scales"][0]["items"][1].update(code="a1"), "already used"),
        (lambda d: d["scales"][0]["items"][0].update(reversed=True), "'reversed' is not known"),
        (lambda d: d["scales"][0]["items"][0].update(reverse_keyed="yes"), "true or false"),
        (lambda d: d.update(colour="red"), "colour"),
        (
            lambda d: d.update(eligibility={"text": "May you?", "choices": [{"code": True, "text": "Yes"}]}),
            'write code: "yes"',
        ),
        (
            lambda d: d.update(eligibility={"text": "May you?", "choices": [{"code": "y", "text": "Yes"}]}),
            "one not",
        ),
        (
            lambda d: d.update(
                background=[
                    {"code": "q", "text": "?", "choices": [{"code": "a", "text": "A"}, {"code": "a", "text": "B"}]}
                ]
            ),
            "used twice",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(db, change, words):
    with pytest.raises(QuestionnaireError) as caught:
        publishing.import_questionnaire(broken(change), a_group())
    assert any(words in problem for problem in caught.value.problems), caught.value.problems
    assert not Questionnaire.objects.exists()


def test_all_problems_come_at_once(db):
    document = small()
    document["scales"][0]["items"][0].pop("text")
    document["options"] = []
    with pytest.raises(QuestionnaireError) as caught:
        publishing.import_questionnaire(as_yaml(document), a_group())
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("text", ["a: [1", "- a list", "", "a: &x [1]\nb: *x", "!!python/object:os.system {}"])
def test_what_is_no_questionnaire_is_refused(db, text):
    with pytest.raises(QuestionnaireError):
        publishing.import_questionnaire(text, a_group())


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_at_once_make_one_version():
    questionnaire, version = publishing.import_questionnaire(as_yaml(small()), a_group())
    QuestionnaireVersion.objects.all().delete()
    results = in_threads(*[lambda: publishing.publish_version(questionnaire)] * 4)
    assert len({result.pk for result in results}) == 1
    assert QuestionnaireVersion.objects.count() == 1
    assert version.content_hash == results[0].content_hash
