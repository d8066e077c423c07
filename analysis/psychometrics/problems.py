"""Named problems: what went wrong in a statistic, said as data instead of as a traceback.

Every result of this package that can fail carries a tuple of :class:`Problem`. A number that could not be computed is
``nan`` beside it, so a table can still be shown with the other numbers in it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

#: An item or score whose values are all equal: correlations, alpha and ICC are not defined.
NO_VARIANCE = "no_variance"
#: Fewer observations than the statistic needs.
TOO_FEW_OBSERVATIONS = "too_few_observations"
#: Fewer items than the statistic needs.
TOO_FEW_ITEMS = "too_few_items"
#: Fewer teams than the statistic needs.
TOO_FEW_TEAMS = "too_few_teams"
#: A covariance or correlation matrix that cannot be inverted.
NOT_POSITIVE_DEFINITE = "not_positive_definite"
#: An iterative solution that did not settle.
NOT_CONVERGED = "not_converged"
#: An estimated residual variance below zero (Heywood case).
NEGATIVE_VARIANCE = "negative_variance"
#: A correlation at or over 1 in absolute value.
CORRELATION_AT_OR_OVER_ONE = "correlation_at_or_over_one"
#: A response category that no respondent (of a group) chose.
EMPTY_CATEGORY = "empty_category"
#: The model has directions in which its parameters can move without changing the implied moments.
NOT_IDENTIFIED = "not_identified"
#: A joint covariance matrix of the estimates from fewer clusters than parameters is singular.
FEWER_CLUSTERS_THAN_PARAMETERS = "fewer_clusters_than_parameters"
#: Rows left out because an answer, the group or the cluster is missing.
CASES_DROPPED = "cases_dropped"
#: A scaled chi-square whose scaling factor is not positive, as can happen with few clusters.
NO_SCALED_TEST = "no_scaled_test"
#: Two fits that no difference test can compare.
NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True, slots=True)
class Problem:
    """One named failure.

    ``code`` is one of this module's constants, ``subject`` the item, scale or team concerned ("" for the whole
    analysis), ``sentence`` what a researcher reads.
    """

    code: str
    subject: str
    sentence: str

    def to_dict(self) -> dict[str, str]:
        """Return the three fields as a dictionary of strings."""
        return asdict(self)
