"""Pages in which people's words stand apart from what is beside them, also where no sentence holds them.

``{{ team.name }} · {{ academy.name }}`` is laid out as it is written, whatever the names are: the loader of our pages isolates
every value that is printed as text (teams/text/directions.py), so that no page has to think of it. Left alone are values in
attributes and in fields, which come back with a form; markup, in which the words were isolated as it was made; and the
places of sentences, which templatetags/i18n.py isolates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.template import Library, Origin, defaultfilters
from django.template.base import Lexer, TokenType
from django.template.loaders import filesystem
from django.utils.safestring import SafeData

from teams.text.directions import isolated

register = Library()
#: What a page's reader does not read as text, or sends back.
_RAW = re.compile(r"(textarea|script|style)\b", re.IGNORECASE)
_NAME = re.compile(r"/?(?:[A-Za-z!]\w*|\Z)")
_SENTENCES = {"blocktranslate", "blocktrans"}


class Loader(filesystem.Loader):
    """Of the pages in templates/; those of other packages stay as they are."""

    def get_contents(self, origin: Origin) -> str:
        source = super().get_contents(origin)
        return with_words_apart(source) if str(origin.name).endswith(".html") else source


@register.filter
def apart(value: Any) -> Any:
    """A value as it stands beside others; markup as it is."""
    return value if isinstance(value, SafeData) else isolated(value)


@register.filter(is_safe=True, needs_autoescape=True)
def join(value: Iterable[Any], between: str, autoescape: bool = True) -> Any:
    """Django's, but each of them apart."""
    return defaultfilters.join([isolated(word) for word in value], between, autoescape)


def with_words_apart(source: str) -> str:
    """The source of a page with the filter at every value that is text; no line gets another number."""
    parts, place, in_sentence = [], _Place(), False
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.TEXT:
            place.read(token.contents)
            parts.append(token.contents)
        elif token.token_type == TokenType.VAR:
            filters = "" if in_sentence or not place.is_text else "|apart"
            parts.append(f"{{{{ {token.contents}{filters} }}}}")
        elif token.token_type == TokenType.BLOCK:
            tag = token.split_contents()[0]
            in_sentence = tag in _SENTENCES or (in_sentence and tag.removeprefix("end") not in _SENTENCES)
            parts.append(f"{{% {token.contents} %}}")
    return "".join(parts)


class _Place:
    """Where in a page a template has come: in text, or in a tag, or in an element that holds no text of the page."""

    def __init__(self) -> None:
        self.tag, self.quote, self.raw = "", "", ""

    @property
    def is_text(self) -> bool:
        return not self.tag and not self.raw

    def read(self, text: str) -> None:
        for at, sign in enumerate(text):
            if self.quote:
                self.quote = "" if sign == self.quote else self.quote
            elif self.tag:
                if sign in "\"'":
                    self.quote = sign
                elif sign == ">":
                    self.tag = ""
            elif sign == "<" and (named := _NAME.match(text, at + 1)):
                self.tag = named[0] or "named by the template"
                ends = self.tag.startswith("/")
                if _RAW.fullmatch(self.tag.lstrip("/")) and (not self.raw or ends):
                    self.raw = "" if ends else self.tag
