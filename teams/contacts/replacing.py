"""Questions of a dry run: a file never replaces a known leader or director unless somebody says so, row by row.

A list may be old, or somebody else's, and whoever is replaced loses pages and links. So a row with another address asks; what
is not answered with yes keeps who is known. An answer names who is replaced: where that is another by now, it is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from teams.text.directions import isolated


@dataclass(frozen=True, slots=True)
class Ask:
    """Whether a row's address may take the place of a known one."""

    part: str  # "leader" or "director"
    number: int  # of the row
    old_name: str
    old_email: str
    new_name: str
    new_email: str

    @property
    def field(self) -> str:
        return f"{self.part}-{self.number}"

    @property
    def text(self) -> str:
        values = {
            "old": f"{isolated(self.old_name)} <{self.old_email}>",
            "new": f"{isolated(self.new_name)} <{self.new_email}>",
        }
        if self.part == "director":
            return _("The director known here is %(old)s. The file has %(new)s.") % values
        return _("The team leader known here is %(old)s. The file has %(new)s.") % values

    def granted(self, answers: Mapping[str, str]) -> bool:
        return answers.get(self.field) == self.old_email


def kept(asks: Sequence[Ask], part: str, answers: Mapping[str, str]) -> dict[str, str]:
    """The fields in which a row gives way to who is known; nothing where it may replace them."""
    for ask in asks:
        if ask.part == part and not ask.granted(answers):
            return {f"{part}_name": ask.old_name, f"{part}_email": ask.old_email}
    return {}
