"""The day that a team picks, and the mail that goes on it, once, to the leader and who asked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.erasure import people
from analysis.looking_back import dates, steps
from analysis.looking_back.steps import steps_of
from analysis.models import LookBack, LookBackReader, LookBackStep
from analysis.publication.publishing import publish
from analysis.publication.talks import write_goal
from teams.inviting.corrections import correct_leader
from teams.mail import refusals
from teams.models import OutboxMessage, Participation, Study, User
from tests.analysis.builders import make_researcher
from tests.analysis.looking_back.team import ASKED, come, day_of, page_of, picked, reader_client, sent
from tests.analysis.test_reader_pages import analysed_study, leader_of

pytestmark = pytest.mark.django_db


# ------------------------------------------------------------------------------------------------ the day
def test_the_talk_and_the_teams_page_propose_ten_weeks(team):
    leader = leader_of(team)
    on = (timezone.localdate() + timedelta(weeks=10)).isoformat()
    talk = reverse("team_talk", args=[team.pk])
    for address in (f"{talk}?n=3", f"{talk}?n=4", reverse("team", args=[team.pk]), page_of(team)):
        answer = leader.get(address)
        if b'name="on"' in answer.content:
            assert f'value="{on}"' in answer.content.decode()
    assert 'name="on"' in leader.get(reverse("team", args=[team.pk])).content.decode()
    last = leader.get(f"{talk}?n=1").context["last"]
    assert 'name="on"' in leader.get(f"{talk}?n={last}").content.decode()
    assert not LookBack.objects.exists(), "looking writes nothing"


def test_the_leader_picks_another_day_and_takes_it_back(team):
    leader, on = leader_of(team), timezone.localdate() + timedelta(days=30)
    answer = leader.post(day_of(team), {"on": on.isoformat(), "others": f"Ayşe <{ASKED}>"})
    assert answer.status_code == 302
    look_back = LookBack.objects.get()
    assert (look_back.on, look_back.mailed_on, dates.addresses_of(look_back.pk)) == (on, None, [ASKED])
    assert not OutboxMessage.objects.exists(), "nobody is mailed before the day"
    leader.post(day_of(team), {"none": "1"})
    look_back.refresh_from_db()
    assert (look_back.on, list(look_back.readers.all())) == (None, [])
    come_back = leader.get(reverse("team", args=[team.pk])).content.decode()
    assert ASKED not in come_back


@pytest.mark.parametrize(
    ("on", "others"), [("", ""), ("2001-01-01", ""), ("2999-01-01", ""), ("ok", "no address"), ("ok", "a@b.nl " * 1)]
)
def test_what_is_not_right_is_said_and_kept(team, on, others):
    day = (timezone.localdate() + timedelta(days=9)).isoformat() if on == "ok" else on
    answer = leader_of(team).post(day_of(team), {"on": day, "others": others})
    if others.startswith("a@b.nl"):
        assert answer.status_code == 302
        return
    assert answer.status_code == 200
    assert not LookBack.objects.exists()
    assert others in answer.content.decode()


def test_at_most_five_others_and_the_leader_is_none_of_them(team):
    leader, day = leader_of(team), (timezone.localdate() + timedelta(days=9)).isoformat()
    six = "\n".join(f"p{n}@school.example" for n in range(6))
    assert leader.post(day_of(team), {"on": day, "others": six}).status_code == 200
    assert not LookBackReader.objects.exists()
    leader.post(day_of(team), {"on": day, "others": f"{team.leader_email.upper()}\nP0@school.example"})
    assert [reader.email for reader in LookBackReader.objects.all()] == ["p0@school.example"]


def test_who_stays_on_the_list_keeps_the_link(team):
    look_back = picked(team, ASKED, "b@school.example")
    nonce = LookBackReader.objects.get(email=ASKED).nonce
    picked(team, ASKED)
    assert list(look_back.readers.values_list("email", "nonce")) == [(ASKED, nonce)]


# ------------------------------------------------------------------------------------------------ the mail
def test_the_mail_goes_once_on_its_day_to_the_leader_and_who_asked(team):
    leader_of(team)
    look_back = picked(team, ASKED)
    assert dates.mail_due() == 0
    come(look_back)
    assert dates.mail_due() == 1
    assert dates.mail_due() == 0
    mails = dict(sent())
    assert set(mails) == {team.leader_email, ASKED}
    assert page_of(team) in mails[team.leader_email]
    assert dates.path_of(LookBackReader.objects.get()) in mails[ASKED]
    assert sent() == []
    assert "lessons" not in "".join(mails.values()), "the words of the team stand in no mail"


def test_another_day_is_mailed_about_anew_and_takes_back_what_waits(team):
    leader_of(team)
    look_back = picked(team, ASKED)
    come(look_back)
    dates.mail_due()
    picked(team, ASKED, on=timezone.localdate() + timedelta(days=7))
    assert sent() == [], "the day was moved before the mail went"
    come(look_back)
    assert dates.mail_due() == 1
    assert len(sent()) == 2


def test_each_reads_the_mail_in_their_own_language(team):
    leader_of(team)
    User.objects.filter(email=team.leader_email).update(language="en")
    look_back = picked(team, ASKED)
    come(look_back)
    dates.mail_due()
    mails = dict(sent())
    assert "agreed on next steps" in mails[team.leader_email]
    assert "Beste collega" in mails[ASKED]


@pytest.mark.parametrize("what", ["withdrawn", "taken back", "nothing agreed", "next wave"])
def test_no_mail_goes_where_it_is_of_no_use(published, team, what):
    leader_of(team)
    look_back = picked(team, ASKED)
    come(look_back)
    dates.mail_due()
    assert OutboxMessage.objects.count() == 2
    if what == "withdrawn":
        Participation.objects.filter(pk=team.pk).update(state=Participation.State.WITHDRAWN)
    elif what == "taken back":
        dates.pick(team, None, (), None)
    elif what == "nothing agreed":
        write_goal(team, "AA", Decimal("3.2"), "")
    else:
        later, _teams, run = analysed_study("later", 5, size=10)
        Study.objects.filter(pk=later.pk).update(previous=published[0], wave=2)
        publish(run, None)
        OutboxMessage.objects.exclude(kind__startswith="look_back").delete()
    assert sent() == []


def test_a_team_that_withdrew_before_the_day_is_not_mailed_and_its_addresses_go(team):
    leader_of(team)
    look_back = picked(team, ASKED)
    come(look_back)
    Participation.objects.filter(pk=team.pk).update(state=Participation.State.WITHDRAWN)
    assert dates.mail_due() == 0
    assert dates.forget_ended() == 1
    assert not LookBackReader.objects.exists()


def test_a_new_leader_gets_the_mail_and_the_list_of_the_one_before_ends(published, team):
    leader_of(team)
    look_back = picked(team, ASKED)
    correct_leader(team, "Noor", "noor@school.example", by=make_researcher(published[0]))
    come(look_back)
    OutboxMessage.objects.all().delete()
    dates.mail_due()
    assert [to for to, _body in sent()] == ["noor@school.example"]


def test_a_new_leader_who_wants_no_reminders_is_not_mailed(published, team):
    leader_of(team)
    look_back = picked(team)
    refusals.refuse("noor@school.example")
    correct_leader(team, "Noor", "noor@school.example", by=make_researcher(published[0]))
    come(look_back)
    OutboxMessage.objects.all().delete()
    dates.mail_due()
    assert sent() == []


def test_who_picked_the_day_gets_the_mail_though_they_want_no_reminders(team):
    leader_of(team)
    look_back = picked(team, ASKED)
    refusals.refuse(team.leader_email)
    refusals.refuse(ASKED)
    come(look_back)
    dates.mail_due()
    assert [to for to, _body in sent()] == [team.leader_email]


def test_a_person_who_is_removed_gets_no_mail_and_stands_in_no_step(team):
    leader_of(team)
    look_back = picked(team, ASKED)
    write_goal(team, "AA", None, f"Ask {ASKED} first")
    steps.write(team, {steps_of(team)[0]: {"line": f"{ASKED} did it"}})
    reader = LookBackReader.objects.get()
    client = reader_client(reader)
    come(look_back)
    dates.mail_due()
    people.remove(ASKED, None, None)
    assert ASKED not in [to for to, _body in sent()]
    assert client.get(reverse("look_back", args=[reader.pk])).status_code == 404
    step = LookBackStep.objects.get()
    assert ASKED not in step.step + step.line
    assert [agreed.line for agreed in steps_of(team)] == [step.line], "the step and what was said of it stay together"
    assert dates.forget_ended() == 1


def test_addresses_go_when_the_links_end(team):
    look_back = picked(team, ASKED)
    LookBack.objects.filter(pk=look_back.pk).update(on=timezone.localdate() - dates.LINK_LASTS)
    reader = LookBackReader.objects.get()
    client = reader_client(reader)
    assert client.get(reverse("look_back", args=[reader.pk])).status_code == 200
    assert dates.forget_ended() == 0
    LookBack.objects.filter(pk=look_back.pk).update(on=timezone.localdate() - dates.LINK_LASTS - timedelta(days=1))
    assert client.get(reverse("look_back", args=[reader.pk])).status_code == 404
    assert dates.forget_ended() == 1


def test_the_list_of_mails_names_the_team_and_not_who_asked(published, team):
    leader_of(team)
    look_back = picked(team, ASKED)
    come(look_back)
    dates.mail_due()
    researcher = Client()
    researcher.force_login(make_researcher(published[0]))
    for sending in (False, True):
        if sending:
            assert len(sent()) == 2
        page = researcher.get(reverse("mail_messages", args=[published[0].slug])).content.decode()
        assert team.team.name in page
        assert ASKED not in page


def test_the_leader_takes_the_day_back_also_when_there_are_no_results_any_more(team):
    """More people are asked for by now: what the page offers, it does."""
    picked(team, ASKED)
    Study.objects.filter(pk=team.study_id).update(k=500)
    leader = leader_of(team)
    assert day_of(team) in leader.get(page_of(team)).content.decode()
    assert leader.post(day_of(team), {"none": "1"}).status_code == 302
    assert not LookBackReader.objects.exists()
