"""The steps that a team agreed on: read, counted, drawn in the cycle, and beside the next report."""

from __future__ import annotations

import base64
import datetime

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from analysis import svg
from analysis.looking_back import cycle, dates, steps
from analysis.looking_back.steps import in_steps, steps_of
from analysis.models import LookBack, LookBackReader, LookBackStep
from analysis.publication import links as report_links
from analysis.publication.publishing import publish
from analysis.publication.served import of_team
from analysis.publication.talks import write_goal
from analysis.reports import pdf
from teams.models import Participation, Role, User
from tests.analysis.builders import make_researcher
from tests.analysis.looking_back.team import picked
from tests.analysis.test_reader_pages import leader_of

pytestmark = pytest.mark.django_db


# ------------------------------------------------------------------------------------------------ steps
def test_a_step_is_a_line_without_the_sign_that_begins_it():
    assert in_steps("- one\n\n* two\n  3. three \n• one\n-four\n10 minutes a week") == [
        "one",
        "two",
        "three",
        "-four",
        "10 minutes a week",
    ]


def test_what_was_said_of_words_that_are_others_now_stays(team):
    first = steps_of(team)[0]
    assert steps.write(team, {first: {"status": "done", "line": "Twice."}})
    write_goal(team, "AA", None, "Visit lessons\nAsk for an example")
    assert [(step.words, step.status, step.agreed) for step in steps_of(team)] == [
        ("Visit lessons", "", True),
        ("Ask for an example", "", True),
        ("Visit each other's lessons", "done", False),
    ]


def test_the_database_holds_its_rules(team):
    look_back = picked(team)
    wrong = [
        lambda: LookBack.objects.create(participation=team),
        lambda: LookBackStep.objects.create(look_back=look_back, scale="AA", step="x", key="1", status="perhaps"),
        lambda: LookBack.objects.filter(pk=look_back.pk).update(mailed_on=timezone.localdate()),
        lambda: [LookBackReader.objects.create(look_back=look_back, email=email) for email in ("a@b.nl", "A@b.nl")],
        lambda: [LookBackStep.objects.create(look_back=look_back, scale="AA", step=step, key="1") for step in "xy"],
    ]
    for act in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


# ------------------------------------------------------------------------------------------------ the next report
def test_the_next_report_shows_what_became_of_each_step(published, team, next_wave):
    then, (now, run) = leader_of(team), next_wave
    steps.write(team, {steps_of(team)[0]: {"status": "done", "line": "Every month."}})
    write_goal(team, "BB", None, "Nothing said of this")
    publish(run, None)
    Role.objects.create(kind="leader", participation=now, user=User.objects.get(email=team.leader_email))
    pages = [then.get(reverse("team_report", args=[now.pk]))]
    link = report_links.share_with_team(now, 14, None)
    member = Client()
    member.get(report_links.path_of(link))
    pages.append(member.get(reverse("shared_report", args=[link.pk])))
    for page in pages:
        text = page.content.decode()
        assert "Every month." in text
        assert "klaar" in text
    assert "Nothing said of this" in pages[0].content.decode()
    researcher = Client()
    researcher.force_login(make_researcher(now.study))
    preview = researcher.get(reverse("report_preview", args=[now.study.slug, now.pk])).content.decode()
    assert "Every month." not in preview
    assert "Ask for an example" not in preview


def test_the_pdf_of_the_next_report_holds_it_and_a_new_word_makes_it_anew(published, team, next_wave):
    now, run = next_wave
    publish(run, None)
    before = of_team(now)
    assert before is not None
    look_back, _made = LookBack.objects.get_or_create(participation=team)
    step = steps_of(team)[0]
    LookBackStep.objects.create(
        look_back=look_back, scale="AA", step=step.words, key=step.key, status="dropped", line="No time."
    )
    after = of_team(now)
    assert after is not None
    assert after.basis != before.basis
    with override("nl"):
        blocks = str(list(pdf._team(after.report("nl"))))
    scale = after.report("nl").scales[0]
    assert next((back.words, back.status, back.line) for back in scale.looked_back) == (
        step.words,
        "dropped",
        "No time.",
    )
    assert "(gestopt): No time." in blocks.replace("\u2068", "").replace("\u2069", "")


def test_a_new_leader_reads_it_after_the_handing_over_only(published, team, next_wave):
    now, run = next_wave
    steps.write(team, {steps_of(team)[0]: {"status": "done", "line": "Every month."}})
    publish(run, None)
    Participation.objects.filter(pk=now.pk).update(leader_email="noor@school.example")
    now.refresh_from_db()
    read = of_team(now)
    assert read is not None
    assert read.report("nl").scales[0].looked_back == ()


# ------------------------------------------------------------------------------------------------ the count
def test_researchers_get_a_count(published, team):
    study, _teams, _run = published
    assert dates.counted(study) == (0, 5)
    picked(team)
    steps.write(team, {steps_of(team)[0]: {"line": "Only words."}})
    assert dates.counted(study) == (0, 5)
    steps.write(team, {steps_of(team)[0]: {"status": "dropped"}, steps_of(team)[1]: {"status": "done"}})
    assert dates.counted(study) == (1, 5)
    client = Client()
    client.force_login(make_researcher(study))
    assert "1 van 5 teams keken terug" in client.get(reverse("board", args=[study.slug])).content.decode()
    Participation.objects.filter(pk=team.pk).update(state=Participation.State.WITHDRAWN)
    assert dates.counted(study) == (0, 4)


# ------------------------------------------------------------------------------------------------ the cycle
@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_cycle_says_how_far_the_team_is_and_where_it_is_written_down(team, language):
    with override(language):
        vision, information, dialogue, action, evaluation = cycle.cycle_of(team, has_results=True)
        assert [station.done for station in (vision, information, dialogue, action, evaluation)] == [True] * 4 + [False]
        assert (vision.state, action.state) == {
            "nl": ("1 streefscore", "2 stappen"),
            "en": ("1 target", "2 steps"),
        }[language]
        assert not evaluation.done
        picked(team, on=datetime.date(2031, 2, 8))
        assert "2031" in cycle.cycle_of(team, has_results=True)[4].state
        steps.write(team, {steps_of(team)[0]: {"status": "done"}})
        stations = cycle.cycle_of(team, has_results=True)
        assert stations[4].done
        for drawing in cycle.drawn(stations):
            svg = base64.b64decode(drawing.split(",")[1]).decode()
            for station in stations:
                assert station.name in svg
                assert station.state in svg
    page = leader_of(team).get(reverse("team", args=[team.pk])).content.decode()
    for place in ("team_talk", "team_report", "team_look_back"):
        assert f'<a href="{reverse(place, args=[team.pk])}">' in page


def test_the_cycle_of_a_team_without_results_leads_nowhere_yet(team):
    stations = cycle.cycle_of(team, has_results=False)
    assert [station.place for station in stations] == [""] * 5
    assert not stations[1].done


def test_no_word_of_the_cycle_leaves_its_box(team):
    for language in ("nl", "en"):
        with override(language):
            for station in cycle.cycle_of(team, has_results=True):
                assert len(svg.wrapped(station.where, cycle.BOX - 20, cycle.TYPE)) <= 2
                assert svg.width_of(station.state, cycle.TYPE, bold=True) <= cycle.BOX - 14
