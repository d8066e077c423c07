"""Figures in the reader's notation. Nothing is rounded here that was not rounded by disclosure.py for readers."""

from django import template
from django.utils.formats import number_format

from analysis.disclosure import Reason, ShownScale, round_half_up
from analysis.wording import scale_value as scale_value_of
from analysis.wording import withheld_text

register = template.Library()


@register.filter
def figure(value: float | None, decimals: int = 2) -> str:
    """2.5 → "2,50" in Dutch; a dash where there is no figure."""
    # Django's number_format cuts decimals off: 2.889 would become 2.88.
    return "–" if value is None else str(number_format(round_half_up(float(value), decimals), decimals))


@register.filter
def percent(value: float | None, decimals: int = 0) -> str:
    """0.662 → "66,2 %"."""
    return "–" if value is None else f"{figure(100 * value, decimals)} %"


@register.filter
def p_value(value: float | None) -> str:
    """0.0004 → "< 0,001"; three decimals otherwise."""
    return f"< {figure(0.001, 3)}" if value is not None and value < 0.0005 else figure(value, 3)


@register.filter
def kind(value: object) -> str:
    """The name of a dataclass's type: templates show each kind of figure in its own way."""
    return type(value).__name__


@register.filter
def scale_value(shown: ShownScale | None, decimals: int) -> str:
    """A scale mean as it stands in a table."""
    return scale_value_of(shown, decimals)


@register.filter
def withheld(reason: Reason, k: int) -> str:
    """Why something is not shown."""
    return withheld_text(reason, k)
