"""The PDFs of a publication: made once by a worker, never in a request. The row is the queue.

Publishing writes a waiting row for every reader and language and wakes workers; each claims one row at a time by a
conditional update with a lease, so several share the work, and one whose worker died is taken up again. A file is made of the
same object as the page (served.py), and given out only while what it was made of stands: where counts were corrected since, the
page may show less, and the file is made anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from functools import cache

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from analysis.models import Publication
from analysis.models.readers import ReportFile
from analysis.publication import objects, served
from analysis.publication.objects import STUDY, academy_key, team_key
from analysis.publication.served import AcademyNow, Now, TeamNow
from analysis.publication.standing import world_of
from analysis.reports.pdf import academy_pdf, study_pdf, team_pdf
from teams.base.leases import Chore, Claim, Queue
from teams.base.leases import wake as wake_worker
from teams.models import Participation
from teams.models.languages import language_codes

logger = logging.getLogger(__name__)

TASK = "analysis.make_report_files"
MAX_ATTEMPTS = 3
WAKE_UPS = 2  # workers that share the files of one publication
FILES = Queue(
    ReportFile,
    waits=Q(state=ReportFile.State.WAITING),
    held=Q(state=ReportFile.State.WAITING),
    pauses=(timedelta(seconds=15), timedelta(minutes=1)),
    most=MAX_ATTEMPTS,
)
OUTDATED = Chore("analysis.outdated_files")


def queue_files(publication: Publication) -> None:
    """Rows for every report of a publication, inside the transaction that publishes; a second time adds none."""
    teams = list(
        Participation.objects.filter(study=publication.study, state=Participation.State.ACCEPTED)
        .order_by("pk")
        .values_list("pk", "team__academy_id")
    )
    readers = [team_key(pk) for pk, _academy in teams]
    readers += [academy_key(academy) for academy in dict.fromkeys(academy for _pk, academy in teams)]
    readers.append(STUDY)
    ReportFile.objects.bulk_create(
        (
            ReportFile(publication=publication, reader=reader, language=language)
            for language in language_codes()  # the first language of every reader comes first
            for reader in readers
        ),
        ignore_conflicts=True,
    )
    Publication.objects.filter(pk=publication.pk).update(basis=world_of(publication))
    for _worker in range(WAKE_UPS):
        transaction.on_commit(lambda: wake(publication.pk), robust=True)  # a broker that is away: beat wakes too


def wake(publication_id: int) -> None:
    """Tell a worker that files of a publication wait."""
    wake_worker(TASK, publication_id)


def wake_for_due() -> list[int]:
    """What beat calls: give up what failed three times, wake workers for what waits or was never asked for."""
    for publication in _last_publications().filter(files__isnull=True).select_related("study"):
        with transaction.atomic():  # published before files were kept
            queue_files(publication)
    FILES.hopeless().update(state=ReportFile.State.FAILED, lease_until=None)
    waiting = set(ReportFile.objects.filter(FILES.due()).values_list("publication_id", flat=True))
    waiting |= {publication.pk for publication in objects.without_objects(_last_publications())}
    for publication_id in sorted(waiting):
        wake(publication_id)
    return sorted(waiting)


def make_anew() -> int:
    """What beat calls: files of the last publications that no longer stand go back to the queue. Returns how many."""
    last = _last_publications().select_related("run__survey__study")
    return OUTDATED.each(
        last, _outdate, key=lambda publication: publication.pk, study=lambda publication: publication.study_id
    )


def _outdate(publication: Publication) -> int:
    """Hold each file against its report, if anything changed for anybody since the last time."""
    world = world_of(publication)  # before the reading: what changes in between is met the next time
    if world == publication.basis:
        return 0
    n_outdated, basis = 0, cache(lambda reader: _basis(served.of_reader(publication, reader)))
    files = publication.files.filter(state=ReportFile.State.READY)
    for pk, reader, made_of in files.values_list("pk", "reader", "basis").order_by("pk"):
        if basis(reader) != made_of:
            n_outdated += requeue(files.filter(pk=pk))
    Publication.objects.filter(pk=publication.pk).update(basis=world)
    return n_outdated


def requeue(files: QuerySet[ReportFile]) -> int:
    """Send files back to the queue, without what they hold. Returns how many."""
    return files.update(state=ReportFile.State.WAITING, content=None, attempts=0, lease_until=None, due_at=None)


def _last_publications() -> QuerySet[Publication]:
    last = Publication.objects.filter(study=OuterRef("study")).order_by("-pk").values("pk")[:1]
    return Publication.objects.filter(pk=Subquery(last), study__deletion__isnull=True)


def ready(now: Now, language: str) -> ReportFile | None:
    """The file of a report in a language, with its content; None while it is being made, for the first time or anew."""
    return _ready(now, language).first()


def is_ready(now: Now, language: str) -> bool:
    """Whether a file can be fetched, without reading it."""
    return _ready(now, language).exists()


def _ready(now: Now, language: str) -> QuerySet[ReportFile]:
    return now.publication.files.filter(
        reader=now.reader, language=language, state=ReportFile.State.READY, basis=now.basis
    )


def make_files(publication_id: int) -> int:
    """Make the files that wait, until none does. Returns how many."""
    publication = Publication.objects.select_related("run__survey__version", "run__survey__study").get(
        pk=publication_id
    )
    objects.make_missing(publication)
    n_made = 0
    for claim in _claimed(publication_id):
        file = claim.row
        try:
            now = served.of_reader(publication, file.reader)  # what changes while it is made leaves it outdated
            if now is None:
                claim.remove()
                continue
            content = _content(now, file.language)
        except Exception:  # whatever is wrong with one report, the others must still come
            logger.exception("The PDF of %s in %s of publication %s", file.reader, file.language, publication_id)
            claim.put_off()
            continue
        n_made += claim.finish(state=ReportFile.State.READY, content=content, basis=now.basis, ready_at=timezone.now())
    return n_made


def _claimed(publication_id: int) -> Iterator[Claim[ReportFile]]:
    """Rows that became ours, one after the other."""
    while True:
        waiting = ReportFile.objects.filter(FILES.due(), publication_id=publication_id).order_by("pk")
        pk = waiting.values_list("pk", flat=True).first()
        if pk is None:
            return
        claim = FILES.claim(pk)
        if claim is not None:
            yield claim


def _content(now: Now, language: str) -> bytes:
    if isinstance(now, TeamNow):
        return team_pdf(now.report(language))
    if isinstance(now, AcademyNow):
        return academy_pdf(now.report(language))
    return study_pdf(now.report(language))


def _basis(now: Now | None) -> str:
    return now.basis if now else ""
