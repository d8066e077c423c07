"""The rows of a release as a table: what every file format is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import pandas as pd

from analysis import dataset
from analysis.exporting.coarsening import coarser, code_of, values_of
from analysis.exports import team_code
from analysis.models import AnalysisRun, ScreeningDecision
from analysis.release_models import RowRelease
from surveys.models import Survey
from surveys.questionnaires import Definition, definition_of

TEAM, SET_ASIDE = "team", "set_aside"


class DataChanged(Exception):
    """Answers came in or were withdrawn since the release was judged."""


@dataclass(frozen=True)
class ReleasedRows:
    """``frame``: team code (if released), set_aside (rule or ""), items (1…m, NaN), background (code or "").

    ``cannot_judge`` (rows × items) says which of the gaps in the items are "cannot judge".
    """

    frame: pd.DataFrame
    cannot_judge: npt.NDArray[Any]
    items: tuple[str, ...]
    background: tuple[str, ...]
    definition: Definition


def rows_of(release: RowRelease, survey: Survey, run: AnalysisRun | None) -> ReleasedRows:
    """Read what was released. Raises :class:`DataChanged` where the data set is no longer the one that was judged."""
    data = dataset.load(survey)
    if data.fingerprint != release.fingerprint:
        raise DataChanged
    set_aside = dict(ScreeningDecision.objects.filter(run=run).values_list("response_key", "rule")) if run else {}
    frame = data.frame.copy()
    frame.insert(0, SET_ASIDE, [set_aside.get(key, "") for key in frame.index])
    if release.with_team:
        codes = {pk: team_code(survey, pk) for pk in data.participations}
        frame.insert(0, TEAM, [codes[pk] for pk in data.respondents["participation"].tolist()])
    if release.background:
        given = dataset.background_of(survey, data)
        for column in release.background:
            frame[code_of(column)] = values_of(given, column)
    return ReleasedRows(
        frame=frame[data.returned].reset_index(drop=True),  # the keys stay here
        cannot_judge=data.cannot_judge[data.returned],
        items=data.items,
        background=tuple(code_of(column) for column in release.background),
        definition=coarser(definition_of(survey.version), release.background),
    )
