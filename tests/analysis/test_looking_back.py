"""Looking back at what a team agreed: the day, one mail, the page, and whose eyes see it."""

from __future__ import annotations

import base64
import datetime
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from analysis import svg
from analysis.erasure import people
from analysis.looking_back import cycle, dates, steps
from analysis.looking_back.steps import in_steps, steps_of
from analysis.models import AnalysisRun, LookBack, LookBackReader, LookBackStep
from analysis.publication import links as report_links
from analysis.publication.publishing import publish
from analysis.publication.served import of_team
from analysis.publication.talks import write_goal
from analysis.reports import pdf
from teams.inviting.corrections import correct_leader
from teams.mail import outbox, refusals
from teams.models import OutboxMessage, Participation, Role, Study, User
from tests.access.opened import fields_of as fields_of_text
from tests.analysis.builders import make_researcher, make_study, seal
from tests.analysis.test_reader_pages import analysed_study, leader_of
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db
AUTOSAVE = {"X-Autosave": "yes"}
STEPS = "- Visit each other's lessons\n2. Ask for an example"
ASKED = "ayse@school.example"


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


def page_of(team: Participation) -> str:
    return reverse("team_look_back", args=[team.pk])


def day_of(team: Participation) -> str:
    return reverse("team_look_back_day", args=[team.pk])


def picked(team: Participation, *others: str, on: object = None) -> LookBack:
    user = User.objects.filter(email=team.leader_email).first()
    assert dates.pick(team, on or dates.usual_day(), others, user)  # type: ignore[arg-type]
    return LookBack.objects.get(participation=team)


def come(look_back: LookBack) -> None:
    """The day has come."""
    LookBack.objects.filter(pk=look_back.pk).update(on=timezone.localdate())


def sent() -> list[tuple[str, str]]:
    mail.outbox.clear()
    outbox.send_due()
    return [(message.to[0], message.body) for message in mail.outbox]


def reader_client(reader: LookBackReader) -> Client:
    client = Client()
    assert client.get(dates.path_of(reader)).status_code == 302
    return client


def fields_of(answer: HttpResponse) -> dict[str, Any]:
    """What the form of the steps holds, with its key; not the forms below it."""
    return fields_of_text(answer.content.decode().split("data-autosave>")[1].split("</form>")[0])


def said(team: Participation, n: int = 0) -> tuple[str, str]:
    step = steps_of(team)[n]
    return step.status, step.line


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
    assert [(one.words, one.status, one.agreed) for one in steps_of(team)] == [
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
        lambda: [LookBackReader.objects.create(look_back=look_back, email=one) for one in ("a@b.nl", "A@b.nl")],
        lambda: [LookBackStep.objects.create(look_back=look_back, scale="AA", step=one, key="1") for one in "xy"],
    ]
    for act in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


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
    assert [one.email for one in LookBackReader.objects.all()] == ["p0@school.example"]


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
    assert [one.line for one in steps_of(team)] == [step.line], "the step and what was said of it stay together"
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


# ------------------------------------------------------------------------------------------------ the page
def test_the_leader_and_who_asked_write_and_each_sees_the_other(team):
    leader = leader_of(team)
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    client, shared = reader_client(reader), reverse("look_back", args=[reader.pk])
    key = steps_of(team)[0].key
    assert leader.post(page_of(team), {f"status_{key}": "under_way"}).status_code == 302
    assert client.post(shared, {f"status_{key}": "under_way", f"line_{key}": "Every month."}).status_code == 302
    assert said(team) == ("under_way", "Every month.")
    assert "Every month." in leader.get(page_of(team)).content.decode()
    page = client.get(shared).content.decode()
    for secret in (reader.nonce, ASKED, team.leader_email, "3,2", 'name="on"'):
        assert secret not in page


def test_nobody_else_reads_or_writes_it(published, team):
    study, teams, _run = published
    key = steps_of(team)[0].key
    steps.write(team, {steps_of(team)[0]: {"status": "done", "line": "Only ours."}})
    picked(team, ASKED)
    own, other = LookBackReader.objects.get(), picked(teams[1], "b@school.example").readers.get()
    researcher, admin = Client(), Client()
    researcher.force_login(make_researcher(study))
    admin.force_login(User.objects.create_superuser("beheer@school.example"))
    for client in (Client(), researcher, admin, leader_of(teams[1]), reader_client(other)):
        for address in (page_of(team), reverse("look_back", args=[own.pk])):
            for answer in (client.get(address), client.post(address, {f"line_{key}": "Theirs."})):
                assert answer.status_code in (302, 404)
                assert "Only ours." not in answer.content.decode()
        client.post(day_of(team), {"none": "1"})
        client.post(reverse("look_back_leave", args=[own.pk]))
    assert said(team) == ("done", "Only ours.")
    assert LookBack.objects.get(participation=team).on
    for address in (reverse("board", args=[study.slug]), reverse("report_preview", args=[study.slug, team.pk])):
        assert "Only ours." not in researcher.get(address).content.decode()


def test_who_asked_deletes_their_own_address(team):
    picked(team, ASKED, "b@school.example")
    reader = LookBackReader.objects.get(email=ASKED)
    client = reader_client(reader)
    assert client.post(reverse("look_back_leave", args=[reader.pk])).status_code == 200
    assert [one.email for one in LookBackReader.objects.all()] == ["b@school.example"]
    assert client.get(reverse("look_back", args=[reader.pk])).status_code == 404


def test_two_who_write_at_once_keep_both_and_choose_where_they_wrote_the_same(team):
    leader = leader_of(team)
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    other, shared = reader_client(reader), reverse("look_back", args=[reader.pk])
    first, second = (step.key for step in steps_of(team))
    mine, theirs = fields_of(leader.get(page_of(team))), fields_of(other.get(shared))
    leader.post(page_of(team), mine | {f"line_{first}": "Mine."}, headers=AUTOSAVE)
    answer = other.post(shared, theirs | {f"status_{second}": "done"}, headers=AUTOSAVE)
    assert answer.json()["autosave"] == "saved"
    assert (said(team, 0), said(team, 1)) == (("", "Mine."), ("done", ""))
    refused = other.post(shared, theirs | {f"line_{first}": "Theirs."}, headers=AUTOSAVE)
    assert refused.json()["autosave"] == "conflict"
    page = other.post(shared, theirs | {f"line_{first}": "Theirs."})
    assert page.status_code == 200
    assert "Mine." in page.content.decode()
    assert "Theirs." in page.content.decode()
    assert said(team) == ("", "Mine.")
    again = fields_of(page)
    other.post(shared, again | {f"line_{first}": "Theirs."})
    assert said(team) == ("", "Theirs.")


def test_a_page_that_saves_itself_never_conflicts_with_itself(team):
    leader = leader_of(team)
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    other, shared = reader_client(reader), reverse("look_back", args=[reader.pk])
    first = steps_of(team)[0].key
    mine, theirs = fields_of(leader.get(page_of(team))), fields_of(other.get(shared))
    for status in ("done", "dropped"):
        data = mine | {f"status_{first}": status}
        assert leader.post(page_of(team), data, headers=AUTOSAVE).json()["autosave"] == "saved"
        data = theirs | {f"line_{first}": f"After {status}."}
        assert other.post(shared, data, headers=AUTOSAVE).json()["autosave"] == "saved"
    assert said(team) == ("dropped", "After dropped.")


def test_words_about_a_step_that_is_gone_are_said_back(team):
    leader = leader_of(team)
    fields = fields_of(leader.get(page_of(team)))
    key = steps_of(team)[0].key
    write_goal(team, "AA", None, "Something else")
    answer = leader.post(page_of(team), fields | {f"line_{key}": "Not lost."}, headers=AUTOSAVE)
    assert answer.status_code == 422
    assert "Not lost." in " ".join(answer.json()["reasons"])
    assert "Not lost." in leader.post(page_of(team), fields | {f"line_{key}": "Not lost."}).content.decode()


def test_the_state_is_true_when_the_link_has_ended(team):
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    client = reader_client(reader)
    dates.leave(reader)
    key = steps_of(team)[0].key
    answer = client.post(reverse("look_back", args=[reader.pk]), {f"line_{key}": "Late."}, headers=AUTOSAVE)
    assert answer.status_code == 410
    assert answer.json()["autosave"] == "refused"
    assert said(team) == ("", "")


def test_it_stands_when_the_next_wave_is_published(published, team):
    leader = leader_of(team)
    steps.write(team, {steps_of(team)[0]: {"status": "done", "line": "Twice."}})
    later, _teams, run = analysed_study("later", 5, size=10)
    Study.objects.filter(pk=later.pk).update(previous=published[0], wave=2)
    publish(run, None)
    page = leader.get(page_of(team)).content.decode()
    assert "Twice." in page
    assert "data-autosave" not in page
    key = steps_of(team)[0].key
    leader.post(page_of(team), {f"line_{key}": "Too late."})
    refused = leader.post(page_of(team), {f"line_{key}": "Too late."}, headers=AUTOSAVE)
    assert refused.status_code == 409
    leader.post(day_of(team), {"on": (timezone.localdate() + timedelta(days=9)).isoformat()})
    assert said(team) == ("done", "Twice.")
    assert not LookBack.objects.filter(on__isnull=False).exists()


def test_links_that_are_wrong_ended_or_of_another_browser_look_alike(team):
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    client = reader_client(reader)
    dates.leave(reader)
    answers = [
        client.get(reverse("look_back", args=[reader.pk])),
        Client().get(reverse("look_back_link", args=["forged"])),
        Client().get(reverse("look_back", args=[99_999])),
        Client().post(reverse("look_back_leave", args=[reader.pk])),
    ]
    assert {(one.status_code, one.templates[0].name) for one in answers} == {(404, "analysis/look_back_ended.html")}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_page_in_both_languages(team, language):
    leader = leader_of(team)
    leader.cookies["django_language"] = language
    page = leader.get(page_of(team)).content.decode()
    words = {"nl": ("klaar", "mee bezig", "gestopt"), "en": ("done", "under way", "dropped")}[language]
    for word in (*words, "Ask for an example"):
        assert word in page
    with override(language):
        assert str(LookBackStep.Status.UNDER_WAY.label) == words[1]


# ------------------------------------------------------------------------------------------------ the next report
@pytest.fixture
def next_wave(published, team) -> tuple[Participation, AnalysisRun]:
    """The wave after it, of the same teams, analysed."""
    later = make_study("later")
    Study.objects.filter(pk=later.pk).update(previous=published[0], wave=2)
    for number, one in enumerate(published[1]):
        participation = Participation.objects.create(
            study=later, team=one.team, approached=20, state="accepted", mode="online",
            leader_name=one.leader_name, leader_email=one.leader_email,
        )  # fmt: skip
        seal(participation, varied(12, number))
    return Participation.objects.get(study=later, team=team.team), analyse(later)


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
    assert next((one.words, one.status, one.line) for one in scale.looked_back) == (step.words, "dropped", "No time.")
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
        assert [one.done for one in (vision, information, dialogue, action, evaluation)] == [True] * 4 + [False]
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
            for one in stations:
                assert one.name in svg
                assert one.state in svg
    page = leader_of(team).get(reverse("team", args=[team.pk])).content.decode()
    for place in ("team_talk", "team_report", "team_look_back"):
        assert f'<a href="{reverse(place, args=[team.pk])}">' in page


def test_the_cycle_of_a_team_without_results_leads_nowhere_yet(team):
    stations = cycle.cycle_of(team, has_results=False)
    assert [one.place for one in stations] == [""] * 5
    assert not stations[1].done


def test_no_word_of_the_cycle_leaves_its_box(team):
    for language in ("nl", "en"):
        with override(language):
            for station in cycle.cycle_of(team, has_results=True):
                assert len(svg.wrapped(station.where, cycle.BOX - 20, cycle.TYPE)) <= 2
                assert svg.width_of(station.state, cycle.TYPE, bold=True) <= cycle.BOX - 14
