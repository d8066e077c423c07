"""Publish a run: its reports become what the readers see, if the difference with every earlier version may be shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import IntEnum

from django.db import IntegrityError, transaction

from analysis.choices.decisions import standing
from analysis.data import dataset
from analysis.disclosure import Group
from analysis.history import Happened
from analysis.mail_kinds import ReportMail
from analysis.models import AnalysisRun, EarlyPicture, Publication, ReportObject, ScreeningDecision
from analysis.models.results import ReliabilityResult, ScaleSet
from analysis.plan.plans import locked_plan
from analysis.plan.scales import final_scales
from analysis.publication import versions
from analysis.publication.files import queue_files
from analysis.publication.links import links_for_directors
from analysis.publication.objects import keep_objects, objects_of
from analysis.publication.refusals import PublishingRefused, Why
from analysis.reports.groups import as_seen, counted_groups
from analysis.reports.material import Material, StoredSpreads, read_material, stored_spreads
from teams import history
from teams.mail.outbox import queue_many
from teams.models import Participation, Study, User
from teams.studies.setting_up import promise

TELL_EVERY = 250  # reports: a tenth of a second


@dataclass(frozen=True)
class _State:
    """What a run was judged against: as long as none of it changed, the verdict stands."""

    run: int  # another has other figures, also where it has the same counts
    publications: tuple[int, ...]  # of the whole series
    pictures: tuple[int, ...]  # early ones that were shown, of the whole series
    collections: Mapping[int, int]  # sealed, of teams that did not withdraw
    n_withdrawn: int  # collections of teams that did, with answers that are still there
    groups: Sequence[Group]  # the teams and combinations, with the counts that decide who is a unit
    k: int

    @property
    def fingerprint(self) -> str:
        groups = sorted((group.key, astuple(group)[1]) for group in self.groups)
        facts = [
            self.run,
            self.publications,
            self.pictures,
            sorted(self.collections.items()),
            self.n_withdrawn,
            groups,
            self.k,
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(frozen=True)
class _Judged:
    """A run that may be published, with what is kept of it."""

    units: versions.Units
    figures: versions.Figures
    spreads: StoredSpreads
    objects: Sequence[ReportObject]
    is_first: bool
    left_out: Sequence[str]  # names of the units without which it is published


class Step(IntEnum):
    """What publishing is at, as it is shown meanwhile."""

    READING = 1
    COMPARING = 2
    MAKING = 3  # with how many reports of how many
    STORING = 4


Progress = Callable[[Step, int, int], None]


def publish(
    run: AnalysisRun,
    user: User | None,
    without: Collection[str] = (),
    *,
    confirmed: str = "",
    progress: Progress = lambda _step, _made, _of: None,
) -> Publication:
    """Publish a finished run; publishing it twice gives the same publication.

    Of the units ``without`` which it is published nothing is shown by it, also no part of a mean over several units; what is
    left is judged as any version is. Only units that can never stand beside an earlier version may be left out, and that
    follows from who was in them, never from what they answered: a version without a unit whose people answered alike would
    tell its readers that they did.

    Everything is read, judged and made outside the transaction, which holds the study's row and asks only whether what was
    judged against is still all there is: of two publications at once the second is refused, and judges again when it is asked
    again. ``confirmed`` is what :func:`seen` said when somebody confirmed it: anything else is refused. ``progress`` is told
    what is done, and once more in the transaction; what it raises ends the publishing, and nothing is published.

    Raises `PublishingRefused` when the run is not done or not what the study is by now (a newer one, one on its way, another
    plan, other decisions, teams sealed or withdrawn since), or a group would differ from what was ever shown by fewer than k
    respondents.
    """
    if existing := Publication.objects.filter(run=run).first():
        return existing
    refuse_unless_current(run)
    study = run.survey.study
    study.refresh_from_db(fields=["k"])
    state = _state(run)
    if confirmed and state.fingerprint != confirmed:
        raise PublishingRefused(Why.CHANGED)
    judged = _judge(run, without, progress)
    progress(Step.STORING, len(judged.objects), len(judged.objects))
    try:
        with transaction.atomic():
            # As in units.combine_teams and decisions.decide; not a lock on the key, which every new row of the study asks
            # for. The teams' rows too: one that withdraws now waits, and is then one that withdrew after publication.
            list(Study.objects.select_for_update(no_key=True).filter(pk__in=versions.series_of(study)).order_by("pk"))
            list(Participation.objects.select_for_update(no_key=True).filter(study=study).order_by("pk"))
            study.refresh_from_db(
                fields=["k"]
            )  # who changes it waits for the row, and is then told that it was promised
            refuse_unless_current(run)
            if Publication.objects.filter(run=run).exists():
                return Publication.objects.get(run=run)
            if _state(run) != state:
                raise PublishingRefused(Why.CHANGED)
            progress(Step.STORING, len(judged.objects), len(judged.objects))
            return _store(run, user, judged)
    except IntegrityError:  # somebody published the same run at the same moment: theirs counts
        return Publication.objects.get(run=run)


def _store(run: AnalysisRun, user: User | None, judged: _Judged) -> Publication:
    """Write a publication with its objects, and say so to everybody: first what readers read, then who hears of it."""
    study = run.survey.study
    publication = Publication.objects.create(study=study, run=run, published_by=user, spreads=judged.spreads)
    versions.keep(publication, judged.units, judged.figures)
    keep_objects(publication, judged.objects)
    queue_files(publication)
    directors = [link.pk for link in links_for_directors(study)]
    # leaders hear of the first publication; a correction stands on the same page
    teams = Participation.objects.filter(study=study, state=Participation.State.ACCEPTED) if judged.is_first else None
    detail = f"run {run.pk}" + (f" – {', '.join(judged.left_out)}" if judged.left_out else "")
    promise(study)
    history.record(study, Happened.PUBLISHED, by=user, detail=detail[:500])
    queue_many(ReportMail.ACADEMY_REPORT_READY, directors, study=study)
    if teams is not None:
        queue_many(ReportMail.REPORT_READY, teams.values_list("pk", flat=True), study=study)
    return publication


def seen(run: AnalysisRun, groups: Sequence[Group] | None = None) -> str:
    """A fingerprint of what publishing a run rests on now, for the page on which somebody confirms it.

    Args:
        groups: the groups with their counts, where they were read already.
    """
    return _state(run, groups).fingerprint


def is_empty(run: AnalysisRun) -> bool:
    """Whether a finished analysis holds nobody's answers, as when every team withdrew. Of teams that are all too small to
    be shown it holds some: that can be published, and each reader is told why there is no report.
    """
    return not any(team.get("analysed") for team in run.counts.get("teams", {}).values())


def refuse_unless_current(run: AnalysisRun) -> None:
    """Raise `PublishingRefused` where a run is not, or no longer, what would come out of an analysis now."""
    study, state = run.survey.study, AnalysisRun.State
    runs = AnalysisRun.objects.filter(survey=run.survey)
    if not runs.filter(pk=run.pk).exists():  # withdrawals.py removes those that counted a team that withdrew
        raise PublishingRefused(Why.REMOVED)
    if not runs.filter(pk=run.pk, state=state.DONE).exists():
        raise PublishingRefused(Why.NOT_DONE)
    if is_empty(run):
        raise PublishingRefused(Why.EMPTY)
    if runs.filter(state=state.DONE, pk__gt=run.pk).exists():
        raise PublishingRefused(Why.NEWER)
    if runs.filter(state__in=[state.QUEUED, state.RUNNING]).exists():
        raise PublishingRefused(Why.ON_ITS_WAY)
    withdrawn = study.participations.filter(state=Participation.State.WITHDRAWN).values_list("pk", flat=True)
    if any(str(pk) in run.counts.get("teams", {}) for pk in withdrawn):
        raise PublishingRefused(Why.WITHDREW)
    plan = locked_plan(study)
    if plan is None or plan.pk != run.plan_id:
        raise PublishingRefused(Why.OTHER_PLAN)
    used = ReliabilityResult.objects.filter(run=run, scale_set=ScaleSet.FINAL).values_list("scale", "items")
    now = {scale.code: set(scale.items) for scale in final_scales(plan, standing(study))}
    if {scale: set(items) for scale, items in used} != now:
        raise PublishingRefused(Why.OTHER_SCALES)


def _state(run: AnalysisRun, groups: Sequence[Group] | None = None) -> _State:
    series = versions.series_of(run.survey.study)
    publications = Publication.objects.filter(study__in=series).order_by("pk")
    pictures = EarlyPicture.objects.filter(study__in=series, state=EarlyPicture.State.SHOWN).order_by("pk")
    return _State(
        run=run.pk,
        publications=tuple(publications.values_list("pk", flat=True)),
        pictures=tuple(pictures.values_list("pk", flat=True)),
        collections=dataset.sealed_collections(run.survey),
        n_withdrawn=len(dataset.sealed_collections(run.survey, withdrawn=True)),
        groups=counted_groups(run) if groups is None else groups,
        k=run.survey.study.k,  # of the row at hand, by which all of it is judged
    )


def _judge(run: AnalysisRun, without: Collection[str], progress: Progress) -> _Judged:
    """Hold a run against every version ever shown of its series, and make its objects. Raises `PublishingRefused`."""
    study = run.survey.study
    progress(Step.READING, 0, 0)
    data = dataset.load(run.survey)
    if data.fingerprint != run.fingerprint:
        raise PublishingRefused(Why.SEALED_SINCE)
    analysed, publications = _analysed(run, data), versions.publications_of(study)
    pictures = versions.pictures_of(study)
    material = read_material(run)
    stuck = versions.stuck(publications, pictures, versions.released_units(material, analysed), study.k)
    if without:
        if not stuck.issuperset(without):
            raise PublishingRefused(Why.NOT_STUCK)
        material = read_material(run, without)
    progress(Step.COMPARING, 0, 0)
    units = versions.released_units(material, analysed)
    figures = versions.figures_of(units, versions.values_of([run], data), study.k)
    own = [publication.run for publication in publications if publication.run.survey_id == run.survey_id]
    withdrawn = dataset.load(run.survey, withdrawn=True)
    values = versions.together(*(versions.values_of([*own, run], answers) for answers in (withdrawn, data)))
    shown = versions.shown_in(publications, pictures)
    telling = versions.telling_figures(shown, figures, values, data.n_points, study.k)
    if telling:
        telling_units = list(dict.fromkeys(unit for unit, _measure in telling))
        stuck_too = (
            [*without, *(unit for unit in telling_units if unit in stuck)] if stuck.intersection(telling_units) else ()
        )
        names = {group.key: group.name for group in material.units}
        raise PublishingRefused(Why.TELLS, n_figures=len(telling), about=telling_units, units=stuck_too, names=names)
    left_out = [group.name for group in material.groups if group.key in without and group.key not in units]
    objects = _made(material, progress)
    return _Judged(units, figures, stored_spreads(material), objects, is_first=not own, left_out=left_out)


def _made(material: Material, progress: Progress) -> list[ReportObject]:
    """Every object of the publication, telling how many of how many there are."""
    n_all = sum(len(group.teams) for group in material.groups) + len(material.academies) + 1
    made: list[ReportObject] = []
    for report_object in objects_of(material):
        if len(made) % TELL_EVERY == 0:
            progress(Step.MAKING, len(made), n_all)
        made.append(report_object)
    return made


def _analysed(run: AnalysisRun, data: dataset.Dataset) -> dict[int, list[str]]:
    """The keys of the respondents per participation who are behind its figures: the analysed, or those of its early picture."""
    set_aside = set(ScreeningDecision.objects.filter(run=run).values_list("response_key", flat=True))
    keys_of: dict[int, list[str]] = {}
    rows = zip(data.respondents.index, data.respondents["participation"], data.returned, strict=True)
    for key, participation, returned in rows:
        if returned and key not in set_aside:
            keys_of.setdefault(participation, []).append(key)
    there = set(data.participations)
    return keys_of | {pk: seen["keys"] for pk, seen in as_seen(run).items() if pk in there}
