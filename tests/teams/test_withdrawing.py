"""Taking a permission back, conditions on it, and links that end."""

import datetime
import re
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from teams.inviting import corrections, invitations, link_codes
from teams.inviting.withdrawing import reissue, withdraw
from teams.mail import outbox, refusals
from teams.mail.kinds import TeamMail
from teams.models import Event, Invitation, LinkCode, OutboxMessage, Participation, Study
from teams.studies import setting_up
from tests.teams.test_invitations import STEPS, approach, mails, reread, take, undone, wave_of, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def director(study, nursing, physiotherapy) -> Invitation:
    invitations.invite_directors(study)
    return invitations.academy_invitation(nursing)


@pytest.fixture
def taking_part(director, nursing, physiotherapy) -> Invitation:
    """Nursing takes part, the leader of physiotherapy has not answered."""
    invitations.accept_academy(director, approach(nursing, physiotherapy))
    leader = Invitation.objects.get(participation=nursing)
    invitations.accept_team(leader, mode="online", approached=9)
    mails()
    return leader


def states(*participations: Participation) -> list[str]:
    return [reread(participation).state for participation in participations]


def mailed_code(client, page: str, address: str) -> str:
    """Press the button, and read the code in the mailbox of this address."""
    assert 'name="withdraw_code"' in client.get(page).content.decode()
    client.post(page, {"withdraw_code": "1"})
    mails()
    (sent,) = django_mail.outbox
    assert sent.to == [address]
    return re.search(r"^(\d{6})$", sent.body, re.MULTILINE)[1]


def stop(client, page: str, code: str):
    return client.post(page, {"withdraw": "1", "withdraw-reason": "workload", "withdraw-code": code})


def test_who_holds_the_link_alone_stops_nothing(client, taking_part, nursing):
    """The link alone withdrew a team, and its answers were deleted: anybody to whom the mail was forwarded could."""
    client.get(invitations.link_path(taking_part))
    page = reverse("invitation", args=[taking_part.pk])
    client.post(page, {"withdraw": "1", "withdraw-reason": "workload"})
    stop(client, page, "000000")
    assert states(nursing) == ["accepted"]
    html = client.post(page, {"withdraw_code": "1"}, follow=True).content.decode()
    assert "l…@noord.example" in html
    assert "lena@noord" not in html
    code = LinkCode.objects.get(invitation=taking_part)
    right = link_codes.code_of(code)
    assert right not in str(LinkCode.objects.values()), "the row does not hold it"
    wrong = "111111" if right != "111111" else "222222"
    for _try in range(link_codes.TRIES):
        assert "withdraw-code" in stop(client, page, wrong).content.decode()
    stop(client, page, right)
    assert states(nursing) == ["accepted"], "after so many tries not even the right one"


def test_a_code_ends_after_a_while_and_few_are_mailed(client, taking_part, nursing):
    with freeze_time("2026-09-10 10:00") as clock:
        assert link_codes.ask(taking_part)
        right = link_codes.code_of(LinkCode.objects.get())
        assert not link_codes.ask(taking_part), "one a minute"
        clock.tick(timedelta(minutes=link_codes.MINUTES, seconds=1))
        assert not link_codes.spend(taking_part, right)
        for _number in range(link_codes.PER_DAY - 1):
            clock.tick(timedelta(minutes=2))
            assert link_codes.ask(taking_part)
        clock.tick(timedelta(minutes=2))
        assert not link_codes.ask(taking_part), "enough for today"
        code = link_codes.code_of(LinkCode.objects.get())
        assert link_codes.spend(taking_part, f" {code[:3]} {code[3:]} ")
        assert not link_codes.spend(taking_part, code), "once"
        clock.tick(timedelta(days=1))
        assert link_codes.ask(taking_part)


def test_a_leader_withdraws_one_team_by_link(client, taking_part, nursing, physiotherapy):
    client.get(invitations.link_path(taking_part))
    page = reverse("invitation", args=[taking_part.pk])
    answer = {"withdraw": "1", "withdraw-reason": "workload", "withdraw-text": "No time"}
    client.post(page, answer | {"withdraw-code": mailed_code(client, page, "lena@noord.example")})
    assert states(nursing, physiotherapy) == ["withdrawn", "invited"]
    event = Event.objects.get(kind="team_withdrawn")
    assert (event.by_link, event.detail) == (True, "workload: No time")
    ((to, _subject),) = mails()
    assert to == nursing.team.leader_email
    assert 'name="withdraw_code"' not in client.get(page).content.decode()


def test_a_director_withdraws_the_academy_with_who_was_still_asked(
    client, director, taking_part, nursing, physiotherapy
):
    client.get(invitations.link_path(director))
    page = reverse("invitation", args=[director.pk])
    code = mailed_code(client, page, "dirk@noord.example")
    client.post(page, {"withdraw": "1", "withdraw-reason": "reorganisation", "withdraw-code": code})
    assert states(nursing, physiotherapy) == ["withdrawn", "withdrawn"]
    assert set(Invitation.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert [to for to, _subject in mails()] == [nursing.team.leader_email]  # the other leader had not answered
    assert not invitations.accept_team(Invitation.objects.get(participation=physiotherapy), mode="online", approached=5)


def test_withdrawing_needs_a_permission_and_a_reason(client, director, nursing):
    assert not withdraw(director, "workload")
    with pytest.raises(ValueError, match="left_out"):
        withdraw(director, Invitation.Reason.LEFT_OUT)
    invitations.accept_academy(director, approach(nursing))
    client.get(invitations.link_path(director))
    page = client.post(reverse("invitation", args=[director.pk]), {"withdraw": "1", "withdraw-reason": ""})
    assert page.status_code == 200
    assert reread(director).state == "accepted"


def test_a_researcher_withdraws_for_somebody_who_called(client, roos, taking_part, nursing):
    client.force_login(roos)
    edit = client.get(reverse("team_edit", args=["learning", nursing.pk])).content.decode()
    url = reverse("invitation_withdraw", args=["learning", taking_part.pk])
    assert url in edit
    client.post(url, {"withdraw-reason": ""})
    assert states(nursing) == ["accepted"]
    client.post(url, {"withdraw-reason": "other", "withdraw-text": "By telephone"})
    assert states(nursing) == ["withdrawn"]
    event = Event.objects.get(kind="team_withdrawn")
    assert (event.by, event.by_link) == (roos, False)


def test_leaders_are_not_mailed_before_the_directors_day(client, director, nursing, physiotherapy):
    day = datetime.date.today() + datetime.timedelta(days=20)
    client.get(invitations.link_path(director))
    mails()
    data = {
        "undertaking": "on",
        "not_before": day.isoformat(),
        f"ask_{nursing.pk}": "on",
        f"name_{nursing.pk}": "Lena Bos",
        f"email_{nursing.pk}": "lena@noord.example",
    }
    client.post(reverse("invitation", args=[director.pk]), data)
    leader = Invitation.objects.get(participation=nursing)
    assert [to for to, _subject in mails()] == ["dirk@noord.example"]
    assert not invitations.remind(leader)
    assert not reissue(leader)
    corrections.correct_leader(reread(nursing), "Lena", "other@noord.example")
    assert mails() == []
    with freeze_time(day + datetime.timedelta(days=1)):
        assert {to for to, _subject in mails()} == {"other@noord.example"}
        assert invitations.remind(reread(leader))


def test_a_link_ends_and_a_new_one_opens(client, director, study):
    old = invitations.link_path(director)
    page = reverse("invitation", args=[director.pk])
    with freeze_time(max(study.ends_on, datetime.date.today()) + datetime.timedelta(days=setting_up.LINK_DAYS + 1)):
        client.get(old)
        assert client.get(page).status_code == 404
        assert reissue(director)
        client.get(old)
        assert client.get(page).status_code == 404
        client.get(invitations.link_path(reread(director)))
        assert client.get(page).status_code == 200
    assert Event.objects.filter(kind="link_reissued").count() == 1


def test_who_answered_gets_no_new_link(taking_part):
    before = taking_part.nonce
    assert not reissue(taking_part)
    assert reread(taking_part).nonce == before


ALL_STEPS = [*STEPS, "withdraw academy", "withdraw team", "new link", "name leader", "no reminders"]


def said_no(study: Study) -> set[str]:
    """Addresses of leaders who declined or stopped in the study, and of who wants no reminders."""
    waves = list(Participation.objects.filter(study=study).select_related("invitation"))
    no = {"declined", "withdrawn"}
    refused = {
        wave.leader_email for wave in waves if wave.invitation.state in no and wave.invitation.reason != "left_out"
    }
    return refused | {wave.leader_email for wave in waves if refusals.wants_none(wave.leader_email)}


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(ALL_STEPS), st.integers(0, 11)), min_size=3, max_size=25))
def test_nobody_is_mailed_without_a_permission_that_still_holds(study, steps):
    """In whatever order people invite, answer, withdraw and ask for links: the tier above said yes, and still does."""
    with undone():
        academies, teams = world(study)
        for team in teams:
            invitations.list_team(study, team)
        order = ("list", "invite", "accept academy", "accept team")  # so that many examples come far enough
        for step, n in [*((step, n) for step in order for n in range(4)), *steps, ("send", 0)]:
            team, academy = teams[n % 4], academies[n % 2]
            asked = Invitation.objects.filter(study=study, participation__team=team).first()
            above = Invitation.objects.filter(study=study, academy=academy).first()
            if step == "withdraw academy" and above:
                withdraw(above, "workload", by_link=True)
            elif step == "withdraw team" and asked:
                withdraw(asked, "workload", by_link=True)
            elif step == "name leader":  # a researcher names anybody, also who leads, led or declined another team
                other = Participation.objects.get(study=study, team=teams[(n // 4 + n) % 4])
                wave = Participation.objects.get(study=study, team=team)
                corrections.correct_leader(wave, other.leader_name, other.leader_email)
            elif step == "no reminders":
                refusals.refuse(Participation.objects.get(study=study, team=team).leader_email)
            elif step == "new link" and asked and above:
                reissue(asked)
                reissue(above)
            elif step == "send":
                django_mail.outbox.clear()
                waiting = list(OutboxMessage.objects.filter(state=OutboxMessage.State.QUEUED).order_by("pk"))
                outbox.send_due()
                for message in waiting:
                    if reread(message).state != OutboxMessage.State.SENT or not message.kind.startswith("teams.leader"):
                        continue
                    wave = wave_of(message)
                    permission, leader = invitations.academy_invitation(wave), wave.invitation
                    assert permission.state == Invitation.State.ACCEPTED, (step, n)
                    assert leader.state in (Invitation.State.SENT, Invitation.State.ACCEPTED)
                    if message.kind == TeamMail.LEADER_NAMED:
                        assert wave.leader_email not in said_no(study), (step, n)
            else:
                take(study, academies, teams, step, n, set())
            for participation in Participation.objects.filter(study=study).select_related("invitation", "team"):
                permission = invitations.academy_invitation(participation)
                if participation.state == Participation.State.ACCEPTED:
                    assert permission.state == participation.invitation.state == Invitation.State.ACCEPTED
                if participation.state == Participation.State.WITHDRAWN:
                    assert participation.invitation.state == Invitation.State.WITHDRAWN


def test_who_becomes_leader_begins_anew_with_a_link_that_works_and_reminders_to_come(study, nursing):
    """The new leader inherited a link that had ended, and reminders that were used up."""
    invitations.invite_directors(study)
    director = invitations.academy_invitation(nursing)
    invitations.accept_academy(director, [invitations.Approach(nursing.pk, "Lena Bos", "lena@noord.example")])
    ended = timezone.localdate() - datetime.timedelta(days=1)
    old = Invitation.objects.filter(participation=nursing)
    old.update(link_until=ended, n_reminders=3, reminded_at=timezone.now())
    Study.objects.filter(pk=study.pk).update(ends_on=max(ended, study.starts_on))
    assert corrections.correct_leader(Participation.objects.get(pk=nursing.pk), "Nina", "nina@noord.example")
    new = old.select_related("study").get()
    assert (new.n_reminders, new.reminded_at) == (0, None)
    assert new.link_until >= timezone.localdate() + datetime.timedelta(days=setting_up.LINK_DAYS)
    assert not invitations.link_ended(new)


def test_who_becomes_leader_of_a_team_that_takes_part_is_mailed(client, roos, taking_part, nursing):
    """The pages opened to somebody who heard nothing of it."""
    client.force_login(roos)
    values = {"name": "Verpleegkunde", "form": "full_time", "leader_name": "Nina"}
    page = reverse("team_edit", args=["learning", nursing.pk])
    client.post(page, {**values, "leader_email": "nina@noord.example"})
    sent = dict(mails())
    assert set(sent) == {"lena@noord.example", "nina@noord.example"}
    assert "Verpleegkunde" in sent["nina@noord.example"]
    (to_new,) = [message for message in django_mail.outbox if message.to == ["nina@noord.example"]]
    assert reverse("team", args=[nursing.pk]) in to_new.body
    client.post(page, {**values, "leader_email": "nina@noord.example", "leader_name": "Nina Berg"})
    assert mails() == [], "the same address"
    client.post(page, {**values, "leader_email": "noor@noord.example"})
    client.post(page, {**values, "leader_email": "olga@noord.example"})
    assert [to for to, _subject in mails() if to in ("noor@noord.example", "olga@noord.example")].count(
        "olga@noord.example"
    ) == 1
    assert not OutboxMessage.objects.filter(kind=TeamMail.LEADER_NAMED, state="queued").exists()


@pytest.mark.parametrize("no", ["declined", "no reminders", "said no before sending"])
def test_who_said_no_is_not_mailed_and_the_researcher_is_told(client, roos, taking_part, nursing, physiotherapy, no):
    """A leader who declined for another team was mailed about this one."""
    if no == "declined":
        invitations.decline(Invitation.objects.get(participation=physiotherapy), "workload")
    elif no == "no reminders":
        refusals.refuse("lars@noord.example")
    client.force_login(roos)
    values = {"name": "Verpleegkunde", "form": "full_time", "leader_name": "Lars", "leader_email": "lars@noord.example"}
    page = client.post(reverse("team_edit", args=["learning", nursing.pk]), values, follow=True).content.decode()
    if no == "said no before sending":
        assert "Lars krijgt geen mail" not in page
        invitations.decline(Invitation.objects.get(participation=physiotherapy), "workload")
    else:
        assert "Lars krijgt geen mail" in page
    assert [to for to, _subject in mails()] == ["lena@noord.example"]
    assert reread(nursing).leader_email == "lars@noord.example"


def test_who_was_only_left_out_by_the_director_is_mailed(director, nursing, physiotherapy):
    invitations.accept_academy(director, approach(nursing))
    invitations.accept_team(Invitation.objects.get(participation=nursing), mode="online", approached=9)
    mails()
    corrections.correct_leader(reread(nursing), "Lars Smit", "lars@noord.example")
    assert {to for to, _subject in mails()} == {"lena@noord.example", "lars@noord.example"}


def test_a_link_works_until_the_study_ends_also_if_that_day_moves(study, nursing):
    invitations.invite_directors(study)
    invitation = invitations.academy_invitation(nursing)
    invitation.link_until = timezone.localdate() - datetime.timedelta(days=1)
    invitation.study.ends_on = invitation.link_until
    assert invitations.link_ended(invitation)
    invitation.study.ends_on = timezone.localdate()
    assert not invitations.link_ended(invitation)
