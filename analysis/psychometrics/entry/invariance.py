"""Measurement invariance over groups: the same factors, loadings, intercepts, residual variances, means.

Levels, each with the equalities of those before it (Meredith 1993, Psychometrika 58, 525-543; Vandenberg and Lance 2000,
Organ. Res. Methods 3, 4-70):

* configural: the same items on the same factors;
* metric: equal loadings;
* scalar: equal intercepts too, factor means free from the second group on;
* strict: equal residual variances too;
* means: factor means equal to those of the first group too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..errors import AnalysisInputError
from ..ml.cfa import MaximumLikelihood
from ..ml.result import FitResult
from ..problems import Problem
from .compare import ComparisonResult, compare
from .equality import EqualityTests, equality_tests
from .estimate import fit

EQUALITIES = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
    "means": ("loadings", "intercepts", "residuals", "means"),
}


@dataclass(frozen=True)
class InvarianceResult:
    """One fit per level, the difference tests between levels, and score tests of the equalities (likelihood only).

    ``comparison`` is None where fewer than two levels have a chi-square. ``problems`` gathers what was found at any
    level, with the level before the sentence.
    """

    fits: dict[str, FitResult]
    comparison: ComparisonResult | None
    equality_tests: dict[str, EqualityTests]
    problems: tuple[Problem, ...]

    def to_dict(self) -> dict[str, Any]:
        """Every level's fit, ``lrt`` and warnings, ready for JSON."""
        result: dict[str, Any] = {}
        for level, level_fit in self.fits.items():
            result[level] = level_fit.to_dict()
            if level in self.equality_tests:
                result[level]["score_test_release_constraints"] = self.equality_tests[level].to_dict()
        result["lrt"] = self.comparison.to_dict() if self.comparison else None
        result["warnings"] = [problem.sentence for problem in self.problems]
        return result


def invariance(
    model: str,
    data: pd.DataFrame,
    group: str,
    *,
    levels: Sequence[str] = tuple(EQUALITIES),
    estimator: str = "ML",
    cluster: str | None = None,
    missing: str = "listwise",
    std_lv: bool = False,
) -> InvarianceResult:
    """Fit the levels of invariance over the groups of a column and test each against the one before.

    Raises :class:`AnalysisInputError` for input that :func:`~analysis.psychometrics.entry.estimate.fit` refuses, a level
    without a name here, or a column with fewer than two groups.
    """
    if unknown := [level for level in levels if level not in EQUALITIES]:
        raise AnalysisInputError(f"unknown level {unknown[0]!r}: choose {', '.join(EQUALITIES)}")
    if group in data.columns and data[group].nunique() < 2:
        raise AnalysisInputError(f"column {group!r} has {data[group].nunique()} group(s): invariance needs two or more")
    fits = {
        level: fit(
            model, data, estimator=estimator, cluster=cluster, missing=missing, group=group, std_lv=std_lv,
            mean_structure=True, group_equal=EQUALITIES[level],
        )
        for level in levels
    }  # fmt: skip
    tested = {level: level_fit for level, level_fit in fits.items() if "chisq" in level_fit.fit}
    comparison = compare(tested) if len(tested) > 1 else None
    problems = [
        Problem(problem.code, problem.subject, f"{level}: {problem.sentence}")
        for level, level_fit in fits.items()
        for problem in level_fit.problems
    ]
    problems += comparison.problems if comparison else ()
    return InvarianceResult(fits, comparison, _equality_tests(tested), tuple(problems))


def _equality_tests(fits: dict[str, FitResult]) -> dict[str, EqualityTests]:
    tests = {}
    for level, level_fit in fits.items():
        ml = level_fit.internals.get("ml")
        if isinstance(ml, MaximumLikelihood) and level_fit.table is not None and level_fit.theta is not None:
            of_level = equality_tests(level_fit.table, level_fit.theta, ml.sample)
            if of_level is not None:
                tests[level] = of_level
    return tests
