"""The fit on which an analysis of a few answers spends most of its time, done once for the same numbers.

Hundreds of tests analyse the same small studies. In these, one factor seldom fits, and the search for it goes on to its last
step. What it finds follows from the covariances alone, so that it is remembered as long as the tests run. No
step of the analysis is passed over.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from analysis.psychometrics.scales import reliability
from analysis.psychometrics.scales.one_factor import OneFactorResult, fit_one_factor

_found: dict[tuple[Any, ...], OneFactorResult] = {}


def remembered(covariance: Any, *, names: tuple[str, ...] = ()) -> OneFactorResult:
    # answers come in another order each time, which changes the last digit
    key = (covariance.shape, (covariance.round(12) + 0.0).tobytes(), names)
    if key not in _found:
        _found[key] = fit_one_factor(covariance, names=names)
    return _found[key]


@pytest.fixture(autouse=True, scope="session")
def fits_are_remembered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reliability, "fit_one_factor", remembered)
        yield
