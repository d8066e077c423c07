"""What the engine finds wrong is said in the reader's language: every code has words, in both languages."""

import json

import numpy as np
import pandas as pd
import pytest
from django.utils.translation import override

from analysis.models.results import FactorModelResult
from analysis.psychometrics import problems
from analysis.psychometrics.ml import result
from analysis.results.engine_words import problem_in_words
from analysis.results.model_fit import warnings_in_words
from analysis.runs.factor_models import FactorModel, fit_model
from analysis.runs.names import NO_SOLUTION, REFUSED

CODES = sorted(
    {
        value
        for module in (problems, result)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    | {REFUSED, NO_SOLUTION}
)
FIGURES = {"n": 3, "all": 9, "teams": 4, "parameters": 12, "estimator": "MLR"}


#: Always of one item or factor.
OF_SOMETHING = {problems.NEGATIVE_VARIANCE, problems.EMPTY_CATEGORY}


@pytest.mark.parametrize(
    ("code", "subject"),
    [(code, subject) for code in CODES for subject in ("", "AA1 ~~ AA2") if subject or code not in OF_SOMETHING],
)
def test_every_code_has_words_in_both_languages(code, subject):
    said = []
    for language in ("en", "nl"):
        with override(language):
            said.append(problem_in_words({"code": code, "subject": subject}, (), FIGURES))
    assert said[0] != said[1]
    assert code not in said[0], "no words of its own"
    assert "%(" not in said[0] + said[1]


def test_factors_that_cannot_be_told_apart_are_not_items():
    problem = {"code": problems.CORRELATION_AT_OR_OVER_ONE, "subject": "AA ~~ BB"}
    with override("en"):
        assert "cannot be told apart" in problem_in_words(problem, ("AA", "BB"), FIGURES)
        assert "told apart" not in problem_in_words(problem, ("CC",), FIGURES)


def fitted(syntax, data, estimator="ML"):
    record = fit_model(FactorModel("own_1", syntax, estimator), data, np.repeat(np.arange(4), 15)).records()[0]
    return FactorModelResult(
        name="own_1",
        syntax=syntax,
        estimator=estimator,
        converged=record["converged"],
        content=json.loads(record["content"]),
    )


def test_what_goes_wrong_in_a_fit_is_dutch_on_a_dutch_page():
    generator = np.random.default_rng(1)
    data = pd.DataFrame(generator.integers(1, 5, (60, 4)).astype(float), columns=["A1", "A2", "A3", "A4"])
    flat = fitted("A =~ A1 + A2 + A3", data.assign(A2=3.0))
    refused = fitted("level: 1\nA =~ A1 + A2 + A3\nlevel: 2\nB =~ A1 + A2 + A3", data, "WLSMV")
    with override("nl"):
        assert warnings_in_words(flat, 60) == ["De antwoorden op A2 verschillen te weinig: er is geen spreiding."]
        (words,) = warnings_in_words(refused, 60)
    assert words.startswith("WLSMV kan dit model niet schatten")
    assert "two-level" in refused.content["problems"][0]["sentence"], "the engine's own sentence stays on record"


def test_an_analysis_of_before_knew_a_sentence_only():
    row = FactorModelResult(name="own_1", syntax="", estimator="ML", converged=False, content={"warnings": ["Oh no."]})
    with override("en"):
        assert warnings_in_words(row, 9) == [
            "ML cannot fit this model: it asks for something that this estimator does not have."
        ]
