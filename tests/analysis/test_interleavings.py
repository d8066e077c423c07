"""Workers that meet in any order: one run computes while others are asked for, stored, cancelled, or their workers die.

The steps are small ones of the test, each of which gives back what went in; everything else is the real queue. Whatever
happens in between, no run fails by it, and what is stored is what its own steps gave.
"""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analysis import withdrawals
from analysis.choices.decisions import decide, undo
from analysis.models import AnalysisRun, Decision, RunStep
from analysis.models.results import ResultTable
from analysis.runs import execution
from analysis.runs import store as storing
from analysis.runs.staging import table_of
from analysis.runs.steps import Step
from surveys.models import Collection, Survey
from teams.models import Participation
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db
State = AnalysisRun.State
STEPS = 5


class Killed(BaseException):
    """The worker's process is gone: nothing after this line is done, not even the putting down of a failure."""


class Small:
    """What a run rests on: the decisions that stand, and the answers as a number of seals."""

    def __init__(self, run):
        self.seals = Survey.objects.values_list("n_seals", flat=True).get(pk=run.survey_id)
        standing = Decision.objects.filter(study=run.survey.study, undone_at__isnull=True)
        self.decisions = sorted(standing.values_list("subject", flat=True))
        self.dataset = self
        self.fingerprint = f"{self.seals:064d}"
        self.dispositions = {}

    def steps(self):
        return [
            Step(f"model {number} ML", [number, self.decisions], lambda n=number: self.do(n), shared=number > 2)
            for number in range(STEPS)
        ]

    def do(self, number):
        return [table_of("correlations", [self.seals, *self.decisions], f"{number}")]


class World:
    """A study with its workers; at every step of a run the next event of the script happens first."""

    def __init__(self, script):
        self.script = list(script)
        self.study = builders.make_study()
        for name in ("One", "Two", "Three"):
            builders.seal(builders.make_team(self.study, name), [answers(1, 2)] * 6)
        self.survey = Survey.objects.get(study=self.study)
        self.depth = 0

    def happens(self):
        if self.script:
            getattr(self, self.script.pop(0))()

    def nothing(self):
        pass

    def request(self):
        execution.request_run(self.survey)

    def decide(self):
        standing = Decision.objects.filter(study=self.study, undone_at__isnull=True).first()
        if standing is None:
            decide(self.study, "set_aside", "CC", "", "It is about something else.", None)
        else:
            undo(standing, None)

    def withdraw(self):
        team = self.study.participations.filter(state="accepted").first()
        if team is not None and self.study.participations.filter(state="accepted").count() > 1:
            Participation.objects.filter(pk=team.pk).update(state="withdrawn")
            withdrawals.carry_out()

    def leases_end(self):
        past = timezone.now() - timedelta(seconds=1)
        AnalysisRun.objects.filter(state=State.RUNNING).update(lease_until=past)
        RunStep.objects.filter(state=RunStep.State.RUNNING).update(lease_until=past)

    def die(self):
        if self.depth:
            raise Killed

    def another_worker(self):
        """Another process leads the oldest run that is free."""
        if self.depth < 3:
            self.work(execution.execute, AnalysisRun.objects.filter(execution.RUNS.due()).order_by("pk").first())

    def newest_worker(self):
        if self.depth < 3:
            self.work(execution.execute, AnalysisRun.objects.filter(execution.RUNS.due()).order_by("pk").last())

    def help(self):
        if self.depth < 3:
            self.work(execution.help_with, AnalysisRun.objects.filter(state=State.RUNNING).order_by("pk").last())

    def work(self, how, run):
        if run is None:
            return
        self.depth += 1
        try:
            how(run.pk)
        except Killed:
            pass
        finally:
            self.depth -= 1

    def quiet(self):
        """Beat goes on until nothing is due."""
        self.script = []
        for _ in range(20):
            self.leases_end()
            due = execution.start_due_runs()
            if not due:
                return
            for pk in due:
                execution.execute(pk)
        raise AssertionError("it never gets quiet")


EVENTS = ("nothing", "request", "decide", "withdraw", "leases_end", "die", "another_worker", "newest_worker", "help")


def play(script, monkeypatch):
    world = World(script)
    do = execution._do

    def watched(row, step):
        world.happens()
        do(row, step)

    with monkeypatch.context() as patched:
        patched.setattr(execution, "_do", watched)
        patched.setattr(execution, "_computation", Small)
        patched.setattr(execution, "_wake", lambda *args: None)
        world.script = []
        world.request()
        world.another_worker()  # decisions are taken after a first analysis
        world.script = list(script)
        world.request()
        while world.script:
            world.another_worker()
            world.happens()
        world.quiet()
    failed = AnalysisRun.objects.filter(state=State.FAILED)
    assert not failed.exclude(failure__code="stopped").exists(), [run.error for run in failed]
    for run in AnalysisRun.objects.filter(state=State.DONE):
        tables = dict(ResultTable.objects.filter(run=run, kind="correlations").values_list("name", "content"))
        assert set(tables) == {str(number) for number in range(STEPS)}
        assert len({str(content) for content in tables.values()}) == 1, "one run, two worlds"
        assert {content[0] for content in tables.values()} == {int(run.fingerprint)}
    last = AnalysisRun.objects.filter(state=State.DONE).order_by("-pk").first()
    now = Small(last)
    if last.pk == AnalysisRun.objects.latest("pk").pk:
        assert last.fingerprint == now.fingerprint
    assert not AnalysisRun.objects.filter(state__in=[State.QUEUED, State.RUNNING]).exists()
    return world


@settings(
    derandomize=True,
    max_examples=60,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(EVENTS), max_size=14))
def test_no_order_of_events_fails_a_run_or_mixes_two(monkeypatch, script):
    with transaction.atomic():
        play(script, monkeypatch)
        transaction.set_rollback(True)


def test_a_run_that_is_stored_leaves_what_another_one_still_needs(monkeypatch):
    """The case of which the property is made: an older run computes, a newer one is stored, the older one goes on."""
    play(["nothing", "nothing", "request", "newest_worker"], monkeypatch)
    assert AnalysisRun.objects.filter(state=State.DONE).count() == 3


def test_what_a_withdrawal_takes_away_is_computed_anew(monkeypatch):
    """Steps staged for a run lose what they hold when a team withdraws: the run does them again."""
    world = World([])
    monkeypatch.setattr(execution, "_computation", Small)
    monkeypatch.setattr(execution, "_wake", lambda *args: None)
    run = execution.request_run(world.survey)
    store = storing.store
    calls = []

    def emptied_before(*args):
        if not calls:
            RunStep.objects.filter(number=2).update(staged=None)
        calls.append(args)
        return store(*args)

    monkeypatch.setattr(storing, "store", emptied_before)
    assert execution.execute(run.pk), AnalysisRun.objects.get(pk=run.pk).error
    assert len(calls) == 2
    assert ResultTable.objects.filter(run=run, kind="correlations").count() == STEPS
    assert Collection.objects.count() == 3
