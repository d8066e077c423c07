"""Messages between two pages, in a cookie whose name says that it is this host's alone."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class Cookie(CookieStorage):
    cookie_name = f"{settings.COOKIE_PREFIX}messages"


class Storage(FallbackStorage):
    """A cookie, and what does not fit in it in the session, as Django has it."""

    storage_classes = (Cookie, SessionStorage)
