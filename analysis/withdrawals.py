"""What happens with the answers of a team that withdrew (docs/data-protection.md).

Before publication they are deleted; after it they stay, since what was published rests on them, but no later run reads
them (data/dataset.py). What was published of the team by itself goes: its report object and its PDF; it stays in means over
several teams. Its answers are read once more to judge a new version: whether the difference tells what these people answered. The participation's state is the queue: beat looks for what is still to be done, so that it does not
matter on which page, by which role or by which process a team was withdrawn.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from analysis.exports import prepared
from analysis.history import Happened
from analysis.models import AnalysisRun, EarlyPicture, Publication, ReportFile, ReportObject, RunStep
from analysis.publication.files import requeue
from analysis.publication.objects import academy_key, team_key
from surveys.collecting.deleting import delete_collection
from surveys.keys import seal_list
from surveys.models import Collection, Survey
from teams.base import sweeping
from teams.base.leases import Chore
from teams.history import record
from teams.models import Event, Invitation, Participation, Study

WITHDRAWALS = Chore("analysis.withdraw")


def carry_out() -> int:
    """Delete the answers of withdrawn teams, or make the run due that leaves them out. Returns how many were dealt with."""
    withdrawn = (
        Collection.objects.filter(participation__state=Participation.State.WITHDRAWN)
        .exclude(participation__events__kind=Happened.ANSWERS_NOT_USED_ANY_MORE)
        .select_related("participation__study", "participation__team", "survey")
        .order_by("pk")
    )
    return WITHDRAWALS.each(
        list(withdrawn),
        _carry_out,
        key=lambda collection: collection.pk,
        study=lambda collection: collection.survey.study_id,
        leased=True,
    )


def _carry_out(collection: Collection) -> int:
    seal_list.add_withdrawn(collection)  # first: a backup that is older must not bring the answers back
    if _was_published(collection):
        dealt_with = _keep(collection)
    else:
        _forget_runs(collection)  # before its answers go: they are what finds the rest again after a kill
        dealt_with = delete_collection(collection)
    # what runs staged for the next one rests on these answers too
    with transaction.atomic():
        staged = RunStep.objects.filter(run__survey=collection.survey_id, staged__isnull=False).values_list(
            "pk", flat=True
        )
        RunStep.objects.filter(pk__in=list(staged)).update(staged=None)
        sweeping.mark([RunStep])  # also of what was staged and removed before
    prepared.drop_of(collection.participation.study)  # and so do files on their way
    return int(dealt_with)


def replay() -> int:
    """Withdraw again the teams that the list beside the database names, and deal with their answers.

    For a database restored from a backup that is older than a withdrawal. Returns how many were dealt with. Nobody is
    mailed: they were told then.
    """
    teams = [collection.participation for collection in seal_list.withdrawn()]
    state = Participation.State
    for team in teams:
        with transaction.atomic():
            again = Participation.objects.filter(pk=team.pk).exclude(state=state.WITHDRAWN)
            if again.update(state=state.WITHDRAWN):
                Invitation.objects.filter(participation=team).update(state=Invitation.State.WITHDRAWN)
                record(team.study, Happened.WITHDRAWAL_REPEATED, participation=team)
    return carry_out()


def _was_published(collection: Collection) -> bool:
    """Whether readers saw anything that rests on a team's answers; an early picture counts as a publication."""
    if _pictures_of(collection.participation):
        return True
    publications = Publication.objects.filter(study=collection.participation.study_id).select_related("run")
    return any(
        str(collection.participation_id) in publication.run.counts.get("teams", {}) for publication in publications
    )


def _forget_runs(collection: Collection) -> None:
    """Remove the analyses that counted a team and were never published: rows of a small team are its answers, and those
    over all teams, less the next analysis's, are too. Another analysis is due; one that is at work begins anew."""
    survey = collection.survey_id
    unpublished = AnalysisRun.objects.filter(survey=survey, publication__isnull=True)
    with transaction.atomic():
        Survey.objects.select_for_update().get(pk=survey)
        _end_what_is_at_work(survey)
        counted = [run.pk for run in unpublished if str(collection.participation_id) in run.counts.get("teams", {})]
        _n, gone = AnalysisRun.objects.filter(pk__in=counted).delete()
        sweeping.mark(gone)
        Survey.objects.filter(pk=survey).update(n_seals=F("n_seals") + 1)


def _end_what_is_at_work(survey: int) -> None:
    """An analysis that has read the answers of a team that withdraws is not stored; another one is due."""
    at_work = AnalysisRun.objects.filter(survey=survey, state__in=[AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING])
    at_work.update(state=AnalysisRun.State.CANCELLED, lease_until=None, finished_at=timezone.now())


def _keep(collection: Collection) -> bool:
    study: Study = collection.participation.study
    with transaction.atomic():
        Survey.objects.select_for_update().get(pk=collection.survey_id)  # of two that come here at once one goes on
        if Event.objects.filter(
            participation=collection.participation, kind=Happened.ANSWERS_NOT_USED_ANY_MORE
        ).exists():
            return False
        record(study, Happened.ANSWERS_NOT_USED_ANY_MORE, participation=collection.participation)
        _hide(collection.participation)
        _end_what_is_at_work(collection.survey_id)
        Survey.objects.filter(pk=collection.survey_id).update(n_seals=F("n_seals") + 1)
    return True


def _pictures_of(participation: Participation) -> list[EarlyPicture]:
    """The early pictures that a team was in, by itself or with others."""
    shown = EarlyPicture.objects.filter(study=participation.study_id, state=EarlyPicture.State.SHOWN)
    return [picture for picture in shown if str(participation.pk) in picture.figures]


def _hide(participation: Participation) -> None:
    """Remove what was shown of a team by itself, and every PDF that may show it; the last ones are made anew without it."""
    for picture in _pictures_of(participation):
        left = Participation.objects.filter(pk__in=list(picture.figures), state=Participation.State.ACCEPTED)
        if not left.exists():  # else the others go on to see theirs, as in a report
            EarlyPicture.objects.filter(pk=picture.pk).update(content={}, setting={})
    team, academy = team_key(participation.pk), academy_key(participation.team.academy_id)
    ReportObject.objects.filter(publication__study=participation.study_id, reader=team).delete()
    files = ReportFile.objects.filter(publication__study=participation.study_id)
    files.filter(reader=team).delete()
    of_director = files.filter(reader=academy)
    last = Publication.objects.filter(study=participation.study_id).order_by("-pk").values_list("pk", flat=True)[:1]
    requeue(of_director.filter(publication__in=list(last)))
    of_director.exclude(publication__in=list(last)).delete()
    sweeping.mark([ReportObject, ReportFile, EarlyPicture])
