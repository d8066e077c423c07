"""Director first, leaders next and only those the director chose; every answer counts once."""

import re
from contextlib import contextmanager

import pytest
from django.core import mail as django_mail
from django.db import transaction
from django.urls import reverse
from freezegun import freeze_time
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from teams import history
from teams.inviting import corrections, invitations
from teams.inviting.invitations import Approach
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.models import (
    Academy,
    Event,
    Institution,
    Invitation,
    OutboxMessage,
    Participation,
    Role,
    Team,
    User,
)
from tests.groups import a_group

pytestmark = pytest.mark.django_db


def approach(*participations: Participation) -> list[Approach]:
    return [
        Approach(participation.pk, participation.leader_name, participation.leader_email)
        for participation in participations
    ]


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def mails() -> list[tuple[str, str]]:
    """Send what is due; who got what."""
    django_mail.outbox.clear()
    outbox.send_due()
    return [(sent.to[0], sent.subject) for sent in django_mail.outbox]


def reread(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def director(study, nursing, physiotherapy) -> Invitation:
    """The director's invitation, sent, for the two teams."""
    invitations.invite_directors(study)
    return invitations.academy_invitation(nursing)


@pytest.fixture
def leader(director, nursing) -> Invitation:
    """The invitation of the nursing team's leader, sent; physiotherapy is left out."""
    invitations.accept_academy(director, approach(nursing))
    return Invitation.objects.get(participation=nursing)


def test_listing_mails_nobody_and_changes_nothing_the_second_time(study, nursing, academy):
    before = (Invitation.objects.count(), Participation.objects.count(), kinds())
    assert invitations.list_team(study, nursing.team) == nursing
    assert (Invitation.objects.count(), Participation.objects.count(), kinds()) == before
    assert before == (2, 1, ["academy_listed", "team_listed"])
    assert not OutboxMessage.objects.exists()


def test_directors_are_invited_once_and_only_with_a_team_on_the_list(study, director, roos):
    assert director.state == Invitation.State.SENT
    assert invitations.invite_directors(study, roos) == 0
    empty = Academy.objects.create(
        institution=Institution.objects.first(), name="Leeg", director_name="E", director_email="e@noord.example"
    )
    invitations.list_academy(study, empty)
    assert invitations.invite_directors(study, roos) == 0
    assert [to for to, _ in mails()] == ["dirk@noord.example"]


def test_accepting_mails_the_chosen_leaders_and_leaves_the_others_out(director, nursing, physiotherapy):
    mails()
    assert invitations.accept_academy(director, approach(nursing))
    assert sorted(to for to, _ in mails()) == ["dirk@noord.example", "lena@noord.example"]
    assert reread(nursing).state == Participation.State.INVITED
    left_out = reread(physiotherapy)
    assert left_out.state == Participation.State.DECLINED
    assert left_out.invitation.reason == Invitation.Reason.LEFT_OUT
    assert reread(director).undertaking
    assert sorted(kinds()[-3:]) == ["director_accepted", "leader_invited", "team_left_out"]
    assert set(Event.objects.order_by("-id")[:3].values_list("by_link", flat=True)) == {True}


def test_the_director_can_correct_the_leader(director, nursing, physiotherapy):
    invitations.accept_academy(director, [Approach(nursing.pk, "Lotte Bos", "Lotte@Noord.example")])
    wave = reread(nursing)
    assert (wave.leader_name, wave.leader_email) == ("Lotte Bos", "lotte@noord.example")
    assert "lotte@noord.example" in [to for to, _ in mails()]
    assert "contact_changed" in kinds()


def test_a_second_answer_changes_nothing(director, nursing, physiotherapy):
    assert invitations.accept_academy(director, approach(nursing))
    before = (list(Invitation.objects.values()), list(Participation.objects.values()), kinds())
    assert not invitations.accept_academy(director, approach(physiotherapy))
    assert not invitations.decline(director, "workload")
    assert (list(Invitation.objects.values()), list(Participation.objects.values()), kinds()) == before


def test_a_director_declines_for_all_teams_with_the_reason(director, nursing, physiotherapy):
    mails()
    assert invitations.decline(director, "reorganisation", "Vijf opleidingen gaan samen")
    for participation in (nursing, physiotherapy):
        participation = reread(participation)
        assert participation.state == Participation.State.DECLINED
        assert participation.invitation.reason == "reorganisation"
    assert not invitations.accept_academy(director, approach(nursing))
    assert mails() == []
    event = Event.objects.get(kind="director_declined")
    assert event.detail == "reorganisation: Vijf opleidingen gaan samen"


@pytest.mark.parametrize("reason", ["", "left_out", "because"])
def test_declining_needs_a_reason_that_people_may_give(director, reason):
    with pytest.raises(ValueError, match="no reason to decline"):
        invitations.decline(director, reason)
    assert reread(director).state == Invitation.State.SENT


def test_accepting_as_leader_makes_account_and_role(leader, nursing):
    assert invitations.accept_team(leader, mode="online", approached=12, director_sees_team=True)
    participation = reread(nursing)
    assert (participation.state, participation.mode, participation.approached) == ("accepted", "online", 12)
    assert participation.director_sees_team
    role = Role.objects.get(participation=nursing)
    assert (role.user.email, role.user.name, role.kind) == ("lena@noord.example", "Lena Bos", "leader")
    assert not role.user.has_usable_password()
    assert kinds()[-1] == "leader_accepted"


def test_accepting_twice_keeps_the_first_answer(leader, nursing):
    assert invitations.accept_team(leader, mode="online", approached=12)
    assert not invitations.accept_team(leader, mode="researcher", approached=99)
    assert not invitations.decline(leader, "workload")
    assert reread(nursing).approached == 12
    assert User.objects.count() == 1


def test_a_leader_with_an_account_keeps_it(leader, nursing):
    lena = User.objects.create_user("LENA@noord.example", name="Lena", language="en")
    invitations.accept_team(leader, mode="online", approached=12)
    assert list(User.objects.all()) == [lena]
    assert lena.roles.get().participation == nursing


def test_a_leader_cannot_answer_before_being_asked(director, nursing):
    early = Invitation.objects.get(participation=nursing)
    assert not invitations.accept_team(early, mode="online", approached=12)
    assert not invitations.decline(early, "workload")
    assert not User.objects.exists()


def test_a_leader_declines_with_the_reason(leader, nursing):
    assert invitations.decline(leader, "other", "Wij fuseren")
    participation = reread(nursing)
    assert (participation.state, participation.invitation.reason_text) == ("declined", "Wij fuseren")


def test_reminders_go_to_who_has_not_answered_at_most_once_a_day(director, roos):
    mails()
    with freeze_time("2030-01-07 09:00") as clock:
        assert invitations.remind(director, roos)
        assert not invitations.remind(director, roos)
        clock.tick(invitations.REMIND_AFTER)
        assert not invitations.remind(director, roos)
        clock.tick(1)
        assert invitations.remind(director, roos)
        invitations.decline(director, "workload")
        clock.tick(invitations.REMIND_AFTER * 2)
        assert not invitations.remind(director, roos)
    assert kinds().count("director_reminded") == 2


def test_a_reminder_that_was_answered_meanwhile_is_not_sent(director, leader):
    mails()
    invitations.remind(leader)
    invitations.accept_team(leader, mode="online", approached=12)
    assert [to for to, _ in mails()] == ["lena@noord.example"]
    states = OutboxMessage.objects.values_list("kind", "state")
    assert ("teams.leader_reminder", "dropped") in states
    assert ("teams.leader_confirmation", "sent") in states


def test_a_new_address_ends_the_old_link_and_mails_again(study, director, nursing, client):
    mails()
    old = invitations.link_path(director)
    assert corrections.correct_director(reread(director.academy), "Dina Jansen", "dina@noord.example")
    assert [to for to, _ in mails()] == ["dina@noord.example", "dirk@noord.example"]  # and who was there is told
    client.get(old)
    assert client.get(reverse("invitation", args=[director.pk])).status_code == 404
    client.get(invitations.link_path(reread(director)))
    assert client.get(reverse("invitation", args=[director.pk])).status_code == 200


def test_a_correction_without_a_new_address_keeps_the_link(director):
    nonce = director.nonce
    assert corrections.correct_director(director.academy, "D. Jansen", "DIRK@noord.example")
    assert not corrections.correct_director(director.academy, "D. Jansen", "dirk@noord.example")
    assert reread(director).nonce == nonce


def test_a_researchers_correction_moves_access_a_directors_does_not(study, leader, nursing, roos):
    invitations.accept_team(leader, mode="online", approached=12)
    with pytest.raises(ValueError, match="by a researcher only"):
        corrections.correct_leader(reread(nursing), "Mallory", "mallory@noord.example", by_link=True)
    assert Role.objects.get(participation=nursing).user.email == "lena@noord.example"
    corrections.correct_leader(reread(nursing), "Lotte Bos", "lotte@noord.example", by=roos)
    assert Role.objects.get(participation=nursing).user.email == "lotte@noord.example"


def test_teams_listed_later_are_asked_about_first(study, director, nursing, leader, academy, roos):
    mails()
    team = Team.objects.create(academy=academy, name="Logopedie", leader_name="Lou", leader_email="lou@noord.example")
    late = invitations.list_team(study, team, roos)
    assert mails() == []
    assert invitations.invite_directors(study, roos) == 1
    assert [to for to, _ in mails()] == ["dirk@noord.example"]
    assert invitations.undecided_teams(director) == [late]
    assert invitations.approach_more(director, approach(late)) == 1
    assert [to for to, _ in mails()] == ["lou@noord.example"]
    assert invitations.approach_more(director, approach(late)) == 0


def test_events_are_told_in_words(director, nursing):
    invitations.decline(director, "workload", "Te druk")
    event = history.history_of(nursing)[0]
    assert history.in_words(event) != event.kind
    assert history.detail_in_words(event).endswith(": Te druk")
    assert "workload:" not in history.detail_in_words(event)
    accepted = Event(kind="leader_accepted", detail="online: 12")
    assert "online:" not in history.detail_in_words(accepted)
    assert "12 " in history.detail_in_words(accepted)
    assert set(kinds()) <= history.KINDS.keys()


def test_the_first_mail_says_who_gave_the_address_and_how_to_object(director, leader, study):
    mails()
    for to, source in (("dirk@noord.example", "Hogeschool Noord"), ("lena@noord.example", "Dirk Jansen")):
        (sent,) = [sent for sent in django_mail.outbox if sent.to == [to] and "/i/" in sent.body][:1]
        assert source in sent.body
        assert study.contact_email in sent.body
        assert study.privacy_contact in sent.body
        assert sent.extra_headers["Reply-To"] == study.contact_email
        assert re.search(r"http://127.0.0.1:8000/i/\d+\.[0-9a-f]{32}\.[\w-]+\n", sent.body)


# ------------------------------------------------------------------------------------------------ the tiers
STEPS = ["invite", "accept academy", "decline academy", "accept team", "decline team", "remind", "list", "move", "send"]


@contextmanager
def undone():
    """Whatever one example writes is gone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def world(study) -> tuple[list[Academy], list[Team]]:
    institution = Institution.objects.create(group=a_group(), name="Wereld")
    academies = [
        Academy.objects.create(
            institution=institution, name=f"A{n}", director_name="D", director_email=f"director{n}@x.example"
        )
        for n in range(2)
    ]
    teams = [
        Team.objects.create(
            academy=academies[n % 2], name=f"T{n}", leader_name="L", leader_email=f"leader{n}@x.example"
        )
        for n in range(4)
    ]
    return academies, teams


def wave_of(message: OutboxMessage) -> Participation:
    """The team's wave that a mail to its leader is about: most are of an invitation, one names the wave itself."""
    if message.kind == TeamMail.LEADER_NAMED:
        return Participation.objects.get(pk=message.object_id)
    return Invitation.objects.get(pk=message.object_id).participation


def take(study, academies, teams, step: str, n: int, chosen: set[str]) -> None:
    """One step of anybody, whether or not it is their turn. ``chosen`` gathers leaders whom a director approved."""
    academy, team = academies[n % 2], teams[n % 4]
    director = Invitation.objects.filter(study=study, academy=academy).first()
    leader = Invitation.objects.filter(study=study, participation__team=team).first()
    if step == "list":
        invitations.list_team(study, team)
    elif step == "invite":
        invitations.invite_directors(study)
    elif step == "send":
        outbox.send_due()
    elif step == "move" and n % 2:
        wave = Participation.objects.get(study=study, team=team)
        corrections.correct_leader(wave, "L", f"leader-moved{n}@x.example")
    elif step == "move":
        corrections.correct_director(reread(academy), "D", f"director-moved{n}@x.example")
    elif step == "accept academy" and director:
        ours = [team for team in invitations.teams_of(director) if (team.team_id + n) % 3]
        undecided = set(invitations.undecided_teams(director)) & set(ours)
        accepts = invitations.accept_academy if n % 5 else invitations.approach_more
        if accepts(director, approach(*ours)):
            chosen |= {undecided_team.leader_email for undecided_team in undecided}
    elif step == "decline academy" and director:
        invitations.decline(director, "workload")
    elif step == "accept team" and leader:
        invitations.accept_team(leader, mode="online", approached=5)
    elif step == "decline team" and leader:
        invitations.decline(leader, "workload")
    elif step == "remind":
        for asked in (director, leader):
            if asked is not None:
                invitations.remind(asked)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=3, max_size=25))
def test_no_leader_is_mailed_before_the_director_accepted(study, steps):
    """In whatever order people press what they can press: every mail to a leader has a director's permission above it."""
    with undone():
        django_mail.outbox.clear()
        academies, teams = world(study)
        for team in teams:
            invitations.list_team(study, team)
        for step, n in [*steps, ("send", 0)]:
            take(study, academies, teams, step, n, set())
            for message in OutboxMessage.objects.filter(kind__startswith="teams.leader"):
                asked = wave_of(message)
                above = invitations.academy_invitation(asked)
                assert above.state == Invitation.State.ACCEPTED, (step, message)
            for sent in django_mail.outbox:
                if not sent.to[0].startswith("leader"):
                    continue
                wave = Participation.objects.filter(leader_email=sent.to[0]).first()
                above = invitations.academy_invitation(wave) if wave else None
                assert above is None or above.state == Invitation.State.ACCEPTED
            for participation in Participation.objects.filter(state=Participation.State.ACCEPTED):
                assert invitations.academy_invitation(participation).state == Invitation.State.ACCEPTED


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([step for step in STEPS if step != "move"]), st.integers(0, 11)),
        min_size=3,
        max_size=25,
    )
)
def test_only_leaders_whom_a_director_chose_are_mailed(study, steps):
    with undone():
        django_mail.outbox.clear()
        academies, teams = world(study)
        for team in teams[:3]:
            invitations.list_team(study, team)
        chosen: set[str] = set()
        for step, n in [*steps, ("send", 0)]:
            take(study, academies, teams, step, n, chosen)
        mailed = {sent.to[0] for sent in django_mail.outbox if sent.to[0].startswith("leader")}
        assert mailed <= chosen


def test_the_random_orders_do_reach_leaders(study):
    """The proof above is not empty: the plain order mails a leader, and one who accepts takes part."""
    academies, teams = world(study)
    for team in teams:
        invitations.list_team(study, team)
    chosen: set[str] = set()
    for step, n in [("invite", 0), ("accept academy", 2), ("accept academy", 1)]:
        take(study, academies, teams, step, n, chosen)
    assert {to for to, _ in mails()} & {f"leader{n}@x.example" for n in range(4)} == chosen != set()
