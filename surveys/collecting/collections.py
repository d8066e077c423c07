"""Collecting step by step: open (never without a locked plan), close, reopen, seal; and the room of a meeting meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from surveys.collecting.opening import BATCH, hold_opening, open_teams
from surveys.collecting.paper_counts import paper_counts_of
from surveys.history import Happened
from surveys.keys import collection_keys
from surveys.linking import confirming, personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Meeting, PresentBy, Response, Survey
from teams.base.leases import Chore, wake
from teams.history import record
from teams.links import new_nonce
from teams.models import Participation, Study, User
from teams.people.contact_person import hold_academy, note_vouched

SEAL_TASK = "surveys.seal_due_collections"
OPENING = Chore("surveys.open")


class NotReady(Exception):
    """Why a survey cannot be opened, or a collection cannot take this step, in a sentence."""


@dataclass(frozen=True, slots=True)
class RoomCounts:
    """What whoever leads a meeting sees of it. ``started`` includes what was submitted since."""

    started: int
    submitted: int
    present: int | None
    paper: int | None

    @property
    def on_their_way(self) -> int:
        return max(self.started - self.submitted, 0)


def may_open(study: Study) -> None:
    """Refuse to collect answers of real people on the settings of the demo, which whoever reaches it can enter.

    :raises NotReady: there, unless the study is simulated or DEMO_REAL_STUDIES=1 was set for a try-out
    """
    if not (settings.PRODUCTION or settings.DEMO_REAL_STUDIES or study.simulated):
        raise NotReady(
            _(
                "This is a demo: it is not as secure as a study with real people must be, so a study with real "
                "people does not open here. Whoever manages the demo can start it with DEMO_REAL_STUDIES=1 to try "
                "one out; real answers belong on production settings (docs/deployment.md)."
            )
        )


def begin(survey: Survey, plan_hash: str, by: User | None = None, *, mirror: bool = False) -> None:
    """Open the survey and no team of it: `open_missing` does that. Again it changes nothing.

    Args:
        mirror: as the locked plan says: whether a team that meets may see its own figures in the meeting (mirror.py). Teachers read
            it before they answer, so it stays as it was at the first opening.

    :raises NotReady: without the hash of a locked plan, or with another plan than it was opened with
    """
    may_open(survey.study)
    if not plan_hash:
        raise NotReady(_("The analysis plan must be locked before the questionnaire opens."))
    with transaction.atomic():
        hold_opening(survey.study_id)
        opened = Survey.objects.filter(pk=survey.pk, opened_at__isnull=True).update(
            plan_hash=plan_hash, opened_at=timezone.now(), mirror=mirror
        )
        survey.refresh_from_db()
        if survey.plan_hash != plan_hash:
            raise NotReady(_("The questionnaire is already open, under another plan."))
        if opened:
            record(survey.study, Happened.SURVEY_OPENED, by=by)


def open_survey(survey: Survey, plan_hash: str, by: User | None = None, *, mirror: bool = False) -> int:
    """Open the survey, and a collection for every team that takes part. Returns the number of teams that are open.

    Again it opens what is still missing, and nothing twice: what fails for one team fails for that team alone, is named on the
    researchers' board and tried again by beat.

    :raises NotReady: as `begin`
    """
    begin(survey, plan_hash, by, mirror=mirror)
    open_missing(survey.study)
    return n_open(survey.study)


def n_open(study: Study) -> int:
    """How many teams that take part have a collection."""
    taking_part = Participation.State.ACCEPTED
    return Collection.objects.filter(survey__study=study, participation__state=taking_part).count()


def not_open(study: Study | None = None) -> QuerySet[Participation]:
    """Teams that take part in a study that is open, and of which the collection is not: of one study, or of all."""
    waiting = Participation.objects.filter(
        state=Participation.State.ACCEPTED,
        approached__isnull=False,
        collection__isnull=True,
        study__survey__opened_at__isnull=False,
        study__deletion__isnull=True,
    )
    if study is not None:
        waiting = waiting.filter(study=study)
    return waiting.select_related("team", "study").order_by("pk")


def open_missing(study: Study | None = None) -> int:
    """Open what should be open and is not, and tell the leaders: in batches, each in a transaction of its own, unless the
    caller holds one. Returns how many were opened now.

    Args:
        study: of this one, also what failed a moment ago; None for all studies, as beat asks.
    """
    waiting = list(not_open(study).order_by("study", "pk").values_list("study", "pk"))
    if study is None:
        OPENING.forget_all_but(pk for _study, pk in waiting)
    else:
        OPENING.at_once(study.pk)
    n, study_of, pk_of = 0, itemgetter(0), itemgetter(1)
    for _study, teams in groupby(waiting, key=study_of):
        n += OPENING.many(teams, _open_and_tell, size=BATCH, key=pk_of, study=study_of)
    return n


def _open_and_tell(teams: Sequence[tuple[int, int]]) -> tuple[int, dict[int, OSError]]:
    made, failed = open_teams(teams[0][0], [pk for _study, pk in teams], mail=SurveyMail.COLLECTING_BEGINS)
    return len(made), failed


def open_collection(participation: Participation) -> Collection | None:
    """The team's collection, opened now if need be; None while the survey is not open or the team does not take part.

    :raises OSError: if its key cannot be written
    """
    existing = Collection.objects.filter(participation=participation)
    if (collection := existing.first()) is not None:
        return collection
    with transaction.atomic():
        # in the order of opening.py; whoever accepts before the study opens writes no key
        Participation.objects.select_for_update(no_key=True).get(pk=participation.pk)
        hold_opening(participation.study_id)
        if not Survey.objects.filter(study_id=participation.study_id, opened_at__isnull=False).exists():
            return None
        made, failed = open_teams(participation.study_id, [participation.pk])
        for error in failed.values():
            raise error
    return made.get(participation.pk) or existing.first()


def open_or_later(participation: Participation) -> Collection | None:
    """As `open_collection`; a disk that is full keeps nobody from accepting: then it is on the board, and beat tries again."""
    try:
        with transaction.atomic():
            return open_collection(participation)
    except OSError as error:
        OPENING.note(participation.pk, participation.study_id, error)
        return None


def close_collection(collection: Collection, by: User | None = None, by_link: bool = False) -> bool:
    """No new respondents; who started on the server may finish in the grace period. Whether it changed anything."""
    study = collection.survey.study
    now = timezone.now()
    with transaction.atomic():
        closed = Collection.objects.filter(pk=collection.pk, state=Collection.State.OPEN).update(
            state=Collection.State.CLOSED, closes_for_good_at=now + timedelta(hours=study.grace_hours)
        )
        if closed:
            record(study, Happened.COLLECTION_CLOSED, participation=collection.participation, by=by, by_link=by_link)
            if not study.grace_hours:
                transaction.on_commit(wake_sealing, robust=True)
    collection.refresh_from_db()
    return bool(closed)


def reopen_collection(collection: Collection, by: User | None = None, by_link: bool = False) -> bool:
    """Open a closed one again, before its sealing begins and not if it was imported (paper/entry.py) or closed for the team to see
    its figures (mirror.py). Whether it changed anything.
    """
    with transaction.atomic():
        # locked before the look: the condition on the meeting stands on another row than the one that is changed
        Collection.objects.select_for_update(no_key=True).filter(pk=collection.pk).first()
        closed = Collection.objects.filter(pk=collection.pk, state=Collection.State.CLOSED, sealing=False)
        closed = closed.exclude(meeting__present_by=PresentBy.IMPORT).exclude(meeting__picture_asked_at__isnull=False)
        reopened = closed.update(state=Collection.State.OPEN, closes_for_good_at=None)
        if reopened:
            record(
                collection.survey.study,
                Happened.COLLECTION_REOPENED,
                participation=collection.participation,
                by=by,
                by_link=by_link,
            )
    collection.refresh_from_db()
    return bool(reopened)


def seal_now(collection: Collection, by: User | None = None) -> bool:
    """End the grace period now: the sealing (sealing.py) is due and a worker is woken. Whether it changed anything.

    Never by a link alone: it cannot be undone, and a mailbox has more readers than one.

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
                Happened.COLLECTION_SEAL_ASKED,
                participation=collection.participation,
                by=by,
            )
            transaction.on_commit(wake_sealing, robust=True)
    collection.refresh_from_db()
    if collection.state == Collection.State.OPEN:
        raise NotReady(_("Close the collection first."))
    return bool(due)


def wake_sealing() -> None:
    """Wake a worker for what is due; should nobody hear it, beat wakes too."""
    wake(SEAL_TASK)


def set_present(meeting: Meeting, present: int, paper: int | None = None, *, by: User | None = None) -> bool:
    """Record how many teachers are present and how many handed in a form on paper, while a team that meets is open.

    Args:
        by: who is signed in; None for whoever holds the facilitator's link.
    """
    participation = meeting.collection.participation
    with transaction.atomic():
        hold_academy(participation.team.academy_id)
        open_now = Collection.objects.filter(state=Collection.State.OPEN, mode__in=Participation.MEETING_MODES)
        counter = confirming.who_counts(meeting, by)
        meets = Meeting.objects.filter(pk=meeting.pk, collection__in=open_now)
        # a page that is saved for its other fields takes no number away from the researcher who counted
        counted = meets.filter(present=present, present_by=PresentBy.RESEARCHER)
        stays = counter != PresentBy.RESEARCHER and counted.update(paper=paper)
        if not stays and not meets.update(present=present, paper=paper, present_by=counter, counted_by=by):
            return False
        if by is not None:
            note_vouched(participation.pk, by.email)
        if by is None or counter != PresentBy.RESEARCHER:  # signed in or not, it was the contact person's link
            note_vouched(participation.pk, participation.contact_email)
    return True


def count_present(meeting: Meeting, present: int, by: User) -> bool:
    """A researcher's own count of who was present, until the answers are sealed. Whether it was recorded."""
    collection = meeting.collection
    with transaction.atomic():
        hold_academy(collection.participation.team.academy_id)
        unsealed = Meeting.objects.filter(pk=meeting.pk, collection__sealing=False)
        unsealed = unsealed.exclude(collection__state=Collection.State.SEALED).exclude(present_by=PresentBy.IMPORT)
        if not unsealed.update(present=present, present_by=PresentBy.RESEARCHER, counted_by=by):
            return False
        note_vouched(collection.participation_id, by.email)
        study, team = collection.survey.study, collection.participation
        record(study, Happened.PRESENT_COUNTED, participation=team, by=by, detail=str(present))
    return True


def announce_shared_device(collection: Collection, shared: bool) -> None:
    """Whoever leads the meeting says that several people answer in turn on one device, or that they do not."""
    unsealed = Collection.objects.filter(pk=collection.pk).exclude(state=Collection.State.SEALED)
    unsealed.update(shared_device=shared)


def begun_on_one_device(collection: Collection, n: int) -> None:
    """Keep the most responses that one device began in a collection: from two on, since one tells nothing."""
    if n > 1:
        unsealed = Collection.objects.filter(pk=collection.pk, on_one_device__lt=n, sealing=False)
        unsealed.exclude(state=Collection.State.SEALED).update(on_one_device=n)


def set_leading(collection: Collection, mode: str, by_link: bool = True) -> bool:
    """Record who really led a meeting, a researcher or the contact person, until the answers are sealed.

    The answers came in a meeting either way, so this may change after some came in, unlike every other way of collecting. A
    contact person must be known: the team leader may not be the one who counts.

    Returns:
        Whether it changed anything.
    """
    if mode not in Participation.MEETING_MODES:
        return False
    if mode == Participation.Mode.CONTACT and not collection.participation.contact_email:
        return False
    with transaction.atomic():
        # the team's row before the collection's, as everywhere, or two would wait for each other
        Participation.objects.select_for_update(no_key=True).get(pk=collection.participation_id)
        meets = Collection.objects.filter(pk=collection.pk, mode__in=Participation.MEETING_MODES, sealing=False)
        if not meets.exclude(state=Collection.State.SEALED).exclude(mode=mode).update(mode=mode):
            return False
        Participation.objects.filter(pk=collection.participation_id).update(mode=mode)
        record(
            collection.survey.study,
            Happened.LEADING_RECORDED,
            participation=collection.participation,
            by_link=by_link,
            detail=f"{collection.mode} → {mode}",
        )
    collection.refresh_from_db()
    return True


def allow_more_joins(meeting: Meeting) -> None:
    """Let as many join again as at first: the facilitator sees who is in the room."""
    Meeting.objects.filter(pk=meeting.pk).update(joins_confirmed=F("joins_confirmed") + 1)


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
    Meeting.objects.filter(pk=meeting.pk).update(facilitator_nonce=new_nonce(), sent_to_contact=False)
    meeting.refresh_from_db()


def room_counts(meeting: Meeting) -> RoomCounts | None:
    """Who takes part in the room: for whoever leads the meeting, and only while it lasts. None once it is over.

    Personal links are not counted, which are answered on any day: their answers would be seen coming in one by one.
    """
    if meeting.collection.state != Collection.State.OPEN or meeting.collection.mode not in Participation.MEETING_MODES:
        return None
    try:
        by_link = personal_links.rows_of(meeting.collection)
    except collection_keys.KeyDestroyed:
        return None
    by_code = Response.objects.filter(collection=meeting.collection).exclude(key__in=by_link)
    row = by_code.aggregate(started=Count("pk"), submitted=Count("pk", filter=Q(state=Response.State.SUBMITTED)))
    return RoomCounts(row["started"], row["submitted"], meeting.present, meeting.paper)
