"""How many of a team have handed in, as its leader may know it: in steps of at least k, as it stood at midnight.

A leader who saw every answer come in would know whose it is by looking who has just been at work. So the number moves only
where k or more came in since it last moved, at midnight, and never falls when somebody deletes answers. It is made of the
counts per day, of which today's is left out: it does not matter when in the day a worker comes to it.

A number that never falls would tell a dump, where it stands above what is there now, that somebody deleted. So what is
remembered stands there unreadable, under a secret made of SECRET_KEY, from the first midnight on and at one length; a key of before opens
it too, and without that it is forgotten, and counting begins anew.
"""

from __future__ import annotations

import base64
import secrets
import struct
from contextlib import suppress
from datetime import date

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import salted_hmac

from surveys.models import Collection

STEPS_TASK = "surveys.move_returned"
NONCE_BYTES = 12
NUMBERS = struct.Struct(">II")


def shown(collection: Collection) -> int:
    """So many or more have handed in; 0 while the leader sees no number."""
    return opened(collection.returned)[0]


def move_steps(today: date | None = None) -> int:
    """Move the number of every collection in which enough came in before ``today``. Returns how many moved; one query, and
    one for each of these and of those that have no number yet, be it 0."""
    before = Q(day_counts__day__lt=today or timezone.localdate())
    counted = Collection.objects.annotate(
        n=Coalesce(Sum("day_counts__n", filter=before), 0), k=F("survey__study__k")
    ).exclude(Q(state=Collection.State.SEALED) & ~Q(returned=""))
    moved = 0
    for pk, was, n, k in counted.values_list("pk", "returned", "n", "k"):
        step, when_moved = opened(was)
        moves = n >= when_moved + k
        if moves:
            step, when_moved = n - n % k, n
        if moves or not was:
            # of two workers one moves it
            written = Collection.objects.filter(pk=pk, returned=was).update(returned=closed(step, when_moved))
            moved += moves * written
    return moved


def closed(step: int, when_moved: int) -> str:
    """What the leader sees, and how many had handed in when that moved last, for the table."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.b64encode(
        nonce + _lock(settings.SECRET_KEY).encrypt(nonce, NUMBERS.pack(step, when_moved), None)
    ).decode()


def opened(stored: str) -> tuple[int, int]:
    """The two numbers again; zeros where nothing stands, or nothing that this server wrote."""
    try:
        raw = base64.b64decode(stored, validate=True)
    except ValueError:
        return 0, 0
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        with suppress(ValueError, InvalidTag, struct.error):
            step, when_moved = NUMBERS.unpack(_lock(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None))
            return step, when_moved
    return 0, 0


def _lock(key: str) -> AESGCM:
    return AESGCM(salted_hmac("surveys.returned", "", key, algorithm="sha256").digest())
