"""A release as CSV: items as answered, "x" for "cannot judge", nothing for no answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from analysis.exporting.rows import ReleasedRows
from surveys.models import Response
from teams.tables import Cell


def csv_rows(rows: ReleasedRows) -> Iterator[Sequence[Cell]]:
    """The header, then one row per returned response."""
    columns = list(rows.frame.columns)
    yield tuple(columns)
    place = {item: number for number, item in enumerate(rows.items)}
    positions = [place.get(column) for column in columns]
    for number, values in enumerate(rows.frame.itertuples(index=False, name=None)):
        cells: list[Cell] = []
        for position, value in zip(positions, values, strict=True):
            if position is None:
                cells.append(value)
            elif rows.cannot_judge[number, position]:
                cells.append(Response.CANNOT_JUDGE)
            else:
                cells.append(None if math.isnan(value) else int(value))
        yield cells
