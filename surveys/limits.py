"""How many wrong codes one may try: a simple limit against guessing, kept in the memory of each process.

Only wrong codes count, so a room behind one address is not locked out by joining. A device (a random cookie) may be wrong
10 times in 10 minutes; all devices behind one address together 300 times, which a whole room of mistakes does not reach.
With 24⁶ = 191 million codes, a guesser behind one address finds one of 40 open codes in about a hundred days without a
pause, and a code lets him add an answer, never read one. What is counted lives in memory for ten minutes, never in the
database or a log.
"""

from __future__ import annotations

import time
from collections import deque
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

WINDOW_SECONDS = 600
PER_DEVICE = 10
PER_ADDRESS = 300
_MAX_TRACKED = 10_000

_wrong: dict[str, deque[float]] = {}
_lock = Lock()


def may_try(request: HttpRequest, device: str) -> bool:
    """Whether this device and address may try another code."""
    now = time.monotonic()
    with _lock:
        return all(_recent(name, now) < limit for name, limit in _counted(request, device))


def count_wrong(request: HttpRequest, device: str) -> None:
    """Remember a wrong code."""
    now = time.monotonic()
    with _lock:
        if len(_wrong) > _MAX_TRACKED:
            for name in list(_wrong):
                _recent(name, now)
        for name, _limit in _counted(request, device):
            _wrong.setdefault(name, deque(maxlen=PER_ADDRESS)).append(now)


def forget() -> None:
    """Forget all counts (tests)."""
    with _lock:
        _wrong.clear()


def _counted(request: HttpRequest, device: str) -> list[tuple[str, int]]:
    names = [(f"address {_address(request)}", PER_ADDRESS)]
    return [*names, (f"device {device}", PER_DEVICE)] if device else names


def _recent(name: str, now: float) -> int:
    times = _wrong.get(name)
    if times is None:
        return 0
    while times and times[0] < now - WINDOW_SECONDS:
        times.popleft()
    if not times:
        del _wrong[name]
        return 0
    return len(times)


def _address(request: HttpRequest) -> str:
    """The visitor's address; behind our own proxy the last one that it wrote down."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
