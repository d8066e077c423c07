from datetime import timedelta

import numpy as np
import pytest
from django.apps import apps
from django.db import OperationalError
from django.utils import timezone
from django.utils.translation import override

from analysis.choices.decisions import decide
from analysis.models import AnalysisRun, RunStep, ScreeningDecision
from analysis.models.results import AgreementResult, FactorModelResult, ItemResult, ReliabilityResult, ScaleResult
from analysis.plan.plans import amend_plan, locked_plan
from analysis.results.run_words import failure_in_words
from analysis.runs import claims, execution, store
from analysis.runs.claims import claim_step
from analysis.runs.staging import pack, rows, unpack
from analysis.runs.steps import Computation
from surveys.models import Survey
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db
State = AnalysisRun.State


@pytest.fixture
def study():
    study = builders.make_study()
    builders.three_teams(study)
    return study


@pytest.fixture
def survey(study):
    return Survey.objects.get(study=study)


def n_rows(run):
    tables = (ScaleResult, ItemResult, ReliabilityResult, AgreementResult, ScreeningDecision)
    return sum(table.objects.filter(run=run).count() for table in tables)


def test_a_run_writes_per_team_and_overall_rows(survey):
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    run.refresh_from_db()
    assert run.state == State.DONE
    assert (run.step, run.lease_until, run.error) == (run.n_steps, None, "")
    assert len(run.fingerprint) == 64
    assert set(run.versions) == {"method", "python", "numpy", "scipy", "pandas", "django"}
    assert ScaleResult.objects.filter(run=run).count() == 2 * 3 * 4  # scale sets × scales × (teams and overall)
    assert ItemResult.objects.filter(run=run).count() == 9 * 4
    assert ReliabilityResult.objects.filter(run=run).count() == 6
    assert AgreementResult.objects.filter(run=run).count() == 2 * 3 * 4
    overall = ScaleResult.objects.get(run=run, participation=None, scale="BB", scale_set="theoretical")
    assert (overall.n, overall.minimum is not None) == (21, True)
    assert overall.ci_low < overall.mean < overall.ci_high
    assert (run.counts["approached"], run.counts["returned"], run.counts["analysed"]) == (30, 21, 21)


def test_scores_use_the_reverse_key_and_items_stay_as_answered():
    study = builders.make_study()
    builders.seal(builders.make_team(study, "A"), [answers(4, 4, 1)] * 5)
    builders.seal(builders.make_team(study, "B"), [answers(1, 1, 4)] * 5)
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk)
    scale = ScaleResult.objects.get(run=run, participation__team__name="A", scale="AA", scale_set="final")
    assert (scale.mean, scale.sd, scale.n) == (4.0, 0.0, 5)
    item = ItemResult.objects.get(run=run, participation__team__name="A", item="AA3")
    assert (item.mean, item.counts) == (1.0, [5, 0, 0, 0])


def test_cannot_judge_and_open_items_are_counted_apart():
    study = builders.make_study()
    team = builders.make_team(study, "A")
    builders.seal(team, [answers("x", 2), answers(None, 2), answers(3, 2)])
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk)
    for participation in (None, team):
        item = ItemResult.objects.get(run=run, participation=participation, item="AA1")
        assert (item.n, item.n_cannot_judge, item.n_missing, item.counts) == (1, 1, 1, [0, 0, 1, 0])


def test_screening_by_the_plan_leaves_a_row_per_response_set_aside():
    study = builders.make_study()
    team = builders.make_team(study, "A")
    builders.seal(
        team,
        [answers(2), {}, answers(2, 2, 2, 2, 2, 2, "x", "x", None), answers(2, 2, 2, 2, 2, 2, 2, "x", None)],
        eligibility=["yes", "no_other", "yes", "yes"],
    )
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk)
    found = sorted(ScreeningDecision.objects.filter(run=run).values_list("rule", "value", "participation_id"))
    # 3 of 9 open is over a quarter, 2 of 9 is not
    assert found == [("not_eligible", "no_other", team.pk), ("unanswered", "3/9 (2)", team.pk)]
    run.refresh_from_db()
    assert (run.counts["not_eligible"], run.counts["screened_out"], run.counts["analysed"]) == (1, 1, 2)


def test_the_same_data_give_the_same_rows(survey):
    rows = []
    for _ in range(2):
        run = execution.request_run(survey)
        assert execution.execute(run.pk)
        run.refresh_from_db()
        values = ScaleResult.objects.filter(run=run).order_by("scale_set", "scale", "participation_id")
        rows.append((run.fingerprint, list(values.values_list("scale", "n", "mean", "sd", "ci_low", "ci_high"))))
    assert rows[0] == rows[1]


def test_a_team_of_one_and_a_team_without_answers_break_nothing():
    study = builders.make_study()
    builders.seal(builders.make_team(study, "One"), [answers(2, 3)])
    empty = builders.make_team(study, "None")
    builders.seal(empty, [])
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk)
    row = ScaleResult.objects.get(run=run, participation=empty, scale="AA", scale_set="final")
    assert (row.n, row.mean, row.ci_low) == (0, None, None)
    run.refresh_from_db()
    assert run.counts["teams"][str(empty.pk)]["not_returned"] == 10


def test_a_study_without_any_answer_gives_a_run_with_empty_rows():
    study = builders.make_study()
    builders.seal(builders.make_team(study, "None"), [])
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk), AnalysisRun.objects.get(pk=run.pk).error


# ------------------------------------------------------------------------------------------------ asking
def test_two_requests_leave_one_waiting_run(survey):
    assert execution.request_run(survey) == execution.request_run(survey)
    assert AnalysisRun.objects.count() == 1


def test_a_request_after_an_amendment_uses_the_new_plan(study, survey):
    first = execution.request_run(survey)
    amended = amend_plan(study, {**locked_plan(study).content, "k": 6}, "A reason.", builders.make_researcher(study))
    assert execution.request_run(survey) == first
    first.refresh_from_db()
    assert first.plan == amended


def test_without_a_locked_plan_there_is_no_run():
    study = builders.make_study()
    study.plans.all().delete()
    with pytest.raises(execution.NoPlan):
        execution.request_run(Survey.objects.get(study=study))
    assert execution.start_due_runs() == []


def test_sealing_makes_a_run_due_once(study, survey):
    assert [found.pk for found in execution.surveys_due()] == [survey.pk]
    waiting = execution.start_due_runs()
    assert waiting == [AnalysisRun.objects.get().pk]
    assert execution.start_due_runs() == waiting
    assert execution.execute(waiting[0])
    assert execution.surveys_due() == []
    builders.seal(builders.make_team(study, "Late"), [answers(1, 2)])
    assert [found.pk for found in execution.surveys_due()] == [survey.pk]


def test_an_amended_plan_makes_a_run_due_once(study, survey):
    assert execution.execute(execution.start_due_runs()[0])
    assert execution.surveys_due() == []
    amend_plan(study, {**locked_plan(study).content, "k": 6}, "A reason.", builders.make_researcher(study))
    (waiting,) = execution.start_due_runs()
    assert execution.execute(waiting)
    assert AnalysisRun.objects.get(pk=waiting).plan == locked_plan(study)
    assert execution.start_due_runs() == []


def test_a_failed_run_is_not_started_over_and_over(survey, monkeypatch):
    monkeypatch.setattr(Computation, "score", _fail)
    run = execution.request_run(survey)
    assert not execution.execute(run.pk)
    assert execution.start_due_runs() == []


# ------------------------------------------------------------------------------------------------ claims
def test_of_two_workers_one_gets_the_run(survey):
    run = execution.request_run(survey)
    assert execution.claim(run.pk) is not None
    assert execution.claim(run.pk) is None
    assert not execution.execute(run.pk)


def test_a_run_whose_lease_ran_out_is_taken_up_again(survey):
    run = execution.request_run(survey)
    dead = execution.claim(run.pk)
    AnalysisRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert execution.start_due_runs() == [run.pk]
    assert execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == (State.DONE, 2)
    before = n_rows(run)
    with pytest.raises(execution.ClaimLost):  # the first worker was only slow: it finds out and writes nothing
        execution.renew(dead)
    assert n_rows(run) == before


def test_a_worker_that_lost_its_claim_writes_nothing(survey, monkeypatch):
    run = execution.request_run(survey)
    score = Computation.score

    def slow(self, *args):
        AnalysisRun.objects.update(n_claims=2)  # another worker took it over meanwhile
        return score(self, *args)

    monkeypatch.setattr(Computation, "compute_agreement", slow)
    assert not execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, n_rows(run)) == (State.RUNNING, 0)


def test_after_three_deaths_the_run_fails_with_what_it_was_doing(survey):
    run = execution.request_run(survey)
    for _ in range(claims.MAX_ATTEMPTS):
        assert execution.claim(run.pk)
        AnalysisRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1), step=3, n_steps=7)
    assert execution.claim(run.pk) is None
    assert execution.start_due_runs() == []
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert run.failure == {"code": "stopped", "attempts": 3, "step": 3, "n_steps": 7, "step_name": ""}
    with override("en"):
        assert failure_in_words(run) == "The program stopped 3 times, the last time at step 3 of 7."


def test_cancelling_stops_a_run_before_it_writes(survey, monkeypatch):
    run = execution.request_run(survey)
    monkeypatch.setattr(Computation, "score", lambda *args: execution.cancel(run) and [])
    assert not execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, n_rows(run)) == (State.CANCELLED, 0)


# ------------------------------------------------------------------------------------------------ whole or not at all
def _fail(*args):
    raise RuntimeError("the step broke")


@pytest.mark.parametrize("step", ["screen", "score", "describe_items", "compute_reliability", "compute_agreement"])
def test_a_step_that_breaks_leaves_no_rows_and_says_why(survey, monkeypatch, step):
    monkeypatch.setattr(Computation, step, _fail)
    run = execution.request_run(survey)
    assert not execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error) == (State.FAILED, "RuntimeError: the step broke")
    assert run.failure["code"] == "error"
    assert run.failure["step_name"]
    assert n_rows(run) == 0


def test_a_storing_that_breaks_half_way_leaves_no_rows(survey, monkeypatch):
    write = store.write

    def broken(run, part):
        if part.table == "agreementresult":
            raise RuntimeError("the disk is full")
        write(run, part)

    monkeypatch.setattr(store, "write", broken)
    run = execution.request_run(survey)
    assert not execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, n_rows(run)) == (State.FAILED, 0)
    monkeypatch.undo()
    again = execution.request_run(survey)  # what was computed is staged: only the storing is done again
    assert execution.execute(again.pk)
    assert set(again.steps.values_list("reused", flat=True)) == {True}


def test_what_was_staged_before_a_column_was_there_is_computed_anew(survey, monkeypatch):
    """Taken over it would have nothing in that column, and no page would say so."""
    first = execution.request_run(survey)
    assert execution.execute(first.pk)
    there = execution.columns()
    assert "alpha" in there["reliabilityresult"]
    monkeypatch.setattr(execution, "columns", lambda: there | {"scaleresult": [*there["scaleresult"], "median"]})
    again = execution.request_run(survey)
    assert execution.execute(again.pk)
    assert set(again.steps.values_list("reused", flat=True)) == {False}


def test_progress_is_true(survey, monkeypatch):
    seen = []
    renew = execution.renew

    def watched(run, **progress):
        renew(run, **progress)
        seen.append(AnalysisRun.objects.values_list("step", "n_steps").get(pk=run.pk))

    monkeypatch.setattr(execution, "renew", watched)
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    n_steps = run.steps.count() + 2
    assert sorted({step for step, _ in seen}) == list(range(1, n_steps + 1))
    assert [step for step, _ in seen] == sorted(step for step, _ in seen)
    assert {total for _, total in seen[1:]} == {n_steps}


# ------------------------------------------------------------------------------------------------ steps
TABLES = ("scaleresult", "itemresult", "reliabilityresult", "agreementresult", "factormodelresult", "teamestimate")


def rows_of(run):
    """All rows of a run, to the bit, without their numbers."""
    found = {}
    for name in (*TABLES, "teamcount", "resulttable", "screeningdecision"):
        model = apps.get_model("analysis", name)
        columns = [field.attname for field in model._meta.concrete_fields if field.name not in ("id", "run")]
        found[name] = sorted(repr(row) for row in model.objects.filter(run=run).values_list(*columns))
    return found


def count_calls(monkeypatch):
    """The steps that are computed, by name."""
    calls = []
    do = execution._do
    monkeypatch.setattr(execution, "_do", lambda row, step: (calls.append(row.name), do(row, step)))
    return calls


def test_a_rerun_skips_what_was_done_and_gives_identical_rows(survey, monkeypatch):
    calls = count_calls(monkeypatch)
    first = execution.request_run(survey)
    assert execution.execute(first.pk)
    n_computed = len(calls)
    assert n_computed == first.steps.count()
    second = execution.request_run(survey)
    assert execution.execute(second.pk)
    assert len(calls) == n_computed
    assert rows_of(first) == rows_of(second)
    assert not first.steps.filter(staged__isnull=False).exists()  # the later run holds it now
    RunStep.objects.update(staged=None)
    third = execution.request_run(survey)
    assert execution.execute(third.pk)
    assert len(calls) == 2 * n_computed
    assert rows_of(first) == rows_of(third)  # computed anew: the same to the bit


def test_a_decision_leaves_what_it_does_not_touch(study, survey, monkeypatch):
    assert execution.execute(execution.request_run(survey).pk)
    calls = count_calls(monkeypatch)
    decide(study, "merge", "BB", "AA", "They ask the same.", None)
    run = AnalysisRun.objects.get(state=State.QUEUED)
    assert execution.execute(run.pk)
    assert not {"screening", "items", "scores theoretical", "reliability theoretical", "model theoretical ML"} & set(
        calls
    )
    assert {"scores final", "estimates", "groups", "model final MLR"} <= set(calls)


def test_another_answer_computes_everything_anew(study, survey, monkeypatch):
    assert execution.execute(execution.request_run(survey).pk)
    calls = count_calls(monkeypatch)
    builders.seal(builders.make_team(study, "Late"), [answers(1, 2)])
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    assert len(calls) == run.steps.count()


def test_a_run_goes_on_where_its_worker_died(survey, monkeypatch):
    calls = count_calls(monkeypatch)
    run = execution.request_run(survey)
    monkeypatch.setattr(Computation, "correlate", lambda self: (_ for _ in ()).throw(OperationalError("away")))
    assert not execution.execute(run.pk)
    n_before = len(calls) - 1
    assert run.steps.filter(state="done").count() == n_before
    monkeypatch.undo()
    calls = count_calls(monkeypatch)
    AnalysisRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert execution.execute(run.pk)
    assert len(calls) == run.steps.count() - n_before


def test_models_are_done_side_by_side_and_the_last_one_collects(survey, monkeypatch):
    run = execution.request_run(survey)
    helped = []
    fit = Computation.fit

    def busy(self, model):
        """While the leader is on its first model, a helper takes the next one and is still on it when the leader is through."""
        if not helped:
            helped.append(claim_step(run.pk))
        return fit(self, model)

    monkeypatch.setattr(Computation, "fit", busy)
    assert not execution.execute(run.pk)  # the last step is in other hands: the leader leaves the run to them
    run.refresh_from_db()
    assert (run.state, run.attempts, n_rows(run)) == (State.RUNNING, 0, 0)
    assert execution.unfinished(run.pk) == 1
    assert not execution.execute(run.pk)  # beat wakes somebody: nothing to do, and no attempt used up
    run.refresh_from_db()
    assert run.attempts == 0
    RunStep.objects.filter(pk=helped[0].pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert execution.help_with(run.pk)  # its helper died; another one does it, finds it was the last, and collects
    run.refresh_from_db()
    assert run.state == State.DONE
    assert FactorModelResult.objects.filter(run=run).count() == 3


def test_a_helper_of_a_cancelled_run_stages_nothing(survey, monkeypatch):
    run = execution.request_run(survey)
    monkeypatch.setattr(Computation, "fit", lambda *args: execution.cancel(run) and [])
    assert not execution.execute(run.pk)
    assert not execution.help_with(run.pk)
    assert not run.steps.filter(shared=True, state="done", seconds__isnull=True).exists()
    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_staged_columns_come_back_as_they_were():
    found = [
        rows("scaleresult", 2, participation=np.array([-1, 7]), scale="AA", mean=np.array([0.1 + 0.2, np.nan])),
        rows("resulttable", 0, kind=[], content=[]),
    ]
    back = unpack(pack(found))
    assert [part.table for part in back] == ["scaleresult", "resulttable"]
    assert back[0].columns["scale"] == ["AA", "AA"]
    np.testing.assert_array_equal(back[0].columns["mean"], [0.1 + 0.2, np.nan])
    assert len(back[1]) == 0
