"""Reports: results and disclosure → frozen dataclasses. Web page, PDF and API show the same object.

Texts of the questionnaire stand in both languages in the object; sentences are made here in the language asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from analysis import disclosure
from analysis.disclosure import Agreement, Capped, MeanShown, Reason, ShownItem, ShownScale, Withheld
from analysis.groups import FinalScale, GroupFigures, final_scales_of, group_of, load_groups, over_respondents
from analysis.models import AnalysisRun, Publication
from surveys.definition import Definition
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of
from teams.models import Participation, Study


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
    published_at: datetime | None = None
    previous: Previous | None = None


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
    study = run.survey.study
    definition = definition_of(run.survey.version)
    published = Publication.objects.filter(run=run).first()
    return Material(
        study=study,
        definition=definition,
        scales=final_scales_of(run, definition),
        groups=load_groups(run),
        published_at=published.published_at if published else None,
        previous=_previous(study),
    )


def render_team(material: Material, participation: Participation, language: str) -> TeamReport:
    """The report of one team; reads no database."""
    study, groups, previous = material.study, material.groups, material.previous
    own = group_of(groups, participation)
    in_benchmark = units(groups, study.k)
    team = participation.team
    counts = next((t.counts for t in own.teams if t.participation.pk == participation.pk), None) if own else None
    held = disclosure.judge_group(own.group, study.k) if own else Withheld(Reason.NOT_MEASURED)
    withheld_benchmark = disclosure.judge_benchmark(own.key if own else None, [g.group for g in in_benchmark])
    shown_scales: tuple[ScaleReport, ...] | Withheld
    with override(language):
        if held is not None or own is None:
            shown_scales = held or Withheld(Reason.NOT_MEASURED)
        else:
            shown_scales = tuple(
                _scale_report(
                    scale,
                    own,
                    withheld_benchmark or disclosure.show_aggregate(over_respondents(in_benchmark, scale.code)),
                    previous.of(participation, scale) if previous else None,
                    material.definition.n_points,
                    study.k,
                    language,
                )
                for scale in material.scales
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
            n_units=sum(len(g.teams) for g in in_benchmark),
            n_teams=sum(len(g.teams) for g in groups),
            n_respondents=sum(g.group.analysed for g in in_benchmark),
        ),
        scales=shown_scales,
    )


def render_academy(material: Material, academy_id: int, language: str) -> AcademyReport:
    """The report of an academy; reads no database."""
    groups = [g for g in material.groups if g.academy_id == academy_id]
    in_academy = units(groups, material.study.k)
    withheld = disclosure.judge_academy([g.group for g in in_academy])
    participations = [team.participation for g in groups for team in g.teams]
    return AcademyReport(
        academy=participations[0].team.academy.name if participations else "",
        n_units=len(in_academy),
        scales=withheld
        or tuple(
            (in_language(scale.name, language), disclosure.show_aggregate(over_respondents(in_academy, scale.code)))
            for scale in material.scales
        ),
        teams=tuple(
            (
                p.team.name,
                render_team(material, p, language) if p.director_sees_team else Withheld(Reason.NOT_AGREED),
            )
            for p in participations
        ),
    )


def units(groups: list[GroupFigures], k: int) -> list[GroupFigures]:
    """The groups that may be shown and are in aggregates."""
    return [g for g in groups if disclosure.judge_group(g.group, k) is None]


def _scale_report(
    scale: FinalScale,
    own: GroupFigures,
    benchmark: ShownScale,
    previous: ShownScale | None,
    n_points: int,
    k: int,
    language: str,
) -> ScaleReport:
    items = [
        ItemReport(item.code, in_language(item.text, language), _shown_item(own, item.code, k)) for item in scale.items
    ]
    shown = _shown_scale(own, scale, n_points, k)
    agreement = disclosure.show_agreement(own.scale(scale.code, n_points), n_points, k)
    return ScaleReport(
        code=scale.code,
        name=in_language(scale.name, language),
        meaning=in_language(scale.meaning, language),
        shown=shown,
        agreement=agreement,
        benchmark=benchmark,
        previous=previous,
        items=tuple(items),
        sentences=tuple(_sentences(shown, agreement, benchmark, previous, n_points)),
    )


def _shown_scale(own: GroupFigures, scale: FinalScale, n_points: int, k: int) -> ShownScale:
    """The one way to a group's scale mean, so that every report of it, in any wave, shows the same number."""
    figures = own.scale(scale.code, n_points)
    from_items = disclosure.mean_of_shown(
        [_shown_item(own, item.code, k) for item in scale.items],
        [item.reverse_keyed for item in scale.items],
        n_points,
        figures.n,
        k,
    )
    return disclosure.show_scale(figures, n_points, k, from_items)


def _shown_item(own: GroupFigures, code: str, k: int) -> ShownItem:
    figures = own.item(code)
    return disclosure.show_item(figures, k) if figures else Withheld(Reason.NOT_MEASURED)


# ---------------------------------------------------------------------------------------------- previous wave
@dataclass(frozen=True)
class Previous:
    """The published previous wave: it stands by itself, with its own n ≥ k."""

    study: Study
    groups: list[GroupFigures]
    scales: dict[str, FinalScale]
    n_points: int

    def of(self, participation: Participation, scale: FinalScale) -> ShownScale | None:
        """The same team's mean on the same scale; None when the team took no part or the scale had other items."""
        before = self.scales.get(scale.code)
        if before is None or {item.code for item in before.items} != {item.code for item in scale.items}:
            return None
        then = next(
            (g for g in self.groups if any(t.participation.team_id == participation.team_id for t in g.teams)), None
        )
        if then is None:
            return None
        if withheld := disclosure.judge_group(then.group, self.study.k):
            return withheld
        return _shown_scale(then, before, self.n_points, self.study.k)


def _previous(study: Study) -> Previous | None:
    if study.previous_id is None:
        return None
    last = (
        Publication.objects.filter(study_id=study.previous_id).select_related("run__survey__version", "study").first()
    )
    if last is None:
        return None
    definition = definition_of(last.run.survey.version)
    scales = {scale.code: scale for scale in final_scales_of(last.run, definition)}
    return Previous(last.study, load_groups(last.run), scales, definition.n_points)


# ---------------------------------------------------------------------------------------------- sentences
def number(value: float, decimals: int) -> str:
    """A figure in the reader's notation: 2,6 in Dutch."""
    return str(number_format(value, decimals))


def _sentences(
    shown: ShownScale,
    agreement: Agreement | Withheld,
    benchmark: ShownScale,
    previous: ShownScale | None,
    n_points: int,
) -> list[str]:
    """Plain sentences about one scale, made from the shown figures only."""
    sentences = []
    middle = (1 + n_points) / 2
    match shown:
        case Withheld():
            return [_("There are too few answers about this subject to show them.")]
        case Capped(bound, upper):
            value = number(bound, 1)
            sentences.append(
                _("Your team's score is %(score)s or higher: very high.") % {"score": value}
                if upper
                else _("Your team's score is %(score)s or lower: very low.") % {"score": value}
            )
        case MeanShown(mean, low, high):
            values = {"score": number(mean, 1), "points": n_points}
            if low is not None and high is not None and low > middle:
                sentences.append(
                    _("Your team scores %(score)s out of %(points)s: above the middle of the scale.") % values
                )
            elif low is not None and high is not None and high < middle:
                sentences.append(
                    _("Your team scores %(score)s out of %(points)s: below the middle of the scale.") % values
                )
            else:
                sentences.append(
                    _("Your team scores %(score)s out of %(points)s: around the middle of the scale.") % values
                )
            if low is not None and high is not None:
                sentences.append(
                    _(
                        "Colleagues who did not answer may think otherwise; the score probably lies between %(low)s and %(high)s."
                    )
                    % {"low": number(low, 1), "high": number(high, 1)}
                )
            if isinstance(benchmark, MeanShown):
                sentences.append(_compared(low, high, benchmark.mean))
            if isinstance(previous, MeanShown):
                sentences.append(_since(shown, previous))
    if isinstance(agreement, Agreement):
        sentences.append(
            {
                Agreement.LARGELY_AGREE: _("The answers lie close together: you largely agree."),
                Agreement.SOMEWHAT_DIFFERENT: _("The answers lie somewhat apart: your views differ somewhat."),
                Agreement.WIDELY_DIFFERENT: _("The answers lie far apart: your views differ widely."),
            }[agreement]
        )
    return sentences


def _compared(low: float | None, high: float | None, benchmark: float) -> str:
    values = {"mean": number(benchmark, 2)}
    if low is not None and low > benchmark:
        return _("That is higher than the mean of all teams (%(mean)s).") % values
    if high is not None and high < benchmark:
        return _("That is lower than the mean of all teams (%(mean)s).") % values
    return _("That is about the same as the mean of all teams (%(mean)s).") % values


def _since(now: MeanShown, then: MeanShown) -> str:
    values = {"then": number(then.mean, 1)}
    if None not in (now.low, now.high, then.low, then.high):
        assert now.low is not None
        assert now.high is not None
        assert then.low is not None
        assert then.high is not None
        if now.low > then.high:
            return _("In the previous measurement it was %(then)s: the score has risen.") % values
        if now.high < then.low:
            return _("In the previous measurement it was %(then)s: the score has fallen.") % values
    return _("In the previous measurement it was %(then)s: no clear difference.") % values
