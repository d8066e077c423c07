"""Keyed hashes of addresses that are kept: who has the database alone cannot try addresses against them.

A hash cannot be made anew when SECRET_KEY changes, since nobody has its address any more. So what is looked up is looked up
under the key of today and under those before it, which the installation keeps in SECRET_KEY_FALLBACKS.
"""

from django.conf import settings
from django.utils.crypto import salted_hmac


def digests(salt: str, value: str) -> list[str]:
    """What may stand for a value: under the key of today, with which new ones are written, and then under those before."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(salt, value, key, algorithm="sha256").hexdigest() for key in keys]
