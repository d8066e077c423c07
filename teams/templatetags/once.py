"""The key of a form (teams/base/once.py)."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from teams.base.once import FIELD, new_key

register = template.Library()


@register.simple_tag
def once() -> SafeString:
    """Stands in every form that people send, after its token."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, new_key())
