"""What must hold for any data: invariances of the model, saturated models, nested models."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.psychometrics import FitResult, fit

ITEMS = ["a1", "a2", "a3", "b1", "b2", "b3"]
MODEL = "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3"
INDICES = ("chisq", "cfi", "tli", "rmsea", "srmr", "chisq.scaled", "chisq.scaling.factor", "cfi.robust")

seeds = st.integers(min_value=0, max_value=10_000)
estimators = st.sampled_from(["ML", "MLM", "MLR", "MLMV"])
few = settings(max_examples=20, deadline=None, derandomize=True)


@cache
def data_of(seed: int, n: int = 150) -> pd.DataFrame:
    """Two correlated factors with skewed responses in nine teams."""
    rng = np.random.default_rng(seed)
    factors = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=n)
    loadings = rng.uniform(0.5, 0.9, size=6)
    noise = rng.gamma(2.0, 0.5, size=(n, 6))
    values = factors[:, [0, 0, 0, 1, 1, 1]] * loadings + noise
    return pd.DataFrame(values, columns=ITEMS).assign(team=rng.integers(0, 9, size=n))


def cleanly(result: FitResult) -> FitResult:
    assume(result.converged and result.fit)
    return result


def same_fit(one: FitResult, other: FitResult) -> None:
    for name in INDICES:
        if name in one.fit:
            assert other.fit[name] == pytest.approx(one.fit[name], rel=1e-6, abs=1e-6), name


@few
@given(seed=seeds, estimator=estimators, order=st.permutations(range(3)))
def test_order_of_items_does_not_matter(seed: int, estimator: str, order: list[int]) -> None:
    shuffled = "a =~ " + " + ".join(f"a{i + 1}" for i in order) + "\nb =~ b1 + b2 + b3"
    one = cleanly(fit(MODEL, data_of(seed), estimator=estimator, std_lv=True))
    other = cleanly(fit(shuffled, data_of(seed), estimator=estimator, std_lv=True))
    same_fit(one, other)
    sign = np.sign(one.parameter("a", "=~", "a1").est * other.parameter("a", "=~", "a1").est)
    for item in ("a1", "a2", "a3"):
        ours, theirs = one.parameter("a", "=~", item), other.parameter("a", "=~", item)
        assert (theirs.est * sign, theirs.se) == pytest.approx((ours.est, ours.se), rel=1e-6)


@few
@given(seed=seeds, estimator=estimators)
def test_order_of_factors_does_not_matter(seed: int, estimator: str) -> None:
    turned = "\n".join(reversed(MODEL.split("\n")))
    one = cleanly(fit(MODEL, data_of(seed), estimator=estimator))
    other = cleanly(fit(turned, data_of(seed), estimator=estimator))
    same_fit(one, other)
    r, s = one.factor_correlations[""].values[0, 1], other.factor_correlations[""].values[0, 1]
    assert s == pytest.approx(r, abs=1e-7)


@few
@given(seed=seeds, estimator=estimators, scale=st.floats(min_value=1e-3, max_value=1e3), shift=st.floats(-50, 50))
def test_units_of_an_item_do_not_matter(seed: int, estimator: str, scale: float, shift: float) -> None:
    data = data_of(seed)
    rescaled = data.assign(a2=data["a2"] * scale + shift, b1=-data["b1"])
    one, other = (cleanly(fit(MODEL, frame, estimator=estimator)) for frame in (data, rescaled))
    for name in INDICES:
        if name in one.fit:
            assert other.fit[name] == pytest.approx(one.fit[name], rel=1e-5, abs=1e-5), name
    ours, theirs = one.parameter("a", "=~", "a2"), other.parameter("a", "=~", "a2")
    assert theirs.est == pytest.approx(ours.est * scale, rel=1e-5)
    assert theirs.std_all == pytest.approx(ours.std_all, abs=1e-6)
    assert theirs.z == pytest.approx(ours.z, rel=1e-5)


@few
@given(seed=seeds, cluster=st.booleans())
def test_order_of_respondents_does_not_matter(seed: int, cluster: bool) -> None:
    data = data_of(seed)
    options = {"estimator": "MLR", "cluster": "team" if cluster else None}
    one = cleanly(fit(MODEL, data, **options))
    other = cleanly(fit(MODEL, data.sample(frac=1.0, random_state=seed), **options))
    same_fit(one, other)
    assert [row.se for row in other.parameters] == pytest.approx([row.se for row in one.parameters], rel=1e-7)


@few
@given(seed=seeds, estimator=estimators)
def test_identification_does_not_matter(seed: int, estimator: str) -> None:
    marker = cleanly(fit(MODEL, data_of(seed), estimator=estimator))
    unit = cleanly(fit(MODEL, data_of(seed), estimator=estimator, std_lv=True))
    same_fit(marker, unit)
    for item in ITEMS:
        ours, theirs = (one.parameter(item[0], "=~", item) for one in (marker, unit))
        assert abs(theirs.std_all) == pytest.approx(abs(ours.std_all), abs=1e-6)
        assert theirs.std_all_se == pytest.approx(ours.std_all_se, rel=1e-5)


@few
@given(seed=seeds, reversed_items=st.sets(st.sampled_from(ITEMS)))
def test_the_first_item_decides_the_sign_of_a_factor(seed: int, reversed_items: set[str]) -> None:
    data = data_of(seed)
    one = cleanly(fit(MODEL, data, std_lv=True))
    other = cleanly(fit(MODEL, data.assign(**{item: -data[item] for item in reversed_items}), std_lv=True))
    same_fit(one, other)
    for item in ITEMS:
        turned = (item in reversed_items) != (f"{item[0]}1" in reversed_items)
        ours, theirs = one.parameter(item[0], "=~", item).est, other.parameter(item[0], "=~", item).est
        assert theirs == pytest.approx(-ours if turned else ours, rel=1e-6)


@few
@given(seed=seeds, estimator=estimators)
def test_saturated_model_fits_perfectly(seed: int, estimator: str) -> None:
    result = cleanly(fit("a =~ a1 + a2 + a3", data_of(seed), estimator=estimator))
    assert result.fit["df"] == 0
    assert result.fit["chisq"] == pytest.approx(0.0, abs=1e-8)
    assert (result.fit["cfi"], result.fit["tli"], result.fit["rmsea"]) == (1.0, 1.0, 0.0)
    assert result.fit["srmr"] == pytest.approx(0.0, abs=1e-7)


@few
@given(seed=seeds, constrained=st.sampled_from([
    "a =~ l*a1 + l*a2 + l*a3\nb =~ b1 + b2 + b3",
    "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3\na ~~ 0*b",
    "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3\na1 ~~ t*a1\nb1 ~~ t*b1",
]))  # fmt: skip
def test_a_constraint_never_fits_better(seed: int, constrained: str) -> None:
    free = cleanly(fit(MODEL, data_of(seed), std_lv=True))
    less = cleanly(fit(constrained, data_of(seed), std_lv=True))
    assert less.fit["df"] > free.fit["df"]
    assert less.fit["chisq"] >= free.fit["chisq"] - 1e-8
    assert less.fit["logl"] <= free.fit["logl"] + 1e-8


@few
@given(seed=seeds)
def test_implied_moments_fit_perfectly(seed: int) -> None:
    """Data with exactly the covariances of a model give its parameters back."""
    rng = np.random.default_rng(seed)
    loadings = np.zeros((6, 2))
    loadings[:3, 0], loadings[3:, 1] = rng.uniform(0.5, 1.2, size=(2, 3))
    psi = np.array([[1.0, 0.4], [0.4, 1.0]])
    sigma = loadings @ psi @ loadings.T + np.diag(rng.uniform(0.2, 1.0, size=6))
    raw = rng.normal(size=(80, 6))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw / 80)).T
    result = fit(MODEL, pd.DataFrame(white @ np.linalg.cholesky(sigma).T, columns=ITEMS), std_lv=True)
    assert result.fit["chisq"] == pytest.approx(0.0, abs=1e-8)
    for i, item in enumerate(ITEMS):
        assert abs(result.parameter(item[0], "=~", item).est) == pytest.approx(loadings[i].max(), abs=1e-8)


@few
@given(seed=seeds)
def test_teams_of_one_are_independent_respondents(seed: int) -> None:
    """Clusters of one differ from no clusters by G/(G - 1) alone."""
    data = data_of(seed).assign(own=np.arange(150))
    alone = cleanly(fit(MODEL, data, estimator="MLR", cluster="own"))
    plain = cleanly(fit(MODEL, data, estimator="MLR", mean_structure=True))
    ratio = np.sqrt(150 / 149)
    assert [row.se for row in alone.parameters] == pytest.approx([row.se * ratio for row in plain.parameters], rel=1e-8)
    assert alone.fit["chisq.scaling.factor"] == pytest.approx(plain.fit["chisq.scaling.factor"] * ratio**2, rel=1e-8)


@few
@given(seed=seeds)
def test_doubling_the_data_doubles_chi_square(seed: int) -> None:
    data = data_of(seed)
    one = cleanly(fit(MODEL, data))
    two = cleanly(fit(MODEL, pd.concat([data, data], ignore_index=True)))
    assert two.fit["chisq"] == pytest.approx(2.0 * one.fit["chisq"], rel=1e-8, abs=1e-8)
    first, second = one.parameter("a", "=~", "a2"), two.parameter("a", "=~", "a2")
    assert second.se == pytest.approx(first.se / np.sqrt(2.0), rel=1e-7)


def test_estimation_is_deterministic() -> None:
    one, two = (fit(MODEL, data_of(1), estimator="MLR", cluster="team") for _ in range(2))
    assert one.to_dict() == two.to_dict()
