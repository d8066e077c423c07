"""The early picture of a team: made of its own sealed answers alone, judged as a publication, and kept as it was shown."""

from __future__ import annotations

import pytest
from django.utils import timezone

from analysis import withdrawals
from analysis.disclosure import MeanShown, Reason, Withheld
from analysis.mirror import making
from analysis.mirror.seen import picture_of, picture_row
from analysis.models import AccountingDecision, EarlyPicture, Publication
from analysis.plan.plans import amend_plan, locked_plan
from analysis.publication.publishing import publish
from analysis.publication.refusals import PublishingRefused
from analysis.publication.served import of_academy, of_study, of_team
from analysis.publication.units import CombiningRefused, combine_teams, separate_teams
from analysis.runs.execution import execute, request_run
from surveys.models import Collection, Meeting, SealedResponse, Survey
from teams.inviting.withdrawing import withdraw
from teams.models import Event, Invitation, Participation, Study
from tests.analysis import builders

pytestmark = pytest.mark.django_db
State = EarlyPicture.State


def rows(number: int, size: int) -> list[dict[str, object]]:
    return [
        builders.answers(*[(person * (item + 2) + number + item // 3) % 4 + 1 for item in range(9)])
        for person in range(size)
    ]


def met(study: Study, name: str, number: int, size: int, *, asked: bool = True, **fields: object) -> Participation:
    """A team that met: its answers are sealed, and whoever led it asked for the picture."""
    team = builders.make_team(study, name, approached=20, mode="facilitator")
    collection = builders.seal(team, rows(number, size))
    counted: dict[str, object] = {"n_present": size, "n_links": 0, "n_confirmed": 0, **fields}
    Collection.objects.filter(pk=collection.pk).update(**counted)
    moment = timezone.now() if asked else None
    Meeting.objects.create(collection=collection, facilitator_nonce="0" * 32, picture_asked_at=moment)
    Invitation.objects.create(study=study, participation=team, state="accepted", undertaking=True)
    team.team.academy.invitations.get_or_create(study=study, state="accepted", undertaking=True)
    return team


@pytest.fixture
def study() -> Study:
    study = builders.make_study()
    Survey.objects.filter(study=study).update(mirror=True)
    return study


def published(study: Study) -> Publication:
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()
    return publish(run, None)


def screen_who_left_one_out(study: Study) -> None:
    """An amended plan: who left any question open is set aside."""
    plan = locked_plan(study)
    assert plan is not None
    screening = {**plan.content["screening"], "unanswered_over": 0.05, "version": 2}
    amend_plan(study, {**plan.content, "screening": screening}, "stricter", builders.make_researcher(study))


def test_a_team_sees_itself_and_nobody_else(study, django_assert_max_num_queries):
    team = met(study, "A", 0, 9)
    met(study, "B", 1, 12, asked=False)
    met(study, "C", 2, 12)
    assert making.make_due() == 2
    assert set(EarlyPicture.objects.values_list("unit", "state")) == {
        (f"team:{team.pk}", "shown"),
        (f"team:{Participation.objects.get(team__name='C').pk}", "shown"),
    }
    own = SealedResponse.objects.filter(collection__participation=team).values_list("key", flat=True)
    assert sorted(own) == picture_row(team).members
    with django_assert_max_num_queries(12):
        now = picture_of(team)
        report = now.report("en")
    assert now.has_results
    assert [scale.name for scale in report.scales] == ["First", "Second", "Third"]
    assert report.benchmark == Withheld(Reason.OTHERS_LATER)
    assert {type(scale.benchmark) for scale in report.scales} == {Withheld}
    assert (report.returned, report.approached) == (9, 20)
    assert picture_of(Participation.objects.get(team__name="B")) is None
    assert Event.objects.filter(kind="picture_made", participation=team).count() == 1
    assert making.make_due() == 0


def test_the_report_shows_what_the_picture_showed(study):
    team = met(study, "A", 0, 9)
    assert making.make_due() == 1
    for number in range(1, 6):
        met(study, f"O{number}", number, 10)
    before = picture_of(team).report("en")
    published(study)
    after = of_team(team).report("en")
    assert [scale.items for scale in after.scales] == [scale.items for scale in before.scales]
    assert [scale.shown.mean for scale in after.scales] == [scale.shown.mean for scale in before.scales]
    assert picture_of(team).report("en").scales == before.scales  # once published nothing of it moved


@pytest.mark.parametrize("asked", [True, False])
def test_a_team_of_which_others_are_analysed_by_now_keeps_its_picture(study, asked):
    """Without the picture, screening one person away is one person's answers; with it nothing changes for this team."""
    team = met(study, "A", 0, 9, asked=asked)
    response = SealedResponse.objects.filter(collection__participation=team).order_by("key")[4]
    answers = {**response.answers}
    del answers["BB3"]
    SealedResponse.objects.filter(pk=response.pk).update(answers=answers)
    for number in range(1, 6):
        met(study, f"O{number}", number, 10, asked=asked)
    if asked:
        assert making.make_due() == 6
        before = picture_of(team).report("en")
    else:
        published(study)
        before = of_team(team).report("en")
    screen_who_left_one_out(study)
    if not asked:
        with pytest.raises(PublishingRefused):
            published(study)
        return
    run = published(study).run
    assert run.counts["teams"][str(team.pk)]["analysed"] == 8  # what researchers read is the analysis
    assert set(run.counts["pictures"]) == {str(team.pk)}
    after = of_team(team).report("en")
    assert [scale.items for scale in after.scales] == [scale.items for scale in before.scales]
    assert [scale.shown.mean for scale in after.scales] == [scale.shown.mean for scale in before.scales]
    assert after.returned == before.returned
    assert of_study(study).report("en").scales[0].shown.mean == pytest.approx(_mean_of_units(study), abs=0.01)
    assert of_academy(study, team.team.academy) is not None


def _mean_of_units(study: Study) -> float:
    """Of the scores that follow from what is shown, weighted by how many are behind each."""
    known = []
    for team in study.participations.all():
        now = of_team(team)
        side = now.versions.now.study.side(now.own.shown, 0)
        known.append((now.own.shown.unit.analysed, float(side.score.value)))
    return sum(n * mean for n, mean in known) / sum(n for n, _mean in known)


@pytest.mark.parametrize(
    "fields",
    [
        {"n_present": 4},  # fewer than k were there
        {"n_present": 8},  # more came back than were there
        {"present_by": "leader"},
    ],
)
def test_too_few_and_counts_that_are_held_read_alike(study, fields):
    team = met(study, "A", 0, 9, **fields)
    assert making.make_due() == 1
    picture = picture_row(team)
    assert (picture.state, picture.members, picture.content, picture.figures) == (State.WITHHELD, [], {}, {})
    assert picture_of(team) is None
    AccountingDecision.objects.create(participation=team, reason="looked", decided_by=builders.make_researcher(study))
    assert making.make_due() == 0  # the meeting is over: the first report shows it


def test_combined_teams_get_one_picture_when_the_last_is_sealed(study):
    first, second = met(study, "A", 0, 4, asked=False), builders.make_team(study, "B", mode="facilitator")
    unit = combine_teams(study, [first, second], None)
    Meeting.objects.update(picture_asked_at=timezone.now())
    assert making.make_due() == 0
    assert picture_row(first) is None
    collection = builders.seal(second, rows(3, 4))
    Collection.objects.filter(pk=collection.pk).update(n_present=4, n_links=0, n_confirmed=0)
    Meeting.objects.create(collection=collection, facilitator_nonce="0" * 32, picture_asked_at=timezone.now())
    assert making.make_due() == 1
    assert list(EarlyPicture.objects.values_list("unit", "state")) == [(f"unit:{unit.pk}", "shown")]
    report = picture_of(second).report("en")
    assert (report.returned, report.combined_with) == (8, ("A",))
    assert isinstance(report.scales[0].shown, MeanShown)


def test_teams_stay_as_they_are_from_the_first_picture_on(study):
    teams = [met(study, name, 0, 9, asked=False) for name in "AB"]
    unit = combine_teams(study, [met(study, name, 0, 4, asked=False) for name in "CD"], None)
    Meeting.objects.filter(collection__participation=teams[0]).update(picture_asked_at=timezone.now())
    with pytest.raises(CombiningRefused, match="asked for them"):
        combine_teams(study, teams, None)
    with pytest.raises(CombiningRefused, match="asked for them"):
        separate_teams(unit, None)


def test_a_team_that_withdraws_takes_its_picture_along(study):
    team = met(study, "A", 0, 9)
    others = [met(study, f"O{number}", number, 10) for number in range(1, 6)]
    making.make_due()
    assert withdraw(team.invitation, "workload", by_link=True)
    withdrawals.carry_out()
    team.refresh_from_db()
    assert picture_of(team) is None
    picture = EarlyPicture.objects.get(unit=f"team:{team.pk}")
    assert (picture.content, picture.setting) == ({}, {})
    assert len(picture.members) == 9  # what was shown stays known to the judge
    assert SealedResponse.objects.filter(collection__participation=team).count() == 9  # as after a publication
    published(study)
    assert of_team(team).own is None
    assert of_team(others[0]).has_results


def test_what_changed_meanwhile_is_judged_again(study, monkeypatch):
    team = met(study, "A", 0, 9)
    shown, tries = making._shown, []

    def change_once(picture, study):
        if not tries:
            Collection.objects.filter(participation=team).update(n_present=4)
        tries.append(picture.pk)
        return shown(picture, study)

    monkeypatch.setattr(making, "_shown", change_once)
    assert making.make_due() == 1
    assert picture_row(team).state == State.WITHHELD
    assert len(tries) == 2


def test_a_picture_that_cannot_be_made_says_so_and_stops_no_other(study, monkeypatch):
    team, other = met(study, "A", 0, 9), met(study, "B", 1, 9)
    shown = making._shown

    def fail(picture, study):
        if picture.unit == f"team:{team.pk}":
            raise ZeroDivisionError
        return shown(picture, study)

    monkeypatch.setattr(making, "_shown", fail)
    assert making.make_due() == 1
    assert (picture_row(team).state, picture_row(team).error) == (State.FAILED, "ZeroDivisionError")
    assert picture_of(other).has_results


def test_a_picture_made_while_something_is_published_is_seen_by_the_judge(study):
    """Publishing asks once more, under the lock, whether what it judged against is all there is."""
    from analysis.publication.publishing import Step, publish

    for number in range(1, 6):
        met(study, f"O{number}", number, 10, asked=False)
    team = met(study, "A", 0, 9)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()

    def progress(step: Step, _made: int, _of: int) -> None:
        if step == Step.COMPARING:
            assert making.make_due() == 1

    with pytest.raises(PublishingRefused, match="changed in the meantime"):
        publish(run, None, progress=progress)
    assert picture_of(team).has_results
    publish(run, None)
