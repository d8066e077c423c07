import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from analysis.models import AnalysisPlan
from analysis.plan.plans import (
    amend_plan,
    default_plan,
    hash_of,
    import_plan,
    lock_plan,
    locked_plan,
    rules,
    skewed_null,
)
from analysis.psychometrics.teams.agreement import null_variance
from surveys.models import Survey
from surveys.questionnaires.publishing import definition_of
from tests.analysis import builders

pytestmark = pytest.mark.django_db


def _definition(study):
    return definition_of(Survey.objects.get(study=study).version)


def test_default_plan_has_the_rules_of_the_method():
    plan = rules(default_plan(_definition(builders.make_study()), 5))
    assert plan.most_unanswered == 0.25
    assert plan.set_aside_not_eligible
    assert [(s.code, s.items, s.reverse_keyed, s.minimum_answered) for s in plan.scales] == [
        ("AA", ("AA1", "AA2", "AA3"), ("AA3",), 2),
        ("BB", ("BB1", "BB2", "BB3"), (), 2),
        ("CC", ("CC1", "CC2", "CC3"), (), 2),
    ]
    assert plan.skewed_null == (0.10, 0.20, 0.40, 0.30)
    assert plan.k == 5
    assert plan.n_points == 4


def test_import_plan_screens_nobody_out_and_scores_from_one_answer():
    plan = rules(import_plan(_definition(builders.make_study()), 5))
    assert plan.most_unanswered is None
    assert not plan.set_aside_not_eligible
    assert {scale.minimum_answered for scale in plan.scales} == {1}
    assert plan.minimum_answered(12) == 1


@pytest.mark.parametrize("n_points", [2, 3, 5, 6, 7, 11])
def test_with_other_than_four_points_the_second_null_is_uniform(n_points):
    null = skewed_null(n_points)
    assert len(null) == n_points
    assert null_variance(null) == pytest.approx((n_points**2 - 1) / 12)


def test_hash_depends_on_the_content_only_and_not_on_the_order_of_keys():
    assert hash_of({"a": 1, "b": [1, 2]}) == hash_of({"b": [1, 2], "a": 1})
    assert hash_of({"a": 1}) != hash_of({"a": 2})


def test_locking_twice_changes_nothing():
    study = builders.make_study()
    first = AnalysisPlan.objects.get(study=study)
    assert lock_plan(study, builders.make_researcher(study)) == first
    assert AnalysisPlan.objects.get(study=study).locked_by is None
    assert first.content_hash == hash_of(first.content)
    assert first.content["questionnaire"] == Survey.objects.get(study=study).version.content_hash


def test_amendment_needs_a_reason_and_is_then_in_force():
    study = builders.make_study()
    user = builders.make_researcher(study)
    content = {**locked_plan(study).content, "k": 8}
    with translation.override("en"), pytest.raises(ValueError, match="why"):
        amend_plan(study, content, "  ", user)
    amended = amend_plan(study, content, "Smaller groups turned out to be recognisable.", user)
    assert (amended.number, locked_plan(study)) == (2, amended)
    assert rules(amended.content).k == 8


def test_locked_plan_is_one_query():
    study = builders.make_study()
    with CaptureQueriesContext(connection) as queries:
        assert locked_plan(study)
    assert len(queries) == 1
