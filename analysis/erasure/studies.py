"""Deleting a study with everything that is kept of it: begun by a person's act, carried out by a worker in batches.

``begin`` closes every door in one short transaction: the register of deletions gets its line, links open nothing any more,
waiting mails and runs are dropped. From then on no page of the study opens. ``carry_out`` deletes table after table, a batch
to a transaction, so that nobody waits long for the database; what is gone is counted in the same transaction, so that a
worker that was killed is followed by one that goes on where it stopped. Then the study itself goes, and with it the contacts
and accounts that nothing else uses; at last the old rows leave the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import connection, transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analysis.erasure import accounts
from analysis.erasure.tables_of_study import Table, tables
from analysis.history import Happened
from analysis.models import AnalysisRun, PublishingJob
from analysis.models.readers import ReportLink
from surveys.keys import collection_keys, seal_list
from surveys.models import AddressCheck, Collection, LinkSecret, Meeting, Response, SealedResponse
from teams import history
from teams.base import security_log, sweeping
from teams.base.leases import Chore
from teams.base.leases import wake as wake_worker
from teams.base.security_log import Act
from teams.inviting import corrections
from teams.models import (
    Academy,
    Institution,
    Invitation,
    OutboxMessage,
    Participation,
    Role,
    Study,
    StudyDeletion,
    Team,
    User,
)
from teams.studies.retention import promised_until

logger = logging.getLogger(__name__)

TASK = "analysis.delete_studies"
BATCH = 500
DELETIONS = Chore("analysis.delete_study")
# the researchers' places in the study go last: until then its pages tell them that it is being deleted
LAST = (Role, "study")
OPEN_REASON = _("Answers are still being collected. Close and seal every collection first, or withdraw the teams.")


class NotNow(Exception):
    """The study cannot be deleted yet; the message says why and what to do first."""


def refused(study: Study) -> str:
    """Why the study cannot be deleted now, in a sentence; nothing if it can."""
    unsealed = Collection.objects.filter(~Q(state=Collection.State.SEALED) | Q(sealing=True), survey__study=study)
    return str(OPEN_REASON) if unsealed.exists() else ""


@transaction.atomic
def begin(study: Study, by: User | None = None, *, again: bool = False) -> StudyDeletion:
    """Begin to delete a study: from here on it is closed for everybody. A second time returns the first one's line.

    Args:
        again: it was deleted before, and an older backup brought it back.

    Raises:
        NotNow: while answers are collected.
    """
    study = Study.objects.select_for_update().get(
        pk=study.pk
    )  # of two who delete it at once the second meets the first
    begun = StudyDeletion.objects.filter(study=study).first()
    if begun is not None:
        return begun
    if not again and (reason := refused(study)):
        raise NotNow(reason)
    _close_doors(study)
    deletion = StudyDeletion.objects.create(
        study=study,
        number=study.pk,
        wave=study.wave,
        ended_on=study.ends_on,
        promised_until=promised_until(study),
        n_teams=study.participations.count(),
        n_responses=sum(
            table.objects.filter(collection__survey__study=study).count() for table in (Response, SealedResponse)
        ),
        n_rows=sum(n_rows(study).values()),
        by=by,
        after=aftermath(study),
    )
    for later in Study.objects.filter(previous=study):
        history.record(later, Happened.STUDY_BEFORE_DELETED, by=by)
    Study.objects.filter(previous=study).update(previous=None)
    security_log.write(Act.STUDY_DELETED, by=by.pk if by else None, study=study.pk)
    transaction.on_commit(wake, robust=True)  # a broker that is away: beat wakes too
    return deletion


def wake() -> None:
    """Tell a worker that a study is to be deleted."""
    wake_worker(TASK)


def _close_doors(study: Study) -> None:
    Invitation.objects.filter(study=study).update(nonce="")
    ReportLink.objects.filter(study=study).delete()
    AddressCheck.objects.filter(study=study).update(nonce="")
    Meeting.objects.filter(collection__survey__study=study).update(facilitator_nonce="", code="")
    LinkSecret.objects.filter(invitee__collection__survey__study=study).delete()
    queued = OutboxMessage.objects.filter(study=study, state=OutboxMessage.State.QUEUED)
    queued.update(state=OutboxMessage.State.DROPPED)
    unfinished = (AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING)  # a worker on one finds out when it renews
    runs = AnalysisRun.objects.filter(survey__study=study, state__in=unfinished)
    runs.update(state=AnalysisRun.State.CANCELLED, lease_until=None, finished_at=timezone.now())
    PublishingJob.objects.filter(study=study).delete()  # a worker at it finds out before it writes


# ------------------------------------------------------------------------------------------------ what goes
def n_rows(study: Study) -> dict[type[Model], int]:
    """How many rows of each table belong to a study."""
    counts: dict[type[Model], int] = {}
    for table in tables():
        wanted = Q()
        for lookup in table.lookups:
            wanted |= Q(**{lookup: study.pk})
        counts[table.model] = table.model._base_manager.filter(wanted).count()
    return counts


def aftermath(study: Study) -> dict[str, list[int]]:
    """Primary keys of teams, academies, institutions and leaders' accounts that no other study uses, and of teams kept."""
    here = set(study.participations.values_list("team", flat=True))
    elsewhere = Participation.objects.filter(team__in=here).exclude(study=study).values_list("team", flat=True)
    teams = here - set(elsewhere)
    used = set(Team.objects.filter(pk__in=here).values_list("academy", flat=True))
    used |= set(Invitation.objects.filter(study=study, academy__isnull=False).values_list("academy", flat=True))
    academies = used - set(
        Team.objects.filter(academy__in=used).exclude(pk__in=teams).values_list("academy", flat=True)
    )
    invited = Invitation.objects.filter(academy__in=academies).exclude(study=study).values_list("academy", flat=True)
    academies -= set(invited)
    institutions = set(Academy.objects.filter(pk__in=academies).values_list("institution", flat=True))
    left = Academy.objects.filter(institution__in=institutions).exclude(pk__in=academies)
    institutions -= set(left.values_list("institution", flat=True))
    users = accounts.only_of_leaders_in(study)
    pks_by_name = {"teams": teams, "academies": academies, "institutions": institutions, "users": users}
    pks_by_name["kept"] = here - teams
    return {name: sorted(pks) for name, pks in pks_by_name.items()}


# ------------------------------------------------------------------------------------------------ deleting
def carry_out(progress: Callable[[StudyDeletion], None] | None = None) -> int:
    """Delete what is to be deleted, or finish what was begun. Returns how many studies are gone now."""
    begun = StudyDeletion.objects.filter(done_at__isnull=True).order_by("pk")
    return DELETIONS.each(
        begun, lambda deletion: _finish(deletion, progress), key=lambda deletion: deletion.pk, leased=True
    )


def replay() -> int:
    """Delete again the studies that the list beside the database names: a restored backup brought them back."""
    for study in seal_list.deleted():
        begin(study, again=True)
    return carry_out()


def _finish(deletion: StudyDeletion, progress: Callable[[StudyDeletion], None] | None) -> bool:
    study = deletion.study
    if study is not None:
        seal_list.add_deleted(study)  # first: a backup that is older must not bring it back
        steps = [(table, lookup) for table in tables() for lookup in table.lookups]
        for table, lookup in sorted(steps, key=lambda step: (step[0].model, step[1]) == LAST):
            while _delete_batch(deletion, table, lookup, study):
                if progress is not None:
                    progress(StudyDeletion.objects.get(pk=deletion.pk))
        with transaction.atomic():
            Study.objects.get(pk=study.pk).delete()
            _delete_aftermath(deletion)
            sweeping.mark(touched())
    if connection.in_atomic_block:
        return False  # the sweep needs the database for itself: the next wake-up does it
    try:
        sweeping.sweep(touched())
    except sweeping.SweepDelayed:
        return False
    done = StudyDeletion.objects.filter(pk=deletion.pk, done_at__isnull=True).update(done_at=timezone.now(), after={})
    logger.info("Deletion %s is done", deletion.pk)
    return bool(done)


def touched() -> list[type[Model]]:
    """Every table from which a deletion takes rows."""
    return [*(table.model for table in tables()), Study, Team, Academy, Institution, *accounts.TABLES]


def _delete_batch(deletion: StudyDeletion, table: Table, lookup: str, study: Study) -> int:
    with transaction.atomic():
        pks = list(table.of(study, lookup).values_list("pk", flat=True)[:BATCH])
        if not pks:
            return 0
        if table.model is Collection:
            for collection in Collection.objects.filter(pk__in=pks):
                collection_keys.destroy(collection)
        table.model._base_manager.filter(pk__in=pks).delete()
        sweeping.mark([table.model], at_night=True)  # at the latest; the end of the deletion does it at once
        StudyDeletion.objects.filter(pk=deletion.pk).update(n_gone=F("n_gone") + len(pks))
    return len(pks)


def _delete_aftermath(deletion: StudyDeletion) -> None:
    """Contacts and accounts that nothing uses, judged again: another study may have begun to use one."""
    after = deletion.after
    teams = Team.objects.filter(pk__in=after["teams"], participations__isnull=True)
    teams = Team.objects.filter(pk__in=list(teams.values_list("pk", flat=True)))
    teams.delete()
    for team in Team.objects.filter(pk__in=after.get("kept", [])):
        corrections.remember_leader(team)  # not the one of the study that is gone
    academies = Academy.objects.filter(pk__in=after["academies"], teams__isnull=True, invitations__isnull=True)
    Academy.objects.filter(pk__in=list(academies.values_list("pk", flat=True))).delete()
    institutions = Institution.objects.filter(pk__in=after["institutions"], academies__isnull=True)
    Institution.objects.filter(pk__in=list(institutions.values_list("pk", flat=True))).delete()
    for user in User.objects.filter(
        pk__in=after["users"], roles__isnull=True, memberships__isnull=True, is_superuser=False
    ):
        accounts.delete(user)
