"""The figures of an early picture, and the same of a unit whose people differ by now: a later report shows what its team saw.

A team that saw its own picture keeps it. Where screening by another plan, or an answer removed since, leaves other people in its
analysis, its scale scores are counted once more over the people of the picture, and stand with the run beside its own rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.models import EarlyPicture
from analysis.plan.plans import ScalePlan
from analysis.psychometrics.scales.scoring import score_scales
from analysis.runs.steps import Computation
from teams.models import Study

Moments = dict[str, tuple[int, float | None, float | None]]  # per scale n, mean and SD (n−1)
Rows = npt.NDArray[np.intp]


def rows_of(computation: Computation) -> dict[int, Rows]:
    """The analysed rows of the data set per participation; none of a team of which nobody is analysed."""
    participation = computation.dataset.respondents["participation"].to_numpy()[computation.kept]  # in order
    ends = np.searchsorted(participation, computation.dataset.participations, side="right")
    return dict(zip(computation.dataset.participations, np.split(computation.kept, ends)[:-1], strict=True))


def counts_of(computation: Computation, rows: Rows) -> dict[str, list[int]]:
    """Per item of the plan how often each answer was given, as it was given, by these rows."""
    points = range(1, computation.dataset.n_points + 1)
    codes = computation.dataset.codes[rows]
    columns = zip(computation.dataset.items, codes.T, strict=True)
    planned = set(computation.plan.items)
    return {item: [int((column == point).sum()) for point in points] for item, column in columns if item in planned}


def moments_of(computation: Computation, rows: Rows, scales: Sequence[ScalePlan]) -> Moments:
    """n, mean and SD of the scores of these rows on some scales."""
    scores = score_scales(
        computation.keyed_of(computation.dataset.codes[rows]),
        {scale.code: scale.items for scale in scales},
        minimum_answered={scale.code: scale.minimum_answered for scale in scales},
    )
    moments: Moments = {}
    for scale in scales:
        known = scores[scale.code].dropna()
        n = len(known)
        moments[scale.code] = (n, float(known.mean()) if n else None, float(known.std()) if n > 1 else None)
    return moments


def people_before(study: Study) -> dict[int, frozenset[str]]:
    """Per team that saw its picture, itself or with others, the keys of its people then."""
    shown = EarlyPicture.objects.filter(study=study, state=EarlyPicture.State.SHOWN)
    return {
        int(pk): frozenset(members[place] for place in team["members"])
        for members, figures in shown.values_list("members", "figures")
        for pk, team in figures.items()
    }


def kept_as_seen(study: Study, computation: Computation) -> Mapping[str, Any]:
    """Per team that saw a picture of others than are analysed now, its scores and answers over the people of the picture.

    The answers for the questions that no picture showed, since the plan asks for them only since then.
    """
    before = people_before(study)
    if not before:
        return {}
    keys = computation.dataset.respondents.index.to_numpy(dtype=object)
    kept: dict[str, Any] = {}
    for pk, rows in rows_of(computation).items():
        if pk in before and before[pk] != set(keys[rows].tolist()):
            then = np.flatnonzero(np.isin(keys, list(before[pk]))).astype(np.intp)
            kept[str(pk)] = {
                "scales": moments_of(computation, then, computation.final),
                "items": counts_of(computation, then),
            }
    return kept
