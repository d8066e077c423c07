"""Agreement scales of another number of points than 4, from the answers to the report."""

import csv
import io

import pytest
import yaml
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from analysis.disclosure import Withheld
from analysis.exports import csv_file, releases, rows, rscript, spss
from analysis.exports.result_tables import csv_lines, result_rows
from analysis.forms.plan import AmendmentForm
from analysis.models import AnalysisRun
from analysis.models.results import AgreementResult, ItemResult, ScaleResult
from analysis.plan.nulls import agreement_rules
from analysis.plan.plans import amend_plan, locked_plan, rules
from analysis.reports import pdf
from analysis.reports.pdf import team_pdf
from analysis.reports.team import team_report
from analysis.results.write_up import write_up
from analysis.runs import execution
from surveys.models import Survey
from tests.analysis import builders

pytestmark = pytest.mark.django_db
#: What a new plan names beside the uniform null, where not its own.
SECOND = {5: "slight_skew", 7: "slight_skew", 11: "slight_skew"}


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
    assert (plan.n_points, [null.name for null in plan.nulls]) == (points, ["uniform", SECOND.get(points, "own")])
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
        uniform, second = (agreement.rwg[null.name] for null in plan.nulls)
        assert list(agreement.rwg) == ["uniform", SECOND.get(points, "own")]
        assert second < uniform or uniform == second == 0, "a null that expects less variance finds less agreement"
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
    shares = [1 / 22, *[1 / 11] * 9, 3 / 22]
    content["agreement"] = {"skewed_null": shares}  # as plans of before have it
    shown = AmendmentForm(content=content, names={})
    data = {name: shown[name].value() for name in shown.fields} | {"reason": "a check"}
    assert (data["nulls"], data["own_null"].split()[:2]) == (["uniform"], ["0.0454545", "0.0909091"])
    form = AmendmentForm(data, content=content, names={})
    assert form.is_valid(), form.errors
    assert form.amended["agreement"] == {"skewed_null": shares}
    typed = "0.0454545 " + "0.0909090 " * 9 + "0.136364"
    form = AmendmentForm({**data, "nulls": ["heavy_skew", "slight_skew"], "own_null": typed}, content=content, names={})
    assert form.is_valid(), form.errors
    nulls = rules(form.amended).nulls
    assert form.amended["agreement"]["nulls"] == ["slight_skew", "heavy_skew", "own"]
    assert [null.variance for null in nulls[:2]] == [7.31, 4.02]
    assert sum(nulls[2].shares) == pytest.approx(1, abs=1e-12)


def test_each_null_stands_with_its_name_and_variance_in_all_that_is_read(monkeypatch):
    survey = with_points(monkeypatch, 5)
    researcher = builders.make_researcher(survey.study)
    content = {**locked_plan(survey.study).content}
    content["agreement"] = agreement_rules(["normal", "uniform", "moderate_skew"], [0.1, 0.1, 0.2, 0.3, 0.3])
    amend_plan(survey.study, content, "several nulls", researcher)
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    run = AnalysisRun.objects.get(pk=run.pk)
    client = Client()
    client.force_login(researcher)
    client.cookies["django_language"] = "en"
    page = client.get(reverse("result_teams", args=[survey.study.slug])).content.decode()
    for name in ("uniform", "moderate skew", "normal", "own"):
        assert f"rwg(j), {name}</th>" in page
    assert "skewed null" not in page
    names = ("uniform", "moderate_skew", "normal", "own")
    lines = list(csv.DictReader("".join(csv_lines(result_rows(run, all_teams=True))).lstrip("\ufeff").splitlines()))
    team = AgreementResult.objects.filter(run=run, scale="AA", scale_set="final").exclude(participation=None).first()
    row = next(
        row
        for row in lines
        if (row["scale"], row["scale_set"], row["team"]) == ("AA", "final", team.participation.team.name)
    )
    assert {name: float(row[f"rwg_{name}"]) for name in names} == pytest.approx(team.rwg)
    rules_page = " ".join(client.get(reverse("plan", args=[survey.study.slug])).content.decode().split())
    assert (
        "uniform (variance 2.00), moderate skew (variance 0.90), normal (variance 1.04), "
        "own (variance 1.64: 0.1 / 0.1 / 0.2 / 0.3 / 0.3)." in rules_page
    )
    assert "LeBreton and Senter (2008, table 2)" in rules_page
    with override("nl"):
        client.cookies["django_language"] = "nl"
        assert (
            "rwg(j), matig scheef</th>"
            in client.get(reverse("result_teams", args=[survey.study.slug])).content.decode()
        )
        dutch = " ".join(write_up(run).paragraphs)
    with override("en"):
        english = " ".join(write_up(run).paragraphs)
    assert (
        "uniform, variance 2.00; moderate skew, variance 0.90; normal, variance 1.04; own, variance 1.64), and"
        in english
    )
    assert "LeBreton and Senter (2008, table 2)" in english
    assert (
        "uniform, variantie 2,00; matig scheef, variantie 0,90; normaal, variantie 1,04; eigen, variantie 1,64)"
        in dutch
    )
