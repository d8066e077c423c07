"""Rows as they stand today, through the migrations: nobody gains a wave, and nobody loses one they may open."""

from datetime import date

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.migrating import rows_in, tables, tables_of

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, LAST = "leaders_of_a_wave", "one_leader_per_wave"


def migrated(name, *, before=False):
    """The migration of teams with this name, or the one before it."""
    graph = MigrationExecutor(connection).loader.graph
    (key,) = (key for key in graph.nodes if key[0] == "teams" and key[1].endswith(name))
    return [parent.key for parent in graph.node_map[key].parents if parent.key[0] == "teams"] if before else [key]


def migrate(name, *, before=False):
    """To the migration of teams with this name, or to the one before it. Returns the tables as they are then."""
    return tables(migrated(name, before=before))


@pytest.fixture(scope="module")
def as_they_were(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        before = migrated(FIRST, before=True)
    with tables_of(before, django_db_blocker):
        yield before


@pytest.fixture
def today(as_they_were, transactional_db):
    """The tables as they were when a role of a leader was of a team."""
    with rows_in(as_they_were) as apps:
        yield apps


class World:
    """Two waves of an academy, in the tables of a state."""

    def __init__(self, apps):
        self.model = lambda name: apps.get_model("teams", name)
        institution = self.model("Institution").objects.create(name="Hogeschool Noord")
        self.academy = self.model("Academy").objects.create(institution=institution, name="Zorg", sector="health")
        self.first, self.second = self.study("first", 2025), self.study("second", 2026)

    def study(self, slug, year):
        return self.model("Study").objects.create(
            slug=slug, title=slug, starts_on=date(year, 1, 1), ends_on=date(year, 12, 31)
        )

    def user(self, name, **fields):
        return self.model("User").objects.create(email=f"{name}@noord.example", name=name, **fields)

    def team(self, name, leader):
        return self.model("Team").objects.create(
            academy=self.academy, name=name, leader_name=leader, leader_email=f"{leader}@noord.example"
        )

    def wave(self, team, study, state="accepted"):
        made = self.model("Participation").objects.create(
            team=team, study=study, state=state, mode="online", approached=9
        )
        if state == "accepted":
            self.event(made, "leader_accepted", by_link=True, detail="online: 9")
        return made

    def event(self, wave, kind, **fields):
        return self.model("Event").objects.create(study=wave.study, participation=wave, kind=kind, **fields)

    def changed(self, wave, old, new, **fields):
        detail = f"{old} <{old}@noord.example> → {new} <{new.capitalize()}@Noord.example>"
        self.event(wave, "contact_changed", detail=detail, **fields)

    def leads(self, user, team):
        self.model("Role").objects.create(user=user, team=team, kind="leader")


def opens_to(apps, wave):
    """Who is named as the wave's leader, and to whose accounts its pages open."""
    row = apps.get_model("teams", "Participation").objects.get(pk=wave.pk)
    users = apps.get_model("teams", "User").objects.filter(roles__kind="leader", roles__participation=wave.pk)
    return row.leader_email, list(users.values_list("email", flat=True))


def test_a_leader_keeps_the_waves_of_today(today):
    world = World(today)
    lena, roos = world.user("lena"), world.user("roos")
    world.model("Role").objects.create(user=roos, study=world.first, kind="researcher")
    team = world.team("Verpleegkunde", "lena")
    waves = [world.wave(team, world.first), world.wave(team, world.second)]
    declined = world.wave(world.team("Voeding", "lena"), world.second, state="declined")
    world.leads(lena, team)
    world.changed(waves[0], "lea", "lena", by_id=roos.pk)  # the wave's own researcher corrected it
    then = migrate(LAST)
    for wave in waves:
        assert opens_to(then, wave) == ("lena@noord.example", ["lena@noord.example"])
    assert opens_to(then, declined) == ("lena@noord.example", [])
    researchers = then.get_model("teams", "Role").objects.filter(kind="researcher", study_id=world.first.pk)
    assert list(researchers.values_list("user_id", flat=True)) == [roos.pk]


@pytest.mark.parametrize("changer", ["link", "stranger", "removed"])
def test_a_wave_taken_along_goes_back_to_who_accepted_it(today, changer):
    world = World(today)
    lena, dirk, stranger = world.user("lena"), world.user("dirk"), world.user("stranger")
    world.model("Role").objects.create(user=stranger, study=world.second, kind="researcher")
    team = world.team("Verpleegkunde", "dirk")
    first = world.wave(team, world.first)
    how = {"link": {"by_link": True}, "stranger": {"by_id": stranger.pk}, "removed": {}}[changer]
    world.changed(first, "lena", "dirk", **how)
    second = world.model("Participation").objects.create(
        team=team, study=world.second, state="accepted", mode="online", approached=9
    )
    world.changed(second, "lena", "dirk", **how)
    world.event(second, "leader_accepted", by_link=True, detail="online: 9")
    world.leads(dirk, team)
    then = migrate(LAST)
    assert opens_to(then, first) == ("lena@noord.example", [lena.email])
    assert opens_to(then, second) == ("dirk@noord.example", ["dirk@noord.example"])


def test_what_the_waves_own_researcher_meant_stays_through_later_changes(today):
    world = World(today)
    world.user("lena")
    lotte, dirk, roos = world.user("lotte"), world.user("dirk"), world.user("roos")
    world.model("Role").objects.create(user=roos, study=world.first, kind="researcher")
    team = world.team("Verpleegkunde", "dirk")
    first = world.wave(team, world.first)
    world.changed(first, "lena", "lotte", by_id=roos.pk)
    world.changed(first, "lotte", "dirk", by_link=True)
    world.leads(dirk, team)
    assert opens_to(migrate(LAST), first) == ("lotte@noord.example", [lotte.email])


def test_a_leader_named_for_the_next_wave_who_has_not_accepted_gets_nothing(today):
    world = World(today)
    lena = world.user("lena")
    world.user("lotte")
    team = world.team("Verpleegkunde", "lotte")
    first = world.wave(team, world.first)
    world.changed(first, "lena", "lotte", by_link=True)
    second = world.wave(team, world.second, state="invited")
    world.leads(lena, team)
    then = migrate(LAST)
    assert opens_to(then, first) == ("lena@noord.example", [lena.email])
    assert opens_to(then, second) == ("lotte@noord.example", [])


def test_back_again_the_newest_wave_decides(today):
    world = World(today)
    lena = world.user("lena")
    team = world.team("Verpleegkunde", "lena")
    world.wave(team, world.first)
    world.wave(team, world.second)
    world.leads(lena, team)
    migrate(LAST)
    again = migrate(FIRST, before=True).get_model("teams", "Role").objects.get(kind="leader")
    assert (again.team_id, again.user_id) == (team.pk, lena.pk)


def test_an_institution_that_is_there_twice_is_numbered(today):
    Institution = today.get_model("teams", "Institution")
    for name in ("HAN", "Han", "han (2)", "Fontys"):
        Institution.objects.create(name=name)
    then = migrate("institutions_by_name_in_any_case").get_model("teams", "Institution")
    assert list(then.objects.order_by("pk").values_list("name", flat=True)) == ["HAN", "Han (3)", "han (2)", "Fontys"]
