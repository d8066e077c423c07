"""Alpha, omega and item statistics against psych and lavaan, and their properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.psychometrics.entry.reliability_models import omega_with_missing_answers, ordinal_reliability
from analysis.psychometrics.problems import (
    NEGATIVE_VARIANCE,
    NO_VARIANCE,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_ITEMS,
    TOO_FEW_OBSERVATIONS,
)
from analysis.psychometrics.scales.one_factor import fit_one_factor
from analysis.psychometrics.scales.reliability import (
    alpha_standard_error,
    cronbach_alpha,
    feldt_interval,
    omega_to_dict,
    omega_total,
    reliability,
    reliability_of_scales,
)
from analysis.psychometrics.scales.scoring import reverse_key
from tests.analysis.psychometrics.conftest import load_data, load_oracle
from tests.analysis.psychometrics.oracle_comparison import compare
from tests.analysis.psychometrics.tolerances import DESCRIPTIVES, FIML_ESTIMATE, WLSMV_ESTIMATE, WLSMV_POLYCHORIC

DATA_SETS = ("hs1939", "bfi", "simstudy_complete", "simstudy_missing")
SCALES = [(name, scale) for name in DATA_SETS for scale in load_oracle(f"{name}_descriptives")["scales"]]


def scale_of(name, scale):
    entry = load_oracle(f"{name}_descriptives")["scales"][scale]
    return load_data(name)[entry["items"]], entry


def having(key):
    return [(n, s) for n, s in SCALES if key in load_oracle(f"{n}_descriptives")["scales"][s]]


def test_every_block_of_the_oracle_is_compared():
    blocks = {key for name, scale in SCALES for key in scale_of(name, scale)[1]}
    here = {"listwise", "pairwise", "item_rest_r_listwise_plain", "omega_ml_listwise", "omega_fiml", "ordinal_listwise"}
    elsewhere = {"items", "n_complete", "score_complete", "score_available_items"}  # test_descriptives
    assert blocks == here | elsewhere


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_alpha_and_item_statistics(name, scale, missing):
    items, entry = scale_of(name, scale)
    if missing in entry:
        assert compare(reliability(items, missing=missing).to_dict(), entry[missing], DESCRIPTIVES) == []
    else:
        assert items.notna().all(axis=None)


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_item_rest_correlations(name, scale):
    items, entry = scale_of(name, scale)
    assert compare(reliability(items).item_rest_r, entry["item_rest_r_listwise_plain"], DESCRIPTIVES) == []


@pytest.mark.parametrize(("name", "scale"), having("omega_ml_listwise"))
def test_omega(name, scale):
    items, entry = scale_of(name, scale)
    result, n = omega_total(items)
    assert compare(omega_to_dict(result, list(items.columns), n), entry["omega_ml_listwise"], DESCRIPTIVES) == []


@pytest.mark.parametrize(("name", "scale"), having("omega_fiml"))
def test_omega_with_missing_answers(name, scale):
    items, entry = scale_of(name, scale)
    result = omega_with_missing_answers(items)
    ours = {"omega_model": result.omega, "loadings_stdlv": result.loadings, "n": result.n}
    assert compare(ours, entry["omega_fiml"], FIML_ESTIMATE) == []


@pytest.mark.parametrize(("name", "scale"), having("ordinal_listwise"))
def test_ordinal_reliability(name, scale):
    items, entry = scale_of(name, scale)
    result = ordinal_reliability(items)
    ours = {
        "alpha_ordinal": result.alpha,
        "omega_ordinal_latent_response": result.omega,
        "loadings_std": result.loadings,
        "polychoric": result.polychoric.to_dict(),
    }

    def tolerance(path):
        return WLSMV_POLYCHORIC if path.startswith(("polychoric", "alpha")) else WLSMV_ESTIMATE / 100

    assert compare(ours, entry["ordinal_listwise"], tolerance) == []


def test_feldt_interval_by_hand():
    """Feldt, Woodruff and Salih (1987, p. 97): alpha .79, 6 items and 41 people give an interval of about .67 to .88."""
    lower, upper = feldt_interval(0.79, 41, 6)
    assert (lower, upper) == (pytest.approx(0.668, abs=0.005), pytest.approx(0.876, abs=0.005))


def test_failures_are_named():
    flat = pd.DataFrame({"a": [1.0, 2, 3, 4, 2], "b": [2.0, 2, 2, 2, 2], "c": [1.0, 3, 2, 4, 1]})
    result = reliability(flat)
    assert [(p.code, p.subject) for p in result.problems] == [(NO_VARIANCE, "b")]
    assert np.isfinite(result.alpha_raw)
    assert np.isnan(result.item_rest_r["b"])
    assert omega_total(flat)[0].problems[0].code == NO_VARIANCE
    assert reliability(flat[["a"]]).problems[0].code == TOO_FEW_ITEMS
    assert omega_total(flat[["a", "c"]])[0].problems[0].code == TOO_FEW_ITEMS
    assert omega_with_missing_answers(flat[["a", "c"]]).problems[0].code == TOO_FEW_ITEMS
    assert ordinal_reliability(flat).problems[0].code == NO_VARIANCE
    gaps = pd.DataFrame({"a": [1.0, np.nan], "b": [np.nan, 2.0]})
    assert reliability(gaps).problems[0].code == TOO_FEW_OBSERVATIONS
    assert omega_total(gaps)[0].problems[0].code == TOO_FEW_OBSERVATIONS
    twins = flat.assign(b=flat["a"])
    assert reliability(twins).problems[0].code == NOT_POSITIVE_DEFINITE
    assert omega_total(twins)[0].problems[0].code == NOT_POSITIVE_DEFINITE
    assert np.isnan(cronbach_alpha(np.zeros((2, 2))))
    assert np.isnan(alpha_standard_error(np.zeros((1, 1)), 10))
    with pytest.raises(KeyError, match="nowhere"):
        reliability_of_scales(flat, {"s": ["a", "nowhere"]})


def test_negative_residual_variance_is_named():
    """A Heywood case by construction: l1 = sqrt(r12 r13 / r23) > 1."""
    r = np.array([[1, 0.9, 0.8], [0.9, 1, 0.6], [0.8, 0.6, 1]])
    result = fit_one_factor(r, names=("a", "b", "c"))
    assert [(p.code, p.subject) for p in result.problems] == [(NEGATIVE_VARIANCE, "a")]
    assert result.loadings[0] == pytest.approx(np.sqrt(0.9 * 0.8 / 0.6), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.3, 0.9), min_size=3, max_size=8),
    st.data(),
)
def test_one_factor_model_is_recovered(loadings, data):
    scale = np.array(data.draw(st.lists(st.floats(0.1, 10), min_size=len(loadings), max_size=len(loadings))))
    lam = np.array(loadings)
    sigma = (np.outer(lam, lam) + np.diag(1 - lam**2)) * np.outer(scale, scale)
    result = fit_one_factor(sigma)
    np.testing.assert_allclose(result.loadings, lam * scale, rtol=1e-6)
    assert result.omega_model == pytest.approx(result.omega_observed_total, rel=1e-8)


answers = st.lists(st.lists(st.integers(1, 4), min_size=4, max_size=4), min_size=8, max_size=40)


@settings(max_examples=60, deadline=None)
@given(answers, st.permutations([0, 1, 2, 3]), st.floats(0.1, 10), st.floats(-5, 5))
def test_alpha_is_invariant(rows, order, factor, offset):
    """Item order and the unit of the answers do not matter, and turning all items round does not either."""
    items = pd.DataFrame(rows, columns=list("abcd"), dtype=float)
    covariance = np.cov(items.to_numpy().T)
    assume(covariance.sum() > 1e-3)
    alpha = reliability(items).alpha_raw
    assert reliability(items.iloc[:, list(order)]).alpha_raw == pytest.approx(alpha, abs=1e-9)
    assert reliability(items * factor + offset).alpha_raw == pytest.approx(alpha, abs=1e-9)
    assert reliability(reverse_key(items, list("abcd"))).alpha_raw == pytest.approx(alpha, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(answers)
def test_alpha_if_deleted_is_alpha_of_the_rest(rows):
    items = pd.DataFrame(rows, columns=list("abcd"), dtype=float)
    assume((items.nunique() > 1).all())
    result = reliability(items)
    for name in items.columns:
        rest = reliability(items.drop(columns=name)).alpha_raw
        assert result.alpha_if_deleted[name] == pytest.approx(rest, abs=1e-9, nan_ok=True)
