import random

import numpy as np
import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.data import dataset
from surveys.models import Collection, SealedResponse, Survey
from teams.models import Participation
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db


def _survey(study):
    return Survey.objects.get(study=study)


def test_reads_answers_gaps_and_cannot_judge_apart():
    study = builders.make_study()
    team = builders.make_team(study, "Team")
    builders.seal(team, [answers(1, "x", None, 4, 2, 3, 3, 2, 1)])
    data = dataset.load(_survey(study))
    assert data.items == builders.ITEMS
    np.testing.assert_array_equal(data.answers, [[1, np.nan, np.nan, 4, 2, 3, 3, 2, 1]])
    assert data.cannot_judge.tolist() == [[False, True, *[False] * 7]]
    assert data.participations == (team.pk,)
    assert [v.code for v in data.codebook if v.reverse_keyed] == ["AA3"]
    assert data.codebook[0].categories[0] == (1, {"en": "strongly disagree"})


def test_only_sealed_collections_of_teams_that_did_not_withdraw():
    study = builders.make_study()
    for number, state in enumerate([Collection.State.SEALED, Collection.State.CLOSED, Collection.State.OPEN]):
        collection = builders.seal(builders.make_team(study, f"T{number}"), [answers(1)])
        Collection.objects.filter(pk=collection.pk).update(state=state, closes_for_good_at="2026-01-01T00:00Z")
    left = builders.make_team(study, "Left")
    builders.seal(left, [answers(2)])
    Participation.objects.filter(pk=left.pk).update(state=Participation.State.WITHDRAWN)
    data = dataset.load(_survey(study))
    assert len(data) == 1
    assert len(data.participations) == 1


def test_what_counts_as_returned():
    study = builders.make_study()
    builders.seal(
        builders.make_team(study, "Team"),
        [
            answers(1),
            {},  # submitted without an answer: it came back
            {},  # not eligible: recorded as returned
            {"AA1": 3},  # a draft with one answer
            {"AA1": "x"},  # a draft without an answer to a scale item
            {},  # opened only
        ],
        eligibility=["yes", "yes", "no_other", "yes", "yes", ""],
        drafts=3,
    )
    data = dataset.load(_survey(study))
    assert int(data.returned.sum()) == 4
    assert int(data.not_eligible.sum()) == 1


def test_fingerprint_is_stable_and_order_does_not_matter():
    study = builders.make_study()
    builders.three_teams(study)
    survey = _survey(study)
    before = dataset.load(survey)
    rows = list(SealedResponse.objects.all())
    SealedResponse.objects.all().delete()
    random.Random(3).shuffle(rows)
    SealedResponse.objects.bulk_create(rows)
    after = dataset.load(survey)
    assert after.fingerprint == before.fingerprint
    assert after.respondents.index.tolist() == sorted(before.respondents.index)
    np.testing.assert_array_equal(after.answers, before.answers)


@pytest.mark.parametrize(
    "change",
    [
        {"answers": {"AA1": 2}},
        {"answers": {"AA1": "x"}},
        {"answers": {}},
        {"eligibility": "no_other"},
        {"state": "draft"},
    ],
)
def test_fingerprint_changes_with_every_part_that_is_analysed(change):
    study = builders.make_study()
    builders.seal(builders.make_team(study, "Team"), [{"AA1": 1}, {"AA1": 1}])
    survey = _survey(study)
    before = dataset.load(survey).fingerprint
    SealedResponse.objects.filter(pk=SealedResponse.objects.order_by("pk").first().pk).update(**change)
    assert dataset.load(survey).fingerprint != before


def test_background_answers_are_not_read():
    study = builders.make_study()
    builders.seal(builders.make_team(study, "Team"), [{"AA1": 1}])
    survey = _survey(study)
    before = dataset.load(survey)
    SealedResponse.objects.update(answers={"AA1": 1, "years_in_team": "over_10"})
    after = dataset.load(survey)
    assert after.fingerprint == before.fingerprint
    assert "years_in_team" not in after.items


@pytest.mark.parametrize("n_teams", [2, 20])
def test_queries_do_not_grow_with_the_teams(n_teams):
    study = builders.make_study()
    for number in range(n_teams):
        builders.seal(builders.make_team(study, f"T{number}"), [answers(1)])
    survey = _survey(study)
    with CaptureQueriesContext(connection) as queries:
        dataset.load(survey)
    assert len(queries) == 3


def test_keys_are_found_where_they_stand():
    keys = dataset._Keys(pd.Index(["B", "Bb", "a", "zz"], dtype=object))
    asked = ["zz", "B", "zzz", "", "a", "Bb", "A", "zzzz"]
    assert keys.places(asked).tolist() == [3, 0, -1, -1, 2, 1, -1, -1]
