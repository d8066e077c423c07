"""A published study, a team of it that agreed on two steps, and the wave after it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from analysis.models import AnalysisRun
from analysis.publication.publishing import publish
from analysis.publication.talks import write_goal
from teams.models import OutboxMessage, Participation, Study
from tests.analysis.builders import make_study, seal
from tests.analysis.looking_back.team import STEPS
from tests.analysis.test_reader_pages import analysed_study
from tests.analysis.test_reports import analyse, varied


@pytest.fixture
def published() -> tuple[Study, list[Participation], AnalysisRun]:
    study, teams, run = analysed_study("small", 5, size=10)
    publish(run, None)
    write_goal(teams[0], "AA", Decimal("3.2"), STEPS)
    OutboxMessage.objects.all().delete()
    return study, teams, run


@pytest.fixture
def team(published) -> Participation:
    return published[1][0]


@pytest.fixture
def next_wave(published, team) -> tuple[Participation, AnalysisRun]:
    """The wave after it, of the same teams, analysed."""
    later = make_study("later")
    Study.objects.filter(pk=later.pk).update(previous=published[0], wave=2)
    for number, before in enumerate(published[1]):
        participation = Participation.objects.create(
            study=later, team=before.team, approached=20, state="accepted", mode="online",
            leader_name=before.leader_name, leader_email=before.leader_email,
        )  # fmt: skip
        seal(participation, varied(12, number))
    return Participation.objects.get(study=later, team=team.team), analyse(later)
