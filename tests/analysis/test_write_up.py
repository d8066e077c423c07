"""Text and tables of an article: the figures of the run, in two languages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from analysis.choices import decisions
from analysis.models import AnalysisRun
from analysis.models.results import ReliabilityResult, ScaleResult
from analysis.results.write_up import escaped, printed, write_up
from analysis.runs import execution
from surveys.models import Survey
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = builders.make_study()
    builders.three_teams(study)
    builders.seal(
        builders.make_team(study, "West"),
        [answers(1, 2, 3, None), {}, answers(3, 1, 2)],
        eligibility=["yes", "no_other", "yes"],
    )
    return study


def analysed(study):
    made = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(made.pk)
    return AnalysisRun.objects.select_related("survey__version", "survey__study", "plan").get(pk=made.pk)


def test_figures_are_printed_in_the_style_of_the_apa():
    with override("en"):
        assert [printed(0.714, bounded=True), printed(-0.05, bounded=True), printed(2.5), printed(None)] == [
            ".71",
            "-.05",
            "2.50",
            "–",
        ]
    with override("nl"):
        assert [printed(0.714, bounded=True), printed(2.5), printed(1.0, bounded=True)] == [",71", "2,50", "1,00"]


def test_latex_prints_what_it_would_take_for_a_command():
    assert escaped(r"R&D_50 % {a} \x α") == r"R\&D\_50 \% \{a\} \textbackslash{}x $\alpha$"


def test_text_says_what_was_done_in_both_languages(study):
    run = analysed(study)
    with override("en"):
        english = " ".join(write_up(run).paragraphs)
    with override("nl"):
        dutch = " ".join(write_up(run).paragraphs)
    assert "Of the 40 teachers who were approached in 4 teams, 24 returned the questionnaire (60.0 %)." in english
    assert "1 respondent, who said that they could not answer questions about the team, was set aside." in english
    assert "before the first response" in english
    assert "Van de 40 docenten" in dutch
    assert "60,0 %" in dutch
    alpha = ReliabilityResult.objects.get(run=run, scale_set="final", scale="BB").alpha
    with override("en"):
        assert f"Second (3 questions, α = {printed(alpha, bounded=True)}, low)" in english
    assert run.plan.content_hash[:12] in english


def test_decisions_that_stood_are_told_with_their_reasons(study):
    analysed(study)
    decisions.decide(study, "set_aside", "CC", "", "It is about something else.", None)
    with override("en"):
        text = " ".join(write_up(analysed(study)).paragraphs)
    assert "Scale CC was set aside. Reason: It is about something else." in text
    decisions.decide(study, "merge", "AA", "BB", "They measure the same.", None)
    with override("en"):
        text = " ".join(write_up(analysed(study)).paragraphs)
    assert "(4 of 6)" in text


def test_table_holds_the_rows_of_the_run(study):
    run = analysed(study)
    with override("en"):
        table = write_up(run).tables[0]
    row = ScaleResult.objects.get(run=run, scale_set="final", scale="AA", participation=None)
    assert table.rows[0][:3] == ("First", str(row.n), f"{row.mean:.2f}")
    assert table.latex.count("\\\\") == 1 + len(table.rows)


def test_page_in_both_languages_with_as_many_queries_for_more_teams(client, study):
    client.force_login(builders.make_researcher(study), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    address = reverse("write_up", args=["small"])
    assert "no finished analysis" in client.get(address).content.decode()
    counts = []
    for number in range(2):
        analysed(study)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address + "?language=nl").content.decode()
        assert "Van de " in page
        counts.append(len(queries))
        for more in range(5):
            builders.seal(builders.make_team(study, f"N{number}-{more}"), [answers(1, 2, 3, 4)] * 3)
    assert counts[0] == counts[1]
