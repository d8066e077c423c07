"""What a run computes, step by step: screening, scores, items, reliability, agreement, comparisons, factor models.

A step turns tables of :mod:`analysis.data.dataset` into columns of result rows (staging.py); every statistic comes from
:mod:`analysis.psychometrics`. Steps depend on the data and on what their ``key`` names, never on one another, so that a
step whose result is known need not be done. Nothing here opens a transaction or writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.data.accounting import Dispositions, tally
from analysis.data.dataset import ROWS_AT_ONCE, Dataset, as_answers, as_table
from analysis.data.given import JUDGED_NOT, NO_ANSWER
from analysis.models import ScreeningDecision
from analysis.models.results import ScaleSet
from analysis.plan.plans import PlanRules, ScalePlan
from analysis.psychometrics.scales.descriptives import of_counts
from analysis.psychometrics.scales.reliability import omega_total, reliability
from analysis.psychometrics.scales.scoring import score_scales
from analysis.psychometrics.scales.screening import ScreeningRule, apply_rules
from analysis.psychometrics.teams.agreement import agreement
from analysis.psychometrics.teams.icc import Teams, nesting
from analysis.psychometrics.teams.team_means import mean_over_respondents, mean_over_teams, team_statistics
from analysis.runs import careless_answers, comparisons
from analysis.runs.factor_models import FactorModel, fit_model
from analysis.runs.staging import OVER_ALL, Rows, as_json, rows

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run. ``key`` is what it depends on beside the data: the same key on the same data gives the same rows."""

    name: str
    key: Any
    do: Callable[[], list[Rows]]
    shared: bool = False  # long, and stands by itself: other workers may take it


def screening_rules(plan: PlanRules) -> list[ScreeningRule]:
    """The plan's rules in the order in which they set aside; none where the plan has screening off."""
    screening = []
    if plan.set_aside_not_eligible:
        screening.append(
            ScreeningRule(ScreeningDecision.Rule.NOT_ELIGIBLE, "column", "equals", 1.0, column="not_eligible")
        )
    if plan.most_unanswered is not None:
        screening.append(
            ScreeningRule(ScreeningDecision.Rule.UNANSWERED, "share_unanswered", "over", plan.most_unanswered)
        )
    return screening


def set_aside_by(dataset: Dataset, plan: PlanRules) -> list[str]:
    """Per returned response, in the data set's order, the first rule that sets it aside, "" where none does."""
    returned, screening = np.flatnonzero(dataset.returned), screening_rules(plan)
    first_rules: list[str] = []
    for start in range(0, len(returned), ROWS_AT_ONCE):  # a rule sees one response
        some = returned[start : start + ROWS_AT_ONCE]
        data = pd.DataFrame(as_answers(dataset.codes[some]), columns=list(dataset.items))
        data["not_eligible"] = dataset.not_eligible[some].astype(np.float64)
        first_rules += apply_rules(data, plan.items, screening).first_rule.tolist()
    return first_rules


class Comparison(Protocol):
    """What answers are held against: the previous wave (waves.py), who was asked (nonresponse.py)."""

    @property
    def key(self) -> Any: ...

    def compare(self, computation: Computation) -> list[Rows]: ...


@dataclass
class Computation:
    """One analysis of a data set by a plan and the scales that decisions left. :meth:`steps` says what there is to do.

    ``approached`` is the number approached per sealed participation, ``groups`` what each belongs to (sector, mode, form);
    ``earlier`` is the previous wave, where there is one, ``population`` who was asked.
    """

    dataset: Dataset
    plan: PlanRules
    final: tuple[ScalePlan, ...]
    approached: dict[int, int]
    models: Sequence[FactorModel] = ()
    groups: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    earlier: Comparison | None = None
    population: Comparison | None = None
    _scores: tuple[tuple[ScalePlan, ...], pd.DataFrame] | None = field(default=None, init=False, repr=False)

    def steps(self) -> list[Step]:
        """The steps in the order in which they are done; the shared ones stand last."""
        plan = self.plan
        base = [plan.set_aside_not_eligible, plan.most_unanswered, plan.rule_version, plan.items, plan.reverse_keyed]
        final = [_key(scale) for scale in self.final]
        nulls = [(null.name, null.variance) for null in plan.nulls]
        groups = sorted((pk, sorted(known.items())) for pk, known in self.groups.items())
        steps = [
            Step("screening", [base, [_key(scale) for scale in plan.scales]], self.screen),
            Step("items", base, self.describe_items),
        ]
        for scale_set, scales in ((ScaleSet.THEORETICAL, plan.scales), (ScaleSet.FINAL, self.final)):
            name, key = str(scale_set), [base, str(scale_set), [_key(scale) for scale in scales]]
            steps += [
                Step(f"scores {name}", key, partial(self.score, scale_set, scales)),
                Step(f"reliability {name}", key, partial(self.compute_reliability, scale_set, scales)),
                Step(f"agreement {name}", [key, nulls], partial(self.compute_agreement, scale_set, scales)),
            ]
        steps += [
            Step("correlations", [base, final], self.correlate),
            Step("estimates", [base, final], self.estimate),
            Step("groups", [base, final, groups], self.compare_groups),
        ]
        for name, other in (("nonresponse", self.population), ("waves", self.earlier)):
            if other is not None:
                steps.append(Step(name, [base, final, other.key], partial(other.compare, self)))
        steps += [
            Step(f"model {model.name} {model.estimator}", [base, model.key], partial(self.fit, model), shared=True)
            for model in self.models
        ]
        return steps

    # ------------------------------------------------------------------------------------------------ who is analysed
    @cached_property
    def first_rules(self) -> npt.NDArray[np.object_]:
        """Per returned response the first rule that sets it aside, "" where none does."""
        return np.array(set_aside_by(self.dataset, self.plan), dtype=object)

    @cached_property
    def kept(self) -> npt.NDArray[np.intp]:
        """The rows of the data set that are analysed, team by team: what is summed per team then lies together."""
        kept: npt.NDArray[np.intp] = np.flatnonzero(self.dataset.returned)[self.first_rules == ""]
        order = np.argsort(self.dataset.respondents["participation"].to_numpy()[kept], kind="stable")
        return kept[order]

    @cached_property
    def codes(self) -> npt.NDArray[np.int8]:
        """The analysed respondents' answers as they were given."""
        return self.dataset.codes[self.kept]

    @cached_property
    def keyed(self) -> pd.DataFrame:
        """The analysed respondents' answers with the reverse-keyed ones recoded, NaN where there is none."""
        return self.keyed_of(self.codes)

    def keyed_of(self, codes: npt.NDArray[np.int8]) -> pd.DataFrame:
        """Answers of some respondents with the reverse-keyed ones recoded, NaN where there is none."""
        codes = codes.copy()
        for column, item in enumerate(self.dataset.items):
            if item in self.plan.reverse_keyed:
                given = codes[:, column] > NO_ANSWER
                codes[given, column] = self.dataset.n_points + 1 - codes[given, column]
        return as_table(codes, self.dataset.items)

    @cached_property
    def teams(self) -> Teams:
        """The teams of the analysed respondents: every sealed one, answers or not."""
        return self.teams_of_rows(self.kept)

    def teams_of_rows(self, chosen: npt.NDArray[np.intp]) -> Teams:
        """The teams of some rows of the data set."""
        names = np.array(self.dataset.participations, dtype=np.int64)
        of_row = self.dataset.respondents["participation"].to_numpy()[chosen]
        return Teams(np.searchsorted(names, of_row).astype(np.intp), self.dataset.participations)

    @property
    def participations(self) -> npt.NDArray[np.int64]:
        """The column ``participation`` of a table with one row over all and one per team."""
        return np.array([OVER_ALL, *self.dataset.participations], dtype=np.int64)

    @cached_property
    def dispositions(self) -> dict[int, Dispositions]:
        """What became of everyone, per sealed team."""
        of_row = self.dataset.respondents["participation"].to_numpy()[self.dataset.returned]
        return tally(self.approached, zip(of_row.tolist(), self.first_rules.tolist(), strict=True))

    def scores(self, scales: Sequence[ScalePlan]) -> pd.DataFrame:
        """The analysed respondents' scores (respondents × scales), NaN where too few items were answered.

        Those asked for last are kept: steps on the same scales follow one another.
        """
        of = tuple(scales)
        if self._scores is None or self._scores[0] != of:
            self._scores = None  # the ones before make room
            scores = score_scales(
                self.keyed,
                {scale.code: scale.items for scale in scales},
                minimum_answered={scale.code: scale.minimum_answered for scale in scales},
            )
            self._scores = of, scores
        return self._scores[1]

    # ------------------------------------------------------------------------------------------------ the steps
    def screen(self) -> list[Rows]:
        """Who is set aside by the rules of the plan, what was left open, and signs of careless answering."""
        returned = np.flatnonzero(self.dataset.returned)
        scales = {scale.code: scale.items for scale in self.plan.scales}
        seen = careless_answers.look(self.dataset, returned, scales, self.plan.reverse_keyed)
        aside = np.flatnonzero(self.first_rules != "")
        rules = self.first_rules[aside].tolist()
        eligibility = self.dataset.respondents["eligibility"].to_numpy(dtype=object)[returned[aside]]
        # what the rule saw: the reason given, or unanswered of all items, of which "cannot judge"
        values = [
            answer if rule == ScreeningDecision.Rule.NOT_ELIGIBLE else f"{open_}/{seen.n_items} ({not_judged})"
            for rule, answer, open_, not_judged in zip(
                rules, eligibility, seen.unanswered[aside], seen.cannot_judge[aside], strict=True
            )
        ]
        screening = rows(
            "screeningdecision",
            len(aside),
            response_key=self.dataset.respondents.index[returned[aside]].tolist(),
            participation=self.dataset.respondents["participation"].to_numpy()[returned[aside]],
            rule=rules,
            rule_version=self.plan.rule_version,
            value=values,
            flags=as_json(seen.flags_of(aside)),
        )
        teams = self.teams_of_rows(returned)
        return [
            screening,
            careless_answers.per_team(seen, teams, self.first_rules == ""),
            careless_answers.distributions(seen),
        ]

    def score(self, scale_set: ScaleSet, scales: Sequence[ScalePlan]) -> list[Rows]:
        """Scale scores, described per team and over all respondents, with an interval that knows they sit in teams."""
        scores = self.scores(scales)
        ends = (1.0, float(self.dataset.n_points))
        score_rows = []
        for scale in scales:
            score = scores[scale.code]
            overall, over_teams = mean_over_respondents(score, self.teams), mean_over_teams(score, self.teams)
            per_team = team_statistics(score, self.teams, scale_ends=ends)
            first = {
                "n": overall.n,
                "mean": overall.mean,
                "sd": overall.sd,
                "min": float(score.min()),
                "max": float(score.max()),
                "ci_lower": overall.ci_lower,
                "ci_upper": overall.ci_upper,
            }
            column = {name: np.concatenate([[first[name]], per_team[name].to_numpy()]) for name in first}
            nothing = np.full(len(per_team), np.nan)
            score_rows.append(
                rows(
                    "scaleresult",
                    1 + len(per_team),
                    participation=self.participations,
                    scale_set=str(scale_set),
                    scale=scale.code,
                    n=column["n"],
                    mean=column["mean"],
                    sd=column["sd"],
                    minimum=column["min"],
                    maximum=column["max"],
                    ci_low=column["ci_lower"],
                    ci_high=column["ci_upper"],
                    n_teams=np.append(over_teams.n_teams, nothing),
                    teams_mean=np.append(over_teams.mean, nothing),
                    teams_sd=np.append(over_teams.sd, nothing),
                    teams_low=np.append(over_teams.ci_lower, nothing),
                    teams_high=np.append(over_teams.ci_upper, nothing),
                )
            )
        return score_rows

    def describe_items(self) -> list[Rows]:
        """Answers as they were given (a reverse-keyed item is not recoded), per team and over all respondents."""
        teams, width = self.teams, self.dataset.n_points + 1 - JUDGED_NOT
        places = teams.codes * width - JUDGED_NOT
        item_rows = []
        for column, item in enumerate(self.dataset.items):
            if item not in self.plan.items:
                continue
            # how often each code stands in each team: what is asked of an item follows from these whole numbers
            cells = places + self.codes[:, column]
            counted = np.bincount(cells, minlength=teams.n_teams * width).reshape(teams.n_teams, width)
            counted = np.concatenate([counted.sum(axis=0, keepdims=True), counted])
            counts = counted[:, NO_ANSWER - JUDGED_NOT + 1 :]
            n, mean, sd = of_counts(counts)
            item_rows.append(
                rows(
                    "itemresult",
                    1 + teams.n_teams,
                    participation=self.participations,
                    item=item,
                    n=n,
                    mean=mean,
                    sd=sd,
                    counts=[f"[{','.join(map(str, row))}]" for row in counts.tolist()],
                    n_cannot_judge=counted[:, 0],
                    n_missing=counted[:, NO_ANSWER - JUDGED_NOT],
                )
            )
        return item_rows

    def compute_reliability(self, scale_set: ScaleSet, scales: Sequence[ScalePlan]) -> list[Rows]:
        """Alpha with Feldt's interval, omega total, and what each item adds."""
        return [
            rows(
                "reliabilityresult", 1, scale_set=str(scale_set), scale=scale.code, **reliability_of(self.keyed, scale)
            )
            for scale in scales
        ]

    def compute_agreement(self, scale_set: ScaleSet, scales: Sequence[ScalePlan]) -> list[Rows]:
        """Intraclass correlations over the teams, and agreement within each."""
        nulls = {null.name: null.variance for null in self.plan.nulls}
        scores = self.scores(scales)
        agreement_rows = []
        for scale in scales:
            nested = nesting(scores[scale.code], self.teams)
            within = agreement(self.keyed[list(scale.items)], self.teams, nulls=nulls)
            nothing = np.full(self.teams.n_teams, np.nan)
            agreement_rows.append(
                rows(
                    "agreementresult",
                    1 + self.teams.n_teams,
                    participation=self.participations,
                    scale_set=str(scale_set),
                    scale=scale.code,
                    icc1=np.append(nested.icc1, nothing),
                    icc1_n0=np.append(nested.icc1_n0, nothing),
                    icc2=np.append(nested.icc2, nothing),
                    design_effect=np.append(nested.design_effect, nothing),
                    var_between=np.append(nested.var_between_reml, nothing),
                    var_within=np.append(nested.var_within_reml, nothing),
                    rwg=["{}", *as_json(within.by_null())],
                    ad=np.append(np.nan, within.ad_m),
                )
            )
        return agreement_rows

    def correlate(self) -> list[Rows]:
        """Correlations between items and between the final scales."""
        return comparisons.correlations(self.keyed, list(self.plan.items), self.scores(self.final))

    def estimate(self) -> list[Rows]:
        """Empirical-Bayes means of the teams on the final scales, with the intervals of their ranks."""
        return comparisons.estimates(self.scores(self.final), self.teams)

    def compare_groups(self) -> list[Rows]:
        """The final scales by what teams belong to, and items by the way they were asked."""
        return [
            *comparisons.group_comparison(self.scores(self.final), self.teams, self.groups),
            *comparisons.by_mode(self.codes, self.keyed, self.dataset.items, self.final, self.teams, self.groups),
        ]

    def fit(self, model: FactorModel) -> list[Rows]:
        """One factor model by one estimator; one that cannot be fitted is a row with the reason."""
        return [fit_model(model, self.keyed, self.teams.codes)]


def _key(scale: ScalePlan) -> list[object]:
    return [scale.code, scale.items, scale.minimum_answered]


def reliability_of(keyed: pd.DataFrame, scale: ScalePlan) -> dict[str, Any]:
    """The columns of a scale's reliability."""
    items = keyed[list(scale.items)]
    result = reliability(items)
    omega, _ = omega_total(items)
    return {
        "n": result.n,
        "alpha": result.alpha_raw,
        "alpha_low": result.feldt_lower,
        "alpha_high": result.feldt_upper,
        "omega": omega.omega_model,
        "problems": as_json([[{"code": problem.code, "subject": problem.subject} for problem in omega.problems]]),
        "items": as_json(
            [
                {
                    item: {
                        "item_rest": comparisons.number(result.item_rest_r[item]),
                        "alpha_if_deleted": comparisons.number(result.alpha_if_deleted[item]),
                    }
                    for item in scale.items
                }
            ]
        ),
    }
