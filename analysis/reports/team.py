"""A team's report: what disclosure/ lets out of a run, in words, as one frozen object for web page, talk and PDF.

Texts of the questionnaire stand in the language asked for; sentences are made in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.utils.translation import override

from analysis import disclosure
from analysis.disclosure import Agreement, Reason, ShownScale, Side, Withheld
from analysis.models import AnalysisRun
from analysis.reports.findings import findings
from analysis.reports.groups import FinalScale, group_of
from analysis.reports.material import Material, read_material
from analysis.reports.objects import Benchmark, ItemReport, LookedBack, ScaleReport, Subject, TeamReport
from analysis.reports.questions import questions
from analysis.reports.sentences import said_of_team, withheld_text
from analysis.reports.shown import Judged, OverUnits, StudyShown, UnitShown
from surveys.models.questionnaire import in_language
from teams.models import Participation, Study
from teams.models.languages import current_language

MIN_ITEMS_APART = 0.1  # deviations that differ less are no largest and no smallest


@dataclass(frozen=True)
class Goal:
    """What a team wrote down after the wave before: its target on a scale, its next steps, and what it said when it looked back."""

    target: float | None
    next_steps: str = ""
    looked_back: tuple[LookedBack, ...] = ()


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
    """The report of one team of a run that was read; reads no database."""
    own = group_of(material.groups, participation)
    judged = Judged(material.unit_shown(own), material.judge(own)) if own else None
    before = material.previous.of(own) if own and material.previous else None
    others = [t.participation.team.name for t in own.teams if t.participation.pk != participation.pk] if own else []
    return write_team(setting_of(material), judged, before, participation, others, language, goals)


@dataclass(frozen=True)
class Setting:
    """What every report of a publication is written with: the study, its scales in words, what all teams are shown of.

    ``before``: what all teams were shown of the wave before, if that was published.
    """

    study: Study
    options: Sequence[tuple[int, Mapping[str, str]]]
    scales: Sequence[FinalScale]
    shown: StudyShown
    published_at: datetime | None
    before: StudyShown | None

    def then(self, place: int) -> int | None:
        """Where a scale stood in the wave before; None where it had other items or answers, or was none."""
        if self.before is None or self.before.n_points != self.shown.n_points:
            return None
        return self.before.place(self.shown.scorings[place])

    def wave(self, language: str) -> dict[str, Any]:
        """What every report says of the measurement."""
        return {
            "study": self.study.title,
            "wave": self.study.wave,
            "simulated": self.study.simulated,
            "k": self.study.k,
            "options": tuple(in_language(text, language) for _value, text in self.options),
            "starts_on": self.study.starts_on,
            "ends_on": self.study.ends_on,
            "published_at": self.published_at,
            "language": language,
        }


def setting_of(material: Material) -> Setting:
    """The setting of a run that was read."""
    before = material.previous.material.study_shown if material.previous else None
    return Setting(
        material.study,
        material.definition.options,
        material.scales,
        material.study_shown,
        material.published_at,
        before,
    )


def write_team(
    setting: Setting,
    own: Judged | None,
    before: Judged | None,
    participation: Participation,
    others: Sequence[str],
    language: str,
    goals: Goals | None = None,
) -> TeamReport:
    """The report of one team, in words: every figure is one of its objects.

    Args:
        own: what is shown of its unit; None where the run knows no answers of it.
        before: the same of the wave before.
        others: the names of the teams that it was combined with.
    """
    study, shown, team = setting.study, setting.shown, participation.team
    members = own.shown.unit.members if own else ()  # of a combination: all its teams
    withheld = own.withheld if own else Withheld(Reason.NOT_MEASURED)
    benchmark = (shown.withheld if own and own.shown.unit.released else shown.outsider) or shown.base
    returned = sum(member.returned for member in members)
    approached = sum(member.approached for member in members) if members else participation.approached or 0
    wave = setting.wave(language)
    options = wave["options"]
    with override(language):
        scales: tuple[ScaleReport, ...] | Withheld = withheld or Withheld(Reason.NOT_MEASURED)
        if own and withheld is None:
            make = _Maker(setting, own.shown, before, benchmark, language, options, goals or {})
            sides = [shown.side(own.shown, place) for place in range(len(setting.scales))]
            extremes = disclosure.clear_extremes(sides)
            scales = tuple(make.scale(place, side, *extremes[place]) for place, side in enumerate(sides))
        report = TeamReport(
            **wave,
            team=team.name,
            academy=team.academy.name,
            institution=team.academy.institution.name,
            sector=str(team.academy.get_sector_display()),
            combined_with=tuple(others),
            approached=approached,
            returned=returned,
            benchmark=benchmark,
            subjects=tuple(
                Subject(in_language(scale.name, language), in_language(scale.meaning, language))
                for scale in setting.scales
            ),
            scales=scales,
            findings=(),
        )
        if isinstance(scales, Withheld):
            return report
        report = replace(report, if_all=_if_all_had_answered(report, scales))
        why_alone = withheld_text(benchmark.reason, study.k) if isinstance(benchmark, Withheld) else ""
        return replace(report, findings=findings(report, scales, why_alone))


def _if_all_had_answered(
    report: TeamReport, scales: Sequence[ScaleReport]
) -> tuple[str, disclosure.IfAllHadAnswered] | None:
    """Said of one scale, the first with a score: what those who did not answer could have made of it."""
    for scale in scales:
        then = disclosure.if_all_had_answered(scale.shown, report.returned, report.approached, report.n_points)
        if then is not None:
            return scale.name, then
    return None


@dataclass(frozen=True)
class _Maker:
    """What every scale of one report is made with."""

    setting: Setting
    own: UnitShown
    before: Judged | None
    benchmark: Benchmark | Withheld
    language: str
    options: tuple[str, ...]
    goals: Goals

    def scale(self, place: int, side: Side | None, highest: bool, lowest: bool) -> ScaleReport:
        scale, own, n_points = self.setting.scales[place], self.own.scales[place], len(self.options)
        items = tuple(
            ItemReport(item.code, in_language(item.text, self.language), shown, item.reverse_keyed)
            for item, shown in zip(scale.items, own.items, strict=True)
        )
        shown, spread = self.setting.shown, self.setting.shown.scorings[place].spread
        everybody = None if isinstance(self.benchmark, Withheld) else shown.scales[place].mean
        sector = self._sector(place)
        others, near = (mean.side(spread) if mean else None for mean in (everybody, sector))
        previous, then = self._previous(place)
        goal = self.goals.get(scale.code, Goal(None))
        closest, widest = _extremes(items, own.agreement)
        made = ScaleReport(
            code=scale.code,
            name=in_language(scale.name, self.language),
            meaning=in_language(scale.meaning, self.language),
            shown=own.shown,
            agreement=own.agreement,
            benchmark=self.benchmark if isinstance(self.benchmark, Withheld) else shown.scales[place].mean.shown,
            sector=sector.shown if sector else None,
            previous=previous,
            target=goal.target,
            agreed=goal.next_steps,
            items=items,
            closest=closest,
            widest=widest,
            middle=disclosure.beside_point(side, Fraction(1 + n_points, 2), n_points) if side else None,
            since=disclosure.since(side, then, n_points) if side and then else None,
            beside_all=disclosure.beside_all(side, others, n_points) if side and others else None,
            beside_sector=disclosure.beside_all(side, near, n_points) if side and near else None,
            reached=disclosure.reached(side, goal.target) if side and goal.target is not None else None,
            highest=highest,
            lowest=lowest,
            looked_back=goal.looked_back,
        )
        made = replace(made, said=said_of_team(made, n_points))
        return replace(made, questions=questions(made, self.options))

    def _sector(self, place: int) -> OverUnits | None:
        """The sector's mean where it may stand by itself; None where there is none."""
        shown = self.setting.shown
        if isinstance(self.benchmark, Withheld) or self.own.sector not in shown.sectors:
            return None
        return shown.scales[place].parts[shown.sectors.index(self.own.sector)]

    def _previous(self, place: int) -> tuple[ShownScale | None, Side | None]:
        """The score of the same team, or of the same teams together, and it as one of two; None when there was none."""
        then = self.setting.then(place)
        if self.before is None or then is None or self.setting.before is None:
            return None, None
        if self.before.withheld:
            return self.before.withheld, None
        return self.before.shown.scales[then].shown, self.setting.before.side(self.before.shown, then)


def _extremes(items: Sequence[ItemReport], agreement: Agreement | Withheld) -> tuple[str | None, str | None]:
    """The items on which views lie closest together and furthest apart, told from the distributions shown."""
    if isinstance(agreement, Withheld):
        return None, None
    known = [(known, item.code) for item in items if (known := disclosure.deviation(item.shown)) is not None]
    if len(known) < 2:
        return None, None
    closest, widest = min(known, key=lambda pair: pair[0]), max(known, key=lambda pair: pair[0])
    return (closest[1], widest[1]) if widest[0] - closest[0] >= MIN_ITEMS_APART else (None, None)
