"""What a process remembers of a collection for a few seconds: what it asks, of whom, and what its pages look like.

A room that answers asks for the same rows hundreds of times a minute. What decides is never remembered: whether a collection
is open, and what stands in a response, is read or checked by the statement that needs it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from surveys.answering import statements
from surveys.models import Collection

SECONDS = 10
MOST = 500  # collections
MOST_RESPONSES = 20_000


@dataclass(slots=True)
class Room:
    """A collection with survey, frozen version, study and team as they were a moment ago; ``pages`` made of them."""

    collection: Collection
    until: float
    pages: dict[Any, Any] = field(default_factory=dict)


_rooms: dict[str, Room] = {}
_collection_of: dict[str, Any] = {}  # the uid of its collection, by the key of a response's row


def room(uid: UUID | str) -> Room | None:
    """The room of a collection, by its ``uid`` as a statement gives it: PostgreSQL a UUID, SQLite its hexadecimal digits."""
    digits = uid if isinstance(uid, str) else uid.hex
    now = time.monotonic()
    known = _rooms.get(digits)
    if known is not None and known.until > now:
        return known
    collections = Collection.objects.select_related("survey__version", "survey__study", "participation__team")
    collection = collections.defer("survey__version__content").filter(uid=digits).first()
    if collection is None:
        return None
    if len(_rooms) >= MOST:
        _rooms.clear()
    known = _rooms[digits] = Room(collection, now + SECONDS)
    return known


def room_of(stored: str) -> Room | None:
    """Where the response with this key in the table belongs: fixed when it was started."""
    uid = _collection_of.get(stored)
    if uid is None:
        row = statements.first(statements.COLLECTION_OF, stored)
        if row is None:
            return None
        uid = row[0]
        if len(_collection_of) >= MOST_RESPONSES:
            _collection_of.clear()
        _collection_of[stored] = uid
    return room(uid)


def forget() -> None:
    """Forget all rooms (tests)."""
    _rooms.clear()
