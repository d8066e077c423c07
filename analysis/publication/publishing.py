"""Publish a run: its reports become what the readers see, if the difference with every earlier version may be shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from analysis.choices.decisions import standing
from analysis.data import dataset
from analysis.disclosure import Group
from analysis.history import Happened
from analysis.mail_kinds import ReportMail
from analysis.models import AnalysisRun, Publication, ScreeningDecision
from analysis.models.results import ReliabilityResult, ScaleSet
from analysis.plan.plans import locked_plan
from analysis.plan.scales import final_scales
from analysis.publication import versions
from analysis.publication.files import queue_files
from analysis.publication.links import links_for_directors
from analysis.reports.groups import counted_groups
from analysis.reports.material import StoredSpreads, read_material, stored_spreads
from teams import history
from teams.mail.outbox import queue_many
from teams.models import Participation, Study, User
from teams.studies.setting_up import promise


class PublishingRefused(Exception):
    """Why a run cannot be published, in a sentence for the researcher. ``units``: those without which it could be tried."""

    def __init__(self, sentence: str, units: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.units = tuple(units)


@dataclass(frozen=True)
class _State:
    """What a run was judged against: as long as none of it changed, the verdict stands."""

    publications: tuple[int, ...]  # of the whole series
    collections: Mapping[int, int]  # sealed, of teams that did not withdraw
    n_withdrawn: int  # collections of teams that did, with answers that are still there
    groups: Sequence[Group]  # the teams and combinations, with the counts that decide who is a unit
    k: int


@dataclass(frozen=True)
class _Judged:
    """A run that may be published, with what is kept of it."""

    units: versions.Units
    figures: versions.Figures
    spreads: StoredSpreads
    is_first: bool
    left_out: Sequence[str]  # names of the units without which it is published


def publish(run: AnalysisRun, user: User | None, without: Collection[str] = ()) -> Publication:
    """Publish a finished run; publishing it twice gives the same publication.

    Of the units ``without`` which it is published nothing is shown by it, also no part of a mean over several units; what is
    left is judged as any version is. Only units that can never stand beside an earlier version may be left out, and that
    follows from who was in them, never from what they answered: a version without a unit whose people answered alike would
    tell its readers that they did.

    Everything is read and judged outside the transaction, which holds the study's row and asks only whether what was judged
    against is still all there is: of two publications at once the second is refused, and judges again when it is asked again.

    Raises `PublishingRefused` when the run is not done or not what the study is by now (a newer one, one on its way, another
    plan, other decisions, teams sealed or withdrawn since), or a group would differ from what was ever shown by fewer than k
    respondents.
    """
    if existing := Publication.objects.filter(run=run).first():
        return existing
    _refuse_unless_current(run)
    study = run.survey.study
    study.refresh_from_db(fields=["k"])
    state = _state(run)
    judged = _judge(run, without)
    try:
        with transaction.atomic():
            # As in units.combine_teams and decisions.decide; not a lock on the key, which every new row of the study asks
            # for. The teams' rows too: one that withdraws now waits, and is then one that withdrew after publication.
            list(Study.objects.select_for_update(no_key=True).filter(pk__in=versions.series_of(study)).order_by("pk"))
            list(Participation.objects.select_for_update(no_key=True).filter(study=study).order_by("pk"))
            promise(study)
            study.refresh_from_db(fields=["k"])  # it could still be changed until it was promised
            _refuse_unless_current(run)
            if Publication.objects.filter(run=run).exists():
                return Publication.objects.get(run=run)
            if _state(run) != state:
                raise PublishingRefused(
                    _(
                        "In the meantime something changed: the settings, counts, which teams are combined, a team that "
                        "withdrew, or somebody published. Look again, and publish then."
                    )
                )
            publication = Publication.objects.create(study=study, run=run, published_by=user, spreads=judged.spreads)
            versions.keep(publication, judged.units, judged.figures)
            detail = f"run {run.pk}" + (f" – {', '.join(judged.left_out)}" if judged.left_out else "")
            history.record(study, Happened.PUBLISHED, by=user, detail=detail[:500])
            queue_files(publication)
            queue_many(ReportMail.ACADEMY_REPORT_READY, [link.pk for link in links_for_directors(study)], study=study)
            # leaders hear of the first publication; a correction stands on the same page
            if judged.is_first:
                teams = Participation.objects.filter(study=study, state=Participation.State.ACCEPTED)
                queue_many(ReportMail.REPORT_READY, teams.values_list("pk", flat=True), study=study)
    except IntegrityError:  # somebody published the same run at the same moment: theirs counts
        return Publication.objects.get(run=run)
    return publication


def is_empty(run: AnalysisRun) -> bool:
    """Whether a finished analysis holds nobody's answers, as when every team withdrew. Of teams that are all too small to
    be shown it holds some: that can be published, and each reader is told why there is no report.
    """
    return not any(team.get("analysed") for team in run.counts.get("teams", {}).values())


def _refuse_unless_current(run: AnalysisRun) -> None:
    """Raise `PublishingRefused` where a run is not, or no longer, what would come out of an analysis now."""
    study, state = run.survey.study, AnalysisRun.State
    runs = AnalysisRun.objects.filter(survey=run.survey)
    if not runs.filter(pk=run.pk).exists():  # withdrawals.py removes those that counted a team that withdrew
        raise PublishingRefused(
            _("A team withdrew after this analysis, so the analysis was removed. Run the analysis again first.")
        )
    if not runs.filter(pk=run.pk, state=state.DONE).exists():
        raise PublishingRefused(_("Only a finished analysis can be published."))
    if is_empty(run):
        raise PublishingRefused(
            _(
                "There is not one answer in this analysis, so there is nothing to publish. A team's answers come in first."
            )
        )
    if runs.filter(state=state.DONE, pk__gt=run.pk).exists():
        raise PublishingRefused(_("There is a newer analysis. Publish that one."))
    if runs.filter(state__in=[state.QUEUED, state.RUNNING]).exists():
        raise PublishingRefused(_("An analysis is waiting or being made. When it is done, publish that one."))
    withdrawn = study.participations.filter(state=Participation.State.WITHDRAWN).values_list("pk", flat=True)
    if any(str(pk) in run.counts.get("teams", {}) for pk in withdrawn):
        raise PublishingRefused(_("A team withdrew after this analysis. Run the analysis again first."))
    plan = locked_plan(study)
    if plan is None or plan.pk != run.plan_id:
        raise PublishingRefused(_("The plan was changed after this analysis. Run the analysis again first."))
    used = ReliabilityResult.objects.filter(run=run, scale_set=ScaleSet.FINAL).values_list("scale", "items")
    now = {scale.code: set(scale.items) for scale in final_scales(plan, standing(study))}
    if {scale: set(items) for scale, items in used} != now:
        raise PublishingRefused(
            _("A decision on the scales was taken or undone after this analysis. Run the analysis again first.")
        )


def _state(run: AnalysisRun) -> _State:
    publications = Publication.objects.filter(study__in=versions.series_of(run.survey.study)).order_by("pk")
    return _State(
        publications=tuple(publications.values_list("pk", flat=True)),
        collections=dataset.sealed_collections(run.survey),
        n_withdrawn=len(dataset.sealed_collections(run.survey, withdrawn=True)),
        groups=counted_groups(run),
        k=run.survey.study.k,  # of the row at hand, by which all of it is judged
    )


def _judge(run: AnalysisRun, without: Collection[str]) -> _Judged:
    """Hold a run against every version ever shown of its series. Raises `PublishingRefused`."""
    study = run.survey.study
    data = dataset.load(run.survey)
    if data.fingerprint != run.fingerprint:
        raise PublishingRefused(_("Answers were sealed after this analysis. Run the analysis again first."))
    analysed, publications = _analysed(run, data), versions.publications_of(study)
    material = read_material(run)
    stuck = versions.stuck(publications, versions.released_units(material, analysed), study.k)
    if without:
        if not stuck.issuperset(without):
            raise PublishingRefused(
                _(
                    "Only teams of which a small rest is left since they were published can be left out. Look again, and "
                    "publish then."
                )
            )
        material = read_material(run, without)
    units = versions.released_units(material, analysed)
    figures = versions.figures_of(units, versions.values_of([run], data), study.k)
    own = [publication.run for publication in publications if publication.run.survey_id == run.survey_id]
    withdrawn = dataset.load(run.survey, withdrawn=True)
    values = versions.together(*(versions.values_of([*own, run], answers) for answers in (withdrawn, data)))
    told = versions.told_by_versions(versions.shown_in(publications), figures, values, data.n_points, study.k)
    if told:
        names = {group.key: group.name for group in material.units}
        told_units = list(dict.fromkeys(unit for unit, _measure in told))
        raise PublishingRefused(
            _(
                "The correction has to wait: compared with what was published before, so few people differ in "
                "%(n)s figures, or they answered so much alike, that readers could work out what they answered. "
                "It is about: %(teams)s."
            )
            % {"n": len(told), "teams": ", ".join(names[unit] for unit in told_units)},
            [*without, *(unit for unit in told_units if unit in stuck)] if stuck.intersection(told_units) else (),
        )
    left_out = [group.name for group in material.groups if group.key in without and group.key not in units]
    return _Judged(units, figures, stored_spreads(material), is_first=not own, left_out=left_out)


def _analysed(run: AnalysisRun, data: dataset.Dataset) -> dict[int, list[str]]:
    """The keys of the analysed respondents per participation."""
    set_aside = set(ScreeningDecision.objects.filter(run=run).values_list("response_key", flat=True))
    keys_of: dict[int, list[str]] = {}
    rows = zip(data.respondents.index, data.respondents["participation"], data.returned, strict=True)
    for key, participation, returned in rows:
        if returned and key not in set_aside:
            keys_of.setdefault(participation, []).append(key)
    return keys_of
