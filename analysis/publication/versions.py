"""Every version ever shown, as it was shown then: who stood behind each figure, kept with each publication.

What is kept are keys of sealed responses, so that a team that withdrew since, a combination that is no more or answers that
were deleted change nothing of what a new version is held against.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from analysis import disclosure
from analysis.data import dataset
from analysis.disclosure import Figure
from analysis.models import AnalysisRun, EarlyPicture, Publication, PublishedGroup
from analysis.plan.plans import rules
from analysis.reports.groups import FinalScale, final_scales_of
from analysis.reports.material import Material
from surveys.questionnaires.publishing import definition_of
from teams.models import Study

if TYPE_CHECKING:
    from analysis.data.dataset import FloatArray

Units = Mapping[str, frozenset[str]]  # the keys of the analysed respondents in each unit
Figures = Mapping[Figure, frozenset[str]]  # who stands behind each figure shown
Keyed = tuple[str, tuple[tuple[str, bool], ...]]  # a scale's code and its items, each turned round or not
Values = Mapping[str, Mapping[str, float]]  # per item or scale the answer or score of each respondent


def released_units(material: Material, keys_of: Mapping[int, Sequence[str]]) -> Units:
    """The units with published figures, as the analysed respondents in them. Aggregates follow from what units show."""
    return {
        unit.key: frozenset(key for team in unit.teams for key in keys_of.get(team.participation.pk, ()))
        for unit in material.units
    }


def figures_of(units: Units, values: Values, k: int) -> dict[Figure, frozenset[str]]:
    """The figures of a version with those behind them; of fewer than ``k`` nothing is shown."""
    figures = {
        (unit, measure): members if known.keys() >= members else members & known.keys()
        for unit, members in units.items()
        for measure, known in values.items()
    }
    return {figure: behind for figure, behind in figures.items() if len(behind) >= k}


def telling_figures(
    earlier: Sequence[Figures], new: Figures, values: Values, n_points: int, k: int
) -> list[disclosure.Figure]:
    """The figures of a new version that, with the earlier ones, would tell on fewer than k, or on people all alike.

    ``earlier``: versions from any source (publications of any wave, early pictures of one team); ``values``: the answers and
    scores that are still there, of those in earlier versions too.
    """
    return disclosure.version_conflicts(earlier, new, k) or disclosure.version_tells(earlier, new, values, n_points, k)


def stuck(
    publications: Iterable[Publication], pictures: Iterable[EarlyPicture], units: Units, k: int
) -> frozenset[str]:
    """The units that can never stand in a version as they are, beside what these publications and pictures showed."""
    published = [
        {row.group: frozenset(row.members) for row in publication.groups.all()} for publication in publications
    ]
    return stuck_beside([*published, *({picture.unit: frozenset(picture.members)} for picture in pictures)], units, k)


def stuck_beside(earlier: Iterable[Units], units: Units, k: int) -> frozenset[str]:
    """The units that differ from what was ever shown by 1…k−1 people, so that no later version can hold them as they are.

    By their people alone, whoever answered which item and what: readers know as much from the numbers of the reports.
    """
    shown = [{(unit, ""): members for unit, members in version.items()} for version in earlier]
    telling = disclosure.version_conflicts(shown, {(unit, ""): members for unit, members in units.items()}, k)
    return frozenset(unit for unit, _measure in telling)


# ------------------------------------------------------------------------------------------------ kept with what was shown
def missing_of(members: Mapping[str, Sequence[str]], figures: Figures) -> dict[str, dict[str, list[int]]]:
    """Per unit and figure the places in its members of those who are not behind the figure, as rows keep them."""
    shown: dict[str, dict[str, list[int]]] = {unit: {} for unit in members}
    for (unit, measure), behind in figures.items():
        if len(behind) == len(members[unit]):
            shown[unit][measure] = []
        else:
            shown[unit][measure] = [place for place, key in enumerate(members[unit]) if key not in behind]
    return shown


def keep(publication: Publication, units: Units, figures: Figures) -> None:
    """Store who stands behind each figure of a publication; inside the transaction that publishes."""
    members = {unit: sorted(keys) for unit, keys in units.items()}
    shown = missing_of(members, figures)
    PublishedGroup.objects.bulk_create(
        PublishedGroup(publication=publication, group=unit, members=keys, missing=shown[unit])
        for unit, keys in members.items()
    )


def kept(
    publication: Publication, same: dict[frozenset[str], frozenset[str]] | None = None
) -> dict[Figure, frozenset[str]]:
    """Who stood behind each figure of a publication. ``same``: one set for the same people in several versions."""
    same = {} if same is None else same
    shown: dict[Figure, frozenset[str]] = {}
    for row in publication.groups.all():
        shown |= _figures(row.group, row.members, row.missing, same)
    return shown


def _figures(
    unit: str, members: Sequence[str], missing: Mapping[str, Sequence[int]], same: dict[frozenset[str], frozenset[str]]
) -> dict[Figure, frozenset[str]]:
    """Who stood behind each figure of one unit, as a row keeps it."""
    everyone = frozenset(members)
    everyone = same.setdefault(everyone, everyone)
    shown: dict[Figure, frozenset[str]] = {}
    for measure, places in missing.items():
        behind = everyone.difference(members[place] for place in places) if places else everyone
        shown[unit, measure] = same.setdefault(behind, behind)
    return shown


def publications_of(study: Study) -> list[Publication]:
    """Every publication of the series of waves that a study belongs to, in order."""
    publications = Publication.objects.filter(study__in=series_of(study)).order_by("pk")
    return list(publications.select_related("run__survey__version", "run__plan").prefetch_related("groups"))


def pictures_of(study: Study) -> list[EarlyPicture]:
    """Every early picture that was shown in the series of waves that a study belongs to."""
    shown = EarlyPicture.objects.filter(study__in=series_of(study), state=EarlyPicture.State.SHOWN)
    return list(shown.defer("figures", "content", "setting").order_by("pk"))


def shown_in(publications: Iterable[Publication], pictures: Iterable[EarlyPicture] = ()) -> list[Figures]:
    """What each of these publications and early pictures showed, as :func:`telling_figures` wants it."""
    same: dict[frozenset[str], frozenset[str]] = {}
    published: list[Figures] = [kept(publication, same) for publication in publications]
    return [*published, *(_figures(picture.unit, picture.members, picture.missing, same) for picture in pictures)]


def series_of(study: Study) -> list[int]:
    """The studies of a series of waves, from the first to the last."""
    series = [study.pk]
    while before := Study.objects.filter(next=series[0]).values_list("pk", flat=True).first():
        series.insert(0, before)
    while after := Study.objects.filter(previous=series[-1]).values_list("pk", flat=True).first():
        series.append(after)
    return series


# ------------------------------------------------------------------------------------------------ answers still there
def values_of(runs: Sequence[AnalysisRun], data: dataset.Dataset) -> dict[str, dict[str, float]]:
    """Per item the answers, per scale the scores: {measure: {key of the response: value}}.

    Where a scale was scored anew, the score of the last of ``runs`` that gives one.
    """
    import numpy as np

    keys = data.respondents.index.to_numpy(dtype=object)
    answers = dict(zip(data.items, data.answers.T, strict=True))

    def known(column: FloatArray) -> dict[str, float]:
        there = ~np.isnan(column)
        return dict(zip(keys[there].tolist(), column[there].tolist(), strict=True))

    values = {item: known(column) for item, column in answers.items()}
    scorings: dict[tuple[Keyed, int], None] = {}  # in the order in which each was used last
    for run in runs:
        plan = rules(run.plan.content)
        for scale in final_scales_of(run, definition_of(run.survey.version)):
            scoring = (_keyed(scale), plan.minimum_answered(len(scale.items)))
            scorings.pop(scoring, None)
            scorings[scoring] = None
    for (code, items), minimum in scorings:
        table = np.column_stack([data.n_points + 1 - answers[i] if reverse else answers[i] for i, reverse in items])
        n_answered = (~np.isnan(table)).sum(axis=1)
        scores = np.nansum(table, axis=1) / np.maximum(n_answered, 1)
        values.setdefault(code, {}).update(known(np.where(n_answered >= minimum, scores, np.nan)))
    return values


def _keyed(scale: FinalScale) -> Keyed:
    return scale.code, tuple((item.code, item.reverse_keyed) for item in scale.items)


def together(*values: Values) -> dict[str, dict[str, float]]:
    """Values of different respondents as one."""
    merged: dict[str, dict[str, float]] = {}
    for part in values:
        for measure, known in part.items():
            merged.setdefault(measure, {}).update(known)
    return merged
