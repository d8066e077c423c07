r"""Modification indices: what chi-square would drop by if one fixed parameter were freed.

For a candidate with score g (derivative of the log-likelihood per case) and information I per case in the extended
parameter vector, V = I_cc - I_ct I_tt^-1 I_tc,

    mi = N g^2 / V,    epc = g / V                                Sorbom (1989), Psychometrika 54, 371-384, eq. 8 and 12.

The information is the one that the fit's standard errors use (expected for ML and MLM, observed for MLR), as in lavaan.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from analysis.psychometrics.likelihood import GroupTerms, all_terms, weighted
from analysis.psychometrics.model import ParameterRow, ParameterTable
from analysis.psychometrics.moments import BlockState, ModelStructure
from analysis.psychometrics.result import FloatArray, ModificationIndex
from analysis.psychometrics.sample import Sample


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


def modification_indices(
    table: ParameterTable, theta: FloatArray, sample: Sample, *, observed: bool = False
) -> tuple[ModificationIndex, ...]:
    """Modification indices of an ML fit, largest first. ``observed`` chooses the observed information."""
    candidates = candidate_rows(table)
    if not candidates:
        return ()
    extended = ModelStructure(table.with_rows(candidates))
    at = np.concatenate([theta, np.zeros(len(candidates))])
    terms = all_terms(extended, sample, at)
    gradient = -weighted(terms, [term.gradient() for term in terms])
    information = weighted(terms, [
        term.observed_information() if observed else term.expected_information() for term in terms
    ])  # fmt: skip
    q = table.n_free
    cross = information[q:, :q]
    try:
        explained = np.einsum("cq,qc->c", cross, np.linalg.solve(information[:q, :q], cross.T))
    except np.linalg.LinAlgError:
        return ()
    left = np.diag(information)[q:] - explained
    left = np.where(left > 1e-10 * np.abs(np.diag(information)[q:]), left, math.nan)
    epc = gradient[q:] / left
    mi = sample.n_obs * gradient[q:] * epc
    rows = [
        _row(candidate, table, terms, float(mi[i]), float(epc[i]))
        for i, candidate in enumerate(candidates)
        if math.isfinite(mi[i])
    ]
    return tuple(sorted(rows, key=lambda row: -row.mi))


def _row(
    candidate: ParameterRow, table: ParameterTable, terms: Sequence[GroupTerms], mi: float, epc: float
) -> ModificationIndex:  # fmt: skip
    lv, full = _standardised_change(candidate, terms[candidate.block].state, epc)
    return ModificationIndex(
        candidate.lhs, candidate.op, candidate.rhs, mi, epc, lv, full,
        group=candidate.group if table.n_groups > 1 else None,
        level=candidate.level if table.two_level else None,
    )  # fmt: skip


def _standardised_change(row: ParameterRow, state: BlockState, epc: float) -> tuple[float, float]:
    """The expected change with factors standardised, and with factors and items (residuals for covariances)."""
    variables = state.structure.block.variables
    lhs, rhs = variables.index(row.lhs), variables.index(row.rhs)
    total, residual = state.all_covariances, state.s
    if row.op == "=~":
        lv = epc * _root(total[lhs, lhs])
        return lv, lv / _root(total[rhs, rhs])
    both = epc / (_root(residual[lhs, lhs]) * _root(residual[rhs, rhs]))
    return (epc if lhs < state.structure.n_observed else both), both


def _root(variance: float) -> float:
    return math.sqrt(variance) if variance > 0 else math.nan
