"""Duplicates: what is taken for one, and a merge that moves everything or nothing."""

import datetime
import time
from itertools import combinations
from random import Random

import pytest
from django.urls import reverse

from teams import history
from teams.contacts import contacts, duplicates
from teams.contacts.duplicates import Refused, alike, key, merge, suggestions
from teams.contacts.rows import AcademyData, TeamData
from teams.history import Happened
from teams.inviting import corrections, invitations
from teams.inviting.invitations import Approach
from teams.models import Academy, Event, Institution, Invitation, OutboxMessage, Participation, Role, Study, Team, User
from teams.studies.setting_up import let_work
from tests.groups import a_group


@pytest.fixture
def second(study: Study, roos: User) -> Study:
    """A second wave, in which names were typed a little differently."""
    wave = Study.objects.create(
        group=a_group(),
        slug="second",
        title="Second wave",
        wave=2,
        previous=study,
        starts_on=datetime.date(2027, 9, 1),
        ends_on=datetime.date(2028, 6, 30),
        controller="Hogeschool Noord",
        privacy_contact="privacy@noord.example",
        contact_name="Roos de Wit",
        contact_email="roos@noord.example",
    )
    let_work(wave, roos)
    return wave


def listed(
    study: Study, name: str = "Verpleegkunde", academy: str = "Academie voor Zorg", **leader: str
) -> Participation:
    data = AcademyData("Hogeschool Noord", academy, "health", "Dirk Jansen", "dirk@noord.example")
    owner = contacts.add_academy(study, data, None)
    email = leader.get("email", "lena@noord.example")
    return contacts.add_team(study, owner, TeamData(name, "full_time", leader.get("leader", "Lena Bos"), email), None)


def invited(participation: Participation, by: User) -> None:
    study = participation.study
    invitations.invite_directors(study, by)
    team = participation.team
    director = invitations.academy_invitation(participation)
    invitations.accept_academy(director, [Approach(participation.pk, team.leader_name, team.leader_email)])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Academie voor Zorg", "Zorgacademie", False),
        ("Academie voor Zorg", "academie Zorg", True),
        ("Verpleegkunde", "Verpleegkunda", True),
        ("Verpleegkunde (voltijd)", "Voltijd Verpleegkunde", True),
        ("Économie", "Economie", True),
        ("Team 1", "Team 2", False),
        ("ICT", "ITC", False),
        ("Fysiotherapie", "Ergotherapie", False),
        ("Academie", "Academy", False),
    ],
)
def test_names_are_compared_without_what_does_not_tell(one, other, same):
    assert alike(key(one), key(other)) is same


def test_what_looks_double_is_suggested(study, second, roos):
    listed(study)
    listed(second, "Verplegkunde", leader="Lena  Bos", email="l.bos@noord.example")
    listed(second, "Fysiotherapie", "Zorg", leader="Lars", email="lars@noord.example")
    pairs = {
        (suggestion.kind, str(suggestion.first), str(suggestion.second)) for suggestion in suggestions([study, second])
    }
    assert pairs == {
        ("academy", "Academie voor Zorg", "Zorg"),
        ("team", "Verpleegkunde", "Verplegkunde"),
        ("person", "Verpleegkunde", "Verplegkunde"),
    }
    assert suggestions([study]) == []


def test_the_waves_of_a_team_come_together(study, second, roos):
    first, again = listed(study), listed(second, "Verplegkunde")
    invited(first, roos)
    corrections.open_to_leader(first)
    gone = again.team
    merge("team", first.team, gone, [study, second], roos)
    assert not Team.objects.filter(pk=gone.pk).exists()
    assert set(first.team.participations.values_list("study__slug", flat=True)) == {"learning", "second"}
    assert Role.objects.get(participation=first).user.email == "lena@noord.example"
    event = Event.objects.get(kind="merged", study=second, by=roos)
    assert "Verplegkunde → Verpleegkunde" in event.detail


def test_two_that_took_part_in_one_study_stay_two(study, roos):
    one, other = listed(study), listed(study, "Verplegkunde", email="lotte@noord.example")
    invitations.invite_directors(study, roos)
    with pytest.raises(Refused, match="Learning in teams"):
        merge("team", one.team, other.team, [study], roos)
    assert Team.objects.count() == 2


def test_one_that_was_only_listed_gives_way(study, roos):
    one = listed(study)
    invited(one, roos)
    other = listed(study, "Verplegkunde")
    merge("team", one.team, other.team, [study], roos)
    assert Participation.objects.get().pk == one.pk
    assert Invitation.objects.filter(participation__isnull=False).count() == 1


def test_what_happened_to_the_one_that_gives_way_stays_and_nobody_is_mailed_who_was_not_asked(study, roos):
    one = listed(study)
    invited(one, roos)
    other = listed(study, "Verplegkunde", email="lotte@noord.example")
    before = OutboxMessage.objects.count()
    history.record(study, Happened.CONTACT_CHANGED, participation=other, by=roos, detail="Lotte")
    merge("team", one.team, other.team, [study], roos)
    kept = Event.objects.get(kind="contact_changed", detail="Lotte")
    assert (kept.participation, kept.of_team) == (one, "Verplegkunde")
    assert OutboxMessage.objects.count() == before


@pytest.mark.parametrize("kept_is_listed", [True, False])
def test_each_event_of_two_that_become_one_is_of_the_one_that_stays(study, roos, kept_is_listed):
    one, other = listed(study), listed(study, "Verplegkunde", email="lotte@noord.example")
    Participation.objects.filter(pk=(other if kept_is_listed else one).pk).update(state=Participation.State.INVITED)
    n = Event.objects.filter(participation__isnull=False).count()
    merge("team", one.team, other.team, [study], roos)
    assert Event.objects.filter(participation=Participation.objects.get(study=study)).count() == n


@pytest.mark.parametrize("swapped", [False, True])
def test_an_academy_takes_over_teams_and_the_invitation(study, roos, swapped):
    one = listed(study)
    invited(one, roos)
    other = listed(study, "Fysiotherapie", "Academie Zorg")
    keep, gone = (other, one) if swapped else (one, other)
    merge("academy", keep.team.academy, gone.team.academy, [study], roos)
    assert Academy.objects.get().teams.count() == 2
    assert Invitation.objects.get(academy__isnull=False).state == "accepted"


def test_academies_with_a_team_of_one_name_are_refused_with_its_name(study, roos):
    one, other = listed(study), listed(study, academy="Academie Zorg")
    with pytest.raises(Refused, match="Verpleegkunde"):
        merge("academy", one.team.academy, other.team.academy, [study], roos)


def test_institutions_take_over_academies(study, roos):
    one = listed(study)
    data = AcademyData("Hogeschool  Noord NL", "Techniek", "engineering", "D", "d@noord.example")
    other = contacts.add_academy(study, data, None)
    merge("institution", one.team.academy.institution, other.institution, [study], roos)
    assert Institution.objects.get().academies.count() == 2


def test_a_leader_gets_one_address(study, second, roos):
    first = listed(study)
    again = listed(second, "Fysiotherapie", email="l.bos@noord.example")
    corrections.open_to_leader(again)
    merge("person", first.team, again.team, [study, second], roos)
    again.team.refresh_from_db()
    assert again.team.leader_email == "lena@noord.example"
    assert Role.objects.get(participation=again).user.email == "lena@noord.example"
    assert again.events.get(kind="contact_changed").detail == (
        "Lena Bos <l.bos@noord.example> → Lena Bos <lena@noord.example>"
    )


def test_what_is_in_somebody_elses_study_is_not_touched(study, second, roos):
    first, again = listed(study), listed(second, "Verplegkunde")
    with pytest.raises(Refused, match="administrator"):
        merge("team", first.team, again.team, [study], roos)


def test_the_page_shows_both_and_merges(client, study, second, roos):
    first, again = listed(study), listed(second, "Verplegkunde")
    client.force_login(roos)
    page = reverse("merge", args=[study.slug, "team", first.team_id, again.team_id])
    assert page in client.get(reverse("duplicates", args=[study.slug])).content.decode()
    html = client.get(page).content.decode()
    assert "Verplegkunde" in html
    assert "Second wave" in html
    assert client.post(page).status_code == 302
    assert client.get(page).status_code == 404
    assert duplicates.suggestions([study, second]) == []


def test_a_refusal_is_said_on_the_page(client, study, roos):
    one, other = listed(study), listed(study, academy="Academie Zorg")
    client.force_login(roos)
    page = reverse("merge", args=[study.slug, "academy", one.team.academy_id, other.team.academy_id])
    assert "Verpleegkunde" in client.post(page).context["refused"]


def test_two_teams_of_one_study_are_led_to_where_they_become_one(client, study, second, roos):
    first, other = listed(study), listed(study, "Verplegkunde", email="lotte@noord.example")
    invitations.invite_directors(study, roos)
    client.force_login(roos)
    page = reverse("merge", args=[second.slug, "team", first.team_id, other.team_id])
    there = reverse("team_merge", args=[study.slug, first.pk, other.pk])
    assert there in client.get(page).content.decode()
    assert client.get(there).status_code == 200
    assert "Voeg ze daar eerst samen" in client.post(page).context["refused"]
    of_people = reverse("merge", args=[study.slug, "person", first.team_id, other.team_id])
    assert there not in client.get(of_people).content.decode()
    elsewhere = listed(second, "Verpleegkunda")
    apart = reverse("merge", args=[study.slug, "team", first.team_id, elsewhere.team_id])
    assert "/merge/" not in client.get(apart).content.decode().partition("<form")[0].partition("<main")[2]


def test_a_changed_name_is_recorded_with_old_and_new(study, roos):
    participation = listed(study)
    contacts.change_team(participation, TeamData("Nursing", "part_time", "Lena Bos", "lena@noord.example"), roos)
    event = participation.events.get(kind="details_changed", by=roos)
    assert "Verpleegkunde → Nursing" in event.detail
    assert "full_time → part_time" in event.detail


def test_a_long_list_of_names_costs_seconds_not_hours():
    """A file with a thousand names held the page for more than an hour, and with it all others on its thread."""
    random = Random(1)
    names = ["zorg" + "".join(random.choice("abcdefgh") for _ in range(150)) for _ in range(1000)]
    lists = [
        names,
        ["zorg"] * 3000,
        [f"team {n:05}" for n in range(5000)],
        [f"zorg {'a' * (n % 90)}" for n in range(3000)],
    ]
    since = time.process_time()
    for listed_names in lists:
        list(duplicates.near_pairs(listed_names))
    assert time.process_time() - since < 20


def test_near_pairs_are_those_that_are_alike():
    random = Random(2)
    names = ["verpleeg" + "".join(random.choice("aeik") for _ in range(random.randint(0, 6))) for _ in range(60)]
    pairs = set(duplicates.near_pairs(names))
    assert pairs == {
        (one, other) for one, other in combinations(range(len(names)), 2) if duplicates.alike(names[one], names[other])
    }
    assert 0 < len(pairs) < 1000
