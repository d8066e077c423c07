"""ZIP files made in memory, the same bytes for the same contents."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

#: The first moment the format knows: no file tells when it was made.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """One archive with these files, in their order."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(zipfile.ZipInfo(name, NO_TIME), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()
