"""The PDFs of a publication: made once by a worker, never in a request. The row is the queue.

Publishing writes a waiting row for every reader and language and wakes workers; each claims one row at a time by a
conditional update with a lease, so several share the work, and one whose worker died is taken up again. What reports are
made of is read once per worker and publication.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from analysis.material import Material, read_material
from analysis.models import Publication
from analysis.pdf import academy_pdf, study_pdf, team_pdf
from analysis.report_models import ReportFile
from analysis.reports import render_team
from analysis.talks import goals_before
from analysis.wide_reports import render_academy, render_study
from teams.models import Participation

logger = logging.getLogger(__name__)

TASK = "analysis.make_report_files"
MAX_ATTEMPTS = 3
WAKE_UPS = 2  # workers that share the files of one publication
LANGUAGES = ("nl", "en")  # the first language of every reader comes first
STUDY = "study"


def team_key(participation_id: int) -> str:
    """The reader's name of a team's file."""
    return f"team:{participation_id}"


def academy_key(academy_id: int) -> str:
    """The reader's name of an academy's file."""
    return f"academy:{academy_id}"


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
            for language in LANGUAGES
            for reader in readers
        ),
        ignore_conflicts=True,
    )
    for _worker in range(WAKE_UPS):
        transaction.on_commit(lambda: wake(publication.pk), robust=True)  # a broker that is away: beat wakes too


def wake(publication_id: int) -> None:
    """Tell a worker that files of a publication wait."""
    current_app.send_task(TASK, args=[publication_id], expires=30, ignore_result=True)


def wake_for_due() -> list[int]:
    """What beat calls: give up what failed three times, wake workers for what waits or was never asked for."""
    last = Publication.objects.filter(study=OuterRef("study")).order_by("-pk").values("pk")[:1]
    for publication in Publication.objects.filter(files__isnull=True, pk=Subquery(last)).select_related("study"):
        with transaction.atomic():  # published before files were kept
            queue_files(publication)
    now = timezone.now()
    hopeless = ReportFile.objects.filter(
        state=ReportFile.State.WAITING, attempts__gte=MAX_ATTEMPTS, lease_until__lt=now
    )
    hopeless.update(state=ReportFile.State.FAILED, lease_until=None)
    waiting = sorted(set(ReportFile.objects.filter(_due()).values_list("publication_id", flat=True)))
    for publication_id in waiting:
        wake(publication_id)
    return waiting


def ready(publication: Publication | None, reader: str, language: str) -> ReportFile | None:
    """The file of a reader in a language, with its content; None while it is being made."""
    return ReportFile.objects.filter(
        publication=publication, reader=reader, language=language, state=ReportFile.State.READY
    ).first()


def is_ready(publication: Publication | None, reader: str, language: str) -> bool:
    """Whether a file can be fetched, without reading it."""
    return ReportFile.objects.filter(
        publication=publication, reader=reader, language=language, state=ReportFile.State.READY
    ).exists()


def make_files(publication_id: int) -> int:
    """Make the files that wait, until none does. Returns how many."""
    publication = Publication.objects.select_related("run__survey__version", "run__survey__study").get(
        pk=publication_id
    )
    material: Material | None = None
    n_made = 0
    for file in _claimed(publication_id):
        material = material or read_material(publication.run)
        try:
            content = _content(material, file.reader, file.language)
        except Exception:  # whatever is wrong with one report, the others must still come
            logger.exception("The PDF of %s in %s of publication %s", file.reader, file.language, publication_id)
            continue  # its lease runs out, and it is tried again
        n_made += ReportFile.objects.filter(pk=file.pk, attempts=file.attempts, state=ReportFile.State.WAITING).update(
            state=ReportFile.State.READY, content=content, ready_at=timezone.now(), lease_until=None
        )
    return n_made


def _claimed(publication_id: int) -> Iterator[ReportFile]:
    """Rows that became ours, one after the other: of two workers the one whose update changes the row has it."""
    while True:
        waiting = ReportFile.objects.filter(_due(), publication_id=publication_id).order_by("pk").first()
        if waiting is None:
            return
        now = timezone.now()
        lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
        taken = ReportFile.objects.filter(_due(), pk=waiting.pk, attempts=waiting.attempts).update(
            attempts=F("attempts") + 1, lease_until=lease_until
        )
        if taken:
            waiting.attempts += 1
            yield waiting


def _due() -> Q:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())
    return Q(state=ReportFile.State.WAITING, attempts__lt=MAX_ATTEMPTS) & free


def _content(material: Material, reader: str, language: str) -> bytes:
    kind, _colon, pk = reader.partition(":")
    if kind == "team":
        participation = Participation.objects.select_related("study", "team__academy__institution").get(pk=pk)
        return team_pdf(render_team(material, participation, language, goals_before(participation)))
    if kind == "academy":
        return academy_pdf(render_academy(material, int(pk), language))
    return study_pdf(render_study(material, language))
