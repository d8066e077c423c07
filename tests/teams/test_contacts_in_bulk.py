"""A file of contacts has the same effects row by row and in bulk, and its queries do not grow with its rows."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from teams.contacts import cells, contacts
from teams.files.tables import Table
from teams.inviting import corrections, invitations
from teams.models import (
    Academy,
    Event,
    FormerContact,
    Institution,
    Invitation,
    MailDomain,
    OutboxMessage,
    Participation,
    Role,
    Study,
    Team,
    User,
)
from teams.studies.setting_up import let_work
from tests.groups import a_group

pytestmark = pytest.mark.django_db
MODELS = (
    Institution,
    Academy,
    Team,
    Participation,
    Invitation,
    MailDomain,
    Event,
    OutboxMessage,
    FormerContact,
    Role,
    User,
)
#: Drawn anew, or the clock's; and codes of accounts.
DRAWN = ("nonce", "at", "since", "due_at", "message_id", "password", "date_joined", "listed_at", "created_at", "uid")


class RowByRow:
    """What `contacts.apply` did before: every row by itself."""

    def __init__(self, study: Study, by: User | None, add_academy: Any, add_team: Any) -> None:
        self.academy = lambda data: add_academy(study, data, by)
        self.team = lambda academy, data: add_team(study, academy, data, by)

    def write(self) -> None:
        pass


def everything() -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in DRAWN}
            for row in model.objects.order_by("pk").values()
        ]
        for model in MODELS
    }


def line(institution: str, academy: str, director: str, team: str, leader: str, form: str = "full_time") -> list[str]:
    name = lambda email: email.partition("@")[0].title()  # noqa: E731
    return [institution, academy, "health", name(director), director, team, form if team else "", name(leader), leader]


def known_study(slug: str, **fields: Any) -> Study:
    today = datetime.date(2026, 9, 1)
    return Study.objects.create(
        group=a_group(), slug=slug, title=slug, starts_on=today, ends_on=today.replace(year=2027), **fields
    )


NORTH, SOUTH = "Hogeschool Noord", "Hogeschool Zuid"
FILE = [
    line(NORTH, "Zorg", "dirk@noord.example", "Known", "lena@noord.example"),  # unchanged
    line(
        NORTH, "Zorg", "dirk@noord.example", "Elsewhere", "else@noord.example"
    ),  # in an earlier study, not in this one
    line(NORTH, "Zorg", "dirk@noord.example", "New", "nora@noord.example"),
    line(NORTH, "Zorg", "dirk@noord.example", "New", "nora2@noord.example", "part_time"),
    line(NORTH, "Zorg", "dirk@noord.example", "Moved", "new.leader@noord.example"),  # asked, and granted
    line(NORTH, "Zorg", "dirk@noord.example", "Kept", "other@noord.example"),  # asked, and not granted
    line(NORTH, "Zorg", "dirk@noord.example", "After a correction", "aft@elders.example"),
    line("hogeschool noord", "Techniek", "tess@techniek.example", "First", "f@techniek.example"),  # new academy
    line("hogeschool noord", "Techniek", "tess@techniek.example", "Led by its director", "tess@techniek.example"),
    line(NORTH, "Earlier", "erik@noord.example", "Old", "o@noord.example"),  # known, not in this study
    line(SOUTH, "Sport", "sam@zuid.example", "Roeien", "r@own.example"),  # all new; a domain of one person's own
    line(SOUTH, "Sport", "sam@zuid.example", "Zwemmen", "z@own.example"),  # and of a second: learned
    line(SOUTH, "Sport", "sam@zuid.example", "Fietsen", "f@gmail.com"),
    line(SOUTH, "Dans", "dana@gmail.com", "", ""),  # an academy without a team
    line("Ecole Élan", "Été", "eva@elan.example", "Zorg & Welzijn", "w@elan.example"),
    line("Removed", "Academy", "rem@taken-off.example", "Team", "t@taken-off.example"),
    line("By link", "Academy", "d@bylink.example", "Later", "later@named.example"),
]
HEADER = cells.EXAMPLE[0]


def table(rows: list[list[str]]) -> Table:
    return Table(HEADER, rows)


@pytest.fixture
def by(db: None) -> User:
    return User.objects.create_user("root@noord.example", "correct horse battery", name="Root", is_superuser=True)


@pytest.fixture
def study(by: User) -> Study:
    """A study that knows some of the file, and one before it."""
    study, earlier = known_study("now"), known_study("earlier")

    def academy(school: str, name: str, director: str) -> Academy:
        institution, _new = Institution.objects.get_or_create(group=a_group(), name=school)
        return Academy.objects.create(
            institution=institution,
            name=name,
            sector="health",
            director_name=director.partition("@")[0].title(),
            director_email=director,
        )

    def team(where: Academy, name: str, leader: str, *studies: Study) -> Participation:
        called = leader.partition("@")[0].title()
        made = Team.objects.create(
            academy=where, name=name, form="full_time", leader_name=called, leader_email=leader.upper()
        )
        return [invitations.list_team(study, made, by) for study in studies][-1]

    care = academy(NORTH, "Zorg", "Dirk@noord.example")
    Academy.objects.filter(pk=care.pk).update(director_name="Dirk")
    team(care, "Known", "lena@noord.example", earlier, study)
    team(care, "Elsewhere", "else@noord.example", earlier)
    team(care, "Moved", "old.leader@noord.example", earlier, study)
    team(care, "Kept", "kept@noord.example", study)
    team(academy(NORTH, "Earlier", "erik@noord.example"), "Old", "o@noord.example", earlier)
    removed = Institution.objects.create(group=a_group(), name="Removed")
    MailDomain.objects.create(institution=removed, domain="taken-off.example", used=False)
    named = team(academy("By link", "Academy", "d@bylink.example"), "Named", "one@bylink.example", study)
    corrections.correct_leader(named, "Two", "two@named.example", by_link=True)
    return study


def effects(study: Study, by: User, rows: list[list[str]], answers: dict[str, str] | None = None) -> Any:
    """What applying a file comes to, taken back afterwards."""
    with transaction.atomic():
        with connection.cursor() as cursor:  # the same numbers in both
            for statement in connection.ops.sequence_reset_sql(no_style(), list(MODELS)):
                cursor.execute(statement)
        done = contacts.apply(study, table(rows), by, answers)
        outcome = done, everything()
        transaction.set_rollback(True)
    return outcome


@pytest.mark.parametrize("who", ["administrator", "researcher of this study only"])
def test_the_same_rows_come_of_a_file_in_bulk_and_row_by_row(study, by, monkeypatch, who):
    if who != "administrator":
        by = User.objects.create_user("roos@noord.example", "correct horse battery", name="Roos")
        let_work(study, by)
    asked = contacts.preview(study, table(FILE), by)
    (moved,) = [ask for row in asked.rows for ask in row.asks if ask.new_email == "new.leader@noord.example"]
    answers = {moved.field: moved.old_email}
    with monkeypatch.context() as patch:
        patch.setattr(contacts, "Listing", RowByRow)
        before, rows_before = effects(study, by, FILE, answers)
    after, rows_after = effects(study, by, FILE, answers)
    assert before.applied, (before.problems, [row.notes for row in before.rows if row.state == "wrong"])
    for name, rows in rows_before.items():
        assert rows_after[name] == rows, name
    assert after == before
    if who != "administrator":
        return  # of schools that are in the earlier study too, nothing is learned
    learned = {row["domain"] for row in rows_after["MailDomain"]}
    assert {"own.example", "techniek.example", "zuid.example"} <= learned
    assert "named.example" not in learned
    assert [row["used"] for row in rows_after["MailDomain"] if row["domain"] == "taken-off.example"] == [False]


@pytest.mark.parametrize("who", ["contact", "researcher"])
def test_who_may_not_lead_is_refused_with_the_row_and_nothing_stays(study, by, monkeypatch, who):
    known = Participation.objects.get(team__name="Known", study=study)
    state = Participation.State.ACCEPTED
    Participation.objects.filter(pk=known.pk).update(
        contact_email="cora@noord.example", state=state, mode=Participation.Mode.CONTACT, approached=9
    )
    address = {"contact": "cora@noord.example", "researcher": "Root@noord.example"}[who]
    rows = [*FILE, line(NORTH, "Zorg", "dirk@noord.example", "Refused", address)]
    with monkeypatch.context() as patch:
        patch.setattr(contacts, "Listing", RowByRow)
        before = effects(study, by, rows)
    stands = everything()
    after = effects(study, by, rows)
    assert after == before
    assert not after[0].applied
    assert str(len(rows) + 1) in after[0].problems[0]
    assert after[1] == stands


def many(n: int) -> list[list[str]]:
    return [
        line(
            f"School {n} {row % 7}",
            f"Academy {row % 7}.{row % 5}",
            f"d{row % 7}.{row % 5}@school{row % 7}.example",
            f"Team {row}",
            f"leader{row}@school{row % 7}.example",
        )
        for row in range(n)
    ]


def test_queries_do_not_grow_with_the_rows(by):
    asked = []
    for n in (200, 2000):
        study = known_study(f"of-{n}")
        with CaptureQueriesContext(connection) as queries:
            assert contacts.apply(study, table(many(n)), by).count(contacts.RowState.NEW) == n
        asked.append(len(queries))
    most = 60 if connection.vendor == "postgresql" else 60 + 2000 // 10  # SQLite takes long inserts in parts
    assert asked[1] <= most, asked


def test_what_somebody_listed_meanwhile_is_judged_again(study, by, monkeypatch):
    tries, write = [], contacts.Listing.write

    def second(self: Any) -> None:
        tries.append(self)
        write(self)
        if len(tries) == 1:
            raise IntegrityError

    monkeypatch.setattr(contacts.Listing, "write", second)
    rows = [line(SOUTH, "Sport", "sam@zuid.example", "Roeien", "r@own.example")]
    assert contacts.apply(study, table(rows), by).applied
    assert len(tries) == 2
    assert Team.objects.filter(name="Roeien").count() == 1
