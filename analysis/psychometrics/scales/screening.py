"""Screening: which respondents are set aside, by rules fixed beforehand, and flags for careless answering.

Only a :class:`ScreeningRule` sets a respondent aside. The flags (longstring, even-odd consistency,
Mahalanobis distance, intra-individual variability) inform: they can be used in a rule when the plan says so.

Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data. Journal of Experimental
Social Psychology, 66, 4-19. Meade, A. W. & Craig, S. B. (2012). Identifying careless responses in survey data.
Psychological Methods, 17(3), 437-455.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from .correlations import complete_means, covariance_matrix
from .scoring import answer_blocks, answer_matrix

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

#: Rows handled at once where a step needs gaps × gaps numbers per row.
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class ScreeningRule:
    """One rule of the plan: a measured value and the comparison that breaks the rule.

    ``measure`` is ``share_unanswered``, ``longstring``, ``intra_individual_variability`` or ``column`` (the value of the
    column ``column``, e.g. an eligibility answer). The rule is broken where ``value <comparison> limit``; a missing
    value breaks no rule, except for ``equals`` on nothing, which cannot be.
    """

    code: str
    measure: Literal["share_unanswered", "longstring", "intra_individual_variability", "column"]
    comparison: Literal["over", "at_least", "below", "equals"]
    limit: float
    column: str = ""

    def is_broken(self, value: FloatArray) -> BoolArray:
        """Return, for values of shape (respondents,), where the rule is broken."""
        compare: dict[str, Callable[[FloatArray, float], BoolArray]] = {
            "over": np.greater,
            "at_least": np.greater_equal,
            "below": np.less,
            "equals": np.equal,
        }
        return compare[self.comparison](value, self.limit)


@dataclass(frozen=True, slots=True)
class ScreeningResult:
    """Values and verdicts per respondent.

    ``values`` and ``broken`` have one row per respondent (the data's index) and one column per rule; ``set_aside`` has
    shape (respondents,); ``first_rule`` names the first broken rule in the order of the plan, "" where none is.
    """

    values: pd.DataFrame
    broken: pd.DataFrame
    set_aside: BoolArray
    first_rule: pd.Series[str]

    @property
    def n_kept(self) -> int:
        """Number of respondents no rule sets aside."""
        return int((~self.set_aside).sum())

    @property
    def n_by_first_rule(self) -> dict[str, int]:
        """Numbers set aside per rule, each respondent counted once, at the first rule broken; they add up."""
        counts = self.first_rule[self.set_aside].value_counts()
        return {rule: int(counts.get(rule, 0)) for rule in self.broken.columns}


#: The default plan of the method: more than 25 % unanswered.
DEFAULT_RULES = (ScreeningRule("unanswered", "share_unanswered", "over", 0.25),)


def apply_rules(
    data: pd.DataFrame, items: Sequence[str], rules: Sequence[ScreeningRule] = DEFAULT_RULES
) -> ScreeningResult:
    """Apply the rules of a plan to all respondents, each rule to everyone.

    ``data`` has one row per respondent; ``items`` are the columns of all scales in the plan, NaN where there is no answer
    or where the answer was "cannot judge" (both count as unanswered). Raises ``KeyError`` for columns that are missing
    and ``ValueError`` for two rules of one code.
    """
    needed = [*items, *(rule.column for rule in rules if rule.measure == "column")]
    unknown = [name for name in needed if name not in data.columns]
    if unknown:
        raise KeyError(f"Columns that are not in the data: {', '.join(unknown)}.")
    if len({rule.code for rule in rules}) != len(rules):
        raise ValueError("Two screening rules have the same code.")
    answers = data[list(items)].to_numpy(dtype=np.float64)
    values: dict[str, FloatArray] = {}
    broken: dict[str, BoolArray] = {}
    for rule in rules:
        values[rule.code] = _measure(rule, answers, data)
        broken[rule.code] = rule.is_broken(values[rule.code])
    broken_frame = pd.DataFrame(broken, index=data.index)
    broken_array = broken_frame.to_numpy(dtype=bool).reshape(len(data), len(rules))
    set_aside = np.asarray(broken_array.any(axis=1), dtype=np.bool_)
    codes = np.array([*broken, ""], dtype=object)
    first = codes[np.where(set_aside, broken_array.argmax(axis=1) if rules else 0, len(rules))]
    return ScreeningResult(
        values=pd.DataFrame(values, index=data.index),
        broken=broken_frame,
        set_aside=set_aside,
        first_rule=pd.Series(first, index=data.index, dtype=str),
    )


def share_unanswered(answers: pd.DataFrame | FloatArray) -> FloatArray:
    """Return the share (0 to 1) of unanswered items per respondent, shape (respondents,)."""
    x = answer_matrix(answers)
    return np.asarray(np.isnan(x).sum(axis=1) / max(x.shape[1], 1), dtype=np.float64)


def longstring(answers: pd.DataFrame | FloatArray) -> FloatArray:
    """Return the longest run of identical consecutive answers per respondent (Curran 2016, p. 8), shape (respondents,).

    Columns must be in the order in which the items were asked. An unanswered item ends a run; a respondent without
    answers has 0.
    """
    x = answer_matrix(answers)
    run = np.zeros(len(x))
    longest = np.zeros(len(x))
    for item in range(x.shape[1]):
        answered = ~np.isnan(x[:, item])
        continued = x[:, item] == x[:, item - 1] if item else np.zeros(len(x), dtype=bool)
        run = np.where(answered, np.where(continued, run + 1, 1), 0)
        np.maximum(longest, run, out=longest)
    return longest


def intra_individual_variability(answers: pd.DataFrame | FloatArray) -> FloatArray:
    """Return the standard deviation (n - 1) of each respondent's answers, NaN below two answers (Dunn et al. 2018).

    Dunn, A. M., Heggestad, E. D., Shanock, L. R. & Theilgard, N. (2018). Intra-individual response variability as an
    indicator of insufficient effort responding. Journal of Business and Psychology, 33, 105-121.
    """
    x = answer_matrix(answers)
    answered = ~np.isnan(x)
    n = answered.sum(axis=1)
    mean = np.where(answered, x, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(answered, x - mean[:, None], 0.0) ** 2).sum(axis=1)
    return np.asarray(np.where(n >= 2, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan), dtype=np.float64)


def even_odd_consistency(items: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> FloatArray:
    """Return each respondent's even-odd consistency (Meade and Craig 2012, p. 443), shape (respondents,), -1 to 1.

    Every scale is split into its odd and even items; the half-scale means are correlated within the respondent over
    scales and stepped up by Spearman-Brown, 2r/(1+r), with -1 where that falls below -1. NaN with fewer than three scales
    of two halves, or where a half does not vary.
    """
    if not scales:
        return np.full(len(items), np.nan)
    odd = np.column_stack([_row_mean(items[list(names)[0::2]]) for names in scales.values()])
    even = np.column_stack(
        [
            _row_mean(items[list(names)[1::2]]) if len(names) > 1 else np.full(len(items), np.nan)
            for names in scales.values()
        ]
    )
    both = ~(np.isnan(odd) | np.isnan(even))
    n = both.sum(axis=1)
    odd_c, even_c = (_centre_rows(half, both, n) for half in (odd, even))
    spread = (odd_c**2).sum(axis=1) * (even_c**2).sum(axis=1)
    # A half of equal means is constant up to rounding: the spread is then a few ulp, never exactly 0.
    defined = (n >= 3) & (spread > 1e-20)
    r = np.full(len(items), np.nan)
    np.divide((odd_c * even_c).sum(axis=1), np.sqrt(spread), out=r, where=defined)
    r = np.clip(r, -1.0, 1.0)
    stepped_up = np.full(len(items), np.nan)
    np.divide(2 * r, 1 + r, out=stepped_up, where=defined & (r > -1))
    stepped_up[defined & (r <= -1)] = -1.0
    return np.asarray(np.maximum(stepped_up, -1.0), dtype=np.float64)


def mahalanobis_distance(answers: pd.DataFrame | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return squared Mahalanobis distances and their upper-tail chi-square probabilities, each (respondents,).

    Mean and covariance (n - 1) come from the respondents with all items answered; a respondent with gaps is measured on
    the items answered, with as many degrees of freedom. NaN for everyone when the covariance cannot be inverted (an item
    without variance, fewer complete respondents than items), and for respondents without answers.
    """
    n, p = answers.shape
    squared, n_answered = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
    mean, n_complete = complete_means(answers)
    if n_complete <= p:
        return squared, squared.copy()
    covariance, _ = covariance_matrix(answers)
    try:
        np.linalg.cholesky(covariance)
        inverse: FloatArray = np.asarray(
            np.linalg.inv(covariance), dtype=np.float64
        )  # rounding can let a singular matrix pass the first and fail here
    except np.linalg.LinAlgError:
        return squared, squared.copy()
    for some, x in answer_blocks(answers):
        answered = ~np.isnan(x)
        n_answered[some] = answered.sum(axis=1)
        squared[some] = _distances(np.where(answered, x - mean, 0.0), answered, covariance, inverse)
    squared[n_answered == 0] = np.nan
    probability = np.where(n_answered > 0, stats.chi2.sf(squared, np.maximum(n_answered, 1)), np.nan)
    return squared, probability


def careless_flags(items: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return all flags, one row per respondent: longstring, even-odd consistency, Mahalanobis D² and p, variability.

    Items are taken in the order of ``items.columns``, which must be the order of asking.
    """
    squared, probability = mahalanobis_distance(items)
    return pd.DataFrame(
        {
            "longstring": longstring(items),
            "even_odd_consistency": even_odd_consistency(items, scales),
            "mahalanobis_d2": squared,
            "mahalanobis_p": probability,
            "intra_individual_variability": intra_individual_variability(items),
        },
        index=items.index,
    )


def _measure(rule: ScreeningRule, answers: FloatArray, data: pd.DataFrame) -> FloatArray:
    if rule.measure == "share_unanswered":
        return share_unanswered(answers)
    if rule.measure == "longstring":
        return longstring(answers)
    if rule.measure == "intra_individual_variability":
        return intra_individual_variability(answers)
    return data[rule.column].to_numpy(dtype=np.float64)


def _row_mean(half: pd.DataFrame) -> FloatArray:
    x = half.to_numpy(dtype=np.float64)
    answered = ~np.isnan(x)
    n = answered.sum(axis=1)
    return np.where(n > 0, np.where(answered, x, 0.0).sum(axis=1) / np.maximum(n, 1), np.nan)


def _centre_rows(half: FloatArray, both: BoolArray, n: npt.NDArray[np.int64]) -> FloatArray:
    mean = np.where(both, half, 0.0).sum(axis=1) / np.maximum(n, 1)
    return np.where(both, half - mean[:, None], 0.0)


def _distances(z: FloatArray, answered: BoolArray, covariance: FloatArray, inverse: FloatArray) -> FloatArray:
    """Squared distances of deviations ``z`` (0 where there is a gap), each row's on the items that it answers.

    For the items answered (a) the inverse of their covariances is that of all, P, less what goes by way of the gaps (g):
    P_aa - P_ag P_gg^-1 P_ga. So a row costs a system as large as its gaps; where most is gaps, its own inverse is cheaper.
    """
    by_items = z @ inverse
    squared = np.asarray((by_items * z).sum(axis=1), dtype=np.float64)
    n_gaps = (~answered).sum(axis=1)
    p = len(covariance)
    for gaps in np.unique(n_gaps[n_gaps > 0]).tolist():
        with_gaps = np.flatnonzero(n_gaps == gaps)
        for start in range(0, len(with_gaps), _ROWS_AT_ONCE):
            rows = with_gaps[start : start + _ROWS_AT_ONCE]
            seen = answered[rows]
            if 2 * gaps <= p:
                at = np.nonzero(~seen)[1].reshape(len(rows), gaps)
                rest = np.take_along_axis(by_items[rows], at, axis=1)
                moved = np.linalg.solve(inverse[at[:, :, None], at[:, None, :]], rest[:, :, None])[:, :, 0]
                squared[rows] -= (rest * moved).sum(axis=1)
            elif gaps < p:
                at = np.nonzero(seen)[1].reshape(len(rows), p - gaps)
                own = np.take_along_axis(z[rows], at, axis=1)
                moved = np.linalg.solve(covariance[at[:, :, None], at[:, None, :]], own[:, :, None])[:, :, 0]
                squared[rows] = (own * moved).sum(axis=1)
    return squared
