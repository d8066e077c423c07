"""A lease that is kept while something takes long: renewed from a second thread until the block ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection

logger = logging.getLogger(__name__)


class ClaimLost(Exception):
    """Another worker took the work over, or somebody ended it: whatever was made is thrown away."""


@contextmanager
def kept(renew: Callable[[], object]) -> Iterator[None]:
    """Call ``renew`` three times per lease. When it raises :class:`ClaimLost` it is not called again: whoever stores finds out."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.LEASE_SECONDS / 3):
                try:
                    renew()
                except ClaimLost:
                    return
                except OperationalError:
                    logger.warning("A lease could not be renewed just now.")
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
