"""Publishing by a worker: a page leaves a row, a worker carries it out, and the page shows how far it is. The row is the queue.

What somebody confirmed is what is published: the row bears a fingerprint of what the page showed, and where counts or choices
changed since, the worker refuses with the sentence that the page would say. A worker that was killed is followed by another
that begins anew; publishing is one transaction, so nothing is published half, and mails are queued once, with it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from analysis.models import AnalysisRun, Publication, PublishingJob
from analysis.publication.publishing import Step, publish, refuse_unless_current, seen
from analysis.publication.refusals import PublishingRefused, Why
from teams.base.leases import Claim, ClaimLost, Queue, kept
from teams.base.leases import wake as wake_worker
from teams.models import Study, User

logger = logging.getLogger(__name__)

TASK = "analysis.publish"
State = PublishingJob.State
OPEN = (State.WAITING, State.WORKING)
JOBS = Queue(
    PublishingJob,
    waits=Q(state__in=OPEN),
    held=Q(state=State.WORKING),
    taken=(("state", State.WORKING),),
    most=3,
)
STOPPED = "stopped"  # its worker died, each time


def ask(run: AnalysisRun, user: User | None, without: Collection[str], confirmed: str = "") -> PublishingJob | None:
    """Ask for a run to be published. None where its study is being published already: whoever asked first has it.

    What can be said at once is said at once: raises `PublishingRefused` where the run is not what the study is by now.

    Args:
        confirmed: what the page said of the state that it showed; without it the state of now is what was confirmed.
    """
    refuse_unless_current(run)
    study = run.survey.study
    confirmed = confirmed or seen(run)
    try:
        with transaction.atomic():
            PublishingJob.objects.filter(study=study).exclude(state__in=OPEN).delete()
            job = PublishingJob.objects.create(
                study=study, run=run, asked_by=user, without=sorted(without), confirmed=confirmed
            )
    except IntegrityError:  # one_publishing_at_a_time
        return None
    transaction.on_commit(lambda: wake_worker(TASK, job.pk), robust=True)  # a broker that is away: beat wakes too
    return job


def last_of(study: Study) -> PublishingJob | None:
    """What was asked last of a study: open, or how it ended."""
    return PublishingJob.objects.filter(study=study).select_related("asked_by").first()


def wake_for_due() -> list[int]:
    """What beat calls: give up what workers died of, wake a worker for what waits."""
    published = Exists(Publication.objects.filter(run=OuterRef("run")))  # the last one died after it, before it said so
    JOBS.hopeless().filter(published).update(state=State.DONE, lease_until=None, finished_at=timezone.now())
    JOBS.hopeless().update(state=State.FAILED, error=STOPPED, lease_until=None, finished_at=timezone.now())
    waiting = list(PublishingJob.objects.filter(JOBS.due()).order_by("pk").values_list("pk", flat=True))
    for job_id in waiting:
        wake_worker(TASK, job_id)
    return waiting


def carry_out(job_id: int) -> bool:
    """Publish what was asked for. Whether it is published now; a job that is not free is left alone.

    A database that is away leaves the job to be taken up again; any other error ends it, and the page says so.
    """
    claim = JOBS.claim(job_id)
    if claim is None:
        return False
    try:
        with kept(claim.renew):
            _publish(claim)
    except PublishingRefused as refusal:
        _end(claim, State.REFUSED, refusal=refusal.packed())
    except ClaimLost:
        logger.warning("Publishing %s was ended or taken over: what was made is thrown away.", job_id)
    except OperationalError:
        logger.exception(
            "Publishing %s: the database was away.", job_id
        )  # the lease runs out, and it is taken up again
    except Exception as error:
        logger.exception("Publishing %s failed.", job_id)
        _end(claim, State.FAILED, error=type(error).__name__[:80])
    else:
        return _end(claim, State.DONE)
    return False


def _publish(claim: Claim[PublishingJob]) -> None:
    job = claim.row
    if job.run_id is None:
        raise PublishingRefused(Why.REMOVED)
    run = AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=job.run_id)

    def progress(step: Step, n_made: int, n_reports: int) -> None:
        claim.renew(step=step, n_made=n_made, n_reports=n_reports)

    publish(run, job.asked_by, job.without, confirmed=job.confirmed, progress=progress)


def _end(claim: Claim[PublishingJob], state: PublishingJob.State, **fields: object) -> bool:
    return claim.finish(state=state, finished_at=timezone.now(), **fields)
