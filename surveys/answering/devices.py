"""What a respondent's device may keep without a network, and for how long. Its other half is static/js/answer/.

A shared device keeps no answers that it could read itself: what is handed in there without a network is locked with the
public key of the collection. The private one is derived from the collection's key file (keys/collection_keys.py), so that after sealing
nobody can open a parcel any more. A parcel is: the point of a key made for it alone (P-256, 65 bytes), 12 bytes for
AES-GCM, and the locked JSON of one submit; its AES key comes from both keys by ECDH and HKDF-SHA256 with the point as salt.
"""

from __future__ import annotations

import base64
import datetime
import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils import timezone

from surveys.keys import collection_keys
from surveys.models import Collection

POINT_BYTES = 65
NONCE_BYTES = 12
_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (FIPS 186-5)


class BadParcel(ValueError):
    """No parcel of this collection: damaged, or locked for another one."""


def kept_until(collection: Collection) -> datetime.datetime:
    """When a device forgets what it could not send: at the end of grace, or while the collection is open when its study
    has ended and a grace period after it has passed."""
    if collection.closes_for_good_at is not None:
        return collection.closes_for_good_at
    study = collection.survey.study
    last_day = max(study.ends_on, timezone.localdate())
    end = datetime.datetime.combine(
        last_day + datetime.timedelta(days=1), datetime.time(), timezone.get_current_timezone()
    )
    return end + datetime.timedelta(hours=study.grace_hours)


def lock_of(collection: Collection) -> str:
    """The public key with which devices lock parcels. :raises keys.KeyDestroyed: once the collection is being sealed"""
    point = _private_key(collection).public_key()
    raw = point.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return base64.b64encode(raw).decode()


def open_parcel(collection: Collection, parcel: str) -> dict[str, Any]:
    """The submit that somebody locked on a shared device.

    :raises BadParcel: if it is none of this collection
    :raises keys.KeyDestroyed: once the collection is being sealed
    """
    private = _private_key(collection)
    try:
        raw = base64.b64decode(parcel, validate=True)
        point, nonce, locked = raw[:POINT_BYTES], raw[POINT_BYTES:][:NONCE_BYTES], raw[POINT_BYTES + NONCE_BYTES :]
        secret = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point))
        info = f"parcel {collection.uid.hex}".encode()
        key = HKDF(algorithm=hashes.SHA256(), length=32, salt=point, info=info).derive(secret)
        body = json.loads(AESGCM(key).decrypt(nonce, locked, None))
    except (ValueError, InvalidTag) as error:
        raise BadParcel(str(error)) from error
    if not isinstance(body, dict):
        raise BadParcel("no object")
    return body


def _private_key(collection: Collection) -> ec.EllipticCurvePrivateKey:
    """64 bytes modulo the order less one, plus one: as good as uniform (FIPS 186-5, A.2.1)."""
    digest = hmac.digest(collection_keys.read(collection), b"device", "sha512")
    return ec.derive_private_key(int.from_bytes(digest, "big") % (_ORDER - 1) + 1, _CURVE)
