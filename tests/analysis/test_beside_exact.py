"""What researchers read beside a team's report: the exact figures, and why readers see others."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analysis.models import AnalysisRun
from analysis.models.results import ScaleResult, ScaleSet
from analysis.reports.groups import group_of, load_groups
from analysis.reports.team import team_report
from analysis.results.beside_exact import Beside, beside_exact
from analysis.runs.execution import execute, request_run
from surveys.models import Survey
from teams.models import Participation, Study
from tests.analysis import builders
from tests.disclosure.study import moments_of

pytestmark = pytest.mark.django_db


def run_of(study: Study) -> AnalysisRun:
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()
    return run


def beside(study: Study, team: Participation) -> list[Beside]:
    run = run_of(study)
    group = group_of(load_groups(run), team)
    assert group is not None
    return beside_exact(run, group, team_report(run, team, "en"))


def a_team(study: Study, name: str, rows: list[dict[str, Any]]) -> Participation:
    team = builders.make_team(study, name, approached=30)
    builders.seal(team, rows)
    return team


def rows(size: int) -> list[dict[str, Any]]:
    return [builders.answers(*[(person * 3 + item) % 4 + 1 for item in range(9)]) for person in range(size)]


def test_the_same_figure_is_said_to_be_the_same() -> None:
    study = builders.make_study()
    team = a_team(study, "A", rows(12))
    for row in beside(study, team):
        exact = ScaleResult.objects.get(
            participation=team, scale_set=ScaleSet.FINAL, scale={"First": "AA", "Second": "BB", "Third": "CC"}[row.name]
        )
        assert (row.n, row.mean, row.sd) == (12, pytest.approx(exact.mean), pytest.approx(exact.sd))
        assert row.score == pytest.approx(exact.mean)
        assert row.why == ("The same figure, rounded to one decimal.",)


def test_who_left_a_question_open_makes_the_two_differ_and_it_is_said() -> None:
    study = builders.make_study()
    given = rows(12)
    del given[0]["BB2"], given[5]["BB3"]
    first, second, third = beside(study, a_team(study, "A", given))
    assert second.score != pytest.approx(second.mean, abs=0.0005)
    assert "some left questions open" in second.why[0]
    assert first.why == third.why == ("The same figure, rounded to one decimal.",)


def test_limits_and_fixed_values_are_named() -> None:
    study = builders.make_study()
    alike = [builders.answers(*[4, 4, 1, *[3 if person else 2] * 3, *[person % 4 + 1] * 3]) for person in range(12)]
    _first, second, _third = beside(study, a_team(study, "A", alike))
    assert "almost everyone" in second.why[0]
    at_the_end = [builders.answers(*[4, 4, 1, *[person % 4 + 1] * 6]) for person in range(6)]
    study = builders.make_study("other")
    first, _second, _third = beside(study, a_team(study, "A", at_the_end))
    assert "readers see a limit" in first.why[0]


def test_hidden_figures_stay_hidden() -> None:
    """A team whose figures, taken from all, would leave those of fewer than k."""
    study = builders.make_study()
    team = a_team(study, "A", rows(12))
    a_team(study, "Small", rows(3))
    for row in beside(study, team):
        assert (row.n, row.mean, row.sd) == (None, None, None)
        assert "hidden here" in row.why[0]


def test_the_preview_has_it_and_the_teams_own_page_does_not() -> None:
    study = builders.make_study()
    team = a_team(study, "A", rows(12))
    run_of(study)
    client = Client()
    client.cookies["language"] = "en"
    client.force_login(builders.make_researcher(study))
    page = client.get(reverse("report_preview", args=[study.slug, team.pk])).content.decode()
    assert 'id="exact"' in page
    assert moments_of([1.0, 2.0]).sd == pytest.approx(0.7071, abs=1e-4)
