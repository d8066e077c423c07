"""What the logs may hold: of addresses that are a permission themselves only how they begin.

Links to answers, meetings, invitations and reports carry their secret, as do mailed links to choose a password. Django names
the address of a request that failed, so everything after the first part is cut: from every line of every logger of this
program, Celery's and the web server's, tracebacks included. nginx is told the same in deploy/nginx.conf.
"""

import logging
import re

SECRET = ("a", "f", "i", "r", "calendar", "accounts/password")
_SLASH = r"(?:/|%2[Ff])"
# an address on its own or after a host's name; not a folder within the path of a file
_ADDRESS = re.compile(
    rf"(?<![\w.%-])((?:https?:{_SLASH}{_SLASH}[^/\s\"'<>]+)?{_SLASH}"
    rf"(?:{'|'.join(SECRET).replace('/', _SLASH)}){_SLASH})[^\s\"'<>()\[\]]+"
)


class Cut(logging.Formatter):
    """Formats a line, and then cuts what must not stand in it."""

    def format(self, record: logging.LogRecord) -> str:
        return cut(super().format(record))


def cut(text: str) -> str:
    """The text with every secret address cut after its first part: ``/i/…``."""
    return _ADDRESS.sub(r"\1…", text)
