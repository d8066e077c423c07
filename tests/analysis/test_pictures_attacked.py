"""The early picture attacked: by who withdraws, by other teams of the same moment, by old requests, by a busy beat."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.translation import override

from analysis import board, withdrawals
from analysis.disclosure import Withheld
from analysis.erasure import consequences
from analysis.history import Happened
from analysis.mirror import making
from analysis.mirror.seen import picture_of, picture_row
from analysis.models import AnalysisPlan, EarlyPicture, Unit
from analysis.plan.plans import known_now, locked_plan
from analysis.publication.served import of_team
from surveys.models import Meeting, SealedResponse, Survey
from teams.inviting.withdrawing import withdraw
from teams.links import new_nonce
from teams.messages.mails import team_withdrawn
from teams.models import Event, Invitation, Participation, Study
from tests.analysis import builders
from tests.analysis.test_picture_pages import page_of, screen_of
from tests.analysis.test_pictures import met, published, screen_who_left_one_out

pytestmark = pytest.mark.django_db
State = EarlyPicture.State


@pytest.fixture
def study() -> Study:
    study = builders.make_study()
    Survey.objects.filter(study=study).update(mirror=True)
    return study


def combined(study: Study, *teams: Participation) -> Unit:
    unit = Unit.objects.create(study=study, academy=teams[0].team.academy, name=" + ".join(t.team.name for t in teams))
    unit.participations.set(teams)
    return unit


def gone(team: Participation) -> None:
    assert withdraw(team.invitation, "workload", by_link=True)
    withdrawals.carry_out()


def test_a_team_keeps_the_picture_of_several_when_another_of_them_withdraws(study):
    """It was asked for today still: a picture of those who are left would be withheld, and hide the one that they saw."""
    first, second = met(study, "A", 0, 9), met(study, "B", 1, 9)
    combined(study, first, second)
    assert making.make_due() == 1
    before = picture_of(first).report("en")
    gone(second)
    assert making.make_due() == 0
    assert picture_of(first).report("en").scales == before.scales
    assert EarlyPicture.objects.count() == 1


def test_of_teams_that_all_withdrew_nothing_is_kept_that_was_shown(study):
    teams = [met(study, name, number, 9) for number, name in enumerate("AB")]
    combined(study, *teams)
    making.make_due()
    gone(teams[0])
    assert EarlyPicture.objects.get().content
    gone(teams[1])
    picture = EarlyPicture.objects.get()
    assert (picture.content, picture.setting) == ({}, {})
    assert len(picture.members) == 18  # the judge goes on to know it


def test_a_picture_that_waits_is_of_the_teams_that_are_left(study, monkeypatch):
    """A team withdraws while the picture of both is made: who is left is a team by itself, as in every later publication."""
    first, second = met(study, "A", 0, 9), met(study, "B", 1, 9)
    combined(study, first, second)
    shown, tries = making._shown, []

    def withdraw_once(picture, study):
        made = shown(picture, study)
        if not tries:
            gone(second)
        tries.append(picture.unit)
        return made

    monkeypatch.setattr(making, "_shown", withdraw_once)
    making.make_due()
    EarlyPicture.objects.update(due_at=None)
    making.make_due()
    assert list(EarlyPicture.objects.values_list("unit", "state")) == [(f"team:{first.pk}", "shown")]
    assert picture_of(first).report("en").returned == 9


def test_a_combination_made_at_the_instant_of_asking_is_what_the_team_is_shown_in(study, monkeypatch):
    """It was made after the picture was asked for and before it was stored: one of the team alone would tell on the other."""
    first, second = met(study, "A", 0, 9), met(study, "B", 1, 4)
    shown = making._shown

    def combine_once(picture, study):
        made = shown(picture, study)
        if not Unit.objects.exists():
            combined(study, first, second)
        return made

    monkeypatch.setattr(making, "_shown", combine_once)
    making.make_due()
    EarlyPicture.objects.update(due_at=None)
    making.make_due()
    unit = Unit.objects.get()
    assert list(EarlyPicture.objects.values_list("unit", "state")) == [(f"unit:{unit.pk}", "shown")]
    assert picture_of(first).report("en").combined_with == ("B",)


def test_a_team_whose_fellows_meet_in_the_same_minute_gets_its_picture(study, monkeypatch):
    """Each picture that another worker stores meanwhile makes this one be judged again: that is no failure of it."""
    team = met(study, "A", 0, 9)
    shown, others = making._shown, []

    def another_meanwhile(picture, study):
        made = shown(picture, study)
        if len(others) < 12:
            others.append(
                EarlyPicture.objects.create(
                    study=study, unit=f"team:{10_000 + len(others)}", state="shown", made_at=timezone.now()
                )
            )
        return made

    monkeypatch.setattr(making, "_shown", another_meanwhile)
    for _wake in range(12):
        making.make_due()
        EarlyPicture.objects.update(due_at=None)
    assert picture_row(team).state == State.SHOWN


def test_a_page_that_nobody_makes_figures_for_any_more_stops_waiting(study, monkeypatch):
    """The workers were away for days: the page says that there are none, and not for ever that they are being made."""
    team = met(study, "A", 0, 9)
    here = screen_of(team)
    assert "being made" in here.get(page_of(team)).content.decode()
    Meeting.objects.update(picture_asked_at=timezone.now() - making.TOO_LATE - timedelta(minutes=1))
    assert making.make_due() == 0
    page = here.get(page_of(team)).content.decode()
    assert "being made" not in page
    assert "There are no figures of your team" in page


def test_beat_asks_no_more_for_more_teams_that_saw_themselves(study, django_assert_max_num_queries):
    for number in range(6):
        met(study, f"T{number}", number, 9)
    assert making.make_due() == 6
    with django_assert_max_num_queries(5):
        assert making.make_due() == 0


def test_history_says_of_a_picture_that_is_withheld_nothing_that_is_not_true(study):
    """The same words stand there of one that is shown."""
    team = met(study, "A", 0, 4)
    making.make_due()
    assert EarlyPicture.objects.get().state == State.WITHHELD
    assert Event.objects.filter(participation=team, kind=Happened.PICTURE_MADE).exists()
    assert "where that is allowed" in str(Happened.PICTURE_MADE.words)


@pytest.mark.parametrize(("language", "says"), [("en", "own figures in its meeting"), ("nl", "eigen cijfers")])
def test_whoever_stops_reads_that_answers_behind_a_picture_are_kept(study, language, says):
    """Nothing is published yet; what the team saw of itself counts as if it were."""
    team = met(study, "A", 0, 9)
    making.make_due()
    gone(team)
    assert SealedResponse.objects.filter(collection__participation=team).count() == 9
    Invitation.objects.filter(participation=team).update(nonce=new_nonce())
    with override(language):
        mail = team_withdrawn(team.invitation.pk, language)
    assert mail is not None
    assert says in mail.text


def test_a_plan_that_is_changed_after_a_picture_says_that_results_were_known(study):
    """A researcher who led the meeting saw them on the screen, also where no analysis was done yet."""
    met(study, "A", 0, 9)
    assert known_now(study) == AnalysisPlan.Known.ANSWERS
    making.make_due()
    assert known_now(study) == AnalysisPlan.Known.RESULTS


def test_a_plan_that_asks_more_than_the_picture_showed_is_published(study):
    """A subject that is in the plan only later is of the same people, whose answers to it were shown to nobody."""
    plan = locked_plan(study)
    assert plan is not None
    every = plan.content
    AnalysisPlan.objects.filter(pk=plan.pk).update(content={**every, "scales": every["scales"][:2]})
    team = met(study, "A", 0, 9)
    row = SealedResponse.objects.filter(collection__participation=team).order_by("key")[4]
    SealedResponse.objects.filter(pk=row.pk).update(
        answers={item: answer for item, answer in row.answers.items() if item != "BB3"}
    )
    for number in range(1, 6):
        met(study, f"O{number}", number, 10)
    assert making.make_due() == 6
    before = picture_of(team).report("en")
    assert [scale.name for scale in before.scales] == ["First", "Second"]
    AnalysisPlan.objects.filter(pk=plan.pk).update(content=every)
    screen_who_left_one_out(study)
    run = published(study).run
    assert set(run.counts["pictures"]) == {str(team.pk)}
    after = of_team(team).report("en")
    assert [scale.name for scale in after.scales] == ["First", "Second", "Third"]
    assert [scale.items for scale in after.scales[:2]] == [scale.items for scale in before.scales]
    assert not isinstance(after.scales[2].shown, Withheld)


def test_deleting_a_study_says_that_teams_lose_the_figures_they_saw(study):
    study.refresh_from_db()
    met(study, "A", 0, 9)
    assert not [warning for warning in consequences.warnings(study) if "saw their own figures" in warning]
    making.make_due()
    assert [warning for warning in consequences.warnings(study) if "saw their own figures" in warning]


def test_the_board_names_figures_that_failed_until_a_report_holds_them(study):
    """Nobody can do more about them: a task that cannot be done would stand there for ever."""
    study.refresh_from_db()
    for number in range(6):
        met(study, f"T{number}", number, 10)
    making.make_due()
    EarlyPicture.objects.filter(pk=EarlyPicture.objects.first().pk).update(state=State.FAILED, content={}, figures={})

    def named() -> list[str]:
        return [str(waiting.text) for waiting in board.waiting(study) if "could not be made" in str(waiting.text)]

    assert named()
    published(study)
    assert not named()
