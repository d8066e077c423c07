"""A page that is made and compressed once, with slots for what differs per visitor.

Compressed: each fixed part is a deflate stream that ends on a whole byte and refers to nothing outside itself, what fills a
slot stands between them as it is (a "stored" block, RFC 1951 3.2.4), and only the checksum is computed anew. So compressing
costs nothing per visitor, and as a response key is never compressed together with anything, the length of the page tells
nothing about it (BREACH).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # RFC 1952: deflate, no flags, no time, any system
_LAST_BLOCK = b"\x03\x00"
_LONGEST_STORED = 0xFFFF


class Slotted:
    """``html`` with slots: text that stands for what comes later."""

    def __init__(self, html: str, *slots: str) -> None:
        parts = re.split(f"({'|'.join(map(re.escape, slots))})", html)
        self._fixed = [part.encode() for part in parts[::2]]
        self._slots = parts[1::2]
        self._compressed = [_compressed(part) for part in self._fixed]

    def plain(self, values: Mapping[str, bytes]) -> bytes:
        """The page with the slots filled."""
        parts = [self._fixed[0]]
        for slot, fixed in zip(self._slots, self._fixed[1:], strict=True):
            parts += (values[slot], fixed)
        return b"".join(parts)

    def gzipped(self, values: Mapping[str, bytes]) -> bytes:
        """The same page as a gzip file."""
        parts, size, checksum = [_GZIP_HEADER, self._compressed[0]], len(self._fixed[0]), zlib.crc32(self._fixed[0])
        for slot, fixed, compressed in zip(self._slots, self._fixed[1:], self._compressed[1:], strict=True):
            value = values[slot]
            parts += (*_stored(value), compressed)
            size += len(value) + len(fixed)
            checksum = zlib.crc32(fixed, zlib.crc32(value, checksum))
        return b"".join((*parts, _LAST_BLOCK, struct.pack("<II", checksum, size & 0xFFFFFFFF)))


def _compressed(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)


def _stored(data: bytes) -> list[bytes]:
    pieces = [data[n : n + _LONGEST_STORED] for n in range(0, len(data), _LONGEST_STORED)]
    return [struct.pack("<BHH", 0, len(piece), len(piece) ^ 0xFFFF) + piece for piece in pieces]
