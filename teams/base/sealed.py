"""Small things that the database holds for a while and whoever reads it must not: sealed under a key that SECRET_KEY gives."""

import base64
import hashlib
import json
import secrets
from contextlib import suppress
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12


class CannotOpen(ValueError):
    """What was sealed for another purpose, or under a key that is not known here, or was changed since."""


def seal(content: dict[str, Any], purpose: bytes) -> bytes:
    """The content, encrypted with the key of today. What was sealed for one purpose does not open for another."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    text = json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(nonce + _box(settings.SECRET_KEY, purpose).encrypt(nonce, text, None))


def open_(data: bytes, purpose: bytes) -> Any:
    """The content again; keys of before open what they shut. Raises :class:`CannotOpen`."""
    with suppress(ValueError):
        raw = base64.urlsafe_b64decode(data)
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            with suppress(InvalidTag):
                return json.loads(_box(key, purpose).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None))
    raise CannotOpen


def _box(key: str, purpose: bytes) -> AESGCM:
    return AESGCM(hashlib.blake2b(key.encode(), digest_size=32, person=purpose).digest())
