"""The rows of a release as columns: what every file format is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.data import dataset
from analysis.data.coarsening import coarser, code_of, values_of
from analysis.exports.columns import NOT_ANALYSED, SET_ASIDE, TEAM
from analysis.exports.result_tables import team_code
from analysis.models import AnalysisRun, ScreeningDecision
from analysis.models.releases import RowRelease
from surveys.models import Survey
from surveys.questionnaires.publishing import Definition, definition_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Texts = npt.NDArray[np.object_]

#: Rows made into text at a time: as objects of Python they take ten times the room.
BLOCK = 10_000


class DataChanged(Exception):
    """Answers came in or were withdrawn since the release was judged."""


@dataclass(frozen=True)
class ReleasedRows:
    """The returned responses of a release, in the order of their keys, which stay behind.

    ``codes`` (rows × items) as in :class:`analysis.data.dataset.Dataset`; per row the code of the ``team`` (None if it is not in the
    release) and the rule by which it was ``set_aside`` ("" if it was analysed, NOT_ANALYSED where no analysis read these answers);
    ``given`` holds the background answers per question, "" where there is none.
    """

    items: tuple[str, ...]
    codes: npt.NDArray[np.int8]
    team: Texts | None
    set_aside: Texts
    given: Mapping[str, Texts]
    definition: Definition

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the order in which every file has them."""
        return (*([TEAM] if self.team is not None else []), SET_ASIDE, *self.items, *self.given)

    @property
    def background(self) -> tuple[str, ...]:
        """The codes of the background questions."""
        return tuple(self.given)

    def blocks(self) -> Iterator[slice]:
        """The rows in pieces, so that only one piece at a time is more than its numbers."""
        return (slice(start, start + BLOCK) for start in range(0, len(self), BLOCK))


def rows_of(release: RowRelease, survey: Survey, run: AnalysisRun | None) -> ReleasedRows:
    """Read what was released. Raises :class:`DataChanged` where the data set is no longer the one that was judged."""
    data = dataset.load(survey)
    if data.fingerprint != release.fingerprint:
        raise DataChanged
    returned = data.returned
    if run is not None and run.fingerprint == data.fingerprint:
        rule_of = dict(ScreeningDecision.objects.filter(run=run).values_list("response_key", "rule"))
        set_aside = _texts([rule_of.get(key, "") for key in data.respondents.index])
    else:  # an analysis of other answers says nothing about the rows that came since
        set_aside = _texts([NOT_ANALYSED] * len(data))
    team: Texts | None = None
    if release.with_team:
        codes = {pk: team_code(survey, pk) for pk in data.participations}
        team = _texts([codes[pk] for pk in data.respondents["participation"].tolist()])[returned]
    given: dict[str, Any] = {}
    if release.background:
        answers = dataset.background_of(survey, data)
        for column in release.background:
            given[code_of(column)] = values_of(answers, column).to_numpy(dtype=object)[returned]
    return ReleasedRows(
        items=data.items,
        codes=data.codes[returned],
        team=team,
        set_aside=set_aside[returned],
        given=given,
        definition=coarser(definition_of(survey.version), release.background),
    )


def _texts(values: list[str]) -> Texts:
    """References to the same few texts: an array of characters would hold each again."""
    import numpy as np

    texts = np.empty(len(values), dtype=object)
    texts[:] = values
    return texts
