"""The key under which a response stands in the database, which nobody learns from the key that a device holds, or back.

A device gets the key of its response, and so does whoever holds a personal link. The row stands under a keyed hash of it, with
a secret made of SECRET_KEY: so what somebody noted from a link or a device finds no row in a dump, and what stands in a dump
opens nothing on the running server. Every key that comes from outside passes through here before it meets the table.
"""

from __future__ import annotations

import base64

from django.utils.crypto import salted_hmac


def row_key(device_key: str, secret: str | None = None) -> str:
    """The primary key of the response whose device holds this key: 43 characters, HMAC-SHA256 in base64.

    Of another SECRET_KEY (``secret``, where it is not this process's own) it is another one: devices and links then find no
    response that was begun before.
    """
    given = device_key.encode(errors="surrogatepass")
    digest = salted_hmac("surveys.row_key", given, secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
