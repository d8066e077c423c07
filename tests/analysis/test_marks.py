"""A mark goes wherever its figure goes: pages, files, texts and the leader's report of a study in which much is wrong."""

import csv
import io
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import override

from analysis.exports import result_tables
from analysis.exports.rscript import expected_rows
from analysis.models import AnalysisRun
from analysis.models.results import FactorModelResult, ScaleSet
from analysis.publication.publishing import publish
from analysis.reports.pdf import _team, _wide
from analysis.reports.quality import Caution, Figure, icc2_figure, keyed, labelled, reliability_figure
from analysis.reports.team import team_reports
from analysis.reports.wide import academy_report, study_report
from analysis.results.figures import path_diagram
from analysis.results.model_fit import fits_of
from analysis.results.reading import item_lines, results_of, scale_lines
from analysis.results.workspace_rows import invariance_levels
from analysis.results.write_up import write_up
from analysis.runs import execution
from analysis.templatetags import report
from surveys.models import Survey
from teams.models import Participation, User
from tests.analysis import builders

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"


def _points(values):
    return np.clip(np.round(values * 0.9 + 2.5), 1, 4).astype(int)


def _people(n):
    """AA contradicts itself, BB has one item that two unlike ones share (a Heywood case), CC is as it should be."""
    draw = np.random.default_rng(5)
    own, one, other, common = draw.normal(size=(4, n))
    noise = draw.normal(size=(9, n))
    columns = [
        own + 0.4 * noise[0],
        -own + 0.4 * noise[1],
        -own + 0.4 * noise[2],  # reverse-keyed: recoded it goes with the first
        (one + other) / 1.4 + 0.15 * noise[3],
        0.6 * one + 0.7 * noise[4],
        0.6 * other + 0.7 * noise[5],
        *(common + 0.6 * noise[6:9]),
    ]
    return [builders.answers(*map(int, row)) for row in np.column_stack([_points(column) for column in columns])]


@pytest.fixture
def run(db):
    study = builders.make_study()
    people = _people(200)
    for number in range(4):
        builders.seal(builders.make_team(study, f"Team{number}", approached=60), people[number::4])
    made = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(made.pk)
    return AnalysisRun.objects.select_related("survey__version", "survey__study", "plan").get(pk=made.pk)


@pytest.fixture
def researcher(client, run):
    person = builders.make_researcher(run.survey.study)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    return client


def text_of(researcher, name, *args, query=""):
    answer = researcher.get(reverse(name, args=["small", *args]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def shown(page, figure, decimals=2):
    """Every place where a figure stands, with the little that follows it."""
    return re.findall(rf"(?<![\d.]){re.escape(report.figure(figure, decimals))}(?![\d])(.{{0,90}})", page)


def assert_marked(page, figure, caution, decimals=2):
    places = [after for after in shown(page, figure, decimals) if after.startswith((" <span class", "<sup"))]
    assert places, f"{figure} stands nowhere with a mark"
    assert all(caution.word in after for after in places), places
    assert f"<strong>{caution.word}</strong>: {escape(caution.explanation)}" in page


def test_the_study_holds_what_must_be_marked(run):
    aa, bb, cc = scale_lines(run, ScaleSet.FINAL)
    assert aa.reliability.alpha.cautions == (Caution.NEGATIVE_RELIABILITY,)
    assert bb.reliability.omega.value > 1
    assert bb.reliability.omega.cautions == (Caution.IMPROPER_OMEGA,)
    assert cc.reliability.alpha.cautions == ()
    assert [line.code for line in item_lines(run, ScaleSet.FINAL) if line.item_rest.cautions] == ["AA1", "AA2"]
    assert all(Caution.IMPROPER in fit.cautions for fit in fits_of(run))


@pytest.mark.parametrize("page", ["results", "items"])
def test_reliability_and_nesting_are_marked_where_they_stand(researcher, run, page):
    aa, bb, _cc = scale_lines(run, ScaleSet.FINAL)
    text = text_of(researcher, page)
    assert_marked(text, aa.reliability.alpha.value, Caution.NEGATIVE_RELIABILITY)
    assert_marked(text, bb.reliability.omega.value, Caution.IMPROPER_OMEGA)
    if page == "results":
        assert_marked(text, bb.nesting.icc2.value, Caution.NEGATIVE_ICC)
    else:
        item = next(line for line in item_lines(run, ScaleSet.FINAL) if line.code == "AA2")
        assert_marked(text, item.item_rest.value, Caution.NEGATIVE_REST)
        assert re.search(r"<strong>AA3</strong> Three <span[^>]*>this statement counts the other way round", text)
        by_mode = text.split("By way of collecting, and compared with the previous wave</h2>")[1]
        assert re.search(r">AA3 <span[^>]*>this statement counts the other way round", by_mode)
        assert f"α {report.figure(aa.reliability.alpha.value)} <span" in by_mode


def test_teams_and_cases_mark_an_icc_below_zero(researcher, run):
    aa = scale_lines(run, ScaleSet.FINAL)[0]
    for page in ("result_teams", "cases"):
        assert_marked(text_of(researcher, page), aa.nesting.icc2.value, Caution.NEGATIVE_ICC)


@pytest.mark.parametrize("page", ["results", "models"])
def test_every_measure_of_an_improper_model_is_marked_in_comparisons(researcher, run, page):
    text = text_of(researcher, page)
    for fit in fits_of(run):
        for figure, decimals in ((fit.cfi, 3), (fit.tli, 3), (fit.rmsea, 3), (fit.srmr, 3), (fit.chisq, 1)):
            assert_marked(text, figure.value, Caution.IMPROPER, decimals)


def test_the_page_and_the_diagram_of_a_model_are_marked(researcher, run):
    row = FactorModelResult.objects.filter(run=run, estimator="MLR").get()
    text = text_of(researcher, "factor_model", row.pk)
    assert_marked(text, row.fit["srmr"], Caution.IMPROPER, 3)
    correlation = next(iter(row.content["correlations"]))
    assert_marked(text, correlation["r"], Caution.IMPROPER)
    figure = researcher.get(reverse("model_figure", args=["small", row.pk, "svg"])).content.decode()
    assert Caution.IMPROPER.word in figure
    assert path_diagram({}, {}, ["said below"]).count("said below") == 1


def test_the_text_for_an_article_marks_text_tables_and_latex(run):
    for language in ("en", "nl"):
        with override(language):
            article = write_up(run)
            text = " ".join(article.paragraphs)
            alpha = Caution.NEGATIVE_RELIABILITY
            assert f", {alpha.word})" in text
            assert alpha.explanation in text
            scales, models = article.tables
            assert all("†" in cell for row in models.rows for cell in row[2:] if cell != "–")
            assert f"† {Caution.IMPROPER.word}: {Caution.IMPROPER.explanation}" in models.note
            assert r"\dag{}" in models.latex
            assert alpha.word in scales.note
            assert Caution.IMPROPER_OMEGA.explanation in scales.note


def test_files_and_scripts_hold_the_marks(run):
    with override("en"):
        lines = list(
            csv.DictReader(
                io.StringIO("".join(result_tables.csv_lines(result_tables.result_rows(run))).lstrip("\ufeff"))
            )
        )
    overall = {line["scale"]: line["marks"] for line in lines if not line["team"] and line["scale_set"] == "final"}
    assert "alpha negative (α or ω below zero" in overall["AA"]
    assert "omega improper (" in overall["BB"]
    assert all(line["marks"] == "" for line in lines if line["team"])
    rows = list(expected_rows(run, clustered=True))
    assert {row[4] for row in rows if row[0] == "fit"} == {"improper"}
    assert ("final", "AA", "alpha", "negative_reliability") in [(*row[:3], row[4]) for row in rows]
    assert results_of(run, "researcher")["marks"]["overall"]["AA"]["alpha"] == ["negative_reliability"]


def test_what_is_low_is_marked_and_what_is_good_is_not():
    assert [reliability_figure(value).cautions for value in (0.06, 0.7, None)] == [(Caution.LOW_RELIABILITY,), (), ()]
    assert [icc2_figure(value).cautions for value in (0.69, 0.7, -0.1)] == [
        (Caution.LOW_ICC2,),
        (),
        (Caution.NEGATIVE_ICC,),
    ]


def test_invariance_over_waves_carries_the_marks_of_its_models():
    level = {"level": "configural", "converged": True, "cfi": 1.0, "rmsea": 0.0}
    metric = {**level, "level": "metric", "cfi_change": 0.0, "rmsea_change": 0.0}
    improper = {"problems": [{"code": "negative_variance", "subject": "BB1"}]}
    first, second = invariance_levels({"invariance": {"levels": [level | improper, metric]}})
    assert first["cfi"].cautions == second["cfi_change"].cautions == (Caution.IMPROPER,)
    assert second["cfi"].cautions == ()


# ------------------------------------------------------------------------------------------------ the leader's report
def test_a_statement_that_counts_the_other_way_round_is_marked_wherever_a_leader_reads_it(client, run):
    publish(run, None)
    participation = Participation.objects.filter(study=run.survey.study).order_by("pk")[0]
    leader = User.objects.create_user(participation.leader_email)
    leader.roles.create(kind="leader", participation=participation)
    client.force_login(leader)
    pages = [reverse("team_report", args=[participation.pk]), reverse("team_talk", args=[participation.pk]) + "?n=1"]
    for language in ("en", "nl"):
        client.cookies["django_language"] = language
        with override(language):
            mark = labelled("", keyed(True)).strip()
            (made,) = team_reports(run, [participation], language)
            academy = academy_report(run, participation.team.academy_id, language)
            wide = study_report(run, language)
            for blocks in (_team(made), _wide(wide, wide.scales)):
                assert json.dumps(list(blocks), ensure_ascii=False).count(mark) == 1
        for address in pages:
            text = unescape(client.get(address).content.decode())
            assert text.count(mark) == 2, address  # beside its bar, and in the table
        assert not isinstance(academy.scales, tuple) or mark in academy.scales[0].items[2].labelled
        assert mark in wide.scales[0].items[2].labelled


# ------------------------------------------------------------------------------------------------ by construction
def test_a_figure_cannot_be_printed_bare():
    figure = Figure(0.06, (Caution.LOW_RELIABILITY,))
    with pytest.raises(TypeError):
        report.figure(figure)
    with pytest.raises(TypeError):
        report.p_value(figure)
    with pytest.raises(TypeError):
        report.marked({}, 0.06)


def test_a_template_that_marks_explains_too():
    using = {path for path in TEMPLATES.rglob("*.html") if re.search(r"{% (marked|marks) ", path.read_text())}
    assert len(using) >= 7
    for path in using:
        text = path.read_text()
        assert text.rindex("{% marks_explained %}") > max(text.rfind("{% marked "), text.rfind("{% marks ")), path


#: Modules that read rows whose figures can have marks, and what for. Another one prints them without: it takes what
#: analysis/reports/quality.py and analysis/results/model_fit.py make of a row.
READERS = {
    "views/researchers/models.py": "finds a model; its figures by results/model_fit.py",
    "models/__init__.py": "names the tables",
    "models/results.py": "the tables",
    "reports/quality.py": "marks",
    "reports/groups.py": "which items a scale has, no figures",
    "results/model_fit.py": "marks",
    "results/reading.py": "makes lines of figures with marks",
    "results/models_of_run.py": "which items and models there are, no figures",
    "results/workspace_rows.py": "agreement of single teams, which has no marks",
    "exports/result_tables.py": "makes figures with marks",
    "exports/rscript.py": "writes the marks beside the figures",
    "publication/publishing.py": "which items a scale has, no figures",
    "views/researchers/cases.py": "makes figures with marks",
    "erasure/places.py": "names the tables",
}


def test_rows_with_figures_that_have_marks_are_read_by_known_modules_only():
    names = (
        r"\b(ReliabilityResult|FactorModelResult|AgreementResult|reliabilityresults|factormodels|agreementresults)\b"
    )
    found = {
        str(path.relative_to(ROOT / "analysis"))
        for path in (ROOT / "analysis").rglob("*.py")
        if re.search(names, path.read_text()) and not {"psychometrics", "migrations"} & set(path.parts)
    }
    assert found == READERS.keys()


def test_statements_of_reports_are_printed_with_their_marks():
    for path in [
        *TEMPLATES.glob("analysis/*report*.html"),
        TEMPLATES / "analysis/talk.html",
        ROOT / "analysis/reports/pdf.py",
    ]:
        assert not re.search(r"\bitem\.text\b", path.read_text()), path
