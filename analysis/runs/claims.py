"""Who works on a run, and on which step of it: two queues (teams/base/leases.py), and failures put down."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.db.models import Q
from django.utils import timezone

from analysis.models import AnalysisRun, RunStep
from teams.base.leases import Claim, ClaimLost, Queue, kept

MAX_ATTEMPTS = 3
RUNS = Queue(
    AnalysisRun,
    waits=Q(state__in=[AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING]),
    held=Q(state=AnalysisRun.State.RUNNING),
    taken=(("state", AnalysisRun.State.RUNNING),),
    most=MAX_ATTEMPTS,
)
STEPS = Queue(
    RunStep,
    waits=Q(state__in=[RunStep.State.WAITING, RunStep.State.RUNNING]),
    held=Q(state=RunStep.State.RUNNING),
    taken=(("state", RunStep.State.RUNNING),),
)


def claim(run_id: int) -> AnalysisRun | None:
    """Claim a run to lead its work; None where somebody else does."""
    claimed = RUNS.claim(run_id, started_at=timezone.now())
    if claimed is None:
        return None
    run = AnalysisRun.objects.select_related("survey__study", "plan").get(pk=run_id)
    run.n_claims = claimed.row.n_claims
    return run


def renew(run: AnalysisRun, **progress: object) -> None:
    """Renew the lease, with progress to show. Raises :class:`ClaimLost` if the run is no longer ours."""
    Claim(RUNS, run).renew(**progress)


def hand_over(run: AnalysisRun) -> None:
    """Leave a run to whoever finishes its last step: an end of this claim in good order, which is no failed attempt."""
    Claim(RUNS, run).release()


def fail(run: AnalysisRun, code: str, detail: str = "", **figures: object) -> bool:
    """Mark a run failed, if it is still the claim that failed. ``code`` and ``figures`` are put into words by the page."""
    return Claim(RUNS, run).finish(
        state=AnalysisRun.State.FAILED,
        failure={"code": code, **figures},
        error=detail[:500],
        finished_at=timezone.now(),
    )


# ------------------------------------------------------------------------------------------------ steps
def free_steps(run_id: int) -> list[int]:
    """The shared steps of a run that nobody works on, in their order."""
    free = RunStep.objects.filter(STEPS.due(), run=run_id, shared=True)
    return list(free.order_by("number").values_list("pk", flat=True))


def claim_step(run_id: int) -> RunStep | None:
    """Claim the first free step of a run; None where every one is done or in other hands."""
    for pk in free_steps(run_id):
        claimed = STEPS.claim(pk)
        if claimed is not None:
            return claimed.row
    return None


def renew_step(step: RunStep) -> None:
    """Renew the lease on a step. Raises :class:`ClaimLost` if it is no longer ours, or its run was cancelled."""
    Claim(STEPS, step).renew()
    if not AnalysisRun.objects.filter(pk=step.run_id, state=AnalysisRun.State.RUNNING).exists():
        raise ClaimLost


def finish_step(step: RunStep, staged: bytes, seconds: float) -> None:
    """Stage what a step gave. Raises :class:`ClaimLost` if it is no longer ours."""
    ours = RunStep.objects.filter(pk=step.pk, n_claims=step.n_claims).exclude(state=RunStep.State.DONE)
    if not ours.update(state=RunStep.State.DONE, staged=staged, seconds=seconds, lease_until=None):
        raise ClaimLost


def reopen_emptied(run_id: int) -> int:
    """Do again the steps that are done and whose result was taken away, as when a team withdraws. Returns how many."""
    emptied = RunStep.objects.filter(run=run_id, state=RunStep.State.DONE, staged__isnull=True)
    return int(emptied.update(state=RunStep.State.WAITING, seconds=None, reused=False))


def unfinished(run_id: int) -> int:
    """How many steps of a run are not done."""
    return RunStep.objects.filter(run=run_id).exclude(state=RunStep.State.DONE).count()


def heartbeat(run: AnalysisRun | None, step: RunStep | None = None) -> AbstractContextManager[None]:
    """Keep the leases on a run and on a step, since one step may take longer than a lease."""

    def both() -> None:
        if run is not None:
            renew(run)
        if step is not None:
            renew_step(step)

    return kept(both)
