"""The only writer of responses: join, start, save, submit, delete; and many at once for imports and the demo.

What decides is always one conditional update (or the primary key), and how many rows it changed; what was read before is
only advice. Concurrent writers are told apart by the sequence number: a save carries the whole answers and the number
after the one it builds on, so an older one never overwrites, a repeat changes nothing, and a second tab learns what the
first one saved and merges. The conditions on the response stand on its own row, never behind a join: PostgreSQL
looks at them again after waiting for another writer, and a subquery over the same row would still see the old one.

Keys given to these functions are those that devices hold; the table has their keyed hashes (keys/row_keys.py).
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from surveys.answering import cache, limits, offers, statements
from surveys.answering.answers import InvalidAnswers, checked_answers, checked_eligibility
from surveys.keys import collection_keys
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import Collection, DayCount, Invitee, Meeting, Response
from surveys.questionnaires.publishing import definition_of
from teams.models import Participation
from teams.models.languages import language_codes

KEY_BYTES = 32
BATCH = 500
MERGE_TRIES = 20


class Closed(Exception):
    """The collection takes no new responses, or no writes at all."""


@dataclass
class ByLinkNow(Exception):
    """The code is of a team that was to meet when it was told, and answers by personal link now."""

    collection: Collection


class TooManyJoins(Exception):
    """As many responses were started with the code as the room has places for: the facilitator must allow more."""


class HandedIn(Exception):
    """The response was handed in: nothing of it is given back any more."""


class Outcome(Enum):
    SAVED = "saved"
    SUBMITTED = "submitted"
    CONFLICT = "conflict"  # another tab saved in between: `Written` holds its answers, merge and send again
    UNKNOWN = "unknown"  # no such response: deleted, or its collection is sealed


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the database after a write was asked for; of what was handed in nothing but that it was."""

    outcome: Outcome
    sequence: int = 0
    answers: dict[str, Any] = field(default_factory=dict)
    eligibility: str = ""


def normal_code(text: str) -> str:
    """A code as people type it, without spaces and hyphens, in capitals."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def join(code: str) -> Meeting | None:
    """The meeting that this code opens now; None for a wrong code and for a closed one alike.

    One statement; the collection is the one that `remembered` knows.

    :raises ByLinkNow: if the team answers by personal link by now
    """
    code = normal_code(code)
    row = statements.first(statements.OPEN_MEETING, code) if code else None
    room = cache.room(row[1]) if row else None
    if row is None or room is None:
        return None
    if row[2]:
        raise ByLinkNow(room.collection)
    return Meeting(pk=row[0], code=code, collection=room.collection)


def room_name(collection: Collection, allowed: int) -> str:
    """Under which its places are counted: each time the facilitator allows more it is another room, with places of its own."""
    return f"{collection.uid} {allowed}"


def begun_with(meeting: Meeting, offered: str, holder: str) -> str | None:
    """The key of the response that this device began with this page before (offers.py); None if there is none."""
    key = offers.key_of(meeting, offered, holder)
    begun = key and Response.objects.filter(key=row_key(key), collection=meeting.collection_id).exists()
    return key if begun else None


def start_in_meeting(meeting: Meeting, language: str = "", offered: str = "", holder: str = "") -> str:
    """Start a response in a meeting, under the key that was offered (offers.py) or else a fresh random one. Returns the key.

    :raises Closed: if the collection is not open, its team stopped, or answers by personal link by now
    :raises TooManyJoins: if the room has no place left (limits.py), until the facilitator allows more
    """
    key = offers.key_of(meeting, offered, holder) or secrets.token_urlsafe(KEY_BYTES)
    with transaction.atomic():
        # The lock lets joins of one team pass one by one, so that none slip in while it is sealed.
        state, approached, allowed = statements.locked(statements.STATE, meeting.collection_id) or ("", 0, 0)
        values = (row_key(key), _language(language), meeting.collection_id)
        if statements.changed(statements.START_IN_MEETING, *values):
            if not limits.take_place(room_name(meeting.collection, allowed), approached):
                raise TooManyJoins  # and what was begun is undone
            return key
        if state != Collection.State.SEALED and Response.objects.filter(key=row_key(key)).exists():
            return key
        raise Closed


def start_by_link(invitee: Invitee, language: str = "") -> str:
    """Start the invitee's response, or find what is not handed in: its key is a keyed hash, so the primary key says who
    was first.

    :raises Closed: if the collection is not open, or its team stopped, and nothing was started before; if it is sealed
    :raises HandedIn: if it was handed in; the link opens it no more, since whoever reads the mailbox holds the link too
    """
    try:
        key = personal_links.response_key(invitee)
    except collection_keys.KeyDestroyed as error:
        raise Closed from error
    with transaction.atomic():
        own = Collection.objects.select_for_update(no_key=True, of=("self",)).select_related("participation")
        collection = own.get(pk=invitee.collection_id)
        state = Response.objects.filter(key=row_key(key)).values_list("state", flat=True).first()
        if state == Response.State.SUBMITTED:
            raise HandedIn
        if state is not None:
            return key
        takes_part = collection.participation.state == Participation.State.ACCEPTED
        if collection.state != Collection.State.OPEN or not takes_part:
            raise Closed
        Response.objects.create(key=row_key(key), collection=collection, language=_language(language))
    return key


def open_draft(key: str) -> Response | None:
    """The response with this key if it is not handed in and its collection is open. One statement, as in `join`."""
    stored = row_key(key)
    row = statements.first(statements.OPEN_DRAFT, stored) if key else None
    room = cache.room(row[0]) if row else None
    if row is None or room is None:
        return None
    _uid, sequence, answers, eligibility = row
    draft = Response(
        key=stored, collection=room.collection, sequence=sequence, answers=json.loads(answers), eligibility=eligibility
    )
    draft.device_key = key
    return draft


def find(key: str) -> Response | None:
    """The response with this key, with its collection, survey, version and study; once handed in, without what it says.

    Every page and every answer to a script gets a response from here or from `open_draft`: so none can give back what was
    handed in. One query.
    """
    if not key:
        return None
    response = (
        Response.objects.select_related(
            "collection__survey__version", "collection__survey__study", "collection__participation__team"
        )
        .defer("collection__survey__version__content")
        .filter(key=row_key(key))
        .exclude(collection__state=Collection.State.SEALED)
        .first()
    )
    if response is None:
        return None
    response.device_key = key
    if response.state == Response.State.SUBMITTED:
        response.answers, response.eligibility, response.sequence, response.language = {}, "", 0, ""
    return response


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
        response = Response.objects.filter(key=row_key(key)).first()
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
    return _delete(row_key(key))


def take_back_paper(stored: str) -> bool:
    """Delete what `submit_paper` wrote, by the key of its row, until sealing. Whether there was one."""
    return _delete(stored)


def _delete(stored: str) -> bool:
    """No count may tell afterwards that there was more than there is."""
    with transaction.atomic():
        # the collection first, as sealing does, or two would wait for each other
        uid = Response.objects.filter(key=stored).values("collection")
        collection = Collection.objects.select_for_update(no_key=True).filter(pk__in=uid).first()
        response = Response.objects.select_for_update().filter(key=stored).first()
        if collection is None or response is None or not _writable(stored).delete()[0]:
            return False
        if response.state == Response.State.SUBMITTED:
            _take_from_days(collection)
        left = Response.objects.filter(collection=collection).count()
        most = left if left > 1 else 0  # collections.begun_on_one_device: one tells nothing
        Collection.objects.filter(pk=collection.pk, on_one_device__gt=most).update(on_one_device=most)
    return True


def _take_from_days(collection: Collection) -> None:
    """A response holds no day, so the last day that has one gives way: the days keep adding up to the total."""
    day = DayCount.objects.select_for_update().filter(collection=collection).order_by("-day").first()
    if day is not None and day.n > 1:
        DayCount.objects.filter(pk=day.pk).update(n=F("n") - 1)
    elif day is not None:
        day.delete()


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
        The keys of the rows, in the order of ``rows``: no device holds a key to them.
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
                key=secrets.token_urlsafe(KEY_BYTES),  # of the row: nobody has a key that leads to it
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
    row = row_key(key)
    room = cache.room_of(row)
    if room is None:
        return Written(Outcome.UNKNOWN)
    survey = room.collection.survey
    definition = definition_of(survey.version)
    good = checked_answers(definition, survey.background, answers)
    good_eligibility = checked_eligibility(definition, eligibility)
    state = Response.State.SUBMITTED if submit else Response.State.DRAFT
    values = (json.dumps(good), good_eligibility, sequence, state.value, _language(language), row)
    with transaction.atomic() if submit else nullcontext():  # a save is one statement: it needs no transaction
        changed = statements.changed(statements.WRITE, *values, sequence - 1)
        if not changed and submit:
            # the same answers may have come in as a save just before, whose acknowledgement got lost
            stored = Response.objects.filter(key=row).first()
            if stored is not None and stored.sequence == sequence and stored.answers == good:
                changed = statements.changed(statements.WRITE, *values, sequence)
        if changed and submit:
            _count_day(room.collection.pk, timezone.localdate(), 1)
    if changed and submit:
        return Written(Outcome.SUBMITTED)
    if changed:
        return Written(Outcome.SAVED, sequence, good, good_eligibility)
    return _standing(key, sequence, good)


def _standing(key: str, sequence: int, answers: dict[str, Any]) -> Written:
    """What stands in the database after a write that changed nothing."""
    stored = find(key)
    if stored is None or stored.collection.sealing:
        return Written(Outcome.UNKNOWN)
    if stored.state == Response.State.SUBMITTED:
        return Written(Outcome.SUBMITTED)
    repeated = stored.sequence == sequence and stored.answers == answers
    outcome = Outcome.SAVED if repeated else Outcome.CONFLICT
    return Written(outcome, stored.sequence, stored.answers, stored.eligibility)


def _writable(stored: str) -> QuerySet[Response]:
    """The response, as long as its collection is not being sealed. What a closed one still takes: who started before."""
    unsealed = Collection.objects.filter(pk=OuterRef("collection_id"), sealing=False).exclude(
        state=Collection.State.SEALED
    )
    return Response.objects.filter(Exists(unsealed), key=stored)


def _count_day(collection_id: int, day: datetime.date, n: int) -> None:
    while not statements.changed(statements.COUNT_DAY, n, collection_id, day.isoformat()):
        # the constraint decides: where another submit made the row of today, it is there at the next look, unless it was
        # taken away again meanwhile
        with suppress(IntegrityError), transaction.atomic():
            DayCount.objects.create(collection_id=collection_id, day=day, n=n)
            return


def _language(language: str) -> str:
    return language if language in language_codes() else ""
