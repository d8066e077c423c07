"""Under which address the pages of a response stand: ``/a/<handle>/…``, so that two tabs, teams or people never meet in one.

A handle is a keyed hash of the key that the device holds, with a secret made of SECRET_KEY. It is public: it stands in the
browser's history. It opens nothing, leads to no row (that stands under another hash: keys/row_keys.py), is stored nowhere, and after
sealing there is no key any more from which it could be made again. The page of a personal link has one in the same way, made
of the link's token.
"""

from __future__ import annotations

import base64

from django.utils.crypto import salted_hmac

BYTES = 12
PATTERN = "[A-Za-z0-9_-]{16}"


class Handle:
    """In addresses (`django.urls.register_converter`): nothing else that may stand there is as long."""

    regex = PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def handle_of(key: str) -> str:
    """The handle of the response whose device holds this key."""
    return _handle("surveys.handle", key)


def link_handle(token: str) -> str:
    """The handle of the page of a personal link."""
    return _handle("surveys.link_handle", token)


def _handle(salt: str, secret: str) -> str:
    digest = salted_hmac(salt, secret.encode(errors="surrogatepass"), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:BYTES]).decode()
