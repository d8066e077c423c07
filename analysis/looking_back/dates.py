"""The day on which a team looks back: picked at the talk, mailed about once, and for how long its links open.

The leader gets the mail, whoever that is by then, and those of the team who asked for it. Their addresses are kept until
their links end, and are shown to the leader alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from analysis.mail_kinds import ReportMail
from analysis.models import LookBack, LookBackReader, LookBackStep, Publication
from analysis.publication.talks import hold_open
from teams import links
from teams.base import sweeping
from teams.base.leases import Chore
from teams.mail import outbox
from teams.models import Participation, Study, User

LOOK_BACK = "look_back"
WEEKS = 10  # after the talk, unless the team picks another day
LATEST = timedelta(days=366)
LINK_LASTS = timedelta(days=60)  # after the day
MOST_READERS = 5
MAILING = Chore("analysis.look_back")
_ACCEPTED = Participation.State.ACCEPTED


def usual_day() -> date:
    """The day that is proposed."""
    return timezone.localdate() + timedelta(weeks=WEEKS)


def of_team(participation: Participation) -> LookBack | None:
    """What a team picked and wrote about this wave; None where it did neither."""
    return LookBack.objects.filter(participation=participation).first()


@dataclass(frozen=True, slots=True)
class Day:
    """The day of a team. ``look_back``: the row it stands in; ``writes``: whether the team may still write, until the next wave
    is published (publication/talks.py).
    """

    look_back: int | None
    on: date | None
    mailed_on: date | None
    writes: bool


def day_of(participation: Participation) -> Day:
    """The day of a team, and whether it may still pick one: in one query, for the pages of reports."""
    published = Publication.objects.filter(study__previous_id=OuterRef("study_id"))
    teams = Participation.objects.filter(pk=participation.pk).annotate(fixed=Exists(published))
    row = teams.values_list("look_back", "look_back__on", "look_back__mailed_on", "fixed").first()
    look_back, on, mailed_on, fixed = row or (None, None, None, True)
    return Day(look_back, on, mailed_on, not fixed)


def addresses_of(look_back: int | None) -> list[str]:
    """Who gets the mail beside the leader, of the look-back with this number."""
    if look_back is None:
        return []
    readers = LookBackReader.objects.filter(look_back=look_back).exclude(email="")
    return list(readers.values_list("email", flat=True))


def pick(participation: Participation, on: date | None, others: Iterable[str], by: User | None) -> bool:
    """Pick the day, or none, and who else gets the mail. False, with nothing changed, when the next wave was published already.

    Another day is mailed about anew. Who stays on the list keeps their link, who goes from it is forgotten; without a day
    nobody is on it.
    """
    with transaction.atomic():
        Participation.objects.select_for_update(no_key=True).get(pk=participation.pk)
        if not hold_open(participation):
            return False
        look_back, _made = LookBack.objects.get_or_create(participation=participation)
        if look_back.on != on:
            take_back(look_back)
            LookBack.objects.filter(pk=look_back.pk).update(on=on, mailed_on=None, picked_by=by)
        _list(look_back, others if on is not None else ())
    return True


def _list(look_back: LookBack, others: Iterable[str]) -> None:
    wanted = dict.fromkeys(address.lower() for address in others)
    known = {reader.email.lower(): reader for reader in look_back.readers.all()}
    _forget(LookBackReader.objects.filter(pk__in=[reader.pk for email, reader in known.items() if email not in wanted]))
    LookBackReader.objects.bulk_create(
        LookBackReader(look_back=look_back, email=email, nonce=links.new_nonce())
        for email in wanted
        if email not in known
    )


def _forget(readers: QuerySet[LookBackReader]) -> int:
    """Delete addresses, with the mails that wait for them."""
    pks = list(readers.values_list("pk", flat=True))
    outbox.drop_many(ReportMail.LOOK_BACK_ASKED, pks)
    LookBackReader.objects.filter(pk__in=pks).delete()
    if pks:
        sweeping.mark([LookBackReader])
    return len(pks)


def take_back(look_back: LookBack) -> None:
    """Take back the mails about a day that still wait."""
    outbox.drop(ReportMail.LOOK_BACK, look_back.pk)
    outbox.drop_many(ReportMail.LOOK_BACK_ASKED, look_back.readers.values_list("pk", flat=True))


def leave(reader: LookBackReader) -> None:
    """Somebody takes their own address off the list."""
    _forget(LookBackReader.objects.filter(pk=reader.pk))


def follow_leader(participation: Participation) -> None:
    """When somebody else leads the team, the links of those whom the leader before put on the list end, as all links do."""
    _forget(LookBackReader.objects.filter(look_back__participation=participation))


# ------------------------------------------------------------------------------------------------ the mail
def mail_due() -> int:
    """What beat calls: queue the mails of the looks back whose day has come, each once. Returns how many teams."""
    due = _due().order_by("on", "pk").select_related("participation")
    return MAILING.each(
        list(due), _mail, key=lambda look_back: look_back.pk, study=lambda look_back: look_back.participation.study_id
    )


def _due() -> QuerySet[LookBack]:
    return LookBack.objects.filter(
        on__lte=timezone.localdate(),
        mailed_on__isnull=True,
        participation__state=_ACCEPTED,
        participation__study__deletion__isnull=True,
    )


@transaction.atomic
def _mail(look_back: LookBack) -> int:
    # of two workers that come here at once, the one whose update changes the row mails. Of the row's own columns alone: a
    # condition on another table is asked in a query below the update, which PostgreSQL does not ask again after waiting
    waits = LookBack.objects.filter(pk=look_back.pk, mailed_on__isnull=True, on__lte=timezone.localdate())
    if not waits.update(mailed_on=timezone.localdate()):
        return 0
    study = Study.objects.get(pk=look_back.participation.study_id)
    outbox.queue(ReportMail.LOOK_BACK, look_back.pk, study=study)
    readers = look_back.readers.exclude(email="").values_list("pk", flat=True)
    outbox.queue_many(ReportMail.LOOK_BACK_ASKED, readers, study=study)
    return 1


def forget_ended() -> int:
    """What beat calls: delete the addresses whose links have ended. Returns how many."""
    return _forget(LookBackReader.objects.exclude(_opens()))


# ------------------------------------------------------------------------------------------------ links
def _opens() -> Q:
    """Readers whose links open: from the day on which the address was given, until so long after the day of the look-back."""
    last = timezone.localdate() - LINK_LASTS
    lasts = Q(look_back__on__gte=last)
    return lasts & ~Q(email="") & Q(look_back__participation__state=_ACCEPTED)


def path_of(reader: LookBackReader) -> str:
    """The address that is mailed."""
    return reverse("look_back_link", args=[links.make_token(LOOK_BACK, reader.pk, reader.nonce)])


def opened_for(pk: int) -> LookBackReader | None:
    """A reader whose link opens, with the team; None where it has ended."""
    return (
        LookBackReader.objects.filter(_opens(), pk=pk)
        .select_related("look_back__participation__study", "look_back__participation__team__academy__institution")
        .first()
    )


def opened(token: links.Token, pk: int) -> LookBackReader | None:
    """Whom a token belongs to; None where the link has ended."""
    reader = opened_for(pk)
    return reader if reader is not None and token.opens(reader.pk, reader.nonce) else None


def last_day(look_back: LookBack) -> date | None:
    """Until when the links to a look-back open."""
    return look_back.on + LINK_LASTS if look_back.on else None


# ------------------------------------------------------------------------------------------------ the count
def counted(study: Study) -> tuple[int, int]:
    """How many teams looked back, and out of how many that take part: all that researchers learn of it."""
    teams = Participation.objects.filter(study=study, state=_ACCEPTED)
    looked = LookBackStep.objects.exclude(status="").filter(look_back__participation__in=teams)
    return looked.values("look_back").distinct().count(), teams.count()
