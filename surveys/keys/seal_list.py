"""The list beside the database of what must never come back with an older backup.

One word a line: the uid of a sealed collection, ``withdrawn-`` and the uid of one whose team withdrew, ``deleted-`` and a hash
of what tells a study from all others, or ``removed-`` and a keyed hash of the address of a person who was removed. It names
no person.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from surveys.models import Collection
from teams.base.keyed import digests
from teams.models import Study

WITHDRAWN = "withdrawn-"
DELETED = "deleted-"
REMOVED = "removed-"


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


def add_deleted(study: Study) -> None:
    """This study was deleted."""
    add(_word_of(study))


def deleted() -> list[Study]:
    """The studies in this database that were deleted, as the list says."""
    listed = words()
    return [study for study in Study.objects.order_by("pk") if _word_of(study) in listed]


def add_removed(address: str, study: Study | None) -> None:
    """The person with this address was removed from a study; None: from everywhere."""
    add(_words_of_address(address, study)[0])


def is_removed(address: str, study: Study | None) -> bool:
    """Whether the list says so."""
    return not words().isdisjoint(_words_of_address(address, study))


def without_removed(addresses: Sequence[str], study: Study) -> list[str]:
    """Those of the addresses that were not removed from this study; the list is read once."""
    known = words()
    return [address for address in addresses if known.isdisjoint(_words_of_address(address, study))]


def _word_of(study: Study) -> str:
    # a number or a short name can come again after a deletion, the moment of making does not
    return DELETED + hashlib.sha256(f"{study.pk} {study.created_at.isoformat()}".encode()).hexdigest()[:32]


def _words_of_address(address: str, study: Study | None) -> list[str]:
    of = _word_of(study) if study is not None else ""
    return [REMOVED + digest[:32] for digest in digests("surveys.seal_list", f"{address.lower()} {of}")]
