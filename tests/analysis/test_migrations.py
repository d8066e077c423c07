"""Rows that a migration moves: nothing of them is lost, there and back."""

import importlib

import pytest
from django.apps import apps

from analysis.models.comparisons import WaveDifference
from analysis.models.results import ResultTable
from tests.analysis import builders
from tests.analysis.test_nonresponse import analyse

pytestmark = pytest.mark.django_db
migration = importlib.import_module("analysis.migrations.0010_teams_of_waves_are_rows")
NUMBERS = {"n_before": 8, "n": 6, "before": 2.5, "mean": 2.75, "difference": 0.25, "low": None, "high": None}


def test_teams_of_waves_become_rows_and_text_again():
    study = builders.make_study()
    team, _other, _third = builders.three_teams(study)
    run = analyse(study)
    content = {"earlier": "Before", "problem": "", "n_teams": 1, "teams": [{"participation": team.pk, **NUMBERS}]}
    content["teams"].append({"participation": 999_999, **NUMBERS})  # a team that is gone
    for scale in ("AA", "BB"):
        ResultTable.objects.create(run=run, kind="waves", name=scale, content=content)
    ResultTable.objects.create(run=run, kind="waves", name="CC", content={"problem": "too_few_items"})
    migration.to_rows(apps, None)
    row = WaveDifference.objects.get(run=run, scale="BB")
    assert row.participation == team
    assert {name: getattr(row, name) for name in NUMBERS} == NUMBERS
    assert ResultTable.objects.get(run=run, kind="waves", name="AA").content == {
        "earlier": "Before",
        "problem": "",
        "n_teams": 1,
    }
    migration.to_text(apps, None)
    again = ResultTable.objects.get(run=run, kind="waves", name="AA").content
    assert again["teams"] == [{"participation": team.pk, **NUMBERS}]
    assert ResultTable.objects.get(run=run, kind="waves", name="CC").content == {"problem": "too_few_items"}
