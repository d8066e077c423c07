"""Result rows: written here and nowhere else, whole or not at all."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from analysis.computing import Computation
from analysis.models import AnalysisRun

#: Rows per INSERT: below the number of variables that one SQLite statement takes.
BATCH = 500


class ClaimLost(Exception):
    """Another worker took the run over, or somebody cancelled it: whatever was computed is thrown away."""


def store(run: AnalysisRun, computed: Computation, counts: dict[str, Any], versions: dict[str, str]) -> None:
    """Write a run's rows and mark it done, in one transaction.

    The run's row is changed first, on the condition that this worker still holds it (``run.attempts`` is the number of the
    claim): of two workers that believe they hold a run one writes and the other raises :class:`ClaimLost`.
    """
    with transaction.atomic():
        done = AnalysisRun.objects.filter(pk=run.pk, state=AnalysisRun.State.RUNNING, attempts=run.attempts).update(
            state=AnalysisRun.State.DONE,
            fingerprint=computed.dataset.fingerprint,
            counts=counts,
            versions=versions,
            step=run.n_steps,
            step_name="",
            lease_until=None,
            error="",
            finished_at=timezone.now(),
        )
        if not done:
            raise ClaimLost
        for rows in computed.rows:
            for row in rows:
                row.run_id = run.pk  # type: ignore[attr-defined]
            if rows:
                type(rows[0])._default_manager.bulk_create(rows, batch_size=BATCH)
