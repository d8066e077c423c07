"""The random key of each collection: a file outside the database, its backups, replicas and environment.

Tokens and response keys of personal links are keyed hashes under it (linking/personal_links.py), so a database dump alone links nothing,
and once the file is destroyed nobody can link any more.
"""

import errno
import os
import secrets
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from django.conf import settings

from surveys.models import Collection

KEY_BYTES = 32
AT_ONCE = 16  # keys that wait for the disk together


class KeyDestroyed(Exception):
    """The collection has no key any more: it is sealed, its sealing has begun, or the key was lost (collecting/new_keys.py)."""


class KeyUnreadable(KeyDestroyed):
    """There is a key, but the disk does not give it: to whoever asks just now that is no key, and it may come back."""


def make(collection: Collection) -> None:
    """Make the key file. One that is there stays: of two processes that open a collection both use the same key.

    :raises OSError: if it is not on the disk
    """
    for error in make_all([collection.uid]).values():
        raise error


def make_all(uids: Iterable[uuid.UUID]) -> dict[uuid.UUID, OSError]:
    """Make the key files of collections with these uids, as `make`. Which are not on the disk when this returns, and why.

    :raises OSError: if the folder itself cannot be written; nothing is said then of any of them
    """
    folder, failed = Path(settings.COLLECTION_KEYS_DIR), dict[uuid.UUID, OSError]()
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(folder.parent)  # a folder that is lost takes its keys along
    waiting = iter(uids)
    # the disk writes at once what waits for it at once: threads here cost one wait instead of one a key
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(waiting, AT_ONCE)):
            errors = pool.map(_write, (str(_path_of(uid)) for uid in some))
            failed.update({uid: error for uid, error in zip(some, errors, strict=True) if error is not None})
    _sync(folder)
    return failed


def _write(path: str) -> OSError | None:
    """Nobody reads a key before its collection, or its new links, are committed: until then it may be half-written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    except OSError as error:
        return error
    try:
        if os.write(descriptor, secrets.token_bytes(KEY_BYTES)) != KEY_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    except OSError as error:
        os.unlink(path)
        return error
    finally:
        os.close(descriptor)
    return None


def read(collection: Collection) -> bytes:
    """The key, read from its file each time, so that no process remembers it after it was destroyed.

    :raises KeyDestroyed: if there is none, or less than one: after a full disk a file may be empty
    :raises KeyUnreadable: which is one of these
    """
    try:
        key = _path_of(collection.uid).read_bytes()
    except FileNotFoundError as error:
        raise KeyDestroyed from error
    except OSError as error:
        raise KeyUnreadable from error
    if len(key) != KEY_BYTES:
        raise KeyDestroyed
    return key


def destroy(collection: Collection) -> None:
    """Overwrite and remove the key file. Again, or without a file, it does nothing."""
    destroy_of(collection.uid)


def destroy_of(uid: uuid.UUID) -> None:
    """As `destroy`, of the collection with this uid, which may never have been."""
    path = _path_of(uid)
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    _sync(path.parent)


def _path_of(uid: uuid.UUID) -> Path:
    return Path(settings.COLLECTION_KEYS_DIR) / f"{uid.hex}.key"


def _sync(folder: Path) -> None:
    """Make a change of the folder itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
