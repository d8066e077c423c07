"""The style of the respondent's pages stands in the page itself: one request less before anything is seen.

The content security policy allows this one style element, by its hash (config/answering.py).
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.utils.safestring import SafeString, mark_safe


def built(name: str) -> bytes:
    """A file that `npm run build` makes in static/build."""
    path = finders.find(f"build/{name}")
    if not isinstance(path, str):
        raise ImproperlyConfigured(f"static/build/{name} is missing: 'make setup' builds it.")
    return Path(path).read_bytes()


@cache
def answer_style() -> SafeString:
    """The style, to stand in a style element."""
    return mark_safe(built("answer.css").decode().strip())  # noqa: S308 built by us, from static/scss


@cache
def answer_style_source() -> str:
    """The source that the content security policy lists for it."""
    digest = hashlib.sha256(answer_style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
