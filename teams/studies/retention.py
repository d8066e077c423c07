"""How long a study was promised to be kept, and which studies are past that day.

Nothing is deleted by itself: beat tells the researchers once, the board says so from then on, and a person deletes.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from teams import history
from teams.base.leases import Chore
from teams.mail import bounces, outbox
from teams.mail.kinds import TeamMail
from teams.models import Event, Job, Role, Study

SAID = timedelta(days=14)
RETENTION = Chore("teams.tell_retention")


def promised_until(study: Study) -> date:
    """The last day on which the study's answers may be kept: as promised, and before that as its settings say."""
    return study.kept_until or counted_until(study)


def counted_until(study: Study) -> date:
    """So many years after the study's last day."""
    year = study.ends_on.year + study.retention_years
    try:
        return study.ends_on.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 3, 1)


def is_over(study: Study) -> bool:
    """Whether the promised time is past."""
    return promised_until(study) < timezone.localdate()


def due(studies: QuerySet[Study]) -> list[Study]:
    """Those of these studies whose promised time is past and that are not being deleted."""
    today = timezone.localdate()
    promised = Q(kept_until__lt=today) | Q(kept_until__isnull=True, ends_on__lt=today)
    ended = studies.filter(promised, deletion__isnull=True).order_by("ends_on", "pk")
    return [study for study in ended if promised_until(study) < today]


def tell() -> int:
    """What beat calls: mail the researchers of a study whose promised time is past, once. Returns how many studies."""
    told_of = Event.objects.filter(kind=history.Happened.RETENTION_OVER).values_list("study", flat=True)
    studies_due = due(Study.objects.exclude(pk__in=told_of))
    return RETENTION.each(studies_due, _tell, key=lambda study: study.pk, study=lambda study: study.pk)


@transaction.atomic
def _tell(study: Study) -> int:
    Study.objects.select_for_update().get(pk=study.pk)  # of two that come here at once one tells
    if Event.objects.filter(study=study, kind=history.Happened.RETENTION_OVER).exists():
        return 0
    history.record(study, history.Happened.RETENTION_OVER)
    for role in Role.objects.filter(study=study, kind=Role.Kind.RESEARCHER).select_related("user"):
        outbox.queue(TeamMail.RETENTION_OVER, role.pk, study=study)
    return 1


def forget_sessions() -> int:
    """What beat calls: delete the sessions that have ended; each holds an address. Returns how many."""
    n_ended, _details = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return n_ended


def forget_troubles() -> int:
    """What beat calls: of what was lost or given up nothing is said any more after two weeks. Returns how many lines."""
    old = Job.objects.filter(since__lt=timezone.now() - SAID, kind__in=[outbox.LOST.kind, bounces.RETURNED.kind])
    return old.delete()[0]
