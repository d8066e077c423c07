"""How far the members of a team agree: rwg(j) under several nulls, r*wg, AD_M, and the words people read.

James, L. R., Demaree, R. G. & Wolf, G. (1984). Estimating within-group interrater reliability with and without response
bias. Journal of Applied Psychology, 69, 85-98. Lindell, M. K., Brandt, C. J. & Whitney, D. J. (1999). A revised index of
interrater agreement for multi-item ratings of a single target. Applied Psychological Measurement, 23, 127-135.
Burke, M. J. & Dunlap, W. P. (2002). Estimating interrater agreement with the average deviation index. Organizational
Research Methods, 5, 159-172.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..problems import TOO_FEW_OBSERVATIONS, Problem
from ..scales.scoring import answer_blocks, score_vector
from .icc import Teams, teams_of
from .nulls import default_nulls

FloatArray = npt.NDArray[np.float64]

#: AD_M at or under the first limit "largely agree", over the second "differ widely". .67 is A/6 for four categories
#: (Burke and Dunlap 2002, p. 166); .45 is a convention of this project.
AD_LIMITS = (0.45, 0.67)
LARGELY_AGREE = "largely agree"
DIFFER_SOMEWHAT = "views differ somewhat"
DIFFER_WIDELY = "views differ widely"


@dataclass(frozen=True, slots=True)
class NullAgreement:
    """Agreement of all teams under one null: ``rwg_j`` and ``lindell`` have shape (teams,), NaN below two respondents.

    ``mean`` to ``maximum`` and ``share_from_70`` (share of teams at .70 or more) summarise ``rwg_j`` over the teams that
    have one; ``lindell_mean`` the untruncated index.
    """

    null_variance: float
    rwg_j: FloatArray
    lindell: FloatArray
    mean: float
    median: float
    sd: float
    minimum: float
    maximum: float
    share_from_70: float
    lindell_mean: float


@dataclass(frozen=True, slots=True)
class AgreementResult:
    """Agreement within every team on the items of one scale.

    ``teams`` (teams,) names; ``n`` (teams,) respondents who answered all items; ``item_variance`` (teams,) mean item
    variance (n - 1); ``ad_m`` (teams,) mean absolute deviation from the team's item means, averaged over items, in answer
    units; ``nulls`` by name.
    """

    teams: tuple[object, ...]
    items: tuple[str, ...]
    n: npt.NDArray[np.int64]
    item_variance: FloatArray
    ad_m: FloatArray
    nulls: dict[str, NullAgreement]
    problems: tuple[Problem, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per team: n, ad_m and, per null, ``rwg_j.<null>`` and ``lindell.<null>``."""
        columns: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]] = {"n": self.n, "ad_m": self.ad_m}
        for name, null in self.nulls.items():
            columns[f"rwg_j.{name}"] = null.rwg_j
            columns[f"lindell.{name}"] = null.lindell
        return pd.DataFrame(columns, index=pd.Index(self.teams, name="team"))

    def by_null(self) -> list[dict[str, float | None]]:
        """Return each team's rwg(j) by the name of the null; None where it has none."""
        of_teams = zip(*(null.rwg_j.tolist() for null in self.nulls.values()), strict=True)
        return [
            {name: None if value != value else value for name, value in zip(self.nulls, values, strict=True)}
            for values in of_teams
        ]

    def words(self, k: int, limits: tuple[float, float] = AD_LIMITS) -> list[str | None]:
        """Return each team's words by AD_M, None below 2k respondents. See :func:`agreement_words`."""
        return agreement_words(self.ad_m, self.n, k, limits)

    def to_dict(self) -> dict[str, object]:
        """Return the numbers under the key names of the oracle files, teams without a complete respondent left out."""
        shown = np.flatnonzero(self.n > 0)
        rwg = {}
        for name, null in self.nulls.items():
            rwg[name] = {
                "ranvar": null.null_variance,
                "mean": null.mean,
                "median": null.median,
                "sd": null.sd,
                "min": null.minimum,
                "max": null.maximum,
                "prop_ge_.70": null.share_from_70,
                "lindell_mean": null.lindell_mean,
                "groups": [
                    {
                        "group": self.teams[team],
                        "n": int(self.n[team]),
                        "rwg_j": float(null.rwg_j[team]),
                        "rwg_j_lindell": float(null.lindell[team]),
                    }
                    for team in shown
                ],
            }
        return {
            "rwg_j": rwg,
            "ad_m": [
                {"group": self.teams[team], "n": int(self.n[team]), "ad_m": float(self.ad_m[team])} for team in shown
            ],
            "problems": [problem.to_dict() for problem in self.problems],
        }


def agreement(
    items: pd.DataFrame,
    team: pd.Series | Teams,
    *,
    nulls: Mapping[str, float] | None = None,
    n_categories: int = 4,
) -> AgreementResult:
    """Compute agreement within teams on the items of one scale, from the respondents who answered all of them.

    ``items`` (respondents × items); ``nulls`` names null variances, by default those of :func:`default_nulls` for
    ``n_categories``. rwg(j) = J(1 - s̄²/σ²) / (J(1 - s̄²/σ²) + s̄²/σ²) with the mean
    item variance s̄² cut at σ² (James et al. 1984, eq. 2); r*wg = 1 - s̄²/σ² uncut (Lindell et al. 1999, eq. 3);
    AD_M (Burke and Dunlap 2002, eqs. 1 and 3). Both need two respondents. A team below that is a problem by name.
    """
    teams = team if isinstance(team, Teams) else teams_of(team)
    if nulls is None:
        nulls = default_nulls(n_categories)
    bad = [name for name, variance in nulls.items() if not variance > 0]
    if bad:
        raise ValueError(f"The null variance of {bad[0]} must be over 0.")
    n_items = items.shape[1]
    if not n_items:
        raise ValueError("Agreement needs at least one item.")
    rows = teams.codes >= 0
    for some, x in answer_blocks(items):
        rows[some] &= ~np.isnan(x).any(axis=1)
    n = teams.counts(rows)
    codes = teams.codes[rows]
    squares, deviations = np.zeros(teams.n_teams), np.zeros(teams.n_teams)
    for item in range(n_items):
        answers = score_vector(items.iloc[:, item])[rows]
        total = np.bincount(codes, weights=answers, minlength=teams.n_teams)
        deviation = answers - (total / np.maximum(n, 1))[codes]
        squares += np.bincount(codes, weights=deviation**2, minlength=teams.n_teams)
        deviations += np.bincount(codes, weights=np.abs(deviation), minlength=teams.n_teams)
    enough = n >= 2
    item_variance = np.where(enough, squares / n_items / np.maximum(n - 1, 1), np.nan)
    ad_m = np.where(enough, deviations / n_items / np.maximum(n, 1), np.nan)
    return AgreementResult(
        teams=teams.names,
        items=tuple(str(name) for name in items.columns),
        n=n,
        item_variance=item_variance,
        ad_m=ad_m,
        nulls={name: _under_null(item_variance, variance, n_items) for name, variance in nulls.items()},
        problems=tuple(
            Problem(
                TOO_FEW_OBSERVATIONS,
                str(teams.names[index]),
                f"Team {teams.names[index]} has {n[index]} respondents with all items: at least 2 are needed.",
            )
            for index in np.flatnonzero(~enough)
        ),
    )


def agreement_words(
    ad_m: FloatArray, n: npt.NDArray[np.int64], k: int, limits: tuple[float, float] = AD_LIMITS
) -> list[str | None]:
    """Put AD_M into words: at most ``limits[0]`` "largely agree", over ``limits[1]`` "views differ widely".

    ``ad_m`` and ``n`` have shape (teams,). None where n is below 2k (k: the smallest group shown) or AD_M is missing.
    """
    words: list[str | None] = []
    for deviation, size in zip(ad_m.tolist(), n.tolist(), strict=True):
        if size < 2 * k or np.isnan(deviation):
            words.append(None)
        elif deviation <= limits[0]:
            words.append(LARGELY_AGREE)
        else:
            words.append(DIFFER_SOMEWHAT if deviation <= limits[1] else DIFFER_WIDELY)
    return words


def _under_null(item_variance: FloatArray, variance: float, n_items: int) -> NullAgreement:
    share = item_variance / variance
    cut = np.minimum(share, 1.0)
    rwg_j = n_items * (1 - cut) / (n_items * (1 - cut) + cut)
    known = rwg_j[~np.isnan(rwg_j)]
    nothing = len(known) == 0
    nan = float("nan")
    return NullAgreement(
        null_variance=variance,
        rwg_j=rwg_j,
        lindell=1 - share,
        mean=nan if nothing else float(known.mean()),
        median=nan if nothing else float(np.median(known)),
        sd=float(known.std(ddof=1)) if len(known) > 1 else nan,
        minimum=nan if nothing else float(known.min()),
        maximum=nan if nothing else float(known.max()),
        share_from_70=nan if nothing else float((known >= 0.70).mean()),
        lindell_mean=nan if nothing else float(1 - np.nanmean(share)),
    )
