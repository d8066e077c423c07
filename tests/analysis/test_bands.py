"""Bands of a number: limits as researchers write them, codes for files, words for people."""

import pytest
from django.utils.translation import override

from analysis.data import bands
from surveys.questionnaires.definition import NUMBER, Question


def question(minimum=16, maximum=75, *, decimals=False):
    return Question("age", {"en": "Age", "nl": "Leeftijd"}, (), NUMBER, minimum, maximum, decimals)


@pytest.mark.parametrize(
    ("text", "limits"),
    [("30, 40,50", (30, 40, 50)), ("30 40;50", (30, 40, 50)), ("", ()), (" 75 ", (75,))],
)
def test_limits_are_read_as_they_are_written(text, limits):
    assert bands.read_limits(text, question()) == limits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30, x", "commas"),
        ("40, 30", "must increase"),
        ("30, 30", "must increase"),
        ("16", "above 16"),
        ("76", "not above 75"),
        ("30.5", "whole"),
    ],
)
def test_limits_that_make_no_bands_are_refused(text, words):
    with override("en"), pytest.raises(bands.LimitsRefused, match=words):
        bands.read_limits(text, question())


def test_every_number_is_in_one_band():
    limits = (30.0, 40.0)
    assert bands.codes(limits) == ["under_30", "from_30_under_40", "from_40"]
    assert [bands.code_of_value(value, limits) for value in (29, 29.9, 30, 39.9, 40, "")] == [
        "under_30",
        "under_30",
        "from_30_under_40",
        "from_30_under_40",
        "from_40",
        "",
    ]


def test_words_in_both_languages():
    choices = bands.choices(question(), (30.0, 40.0, 41.0))
    assert [choice.text for choice in choices] == [
        {"en": "under 30", "nl": "onder 30"},
        {"en": "30–39", "nl": "30–39"},
        {"en": "40", "nl": "40"},
        {"en": "41 or more", "nl": "41 of meer"},
    ]
    parts = bands.choices(question(0, 3, decimals=True), (0.5, 1.0))
    assert [choice.text["nl"] for choice in parts] == ["onder 0.5", "0.5 tot 1", "1 of meer"]


@pytest.mark.parametrize(
    ("minimum", "maximum", "limits"),
    [
        (16, 75, [20, 30, 40, 50, 60, 70]),
        (0, 45, [5, 10, 15, 20, 25, 30, 35, 40, 45]),
        (0, 1, [1]),
        (0, 1_000_000, [100_000 * n for n in range(1, 11)]),
    ],
)
def test_round_bands_over_what_may_be_answered(minimum, maximum, limits):
    assert list(bands.offered(question(minimum, maximum))) == limits
