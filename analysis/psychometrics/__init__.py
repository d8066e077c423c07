"""Psychometrics for Likert scales answered by people in teams: numpy, scipy and pandas, and nothing of Django.

Formulas and literature are named where they are computed and gathered in docs/methods.md.
"""

from analysis.psychometrics.errors import AnalysisInputError, ModelSyntaxError
from analysis.psychometrics.estimate import fit
from analysis.psychometrics.problems import Problem
from analysis.psychometrics.result import FitResult

__all__ = ["AnalysisInputError", "FitResult", "ModelSyntaxError", "Problem", "fit"]
