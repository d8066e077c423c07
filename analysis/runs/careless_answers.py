"""What was left open and how carelessly it was answered: for information beside the screening rules of the plan.

The signs set nobody aside. Their bounds are the literature's: the same answer to half of all questions in a row (Curran 2016),
even-odd consistency below .30 (Jackson 1977), Mahalanobis distance with p below .001 (Meade and Craig 2012).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.data.dataset import ROWS_AT_ONCE, Dataset, as_table
from analysis.data.given import JUDGED_NOT, NO_ANSWER
from analysis.psychometrics.scales.screening import even_odd_consistency, longstring, mahalanobis_distance
from analysis.psychometrics.teams.icc import Teams
from analysis.runs.comparisons import number
from analysis.runs.staging import OVER_ALL, Rows, rows, table_of

IntArray = npt.NDArray[np.int64]
#: Bounds of the signs; longstring as a share of the questions.
LONGSTRING_SHARE, EVEN_ODD, MAHALANOBIS_P = 0.5, 0.30, 0.001
SIGNS = ("longstring", "even_odd", "mahalanobis")


@dataclass(frozen=True)
class Look:
    """Returned responses, a row each: gaps over the items of the plan, and the measures behind the signs."""

    n_items: int
    unanswered: IntArray
    cannot_judge: IntArray
    longstring: npt.NDArray[np.float64]
    even_odd: npt.NDArray[np.float64]
    mahalanobis_p: npt.NDArray[np.float64]

    @property
    def signs(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Who carries which sign; a measure that could not be made is no sign."""
        with np.errstate(invalid="ignore"):
            return {
                "longstring": self.longstring >= LONGSTRING_SHARE * self.n_items,
                "even_odd": self.even_odd < EVEN_ODD,
                "mahalanobis": self.mahalanobis_p < MAHALANOBIS_P,
            }

    def flags_of(self, chosen: npt.NDArray[np.intp]) -> list[dict[str, float | None]]:
        """The measures of the chosen rows that are signs."""
        values = {"longstring": self.longstring, "even_odd": self.even_odd, "mahalanobis": self.mahalanobis_p}
        signs = self.signs
        return [
            {name: number(float(values[name][row])) for name in SIGNS if signs[name][row]} for row in chosen.tolist()
        ]


def look(
    data: Dataset, chosen: npt.NDArray[np.intp], scales: Mapping[str, Sequence[str]], reverse_keyed: Sequence[str]
) -> Look:
    """Look at the chosen rows of a data set, over the items of ``scales`` in the order in which they were asked."""
    items = [item for item in data.items if any(item in of_scale for of_scale in scales.values())]
    columns = [data.items.index(item) for item in items]
    codes = data.codes[chosen][:, columns]
    as_asked, even_odd = np.empty(len(codes)), np.empty(len(codes))
    for start in range(0, len(codes), ROWS_AT_ONCE):  # what is said of one response by its own answers
        some = slice(start, start + ROWS_AT_ONCE)
        answers = as_table(codes[some], items)
        as_asked[some] = longstring(answers)  # before recoding: a reverse-keyed question breaks no row of equal answers
        for item in reverse_keyed:
            answers[item] = data.n_points + 1 - answers[item]
        even_odd[some] = even_odd_consistency(answers, scales)
    return Look(
        n_items=len(items),
        unanswered=(codes <= NO_ANSWER).sum(axis=1),
        cannot_judge=(codes == JUDGED_NOT).sum(axis=1),
        longstring=as_asked,
        even_odd=even_odd,
        mahalanobis_p=mahalanobis_distance(as_table(codes, items))[1],  # the same whichever way an item is keyed
    )


def per_team(seen: Look, teams: Teams, analysed: npt.NDArray[np.bool_]) -> Rows:
    """What came back, per team and over all: responses, gaps, signs."""
    everyone = np.ones(len(analysed), dtype=bool)
    flagged = np.logical_or.reduce(list(seen.signs.values())) & analysed
    columns = {
        "n_returned": teams.counts(everyone),
        "n_analysed": teams.counts(analysed),
        "n_unanswered": teams.sums(seen.unanswered.astype(np.float64), everyone),
        "n_cannot_judge": teams.sums(seen.cannot_judge.astype(np.float64), everyone),
        "n_flagged": teams.counts(flagged),
    }
    return rows(
        "teamcount",
        1 + teams.n_teams,
        participation=np.array([OVER_ALL, *teams.names], dtype=np.int64),
        **{name: np.append(values.sum(), values) for name, values in columns.items()},
    )


def distributions(seen: Look) -> Rows:
    """How many responses left how many questions open, and how many carry each sign."""
    width = seen.n_items + 1
    return table_of(
        "gaps",
        {
            "n_items": seen.n_items,
            "unanswered": np.bincount(seen.unanswered, minlength=width).tolist(),
            "cannot_judge": np.bincount(seen.cannot_judge, minlength=width).tolist(),
            "signs": {name: int(carried.sum()) for name, carried in seen.signs.items()},
            "n": len(seen.unanswered),
        },
    )
