"""Run as a program of its own by `teams.files.workbooks`: reads a workbook from standard input, writes its cells as JSON.

It knows nothing of Django. Whatever a file makes the reader do, it does it here, within limits that the kernel keeps:
a reader that would need all memory, or for ever, ends by itself and takes nobody along.
"""

import io
import json
import resource
import sys
from datetime import date
from typing import Any

TOO_LARGE, UNREADABLE = 3, 4  # exit codes


def main() -> int:
    megabytes, seconds, most_cells, most_letters, only_first = (int(word) for word in sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    try:
        sheets = _sheets(sys.stdin.buffer.read(), most_cells, most_letters, bool(only_first))
        if sheets is None:
            return TOO_LARGE
        json.dump(sheets, sys.stdout, ensure_ascii=True)
        sys.stdout.flush()
    except MemoryError:
        return TOO_LARGE
    return 0


def _sheets(content: bytes, most_cells: int, most_letters: int, only_first: bool) -> dict[str, list[list[str]]] | None:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names[:1] if only_first else book.sheet_names
        sheets: dict[str, list[list[str]]] = {}
        for name in names:
            sheet = book.get_sheet_by_name(name)
            end = sheet.end
            if end is not None and (end[0] + 1) * (end[1] + 1) > most_cells:
                return None
            rows = [[_as_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
            while rows and not any(rows[-1]):
                rows.pop()
            most_cells -= sum(map(len, rows))
            most_letters -= sum(len(cell) for row in rows for cell in row)
            if most_letters < 0:  # whoever asked would hold them all at once
                return None
            sheets[name] = rows
    except (python_calamine.CalamineError, IndexError, OSError, ValueError):
        sys.exit(UNREADABLE)
    return sheets


def _as_text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # spreadsheets keep every number as a float
    return cell.isoformat() if isinstance(cell, date) else str(cell)  # a datetime is a date


if __name__ == "__main__":
    sys.exit(main())
