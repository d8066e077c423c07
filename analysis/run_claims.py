"""Who works on a run, and on which step of it: claims by conditional update, leases that are renewed, failures put down.

The row is the queue; the broker only wakes. Of two workers the one whose update changes the row gets it. A claim has a number:
whoever works under an older one finds out at the next renewal and writes nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from analysis.leases import ClaimLost, kept
from analysis.models import AnalysisRun, RunStep

MAX_ATTEMPTS = 3


def claimable() -> Q:
    """Runs that wait, or whose worker has not been heard of for as long as its lease."""
    left = Q(state=AnalysisRun.State.RUNNING, lease_until__lt=timezone.now())
    return (Q(state=AnalysisRun.State.QUEUED) | left) & Q(attempts__lt=MAX_ATTEMPTS)


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def claim(run_id: int) -> AnalysisRun | None:
    """Claim a run to lead its work; None where somebody else does."""
    now = timezone.now()
    claimed = AnalysisRun.objects.filter(claimable(), pk=run_id).update(
        state=AnalysisRun.State.RUNNING,
        attempts=F("attempts") + 1,
        n_claims=F("n_claims") + 1,
        lease_until=now + _lease(),
        started_at=now,
    )
    if not claimed:
        return None
    return AnalysisRun.objects.select_related("survey__study", "plan").get(pk=run_id)


def _ours(run: AnalysisRun) -> Any:
    return AnalysisRun.objects.filter(pk=run.pk, state=AnalysisRun.State.RUNNING, n_claims=run.n_claims)


def renew(run: AnalysisRun, **progress: object) -> None:
    """Renew the lease, with progress to show. Raises :class:`ClaimLost` if the run is no longer ours."""
    if not _ours(run).update(lease_until=timezone.now() + _lease(), **progress):
        raise ClaimLost


def hand_over(run: AnalysisRun) -> None:
    """Leave a run to whoever finishes its last step: an end of this claim in good order, which is no failed attempt."""
    _ours(run).update(lease_until=timezone.now() - timedelta(seconds=1), attempts=F("attempts") - 1)


def fail(run: AnalysisRun, code: str, detail: str = "", **figures: object) -> int:
    """Mark a run failed, if it is still the claim that failed. ``code`` and ``figures`` are put into words by the page."""
    return int(
        _ours(run).update(
            state=AnalysisRun.State.FAILED,
            failure={"code": code, **figures},
            error=detail[:500],
            lease_until=None,
            finished_at=timezone.now(),
        )
    )


# ------------------------------------------------------------------------------------------------ steps
def free_steps(run_id: int) -> list[int]:
    """The shared steps of a run that nobody works on, in their order."""
    left = Q(state=RunStep.State.RUNNING, lease_until__lt=timezone.now())
    free = RunStep.objects.filter(Q(state=RunStep.State.WAITING) | left, run=run_id, shared=True)
    return list(free.order_by("number").values_list("pk", flat=True))


def claim_step(run_id: int) -> RunStep | None:
    """Claim the first free step of a run; None where every one is done or in other hands."""
    for pk in free_steps(run_id):
        left = Q(state=RunStep.State.RUNNING, lease_until__lt=timezone.now())
        claimed = RunStep.objects.filter(Q(state=RunStep.State.WAITING) | left, pk=pk).update(
            state=RunStep.State.RUNNING, n_claims=F("n_claims") + 1, lease_until=timezone.now() + _lease()
        )
        if claimed:
            return RunStep.objects.defer("staged").get(pk=pk)
    return None


def renew_step(step: RunStep) -> None:
    """Renew the lease on a step. Raises :class:`ClaimLost` if it is no longer ours, or its run was cancelled."""
    ours = RunStep.objects.filter(pk=step.pk, state=RunStep.State.RUNNING, n_claims=step.n_claims)
    if not ours.update(lease_until=timezone.now() + _lease()):
        raise ClaimLost
    if not AnalysisRun.objects.filter(pk=step.run_id, state=AnalysisRun.State.RUNNING).exists():
        raise ClaimLost


def finish_step(step: RunStep, staged: bytes, seconds: float) -> None:
    """Stage what a step gave. Raises :class:`ClaimLost` if it is no longer ours."""
    ours = RunStep.objects.filter(pk=step.pk, n_claims=step.n_claims).exclude(state=RunStep.State.DONE)
    if not ours.update(state=RunStep.State.DONE, staged=staged, seconds=seconds, lease_until=None):
        raise ClaimLost


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
