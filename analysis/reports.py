"""Reports: results and disclosure → frozen dataclasses. Web page, PDF and API show the same object.

Texts of the questionnaire stand in both languages in the object; sentences are made here in the language asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.translation import override

from analysis import disclosure
from analysis.disclosure import Agreement, Reason, ShownItem, ShownScale, Spread, Withheld
from analysis.groups import FinalScale, GroupFigures, final_scales_of, group_of, load_groups
from analysis.models import AnalysisRun, Publication
from analysis.sentences import sentences
from surveys.definition import Definition
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of
from teams.models import Participation, Study

StoredSpreads = dict[str, dict[str, Any]]  # per scale its items, and SD and df of the spread


@dataclass(frozen=True)
class ItemReport:
    code: str
    text: str
    shown: ShownItem


@dataclass(frozen=True)
class ScaleReport:
    code: str
    name: str
    meaning: str
    shown: ShownScale
    agreement: Agreement | Withheld
    benchmark: ShownScale
    previous: ShownScale | None
    items: tuple[ItemReport, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Benchmark:
    """Whose answers the comparison is made of: "35 of 36 teams, those with at least 5 answers"."""

    n_units: int
    n_teams: int
    n_respondents: int


@dataclass(frozen=True)
class TeamReport:
    study: str
    wave: int
    simulated: bool
    team: str
    academy: str
    institution: str
    combined_with: tuple[str, ...]
    k: int
    options: tuple[str, ...]
    approached: int
    returned: int
    published_at: datetime | None
    language: str
    benchmark: Benchmark | Withheld
    scales: tuple[ScaleReport, ...] | Withheld

    @property
    def n_points(self) -> int:
        return len(self.options)

    @property
    def midpoint(self) -> float:
        return (1 + self.n_points) / 2


@dataclass(frozen=True)
class AcademyReport:
    """What a director sees: the academy's scales, and single teams where their leaders agreed."""

    academy: str
    n_units: int
    scales: tuple[tuple[str, ShownScale], ...] | Withheld
    teams: tuple[tuple[str, TeamReport | Withheld], ...]


@dataclass(frozen=True)
class Material:
    """What the reports of one run are made of, read once: from here on everything is a pure function."""

    study: Study
    definition: Definition
    scales: list[FinalScale]
    groups: list[GroupFigures]
    spreads: dict[str, Spread | None]  # per scale, for the intervals
    released: frozenset[str] | None = None  # the units of the publication; None before it
    published_at: datetime | None = None
    previous: Previous | None = None

    @cached_property
    def units(self) -> list[GroupFigures]:
        """The groups that may be shown and are in aggregates."""
        return [group for group in self.groups if self.judge(group) is None]

    def judge(self, group: GroupFigures) -> Withheld | None:
        """A decision on counts after publication shows nothing before the next publication has looked at it."""
        withheld = disclosure.judge_group(group.group, self.study.k)
        if withheld is None and self.released is not None and group.key not in self.released:
            return Withheld(Reason.NOT_MEASURED)
        return withheld


def team_report(run: AnalysisRun, participation: Participation, language: str = "nl") -> TeamReport:
    """The report of one team from a finished run."""
    return team_reports(run, [participation], language)[0]


def team_reports(run: AnalysisRun, participations: list[Participation], language: str = "nl") -> list[TeamReport]:
    """Reports of several teams of one run; the rows are read once, whatever the number of teams."""
    material = read_material(run)
    return [render_team(material, participation, language) for participation in participations]


def academy_report(run: AnalysisRun, academy_id: int, language: str = "nl") -> AcademyReport:
    """The report of an academy for its director, as far as rule 3 allows."""
    return render_academy(read_material(run), academy_id, language)


def read_material(run: AnalysisRun) -> Material:
    """Read everything that the reports of a run are made of."""
    material = _read_one(run)
    return replace(material, previous=_previous(material.study))


def _read_one(run: AnalysisRun) -> Material:
    study = run.survey.study
    definition = definition_of(run.survey.version)
    publications = list(Publication.objects.filter(study=study).order_by("pk"))
    published = next((p for p in publications if p.run_id == run.pk), None)
    scales, groups = final_scales_of(run, definition), load_groups(run)
    released = set(published.groups.values_list("group", flat=True)) if published else None
    material = Material(
        study=study,
        definition=definition,
        scales=scales,
        groups=groups,
        spreads={},
        released=None if released is None else frozenset(released),
        published_at=published.published_at if published else None,
    )
    earlier = [p.spreads for p in publications if published is None or p.pk <= published.pk]
    return replace(material, spreads=spreads_of(material, earlier))


def spreads_of(material: Material, earlier: Sequence[StoredSpreads]) -> dict[str, Spread | None]:
    """The spread of each scale: as first published for these items, else from the units of this run.

    It stays as it was first published: two spreads, before and after a team came in, would tell that team's.
    """
    spreads: dict[str, Spread | None] = {}
    for scale in material.scales:
        items = [item.code for item in scale.items]
        stored = next((s[scale.code] for s in earlier if scale.code in s and s[scale.code]["items"] == items), None)
        spreads[scale.code] = (
            Spread(stored["sd"], stored["df"])
            if stored
            else disclosure.pooled_spread(
                (f for g in material.units if (f := g.scale(scale.code)).n >= material.study.k),
                material.definition.n_points,
            )
        )
    return spreads


def stored_spreads(material: Material) -> StoredSpreads:
    """The measured spreads as a publication keeps them."""
    return {
        scale.code: {"items": [item.code for item in scale.items], "sd": spread.sd, "df": spread.df}
        for scale in material.scales
        if (spread := material.spreads[scale.code]) is not None and spread.measured
    }


def render_team(material: Material, participation: Participation, language: str) -> TeamReport:
    """The report of one team; reads no database."""
    study, groups = material.study, material.groups
    own = group_of(groups, participation)
    team = participation.team
    counts = next((t.counts for t in own.teams if t.participation.pk == participation.pk), None) if own else None
    withheld_benchmark = disclosure.judge_benchmark(own.key if own else None, [g.group for g in material.units])
    withheld = material.judge(own) if own else Withheld(Reason.NOT_MEASURED)
    with override(language):
        shown_scales = (
            tuple(
                _scale_report(material, scale, own, participation, withheld_benchmark, language)
                for scale in material.scales
            )
            if own and withheld is None
            else withheld or Withheld(Reason.NOT_MEASURED)
        )
    return TeamReport(
        study=study.title,
        wave=study.wave,
        simulated=study.simulated,
        team=team.name,
        academy=team.academy.name,
        institution=team.academy.institution.name,
        combined_with=tuple(
            t.participation.team.name for t in (own.teams if own else ()) if t.participation.pk != participation.pk
        ),
        k=study.k,
        options=tuple(in_language(text, language) for _value, text in material.definition.options),
        approached=counts.approached if counts else participation.approached or 0,
        returned=counts.returned if counts else 0,
        published_at=material.published_at,
        language=language,
        benchmark=withheld_benchmark
        or Benchmark(
            n_units=sum(len(g.teams) for g in material.units),
            n_teams=sum(len(g.teams) for g in groups),
            n_respondents=sum(g.group.analysed for g in material.units),
        ),
        scales=shown_scales,
    )


def render_academy(material: Material, academy_id: int, language: str) -> AcademyReport:
    """The report of an academy; reads no database."""
    in_academy = [g for g in material.units if g.academy_id == academy_id]
    participations = [t.participation for g in material.groups if g.academy_id == academy_id for t in g.teams]
    return AcademyReport(
        academy=participations[0].team.academy.name if participations else "",
        n_units=len(in_academy),
        scales=disclosure.judge_academy([g.group for g in in_academy])
        or tuple(
            (in_language(scale.name, language), _aggregate(material, in_academy, scale)) for scale in material.scales
        ),
        teams=tuple(
            (
                p.team.name,
                render_team(material, p, language) if p.director_sees_team else Withheld(Reason.NOT_AGREED),
            )
            for p in participations
        ),
    )


def _scale_report(
    material: Material,
    scale: FinalScale,
    own: GroupFigures,
    reader: Participation,
    withheld_benchmark: Withheld | None,
    language: str,
) -> ScaleReport:
    n_points, k = material.definition.n_points, material.study.k
    items = [
        ItemReport(item.code, in_language(item.text, language), _shown_item(own, item.code, k)) for item in scale.items
    ]
    shown = _shown_scale(material, own, scale)
    agreement = disclosure.show_agreement(own.scale(scale.code).n, [item.shown for item in items], n_points, k)
    benchmark = withheld_benchmark or _aggregate(material, material.units, scale)
    previous = material.previous.of(reader, scale) if material.previous else None
    return ScaleReport(
        code=scale.code,
        name=in_language(scale.name, language),
        meaning=in_language(scale.meaning, language),
        shown=shown,
        agreement=agreement,
        benchmark=benchmark,
        previous=previous,
        items=tuple(items),
        sentences=tuple(sentences(shown, agreement, benchmark, previous, n_points)),
    )


def _shown_scale(material: Material, group: GroupFigures, scale: FinalScale) -> ShownScale:
    """The one way to a group's scale mean, so that every report of it, in any wave, shows the same number."""
    n_points, k = material.definition.n_points, material.study.k
    n, items = group.scale(scale.code).n, _turned_items(material, group, scale)
    return disclosure.show_scale(n, items, material.spreads[scale.code], n_points, k)


def _turned_items(material: Material, group: GroupFigures, scale: FinalScale) -> list[ShownItem]:
    """What is shown of the scale's items, in the direction of the scale."""
    n_points, k = material.definition.n_points, material.study.k
    shown = [(_shown_item(group, item.code, k), item.reverse_keyed) for item in scale.items]
    return [disclosure.turned(item, n_points) if reverse else item for item, reverse in shown]


def _aggregate(material: Material, groups: list[GroupFigures], scale: FinalScale) -> ShownScale:
    """The mean over units, made of what is shown of each; a unit with too few scores is not in it."""
    n_points, k = material.definition.n_points, material.study.k
    values = [
        (group.scale(scale.code).n, disclosure.scale_value(_turned_items(material, group, scale), n_points))
        for group in groups
    ]
    return disclosure.show_aggregate([(n, value) for n, value in values if n >= k and value is not None])


def _shown_item(own: GroupFigures, code: str, k: int) -> ShownItem:
    figures = own.item(code)
    return disclosure.show_item(figures, k) if figures else Withheld(Reason.NOT_MEASURED)


# ---------------------------------------------------------------------------------------------- previous wave
@dataclass(frozen=True)
class Previous:
    """The published previous wave: it stands by itself, with its own n ≥ k."""

    material: Material

    def of(self, reader: Participation, scale: FinalScale) -> ShownScale | None:
        """The same team's mean on the same scale; None when the team took no part or the scale had other items."""
        before = next((s for s in self.material.scales if s.code == scale.code), None)
        if before is None or {item.code for item in before.items} != {item.code for item in scale.items}:
            return None
        then = next(
            (g for g in self.material.groups if any(t.participation.team_id == reader.team_id for t in g.teams)), None
        )
        if then is None:
            return None
        return self.material.judge(then) or _shown_scale(self.material, then, before)


def _previous(study: Study) -> Previous | None:
    if study.previous_id is None:
        return None
    last = (
        Publication.objects.filter(study_id=study.previous_id)
        .select_related("run__survey__version", "run__survey__study")
        .first()
    )
    return Previous(_read_one(last.run)) if last else None
