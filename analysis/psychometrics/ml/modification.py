r"""Modification indices: what chi-square would drop by if one fixed parameter were freed.

For a candidate with score g (derivative of the log-likelihood per case) and information I per case in the extended
parameter vector, V = I_cc - I_ct I_tt^-1 I_tc,

    mi = N g^2 / V,    epc = g / V                                Sorbom (1989), Psychometrika 54, 371-384, eq. 8 and 12.

The information is the expected one for every estimator, as in lavaan. Candidates are what the model leaves out and what it
fixes; a parameter that only sets the scale of a factor has V = 0 and no index.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..syntax.model import ParameterRow, ParameterTable
from .likelihood import all_terms, expected_information, weighted
from .moments import BlockState, ModelStructure
from .result import FloatArray, ModificationIndex
from .sample import Sample

# Share of a candidate's information that must be left beside the free parameters for it to say anything of its own.
SMALLEST_SHARE = 1e-8


def candidate_rows(table: ParameterTable) -> list[ParameterRow]:
    """Cross-loadings, residual covariances of items and covariances of factors that the model leaves out."""
    candidates = []
    for number, block in enumerate(table.blocks):
        present = {(row.op, frozenset((row.lhs, row.rhs))) for row in table.rows_of(number) if row.op != "~1"}

        def add(lhs: str, op: str, rhs: str, number: int = number, present: set[tuple[str, frozenset[str]]] = present)\
                -> None:  # fmt: skip
            if (op, frozenset((lhs, rhs))) not in present:
                group, level = table.blocks[number].group, table.blocks[number].level
                candidates.append(ParameterRow(lhs, op, rhs, number, group, level, value=0.0))

        for factor in block.latent:
            for item in block.observed:
                add(factor, "=~", item)
        for names in (block.observed, block.latent if not block.second_order else ()):
            for i, first in enumerate(names):
                for second in names[i + 1 :]:
                    add(first, "~~", second)
    return candidates


def modification_indices(table: ParameterTable, theta: FloatArray, sample: Sample) -> tuple[ModificationIndex, ...]:
    """Modification indices of an ML fit, largest first."""
    candidates, extended, at = freed_model(table, theta)
    terms = all_terms(extended, sample, at)
    gradient = -weighted(terms, [term.gradient() for term in terms])
    states = [term.state for term in terms]
    n = sample.n_obs
    return indices_from_score(table, candidates, states, n * gradient, n * expected_information(terms))


def freed_model(table: ParameterTable, theta: FloatArray) -> tuple[list[ParameterRow], ModelStructure, FloatArray]:
    """What could be freed, the model in which all of it is, and that model's parameters at the estimates ``theta``."""
    fixed = [row for row in table.rows if not row.free and row.op in ("=~", "~~", "~1")]
    candidates = [*fixed, *candidate_rows(table)]
    rest = replace(table, rows=tuple(row for row in table.rows if row not in fixed))
    at = np.concatenate([theta, [row.value for row in candidates]])
    return candidates, ModelStructure(rest.with_rows(candidates)), at


def indices_from_score(
    table: ParameterTable,
    candidates: Sequence[ParameterRow],
    states: Sequence[BlockState],
    gradient: FloatArray,
    information: FloatArray,
) -> tuple[ModificationIndex, ...]:
    """Modification indices from the log-likelihood's gradient and information in the model where all is free.

    ``gradient`` (q + c,) and ``information`` (q + c, q + c) are summed over cases, the q free parameters of ``table``
    first, then the c candidates.
    """
    q = table.n_free
    if not candidates:
        return ()
    cross = information[q:, :q]
    try:
        explained = np.einsum("cq,qc->c", cross, np.linalg.solve(information[:q, :q], cross.T))
    except np.linalg.LinAlgError:
        return ()
    left = np.diag(information)[q:] - explained
    left = np.where(left > SMALLEST_SHARE * np.abs(np.diag(information)[q:]), left, math.nan)
    epc = gradient[q:] / left
    mi = gradient[q:] * epc
    rows = [
        _row(candidate, table, states, float(mi[i]), float(epc[i]))
        for i, candidate in enumerate(candidates)
        if math.isfinite(mi[i])
    ]
    return tuple(sorted(rows, key=lambda row: -row.mi))


def _row(
    candidate: ParameterRow, table: ParameterTable, states: Sequence[BlockState], mi: float, epc: float
) -> ModificationIndex:  # fmt: skip
    lv, full = _standardised_change(candidate, states[candidate.block], epc)
    return ModificationIndex(
        candidate.lhs, candidate.op, candidate.rhs, mi, epc, lv, full,
        group=candidate.group if table.n_groups > 1 else None,
        level=candidate.level if table.two_level else None,
    )  # fmt: skip


def _standardised_change(row: ParameterRow, state: BlockState, epc: float) -> tuple[float, float]:
    """The expected change with factors standardised, and with factors and items (residuals for covariances)."""
    variables = state.structure.block.variables
    total, residual = state.all_covariances, state.s
    lhs = variables.index(row.lhs)
    if row.op == "~1":
        full = epc / _root(total[lhs, lhs])
        return (full if lhs >= state.structure.n_observed else epc), full
    rhs = variables.index(row.rhs)
    if row.op == "=~":
        lv = epc * _root(total[lhs, lhs])
        return lv, lv / _root(total[rhs, rhs])
    if lhs == rhs:
        # a factor's variance is 1 when standardised, whatever its change
        return (math.copysign(1.0, epc),) * 2 if lhs >= state.structure.n_observed else (epc, epc / total[lhs, lhs])
    both = epc / (_root(residual[lhs, lhs]) * _root(residual[rhs, rhs]))
    return (epc if lhs < state.structure.n_observed else both), both


def _root(variance: float) -> float:
    return math.sqrt(variance) if variance > 0 else math.nan
