"""Answers become codes: what PostgreSQL gives of a row and what Python takes out of it are the same."""

import json
import random

import pytest

from analysis.data import given
from analysis.data.given import JUDGED_NOT, NO_ANSWER, answers_as_text, codes_of
from surveys.models import SealedResponse
from tests.analysis import builders

ITEMS = ("AA1", "AA2", "BB1", "BB2", "BB3")


@pytest.mark.parametrize("n_points", [2, 4, 9, 10, 11])
def test_lists_and_rows_say_the_same(n_points):
    chance = random.Random(n_points)
    rows = [
        {item: chance.choice(["x", *range(1, n_points + 1)]) for item in ITEMS if chance.random() < 0.8}
        for _ in range(200)
    ]
    rows += [{}, dict.fromkeys(ITEMS, n_points), {"AA1": "x"}]
    lists = [",".join(str(row.get(item, "")) for item in ITEMS) for row in rows]
    others = [{**row, "years_in_team": "over_10", "remark": 'a "b", {c: 3}'} for row in rows]
    expected = given._of_rows([json.dumps(row) for row in others], ITEMS, n_points)
    assert expected.tolist() == given._of_lists(lists, ITEMS, n_points).tolist()
    assert {NO_ANSWER, JUDGED_NOT, 1, n_points} <= set(expected.tolist())


@pytest.mark.parametrize("answer", ["5", "10", "21", "0", "y", "1x", "111", "1,1"])
def test_what_is_no_answer_is_refused(answer):
    with pytest.raises(KeyError):
        given._of_lists([f"{answer},,,,", "1,2,3,4,x"], ITEMS, 4)


def test_no_rows_are_no_codes():
    assert codes_of([], ITEMS, 4).shape == (0, len(ITEMS))


@pytest.mark.django_db
def test_the_database_gives_the_answers_in_the_order_asked():
    study = builders.make_study()
    builders.seal(builders.make_team(study, "Team"), [{"BB2": 4, "AA1": 1, "AA2": "x"}])
    SealedResponse.objects.update(answers={"BB2": 4, "AA1": 1, "AA2": "x", "remark": "a, b", "age": 41})
    texts = SealedResponse.objects.annotate(given=answers_as_text(ITEMS)).values_list("given", flat=True)
    assert codes_of(list(texts), ITEMS, 4).tolist() == [[1, JUDGED_NOT, NO_ANSWER, 4, NO_ANSWER]]
