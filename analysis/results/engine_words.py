"""What the psychometrics engine finds wrong, in the reader's language. The engine knows no Django: it says a code and a subject.

Its own English sentence stands in the results and on its command line; on a page it never stands alone. All other codes of
a run are put into words by run_words.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from analysis.psychometrics import problems
from analysis.runs.names import NO_SOLUTION, REFUSED


def problem_in_words(
    problem: Mapping[str, Any], factors: Collection[str] = (), figures: Mapping[str, Any] | None = None
) -> str:
    """One problem of a factor model. ``figures`` are those of the model: respondents, teams, parameters, estimator."""
    known = {"subject": problem["subject"], **(figures or {})}
    return _words(problem["code"], problem["subject"], factors) % known


def _words(code: str, subject: str, factors: Collection[str]) -> str:
    pair = subject.split(" ~~ ")
    if code == problems.CORRELATION_AT_OR_OVER_ONE and set(pair) <= set(factors):
        return _("The correlation of %(subject)s is estimated at or over 1: these factors cannot be told apart.")
    if code == problems.CORRELATION_AT_OR_OVER_ONE:
        return _("The correlation of %(subject)s is estimated at or over 1.")
    if subject and code in (about := _about()):
        return about[code]
    return _of_model().get(code) or _("Something is wrong with this model (%(code)s).") % {"code": code}


def _about() -> dict[str, str]:
    """Problems of one item, factor, pair or parameter."""
    return {
        problems.NEGATIVE_VARIANCE: _("A variance of %(subject)s is estimated below zero."),
        problems.NO_VARIANCE: _("The answers to %(subject)s do not differ enough: it has no variance."),
        problems.EMPTY_CATEGORY: _("Nobody chose one of the answers to %(subject)s."),
        problems.TOO_FEW_OBSERVATIONS: _("Too few respondents answered %(subject)s."),
        problems.NOT_CONVERGED: _(
            "The correlation of %(subject)s could not be estimated: the computation did not converge."
        ),
        problems.NOT_POSITIVE_DEFINITE: _("The correlation of %(subject)s is known too poorly to be used."),
        problems.NOT_IDENTIFIED: _(
            "The model is not identified (look at %(subject)s): other values fit as well, so there are no standard errors."
        ),
    }


def _of_model() -> dict[str, str]:
    """Problems of a model as a whole."""
    return {
        problems.CASES_DROPPED: _(
            "%(n)s of %(all)s respondents are left out: they did not answer all questions of the model."
        ),
        problems.FEWER_CLUSTERS_THAN_PARAMETERS: _(
            "There are fewer teams (%(teams)s) than parameters (%(parameters)s). Each standard error is valid, but "
            "no joint test of several parameters is: compare with MLM."
        ),
        problems.NO_SCALED_TEST: _(
            "The scaling factor of chi-square is not positive, which happens with few teams: there is no scaled test."
        ),
        problems.NOT_IDENTIFIED: _(
            "The model is not identified: other values fit as well, so there are no standard errors."
        ),
        problems.NOT_COMPARABLE: _("These models cannot be tested against each other."),
        problems.NOT_CONVERGED: _("The computation did not converge: there are no estimates to rely on."),
        problems.NOT_POSITIVE_DEFINITE: _(
            "A covariance matrix is not positive definite: an item or factor is a combination of others, or nearly so."
        ),
        problems.TOO_FEW_OBSERVATIONS: _("Too few respondents answered all questions of the model."),
        problems.TOO_FEW_ITEMS: _("The model has too few questions."),
        problems.TOO_FEW_TEAMS: _("There are too few teams for errors that are robust to teams."),
        problems.NO_VARIANCE: _("Answers to a question of the model do not differ: it has no variance."),
        REFUSED: _("%(estimator)s cannot fit this model: it asks for something that this estimator does not have."),
        NO_SOLUTION: _("This model cannot be fitted to these answers: a matrix cannot be inverted."),
    }
