"""Office files without the moment at which they were made: equal reports give equal bytes, and no file says when or where."""

from __future__ import annotations

import io
import re
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MAKER = "Teamspiegel"
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can hold
_TIMES = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>|<(cp:)?revision>[^<]*</(cp:)?revision>")

_PROGRAM = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    b"<Application>" + MAKER.encode() + b"</Application></Properties>"
)


def still(content: bytes) -> bytes:
    """The same file without times: of its parts, of its properties, and of the workbooks inside its charts."""
    made = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as old, ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = _TIMES.sub(b"", part)
            elif name == "docProps/app.xml":  # which program, and which version of it
                part = _PROGRAM
            elif name.endswith(".xlsx"):
                part = still(part)
            entry = ZipInfo(name, FIRST_DAY)
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 0  # the same on every machine
            new.writestr(entry, part)
    return made.getvalue()
