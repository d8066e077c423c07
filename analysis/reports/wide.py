"""Reports over several teams: an academy's for its director, the study's for everybody. Made of what units show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils.translation import override

from analysis import disclosure
from analysis.disclosure import MeanShown, Reason, ShownScale, Withheld
from analysis.models import AnalysisRun
from analysis.reports.findings import wide_findings
from analysis.reports.groups import FinalScale, GroupFigures
from analysis.reports.material import Material, aggregate, aggregate_item, read_material
from analysis.reports.objects import AcademyReport, Benchmark, StudyReport, TeamReport, WideItem, WideScale
from analysis.reports.sentences import wide_sentences
from analysis.reports.team import render_team
from surveys.models.questionnaire import in_language
from teams.models import Sector
from teams.models.languages import current_language


def academy_report(run: AnalysisRun, academy_id: int, language: str = "") -> AcademyReport:
    """The report of an academy for its director, as far as rule 3 allows."""
    return render_academy(read_material(run), academy_id, language or current_language())


def study_report(run: AnalysisRun, language: str = "") -> StudyReport:
    """The report on the whole study, for everybody who takes part."""
    return render_study(read_material(run), language or current_language())


def render_academy(material: Material, academy_id: int, language: str) -> AcademyReport:
    """The report of an academy; reads no database."""
    groups = [g for g in material.groups if g.academy_id == academy_id]
    inside = [g for g in material.units if g.academy_id == academy_id]
    academy = groups[0].teams[0].participation.team.academy if groups else None
    # a unit of several teams is shown apart only if each of their leaders agreed
    agreed = {g.key for g in groups if all(t.participation.director_sees_team for t in g.teams)}
    withheld = disclosure.judge_academy([g.group for g in inside], agreed)
    benchmark = _beside(material, inside)
    with override(language):
        scales = withheld or tuple(
            _scale(material, scale, inside, [], None if isinstance(benchmark, Withheld) else material.units, language)
            for scale in material.scales
        )
        base = _base(groups, inside)
        return AcademyReport(
            **_wave(material, language),
            **_counts(groups),
            base=base,
            scales=scales,
            findings=()
            if isinstance(scales, Withheld)
            else wide_findings(scales, base, not isinstance(benchmark, Withheld)),
            academy=academy.name if academy else "",
            institution=academy.institution.name if academy else "",
            benchmark=benchmark,
            teams=tuple(
                (name, _team(material, g, g.key in agreed, language))
                for name, g in zip(_names(groups), groups, strict=True)
            ),
        )


def render_study(material: Material, language: str) -> StudyReport:
    """The report on the whole study; reads no database."""
    withheld = disclosure.judge_study([g.group for g in material.units])
    with override(language):
        parts = [material.in_sector(sector) for sector in material.sectors]
        base = _base(material.groups, material.units)
        scales = withheld or tuple(
            _scale(material, scale, material.units, parts, None, language) for scale in material.scales
        )
        return StudyReport(
            **_wave(material, language),
            **_counts(material.groups),
            base=base,
            scales=scales,
            findings=() if isinstance(scales, Withheld) else wide_findings(scales, base, False),
            sectors=() if withheld else tuple(str(Sector(sector).label) for sector in material.sectors),
        )


def _beside(material: Material, inside: Sequence[GroupFigures]) -> Benchmark | Withheld:
    """All teams beside an academy, where the difference tells on no team outside it."""
    keys = {g.key for g in inside}
    outside = [g.group for g in material.units if g.key not in keys]
    sector = inside[0].sector if inside else ""
    near = [g.group for g in material.in_sector(sector) if g.key not in keys] if sector in material.sectors else []
    if not outside:
        return Withheld(Reason.FEW_TEAMS)
    return (
        disclosure.judge_study([g.group for g in material.units])
        or disclosure.judge_rest(outside)
        or disclosure.judge_rest(near)
        or _base(material.groups, material.units)
    )


def _scale(
    material: Material,
    scale: FinalScale,
    units: Sequence[GroupFigures],
    parts: Sequence[Sequence[GroupFigures]],
    everybody: Sequence[GroupFigures] | None,
    language: str,
) -> WideScale:
    shown = aggregate(material, units, scale)
    previous = _before(material, scale, units)
    benchmark = aggregate(material, everybody, scale) if everybody else None
    return WideScale(
        code=scale.code,
        name=in_language(scale.name, language),
        meaning=in_language(scale.meaning, language),
        shown=shown,
        benchmark=benchmark,
        previous=previous,
        parts=tuple(aggregate(material, part, scale) for part in parts),
        items=tuple(
            WideItem(
                item.code,
                in_language(item.text, language),
                aggregate_item(material, units, item.code),
                item.reverse_keyed,
            )
            for item in scale.items
        ),
        sentences=tuple(wide_sentences(shown, previous, benchmark)),
    )


def _before(material: Material, scale: FinalScale, units: Sequence[GroupFigures]) -> ShownScale | None:
    """The same mean in the report of the wave before: of the same academy, or of all; None where that showed none."""
    if material.previous is None or (before := material.previous.scale(scale)) is None:
        return None
    then = material.previous.material
    if units is material.units:
        shown = disclosure.judge_study([g.group for g in then.units]) or aggregate(then, then.units, before)
    else:
        academy = units[0].academy_id if units else None
        inside = [g for g in then.units if g.academy_id == academy]
        agreed = {g.key for g in inside if all(t.participation.director_sees_team for t in g.teams)}
        shown = disclosure.judge_academy([g.group for g in inside], agreed) or aggregate(then, inside, before)
    return shown if isinstance(shown, MeanShown) else None


def _team(material: Material, group: GroupFigures, agreed: bool, language: str) -> TeamReport | Withheld:
    if not agreed:
        return Withheld(Reason.NOT_AGREED)
    report = render_team(material, group.teams[0].participation, language)
    return report.scales if isinstance(report.scales, Withheld) else report


def _names(groups: Sequence[GroupFigures]) -> list[str]:
    """The groups by the names of their teams; two programmes of one name are told apart by their form."""
    teams = [[t.participation.team for t in group.teams] for group in groups]
    often = Counter(team.name for together in teams for team in together)
    return [
        " + ".join(
            team.name if often[team.name] == 1 else f"{team.name} ({str(team.get_form_display()).lower()})"
            for team in together
        )
        for together in teams
    ]


def _base(groups: Sequence[GroupFigures], units: Sequence[GroupFigures]) -> Benchmark:
    return Benchmark(
        n_units=sum(len(g.teams) for g in units),
        n_teams=sum(len(g.teams) for g in groups),
        n_respondents=sum(g.group.analysed for g in units),
    )


def _counts(groups: Sequence[GroupFigures]) -> dict[str, Any]:
    counts = [t.counts for g in groups for t in g.teams]
    return {"approached": sum(c.approached for c in counts), "returned": sum(c.returned for c in counts)}


def _wave(material: Material, language: str) -> dict[str, Any]:
    study = material.study
    return {
        "study": study.title,
        "wave": study.wave,
        "simulated": study.simulated,
        "k": study.k,
        "options": tuple(in_language(text, language) for _value, text in material.definition.options),
        "starts_on": study.starts_on,
        "ends_on": study.ends_on,
        "published_at": material.published_at,
        "language": language,
    }
