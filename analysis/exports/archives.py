"""ZIP files, the same bytes for the same contents, written entry by entry as they are made."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from typing import IO

#: The first moment the format knows: no file tells when it was made.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def write_zip(out: IO[bytes], files: Mapping[str, str | Callable[[IO[bytes]], None]]) -> None:
    """One archive with these files, in their order: a text, or what writes the file."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                if isinstance(content, str):
                    file.write(content.encode())
                else:
                    content(file)
