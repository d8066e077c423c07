"""Combining sibling teams: who may be combined, when, and that it stands in the history."""

import pytest

from analysis import publishing
from analysis.models import Unit
from analysis.publishing import PublishingRefused, publish
from analysis.reports import team_report
from analysis.units import CombiningRefused, combine_teams, separate_teams
from teams.models import Event, Participation, Study
from tests.analysis.builders import make_researcher, make_study, make_team, seal
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def siblings(study: Study) -> list[Participation]:
    made = [make_team(study, "Small"), make_team(study, "Tiny")]
    for team, size in zip(made, (4, 3), strict=True):
        seal(team, varied(size))
    return made


def test_two_small_siblings_get_one_report(study, siblings):
    researcher = make_researcher(study)
    unit = combine_teams(study, siblings, researcher)
    assert (unit.name, unit.academy) == ("Small + Tiny", siblings[0].team.academy)
    assert list(unit.participations.order_by("pk")) == siblings
    event = Event.objects.get(kind="teams_combined")
    assert (event.study, event.by, event.detail) == (study, researcher, "Small + Tiny")
    report = team_report(analyse(study), siblings[1])
    assert report.combined_with == ("Small",)
    assert isinstance(report.scales, tuple)


def test_only_siblings(study, siblings):
    stranger = make_team(study, "Stranger", academy="Other")
    with pytest.raises(CombiningRefused, match="same academy"):
        combine_teams(study, [siblings[0], stranger], None)
    with pytest.raises(CombiningRefused, match="at least two"):
        combine_teams(study, siblings[:1], None)
    with pytest.raises(CombiningRefused, match="at least two"):
        combine_teams(study, [siblings[0], siblings[0]], None)
    elsewhere = make_team(make_study("elsewhere"), "Third")
    with pytest.raises(CombiningRefused, match="take part in this study"):
        combine_teams(study, [*siblings, elsewhere], None)
    assert not Unit.objects.exists()


def test_a_team_that_takes_no_part_is_not_combined(study, siblings):
    Participation.objects.filter(pk=siblings[1].pk).update(state=Participation.State.WITHDRAWN)
    with pytest.raises(CombiningRefused, match="at least two"):
        combine_teams(study, siblings, None)


def test_a_team_is_in_one_unit(study, siblings):
    combine_teams(study, siblings, None)
    with pytest.raises(CombiningRefused, match="already"):
        combine_teams(study, [siblings[0], make_team(study, "Third")], None)


def test_undone_before_publication_only(study, siblings):
    unit = combine_teams(study, siblings, None)
    separate_teams(unit, None)
    separate_teams(unit, None)
    assert not Unit.objects.exists()
    assert Event.objects.filter(kind="teams_separated", detail="Small + Tiny").count() == 1

    unit = combine_teams(study, siblings, None)
    publish(analyse(study), None)
    with pytest.raises(CombiningRefused, match="published"):
        separate_teams(unit, None)
    with pytest.raises(CombiningRefused, match="published"):
        combine_teams(study, [make_team(study, "A"), make_team(study, "B")], None)
    assert Unit.objects.get() == unit


def test_teams_combined_while_a_run_is_being_published(study, siblings, monkeypatch):
    run = analyse(study)
    read = publishing.read_material

    def read_and_combine(of):
        material = read(of)
        combine_teams(study, siblings, None)
        return material

    monkeypatch.setattr(publishing, "read_material", read_and_combine)
    with pytest.raises(PublishingRefused, match="meantime"):
        publish(run, None)
    monkeypatch.undo()
    assert publish(run, None).groups.get().group.startswith("unit:")
