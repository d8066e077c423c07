"""A release as CSV: items as answered, "x" for "cannot judge", nothing for no answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from analysis.data.given import JUDGED_NOT
from analysis.exports.result_tables import csv_lines
from analysis.exports.rows import ReleasedRows
from surveys.models import Response
from teams.files.tables import Cell


def csv_rows(rows: ReleasedRows) -> Iterator[Sequence[Cell]]:
    """The header, then one row per returned response."""
    import numpy as np

    yield rows.columns
    # what a code is in the file, from JUDGED_NOT upwards: "cannot judge", no answer, 1, 2, …
    cells = np.array([Response.CANNOT_JUDGE, None, *range(1, rows.definition.n_points + 1)], dtype=object)
    for block in rows.blocks():
        columns = [] if rows.team is None else [rows.team[block]]
        columns += [rows.set_aside[block], *cells[rows.codes[block].T - JUDGED_NOT]]
        columns += [given[block] for given in rows.given.values()]
        yield from zip(*columns, strict=True)


def write_csv(rows: ReleasedRows, out: IO[bytes]) -> None:
    """Write the file."""
    out.writelines(line.encode() for line in csv_lines(csv_rows(rows)))
