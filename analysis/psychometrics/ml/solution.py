"""What is said about a solution whatever the estimator: parameter rows, factor correlations, R2, residuals, findings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..problems import (
    CORRELATION_AT_OR_OVER_ONE,
    NEGATIVE_VARIANCE,
    NOT_POSITIVE_DEFINITE,
    Problem,
)
from ..syntax.model import Block, ParameterTable
from .moments import BlockState, ModelStructure
from .result import FloatArray, LabelledMatrix, ParameterEstimate
from .standardise import standardise


def parameter_estimates(
    structure: ModelStructure, states: Sequence[BlockState], theta: FloatArray, vcov: FloatArray | None
) -> tuple[ParameterEstimate, ...]:
    """Every row of the table with estimate, standard error and standardised values.

    ``vcov`` (n_free, n_free) is the covariance matrix of ``theta``; without it standard errors of free parameters are
    NaN.
    """
    table = structure.table
    standard = standardise(structure, states, theta)
    se, se_all = standard_errors(vcov, table.n_free), np.full(len(table.rows), math.nan)
    if vcov is not None:
        variances = np.einsum("rk,kl,rl->r", standard.jacobian, vcov, standard.jacobian, optimize=True)
        se_all = np.sqrt(np.where(variances > -1e-12, np.maximum(variances, 0.0), math.nan))
        # a value that standardising makes constant, such as a factor's variance, has an error of rounding only
        se_all[se_all < 1e-10] = 0.0
    rows = []
    for number, row in enumerate(table.rows):
        rows.append(ParameterEstimate(
            row.lhs, row.op, row.rhs,
            est=float(standard.est[number]),
            se=float(se[row.index]) if row.free else 0.0,
            free=row.free,
            group=row.group if table.n_groups > 1 else None,
            level=row.level if table.two_level else None,
            label=row.label,
            std_lv=float(standard.std_lv[number]),
            std_all=float(standard.std_all[number]),
            std_all_se=float(se_all[number]),
        ))  # fmt: skip
    return tuple(rows)


def standard_errors(vcov: FloatArray | None, n_free: int) -> FloatArray:
    """Square roots of the diagonal, NaN where there is no covariance matrix or a variance below zero."""
    if vcov is None:
        return np.full(n_free, math.nan)
    diagonal = np.diag(vcov)
    return np.sqrt(np.where(diagonal >= 0, diagonal, math.nan))


def block_names(table: ParameterTable, group_labels: Sequence[str]) -> list[str]:
    """The key of each block: empty for one group at one level, the group's label, ``within`` or ``between``."""
    names = []
    for block in table.blocks:
        parts = [group_labels[block.group - 1]] if table.n_groups > 1 else []
        parts += [("within", "between")[block.level - 1]] if table.two_level else []
        names.append(".".join(parts))
    return names


def factor_correlations(states: Sequence[BlockState], names: Sequence[str]) -> dict[str, LabelledMatrix]:
    """Correlations between the factors of each block, (m, m); NaN where a factor variance is not positive."""
    result = {}
    for state, name in zip(states, names, strict=True):
        block = state.structure.block
        covariances = state.all_covariances[state.structure.n_observed :, state.structure.n_observed :]
        result[name] = LabelledMatrix(block.latent, block.latent, _correlations(covariances))
    return result


def r_square(states: Sequence[BlockState], names: Sequence[str]) -> dict[str, Mapping[str, float]]:
    """Share of each item's (and measured factor's) variance that its factors explain; NaN with a negative residual."""
    result: dict[str, Mapping[str, float]] = {}
    for state, name in zip(states, names, strict=True):
        total, residual = np.diag(state.all_covariances), np.diag(state.s)
        explained = (state.b != 0).any(axis=1)
        explained[state.structure.b_row] = True
        result[name] = {
            variable: float(1.0 - residual[i] / total[i]) if residual[i] >= 0 < total[i] else math.nan
            for i, variable in enumerate(state.structure.block.variables)
            if explained[i]
        }
    return result


def residual_correlations(
    states: Sequence[BlockState], covariances: Sequence[FloatArray], names: Sequence[str]
) -> dict[str, LabelledMatrix]:
    """Observed minus implied correlations of the items, (p, p) per block."""
    return {
        name: LabelledMatrix(
            state.structure.block.observed, state.structure.block.observed,
            _correlations(sample) - _correlations(state.sigma),
        )
        for state, sample, name in zip(states, covariances, names, strict=True)
    }  # fmt: skip


def improper_findings(states: Sequence[BlockState], names: Sequence[str]) -> list[Problem]:
    """Negative variances, factor correlations at or over one, and factor matrices that are not positive definite."""
    findings: list[Problem] = []
    for state, name in zip(states, names, strict=True):
        where = f" ({name})" if name else ""
        block, p = state.structure.block, state.structure.n_observed
        for i, variable in enumerate(block.variables):
            if state.s[i, i] < 0:
                what = "residual variance of item" if i < p else "variance of factor"
                findings.append(Problem(
                    NEGATIVE_VARIANCE, variable,
                    f"The {what} {variable}{where} is estimated below zero ({state.s[i, i]:.4f}).",
                ))  # fmt: skip
        findings += _factor_findings(block, state.all_covariances[p:, p:], where)
        findings += _residual_findings(state, where)
    return findings


def _factor_findings(block: Block, psi: FloatArray, where: str) -> list[Problem]:
    correlations = _correlations(psi)
    findings = [
        Problem(
            CORRELATION_AT_OR_OVER_ONE, f"{block.latent[i]} ~~ {block.latent[j]}",
            f"The correlation between {block.latent[i]} and {block.latent[j]}{where} is estimated at "
            f"{correlations[i, j]:.3f}, at or over 1: they cannot be told apart.",
        )
        for i in range(len(psi)) for j in range(i + 1, len(psi)) if abs(correlations[i, j]) >= 1.0
    ]  # fmt: skip
    if not findings and len(psi) and np.diag(psi).min() > 0 and np.linalg.eigvalsh(correlations)[0] < -1e-8:
        findings.append(Problem(
            NOT_POSITIVE_DEFINITE, "",
            f"The covariance matrix of the factors{where} is not positive definite.",
        ))  # fmt: skip
    return findings


def _residual_findings(state: BlockState, where: str) -> list[Problem]:
    p = state.structure.n_observed
    names = state.structure.block.observed
    theta = state.s[:p, :p]
    off = [(i, j) for i in range(p) for j in range(i + 1, p) if theta[i, j] != 0.0]
    return [
        Problem(
            CORRELATION_AT_OR_OVER_ONE, f"{names[i]} ~~ {names[j]}",
            f"The residual correlation between {names[i]} and {names[j]}{where} is estimated at or over 1.",
        )
        for i, j in off
        if min(theta[i, i], theta[j, j]) > 0 and theta[i, j] ** 2 >= theta[i, i] * theta[j, j]
    ]  # fmt: skip


def _correlations(covariances: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(np.where(np.diag(covariances) > 0, np.diag(covariances), math.nan))
        correlations: FloatArray = covariances / np.outer(sd, sd)
    correlations[np.diag_indices_from(correlations)] = np.where(np.isnan(sd), math.nan, 1.0)
    return correlations
