"""Result types of the psychometrics engine: a fitted model, a named problem, a refusal of bad input.

Three ways for an analysis to end:

* a :class:`FitResult` with estimates, and possibly named problems that say what is wrong with them (negative variance,
  correlation at or over one, not identified, not converged);
* a :class:`FitResult` without estimates (``FitResult.failed``), where the data do not allow any;
* an :class:`AnalysisInputError`, where the question itself cannot be read (syntax, unknown column, text in an item).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..problems import Problem

if TYPE_CHECKING:
    from ..syntax.model import ParameterTable

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ParameterEstimate:
    """One row of the parameter table with its estimate.

    ``group`` and ``level`` count from 1 and are None where the model has one group or one level. A fixed
    parameter has standard error 0 and neither z nor p. ``se`` is NaN where it could not be computed.
    """

    lhs: str
    op: str
    rhs: str
    est: float
    se: float
    free: bool
    group: int | None = None
    level: int | None = None
    label: str = ""
    std_lv: float = math.nan
    std_all: float = math.nan
    std_all_se: float = math.nan

    @property
    def z(self) -> float:
        """Wald z: estimate over standard error; NaN for fixed parameters."""
        return self.est / self.se if self.se > 0 else math.nan

    @property
    def pvalue(self) -> float:
        """Two-sided p of z under the normal distribution."""
        return math.erfc(abs(self.z) / math.sqrt(2.0))

    @property
    def ci_lower(self) -> float:
        """Lower limit of the 95 % Wald interval."""
        return self.est - _Z95 * self.se

    @property
    def ci_upper(self) -> float:
        """Upper limit of the 95 % Wald interval."""
        return self.est + _Z95 * self.se

    def to_dict(self) -> dict[str, Any]:
        """The row under the key names of lavaan's ``parameterEstimates``; None where undefined."""
        row: dict[str, Any] = {"lhs": self.lhs, "op": self.op, "rhs": self.rhs}
        if self.level is not None:
            row["level"] = self.level
        if self.group is not None:
            row["group"] = self.group
        if self.label:
            row["label"] = self.label
        numbers = {
            "est": self.est, "se": self.se, "z": self.z, "pvalue": self.pvalue,
            "ci.lower": self.ci_lower, "ci.upper": self.ci_upper,
            "std.lv": self.std_lv, "std.all": self.std_all, "std.all.se": self.std_all_se,
        }  # fmt: skip
        return row | {name: _finite(value) for name, value in numbers.items()}


@dataclass(frozen=True)
class ModificationIndex:
    """Expected drop of chi-square (1 df) if a fixed parameter were freed, with the expected value it would take."""

    lhs: str
    op: str
    rhs: str
    mi: float
    epc: float
    sepc_lv: float
    sepc_all: float
    group: int | None = None
    level: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The row under the key names of lavaan's ``modindices``."""
        row: dict[str, Any] = {"lhs": self.lhs, "op": self.op, "rhs": self.rhs}
        if self.level is not None:
            row["level"] = self.level
        if self.group is not None:
            row["group"] = self.group
        return row | {
            "mi": _finite(self.mi),
            "epc": _finite(self.epc),
            "sepc.lv": _finite(self.sepc_lv),
            "sepc.all": _finite(self.sepc_all),
            "sepc.nox": _finite(self.sepc_all),
        }


@dataclass(frozen=True)
class LabelledMatrix:
    """A matrix with names for its rows and columns, such as factor correlations or residuals."""

    rows: tuple[str, ...]
    cols: tuple[str, ...]
    values: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """``rows``, ``cols`` and ``values`` as plain lists; None where undefined."""
        return {
            "rows": list(self.rows),
            "cols": list(self.cols),
            "values": [[_finite(v) for v in row] for row in self.values.tolist()],
        }


@dataclass(frozen=True)
class FitResult:
    """A fitted factor model.

    ``fit`` holds the fit measures under lavaan's names (``chisq``, ``cfi``, ``rmsea.ci.lower``, ``cfi.robust``, …).
    ``factor_correlations``, ``r_square`` and ``residual_correlations`` are keyed by block: the empty string where the
    model has one group and one level, the group's label, or ``within``/``between``.
    ``vcov`` is the covariance matrix of the free parameters, shape (n_free_parameters, n_free_parameters), in the
    order of ``table``; ``theta`` holds their estimates. ``extra`` holds what only one estimator gives (``icc``,
    ``thresholds``, ``polychoric``, ``saturated_moments``) and goes into ``to_dict`` as it is. ``internals`` is for
    difference tests between fits and never leaves the process.
    """

    converged: bool
    estimator: str
    missing: str
    n_obs: int
    n_free_parameters: int
    fit: Mapping[str, float] = field(default_factory=dict)
    parameters: tuple[ParameterEstimate, ...] = ()
    factor_correlations: Mapping[str, LabelledMatrix] = field(default_factory=dict)
    r_square: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    residual_correlations: Mapping[str, LabelledMatrix] = field(default_factory=dict)
    modification_indices: tuple[ModificationIndex, ...] = ()
    problems: tuple[Problem, ...] = ()
    n_clusters: int | None = None
    group_labels: tuple[str, ...] = ()
    theta: FloatArray | None = None
    vcov: FloatArray | None = None
    table: ParameterTable | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    internals: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def failed(cls, problem: Problem, *, estimator: str, missing: str, n_obs: int = 0, n_free: int = 0) -> FitResult:
        """The result of an analysis that gave no estimates, with the reason."""
        return cls(
            converged=False, estimator=estimator, missing=missing, n_obs=n_obs, n_free_parameters=n_free,
            problems=(problem,),
        )  # fmt: skip

    @property
    def warnings(self) -> list[str]:
        """The sentences of ``problems``."""
        return [problem.sentence for problem in self.problems]

    @property
    def has_estimates(self) -> bool:
        """Whether there is anything to show beside the problems."""
        return bool(self.parameters)

    def has_problem(self, code: str) -> bool:
        """Whether a problem of this name was found."""
        return any(problem.code == code for problem in self.problems)

    def parameter(self, lhs: str, op: str, rhs: str = "", group: int | None = None, level: int | None = None) -> (
        ParameterEstimate
    ):  # fmt: skip
        """The estimate of one parameter; a covariance is found in either order. Raises KeyError if there is none."""
        names = {(lhs, rhs), (rhs, lhs)} if op == "~~" else {(lhs, rhs)}
        for row in self.parameters:
            where = (group is None or row.group == group) and (level is None or row.level == level)
            if where and row.op == op and (row.lhs, row.rhs) in names:
                return row
        raise KeyError(f"{lhs} {op} {rhs}")

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers under the key names of lavaan, ready for ``json.dumps``; None where undefined."""
        result: dict[str, Any] = {
            "converged": self.converged,
            "warnings": self.warnings,
            "problems": [problem.to_dict() for problem in self.problems],
            "estimator": self.estimator,
            "missing": self.missing,
            "n_obs": self.n_obs,
            "n_free_parameters": self.n_free_parameters,
            "fit": {name: _finite(value) for name, value in self.fit.items()},
            "parameters": [row.to_dict() for row in self.parameters],
            "factor_correlations": _unwrap({k: m.to_dict() for k, m in self.factor_correlations.items()}),
            "r_square": _unwrap(
                {k: {name: _finite(v) for name, v in values.items()} for k, values in self.r_square.items()}
            ),
            "residual_correlations": _unwrap({k: m.to_dict() for k, m in self.residual_correlations.items()}),
            "modification_indices": [row.to_dict() for row in self.modification_indices],
        }
        if self.n_clusters is not None:
            result["n_clusters"] = self.n_clusters
        if self.group_labels:
            result["group_labels"] = list(self.group_labels)
        return result | {name: plain(value) for name, value in self.extra.items()}


_Z95 = 1.959963984540054  # standard normal quantile at .975


def plain(value: Any) -> Any:
    """Arrays, mappings, labelled matrices and numpy numbers as plain Python values; NaN and infinity as None."""
    if isinstance(value, LabelledMatrix):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float) -> float | int | None:
    """A number for JSON: None instead of NaN and infinity."""
    if isinstance(value, bool | int | np.integer):
        return int(value)
    return float(value) if math.isfinite(value) else None


def _unwrap(blocks: dict[str, Any]) -> Any:
    """One unnamed block is shown without its (empty) name, as lavaan does for one group."""
    return blocks[""] if set(blocks) == {""} else blocks
