"""Looking back by several at the same moment: one mail, and no word lost."""

import pytest
from django.utils import timezone

from analysis.looking_back import dates, steps
from analysis.looking_back.steps import steps_of
from analysis.models import LookBack, LookBackReader, LookBackStep
from analysis.publication.talks import write_goal
from teams.models import OutboxMessage, Participation
from tests.analysis.builders import make_study, make_team
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team() -> Participation:
    team = make_team(make_study("small"), "Nursing")
    write_goal(team, "AA", None, "Visit each other\nAsk for an example")
    return team


def test_of_workers_that_wake_at_once_one_mails(team):
    assert dates.pick(team, dates.usual_day(), ["a@school.example"], None)
    LookBack.objects.update(on=timezone.localdate())
    n_mailed = in_threads(*[dates.mail_due] * 4)
    assert sorted(n_mailed) == [0, 0, 0, 1]
    kinds = OutboxMessage.objects.filter(kind__startswith="look_back").values_list("kind", flat=True)
    assert sorted(kinds) == ["look_back", "look_back_asked"]


def test_who_write_at_once_lose_no_word(team):
    first, second = steps_of(team)
    written = in_threads(
        lambda: steps.write(team, {first: {"status": "done"}}, "a"),
        lambda: steps.write(team, {first: {"line": "Twice."}}, "b"),
        lambda: steps.write(team, {second: {"status": "dropped"}}, "c"),
        lambda: dates.pick(team, dates.usual_day(), ["a@school.example"], None),
    )
    assert written == [True] * 4
    assert LookBack.objects.count() == 1
    assert [(step.status, step.line) for step in steps_of(team)] == [("done", "Twice."), ("dropped", "")]
    assert LookBackStep.objects.count() == 2
    assert LookBackReader.objects.count() == 1


def test_of_two_who_pick_at_once_one_list_stands(team):
    lists = (["a@school.example", "b@school.example"], ["b@school.example", "c@school.example"])
    assert (
        in_threads(*[lambda others=others: dates.pick(team, dates.usual_day(), others, None) for others in lists])
        == [True] * 2
    )
    assert dates.addresses_of(dates.day_of(team).look_back) in (
        [*lists[0]],
        [*lists[1]],
        ["b@school.example", lists[0][0]],
    )
