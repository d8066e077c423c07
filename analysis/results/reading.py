"""Reading a run's rows for the researcher's pages and for scripts. Reads, computes nothing, decides nothing.

What a leader may see is not decided here: it is taken from the leader's own report (reports/team.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from analysis.data.accounting import held_by
from analysis.data.small_teams import hidden_teams, unshown_of
from analysis.disclosure import Capped, MeanShown, ShownScale, Withheld
from analysis.models import AnalysisRun
from analysis.models.results import (
    AgreementResult,
    ItemResult,
    ReliabilityResult,
    ScaleResult,
    ScaleSet,
)
from analysis.plan.plans import rules
from analysis.reports.groups import group_of, load_groups
from analysis.reports.quality import (
    Caution,
    Figure,
    Nesting,
    Reliability,
    item_rest_figure,
    keyed,
    nesting_figures,
    reliability_figures,
    without_item_figure,
)
from analysis.reports.team import team_reports
from surveys.questionnaires.publishing import definition_of
from teams.models import Participation, Team

RESEARCHER = "researcher"
#: What tells, of a team of fewer than k people, what each of them answered.
FIGURES = ("mean", "sd", "minimum", "maximum", "ci_low", "ci_high")
ACCOUNTS = (
    "academies_invited",
    "teams_invited",
    "teams_participating",
    "approached",
    "returned",
    "set_aside",
    "analysed",
)


@dataclass(frozen=True, slots=True)
class ScaleLine:
    """One scale over all respondents, as in the article's Table 1 and beside it."""

    code: str
    name: dict[str, str]
    items: tuple[str, ...]
    scores: ScaleResult
    reliability: Reliability
    nesting: Nesting


@dataclass(frozen=True, slots=True)
class TeamScores:
    """One team: a cell per scale, in the order of the scales. Figures of fewer than k people are not in it."""

    participation: Participation
    scores: tuple[ScaleResult, ...]
    agreement: tuple[AgreementResult | None, ...]


@dataclass(frozen=True, slots=True)
class ItemLine:
    code: str
    text: dict[str, str]
    scale: str
    reverse_keyed: bool
    result: ItemResult
    item_rest: Figure
    alpha_if_deleted: Figure

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """The marks of its mean."""
        return keyed(self.reverse_keyed)


def scale_lines(run: AnalysisRun, scale_set: str) -> list[ScaleLine]:
    """The scales of a set in the order of the questionnaire; three queries, and two per scale for small teams."""
    definition = definition_of(run.survey.version)
    of_set = {"run": run, "scale_set": scale_set}
    scores = {row.scale: row for row in ScaleResult.objects.filter(**of_set, participation=None)}
    reliabilities = {row.scale: row for row in ReliabilityResult.objects.filter(**of_set)}
    nesting = {row.scale: row for row in AgreementResult.objects.filter(**of_set, participation=None)}
    for code, row in scores.items():
        if not unshown_of(run, scale_set, code).allows_weights():
            row.teams_mean = row.teams_sd = row.teams_low = row.teams_high = None
    return [
        ScaleLine(
            scale.code,
            dict(scale.name),
            tuple(item for item in definition.item_codes if item in reliabilities[scale.code].items),
            scores[scale.code],
            reliability_figures(reliabilities[scale.code]),
            nesting_figures(nesting[scale.code]),
        )
        for scale in definition.scales
        if scale.code in scores
    ]


def team_scores(run: AnalysisRun, scale_set: str, codes: Iterable[str]) -> list[TeamScores]:
    """Every team of the run with its cells, by institution, academy and name; two queries."""
    cells: dict[int, dict[str, ScaleResult]] = {}
    participations: dict[int, Participation] = {}
    rows = ScaleResult.objects.filter(run=run, scale_set=scale_set, participation__isnull=False)
    for row in rows.select_related("participation__team__academy__institution"):
        assert row.participation is not None
        participations[row.participation.pk] = row.participation
        cells.setdefault(row.participation.pk, {})[row.scale] = row
    agreement = {
        (row.participation_id, row.scale): row
        for row in AgreementResult.objects.filter(run=run, scale_set=scale_set, participation__isnull=False)
    }
    codes = list(codes)
    few = {code: hidden_teams(run, scale_set, code) for code in codes}
    return [
        TeamScores(
            participation,
            tuple(without(cells[participation.pk][code], few[code]) for code in codes),
            tuple(None if participation.pk in few[code] else agreement[participation.pk, code] for code in codes),
        )
        for participation in sorted(participations.values(), key=lambda p: place_of(p.team))
    ]


def without(row: ScaleResult, hidden: Collection[int]) -> ScaleResult:
    """A team's row for a researcher's page or file: of a hidden team only the number of people.

    Their figures leave by the register of releases alone (docs/data-protection.md, Researchers are readers too).
    """
    if row.participation_id in hidden:
        for name in FIGURES:
            setattr(row, name, None)
    return row


def item_lines(run: AnalysisRun, scale_set: str) -> list[ItemLine]:
    """The items of a scale set over all respondents, in the order of the questionnaire; two queries."""
    definition = definition_of(run.survey.version)
    of_scale: dict[str, tuple[str, dict[str, float | None]]] = {}
    for reliability in ReliabilityResult.objects.filter(run=run, scale_set=scale_set):
        for item, figures in reliability.items.items():
            of_scale[item] = (reliability.scale, figures)
    reverse_keyed = rules(run.plan.content).reverse_keyed
    results = {row.item: row for row in ItemResult.objects.filter(run=run, participation=None)}
    return [
        ItemLine(
            item.code,
            dict(item.text),
            of_scale[item.code][0],
            item.code in reverse_keyed,
            results[item.code],
            item_rest_figure(of_scale[item.code][1]["item_rest"]),
            without_item_figure(of_scale[item.code][1]["alpha_if_deleted"]),
        )
        for item in definition.items
        if item.code in of_scale and item.code in results
    ]


def place_of(team: Team) -> tuple[str, str, str, str]:
    """What teams are sorted by: institution, academy, name, form."""
    return team.academy.institution.name, team.academy.name, team.name, team.form


def team_labels(teams: Iterable[Team]) -> dict[int, str]:
    """A short name for every team (by id) that no other of them has: its own, else with institution and academy."""
    teams = list(teams)
    names = {
        team.pk: team.name if team.form == Team.Form.FULL_TIME else f"{team.name} ({team.get_form_display()})"
        for team in teams
    }
    counts = Counter(names.values())
    return {
        team.pk: names[team.pk]
        if counts[names[team.pk]] == 1
        else f"{names[team.pk]} ({team.academy.institution.name}, {team.academy.name})"
        for team in teams
    }


# ------------------------------------------------------------------------------------------------ for scripts
def results_of(run: AnalysisRun, reader: str) -> dict[str, Any]:
    """The contract of ``manage.py results``: what the run wrote, and what each leader (or a researcher) sees of it."""
    final = scale_lines(run, ScaleSet.FINAL)
    theoretical = scale_lines(run, ScaleSet.THEORETICAL)
    codes = [line.code for line in final]
    return {
        "study": run.survey.study.slug,
        "accounts": {name: run.counts[name] for name in ACCOUNTS},
        "scales": {line.code: {"items": list(line.items)} for line in final},
        "overall": {line.code: _overall(line) for line in final},
        "theoretical": {line.code: _overall(line) for line in theoretical},
        "marks": {
            "overall": {line.code: _marks(line) for line in final},
            "theoretical": {line.code: _marks(line) for line in theoretical},
        },
        "teams": _researcher_teams(run, codes) if reader == RESEARCHER else _leader_teams(run, codes),
        "run": {
            "fingerprint": run.fingerprint,
            "plan": run.plan.content_hash,
            "finished": run.finished_at.isoformat() if run.finished_at else None,
            "interim": held_by(run).interim,
        },
    }


def _overall(line: ScaleLine) -> dict[str, Any]:
    scores = line.scores
    return {
        "n": scores.n,
        "mean": scores.mean,
        "sd": scores.sd,
        "min": scores.minimum,
        "max": scores.maximum,
        "alpha": line.reliability.alpha.value,
        "icc1": line.nesting.icc1.value,
    }


def _marks(line: ScaleLine) -> dict[str, list[str]]:
    """What must be known of figures of ``_overall``, by their names there."""
    figures = {"alpha": line.reliability.alpha, "icc1": line.nesting.icc1}
    return {name: [str(caution) for caution in figure.cautions] for name, figure in figures.items() if figure.cautions}


def _researcher_teams(run: AnalysisRun, codes: list[str]) -> dict[str, Any]:
    teams = team_scores(run, ScaleSet.FINAL, codes)
    labels = team_labels(team.participation.team for team in teams)
    return {
        labels[team.participation.team_id]: {
            code: {
                "n": scores.n,
                "mean": scores.mean,
                "ci": None if scores.ci_low is None else [scores.ci_low, scores.ci_high],
                "sd": scores.sd,
                "min": scores.minimum,
                "max": scores.maximum,
                "rwg": agreement.rwg if agreement else None,  # by the names of the nulls
            }
            for code, scores, agreement in zip(codes, team.scores, team.agreement, strict=True)
        }
        for team in teams
    }


def _leader_teams(run: AnalysisRun, codes: list[str]) -> dict[str, Any]:
    """Every team taking part, with the figures of its leader's report."""
    participations = list(
        Participation.objects.filter(study=run.survey.study, state=Participation.State.ACCEPTED).select_related(
            "team__academy__institution", "study"
        )
    )
    labels = team_labels(participation.team for participation in participations)
    groups = load_groups(run)
    by_team = {}
    for participation, report in zip(participations, team_reports(run, participations), strict=True):
        own = group_of(groups, participation)
        n = own.group.analysed if own else 0
        if isinstance(report.scales, Withheld):
            figures = {code: {"withheld": str(report.scales.reason)} for code in codes}
        else:
            figures = {scale.code: _shown(scale.shown, n) for scale in report.scales}
        by_team[labels[participation.team_id]] = figures
    return dict(sorted(by_team.items()))


def _shown(shown: ShownScale, n: int) -> dict[str, Any]:
    match shown:
        case MeanShown(mean, low, high):
            return {"n": n, "mean": mean, "ci": None if low is None else [low, high]}
        case Capped(bound, upper):
            return {"n": n, "mean": bound, "ci": None, "capped": "or_higher" if upper else "or_lower"}
        case Withheld(reason):
            return {"withheld": str(reason)}
