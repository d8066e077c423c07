"""The only writer of responses: join, start, save, submit, delete; and many at once for imports and the demo.

What decides is always one conditional update (or the primary key), and how many rows it changed; what was read before is
only advice. Concurrent writers are told apart by the sequence number: a save carries the whole answers and the number
after the one it builds on, so an older one never overwrites, a repeat changes nothing, and a second tab learns what the
first one saved and merges. The conditions on the response stand on its own row, never behind a join: PostgreSQL looks at
them again after waiting for another writer, and a subquery over the same row would still see the old one.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from surveys import keys, limits, links, remembered, statements
from surveys.answers import InvalidAnswers, checked_answers, checked_eligibility
from surveys.models import Collection, DayCount, Invitee, Meeting, Response
from surveys.questionnaires import definition_of

KEY_BYTES = 32
BATCH = 500
MERGE_TRIES = 20
LANGUAGES = ("nl", "en")
MAX_REMEMBERED = 20_000  # keys


class Closed(Exception):
    """The collection takes no new responses, or no writes at all."""


class TooManyJoins(Exception):
    """More responses than 3 × approached were started with the code: the facilitator must allow more."""


class Outcome(Enum):
    SAVED = "saved"
    SUBMITTED = "submitted"
    CONFLICT = "conflict"  # another tab saved in between: `Written` holds its answers, merge and send again
    UNKNOWN = "unknown"  # no such response: deleted, or its collection is sealed


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the database after a write was asked for."""

    outcome: Outcome
    sequence: int = 0
    answers: dict[str, Any] = field(default_factory=dict)
    eligibility: str = ""


_collection_of: dict[str, Any] = {}  # the uid of its collection, by the key of a response


def normal_code(text: str) -> str:
    """A code as people type it, without spaces and hyphens, in capitals."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def join(code: str) -> Meeting | None:
    """The meeting that this code opens now; None for a wrong code and for a closed one alike.

    One statement; the collection is the one that `remembered` knows.
    """
    code = normal_code(code)
    row = statements.first(statements.OPEN_MEETING, code) if code else None
    room = remembered.room(row[1]) if row else None
    return Meeting(pk=row[0], code=code, collection=room.collection) if row and room else None


def offer_key(meeting: Meeting) -> str:
    """A fresh random response key for the welcome page, signed, so that only keys made here become responses.

    The page sends it back at the start: whoever sends it twice (a double click, the back button) has one response.
    Offering writes nothing.
    """
    return _signer(meeting).sign(secrets.token_urlsafe(KEY_BYTES))


def start_in_meeting(meeting: Meeting, language: str = "", offered: str = "") -> str:
    """Start a response in a meeting, under the offered key or else a fresh random one. Returns the key.

    :raises Closed: if the collection is not open
    :raises TooManyJoins: beyond 3 × approached and what the facilitator allowed on top
    """
    try:
        key = _signer(meeting).unsign(offered)
    except BadSignature:
        key = secrets.token_urlsafe(KEY_BYTES)
    with transaction.atomic():
        # The lock lets joins of one team pass one by one, so that the limit holds, and none slip in while it is sealed.
        (state,) = statements.locked(statements.STATE, meeting.collection_id) or ("",)
        values = (key, _language(language), limits.joins_per_teacher(), meeting.pk)
        if statements.changed(statements.START_IN_MEETING, *values):
            return key
        if state != Collection.State.SEALED and Response.objects.filter(key=key).exists():
            return key
        if state != Collection.State.OPEN:
            raise Closed
        raise TooManyJoins


def start_by_link(invitee: Invitee, language: str = "") -> str:
    """Start the invitee's response, or find it: its key is a keyed hash, so the primary key says who was first.

    :raises Closed: if the collection is not open and nothing was started before; if it is sealed
    """
    try:
        key = links.response_key(invitee)
    except keys.KeyDestroyed as error:
        raise Closed from error
    with transaction.atomic():
        collection = Collection.objects.select_for_update(no_key=True).get(pk=invitee.collection_id)
        if Response.objects.filter(key=key).exists():
            return key
        if collection.state != Collection.State.OPEN:
            raise Closed
        Response.objects.create(key=key, collection=collection, language=_language(language), by_link=True)
    return key


def open_draft(key: str) -> Response | None:
    """The response with this key if it is not handed in and its collection is open. One statement, as in `join`."""
    row = statements.first(statements.OPEN_DRAFT, key) if key else None
    room = remembered.room(row[0]) if row else None
    if row is None or room is None:
        return None
    _uid, sequence, answers, eligibility = row
    return Response(
        key=key, collection=room.collection, sequence=sequence, answers=json.loads(answers), eligibility=eligibility
    )


def find(key: str) -> Response | None:
    """The response with this key, with its collection, survey, version and study. One query."""
    if not key:
        return None
    return (
        Response.objects.select_related(
            "collection__survey__version", "collection__survey__study", "collection__participation__team"
        )
        .defer("collection__survey__version__content")
        .filter(key=key)
        .exclude(collection__state=Collection.State.SEALED)
        .first()
    )


def save(key: str, sequence: int, answers: Mapping[str, Any], *, eligibility: str = "", language: str = "") -> Written:
    """Store the whole answers as number ``sequence``, if they build on what stands there (number ``sequence`` − 1).

    :raises InvalidAnswers: if the questionnaire does not allow them
    """
    return _write(key, sequence, answers, eligibility, language, submit=False)


def submit(
    key: str, sequence: int, answers: Mapping[str, Any], *, eligibility: str = "", language: str = ""
) -> Written:
    """Store the answers as `save` does and hand them in. Handed in once, whatever is sent again changes nothing.

    :raises InvalidAnswers: if the questionnaire does not allow them
    """
    return _write(key, sequence, answers, eligibility, language, submit=True)


def merge(
    key: str, part: Mapping[str, Any], *, eligibility: str = "", language: str = "", hand_in: bool = False
) -> Written:
    """Lay some answers over those that stand there: one step of the questionnaire, sent by a page without JavaScript.

    :raises InvalidAnswers: if the questionnaire does not allow them
    """
    written = Written(Outcome.UNKNOWN)
    for _n in range(MERGE_TRIES):
        response = Response.objects.filter(key=key).first()
        if response is None:
            return Written(Outcome.UNKNOWN)
        written = _write(
            key,
            response.sequence + 1,
            {**response.answers, **part},
            eligibility or response.eligibility,
            language,
            submit=hand_in,
        )
        if written.outcome != Outcome.CONFLICT:
            break
    return written


def delete(key: str) -> bool:
    """Delete a response, submitted or not, until sealing. Whether there was one."""
    with transaction.atomic():
        response = Response.objects.select_for_update().filter(key=key).first()
        if response is None or not _writable(key).delete()[0]:
            return False
        if response.state == Response.State.SUBMITTED:
            # A response holds no day, so the last day that has one gives way: the days keep adding up to the total.
            day = DayCount.objects.filter(collection=response.collection_id, n__gt=0).order_by("-day").first()
            if day is not None:
                DayCount.objects.filter(pk=day.pk, n__gt=0).update(n=F("n") - 1)
    return True


def submit_many(collection: Collection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write many responses in one transaction, for imports and the demo. Returns how many.

    :param rows: ``{"answers": {…}}`` and optionally ``"eligibility"``, ``"state"`` ("submitted" unless said) and ``"day"``
        (a date, today unless said) for the chart of response over time
    :raises InvalidAnswers: names the row, counted from 1; then nothing is written
    :raises Closed: if the collection is sealed or being sealed
    """
    return len(_write_many(collection, rows))


def submit_paper(collection: Collection, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Write what was typed from paper forms as `submit_many` does; nothing on a response says that it came from paper.

    Returns:
        The keys of the responses, in the order of ``rows``.
    """
    return _write_many(collection, rows)


def _write_many(collection: Collection, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    survey = collection.survey
    definition = definition_of(survey.version)
    responses: list[Response] = []
    days: dict[datetime.date, int] = {}
    today = timezone.localdate()
    for n, row in enumerate(rows, 1):
        try:
            response = Response(
                key=secrets.token_urlsafe(KEY_BYTES),
                collection=collection,
                state=Response.State(row.get("state", Response.State.SUBMITTED)),
                eligibility=checked_eligibility(definition, row.get("eligibility", "")),
                answers=checked_answers(definition, survey.background, row["answers"]),
            )
        except InvalidAnswers as error:
            raise InvalidAnswers(f"row {n}: {error}") from error
        responses.append(response)
        if response.state == Response.State.SUBMITTED:
            day = row.get("day") or today
            days[day] = days.get(day, 0) + 1
    with transaction.atomic():
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        if locked.sealing or locked.state == Collection.State.SEALED:
            raise Closed
        Response.objects.bulk_create(responses, batch_size=BATCH)
        for day, n in days.items():
            _count_day(collection.pk, day, n)
    return [response.key for response in responses]


def _write(
    key: str, sequence: int, answers: Mapping[str, Any], eligibility: str, language: str, *, submit: bool
) -> Written:
    """One conditional update decides; where it changed nothing, what stands there says why."""
    if isinstance(sequence, bool) or not isinstance(sequence, int) or not 1 <= sequence <= limits.MAX_SAVES:
        raise InvalidAnswers(f"sequence: {sequence!r}")
    room = _room_of(key)
    if room is None:
        return Written(Outcome.UNKNOWN)
    survey = room.collection.survey
    definition = definition_of(survey.version)
    good = checked_answers(definition, survey.background, answers)
    good_eligibility = checked_eligibility(definition, eligibility)
    state = Response.State.SUBMITTED if submit else Response.State.DRAFT
    values = (json.dumps(good), good_eligibility, sequence, state.value, _language(language), key)
    with transaction.atomic() if submit else nullcontext():  # a save is one statement: it needs no transaction
        changed = statements.changed(statements.WRITE, *values, sequence - 1)
        if not changed and submit:
            # the same answers may have come in as a save just before, whose acknowledgement got lost
            stored = Response.objects.filter(key=key).first()
            if stored is not None and stored.sequence == sequence and stored.answers == good:
                changed = statements.changed(statements.WRITE, *values, sequence)
        if changed and submit:
            _count_day(room.collection.pk, timezone.localdate(), 1)
    if changed:
        return Written(Outcome.SUBMITTED if submit else Outcome.SAVED, sequence, good, good_eligibility)
    return _standing(key, sequence, good)


def _standing(key: str, sequence: int, answers: dict[str, Any]) -> Written:
    """What stands in the database after a write that changed nothing."""
    stored = find(key)
    if stored is None or stored.collection.sealing:
        return Written(Outcome.UNKNOWN)
    if stored.state == Response.State.SUBMITTED:
        outcome = Outcome.SUBMITTED
    elif stored.sequence == sequence and stored.answers == answers:
        outcome = Outcome.SAVED  # a repeat
    else:
        outcome = Outcome.CONFLICT
    return Written(outcome, stored.sequence, stored.answers, stored.eligibility)


def _room_of(key: str) -> remembered.Room | None:
    """Where the response belongs: fixed when it was started, so remembered by its key."""
    uid = _collection_of.get(key)
    if uid is None:
        row = statements.first(statements.COLLECTION_OF, key)
        if row is None:
            return None
        uid = row[0]
        if len(_collection_of) >= MAX_REMEMBERED:
            _collection_of.clear()
        _collection_of[key] = uid
    return remembered.room(uid)


def _writable(key: str) -> QuerySet[Response]:
    """The response, as long as its collection is not being sealed. What a closed one still takes: who started before."""
    unsealed = Collection.objects.filter(pk=OuterRef("collection_id"), sealing=False).exclude(
        state=Collection.State.SEALED
    )
    return Response.objects.filter(Exists(unsealed), key=key)


def _count_day(collection_id: int, day: datetime.date, n: int) -> None:
    if statements.changed(statements.COUNT_DAY, n, collection_id, day.isoformat()):
        return
    try:
        with transaction.atomic():
            DayCount.objects.create(collection_id=collection_id, day=day, n=n)
    except IntegrityError:  # the constraint decided: another submit made the row of today
        statements.changed(statements.COUNT_DAY, n, collection_id, day.isoformat())


def _language(language: str) -> str:
    return language if language in LANGUAGES else ""


def _signer(meeting: Meeting) -> Signer:
    return Signer(salt=f"surveys.response_key.{meeting.pk}", sep=".")
