"""Which rows of single responses may leave, with which columns, and the register of what left (docs/data-protection.md, What readers see).

Answers are a join key: two files of one study can be laid side by side. So a release with background columns is judged
over the union of the columns of all releases so far, the team among them once it was in a file. Rows that came in between
two releases can be told from the others, so they are cells of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from django.db import transaction

from analysis.data.coarsening import coarsened, code_of, in_bands, values_of
from analysis.exports.counting import TEAM, Counts, N
from analysis.exports.prepared import counts_of
from analysis.history import Happened
from analysis.models.releases import ResultRelease, RowRelease
from surveys.models import Survey
from surveys.questionnaires.definition import Definition
from surveys.questionnaires.publishing import definition_of
from teams import history
from teams.models import Study, User

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the counts while they are judged: the releases in which the rows were.
RELEASE = "_release_"
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


def smallest_cell(rows: pd.DataFrame, columns: Sequence[str]) -> int:
    """The fewest rows that share all ``columns`` and the releases in which they were; 0 without rows."""
    sizes = _cells(rows, columns)
    return int(sizes.min()) if len(sizes) else 0


def _cells(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """How many rows each cell holds; ``rows`` as :func:`_marked` gives them."""
    import pandas as pd

    cells = pd.DataFrame({column: values_of(rows, column) for column in columns}, index=rows.index)
    for name in rows.columns:
        if name.startswith(RELEASE):
            cells[name] = rows[name]
    if cells.columns.empty or rows.empty:
        return pd.Series([rows[N].sum()] if len(rows) else [], dtype=int)
    return rows[N].groupby([cells[name] for name in cells.columns], observed=True, dropna=False, sort=False).sum()


def _marked(counts: Counts, releases: Sequence[RowRelease]) -> pd.DataFrame:
    """The counts with the releases in which their rows were."""
    return counts.rows.assign(
        **{
            f"{RELEASE}{number}": counts.rows[TEAM].isin(release.participations)
            for number, release in enumerate(releases)
        }
    )


def passes(union: Sequence[str], smallest: int, k: int) -> bool:
    """Whether a union may stand: the team alone always, with any background question from k rows per cell."""
    return not set(union) - {TEAM} or smallest >= k


@dataclass(frozen=True)
class Judgement:
    """A release that passes: its columns, with those of all before, and the fewest rows per cell."""

    background: tuple[str, ...]
    union: tuple[str, ...]
    smallest_cell: int
    n_rows: int


def look(survey: Survey, *, with_team: bool, background: Sequence[str]) -> Judgement:
    """Judge a release and record nothing. Raises as :func:`register` does."""
    before = list(RowRelease.objects.filter(study=survey.study_id).order_by("pk"))
    return _judged(survey, counts_of(survey), before, with_team, background, survey.study.k)


def register(
    survey: Survey, *, with_team: bool, background: Sequence[str], purpose: str, user: User | None
) -> RowRelease:
    """Judge a release and record it; its files can then be downloaded.

    Raises :class:`ReleaseRefused` with coarser releases that would pass, :class:`NothingToRelease` without sealed rows, and
    :class:`analysis.exports.prepared.NotCounted` while those of a large study are being counted.
    """
    counts = counts_of(survey)
    seen = list(RowRelease.objects.filter(study=survey.study_id).order_by("pk"))
    passed = _judged(survey, counts, seen, with_team, background, survey.study.k)
    with transaction.atomic():
        # Two releases at once could each pass alone and not together: the study's row lets the second see the first.
        study = Study.objects.select_for_update().get(pk=survey.study_id)
        before = list(RowRelease.objects.filter(study=study).order_by("pk"))
        if before != seen:
            passed = _judged(survey, counts, before, with_team, background, study.k)
        release = RowRelease.objects.create(
            study=study,
            purpose=purpose.strip()[:500],
            with_team=with_team,
            background=list(passed.background),
            union=list(passed.union),
            participations=list(counts.participations),
            fingerprint=counts.fingerprint,
            n_rows=passed.n_rows,
            smallest_cell=passed.smallest_cell,
            released_by=user,
        )
        history.record(study, Happened.ROWS_RELEASED, by=user, detail=release.purpose)
    return release


@transaction.atomic
def register_results(study: Study, purpose: str, user: User | None) -> ResultRelease:
    """Record that a results file with the figures of teams of fewer than k people leaves, and what for."""
    release = ResultRelease.objects.create(study=study, purpose=purpose.strip()[:500], released_by=user)
    history.record(study, Happened.RESULTS_RELEASED, by=user, detail=release.purpose)
    return release


def _judged(
    survey: Survey,
    counts: Counts,
    before: Sequence[RowRelease],
    with_team: bool,
    background: Sequence[str],
    k: int,
) -> Judgement:
    if not counts.n_rows:
        raise NothingToRelease
    known = [code for code in counts.rows.columns if code not in (TEAM, N)]
    columns = sorted((c for c in set(background) if code_of(c) in known), key=lambda c: (known.index(code_of(c)), c))
    distinct = _marked(counts, before)
    union = union_of(before, with_team, columns)
    smallest = smallest_cell(distinct, union)
    if not passes(union, smallest, k):
        definition = definition_of(survey.version)
        raise ReleaseRefused(smallest, union, _offers(definition, distinct, before, with_team, columns, k))
    return Judgement(tuple(columns), union, smallest, counts.n_rows)


def _offers(
    definition: Definition,
    rows: pd.DataFrame,
    before: Sequence[RowRelease],
    with_team: bool,
    background: Sequence[str],
    k: int,
) -> list[Offer]:
    """Coarser releases that would pass: first all columns with answers taken together, then fewer columns."""
    offers = []
    teams = (True, False) if with_team else (False,)
    for team in teams:

        def enough(columns: list[str], team: bool = team) -> bool:
            union = union_of(before, team, columns)
            return passes(union, smallest_cell(rows, union), k)

        def small(columns: list[str], team: bool = team) -> int:
            sizes = _cells(rows, union_of(before, team, columns))
            return int(sizes[sizes < k].sum())

        coarser = coarsened(definition, background, enough, small) if background else None
        if coarser is not None and coarser != list(background):
            union = union_of(before, team, coarser)
            offers.append(Offer(team, tuple(coarser), smallest_cell(rows, union)))
    round_columns = [in_bands(definition, column) for column in background]
    for size in range(len(background), -1, -1):
        for chosen in combinations(round_columns, size):
            for team in teams:
                union = union_of(before, team, chosen)
                smallest = smallest_cell(rows, union)
                offer = Offer(team, tuple(chosen), smallest)
                if passes(union, smallest, k) and offer not in offers:
                    offers.append(offer)
                if len(offers) == MOST_OFFERS:
                    return offers
    return offers
