"""The null distributions of rwg(j) that a plan names: the uniform never alone, each by its own name.

A plan of before has one distribution under the name ``skewed_null``. It is read as what it is: the plan's own one, or the
uniform, which it was for every scale that has not 4 points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import pgettext_lazy

from analysis.psychometrics.teams.nulls import (
    PUBLISHED,
    SKEWED_NULL_4,
    SLIGHT_SKEW,
    UNIFORM,
    VARIANCES,
    null_variance,
    published_null_variance,
    uniform_null_variance,
)

OWN = "own"
#: Distributions a plan begins with where none is published: skewed to the high answers, about as much as the published
#: slight skew (67 % of the uniform variance for 5 points). Those for 2 and 3 points are a choice of this project.
OWN_TO_BEGIN_WITH = {2: (0.25, 0.75), 3: (0.10, 0.40, 0.50), 4: SKEWED_NULL_4}
LABELS = {
    UNIFORM: pgettext_lazy("null distribution", "uniform"),
    SLIGHT_SKEW: pgettext_lazy("null distribution", "slight skew"),
    "moderate_skew": pgettext_lazy("null distribution", "moderate skew"),
    "heavy_skew": pgettext_lazy("null distribution", "heavy skew"),
    "triangular": pgettext_lazy("null distribution", "triangular"),
    "normal": pgettext_lazy("null distribution", "normal"),
    OWN: pgettext_lazy("null distribution", "own"),
}


@dataclass(frozen=True, slots=True)
class Null:
    """A null distribution by its name. ``shares`` of the answers, lowest first, are those of the plan's own one."""

    name: str
    variance: float
    shares: tuple[float, ...] = ()

    @property
    def label(self) -> str:
        return str(LABELS[self.name])

    @property
    def is_published(self) -> bool:
        """Whether its variance is from the table, and not computed here."""
        return self.name in PUBLISHED


def null_of(name: str, n_points: int, own: Sequence[float] = ()) -> Null:
    """A null by its name, for answers of so many points."""
    if name == UNIFORM:
        return Null(name, uniform_null_variance(n_points))
    if name == OWN:
        return Null(name, null_variance(own), tuple(own))
    return Null(name, published_null_variance(name, n_points))


def offered(n_points: int) -> tuple[Null, ...]:
    """The uniform null and the published ones, from which a plan chooses beside one of its own."""
    return tuple(null_of(name, n_points) for name in (UNIFORM, *(PUBLISHED if n_points in VARIANCES else ())))


def nulls_of(agreement: Mapping[str, Any], n_points: int) -> tuple[Null, ...]:
    """The nulls of a plan, from its part on agreement."""
    if "nulls" in agreement:
        return tuple(null_of(name, n_points, agreement.get(OWN, ())) for name in agreement["nulls"])
    shares = agreement["skewed_null"]
    is_uniform = max(shares) - min(shares) < 1e-9
    return tuple(null_of(name, n_points, shares) for name in ([UNIFORM] if is_uniform else [UNIFORM, OWN]))


def agreement_rules(names: Sequence[str], own: Sequence[float] = ()) -> dict[str, Any]:
    """The part of a plan on agreement. ``own`` shares are a null of their own, whether or not ``names`` has it."""
    ordered = [name for name in LABELS if name in names and name != OWN]
    return {"nulls": [*ordered, OWN], OWN: list(own)} if own else {"nulls": ordered}


def default_agreement(n_points: int) -> dict[str, Any]:
    """What a new plan has: the uniform null and the published slight skew, or one of its own where none is published."""
    if n_points in VARIANCES:
        return agreement_rules([UNIFORM, SLIGHT_SKEW])
    return agreement_rules([UNIFORM], OWN_TO_BEGIN_WITH[n_points])
