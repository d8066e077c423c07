"""Figures and what must be known of them: a mark goes wherever its figure goes.

A figure that judges a measurement (reliability, item-rest correlation, ICC, fit of a model) is made into a ``Figure`` where it
is read from its row, and every page, file and text prints it from there with its marks. A ``Figure`` is no number on purpose:
what would print it bare fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from analysis.models.results import AgreementResult, ReliabilityResult
from analysis.psychometrics import problems
from analysis.reports.reader_marks import reversed_explanation, reversed_word

#: Below these a scale is called low (COSMIN), and differences between the means of teams are mostly chance.
ENOUGH_RELIABILITY = ENOUGH_ICC2 = 0.70


class Caution(StrEnum):
    """What must be known of a figure; the values stand in files for programs."""

    NOT_CONVERGED = "not_converged"
    IMPROPER = "improper"
    OVER_ONE = "correlation_over_one"
    SINGULAR = "not_positive_definite"
    NOT_IDENTIFIED = "not_identified"
    NOT_SCALED = "no_scaled_test"
    NEGATIVE_RELIABILITY = "negative_reliability"
    LOW_RELIABILITY = "low_reliability"
    IMPROPER_OMEGA = "improper_omega"
    NEGATIVE_REST = "negative_item_rest"
    NEGATIVE_ICC = "negative_icc"
    LOW_ICC2 = "low_icc2"
    REVERSED = "reverse_keyed"

    @property
    def word(self) -> str:
        """The mark itself, beside the figure."""
        return _words()[self]

    @property
    def explanation(self) -> str:
        """What it means for who reads the figure."""
        return _explanations()[self]


#: What the engine found wrong with a model, and how its figures are marked for it.
OF_PROBLEM = {
    problems.NOT_CONVERGED: Caution.NOT_CONVERGED,
    problems.NEGATIVE_VARIANCE: Caution.IMPROPER,
    problems.CORRELATION_AT_OR_OVER_ONE: Caution.OVER_ONE,
    problems.NOT_POSITIVE_DEFINITE: Caution.SINGULAR,
    problems.NOT_IDENTIFIED: Caution.NOT_IDENTIFIED,
    problems.NO_SCALED_TEST: Caution.NOT_SCALED,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, if there is one, and its marks."""

    value: float | None
    cautions: tuple[Caution, ...] = ()

    @property
    def words(self) -> str:
        """The marks in words, for a line of text."""
        return ", ".join(caution.word for caution in self.cautions)


@dataclass(frozen=True, slots=True)
class Reliability:
    """A scale's reliability as every page and file gets it."""

    alpha: Figure
    alpha_low: float | None
    alpha_high: float | None
    omega: Figure


@dataclass(frozen=True, slots=True)
class Nesting:
    """How far teams differ on a scale, over all of them."""

    icc1: Figure
    icc2: Figure
    design_effect: float | None
    var_between: float | None
    var_within: float | None


def reliability_figures(row: ReliabilityResult) -> Reliability:
    """A stored reliability with its marks."""
    omega = reliability_figure(row.omega)
    if row.omega is not None and any(problem["code"] == problems.NEGATIVE_VARIANCE for problem in row.problems):
        omega = Figure(omega.value, (Caution.IMPROPER_OMEGA, *omega.cautions))
    return Reliability(reliability_figure(row.alpha), row.alpha_low, row.alpha_high, omega)


def reliability_figure(value: float | None) -> Figure:
    """Alpha or omega of a scale."""
    if value is None or value >= ENOUGH_RELIABILITY:
        return Figure(value)
    return Figure(value, (Caution.NEGATIVE_RELIABILITY if value < 0 else Caution.LOW_RELIABILITY,))


def without_item_figure(value: float | None) -> Figure:
    """Alpha of a scale without one of its questions; that it is low says the alpha of the scale already."""
    return Figure(value, (Caution.NEGATIVE_RELIABILITY,) if value is not None and value < 0 else ())


def item_rest_figure(value: float | None) -> Figure:
    """The correlation of an item with the rest of its scale."""
    return Figure(value, (Caution.NEGATIVE_REST,) if value is not None and value < 0 else ())


def nesting_figures(row: AgreementResult) -> Nesting:
    """A stored nesting with its marks."""
    return Nesting(*iccs(row.icc1, row.icc2), row.design_effect, row.var_between, row.var_within)


def iccs(icc1: float | None, icc2: float | None) -> tuple[Figure, Figure]:
    """Both intraclass correlations over all teams."""
    return _icc(icc1), icc2_figure(icc2)


def icc2_figure(value: float | None) -> Figure:
    """The reliability of teams' means."""
    low = value is not None and 0 <= value < ENOUGH_ICC2
    return Figure(value, (Caution.LOW_ICC2,)) if low else _icc(value)


def _icc(value: float | None) -> Figure:
    return Figure(value, (Caution.NEGATIVE_ICC,) if value is not None and value < 0 else ())


def cautions_of(reported: Iterable[Mapping[str, Any]], *, converged: bool = True) -> tuple[Caution, ...]:
    """The marks of every figure of a model, from what the engine found wrong with it."""
    known = {OF_PROBLEM[problem["code"]] for problem in reported if problem["code"] in OF_PROBLEM}
    if not converged:
        known.add(Caution.NOT_CONVERGED)
    return tuple(caution for caution in Caution if caution in known)


def correlation_figure(value: float | None, cautions: Iterable[Caution] = ()) -> Figure:
    """A correlation or standardised loading of a model, which carries its model's marks."""
    over = (Caution.OVER_ONE,) if value is not None and abs(value) >= 1 else ()
    return Figure(value, tuple(dict.fromkeys((*over, *cautions))))


def keyed(reverse_keyed: bool) -> tuple[Caution, ...]:
    """The mark of an item's mean."""
    return (Caution.REVERSED,) if reverse_keyed else ()


def labelled(text: str, cautions: Iterable[Caution]) -> str:
    """Words with their marks behind them, where there is no room for a list of what these mean."""
    marks = [f"{caution.word[:1].upper()}{caution.word[1:]}. {caution.explanation}" for caution in cautions]
    return " ".join([text, *(f"({mark})" for mark in marks)])


def together(figures: Iterable[Figure]) -> tuple[Caution, ...]:
    """The marks of several figures, each once."""
    known = {caution for figure in figures for caution in figure.cautions}
    return tuple(caution for caution in Caution if caution in known)


def _words() -> dict[Caution, str]:
    return {
        Caution.NOT_CONVERGED: _("did not converge"),
        Caution.IMPROPER: _("improper solution"),
        Caution.OVER_ONE: _("correlation over 1"),
        Caution.SINGULAR: _("not positive definite"),
        Caution.NOT_IDENTIFIED: _("not identified"),
        Caution.NOT_SCALED: _("not scaled"),
        Caution.NEGATIVE_RELIABILITY: _("negative"),
        Caution.LOW_RELIABILITY: _("low"),
        Caution.IMPROPER_OMEGA: _("improper"),
        Caution.NEGATIVE_REST: _("runs against the scale"),
        Caution.NEGATIVE_ICC: _("below zero"),
        Caution.LOW_ICC2: _("low for teams"),
        Caution.REVERSED: reversed_word(),
    }


def _explanations() -> dict[Caution, str]:
    return {
        Caution.NOT_CONVERGED: _("The computation did not settle: do not rely on these figures."),
        Caution.IMPROPER: _(
            "A variance is estimated below zero, which cannot be. The fit of such a model says nothing, however good it looks."
        ),
        Caution.OVER_ONE: _(
            "A correlation is estimated at or over 1, which cannot be. Two factors may be one, or there are too few answers."
        ),
        Caution.SINGULAR: _(
            "A covariance matrix is not positive definite: a question or factor is a combination of others, or nearly so."
        ),
        Caution.NOT_IDENTIFIED: _("Other values fit as well as these: the answers do not decide between them."),
        Caution.NOT_SCALED: _(
            "There is no scaled test, so these measures are not robust: they look better or worse than they are."
        ),
        Caution.NEGATIVE_RELIABILITY: _(
            "α or ω below zero: the questions contradict one another. Look for a reverse-keyed question that the plan does not name."
        ),
        Caution.LOW_RELIABILITY: _("α or ω below .70: the questions share too little to make one score of them."),
        Caution.IMPROPER_OMEGA: _(
            "The model with one factor behind ω has a variance below zero, which cannot be: do not rely on it."
        ),
        Caution.NEGATIVE_REST: _(
            "An item-rest r below zero: who agrees with this question disagrees with the others. Is it reverse-keyed, and not named so in the plan?"
        ),
        Caution.NEGATIVE_ICC: _("An ICC below zero: teams differ less than chance makes them differ. Read it as 0."),
        Caution.LOW_ICC2: _(
            "ICC(2) below .70, a convention: more than 30 percent of the variance between the means of teams is chance."
        ),
        Caution.REVERSED: reversed_explanation(),
    }
