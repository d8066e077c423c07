"""Values that an earlier version stored and that no study has: no page breaks on them, and none shows them as results."""

import math
import random

import pytest
from django.urls import reverse
from django.utils.translation import override

from analysis.disclosure import round_half_up
from analysis.models import AnalysisRun
from analysis.models.results import FactorModelResult
from analysis.plan.plans import amend_plan, locked_plan
from analysis.results.write_up import printed, write_up
from analysis.runs import execution
from analysis.templatetags.report import figure, p_value, percent
from surveys.models import Survey
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
#: As version 5 stored it of a study with one team.
BAD = {
    "chisq": 41.3,
    "df": 24.0,
    "chisq.scaled": 1.14e30,
    "df.scaled": 24.0,
    "pvalue.scaled": 0.0,
    "rmsea.scaled": 2.9e13,
}
PAGES = ("models", "write_up", "results", "runs", "screening", "accounts", "board", "exports")


@pytest.mark.parametrize("value", [1.14e30, -1.7e308, 5e-324, math.inf, -math.inf, math.nan, 0.0, -0.001])
def test_every_float_can_be_printed(value):
    with override("en"):
        for text in (figure(value), percent(value), p_value(value), printed(value), printed(value, bounded=True)):
            assert text
    if math.isfinite(value):
        assert round_half_up(value, 2) == pytest.approx(value, abs=0.005)
    else:
        assert figure(value) == printed(value) == "–"


@pytest.fixture
def study():
    study = builders.make_study()
    rng = random.Random(5)
    mood = [rng.uniform(1, 4) for _person in range(80)]
    rows = [answers(*[min(4, max(1, round(level + rng.gauss(0, 0.8)))) for _item in range(9)]) for level in mood]
    builders.seal(builders.make_team(study, "Only", approached=80), rows)
    return study


@pytest.fixture
def researcher(client, study):
    user = builders.make_researcher(study)
    content = locked_plan(study).content
    models = {**content["factor_models"], "estimators": ["ML", "MLR", "FIML", "WLSMV"]}
    amend_plan(study, {**content, "factor_models": models}, "A reason.", user)
    client.force_login(user, backend=BACKEND)
    client.cookies["django_language"] = "en"
    return client


def analysed(study):
    made = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(made.pk), AnalysisRun.objects.get(pk=made.pk).error
    return AnalysisRun.objects.select_related("survey__version", "survey__study", "plan").get(pk=made.pk)


def test_of_one_team_no_test_is_stored_and_the_page_says_why(study, researcher):
    run = analysed(study)
    for row in FactorModelResult.objects.filter(run=run).exclude(estimator="ML"):
        assert not row.converged, row.estimator
        assert [problem["code"] for problem in row.content["problems"]] == ["too_few_teams"], row.estimator
        page = researcher.get(reverse("factor_model", args=["small", row.pk])).content.decode()
        assert "too few teams" in page


def test_a_stored_bad_value_breaks_no_page_and_is_not_shown(study, researcher):
    run = analysed(study)
    row = FactorModelResult.objects.filter(run=run, estimator="WLSMV").first()
    FactorModelResult.objects.filter(pk=row.pk).update(
        converged=True, fit=BAD, content={**row.content, "n_clusters": 1, "problems": []}
    )
    addresses = [reverse(name, args=["small"]) for name in PAGES]
    addresses.append(reverse("factor_model", args=["small", row.pk]))
    for address in addresses:
        answer = researcher.get(address)
        assert answer.status_code == 200, address
        assert "1140000" not in answer.content.decode().replace(",", "").replace("\u202f", ""), address
    assert "too few teams" in researcher.get(addresses[-1]).content.decode()
    with override("en"):
        assert "WLSMV" not in {cells[1] for cells in write_up(run).tables[1].rows}
    assert researcher.get(reverse("export_results", args=["small"])).status_code == 200
