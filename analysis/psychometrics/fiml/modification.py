"""Modification indices of a model fitted to answers with holes.

The score test of :mod:`analysis.psychometrics.ml.modification` with the information expected under the model, patterns of
missing answers held fixed, as lavaan computes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ml.modification import freed_model, indices_from_score
from ..ml.result import ModificationIndex
from ..ml.strata import Array
from ..syntax.model import ParameterTable
from .estimation import fiml_derivatives
from .scaling import FimlSample


def fiml_modification_indices(
    table: ParameterTable, theta: Array, groups: Sequence[FimlSample]
) -> tuple[ModificationIndex, ...]:
    """Modification indices of a FIML fit, largest first; empty where the information is singular."""
    candidates, structure, at = freed_model(table, theta)
    patterns = [group.patterns for group in groups]
    _, gradient, information = fiml_derivatives(structure, patterns, at, expected=True)
    return indices_from_score(table, candidates, structure.at(at), -gradient, information)
