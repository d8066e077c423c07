"""Reliability from factor models that the quick one-factor solver does not cover: missing answers, ordinal items.

McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum. Zumbo, B. D., Gadermann, A. M. & Zeisser, C. (2007).
Ordinal versions of coefficients alpha and theta for Likert rating scales. Journal of Modern Applied Statistical Methods,
6, 21-29.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..ml.result import FitResult, LabelledMatrix
from ..ordinal.ordinal import fit_ordinal
from ..problems import TOO_FEW_ITEMS, Problem
from ..scales.reliability import cronbach_alpha
from .estimate import fit

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ModelReliability:
    """Omega of one scale from a factor model.

    ``omega`` = (Σl)² / ((Σl)² + Σpsi) from ``loadings`` with a factor of variance 1: of the observed answers for
    :func:`omega_with_missing_answers`, of the latent responses behind ordinal answers for
    :func:`ordinal_reliability` (whose ``alpha`` is Cronbach's alpha of the ``polychoric`` correlations). ``n`` respondents.
    """

    n: int
    loadings: dict[str, float]
    omega: float
    alpha: float = _NAN
    polychoric: LabelledMatrix | None = None
    problems: tuple[Problem, ...] = ()


def omega_with_missing_answers(items: pd.DataFrame) -> ModelReliability:
    """Return omega of the one-factor model by full-information maximum likelihood: all respondents with an answer count.

    ``items`` (respondents × items of one scale, NaN for gaps). Fewer than three items, items without variance and models
    that do not converge are problems with NaN.
    """
    result, names = _one_factor(items, ordinal=False)
    if result is None or not result.has_estimates:
        return _no_omega(names, result)
    loadings = [result.parameter("scale", "=~", f"item{i}").est for i in range(len(names))]
    residuals = [result.parameter(f"item{i}", "~~", f"item{i}").est for i in range(len(names))]
    return ModelReliability(
        n=result.n_obs,
        loadings=dict(zip(names, loadings, strict=True)),
        omega=_omega(loadings, residuals),
        problems=result.problems,
    )


def ordinal_reliability(items: pd.DataFrame) -> ModelReliability:
    """Return ordinal alpha and omega of the latent responses (Zumbo et al. 2007), on the rows without gaps.

    Both describe the sum of the latent responses, not that of the answers: they are higher than alpha and omega of the
    answers and say nothing about the reliability of a scale score.
    """
    result, names = _one_factor(items, ordinal=True)
    if result is None or not result.has_estimates:
        return _no_omega(names, result)
    loadings = [result.parameter("scale", "=~", f"item{i}").std_all for i in range(len(names))]
    matrix = np.asarray(result.extra["polychoric"].values, dtype=np.float64)
    return ModelReliability(
        n=result.n_obs,
        loadings=dict(zip(names, loadings, strict=True)),
        omega=_omega(loadings, [1 - loading**2 for loading in loadings]),
        alpha=cronbach_alpha(matrix),
        polychoric=LabelledMatrix(tuple(names), tuple(names), matrix),
        problems=result.problems,
    )


def _one_factor(items: pd.DataFrame, *, ordinal: bool) -> tuple[FitResult | None, list[str]]:
    """Fit one factor to items under names that every model syntax accepts."""
    names = [str(name) for name in items.columns]
    if len(names) < 3:
        return None, names
    renamed = items.set_axis([f"item{i}" for i in range(len(names))], axis=1)
    model = "scale =~ " + " + ".join(renamed.columns)
    if ordinal:
        return fit_ordinal(model, renamed, std_lv=True, modification=False), names
    return fit(model, renamed, missing="fiml", std_lv=True, modification=False), names


def _omega(loadings: list[float], residuals: list[float]) -> float:
    common = sum(loadings) ** 2
    return common / (common + sum(residuals))


def _no_omega(names: list[str], result: FitResult | None) -> ModelReliability:
    if result is None:
        problems: tuple[Problem, ...] = (
            Problem(TOO_FEW_ITEMS, "", f"A one-factor model needs at least 3 items, not {len(names)}."),
        )
        return ModelReliability(0, dict.fromkeys(names, _NAN), _NAN, problems=problems)
    return ModelReliability(result.n_obs, dict.fromkeys(names, _NAN), _NAN, problems=result.problems)
