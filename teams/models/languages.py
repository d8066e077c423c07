"""The languages of the site: config/settings.py names them, and nothing else does."""

from django.conf import settings
from django.utils.translation import get_language_info

LENGTH = 2  # of a language's code in the columns that hold one


def language_choices() -> list[tuple[str, str]]:
    """Each language of the site with its name in itself. A migration keeps this function, not what it returned that day."""
    return [(code, own_name(code)) for code, _name in settings.LANGUAGES]


def default_language() -> str:
    """The language of whoever has not chosen one."""
    return settings.LANGUAGE_CODE


def own_name(code: str) -> str:
    """What a language calls itself: "Nederlands", "English"."""
    try:
        name = str(get_language_info(code)["name_local"])
    except KeyError:
        return str(dict(settings.LANGUAGES).get(code, code))
    return name[:1].upper() + name[1:]
