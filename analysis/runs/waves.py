"""This wave beside the previous one: the same teams, only the questions that both asked in the same words.

Respondents cannot be linked, by design, so the two waves are treated as independent samples; where the same persons answered
twice the intervals are too wide rather than too narrow. A statement about all teams together needs the scale to measure the same
in both waves: metric and scalar invariance, judged by the fall of CFI (at most .010) and the rise of RMSEA (at most .015).

Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation Modeling, 14,
464-504. Welch, B. L. (1947). The generalization of "Student's" problem. Biometrika, 34, 28-35.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from analysis.data import dataset
from analysis.plan.plans import ScalePlan, locked_plan, model_syntax, rules
from analysis.psychometrics import AnalysisInputError
from analysis.psychometrics.entry.invariance import InvarianceResult, invariance
from analysis.psychometrics.scales.scoring import score_scales
from analysis.psychometrics.teams.icc import Teams
from analysis.psychometrics.teams.team_means import mean_over_respondents, team_statistics
from analysis.runs.comparisons import number
from analysis.runs.staging import Rows, rows, table_of
from analysis.runs.steps import Computation
from surveys.models import Survey
from surveys.questionnaires import version_changes
from surveys.questionnaires.publishing import definition_of
from teams.models import Participation, Study

LEVELS = ("configural", "metric", "scalar")
#: Chen (2007): what a level of invariance may cost.
MOST_CFI, MOST_RMSEA = 0.010, 0.015
GROUP, CLUSTER = "_wave", "_team"
FloatArray = npt.NDArray[np.float64]


def earlier_of(study: Study) -> EarlierWave | None:
    """The previous wave, if it has a plan and sealed answers."""
    if study.previous_id is None:
        return None
    before = study.previous
    assert before is not None
    survey = Survey.objects.filter(study=before).select_related("version", "study").first()
    now = Survey.objects.filter(study=study).select_related("version").first()
    plan = locked_plan(before)
    if survey is None or now is None or plan is None:
        return None
    data = dataset.load(survey)
    if not len(data):
        return None
    computation = Computation(data, rules(plan.content), (), {})
    comparison = version_changes.compare(definition_of(survey.version), definition_of(now.version))
    items = [item for common in comparison.common_items.values() for item in common]
    team_of = dict(Participation.objects.filter(study__in=(study, before)).values_list("pk", "team_id"))
    return EarlierWave(before.title, plan.content_hash, computation, tuple(items), team_of)


@dataclass(frozen=True)
class EarlierWave:
    """The previous wave as it is analysed by its own plan."""

    title: str
    plan_hash: str
    computation: Computation
    items: tuple[str, ...]  # that both waves asked alike
    team_of: Mapping[int, int]  # participation of either wave → team

    @cached_property
    def key(self) -> Any:
        """What the comparison depends on beside this wave's data."""
        return [self.computation.dataset.fingerprint, self.plan_hash, self.items, sorted(self.team_of.items())]

    def compare(self, now: Computation) -> list[Rows]:
        """One table per final scale, over the teams that answered in both waves, and a row per team."""
        tables = []
        for scale in now.final:
            items = tuple(item for item in scale.items if item in self.items)
            left_out = [item for item in scale.items if item not in self.items]
            head = {"earlier": self.title, "items": items, "left_out": left_out}
            if len(items) < 2:
                tables.append(table_of("waves", {**head, "problem": "too_few_items"}, scale.code))
                continue
            shared = ScalePlan(scale.code, items, (), now.plan.minimum_answered(len(items)))
            table, teams = self._scale(now, shared)
            tables.append(table_of("waves", {**head, "problem": "", **table}, scale.code))
            if teams:
                columns = {name: [team[name] for team in teams] for name in teams[0]}
                tables.append(rows("wavedifference", len(teams), scale=scale.code, **columns))
        return tables

    def _scale(self, now: Computation, scale: ScalePlan) -> tuple[dict[str, Any], list[dict[str, float]]]:
        waves = [_Wave.of(computation, self.team_of, scale) for computation in (self.computation, now)]
        both = sorted(set(waves[0].answered) & set(waves[1].answered))
        waves = [wave.only(both) for wave in waves]
        ends = (1.0, float(now.dataset.n_points))
        before, after = (
            dict(zip(both, team_statistics(wave.score, wave.teams, scale_ends=ends).to_dict("records"), strict=True))
            for wave in waves
        )
        numbers = {team: pk for pk, team in self.team_of.items() if pk in now.dataset.participations}
        teams = [
            {"participation": numbers[team], **_welch(before[team], after[team])} for team in both if team in numbers
        ]
        tested = _invariance(scale, waves)
        overall = _overall(waves) if tested["holds"] else None
        return {"n_teams": len(both), "invariance": tested, "overall": overall}, teams


@dataclass(frozen=True)
class _Wave:
    keyed: pd.DataFrame
    score: FloatArray
    teams: Teams

    @classmethod
    def of(cls, computation: Computation, team_of: Mapping[int, int], scale: ScalePlan) -> _Wave:
        keyed = computation.keyed[list(scale.items)]
        score = score_scales(
            keyed, {scale.code: scale.items}, minimum_answered={scale.code: scale.minimum_answered}
        )[scale.code].to_numpy()  # fmt: skip
        names = sorted({team_of[pk] for pk in computation.dataset.participations})
        of_participation = np.array([team_of[pk] for pk in computation.dataset.participations], dtype=np.int64)
        codes = np.searchsorted(np.array(names), of_participation[computation.teams.codes])
        return cls(keyed, score, Teams(codes.astype(np.intp), tuple(names)))

    @property
    def answered(self) -> list[int]:
        """The teams with a score."""
        counts = self.teams.counts(~np.isnan(self.score))
        return [int(str(name)) for name, n in zip(self.teams.names, counts, strict=True) if n]

    def only(self, chosen: list[int]) -> _Wave:
        """The rows of some teams."""
        names = np.array(self.teams.names)
        rows = np.isin(names[self.teams.codes], chosen)
        codes = np.searchsorted(np.array(chosen), names[self.teams.codes[rows]])
        return _Wave(self.keyed[rows], self.score[rows], Teams(codes.astype(np.intp), tuple(chosen)))


def _welch(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[str, float]:
    """A team's two means and their difference, with Welch's interval of independent samples; NaN where there is none."""
    n, variances = [], []
    for wave in (before, after):
        n.append(int(wave["n"]))
        variances.append(float(wave["sd"]) ** 2 / n[-1])
    difference = float(after["mean"] - before["mean"])
    low, high = _interval(difference, variances, [size - 1 for size in n])
    return {
        "n_before": n[0],
        "n": n[1],
        "before": float(before["mean"]),
        "mean": float(after["mean"]),
        "difference": difference,
        "low": low,
        "high": high,
    }


def _interval(difference: float, variances: list[float], degrees: list[int]) -> tuple[float, float]:
    """95 % interval of a difference with Welch's degrees of freedom; NaN where a spread is not known."""
    total = sum(variances)
    if min(degrees) < 1 or not total > 0:
        return float("nan"), float("nan")
    df = total**2 / sum(v**2 / d for v, d in zip(variances, degrees, strict=True))
    half = float(stats.t.ppf(0.975, df)) * total**0.5
    return difference - half, difference + half


def _overall(waves: list[_Wave]) -> dict[str, Any]:
    """Both means over respondents with intervals that know the teams, and the difference of independent samples."""
    before, after = (mean_over_respondents(wave.score, wave.teams) for wave in waves)
    difference = after.mean - before.mean
    low, high = _interval(difference, [before.se**2, after.se**2], [before.df, after.df])
    return {
        "n_before": before.n,
        "n": after.n,
        "before": number(before.mean),
        "mean": number(after.mean),
        "difference": number(difference),
        "low": number(low),
        "high": number(high),
    }


def _invariance(scale: ScalePlan, waves: list[_Wave]) -> dict[str, Any]:
    """Whether the scale measures the same in both waves: metric, then scalar."""
    frames = []
    for order, wave in enumerate(waves, start=1):
        frame = wave.keyed.copy()
        frame[GROUP], frame[CLUSTER] = f"wave {order}", wave.teams.codes + order * 1_000_000
        frames.append(frame)
    data = pd.concat(frames, ignore_index=True)
    if len(scale.items) < 3:
        return {"levels": [], "holds": False, "problem": "too_few_items"}
    try:
        result = invariance(model_syntax([scale]), data, GROUP, levels=LEVELS, estimator="MLR", cluster=CLUSTER)
    except AnalysisInputError as error:
        return {
            "levels": [],
            "holds": False,
            "problem": "not_fitted",
            "detail": str(error),
        }  # the detail for the record
    return _judged(result)


def _judged(result: InvarianceResult) -> dict[str, Any]:
    levels: list[dict[str, Any]] = []
    for level in LEVELS:
        fit = result.fits[level]
        cfi = fit.fit.get("cfi.robust", fit.fit.get("cfi", float("nan")))
        rmsea = fit.fit.get("rmsea.robust", fit.fit.get("rmsea", float("nan")))
        row = {"level": level, "converged": fit.converged, "cfi": number(cfi), "rmsea": number(rmsea)}
        row["problems"] = [{"code": problem.code, "subject": problem.subject} for problem in fit.problems]
        if levels:
            before = levels[-1]
            known = fit.converged and None not in (row["cfi"], row["rmsea"], before["cfi"], before["rmsea"])
            row["cfi_change"] = cfi - before["cfi"] if known else None
            row["rmsea_change"] = rmsea - before["rmsea"] if known else None
            row["holds"] = bool(known and before["cfi"] - cfi <= MOST_CFI and rmsea - before["rmsea"] <= MOST_RMSEA)
        levels.append(row)
    holds = bool(levels[0]["converged"] and all(row["holds"] for row in levels[1:]))
    return {"levels": levels, "holds": holds, "problem": ""}
