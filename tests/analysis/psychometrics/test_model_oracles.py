"""Kinds of models that the main oracle files do not have, against lavaan 0.6-14 (tests/oracles/hs1939_models.R).

lavaan is run into rounding there, but its optimum is not polished by Newton steps: tolerances are a little wider than
those of the README, and small enough to show any difference of convention.
"""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from analysis.psychometrics import FitResult, fit

from .conftest import load_data, load_oracle

FITS = load_oracle("hs1939_models")["fits"]
REL = 1e-5
OPTIONS = {"std.lv": "std_lv", "group": "group", "group.equal": "group_equal", "cluster": "cluster"}


@cache
def our_fit(name: str) -> FitResult:
    expected = FITS[name]
    data = load_data("hs1939").assign(team=(np.arange(1, 302) * 7) % 41)
    options: dict[str, Any] = {OPTIONS[key]: value for key, value in (expected["options"] or {}).items()}
    if isinstance(options.get("group_equal"), str):
        options["group_equal"] = (options["group_equal"],)
    rows = expected.get("head")
    return fit(
        expected["model"], data.head(rows) if isinstance(rows, int) else data,
        estimator=name.split("__")[1].upper(), modification=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_fit_measures(name: str) -> None:
    ours = our_fit(name).fit
    undefined = {measure for measure, value in FITS[name]["fit"].items() if value is None}
    if ours["df"] > 0:  # a saturated model has robust indices here (1) and none in lavaan
        assert {measure for measure in undefined if math.isfinite(ours[measure])} == set()
    wrong = {
        measure: (ours[measure], value)
        for measure, value in FITS[name]["fit"].items()
        if isinstance(value, int | float) and not math.isclose(ours[measure], value, rel_tol=REL, abs_tol=1e-6)
    }
    assert wrong == {}
    assert our_fit(name).n_obs == FITS[name]["n_obs"]


@pytest.mark.parametrize("name", FITS)
def test_parameters(name: str) -> None:
    result = our_fit(name)
    assert len(result.parameters) == len(FITS[name]["parameters"])
    wrong = []
    for row in FITS[name]["parameters"]:
        group = row.get("group") if result.group_labels else None
        own = result.parameter(row["lhs"], row["op"], row["rhs"], group=group).to_dict()
        for column in ("est", "se", "std.lv", "std.all", "std.all.se"):
            if row[column] is None or not math.isclose(own[column], row[column], rel_tol=REL, abs_tol=1e-5):
                wrong.append((row["lhs"], row["op"], row["rhs"], column, own[column], row[column]))
    assert wrong == []
