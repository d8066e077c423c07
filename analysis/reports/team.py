"""A team's report: what disclosure/ lets out of a run, as one frozen object for web page, talk and PDF.

Texts of the questionnaire stand in the language asked for; sentences are made in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import override

from analysis import disclosure
from analysis.disclosure import Agreement, Reason, ShownScale, Withheld
from analysis.models import AnalysisRun
from analysis.reports.findings import findings
from analysis.reports.groups import FinalScale, GroupFigures, group_of
from analysis.reports.material import Material, aggregate, read_material, shown_item, shown_scale
from analysis.reports.objects import Benchmark, ItemReport, ScaleReport, TeamReport
from analysis.reports.questions import questions
from analysis.reports.sentences import sentences
from analysis.reports.wording import withheld_text
from surveys.models.questionnaire import in_language
from teams.models import Participation
from teams.models.languages import current_language

MIN_ITEMS_APART = 0.1  # deviations that differ less are no largest and no smallest


@dataclass(frozen=True)
class Goal:
    """What a team wrote down after the wave before: its target on a scale, and its next steps."""

    target: float | None
    next_steps: str = ""


Goals = Mapping[str, Goal]  # by the code of the scale


def team_report(
    run: AnalysisRun, participation: Participation, language: str = "", goals: Goals | None = None
) -> TeamReport:
    """The report of one team from a finished run. ``goals`` only for the team and its leader."""
    return render_team(read_material(run), participation, language or current_language(), goals)


def team_reports(run: AnalysisRun, participations: list[Participation], language: str = "") -> list[TeamReport]:
    """Reports of several teams of one run; the rows are read once, whatever the number of teams."""
    material = read_material(run)
    return [render_team(material, participation, language or current_language()) for participation in participations]


def render_team(
    material: Material, participation: Participation, language: str, goals: Goals | None = None
) -> TeamReport:
    """The report of one team; reads no database."""
    study, groups = material.study, material.groups
    own = group_of(groups, participation)
    team = participation.team
    behind = [t.counts for t in own.teams] if own else []  # of a combination: of all its teams
    withheld = material.judge(own) if own else Withheld(Reason.NOT_MEASURED)
    units = [g.group for g in material.units]
    benchmark = disclosure.judge_benchmark(own.key if own else None, units) or Benchmark(
        n_units=sum(len(g.teams) for g in material.units),
        n_teams=sum(len(g.teams) for g in groups),
        n_respondents=sum(g.group.analysed for g in material.units),
    )
    options = tuple(in_language(text, language) for _value, text in material.definition.options)
    returned = sum(counts.returned for counts in behind)
    approached = sum(counts.approached for counts in behind) if behind else participation.approached or 0
    with override(language):
        scales: tuple[ScaleReport, ...] | Withheld = withheld or Withheld(Reason.NOT_MEASURED)
        if own and withheld is None:
            make = _Maker(material, own, benchmark, language, options, goals or {})
            scales = tuple(make.scale(scale) for scale in material.scales)
        return TeamReport(
            study=study.title,
            wave=study.wave,
            simulated=study.simulated,
            k=study.k,
            options=options,
            starts_on=study.starts_on,
            ends_on=study.ends_on,
            published_at=material.published_at,
            language=language,
            team=team.name,
            academy=team.academy.name,
            institution=team.academy.institution.name,
            sector=str(team.academy.get_sector_display()),
            combined_with=tuple(
                t.participation.team.name for t in (own.teams if own else ()) if t.participation.pk != participation.pk
            ),
            approached=approached,
            returned=returned,
            benchmark=benchmark,
            scales=scales,
            findings=()
            if isinstance(scales, Withheld)
            else findings(
                scales,
                benchmark,
                withheld_text(benchmark.reason, study.k) if isinstance(benchmark, Withheld) else "",
                returned,
                approached,
                len(options),
                study.k,
            ),
        )


@dataclass(frozen=True)
class _Maker:
    """What every scale of one report is made with."""

    material: Material
    own: GroupFigures
    benchmark: Benchmark | Withheld
    language: str
    options: tuple[str, ...]
    goals: Goals

    def scale(self, scale: FinalScale) -> ScaleReport:
        material, own, n_points, k = self.material, self.own, len(self.options), self.material.study.k
        items = tuple(
            ItemReport(
                item.code, in_language(item.text, self.language), shown_item(own, item.code, k), item.reverse_keyed
            )
            for item in scale.items
        )
        shown = shown_scale(material, own, scale)
        agreement = disclosure.show_agreement(own.scale(scale.code).n, [item.shown for item in items], n_points, k)
        benchmark = (
            self.benchmark if isinstance(self.benchmark, Withheld) else aggregate(material, material.units, scale)
        )
        sector = self._sector(scale)
        previous = material.previous.of(own, scale) if material.previous else None
        goal = self.goals.get(scale.code, Goal(None))
        closest, widest = _extremes(items, agreement)
        made = ScaleReport(
            code=scale.code,
            name=in_language(scale.name, self.language),
            meaning=in_language(scale.meaning, self.language),
            shown=shown,
            agreement=agreement,
            benchmark=benchmark,
            sector=sector,
            previous=previous,
            target=goal.target,
            agreed=goal.next_steps,
            items=items,
            closest=closest,
            widest=widest,
            sentences=tuple(sentences(shown, agreement, benchmark, sector, previous, goal.target, n_points)),
        )
        return replace(made, questions=questions(made, self.options))

    def _sector(self, scale: FinalScale) -> ShownScale | None:
        """The sector's mean where it may stand by itself; None where there is none."""
        if isinstance(self.benchmark, Withheld) or self.own.sector not in self.material.sectors:
            return None
        return aggregate(self.material, self.material.in_sector(self.own.sector), scale)


def _extremes(items: Sequence[ItemReport], agreement: Agreement | Withheld) -> tuple[str | None, str | None]:
    """The items on which views lie closest together and furthest apart, told from the distributions shown."""
    if isinstance(agreement, Withheld):
        return None, None
    known = [(known, item.code) for item in items if (known := disclosure.deviation(item.shown)) is not None]
    if len(known) < 2:
        return None, None
    closest, widest = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
    return (closest[1], widest[1]) if widest[0] - closest[0] >= MIN_ITEMS_APART else (None, None)
