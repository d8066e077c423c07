"""Combining sibling teams: who may be combined, when, and that it stands in the history."""

import pytest

from analysis.disclosure import Hold
from analysis.models import AccountingDecision, Unit
from analysis.publication import publishing
from analysis.publication.publishing import PublishingRefused, publish
from analysis.publication.units import CombiningRefused, combine_teams, separate_teams
from analysis.reports.groups import counted_groups, load_groups
from analysis.reports.team import team_report
from teams.models import Event, Participation, Study
from teams.people.contact_person import note_vouched
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


def test_a_leader_who_counted_in_a_sibling_holds_their_combination(study, siblings):
    """Who was contact person there when only the own team's leader was refused: three said, one there, two made up."""
    reads = siblings[1].leader_email
    note_vouched(siblings[0].pk, reads)
    combine_teams(study, siblings, make_researcher(study))
    run = analyse(study)
    report = team_report(run, siblings[1])
    assert not isinstance(report.scales, tuple)
    (together,) = load_groups(run)
    assert [Hold.COUNTED_BY_LEADER in why for why in together.group.holds(5)] == [True, False]
    assert counted_groups(run) == [together.group]


def test_what_was_accepted_of_a_team_by_itself_is_judged_again_once_it_is_combined(study, siblings):
    """Accepting one team's counts lifted the hold for who counted there and reads the combination."""
    note_vouched(siblings[0].pk, siblings[1].leader_email)
    AccountingDecision.objects.create(participation=siblings[0], reason="Two colleagues came in late.")
    run = analyse(study)
    assert not any(why for group in counted_groups(run) for why in group.holds(5))
    unit = combine_teams(study, siblings, make_researcher(study))
    (together,) = load_groups(run)
    assert [Hold.COUNTED_BY_LEADER in why for why in together.group.holds(5)] == [True, False]
    assert counted_groups(run) == [together.group]
    AccountingDecision.objects.create(participation=siblings[0], reason="Asked both leaders: it is right.")
    (together,) = load_groups(run)
    assert together.group.holds(5) == [(), ()]
    assert counted_groups(run) == [together.group]
    separate_teams(unit, None)
    assert not any(why for group in counted_groups(run) for why in group.holds(5))
