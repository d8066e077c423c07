import pytest

from analysis.choices import decisions
from analysis.choices.decisions import DecisionRefused, decide, final_scales, standing, undo
from analysis.models import AnalysisRun, Decision, Publication
from analysis.models.results import ReliabilityResult, ScaleResult
from analysis.plan.plans import locked_plan, rules
from analysis.runs import execution
from analysis.runs.factor_models import models_of
from surveys.models import Survey
from teams.models import Event
from tests.analysis import builders

pytestmark = pytest.mark.django_db
Kind = Decision.Kind


@pytest.fixture
def study():
    study = builders.make_study()
    builders.three_teams(study)
    assert execution.execute(execution.request_run(Survey.objects.get(study=study)).pk)
    return study


@pytest.fixture
def user(study):
    return builders.make_researcher(study)


def scales(study):
    return {scale.code: scale for scale in final_scales(locked_plan(study), standing(study))}


def test_set_aside_and_merge_change_the_final_scales_only(study, user):
    decide(study, Kind.SET_ASIDE, "CC", "", "Its items are about the organisation.", user)
    decide(study, Kind.MERGE, "BB", "AA", "The two ask the same.", user)
    final = scales(study)
    assert list(final) == ["AA"]
    assert final["AA"].items == ("AA1", "AA2", "AA3", "BB1", "BB2", "BB3")
    assert (final["AA"].minimum_answered, final["AA"].reverse_keyed) == (4, ("AA3",))
    run = AnalysisRun.objects.get(state="queued")
    assert execution.execute(run.pk)
    assert set(ScaleResult.objects.filter(run=run, scale_set="final").values_list("scale", flat=True)) == {"AA"}
    theoretical = ScaleResult.objects.filter(run=run, scale_set="theoretical").values_list("scale", flat=True)
    assert set(theoretical) == {"AA", "BB", "CC"}
    assert set(ReliabilityResult.objects.get(run=run, scale_set="final").items) == set(final["AA"].items)


def test_every_decision_asks_for_a_run_and_stands_in_the_history(study, user):
    decision = decide(study, Kind.DROP, "AA3", "", "Read as its opposite.", user)
    assert AnalysisRun.objects.filter(state="queued").count() == 1
    assert decision.decided_by == user
    assert Event.objects.get(kind="decision_drop").detail == "AA3"
    assert scales(study)["AA"].items == ("AA1", "AA2")


@pytest.mark.parametrize(
    ("kind", "subject", "target", "reason"),
    [
        (Kind.SET_ASIDE, "AA", "", "  "),
        (Kind.SET_ASIDE, "ZZ", "", "reason"),
        (Kind.MERGE, "AA", "AA", "reason"),
        (Kind.MERGE, "AA", "ZZ", "reason"),
        (Kind.DROP, "AA", "", "reason"),
    ],
)
def test_refused(study, user, kind, subject, target, reason):
    with pytest.raises(DecisionRefused):
        decide(study, kind, subject, target, reason, user)
    assert not Decision.objects.exists()


def test_the_same_decision_stands_once(study, user):
    decide(study, Kind.DROP, "AA3", "", "reason", user)
    with pytest.raises(DecisionRefused):
        decide(study, Kind.DROP, "AA3", "", "reason", user)


def test_the_last_scale_and_the_last_two_items_stay(study, user):
    decide(study, Kind.SET_ASIDE, "CC", "", "reason", user)
    decide(study, Kind.SET_ASIDE, "BB", "", "reason", user)
    with pytest.raises(DecisionRefused):
        decide(study, Kind.SET_ASIDE, "AA", "", "reason", user)
    decide(study, Kind.DROP, "AA3", "", "reason", user)
    with pytest.raises(DecisionRefused):
        decide(study, Kind.DROP, "AA2", "", "reason", user)


def test_no_decision_before_the_first_run(user):
    other = builders.make_study("other")
    with pytest.raises(DecisionRefused):
        decide(other, Kind.SET_ASIDE, "AA", "", "reason", user)


def test_undo_brings_the_scale_back_and_asks_for_a_run(study, user):
    decision = decide(study, Kind.SET_ASIDE, "CC", "", "reason", user)
    AnalysisRun.objects.filter(state="queued").delete()
    undo(decision, user)
    assert set(scales(study)) == {"AA", "BB", "CC"}
    assert AnalysisRun.objects.filter(state="queued").count() == 1
    undo(decision, user)
    assert Event.objects.filter(kind="decision_undone").count() == 1
    assert decide(study, Kind.SET_ASIDE, "CC", "", "again", user).pk != decision.pk


def test_undo_in_order_only(study, user):
    merge = decide(study, Kind.MERGE, "BB", "AA", "reason", user)
    decide(study, Kind.DROP, "AA1", "", "reason", user)
    undo(merge, user)  # the dropped item belonged to the target already
    assert set(scales(study)) == {"AA", "BB", "CC"}
    merge = decide(study, Kind.MERGE, "BB", "CC", "reason", user)
    decide(study, Kind.MERGE, "CC", "AA", "reason", user)
    undo(merge, user)
    assert set(scales(study)) == {"AA", "BB"}


def test_after_publication_it_stands(study, user):
    decision = decide(study, Kind.SET_ASIDE, "CC", "", "reason", user)
    Publication.objects.create(study=study, run=AnalysisRun.objects.filter(state="done").first(), published_by=user)
    with pytest.raises(DecisionRefused):
        undo(decision, user)
    assert standing(study) == [decision]


def test_the_models_follow_the_path_of_the_decisions(study, user):
    decide(study, Kind.SET_ASIDE, "CC", "", "reason", user)
    decide(study, Kind.MERGE, "BB", "AA", "reason", user)
    plan = rules(locked_plan(study).content)
    models = models_of(plan, standing(study))
    by_ml = [model for model in models if model.estimator == "ML"]
    assert [(model.name, list(model.factors)) for model in by_ml] == [
        ("theoretical", ["AA", "BB", "CC"]),
        ("after_1", ["AA", "BB"]),
        ("final", ["AA"]),
    ]
    assert len(models) == len(by_ml) * len(plan.estimators)
    assert models[-1].syntax == "AA =~ AA1 + AA2 + AA3 + BB1 + BB2 + BB3"
    assert [scale.code for scale in decisions.final_scales(locked_plan(study), [])] == list(models[0].factors)
