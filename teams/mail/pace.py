"""When mails may go: the days and hours of the site or of a study, and how many per minute the whole site hands over.

Hours of the site stand in the environment (``MAIL_HOURS``, ``MAIL_PER_MINUTE``), those of a study in its row of MailHours.
Both hold for every worker: the hours are asked in the query of what is due, the count per minute is one row.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.dates import WEEKDAYS

from teams import history
from teams.models import MailHours, SendingMinute, Study, User

HOURS = re.compile(r"([1-7]+) (\d\d:\d\d)-(\d\d:\d\d)")  # days as digits, 1 for Monday: "12345 08:00-18:00"


@dataclass(frozen=True, slots=True)
class Hours:
    days: str  # digits, 1 for Monday
    begin: time
    end: time

    def hold(self, moment: datetime) -> bool:
        """Whether a moment lies in these hours, on the site's clock."""
        local = timezone.localtime(moment)
        return str(local.isoweekday()) in self.days and self.begin <= local.time() < self.end


def site_hours() -> Hours | None:
    """The hours of the site; None: at any time. Raises ValueError if the setting cannot be read."""
    text: str = settings.MAIL_HOURS
    if not text:
        return None
    match = HOURS.fullmatch(text)
    if match is None:
        raise ValueError(f"MAIL_HOURS is '{text}'; write it like '12345 08:00-18:00'.")
    hours = Hours("".join(sorted(set(match[1]))), time.fromisoformat(match[2]), time.fromisoformat(match[3]))
    if hours.begin >= hours.end:
        raise ValueError("MAIL_HOURS ends before it begins.")
    return hours


def hours_of(study: Study) -> Hours | None:
    """The hours that hold for a study: its own, or the site's."""
    own = MailHours.objects.filter(study=study).first()
    return Hours(own.days, own.begin, own.end) if own else site_hours()


@transaction.atomic
def set_hours(study: Study, hours: Hours | None, by: User) -> None:
    """Give a study hours of its own, or with None those of the site again."""
    if hours is None:
        MailHours.objects.filter(study=study).delete()
    else:
        values = {"days": "".join(sorted(set(hours.days))), "begin": hours.begin, "end": hours.end}
        MailHours.objects.update_or_create(study=study, defaults=values)
    detail = f"{hours.days} {hours.begin:%H:%M}-{hours.end:%H:%M}" if hours else ""
    history.record(study, history.Happened.MAIL_HOURS_CHANGED, by=by, detail=detail)


@history.tells(history.Happened.MAIL_HOURS_CHANGED)
def _hours_in_words(detail: str) -> str:
    hours = HOURS.fullmatch(detail)
    if hours is None:
        return detail
    return f"{', '.join(str(WEEKDAYS[int(day) - 1]) for day in hours[1])}, {hours[2]}–{hours[3]}"


def may_go(study: Study, now: datetime) -> bool:
    """Whether mails of a study may go now."""
    hours = hours_of(study)
    return hours is None or hours.hold(now)


def going(now: datetime, any_hour: Iterable[str]) -> Q:
    """Which rows of the outbox may go now, by the hours of their study. Kinds in ``any_hour`` wait for no hours."""
    site = site_hours()
    own = {row.study_id: Hours(row.days, row.begin, row.end).hold(now) for row in MailHours.objects.all()}
    if site is None or site.hold(now):
        closed = [study for study, is_open in own.items() if not is_open]
        allowed = Q(study__isnull=True) | ~Q(study__in=closed)
    else:
        allowed = Q(study__in=[study for study, is_open in own.items() if is_open])
    return allowed | Q(kind__in=list(any_hour))


def take_turn(now: datetime) -> bool:
    """Count one more mail of this minute, if there is still room: decided by conditional updates of one row.

    A turn that is taken for a mail which then proves not to be wanted is lost. It is not given back, and a turn is taken
    before the mail is looked at: where the queue stops must not tell who was to be reminded and who was not.
    """
    limit: int = settings.MAIL_PER_MINUTE
    if not limit:
        return True
    minute, row = now.replace(second=0, microsecond=0), SendingMinute.objects.filter(pk=1)
    for _attempt in range(2):
        if row.filter(minute__lt=minute).update(minute=minute, n=1):
            return True
        if row.filter(minute=minute, n__lt=limit).update(n=F("n") + 1):
            return True
        if row.exists():
            break
        SendingMinute.objects.bulk_create([SendingMinute(pk=1, minute=minute)], ignore_conflicts=True)
    return False
