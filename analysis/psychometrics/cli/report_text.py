"""Fits, comparisons and invariance as text that a researcher can read in a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..entry.compare import ComparisonResult
from ..entry.invariance import InvarianceResult
from ..ml.result import FitResult, LabelledMatrix, ParameterEstimate
from ..problems import Problem

_OPERATORS = {
    "=~": "Loadings",
    "~~": "Variances and covariances",
    "~1": "Intercepts and means",
    "|": "Thresholds",
}
_N_MODIFICATION_INDICES = 10


def fit_text(result: FitResult) -> str:
    """Header, findings, fit, parameters, factor correlations with intervals, largest modification indices."""
    lines = [_header(result), *_findings(result.problems)]
    if result.fit:
        lines += ["", *_fit_lines(result.fit)]
    for (group, level), rows in _by_block(result.parameters).items():
        if len(result.group_labels) > 1 or level is not None:
            lines += ["", _block_title(result, group, level)]
        for op, title in _OPERATORS.items():
            shown = [row for row in rows if row.op == op and (row.free or row.est != 0.0)]
            lines += ["", *_parameter_table(title, shown)] if shown else []
    lines += _correlation_lines(result)
    if result.modification_indices:
        lines += ["", "Largest modification indices", f"{'':40}{'MI':>10}{'EPC':>10}{'std. EPC':>10}"]
        lines += [
            f"{f'{row.lhs} {row.op} {row.rhs}' + (f' (group {row.group})' if row.group else ''):40}"
            f"{row.mi:10.3f}{row.epc:10.3f}{_number(row.sepc_all):>10}"
            for row in result.modification_indices[:_N_MODIFICATION_INDICES]
        ]
    return "\n".join(lines)


def comparison_text(result: ComparisonResult) -> str:
    """The table of a comparison, models in order of their degrees of freedom."""
    title = "Chi-square difference test" + ("" if result.method == "standard" else f" (scaled, {result.method})")
    width = max(len(row.model) for row in result.rows) + 2
    header = f"{'':{width}}{'df':>6}{'AIC':>13}{'BIC':>13}{'chi-square':>12}{'difference':>12}{'df diff':>9}{'p':>8}"
    lines = [title, header]
    lines += [
        f"{row.model:{width}}{row.df:>6}{_number(row.aic, 2):>13}{_number(row.bic, 2):>13}{row.chisq:>12.3f}"
        f"{_number(row.chisq_diff):>12}{'' if row.df_diff is None else row.df_diff:>9}{_p(row.pvalue):>8}"
        for row in result.rows
    ]
    return "\n".join([*lines, *_findings(result.problems)])


def invariance_text(result: InvarianceResult) -> str:
    """Fit per level of invariance, and the tests between levels."""
    header = f"{'':14}{'chi-square':>12}{'df':>6}{'p':>8}{'CFI':>8}{'RMSEA':>8}{'SRMR':>8}"
    lines = ["Invariance over groups", header]
    for level, fit in result.fits.items():
        if not fit.fit:
            lines.append(f"{level:14}  no result")
            continue
        suffix = ".scaled" if "chisq.scaled" in fit.fit else ""
        index = ".robust" if "cfi.robust" in fit.fit else suffix
        lines.append(
            f"{level:14}{fit.fit['chisq' + suffix]:>12.3f}{fit.fit['df']:>6}{_p(fit.fit['pvalue' + suffix]):>8}"
            f"{fit.fit['cfi' + index]:>8.3f}{fit.fit['rmsea' + index]:>8.3f}{fit.fit['srmr']:>8.3f}"
        )
    lines += ["", comparison_text(result.comparison)] if result.comparison else []
    return "\n".join([*lines, *_findings(result.problems)])


def _header(result: FitResult) -> str:
    state = "converged" if result.converged else "did not converge"
    clusters = f", {result.n_clusters} clusters" if result.n_clusters else ""
    return (
        f"Factor model by {result.estimator}: {state}; {result.n_obs} observations{clusters}, "
        f"{result.n_free_parameters} free parameters, missing answers: {result.missing}"
    )


def _findings(problems: Sequence[Problem]) -> list[str]:
    return [f"Note: {problem.sentence}" for problem in problems]


def _fit_lines(fit: Mapping[str, float]) -> list[str]:
    scaled = "chisq.scaled" in fit
    lines = [f"{'Fit':34}{'standard':>12}" + (f"{'scaled':>12}{'robust':>12}" if scaled else "")]
    for title, name in (
        ("Chi-square", "chisq"),
        ("Degrees of freedom", "df"),
        ("p", "pvalue"),
        ("CFI", "cfi"),
        ("TLI", "tli"),
        ("RMSEA", "rmsea"),
        ("  90 % interval, lower", "rmsea.ci.lower"),
        ("  90 % interval, upper", "rmsea.ci.upper"),
        ("  p of close fit (RMSEA <= .05)", "rmsea.pvalue"),
        ("SRMR", "srmr"),
        ("SRMR within", "srmr_within"),
        ("SRMR between", "srmr_between"),
        ("Scaling factor", "chisq.scaling.factor"),
        ("Log-likelihood", "logl"),
        ("AIC", "aic"),
        ("BIC", "bic"),
        ("BIC, adjusted for sample size", "bic2"),
    ):
        columns = [fit.get(name), fit.get(f"{name}.scaled"), fit.get(f"{name}.robust")]
        if columns[0] is not None:
            lines.append(f"{title:34}" + "".join(f"{_measure(name, value):>12}" for value in columns).rstrip())
    return lines


def _by_block(rows: Sequence[ParameterEstimate]) -> dict[tuple[int | None, int | None], list[ParameterEstimate]]:
    blocks: dict[tuple[int | None, int | None], list[ParameterEstimate]] = {}
    for row in rows:
        blocks.setdefault((row.group, row.level), []).append(row)
    return blocks


def _block_title(result: FitResult, group: int | None, level: int | None) -> str:
    parts = [f"Group {result.group_labels[group - 1]}"] if group is not None and result.group_labels else []
    parts += [("Within teams", "Between teams")[level - 1]] if level is not None else []
    return ", ".join(parts)


def _parameter_table(title: str, rows: Sequence[ParameterEstimate]) -> list[str]:
    lines = [f"{title:40}{'estimate':>10}{'SE':>9}{'z':>9}{'p':>8}{'std.all':>9}"]
    for row in rows:
        name = f"{row.lhs} {row.op} {row.rhs}".strip()
        se = _number(row.se) if row.free else "fixed"
        lines.append(
            f"  {name:38}{row.est:10.3f}{se:>9}{_number(row.z):>9}{_p(row.pvalue):>8}{_number(row.std_all):>9}"
        )
    return lines


def _correlation_lines(result: FitResult) -> list[str]:
    lines: list[str] = []
    for number, (block, matrix) in enumerate(result.factor_correlations.items()):
        if len(matrix.rows) < 2:
            continue
        lines += ["", "Factor correlations with 95 % intervals" + (f", {block}" if block else "")]
        for i, first in enumerate(matrix.rows):
            for j in range(i + 1, len(matrix.rows)):
                name = f"{first} with {matrix.cols[j]}"
                lines.append(f"  {name:38}{_number(matrix.values[i, j]):>10}{_interval(result, number, matrix, i, j)}")
    return lines


def _interval(result: FitResult, number: int, matrix: LabelledMatrix, i: int, j: int) -> str:
    """The delta-method interval of a factor correlation, where the model has it as a parameter."""
    block = result.table.blocks[number] if result.table is not None else None
    for row in result.parameters:
        here = block is None or (row.group in (None, block.group) and row.level in (None, block.level))
        if here and row.op == "~~" and {row.lhs, row.rhs} == {matrix.rows[i], matrix.cols[j]}:
            half = 1.959963984540054 * row.std_all_se
            return f"   [{_number(row.std_all - half)}, {_number(row.std_all + half)}]" if math.isfinite(half) else ""
    return ""


def _measure(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name.endswith("pvalue"):
        return _p(value)
    return str(value) if isinstance(value, int) else _number(value)


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


def _p(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return "< .001" if value < 0.001 else f"{value:.3f}"
