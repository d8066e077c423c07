"""A program whose clock is wrong: `python -m bench.apart SECONDS celery …`, for proofs (bench/troubles.py).

The clock that our code asks, and the one by which Celery makes and judges the expiry of a wake-up. Not the machine's: only the
sums of two machines matter.
"""

import sys
from datetime import datetime, timedelta, tzinfo


class _AnyDatetime(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class Ahead(datetime, metaclass=_AnyDatetime):
    """A datetime whose now is not now."""

    by = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.by


def main() -> None:
    ahead, *sys.argv = sys.argv[1:]
    Ahead.by = timedelta(seconds=float(ahead))
    from celery.app import base
    from celery.utils import time
    from celery.worker import request
    from django.utils import timezone

    for module in (base, request, time, timezone):
        assert module.datetime is datetime
        module.datetime = Ahead
    from celery.__main__ import main as celery

    celery()


if __name__ == "__main__":
    main()
