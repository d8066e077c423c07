"""Result rows: written here and nowhere else, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from django.apps import apps
from django.db import connection, models, transaction
from django.utils import timezone

from analysis.models import AnalysisRun, RunStep
from analysis.runs.staging import OVER_ALL, Rows
from teams.base.leases import ClaimLost

#: Rows made into text or values at once: few, so that PostgreSQL stores a block while the next becomes text.
BATCH = 2_500
#: What stands for NULL in the text of a COPY; an empty text stays one.
NOTHING = r"\N"


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
    columns = {field: _values(field, run, part) for field in fields}
    names = ", ".join(connection.ops.quote_name(field.column) for field in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN WITH (FORMAT csv, NULL '{NOTHING}')") as copy:
                for block in _blocks(columns, len(part)):
                    copy.write(block.to_csv(index=False, header=False, na_rep=NOTHING))
        else:
            marks = ", ".join(["%s"] * len(columns))
            for block in _blocks(columns, len(part)):
                values = block.astype(object).where(block.notna(), None)
                cursor.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - names of our own columns
                    list(values.itertuples(index=False, name=None)),
                )


def _blocks(columns: dict[models.Field[Any, Any], pd.Series[Any]], n: int) -> Iterator[pd.DataFrame]:
    for start in range(0, n, BATCH):
        yield pd.DataFrame({field.column: values.iloc[start : start + BATCH] for field, values in columns.items()})


def _values(field: models.Field[Any, Any], run: AnalysisRun, part: Rows) -> pd.Series[Any]:
    """A column as the database takes it: whole numbers without a point, nothing for NaN."""
    n = len(part)
    if field.name == "run":
        return pd.Series(np.full(n, run.pk, dtype=np.int64))
    if field.name == "participation":
        ids = np.asarray(part.columns.get("participation", np.full(n, OVER_ALL)), dtype=np.int64)
        return pd.Series(ids, dtype="Int64").mask(ids == OVER_ALL)
    if field.name not in part.columns:
        default = json.dumps(field.get_default()) if isinstance(field, models.JSONField) else field.get_default()
        return pd.Series([default] * n, dtype=object)
    given = part.columns[field.name]
    if isinstance(given, list):
        return pd.Series(given, dtype=object)
    if isinstance(field, models.IntegerField):
        # from float NaN to nothing; ids and counts stay below 2^53
        return pd.Series(pd.array(np.asarray(given, dtype=np.float64), dtype="Float64")).astype("Int64")
    if isinstance(field, models.FloatField):
        numbers = np.asarray(given, dtype=np.float64)
        return pd.Series(np.where(np.isfinite(numbers), numbers, np.nan))
    return pd.Series(given)
