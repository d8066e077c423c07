from django import template
from django.utils.safestring import SafeString

from surveys.answering import style

register = template.Library()


@register.simple_tag
def answer_style() -> SafeString:
    """The style of the respondent's pages."""
    return style.answer_style()
