"""Result rows: written here and nowhere else, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from django.apps import apps
from django.db import connection, models, transaction
from django.utils import timezone

from analysis.models import AnalysisRun, RunStep
from analysis.runs.staging import OVER_ALL, Rows
from teams.base.leases import ClaimLost

#: Rows made into values at once: few, so that PostgreSQL stores a block while the next is made.
BATCH = 2_500


def store(run: AnalysisRun, parts: Iterable[Rows], counts: dict[str, Any], versions: dict[str, str]) -> None:
    """Write a run's rows and mark it done, in one transaction.

    The run's row is changed first, on the condition that this worker still holds it (``run.n_claims`` is the number of the
    claim): of two workers that believe they hold a run one writes and the other raises :class:`ClaimLost`.
    """
    with transaction.atomic():
        done = AnalysisRun.objects.filter(pk=run.pk, state=AnalysisRun.State.RUNNING, n_claims=run.n_claims).update(
            state=AnalysisRun.State.DONE,
            counts=counts,
            versions=versions,
            step=run.n_steps,
            step_name="",
            lease_until=None,
            error="",
            failure={},
            finished_at=timezone.now(),
        )
        if not done:
            raise ClaimLost
        for part in parts:
            write(run, part)
        # what earlier runs staged was for this one; a run that comes later may use what this one staged, and one that is
        # still at work needs its own
        ended = [AnalysisRun.State.DONE, AnalysisRun.State.FAILED, AnalysisRun.State.CANCELLED]
        earlier = AnalysisRun.objects.filter(survey=run.survey_id, pk__lt=run.pk, state__in=ended)
        earlier_pks = list(earlier.values_list("pk", flat=True))
        RunStep.objects.filter(run__in=earlier_pks, staged__isnull=False).update(staged=None)


def write(run: AnalysisRun, part: Rows) -> None:
    """Write the rows of one table: by COPY on PostgreSQL, else by one statement for many rows."""
    model = apps.get_model("analysis", part.table)
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for block in _blocks(fields, run, part):
                    for row in block:
                        copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            for block in _blocks(fields, run, part):
                cursor.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - names of our own columns
                    list(block),
                )


def _blocks(
    fields: Sequence[models.Field[Any, Any]], run: AnalysisRun, part: Rows
) -> Iterator[Iterator[tuple[Any, ...]]]:
    """The rows as the database takes them, :data:`BATCH` at a time."""
    for start in range(0, len(part), BATCH):
        some = slice(start, min(start + BATCH, len(part)))
        yield zip(*(_values(field, run, part, some) for field in fields), strict=True)


def _values(field: models.Field[Any, Any], run: AnalysisRun, part: Rows, some: slice) -> Sequence[Any]:
    """Some rows of a column as the database takes them: whole numbers without a point, nothing for NaN."""
    n = some.stop - some.start
    if field.name == "run":
        return [run.pk] * n
    if field.name == "participation":
        if "participation" not in part.columns:
            return [None] * n
        return [None if pk == OVER_ALL else pk for pk in np.asarray(part.columns["participation"][some]).tolist()]
    if field.name not in part.columns:
        default = json.dumps(field.get_default()) if isinstance(field, models.JSONField) else field.get_default()
        return [default] * n
    given = part.columns[field.name][some]
    if isinstance(given, list) or not isinstance(field, (models.IntegerField, models.FloatField)):
        return given if isinstance(given, list) else list(given.tolist())
    numbers = np.asarray(given, dtype=np.float64)
    known = np.isfinite(numbers)
    # ids and counts stay below 2^53
    values = np.where(known, numbers, 0).astype(np.int64) if isinstance(field, models.IntegerField) else numbers
    taken: list[Any] = values.tolist()
    if known.all():
        return taken
    return [value if there else None for value, there in zip(taken, known.tolist(), strict=True)]
