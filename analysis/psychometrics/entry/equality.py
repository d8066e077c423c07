r"""Score tests of equalities over groups: what chi-square would drop by if equal parameters were released.

For released parameters with scores g (derivatives of the log-likelihood per case) and information I per case in the
extended parameter vector, V = I_cc - I_ct I_tt^-1 I_tc, the statistic is N g' V^-1 g on as many degrees of freedom as
parameters are released. Sorbom (1989), Psychometrika 54, 371-384, eq. 8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..ml.fit import upper_tail
from ..ml.likelihood import all_terms, expected_information, weighted
from ..ml.moments import ModelStructure
from ..ml.result import FloatArray, plain
from ..ml.sample import Sample
from ..syntax.model import ParameterTable


@dataclass(frozen=True)
class EqualityTest:
    """Score test of releasing the equality of one parameter in ``group`` with the first group."""

    lhs: str
    op: str
    rhs: str
    group: int
    chisq: float
    df: int
    pvalue: float

    def to_dict(self) -> dict[str, Any]:
        """The parameter and its test under lavaan's names."""
        return {
            "lhs": self.lhs, "op": self.op, "rhs": self.rhs, "group": self.group,
            "X2": plain(self.chisq), "df": self.df, "p.value": plain(self.pvalue),
        }  # fmt: skip


@dataclass(frozen=True)
class EqualityTests:
    """Score tests of all equalities over groups at once, and of each alone."""

    chisq: float
    df: int
    pvalue: float
    univariate: tuple[EqualityTest, ...]

    def to_dict(self) -> dict[str, Any]:
        """``total`` and ``univariate``, ready for JSON."""
        total = {"test": "score", "X2": plain(self.chisq), "df": self.df, "p.value": plain(self.pvalue)}
        return {"total": [total], "univariate": [test.to_dict() for test in self.univariate]}


def equality_tests(table: ParameterTable, theta: FloatArray, sample: Sample) -> EqualityTests | None:
    """Score tests of the equalities over groups; None where there are none. lavaan: ``lavTestScore``."""
    at = [
        number for number, row in enumerate(table.rows)
        if row.free and row.group > 1 and table.free_rows[row.index].group == 1
    ]  # fmt: skip
    if not at:
        return None
    # a released parameter is the common one plus an offset; the score tests are those of the offsets being zero
    q = table.n_free
    offsets = np.eye(q + len(at))
    rows = list(table.rows)
    for k, number in enumerate(at):
        offsets[q + k, rows[number].index] = 1.0
        rows[number] = replace(rows[number], index=table.n_free + k, label="")
    released = replace(table, rows=tuple(rows), n_free=table.n_free + len(at))
    terms = all_terms(ModelStructure(released), sample, offsets @ np.append(theta, np.zeros(len(at))))
    score = -weighted(terms, [term.gradient() for term in terms])[q:]
    information = offsets.T @ expected_information(terms) @ offsets
    cross = information[q:, :q]
    v = information[q:, q:] - cross @ np.linalg.lstsq(information[:q, :q], cross.T, rcond=None)[0]
    total = sample.n_obs * float(score @ np.linalg.lstsq(v, score, rcond=None)[0])
    single = sample.n_obs * score**2 / np.diag(v)
    univariate = tuple(
        EqualityTest(row.lhs, row.op, row.rhs, row.group, float(x), 1, upper_tail(float(x), 1))
        for row, x in zip((table.rows[number] for number in at), single, strict=True)
    )
    return EqualityTests(total, len(at), upper_tail(total, len(at)), univariate)
