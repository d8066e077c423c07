"""Reminders that nobody presses a button for: a schedule per study and tier, and who is due today.

Beat only wakes ``send_due_reminders``; the rows decide. Whoever answered, declined, withdrew or asked for no more reminders is
not waiting any more; leaders wait only since their director said yes (invitations.py). Teachers are reminded in rounds, by
their own rules (surveys/linking/personal_links.py).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from teams import history
from teams.base.leases import Chore
from teams.inviting import invitations
from teams.mail import pace, refusals
from teams.models import Invitation, Participation, ReminderSchedule, Study, User
from teams.studies.listing import undeliverable_in

SCHEDULES, REMINDERS = Chore("teams.schedule"), Chore("teams.remind")
NOT_BEFORE = time(9)  # reminders go out in the morning


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a schedule does: how many wait for an answer, and who of them would be reminded today."""

    schedule: ReminderSchedule
    last_day: date
    n_waiting: int
    today: list[Invitation]
    n_done: int  # got every reminder that the schedule has
    n_undeliverable: int  # whose last mail did not arrive: repaired by a person, not reminded
    n_no_more: int  # asked for no reminders
    next_on: date | None  # the first day after today on which somebody is due, if nobody answers

    @property
    def is_over(self) -> bool:
        return timezone.localdate() > self.last_day


def schedule_of(study: Study, tier: str) -> ReminderSchedule:
    """The schedule of a tier; one that was never set is off."""
    return ReminderSchedule.objects.filter(study=study, tier=tier).first() or ReminderSchedule(study=study, tier=tier)


@transaction.atomic
def set_schedule(
    study: Study, tier: str, *, active: bool, after_days: int, times: int, until: date | None, by: User
) -> ReminderSchedule:
    """Write the schedule of a tier, and who changed it."""
    values = {"active": active, "after_days": after_days, "times": times, "until": until}
    schedule, _created = ReminderSchedule.objects.update_or_create(study=study, tier=tier, defaults=values)
    detail = f"{tier}: {times} × {after_days}" if active else f"{tier}: –"
    history.record(study, history.Happened.REMINDERS_CHANGED, by=by, detail=detail)
    return schedule


def last_day_of(schedule: ReminderSchedule) -> date:
    """Nobody is reminded after this day: the schedule's own last day, and never after the study's."""
    return min(schedule.until or schedule.study.ends_on, schedule.study.ends_on)


def waiting(schedule: ReminderSchedule) -> QuerySet[Invitation]:
    """Invitations of the tier that have no answer, asked by now. Of a leader only where the team is still invited."""
    asked = Invitation.objects.filter(
        study=schedule.study, state=Invitation.State.SENT, sent_at__lte=timezone.now()
    ).select_related("study", "academy__institution", "participation__team__academy")
    if schedule.tier == ReminderSchedule.Tier.DIRECTOR:
        return asked.filter(academy__isnull=False).order_by("pk")
    return asked.filter(participation__state=Participation.State.INVITED).order_by("pk")


def last_mail_before(schedule: ReminderSchedule, today: date) -> datetime:
    """Who was mailed before this moment is due: so many whole days ago."""
    day = today - timedelta(days=schedule.after_days - 1)
    return timezone.make_aware(datetime.combine(day, time()))


def due(schedule: ReminderSchedule, today: date) -> list[Invitation]:
    """Who is reminded on this day, whether or not the schedule is switched on."""
    if today > last_day_of(schedule):
        return []
    before = last_mail_before(schedule, today)
    rested = Q(reminded_at__isnull=True) | Q(reminded_at__lt=before)
    invitations_due = list(waiting(schedule).filter(rested, sent_at__lt=before, n_reminders__lt=schedule.times))
    no_more = _who_want_none(invitations_due)
    invitations_due = [invitation for invitation in invitations_due if invitation.pk not in no_more]
    lost = (
        undeliverable_in(schedule.study, [invitation.pk for invitation in invitations_due])
        if invitations_due
        else set()
    )
    return [invitation for invitation in invitations_due if invitation.pk not in lost]


def _who_want_none(asked: list[Invitation]) -> set[int]:
    """Those of these invitations whose readers want no reminders."""
    readers = {invitation.pk: invitations.reader_of(invitation) for invitation in asked}
    refused = refusals.among(readers.values())
    return {pk for pk, reader in readers.items() if reader in refused}


def outlook(study: Study, tier: str) -> Outlook:
    """What the schedule of a tier would do today, for the page: it changes nothing."""
    schedule, today = schedule_of(study, tier), timezone.localdate()
    asked = list(waiting(schedule))
    lost = undeliverable_in(study, [invitation.pk for invitation in asked]) if asked else set()
    no_more = _who_want_none(asked)
    now_due = due(schedule, today)
    days = [
        timezone.localdate(invitation.reminded_at or invitation.sent_at) + timedelta(days=schedule.after_days)
        for invitation in asked
        if invitation.n_reminders < schedule.times and invitation.pk not in no_more and invitation.pk not in lost
    ]
    return Outlook(
        schedule=schedule,
        last_day=last_day_of(schedule),
        n_waiting=len(asked),
        today=now_due,
        n_done=sum(invitation.n_reminders >= schedule.times for invitation in asked),
        n_undeliverable=len(lost),
        n_no_more=len(no_more),
        next_on=min((day for day in days if today < day <= last_day_of(schedule)), default=None),
    )


def send_due_reminders() -> int:
    """Remind whoever is due in every study whose schedule is on and whose mails may go now. Returns how many."""
    now, today = timezone.now(), timezone.localdate()
    if timezone.localtime(now).time() < NOT_BEFORE:
        return 0
    schedules = ReminderSchedule.objects.filter(active=True, study__ends_on__gte=today).select_related("study")
    going = [schedule for schedule in schedules.order_by("study", "tier") if pace.may_go(schedule.study, now)]
    return SCHEDULES.each(
        going,
        lambda schedule: _remind(schedule, today),
        key=lambda schedule: schedule.pk,
        study=lambda schedule: schedule.study_id,
    )


def _remind(schedule: ReminderSchedule, today: date) -> int:
    before = last_mail_before(schedule, today)
    return REMINDERS.each(
        due(schedule, today),
        lambda invitation: invitations.remind_by_schedule(invitation, before, schedule.times),
        key=lambda invitation: invitation.pk,
        study=lambda invitation: invitation.study_id,
    )


@history.tells(history.Happened.REMINDERS_CHANGED)
def _schedule_in_words(detail: str) -> str:
    tier, _separator, rest = detail.partition(": ")
    whom = dict(ReminderSchedule.Tier.choices).get(tier, tier)
    times, _separator, days = rest.partition(" × ")
    if not days:
        return _("%(whom)s: paused") % {"whom": whom}
    return _("%(whom)s: at most %(times)s, %(days)s days apart") % {"whom": whom, "times": times, "days": days}


# ------------------------------------------------------------------------------------------------ who wants none
@transaction.atomic
def end_reminders(invitation: Invitation) -> bool:
    """Its reader wants no reminders any more, of no study: asked by the link in a reminder. A second time changes nothing."""
    if refusals.wants_none(invitations.reader_of(invitation)):
        return False
    refusals.refuse(invitations.reader_of(invitation))
    _note(invitation, history.Happened.REMINDERS_ENDED)
    return True


@transaction.atomic
def allow_reminders(invitation: Invitation) -> bool:
    """Its reader takes that back, by the same link. A second time changes nothing."""
    if not refusals.wants_none(invitations.reader_of(invitation)):
        return False
    refusals.take_back(invitations.reader_of(invitation))
    _note(invitation, history.Happened.REMINDERS_AGAIN)
    return True


def _note(invitation: Invitation, event: history.Happened) -> None:
    history.record(
        invitation.study, event, participation=invitation.participation, academy=invitation.academy, by_link=True
    )
