"""The way of collecting changes, or the team stops, at the instant at which somebody else does something with the team.

In each the second one comes while the first has looked and not yet written.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from surveys.answering import submission
from surveys.collecting import collections
from surveys.models import Collection, Meeting, Response
from surveys.reshaping import ways
from surveys.reshaping.ways import WayStays, change_way
from teams.inviting import invitations, withdrawing
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.meetings import planning
from teams.models import Event, Invitation, OutboxMessage, Participation, PlannedMeeting, User
from tests.surveys.conftest import in_threads, make_participation, make_survey
from tests.teams.test_races import in_between

pytestmark = pytest.mark.django_db(transaction=True)
ONLINE, CONTACT = Participation.Mode.ONLINE, Participation.Mode.CONTACT


def to(participation: Participation, mode: str, by: User, email: str = "cora@noord.example") -> bool:
    return change_way(participation, mode=mode, contact_name="Cora Vink", contact_email=email, by=by, by_leader=False)


@pytest.fixture
def asked(study) -> Participation:
    """A team that takes part, with the invitations above it; the study is not open."""
    participation = make_participation(study, "Logopedie", CONTACT)
    make_survey(study)
    undertaken: dict[str, Any] = {"study": study, "state": "accepted", "undertaking": True}
    Invitation.objects.create(participation=participation, nonce="x", **undertaken)
    Invitation.objects.create(academy=participation.team.academy, nonce="y", **undertaken)
    return participation


def test_the_way_and_the_collection_change_together_or_not_at_all(collection, roos, monkeypatch):
    def breaks(*_args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(ways, "_follow_way", breaks)
    participation = collection.participation
    with pytest.raises(RuntimeError):
        to(participation, ONLINE, roos)
    collection.refresh_from_db()
    participation.refresh_from_db()
    assert participation.mode == collection.mode == Participation.Mode.RESEARCHER
    assert not Event.objects.filter(kind="mode_changed").exists()


def test_nobody_begins_in_a_meeting_while_the_team_goes_online(meeting, roos, monkeypatch):
    """Whoever begins waits for the change: no way changes under an answer that belongs to it."""
    first, second = in_between(monkeypatch, ways, "may_change_way")
    results = in_threads(
        first(lambda: to(meeting.collection.participation, ONLINE, roos)),
        second(lambda: submission.start_in_meeting(meeting)),
    )
    collection = Collection.objects.select_related("participation").get(pk=meeting.collection_id)
    assert collection.mode == collection.participation.mode
    if results[0] is True:
        assert collection.mode == ONLINE
    else:
        assert isinstance(results[0], WayStays), results
        assert collection.mode == Participation.Mode.RESEARCHER


def test_the_way_stays_where_somebody_began_at_that_moment(meeting, roos, monkeypatch):
    first, second = in_between(monkeypatch, submission, "_language")
    results = in_threads(
        first(lambda: submission.start_in_meeting(meeting)),
        second(lambda: to(meeting.collection.participation, ONLINE, roos)),
    )
    assert isinstance(results[0], str), results
    assert isinstance(results[1], WayStays), results
    assert Response.objects.filter(collection=meeting.collection_id).count() == 1


def test_a_collection_that_opens_meanwhile_has_the_way_that_was_chosen(asked, roos, monkeypatch):
    collections.open_survey(asked.study.survey, "f" * 64)
    Collection.objects.all().delete()  # as where the disk was full at this team
    first, second = in_between(monkeypatch, ways, "may_change_way")
    results = in_threads(
        first(lambda: to(asked, ONLINE, roos)),
        second(lambda: collections.open_collection(Participation.objects.get(pk=asked.pk))),
    )
    assert results[0] is True, results
    collection = Collection.objects.select_related("participation").get()
    assert collection.mode == collection.participation.mode == ONLINE
    assert not Meeting.objects.exists()


def test_two_who_change_the_way_at_once_leave_one_way(collection, roos, monkeypatch):
    participation = collection.participation
    first, second = in_between(monkeypatch, ways, "may_change_way")
    results = in_threads(
        first(lambda: to(participation, ONLINE, roos)),
        second(lambda: to(Participation.objects.get(pk=participation.pk), CONTACT, roos, "nora@noord.example")),
    )
    assert results == [True, True]
    current = Collection.objects.select_related("participation").get(pk=collection.pk)
    assert current.mode == current.participation.mode == CONTACT
    assert current.participation.contact_email == "nora@noord.example"
    assert Meeting.objects.filter(collection=current).count() == 1


# ------------------------------------------------------------------------------------------------ withdrawing
def test_the_director_and_the_leader_stop_at_once(asked, monkeypatch):
    leader, director = Invitation.objects.get(participation=asked), invitations.academy_invitation(asked)
    first, second = in_between(monkeypatch, withdrawing, "teams_of")
    results = in_threads(
        first(lambda: withdrawing.withdraw(director, "workload")), second(lambda: withdrawing.withdraw(leader, "other"))
    )
    assert results[0] is True, results
    assert not isinstance(results[1], Exception), results
    asked.refresh_from_db()
    leader.refresh_from_db()
    assert (asked.state, leader.state) == ("withdrawn", "withdrawn")
    assert Event.objects.filter(kind="team_withdrawn").count() == 1
    assert OutboxMessage.objects.filter(kind="teams.team_withdrawn").count() == 1


def test_the_way_does_not_change_under_a_team_that_stops(asked, roos, monkeypatch):
    leader = Invitation.objects.get(participation=asked)
    planned = planning.begin(asked)
    assert planning.fix(planned, timezone.now() + timedelta(days=9), researcher=None)
    first, second = in_between(monkeypatch, outbox, "queue")
    results = in_threads(
        first(lambda: withdrawing.withdraw(leader, "workload")),
        second(lambda: to(Participation.objects.get(pk=asked.pk), ONLINE, roos)),
    )
    assert results[0] is True, results
    assert not isinstance(results[1], Exception) or isinstance(results[1], WayStays), results
    asked.refresh_from_db()
    assert asked.state == "withdrawn"
    assert PlannedMeeting.objects.get().state == PlannedMeeting.State.CANCELLED
    assert Event.objects.filter(kind="meeting_called_off").count() == 1


@pytest.mark.parametrize("fixed_before", [True, False])
@pytest.mark.parametrize("stops_first", [True, False])
def test_no_meeting_is_fixed_for_a_team_that_stops(asked, roos, monkeypatch, stops_first, fixed_before):
    """A date that was fixed at that moment stood in the calendars of a team that takes no part."""
    leader = Invitation.objects.get(participation=asked)
    planned = planning.begin(asked)
    if fixed_before:
        assert planning.fix(planned, timezone.now() + timedelta(days=8), researcher=None)
        planned.refresh_from_db()

    def stop() -> bool:
        return withdrawing.withdraw(leader, "workload")

    def fix() -> bool:
        return planning.fix(planned, timezone.now() + timedelta(days=9), researcher=roos)

    first, second = in_between(monkeypatch, planning, "hold_researcher" if not stops_first else "end_meetings")
    results = in_threads(*((first(stop), second(fix)) if stops_first else (first(fix), second(stop))))
    assert all(isinstance(result, bool) for result in results), results
    asked.refresh_from_db()
    assert asked.state == "withdrawn"
    assert PlannedMeeting.objects.get().state != PlannedMeeting.State.CONFIRMED
    assert not planning.fix(PlannedMeeting.objects.get(), timezone.now() + timedelta(days=7), researcher=roos)
    outbox.send_due()
    waiting = OutboxMessage.objects.filter(kind=TeamMail.MEETING_CALENDAR, state="queued")
    assert not waiting.exists()
