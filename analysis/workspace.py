"""Reading a run's rows for the researcher's workspace. Reads, computes nothing; the same number of queries for every study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _

from analysis.cases import BY_NAME, teams_of
from analysis.comparing import FACTORS
from analysis.comparison_models import WaveDifference
from analysis.models import AnalysisRun, ScreeningDecision
from analysis.reading import team_labels
from analysis.result_models import AgreementResult, ResultTable, ScaleResult, ScaleSet, TeamCount
from surveys.models.questionnaire import in_language
from surveys.questionnaires import Definition, definition_of
from teams.models import Participation, Sector, Study, Team

TEAMS_PER_PAGE, RESPONSES_PER_PAGE = 40, 50
SIGNS = ("longstring", "even_odd", "mahalanobis")


#: The totals of a run's accounts; its counts per team are long where there are many teams.
TOTALS = (
    "approached",
    "returned",
    "set_aside",
    "analysed",
    "return_rate",
    "usable_rate",
    "teams_participating",
)


def last_done(study: Study) -> AnalysisRun | None:
    """The last finished run of a study, with the totals of its accounts and without those per team."""
    return with_totals(
        AnalysisRun.objects.filter(survey__study=study, state=AnalysisRun.State.DONE)
        .select_related("survey__version__questionnaire", "survey__study", "plan")
        .defer("counts")
        .first()
    )


def with_totals(run: AnalysisRun | None) -> AnalysisRun | None:
    """A run that was read without its counts, with the totals."""
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
    found = set(run.reliabilityresults.filter(scale_set=ScaleSet.FINAL).values_list("scale", flat=True))
    return [scale.code for scale in definition_of(run.survey.version).scales if scale.code in found]


# ------------------------------------------------------------------------------------------------ teams
@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team on one scale: what came back, its mean with interval, its agreement."""

    participation: Participation
    label: str
    count: TeamCount
    scores: ScaleResult | None
    agreement: AgreementResult | None


def team_rows(run: AnalysisRun, scale_set: str, scale: str, page: str | None) -> tuple[Page[TeamCount], list[TeamRow]]:
    """A page of teams on one scale, by institution, academy and name; four queries."""
    found = Paginator(teams_of(run), TEAMS_PER_PAGE).get_page(page)
    counts = list(found)
    shown = [count.participation_id for count in counts]
    of_scale = {"run": run, "scale_set": scale_set, "scale": scale, "participation__in": shown}
    scores = {row.participation_id: row for row in ScaleResult.objects.filter(**of_scale)}
    agreement = {row.participation_id: row for row in AgreementResult.objects.filter(**of_scale)}
    labels = team_labels(count.participation.team for count in counts if count.participation is not None)
    return found, [
        TeamRow(
            count.participation,
            labels[count.participation.team_id],
            count,
            scores.get(count.participation_id),
            agreement.get(count.participation_id),
        )
        for count in counts
        if count.participation is not None
    ]


def wave_rows(run: AnalysisRun, scale: str, page: str | None) -> tuple[Page[WaveDifference], list[tuple[str, Any]]]:
    """A page of teams in two waves on one scale, each with its name, by institution, academy and name; two queries."""
    rows = WaveDifference.objects.filter(run=run, scale=scale).order_by(*BY_NAME)
    found = Paginator(rows.select_related("participation__team__academy__institution"), TEAMS_PER_PAGE).get_page(page)
    shown = [(row, row.participation.team) for row in found if row.participation is not None]
    labels = team_labels(team for _row, team in shown)
    return found, [(labels[team.pk], row) for row, team in shown]


# ------------------------------------------------------------------------------------------------ screening
@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a distribution: what it stands for, how many, and its height in hundredths of the highest."""

    label: str
    n: int
    height: int


def screening_page(run: AnalysisRun, page: str | None) -> Page[ScreeningDecision]:
    """The responses that a rule set aside, by team."""
    rows = ScreeningDecision.objects.filter(run=run).select_related("participation__team__academy__institution")
    order = ("institution__name", "name")
    rows = rows.order_by(
        *(f"participation__team__academy__{name}" for name in order), "participation__team__name", "pk"
    )
    return Paginator(rows, RESPONSES_PER_PAGE).get_page(page)


def bars(counts: list[int]) -> list[Bar]:
    """A distribution from 0 up to the last value that occurs."""
    last = max((value for value, n in enumerate(counts) if n), default=0)
    highest = max(counts, default=0) or 1
    return [Bar(str(value), n, round(100 * n / highest)) for value, n in enumerate(counts[: last + 1])]


def sign_in_words(sign: str) -> str:
    """A sign of careless answering."""
    return {
        "longstring": _("the same answer to half of all questions in a row"),
        "even_odd": _("halves of the scales do not go together (below .30)"),
        "mahalanobis": _("an unusual combination of answers (p < .001)"),
    }[sign]


# ------------------------------------------------------------------------------------------------ groups
def group_in_words(factor: str, group: str) -> str:
    """The name of a group of teams."""
    labels: Mapping[str, Any] = {
        "sector": dict(Sector.choices),
        "mode": dict(Participation.Mode.choices),
        "form": dict(Team.Form.choices),
    }[factor]
    return str(labels.get(group, group))


def factor_in_words(factor: str) -> str:
    """What teams are compared by."""
    return {"sector": _("Sector"), "mode": _("Way of asking"), "form": _("Full-time or part-time")}[factor]


def group_tables(run: AnalysisRun, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Per factor and final scale the comparison, with its groups and differences in words; one query."""
    found = tables(run, "groups")
    result = []
    for factor in FACTORS:
        scales = []
        for code, comparison in found.get(factor, {}).items():
            scales.append(
                {
                    "code": code,
                    "name": names.get(code, code),
                    **comparison,
                    "groups": [{**one, "label": group_in_words(factor, one["group"])} for one in comparison["groups"]],
                    "differences": [
                        {
                            **one,
                            "label": f"{group_in_words(factor, one['second'])} − {group_in_words(factor, one['first'])}",
                        }
                        for one in comparison["differences"]
                    ],
                }
            )
        result.append({"factor": factor, "name": factor_in_words(factor), "scales": scales})
    return result
