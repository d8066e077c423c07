"""A team's report: what disclosure/ lets out of a run, in words, as one frozen object for web page, talk and PDF.

Texts of the questionnaire stand in the language asked for; sentences are made in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import override

from analysis import disclosure
from analysis.disclosure import Agreement, Reason, ShownScale, Withheld
from analysis.models import AnalysisRun
from analysis.reports.findings import findings
from analysis.reports.groups import FinalScale, group_of
from analysis.reports.material import Material, read_material
from analysis.reports.objects import Benchmark, ItemReport, ScaleReport, Subject, TeamReport
from analysis.reports.questions import questions
from analysis.reports.sentences import sentences
from analysis.reports.shown import Judged, StudyShown, UnitShown
from analysis.reports.wording import withheld_text
from surveys.models.questionnaire import in_language
from teams.models import Participation, Study
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
        """Where a scale stood in the wave before; None where it had other items, or was none."""
        return self.before.place(self.shown.scorings[place]) if self.before else None

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
    returned = sum(one.returned for one in members)
    approached = sum(one.approached for one in members) if members else participation.approached or 0
    wave = setting.wave(language)
    options = wave["options"]
    with override(language):
        scales: tuple[ScaleReport, ...] | Withheld = withheld or Withheld(Reason.NOT_MEASURED)
        if own and withheld is None:
            make = _Maker(setting, own.shown, before, benchmark, language, options, goals or {})
            scales = tuple(make.scale(place) for place in range(len(setting.scales)))
        return TeamReport(
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

    setting: Setting
    own: UnitShown
    before: Judged | None
    benchmark: Benchmark | Withheld
    language: str
    options: tuple[str, ...]
    goals: Goals

    def scale(self, place: int) -> ScaleReport:
        scale, own, n_points = self.setting.scales[place], self.own.scales[place], len(self.options)
        items = tuple(
            ItemReport(item.code, in_language(item.text, self.language), shown, item.reverse_keyed)
            for item, shown in zip(scale.items, own.items, strict=True)
        )
        benchmark = self.benchmark if isinstance(self.benchmark, Withheld) else self.setting.shown.scales[place].shown
        sector, previous = self._sector(place), self._previous(place)
        goal = self.goals.get(scale.code, Goal(None))
        closest, widest = _extremes(items, own.agreement)
        made = ScaleReport(
            code=scale.code,
            name=in_language(scale.name, self.language),
            meaning=in_language(scale.meaning, self.language),
            shown=own.shown,
            agreement=own.agreement,
            benchmark=benchmark,
            sector=sector,
            previous=previous,
            target=goal.target,
            agreed=goal.next_steps,
            items=items,
            closest=closest,
            widest=widest,
            sentences=tuple(sentences(own.shown, own.agreement, benchmark, sector, previous, goal.target, n_points)),
        )
        return replace(made, questions=questions(made, self.options))

    def _sector(self, place: int) -> ShownScale | None:
        """The sector's mean where it may stand by itself; None where there is none."""
        shown = self.setting.shown
        if isinstance(self.benchmark, Withheld) or self.own.sector not in shown.sectors:
            return None
        return shown.scales[place].parts[shown.sectors.index(self.own.sector)]

    def _previous(self, place: int) -> ShownScale | None:
        """The mean of the same team, or of the same teams together; None when there was none, or of other items."""
        then = self.setting.then(place)
        if self.before is None or then is None:
            return None
        return self.before.withheld or self.before.shown.scales[then].shown


def _extremes(items: Sequence[ItemReport], agreement: Agreement | Withheld) -> tuple[str | None, str | None]:
    """The items on which views lie closest together and furthest apart, told from the distributions shown."""
    if isinstance(agreement, Withheld):
        return None, None
    known = [(known, item.code) for item in items if (known := disclosure.deviation(item.shown)) is not None]
    if len(known) < 2:
        return None, None
    closest, widest = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
    return (closest[1], widest[1]) if widest[0] - closest[0] >= MIN_ITEMS_APART else (None, None)
