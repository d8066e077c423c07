"""A run: sealed data set → psychometrics → result rows. Claimed once, repeatable, never stuck.

The row is the queue; the broker only wakes. A worker leads a run: it lays out the steps, does those that belong together, and
stages what each gave in its RunStep row; a step whose input was computed before is taken from there. Factor models stand by
themselves: any worker claims the next one, and whoever finishes the last collects. The last transaction turns what is staged
into result rows. When a worker dies its lease runs out and the next wake-up goes on where it was; the third time the run is
marked failed with what it was doing. Nothing here holds a transaction while it reads or computes: on SQLite that would stop
teachers from saving their answers.
"""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import time
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Max, Model, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from analysis.data import dataset
from analysis.data.accounting import run_counts
from analysis.models import AnalysisPlan, AnalysisRun, Decision, OwnModel, RunStep, results
from analysis.plan.plans import hash_of, locked_plan, rules
from analysis.plan.scales import final_scales
from analysis.runs.claims import (
    RUNS,
    claim,
    claim_step,
    fail,
    finish_step,
    free_steps,
    hand_over,
    heartbeat,
    renew,
    renew_step,
    reopen_emptied,
    unfinished,
)
from surveys.models import Collection, Survey
from teams.base.leases import Chore, ClaimLost, wake
from teams.models import Participation

# What computes is imported where a run is at work: whoever asks for one, or waits for one, needs no numpy, scipy and pandas
if TYPE_CHECKING:
    from analysis.runs.staging import Rows
    from analysis.runs.steps import Computation, Step

logger = logging.getLogger(__name__)

TASK, HELP = "analysis.execute_run", "analysis.help_with_run"
#: Workers asked to help with the shared steps of one run.
MOST_HELPERS = 3
LIBRARIES = ("numpy", "scipy", "pandas", "Django")
#: Raised whenever a figure is computed otherwise: what was staged before is then computed anew. A new column does that itself.
METHOD = "9"
REQUESTS = Chore("analysis.request_run")


class StepEmptied(Exception):
    """A step is done and what it staged was taken away: it is done again."""


class NoPlan(Exception):
    """The study has no locked plan: nothing says how its answers are to be analysed."""


# ------------------------------------------------------------------------------------------------ asking for a run
def request_run(survey: Survey) -> AnalysisRun:
    """Ask for a run by the plan in force. If one is waiting already, that one will do: it has read nothing yet.

    Raises :class:`NoPlan` where no plan was locked.
    """
    plan = locked_plan(survey.study)
    if plan is None:
        raise NoPlan(str(survey))
    n_seals = Survey.objects.values_list("n_seals", flat=True).get(pk=survey.pk)
    try:
        with transaction.atomic():
            run = AnalysisRun.objects.create(survey=survey, plan=plan, n_seals=n_seals)
    except IntegrityError:
        # one_queued_run_per_survey: somebody asked before us, and the run that waits will read what is there then.
        # It may have been claimed in between; then the constraint is free again and we ask anew.
        waiting = AnalysisRun.objects.filter(survey=survey, state=AnalysisRun.State.QUEUED).first()
        if waiting is None:
            return request_run(survey)
        AnalysisRun.objects.filter(pk=waiting.pk, state=AnalysisRun.State.QUEUED).update(plan=plan, n_seals=n_seals)
        run = waiting
    transaction.on_commit(lambda: _wake(run.pk), robust=True)  # a broker that is away: beat wakes too
    return run


def cancel(run: AnalysisRun) -> bool:
    """Cancel a run that is not finished; a worker on it finds out when it renews or stores."""
    unfinished = AnalysisRun.objects.filter(pk=run.pk, state__in=[AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING])
    return bool(unfinished.update(state=AnalysisRun.State.CANCELLED, lease_until=None, finished_at=timezone.now()))


def surveys_due() -> list[Survey]:
    """The surveys with a team sealed, or a plan locked, after their last run was asked for."""
    last = AnalysisRun.objects.filter(survey=OuterRef("pk")).order_by("-pk")
    seen = last.order_by().values("survey").annotate(seen=Max("n_seals")).values("seen")
    in_force = AnalysisPlan.objects.filter(study=OuterRef("study"), locked_at__isnull=False).order_by("-number")
    sealed_since = Q(n_seals__gt=F("seen"))
    amended_since = Q(last_plan__isnull=False, last_plan__lt=F("plan_in_force"))
    return list(
        Survey.objects.annotate(
            seen=Coalesce(Subquery(seen), 0),
            last_plan=Subquery(last.values("plan__number")[:1]),
            plan_in_force=Subquery(in_force.values("number")[:1]),
        )
        .filter(sealed_since | amended_since, plan_in_force__isnull=False, study__deletion__isnull=True)
        .select_related("study")
        .order_by("pk")
    )


def start_due_runs() -> list[int]:
    """What beat calls: give up on hopeless runs, ask for what sealing made due, wake a worker for what waits."""
    give_up()
    REQUESTS.each(surveys_due(), _request, key=lambda survey: survey.pk, study=lambda survey: survey.study_id)
    waiting = list(AnalysisRun.objects.filter(RUNS.due()).order_by("pk").values_list("pk", flat=True))
    for run_id in waiting:
        _wake(run_id)
    return waiting


def give_up() -> int:
    """Mark failed, with the reason, the runs whose worker died at the last attempt."""
    n_failed = 0
    for run in list(RUNS.hopeless().filter(state=AnalysisRun.State.RUNNING)):
        n_failed += fail(
            run, "stopped", attempts=run.attempts, step=run.step, n_steps=run.n_steps, step_name=run.step_name
        )
    return n_failed


def _request(survey: Survey) -> int:
    request_run(survey)
    return 1


def _wake(run_id: int, task: str = TASK) -> None:
    wake(task, run_id)


# ------------------------------------------------------------------------------------------------ doing it
def execute(run_id: int) -> bool:
    """Claim a run and carry it out; True when its results stand. A run that is not free is left alone.

    A database that is away leaves the run to be taken up again; any other error fails it, with the reason for the
    researcher.
    """
    run = claim(run_id)
    if run is None:
        return False
    try:
        with heartbeat(run):
            return _lead(run)
    except ClaimLost:
        logger.warning("Run %s was cancelled or taken over: what was computed is thrown away.", run.pk)
    except OperationalError:
        logger.exception("Run %s: the database was away.", run.pk)
        # the lease runs out and the run is taken up again, or given up at the last attempt
    except Exception as error:
        logger.exception("Run %s failed.", run.pk)
        fail(run, "error", f"{type(error).__name__}: {error}", step_name=run.step_name)
    return False


def help_with(run_id: int) -> bool:
    """Do shared steps of a run that somebody else leads; who finishes the last one collects. True when results stand."""
    if not free_steps(run_id):
        return False
    run = AnalysisRun.objects.select_related("survey__study", "plan").get(pk=run_id)
    if run.state != AnalysisRun.State.RUNNING:
        return False
    try:
        computation = _computation(run)
        if computation.dataset.fingerprint != run.fingerprint:
            return False  # another team was sealed meanwhile: the leader reads anew, or leaves it to the next run
        _do_shared(run, computation, leading=False)
    except ClaimLost:
        return False
    except OperationalError:
        logger.exception("Run %s: the database was away.", run.pk)
        return False
    except Exception as error:
        logger.exception("Run %s failed in a helper.", run.pk)
        fail(run, "error", f"{type(error).__name__}: {error}", step_name=run.step_name)
        return False
    return unfinished(run_id) == 0 and execute(run_id)


def _lead(run: AnalysisRun) -> bool:
    # all that is left is in other hands, whose leases stand: nothing to read for
    if unfinished(run.pk) and not free_steps(run.pk) and not run.steps.filter(shared=False).exclude(
        state=RunStep.State.DONE
    ).exists():  # fmt: skip
        return _leave(run)
    _progress(run, 1, "reading")
    computation = _computation(run)
    known = {step.name: step for step in computation.steps()}
    _lay_out(run, list(known.values()), computation.dataset.fingerprint)
    for row in run.steps.filter(shared=False).exclude(state=RunStep.State.DONE).defer("staged").order_by("number"):
        _progress(run, 1 + row.number, row.name)
        _do(row, known[row.name])
    for _helper in free_steps(run.pk)[1 : 1 + MOST_HELPERS]:
        _wake(run.pk, HELP)
    _do_shared(run, computation, leading=True)
    if unfinished(run.pk):
        return _leave(run)
    try:
        _collect(run, computation)
    except StepEmptied:
        reopen_emptied(run.pk)
        return _lead(run)
    return True


def _leave(run: AnalysisRun) -> bool:
    """Others do the last steps: leave the run to them. Whoever was just in time to finish before that is noticed here."""
    hand_over(run)
    return unfinished(run.pk) == 0 and execute(run.pk)


def _computation(run: AnalysisRun) -> Computation:
    """Read what a run rests on."""
    from analysis.runs.factor_models import models_of
    from analysis.runs.nonresponse import population_of
    from analysis.runs.steps import Computation
    from analysis.runs.waves import earlier_of

    study = run.survey.study
    data = dataset.load(run.survey)
    plan = rules(run.plan.content)
    decisions = list(Decision.objects.filter(study=study, undone_at__isnull=True).order_by("decided_at", "pk"))
    final = final_scales(plan, decisions)
    collections = Collection.objects.filter(survey=run.survey, state=Collection.State.SEALED)
    approached = dict(collections.values_list("participation_id", "approached"))
    sealed = set(data.participations)
    groups = {
        pk: {"sector": sector, "mode": mode, "form": form}
        for pk, sector, mode, form in Participation.objects.filter(study=study).values_list(
            "pk", "team__academy__sector", "collection__mode", "team__form"
        )
        if pk in sealed
    }
    own = OwnModel.objects.filter(study=study, removed_at__isnull=True)
    of_sealed = {pk: n for pk, n in approached.items() if pk in sealed}
    return Computation(
        data,
        plan,
        final,
        of_sealed,
        models_of(plan, decisions, own),
        groups,
        earlier_of(study),
        population_of(run.survey, data, of_sealed),
    )


def _lay_out(run: AnalysisRun, steps: list[Step], fingerprint: str) -> None:
    """A row per step. What stands already for the same input stays; a step of the same input of any run is taken over."""
    run.fingerprint = fingerprint
    wanted = {step.name: _hash(run, step) for step in steps}
    reopen_emptied(run.pk)
    standing = dict(run.steps.values_list("name", "input_hash"))
    if standing != wanted:
        done = RunStep.objects.filter(
            input_hash__in=wanted.values(), state=RunStep.State.DONE, staged__isnull=False, run__survey=run.survey_id
        )
        at_hand = dict(done.values_list("input_hash", "pk"))
        # asked again: what was there a moment ago may have been taken away since
        kept = {row.input_hash: row for row in done.filter(pk__in=at_hand.values())}
        run.steps.all().delete()
        fresh = []
        for number, step in enumerate(steps, start=1):
            row = RunStep(run=run, number=number, name=step.name, input_hash=wanted[step.name], shared=step.shared)
            before = kept.get(row.input_hash)
            if before is not None:
                row.state, row.reused, row.staged = RunStep.State.DONE, True, before.staged
                row.seconds = before.seconds
            fresh.append(row)
        for row in fresh:  # one by one: what is staged for a large study is large
            row.save()
    run.n_steps = len(steps) + 2  # reading before, storing after
    renew(run, n_steps=run.n_steps, fingerprint=fingerprint)


def _do(row: RunStep, step: Step) -> None:
    from analysis.runs.staging import pack

    start = time.perf_counter()
    computed = step.do()
    finish_step(row, pack(computed), time.perf_counter() - start)


def _do_shared(run: AnalysisRun, computation: Computation, *, leading: bool) -> None:
    """Claim shared steps one after another and do them."""
    known = {step.name: step for step in computation.steps()}
    while (row := claim_step(run.pk)) is not None:
        if row.name not in known or row.input_hash != _hash(run, known[row.name]):
            raise ClaimLost  # laid out anew by somebody who read other data
        done = run.steps.filter(state=RunStep.State.DONE).count()
        if leading:
            _progress(run, 2 + done, row.name)
        renew_step(row)  # the run may have been cancelled
        with heartbeat(None, row):
            _do(row, known[row.name])


def _hash(run: AnalysisRun, step: Step) -> str:
    return hash_of([versions(), columns(), run.fingerprint, step.name.split(" ")[0], step.key])


def _collect(run: AnalysisRun, computation: Computation) -> None:
    """The last transaction: what is staged becomes result rows."""
    from analysis.runs.pictures import kept_as_seen
    from analysis.runs.store import store

    _progress(run, run.n_steps, "storing")
    counts = run_counts(run.survey.study, computation.dispositions)
    if kept := kept_as_seen(run.survey.study, computation):
        counts["pictures"] = kept
    store(run, _collected(run), counts, versions())


def _collected(run: AnalysisRun) -> Iterator[Rows]:
    """The staged rows, step by step; a model's row gets the name that it has in this run."""
    from analysis.runs.difference_tests import between
    from analysis.runs.staging import Rows, unpack

    fits = []
    for pk in run.steps.order_by("number").values_list("pk", flat=True):
        row = RunStep.objects.get(pk=pk)
        if row.staged is None:
            raise StepEmptied
        for part in unpack(bytes(row.staged)):
            if part.table == "factormodelresult":
                name = row.name.split(" ")[1]
                part = Rows(part.table, {**part.columns, "name": [name]})
                fits.append(part)
            yield part
    yield between(fits)


def _progress(run: AnalysisRun, step: int, name: str) -> None:
    run.step, run.step_name = step, name
    renew(run, step=step, step_name=name)


def versions() -> dict[str, str]:
    """Versions of what computed, kept with the run."""
    return {"method": METHOD, "python": platform.python_version(), **_libraries()}


def columns() -> dict[str, list[str]]:
    """The columns of the result rows: a row that was staged before one of them was there would have nothing in it."""
    tables = (table for table in vars(results).values() if isinstance(table, type) and issubclass(table, Model))
    kept = (table._meta for table in tables if not table._meta.abstract and table.__module__ == results.__name__)
    return {meta.model_name or "": [field.name for field in meta.concrete_fields] for meta in kept}


@cache  # asked for at every step, and read from the disk
def _libraries() -> dict[str, str]:
    return {name.lower(): importlib.metadata.version(name) for name in LIBRARIES}
