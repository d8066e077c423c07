"""Taking a permission back, conditions on it, and links that end."""

import datetime

import pytest
from django.core import mail as django_mail
from django.urls import reverse
from freezegun import freeze_time
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from teams import corrections, invitations, mail
from teams.models import Event, Invitation, OutboxMessage, Participation
from teams.withdrawing import reissue, withdraw
from tests.teams.test_invitations import STEPS, approach, mails, reread, take, undone, world

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
    return [reread(one).state for one in participations]


def test_a_leader_withdraws_one_team_by_link(client, taking_part, nursing, physiotherapy):
    client.get(invitations.link_path(taking_part))
    page = reverse("invitation", args=[taking_part.pk])
    assert 'name="withdraw"' in client.get(page).content.decode()
    client.post(page, {"withdraw": "1", "withdraw-reason": "workload", "withdraw-text": "No time"})
    assert states(nursing, physiotherapy) == ["withdrawn", "invited"]
    event = Event.objects.get(kind="team_withdrawn")
    assert (event.by_link, event.detail) == (True, "workload: No time")
    ((to, _subject),) = mails()
    assert to == nursing.team.leader_email
    assert 'name="withdraw"' not in client.get(page).content.decode()


def test_a_director_withdraws_the_academy_with_who_was_still_asked(
    client, director, taking_part, nursing, physiotherapy
):
    client.get(invitations.link_path(director))
    page = reverse("invitation", args=[director.pk])
    client.post(page, {"withdraw": "1", "withdraw-reason": "reorganisation", "withdraw-text": ""})
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
    corrections.correct_leader(reread(nursing.team), "Lena", "other@noord.example")
    assert mails() == []
    with freeze_time(day + datetime.timedelta(days=1)):
        assert {to for to, _subject in mails()} == {"other@noord.example"}
        assert invitations.remind(reread(leader))


def test_a_link_ends_and_a_new_one_opens(client, director, study):
    old = invitations.link_path(director)
    page = reverse("invitation", args=[director.pk])
    with freeze_time(max(study.ends_on, datetime.date.today()) + datetime.timedelta(days=invitations.LINK_DAYS + 1)):
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


ALL_STEPS = [*STEPS, "withdraw academy", "withdraw team", "new link"]


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
            elif step == "new link" and asked and above:
                reissue(asked)
                reissue(above)
            elif step == "send":
                django_mail.outbox.clear()
                waiting = list(OutboxMessage.objects.filter(state=OutboxMessage.State.QUEUED).order_by("pk"))
                mail.send_due()
                for message in waiting:
                    if reread(message).state != OutboxMessage.State.SENT or not message.kind.startswith("teams.leader"):
                        continue
                    leader = Invitation.objects.select_related("participation").get(pk=message.object_id)
                    permission = invitations.academy_invitation(leader.participation)
                    assert permission.state == Invitation.State.ACCEPTED, (step, n)
                    assert leader.state in (Invitation.State.SENT, Invitation.State.ACCEPTED)
            else:
                take(study, academies, teams, step, n, set())
            for participation in Participation.objects.filter(study=study).select_related("invitation", "team"):
                permission = invitations.academy_invitation(participation)
                if participation.state == Participation.State.ACCEPTED:
                    assert permission.state == participation.invitation.state == Invitation.State.ACCEPTED
                if participation.state == Participation.State.WITHDRAWN:
                    assert participation.invitation.state == Invitation.State.WITHDRAWN
