"""How closely our numbers must agree with the oracles: copied once from tests/oracles/README.md.

A tolerance is absolute unless its name ends in ``_REL``.
"""

from dataclasses import dataclass

DESCRIPTIVES = 1e-9  # means, SD, alpha, ICC(1)/(2) from ANOVA, rwg(j), item-rest r
ICC_MIXED_MODEL = 1e-5  # icc1_reml, icc1_ml and their variances

ML_ESTIMATE = 1e-6
ML_SE_REL = 1e-6
ML_CHISQ = 1e-6  # chi-square, log-likelihood, information criteria
ML_INDEX = 1e-8  # CFI, TLI, RMSEA, SRMR
ML_RMSEA_CI = 1e-6
MLM_INDEX = 1e-7  # scaling factor, scaled and robust indices
MLR_SE_REL = 1e-5  # lavaan's Hessian is numeric
MLR_SCALING = 1e-6
MODIFICATION_REL = 1e-5

WLSMV_THRESHOLD = 1e-8
WLSMV_POLYCHORIC = 1e-5
WLSMV_ESTIMATE = 1e-4
WLSMV_SE_REL = 1e-3
WLSMV_CHISQ_REL = 1e-3

FIML_LOGL = 1e-5
FIML_ESTIMATE = 1e-5
FIML_SE_REL = 1e-4
FIML_CHISQ = 1e-4
FIML_ROBUST_INDEX = 1e-3

TWO_LEVEL_ESTIMATE = 1e-5
TWO_LEVEL_LOGL = 1e-5
TWO_LEVEL_SE_REL = 1e-3
TWO_LEVEL_CHISQ = 1e-3  # only where the oracle's warnings are clean

ROTATED_PATTERN = 1e-3


@dataclass(frozen=True)
class Excluded:
    """A quantity of the oracle files that is not compared, and why."""

    name: str
    reason: str
