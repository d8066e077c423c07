"""Candidates for a case study: each team's empirical-Bayes means beside a criterion from outside, and notes of interviews.

The article chose its cases on what students reported, not on collective learning. So may you: teams are listed by name or by
that criterion, never by their means, and each mean stands with its interval and the interval of its rank. No league table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import F, FloatField, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from analysis.data.small_teams import hidden_teams
from analysis.models import AnalysisRun, CaseNote, Criterion, CriterionValue
from analysis.models.results import ScaleSet, TeamCount, TeamEstimate
from analysis.results.reading import team_labels
from teams.base.numbers import decimal_number
from teams.files.tables import NOTHING, Table
from teams.models import Participation, Study, User
from teams.text.directions import isolated

PER_PAGE = 40
#: How teams may be listed. By their means is not among them.
ORDERS = ("name", "criterion")
BY_NAME = (
    "participation__team__academy__institution__name",
    "participation__team__academy__name",
    "participation__team__name",
    "participation__team__form",
    "pk",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A team with its criterion and, per final scale, its estimate (None where nobody answered)."""

    participation: Participation
    n: int
    criterion: float | None
    estimates: tuple[TeamEstimate | None, ...]


def candidates(
    run: AnalysisRun, scales: Sequence[str], order: str, page: str | None
) -> tuple[Page[TeamCount], list[Candidate]]:
    """A page of teams; four queries whatever their number."""
    rows = teams_of(run)
    value = CriterionValue.objects.filter(
        criterion__study=run.survey.study_id, participation=OuterRef("participation")
    ).values("value")[:1]
    if order == "criterion":
        by_value = rows.annotate(criterion=Subquery(value, output_field=FloatField()))
        rows = by_value.order_by(F("criterion").desc(nulls_last=True), *BY_NAME)
    page_of_teams = Paginator(rows, PER_PAGE).get_page(page)
    shown = list(page_of_teams)
    values = dict(
        CriterionValue.objects.filter(
            criterion__study=run.survey.study_id, participation__in=[row.participation_id for row in shown]
        ).values_list("participation_id", "value")
    )
    few = {scale: hidden_teams(run, ScaleSet.FINAL, scale) for scale in scales}
    estimates = {
        (row.participation_id, row.scale): row
        for row in TeamEstimate.objects.filter(run=run, participation__in=[row.participation_id for row in shown])
        if row.participation_id not in few.get(row.scale, ())
    }
    return page_of_teams, [
        Candidate(
            row.participation,
            row.n_analysed,
            values.get(row.participation.pk),
            tuple(estimates.get((row.participation_id, scale)) for scale in scales),
        )
        for row in shown
        if row.participation is not None
    ]


def estimates_of(run: AnalysisRun, participation: Participation) -> dict[str, TeamEstimate]:
    """A team's estimates by scale, without those of scales on which its figures are not shown."""
    return {
        row.scale: row
        for row in TeamEstimate.objects.filter(run=run, participation=participation)
        if participation.pk not in hidden_teams(run, ScaleSet.FINAL, row.scale)
    }


def teams_of(run: AnalysisRun) -> QuerySet[TeamCount]:
    """The teams of a run by institution, academy and name."""
    rows = TeamCount.objects.filter(run=run, participation__isnull=False)
    return rows.select_related("participation__team__academy__institution").order_by(*BY_NAME)


# ------------------------------------------------------------------------------------------------ the criterion
class CriterionRefused(Exception):
    """A file that gives no figure per team, in a sentence for the researcher."""


def read_criterion(
    study: Study, table: Table, team_column: str, value_column: str
) -> tuple[dict[int, float], list[str]]:
    """Figures per participation, and the names in the file that no team of the study has.

    A team is named as on the page of candidates: by its name, with institution and academy where the name is not enough.
    Raises :class:`CriterionRefused` for columns that are missing, a team named twice, or a value that is no number.
    """
    for column in (team_column, value_column):
        if column not in table.header:
            raise CriterionRefused(_("There is no column “%(column)s” in the file.") % {"column": column})
    teams = list(
        Participation.objects.filter(study=study, state=Participation.State.ACCEPTED).select_related(
            "team__academy__institution"
        )
    )
    labels = team_labels(participation.team for participation in teams)
    by_label = {labels[participation.team_id].lower(): participation.pk for participation in teams}
    at, value_at = table.header.index(team_column), table.header.index(value_column)
    values: dict[int, float] = {}
    unknown = []
    for row in table.rows:
        name, text = row[at], row[value_at]
        if text.lower() in NOTHING:
            continue  # a team without a figure, as other programs write it
        participation = by_label.get(name.lower())
        if participation is None:
            unknown.append(name)
            continue
        if participation in values:
            raise CriterionRefused(_("%(team)s is in the file twice.") % {"team": isolated(name)})
        value = decimal_number(text)
        if value is None:
            raise CriterionRefused(
                _("%(team)s: “%(value)s” is not a number.") % {"team": isolated(name), "value": text}
            )
        values[participation] = value
    if not values:
        raise CriterionRefused(_("No row of the file has a figure for a team of this study."))
    return values, unknown


def store_criterion(study: Study, name: str, source: str, values: Mapping[int, float], user: User | None) -> None:
    """Write a study's criterion; it replaces the one before."""
    with transaction.atomic():
        Criterion.objects.filter(study=study).delete()
        criterion = Criterion.objects.create(study=study, name=name, source=source, imported_by=user)
        CriterionValue.objects.bulk_create(
            CriterionValue(criterion=criterion, participation_id=participation, value=value)
            for participation, value in sorted(values.items())
        )


# ------------------------------------------------------------------------------------------------ notes
def write_notes(participation: Participation, texts: Mapping[str, str], user: User | None) -> None:
    """Keep what interviews found about each phase; an empty text removes the note."""
    with transaction.atomic():
        for scale, text in texts.items():
            if text.strip():
                CaseNote.objects.update_or_create(
                    participation=participation, scale=scale, defaults={"text": text.strip(), "written_by": user}
                )
            else:
                CaseNote.objects.filter(participation=participation, scale=scale).delete()
