"""Who did not answer: the teams by what is known of them, respondents beside the population, return rates beside scores.

Only counts over groups of teams and over all teams leave this step. Answers to background questions are counted over all teams
together, never within one, and as disclosure/ lets them: no answer of fewer than k people, no two tables of which the
difference is one team.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import disclosure
from analysis.data import bands, dataset
from analysis.data.accounting import invited_teams
from analysis.data.coarsening import code_of, limits_of
from analysis.data.dataset import Dataset
from analysis.data.small_teams import unshown
from analysis.models import AnalysisRun
from analysis.models.comparisons import KnownComposition
from analysis.models.releases import RowRelease
from analysis.models.results import ResultTable
from analysis.psychometrics.teams.icc import Teams
from analysis.psychometrics.teams.nonresponse import CorrelationResult, composition, correlation, return_rate
from analysis.runs.comparisons import number
from analysis.runs.names import CELLS, COUNTED, FACTORS, MOST_POINTS, QUESTION, SCORE, SIZES
from analysis.runs.staging import Rows, table_of
from analysis.runs.steps import Computation
from surveys.models import Survey
from surveys.questionnaires.definition import NUMBER, TEXT, Question
from surveys.questionnaires.publishing import definition_of
from teams.models import Participation

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KnownTeam:
    """What is known of a team before anybody answers. ``approached`` is None where no sealed collection says it."""

    participation: int
    taking_part: bool
    approached: int | None
    groups: Mapping[str, str]

    @property
    def key(self) -> list[object]:
        return [self.participation, self.taking_part, self.approached, sorted(self.groups.items())]


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A background question, its answers or bands in order, and how many people of the population are known to be in each."""

    code: str
    answers: tuple[str, ...]
    limits: bands.Limits = ()
    known: tuple[int, ...] = ()
    source: str = ""
    earlier_limits: tuple[float, ...] = ()  # of the bands in earlier tables


@dataclass(frozen=True)
class Population:
    """Who was asked, as far as it is known without them: the input of the step beside the answers."""

    teams: tuple[KnownTeam, ...]
    questions: tuple[KnownQuestion, ...]
    counted: frozenset[int] | None  # the teams over which background answers may be counted
    k: int
    background: Callable[[], pd.DataFrame] = field(compare=False)

    @cached_property
    def key(self) -> Any:
        """What the tables depend on beside the answers."""
        counted = None if self.counted is None else sorted(self.counted)
        return [[team.key for team in self.teams], [asdict(question) for question in self.questions], counted, self.k]

    def compare(self, now: Computation) -> list[Rows]:
        """One table per way to group teams, per final scale and per background question."""
        returned = np.flatnonzero(now.dataset.returned)
        teams = now.teams_of_rows(returned)
        n_returned = dict(zip(now.dataset.participations, teams.counts(teams.codes >= 0).tolist(), strict=True))
        tables = [table_of("nonresponse", {"groups": self._groups(factor, n_returned)}, factor) for factor in FACTORS]
        scores = now.scores(now.final)
        tables += [
            table_of("nonresponse", self._rates(scores[scale.code].to_numpy(), now, n_returned), SCORE + scale.code)
            for scale in now.final
        ]
        if self.questions:
            tables.append(table_of("nonresponse", {"teams": sorted(self.counted or ())}, COUNTED))
            given = self.background() if self.counted else pd.DataFrame()
            for question in self.questions:
                table = self._question(question, given, now.dataset, returned, teams)
                tables.append(table_of("nonresponse", table, QUESTION + question.code))
        return tables

    # -------------------------------------------------------------------------------------------- groups of teams
    def _groups(self, factor: str, n_returned: Mapping[int, int]) -> list[dict[str, Any]]:
        groups: dict[str, list[KnownTeam]] = {}
        for team in self.teams:
            if factor in team.groups:
                groups.setdefault(team.groups[factor], []).append(team)
        sealed = [team for team in self.teams if team.approached is not None]
        all_approached = sum(team.approached or 0 for team in sealed)
        all_returned = sum(n_returned.get(team.participation, 0) for team in sealed)
        return [
            {"group": group, **_group(groups[group], n_returned, all_approached, all_returned)}
            for group in sorted(groups)
        ]

    # -------------------------------------------------------------------------------------------- rates and scores
    def _rates(self, score: FloatArray, now: Computation, n_returned: Mapping[int, int]) -> dict[str, Any]:
        """Return rate and mean score of every team; each counts once. Teams with more answers than teachers are left out."""
        approached = {team.participation: team.approached for team in self.teams if team.approached}
        means = now.teams.means(score, ~np.isnan(score))
        rates = np.array(
            [n_returned[pk] / approached[pk] if pk in approached else np.nan for pk in now.dataset.participations]
        )
        surplus = rates > 1
        usable = ~np.isnan(rates) & ~surplus & ~np.isnan(means)
        x, y = rates[usable], means[usable]
        answered = dict(zip(now.dataset.participations, now.teams.counts(~np.isnan(score)).tolist(), strict=True))
        few_people = unshown(answered, now.groups, self.k).teams  # a point is a mean
        shown = np.array([pk not in few_people for pk in now.dataset.participations], dtype=bool)[usable]
        few = len(x) <= MOST_POINTS
        return {
            "n_teams": int(usable.sum()),
            "surplus": int(surplus.sum()),
            "no_score": int((np.isnan(means) & ~surplus).sum()),
            "pearson": _correlation(correlation(x, y, "pearson")),
            "spearman": _correlation(correlation(x, y, "spearman")),
            "points": np.column_stack([x, y])[shown].round(4).tolist() if few else [],
            "cells": [] if few else _cells(x[shown], (y[shown] - 1) / (now.dataset.n_points - 1)),
        }

    # -------------------------------------------------------------------------------------------- background questions
    def _question(
        self, question: KnownQuestion, given: pd.DataFrame, data: Dataset, returned: npt.NDArray[np.intp], teams: Teams
    ) -> dict[str, Any]:
        """Respondents by their answer, taken together as disclosure/ says, beside the population."""
        if not self.counted:
            return {"withheld": "teams"}
        numbers = np.array(sorted(self.counted), dtype=np.int64)
        chosen = np.isin(data.respondents["participation"].to_numpy()[returned], numbers)
        answers = given[question.code].to_numpy(dtype=object)[returned[chosen]]
        codes = _codes(answers, question)
        counts = np.bincount(codes[codes >= 0], minlength=len(question.answers))
        if not counts.sum():
            return {"withheld": "nobody"}
        groups = disclosure.answers_together(counts.tolist(), self.k)
        if groups is None:
            return {"withheld": "answers"}
        shown_limits = [question.limits[group[0] - 1] for group in groups[1:]] if question.limits else []
        if question.earlier_limits and not self._stands_beside(answers, question, shown_limits):
            return {"withheld": "bands"}
        of_answer = np.empty(len(question.answers), dtype=np.intp)
        for place, group in enumerate(groups):
            of_answer[list(group)] = place
        merged = np.where(codes >= 0, of_answer[codes], -1)
        known = [sum(question.known[place] for place in group) for group in groups] if question.known else []
        table: dict[str, Any] = {
            "groups": [[question.answers[place] for place in group] for group in groups],
            "counts": np.bincount(merged[merged >= 0], minlength=len(groups)).tolist(),
            "n": len(merged),
            "missing": int((merged < 0).sum()),
            "n_teams": len(numbers),
            "limits": shown_limits,
            "known": known,
            "source": question.source,
        }
        if known:
            test = composition(merged, Teams(teams.codes[chosen], teams.names), known)
            table |= {
                "chisq": number(test.chisq / test.scale),
                "df": number(test.df),
                "p": number(test.p),
                "w": number(test.w),
                "few_expected": test.few_expected,
                "problem": test.problems[0].code if test.problems else "",
            }
        return table

    def _stands_beside(self, answers: npt.NDArray[Any], question: KnownQuestion, limits: Sequence[float]) -> bool:
        """Whether bands beside those of earlier tables leave no small band between two limits."""
        grid = sorted({*limits, *question.earlier_limits})
        codes = _codes(answers, KnownQuestion(question.code, tuple(bands.codes(grid)), tuple(grid)))
        counts = np.bincount(codes[codes >= 0], minlength=len(grid) + 1)
        return bool(((counts == 0) | (counts >= self.k)).all())


def _group(
    teams: Sequence[KnownTeam], n_returned: Mapping[int, int], all_approached: int, all_returned: int
) -> dict[str, Any]:
    sealed = [team for team in teams if team.approached is not None]
    approached = np.array([team.approached for team in sealed], dtype=np.float64)
    returned = np.array([n_returned.get(team.participation, 0) for team in sealed], dtype=np.float64)
    rate = return_rate(returned, approached)
    return {
        "invited": len(teams),
        "taking_part": sum(team.taking_part for team in teams),
        "n_teams": len(sealed),
        "approached": int(approached.sum()),
        "returned": int(returned.sum()),
        "rate": number(rate.rate),
        "low": number(rate.ci_lower),
        "high": number(rate.ci_upper),
        "share_approached": number(float(approached.sum()) / all_approached) if all_approached else None,
        "share_returned": number(float(returned.sum()) / all_returned) if all_returned else None,
    }


def _correlation(result: CorrelationResult) -> dict[str, Any]:
    return {
        "r": number(result.r),
        "low": number(result.ci_lower),
        "high": number(result.ci_upper),
        "p": number(result.p),
        "problem": result.problems[0].code if result.problems else "",
    }


def _cells(x: FloatArray, y: FloatArray) -> list[list[int]]:
    """Column, row and number of teams of every cell of a square plot that holds one; both axes from 0 to 1."""
    column, row = (np.minimum((values * CELLS).astype(np.intp), CELLS - 1) for values in (x, y))
    counts = np.bincount(column * CELLS + row, minlength=CELLS * CELLS)
    return [[int(place // CELLS), int(place % CELLS), int(counts[place])] for place in np.flatnonzero(counts)]


def _codes(answers: npt.NDArray[Any], question: KnownQuestion) -> npt.NDArray[np.intp]:
    """The place of each answer among the question's, −1 where there is none."""
    if question.limits:
        numbers = np.array([value if isinstance(value, int | float) else np.nan for value in answers], dtype=np.float64)
        places = np.searchsorted(np.array(question.limits), numbers, side="right").astype(np.intp)
        return np.where(np.isnan(numbers), -1, places)
    place = {code: at for at, code in enumerate(question.answers)}
    return np.array([place.get(value, -1) for value in answers], dtype=np.intp)


# ------------------------------------------------------------------------------------------------ what is known
def population_of(survey: Survey, data: Dataset, approached: Mapping[int, int]) -> Population:
    """What is known of who was asked; a fixed number of queries. ``approached`` per sealed participation."""
    before = list(
        ResultTable.objects.filter(
            run__survey=survey, run__state=AnalysisRun.State.DONE, kind="nonresponse", name=COUNTED
        )
        .order_by("run")
        .values_list("content", flat=True)
    )
    earlier = [frozenset(content["teams"]) for content in before if content["teams"]]
    releases = RowRelease.objects.filter(study=survey.study_id).exclude(background=[]).order_by("pk")
    earlier += [frozenset(teams) for teams in releases.values_list("participations", flat=True)]
    return Population(
        tuple(_teams(survey, approached)),
        tuple(questions_of(survey)),
        disclosure.teams_counted(frozenset(data.participations), earlier),
        survey.study.k,
        lambda: dataset.background_of(survey, data),
    )


def _teams(survey: Survey, approached: Mapping[int, int]) -> list[KnownTeam]:
    rows = Participation.objects.filter(study=survey.study_id).order_by("pk")
    invited = invited_teams(survey.study)
    teams = []
    for pk, state, sector, form, academy, institution, mode in rows.values_list(
        "pk",
        "state",
        "team__academy__sector",
        "team__form",
        "team__academy",
        "team__academy__institution",
        "collection__mode",
    ):
        if pk not in invited:
            continue
        groups = {"sector": sector, "form": form, "institution": str(institution), "academy": str(academy)}
        if pk in approached:
            groups |= {"mode": mode, "size": bands.code_of_value(approached[pk], SIZES)}
        teams.append(KnownTeam(pk, state == Participation.State.ACCEPTED, approached.get(pk), groups))
    return teams


def questions_of(survey: Survey) -> list[KnownQuestion]:
    """The background questions that the survey asks, with what is known of the population; three queries."""
    definition = definition_of(survey.version)
    entered = {
        composition.question: composition for composition in KnownComposition.objects.filter(study=survey.study_id)
    }
    limits_shown: dict[str, set[float]] = {}
    tables = ResultTable.objects.filter(
        run__survey=survey, run__state=AnalysisRun.State.DONE, kind="nonresponse", name__startswith=QUESTION
    )
    for name, limits in tables.values_list("name", "content__limits"):
        limits_shown.setdefault(name.removeprefix(QUESTION), set()).update(limits or ())
    for columns in RowRelease.objects.filter(study=survey.study_id).values_list("background", flat=True):
        for column in columns:
            limits_shown.setdefault(code_of(column), set()).update(limits_of(column))
    questions = []
    for question in definition.asked_background(survey.background):
        if question.type == TEXT:
            continue
        known = entered.get(question.code)
        limits = tuple(known.limits) if known and known.limits else _limits(question)
        answers = tuple(bands.codes(limits)) if limits else tuple(choice.code for choice in question.choices)
        counts = tuple(known.counts) if known and len(known.counts) == len(answers) else ()
        source = known.source if known and counts else ""
        questions.append(
            KnownQuestion(
                question.code, answers, limits, counts, source, tuple(sorted(limits_shown.get(question.code, ())))
            )
        )
    return questions


def _limits(question: Question) -> bands.Limits:
    return bands.offered(question) if question.type == NUMBER else ()
