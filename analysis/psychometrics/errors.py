"""Errors of the engine: a question that cannot be read, and an estimate that is not possible."""

from __future__ import annotations

from .problems import Problem


class AnalysisInputError(ValueError):
    """Input that cannot be analysed as asked: one clear sentence, shown as it is."""


class ModelSyntaxError(AnalysisInputError):
    """A model text that cannot be read.

    ``line`` and ``column`` count from 1; ``expected`` says what could have stood there, ``found`` what did.
    """

    def __init__(self, line: int, column: int, expected: str, found: str) -> None:
        self.line = line
        self.column = column
        self.expected = expected
        self.found = found
        super().__init__(f"line {line}, column {column}: expected {expected}, found {found}")


class ModelError(AnalysisInputError):
    """A model text that can be read, but describes no model that can be fitted."""


class DataError(AnalysisInputError):
    """Data that do not fit the question: a column that is missing or holds text."""


class FitFailure(Exception):
    """Raised inside the estimators where no estimate is possible; ``fit`` turns it into ``FitResult.failed``."""

    def __init__(self, code: str, sentence: str, subject: str = "") -> None:
        self.problem = Problem(code, subject, sentence)
        super().__init__(sentence)
