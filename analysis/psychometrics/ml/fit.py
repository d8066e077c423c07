r"""Fit measures of covariance structure models: numbers in, numbers out, under lavaan's names.

Notation: X chi-square and d its degrees of freedom for the model, X_b and d_b for the baseline (independence) model,
N cases, G groups. Where a test is scaled, X* = X / a + b with scaling factor a and shift b.

* CFI = 1 - max(X - d, 0) / max(X - d, X_b - d_b, 0)                       Bentler (1990), Psychol. Bull. 107, eq. 13
* TLI = 1 - [(X - d) d_b] / [(X_b - d_b) d]                                Tucker and Lewis (1973), Psychometrika 38
* RMSEA = sqrt(max(X/N - d/N, 0) / d) sqrt(G)                              Steiger (1998), Struct. Equ. Modeling 5
* RMSEA interval: the non-centralities at which X is the 95th and the 5th percentile of chi-square(d, lambda),
  and the p of close fit at lambda = N d .05^2 / G                         Browne and Cudeck (1993)
* robust indices replace d by c d with c = E(X)/d, the mean of X's distribution over d:
  CFI, TLI Brosseau-Liard and Savalei (2014), Multivar. Behav. Res. 49; RMSEA Brosseau-Liard, Savalei and Li (2012),
  Multivar. Behav. Res. 47; the robust interval is that of X* times sqrt(a)
* SRMR = root mean square of (s_ij - sigma_ij) / sqrt(s_ii s_jj)           Bentler (1995), EQS manual
* GFI of lavaan 0.7 = p / (p + 2 (T - d)/N) with Browne's residual statistic T  Maiti and Mukherjee (1990), Steiger (1989)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import brentq

from .result import FloatArray

CLOSE_FIT, NOT_CLOSE_FIT, CI_LEVEL = 0.05, 0.08, 0.90
_LOG_2PI = math.log(2.0 * math.pi)


@dataclass(frozen=True)
class ChiSquare:
    """A test statistic: ``chisq`` on ``df``, and where it is scaled ``chisq / scaling_factor + shift``."""

    chisq: float
    df: int
    scaling_factor: float | None = None
    shift: float = 0.0

    @property
    def scaled(self) -> float:
        """The scaled statistic; the plain one where there is no scaling factor, or nothing to scale."""
        if self.scaling_factor is None or self.df == 0:
            return self.chisq
        return self.chisq / self.scaling_factor + self.shift

    @property
    def mean_ratio(self) -> float:
        """c = E(X)/d implied by the scaling: a for a scaled statistic, a (d - b)/d for a scaled and shifted one."""
        if self.scaling_factor is None or self.df == 0:
            return 1.0
        return self.scaling_factor * (self.df - self.shift) / self.df


def upper_tail(chisq: float, df: float) -> float:
    """p of a chi-square; NaN without degrees of freedom."""
    return float(special.chdtrc(df, max(chisq, 0.0))) if df > 0 else math.nan


def cfi(x: float, df: float, x_b: float, df_b: float) -> float:
    """Comparative fit index; 1 for a saturated model."""
    above = max(x - df, 0.0)
    reference = max(above, x_b - df_b)
    return 1.0 if above == 0.0 or df <= 0 else 1.0 - above / reference


def tli(x: float, df: float, x_b: float, df_b: float) -> float:
    """Tucker-Lewis index (non-normed fit index); 1 for a saturated model."""
    if df <= 0:
        return 1.0
    return 1.0 - _ratio((x - df) * df_b, (x_b - df_b) * df)


def comparative_measures(x: float, df: float, x_b: float, df_b: float) -> dict[str, float]:
    """CFI, TLI and the other indices that compare with the baseline model."""
    # a model with more degrees of freedom than the baseline is not nested between it and the data
    nfi = _ratio(x_b - x, x_b) if df <= df_b else math.nan
    rfi = _ratio(x_b / df_b - x / df, x_b / df_b) if df > 0 < df_b else 1.0
    return {
        "cfi": cfi(x, df, x_b, df_b),
        "tli": tli(x, df, x_b, df_b),
        "nnfi": tli(x, df, x_b, df_b),
        "rfi": rfi if df <= df_b else math.nan,
        "nfi": nfi,
        "pnfi": _ratio(x_b - x, x_b) * _ratio(df, df_b),
        "ifi": _ratio(x_b - x, x_b - df),
        "rni": 1.0 - _ratio(x - df, x_b - df_b),
    }


def rmsea_point(x: float, df: float, n: float, n_groups: int = 1, c: float = 1.0) -> float:
    """Root mean square error of approximation; with c = E(X)/d its robust form. 0 for a saturated model."""
    if df <= 0:
        return 0.0
    return math.sqrt(max(x / n - c * df / n, 0.0) / df) * math.sqrt(n_groups)


def noncentrality_limits(x: float, df: float, level: float = CI_LEVEL) -> tuple[float, float]:
    """The two non-centrality parameters at which ``x`` is the upper and the lower tail quantile; 0 at least."""
    tail = (1.0 - level) / 2.0
    return _noncentrality(x, df, 1.0 - tail), _noncentrality(x, df, tail)


def rmsea_measures(x: float, df: float, n: float, n_groups: int = 1, a: float = 1.0) -> dict[str, float]:
    """Limits of the 90 % interval of RMSEA and the two p-values, from a statistic that is about chi-square(df).

    With a scaling factor ``a`` the limits are those of the unscaled discrepancy (robust).
    """
    if df <= 0:
        return {"ci.lower": 0.0, "ci.upper": 0.0, "pvalue": math.nan, "notclose.pvalue": math.nan}
    if not (a > 0.0 and math.isfinite(x)):
        # a scaling factor that few clusters made negative: the scaled statistic has no distribution
        return dict.fromkeys(("ci.lower", "ci.upper", "pvalue", "notclose.pvalue"), math.nan)
    lower, upper = noncentrality_limits(x, df)
    unit = n * df / (a * n_groups)

    def below(limit: float) -> float:
        return noncentral_cdf(x, df, unit * limit**2)

    return {
        "ci.lower": math.sqrt(lower / unit),
        "ci.upper": math.sqrt(upper / unit),
        "pvalue": 1.0 - below(CLOSE_FIT),
        "notclose.pvalue": below(NOT_CLOSE_FIT),
    }


def comparison_measures(model: ChiSquare, baseline: ChiSquare, n: float, n_groups: int = 1) -> dict[str, float]:
    """Chi-squares, comparative indices and RMSEA: plain, and where the tests are scaled ``.scaled`` and ``.robust``.

    ``n`` is the sample size the statistic was multiplied with (N, or N - 1 for least squares).
    """
    x, df, x_b, df_b = model.chisq, model.df, baseline.chisq, baseline.df
    scaled = model.scaling_factor is not None
    fit = _test_measures("", model) | _test_measures("baseline.", baseline)
    fit |= comparative_measures(x, df, x_b, df_b)
    if scaled:
        by_scaled = comparative_measures(model.scaled, df, baseline.scaled, df_b)
        fit |= {f"{name}.scaled": value for name, value in by_scaled.items()}
        c, c_b = model.mean_ratio, baseline.mean_ratio
        by_robust = comparative_measures(x, c * df, x_b, c_b * df_b)
        # the ratios of degrees of freedom in TLI are those of the models, not of the reference distributions
        robust_tli = 1.0 if df == 0 else 1.0 - _ratio((x - c * df) * df_b, (x_b - c_b * df_b) * df)
        fit |= {"cfi.robust": by_robust["cfi"], "tli.robust": robust_tli}
        fit |= {"nnfi.robust": robust_tli, "rni.robust": by_robust["rni"]}
    fit["rmsea"] = rmsea_point(x, df, n, n_groups)
    fit |= {f"rmsea.{name}": value for name, value in rmsea_measures(x, df, n, n_groups).items()}
    fit |= {"rmsea.ci.level": CI_LEVEL, "rmsea.close.h0": CLOSE_FIT, "rmsea.notclose.h0": NOT_CLOSE_FIT}
    if scaled:
        fit["rmsea.scaled"] = rmsea_point(model.scaled, df, n, n_groups)
        # a statistic that is only scaled is referred to a chi-square with the mean of its distribution, c d
        by_scaled = (
            rmsea_measures(model.scaled, df, n, n_groups)
            if model.shift
            else rmsea_measures(x, model.mean_ratio * df, n, n_groups)
        )
        fit |= {f"rmsea.{name}.scaled": value for name, value in by_scaled.items()}
        fit["rmsea.robust"] = rmsea_point(x, df, n, n_groups, model.mean_ratio)
        by_robust = rmsea_measures(model.scaled, df, n, n_groups, model.scaling_factor or 1.0)
        fit |= {f"rmsea.{name}.robust": value for name, value in by_robust.items()}
    fit["cn_05"], fit["cn_01"] = critical_n(x, df, n, 0.05), critical_n(x, df, n, 0.01)
    fit["mfi"] = math.exp(-0.5 * (x - df) / n)
    return fit


def _test_measures(prefix: str, test: ChiSquare) -> dict[str, float]:
    fit = {
        f"{prefix}chisq": test.chisq,
        f"{prefix}df": test.df,
        f"{prefix}pvalue": upper_tail(test.chisq, test.df),
    }
    if test.scaling_factor is not None:
        fit |= {
            f"{prefix}chisq.scaled": test.scaled,
            f"{prefix}df.scaled": test.df,
            f"{prefix}pvalue.scaled": upper_tail(test.scaled, test.df),
            f"{prefix}chisq.scaling.factor": test.scaling_factor,
        }
    return fit


def critical_n(x: float, df: float, n: float, alpha: float) -> float:
    """Hoelter's critical N: the sample size at which this discrepancy would be significant at ``alpha``.

    1 for a saturated model, as in lavaan; infinite where there is no discrepancy.
    """
    if df <= 0:
        return 1.0
    if x <= 0:
        return math.inf
    return float(special.chdtri(df, alpha)) / (x / n) + 1.0


def information_criteria(logl: float, unrestricted_logl: float, n_free: int, n: int) -> dict[str, float]:
    """Log-likelihoods, AIC, BIC and the sample-size adjusted BIC (Sclove 1987, Psychometrika 52)."""
    return {
        "logl": logl,
        "unrestricted.logl": unrestricted_logl,
        "aic": -2.0 * logl + 2.0 * n_free,
        "bic": -2.0 * logl + n_free * math.log(n),
        "ntotal": n,
        "bic2": -2.0 * logl + n_free * math.log((n + 2.0) / 24.0),
    }


def normal_log_likelihood(log_det: float, trace: float, n: int, p: int) -> float:
    """Log-likelihood of n cases of p normal variables, from log|Sigma| and tr(Sigma^-1 T)."""
    return -0.5 * n * (p * _LOG_2PI + log_det + trace)


@dataclass(frozen=True)
class GroupMoments:
    """Sample and implied moments of one group: covariances (p, p), means (p,) and the group's share of the cases."""

    s: FloatArray
    m: FloatArray
    sigma: FloatArray
    mu: FloatArray
    share: float


def residual_measures(groups: Sequence[GroupMoments], *, means: bool) -> dict[str, float]:
    """RMR, SRMR and CRMR in their variants; over groups their mean weighted by cases.

    With a mean structure the p mean residuals count too: the denominator is p(p+1)/2 + p, and p(p+1)/2 in the
    ``_nomean`` variants. Maydeu-Olivares (2017), Psychometrika 82, for CRMR; ``srmr_mplus`` after the Mplus manual.
    """
    parts = [_residual_measures(group, means=means) for group in groups]
    return {name: sum(group.share * part[name] for group, part in zip(groups, parts, strict=True)) for name in parts[0]}


def _residual_measures(group: GroupMoments, *, means: bool) -> dict[str, float]:
    s, sigma = group.s, group.sigma
    p = len(s)
    lower, below = np.tril_indices(p), np.tril_indices(p, -1)
    sd, sd_model = np.sqrt(np.diag(s)), np.sqrt(np.diag(sigma))
    raw = (s - sigma)[lower]
    bentler = ((s - sigma) / np.outer(sd, sd))[lower]
    correlation = (s / np.outer(sd, sd) - sigma / np.outer(sd_model, sd_model))[below]
    mplus = np.concatenate([correlation, np.diag(s - sigma) / sd**2])
    difference = group.m - group.mu if means else np.zeros(0)
    by_sd = difference / sd if means else difference
    by_own_sd = group.m / sd - group.mu / sd_model if means else difference

    def both(covariances: FloatArray, means_part: FloatArray) -> tuple[float, float]:
        return _root_mean_square(np.concatenate([covariances, means_part])), _root_mean_square(covariances)

    rmr, rmr_nomean = both(raw, difference)
    srmr, srmr_nomean = both(bentler, by_sd)
    crmr, crmr_nomean = both(correlation, by_sd)
    srmr_mplus, srmr_mplus_nomean = both(mplus, by_own_sd)
    return {
        "rmr": rmr, "rmr_nomean": rmr_nomean,
        "srmr": srmr, "srmr_bentler": srmr, "srmr_bentler_nomean": srmr_nomean,
        "crmr": crmr, "crmr_nomean": crmr_nomean,
        "srmr_mplus": srmr_mplus, "srmr_mplus_nomean": srmr_mplus_nomean,
    }  # fmt: skip


def _root_mean_square(values: FloatArray) -> float:
    return math.sqrt(float(np.mean(values**2))) if values.size else 0.0


def noncentral_cdf(x: float, df: float, noncentrality: float) -> float:
    """Distribution function of the non-central chi-square."""
    if noncentrality == 0.0:
        return float(special.chdtr(df, x))
    value = float(special.chndtr(x, df, noncentrality))
    if math.isfinite(value):
        return value
    # beyond about 1e9 the series gives up, and the distribution is normal to more digits than anyone needs
    return float(special.ndtr((x - df - noncentrality) / math.sqrt(2.0 * (df + 2.0 * noncentrality))))


def _noncentrality(x: float, df: float, probability: float) -> float:
    """lambda with P(chi-square(df, lambda) <= x) = probability; 0 where even lambda = 0 gives less."""
    if not (math.isfinite(x) and math.isfinite(df)):
        return math.nan
    if x <= 0 or noncentral_cdf(x, df, 0.0) <= probability:
        return 0.0

    def off(noncentrality: float) -> float:
        return noncentral_cdf(x, df, noncentrality) - probability

    high = max(x - df, 1.0)
    while off(high) > 0:
        high *= 2.0
    return float(brentq(off, 0.0, high, xtol=1e-10, rtol=1e-14))


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0 else math.nan


def unbiased_gfi(browne: float, test: ChiSquare, n: float, p: int, n_groups: int = 1) -> dict[str, float]:
    """GFI as p / (p + 2 lambda/N), lambda the non-centrality of Browne's residual statistic, with its interval.

    Robust forms divide the statistic by c = E(X)/d of ``test``.
    """

    def gfi(noncentrality: float) -> float:
        return p / (p + 2.0 * max(noncentrality, 0.0) / n)

    if test.df <= 0:
        return {"gfi": 1.0, "gfi.ci.lower": 1.0, "gfi.ci.upper": 1.0, "gfi.ci.level": CI_LEVEL}
    low, high = noncentrality_limits(browne, test.df)
    fit = {"gfi": gfi(browne - test.df), "gfi.ci.lower": gfi(high), "gfi.ci.upper": gfi(low), "gfi.ci.level": CI_LEVEL}
    if test.scaling_factor is not None:
        c = test.mean_ratio
        a, b = test.scaling_factor, test.shift
        if not a > 0.0:
            return fit | dict.fromkeys(("gfi.robust", "gfi.ci.lower.robust", "gfi.ci.upper.robust"), math.nan)
        low, high = noncentrality_limits(browne / a + b, test.df)
        fit["gfi.robust"] = gfi(browne - c * test.df)
        fit |= {"gfi.ci.lower.robust": gfi(a * high), "gfi.ci.upper.robust": gfi(a * low)}
    return fit
