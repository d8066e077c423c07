"""The cache of sign-in limits and of one-time codes that were used: in memory, seen by all processes of the machine.

Django's cache of files, in the folder of surveys/answering/limits.py. It lies in memory (/dev/shm) and in no backup; a file is named by
a hash, and what stands in it are moments.
"""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks

from surveys.answering import limits


class SharedCache(FileBasedCache):
    """Files of which one process adds a key and no other: allauth's limits take their turns by that."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(str(limits.folder() / "cache"), params)

    def add(
        self, key: Any, value: Any, timeout: float | int | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Django looks whether the key is there and then writes it; under a lock nobody comes in between."""
        with (limits.folder() / "cache.lock").open("wb") as file:
            locks.lock(file, locks.LOCK_EX)
            added: bool = super().add(key, value, timeout, version)
            return added
