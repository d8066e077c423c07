"""The list beside the database of what must never come back with an older backup: sealed and withdrawn collections.

One word a line: the uid of a sealed collection, or ``withdrawn-`` and the uid of one whose team withdrew. It names no person.
"""

import os
from pathlib import Path

from django.conf import settings

from surveys.models import Collection

WITHDRAWN = "withdrawn-"


def add(word: str) -> None:
    """Write a word down, once, so that it is on the disk when this returns."""
    if word in words():
        return
    path = Path(settings.SEAL_LIST)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{word}\n")
        file.flush()
        os.fsync(file.fileno())


def words() -> set[str]:
    """Everything on the list."""
    path = Path(settings.SEAL_LIST)
    return set(path.read_text().split()) if path.exists() else set()


def add_withdrawn(collection: Collection) -> None:
    """The team of this collection withdrew."""
    add(WITHDRAWN + collection.uid.hex)


def withdrawn() -> list[Collection]:
    """The collections in this database whose teams withdrew, as the list says."""
    listed = words()
    every = Collection.objects.select_related("participation__study", "participation__team").order_by("pk")
    return [collection for collection in every if WITHDRAWN + collection.uid.hex in listed]
