"""What a run computes, step by step: screening, scores, reliability, agreement, factor models. Writes nothing.

A step turns tables of :mod:`analysis.dataset` into unsaved result rows; every statistic comes from
:mod:`analysis.psychometrics`. Nothing here opens a transaction: a run must not keep teachers from answering.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import models

from analysis.accounting import Dispositions, tally
from analysis.dataset import Dataset
from analysis.factor_models import FactorModel, fit_model, models_of
from analysis.models import (
    AgreementResult,
    Decision,
    FactorModelResult,
    ItemResult,
    ReliabilityResult,
    ScaleResult,
    ScaleSet,
    ScreeningDecision,
)
from analysis.plan import PlanRules, ScalePlan
from analysis.psychometrics.agreement import agreement, null_variance, uniform_null_variance
from analysis.psychometrics.descriptives import describe, distributions
from analysis.psychometrics.nesting import Teams, nesting
from analysis.psychometrics.reliability import omega_total, reliability
from analysis.psychometrics.scoring import reverse_key, score_scales
from analysis.psychometrics.screening import ScreeningRule, apply_rules
from analysis.psychometrics.team_means import mean_over_respondents, team_statistics

FloatArray = npt.NDArray[np.float64]


def number(value: float) -> float | None:
    """A float for a row: None instead of NaN or infinity, which no database column and no JSON holds."""
    return float(value) if math.isfinite(value) else None


def screening_rules(plan: PlanRules) -> list[ScreeningRule]:
    """The plan's rules in the order in which they set aside; none where the plan has screening off."""
    found = []
    if plan.set_aside_not_eligible:
        found.append(ScreeningRule(ScreeningDecision.Rule.NOT_ELIGIBLE, "column", "equals", 1.0, column="not_eligible"))
    if plan.most_unanswered is not None:
        found.append(ScreeningRule(ScreeningDecision.Rule.UNANSWERED, "share_unanswered", "over", plan.most_unanswered))
    return found


def set_aside_by(dataset: Dataset, plan: PlanRules) -> list[str]:
    """Per returned response, in the data set's order, the first rule that sets it aside, "" where none does."""
    data = dataset.frame[dataset.returned].assign(not_eligible=dataset.not_eligible[dataset.returned].astype(float))
    return list(apply_rules(data, plan.items, screening_rules(plan)).first_rule)


@dataclass
class Computation:
    """One analysis of a data set by a plan and the decisions that stand. Walk :meth:`steps` in order, then read the rows.

    ``approached`` is the number approached per sealed participation. The rows are unsaved and know no run yet.
    """

    dataset: Dataset
    plan: PlanRules
    decisions: Sequence[Decision]
    final: tuple[ScalePlan, ...]
    approached: dict[int, int]
    #: factor models of an earlier run of the same data, plan and libraries, by syntax and estimator
    fitted_before: Mapping[tuple[str, str], FactorModelResult] = field(default_factory=dict)

    screening: list[ScreeningDecision] = field(default_factory=list)
    scales: list[ScaleResult] = field(default_factory=list)
    items: list[ItemResult] = field(default_factory=list)
    reliabilities: list[ReliabilityResult] = field(default_factory=list)
    agreements: list[AgreementResult] = field(default_factory=list)
    factor_models: list[FactorModelResult] = field(default_factory=list)
    dispositions: dict[int, Dispositions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._raw = pd.DataFrame()
        self._keyed = pd.DataFrame()
        self._cannot_judge = np.zeros((0, len(self.dataset.items)), dtype=bool)
        self._teams = Teams(np.zeros(0, dtype=np.intp), self.dataset.participations)

    @property
    def rows(self) -> Iterable[list[models.Model]]:
        """The lists of unsaved rows, one per table."""
        return [
            list[models.Model](rows)
            for rows in (
                self.screening,
                self.scales,
                self.items,
                self.reliabilities,
                self.agreements,
                self.factor_models,
            )
        ]

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """The steps with their names, in the order in which they must be done."""
        steps: list[tuple[str, Callable[[], None]]] = [
            ("screening", self.screen),
            ("scores", self.score),
            ("items", self.describe_items),
            ("reliability", self.compute_reliability),
            ("agreement", self.compute_agreement),
        ]
        for model in models_of(self.plan, self.decisions):
            for estimator in self.plan.estimators:
                steps.append((f"model {model.name} {estimator}", partial(self.fit_factor_model, model, estimator)))
        return steps

    @property
    def scale_sets(self) -> list[tuple[ScaleSet, tuple[ScalePlan, ...]]]:
        return [(ScaleSet.THEORETICAL, self.plan.scales), (ScaleSet.FINAL, self.final)]

    # ------------------------------------------------------------------------------------------------ the steps
    def screen(self) -> None:
        """Set aside by the rules of the plan, keep the others, count everyone."""
        returned = self.dataset.returned
        rules = set_aside_by(self.dataset, self.plan)
        keys = self.dataset.respondents.index[returned]
        participations = self.dataset.respondents["participation"].to_numpy()[returned]
        eligibility = self.dataset.respondents["eligibility"].to_numpy(dtype=object)[returned]
        positions = [self.dataset.items.index(item) for item in self.plan.items]
        unanswered = np.isnan(self.dataset.answers[returned][:, positions]).sum(axis=1)
        cannot_judge = self.dataset.cannot_judge[returned][:, positions].sum(axis=1)
        self.screening = [
            ScreeningDecision(
                response_key=keys[row],
                participation_id=int(participations[row]),
                rule=rule,
                rule_version=self.plan.rule_version,
                # what the rule saw: the reason given, or unanswered of all items, of which "cannot judge"
                value=eligibility[row]
                if rule == ScreeningDecision.Rule.NOT_ELIGIBLE
                else f"{unanswered[row]}/{len(positions)} ({cannot_judge[row]})",
            )
            for row, rule in enumerate(rules)
            if rule
        ]
        self.dispositions = tally(self.approached, zip(participations.tolist(), rules, strict=True))
        kept = np.flatnonzero(returned)[[rule == "" for rule in rules]]
        self._raw = self.dataset.frame.iloc[kept]
        self._cannot_judge = self.dataset.cannot_judge[kept]
        self._keyed = reverse_key(self._raw, self.plan.reverse_keyed, lowest=1, highest=self.dataset.n_points)
        number_of = {participation: code for code, participation in enumerate(self.dataset.participations)}
        codes = [number_of[p] for p in self.dataset.respondents["participation"].to_numpy()[kept].tolist()]
        self._teams = Teams(np.array(codes, dtype=np.intp), self.dataset.participations)

    def score(self) -> None:
        """Scale scores, described per team and over all respondents."""
        for scale_set, scales in self.scale_sets:
            scores = self.scores(scales)
            for scale in scales:
                self.scales += _describe_scores(
                    scores[scale.code],
                    self._teams,
                    self.dataset.participations,
                    self.dataset.n_points,
                    scale_set=scale_set,
                    scale=scale.code,
                )

    def scores(self, scales: Sequence[ScalePlan]) -> pd.DataFrame:
        """The analysed respondents' scores (respondents × scales), NaN where too few items were answered."""
        return score_scales(
            self._keyed,
            {scale.code: scale.items for scale in scales},
            minimum_answered={scale.code: scale.minimum_answered for scale in scales},
        )

    def describe_items(self) -> None:
        """Answers as they were given (a reverse-keyed item is not recoded), per team and over all respondents."""
        table = describe(self._raw).to_dict("index")
        categories = list(range(1, self.dataset.n_points + 1))
        counts = distributions(self._raw, categories).counts.to_numpy()
        for column, item in enumerate(self.dataset.items):
            if item not in self.plan.items:
                continue
            answers = self._raw[item].to_numpy(dtype=np.float64)
            cannot_judge = self._cannot_judge[:, column]
            n_cannot_judge = int(cannot_judge.sum())
            self.items.append(
                ItemResult(
                    item=item,
                    n=int(table[item]["n"]),
                    mean=number(table[item]["mean"]),
                    sd=number(table[item]["sd"]),
                    counts=counts[column].tolist(),
                    n_cannot_judge=n_cannot_judge,
                    n_missing=int(table[item]["n_missing"]) - n_cannot_judge,
                )
            )
            self.items += self._item_per_team(item, answers, cannot_judge)

    def _item_per_team(self, item: str, answers: FloatArray, cannot_judge: npt.NDArray[np.bool_]) -> list[ItemResult]:
        teams, points = self._teams, self.dataset.n_points
        table = team_statistics(answers, teams, scale_ends=None).to_dict("index")
        given = ~np.isnan(answers)
        cells = teams.codes[given] * points + answers[given].astype(np.intp) - 1
        counts = np.bincount(cells, minlength=teams.n_teams * points).reshape(teams.n_teams, points)
        n_cannot_judge = teams.counts(cannot_judge)
        n_missing = teams.counts(~given & ~cannot_judge)
        return [
            ItemResult(
                participation_id=participation,
                item=item,
                n=int(table[participation]["n"]),
                mean=number(table[participation]["mean"]),
                sd=number(table[participation]["sd"]),
                counts=counts[code].tolist(),
                n_cannot_judge=int(n_cannot_judge[code]),
                n_missing=int(n_missing[code]),
            )
            for code, participation in enumerate(self.dataset.participations)
        ]

    def compute_reliability(self) -> None:
        """Alpha with Feldt's interval, omega total, and what each item adds."""
        for scale_set, scales in self.scale_sets:
            for scale in scales:
                items = self._keyed[list(scale.items)]
                result = reliability(items)
                omega, _ = omega_total(items)
                self.reliabilities.append(
                    ReliabilityResult(
                        scale_set=scale_set,
                        scale=scale.code,
                        n=result.n,
                        alpha=number(result.alpha_raw),
                        alpha_low=number(result.feldt_lower),
                        alpha_high=number(result.feldt_upper),
                        omega=number(omega.omega_model),
                        items={
                            item: {
                                "item_rest": number(result.item_rest_r[item]),
                                "alpha_if_deleted": number(result.alpha_if_deleted[item]),
                            }
                            for item in scale.items
                        },
                    )
                )

    def compute_agreement(self) -> None:
        """Intraclass correlations over the teams, and agreement within each."""
        nulls = {
            "uniform": uniform_null_variance(self.dataset.n_points),
            "skewed": null_variance(self.plan.skewed_null),
        }
        for scale_set, scales in self.scale_sets:
            scores = self.scores(scales)
            for scale in scales:
                nested = nesting(scores[scale.code], self._teams)
                self.agreements.append(
                    AgreementResult(
                        scale_set=scale_set,
                        scale=scale.code,
                        icc1=number(nested.icc1),
                        icc1_n0=number(nested.icc1_n0),
                        icc2=number(nested.icc2),
                        design_effect=number(nested.design_effect),
                    )
                )
                within = agreement(self._keyed[list(scale.items)], self._teams, nulls=nulls)
                self.agreements += [
                    AgreementResult(
                        participation_id=participation,
                        scale_set=scale_set,
                        scale=scale.code,
                        rwg_uniform=number(float(within.nulls["uniform"].rwg_j[code])),
                        rwg_skewed=number(float(within.nulls["skewed"].rwg_j[code])),
                        ad=number(float(within.ad_m[code])),
                    )
                    for code, participation in enumerate(self.dataset.participations)
                ]

    def fit_factor_model(self, model: FactorModel, estimator: str) -> None:
        """One factor model by one estimator; one that cannot be fitted is a row with the reason."""
        before = self.fitted_before.get((model.syntax, estimator))
        if before is None:
            self.factor_models.append(fit_model(model, estimator, self._keyed, self._teams.codes))
        else:
            self.factor_models.append(
                FactorModelResult(
                    name=model.name,
                    syntax=before.syntax,
                    estimator=before.estimator,
                    converged=before.converged,
                    fit=before.fit,
                    content=before.content,
                )
            )


def _describe_scores(
    score: pd.Series, teams: Teams, participations: Sequence[int], n_points: int, *, scale_set: ScaleSet, scale: str
) -> list[ScaleResult]:
    """One row over all respondents, with an interval that knows they sit in teams, and one per team."""
    overall = mean_over_respondents(score, teams)
    extremes = describe(score.to_frame()).iloc[0]
    rows = [
        ScaleResult(
            scale_set=scale_set,
            scale=scale,
            n=overall.n,
            mean=number(overall.mean),
            sd=number(overall.sd),
            minimum=number(float(extremes["min"])),
            maximum=number(float(extremes["max"])),
            ci_low=number(overall.ci_lower),
            ci_high=number(overall.ci_upper),
        )
    ]
    table = team_statistics(score, teams, scale_ends=(1.0, float(n_points)))
    for participation, row in zip(participations, table.to_dict("records"), strict=True):
        rows.append(
            ScaleResult(
                participation_id=participation,
                scale_set=scale_set,
                scale=scale,
                n=int(row["n"]),
                mean=number(row["mean"]),
                sd=number(row["sd"]),
                minimum=number(row["min"]),
                maximum=number(row["max"]),
                ci_low=number(row["ci_lower"]),
                ci_high=number(row["ci_upper"]),
            )
        )
    return rows
