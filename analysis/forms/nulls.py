"""The two fields by which a plan's null distributions of rwg(j) are chosen: those that are published, and one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from analysis.plan.nulls import OWN, Null, agreement_rules, offered
from analysis.psychometrics.teams.nulls import UNIFORM
from analysis.templatetags.report import figure
from teams.base.written import Written

NULLS, OWN_NULL = "nulls", "own_null"
#: How far the parts of a distribution may be from 1 together.
ROUNDING = 1e-5
EXACT = 1e-12


def null_fields(nulls: Sequence[Null], n_points: int) -> dict[str, forms.Field]:
    """The fields, filled with the nulls of a plan for answers of so many points."""
    return {
        NULLS: forms.MultipleChoiceField(
            label=_("Null distributions of rwg(j)"),
            choices=[
                (
                    null.name,
                    _("%(name)s (variance %(variance)s)") % {"name": null.label, "variance": figure(null.variance)},
                )
                for null in offered(n_points)
            ],
            initial=[null.name for null in nulls if null.name != OWN],
            widget=forms.CheckboxSelectMultiple,
            required=False,
            help_text=_(
                "What the answers would be if a team agreed on nothing. The uniform one alone makes agreement look larger than it "
                "is: choose another as well, or give one of your own."
            ),
        ),
        OWN_NULL: forms.CharField(
            label=_("A null distribution of your own"),
            max_length=200,
            initial=_typed(nulls),
            required=False,
            help_text=_(
                "One share per answer, lowest answer first, separated by spaces; together they make 1. Leave empty for none."
            ),
        ),
    }


def chosen_nulls(form: Written, nulls: Sequence[Null], n_points: int) -> dict[str, Any]:
    """What a form chose, as the part of a plan on agreement; where it cannot be, the form has the error."""
    names, typed = form.cleaned_data.get(NULLS, []), form.cleaned_data.get(OWN_NULL, "")
    try:
        # shown rounded: left alone it stays what it is
        own = next(null.shares for null in nulls if null.name == OWN) if typed and typed == _typed(nulls) else ()
        if typed and not own:
            own = shares_of(typed, n_points)
    except ValidationError as error:
        form.add_error(OWN_NULL, error)
    else:
        if not own and not set(names) - {UNIFORM}:
            form.add_error(
                NULLS, _("Choose another null distribution than the uniform, or give one of your own below.")
            )
    return agreement_rules(names, own)


def shares_of(typed: str, n_points: int) -> tuple[float, ...]:
    """The shares of a distribution as somebody typed them. ``ValidationError`` says what is wrong with them."""
    try:
        shares = [float(part) for part in typed.replace(",", ".").split()]
    except ValueError as error:
        raise ValidationError(_("Write the numbers with spaces between them, for instance 0.1 0.2 0.4 0.3.")) from error
    if len(shares) != n_points:
        raise ValidationError(_("Give %(n)s shares, one for each answer.") % {"n": n_points})
    total = sum(shares)
    if not min(shares) >= 0 or not abs(total - 1) < ROUNDING:
        raise ValidationError(_("The shares must be 0 or more and add up to 1."))
    if max(shares) > 1 - ROUNDING:
        raise ValidationError(_("With all on one answer there is no variance: spread the shares over more answers."))
    if max(shares) - min(shares) < ROUNDING:
        raise ValidationError(
            _("These shares are the uniform distribution: tick that above, and give another one here.")
        )
    # 0.333 three times is meant as thirds
    return tuple(shares) if abs(total - 1) < EXACT else tuple(share / total for share in shares)


def _typed(nulls: Sequence[Null]) -> str:
    return " ".join(f"{share:.6g}" for null in nulls for share in null.shares)
