"""What differs between two versions, and which scales stay comparable."""

import copy

import pytest
import yaml
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surveys.questionnaires.checking import checked
from surveys.questionnaires.definition import Definition
from surveys.questionnaires.version_changes import Verdict, compare

DOCUMENT = """
code: two
languages: [nl, en]
title: {nl: Twee, en: Two}
options: [{nl: nee, en: "no"}, {nl: soms, en: sometimes}, {nl: ja, en: "yes"}]
scales:
  - code: A
    name: {nl: Eerste, en: First}
    items: [A1, A2, A3, A4, A5]
  - code: B
    name: {nl: Tweede, en: Second}
    items: [B1, B2, B3, B4]
background:
  - {code: years, type: number, minimum: 0, maximum: 60, text: {nl: Jaren, en: Years}}
"""


def document() -> dict:
    content = yaml.safe_load(DOCUMENT)
    for scale in content["scales"]:
        scale["items"] = [{"code": code, "text": {"nl": f"{code} nl", "en": f"{code} en"}} for code in scale["items"]]
    return content


def read(content: dict) -> Definition:
    return Definition.read(checked(content))


def changed(change) -> Definition:
    content = document()
    change(content)
    return read(content)


OLD = read(document())


def verdicts(comparison) -> dict:
    return {scale.code: (scale.verdict, len(scale.common)) for scale in comparison.scales}


def items(content: dict, scale: int = 0) -> list[dict]:
    return content["scales"][scale]["items"]


def test_the_same_is_comparable():
    comparison = compare(OLD, read(document()))
    assert not comparison.changes_anything
    assert comparison.unchanged == OLD.item_codes
    assert verdicts(comparison) == {"A": (Verdict.COMPARABLE, 5), "B": (Verdict.COMPARABLE, 4)}
    assert comparison.common_items == {"A": ("A1", "A2", "A3", "A4", "A5"), "B": ("B1", "B2", "B3", "B4")}


@pytest.mark.parametrize(
    ("change", "field", "value", "a", "b"),
    [
        (lambda d: items(d)[0]["text"].update(en="new"), "reworded", ["A1"], ("common items", 4), ("comparable", 4)),
        (lambda d: items(d)[0]["text"].update(nl="nieuw"), "reworded", ["A1"], ("common items", 4), ("comparable", 4)),
        (lambda d: items(d)[0].update(reverse_keyed=True), "reworded", ["A1"], ("common items", 4), ("comparable", 4)),
        (lambda d: items(d).pop(0), "dropped", ["A1"], ("common items", 4), ("comparable", 4)),
        (
            lambda d: items(d).append({"code": "A6", "text": {"nl": "n", "en": "e"}}),
            "added",
            ["A6"],
            ("common items", 5),
            ("comparable", 4),
        ),
        (lambda d: items(d).append(items(d).pop(0)), "moved", ["A1"], ("comparable", 5), ("comparable", 4)),
        (lambda d: items(d, 1).append(items(d).pop(0)), "moved", ["A1"], ("common items", 4), ("common items", 4)),
        (lambda d: d["options"].pop(), "options_changed", True, ("not comparable", 0), ("not comparable", 0)),
        (
            lambda d: d["options"][1].update(en="often"),
            "options_changed",
            True,
            ("not comparable", 0),
            ("not comparable", 0),
        ),
        (
            lambda d: d.update(cannot_judge={"nl": "?", "en": "?"}),
            "cannot_judge_changed",
            True,
            ("comparable", 5),
            ("comparable", 4),
        ),
        (lambda d: d["title"].update(en="New"), "texts", ["title"], ("comparable", 5), ("comparable", 4)),
        (lambda d: d["scales"][0]["name"].update(en="N"), "texts", ["A"], ("comparable", 5), ("comparable", 4)),
        (lambda d: d["background"][0].update(maximum=70), "questions", ["years"], ("comparable", 5), ("comparable", 4)),
        (lambda d: d.update(background=[]), "questions", ["years"], ("comparable", 5), ("comparable", 4)),
        (lambda d: d["scales"][0].update(code="C"), "scales_dropped", ["A"], None, ("comparable", 4)),
    ],
)
def test_each_change_is_named_and_judged(change, field, value, a, b):
    comparison = compare(OLD, changed(change))
    compared = getattr(comparison, field)
    if field == "reworded":
        compared = [item.code for item in compared]
    assert compared == value if isinstance(value, bool) else list(compared) == value
    assert comparison.changes_anything
    by_scale = {code: (verdict.value, n) for code, (verdict, n) in verdicts(comparison).items()}
    assert (by_scale.get("A"), by_scale.get("B")) == (a, b)


def test_fewer_than_three_common_items_are_too_few():
    def drop(content):
        items(content, 1)[:2] = []

    comparison = compare(OLD, changed(drop))
    assert verdicts(comparison)["B"] == (Verdict.NOT_COMPARABLE, 2)
    assert "B" not in comparison.common_items
    with translation.override("en"):
        assert [scale.in_words for scale in comparison.scales] == ["comparable", "not comparable"]


def test_an_added_language_changes_no_words():
    def dutch_only(content):
        content["languages"] = ["nl"]

    comparison = compare(changed(dutch_only), OLD)
    assert comparison.languages_added == ("en",)
    assert not comparison.reworded
    assert verdicts(comparison)["A"] == (Verdict.COMPARABLE, 5)

    def english_only(content):
        content["languages"] = ["en"]

    other = compare(changed(dutch_only), changed(english_only))
    assert verdicts(other) == {"A": (Verdict.NOT_COMPARABLE, 0), "B": (Verdict.NOT_COMPARABLE, 0)}


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_item_is_in_one_place_of_the_report(data):
    """Items of both versions are unchanged, reworded or moved; the others added or dropped. Order alone changes no verdict."""
    content = copy.deepcopy(document())
    for scale in content["scales"]:
        scale["items"] = data.draw(st.permutations(scale["items"]))
        del scale["items"][data.draw(st.integers(1, len(scale["items"]))) :]
    for item in [item for scale in content["scales"] for item in scale["items"]]:
        if data.draw(st.booleans()):
            item["text"] = {"nl": "x", "en": "x"}
    new = read(content)
    comparison = compare(OLD, new)
    reworded = {item.code for item in comparison.reworded}
    both = set(OLD.item_codes) & set(new.item_codes)
    assert set(comparison.unchanged) | reworded | set(comparison.moved) == both
    assert not set(comparison.unchanged) & (reworded | set(comparison.moved))
    assert set(comparison.dropped) == set(OLD.item_codes) - both
    backwards = compare(new, OLD)
    assert backwards.dropped == comparison.added
    assert {s.code: set(s.common) for s in backwards.scales} == {s.code: set(s.common) for s in comparison.scales}
