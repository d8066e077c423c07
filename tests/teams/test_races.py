"""Two who act on one team, or on one researcher's hour, at the same instant: in each, the second looks before the first is done."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event as Flag
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from teams.contacts import contacts
from teams.files.tables import Table
from teams.inviting import corrections, invitations, withdrawing
from teams.inviting.invitations import Approach
from teams.meetings import planning, slots
from teams.models import Event, Institution, Invitation, OfferedSlot, Participation, PlannedMeeting
from teams.people.contact_person import SamePerson
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
STATE = Participation.State


def in_between(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Stop who first comes past ``name``, until the other is done or has to wait for us. Returns how both are called."""
    real, looked, done = getattr(module, name), Flag(), Flag()

    def slow(*args: object, **kwargs: object) -> object:
        result = real(*args, **kwargs)
        if not looked.is_set():
            looked.set()
            done.wait(1)
        return result

    monkeypatch.setattr(module, name, slow)

    def second(act: Callable[[], object]) -> Callable[[], object]:
        def call() -> object:
            assert looked.wait(20)
            try:
                return act()
            finally:
                done.set()

        return call

    return (lambda act: act), second


@pytest.fixture
def both(study, nursing, physiotherapy) -> tuple[Participation, Participation]:
    """Two teams of an academy that meet."""
    for participation in (nursing, physiotherapy):
        Participation.objects.filter(pk=participation.pk).update(state=STATE.ACCEPTED, mode="researcher", approached=9)
        participation.refresh_from_db()
    return nursing, physiotherapy


def at(hours: float) -> Any:
    return (timezone.now() + timedelta(days=9, hours=hours)).replace(minute=0, second=0, microsecond=0)


def test_proposing_dates_does_not_undo_a_meeting_that_is_being_fixed(both, roos, monkeypatch):
    team, _other = both
    planned = planning.begin(team)
    first, second = in_between(monkeypatch, planning, "begin")
    results = in_threads(
        first(lambda: planning.propose(team, [at(0)], by_leader=True)),
        second(lambda: planning.fix(planned, at(1), researcher=roos)),
    )
    assert not isinstance(results[0], Exception), results
    assert results[1] is True
    planned.refresh_from_db()
    assert (planned.state, planned.starts_at) == (PlannedMeeting.State.CONFIRMED, at(1))


@pytest.mark.parametrize("becomes", ["stopped", "online"])
def test_nothing_is_proposed_or_fixed_for_a_team_that_does_not_meet_any_more(both, roos, monkeypatch, becomes):
    """Whichever is first: what was proposed is gone with the team, and nobody is mailed dates of a team that is out."""
    team, _other = both
    Invitation.objects.filter(participation=team).update(state="accepted", undertaking=True)
    invitation = Invitation.objects.get(participation=team)

    def end() -> bool:
        if becomes == "stopped":
            return withdrawing.withdraw(invitation, "workload")
        return planning.change_way(team, mode="online", contact_name="", contact_email="")

    first, second = in_between(monkeypatch, planning, "begin")
    results = in_threads(
        first(lambda: planning.propose(Participation.objects.get(pk=team.pk), [at(0)], by_leader=False)), second(end)
    )
    assert not any(isinstance(result, Exception) for result in results), results
    planned = PlannedMeeting.objects.get(participation=team)
    assert (planned.state, planned.dates.count()) == (PlannedMeeting.State.CANCELLED, 0)
    assert planning.propose(team, [at(0)], by_leader=True) is None
    assert not planning.fix(planned, at(1), researcher=roos)
    assert not planning.change(planned, minutes=30, room="B1")
    planned.refresh_from_db()
    assert (planned.state, planned.dates.count()) == (PlannedMeeting.State.CANCELLED, 0)


@pytest.mark.parametrize("later", [0.0, 0.5])
def test_two_leaders_do_not_get_one_researcher_at_one_time(both, study, roos, monkeypatch, later):
    """Two times that overlap, or the same hour as a meeting that a researcher fixes."""
    start = at(0)
    slots.offer_slots(study, roos, [start, start + timedelta(minutes=30)], 45)
    early, late = OfferedSlot.objects.order_by("starts_at")
    first, second = in_between(monkeypatch, planning, "begin")
    if later:
        results = in_threads(
            first(lambda: planning.take_slot(both[0], early)), second(lambda: planning.take_slot(both[1], late))
        )
    else:
        other = PlannedMeeting.objects.create(participation=both[1])
        results = in_threads(
            first(lambda: planning.take_slot(both[0], early)),
            second(lambda: planning.fix(other, start + timedelta(minutes=15), researcher=None)),
        )
        assert results == [True, True]
        other.refresh_from_db()
        assert not planning.take_slot(both[1], late), "the researcher meets another team then"
        return
    assert sorted(results) == [False, True], results
    assert OfferedSlot.objects.filter(taken_by__isnull=False).count() == 1
    assert PlannedMeeting.objects.filter(state=PlannedMeeting.State.CONFIRMED).count() == 1


def test_a_leader_may_move_to_a_time_that_overlaps_the_own_one(both, study, roos):
    start = at(0)
    slots.offer_slots(study, roos, [start, start + timedelta(minutes=30)], 45)
    early, late = OfferedSlot.objects.order_by("starts_at")
    assert planning.take_slot(both[0], early)
    assert planning.take_slot(both[0], late)
    assert PlannedMeeting.objects.get().starts_at == late.starts_at


def test_a_leader_who_accepts_while_the_director_stops_is_told(study, nursing, monkeypatch):
    invitations.invite_directors(study)
    director = invitations.academy_invitation(nursing)
    assert invitations.accept_academy(director, [Approach(nursing.pk, "Lena Bos", "lena@noord.example")])
    leader = Invitation.objects.get(participation=nursing)
    first, second = in_between(monkeypatch, invitations, "open_to_leader")

    def accept() -> bool:
        with transaction.atomic():
            return invitations.accept_team(leader, mode="online", approached=9)

    results = in_threads(first(accept), second(lambda: withdrawing.withdraw(director, "workload")))
    assert results == [True, True]
    nursing.refresh_from_db()
    leader.refresh_from_db()
    assert (nursing.state, leader.state) == (STATE.WITHDRAWN, Invitation.State.WITHDRAWN)
    assert Event.objects.filter(kind="team_withdrawn", participation=nursing).count() == 1


def test_two_teams_that_name_each_others_people_at_once(both, monkeypatch):
    """A contact person of one becomes the leader of the other at the same instant: one of the two is refused."""
    one, other = both
    first, second = in_between(monkeypatch, planning, "check_contact")
    results = in_threads(
        first(lambda: planning.change_way(one, mode="contact", contact_name="Mia", contact_email="mia@noord.example")),
        second(lambda: corrections.correct_leader(other, "Mia", "mia@noord.example")),
    )
    assert results[0] is True, results
    assert isinstance(results[1], SamePerson), results
    other.refresh_from_db()
    assert other.leader_email != "mia@noord.example"


def test_the_director_is_not_named_while_the_same_person_becomes_contact(both, monkeypatch):
    one, _other = both
    first, second = in_between(monkeypatch, planning, "check_contact")
    results = in_threads(
        first(lambda: planning.change_way(one, mode="contact", contact_name="Mia", contact_email="mia@noord.example")),
        second(lambda: corrections.correct_director(one.team.academy, "Mia", "mia@noord.example")),
    )
    assert results[0] is True, results
    assert isinstance(results[1], SamePerson), results


def test_a_file_lists_who_becomes_contact_person_of_a_team_at_once(both, study, roos, monkeypatch):
    """As by form: whoever counts in a team of the academy leads none, also where both are named at the same instant."""
    one, _other = both
    academy = one.team.academy
    cells = [academy.institution.name, academy.name, academy.sector, academy.director_name, academy.director_email]
    header = ["institution", "academy", "sector", "director", "director e-mail", "team", "form", "team leader"]
    listed = Table([*header, "team leader e-mail"], [[*cells, "Logopedie", "full_time", "Mia", "mia@noord.example"]])
    first, second = in_between(monkeypatch, planning, "check_contact")
    results = in_threads(
        first(lambda: planning.change_way(one, mode="contact", contact_name="Mia", contact_email="mia@noord.example")),
        second(lambda: contacts.apply(study, listed, roos)),
    )
    assert results[0] is True, results
    assert (len(results[1].problems), results[1].applied) == (1, False), results
    assert not Participation.objects.filter(leader_email="mia@noord.example").exists()


def test_two_files_that_name_another_leader_at_once(both, study, roos, monkeypatch):
    """The second is judged when the first is done: it asks whether it may replace whom the first listed, and does not."""
    one, _other = both
    academy = one.team.academy
    cells = [academy.institution.name, academy.name, academy.sector, academy.director_name, academy.director_email]
    header = ["institution", "academy", "sector", "director", "director e-mail", "team", "form", "team leader"]

    def listed(name: str, also: str) -> Table:
        rows = [[*cells, team, "full_time", name, f"{name.lower()}@noord.example"] for team in ("Logopedie", also)]
        return Table([*header, "team leader e-mail"], rows)

    first, second = in_between(monkeypatch, contacts, "preview")
    results = in_threads(
        first(lambda: contacts.apply(study, listed("Mia", "Mondzorg"), roos)),
        second(lambda: contacts.apply(study, listed("Noor", "Optometrie"), roos)),
    )
    assert [result.applied for result in results] == [True, True], results
    assert len(results[1].rows[0].asks) == 1
    assert Participation.objects.get(team__name="Logopedie").leader_email == "mia@noord.example"


def test_two_files_that_list_the_same_new_institutions_in_another_order(study, roos, monkeypatch):
    """The second waits for the first: neither is told of a database that found them waiting for each other."""
    header = ["institution", "academy", "sector", "director", "director e-mail", "team", "form", "team leader"]
    rows = [
        [
            f"Hogeschool {name}",
            "Zorg",
            "health",
            "D",
            f"d@{name}.example",
            "Zorg",
            "full_time",
            "Mia",
            f"m@{name}.example",
        ]
        for name in ("west", "oost")
    ]
    as_listed, turned = (Table([*header, "team leader e-mail"], list(order)) for order in (rows, reversed(rows)))
    manager = Institution._default_manager
    bulk_create, first_row = manager.bulk_create, Flag()

    def row_by_row(institutions: list[Institution]) -> None:
        for nth, institution in enumerate(institutions):
            bulk_create([institution])
            if nth == 0 and not first_row.is_set():
                first_row.set()
                both_wrote.wait(1)

    monkeypatch.setattr(manager, "bulk_create", row_by_row)
    both_wrote = Flag()  # never set: the second cannot write before the first is done

    def later() -> contacts.Preview:
        assert first_row.wait(20)
        return contacts.apply(study, turned, roos)

    results = in_threads(lambda: contacts.apply(study, as_listed, roos), later)
    assert [result.applied for result in results] == [True, False], (
        results
    )  # there is nothing left for the second to do
    assert Institution.objects.filter(name__startswith="Hogeschool ").count() == 2
