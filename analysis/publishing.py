"""Publish a run: its reports become what the readers see, if the difference with every earlier version may be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from analysis import dataset, disclosure
from analysis.groups import GroupFigures, final_scales_of, load_groups
from analysis.models import AnalysisRun, Publication, PublishedGroup, ScreeningDecision
from analysis.plan import rules
from analysis.renderers import REPORT_MAIL
from analysis.reports import units
from surveys.questionnaires import definition_of
from teams.mail import queue_many
from teams.models import Event, Participation, User

Groups = dict[str, frozenset[str]]
Figures = dict[tuple[str, str], frozenset[str]]


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
    groups = _released_groups(run, data)
    earlier = [_figures(before.run, _stored_groups(before), data) for before in _earlier(run)]
    conflicts = disclosure.version_conflicts(earlier, _figures(run, groups, data), study.k)
    if conflicts:
        raise PublishingRefused(
            _(
                "The correction has to wait: compared with what was published before, fewer than %(k)s people differ in "
                "%(n)s figures, so that readers could work out what these people answered."
            )
            % {"k": study.k, "n": len(conflicts)}
        )
    try:
        with transaction.atomic():
            publication = Publication.objects.create(study=study, run=run, published_by=user)
            PublishedGroup.objects.bulk_create(
                PublishedGroup(publication=publication, group=group, members=sorted(keys))
                for group, keys in groups.items()
            )
            Event.objects.create(study=study, by=user, kind="published", detail=f"run {run.pk}")
            # leaders hear of the first publication; a correction stands on the same page
            if not earlier:
                teams = Participation.objects.filter(study=study, state=Participation.State.ACCEPTED)
                queue_many(REPORT_MAIL, teams.values_list("pk", flat=True))
    except IntegrityError:  # somebody published the same run at the same moment: theirs counts
        return Publication.objects.get(run=run)
    return publication


def published_run(study_id: int) -> AnalysisRun | None:
    """The run that readers see now."""
    publication = (
        Publication.objects.filter(study_id=study_id)
        .select_related("run__survey__version", "run__survey__study")
        .first()
    )
    return publication.run if publication else None


def _earlier(run: AnalysisRun) -> list[Publication]:
    return list(
        Publication.objects.filter(study=run.survey.study)
        .select_related("run__survey__version", "run__plan")
        .prefetch_related("groups")
    )


def _stored_groups(publication: Publication) -> Groups:
    return {row.group: frozenset(row.members) for row in publication.groups.all()}


def _released_groups(run: AnalysisRun, data: dataset.Dataset) -> Groups:
    set_aside = set(ScreeningDecision.objects.filter(run=run).values_list("response_key", flat=True))
    keys_of: dict[int, list[str]] = {}
    rows = zip(data.respondents.index, data.respondents["participation"], data.returned, strict=True)
    for key, participation, returned in rows:
        if returned and key not in set_aside:
            keys_of.setdefault(participation, []).append(key)
    return released_groups(load_groups(run), run.survey.study.k, keys_of)


def released_groups(groups: list[GroupFigures], k: int, keys_of: Mapping[int, Sequence[str]]) -> Groups:
    """The groups with a published figure, as the analysed respondents in them: units, academies, all units together.

    ``keys_of`` holds the analysed respondents per participation.
    """
    shown = units(groups, k)
    unions: dict[str, list[GroupFigures]] = {g.key: [g] for g in shown}
    for g in shown:
        unions.setdefault(f"academy:{g.academy_id}", []).append(g)
    released = {
        key: members
        for key, members in unions.items()
        if not key.startswith("academy:") or disclosure.judge_academy([g.group for g in members]) is None
    } | {"all": shown}
    return {
        key: frozenset(k for g in members for team in g.teams for k in keys_of.get(team.participation.pk, ()))
        for key, members in released.items()
    }


def figures_behind(groups: Groups, who: Mapping[str, frozenset[str]]) -> Figures:
    """Who stands behind each published figure; ``who`` holds the respondents with an answer or score per measure."""
    return {(group, measure): members & those for group, members in groups.items() for measure, those in who.items()}


def _figures(run: AnalysisRun, groups: Groups, data: dataset.Dataset) -> Figures:
    """Who stands behind each published figure of a run: per group, each scale and item, those who answered it.

    Sealed answers do not change, so this can be told again of every earlier publication from its groups, its plan and
    the scales of its run.
    """
    keys = np.array(data.respondents.index, dtype=object)
    answered = ~np.isnan(data.answers)
    column = {item: number for number, item in enumerate(data.items)}
    who = {item: frozenset(keys[answered[:, number]]) for item, number in column.items()}
    plan = rules(run.plan.content)
    for scale in final_scales_of(run, definition_of(run.survey.version)):
        n_answered = answered[:, [column[item.code] for item in scale.items]].sum(axis=1)
        who[scale.code] = frozenset(keys[n_answered >= plan.minimum_answered(len(scale.items))])
    return figures_behind(groups, who)
