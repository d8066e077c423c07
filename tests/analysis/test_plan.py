import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from analysis.models import AnalysisPlan, AnalysisRun
from analysis.plan.nulls import agreement_rules, default_agreement, nulls_of
from analysis.plan.plans import (
    amend_plan,
    changed,
    default_plan,
    document_of,
    hash_of,
    import_plan,
    lock_plan,
    locked_plan,
    rules,
)
from analysis.results.write_up import write_up
from analysis.runs.execution import execute, request_run
from surveys.models import Collection, Survey
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
    assert [null.name for null in plan.nulls] == ["uniform", "own"]
    assert plan.nulls[1].shares == (0.10, 0.20, 0.40, 0.30)
    assert plan.nulls[1].variance == pytest.approx(0.89)
    assert plan.k == 5
    assert plan.n_points == 4


def test_import_plan_screens_nobody_out_and_scores_from_one_answer():
    plan = rules(import_plan(_definition(builders.make_study()), 5))
    assert plan.most_unanswered is None
    assert not plan.set_aside_not_eligible
    assert {scale.minimum_answered for scale in plan.scales} == {1}
    assert plan.minimum_answered(12) == 1


@pytest.mark.parametrize("n_points", range(2, 12))
def test_a_new_plan_has_the_uniform_null_and_one_that_is_not(n_points):
    uniform, second = nulls_of(default_agreement(n_points), n_points)
    assert (uniform.name, uniform.variance) == ("uniform", (n_points**2 - 1) / 12)
    assert second.name == ("own" if n_points < 5 else "slight_skew")
    assert 0.6 < second.variance / uniform.variance < 0.9
    assert len(second.shares) == (n_points if n_points < 5 else 0)


@pytest.mark.parametrize(
    ("shares", "names"),
    [
        ([0.1, 0.2, 0.4, 0.3], ["uniform", "own"]),
        ([0.25] * 4, ["uniform"]),
        ([1 / 11] * 11, ["uniform"]),
        ([0.1, 0.1, 0.2, 0.3, 0.3], ["uniform", "own"]),
    ],
)
def test_a_plan_of_before_is_read_as_what_it_is_and_keeps_its_hash(shares, names):
    """It called its second null skewed, also where that was the uniform."""
    study = builders.make_study()
    plan = locked_plan(study)
    content = {**plan.content, "points": len(shares), "agreement": {"skewed_null": shares}}
    AnalysisPlan.objects.filter(pk=plan.pk).update(content=content, content_hash=hash_of(content))
    before = rules(content)
    assert [null.name for null in before.nulls] == names
    assert [null.shares for null in before.nulls[1:]] == [tuple(shares)] * (len(names) - 1)
    scales = {scale.code: scale for scale in before.scales}
    same = changed(
        content,
        screening={"not_eligible": True, "unanswered_over": 0.25},
        minimums={code: scale.minimum_answered for code, scale in scales.items()},
        agreement=agreement_rules(names, shares if "own" in names else ()),
        estimators=list(before.estimators),
        items={code: list(scale.items) for code, scale in scales.items()},
        reverse_keyed=list(before.reverse_keyed),
        k=before.k,
    )
    assert hash_of(same) == hash_of(content) == locked_plan(study).content_hash


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


def test_a_plan_says_what_was_known_when_it_was_locked():
    """Not what a first plan usually is: an amendment of a study in which nobody answered yet is no change afterwards."""
    study = builders.make_study()
    researcher = builders.make_researcher(study)
    first = locked_plan(study)

    def amended(over: float) -> AnalysisPlan:
        screening = {**locked_plan(study).content["screening"], "unanswered_over": over}
        return amend_plan(study, {**locked_plan(study).content, "screening": screening}, "because", researcher)

    before_anybody = amended(0.3)
    team = builders.make_team(study, "A")
    builders.seal(team, [builders.answers(n % 4 + 1) for n in range(6)])
    meanwhile = amended(0.4)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    afterwards = amended(0.5)
    assert [plan.known for plan in (first, before_anybody, meanwhile, afterwards)] == [
        "nothing",
        "nothing",
        "answers",
        "results",
    ]
    assert document_of(afterwards)["known_when_locked"] == "results"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ("nothing", "before the first response"),
        ("answers", "before there was any result"),
        ("results", "when there were results already"),
        ("elsewhere", "collected elsewhere"),
    ],
)
def test_the_write_up_says_what_was_known(known, said):
    study = builders.make_study()
    builders.three_teams(study)
    AnalysisPlan.objects.filter(study=study).update(known=known)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()
    with translation.override("en"):
        text = write_up(AnalysisRun.objects.get(pk=run.pk)).paragraphs[0]
    assert said in text
    assert ("before the first response" in text) == (known == "nothing")


def test_imported_answers_beside_a_plan_may_be_older():
    study = builders.make_study()
    builders.three_teams(study)
    Collection.objects.filter(participation__team__name="Team0").update(present_by="import")
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    with translation.override("en"):
        text = write_up(AnalysisRun.objects.get(pk=run.pk)).paragraphs[0]
    assert "may be older than the plan" in text
    assert "before the first response" not in text
