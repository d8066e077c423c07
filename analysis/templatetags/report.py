"""Figures in the reader's notation. Nothing is rounded here that was not rounded by disclosure/ for readers."""

import math

from django import template
from django.template import Context
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analysis.data.accounting import held_by
from analysis.data.moved_on import moved_on
from analysis.disclosure import Hold, Reason, ShownScale, round_half_up
from analysis.models import AnalysisRun
from analysis.reports.objects import TeamReport, WideReport
from analysis.reports.quality import Caution, Figure
from analysis.reports.sentences import hold_text as text_of_hold
from analysis.reports.sentences import scale_value as scale_value_of
from analysis.reports.sentences import withheld_text
from analysis.reports.wording import returned_text as text_of_returned

register = template.Library()
#: Where a page notes which marks it showed.
MARKS = "marks shown"


@register.filter
def figure(value: float | str | None, decimals: int = 2) -> str:
    """2.5 → "2,50" in Dutch; a dash where there is no figure."""
    # Django's number_format cuts decimals off: 2.889 would become 2.88.
    # a row that is not there at all gives a template ""
    if value is None or value == "" or not math.isfinite(float(value)):
        return "–"
    return str(number_format(round_half_up(float(value), decimals), decimals))


@register.filter
def percent(value: float | None, decimals: int = 0) -> str:
    """0.662 → "66,2 %"."""
    return "–" if value is None else f"{figure(100 * value, decimals)} %"


@register.filter
def p_value(value: float | None) -> str:
    """0.0004 → "< 0,001"; three decimals otherwise."""
    return f"< {figure(0.001, 3)}" if value is not None and value < 0.0005 else figure(value, 3)


@register.simple_tag(takes_context=True)
def marked(context: Context, of: Figure | str | None, form: int | str = 2, *, short: bool = False) -> SafeString:
    """A figure with its marks; ``short``: a sign, the words for readers aloud. ``marks_explained`` must follow.

    ``form`` is the number of decimals, or "p" for a p-value. A row that is not there gives a template "".
    """
    if of is None or of == "":
        return format_html("–")
    if not isinstance(of, Figure):
        raise TypeError(f"{of!r} has no marks: it was not read through analysis/reports/quality.py")
    text = p_value(of.value) if form == "p" else figure(of.value, int(form))
    _note(context, of.cautions)
    return format_html("{}{}", text, _short(of.cautions) if short else _badges(of.cautions))


@register.simple_tag(takes_context=True)
def marks(context: Context, of: tuple[Caution, ...] | str) -> SafeString:
    """Marks by themselves: of a model beside its name, of a statement beside its words."""
    cautions = of if isinstance(of, tuple) else ()
    _note(context, cautions)
    return _badges(cautions)


@register.simple_tag(takes_context=True)
def marks_explained(context: Context) -> SafeString:
    """What the marks since the last such list mean; nothing where there were none."""
    noted = context.render_context.get(MARKS) or set()
    context.render_context[MARKS] = set()
    if not noted:
        return SafeString("")
    lines = [(caution.word, caution.explanation) for caution in Caution if caution in noted]
    items = format_html_join("", "<li><strong>{}</strong>: {}</li>", lines)
    return format_html('<ul class="form-text measure marks">{}</ul>', items)


def _note(context: Context, cautions: tuple[Caution, ...]) -> None:
    context.render_context[MARKS] = {*(context.render_context.get(MARKS) or ()), *cautions}


def _badges(cautions: tuple[Caution, ...]) -> SafeString:
    badge = ' <span class="badge text-bg-warning">{}</span>'
    return format_html_join("", badge, ((caution.word,) for caution in cautions))


def _short(cautions: tuple[Caution, ...]) -> SafeString:
    if not cautions:
        return SafeString("")
    words = ", ".join(caution.word for caution in cautions)
    return format_html('<sup aria-hidden="true">†</sup><span class="visually-hidden"> {}</span>', words)


@register.filter
def kind(value: object) -> str:
    """The name of a dataclass's type: templates show each kind of figure in its own way."""
    return type(value).__name__


@register.filter
def scale_value(shown: ShownScale | None, decimals: int) -> str:
    """A scale mean as it stands in a table."""
    return scale_value_of(shown, decimals)


@register.filter
def returned_text(report: TeamReport | WideReport) -> str:
    """How many of a report's teachers returned the questionnaire."""
    return text_of_returned(report.returned, report.approached)


@register.filter
def withheld(reason: Reason, k: int) -> str:
    """Why something is not shown."""
    return withheld_text(reason, k)


@register.filter
def hold_text(hold: Hold, k: int) -> str:
    """What a researcher has to look at before a team gets a report."""
    return text_of_hold(hold, k)


@register.simple_tag
def since(run: AnalysisRun | None) -> list[str]:
    """What must be known of the study since this analysis read it; nothing where there is none."""
    return moved_on(held_by(run)) if run else []
