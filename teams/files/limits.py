"""How much a file with a table may cost, and what is said of one that is not read. One set of limits for all pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _


class UnreadableTable(ValueError):
    """A file that holds no table we can read; its text says why, for the person who chose it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may hold, and what reading it may cost.

    The last six hold for workbooks alone: letters in all cells, memory in MiB, processor seconds, and what their ZIP unpacks to.
    """

    file_bytes: int = 5_000_000
    rows: int = 5_000
    columns: int = 2_000
    header_letters: int = 1_000  # of one name of a column: some programs write the whole question there
    cells: int = 1_000_000  # the empty ones between them too
    letters: int = 20_000_000  # a workbook holds a text once that stands in a thousand cells
    megabytes: int = 1024
    seconds: int = 20
    packed: int = 400  # times that a part of the ZIP may grow
    unpacked: int = 300_000_000  # bytes, all parts together
    parts: int = 2_000

    def check_bytes(self, n: int) -> None:
        """Raises UnreadableTable for a file of more bytes than that."""
        if n > self.file_bytes:
            raise UnreadableTable(
                _("This file is larger than %(most)s MB.") % {"most": f"{self.file_bytes / 1_000_000:.0f}"}
            )

    def check_rows(self, n: int) -> None:
        """Raises UnreadableTable for a table of more rows than that, its header among them."""
        if n > self.rows:
            raise UnreadableTable(_("This file has more than %(max)s rows.") % {"max": self.rows})

    def check_header(self, header: list[str]) -> None:
        """Raises UnreadableTable for more columns than that, or a longer name of one."""
        if len(header) > self.columns:
            raise UnreadableTable(_("This file has more than %(max)s columns.") % {"max": self.columns})
        if any(len(name) > self.header_letters for name in header):
            raise UnreadableTable(
                _("The name of a column has more than %(max)s characters.") % {"max": self.header_letters}
            )


ON_A_PAGE = Limits()
#: A page that takes the answers of a whole study.
ANSWERS_ON_A_PAGE = Limits(file_bytes=20_000_000, rows=200_000)
BY_COMMAND = Limits(
    file_bytes=2_000_000_000,
    rows=1_000_000,
    cells=20_000_000,
    letters=400_000_000,
    megabytes=6144,
    seconds=600,
    unpacked=3_000_000_000,
)
