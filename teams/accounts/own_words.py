"""Passwords that are little more than words which whoever guesses tries first: of this program, its address, one's own work.

docs/limits.md lists them (OWASP ASVS 5.0, 6.1.2).
"""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from teams.models import Institution, ResearchGroup, User

ENOUGH = 8  # signs that must be left beside such words
SHORTEST = 3
WORDS = (
    *("teamspiegel", "spiegel", "mirror", "team", "password", "wachtwoord", "welcome", "welkom", "secret", "geheim"),
    *("researcher", "research", "onderzoeker", "onderzoek", "administrator", "admin", "beheerder", "beheer"),
    *(
        "teacher",
        "docent",
        "leraar",
        "student",
        "school",
        "hogeschool",
        "academie",
        "academy",
        "questionnaire",
        "vragenlijst",
    ),
)


class OwnWordsValidator:
    """Takes a password only if enough of it is something else than these words."""

    def validate(self, password: str, user: User | None = None) -> None:
        rest = password.casefold()
        for word in sorted(_words_of(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < ENOUGH:
            raise ValidationError(self.get_help_text(), code="password_of_own_words")

    def get_help_text(self) -> str:
        return _(
            "This password consists mainly of words that others try first: of this site, of your organisation or of "
            "your work. Choose other words."
        )


def _words_of(user: User | None) -> set[str]:
    names = [*WORDS, urlsplit(settings.BASE_URL).hostname or ""]
    if user is not None and user.pk:
        groups = ResearchGroup.objects.filter(memberships__user=user)
        names += [user.name, *groups.values_list("name", flat=True)]
        names += Institution.objects.filter(group__in=groups).values_list("name", flat=True)
    words = {word for name in names for word in re.split(r"[\W_]+", name.casefold())}
    return {word for word in words if len(word) >= SHORTEST}
