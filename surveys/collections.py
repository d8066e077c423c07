"""Collecting step by step: open (never without a locked plan), close, reopen, seal; and the counts meanwhile."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from surveys import keys, limits
from surveys.models import Collection, Invitee, Meeting, Response, Survey
from surveys.paper_counts import paper_counts_of
from teams import planning
from teams.history import record
from teams.links import new_nonce
from teams.models import Participation, User

SEAL_TASK = "surveys.seal_due_collections"
# 24 signs that no one confuses when read aloud or from a screen: of 0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B none or one
CODE_SIGNS = "ACDEFGHJKMNPQRTUVWXY3479"
CODE_LENGTH = 6
MEETING_MODES = (Participation.Mode.RESEARCHER, Participation.Mode.CONTACT)


class NotReady(Exception):
    """Why a survey cannot be opened, or a collection cannot take this step, in a sentence."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a collection. ``started`` includes what was submitted since."""

    started: int
    submitted: int
    present: int | None
    links: int
    approached: int

    @property
    def on_their_way(self) -> int:
        return max(self.started - self.submitted, 0)


def open_survey(survey: Survey, plan_hash: str, by: User | None = None) -> int:
    """Open the survey, and a collection for every team that takes part. Returns the number of collections.

    Again it changes nothing, but opens what is still missing.

    :raises NotReady: without the hash of a locked plan, or with another plan than it was opened with
    """
    if not plan_hash:
        raise NotReady(_("The analysis plan must be locked before the survey opens."))
    with transaction.atomic():
        opened = Survey.objects.filter(pk=survey.pk, opened_at__isnull=True).update(
            plan_hash=plan_hash, opened_at=timezone.now()
        )
        survey.refresh_from_db()
        if survey.plan_hash != plan_hash:
            raise NotReady(_("The survey is open already, under another plan."))
        if opened:
            record(survey.study, "survey_opened", by=by)
        accepted = survey.study.participations.filter(state=Participation.State.ACCEPTED)
        for participation in accepted.filter(collection__isnull=True):
            open_collection(participation)
        return accepted.count()


def open_collection(participation: Participation) -> Collection | None:
    """The team's collection, opened now if need be; None while the survey is not open or the team does not take part.

    What the team said when it accepted is copied: the way of collecting and the number of teachers approached.
    """
    survey = Survey.objects.filter(study_id=participation.study_id, opened_at__isnull=False).first()
    if survey is None or participation.state != Participation.State.ACCEPTED or participation.approached is None:
        return None
    existing = Collection.objects.filter(participation=participation).first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            collection = Collection.objects.create(
                survey=survey,
                participation=participation,
                mode=participation.mode,
                approached=participation.approached,
            )
            keys.make(collection)
            if participation.mode in MEETING_MODES:
                _make_meeting(collection)
                planning.brief_later(participation)
    except IntegrityError:  # the constraint decided: another process opened it first
        return Collection.objects.get(participation=participation)
    return collection


def may_change_way(participation: Participation, mode: str) -> bool:
    """Whether a team may answer in another way: not once somebody has begun, since answers belong to how they came in."""
    collection = Collection.objects.filter(participation=participation).first()
    if collection is None or collection.mode == mode:
        return True
    return collection.state == Collection.State.OPEN and not collection.responses.exists()


def follow_way(participation: Participation) -> bool:
    """Give the collection the way of collecting that was agreed later. Whether it has that way now."""
    collection = Collection.objects.filter(participation=participation).first()
    if collection is None or collection.mode == participation.mode:
        return True
    if not may_change_way(participation, participation.mode):
        return False
    with transaction.atomic():
        Collection.objects.filter(pk=collection.pk).update(mode=participation.mode)
        if participation.mode in MEETING_MODES and not Meeting.objects.filter(collection=collection).exists():
            _make_meeting(collection)
            planning.brief_later(participation)
    return True


def close_collection(collection: Collection, by: User | None = None, by_link: bool = False) -> bool:
    """No new respondents; who started on the server may finish in the grace period. Whether it changed anything."""
    study = collection.survey.study
    now = timezone.now()
    with transaction.atomic():
        closed = Collection.objects.filter(pk=collection.pk, state=Collection.State.OPEN).update(
            state=Collection.State.CLOSED, closes_for_good_at=now + timedelta(hours=study.grace_hours)
        )
        if closed:
            record(study, "collection_closed", participation=collection.participation, by=by, by_link=by_link)
            if not study.grace_hours:
                transaction.on_commit(wake_sealing, robust=True)
    collection.refresh_from_db()
    return bool(closed)


def reopen_collection(collection: Collection, by: User | None = None, by_link: bool = False) -> bool:
    """Open a closed collection again, as long as its sealing has not begun. Whether it changed anything."""
    with transaction.atomic():
        reopened = Collection.objects.filter(pk=collection.pk, state=Collection.State.CLOSED, sealing=False).update(
            state=Collection.State.OPEN, closes_for_good_at=None
        )
        if reopened:
            record(
                collection.survey.study,
                "collection_reopened",
                participation=collection.participation,
                by=by,
                by_link=by_link,
            )
    collection.refresh_from_db()
    return bool(reopened)


def seal_now(collection: Collection, by: User | None = None, by_link: bool = False) -> bool:
    """End the grace period now: the sealing (sealing.py) is due and a worker is woken. Whether it changed anything.

    :raises NotReady: while the collection is open, or paper forms are not entered
    """
    left = paper_counts_of(collection).why_not_seal()
    if left and not collection.sealing and collection.state == Collection.State.CLOSED:
        raise NotReady(left)
    with transaction.atomic():
        due = Collection.objects.filter(pk=collection.pk, state=Collection.State.CLOSED, sealing=False).update(
            closes_for_good_at=timezone.now()
        )
        if due:
            record(
                collection.survey.study,
                "collection_seal_asked",
                participation=collection.participation,
                by=by,
                by_link=by_link,
            )
            transaction.on_commit(wake_sealing, robust=True)
    collection.refresh_from_db()
    if collection.state == Collection.State.OPEN:
        raise NotReady(_("Close the collection first."))
    return bool(due)


@transaction.atomic
def correct_counts(collection: Collection, approached: int, refused: int, reason: str, by: User) -> bool:
    """Correct how many teachers were approached, or enter how many refused; the reason stands in the team's history.

    Returns:
        Whether anything changed.
    """
    before = Collection.objects.select_for_update().get(pk=collection.pk)
    if (before.approached, before.refused) == (approached, refused):
        return False
    Collection.objects.filter(pk=collection.pk).update(approached=approached, refused=refused)
    detail = f"{before.approached} → {approached}, {before.refused} → {refused}: {reason}"
    record(collection.survey.study, "counts_corrected", participation=collection.participation, by=by, detail=detail)
    return True


def wake_sealing() -> None:
    """Wake a worker for what is due; should nobody hear it, beat wakes too."""
    current_app.send_task(SEAL_TASK, expires=15, ignore_result=True)


def set_present(meeting: Meeting, present: int, paper: int | None = None) -> bool:
    """Record how many teachers are present and how many handed in a form on paper, while the collection is open.

    Returns:
        Whether it was recorded.
    """
    open_now = Meeting.objects.filter(pk=meeting.pk, collection__state=Collection.State.OPEN)
    return bool(open_now.update(present=present, paper=paper))


def set_leading(collection: Collection, mode: str, by_link: bool = True) -> bool:
    """Record who really led a meeting, a researcher or the contact person, until the answers are sealed.

    The answers came in a meeting either way, so this may change after some came in, unlike every other way of collecting.

    Returns:
        Whether it changed anything.
    """
    if mode not in MEETING_MODES:
        return False
    with transaction.atomic():
        meets = Collection.objects.filter(pk=collection.pk, mode__in=MEETING_MODES, sealing=False)
        if not meets.exclude(state=Collection.State.SEALED).exclude(mode=mode).update(mode=mode):
            return False
        Participation.objects.filter(pk=collection.participation_id).update(mode=mode)
        record(
            collection.survey.study,
            "leading_recorded",
            participation=collection.participation,
            by_link=by_link,
            detail=f"{collection.mode} → {mode}",
        )
    collection.refresh_from_db()
    return True


def joins_allowed(collection: Collection, meeting: Meeting) -> int:
    """How many may join by the code: so many per teacher approached, and what the facilitator allowed on top."""
    return limits.joins_per_teacher() * collection.approached + meeting.joins_confirmed


def allow_more_joins(meeting: Meeting) -> None:
    """Let as many more join as the team has teachers: the facilitator sees who is in the room."""
    Meeting.objects.filter(pk=meeting.pk).update(joins_confirmed=F("joins_confirmed") + meeting.collection.approached)


def is_being_sealed(collection: Collection) -> bool:
    """Whether its sealing is at work, or nothing keeps it: the grace period is over and no paper form is left."""
    if collection.state != Collection.State.CLOSED:
        return False
    return collection.sealing or not (in_grace(collection) or paper_counts_of(collection).unfinished)


def in_grace(collection: Collection) -> bool:
    """Whether who started before closing may still finish."""
    return collection.closes_for_good_at is not None and collection.closes_for_good_at > timezone.now()


def renew_facilitator_link(meeting: Meeting) -> None:
    """Make a new link for the facilitator; the old one opens nothing any more."""
    Meeting.objects.filter(pk=meeting.pk).update(facilitator_nonce=new_nonce())
    meeting.refresh_from_db()


def counts(collection: Collection) -> Counts:
    """The counts of one collection."""
    return counts_of([collection])[collection.pk]


def counts_of(collections: Iterable[Collection]) -> dict[int, Counts]:
    """The counts of many collections, by primary key, in three queries however many there are."""
    listed = list(collections)
    live = [c.pk for c in listed if c.state != Collection.State.SEALED]
    responses = {
        row["collection"]: row
        for row in Response.objects.filter(collection__in=live)
        .values("collection")
        .annotate(started=Count("pk"), submitted=Count("pk", filter=Q(state=Response.State.SUBMITTED)))
    }
    links = dict(
        Invitee.objects.filter(collection__in=live)
        .values("collection")
        .annotate(n=Count("pk"))
        .values_list("collection", "n")
    )
    present = dict(Meeting.objects.filter(collection__in=live).values_list("collection", "present"))
    result = {}
    for c in listed:
        if c.state == Collection.State.SEALED:
            result[c.pk] = Counts(c.n_started or 0, c.n_submitted or 0, c.n_present, c.n_links or 0, c.approached)
        else:
            row = responses.get(c.pk, {"started": 0, "submitted": 0})
            result[c.pk] = Counts(row["started"], row["submitted"], present.get(c.pk), links.get(c.pk, 0), c.approached)
    return result


def _make_meeting(collection: Collection) -> Meeting:
    """The meeting with a code of its own: the constraint says which code is taken, then another is drawn."""
    while True:
        try:
            with transaction.atomic():
                return Meeting.objects.create(collection=collection, code=_draw_code(), facilitator_nonce=new_nonce())
        except IntegrityError:
            if Meeting.objects.filter(collection=collection).exists():
                raise


def _draw_code() -> str:
    return "".join(secrets.choice(CODE_SIGNS) for _n in range(CODE_LENGTH))
