"""Difference tests between the nested models of a run, from what each of them left: chi-square, df and scaling factor.

Satorra, A. & Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment structure analysis. Psychometrika,
66, 507-514. Where its scaling factor is not positive there is no test, and the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from analysis.psychometrics import AnalysisInputError
from analysis.psychometrics.entry.compare import compare
from analysis.psychometrics.ml.result import FitResult
from analysis.psychometrics.syntax.parsing import parse_model
from analysis.runs.comparisons import number
from analysis.runs.staging import Rows, table_of

KIND = "differences"


@dataclass(frozen=True)
class _Fitted:
    name: str
    estimator: str
    result: FitResult
    partition: frozenset[frozenset[str]] | None  # of the items into factors; None where the model is not of that kind


def between(fits: Sequence[Rows]) -> Rows:
    """Test every pair of models of one estimator that are nested: the factors of one are joined factors of the other."""
    read = [_read(fit) for fit in fits]
    tests = []
    for first, second in combinations([fit for fit in read if fit is not None], 2):
        free, strict = sorted((first, second), key=lambda fitted: fitted.result.fit["df"])
        if first.estimator != second.estimator or not _is_nested(strict, free):
            continue
        tests.append(_tested(free, strict))
    return table_of(KIND, {"tests": tests})


def _read(fit: Rows) -> _Fitted | None:
    record = fit.records()[0]
    content, measures = json.loads(record["content"]), json.loads(record["fit"])
    if not record["converged"] or measures.get("chisq") is None:
        return None
    known = {name: value for name, value in measures.items() if value is not None}
    result = FitResult(
        converged=True,
        estimator=content["estimator"],
        missing=content["missing"],
        n_obs=content["n_obs"],
        n_free_parameters=content["n_free_parameters"],
        fit=known,
    )
    return _Fitted(record["name"], record["estimator"], result, _partition(record["syntax"]))


def _partition(syntax: str) -> frozenset[frozenset[str]] | None:
    """The items of each factor; None where an item loads twice or anything but loadings is specified."""
    factors: dict[str, set[str]] = {}
    for statement in parse_model(syntax).statements:
        if statement.op != "=~" or statement.modifiers:
            return None
        factors.setdefault(statement.lhs, set()).add(statement.rhs)
    items = [item for members in factors.values() for item in members]
    if len(items) != len(set(items)) or any(item in factors for item in items):
        return None
    return frozenset(frozenset(members) for members in factors.values())


def _is_nested(strict: _Fitted, free: _Fitted) -> bool:
    """Whether every factor of the strict model is made of whole factors of the free one, over the same items."""
    if strict.partition is None or free.partition is None or strict.partition == free.partition:
        return False
    if frozenset().union(*strict.partition) != frozenset().union(*free.partition):
        return False
    return all(any(part <= whole for whole in strict.partition) for part in free.partition)


def _tested(free: _Fitted, strict: _Fitted) -> dict[str, Any]:
    row: dict[str, Any] = {"free": free.name, "strict": strict.name, "estimator": free.estimator}
    try:
        result = compare({"free": free.result, "strict": strict.result})
    except AnalysisInputError as error:
        return row | {"problem": str(error)}
    test = next(line for line in result.rows if line.model == "strict")
    return row | {
        "method": result.method,
        "chisq": number(test.chisq_diff),
        "df": test.df_diff,
        "p": number(test.pvalue),
        "rmsea": number(test.rmsea),
        "cfi": _change(free, strict),
        "problem": result.problems[0].sentence if result.problems else "",
    }


def _change(free: _Fitted, strict: _Fitted) -> float | None:
    """By how much the comparative fit index falls when the model is restricted."""
    name = "cfi.robust" if "cfi.robust" in free.result.fit else "cfi"
    values = [fitted.result.fit.get(name) for fitted in (strict, free)]
    return None if values[0] is None or values[1] is None else float(values[0] - values[1])
