"""Reports over several teams: an academy's for its director, the study's for everybody. Made of what units show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import override

from analysis import disclosure
from analysis.disclosure import AGGREGATE_DECIMALS, Group, MeanShown, Reason, Side, Withheld
from analysis.models import AnalysisRun
from analysis.reports.findings import wide_findings
from analysis.reports.material import Material, read_material
from analysis.reports.objects import AcademyReport, Benchmark, StudyReport, TeamReport, WideItem, WideScale
from analysis.reports.questions import questions_for_all, questions_for_director
from analysis.reports.sentences import said_of_teams
from analysis.reports.shown import AcademyShown, Judged, OverUnits, UnitShown, WideShown
from analysis.reports.team import Setting, setting_of, write_team
from surveys.models.questionnaire import in_language
from teams.models import Academy, Participation, Sector
from teams.models.languages import current_language


def academy_report(run: AnalysisRun, academy_id: int, language: str = "") -> AcademyReport:
    """The report of an academy for its director, as far as rule 3 allows."""
    return render_academy(read_material(run), academy_id, language or current_language())


def study_report(run: AnalysisRun, language: str = "") -> StudyReport:
    """The report on the whole study, for everybody who takes part."""
    return render_study(read_material(run), language or current_language())


def render_academy(material: Material, academy_id: int, language: str) -> AcademyReport:
    """The report of an academy of a run that was read; reads no database."""
    groups = [group for group in material.groups if group.academy_id == academy_id]
    now = [
        UnitNow(
            group.group,
            [team.participation for team in group.teams],
            material.judge(group),
            material.unit_shown(group),
        )
        for group in groups
    ]
    before = None
    if material.previous:
        then = material.previous.material
        was = [
            UnitNow(group.group, [team.participation for team in group.teams], then.judge(group), None)
            for group in then.groups
            if group.academy_id == academy_id
        ]
        before = means_now(then.academy_shown(academy_id), was)
    academy = groups[0].teams[0].participation.team.academy if groups else None
    return write_academy(setting_of(material), material.academy_shown(academy_id), now, before, academy, language)


def render_study(material: Material, language: str) -> StudyReport:
    """The report on the whole study; reads no database."""
    return write_study(setting_of(material), language)


@dataclass(frozen=True)
class UnitNow:
    """A unit of an academy as it is now: its counts, its teams, the judge's word on it, and what is shown of it.

    ``shown`` is asked for only where the director sees the unit by itself. A unit that is ``gone`` withdrew after publication:
    it stays in the means that were published, and is listed no more.
    """

    group: Group
    teams: Sequence[Participation]
    withheld: Withheld | None
    shown: UnitShown | None
    gone: bool = False

    @property
    def agreed(self) -> bool:
        """Whether each of its leaders lets the director see it by itself."""
        return all(team.director_sees_team for team in self.teams)

    @property
    def is_apart(self) -> bool:
        """Whether the director sees it by itself now. One that was seen, and is no more, must be no rest of a mean either."""
        return self.agreed and self.withheld is None and not self.gone


def write_academy(
    setting: Setting,
    shown: AcademyShown,
    now: Sequence[UnitNow],
    before: Sequence[WideShown] | Withheld | None,
    academy: Academy | None,
    language: str,
) -> AcademyReport:
    """The report of an academy for its director, in words.

    Args:
        now: its units as they are now, in the order in which they are listed.
        before: its means in the wave before, as `means_now` lets them out.
    """
    means = means_now(shown, now)
    then = None if isinstance(before, Withheld) else before
    benchmark = shown.benchmark or setting.shown.base
    everybody = () if isinstance(benchmark, Withheld) else setting.shown.scales
    beside = [None if place in shown.without_all else scale for place, scale in enumerate(everybody)]
    listed = [unit for unit in now if not unit.gone]
    members = [member for unit in shown.units for member in unit.members]
    with override(language):
        scales = means if isinstance(means, Withheld) else _scales(setting, means, shown.base, beside, then, language)
        teams = tuple((name, _team(setting, unit, language)) for name, unit in zip(_names(listed), listed, strict=True))
        return AcademyReport(
            **setting.wave(language),
            approached=sum(member.approached for member in members),
            returned=sum(member.returned for member in members),
            base=shown.base,
            like_these=shown.like_these,
            scales=scales,
            findings=()
            if isinstance(scales, Withheld)
            else wide_findings(scales, shown.base, not isinstance(benchmark, Withheld), shown.like_these),
            academy=academy.name if academy else "",
            institution=academy.institution.name if academy else "",
            benchmark=benchmark,
            teams=teams,
            n_not_shown=sum(
                len(unit.teams)
                for unit, (_name, team) in zip(listed, teams, strict=True)
                if isinstance(team, Withheld) or isinstance(team.scales, Withheld)
            ),
            questions=questions_for_director(scales),
        )


def means_now(shown: AcademyShown, now: Sequence[UnitNow]) -> tuple[WideShown, ...] | Withheld:
    """The means of an academy as its director may read them now, by rule 3; a mean that only some of its units are behind is
    judged by itself, with those of them that the director does not see apart.

    Args:
        now: its units as they are now, in any order.
    """
    groups = {unit.key: unit.as_counted for unit in shown.units} | {unit.group.key: unit.group for unit in now}
    apart = {unit.group.key for unit in now if unit.is_apart}
    withheld = disclosure.judge_academy([groups[unit.key] for unit in shown.units if unit.released], apart)
    if withheld is None and not shown.scales:  # of fewer than two units no mean was published
        withheld = Withheld(Reason.FEW_TEAMS)
    if withheld is not None:
        return withheld

    def judge(behind: tuple[int, ...] | None) -> Withheld | None:
        if behind is None:
            return None
        return disclosure.judge_academy([groups[shown.units[place].key] for place in behind], apart)

    made = []
    for scale in shown.scales:
        refused = None if isinstance(scale.mean.shown, Withheld) else judge(scale.behind)
        mean = OverUnits(refused, 0, 0.0) if refused else scale.mean
        items = zip(scale.items, scale.behind_items, strict=True)
        made.append(replace(scale, mean=mean, items=tuple(None if judge(behind) else item for item, behind in items)))
    return tuple(made)


def write_study(setting: Setting, language: str) -> StudyReport:
    """The report on the whole study, in words."""
    shown, before = setting.shown, setting.before
    with override(language):
        scales = shown.withheld or _scales(
            setting,
            shown.scales,
            shown.base,
            None,
            before.scales if before and before.withheld is None else None,
            language,
        )
        return StudyReport(
            **setting.wave(language),
            approached=shown.approached,
            returned=shown.returned,
            base=shown.base,
            like_these=shown.like_these,
            scales=scales,
            findings=() if isinstance(scales, Withheld) else wide_findings(scales, shown.base, False, shown.like_these),
            questions=questions_for_all(scales),
            sectors=tuple(str(Sector(sector).label) for sector in shown.sectors),
        )


def _scales(
    setting: Setting,
    shown: Sequence[WideShown],
    base: Benchmark,
    beside: Sequence[WideShown | None] | None,
    before: Sequence[WideShown] | None,
    language: str,
) -> tuple[WideScale, ...]:
    n_points = setting.shown.n_points
    sides = setting.shown.sides(shown)
    made = []
    for place, (side, extremes) in enumerate(zip(sides, disclosure.clear_extremes(sides), strict=True)):
        scale, wide = setting.scales[place], shown[place]
        with_all = beside[place] if beside else None
        everybody = with_all.mean if with_all else None
        others = everybody.side(setting.shown.scorings[place].spread) if everybody else None
        then = _before(setting, before, place)
        highest, lowest = extremes
        written = WideScale(
            code=scale.code,
            name=in_language(scale.name, language),
            meaning=in_language(scale.meaning, language),
            shown=wide.mean.shown,
            benchmark=everybody.shown if everybody else None,
            previous=then.shown if then else None,
            parts=tuple(part.shown for part in wide.parts),
            items=tuple(
                WideItem(item.code, in_language(item.text, language), mean, item.reverse_keyed)
                for item, mean in zip(scale.items, wide.items, strict=True)
            ),
            since=disclosure.since(side, then, n_points, AGGREGATE_DECIMALS) if side and then else None,
            beside_all=disclosure.beside_all(side, others, n_points, AGGREGATE_DECIMALS) if side and others else None,
            highest=highest,
            lowest=lowest,
            of_fewer=isinstance(wide.mean.shown, MeanShown) and wide.mean.n < base.n_respondents,
        )
        made.append(replace(written, said=said_of_teams(written)))
    return tuple(made)


def _before(setting: Setting, before: Sequence[WideShown] | None, place: int) -> Side | None:
    """The same mean in the report of the wave before: of the same academy, or of all; None where that showed none."""
    then = setting.then(place)
    if not before or then is None or setting.before is None:
        return None
    return before[then].mean.side(setting.before.scorings[then].spread)


def _team(setting: Setting, unit: UnitNow, language: str) -> TeamReport | Withheld:
    if not unit.agreed:
        return Withheld(Reason.NOT_AGREED)
    if unit.withheld or unit.shown is None:
        return unit.withheld or Withheld(Reason.NOT_MEASURED)
    first = unit.teams[0]
    others = [team.team.name for team in unit.teams[1:]]
    return write_team(setting, Judged(unit.shown, None), None, first, others, language)


def _names(units: Sequence[UnitNow]) -> list[str]:
    """The units by the names of their teams; two programmes of one name are told apart by their form."""
    teams = [[participation.team for participation in unit.teams] for unit in units]
    often = Counter(team.name for together in teams for team in together)
    return [
        " + ".join(
            team.name if often[team.name] == 1 else f"{team.name} ({str(team.get_form_display()).lower()})"
            for team in together
        )
        for together in teams
    ]
