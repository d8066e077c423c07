"""The languages of the site: config/settings.py names them, and nothing else does."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_info, override

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


def language_codes() -> list[str]:
    """The languages of the site, in the order of the settings."""
    return [code for code, _name in settings.LANGUAGES]


def tag_of(code: str) -> str:
    """A language with its region, where the settings name one: what files of office programs ask for."""
    return settings.LANGUAGE_TAGS.get(code, code)


def language_names() -> dict[str, str]:
    """What the languages of the site are called in the language of the page."""
    return {code: str(name) for code, name in settings.LANGUAGES}


def current_language() -> str:
    """The language of the page or the work in hand."""
    return get_language() or settings.LANGUAGE_CODE


def language_of(offered: Sequence[str]) -> str:
    """The current language where it is offered, else the first one that is."""
    return current_language() if current_language() in offered or not offered else offered[0]


def english_name(code: str) -> str:
    """What the standards call a language: "Dutch", "English"."""
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code


def by_name() -> dict[str, str]:
    """The codes of the site's languages by every name that people write for them, in small letters."""
    codes = {code: code for code in language_codes()}
    for code in language_codes():
        codes |= {english_name(code).lower(): code, own_name(code).lower(): code}
    for reader in language_codes():
        with override(reader):
            codes |= {name.lower(): code for code, name in language_names().items()}
    return codes


def in_every_language(text: Promise) -> dict[str, str]:
    """A text of the program in every language of the site."""
    said = {}
    for code in language_codes():
        with override(code):
            said[code] = str(text)
    return said
