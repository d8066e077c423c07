"""Large studies: a worker reads the rows, and the page shows how far it is. The row is the queue.

Up to AT_ONCE responses, reading and writing takes less than a second, and no copy stays anywhere. Above it a request would keep
a web worker for half a minute, and those who answer would wait. So a request leaves a waiting row and wakes a worker; it
writes the file to the disk without a name, then in pieces to the database, where every web worker finds it. What was prepared
holds rows of responses: it goes after LASTS, when it was overtaken by other answers or another analysis, and at once when a
team withdraws.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from typing import IO

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from analysis.data import dataset
from analysis.exports.counting import Counts, count, packed, unpacked
from analysis.exports.files import write_file
from analysis.exports.rows import DataChanged
from analysis.models import AnalysisRun
from analysis.models.releases import PreparedFile, PreparedPart, RowRelease
from surveys.models import Survey
from teams.base import sweeping
from teams.base.leases import Claim, ClaimLost, Queue, kept, wake
from teams.models import Study

logger = logging.getLogger(__name__)

TASK = "analysis.prepare_file"
COUNTS = "counts"
AT_ONCE = 20_000  # responses
LASTS = timedelta(hours=24)
MAX_ATTEMPTS = 3
PIECE = 1 << 20
FILES = Queue(
    PreparedFile,
    waits=Q(state=PreparedFile.State.WAITING),
    held=Q(state=PreparedFile.State.WAITING),
    most=MAX_ATTEMPTS,
)
READING, STORING = 1, 2  # the steps, as they are shown
#: Why a file could not be made, put into words by the page.
CHANGED, STOPPED = "changed", "stopped"


class NotCounted(Exception):
    """The responses of a large study are being counted first."""


# ------------------------------------------------------------------------------------------------ asking
def at_once(n_rows: int) -> bool:
    """Whether so many responses are read within a request."""
    return n_rows <= AT_ONCE


def counts_of(survey: Survey) -> Counts:
    """What releases are judged by. Raises :class:`NotCounted` where a worker has to count first; it is then asked to."""
    if at_once(dataset.n_sealed(survey)):
        return count(survey)
    file = PreparedFile.objects.filter(survey=survey, release=None).first()
    if file is not None and file.state == PreparedFile.State.READY:
        counts = unpacked(b"".join(pieces(file)))
        if counts.participations == tuple(sorted(dataset.sealed_collections(survey).values())):
            return counts
    if file is None or file.state != PreparedFile.State.WAITING:
        _drop(file)
        _ask(survey=survey, release=None, form=COUNTS)
    raise NotCounted


def ask(release: RowRelease, survey: Survey, run: AnalysisRun | None, form: str, language: str) -> None:
    """Have a file made, unless one of the same analysis is there or on its way."""
    language = language if form == "sav" else ""
    file = PreparedFile.objects.filter(release=release, form=form, language=language).first()
    if file is not None and file.run == run and file.state != PreparedFile.State.FAILED:
        return
    _drop(file)
    _ask(survey=survey, release=release, run=run, form=form, language=language)


def ready(release: RowRelease, run: AnalysisRun | None, form: str, language: str) -> PreparedFile | None:
    """The file, if it can be sent: made, not too old, and of the analysis that counts. Ask :func:`unchanged` too."""
    language = language if form == "sav" else ""
    return PreparedFile.objects.filter(
        release=release,
        run=run,
        form=form,
        language=language,
        state=PreparedFile.State.READY,
        ready_at__gt=timezone.now() - LASTS,
    ).first()


def unchanged(release: RowRelease, survey: Survey) -> bool:
    """Whether the data set is the one that was released, told by its teams: what was prepared is not read again."""
    return sorted(release.participations) == sorted(dataset.sealed_collections(survey).values())


def pieces(file: PreparedFile) -> Iterator[bytes]:
    """The content, piece by piece, a query each: nothing is held open while a slow reader takes them."""
    parts = PreparedPart.objects.filter(file=file)
    for number in range(parts.count()):
        yield bytes(parts.values_list("content", flat=True).get(number=number))


def drop_of(study: Study) -> None:
    """Remove all that was prepared of a study: a team withdrew."""
    for file in PreparedFile.objects.filter(survey__study=study):
        _drop(file, at_night=False)


def _ask(**fields: object) -> None:
    try:
        with transaction.atomic():
            file = PreparedFile.objects.create(**fields)
    except IntegrityError:
        return  # prepared_file_once, prepared_counts_once: somebody else asked at this moment
    transaction.on_commit(lambda: _wake(file.pk), robust=True)  # a broker that is away: beat wakes too


def _drop(file: PreparedFile | None, at_night: bool = True) -> None:
    if file is not None:
        with transaction.atomic():
            # a worker that stores waits here, and then finds that its row is gone
            PreparedFile.objects.select_for_update().filter(pk=file.pk).first()
            _n, rows = PreparedFile.objects.filter(pk=file.pk).delete()
            sweeping.mark(rows, at_night=at_night)


# ------------------------------------------------------------------------------------------------ the worker
def prepare(file_id: int) -> bool:
    """Claim a waiting file and make it. Whether it is there now."""
    claim = FILES.claim(file_id, step=READING)
    if claim is None:
        return False
    file = PreparedFile.objects.select_related("survey__study", "survey__version", "release__study", "run").get(
        pk=file_id
    )
    try:
        # without a name: whoever is killed leaves nothing behind
        with kept(claim.renew), tempfile.TemporaryFile() as out:
            _write(file, out)
            size = _store(file, out, claim)
    except DataChanged:
        claim.finish(state=PreparedFile.State.FAILED, problem=CHANGED)
        return False
    except (ClaimLost, IntegrityError):  # taken over, or removed because a team withdrew
        return False
    except Exception:
        logger.exception("The file %s of survey %s", file.form, file.survey_id)
        claim.put_off()
        return False
    return claim.finish(state=PreparedFile.State.READY, ready_at=timezone.now(), size=size)


def _write(file: PreparedFile, out: IO[bytes]) -> None:
    if file.release is None:
        out.write(packed(count(file.survey)))
    else:
        write_file(file.release, file.survey, file.run, file.form, file.language, out)


def _store(file: PreparedFile, out: IO[bytes], claim: Claim[PreparedFile]) -> int:
    """Cut what was written into pieces, each in a transaction of its own. Returns the size.

    In each the claim is renewed first: whoever lost it unawares, and comes back when another has finished the file, changes
    nothing of it. :raises ClaimLost: then
    """
    with transaction.atomic():
        claim.renew(step=STORING)
        PreparedPart.objects.filter(file=file).delete()  # of a claim that broke off
    out.seek(0)
    size = number = 0
    while piece := out.read(PIECE):
        with transaction.atomic():
            claim.renew()
            PreparedPart.objects.create(file=file, number=number, content=piece)
        size, number = size + len(piece), number + 1
    return size


def wake_for_due() -> list[int]:
    """What beat calls: remove what is too old, give up what failed three times, wake workers for what waits."""
    now = timezone.now()
    old = Q(ready_at__lt=now - LASTS) | Q(state=PreparedFile.State.FAILED, asked_at__lt=now - LASTS)
    for file in PreparedFile.objects.filter(old):
        _drop(file)
    FILES.hopeless().update(state=PreparedFile.State.FAILED, problem=STOPPED, lease_until=None)
    waiting = list(PreparedFile.objects.filter(FILES.due()).order_by("pk").values_list("pk", flat=True))
    for pk in waiting:
        _wake(pk)
    return waiting


def _wake(file_id: int) -> None:
    wake(TASK, file_id)
