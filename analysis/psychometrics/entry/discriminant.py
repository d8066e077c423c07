"""Can two scales be told apart? Factor correlation, HTMT, and what it costs to set the correlation to one or to merge.

Three views of one question, for every pair of factors of a model:

* the factor correlation, free to pass 1, with its interval: the verdict rests on the interval's far end (Rönkkö and Cho
  2022, "CI_CFA"): at 1 or more the scales *cannot be told apart*, from .90 *hardly*;
* the heterotrait-monotrait ratio, its interval by resampling teams (:mod:`~analysis.psychometrics.entry.htmt`);
* difference tests against (a) the correlation fixed at 1 with unit variances, 1 df, and (b) the two factors merged into
  one, m - 1 df for m factors; scaled as the estimator asks (Satorra and Bentler 2001 for MLM and MLR).

(b) asks more than (a): merged, the two must also correlate alike with every other factor.

Rönkkö, M. & Cho, E. (2022). An updated guideline for assessing discriminant validity. Organizational Research Methods, 25,
6-47. Satorra, A. & Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment structure analysis.
Psychometrika, 66, 507-514. Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment
structures. In R. D. H. Heijmans et al. (Eds.), Innovations in multivariate statistical analysis (pp. 233-247). Kluwer.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd
from scipy import stats

from ..errors import AnalysisInputError
from ..ml.result import FitResult, plain
from ..problems import Problem
from ..syntax.parsing import ModelSyntax, Modifier, Statement, parse_model
from .compare import compare
from .estimate import fit
from .htmt import HtmtResult, htmt
from .verdicts import CAN_BE_TOLD_APART, CANNOT_BE_TOLD_APART, HARDLY_TOLD_APART

#: From this far end of the interval two scales can hardly be told apart, from 1 not at all.
HARDLY_FROM, NOT_FROM = 0.90, 1.0
#: Pairs whose interval ends below this are not put to the difference tests: nobody would merge them.
TEST_FROM = 0.80


@dataclass(frozen=True)
class RestrictionTest:
    """The difference test of a restricted model, and its ``method`` (see :mod:`~analysis.psychometrics.entry.compare`)."""

    method: str
    chisq_diff: float
    df_diff: int
    pvalue: float
    rmsea: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the column names of lavaan's difference tests."""
        return {
            "method": self.method,
            "Chisq diff": plain(self.chisq_diff),
            "Df diff": self.df_diff,
            "Pr(>Chisq)": plain(self.pvalue),
            "RMSEA": plain(self.rmsea),
        }


@dataclass(frozen=True)
class PairResult:
    """Two factors: correlation with interval, verdict, HTMT, and difference tests.

    ``unit_correlation`` (1 df) and ``merged`` (m - 1 df) are None where they were not asked for or have no result, with the
    reason in ``problems``. ``verdict`` is None where the correlation has no interval.
    """

    first: str
    second: str
    correlation: float
    se: float
    ci_lower: float
    ci_upper: float
    verdict: str | None
    htmt: HtmtResult | None = None
    htmt_polychoric: HtmtResult | None = None
    unit_correlation: RestrictionTest | None = None
    merged: RestrictionTest | None = None
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, None where undefined."""
        ratios = {"htmt": self.htmt, "htmt_polychoric": self.htmt_polychoric}
        tests = {"unit_correlation": self.unit_correlation, "merged": self.merged}
        numbers = {
            "correlation": self.correlation, "se": self.se, "ci.lower": self.ci_lower, "ci.upper": self.ci_upper,
        }  # fmt: skip
        return {
            "first": self.first,
            "second": self.second,
            **{name: plain(value) for name, value in numbers.items()},
            "verdict": self.verdict,
            **{name: plain(value.to_dict()) if value else None for name, value in ratios.items()},
            **{name: value.to_dict() if value else None for name, value in tests.items()},
            "problems": [problem.to_dict() for problem in self.problems],
        }


@dataclass(frozen=True)
class DistinguishResult:
    """All pairs of factors of a model, with the fit that the correlations come from (unit factor variances)."""

    pairs: tuple[PairResult, ...]
    base: FitResult
    level: float
    problems: tuple[Problem, ...]

    def pair(self, first: str, second: str) -> PairResult:
        """Return the pair of two factors, in either order. Raises KeyError where there is none."""
        for result in self.pairs:
            if {result.first, result.second} == {first, second}:
                return result
        raise KeyError(f"{first}, {second}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, None where undefined."""
        return {
            "estimator": self.base.estimator,
            "n_obs": self.base.n_obs,
            "n_clusters": self.base.n_clusters,
            "level": self.level,
            "pairs": [pair.to_dict() for pair in self.pairs],
            "problems": [problem.to_dict() for problem in self.problems],
            "warnings": [problem.sentence for problem in self.problems],
        }


def distinguish(
    model: str,
    data: pd.DataFrame,
    *,
    estimator: str = "MLR",
    cluster: str | None = None,
    missing: str = "listwise",
    pairs: Collection[tuple[str, str]] | None = None,
    polychoric_htmt: bool = False,
    level: float = 0.95,
    n_replicates: int = 1000,
    seed: int = 20260476,
) -> DistinguishResult:
    """Compare the factors of a one-level, one-group model in lavaan's syntax with each other.

    ``cluster`` names the column of the teams, used for standard errors where the estimator has clusters (MLR, WLSMV) and
    for resampling. ``pairs`` are put to the difference tests whatever their correlation; by default all pairs whose
    interval reaches :data:`TEST_FROM`. Where the model has no estimates, ``pairs`` is empty and the problem named.

    Raises :class:`AnalysisInputError` for input that :func:`~analysis.psychometrics.entry.estimate.fit` refuses, a two-level
    model, fewer than two factors, or a pair that is not in the model.
    """
    syntax = parse_model(model)
    if syntax.two_level:
        raise AnalysisInputError("scales are told apart in a model of one level; give the teams as clusters")
    scales = _scales(syntax)
    if len(scales) < 2:
        raise AnalysisInputError("telling scales apart needs a model with at least two factors")
    asked = None if pairs is None else {frozenset(pair) for pair in pairs}
    if asked and (unknown := [name for pair in asked for name in pair if name not in scales]):
        raise AnalysisInputError(f"the model has no factor {unknown[0]!r}")
    options: dict[str, Any] = {"estimator": estimator, "missing": missing, "std_lv": True, "modification": False}
    # MLM has no clusters of its own: they then serve for resampling only
    options["cluster"] = cluster if estimator.upper() in ("ML", "MLR", "WLSMV", "DWLS", "ULSMV") else None
    base = fit(model, data, **options)
    if not base.has_estimates or not base.converged:
        return DistinguishResult((), base, level, base.problems)
    team = None if cluster is None else data[cluster]
    ratios = htmt(data, scales, team, level=level, n_replicates=n_replicates, seed=seed)
    by_polychoric = None
    if polychoric_htmt:
        by_polychoric = htmt(
            data, scales, team, correlation="polychoric", level=level, n_replicates=n_replicates, seed=seed
        )
    # a factor that another one measures is part of it, and not a scale beside it
    nested = {frozenset((s.lhs, s.rhs)) for s in syntax.statements if s.op == "=~" and s.rhs in scales}
    results = []
    for first, second in combinations(scales, 2):
        if frozenset((first, second)) in nested:
            continue
        correlation, se, lower, upper = _correlation(base, first, second, level)
        far_end = max(upper, -lower)
        wanted = frozenset((first, second)) in asked if asked is not None else far_end >= TEST_FROM
        unit, merged, problems = None, None, []
        if wanted:
            at_one = _with_unit_correlation(syntax, first, second)
            unit, test_problems = _difference(base, at_one, f"{first} ~~ 1*{second}", data, options)
            problems += test_problems
            together = _merge(syntax, first, second)
            merged, test_problems = _difference(base, together, f"{first} and {second} merged", data, options)
            problems += test_problems
        results.append(
            PairResult(
                first, second, correlation, se, lower, upper,
                verdict=tell_apart(lower, upper),
                htmt=ratios.pair(first, second),
                htmt_polychoric=by_polychoric.pair(first, second) if by_polychoric else None,
                unit_correlation=unit,
                merged=merged,
                problems=tuple(problems),
            )
        )  # fmt: skip
    found_in_ratios = ratios.problems + (by_polychoric.problems if by_polychoric else ())
    return DistinguishResult(tuple(results), base, level, base.problems + found_in_ratios)


def tell_apart(ci_lower: float, ci_upper: float) -> str | None:
    """Put an interval of a factor correlation into words, by the end farther from 0; None for NaN.

    A scale that correlates -1 with another is the same scale turned round, so the sign does not matter.
    """
    far_end = max(ci_upper, -ci_lower)
    if math.isnan(ci_lower) or math.isnan(ci_upper):
        return None
    if far_end >= NOT_FROM:
        return CANNOT_BE_TOLD_APART
    return HARDLY_TOLD_APART if far_end >= HARDLY_FROM else CAN_BE_TOLD_APART


def _scales(syntax: ModelSyntax) -> dict[str, list[str]]:
    """Factors and their items; factors that measure factors are left out."""
    factors = {statement.lhs for statement in syntax.statements if statement.op == "=~"}
    scales: dict[str, list[str]] = {}
    for statement in syntax.statements:
        if statement.op == "=~" and statement.rhs not in factors:
            members = scales.setdefault(statement.lhs, [])
            if statement.rhs not in members:
                members.append(statement.rhs)
    return scales


def _correlation(base: FitResult, first: str, second: str, level: float) -> tuple[float, float, float, float]:
    """Factor correlation, standard error and limits; NaN where the two are not connected by a free covariance."""
    try:
        row = base.parameter(first, "~~", second)
    except KeyError:
        return (math.nan,) * 4
    half = float(stats.norm.ppf(0.5 + level / 2)) * row.std_all_se
    return row.std_all, row.std_all_se, row.std_all - half, row.std_all + half


def _difference(
    base: FitResult, restricted: str, name: str, data: pd.DataFrame, options: Mapping[str, Any]
) -> tuple[RestrictionTest | None, list[Problem]]:
    """The difference test of a restricted model against the base, or the problems that left it without one.

    Far from the null the 2001 test can have a scaling factor below zero; Satorra's (2000) then stands in its place, and the
    problem says so.
    """
    other = fit(restricted, data, **options)
    if "chisq" not in other.fit or "chisq" not in base.fit:
        return None, [Problem(problem.code, name, f"{name}: {problem.sentence}") for problem in other.problems]
    fits = {"the model as it is": base, name: other}
    result = compare(fits)
    problems = list(result.problems)
    row = next(row for row in result.rows if row.model == name)
    if math.isnan(row.chisq_diff) and result.method == "satorra.bentler.2001":
        result = compare(fits, "satorra.2000")
        row = next(row for row in result.rows if row.model == name)
        instead = "Satorra's (2000) test stands in its place."
        problems = [Problem(problem.code, problem.subject, f"{problem.sentence} {instead}") for problem in problems]
    if math.isnan(row.chisq_diff) or row.df_diff is None:
        return None, problems
    return RestrictionTest(result.method, row.chisq_diff, row.df_diff, row.pvalue, row.rmsea), problems


def _with_unit_correlation(syntax: ModelSyntax, first: str, second: str) -> str:
    """The model with the covariance of two factors of variance 1 fixed at 1."""
    kept = [s for s in syntax.statements if not (s.op == "~~" and {s.lhs, s.rhs} == {first, second})]
    return "\n".join([*(_text(statement) for statement in kept), f"{first} ~~ 1*{second}"])


def _merge(syntax: ModelSyntax, first: str, second: str) -> str:
    """The model with the items of the second factor measuring the first."""
    lines: dict[tuple[str, str, str], str] = {}
    for statement in syntax.statements:
        if statement.op == "~~" and {statement.lhs, statement.rhs} == {first, second}:
            continue
        lhs = first if statement.lhs == second else statement.lhs
        rhs = first if statement.rhs == second else statement.rhs
        lines.setdefault((lhs, statement.op, rhs), _text(statement, lhs, rhs))
    return "\n".join(lines.values())


def _text(statement: Statement, lhs: str | None = None, rhs: str | None = None) -> str:
    """A statement as model text, with other names where these are given."""
    lhs, rhs = lhs or statement.lhs, rhs or statement.rhs
    modifiers = "".join(_entries(entries) + "*" for entries in statement.modifiers)
    if statement.op == "~1":
        return f"{lhs} ~ {modifiers}1"
    return f"{lhs} {statement.op} {modifiers}{rhs}"


def _entries(entries: Sequence[Modifier]) -> str:
    texts = [_entry(entry) for entry in entries]
    return texts[0] if len(texts) == 1 else f"c({', '.join(texts)})"


def _entry(entry: Modifier) -> str:
    if entry.freed:
        return "NA"
    if entry.value is not None:
        return repr(entry.value)
    return f"start({entry.start!r})" if entry.start is not None else f'"{entry.label}"'
