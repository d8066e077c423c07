"""What is typed in the team talk is written down by whatever button goes on, and by the page itself while somebody types."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from analysis.disclosure import Capped, ItemMean, Reason, Withheld
from analysis.models.readers import TeamGoal
from analysis.publication.publishing import publish
from analysis.publication.served import of_team
from analysis.publication.talks import goals_of
from analysis.reports.objects import ItemReport, Mark
from analysis.reports.questions import _items
from analysis.reports.team import Goal
from analysis.views.readers.talks import marks_of, screen
from teams.models import Participation
from tests.access.opened import fields_of
from tests.analysis.test_reader_pages import analysed_study, leader_of

pytestmark = pytest.mark.django_db
AUTOSAVE = {"X-Autosave": "yes"}


@pytest.fixture
def team() -> Participation:
    _study, teams, run = analysed_study("small", 5, size=10)
    publish(run, None)
    return teams[0]


def address(team: Participation) -> str:
    return reverse("team_talk", args=[team.pk])


def form_of(page: str, n: int = 1) -> dict[str, Any]:
    """The fields of one subject's form: the page holds those of all subjects."""
    (form,) = re.findall(rf'<form [^>]*id="agreed-{n}".*?</form>', page, flags=re.DOTALL)
    return fields_of(form)


def test_next_previous_and_report_write_down_what_was_typed(team: Participation):
    leader, talk = leader_of(team), address(team)
    for to, where in (("2", f"{talk}?n=2"), ("0", f"{talk}?n=0"), ("report", reverse("team_report", args=[team.pk]))):
        words = f"Before going to {to}."
        answer = leader.post(f"{talk}?n=1", {"target": "3.2", "next_steps": words, "to": to})
        assert (answer.status_code, answer.headers["Location"]) == (302, where)
        assert goals_of(team)["AA"] == Goal(3.2, words)


@pytest.mark.parametrize("to", ["", "99", "-1", "x", "/elsewhere"])
def test_whatever_else_it_is_told_it_stays(team: Participation, to: str):
    talk = address(team)
    answer = leader_of(team).post(f"{talk}?n=1", {"target": "", "next_steps": "Still here.", "to": to})
    assert answer.headers["Location"] == f"{talk}?n=1"
    assert goals_of(team)["AA"].next_steps == "Still here."


def test_what_is_not_right_stays_on_the_page_with_the_reason(team: Participation):
    answer = leader_of(team).post(f"{address(team)}?n=1", {"target": "9", "next_steps": "Keep me.", "to": "2"})
    assert answer.status_code == 200
    assert "Keep me." in answer.content.decode()
    assert answer.context["form"].errors["target"]


def test_who_only_goes_on_writes_nothing_down(team: Participation):
    leader_of(team).post(f"{address(team)}?n=1", {"target": "", "next_steps": "", "to": "2"})
    assert not TeamGoal.objects.exists()


def test_the_buttons_are_of_the_form(team: Participation):
    page = leader_of(team).get(f"{address(team)}?n=1").content.decode()
    for to in ("0", "2"):
        assert f'form="agreed-1" type="submit" name="to" value="{to}"' in page
    assert 'a class="btn btn-primary" data-go="next"' not in page, "a link would leave what was typed behind"


def test_autosave_says_what_is_so(team: Participation):
    leader, talk = leader_of(team), f"{address(team)}?n=1"
    saved = leader.post(talk, {"target": "3.0", "next_steps": "By itself."}, headers=AUTOSAVE)
    assert (saved.status_code, saved.json()["autosave"], saved.json()["others"]) == (200, "saved", {})
    assert goals_of(team)["AA"] == Goal(3.0, "By itself.")
    wrong = leader.post(talk, {"target": "9", "next_steps": "Not this."}, headers=AUTOSAVE)
    assert wrong.status_code == 422
    assert wrong.json()["reasons"][0].startswith("De score die we de volgende keer willen halen:")
    assert goals_of(team)["AA"].next_steps == "By itself."
    assert "By itself." not in leader.get(reverse("start")).content.decode(), "no message waits for another page"


def test_autosave_after_the_next_measurement_is_refused(team: Participation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analysis.publication.talks.may_write", lambda participation: False)
    answer = leader_of(team).post(f"{address(team)}?n=1", {"target": "", "next_steps": "Late."}, headers=AUTOSAVE)
    assert (answer.status_code, answer.json()["autosave"]) == (409, "refused")
    assert not TeamGoal.objects.exists()


def test_autosave_of_a_session_that_is_over_is_told_so(team: Participation, client: Client):
    answer = client.post(f"{address(team)}?n=1", {"target": "", "next_steps": "x"}, headers=AUTOSAVE)
    assert answer.status_code == 401
    assert not TeamGoal.objects.exists()


def test_two_pages_of_the_talk_take_nothing_from_each_other(team: Participation):
    """The screen in the room and the leader's own laptop: of what one saved by itself the other hears."""
    leader, talk = leader_of(team), f"{address(team)}?n=1"
    screen, laptop, third = (form_of(leader.get(talk).content.decode()) for _n in range(3))

    # its own last word is no conflict, also where the answer to an earlier one was lost
    for words in ("Every week", "Every week one lesson", "Every week two lessons"):
        answer = leader.post(talk, screen | {"next_steps": words}, headers=AUTOSAVE)
        assert answer.json()["autosave"] == "saved"

    # who typed nothing takes nothing back, nor does who typed something else
    leader.post(talk, third | {"to": "2"})
    leader.post(talk, third | {"target": "3.5"}, headers=AUTOSAVE)
    assert goals_of(team)["AA"] == Goal(3.5, "Every week two lessons")

    answer = leader.post(talk, laptop | {"next_steps": "Once a month"}, headers=AUTOSAVE)
    assert (answer.status_code, answer.json()["autosave"]) == (409, "conflict")
    answer = leader.post(talk, laptop | {"next_steps": "Once a month", "to": "2"})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Once a month" in page
    assert "Every week two lessons" in page
    assert goals_of(team)["AA"].next_steps == "Every week two lessons"
    again = form_of(page) | {"next_steps": "Once a month", "to": "2"}
    assert leader.post(talk, again).status_code == 302
    assert goals_of(team)["AA"] == Goal(3.5, "Once a month")


def test_a_page_that_saves_again_takes_nothing_from_the_other(team: Participation):
    """What the other wrote into another field stays, however often the first goes on typing in its own."""
    leader, talk = leader_of(team), f"{address(team)}?n=1"
    screen, laptop = (form_of(leader.get(talk).content.decode()) for _n in range(2))
    leader.post(talk, screen | {"next_steps": "Every week"}, headers=AUTOSAVE)
    leader.post(talk, laptop | {"target": "3.5"}, headers=AUTOSAVE)
    for words in ("Every week one lesson", "Every week two lessons"):
        answer = leader.post(talk, screen | {"next_steps": words}, headers=AUTOSAVE)
        assert answer.json()["autosave"] == "saved", "its own earlier word is no other's"
        assert goals_of(team)["AA"] == Goal(3.5, words)
    leader.post(talk, screen | {"next_steps": ""}, headers=AUTOSAVE)
    assert goals_of(team)["AA"] == Goal(3.5), "what it wrote itself it may take away again"


def test_a_page_hears_of_what_the_other_wrote(team: Participation):
    leader, talk = leader_of(team), f"{address(team)}?n=1"
    screen, laptop = (form_of(leader.get(talk).content.decode()) for _n in range(2))
    leader.post(talk, laptop | {"target": "3.5"}, headers=AUTOSAVE)
    answer = leader.post(talk, screen | {"next_steps": "Every week"}, headers=AUTOSAVE).json()
    assert answer["others"] == {"target": "3.5"}

    # with what it heard it knows of them, and changes them as its own
    heard = screen | answer["others"] | {"opened": answer["opened"], "next_steps": "Every week"}
    assert leader.post(talk, heard | {"target": "2.5"}, headers=AUTOSAVE).json()["autosave"] == "saved"
    assert goals_of(team)["AA"] == Goal(2.5, "Every week")


def test_a_choice_between_two_texts_takes_nothing_from_another_field(team: Participation):
    leader, talk = leader_of(team), f"{address(team)}?n=1"
    screen, laptop = (form_of(leader.get(talk).content.decode()) for _n in range(2))
    leader.post(talk, screen | {"next_steps": "Every week", "target": "3.5"}, headers=AUTOSAVE)
    answer = leader.post(talk, laptop | {"next_steps": "Once a month"}, headers=AUTOSAVE).json()
    assert (answer["autosave"], answer["others"]) == ("conflict", {"target": "3.5"})
    again = laptop | fields_of(answer["both"]) | answer["others"] | {"next_steps": "Once a month"}
    assert leader.post(talk, again, headers=AUTOSAVE).json()["autosave"] == "saved"
    assert goals_of(team)["AA"] == Goal(3.5, "Once a month")


def test_two_texts_come_to_the_page_that_has_not_sent_its_form(team: Participation):
    leader, talk = leader_of(team), f"{address(team)}?n=1"
    screen, laptop = (form_of(leader.get(talk).content.decode()) for _n in range(2))
    leader.post(talk, screen | {"next_steps": "Every week"}, headers=AUTOSAVE)
    typed = laptop | {"next_steps": "Once a month", "target": "3.0"}
    answer = leader.post(talk, typed, headers=AUTOSAVE)
    assert (answer.status_code, answer.json()["autosave"]) == (409, "conflict")
    both = answer.json()["both"]
    assert "Every week" in both
    assert "Once a month" in both
    assert not goals_of(team)["AA"].target, "nothing of a form with two texts is written"

    # the other's text stays where that was chosen; the page is told of it
    chosen = typed | fields_of(both) | {"take": "next_steps"}
    answer = leader.post(talk, chosen, headers=AUTOSAVE).json()
    assert (answer["autosave"], answer["others"]) == ("saved", {"next_steps": "Every week"})
    assert goals_of(team)["AA"] == Goal(3.0, "Every week")


def test_a_subject_without_results_has_no_chart_and_a_question_all_the_same(team: Participation):
    made = of_team(team)
    assert made is not None
    report = made.report("nl")
    assert isinstance(report.scales, tuple)
    shown = report.scales[0]
    nothing = Withheld(Reason.TOO_FEW)
    scale = replace(shown, shown=nothing, benchmark=nothing, previous=None, target=None, sector=None, questions=())
    assert marks_of(report, scale) == []
    alone = replace(report, scales=(scale,))
    of = {"screen": screen(alone, 1, Goal(None), None), "n": 1, "address": "", "writes": False}
    with override("nl"):
        page = render_to_string("analysis/talk_screen.html", of)
    assert '<img class="chart"' not in page
    assert page.count("<li>Hoe gaat dit in jullie team?") == 1

    assert marks_of(report, shown)[:1] == [Mark.OWN]


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ([ItemMean(1.9), ItemMean(2.6), ItemMean(3.1)], ["1.9", "3.1"]),
        ([ItemMean(1.9), ItemMean(1.9), ItemMean(3.1)], ["3.1"]),
        ([Capped(3.0, True), Capped(3.0, True), ItemMean(1.9)], ["1.9"]),
        ([Capped(3.4, True), ItemMean(3.7), ItemMean(1.9)], ["1.9"]),
        ([Capped(1.8, False), ItemMean(1.5), ItemMean(2.9)], ["2.9"]),
        ([Capped(3.4, True), ItemMean(2.7), ItemMean(1.9)], ["1.9", "3.4 or higher"]),
    ],
)
def test_a_question_is_called_highest_or_lowest_only_where_no_other_can_be(shown, said):
    plain = [
        (getattr(mean, "mean", getattr(mean, "bound", 0)), ItemReport(str(n), f"Q{n}", mean))
        for n, mean in enumerate(shown)
    ]
    with override("en"):
        asked = list(_items(plain, None, 2.5))
    assert [one[one.index("(") + 1 : one.index(")")] for one in asked] == said
