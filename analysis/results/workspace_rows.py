"""Reading a run's rows for the researcher's workspace. Reads, computes nothing; the same number of queries for every study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from analysis.data.small_teams import hidden, hidden_teams, unshown_of
from analysis.models import AnalysisRun, ScreeningDecision
from analysis.models.comparisons import WaveDifference
from analysis.models.results import AgreementResult, ResultTable, ScaleResult, ScaleSet, TeamCount
from analysis.plan.nulls import Null
from analysis.plan.plans import rules
from analysis.reports.quality import Caution, Figure, cautions_of, reliability_figure
from analysis.results.cases import BY_NAME, teams_of
from analysis.results.reading import team_labels, without
from analysis.results.run_words import factor_in_words, group_in_words
from analysis.runs.names import COMPARED_BY
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import Definition, definition_of
from teams.models import Participation, Study

TEAMS_PER_PAGE, RESPONSES_PER_PAGE = 40, 50
SIGNS = ("longstring", "even_odd", "mahalanobis")


#: The size of a run's data set; its counts per team are long where there are many teams.
TOTALS = ("analysed", "teams_held")


def last_done(study: Study) -> AnalysisRun | None:
    """The last finished run of a study, with the size of its data set and without the accounts per team."""
    return with_totals(
        AnalysisRun.objects.done_of(study.pk)
        .select_related("survey__version__questionnaire", "survey__study", "plan")
        .defer("counts")
        .first()
    )


def with_totals(run: AnalysisRun | None) -> AnalysisRun | None:
    """A run that was read without its counts, with the size of its data set: what no correction changes."""
    if run is not None:
        names = [f"counts__{name}" for name in TOTALS]
        run.counts = dict(zip(TOTALS, AnalysisRun.objects.values_list(*names).get(pk=run.pk), strict=True))
    return run


def tables(run: AnalysisRun, kind: str) -> dict[str, dict[str, Any]]:
    """The tables of one kind by their names."""
    return dict(ResultTable.objects.filter(run=run, kind=kind).order_by("name").values_list("name", "content"))


def scale_names(definition: Definition) -> dict[str, str]:
    """The scales' names in the reader's language."""
    return {scale.code: in_language(dict(scale.name)) for scale in definition.scales}


def final_codes(run: AnalysisRun) -> list[str]:
    """The final scales in the order of the questionnaire."""
    codes = set(run.reliabilityresults.filter(scale_set=ScaleSet.FINAL).values_list("scale", flat=True))
    return [scale.code for scale in definition_of(run.survey.version).scales if scale.code in codes]


# ------------------------------------------------------------------------------------------------ teams
@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team on one scale: what came back, its mean with interval, its agreement. Of fewer than k people only the first."""

    participation: Participation
    label: str
    count: TeamCount
    scores: ScaleResult | None
    agreement: AgreementResult | None
    nulls: tuple[Null, ...]

    @property
    def rwg(self) -> list[float | None]:
        """Its rwg(j) under each null of the plan, in the plan's order."""
        return [self.agreement.rwg.get(null.name) if self.agreement else None for null in self.nulls]


def team_rows(run: AnalysisRun, scale_set: str, scale: str, page: str | None) -> tuple[Page[TeamCount], list[TeamRow]]:
    """A page of teams on one scale, by institution, academy and name; four queries."""
    page_of_teams = Paginator(teams_of(run), TEAMS_PER_PAGE).get_page(page)
    counts = list(page_of_teams)
    shown = [count.participation_id for count in counts]
    of_scale = {"run": run, "scale_set": scale_set, "scale": scale, "participation__in": shown}
    few = hidden_teams(run, scale_set, scale)
    nulls = rules(run.plan.content).nulls
    scores = {row.participation_id: without(row, few) for row in ScaleResult.objects.filter(**of_scale)}
    agreement = {
        row.participation_id: row
        for row in AgreementResult.objects.filter(**of_scale)
        if row.participation_id not in few
    }
    labels = team_labels(count.participation.team for count in counts if count.participation is not None)
    return page_of_teams, [
        TeamRow(
            count.participation,
            labels[count.participation.team_id],
            count,
            scores.get(count.participation_id),
            agreement.get(count.participation_id),
            nulls,
        )
        for count in counts
        if count.participation is not None
    ]


@dataclass(frozen=True, slots=True)
class WavesUnshown:
    """Whose means on a scale are not shown in the previous wave and in this one, and whether those of all teams are."""

    before: frozenset[int]
    now: frozenset[int]
    overall: bool


def waves_unshown(run: AnalysisRun, scale: str, earlier: AnalysisRun | None) -> WavesUnshown:
    """What of two waves on a scale is not shown, beside what each wave's own pages show; six queries at most.

    All teams of two waves together are one more whole, of each wave: where it would give a few people away, it is not told.
    """
    rows = WaveDifference.objects.filter(run=run, scale=scale, participation__isnull=False)
    sizes = list(rows.values_list("participation_id", "participation__team_id", "n_before", "n"))
    study = run.survey.study
    unshown = unshown_of(run, ScaleSet.FINAL, scale)
    n_now = {pk: n for pk, _team, _before, n in sizes}
    now = hidden(n_now, study.k) | (unshown.teams & n_now.keys())
    overall = unshown.allows(n_now.keys(), study.k) and sum(n_now[pk] for pk in now) not in range(1, study.k)
    n_before = {pk: n for pk, _team, n, _now in sizes}
    k_before = study.previous.k if study.previous else 0
    before = hidden(n_before, k_before)
    if earlier is not None:
        unshown = unshown_of(earlier, ScaleSet.FINAL, scale)
        of_team = {team: pk for pk, team, _before, _now in sizes}
        pairs = Participation.objects.filter(study=earlier.survey.study_id).values_list("pk", "team_id")
        same = {pk: of_team[team] for pk, team in pairs if team in of_team} if unshown.teams else {}
        before |= {same[pk] for pk in unshown.teams & same.keys()}
        overall = overall and unshown.allows(same.keys(), k_before)
    overall = overall and sum(n_before[pk] for pk in before) not in range(1, k_before)
    return WavesUnshown(before, now, overall)


def wave_rows(
    run: AnalysisRun, scale: str, page: str | None, unshown: WavesUnshown
) -> tuple[Page[WaveDifference], list[tuple[str, Any]]]:
    """A page of teams in two waves on one scale, each with its name, by institution, academy and name; two queries.

    Where a wave's mean is not shown, only the number of people is there.
    """
    rows = WaveDifference.objects.filter(run=run, scale=scale).order_by(*BY_NAME)
    page_of_teams = Paginator(
        rows.select_related("participation__team__academy__institution"), TEAMS_PER_PAGE
    ).get_page(page)
    shown = [(row, row.participation.team) for row in page_of_teams if row.participation is not None]
    labels = team_labels(team for _row, team in shown)
    for row, _team in shown:
        if row.participation_id in unshown.before | unshown.now:
            row.difference = row.low = row.high = None
            row.before = None if row.participation_id in unshown.before else row.before
            row.mean = None if row.participation_id in unshown.now else row.mean
    return page_of_teams, [(labels[team.pk], row) for row, team in shown]


# ------------------------------------------------------------------------------------------------ screening
@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a distribution: what it stands for, how many, and its height in hundredths of the highest."""

    label: str
    n: int
    height: int


def screening_page(run: AnalysisRun, page: str | None) -> Page[ScreeningDecision]:
    """The responses that a rule set aside, without their team: a rule, a value and signs could point to somebody there."""
    rows = ScreeningDecision.objects.filter(run=run).order_by("rule", "value", "response_key")
    return Paginator(rows, RESPONSES_PER_PAGE).get_page(page)


def bars(counts: list[int]) -> list[Bar]:
    """A distribution from 0 up to the last value that occurs."""
    last = max((value for value, n in enumerate(counts) if n), default=0)
    highest = max(counts, default=0) or 1
    return [Bar(str(value), n, round(100 * n / highest)) for value, n in enumerate(counts[: last + 1])]


# ------------------------------------------------------------------------------------------------ ways of asking
def mode_tables(run: AnalysisRun) -> dict[str, dict[str, Any]]:
    """Items and scales by way of asking, each cell judged by who answered it: None where its figures are not shown."""
    by_mode, k = tables(run, "mode"), run.survey.study.k
    few = hidden({mode: table["n"] for mode, table in by_mode.items()}, k)
    codes = {kind: {code for table in by_mode.values() for code in table[kind]} for kind in ("items", "scales")}
    closed = {
        ("scales", code): unshown_of(run, ScaleSet.FINAL, code).groups.get("mode", ()) for code in codes["scales"]
    }
    for kind, of_kind in codes.items():
        for code in of_kind:
            cells = {mode: table[kind][code]["n"] for mode, table in by_mode.items() if code in table[kind]}
            for mode in hidden(cells, k).union(closed.get((kind, code), ())) & cells.keys():
                by_mode[mode][kind][code] = None
    for table in by_mode.values():
        for cell in table["scales"].values():
            if cell is not None:
                cell["alpha"] = reliability_figure(cell["alpha"])
    return {mode: table for mode, table in by_mode.items() if mode not in few}


def invariance_levels(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The levels of a scale's invariance over waves, every measure of fit with the marks of its model.

    A change rests on two models. Analyses of before kept no problems: there only what did not converge is marked.
    """
    levels: list[dict[str, Any]] = []
    before: tuple[Caution, ...] = ()
    for level in table.get("invariance", {}).get("levels", []):
        own = cautions_of(level.get("problems", ()), converged=level["converged"])
        both = tuple(dict.fromkeys((*before, *own)))
        figures = {name: Figure(level[name], own) for name in ("cfi", "rmsea")}
        changes = {name: Figure(level.get(name), both) for name in ("cfi_change", "rmsea_change")}
        levels.append({**level, **figures, **changes, "cautions": own})
        before = own
    return levels


# ------------------------------------------------------------------------------------------------ groups
NOTHING: dict[str, None] = {"mean": None, "low": None, "high": None}


def group_tables(run: AnalysisRun, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Per factor and final scale the comparison, with its groups and differences in words; two more queries per scale.

    A group that is not shown (data/small_teams.py) has only its number of people.
    """
    by_factor = tables(run, "groups")
    codes = {code for of_factor in by_factor.values() for code in of_factor}
    unshown = {code: unshown_of(run, ScaleSet.FINAL, code) for code in codes}
    result = []
    for factor in COMPARED_BY:
        scales = []
        for code, comparison in by_factor.get(factor, {}).items():
            few = unshown[code].without_model(factor)
            scales.append(
                {
                    "code": code,
                    "name": names.get(code, code),
                    **comparison,
                    # of two groups F tells the difference, and that beside the other means a hidden one
                    **(
                        {"f": None, "p": None}
                        if few.intersection(group["group"] for group in comparison["groups"])
                        else {}
                    ),
                    "groups": [
                        {
                            **group,
                            **(NOTHING if group["group"] in few else {}),
                            "label": group_in_words(factor, group["group"]),
                        }
                        for group in comparison["groups"]
                    ],
                    "differences": [
                        {
                            **pair,
                            "label": f"{group_in_words(factor, pair['second'])} − {group_in_words(factor, pair['first'])}",
                        }
                        for pair in comparison["differences"]
                        if not few.intersection((pair["first"], pair["second"]))
                    ],
                }
            )
        result.append({"factor": factor, "name": factor_in_words(factor), "scales": scales})
    return result
