"""Publish a run: its reports become what the readers see, if the difference with every earlier version may be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from analysis import dataset, disclosure
from analysis.groups import final_scales_of
from analysis.material import Material, read_material, stored_spreads
from analysis.models import AnalysisRun, Publication, PublishedGroup, ScreeningDecision, Unit
from analysis.plan import rules
from analysis.renderers import ACADEMY_MAIL, REPORT_MAIL
from analysis.report_files import queue_files
from analysis.report_links import links_for_directors
from surveys.questionnaires import definition_of
from teams.mail import queue_many
from teams.models import Event, Participation, Study, User

Units = dict[str, frozenset[str]]


@dataclass(frozen=True)
class Release:
    """One version of the published figures: who is in each unit, and per item or scale the value of each respondent.

    Sealed answers do not change, so this can be told again of every earlier publication.
    """

    units: Units
    values: Mapping[str, Mapping[str, float]]

    @property
    def figures(self) -> dict[disclosure.Figure, frozenset[str]]:
        """Who stands behind each published figure."""
        return {
            (unit, measure): members & known.keys()
            for unit, members in self.units.items()
            for measure, known in self.values.items()
        }


class PublishingRefused(Exception):
    """Why a run cannot be published, in a sentence for the researcher."""


def publish(run: AnalysisRun, user: User | None) -> Publication:
    """Publish a finished run; publishing it twice gives the same publication.

    Raises `PublishingRefused` when the run is not done, is not the last one, its data changed since, or a group would
    differ from an earlier version by fewer than k respondents.
    """
    if existing := Publication.objects.filter(run=run).first():
        return existing
    study = run.survey.study
    if run.state != AnalysisRun.State.DONE:
        raise PublishingRefused(_("Only a finished analysis can be published."))
    if AnalysisRun.objects.filter(survey=run.survey, state=AnalysisRun.State.DONE, pk__gt=run.pk).exists():
        raise PublishingRefused(_("There is a newer analysis. Publish that one."))
    data = dataset.load(run.survey)
    if data.fingerprint != run.fingerprint:
        raise PublishingRefused(_("Answers were sealed after this analysis. Run the analysis again first."))
    combined = _combined(study)
    material = read_material(run)
    groups = released_units(material, _analysed(run, data))
    earlier = [Release(_stored_units(publication), _values(publication.run, data)) for publication in _earlier(run)]
    if told := told_by_versions(earlier, Release(groups, _values(run, data)), data.n_points, study.k):
        raise PublishingRefused(
            _(
                "The correction has to wait: compared with what was published before, so few people differ in "
                "%(n)s figures, or they answered so much alike, that readers could work out what they answered."
            )
            % {"n": len(told)}
        )
    try:
        with transaction.atomic():
            Study.objects.select_for_update().get(pk=study.pk)  # as in units.combine_teams
            if _combined(study) != combined:
                raise PublishingRefused(_("Teams were combined or separated in the meantime. Look again first."))
            publication = Publication.objects.create(
                study=study, run=run, published_by=user, spreads=stored_spreads(material)
            )
            PublishedGroup.objects.bulk_create(
                PublishedGroup(publication=publication, group=group, members=sorted(keys))
                for group, keys in groups.items()
            )
            Event.objects.create(study=study, by=user, kind="published", detail=f"run {run.pk}")
            queue_files(publication)
            queue_many(ACADEMY_MAIL, [link.pk for link in links_for_directors(study)], study=study)
            # leaders hear of the first publication; a correction stands on the same page
            if not earlier:
                teams = Participation.objects.filter(study=study, state=Participation.State.ACCEPTED)
                queue_many(REPORT_MAIL, teams.values_list("pk", flat=True), study=study)
    except IntegrityError:  # somebody published the same run at the same moment: theirs counts
        return Publication.objects.get(run=run)
    return publication


def published(study_id: int) -> Publication | None:
    """What readers see now."""
    return (
        Publication.objects.filter(study_id=study_id)
        .select_related("run__survey__version", "run__survey__study")
        .first()
    )


def has_results(publication: Publication, participation: Participation) -> bool:
    """Whether a publication holds figures of a team, by itself or together with others."""
    units = Unit.objects.filter(study_id=participation.study_id, participations=participation)
    keys = [f"team:{participation.pk}", *(f"unit:{pk}" for pk in units.values_list("pk", flat=True))]
    return publication.groups.filter(group__in=keys).exists()


def published_run(study_id: int) -> AnalysisRun | None:
    """The run that readers see now."""
    publication = published(study_id)
    return publication.run if publication else None


def _earlier(run: AnalysisRun) -> list[Publication]:
    return list(
        Publication.objects.filter(study=run.survey.study)
        .select_related("run__survey__version", "run__plan")
        .prefetch_related("groups")
    )


def _combined(study: Study) -> set[int]:
    return set(Unit.objects.filter(study=study).values_list("pk", flat=True))


def _stored_units(publication: Publication) -> Units:
    return {row.group: frozenset(row.members) for row in publication.groups.all()}


def _analysed(run: AnalysisRun, data: dataset.Dataset) -> dict[int, list[str]]:
    """The keys of the analysed respondents per participation."""
    set_aside = set(ScreeningDecision.objects.filter(run=run).values_list("response_key", flat=True))
    keys_of: dict[int, list[str]] = {}
    rows = zip(data.respondents.index, data.respondents["participation"], data.returned, strict=True)
    for key, participation, returned in rows:
        if returned and key not in set_aside:
            keys_of.setdefault(participation, []).append(key)
    return keys_of


def released_units(material: Material, keys_of: Mapping[int, Sequence[str]]) -> Units:
    """The units with published figures, as the analysed respondents in them. Aggregates follow from what units show."""
    return {
        unit.key: frozenset(key for team in unit.teams for key in keys_of.get(team.participation.pk, ()))
        for unit in material.units
    }


def told_by_versions(earlier: Sequence[Release], new: Release, n_points: int, k: int) -> list[disclosure.Figure]:
    """The figures of a new version that, with the earlier ones, would tell on fewer than k, or on people all alike."""
    values: dict[str, dict[str, float]] = {}
    for release in (*earlier, new):  # where a scale is scored anew, the latest score that there is
        for measure, known in release.values.items():
            values.setdefault(measure, {}).update(known)
    before = [release.figures for release in earlier]
    return disclosure.version_conflicts(before, new.figures, k) or disclosure.version_tells(
        before, new.figures, values, n_points, k
    )


def _values(run: AnalysisRun, data: dataset.Dataset) -> dict[str, dict[str, float]]:
    """Per item the answers, per scale the scores of a run: {measure: {key of the response: value}}."""
    keys = data.respondents.index.to_numpy(dtype=object)
    answers = dict(zip(data.items, data.answers.T, strict=True))
    plan = rules(run.plan.content)
    values = dict(answers)
    for scale in final_scales_of(run, definition_of(run.survey.version)):
        table = np.column_stack(
            [data.n_points + 1 - answers[i.code] if i.reverse_keyed else answers[i.code] for i in scale.items]
        )
        n_answered = (~np.isnan(table)).sum(axis=1)
        enough = n_answered >= plan.minimum_answered(len(scale.items))
        values[scale.code] = np.where(enough, np.nansum(table, axis=1) / np.maximum(n_answered, 1), np.nan)
    return {
        measure: {key: float(value) for key, value in zip(keys, column, strict=True) if not np.isnan(value)}
        for measure, column in values.items()
    }
