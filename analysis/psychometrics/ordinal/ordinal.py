"""Factor models for ordinal items: from a data frame to a :class:`FitResult` by WLSMV.

``WLSMV`` is diagonally weighted least squares on polychoric correlations with robust standard errors and a scaled and
shifted chi-square, in the delta parameterisation (latent responses have variance 1); ``DWLS`` the same without scaling
the test, ``ULSMV`` with equal weights. Every item must be ordinal: models that mix ordinal and continuous items are
refused. N - 1 takes the place of N throughout, as in lavaan; only the robust indices rest on N times the likelihood
discrepancy.

Muthén, B. (1984). Psychometrika, 49, 115-132. Savalei, V. (2021). Multivariate Behavioral Research, 56, 390-407.
Joreskog, K. G. & Sorbom, D. (1989). LISREL 7 (gfi_lisrel, agfi_lisrel). Yu, C.-Y. (2002). Evaluating cutoff criteria of
model fit indices. Dissertation, UCLA (wrmr).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..errors import DataError, FitFailure
from ..ml.fit import comparison_measures, rmsea_measures, rmsea_point
from ..ml.modification import candidate_rows
from ..ml.moments import ModelStructure
from ..ml.result import FitResult, LabelledMatrix, ModificationIndex
from ..ml.sample import GroupSample, Sample, check_clusters, draw_sample
from ..ml.solution import (
    block_names,
    factor_correlations,
    improper_findings,
    parameter_estimates,
    r_square,
    residual_correlations,
)
from ..problems import FEWER_CLUSTERS_THAN_PARAMETERS, TOO_FEW_OBSERVATIONS, Problem
from ..syntax.model import ParameterTable, build_table, observed_names
from ..syntax.parsing import ModelSyntax, parse_model
from .polychoric import OrdinalData, PolychoricResult, ordinal_data, polychoric
from .wlsmv import WlsmvSolution, correlation_jacobian, ordinal_group, solve_wlsmv

ESTIMATORS = ("WLSMV", "DWLS", "ULSMV")
#: More distinct answers than this are no categories: every pair of items makes a table of their square.
_MAX_CATEGORIES = 30


def fit_ordinal(
    model: str | ModelSyntax,
    data: pd.DataFrame,
    *,
    estimator: str = "WLSMV",
    ordered: bool | Sequence[str] = True,
    missing: str = "listwise",
    group: str | None = None,
    cluster: str | None = None,
    std_lv: bool = False,
    group_equal: Sequence[str] = (),
    modification: bool = True,
) -> FitResult:
    """Fit a factor model to ordinal items.

    ``data`` holds one row per respondent, answers as numbers in rising order of agreement, NaN where there is none.
    ``missing``: ``listwise`` or ``pairwise`` (each threshold and each correlation from the answers it needs). With
    ``cluster`` the standard errors and the test allow for clusters; estimates stay the same. ``group`` fits all groups,
    with ``group_equal=("loadings",)`` under equal loadings. ``modification`` False leaves out modification indices.

    Returns a :class:`FitResult`, without estimates where an item has no variance, a category is empty in a group, the
    model is not identified or does not converge. Raises :class:`DataError` and :class:`ModelError` for a question that
    cannot be read: unknown columns, text, items that are not ordinal, two-level models.
    """
    if estimator not in ESTIMATORS:
        raise DataError(f"estimator {estimator!r} is none of {', '.join(ESTIMATORS)}")
    if missing not in ("listwise", "pairwise"):
        raise DataError(f"{estimator} takes missing answers 'listwise' or 'pairwise', not {missing!r}")
    if unknown := [name for name in group_equal if name != "loadings"]:
        raise DataError(f"{estimator} can make loadings equal over groups, not {unknown[0]}")
    syntax = parse_model(model) if isinstance(model, str) else model
    if syntax.two_level:
        raise DataError(f"{estimator} has no two-level models: give one level, and the teams as clusters")
    items = observed_names(syntax)
    if ordered is not True and (continuous := [name for name in items if name not in set(ordered or ())]):
        raise DataError(f"{estimator} needs every item to be ordinal; {continuous[0]!r} is not named as ordered")
    sample = draw_sample(data, items, group=group, cluster=cluster, keep_missing=missing == "pairwise")
    n_free = 0
    try:
        check_clusters(sample)
        groups = _categorise(sample)
        categories = {name: len(levels) for name, levels in zip(items, groups[0].categories, strict=True)}
        table = build_table(
            syntax, n_groups=len(groups), std_lv=std_lv, ordered=categories, group_equal=tuple(group_equal)
        )
        n_free = table.n_free
        correlations = [_correlate(codes, part) for codes, part in zip(groups, sample.groups, strict=True)]
        statistics = [ordinal_group(result, unweighted=estimator == "ULSMV") for result in correlations]
        solution = solve_wlsmv(table, statistics)
    except FitFailure as failure:
        return FitResult.failed(
            failure.problem, estimator=estimator, missing=missing, n_obs=sample.n_obs, n_free=n_free
        )
    result = _report(estimator, missing, sample, table, correlations, solution)
    if not modification:
        return result
    return replace(result, modification_indices=wlsmv_modification_indices(table, solution))


def fit_measures(solution: WlsmvSolution, *, scaled: bool = True) -> dict[str, float]:
    """All fit measures of a WLSMV solution under lavaan's names; ``scaled=False`` leaves out scaled and robust ones.

    A plain chi-square of weighted least squares follows no chi-square distribution: its p-value is NaN.
    """
    n_groups, n_total = len(solution.groups), sum(group.n for group in solution.groups)
    n, df = float(n_total - n_groups), solution.test.df
    fit: dict[str, float] = {"npar": len(solution.theta), "fmin": solution.test.chisq / (2.0 * n_total)}
    fit |= comparison_measures(solution.test, solution.baseline, n, n_groups)
    if not scaled:
        fit = {
            name: value for name, value in fit.items() if not name.endswith((".scaled", ".robust", "scaling.factor"))
        }
    fit |= {"pvalue": math.nan, "baseline.pvalue": math.nan}
    if df == 0 and scaled:
        fit["chisq.scaling.factor"] = math.nan
    if scaled:
        fit |= _robust_measures(solution, n_total)
    fit |= _residual_measures(solution)
    n_statistics = sum(len(group.s) + len(group.thresholds) for group in solution.groups)
    about_zero = solution.baseline.chisq + sum(
        group.correction * float(group.threshold_weight @ group.thresholds**2) for group in solution.groups
    )
    gfi_lisrel = 1.0 - solution.test.chisq / about_zero
    p = len(solution.groups[0].names)
    for suffix in ("", ".robust") if scaled else ("",):
        # gfi falls as rmsea rises: the limits change places
        for name, source in (("gfi", "rmsea"), ("gfi.ci.lower", "rmsea.ci.upper"), ("gfi.ci.upper", "rmsea.ci.lower")):
            fit[f"{name}{suffix}"] = p / (p + 2.0 * df * fit[f"{source}{suffix}"] ** 2 / n_groups)
    return fit | {
        "gfi.ci.level": fit["rmsea.ci.level"],
        "gfi_lisrel": gfi_lisrel,
        "agfi_lisrel": 1.0 - n_statistics / df * (1.0 - gfi_lisrel) if df else math.nan,
        "pgfi": df / n_statistics * gfi_lisrel,
        "wrmr": math.sqrt(solution.test.chisq * n_groups / n_statistics),
    }


def wlsmv_modification_indices(table: ParameterTable, solution: WlsmvSolution) -> tuple[ModificationIndex, ...]:
    """Expected drop of the unscaled chi-square for every cross-loading and residual covariance left out, largest first.

    Score test with the information J'VJ (Sorbom 1989): mi = g²/v, epc = g/v, g = j'V(s - sigma) for the candidate's
    derivative j, v = j'Vj less what the free parameters explain; as lavaan has it, mi multiplied with
    ((N - G)/N)² and epc with (N - G)/N.
    """
    candidates = candidate_rows(table)
    if not candidates:
        return ()
    theta = np.concatenate([solution.theta, np.zeros(len(candidates))])
    inverse = np.linalg.inv(solution.information)
    gradient, own = np.zeros(len(candidates)), np.zeros(len(candidates))
    cross = np.zeros((len(candidates), len(solution.model_index)))
    parts = zip(
        ModelStructure(table.with_rows(candidates)).at(theta),
        solution.groups, solution.residuals, solution.jacobians, strict=True,
    )  # fmt: skip
    for state, group, residual, jacobian in parts:
        slope = correlation_jacobian(state, group)[:, table.n_free :]
        gradient += slope.T @ (group.weight * residual)
        own += group.weight @ slope**2
        cross += slope.T @ (group.weight[:, None] * jacobian)
    left = own - np.einsum("cq,qr,cr->c", cross, inverse, cross, optimize=True)
    left = np.where(left > 1e-10 * own, left, math.nan)
    n_total = sum(group.n for group in solution.groups)
    correction = (n_total - len(solution.groups)) / n_total
    epc = gradient / left * correction
    rows = []
    for number, row in enumerate(candidates):
        if not math.isfinite(epc[number]):
            continue
        state = solution.states[row.block]
        lhs, rhs = (state.structure.block.variables.index(name) for name in (row.lhs, row.rhs))
        if row.op == "=~":
            lv = full = float(epc[number]) * math.sqrt(max(state.all_covariances[lhs, lhs], 0.0))
        else:
            variance = float(state.s[lhs, lhs] * state.s[rhs, rhs])
            full = float(epc[number]) / math.sqrt(variance) if variance > 0 else math.nan
            lv = float(epc[number]) if lhs < state.structure.n_observed else full
        group_number = row.group if table.n_groups > 1 else None
        mi = float(gradient[number] * epc[number]) * correction
        rows.append(ModificationIndex(row.lhs, row.op, row.rhs, mi, float(epc[number]), lv, full, group=group_number))
    return tuple(sorted(rows, key=lambda row: -row.mi))


def _categorise(sample: Sample) -> list[OrdinalData]:
    """The answers of every group by category; categories are those that occur in any group."""
    if sample.n_obs < 2:
        raise FitFailure(TOO_FEW_OBSERVATIONS, f"{sample.n_obs} observations are too few.")
    together = np.concatenate([group.large for group in sample.groups])
    whole = ordinal_data(pd.DataFrame(together, columns=list(sample.items)))
    for name, levels in zip(sample.items, whole.categories, strict=True):
        if len(levels) > _MAX_CATEGORIES:
            raise DataError(f"{name!r} has {len(levels)} different answers: it is not an ordinal item")
    groups, start = [], 0
    for group in sample.groups:
        groups.append(OrdinalData(whole.names, whole.codes[start : start + group.n], whole.categories))
        start += group.n
    return groups


def _correlate(codes: OrdinalData, group: GroupSample) -> PolychoricResult:
    result = polychoric(codes, units=group.cluster_codes)
    if not result.estimated:
        problem = result.problems[0]
        where = f" (group {group.label})" if group.label else ""
        raise FitFailure(problem.code, problem.sentence.rstrip(".") + f"{where}.", problem.subject)
    return result


def _robust_measures(solution: WlsmvSolution, n: int) -> dict[str, float]:
    """CFI, TLI and RMSEA of Savalei (2021): population values, free of the weights; NaN where they do not exist."""
    names = ("cfi", "tli", "nnfi", "rni", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue",
             "rmsea.notclose.pvalue")  # fmt: skip
    if solution.catml is None or solution.catml_baseline is None:
        return {f"{name}.robust": math.nan for name in names}
    (chisq, c), (chisq_b, c_b) = solution.catml, solution.catml_baseline
    df, df_b, n_groups = solution.test.df, solution.baseline.df, len(solution.groups)
    above, reference = max(chisq - c * df, 0.0), max(chisq_b - c_b * df_b, chisq - c * df, 0.0)
    robust_tli = 1.0 - (chisq - c * df) * df_b / ((chisq_b - c_b * df_b) * df) if df else 1.0
    values = [
        1.0 - above / reference if above > 0 else 1.0,
        robust_tli,
        robust_tli,
        1.0 - (chisq - c * df) / (chisq_b - c_b * df_b),
        rmsea_point(chisq, df, n, n_groups, c),
        *rmsea_measures(chisq / c, df, n, n_groups, c).values(),
    ]
    return {f"{name}.robust": float(value) for name, value in zip(names, values, strict=True)}


def _residual_measures(solution: WlsmvSolution) -> dict[str, float]:
    """Root mean square residuals. Thresholds have none but count; so does the diagonal, which is 1 on both sides."""
    total = sum(group.n for group in solution.groups)
    rmr = nomean = crmr = crmr_nomean = 0.0
    for group, residual in zip(solution.groups, solution.residuals, strict=True):
        share, squares, p = group.n / total, float(residual @ residual), len(group.names)
        n_pairs, n_thresholds = len(residual), len(group.thresholds)
        rmr += share * math.sqrt(squares / (n_pairs + p + n_thresholds))
        nomean += share * math.sqrt(squares / (n_pairs + p))
        crmr += share * math.sqrt(squares / (n_pairs + n_thresholds))
        crmr_nomean += share * math.sqrt(squares / n_pairs)
    return {
        "rmr": rmr, "rmr_nomean": nomean, "srmr": nomean, "srmr_bentler": rmr, "srmr_bentler_nomean": nomean,
        "crmr": crmr, "crmr_nomean": crmr_nomean, "srmr_mplus": math.nan, "srmr_mplus_nomean": math.nan,
    }  # fmt: skip


def _report(
    estimator: str,
    missing: str,
    sample: Sample,
    table: ParameterTable,
    correlations: Sequence[PolychoricResult],
    solution: WlsmvSolution,
) -> FitResult:
    structure = ModelStructure(table)
    names = block_names(table, sample.group_labels)
    problems = [*sample.problems, *(problem for result in correlations for problem in result.problems)]
    problems += improper_findings(solution.states, names)
    if sample.n_clusters is not None and sample.n_clusters <= table.n_free:
        problems.append(
            Problem(
                FEWER_CLUSTERS_THAN_PARAMETERS,
                "",
                f"{sample.n_clusters} clusters are not more than the {table.n_free} parameters: the covariance matrix of "
                "the estimates is singular and no joint test of them is possible.",
            )
        )
    thresholds, matrices = {}, {}
    for name, result in zip(names, correlations, strict=True):
        thresholds[name] = {
            f"{item}|t{number + 1}": float(value)
            for item, values in zip(result.names, result.thresholds, strict=True)
            for number, value in enumerate(values)
        }
        matrices[name] = LabelledMatrix(result.names, result.names, result.correlation)
    single = len(names) == 1
    return FitResult(
        converged=solution.converged,
        estimator=estimator,
        missing=missing,
        n_obs=sample.n_obs,
        n_free_parameters=table.n_free,
        fit=fit_measures(solution, scaled=estimator != "DWLS"),
        parameters=parameter_estimates(structure, solution.states, solution.theta, solution.vcov),
        factor_correlations=factor_correlations(solution.states, names),
        r_square=r_square(solution.states, names),
        residual_correlations=residual_correlations(
            solution.states, [group.correlation for group in solution.groups], names
        ),
        problems=tuple(problems),
        n_clusters=sample.n_clusters,
        group_labels=sample.group_labels,
        theta=solution.theta,
        vcov=solution.vcov,
        table=table,
        extra={
            "polychoric": matrices[names[0]] if single else matrices,
            "thresholds": thresholds[names[0]] if single else thresholds,
        },
        internals={"wlsmv": solution},
    )
