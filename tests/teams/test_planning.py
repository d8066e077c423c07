"""Planning team meetings: who agreed, who is told, what stands in the calendar file."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.core import mail as outbox
from django.utils import timezone
from freezegun import freeze_time

import config.urls  # noqa: F401  loads every view now: pandas cannot be loaded while the clock stands still
from teams.inviting import corrections, invitations
from teams.inviting.invitations import Approach
from teams.inviting.withdrawing import withdraw
from teams.mail import outbox as mail
from teams.mail import templates
from teams.mail.composing import absolute
from teams.mail.kinds import TeamMail
from teams.meetings import calendars, planning
from teams.meetings.slots import conflicts, free_slots, offer_slots, withdraw_slot
from teams.models import (
    Attendee,
    Invitation,
    OfferedSlot,
    OutboxMessage,
    Participation,
    PlannedMeeting,
    Role,
    Study,
    User,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONDAY = datetime(2026, 10, 5, 14, 0, tzinfo=AMSTERDAM)  # summer time
LATE = datetime(2026, 10, 26, 9, 30, tzinfo=AMSTERDAM)  # winter time
NOW = "2026-09-21 08:00:00"


@pytest.fixture(autouse=True)
def september():
    with freeze_time(NOW):
        yield


@pytest.fixture
def team(study: Study, nursing: Participation, roos: User) -> Participation:
    """A team that takes part, led by Lena, introduced by Cor."""
    return accept(study, nursing, roos)


def accept(study: Study, participation: Participation, by: User, mode: str = "contact") -> Participation:
    invitations.invite_directors(study, by)
    director = invitations.academy_invitation(participation)
    team = participation.team
    invitations.accept_academy(director, [Approach(participation.pk, team.leader_name, team.leader_email)])
    contact = {"contact_name": "Cor Mol", "contact_email": "cor@noord.example"} if mode == "contact" else {}
    invitations.accept_team(Invitation.objects.get(participation=participation), mode=mode, approached=9, **contact)
    participation.refresh_from_db()
    OutboxMessage.objects.all().delete()
    return participation


def fixed(team: Participation, moment: datetime = MONDAY, **fields: object) -> PlannedMeeting:
    planned = planning.begin(team)
    assert planning.fix(planned, moment, **{"researcher": None, **fields})
    return planned


def queued(kind: str) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind=kind, state="queued").order_by("due_at", "pk"))


def to_whom(kind: str) -> list[str]:
    return sorted(Attendee.objects.get(pk=message.object_id).email for message in queued(kind))


def sent() -> list[tuple[str, icalendar.Calendar]]:
    """Send what is due; who got which calendar file."""
    outbox.outbox.clear()
    mail.send_due()
    return sorted(
        (message.to[0], icalendar.Calendar.from_ical(content))
        for message in outbox.outbox
        for _name, content, kind in message.attachments
        if kind.startswith("text/calendar")
    )


def event_of(calendar: icalendar.Calendar) -> icalendar.Event:
    return calendar.walk("VEVENT")[0]


# ------------------------------------------------------------------------------------------------ agreeing
def test_a_leader_proposes_and_a_researcher_fixes(team: Participation, roos: User) -> None:
    planned = planning.propose(team, [LATE, MONDAY, MONDAY], by_leader=True, room="B1.12")
    assert [date.starts_at for date in planned.dates.all()] == [MONDAY, LATE]
    assert not queued(TeamMail.MEETING_CALENDAR)
    assert planning.fix(planned, MONDAY, researcher=None, by=roos)
    team.refresh_from_db()
    assert (planned.state, planned.starts_at, planned.room) == ("confirmed", MONDAY, "B1.12")
    assert not planned.dates.exists()
    assert team.meets_on == MONDAY.date()
    assert to_whom(TeamMail.MEETING_CALENDAR) == ["cor@noord.example", "lena@noord.example"]
    assert team.events.filter(kind="meeting_fixed", by=roos, detail="2026-10-05 14:00").exists()


def test_a_researcher_proposes_and_the_leader_gets_a_mail(team: Participation, roos: User) -> None:
    planning.propose(team, [MONDAY, LATE], by_leader=False, by=roos)
    mail.send_due()
    (message,) = outbox.outbox
    assert message.to == ["lena@noord.example"]
    assert "maandag 5 oktober 2026, 14:00" in message.body
    assert f"/team/{team.pk}/meeting" in message.body


def test_new_proposals_replace_those_of_the_same_side_only(team: Participation) -> None:
    planning.propose(team, [MONDAY], by_leader=True)
    planning.propose(team, [LATE], by_leader=False)
    planned = planning.propose(team, [MONDAY + timedelta(days=1)], by_leader=True)
    assert {(date.starts_at, date.by_leader) for date in planned.dates.all()} == {
        (MONDAY + timedelta(days=1), True),
        (LATE, False),
    }


def test_a_proposal_leaves_a_fixed_date_standing(team: Participation) -> None:
    fixed(team)
    planned = planning.propose(team, [LATE], by_leader=True, room="elsewhere")
    assert (planned.state, planned.starts_at, planned.room) == ("confirmed", MONDAY, "")


def test_of_two_who_fix_at_once_one_counts(team: Participation) -> None:
    planned = planning.begin(team)
    same = PlannedMeeting.objects.get(pk=planned.pk)
    assert planning.fix(planned, MONDAY, researcher=None)
    assert not planning.fix(same, LATE, researcher=None)
    assert PlannedMeeting.objects.get().starts_at == MONDAY


# ------------------------------------------------------------------------------------------------ offered times
def test_the_first_leader_has_the_offered_time(
    study: Study, team: Participation, physiotherapy: Participation, roos: User
) -> None:
    other = accept(study, physiotherapy, roos, "researcher")
    assert offer_slots(study, roos, [MONDAY, LATE], 45) == 2
    assert offer_slots(study, roos, [MONDAY], 45) == 0
    slot = OfferedSlot.objects.get(starts_at=MONDAY)
    assert planning.take_slot(other, slot, room="A2")
    assert not planning.take_slot(team, slot)
    planned = PlannedMeeting.objects.get(participation=other)
    assert (planned.state, planned.starts_at, planned.researcher, planned.room) == ("confirmed", MONDAY, roos, "A2")
    assert not PlannedMeeting.objects.filter(participation=team, state="confirmed").exists()
    assert [slot.starts_at for slot in free_slots(study)] == [LATE]
    assert not withdraw_slot(slot)


def test_a_meeting_that_moves_frees_the_time_it_had(study: Study, team: Participation, roos: User) -> None:
    offer_slots(study, roos, [MONDAY], 45)
    assert planning.take_slot(team, OfferedSlot.objects.get())
    planned = PlannedMeeting.objects.get()
    assert planning.fix(planned, LATE, researcher=roos)
    assert OfferedSlot.objects.get().taken_by is None


def test_a_time_at_which_its_researcher_meets_another_team_is_not_offered(
    study: Study, team: Participation, roos: User
) -> None:
    offer_slots(study, roos, [MONDAY, MONDAY + timedelta(minutes=44), MONDAY + timedelta(minutes=45)], 45)
    fixed(team, researcher=roos)
    assert [slot.starts_at for slot in free_slots(study)] == [MONDAY + timedelta(minutes=45)]


def test_a_researcher_who_is_elsewhere_then_is_found(
    study: Study, team: Participation, physiotherapy: Participation, roos: User
) -> None:
    first = fixed(team, researcher=roos)
    second = fixed(accept(study, physiotherapy, roos), MONDAY + timedelta(minutes=30), researcher=roos)
    assert conflicts(second, roos) == [first]
    assert planning.fix(second, MONDAY + timedelta(minutes=45), researcher=roos)
    assert conflicts(second, roos) == []


# ------------------------------------------------------------------------------------------------ telling everybody
def test_the_file_says_when_and_who_in_the_time_of_the_place(team: Participation, roos: User) -> None:
    fixed(team, researcher=roos, room="B1.12; the room, with\\a sign")
    files = sent()
    assert [who for who, _ in files] == ["cor@noord.example", "lena@noord.example", "roos@noord.example"]
    calendar = files[0][1]
    assert calendar["METHOD"] == "REQUEST"
    event = event_of(calendar)
    assert event["DTSTART"].dt == MONDAY
    assert event["DTSTART"].params["TZID"] == "Europe/Amsterdam"
    assert event["DTEND"].dt == MONDAY + timedelta(minutes=45)
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Amsterdam"]
    assert "B1.12; the room, with\\a sign" in event["LOCATION"]
    assert event["ORGANIZER"] == "mailto:roos@noord.example"
    assert sorted(event["ATTENDEE"]) == [
        "mailto:cor@noord.example",
        "mailto:lena@noord.example",
        "mailto:roos@noord.example",
    ]


def test_a_move_and_a_cancellation_reach_all_under_the_same_uid(team: Participation, roos: User) -> None:
    planned = fixed(team, researcher=roos)
    first = sent()
    assert planning.fix(planned, LATE, researcher=roos, by=roos)
    moved = sent()
    assert planning.call_off(planned, by=roos)
    cancelled = sent()
    everybody = ["cor@noord.example", "lena@noord.example", "roos@noord.example"]
    for files in (first, moved, cancelled):
        assert [who for who, _ in files] == everybody
    events = [event_of(files[0][1]) for files in (first, moved, cancelled)]
    assert len({event["UID"] for event in events}) == 1
    assert [event["SEQUENCE"] for event in events] == [1, 2, 3]
    assert [event["DTSTART"].dt for event in events] == [MONDAY, LATE, LATE]
    assert cancelled[0][1]["METHOD"] == "CANCEL"
    assert events[2]["STATUS"] == "CANCELLED"
    team.refresh_from_db()
    assert team.meets_on is None
    assert team.events.filter(kind="meeting_moved", detail="2026-10-05 14:00 → 2026-10-26 09:30").exists()


def test_a_meeting_planned_anew_after_it_was_called_off_is_another_event(team: Participation) -> None:
    planned = fixed(team)
    uid = planned.uid
    planning.call_off(planned)
    assert planning.fix(planned, LATE, researcher=None)
    assert planned.uid != uid


def test_a_cancellation_that_still_waits_is_taken_back(team: Participation) -> None:
    planned = fixed(team)
    sent()
    planning.call_off(planned)
    uid = planned.uid
    assert planning.fix(planned, LATE, researcher=None)
    assert planned.uid == uid  # their calendars hold it
    files = sent()
    assert [(who, file["METHOD"]) for who, file in files] == [
        ("cor@noord.example", "REQUEST"),
        ("lena@noord.example", "REQUEST"),
    ]


def test_a_study_says_in_its_own_words_what_happens_to_a_meeting(team: Participation, roos: User) -> None:
    """Fixed, moved, another comes, called off, and fixed anew: each has words of its own."""
    for kind in ("fixed", "moved", "replaced", "called_off"):
        templates.put_in_own_words(
            team.study, f"teams.meeting_{kind}", "nl", f"{kind} {{team}}", f"{kind} {{name}}\n\n{{meeting}}", roos
        )
    planned = fixed(team, room="B1.12")
    assert subjects() == ["fixed Verpleegkunde"] * 2
    to_leader = next(message for message in outbox.outbox if message.to == ["lena@noord.example"])
    assert to_leader.body.startswith(
        "fixed Lena Bos\n\nmaandag 5 oktober 2026, 14:00–14:45\nRuimte: B1.12\nContactpersoon: Cor Mol\n"
    )
    assert "gaf ons je naam" not in to_leader.body
    assert "gaf ons je naam" in next(m for m in outbox.outbox if m.to == ["cor@noord.example"]).body
    planning.fix(planned, LATE, researcher=None)
    assert subjects() == ["moved Verpleegkunde"] * 2
    planning.change_way(team, mode="contact", contact_name="Mia", contact_email="mia@noord.example")
    assert subjects()[1:] == ["fixed Verpleegkunde", "replaced Verpleegkunde"]  # beside "you are no longer"
    planning.call_off(planned)
    assert subjects() == ["called_off Verpleegkunde"] * 2
    planning.fix(planned, MONDAY, researcher=None)
    assert subjects() == ["fixed Verpleegkunde"] * 2


def subjects() -> list[str]:
    sent()
    return sorted(message.subject for message in outbox.outbox)


def test_nobody_is_told_of_the_end_of_what_they_never_got(team: Participation) -> None:
    planned = fixed(team)
    planning.call_off(planned)  # before a worker sent anything
    assert sent() == []


def test_a_new_contact_person_gets_it_and_the_old_one_the_cancellation(team: Participation) -> None:
    planned = fixed(team)
    sent()
    assert planning.change_way(team, mode="contact", contact_name="Mia", contact_email="Mia@noord.example")
    files = dict(sent())
    assert set(files) == {"cor@noord.example", "mia@noord.example"}  # the leader's file holds the same time and room
    assert (files["cor@noord.example"]["METHOD"], files["mia@noord.example"]["METHOD"]) == ("CANCEL", "REQUEST")
    assert to_whom(TeamMail.MEETING_BRIEFING) == ["mia@noord.example"]
    event = team.events.get(kind="contact_person_changed")
    assert event.detail == "Cor Mol cor@noord.example → Mia mia@noord.example"
    planned.refresh_from_db()
    assert planned.attendees.filter(left=True).get().email == "cor@noord.example"


def test_a_new_leader_gets_the_meeting(team: Participation, roos: User) -> None:
    fixed(team)
    sent()
    corrections.correct_leader(team, "Lies", "lies@noord.example", by=roos)
    files = dict(sent())
    assert files["lies@noord.example"]["METHOD"] == "REQUEST"
    assert files["lena@noord.example"]["METHOD"] == "CANCEL"


def test_another_room_is_told_and_recorded(team: Participation) -> None:
    planned = fixed(team, room="A1")
    sent()
    assert not planning.change(planned, minutes=45, room="A1")
    assert planning.change(planned, minutes=60, room="A2", by_link=True)
    files = sent()
    assert len(files) == 2
    assert event_of(files[0][1])["DTEND"].dt == MONDAY + timedelta(minutes=60)
    assert team.events.get(kind="meeting_changed").detail == "A1 → A2, 45 → 60"


def test_a_team_that_stops_does_not_meet(team: Participation) -> None:
    fixed(team)
    sent()
    assert withdraw(team.invitation, "workload")
    assert {who: file["METHOD"] for who, file in sent()} == {
        "cor@noord.example": "CANCEL",
        "lena@noord.example": "CANCEL",
    }
    assert not queued(TeamMail.MEETING_BRIEFING)


def test_a_team_that_goes_online_does_not_meet(team: Participation) -> None:
    planned = fixed(team)
    assert planning.change_way(team, mode="online", contact_name="", contact_email="")
    planned.refresh_from_db()
    assert planned.state == "cancelled"
    assert team.events.filter(kind="mode_changed", detail="contact → online").exists()


# ------------------------------------------------------------------------------------------------ the briefing
def test_the_briefing_waits_until_two_days_before_and_moves_with_the_date(team: Participation) -> None:
    planned = fixed(team)
    (briefing,) = queued(TeamMail.MEETING_BRIEFING)
    assert briefing.due_at == datetime(2026, 10, 3, 9, 0, tzinfo=AMSTERDAM)
    assert planning.fix(planned, LATE, researcher=None)
    (briefing,) = queued(TeamMail.MEETING_BRIEFING)
    assert briefing.due_at == datetime(2026, 10, 24, 9, 0, tzinfo=AMSTERDAM)
    assert planning.fix(planned, timezone.now() + timedelta(hours=20), researcher=None)
    (briefing,) = queued(TeamMail.MEETING_BRIEFING)
    assert briefing.due_at == timezone.now()
    planning.call_off(planned)
    assert not queued(TeamMail.MEETING_BRIEFING)


def test_the_researcher_who_comes_is_briefed_too_the_leader_is_not(team: Participation, roos: User) -> None:
    fixed(team, researcher=roos)
    assert to_whom(TeamMail.MEETING_BRIEFING) == ["cor@noord.example", "roos@noord.example"]


# ------------------------------------------------------------------------------------------------ the feed
def events_of(user: User) -> list[icalendar.Event]:
    return icalendar.Calendar.from_ical(calendars.feed(user)).walk("VEVENT")


def test_the_feed_has_who_comes_and_what_a_contact_person_leads(
    study: Study, team: Participation, physiotherapy: Participation, roos: User
) -> None:
    fixed(team)
    own = fixed(accept(study, physiotherapy, roos, "researcher"), LATE, researcher=roos)
    found = {str(event["SUMMARY"]): event["TRANSP"] for event in events_of(roos)}
    assert found == {
        "Team meeting Verpleegkunde: questionnaire": "TRANSPARENT",
        "Team meeting Fysiotherapie: questionnaire": "OPAQUE",
    }
    planning.call_off(own)
    assert [event["STATUS"] for event in events_of(roos)] == ["CONFIRMED", "CANCELLED"]
    other = User.objects.create_user("ruud@noord.example")
    assert events_of(other) == []
    Role.objects.filter(user=roos).delete()  # who no longer works in the study sees nothing of it
    assert events_of(roos) == []


def test_the_feeds_address_is_secret_and_ends(client, study: Study, team: Participation, roos: User) -> None:
    fixed(team, researcher=roos)
    assert calendars.feed_address(roos) == ""
    calendars.renew_feed(roos)
    first = calendars.feed_address(roos)
    path = first.removeprefix(absolute(""))
    response = client.get(path)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"Teamoverleg Verpleegkunde" in response.content  # in the researcher's language
    calendars.renew_feed(roos)
    assert client.get(path).status_code == 404
    path = calendars.feed_address(roos).removeprefix(absolute(""))
    assert client.get(path).status_code == 200
    User.objects.filter(pk=roos.pk).update(is_active=False)
    assert client.get(path).status_code == 404
    User.objects.filter(pk=roos.pk).update(is_active=True)
    calendars.end_feed(roos)
    assert client.get(path).status_code == 404
