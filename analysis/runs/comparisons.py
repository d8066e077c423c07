"""Comparisons of a run: correlations, teams beside one another, groups of teams, ways of asking. Rows out, nothing written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.data.given import JUDGED_NOT, NO_ANSWER
from analysis.plan.plans import ScalePlan
from analysis.psychometrics.scales.correlations import correlation_matrix
from analysis.psychometrics.scales.reliability import reliability
from analysis.psychometrics.scales.scoring import score_scales
from analysis.psychometrics.teams.icc import Teams, nesting
from analysis.psychometrics.teams.multilevel import GroupComparison, compare_groups
from analysis.psychometrics.teams.team_means import mean_over_respondents, shrunken_team_means
from analysis.runs.names import COMPARED_BY
from analysis.runs.staging import Rows, rows, table_of

Codes = npt.NDArray[np.int8]
#: Draws behind the intervals of ranks; more teams need fewer, since each rank is a smaller part of all.
DRAWS, MOST_DRAWN = 2000, 4_000_000


def number(value: float) -> float | None:
    """A float for a row: None instead of NaN or infinity, which no JSON holds."""
    return float(value) if math.isfinite(value) else None


def correlations(keyed: pd.DataFrame, items: Sequence[str], scores: pd.DataFrame) -> list[Rows]:
    """Pearson correlations over all pairs of answers that are there: items (reverse-keyed ones recoded), and scales."""
    return [
        table_of(
            "correlations",
            {
                "names": [str(name) for name in table.columns],
                "values": [
                    [number(value) for value in row] for row in correlation_matrix(table, missing="pairwise").tolist()
                ],
            },
            name,
        )
        for name, table in (("items", keyed[list(items)]), ("scales", scores))
    ]


def estimates(scores: pd.DataFrame, teams: Teams) -> list[Rows]:
    """Empirical-Bayes means per team with the intervals of mean and rank; teams without a score have no row."""
    draws = max(200, min(DRAWS, MOST_DRAWN // max(teams.n_teams, 1)))
    team_rows = []
    for scale in scores.columns:
        table = shrunken_team_means(scores[scale], teams, n_draws=draws).table
        team_rows.append(
            rows(
                "teamestimate",
                len(table),
                participation=table.index.to_numpy(dtype=np.int64),
                scale=str(scale),
                reliability=table["reliability"].to_numpy(dtype=np.float64),
                mean=table["eb_mean"].to_numpy(dtype=np.float64),
                ci_low=table["ci_lower"].to_numpy(dtype=np.float64),
                ci_high=table["ci_upper"].to_numpy(dtype=np.float64),
                rank_low=table["rank_lower"].to_numpy(dtype=np.float64),
                rank_high=table["rank_upper"].to_numpy(dtype=np.float64),
            )
        )
    return team_rows


def group_comparison(scores: pd.DataFrame, teams: Teams, groups: Mapping[int, Mapping[str, str]]) -> list[Rows]:
    """Each final scale by sector, way of asking and form of the programme: a random-intercept model, never a naive t-test."""
    tables = []
    for factor in COMPARED_BY:
        of_team = _of_teams(teams, groups, factor)
        tables.append(
            table_of(
                "groups",
                {str(scale): _comparison(compare_groups(scores[scale], teams, of_team)) for scale in scores.columns},
                factor,
            )
        )
    return tables


def _of_teams(teams: Teams, groups: Mapping[int, Mapping[str, str]], factor: str) -> list[str]:
    nothing: dict[str, str] = {}
    return [groups.get(int(str(name)), nothing).get(factor, "") for name in teams.names]


def _comparison(result: GroupComparison) -> dict[str, Any]:
    return {
        "groups": [
            {
                "group": group.group,
                "n": group.n,
                "n_teams": group.n_teams,
                "mean": number(group.mean),
                "low": number(group.ci_lower),
                "high": number(group.ci_upper),
            }
            for group in result.groups
        ],
        "differences": [
            {
                "first": pair.first,
                "second": pair.second,
                "difference": number(pair.difference),
                "se": number(pair.se),
                "low": number(pair.ci_lower),
                "high": number(pair.ci_upper),
                "t": number(pair.t),
                "p": number(pair.p),
            }
            for pair in result.differences
        ],
        "f": number(result.f),
        "df1": result.df1,
        "df2": result.df2,
        "p": number(result.p),
        "var_between": number(result.var_between),
        "var_within": number(result.var_within),
        "problem": result.problems[0].code if result.problems else "",
    }


def by_mode(
    codes: Codes,
    keyed: pd.DataFrame,
    items: Sequence[str],
    scales: Sequence[ScalePlan],
    teams: Teams,
    groups: Mapping[int, Mapping[str, str]],
) -> list[Rows]:
    """Per way of asking: each item's mean, gaps and "cannot judge", each final scale's mean, alpha and ICC(1)."""
    of_team = np.array(_of_teams(teams, groups, "mode"), dtype=object)
    of_row = of_team[teams.codes] if len(of_team) else np.zeros(0, dtype=object)
    per_mode = []
    for mode in sorted(set(of_team.tolist()) - {""}):
        chosen = np.flatnonzero(of_row == mode)
        per_mode.append(
            table_of("mode", described(codes[chosen], keyed.iloc[chosen], items, scales, teams, chosen), mode)
        )
    return per_mode


def described(
    codes: Codes,
    keyed: pd.DataFrame,
    items: Sequence[str],
    scales: Sequence[ScalePlan],
    teams: Teams,
    chosen: npt.NDArray[np.intp],
) -> dict[str, Any]:
    """Items and scales of some of the analysed respondents."""
    part = Teams(teams.codes[chosen], teams.names)
    scores = score_scales(
        keyed.reset_index(drop=True),
        {scale.code: scale.items for scale in scales},
        minimum_answered={scale.code: scale.minimum_answered for scale in scales},
    )
    return {
        "n": len(chosen),
        "n_teams": len(np.unique(part.codes)),
        "items": {
            item: {
                "n": int((codes[:, column] > NO_ANSWER).sum()),
                "mean": number(_mean(codes[:, column])),
                "cannot_judge": int((codes[:, column] == JUDGED_NOT).sum()),
                "missing": int((codes[:, column] == NO_ANSWER).sum()),
            }
            for column, item in enumerate(items)
        },
        "scales": {scale.code: _scale(scores[scale.code], keyed, scale, part) for scale in scales},
    }


def _mean(codes: npt.NDArray[np.int8]) -> float:
    given = codes[codes > NO_ANSWER]
    return float(given.mean()) if len(given) else float("nan")


def _scale(score: pd.Series[float], keyed: pd.DataFrame, scale: ScalePlan, teams: Teams) -> dict[str, Any]:
    mean = mean_over_respondents(score, teams)
    alpha = reliability(keyed[list(scale.items)])
    return {
        "n": mean.n,
        "mean": number(mean.mean),
        "sd": number(mean.sd),
        "low": number(mean.ci_lower),
        "high": number(mean.ci_upper),
        "alpha": number(alpha.alpha_raw),
        "alpha_low": number(alpha.feldt_lower),
        "alpha_high": number(alpha.feldt_upper),
        "icc1": number(nesting(score, teams).icc1),
    }
