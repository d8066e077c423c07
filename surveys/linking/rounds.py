"""Rounds of reminders at times that a researcher sets: to the holders of personal links, in every team that is open then.

The row is the queue: a round whose time has come is taken by a conditional update, and taking it, queueing its mails and
counting is one transaction, so that a worker killed on the way leaves the round to the next. It leaves out nobody but who
opted out, as every other (links.remind).
"""

from __future__ import annotations

import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from surveys.history import Happened
from surveys.linking import personal_links
from surveys.models import Collection, ReminderRound, Survey
from teams.base.leases import Chore
from teams.history import record
from teams.models import User

ROUNDS_TASK = "surveys.send_due_rounds"
ROUNDS = Chore("surveys.send_round")
TOO_LATE = datetime.timedelta(hours=24)  # a round that nobody could send for so long is not sent at a time nobody chose


def plan_round(survey: Survey, due_at: datetime.datetime, by: User) -> bool:
    """Set a round of reminders. False if there is one at this time."""
    try:
        with transaction.atomic():
            ReminderRound.objects.create(survey=survey, due_at=due_at)
            record(survey.study, Happened.ROUND_PLANNED, by=by, detail=f"{timezone.localtime(due_at):%Y-%m-%d %H:%M}")
    except IntegrityError:  # the constraint decided
        return False
    return True


def drop_round(survey: Survey, pk: int, by: User) -> bool:
    """Take a round back that was not sent yet. Whether there was one."""
    with transaction.atomic():
        waiting = ReminderRound.objects.filter(pk=pk, survey=survey, sent=False)
        due_at = waiting.values_list("due_at", flat=True).first()
        if due_at is None or not waiting.delete()[0]:
            return False
        record(survey.study, Happened.ROUND_DROPPED, by=by, detail=f"{timezone.localtime(due_at):%Y-%m-%d %H:%M}")
    return True


def send_due() -> int:
    """Queue the reminders of every round whose time has come. Returns the number of mails queued."""
    due = ReminderRound.objects.filter(sent=False, due_at__lte=timezone.now()).select_related("survey")
    return ROUNDS.each(due, _send, key=lambda reminder: reminder.pk, study=lambda reminder: reminder.survey.study_id)


def _send(due: ReminderRound) -> int:
    n_queued = 0
    with transaction.atomic():
        if not ReminderRound.objects.filter(pk=due.pk, sent=False).update(sent=True):
            return 0  # another worker took it
        if due.due_at < timezone.now() - TOO_LATE:
            return 0
        open_now = due.survey.collections.filter(state=Collection.State.OPEN, invitees__isnull=False)
        for collection in open_now.distinct().order_by("pk"):
            n_queued += personal_links.remind(collection)
    return n_queued
