"""WLSMV on kinds of models and tables that the main oracle has not: made by tests/oracles/ordinal_models.R in lavaan 0.6."""

import math

import numpy as np
import pytest

from analysis.psychometrics.ordinal.ordinal import fit_ordinal
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import Excluded

ORACLE = load_oracle("ordinal_models")["fits"]
ITEMS = [f"x{i}" for i in range(1, 10)]
#: lavaan's polychorics stop at about 1e-8 and its estimates at 1e-6.
TOLERANCE = 3e-6
EXCLUDED = (
    Excluded(
        "pvalue, baseline.pvalue", "lavaan 0.6 gives one to a statistic without a chi-square distribution, 0.7 none"
    ),
    Excluded(
        "rmsea.pvalue.robust, rmsea.notclose.pvalue.robust", "lavaan 0.6 has N - G for N: point and limits follow"
    ),
)
RESCALED = ("rmsea.robust", "rmsea.ci.lower.robust", "rmsea.ci.upper.robust")
NAMES = {name.strip() for excluded in EXCLUDED for name in excluded.name.split(",")} | set(RESCALED)


def change(data, how):
    """The tables of the R script, made by rules of row and column number."""
    values = data[ITEMS].to_numpy(dtype=float, copy=True)
    row, column = np.arange(1, len(values) + 1)[:, None], np.arange(1, 10)[None, :]
    if how == "binary":
        values = np.where(values >= 3, 2.0, 1.0)
    elif how == "mixed":
        values[:, [0, 3, 6]] = np.where(values[:, [0, 3, 6]] >= 3, 2, 1)
        values[:, [1, 4]] = np.minimum(values[:, [1, 4]], 3)
    elif how == "skewed":
        values = np.where((values == 4) & ((row + column) % 3 != 0), 2.0, 1.0)
    elif how == "gaps":
        values[(7 * row + 3 * column) % 23 == 0] = np.nan
    return data.assign(**dict(zip(ITEMS, values.T, strict=True)))


@pytest.fixture(scope="module")
def school():
    return load_data("hs1939_ordinal")


@pytest.mark.parametrize("name", ORACLE)
def test_ordinal_model(school, name):
    oracle = ORACLE[name]
    data = change(school, oracle["data"]) if oracle.get("data") else school
    if oracle.get("head"):
        data = data.head(oracle["head"])
    options = oracle["options"] or {}
    ours = fit_ordinal(
        oracle["model"],
        data,
        estimator=name.partition("__")[2].upper(),
        std_lv=options.get("std.lv", False),
        group=options.get("group"),
        missing=options.get("missing", "listwise"),
        group_equal=(options["group.equal"],) if "group.equal" in options else (),
    ).to_dict()
    assert ours["converged"]
    assert ours["n_obs"] == oracle["n_obs"]
    assert compare(ours["fit"], oracle["fit"], TOLERANCE, excluded=NAMES) == []
    n_groups = len(ours.get("group_labels", [])) or 1
    for measure in RESCALED:
        if oracle["fit"].get(measure) is not None:
            old = ours["fit"][measure] * math.sqrt(oracle["n_obs"] / (oracle["n_obs"] - n_groups))
            assert old == pytest.approx(oracle["fit"][measure], abs=20 * TOLERANCE)
    mine = {(row["lhs"], row["op"], row["rhs"], row.get("group", 1)): row for row in ours["parameters"]}
    assert len(mine) == len(oracle["parameters"])
    for row in oracle["parameters"]:
        key = (row["lhs"], row["op"], row["rhs"], row.get("group", 1))
        expected = {k: row.get(k) for k in ("est", "se", "std.lv", "std.all", "std.all.se")}
        assert compare(mine[key], expected, TOLERANCE, path=str(key)) == []
