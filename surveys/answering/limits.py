"""Limits against guessing codes and filling rooms, counted where all processes see them; all limits: docs/limits.md.

Wrong codes are counted per device (a signed cookie that the server gave it) and over the whole installation, never per
address: a whole room stands behind one. Nobody who types the right code is locked out by the mistakes of others. What is
counted lives in memory (settings.LIMITS_DIR is /dev/shm, which no backup holds), without an address or anything about a person,
and is forgotten within ten minutes.

So are the places of a room, for as long as it collects: not in the database, where a number that never falls tells that
somebody deleted. They are drawn at random and told to nobody, and deleting gives none back; else whoever has the code fills
the room, and reads from when it is full how many others began or deleted.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.signing import BadSignature, Signer

BUCKET_SECONDS = 300  # a count is over this bucket and the one before: five to ten minutes
PER_DEVICE = 10  # wrong codes; then this device waits
WITHOUT_DEVICE = 300  # wrong codes of all; then a device that the server does not know yet must ask twice
FLOOD = 3000  # wrong codes of all; then only as many as were approached join without the facilitator's word
PLACES = (3, 6)  # per teacher approached: between so many people join before the facilitator must allow more
PLACES_IN_FLOOD = (1, 3)
LEAST_SPREAD = 30  # in a small team too
ROOM_BUCKETS = 40 * 24 * 3600 // BUCKET_SECONDS  # 40 days: then a room that still collects draws anew
MAX_SAVES = 10_000  # of one response: five hours of a save every two seconds
EVERYBODY = "all"
LOOK_SECONDS = 2
_seen = (0, 0.0)  # the count over everybody, and until when it may be taken for true

_signer = Signer(salt="surveys.device", sep=".")


def new_device() -> str:
    """What a device's cookie holds: a random name that nobody else can make."""
    return _signer.sign(secrets.token_urlsafe(12))


def known_device(cookie: str) -> str:
    """The name in a cookie, blank if the server did not make it."""
    try:
        return _signer.unsign(cookie)
    except BadSignature:
        return ""


def may_try(device: str) -> bool:
    """Whether this device may try another code."""
    return not device or _counted(device) < PER_DEVICE


def must_ask_twice(device: str) -> bool:
    """Whether a device without a name gets one first, since many wrong codes come in."""
    return not device and _counted_of_all() >= WITHOUT_DEVICE


def take_place(room: str, approached: int) -> bool:
    """Take a place in a room, for good. False where none is left, until the facilitator makes it another room."""
    with _memory() as memory:
        drawn = (room, _bucket(), _draw(PLACES, approached), _draw(PLACES_IN_FLOOD, approached))
        memory.execute("INSERT INTO room VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING", drawn)
        taken = memory.execute(
            "UPDATE room SET n = n - 1, in_flood = in_flood - 1 WHERE name = ? AND n > 0 AND (in_flood > 0 OR NOT ?)",
            (room, _counted_of_all() >= FLOOD),
        )
        return taken.rowcount > 0


def is_full(room: str) -> bool:
    """Whether no place is left."""
    with _memory() as memory:
        counted = memory.execute("SELECT n, in_flood FROM room WHERE name = ?", (room,)).fetchone()
    return counted is not None and (counted[0] <= 0 or (counted[1] <= 0 and _counted_of_all() >= FLOOD))


def count_wrong(device: str) -> None:
    """Remember a wrong code."""
    bucket = _bucket()
    with _memory() as memory:
        for name in filter(None, (device, EVERYBODY)):
            memory.execute(
                "INSERT INTO wrong VALUES (?, ?, 1) ON CONFLICT (name, bucket) DO UPDATE SET n = n + 1", (name, bucket)
            )


def forget_old() -> None:
    """Forget what no limit looks at any more: called by whoever comes by, and by a Celery task."""
    with _memory() as memory:
        memory.execute("DELETE FROM wrong WHERE bucket < ?", (_bucket() - 1,))
        memory.execute("DELETE FROM room WHERE bucket < ?", (_bucket() - ROOM_BUCKETS,))


def forget() -> None:
    """Forget all counts (tests)."""
    global _seen
    _seen = (0, 0.0)
    with _memory() as memory:
        memory.execute("DELETE FROM wrong")
        memory.execute("DELETE FROM room")


def _counted(name: str) -> int:
    with _memory() as memory:
        row = memory.execute(
            "SELECT coalesce(sum(n), 0) FROM wrong WHERE name = ? AND bucket >= ?", (name, _bucket() - 1)
        )
        return int(row.fetchone()[0])


def _counted_of_all() -> int:
    """Every visitor asks this, so each process looks once in two seconds."""
    global _seen
    now = time.monotonic()
    if now > _seen[1]:
        _seen = (_counted(EVERYBODY), now + LOOK_SECONDS)
    return _seen[0]


def _draw(times: tuple[int, int], approached: int) -> int:
    """Between so many and so many times the teachers, each number as likely as another."""
    least, most = (n * approached for n in times)
    return least + secrets.randbelow(max(most - least, LEAST_SPREAD) + 1)


def _bucket() -> int:
    return int(time.time() // BUCKET_SECONDS)


@contextmanager
def _memory() -> Iterator[sqlite3.Connection]:
    """The counts of this installation. A table of SQLite: it adds up one by one, whichever process asks."""
    memory = sqlite3.connect(folder() / "limits.sqlite3", timeout=5, isolation_level=None)
    try:
        memory.execute("PRAGMA synchronous = OFF")  # after a power cut it begins anew
        memory.execute(
            "CREATE TABLE IF NOT EXISTS wrong (name TEXT, bucket INTEGER, n INTEGER, PRIMARY KEY (name, bucket))"
        )
        memory.execute(
            "CREATE TABLE IF NOT EXISTS room (name TEXT PRIMARY KEY, bucket INTEGER, n INTEGER, in_flood INTEGER)"
        )
        yield memory
    finally:
        memory.close()


def folder() -> Path:
    """Of this installation and account, in memory. Readable by this account only; nobody else could have made it before us.

    The account is part of the name: what root runs by hand (`manage.py check`) does not take the service's folder.
    """
    installation = hashlib.sha256(f"{settings.VAR_DIR} {settings.SECRET_KEY}".encode()).hexdigest()[:16]
    own = Path(settings.LIMITS_DIR) / f"teamspiegel-{installation}-{os.geteuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.stat().st_uid != os.geteuid():
        raise PermissionError(f"{own} belongs to another account")
    return own
