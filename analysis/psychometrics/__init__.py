"""Psychometrics for Likert scales answered by people in teams: numpy, scipy and pandas, and nothing of Django.

Formulas and literature are named where they are computed and gathered in docs/methods.md.
"""

from .entry.estimate import fit
from .errors import AnalysisInputError, ModelSyntaxError
from .ml.result import FitResult
from .problems import Problem

__all__ = ["AnalysisInputError", "FitResult", "ModelSyntaxError", "Problem", "fit"]
