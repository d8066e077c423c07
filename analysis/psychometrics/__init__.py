"""Psychometrics for Likert scales answered by people in teams: numpy, scipy and pandas, and nothing of Django.

Formulas and literature are named where they are computed and gathered in docs/methods.md.
"""

from typing import TYPE_CHECKING, Any

from .errors import AnalysisInputError, ModelSyntaxError
from .problems import Problem

if TYPE_CHECKING:
    from .entry.estimate import fit
    from .ml.result import FitResult

__all__ = ["AnalysisInputError", "FitResult", "ModelSyntaxError", "Problem", "fit"]


def __getattr__(name: str) -> Any:
    """What estimates is imported when it is asked for: with it come numpy, scipy and pandas, some 100 MB."""
    if name == "fit":
        from .entry import estimate

        return estimate.fit
    if name == "FitResult":
        from .ml import result

        return result.FitResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
