"""Django's tags for texts, but that words of people are isolated in them (teams/text/directions.py).

An app's library of a name that Django has too goes before it: so every ``{% load i18n %}`` loads this one, also in templates
of other packages. A name in a sentence is thus isolated wherever a sentence has a place for it, in pages and in mails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template import Context, Library
from django.template.base import FilterExpression, Parser, Token
from django.templatetags import i18n
from django.templatetags.i18n import BlockTranslateNode, do_block_translate

from teams.text import directions

register = Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)
register.filter("isolated", directions.isolated)


@dataclass(frozen=True, slots=True)
class _Isolated:
    """A value of a sentence."""

    expression: FilterExpression

    def resolve(self, context: Context) -> Any:
        return directions.isolated(self.expression.resolve(context))


class IsolatingNode(BlockTranslateNode):
    """A text whose values are isolated: those that the tag names, and those taken from the page."""

    def __init__(self, extra_context: dict[str, FilterExpression], *args: Any, **kwargs: Any) -> None:
        super().__init__({name: _Isolated(value) for name, value in extra_context.items()}, *args, **kwargs)  # type: ignore[misc]  # one that resolves is enough

    def render(self, context: Context, nested: bool = False) -> str:
        named = {name for tokens in (self.singular, self.plural or []) for name in self.render_token_list(tokens)[1]}
        values = {
            name: directions.isolated(context[name]) for name in named - set(self.extra_context) if name in context
        }
        with context.push(**values):
            text: str = super().render(context, nested)
            said = context[self.asvar] if self.asvar else None
        if self.asvar:
            context[self.asvar] = said
        return text


@register.tag("blocktranslate")
@register.tag("blocktrans")
def isolating(parser: Parser, token: Token) -> IsolatingNode:
    """As Django's tag of this name."""
    return IsolatingNode(**vars(do_block_translate(parser, token)))
