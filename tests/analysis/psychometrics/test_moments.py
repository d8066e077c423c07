"""Implied moments and their derivatives against central differences, for every kind of model."""

import numpy as np
import pytest

from analysis.psychometrics.ml.likelihood import all_terms, expected_information, observed_information, weighted
from analysis.psychometrics.ml.moments import ModelStructure, trace_products
from analysis.psychometrics.ml.sample import draw_sample
from analysis.psychometrics.syntax.model import build_table

from .conftest import load_data
from .differences import numerical_jacobian

MODELS = {
    "two factors": ("f =~ x1 + x2 + x3\ng =~ x4 + x5 + a*x6 + a*x1\nx1 ~~ x5", {}),
    "second order": ("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nh =~ f + g", {"mean_structure": True}),
    "two levels": ("level: 1\nf =~ x1 + x2 + x3\nlevel: 2\nb =~ x1 + x2 + x3\nx1 ~~ 0*x1", {}),
    "groups": (
        "f =~ x1 + c(a, b)*x2 + x3\ng =~ x4 + NA*x5 + x6",
        {"n_groups": 2, "group_equal": ("loadings", "intercepts"), "std_lv": True},
    ),
}


@pytest.fixture(params=MODELS, name="structure")
def _structure(request: pytest.FixtureRequest) -> ModelStructure:
    text, options = MODELS[request.param]
    return ModelStructure(build_table(text, **options))


def random_vector(structure: ModelStructure) -> np.ndarray:
    return np.random.default_rng(structure.table.n_free).normal(scale=0.5, size=structure.table.n_free)


def random_symmetric(p: int, seed: int) -> np.ndarray:
    a = np.random.default_rng(seed).normal(size=(p, p))
    return a + a.T


def test_jacobian(structure: ModelStructure) -> None:
    theta = random_vector(structure)
    for number, state in enumerate(structure.at(theta)):
        upper = np.triu_indices(len(state.mu))

        def moments(x: np.ndarray, number: int = number, upper: tuple = upper) -> np.ndarray:  # type: ignore[type-arg]
            at = structure.at(x)[number]
            return np.concatenate([at.mu, at.sigma[upper]])

        assert state.jacobian(means=True) == pytest.approx(numerical_jacobian(moments, theta), abs=1e-8)


def test_pull_back_and_curvature(structure: ModelStructure) -> None:
    theta = random_vector(structure)
    for number, state in enumerate(structure.at(theta)):
        p = len(state.mu)
        g_sigma, g_mu = random_symmetric(p, 1), np.arange(p) - 1.0

        def value(x: np.ndarray, number: int = number, gs: np.ndarray = g_sigma, gm: np.ndarray = g_mu) -> np.ndarray:
            at = structure.at(x)[number]
            return np.array([np.vdot(gs, at.sigma) + gm @ at.mu])

        def slope(x: np.ndarray, number: int = number, gs: np.ndarray = g_sigma, gm: np.ndarray = g_mu) -> np.ndarray:
            return structure.at(x)[number].pull_back(gs, gm)

        assert state.pull_back(g_sigma, g_mu) == pytest.approx(numerical_jacobian(value, theta)[0], abs=1e-7)
        assert state.curvature(g_sigma, g_mu) == pytest.approx(numerical_jacobian(slope, theta), abs=1e-6)


def test_trace_products(structure: ModelStructure) -> None:
    states = structure.at(random_vector(structure))
    p = len(states[0].mu)
    w, v = random_symmetric(p, 1), random_symmetric(p, 2)
    d = states[0].sigma_derivatives()
    direct = np.einsum("ij,rjk,kl,sli->rs", w, d, v, d)
    assert states[0].trace_products(w, v) == pytest.approx(direct, abs=1e-9)
    assert states[0].trace_products(w) == pytest.approx(np.einsum("ij,rjk,kl,sli->rs", w, d, w, d), abs=1e-9)
    e = states[-1].sigma_derivatives()
    across = trace_products(w, v, states[0], states[-1])
    assert across == pytest.approx(np.einsum("ij,rjk,kl,sli->rs", w, d, v, e), abs=1e-9)


def test_matrices_give_the_implied_covariances() -> None:
    structure = ModelStructure(build_table("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nh =~ f + g", mean_structure=True))
    state = structure.at(random_vector(structure))[0]
    m = state.matrices()
    total = np.linalg.inv(np.eye(3) - m.beta)
    loadings = m.lambda_ @ total
    assert state.sigma == pytest.approx(loadings @ m.psi @ loadings.T + m.theta)
    assert state.mu == pytest.approx(m.nu + loadings @ m.alpha)


@pytest.mark.parametrize("misfit", [False, True])
def test_informations_of_the_likelihood(misfit: bool) -> None:
    """Second derivatives by differences of the gradient, also where the means do not fit."""
    text = "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9" + ("\nx1 ~ 4.5*1" if misfit else "")
    table = build_table(text, mean_structure=True)
    structure = ModelStructure(table)
    sample = draw_sample(load_data("hs1939"), table.observed)
    theta = np.array(
        [{"~1": 4.0, "=~": 0.8}.get(row.op, 0.9 if row.lhs == row.rhs else 0.2) for row in table.free_rows]
    )

    def gradient(x: np.ndarray) -> np.ndarray:
        terms = all_terms(structure, sample, x)
        return weighted(terms, [term.gradient() for term in terms])

    def value(x: np.ndarray) -> np.ndarray:
        return np.array([sum(term.share * term.value for term in all_terms(structure, sample, x))])

    terms = all_terms(structure, sample, theta)
    assert gradient(theta) == pytest.approx(numerical_jacobian(value, theta)[0], rel=1e-6, abs=1e-7)
    assert observed_information(terms) == pytest.approx(numerical_jacobian(gradient, theta), rel=1e-6, abs=1e-6)
    expected = expected_information(terms)
    assert np.linalg.eigvalsh(expected)[0] > 0
