"""Which rows of single responses may leave, with which columns, and the register of what left (disclosure.md, rule 9).

Answers are a join key: two files of one study can be laid side by side. So a release with background columns is judged
over the union of the columns of all releases so far, the team among them once it was in a file. Rows that came in between
two releases can be told from the others, so they are cells of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd
from django.db import transaction

from analysis import dataset
from analysis.dataset import Dataset
from analysis.models import RowRelease
from surveys.models import Survey
from teams import history
from teams.models import Study, User

TEAM = "team"
#: Smaller sets of columns that are looked at when a release is refused.
MOST_OFFERS = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """A coarser release that would pass."""

    with_team: bool
    background: tuple[str, ...]
    smallest_cell: int


class ReleaseRefused(Exception):
    """The union of columns has a cell of fewer than k rows."""

    def __init__(self, smallest_cell: int, union: Sequence[str], offers: Sequence[Offer]) -> None:
        super().__init__(f"smallest cell {smallest_cell}")
        self.smallest_cell, self.union, self.offers = smallest_cell, tuple(union), tuple(offers)


class NothingToRelease(Exception):
    """No team is sealed."""


def union_of(releases: Sequence[RowRelease], with_team: bool, background: Sequence[str]) -> tuple[str, ...]:
    """All columns that were released, and those asked for now; the team first."""
    codes = {code for release in releases for code in release.background} | set(background)
    team = with_team or any(release.with_team for release in releases)
    return ((TEAM,) if team else ()) + tuple(sorted(codes))


def smallest_cell(rows: pd.DataFrame, columns: Sequence[str], releases: Sequence[RowRelease]) -> int:
    """The fewest rows that share all ``columns`` and the releases in which they were; 0 without rows."""
    if rows.empty:
        return 0
    cells = rows[list(columns)].copy()
    for number, release in enumerate(releases):
        cells[f"_release_{number}"] = rows[TEAM].isin(release.participations)
    if cells.columns.empty:
        return len(rows)
    return int(cells.groupby(list(cells.columns), observed=True, dropna=False, sort=False).size().min())


def passes(union: Sequence[str], smallest: int, k: int) -> bool:
    """Whether a union may stand: the team alone always, with any background question from k rows per cell."""
    return not set(union) - {TEAM} or smallest >= k


def register(
    survey: Survey, *, with_team: bool, background: Sequence[str], purpose: str, user: User | None
) -> RowRelease:
    """Judge a release and record it; its files can then be downloaded.

    Raises :class:`ReleaseRefused` with coarser releases that would pass, :class:`NothingToRelease` without sealed rows.
    """
    data = dataset.load(survey)
    rows = _rows(survey, data)
    if rows.empty:
        raise NothingToRelease
    background = [
        code for code in rows.columns if code != TEAM and code in background
    ]  # open texts are never among them
    with transaction.atomic():
        # Two releases at once could each pass alone and not together: the study's row lets the second see the first.
        study = Study.objects.select_for_update().get(pk=survey.study_id)
        before = list(RowRelease.objects.filter(study=study).order_by("pk"))
        union = union_of(before, with_team, background)
        smallest = smallest_cell(rows, union, before)
        if not passes(union, smallest, study.k):
            raise ReleaseRefused(smallest, union, _offers(rows, before, with_team, background, study.k))
        release = RowRelease.objects.create(
            study=study,
            purpose=purpose.strip()[:500],
            with_team=with_team,
            background=background,
            union=list(union),
            participations=list(data.participations),
            fingerprint=data.fingerprint,
            n_rows=len(rows),
            smallest_cell=smallest,
            released_by=user,
        )
        history.record(study, "rows_released", by=user, detail=release.purpose)
    return release


def _rows(survey: Survey, data: Dataset) -> pd.DataFrame:
    """The returned rows with team and background, the columns that can point to someone."""
    rows = dataset.background_of(survey, data)
    rows.insert(0, TEAM, data.respondents["participation"].to_numpy())
    return rows[data.returned]


def _offers(
    rows: pd.DataFrame, before: Sequence[RowRelease], with_team: bool, background: Sequence[str], k: int
) -> list[Offer]:
    """Releases with fewer columns that would pass, those with most columns first."""
    offers = []
    for size in range(len(background), -1, -1):
        for chosen in combinations(background, size):
            for team in (True, False) if with_team else (False,):
                union = union_of(before, team, chosen)
                smallest = smallest_cell(rows, union, before)
                if passes(union, smallest, k):
                    offers.append(Offer(team, chosen, smallest))
                if len(offers) == MOST_OFFERS:
                    return offers
    return offers
