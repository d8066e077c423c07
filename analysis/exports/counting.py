"""How many responses share which team and background answers: what a release is judged by.

Few combinations differ, also where responses are many, so they are counted once and every judgement goes over the counts.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.data import dataset
from surveys.models import Survey

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the counts: the team's participation, and how many rows are alike.
TEAM, N = "team", "_n"


@dataclass(frozen=True)
class Counts:
    """``rows``: TEAM, the background questions ("" where not answered), N; each combination once."""

    rows: pd.DataFrame
    participations: tuple[int, ...]  # of the data set, also those without responses
    fingerprint: str

    @property
    def n_rows(self) -> int:
        """How many responses came back."""
        return int(self.rows[N].sum())


def count(survey: Survey) -> Counts:
    """Read the data set and count its returned rows. Open texts are never among the columns."""
    data = dataset.load(survey)
    rows = dataset.background_of(survey, data)
    rows.insert(0, TEAM, data.respondents["participation"].to_numpy())
    rows = rows[data.returned]
    alike = rows.groupby(list(rows.columns), observed=True, dropna=False, sort=False).size().reset_index(name=N)
    return Counts(_as_counts(alike), data.participations, data.fingerprint)


def packed(counts: Counts) -> bytes:
    """Counts as compressed JSON."""
    columns = {name: counts.rows[name].tolist() for name in counts.rows.columns}
    content = {"columns": columns, "participations": counts.participations, "fingerprint": counts.fingerprint}
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 1)


def unpacked(content: bytes) -> Counts:
    """What :func:`packed` packed."""
    import pandas as pd

    stored = json.loads(zlib.decompress(content))
    rows = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in stored["columns"].items()})
    return Counts(_as_counts(rows), tuple(stored["participations"]), stored["fingerprint"])


def _as_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Each answer once and where it stands: a judgement goes over the rows for every set of columns that it might offer."""
    import numpy as np

    return rows.astype({name: np.int64 if name in (TEAM, N) else "category" for name in rows.columns})
