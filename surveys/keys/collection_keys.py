"""The random key of each collection: a file outside the database, its backups, replicas and environment.

Tokens and response keys of personal links are keyed hashes under it (linking/personal_links.py), so a database dump alone links nothing,
and once the file is destroyed nobody can link any more.
"""

import contextlib
import errno
import os
import secrets
from pathlib import Path

from django.conf import settings

from surveys.models import Collection

KEY_BYTES = 32


class KeyDestroyed(Exception):
    """The collection has no key any more: it is sealed, its sealing has begun, or the key was lost (collecting/new_keys.py)."""


class KeyUnreadable(KeyDestroyed):
    """There is a key, but the disk does not give it: to whoever asks just now that is no key, and it may come back."""


def make(collection: Collection) -> None:
    """Make the key file. One that is there stays: of two processes that open a collection both use the same key."""
    folder = Path(settings.COLLECTION_KEYS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"{collection.uid.hex}.{secrets.token_hex(8)}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            if os.write(descriptor, secrets.token_bytes(KEY_BYTES)) != KEY_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # a link appears whole or not at all, and not over one that is there
        with contextlib.suppress(FileExistsError):
            os.link(part, _path(collection))
    finally:
        part.unlink()
    _sync(folder)


def read(collection: Collection) -> bytes:
    """The key, read from its file each time, so that no process remembers it after it was destroyed.

    :raises KeyDestroyed: if there is none, or less than one: after a full disk a file may be empty
    :raises KeyUnreadable: which is one of these
    """
    try:
        key = _path(collection).read_bytes()
    except FileNotFoundError as error:
        raise KeyDestroyed from error
    except OSError as error:
        raise KeyUnreadable from error
    if len(key) != KEY_BYTES:
        raise KeyDestroyed
    return key


def destroy(collection: Collection) -> None:
    """Overwrite and remove the key file. Again, or without a file, it does nothing."""
    path = _path(collection)
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    _sync(path.parent)


def _path(collection: Collection) -> Path:
    return Path(settings.COLLECTION_KEYS_DIR) / f"{collection.uid.hex}.key"


def _sync(folder: Path) -> None:
    """Make a change of the folder itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
