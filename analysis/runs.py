"""A run: sealed data set → psychometrics → result rows. Claimed once, repeatable, never stuck.

The row is the queue; the broker only wakes. A worker claims a run by a conditional update, renews its lease while it works
and writes everything in one transaction at the end. When it dies, its lease runs out and the next wake-up takes the run up
again; the third time it is marked failed with what it was doing. Nothing here holds a transaction while it reads or
computes: on SQLite that would stop teachers from saving their answers.
"""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from analysis import dataset
from analysis.accounting import account
from analysis.computing import Computation
from analysis.models import AnalysisPlan, AnalysisRun, Decision, FactorModelResult
from analysis.plan import locked_plan, rules
from analysis.results import ClaimLost, store
from analysis.scales import final_scales
from surveys.models import Collection, Survey

logger = logging.getLogger(__name__)

TASK = "analysis.execute_run"
MAX_ATTEMPTS = 3
LIBRARIES = ("numpy", "scipy", "pandas", "Django")
#: Raised whenever the computation itself changes: results made before are then computed anew.
METHOD = "1"


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
        .filter(sealed_since | amended_since, plan_in_force__isnull=False)
        .select_related("study")
        .order_by("pk")
    )


def start_due_runs() -> list[int]:
    """What beat calls: give up on hopeless runs, ask for what sealing made due, wake a worker for what waits."""
    give_up()
    for survey in surveys_due():
        request_run(survey)
    waiting = list(AnalysisRun.objects.filter(_claimable()).order_by("pk").values_list("pk", flat=True))
    for run_id in waiting:
        _wake(run_id)
    return waiting


def give_up() -> int:
    """Mark failed, with the reason, the runs whose worker died at the last attempt."""
    dead = AnalysisRun.objects.filter(
        state=AnalysisRun.State.RUNNING, lease_until__lt=timezone.now(), attempts__gte=MAX_ATTEMPTS
    )
    n_failed = 0
    for run in list(dead):
        reason = f"The program stopped {run.attempts} times, the last time at step {run.step} of {run.n_steps}"
        n_failed += _finish_failed(run, f"{reason} ({run.step_name}).")
    return n_failed


def _wake(run_id: int) -> None:
    # Expires before beat has sent many more: a worker that is busy must not find a pile of wake-ups.
    current_app.send_task(TASK, args=[run_id], expires=30, ignore_result=True)


# ------------------------------------------------------------------------------------------------ claiming
def _claimable() -> Q:
    left = Q(state=AnalysisRun.State.RUNNING, lease_until__lt=timezone.now())
    return (Q(state=AnalysisRun.State.QUEUED) | left) & Q(attempts__lt=MAX_ATTEMPTS)


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def claim(run_id: int) -> AnalysisRun | None:
    """Claim a run by a conditional update: of two workers the one whose update changes the row gets it."""
    now = timezone.now()
    claimed = AnalysisRun.objects.filter(_claimable(), pk=run_id).update(
        state=AnalysisRun.State.RUNNING,
        attempts=F("attempts") + 1,
        lease_until=now + _lease(),
        started_at=now,
        step=0,
        step_name="reading",
    )
    if not claimed:
        return None
    return AnalysisRun.objects.select_related("survey__study", "plan").get(pk=run_id)


def renew(run: AnalysisRun, **progress: object) -> None:
    """Renew the lease, with progress to show. Raises :class:`ClaimLost` if the run is no longer ours."""
    ours = AnalysisRun.objects.filter(pk=run.pk, state=AnalysisRun.State.RUNNING, attempts=run.attempts)
    if not ours.update(lease_until=timezone.now() + _lease(), **progress):
        raise ClaimLost


@contextmanager
def _heartbeat(run: AnalysisRun) -> Iterator[None]:
    """Renew the lease from a second thread, since one step may take longer than a lease. It stops with this block."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.LEASE_SECONDS / 3):
                try:
                    renew(run)
                except ClaimLost:
                    return  # the next renewal or the storing says so in the worker's own thread
                except OperationalError:
                    logger.warning("Run %s: its lease could not be renewed just now.", run.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"lease of run {run.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# ------------------------------------------------------------------------------------------------ doing it
def execute(run_id: int) -> bool:
    """Claim a run and carry it out; True when its results stand. A run that is not free is left alone.

    A database that is away leaves the run to be taken up again; any other error fails it, with the reason for the
    researcher: the same data would fail the same way.
    """
    run = claim(run_id)
    if run is None:
        return False
    try:
        with _heartbeat(run):
            _carry_out(run)
    except ClaimLost:
        logger.warning("Run %s was cancelled or taken over: what was computed is thrown away.", run.pk)
        return False
    except OperationalError:
        logger.exception("Run %s: the database was away.", run.pk)
        return False  # the lease runs out and the run is taken up again, or given up at the last attempt
    except Exception as error:
        logger.exception("Run %s failed.", run.pk)
        _finish_failed(run, f"{type(error).__name__}: {error}")
        return False
    return True


def _carry_out(run: AnalysisRun) -> None:
    study = run.survey.study
    data = dataset.load(run.survey)
    plan = rules(run.plan.content)
    decisions = list(Decision.objects.filter(study=study, undone_at__isnull=True).order_by("decided_at", "pk"))
    approached = dict(
        Collection.objects.filter(participation__in=data.participations).values_list("participation_id", "approached")
    )
    computation = Computation(
        data, plan, decisions, final_scales(plan, decisions), approached, _fitted_before(run, data.fingerprint)
    )
    steps = computation.steps()
    run.n_steps = len(steps) + 2  # reading before, storing after
    renew(run, n_steps=run.n_steps, step=1)
    for number, (name, do) in enumerate(steps, start=2):
        renew(run, step=number, step_name=name)
        do()
    renew(run, step=run.n_steps, step_name="storing")
    counts = account(study, computation.dispositions).to_dict()
    store(run, computation, counts, versions())


def _fitted_before(run: AnalysisRun, fingerprint: str) -> dict[tuple[str, str], FactorModelResult]:
    """The factor models of the last run of the same data by the same plan and libraries: a decision changes few of them."""
    before = (
        AnalysisRun.objects.filter(
            survey=run.survey, plan=run.plan, state=AnalysisRun.State.DONE, fingerprint=fingerprint
        )
        .order_by("-pk")
        .first()
    )
    if before is None or before.versions != versions():
        return {}
    return {(row.syntax, row.estimator): row for row in FactorModelResult.objects.filter(run=before)}


def versions() -> dict[str, str]:
    """Versions of what computed, kept with the run."""
    found = {name.lower(): importlib.metadata.version(name) for name in LIBRARIES}
    return {"method": METHOD, "python": platform.python_version(), **found}


def _finish_failed(run: AnalysisRun, reason: str) -> int:
    """Mark a run failed, if it is still the claim that failed."""
    ours = AnalysisRun.objects.filter(pk=run.pk, state=AnalysisRun.State.RUNNING, attempts=run.attempts)
    return ours.update(state=AnalysisRun.State.FAILED, error=reason[:500], lease_until=None, finished_at=timezone.now())
