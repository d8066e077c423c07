"""Kombu's folder as a broker, safe for several workers at once.

Kombu creates a message under its name and writes it afterwards. A worker that looks in between takes an empty message, and Celery
ends the worker over it ("Unrecoverable error"). Here a message gets its name when it is whole, and one that cannot be read is
left out: it is only a wake-up, and beat sends it again (docs/adr/0003). The small files that say which queue listens to what are
written in place by Kombu too: who finds one half-written looks again.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
LOOKS = 20
BETWEEN = 0.05  # seconds


class Channel(filesystem.Channel):
    """A channel whose messages are whole or not there."""

    def _put(self, queue: str, payload: Any, **_given: Any) -> None:  # type: ignore[override]  # as Kombu itself does
        folder = Path(self.data_folder_out)
        name = f"{time.monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        unfinished = folder / f"{name}.part"  # no queue's message ends so
        unfinished.write_bytes(dumps(payload).encode())
        os.replace(unfinished, folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while True:
            try:
                return super()._get(queue)  # takes the message away before it reads it
            except ValueError:
                logger.warning("A wake-up in %s could not be read and was left out", queue)

    def get_table(self, exchange: str) -> Any:
        return _when_whole(lambda: super(Channel, self).get_table(exchange))

    def _queue_bind(self, *binding: Any) -> None:
        _when_whole(lambda: super(Channel, self)._queue_bind(*binding))


class Transport(filesystem.Transport):
    """Kombu's transport with the channel above."""

    Channel = Channel


def use() -> None:
    """Let ``filesystem://`` name this transport in this process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"


def _when_whole(act: Callable[[], Result]) -> Result:
    for _n in range(LOOKS):
        try:
            return act()
        except ValueError:
            time.sleep(BETWEEN)
    return act()
