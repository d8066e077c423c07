import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.exports.result_tables import codebook_rows, csv_lines, result_rows, team_code
from analysis.models import AnalysisRun
from analysis.models.results import AgreementResult, ScaleResult
from analysis.runs import execution
from surveys.models import Survey
from teams.files.tables import neutralised
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db


def parsed(rows):
    text = "".join(csv_lines(rows))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def analysed(study):
    survey = Survey.objects.select_related("version", "study").get(study=study)
    run = execution.request_run(survey)
    assert execution.execute(run.pk)
    return survey, AnalysisRun.objects.get(pk=run.pk)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_are_neutralised(start):
    assert neutralised(f"{start}SUM(A1)") == f"'{start}SUM(A1)"


def test_numbers_and_common_text_stay():
    assert neutralised(-1) == -1
    assert neutralised(-0.1) == "-0.1"
    assert neutralised(float("nan")) == ""
    assert neutralised("Verpleegkunde") == "Verpleegkunde"
    assert neutralised(None) is None


def test_a_team_called_like_a_formula():
    study = builders.make_study()
    builders.seal(builders.make_team(study, "=HYPERLINK(1)"), [answers(1, 2)] * 2)
    _, run = analysed(study)
    assert {row["team"] for row in parsed(result_rows(run, all_teams=True))} == {"", "'=HYPERLINK(1)"}


def test_results_hold_both_scale_sets_overall_and_per_team():
    study = builders.make_study()
    builders.three_teams(study)
    _, run = analysed(study)
    rows = parsed(result_rows(run, all_teams=True))
    assert len(rows) == 2 * 3 * 4
    overall = next(row for row in rows if row["scale"] == "BB" and not row["team"])
    assert [row["team"] for row in rows if row["scale"] == "BB"] == 2 * ["", "Team0", "Team1", "Team2"]
    for row in rows:  # every figure stands in its column
        scores = ScaleResult.objects.get(
            run=run,
            scale_set=row["scale_set"],
            scale=row["scale"],
            participation__team__name=row["team"] or None,
        )
        agreement = AgreementResult.objects.get(
            run=run, scale_set=row["scale_set"], scale=row["scale"], participation=scores.participation
        )
        expected = [scores.n, scores.mean, scores.sd, scores.minimum, scores.maximum, scores.ci_low, scores.ci_high]
        expected += [agreement.icc1, agreement.icc2]
        expected += [agreement.rwg.get("uniform"), agreement.rwg.get("own"), agreement.ad]
        columns = (
            "n",
            "mean",
            "sd",
            "min",
            "max",
            "ci_low",
            "ci_high",
            "icc1",
            "icc2",
            "rwg_uniform",
            "rwg_own",
            "ad",
        )
        assert [row[column] for column in columns] == ["" if value is None else repr(value) for value in expected]
    assert overall["alpha"]
    assert overall["icc1"]
    assert not overall["rwg_uniform"]


def test_team_codes_are_stable_and_of_the_study():
    study = builders.make_study()
    survey = Survey.objects.get(study=study)
    other = Survey.objects.get(study=builders.make_study("other"))
    assert team_code(survey, 1) == team_code(survey, 1)
    assert len({team_code(survey, 1), team_code(survey, 2), team_code(other, 1)}) == 3


def test_codebook_names_every_column_of_the_responses():
    study = builders.make_study()
    builders.seal(builders.make_team(study, "T"), [answers(1)])
    survey, _ = analysed(study)
    rows = parsed(codebook_rows(survey))
    assert [row["variable"] for row in rows] == ["team", "set_aside", *builders.ITEMS]
    item = next(row for row in rows if row["variable"] == "AA3")
    assert (item["reverse_keyed"], item["scale"], item["text_en"]) == ("1", "AA", "Three")
    assert item["values_en"].startswith("1 = strongly disagree; 2")
    assert item["values_en"].endswith("x = I cannot judge")


@pytest.mark.parametrize("n_teams", [2, 20])
def test_queries_do_not_grow_with_the_teams(n_teams):
    study = builders.make_study()
    for number in range(n_teams):
        builders.seal(builders.make_team(study, f"T{number}"), [answers(1, 2)] * 2)
    _, run = analysed(study)
    with CaptureQueriesContext(connection) as results:
        list(result_rows(run, all_teams=True))
    assert len(results) == 2 + 2 * 6 + 6, (
        "plan, reliability, the scales, two per scale of either set, and the study since"
    )
