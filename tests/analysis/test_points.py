"""Agreement scales of another number of points than 4, from the answers to the report."""

import io

import pytest
import yaml
from django.test import Client
from django.urls import reverse

from analysis.disclosure import Withheld
from analysis.exports import csv_file, releases, rows, rscript, spss
from analysis.exports.result_tables import csv_lines
from analysis.forms.plan import AmendmentForm
from analysis.models import AnalysisRun
from analysis.models.results import AgreementResult, ItemResult, ScaleResult
from analysis.plan.plans import locked_plan, rules
from analysis.psychometrics.teams.agreement import null_variance
from analysis.reports import pdf
from analysis.reports.pdf import team_pdf
from analysis.reports.team import team_report
from analysis.runs import execution
from surveys.models import Survey
from tests.analysis import builders

pytestmark = pytest.mark.django_db


def with_points(monkeypatch, points: int) -> Survey:
    """Three teams of 11 who answered a questionnaire of so many points; each team a little higher than the one before."""
    document = yaml.safe_load(builders.QUESTIONNAIRE)
    document["options"] = [{"value": n, "text": f"answer {n}"} for n in range(1, points + 1)]
    monkeypatch.setattr(builders, "QUESTIONNAIRE", yaml.safe_dump(document, sort_keys=False))
    study = builders.make_study()
    for team in range(3):
        given = [
            builders.answers(*[(person * (item + 2) + team + item // 3) % points + 1 for item in range(9)])
            for person in range(11)
        ]
        builders.seal(builders.make_team(study, f"Team{team}", approached=12), given)
    return Survey.objects.select_related("version", "study").get(study=study)


@pytest.mark.parametrize("points", [2, 5, 11])
def test_from_the_answers_to_the_report(monkeypatch, points):
    survey = with_points(monkeypatch, points)
    assert execution.execute(execution.request_run(survey).pk)
    run = AnalysisRun.objects.get()
    assert run.state == AnalysisRun.State.DONE, run
    plan = rules(run.plan.content)
    assert (plan.n_points, plan.skewed_null) == (points, (1 / points,) * points)
    for scores in ScaleResult.objects.filter(run=run, participation=None):
        assert 1 <= scores.minimum <= scores.mean <= scores.maximum <= points
    # reverse-keyed: 1 … m becomes m … 1
    raw = [row["answers"]["AA3"] for row in survey.collections.first().sealed_responses.values("answers")]
    assert set(raw) <= set(range(1, points + 1))
    assert all(len(item.counts) == points for item in ItemResult.objects.filter(run=run) if item.counts)
    team = survey.study.participations.order_by("pk").first()
    report = team_report(
        AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(), team, "en"
    )
    assert (report.n_points, len(report.options), report.midpoint) == (points, points, (points + 1) / 2)
    tables = [block for block in pdf._team(report) if block["kind"] == "table"]
    assert len(tables) == 4
    assert all(sum(block["widths"]) <= 130 for block in tables), "40 of 170 mm are left for the questions"
    assert not isinstance(report.scales, Withheld)
    for scale in report.scales:
        assert f"on a scale from 1 to {points}" in " ".join(scale.sentences)
    assert team_pdf(report).startswith(b"%PDF")
    for agreement in AgreementResult.objects.filter(run=run).exclude(participation=None):
        # the second null is uniform here, so both indices are one
        assert agreement.rwg_uniform == pytest.approx(agreement.rwg_skewed)
        if agreement.ad is not None:
            assert 0 <= agreement.ad <= (points - 1) / 2


def test_the_files_hold_the_points(monkeypatch):
    survey = with_points(monkeypatch, 7)
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    run.refresh_from_db()
    release = releases.register(survey, with_team=True, background=[], purpose="a check", user=None)
    lines = rows.rows_of(release, survey, run)
    text = "".join(csv_lines(csv_file.csv_rows(lines)))
    assert ",7," in text
    assert "highest <- 7" in rscript.script(AnalysisRun.objects.get(pk=run.pk), clustered=True)
    sav = io.BytesIO()
    spss.write_sav(lines, "en", "Title", sav)
    assert sav.getvalue().startswith(b"$FL2")  # compressed row by row: the kind that every program reads


def test_the_codebook_page_names_all_points(monkeypatch):
    survey = with_points(monkeypatch, 11)
    client = Client()
    client.force_login(builders.make_researcher(survey.study))
    assert "answer 11" in client.get(reverse("codebook", args=[survey.study.slug])).content.decode()


def test_a_plan_of_eleven_points_can_be_amended(monkeypatch):
    """Elevenths are shown rounded; left alone they stay what they are, and rounded shares that are typed make 1."""
    content = locked_plan(with_points(monkeypatch, 11).study).content
    shown = AmendmentForm(content=content, names={})
    data = {name: shown[name].value() for name in shown.fields} | {"reason": "a check"}
    form = AmendmentForm(data, content=content, names={})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["skewed_null"] == [1 / 11] * 11
    typed = AmendmentForm({**data, "skewed_null": "0.0909090 " * 10 + "0.0909090"}, content=content, names={})
    assert typed.is_valid(), typed.errors
    assert null_variance(typed.cleaned_data["skewed_null"]) == pytest.approx(10)
