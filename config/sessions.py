"""Sessions that end for good a while after signing in, and whose rows say nothing without the server's key.

Django's own move their end with every write, and their rows can be read by whoever reads the database: the address that
somebody typed, and the sign-in code that was mailed to it.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.utils import timezone

from teams.base import sealed

ENDS = "signed_in_until"


class SessionStore(db.SessionStore):
    """The rows of Django's; one that somebody signed in to lives no longer than from then, whatever is written to it."""

    def signed_in(self) -> None:
        """From now on the end stands. Called at every sign-in; to confirm a password is none."""
        self[ENDS] = (timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)).isoformat()

    def get_expiry_date(self, **given: Any) -> datetime:
        usual = super().get_expiry_date(**given)
        ends = self.get(ENDS)
        return min(usual, datetime.fromisoformat(ends)) if ends else usual


class Sealed:
    """What a session holds, encrypted under a key that SECRET_KEY gives and the database does not have."""

    def dumps(self, content: dict[str, Any]) -> bytes:
        return sealed.seal(content, b"sessions")

    def loads(self, data: bytes) -> Any:
        return sealed.open_(data, b"sessions")
