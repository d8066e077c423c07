"""Reminder schedules: who is due, how often, until when; never before the tier above, never after an answer, and once."""

import itertools
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from teams.inviting import invitations, reminders
from teams.inviting.withdrawing import reissue, withdraw
from teams.mail import outbox, refusals
from teams.models import Event, Invitation, OutboxMessage, Participation, ReminderSchedule, Study
from teams.tasks import send_due_reminders
from tests.surveys.conftest import in_threads
from tests.teams.test_invitations import approach, reread, undone, world

pytestmark = pytest.mark.django_db
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONDAY = datetime(2026, 11, 2, 10, tzinfo=AMSTERDAM)
Tier = ReminderSchedule.Tier


def switch_on(study, roos, tier=Tier.DIRECTOR, after_days=7, times=2, until=None):
    return reminders.set_schedule(study, tier, active=True, after_days=after_days, times=times, until=until, by=roos)


def at(day: int, hour: int = 10) -> datetime:
    """So many days after the Monday, on the clock of the site: also over a change of summer time."""
    return datetime.combine((MONDAY + timedelta(days=day)).date(), datetime.min.time(), AMSTERDAM).replace(hour=hour)


@pytest.fixture
def clock():
    with freeze_time(MONDAY) as clock:
        yield clock


@pytest.fixture
def director(clock, study, nursing, physiotherapy) -> Invitation:
    invitations.invite_directors(study)
    outbox.send_due()
    return invitations.academy_invitation(nursing)


def reminded_on(clock, days: int) -> list[int]:
    """On which days the schedules remind somebody."""
    reminded = []
    for day in range(days):
        clock.move_to(at(day))
        if reminders.send_due_reminders():
            reminded.append(day)
        assert reminders.send_due_reminders() == 0  # the same day again
    return reminded


def test_after_so_many_days_so_many_times(director, study, roos, clock):
    switch_on(study, roos, after_days=7, times=2)
    assert reminded_on(clock, 40) == [7, 14]
    assert reread(director).n_reminders == 2
    assert outbox.send_due() == 2
    assert Event.objects.filter(kind="director_reminded_by_schedule", by=None).count() == 2


def test_until_a_day_and_never_after_the_study(director, study, roos, clock):
    switch_on(study, roos, after_days=3, times=5, until=at(7).date())
    assert reminded_on(clock, 20) == [3, 6]
    Study.objects.filter(pk=study.pk).update(ends_on=at(22).date())
    switch_on(study, roos, after_days=5, times=5)
    clock.move_to(at(22))
    assert reminders.send_due_reminders() == 1
    clock.move_to(at(27))
    assert reminders.send_due_reminders() == 0


def test_a_schedule_that_was_never_set_or_is_paused_reminds_nobody(director, study, roos, clock):
    assert reminded_on(clock, 30) == []
    reminders.set_schedule(study, Tier.DIRECTOR, active=False, after_days=1, times=5, until=None, by=roos)
    assert reminded_on(clock, 30) == []
    assert reminders.outlook(study, Tier.DIRECTOR).today == [director]  # but the page says who would be


def test_a_reminder_by_hand_counts(director, study, roos, clock):
    switch_on(study, roos, after_days=7, times=2)
    clock.move_to(at(5))
    assert invitations.remind(director, roos)
    assert reminded_on(clock, 30)[-1] == 12
    assert reread(director).n_reminders == 2


def test_mornings_and_sending_hours_only(director, study, roos, clock, settings):
    switch_on(study, roos, after_days=5)
    clock.move_to(at(5, hour=8))  # a Saturday
    assert reminders.send_due_reminders() == 0
    settings.MAIL_HOURS = "12345 09:00-17:00"
    clock.move_to(at(5))
    assert reminders.send_due_reminders() == 0
    clock.move_to(at(7))
    assert reminders.send_due_reminders() == 1


@pytest.mark.parametrize("answer", ["accept", "decline", "stop"])
def test_nobody_is_reminded_who_answered_or_asked_for_none(director, study, roos, clock, nursing, answer):
    switch_on(study, roos)
    if answer == "accept":
        invitations.accept_academy(director, approach(nursing))
    elif answer == "decline":
        invitations.decline(director, "workload")
    else:
        reminders.end_reminders(director)
    assert reminded_on(clock, 30) == []


def test_who_cannot_be_reached_is_not_reminded_but_named(director, study, roos, clock):
    OutboxMessage.objects.update(state=OutboxMessage.State.BOUNCED)
    switch_on(study, roos)
    assert reminded_on(clock, 10) == []
    outlook = reminders.outlook(study, Tier.DIRECTOR)
    assert (outlook.n_waiting, outlook.n_undeliverable, outlook.today) == (1, 1, [])


def test_leaders_wait_for_their_director_and_for_the_directors_day(director, study, roos, clock, nursing):
    switch_on(study, roos, Tier.LEADER, after_days=7, times=1)
    invitations.accept_academy(director, approach(nursing), not_before=at(20).date())
    assert reminded_on(clock, 40) == [27]


def test_the_page_says_who_is_due_today_and_when_the_next_ones_are(director, study, roos, clock):
    clock.move_to(at(3))
    outlook = reminders.outlook(study, Tier.DIRECTOR)
    assert (outlook.today, outlook.next_on, outlook.n_waiting) == ([], at(7).date(), 1)
    clock.move_to(at(7))
    outlook = reminders.outlook(study, Tier.DIRECTOR)
    assert (outlook.today, outlook.next_on) == ([director], None)
    assert reread(director).n_reminders == 0  # looking changes nothing


def test_the_page_sets_pauses_and_refuses(study, nursing, roos, client):
    client.force_login(roos)
    address = reverse("mail_reminders", args=[study.slug, "leader"])
    values = {"leader-after_days": "5", "leader-times": "3", "leader-until": ""}
    client.post(address, {**values, "active": "on"})
    assert (schedule := ReminderSchedule.objects.get()).active
    assert (schedule.tier, schedule.after_days, schedule.times) == ("leader", 5, 3)
    client.post(address, {**values, "active": ""})
    assert not ReminderSchedule.objects.get().active
    for wrong in ({"leader-times": "9"}, {"leader-after_days": "0"}, {"leader-until": "2031-01-01"}):
        shown = client.post(address, {**values, **wrong, "active": "on"})
        assert shown.status_code == 200
        assert shown.context["tiers"][1]["form"].errors
        assert not ReminderSchedule.objects.get().active


def test_the_hours_of_a_study_are_set_and_taken_back(study, roos, client):
    client.force_login(roos)
    address = reverse("mail_hours", args=[study.slug])
    client.post(address, {"own": "own", "days": ["5", "1"], "begin": "09:00", "end": "12:30"})
    assert str(study.mail_hours) == "15 09:00-12:30"
    for wrong in ({"days": []}, {"begin": ""}, {"end": "08:00"}):
        shown = client.post(address, {"own": "own", "days": ["1"], "begin": "09:00", "end": "12:30", **wrong})
        assert shown.context["hours_form"].errors
    client.post(address, {"own": ""})
    assert not type(study.mail_hours).objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_remind_once(study, nursing, roos):
    invitations.invite_directors(study)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(days=30))
    switch_on(study, roos)
    with freeze_time(datetime.combine(timezone.localdate(), datetime.min.time(), AMSTERDAM).replace(hour=12)):
        results = in_threads(*[reminders.send_due_reminders] * 3)
    assert sorted(results) == [0, 0, 1]
    assert OutboxMessage.objects.filter(kind="teams.director_reminder").count() == 1


def test_beat_wakes_it(director, study, roos, clock, settings):
    assert settings.CELERY_BEAT_SCHEDULE["reminders"]["task"] == "teams.send_due_reminders"
    switch_on(study, roos)
    clock.move_to(at(7))
    send_due_reminders()
    assert reread(director).n_reminders == 1


# ------------------------------------------------------------------------------------------------ random orders
STEPS = [
    "invite", "accept academy", "decline academy", "accept team", "decline team", "withdraw academy", "withdraw team",
    "schedule", "pause", "remind", "days", "days", "stop", "new link", "send", "send",
]  # fmt: skip
AFTER, TIMES = 3, 2


class Play:
    """People, beat and the clock, in any order; what is sent is checked against the rows at the moment of sending."""

    def __init__(self, study, roos, clock) -> None:
        self.study, self.roos, self.clock, self.day = study, roos, clock, 0
        self.academies, self.teams = world(study)
        for team in self.teams:
            invitations.list_team(study, team)
        self.reminders: dict[int, list[date]] = {}
        self.n_reminded = 0

    def take(self, step: str, n: int) -> None:
        director = Invitation.objects.get(study=self.study, academy=self.academies[n % 2])
        leader = Invitation.objects.get(study=self.study, participation__team=self.teams[n % 4])
        if step == "invite":
            invitations.invite_directors(self.study)
        elif step == "accept academy":
            day = timezone.localdate() + timedelta(days=n) if n % 3 else None
            ours = [team for team in invitations.teams_of(director) if (team.team_id + n) % 4]
            invitations.accept_academy(director, approach(*ours), not_before=day)
        elif step == "decline academy" and n % 2:
            invitations.decline(director, "workload")
        elif step == "accept team":
            invitations.accept_team(leader, mode="online", approached=5)
        elif step == "decline team" and n % 2:
            invitations.decline(leader, "workload")
        elif step == "withdraw academy" and n % 3 == 0:
            withdraw(director, "reorganisation", by_link=True)
        elif step == "withdraw team" and n % 3 == 0:
            withdraw(leader, "workload", by_link=True)
        elif step in ("schedule", "pause"):
            for tier in Tier:
                reminders.set_schedule(
                    self.study, tier, active=step == "schedule", after_days=AFTER, times=TIMES, until=None, by=self.roos
                )
        elif step == "remind":
            self.n_reminded += reminders.send_due_reminders()
        elif step == "days":
            self.day += n
            self.clock.move_to(at(self.day))
        elif step == "stop" and n % 4 == 0:
            reminders.end_reminders(leader if n % 8 else director)
        elif step == "new link":
            reissue(leader if n % 2 else director)
        elif step == "send":
            self.send()

    def send(self) -> None:
        before = set(OutboxMessage.objects.filter(state="sent").values_list("pk", flat=True))
        outbox.send_due()
        today = timezone.localdate()
        for message in OutboxMessage.objects.filter(state="sent").exclude(pk__in=before):
            invitation = Invitation.objects.get(pk=message.object_id)
            name = message.kind.removeprefix("teams.")
            if name in ("leader_invitation", "leader_reminder"):
                above = invitations.academy_invitation(invitation.participation)
                assert above.state == Invitation.State.ACCEPTED, message
                assert above.not_before is None or above.not_before <= today, message
                assert invitation.participation.state == Participation.State.INVITED, message
            if name.endswith(("_invitation", "_reminder")):
                assert invitation.state == Invitation.State.SENT, message
            if name.endswith("_reminder"):
                assert not refusals.wants_none(invitations.reader_of(invitation)), message
                assert today <= self.study.ends_on
                assert message.due_at.date() >= invitation.sent_at.date()
                self.reminders.setdefault(invitation.pk, []).append(today)

    def check(self) -> None:
        assert all(len(days) <= TIMES for days in self.reminders.values()), self.reminders
        by_schedule = Event.objects.filter(kind__endswith="_by_schedule")
        assert by_schedule.count() == self.n_reminded
        for invitation in Invitation.objects.all():
            days = sorted(
                timezone.localdate(event.at)
                for event in by_schedule.filter(participation=invitation.participation, academy=invitation.academy)
            )
            assert all((later - earlier).days >= AFTER for earlier, later in itertools.pairwise(days)), days
            assert invitation.n_reminders == len(days) <= TIMES


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=8, max_size=35))
def test_in_whatever_order_nobody_is_mailed_or_reminded_too_early_too_often_or_after_the_answer(study, roos, steps):
    with undone(), freeze_time(MONDAY) as clock:
        django_mail.outbox.clear()
        play = Play(study, roos, clock)
        for step, n in [("invite", 0), ("schedule", 0), *steps, ("send", 0)]:
            play.take(step, n)
        play.check()


def test_the_random_orders_do_reach_reminders_of_both_tiers(study, roos):
    """The proof above is not empty."""
    with freeze_time(MONDAY) as clock:
        play = Play(study, roos, clock)
        for step, n in [
            ("invite", 0), ("schedule", 0), ("send", 0), ("accept academy", 3), ("send", 0), ("days", 4), ("remind", 0),
            ("send", 0), ("days", 4), ("remind", 0), ("send", 0), ("days", 4), ("remind", 0), ("send", 0),
        ]:  # fmt: skip
            play.take(step, n)
        play.check()
    tiers = {bool(Invitation.objects.get(pk=pk).academy_id) for pk in play.reminders}
    assert tiers == {True, False}
    assert {len(days) for days in play.reminders.values()} == {TIMES}
